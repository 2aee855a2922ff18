"""What Ethereum, its kin and Tron write alike: quantities, addresses, hashes, and the events of tokens.

Sources: Ethereum JSON-RPC (hexadecimal quantities and data); ERC-20 and ERC-721 (`Transfer`); WETH9
(`Deposit`, `Withdrawal`). An event is known by the Keccak-256 of its signature, a fact of the standards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from comity import intake as distrust
from comity.errors import BadInput

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
DEPOSIT = "e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"

NFT, ODD = "nft", "odd"

MAX_TOPICS = 4
_HEX = re.compile(r"0[xX]([0-9a-fA-F]{1,64})")
_DIGITS = re.compile(r"[0-9]{1,78}")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_DIGEST = re.compile(r"0[xX][0-9a-fA-F]{64}")
_DATA = re.compile(r"(?:0[xX])?((?:[0-9a-fA-F]{2})*+)")
_TOPIC = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})")
_LATEST = 253_402_300_799  # the year 9999 ends


class Moved(NamedTuple):
    """What a token's event says: raw units from one address to another (20 bytes in hexadecimal).

    An empty address is the token's own contract.
    """

    sender: str
    receiver: str
    raw: int


def shown(value: Any) -> str:
    """A value as an error may quote it: short, whatever it is."""
    return repr(value)[:60] if isinstance(value, (str, int, float, type(None))) else f"a {kind(value)}"


def kind(value: Any) -> str:
    """What JSON calls a value of this type."""
    return {dict: "JSON object", list: "JSON array", str: "text", bool: "truth value"}.get(
        type(value), "number" if isinstance(value, (int, float)) else "null"
    )


def wrong(value: Any, what: str, where: str) -> BadInput:
    return BadInput(
        f"{where}: not {what}: {shown(value)}",
        why="a node writes hexadecimal after 0x, an exporter whole numbers; nothing else is exact",
        remedy="fetch it again from a node you trust",
    )


def quantity(value: Any, where: str, limit: int = 1 << 256) -> int:
    """A whole number below ``limit``: hexadecimal after 0x, digits, or a JSON integer. Raises BadInput."""
    if isinstance(value, str):
        if (match := _HEX.fullmatch(value)) is not None:
            number = int(match[1], 16)
        elif _DIGITS.fullmatch(value):
            number = int(value)
        else:
            raise wrong(value, "a whole number", where)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise wrong(value, "a whole number", where)
    if not 0 <= number < limit:
        raise BadInput(
            f"{where}: a number out of bounds: {str(value)[:60]}",
            why=f"it is not between 0 and 2^{limit.bit_length() - 1}",
            remedy="fetch it again from a node you trust",
        )
    return number


def small(value: Any, where: str) -> int:
    """A count or place: of a block, a log, a transaction."""
    return quantity(value, where, 1 << 48)


def address(value: Any, where: str) -> str:
    """An address, canonical: 0x and 40 digits in lower case, whatever its EIP-55 case. Raises BadInput."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise wrong(value, "an address", where)
    return value.lower()


def digest(value: Any, where: str) -> str:
    """A hash of 32 bytes: 0x and 64 digits in lower case. Raises BadInput."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise wrong(value, "a hash of 32 bytes", where)
    return value.lower()


def array(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(
            f"{where}: {kind(value)} instead of a JSON array", remedy="fetch it again from a node you trust"
        )
    return value


def record(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(
            f"{where}: {kind(value)} instead of a JSON object", remedy="fetch it again from a node you trust"
        )
    return value


def moment(seconds: int, where: str, now: datetime) -> datetime:
    """The time of a block, from seconds since 1970. Raises BadInput when it lies in the future."""
    if seconds >= _LATEST:
        raise BadInput(f"{where}: a time out of range: {seconds:,}", remedy="a block states seconds")
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadInput(
            f"{where}: a time out of range: {seconds:,}", remedy="a block states seconds"
        ) from None
    return distrust.past(time, where, now)


def topics(value: Any, where: str) -> list[str]:
    """The topics of a log without their 0x, in lower case; exporters write them with commas between."""
    parts = value.split(",") if isinstance(value, str) else array([] if value is None else value, where)
    if parts == [""]:
        return []
    if len(parts) > MAX_TOPICS:
        raise BadInput(
            f"{where}: {len(parts):,} topics", why="a log has at most four", remedy="get the log again"
        )
    found = []
    for part in parts:
        match = _TOPIC.fullmatch(part.strip()) if isinstance(part, str) else None
        if match is None:
            raise wrong(part, "a topic of 32 bytes", where)
        found.append(match[1].lower())
    return found


def data(value: Any, where: str) -> str:
    """Bytes in hexadecimal, without 0x. Raises BadInput."""
    match = _DATA.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong(value, "bytes in hexadecimal", where)
    return match[1]


def movement(names: Sequence[str], body: Any, where: str, *, wraps: bool) -> Moved | str:
    """What a log moved; `NFT` for one token that is like no other, `ODD` for a `Transfer` of another shape.

    ``""`` for any other event. ``wraps``: the contract is known to hold the chain's own coin and to say so
    by `Deposit` and `Withdrawal`. An event that names its parties in its data is `ODD`: the same bytes may
    be an amount (ERC-20) or the number of a collectible (CryptoKitties).
    """
    first = names[0] if names else ""
    if first == TRANSFER:
        if len(names) == MAX_TOPICS:
            return NFT
        if len(names) != 3:
            return ODD
        sender, receiver, raw = _party(names[1]), _party(names[2]), data(body, where)
        if sender is None or receiver is None or len(raw) != 64:
            return ODD
        return Moved(sender, receiver, int(raw, 16))
    if wraps and first in {DEPOSIT, WITHDRAWAL} and len(names) == 2:
        party, raw = _party(names[1]), data(body, where)
        if party is None or len(raw) != 64:
            return ODD
        return Moved("", party, int(raw, 16)) if first == DEPOSIT else Moved(party, "", int(raw, 16))
    return ""


def _party(topic: str) -> str | None:
    return topic[24:] if not topic[:24].strip("0") else None

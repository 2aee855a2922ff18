"""What java-tron writes in its own way: addresses, token ids, sun, hashes without 0x.

Sources: java-tron's HTTP API (developers.tron.network) and protocol buffers, whose defaults are left out of
the JSON: an amount that is not there is zero. With ``visible`` addresses are Base58Check and names are text,
else both are hexadecimal.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import base58

from comity.chains._evm import wrong
from comity.errors import BadInput

PREFIX = 0x41
MAX_INT = 1 << 63

_HASH = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})")
_FULL = re.compile(r"(?:0[xX])?41([0-9a-fA-F]{40})")
_BARE = re.compile(r"(?:0[xX])?([0-9a-fA-F]{40})")
_BASE58 = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")
_ID = re.compile(r"[0-9]{7}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


@lru_cache(1 << 16)
def encoded(digits: str) -> str:
    """T… of an address's 20 bytes in hexadecimal."""
    return base58.b58encode_check(bytes([PREFIX]) + bytes.fromhex(digits)).decode()


@lru_cache(1 << 16)
def _checked(text: str) -> bool:
    try:
        payload = base58.b58decode_check(text)
    except ValueError:
        return False
    return len(payload) == 21 and payload[0] == PREFIX


def address(value: Any, where: str, *, bare: bool = False) -> str:
    """T… of an address in Base58Check or in hexadecimal; ``bare``: also without its 41, as in logs."""
    if isinstance(value, str):
        if _BASE58.fullmatch(value):
            if _checked(value):
                return value
            raise BadInput(
                f"{where}: the checksum of {value} fails",
                why="the address was altered, or is of another chain",
                remedy="fetch it again from a node you trust",
            )
        match = _FULL.fullmatch(value) or (_BARE.fullmatch(value) if bare else None)
        if match is not None:
            return encoded(match[1].lower())
    raise wrong(value, "a Tron address", where)


def digest(value: Any, where: str) -> str:
    """A hash of 32 bytes: 64 digits in lower case."""
    match = _HASH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong(value, "a hash of 32 bytes", where)
    return match[1].lower()


def number(value: Any, where: str) -> int:
    """A whole number of 63 bits; what is not there is zero. Raises BadInput."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_INT:
        raise wrong(value, "a whole number between 0 and 2^63", where)
    return value


def token(value: Any, where: str, *, plain: bool) -> str:
    """The id of a TRC-10 token, or before November 2018 its name, as a CAIP-19 reference.

    ``plain``: it is written as it is; else in hexadecimal, unless it is a bare id of seven digits.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else value
    if not isinstance(text, str) or not 0 < len(text) <= 128:
        raise wrong(value, "a token", where)
    if not plain and not _ID.fullmatch(text):
        try:
            text = bytes.fromhex(text).decode() if _HEX.fullmatch(text) else ""
        except UnicodeDecodeError:
            text = ""
    found = quote(text, safe="").replace("_", "%5F").replace("~", "%7E")
    if not 0 < len(found) <= 128:
        raise wrong(value, "a token's id or name", where)
    return found

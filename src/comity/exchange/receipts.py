"""Signed delivery receipts: the recipient says which envelope of which message it holds, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature

from comity import codec
from comity.errors import Unverified
from comity.exchange.directory import Member
from comity.exchange.keys import Keys

MAX_RECEIPT = 4096
_LABEL = b"comity/1 delivery receipt\x00"


@dataclass(frozen=True, slots=True)
class Delivered:
    """``recipient`` holds message ``message_id`` of ``sender``; ``digest`` is that of its envelope."""

    message_id: str
    sender: str
    recipient: str
    digest: str
    received: datetime


@dataclass(frozen=True, slots=True)
class _Signed:
    delivered: Delivered
    signature: str


def issue(delivered: Delivered, keys: Keys) -> bytes:
    """The receipt as signed JSON. The same delivery gives the same bytes."""
    signature = keys.signing.sign(_LABEL + codec.to_json(delivered))
    return codec.to_json(_Signed(delivered, signature.hex()))


def verify(receipt: bytes, recipient: Member) -> Delivered:
    """Check a receipt by ``recipient``. Raises Unverified, BadInput, TooLarge."""
    signed = codec.from_json(_Signed, receipt, limit=MAX_RECEIPT)
    try:
        recipient.signing_key.verify(
            bytes.fromhex(signed.signature), _LABEL + codec.to_json(signed.delivered)
        )
    except (InvalidSignature, ValueError):
        raise _unverified(recipient, "its signature does not hold") from None
    if signed.delivered.recipient != recipient.id:
        raise _unverified(recipient, f"it speaks for {signed.delivered.recipient[:64]}")
    return signed.delivered


def _unverified(recipient: Member, why: str) -> Unverified:
    return Unverified(
        f"not a delivery receipt of {recipient.id}", why=why, remedy="deliver the message again"
    )

"""One message, signed by its sender and sealed for its recipient (ADR 0007).

    version (1 byte) | length of header (2 bytes) | header | HPKE encapsulation and ciphertext

The header is canonical JSON: sender, recipient, the ids of both keys, message id, expiry, use. It is in
clear, since the recipient needs it to find the keys; it is HPKE's ``info``, so no bit of it may change.
Inside the seal: length (4 bytes) | Ed25519 signature (64) | message | zeros up to a power of two.
The signature covers the header and the SHA-256 of the message, so it can be neither stripped nor put
on another message, and a recipient cannot pass it on as if meant for a third (the header names it).
Kind, handling and body are never outside the seal. A replay is the mailbox's to find.

HPKE (RFC 9180), ML-KEM-768 with X25519 (draft-ietf-hpke-pq), HKDF-SHA256, ChaCha20-Poly1305.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity import codec
from comity.errors import BadInput, NotFound, TooLarge, Unverified
from comity.exchange.directory import Directory, Member, is_id
from comity.exchange.keys import Keys
from comity.model import Message

VERSION = 1
MAX_MESSAGE = codec.MAX_BYTES
MAX_HEADER = 1024
SKEW = timedelta(minutes=10)
MAX_LIFETIME = timedelta(days=366)

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_OVERHEAD = KEM.MLKEM768_X25519.enc_length() + 16
_INNER = struct.Struct(">I64s")
_OUTER = struct.Struct(">BH")
_SMALLEST = 2048
_USE = "comity message"


@dataclass(frozen=True, slots=True)
class Header:
    """What an envelope shows outside: who, to whom, which keys, which message, until when."""

    expires: datetime
    message_id: str
    recipient: str
    recipient_key: str
    sender: str
    sender_key: str
    use: str


def bucket(size: int) -> int:
    """The padded size (bytes) of ``size`` bytes: the next power of two, at least 2048."""
    return max(_SMALLEST, 1 << (size - 1).bit_length())


MAX_ENVELOPE = _OUTER.size + MAX_HEADER + _OVERHEAD + bucket(MAX_MESSAGE + _INNER.size)


def digest(sealed: bytes) -> str:
    """The SHA-256 of an envelope, in hex: what delivery receipts speak of."""
    return hashlib.sha256(sealed).hexdigest()


def _signed(header: bytes, payload: bytes) -> bytes:
    """What the inner signature covers. The label keeps it apart from all else this key signs."""
    return b"comity/1 message\x00" + hashlib.sha256(header).digest() + hashlib.sha256(payload).digest()


def seal(message: Message, keys: Keys, recipient: Member) -> bytes:
    """Sign and seal a message. Raises BadInput when it names other parties, TooLarge beyond 8 MiB."""
    if (message.sender, message.recipient) != (keys.member_id, recipient.id):
        raise BadInput(
            "the message is from or to another member",
            why=f"it says {message.sender} to {message.recipient}",
            remedy=f"seal it with the keys of {message.sender} for {message.recipient}",
        )
    _check_bounds(message)
    payload = codec.to_json(message)
    if len(payload) > MAX_MESSAGE:
        raise TooLarge(f"a message of {len(payload):,} bytes", remedy=f"send at most {MAX_MESSAGE:,} at once")
    header = codec.to_json(
        Header(
            message.expires,
            message.id,
            recipient.id,
            recipient.sealing_id,
            keys.member_id,
            keys.signing_id,
            _USE,
        )
    )
    inner = _INNER.pack(len(payload), keys.signing.sign(_signed(header, payload))) + payload
    padded = inner.ljust(bucket(len(inner)), b"\x00")
    return (
        _OUTER.pack(VERSION, len(header))
        + header
        + _SUITE.encrypt(padded, recipient.sealing_key, info=header)
    )


def _check_bounds(message: Message) -> None:
    for name in ("id", "sender", "recipient", "conversation"):
        if not is_id(getattr(message, name)):
            raise _not_id(name)
    if message.in_reply_to and not is_id(message.in_reply_to):
        raise _not_id("in_reply_to")
    if message.created.tzinfo is None or message.expires.tzinfo is None:
        raise BadInput("a time of the message has no time zone", remedy="give UTC")
    if not timedelta() < message.expires - message.created <= MAX_LIFETIME:
        raise BadInput(
            "the message's life is not between nothing and 366 days",
            why=f"it is created {message.created.isoformat()} and expires {message.expires.isoformat()}",
            remedy="set a later, or an earlier, expiry",
        )


def peek(sealed: bytes) -> Header:
    """The header, unverified: enough to route by. Raises BadInput, TooLarge."""
    return _parse(sealed)[0]


def _parse(sealed: bytes) -> tuple[Header, bytes, bytes]:
    if len(sealed) > MAX_ENVELOPE:
        raise TooLarge(f"an envelope of {len(sealed):,} bytes", remedy=f"at most {MAX_ENVELOPE:,} are read")
    if len(sealed) < _OUTER.size:
        raise BadInput("not an envelope: too short", remedy="send it again")
    version, length = _OUTER.unpack_from(sealed)
    if version != VERSION:
        raise BadInput(
            f"an envelope of version {version}",
            why=f"this node reads version {VERSION}",
            remedy="send that version, or upgrade this node",
        )
    start = _OUTER.size + length
    if length > MAX_HEADER or len(sealed) < start + _OVERHEAD + _SMALLEST:
        raise BadInput("not an envelope: its lengths do not fit", remedy="send it again")
    raw = sealed[_OUTER.size : start]
    header = codec.from_json(Header, raw, limit=MAX_HEADER)
    if codec.to_json(header) != raw:
        raise BadInput("not an envelope: its header is not canonical", remedy="send it again")
    return header, raw, sealed[start:]


def unseal(sealed: bytes, keys: Keys, directory: Directory, now: datetime) -> Message:
    """Open an envelope and verify everything about it.

    Raises Unverified (not for us, expired, unknown or invalid sender, other keys than the directory's,
    anything changed, no good signature), BadInput (not an envelope), TooLarge.
    """
    header, raw, ciphertext = _parse(sealed)
    sender = _check_header(header, keys, directory, now)
    try:
        padded = _SUITE.decrypt(ciphertext, keys.sealing, info=raw)
    except (InvalidTag, ValueError):
        raise _unverified("it does not open: it was changed, or sealed for another key") from None
    length, signature = _INNER.unpack_from(padded)
    end = _INNER.size + length
    filled = bytes(max(0, len(padded) - end))
    if length > MAX_MESSAGE or bucket(end) != len(padded) or padded[end:] != filled:
        raise _unverified("its padding is not as it must be")
    payload = padded[_INNER.size : end]
    try:
        sender.signing_key.verify(signature, _signed(raw, payload))
    except InvalidSignature:
        raise _unverified(f"it does not carry the signature of {sender.id}") from None
    message = codec.from_json(Message, payload)
    if (message.id, message.sender, message.recipient, message.expires) != (
        header.message_id,
        header.sender,
        header.recipient,
        header.expires,
    ):
        raise _unverified("the message inside is not the one its header names")
    _check_bounds(message)
    if message.created > now + SKEW:
        raise _unverified("it was written in the future")
    return message


def _check_header(header: Header, keys: Keys, directory: Directory, now: datetime) -> Member:
    if header.use != _USE:
        raise _unverified("it is not meant as a message")
    if header.recipient != keys.member_id:
        raise _unverified(f"it is for {header.recipient[:64]}, not for {keys.member_id}")
    if header.sender == keys.member_id:
        raise _unverified("it says it comes from this very node")
    if header.recipient_key != keys.sealing_id:
        raise _unverified("it is sealed for a key this node does not have")
    if header.expires.tzinfo is None or header.expires <= now:
        raise _unverified("it has expired")
    try:
        sender = directory.valid(header.sender, now)
    except NotFound:
        raise _unverified(f"{header.sender[:64]!r} is not in the directory") from None
    if header.sender_key != sender.signing_id:
        raise _unverified(f"it is signed with a key that is not {sender.id}'s")
    return sender


def _unverified(why: str) -> Unverified:
    return Unverified("the envelope is refused", why=why, remedy="the sender must send the message anew")


def _not_id(field: str) -> BadInput:
    return BadInput(
        f"the message's {field} is not 1 to 64 letters, digits, dots or dashes",
        remedy="ask its sender to send it again",
    )

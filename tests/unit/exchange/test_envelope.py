from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity import codec
from comity.errors import BadInput, TooLarge, Unverified
from comity.exchange import envelope
from comity.exchange.directory import Directory
from comity.exchange.envelope import Header
from comity.exchange.keys import Keys
from comity.model import Message

Write = Callable[..., Message]
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def forge(
    message: Message,
    by: Keys,
    to: Keys,
    *,
    signed: bool = True,
    pad: bytes = b"\x00",
    **changes: object,
) -> bytes:
    """An envelope by someone who has keys but not our manners."""
    header = codec.to_json(
        dataclasses.replace(
            Header(
                message.expires,
                message.id,
                message.recipient,
                to.sealing_id,
                message.sender,
                by.signing_id,
                "comity message",
            ),
            **changes,
        )
    )
    payload = codec.to_json(message)
    to_sign = b"comity/1 message\x00" + hashlib.sha256(header).digest() + hashlib.sha256(payload).digest()
    signature = by.signing.sign(to_sign) if signed else bytes(64)
    inner = struct.pack(">I64s", len(payload), signature) + payload
    inner = inner.ljust(envelope.bucket(len(inner)), pad)
    return (
        struct.pack(">BH", 1, len(header))
        + header
        + SUITE.encrypt(inner, to.sealing.public_key(), info=header)
    )


def test_round_trip(ring: dict[str, Keys], directory: Directory, write: Write, now: datetime) -> None:
    message = write()
    sealed = envelope.seal(message, ring["fiu-de"], directory.member("fiu-fr"))
    assert envelope.unseal(sealed, ring["fiu-fr"], directory, now) == message
    assert envelope.peek(sealed).message_id == "m-1"
    for secret in (b"intelligence", b"vain", b"reply", b"2015/849", b"c-1", b"m-0"):
        assert secret not in sealed
    assert envelope.digest(sealed) == hashlib.sha256(sealed).hexdigest()


def test_our_forger_can_also_write_a_good_one(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime
) -> None:
    sealed = forge(write(), ring["fiu-de"], ring["fiu-fr"])
    assert envelope.unseal(sealed, ring["fiu-fr"], directory, now) == write()


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        ({"signed": False}, "does not carry the signature"),
        ({"pad": b"\x01"}, "padding"),
        ({"use": "comity receipt"}, "not meant as a message"),
        ({"recipient": "fiu-sg"}, "for fiu-sg"),
        ({"sender": "fiu-fr"}, "this very node"),
        ({"sender": "fiu-sg"}, "not in the directory"),
        ({"recipient_key": "00" * 16}, "does not have"),
        ({"sender_key": "00" * 16}, "not fiu-de's"),
        ({"message_id": "m-2"}, "not the one its header names"),
        ({"expires": datetime.fromisoformat("2026-11-23T12:00:00Z")}, "expired"),
        ({"expires": datetime.fromisoformat("2027-01-01T12:00:00")}, "expired"),
        ({"expires": datetime.fromisoformat("2027-01-01T12:00:00Z")}, "not the one its header names"),
    ],
)
def test_forgeries(
    ring: dict[str, Keys],
    directory: Directory,
    write: Write,
    now: datetime,
    forgery: dict[str, object],
    why: str,
) -> None:
    sealed = forge(write(), ring["fiu-de"], ring["fiu-fr"], **forgery)  # type: ignore[arg-type]
    with pytest.raises(Unverified) as error:
        envelope.unseal(sealed, ring["fiu-fr"], directory, now)
    assert why in error.value.why


def test_substituted_keys(ring: dict[str, Keys], directory: Directory, write: Write, now: datetime) -> None:
    de, fr = ring["fiu-de"], ring["fiu-fr"]
    impostor = dataclasses.replace(de, signing=Ed25519PrivateKey.generate())
    sealed = forge(write(), impostor, fr, sender_key=de.signing_id)
    with pytest.raises(Unverified, match="refused"):
        envelope.unseal(sealed, fr, directory, now)
    sealed = forge(write(), de, ring["fiu-sg"], recipient_key=fr.sealing_id)
    with pytest.raises(Unverified) as error:
        envelope.unseal(sealed, fr, directory, now)
    assert "does not open" in error.value.why


def test_a_recipient_cannot_pass_it_on_as_meant_for_another(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime
) -> None:
    """fiu-fr opens a message of fiu-de and seals payload and signature anew for fiu-sg."""
    sealed = envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))
    raw = sealed[3 : 3 + struct.unpack(">BH", sealed[:3])[1]]
    inner = SUITE.decrypt(sealed[3 + len(raw) :], ring["fiu-fr"].sealing, info=raw)
    sg = ring["fiu-sg"]
    header = codec.to_json(
        dataclasses.replace(envelope.peek(sealed), recipient="fiu-sg", recipient_key=sg.sealing_id)
    )
    onward = (
        struct.pack(">BH", 1, len(header))
        + header
        + SUITE.encrypt(inner, sg.sealing.public_key(), info=header)
    )
    with pytest.raises(Unverified) as error:
        envelope.unseal(onward, sg, directory, now)
    assert "signature" in error.value.why


def test_wrong_recipient_and_reflection(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime
) -> None:
    sealed = envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))
    with pytest.raises(Unverified):
        envelope.unseal(sealed, ring["fiu-de"], directory, now)
    with pytest.raises(Unverified):
        envelope.unseal(sealed, ring["fiu-fr"], directory, now + timedelta(days=7))
    with pytest.raises(Unverified):
        envelope.unseal(sealed, ring["fiu-fr"], directory, now - timedelta(days=1))


def test_an_expired_sender_is_not_believed(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime
) -> None:
    old = dataclasses.replace(directory.member("fiu-de"), valid_until=now)
    sealed = envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))
    with pytest.raises(Unverified, match="not valid now"):
        envelope.unseal(sealed, ring["fiu-fr"], Directory((old, directory.member("fiu-fr"))), now)


def test_sizes_come_in_buckets(ring: dict[str, Keys], directory: Directory, write: Write) -> None:
    sizes = {
        len(envelope.seal(write(body={"facts": "x" * n}), ring["fiu-de"], directory.member("fiu-fr")))
        for n in (0, 1, 500, 1000)
    }
    assert len(sizes) == 1
    assert [envelope.bucket(n) for n in (1, 2048, 2049, 4096, 4097)] == [2048, 2048, 4096, 4096, 8192]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a/b"},
        {"id": ""},
        {"conversation": "x" * 65},
        {"in_reply_to": "a b"},
        {"created": datetime.fromisoformat("2026-11-23")},
        {"expires": datetime.fromisoformat("2026-11-23T12:00:00Z")},
        {"expires": datetime.fromisoformat("2028-11-23T12:00:00Z")},
        {"sender": "fiu-sg"},
        {"recipient": "fiu-sg"},
    ],
)
def test_what_is_not_sealed(
    ring: dict[str, Keys], directory: Directory, write: Write, changes: dict[str, object]
) -> None:
    with pytest.raises(BadInput):
        envelope.seal(write(**changes), ring["fiu-de"], directory.member("fiu-fr"))


def test_too_much_is_refused_both_ways(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TooLarge):
        envelope.unseal(bytes(envelope.MAX_ENVELOPE + 1), ring["fiu-fr"], directory, now)
    monkeypatch.setattr(envelope, "MAX_MESSAGE", 100)
    with pytest.raises(TooLarge):
        envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))


def test_what_is_no_envelope(
    ring: dict[str, Keys], directory: Directory, write: Write, now: datetime
) -> None:
    sealed = envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))
    (length,) = struct.unpack(">H", sealed[1:3])
    spaced = sealed[3 : 3 + length].replace(b'{"', b'{ "', 1)
    for data in (
        b"",
        b"\x01",
        b"\x02" + sealed[1:],
        b"\x01\xff\xff" + sealed[3:],
        sealed[:2000],
        sealed[:3] + b"[" * length + sealed[3 + length :],
        b"\x01" + struct.pack(">H", len(spaced)) + spaced + sealed[3 + length :],
    ):
        with pytest.raises(BadInput):
            envelope.unseal(data, ring["fiu-fr"], directory, now)

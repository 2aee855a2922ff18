"""Sealing and opening a message of 20 kB: ours (hybrid post-quantum, signed) against one like TRISA's.

The peer encrypts the same bytes with AES-256-GCM, authenticates them with HMAC-SHA256, and seals both keys
with RSA-4096 (OAEP). It does not sign, so it gives no proof of who wrote it; ours does.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import cryptography
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import Row
from bench._measure import both
from comity import codec
from comity.exchange import keys
from comity.exchange.directory import Directory
from comity.exchange.envelope import seal, unseal
from comity.model import Handling, Institution, Message, MessageKind, Role

CLAIM = "A message is sealed and opened in at most a fifth of the CPU time of an RSA-4096 envelope."
GOAL = 5.0

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA512()), hashes.SHA512(), None)
_BYTES = 20_000


def _message() -> Message:
    return Message(
        id="m-1",
        kind=MessageKind.REQUEST,
        sender="sender",
        recipient="recipient",
        conversation="c-1",
        created=_NOW,
        expires=_NOW + timedelta(days=7),
        handling=Handling("money laundering"),
        body={"text": "x" * _BYTES},
    )


def _member(name: str) -> keys.Keys:
    return keys.generate(name, _NOW)


def _rsa_seal(message: Message, public: rsa.RSAPublicKey) -> tuple[bytes, ...]:
    key, secret, nonce = os.urandom(32), os.urandom(32), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, codec.to_json(message), None)
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(sealed)
    return nonce, sealed, mac.finalize(), public.encrypt(key, _OAEP), public.encrypt(secret, _OAEP)


def _rsa_open(envelope: tuple[bytes, ...], private: rsa.RSAPrivateKey) -> Message:
    nonce, sealed, tag, key, secret = envelope
    mac = hmac.HMAC(private.decrypt(secret, _OAEP), hashes.SHA256())
    mac.update(sealed)
    mac.verify(tag)
    payload = AESGCM(private.decrypt(key, _OAEP)).decrypt(nonce, sealed, None)
    return codec.from_json(Message, payload)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    times = max(3, round(300 * scale))
    message, sender, recipient = _message(), _member("sender"), _member("recipient")
    members = tuple(
        each.member(
            Institution(each.member_id, each.member_id, Role.VASP, ("DE",)),
            f"https://{each.member_id}.example",
            _NOW - timedelta(days=1),
            _NOW + timedelta(days=100),
        )
        for each in (sender, recipient)
    )
    directory = Directory(members)
    private = rsa.generate_private_key(65537, 4096)

    def ours() -> Message:
        for _ in range(times):
            opened = unseal(seal(message, sender, members[1]), recipient, directory, _NOW)
        return opened

    def theirs() -> Message:
        for _ in range(times):
            opened = _rsa_open(_rsa_seal(message, private.public_key()), private)
        return opened

    mine, peer = both(ours, theirs)
    assert mine.answer == peer.answer == message
    size = len(seal(message, sender, members[1]))
    peer_size = sum(len(part) for part in _rsa_seal(message, private.public_key()))
    return [
        Row(
            work=f"a message of {_BYTES // 1000} kB sealed and opened, {times} times",
            ours=mine.best,
            peer=peer.best,
            peer_version=f"RSA-4096, AES-256-GCM, HMAC by cryptography {cryptography.__version__}; unsigned",
            goal=GOAL,
            note=f"ours {times / mine.best:,.0f} a CPU s, peer {times / peer.best:,.0f}; bytes sent: ours "
            f"{size:,} (padded to a power of two), peer {peer_size:,}",
        )
    ]

"""What the network agrees on, published once and signed by whoever answers for it.

A deliberately small stand-in: one bundle, signed by a threshold of root keys. python-tuf replaces it
(issue 5) with delegated roles, separate expiries and mirrors; what is checked here stays checked then.

A bundle is JSON: ``payload`` (base64 of the signed bytes, so that nothing is re-encoded before its
signature is checked) and ``signatures`` by key id. Who holds the threshold of the trusted root's keys
decides; a new root needs the threshold of the old root and its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity import codec
from comity.errors import BadInput, Unverified

MAX_BUNDLE = 64 * 1024 * 1024
_LABEL = b"comity/1 commons\x00"


@dataclass(frozen=True, slots=True)
class Root:
    """Who may sign: ``keys`` are hex of Ed25519 public keys, ``threshold`` how many of them must."""

    version: int
    keys: tuple[str, ...]
    threshold: int

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= len(set(self.keys)) == len(self.keys) or self.version < 1:
            raise BadInput(
                "a root whose threshold cannot be met",
                why=f"{self.threshold} of {len(set(self.keys))} different keys, version {self.version}",
                remedy="name each key once, and a threshold between one and their number",
            )
        try:
            for key in self.keys:
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        except ValueError:
            raise BadInput(
                "a root key is not an Ed25519 public key", remedy="write its 32 bytes as hex"
            ) from None


@dataclass(frozen=True, slots=True)
class Commons:
    """What is signed.

    ``version`` only grows; after ``expires`` it is stale and refused. ``directory`` is the member
    directory as plain JSON; ``digests`` are the SHA-256 (hex) of the documents the network shares by name
    (the standard, each country's law); ``roles`` say which member answers for which of them.
    """

    version: int
    issued: datetime
    expires: datetime
    root: Root
    directory: dict[str, object]
    digests: dict[str, str]
    roles: dict[str, tuple[str, ...]]

    def check_document(self, name: str, content: bytes) -> None:
        """Check that a document is the one the network agreed on. Raises Unverified."""
        if self.digests.get(name) != hashlib.sha256(content).hexdigest():
            raise Unverified(
                f"{name} is not the document the network agreed on",
                why="its digest is not the one in the commons" if name in self.digests else "none is listed",
                remedy="fetch it again from a partner, or ask who answers for it",
            )


@dataclass(frozen=True, slots=True)
class _Bundle:
    payload: str
    signatures: dict[str, str]


def publish(commons: Commons, signers: Sequence[Ed25519PrivateKey]) -> bytes:
    """The signed bundle. Whether the signatures suffice is for whoever loads it."""
    return add_signatures(
        codec.to_json(_Bundle(base64.b64encode(codec.to_json(commons)).decode(), {})), signers
    )


def add_signatures(bundle: bytes, signers: Sequence[Ed25519PrivateKey]) -> bytes:
    """The bundle with further signatures: keys are in different hands. Raises BadInput."""
    held = codec.from_json(_Bundle, bundle, limit=MAX_BUNDLE)
    payload = _payload(held)
    added = {key.public_key().public_bytes_raw().hex(): key.sign(_LABEL + payload).hex() for key in signers}
    return codec.to_json(_Bundle(held.payload, held.signatures | added))


def load(bundle: bytes, trusted: Root, now: datetime, *, seen: int = 0) -> Commons:
    """Verify a bundle against the root already trusted; its own root is trusted from then on.

    ``seen`` is the version loaded last. Raises Unverified (too few signatures, an older version, expired,
    a root that skips or is not signed by its own keys), BadInput, TooLarge.
    """
    held = codec.from_json(_Bundle, bundle, limit=MAX_BUNDLE)
    payload = _payload(held)
    _check_threshold(trusted, payload, held.signatures, "trusted")
    commons = codec.from_json(Commons, payload, limit=MAX_BUNDLE)
    if commons.version < max(seen, 1):
        raise _unverified(f"it is version {commons.version}, and version {seen} was seen before")
    if commons.expires.tzinfo is None or commons.issued.tzinfo is None or commons.expires <= now:
        raise _unverified(f"it expired on {commons.expires.date()}")
    if commons.root != trusted:
        if commons.root.version != trusted.version + 1:
            raise _unverified(f"its root is version {commons.root.version}, not {trusted.version + 1}")
        _check_threshold(commons.root, payload, held.signatures, "new")
    return commons


def _payload(bundle: _Bundle) -> bytes:
    try:
        return base64.b64decode(bundle.payload, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("the bundle's payload is not base64", remedy="fetch it again") from None


def _check_threshold(root: Root, payload: bytes, signatures: Mapping[str, str], which: str) -> None:
    good = 0
    for key in root.keys:
        try:
            signature = bytes.fromhex(signatures.get(key, ""))
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, _LABEL + payload)
        except (InvalidSignature, ValueError):
            continue
        good += 1
    if good < root.threshold:
        raise _unverified(f"{good} of the {root.threshold} signatures needed by the {which} root hold")


def _unverified(why: str) -> Unverified:
    return Unverified(
        "the commons are refused", why=why, remedy="fetch the newest bundle; if it is, ask the secretariat"
    )

"""Signed notes and checkpoints, in the text formats of C2SP signed-note and tlog-checkpoint.

A checkpoint is three lines (origin, size, base64 of the root hash), an empty line, and one line a
signature: an em dash, the signer's name, and base64 of a 4-byte key id followed by an Ed25519 signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity.errors import BadInput, Unverified

MAX_NOTE = 64 * 1024
_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,128}")
_SIGNATURE = re.compile(r"— ([^\s+]{1,128}) ([A-Za-z0-9+/=]{8,200})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


def key_id(name: str, key: Ed25519PublicKey) -> bytes:
    """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || key)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """A signed note of ``text`` (which ends in a newline). Raises BadInput."""
    if not text.endswith("\n") or "\n\n" in text or not _NAME.fullmatch(name):
        raise BadInput(
            "not a text or name that a note can carry",
            why="the text ends in one newline and has no empty line; the name has no space and no plus",
            remedy="correct it",
        )
    signature = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def verify(note: str, name: str, key: Ed25519PublicKey) -> str:
    """The text of a note that ``name`` signed with ``key``. Raises Unverified.

    Signatures by others are allowed and ignored: that is how witnesses cosign.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or len(note) > MAX_NOTE or not signatures.endswith("\n"):
        raise _unverified(name, "it is not a signed note")
    expected = key_id(name, key)
    text += "\n"
    for line in signatures[:-1].split("\n"):
        found = _SIGNATURE.fullmatch(line)
        if not found:
            raise _unverified(name, "a signature line is malformed")
        try:
            signature = base64.b64decode(found[2], validate=True)
        except (binascii.Error, ValueError):
            raise _unverified(name, "a signature line is malformed") from None
        if found[1] != name or signature[:4] != expected:
            continue
        try:
            key.verify(signature[4:], text.encode())
        except InvalidSignature:
            raise _unverified(name, "the signature does not hold") from None
        return text
    raise _unverified(name, "it carries no signature by that key")


def _unverified(name: str, why: str) -> Unverified:
    return Unverified(
        f"the note is not signed by {name}", why=why, remedy="do not rely on it; fetch it again"
    )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its origin (name), its number of entries, and its root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: Ed25519PrivateKey) -> str:
        """The checkpoint as a note signed under the name of its origin."""
        return sign(self.text(), self.origin, key)

    @classmethod
    def verify(cls, note: str, origin: str, key: Ed25519PublicKey) -> Checkpoint:
        """Read a checkpoint of the log ``origin``. Raises Unverified."""
        lines = verify(note, origin, key).split("\n")
        if len(lines) < 4 or lines[0] != origin or not _SIZE.fullmatch(lines[1]):
            raise _unverified(origin, "its text is not a checkpoint of that log")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError):
            raise _unverified(origin, "its root hash is not base64") from None
        if len(root) != 32:
            raise _unverified(origin, "its root hash is not 32 bytes")
        return cls(origin, int(lines[1]), root)

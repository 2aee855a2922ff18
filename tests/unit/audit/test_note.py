from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comity.audit import note
from comity.audit.note import Checkpoint
from comity.errors import BadInput, Unverified

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
POINT = Checkpoint("fiu-de", 7, bytes(range(32)))

# The example of golang.org/x/mod/sumdb/note and of C2SP signed-note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_published_note_verifies() -> None:
    name, key_hash, key = PETER.split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
    assert note.key_id(name, public).hex() == key_hash
    assert note.verify(PETER_NOTE, name, public).startswith("If you think")
    with pytest.raises(Unverified):
        note.verify(PETER_NOTE.replace("answer", "Answer"), name, public)


def test_checkpoint_round_trip_with_a_witness() -> None:
    signed = POINT.sign(KEY)
    assert signed.split("\n")[:2] == ["fiu-de", "7"]
    witness = note.sign(POINT.text(), "witness", OTHER).rsplit("\n\n", 1)[1]
    assert Checkpoint.verify(signed + witness, "fiu-de", KEY.public_key()) == POINT
    assert Checkpoint.verify(signed + witness, "fiu-de", KEY.public_key()).text() == POINT.text()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n7\n", "\n8\n"),
        lambda text: text.replace("fiu-de", "fiu-fr"),
        lambda text: text[:-1],
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.replace("— ", "- "),
        lambda text: text[:-3] + "!=\n",
        lambda text: text[:-4] + "a=\n",
        lambda text: "",
        lambda text: text + "x" * note.MAX_NOTE,
    ],
)
def test_any_change_is_found(change) -> None:
    with pytest.raises(Unverified):
        Checkpoint.verify(change(POINT.sign(KEY)), "fiu-de", KEY.public_key())


def test_another_key_is_refused() -> None:
    with pytest.raises(Unverified, match="not signed by fiu-de"):
        Checkpoint.verify(POINT.sign(OTHER), "fiu-de", KEY.public_key())


@pytest.mark.parametrize(
    "text",
    ["fiu-de\n7\n", "fiu-fr\n7\nAAAA\n", "fiu-de\n07\nAAAA\n", "fiu-de\n7\nAAAA\n", "fiu-de\n7\n!\n"],
)
def test_signed_texts_that_are_no_checkpoint(text: str) -> None:
    with pytest.raises(Unverified):
        Checkpoint.verify(note.sign(text, "fiu-de", KEY), "fiu-de", KEY.public_key())


@pytest.mark.parametrize(
    ("text", "name"), [("no newline", "a"), ("a\n\nb\n", "a"), ("a\n", "a b"), ("a\n", "a+b")]
)
def test_what_a_note_cannot_carry(text: str, name: str) -> None:
    with pytest.raises(BadInput):
        note.sign(text, name, KEY)

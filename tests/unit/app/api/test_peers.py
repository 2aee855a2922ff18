from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from comity.audit.note import Checkpoint
from comity.errors import (
    BadInput,
    ComityError,
    NoGateway,
    NotFound,
    Refused,
    SettingsError,
    StoreError,
    TooLarge,
    Unverified,
)
from comity.exchange import bodies, envelope
from comity.exchange.receipts import verify
from comity.model import MessageKind
from comity.node.node import Node
from comity.node.relay import FINAL
from comity.node.sending import send

Peer = Callable[..., httpx.Response]


@pytest.fixture
def sealed(nodes: dict[str, Node]) -> bytes:
    """A disclosure on its way from ae-fiu to de-fiu."""
    node = nodes["ae-fiu"]
    body = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))
    with node.act() as conn:
        message = send(node, conn, MessageKind.SPONTANEOUS, "de-fiu", body, purpose="money_laundering")
        return node.mailbox.outgoing(conn, message.id).sealed


def test_a_message_is_taken_and_receipted(nodes: dict[str, Node], peer: Peer, sealed: bytes) -> None:
    answer = peer("de-fiu", "ae-fiu", "POST", "/v1/messages", sealed)
    assert answer.status_code == 200
    said = verify(answer.content, nodes["ae-fiu"].directory.member("de-fiu"))
    assert said.digest == envelope.digest(sealed)
    assert peer("de-fiu", "ae-fiu", "POST", "/v1/messages", sealed).content == answer.content


@pytest.mark.parametrize("sender", ["", "de-vasp-1", "de-fiu"])
def test_only_from_whom_it_says(nodes: dict[str, Node], peer: Peer, sealed: bytes, sender: str) -> None:
    answer = peer("de-fiu", sender, "POST", "/v1/messages", sealed)
    assert (answer.status_code, answer.json()) == (403, {"error": "Unverified"})


def test_too_much(peer: Peer) -> None:
    answer = peer("de-fiu", "ae-fiu", "POST", "/v1/messages", bytes(envelope.MAX_ENVELOPE + 1))
    assert (answer.status_code, answer.json()) == (413, {"error": "TooLarge"})


def test_the_checkpoint(nodes: dict[str, Node], peer: Peer) -> None:
    text = peer("de-fiu", "ae-fiu", "GET", "/v1/checkpoint").text
    node = nodes["de-fiu"]
    held = Checkpoint.verify(text, "de-fiu", node.keys.signing.public_key())
    with node.act() as conn:
        assert held.size == node.audit.size(conn)
    assert peer("de-fiu", "ae-fiu", "GET", "/v1/checkpoint").text == text


@pytest.mark.parametrize(
    ("error", "status", "final"),
    [
        (BadInput("secret"), 400, True),
        (TooLarge("secret"), 413, True),
        (Unverified("secret"), 403, True),
        (NoGateway("secret"), 422, True),
        (Refused("secret"), 422, True),
        (StoreError("secret"), 503, False),
        (SettingsError("secret"), 503, False),
        (NotFound("secret"), 503, False),
    ],
)
def test_a_fault_is_told_by_its_kind(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, error: ComityError, status: int, final: bool
) -> None:
    def fail(*_given: Any) -> bytes:
        raise error

    monkeypatch.setattr("comity.app.api.peers.receive", fail)
    answer = peer("de-fiu", "ae-fiu", "POST", "/v1/messages", b"x")
    assert (answer.status_code, answer.json()) == (status, {"error": type(error).__name__})
    assert (status in FINAL) is final, "and the sender tries again only where that can help"

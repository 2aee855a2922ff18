from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from comity.errors import BadInput, PeerError
from comity.exchange import bodies
from comity.exchange.mailbox import Outgoing, State
from comity.model import Message, MessageKind
from comity.node.node import Node
from comity.node.receiving import receive
from comity.node.relay import Relay
from comity.node.sending import send

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]
SPONTANEOUS = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))


class Wire:
    """In place of TLS: every node answers as its peer API would, or as the test says."""

    def __init__(self, nodes: dict[str, Node], sender: str) -> None:
        self.nodes, self.sender = nodes, sender
        self.says: Callable[[str, bytes], httpx.Response] = self.deliver
        self.calls: list[str] = []

    def deliver(self, recipient: str, sealed: bytes) -> httpx.Response:
        me = self.nodes[self.sender]
        certificate = me.directory.member(self.sender).tls_fingerprint
        return httpx.Response(200, content=receive(self.nodes[recipient], sealed, certificate))

    def client(self, member: Any) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            self.calls.append(member.id)
            said = self.says(member.id, request.content)
            return httpx.Response(said.status_code, headers=said.headers, stream=said.stream)

        return httpx.Client(base_url=member.url, transport=httpx.MockTransport(answer))


@pytest.fixture
def nodes(join: Join) -> dict[str, Node]:
    return join("de-fiu", "sg-fiu", "ae-fiu")


@pytest.fixture
def wire(nodes: dict[str, Node]) -> Wire:
    return Wire(nodes, "de-fiu")


@pytest.fixture
def relay(nodes: dict[str, Node], wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Relay:
    made = Relay(nodes["de-fiu"])
    monkeypatch.setattr(made, "_client", wire.client)
    return made


def once(relay: Relay) -> bool:
    with ThreadPoolExecutor(2) as pool:
        return relay.once(pool)


def tell(node: Node, recipient: str) -> Message:
    with node.act() as conn:
        return send(node, conn, MessageKind.SPONTANEOUS, recipient, SPONTANEOUS, purpose="money_laundering")


def held(node: Node, message: Message) -> Outgoing:
    with node.act() as conn:
        return node.mailbox.outgoing(conn, message.id)


def test_delivered_to_all(nodes: dict[str, Node], relay: Relay, wire: Wire, log: Log) -> None:
    sent = [tell(nodes["de-fiu"], name) for name in ("sg-fiu", "ae-fiu", "sg-fiu")]
    assert once(relay)
    for message in sent:
        done = held(nodes["de-fiu"], message)
        assert done.state is State.DELIVERED and done.receipt
    assert log(nodes["de-fiu"]).count("message.delivered") == 3
    assert not once(relay), "nothing more to do"
    assert len(wire.calls) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 404, 429, 302])
def test_trouble_at_the_peer_is_waited_out(
    nodes: dict[str, Node], relay: Relay, wire: Wire, clock: Any, log: Log, status: int
) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    wire.says = lambda _to, _sealed: httpx.Response(status)
    assert not once(relay)
    waiting = held(nodes["de-fiu"], message)
    assert (waiting.state, waiting.attempts, waiting.error) == (State.QUEUED, 1, f"status {status}")
    assert not once(relay), "not due yet"
    assert held(nodes["de-fiu"], message).attempts == 1
    clock.forward(seconds=6)
    wire.says = wire.deliver
    assert once(relay)
    assert held(nodes["de-fiu"], message).state is State.DELIVERED
    assert "message.refused" not in log(nodes["de-fiu"])


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_refusal_is_final_and_logged(
    nodes: dict[str, Node], relay: Relay, wire: Wire, log: Log, clock: Any, status: int
) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    wire.says = lambda _to, _sealed: httpx.Response(status)
    once(relay)
    assert held(nodes["de-fiu"], message).state is State.REFUSED
    assert log(nodes["de-fiu"])[-1] == "message.refused"
    clock.forward(hours=2)
    once(relay)
    assert len(wire.calls) == 1


def test_no_connection(nodes: dict[str, Node], relay: Relay, wire: Wire) -> None:
    def broken(_to: str, _sealed: bytes) -> httpx.Response:
        raise httpx.ConnectError("refused")

    first, second = tell(nodes["de-fiu"], "sg-fiu"), tell(nodes["de-fiu"], "sg-fiu")
    wire.says = broken
    once(relay)
    assert sorted(held(nodes["de-fiu"], m).attempts for m in (first, second)) == [0, 1]
    assert len(wire.calls) == 1, "what is behind the first is not tried in vain"


@pytest.mark.parametrize("body", [b"", b"thanks", b"{}", b"x" * 100_000])
def test_a_receipt_that_is_none(nodes: dict[str, Node], relay: Relay, wire: Wire, body: bytes) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    wire.says = lambda _to, _sealed: httpx.Response(200, content=body)
    once(relay)
    assert held(nodes["de-fiu"], message).state is State.QUEUED
    assert held(nodes["de-fiu"], message).error


def test_a_receipt_for_something_else(nodes: dict[str, Node], relay: Relay, wire: Wire) -> None:
    first = tell(nodes["de-fiu"], "sg-fiu")
    once(relay)
    other = held(nodes["de-fiu"], first).receipt
    second = tell(nodes["de-fiu"], "sg-fiu")
    wire.says = lambda _to, _sealed: httpx.Response(200, content=other)
    once(relay)
    waiting = held(nodes["de-fiu"], second)
    assert waiting.state is State.QUEUED and "not for message" in waiting.error


def test_what_is_too_old_is_set_aside(nodes: dict[str, Node], relay: Relay, clock: Any, log: Log) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    clock.forward(days=31)
    once(relay)
    assert held(nodes["de-fiu"], message).state is State.EXPIRED
    assert log(nodes["de-fiu"])[-1] == "message.expired"


def test_a_start_makes_what_waits_due(nodes: dict[str, Node], wire: Wire, relay: Relay, clock: Any) -> None:
    de = nodes["de-fiu"]
    message = tell(de, "sg-fiu")
    with de.act() as conn:
        de.mailbox.failed(conn, message.id, "ConnectError", clock())
    relay.start()
    try:
        for _ in range(200):
            if held(de, message).state is State.DELIVERED:
                break
            threading.Event().wait(0.05)
    finally:
        relay.stop()
    assert held(de, message).state is State.DELIVERED


def test_a_fault_does_not_end_it(
    nodes: dict[str, Node], relay: Relay, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    message, right = tell(nodes["de-fiu"], "sg-fiu"), relay.once
    faults: list[Exception] = [BadInput("odd"), ZeroDivisionError("ours")]

    def shaky(pool: ThreadPoolExecutor) -> bool:
        if faults:
            raise faults.pop(0)
        return right(pool)

    monkeypatch.setattr(relay, "once", shaky)
    relay.start()
    try:
        for _ in range(200):
            if held(nodes["de-fiu"], message).state is State.DELIVERED:
                break
            threading.Event().wait(0.05)
    finally:
        relay.stop()
    assert held(nodes["de-fiu"], message).state is State.DELIVERED
    assert "a fault in the node" in caplog.text


def test_a_client_for_each_member(nodes: dict[str, Node]) -> None:
    relay = Relay(nodes["de-fiu"])
    directory = nodes["de-fiu"].directory
    one = relay._client(directory.member("sg-fiu"))
    assert relay._client(directory.member("sg-fiu")) is one
    assert relay._client(directory.member("ae-fiu")) is not one
    nodes["de-fiu"].paths.tls_key.unlink()
    with pytest.raises(PeerError, match="no secure connection"):
        Relay(nodes["de-fiu"])._client(directory.member("ae-fiu"))
    relay.stop()
    assert one.is_closed


def test_an_endless_answer_is_not_read_to_its_end(nodes: dict[str, Node], relay: Relay, wire: Wire) -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(10_000):
            read.append(number)
            yield b"x" * 1024

    message = tell(nodes["de-fiu"], "sg-fiu")
    wire.says = lambda _to, _sealed: httpx.Response(200, content=endless())
    once(relay)
    assert len(read) < 10
    assert held(nodes["de-fiu"], message).state is State.QUEUED


def test_a_packed_answer_is_not_unpacked(nodes: dict[str, Node], relay: Relay, wire: Wire) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    bomb = gzip.compress(bytes(10**6))
    wire.says = lambda _to, _sealed: httpx.Response(
        200, content=iter([bomb]), headers={"content-encoding": "gzip"}
    )
    once(relay)
    waiting = held(nodes["de-fiu"], message)
    assert waiting.state is State.QUEUED and waiting.error


def test_an_answer_that_drips_is_given_up(
    nodes: dict[str, Node], relay: Relay, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.node.relay.LONGEST_ANSWER", -1.0)
    message = tell(nodes["de-fiu"], "sg-fiu")
    once(relay)
    assert held(nodes["de-fiu"], message).error == "an answer without a receipt"

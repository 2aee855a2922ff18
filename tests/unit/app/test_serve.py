"""A node served in this process: real sockets, real TLS. Whole processes are in tests/e2e."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from comity.app import serve
from comity.errors import SettingsError
from comity.exchange import bodies
from comity.exchange.mailbox import State
from comity.model import MessageKind
from comity.node.node import Node
from comity.node.sending import send


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def pair(net: ModuleType, tmp_path: Path) -> Iterator[dict[str, Node]]:
    """Two nodes with the real clock and ports of their own, joined."""
    made = [
        Node.create(net.settings(tmp_path, name, peer_port=free(), operator_port=free()))
        for name in ("de-fiu", "sg-fiu")
    ]
    root, bundle = net.found(made, made[0].clock())
    for node in made:
        node.join(root, bundle)
    yield {node.settings.id: node for node in made}
    for node in made:
        node.close()


@contextmanager
def served(home: Path) -> Iterator[Node]:
    """The node in ``home``, served by a thread until the block ends."""
    ready, stop = threading.Event(), threading.Event()
    found: list[Node] = []
    failed: list[BaseException] = []

    async def go() -> None:
        node = Node.open(home)
        found.append(node)
        task = asyncio.create_task(serve._serve(node, ready.set))
        while not stop.is_set() and not task.done():
            await asyncio.sleep(0.02)
        for server in servers:
            server.should_exit = True
        await task
        node.close()

    servers: list[Any] = []
    made = serve.servers

    def remember(node: Node, tls: ssl.SSLContext) -> Any:
        pair = made(node, tls)
        servers.extend(pair)
        return pair

    def run() -> None:
        try:
            asyncio.run(go())
        except BaseException as error:
            failed.append(error)
            ready.set()
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve, "servers", remember)
        thread = threading.Thread(target=run)
        thread.start()
        assert ready.wait(60) and not failed, failed
        try:
            yield found[0]
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()


def until(true: Callable[[], object], what: str) -> None:
    for _ in range(400):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError(what)


def test_a_message_crosses_the_wire(pair: dict[str, Node]) -> None:
    homes = {name: node.settings.home for name, node in pair.items()}
    body = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))
    with served(homes["de-fiu"]) as de, served(homes["sg-fiu"]) as sg:
        with de.act() as conn:
            message = send(de, conn, MessageKind.SPONTANEOUS, "sg-fiu", body, purpose="money_laundering")

        def arrived() -> bool:
            with de.act() as conn:
                return de.mailbox.outgoing(conn, message.id).state is State.DELIVERED

        until(arrived, "it is delivered")
        with sg.act() as conn:
            assert sg.mailbox.get(conn, "de-fiu", message.id).message == message
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_verify_locations(sg.paths.tls_certificate)
        stranger = httpx.Client(verify=tls, base_url=sg.settings.peer_url, trust_env=False)
        with stranger, pytest.raises(httpx.TransportError):
            stranger.get("/v1/checkpoint")
        token = {"Authorization": f"Bearer {sg.operator_token()}"}
        with httpx.Client(base_url=sg.settings.operator_url, trust_env=False) as operator:
            assert operator.get("/api/status", headers=token).json()["received"] == 1


def test_a_taken_port_is_said(pair: dict[str, Node]) -> None:
    node = pair["de-fiu"]
    taken = socket.create_server(("127.0.0.1", node.settings.operator_port))
    with taken, pytest.raises(SettingsError, match="cannot listen") as failed:
        serve.serve(node.settings.home, lambda _node: None)
    assert str(node.settings.operator_port) in failed.value.what


def test_a_new_members_certificate_is_trusted(pair: dict[str, Node], net: ModuleType, tmp_path: Path) -> None:
    """Without a restart, within a second or so of the commons that name it."""
    office = net.Office()
    old = Node.create(net.settings(tmp_path / "more", "ae-fiu", peer_port=free(), operator_port=free()))
    new = Node.create(net.settings(tmp_path / "more", "us-fiu", peer_port=free(), operator_port=free()))
    old.join(office.root, office.bundle([old], old.clock()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(old.paths.tls_certificate)
    tls.load_cert_chain(new.paths.tls_certificate, new.paths.tls_key)
    with served(old.settings.home):

        def answer() -> int:
            try:
                with httpx.Client(verify=tls, base_url=old.settings.peer_url, trust_env=False) as client:
                    return client.get("/v1/checkpoint").status_code
            except httpx.TransportError:
                return 0

        assert answer() == 0
        old.join(office.root, office.bundle([old, new], old.clock(), 2))
        until(lambda: answer() == 200, "the new member is let in")
    for node in (old, new):
        node.close()


def test_before_joining_nothing_is_served(net: ModuleType, tmp_path: Path) -> None:
    node = Node.create(net.settings(tmp_path, "de-fiu", peer_port=free(), operator_port=free()))
    node.close()
    with pytest.raises(SettingsError, match="has not joined"):
        serve.serve(node.settings.home, lambda _node: None)

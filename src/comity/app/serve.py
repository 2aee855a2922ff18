"""One process, two servers: peers over mutual TLS, operators (web pages and API) with a token.

A third part, the relay, moves what is in the outbox and acts on what is in the inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from comity.app.api.operator import operator_app
from comity.app.api.peers import PEER_CERTIFICATE, peer_app
from comity.errors import ComityError, SettingsError
from comity.node.hops import account_for_ledger
from comity.node.node import Node
from comity.node.relay import Relay


class PeerProtocol(H11Protocol):
    """Puts the SHA-256 of the client's certificate into the ASGI scope, where the peer API reads it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls else None
        fingerprint = sha256(certificate).hexdigest() if certificate else ""
        inner = self.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, PEER_CERTIFICATE: fingerprint}, receive, send)

        self.app = with_peer


def peer_tls(node: Node) -> ssl.SSLContext:
    """TLS 1.3 that takes only the members' own certificates from the directory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(node.paths.tls_certificate, node.paths.tls_key)
    context.load_verify_locations(cadata=node.member_certificates())
    return context


async def _admit(node: Node, tls: ssl.SSLContext) -> None:
    """Let members connect who join while the node runs. One who has left may still connect, to no effect:
    its messages are refused."""
    seen = node.commons.version
    while True:
        await asyncio.sleep(1)
        with contextlib.suppress(ComityError):
            if node.commons.version != seen:
                tls.load_verify_locations(cadata=node.member_certificates())
                seen = node.commons.version


def servers(node: Node, tls: ssl.SSLContext) -> tuple[uvicorn.Server, uvicorn.Server]:
    """The two servers of a node, not yet running."""
    common: dict[str, Any] = {
        "host": node.settings.host,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 5,
        "lifespan": "off",
        "ws": "none",
    }
    peers = uvicorn.Config(
        peer_app(node),
        port=node.settings.peer_port,
        http=PeerProtocol,
        ssl_context_factory=lambda _config, _default: tls,
        **common,
    )
    operators = uvicorn.Config(operator_app(node), port=node.settings.operator_port, http="h11", **common)
    return uvicorn.Server(peers), uvicorn.Server(operators)


async def _serve(node: Node, ready: Callable[[], None]) -> None:
    tls = peer_tls(node)
    peers, operators = servers(node, tls)
    admission = asyncio.create_task(_admit(node, tls))
    relay = Relay(node)
    relay.start()
    tasks = [asyncio.create_task(_listen(server, node)) for server in (peers, operators)]
    while not (peers.started and operators.started) and not any(task.done() for task in tasks):
        await asyncio.sleep(0.02)
    if peers.started and operators.started:
        ready()
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    peers.should_exit = operators.should_exit = True
    try:
        await asyncio.gather(*tasks)
    finally:
        admission.cancel()
        relay.stop()


async def _listen(server: uvicorn.Server, node: Node) -> None:
    """Serve until told to stop. Raises SettingsError when the server cannot listen."""
    try:
        await server.serve()
    except SystemExit:  # uvicorn has logged why
        raise SettingsError(
            f"{node.settings.id} cannot listen at {node.settings.host}, port {server.config.port}",
            why="another program listens there, or this user may not",
            remedy="end that program, or set another port in node.toml",
        ) from None


def serve(home: Path, ready: Callable[[Node], None]) -> None:
    """Run the node in ``home`` until it is told to stop; ``ready`` is called once it answers."""
    node = Node.open(home)
    account_for_ledger(node)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(node, lambda: ready(node)))
    finally:
        node.close()

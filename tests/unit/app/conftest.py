"""The two HTTP faces of real nodes, called in process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import httpx
import pytest

from comity.app.api.operator import operator_app
from comity.app.api.peers import PEER_CERTIFICATE, peer_app
from comity.node.node import Node


def _support(name: str) -> ModuleType:
    known = f"comity_support_{name}"
    if known not in sys.modules:
        path = Path(__file__).parents[2] / "support" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(known, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


@pytest.fixture
def net() -> ModuleType:
    return _support("network")


@pytest.fixture
def small() -> ModuleType:
    return _support("small")


@pytest.fixture
def nodes(net: ModuleType, tmp_path: Path, now: Any) -> Iterator[dict[str, Node]]:
    names = ("de-fiu", "ae-fiu", "de-vasp-1")
    made: dict[str, Node] = net.network(tmp_path / "nodes", names, lambda: now)
    yield made
    for node in made.values():
        node.close()


class Api:
    """A node's operator API."""

    def __init__(self, node: Node) -> None:
        self.token = node.operator_token()
        self._app = operator_app(node)

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://node.test/api") as client:
                headers = {"Authorization": f"Bearer {self.token}"}
                return await client.request(method, path, **{"headers": headers, **more})

        return anyio.run(call)

    def get(self, path: str, /, **query: Any) -> Any:
        return self._answer(self("GET", path, params=query))

    def post(self, path: str, /, **body: Any) -> Any:
        return self._answer(self("POST", path, json=body))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        assert response.status_code < 300, response.text
        return response.json()


@pytest.fixture
def api(nodes: dict[str, Node]) -> Callable[[str], Api]:
    return lambda name: Api(nodes[name])


@pytest.fixture
def peer(nodes: dict[str, Node]) -> Callable[..., httpx.Response]:
    """Call ``to``'s peer API over the connection of ``sender`` ('' for one without a certificate)."""

    def call(to: str, sender: str, method: str, path: str, content: bytes = b"") -> httpx.Response:
        inner = peer_app(nodes[to])
        directory = nodes[to].directory
        certificate = directory.member(sender).tls_fingerprint if sender else ""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await inner({**scope, PEER_CERTIFICATE: certificate}, receive, send)

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://node.test") as client:
                return await client.request(method, path, content=content)

        return anyio.run(go)

    return call

"""A browser without a browser: the pages called in process, as ASGI."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import httpx
import pytest
from starlette.types import ASGIApp


def _load() -> ModuleType:
    name = "comity_fake_view"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "fake.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **gap: float) -> None:
        self.now += timedelta(**gap)


class Client:
    """Keeps cookies, follows no redirect, and knows the form token of the page it saw last."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://node.test") as client:
                return await client.request(method, self._prefix + path, cookies=self.cookies, **more)

        response = anyio.run(send)
        self.cookies.update(response.cookies)
        if found := re.search(r'name="csrf" value="([0-9a-f]+)"', response.text):
            self.csrf = found[1]
        return response

    def get(self, path: str) -> httpx.Response:
        return self.call("GET", path)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        return self.call("POST", path, data={"csrf": self.csrf, **fields})

    def sign_in(self, token: str, goto: str = "/") -> httpx.Response:
        self.get("/login")
        return self.post("/login", token=token, goto=goto)


@pytest.fixture
def fake() -> ModuleType:
    return _load()


@pytest.fixture
def view(fake: ModuleType) -> Any:
    return fake.FakeView()


@pytest.fixture
def clock(fake: ModuleType) -> Clock:
    return Clock(fake.NOW)


@pytest.fixture
def app(view: Any, fake: ModuleType, clock: Clock) -> ASGIApp:
    from comity.app.web.router import build

    serial = iter(range(10**6))
    return build(
        view,
        token=fake.TOKEN,
        clock=clock,
        random=lambda n: next(serial).to_bytes(n, "big"),
        secure=False,
    )


@pytest.fixture
def visitor(app: ASGIApp) -> Client:
    """Someone who has not signed in."""
    return Client(app)


@pytest.fixture
def operator(visitor: Client, fake: ModuleType) -> Client:
    """Someone who has, and has a form of theirs at hand."""
    assert visitor.sign_in(fake.TOKEN).status_code == 303
    assert visitor.get("/").status_code == 200
    return visitor

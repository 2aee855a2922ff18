"""The nodes as real processes on loopback, and their operator APIs as a client uses them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from comity.errors import PeerError
from comity.node import settings as node_settings
from comity.node.paths import Paths

T = TypeVar("T")

START_SECONDS = 240.0
STOP_SECONDS = 15.0
QUIET_SECONDS = 60.0
WORKERS = 4
PAGE = 1_000
_TIMEOUT = httpx.Timeout(180.0, connect=5.0)


class Fleet:
    """All node processes. Leaving the context ends them, and only them."""

    def __init__(self, homes: Mapping[str, Path], logs: Path) -> None:
        self.homes = dict(homes)
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._clients: dict[str, httpx.Client] = {}
        self.urls: dict[str, str] = {}
        for name, home in self.homes.items():
            self.urls[name] = node_settings.read(home).operator_url
            token = Paths(home).token.read_text("ascii").strip()
            self._clients[name] = httpx.Client(
                base_url=f"{self.urls[name]}/api",
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT,
                trust_env=False,
            )
        self._pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="demo")

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def start(self) -> None:
        """Start one process a node; `wait` tells when they answer."""
        for name, home in self.homes.items():
            with (self._logs / f"{name}.log").open("wb") as log:
                self._running[name] = subprocess.Popen(
                    [sys.executable, "-m", "comity", "node", "serve", "--home", str(home)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    def wait(self) -> None:
        """Wait until every node answers. Raises PeerError with the end of its log when one does not."""
        deadline = time.monotonic() + START_SECONDS
        for name in self.homes:
            while not self._answers(name):
                self.check()
                if time.monotonic() > deadline:
                    raise self._failed(name, f"it did not answer within {START_SECONDS:.0f} seconds")
                time.sleep(0.1)

    def check(self) -> None:
        """Raises PeerError when a node's process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise self._failed(name, f"its process ended with status {process.returncode}")

    def stop(self) -> None:
        """End the processes that this fleet started, and wait for them."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def get(self, name: str, path: str, **params: str | int) -> Any:
        """Ask a node's operator API. Raises PeerError with what the node answered."""
        return self._ask(name, "GET", path, params=params)

    def post(self, name: str, path: str, given: Mapping[str, object] | None = None) -> Any:
        """Have a node do something. Raises PeerError with what the node answered."""
        return self._ask(name, "POST", path, json=given)

    def pages(self, name: str, path: str, part: str = "", **params: str | int) -> Iterator[Any]:
        """Everything a node lists, page by page; ``part`` is the list's name where there are several."""
        for offset in count(0, PAGE):
            found = self.get(name, path, **params, limit=PAGE, offset=offset)
            page = found[part] if part else found
            yield from page
            if len(page) < PAGE:
                return

    def each(self, names: Sequence[str], act: Callable[[str], T]) -> dict[str, T]:
        """``act`` on several nodes at once; its answers by node, in the order of ``names``."""
        return dict(zip(names, self._pool.map(act, names), strict=True))

    def settle(self) -> None:
        """Wait until nothing is queued or waits to take effect at any node, twice in a row."""
        deadline = time.monotonic() + QUIET_SECONDS
        names = list(self.homes)
        quiet, before = 0, -1
        while quiet < 2:
            found = self.each(names, lambda name: self.get(name, "/status")).values()
            busy = sum(int(one["queued"]) + int(one["unprocessed"]) for one in found)
            events = sum(int(one["audit_size"]) for one in found)
            quiet = quiet + 1 if not busy and events == before else 0
            before = events
            if time.monotonic() > deadline:
                raise PeerError(
                    f"{busy} messages are still on their way after {QUIET_SECONDS:.0f} seconds",
                    remedy=f"read the nodes' logs in {self._logs}",
                )
            self.check()
            time.sleep(0.05)

    def _ask(self, name: str, method: str, path: str, **given: Any) -> Any:
        return self._send(name, method, path, **given).json()

    def _send(self, name: str, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            answer = self._clients[name].request(method, path, **given)
        except httpx.HTTPError as error:
            self.check()
            raise self._failed(name, f"{method} {path}: {type(error).__name__}") from None
        if answer.is_success:
            return answer
        try:
            told = answer.json()
        except ValueError:
            raise self._failed(name, f"{method} {path}: status {answer.status_code}") from None
        why = told.get("what") or str(told.get("detail", ""))
        raise PeerError(
            f"{name} refused {method} {path}: {why}",
            why=str(told.get("why", "")),
            remedy=str(told.get("remedy", "")),
        )

    def _answers(self, name: str) -> bool:
        try:
            return self._clients[name].get("/status", timeout=5.0).is_success
        except httpx.TransportError:
            return False

    def _failed(self, name: str, why: str) -> PeerError:
        log = self._logs / f"{name}.log"
        tail = log.read_text("utf-8", "replace").strip().splitlines()[-40:] if log.exists() else []
        return PeerError(
            f"the node {name} failed", why="\n".join([why, *tail]), remedy=f"its whole log is {log}"
        )

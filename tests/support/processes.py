"""Real nodes: one process each, mutual TLS between them, their operators' APIs over loopback."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from comity.node.node import Node

START_SECONDS = 60.0


def support(name: str) -> ModuleType:
    """Another module of this directory."""
    known = f"comity_support_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


@contextmanager
def ports(count: int) -> Iterator[list[int]]:
    """Free ports of loopback, kept from others while the block runs."""
    held = []
    for _ in range(count):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        held.append(one)
    try:
        yield [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


class Served:
    """A node's process: start, kill, stop; and its operator's API."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with_files = Node.open(home)
        self.id, self.settings, self.paths = with_files.settings.id, with_files.settings, with_files.paths
        self.token = with_files.operator_token()
        with_files.close()
        self.process: subprocess.Popen[bytes] | None = None
        self.api = httpx.Client(
            base_url=f"{self.settings.operator_url}/api",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            trust_env=False,
        )

    def node(self) -> Node:
        """The node opened from this process, beside its server."""
        return Node.open(self.home)

    def start(self, *, wait: bool = True) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "comity", "node", "serve", "--home", self.home],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it answers."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            try:
                if self.api.get("/status").status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
        raise AssertionError(f"{self.id} did not start:\n{self.log()}")

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, as an operator would; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.api.close()

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")[-4000:]

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.api.get(path, params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._answer(self.api.post(path, json=body))

    def _answer(self, response: httpx.Response) -> Any:
        assert response.status_code < 300, (response.status_code, response.text, self.log())
        return response.json()


def create(folder: Path, names: Sequence[str], **given: Any) -> dict[str, Served]:
    """Nodes of these names that have joined one network; none is started."""
    network = support("network")
    with ports(2 * len(names)) as free:
        pairs = zip(free[::2], free[1::2], strict=True)
        nodes = [
            Node.create(network.settings(folder, name, peer_port=peer, operator_port=operator, **given))
            for name, (peer, operator) in zip(names, pairs, strict=True)
        ]
    root, bundle = network.found(nodes, datetime.now(UTC))
    for node in nodes:
        node.join(root, bundle)
        node.close()
    return {name: Served(folder / name) for name in names}


@contextmanager
def running(folder: Path, names: Sequence[str], **given: Any) -> Iterator[Mapping[str, Served]]:
    """The same, started; all are ended with the block."""
    made = create(folder, names, **given)
    try:
        for one in made.values():
            one.start(wait=False)
        for one in made.values():
            one.wait()
        yield made
    finally:
        for one in made.values():
            one.close()


def until(what: str, true: Any, seconds: float = 30.0) -> None:
    """Wait until ``true()``; an AssertionError names ``what`` did not come about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)

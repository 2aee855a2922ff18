"""Networks of nodes in one process, under a clock that the test moves."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.model import Level
from comity.node import hops
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


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **gap: float) -> None:
        self.now += timedelta(**gap)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def net() -> ModuleType:
    return _support("network")


@pytest.fixture
def small() -> ModuleType:
    return _support("small")


@pytest.fixture
def join(net: ModuleType, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., dict[str, Node]]]:
    """Nodes of these names in one network; closed in the end."""
    made: list[Node] = []

    def build(*names: str) -> dict[str, Node]:
        nodes: dict[str, Node] = net.network(tmp_path / "nodes", names, clock)
        made.extend(nodes.values())
        return nodes

    yield build
    for node in made:
        node.close()


@pytest.fixture
def stocked(small: ModuleType, tmp_path: Path) -> Callable[..., str]:
    """Give an institution a ledger in which one account of its customer Mustermann collects, and detect.

    Answers the finding's id.
    """

    def stock(node: Node, senders: int = 12, *, account: str = "77", party: Any = None) -> str:
        name = node.settings.id
        folder = tmp_path / f"{name}-{account}"
        folder.mkdir()
        hops.ingest(node, small.fan_in(folder / "in.csv", name, account, senders, tag=f"{name[:2]}{account}"))
        full = f"acct:{name}:{account}"
        hops.load_customers(node, small.customers(folder / "who.jsonl", {full: party or small.MULE}))
        found = [f for f in hops.detect(node, only=["fan_in"]).findings if f.subject == full]
        (finding,) = found
        assert finding.level is (Level.ALERT if senders >= 10 else Level.WATCH)
        return finding.id

    return stock


def kinds(node: Node) -> list[str]:
    """What the node's log holds, in order."""
    with node.act() as conn:
        return [entry.kind for entry in node.audit.entries(conn, 0, 10_000)]


@pytest.fixture
def log() -> Callable[[Node], list[str]]:
    return kinds

"""What the page of a trace reads of a node: its ledger, what lists say, what its customers are called."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from comity.app.view import Desk
from comity.errors import NotFound
from comity.lists import actorpack, tagpack
from comity.node import hops
from comity.node.node import Node

WALLET = "eip155:1:0x00000000000000000000000000000000c0ffee02"


@pytest.fixture
def node(nodes: dict[str, Node], small: ModuleType, tmp_path: Path) -> Node:
    node = nodes["de-vasp-1"]
    hops.ingest(node, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    return node


def test_the_ledger_is_there_to_trace_through(node: Node, nodes: dict[str, Node]) -> None:
    assert len(Desk(node).columns()) == 12
    with pytest.raises(NotFound, match="no ledger"):
        Desk(nodes["de-fiu"]).columns()


def test_attributions_are_those_of_the_lists_in_force(node: Node, tmp_path: Path) -> None:
    desk = Desk(node)
    assert desk.attributions() == {}
    for name, data in (("tags", tagpack.SAMPLE), ("actors", actorpack.SAMPLE)):
        (tmp_path / name).write_bytes(data)
    node.lists.load(tmp_path / "tags", now=node.clock())
    first = desk.attributions()
    assert (first[WALLET].called, first[WALLET].country) == ("Sample Exchange", "")
    assert desk.attributions() is first, "read once while the lists stay as they are"
    node.lists.load(tmp_path / "actors", now=node.clock())
    assert desk.attributions()[WALLET].country == "SG"


def test_customers_of_one_name_stay_two(node: Node) -> None:
    held = {"77": "Ada Ada", "78": "Ada Ada", "79": "Bo Bo", "80": ""}
    lines = [
        json.dumps({"account": f"acct:de-vasp-1:{n}", "party": {"name": name}}) for n, name in held.items()
    ]
    node.paths.customers.write_text("\n".join(lines) + "\n")
    assert Desk(node).names() == {
        "acct:de-vasp-1:77": "Ada Ada (77)",
        "acct:de-vasp-1:78": "Ada Ada (78)",
        "acct:de-vasp-1:79": "Bo Bo",
    }

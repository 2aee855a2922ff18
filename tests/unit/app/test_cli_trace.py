"""``comity trace``: methods, bounds, and files written whole or not at all."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

from comity.app.cli.trace import How
from comity.lists import actorpack
from comity.tracing.trace import Method

Comity = Callable[..., Any]
SERVICE = "eip155:1:0x00000000000000000000000000000000c0ffee02"
ROWS = [
    ("2026-03-01T09:00:00Z", "acct:x:a", "acct:x:b", 100),
    ("2026-03-02T09:00:00Z", "acct:x:z", "acct:x:b", 300),
    ("2026-03-03T09:00:00Z", "acct:x:b", SERVICE, 200),
    ("2026-03-04T09:00:00Z", "acct:x:b", "acct:x:c", 200),
    ("2026-03-05T09:00:00Z", "acct:x:c", "acct:x:d", 200),
]
TAGS = b"""title: tags
creator: Comity
lastmod: 2026-02-03
currency: ETH
tags:
- address: '0x00000000000000000000000000000000c0ffee02'
  label: hot wallet
  actor: sampleexchange
  confidence: service_data
"""


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
def comity() -> Comity:
    run: Comity = _support("cli").run
    return run


@pytest.fixture
def ledger(tmp_path: Path, comity: Comity) -> Path:
    lines = ["id,time,originator,beneficiary,amount,asset"]
    lines += [f"t{n},{time},{a},{b},{value},EUR" for n, (time, a, b, value) in enumerate(ROWS)]
    file = tmp_path / "in.csv"
    file.write_text("\n".join(lines) + "\n")
    into = tmp_path / "ledger"
    assert comity("ledger", "ingest", file, "--into", into, "--reference", "iso4217:EUR").code == 0
    return into


def ends(found: Any) -> dict[str, Decimal]:
    return {leaf["account"]: Decimal(leaf["value"]) for leaf in found["leaves"]}


def test_the_methods_of_the_command_are_those_of_tracing() -> None:
    assert [how.value for how in How] == [method.value for method in Method]


def test_methods_differ_and_are_compared(ledger: Path, comity: Comity) -> None:
    haircut = ends(comity("trace", ledger, "acct:x:a", "--json").json)
    assert haircut == {SERVICE: Decimal(50), "acct:x:d": Decimal(50)}
    assert ends(comity("trace", ledger, "acct:x:a", "--method", "fifo", "--json").json) == {
        SERVICE: Decimal(100)
    }
    lifo = comity("trace", ledger, "acct:x:a", "--method", "lifo", "--json").json
    assert ends(lifo) == {"acct:x:d": Decimal(100)} and lifo["method"] == "lifo"
    every = comity("trace", ledger, "acct:x:a", "--compare", "--json").json
    assert set(every) == {"haircut", "poison", "fifo", "lifo"}
    assert ends(every["haircut"]) == haircut
    shown = comity("trace", ledger, "acct:x:a", "--compare").out
    assert "by method" in shown and "at most" in shown and "acct:x:d" in shown


def test_bounds_and_what_is_traced(ledger: Path, comity: Comity) -> None:
    found = comity(
        "trace", ledger, "acct:x:b", "--amount", "40", "--time", "2026-03-03T12:00:00Z", "--json"
    ).json
    assert found["value"] == "40.0000"
    assert {step["transfer"] for step in found["steps"]} == {"t3", "t4"}
    cut = comity("trace", ledger, "acct:x:a", "--until", "2026-03-03T12:00:00Z", "--json").json
    assert {leaf["reason"] for leaf in cut["leaves"]} == {"no further movement", "time limit"}
    back = comity("trace", ledger, "acct:x:d", "--direction", "backward", "--hops", "1", "--json").json
    assert back["leaves"][0]["reason"] == "hop limit"
    further = comity(
        "trace",
        ledger,
        "acct:x:d",
        "--direction",
        "backward",
        "--hops",
        "1",
        "--expand",
        "acct:x:c",
        "--json",
    ).json
    assert [step["source"] for step in further["steps"]] == ["acct:x:b", "acct:x:c"]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--amount", "-1"), "not an amount"),
        (("--until", "soon"), "not a time"),
        (("--time", "2026-03-01"), "without its offset"),
        (("--expand", "nonsense"), "not a wallet address"),
        (("--hops", "51"), "bounds"),
    ],
)
def test_what_makes_no_sense(ledger: Path, comity: Comity, more: tuple[str, ...], what: str) -> None:
    done = comity("trace", ledger, "acct:x:a", *more)
    assert done.code == 2 and what in done.err


def test_lists_name_accounts_and_end_the_trace(ledger: Path, comity: Comity, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name, data in (("tags.yaml", TAGS), ("actors.yaml", actorpack.SAMPLE)):
        (tmp_path / name).write_bytes(data)
        assert comity("lists", "load", tmp_path / name, "--home", home).code == 0
    svg = tmp_path / "flow.svg"
    found = comity("trace", ledger, "acct:x:a", "--lists", home / "lists", "--svg", svg, "--json").json
    assert {leaf["account"]: leaf["reason"] for leaf in found["leaves"]}[SERVICE] == "service", (
        "what the tag itself does not say the ActorPack does: the actor is an exchange"
    )
    assert "Sample Exchange" in svg.read_text("utf-8")
    pasted = comity(
        "trace", ledger, SERVICE.rpartition(":")[2].upper().replace("X", "x"), "--direction", "backward"
    )
    assert pasted.code == 0 and "3 steps" in pasted.out, "an address as it is pasted"


def test_files_are_whole(ledger: Path, comity: Comity, tmp_path: Path) -> None:
    paths = {name: tmp_path / f"out.{name}" for name in ("svg", "graphml", "csv")}
    options = [item for name, path in paths.items() for item in (f"--{name}", path)]
    done = comity("trace", ledger, "acct:x:a", *options)
    assert done.code == 0 and all(name in done.out for name in ("Flow diagram:", "Graph:", "Steps:"))
    drawing = etree.fromstring(paths["svg"].read_bytes())
    assert "haircut, up to 6 hops, parts from 0.1 %" in "".join(drawing.itertext())
    assert etree.fromstring(paths["graphml"].read_bytes()).tag.endswith("graphml")
    with paths["csv"].open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    assert not list(tmp_path.glob(".*.part"))


def test_what_was_there_stays_when_a_file_cannot_be_written(
    ledger: Path, comity: Comity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "out.csv"
    kept.write_text("kept")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:5])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    done = comity("trace", ledger, "acct:x:a", "--csv", kept, "--json")
    assert done.code == 8 and json.loads(done.err)["why"] == "No space left on device"
    assert kept.read_text() == "kept" and not list(tmp_path.glob(".*.part"))

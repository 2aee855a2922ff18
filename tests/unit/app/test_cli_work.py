"""A day's work from the command line: an exchange, its FIU and a partner abroad."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.node.node import Node

Comity = Callable[..., Any]
GROUNDS = "Twelve payers, one account, no business reason."


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


net, small = _support("network"), _support("small")


class World:
    """Three homes made and joined by the command line."""

    NAMES = ("de-vasp-1", "de-fiu", "ae-fiu")

    def __init__(self, comity: Comity, folder: Path) -> None:
        self.run, self.folder = comity, folder
        for name in self.NAMES:
            country, role, *_ = name.split("-")
            words = {
                "--id": name,
                "--name": f"The {name}",
                "--role": role,
                "--country": country,
                "--officer": "Ada Officer",
                "--phone": "+15550100",
                "--email": "ada@example.org",
                "--currency": "EUR",
                "--rate": "EUR=1.08",
            }
            made = self(name, "node", "init", *(word for pair in words.items() for word in pair))
            assert made["id"] == name
        nodes = [Node.open(folder / name) for name in self.NAMES]
        for node in nodes:
            said = comity("node", "member", "--home", node.settings.home)
            assert json.loads(said.out)["institution"]["id"] == node.settings.id
        office = net.Office()
        (folder / "root.json").write_bytes(office.root)
        (folder / "commons.json").write_bytes(office.bundle(nodes, nodes[0].clock()))
        for node in nodes:
            node.close()
        for name in self.NAMES:
            joined = self(
                name, "node", "join", "--root", folder / "root.json", "--commons", folder / "commons.json"
            )
            assert joined == {"version": 1, "members": 3}

    def __call__(self, name: str, *words: str | Path) -> Any:
        """The JSON answer of a command at that node; the words for people are asked for, too."""
        return self.run(*words, "--home", self.folder / name, "--json").json

    def people(self, name: str, *words: str | Path) -> str:
        done = self.run(*words, "--home", self.folder / name)
        assert done.code == 0, done.err
        return str(done.out)

    def post(self) -> None:
        """Deliver and process everything."""
        nodes = {name: Node.open(self.folder / name) for name in self.NAMES}
        net.settle(nodes)
        for node in nodes.values():
            node.close()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal so wide that nothing is broken over lines."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def world(comity: Comity, tmp_path: Path) -> World:
    made = World(comity, tmp_path)
    made("de-vasp-1", "node", "ingest", small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    who = small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:77": small.MULE})
    assert made("de-vasp-1", "node", "customers", who) == {"accounts": 1}
    assert made("de-vasp-1", "node", "detect")["alerts"] == 1
    return made


def test_from_finding_to_report(world: World, tmp_path: Path, comity: Comity) -> None:
    vasp = "de-vasp-1"
    (found,) = world(vasp, "case", "findings", "--level", "alert")
    assert "acct:de-vasp-1:77" in world.people(vasp, "case", "findings")
    case = world(vasp, "case", "open", found["id"], "--title", "Collecting account")
    assert comity("case", "open", found["id"], "--home", tmp_path / vasp).code == 4
    decided = world(vasp, "case", "decide", case["id"], "report", "--by", "Ada Officer", "--grounds", GROUNDS)
    assert decided["state"] == "decided"
    text = world.people(vasp, "case", "show", case["id"])
    assert GROUNDS in text
    assert world(vasp, "case", "show", case["id"]) == decided
    assert [one["id"] for one in world(vasp, "case", "list", "--state", "decided")] == [case["id"]]
    assert "Collecting account" in world.people(vasp, "case", "list")
    drafted = world(vasp, "report", "draft", case["id"], "--format", "goaml", "--to", tmp_path / "str.xml")
    assert drafted["problems"] == [] and (tmp_path / "str.xml").stat().st_size == drafted["bytes"]
    assert comity("report", "check", tmp_path / "str.xml", "--json").json["valid"] is True
    assert comity("report", "check", tmp_path / "in.csv").code == 2
    filed = world(vasp, "report", "file", drafted["id"])
    assert filed["to"] == "de-fiu"
    world.post()
    (sent,) = world(vasp, "exchange", "outbox")
    assert (sent["message"]["id"], sent["state"]) == (filed["message"], "delivered")
    assert "delivered" in world.people(vasp, "exchange", "outbox")
    (came,) = world("de-fiu", "exchange", "inbox")
    assert came["id"] == filed["message"]
    assert "de-vasp-1" in world.people("de-fiu", "exchange", "inbox")
    read = world.people("de-fiu", "exchange", "read", came["id"])
    assert "Do not tell the customer" in read and "onward use" in read
    assert world("de-fiu", "exchange", "read", came["id"])["kind"] == "report"
    status = world(vasp, "node", "status")
    assert (status["cases"], status["sent"], status["queued"]) == (1, 1, 0)
    assert "audit_size" in world.people(vasp, "node", "status")


def test_the_log(world: World, tmp_path: Path, comity: Comity) -> None:
    vasp = "de-vasp-1"
    entries = world(vasp, "audit", "show", "--start", "1", "--limit", "2")
    assert [entry["index"] for entry in entries] == [1, 2]
    assert "node.created" in world.people(vasp, "audit", "show")
    proof = world(vasp, "audit", "receipt", "1")
    assert proof["leaf_hash"] == entries[0]["leaf_hash"]
    assert proof["root_hash"] in world.people(vasp, "audit", "receipt", "1").replace("\n", "")
    assert world(vasp, "audit", "verify")["verified"] is True
    node = Node.open(tmp_path / vasp)
    with node.act() as conn:
        note = node.audit.checkpoint(conn, node.keys.signing)
    node.close()
    (tmp_path / "kept.txt").write_text(note)
    assert "The log holds" in world.people(vasp, "audit", "verify", "--checkpoint", tmp_path / "kept.txt")
    (tmp_path / "kept.txt").write_text(note.replace("de-vasp-1", "de-vasp-2"))
    done = comity("audit", "verify", "--checkpoint", tmp_path / "kept.txt", "--home", tmp_path / vasp)
    assert done.code == 5, done.err
    assert comity("audit", "receipt", "9999", "--home", tmp_path / vasp).code == 3


def test_asking_and_matching(world: World, tmp_path: Path, comity: Comity) -> None:
    asked = world("de-fiu", "exchange", "ask", "de-vasp-1")["message"]
    world.post()
    done = comity("exchange", "answer", asked, "--by", "", "--home", tmp_path / "de-vasp-1")
    assert done.code == 2
    assert "Queued" in world.people("de-vasp-1", "exchange", "answer", asked, "--by", "Ada Officer")
    world.post()
    assert [m["keys"] for m in world("de-fiu", "match", "ae-fiu")] == [None, None]
    assert "waiting" in world.people("de-fiu", "match")
    world.post()
    assert [m["keys"] for m in world("de-fiu", "match")] == [[], []]
    assert comity("match", "ae-fiu", "--ask", "--home", tmp_path / "de-fiu").code == 4
    assert world("de-fiu", "match", "--join") == []
    assert "none" in world.people("de-fiu", "match", "--join")
    assert comity("exchange", "ask", "de-vasp-1", "--home", tmp_path / "ae-fiu").code == 6


def test_a_freeze(world: World, tmp_path: Path, comity: Comity) -> None:
    vasp = "de-vasp-1"
    (found,) = world(vasp, "case", "findings", "--level", "alert")
    node, partner = Node.open(tmp_path / vasp), Node.open(tmp_path / "ae-fiu")
    with node.act() as conn:
        finding = node.cases.finding(conn, found["id"])
    with partner.act() as conn:
        partner.cases.save_findings(conn, [finding])
    node.close()
    partner.close()
    case = world("ae-fiu", "case", "open", found["id"])["id"]
    order = ("enforce", "freeze", "de-fiu", "acct:de-vasp-1:77", "--case", case, "--by", "Ada Officer")
    assert comity(*order, "--grounds", GROUNDS, "--home", tmp_path / "ae-fiu").code == 4
    world("ae-fiu", "case", "decide", case, "freeze", "--by", "Ada Officer", "--grounds", GROUNDS)
    asked = world("ae-fiu", *order, "--grounds", GROUNDS)["message"]
    world.post()
    assert len(world("de-fiu", "enforce", "carry-out", asked, "--by", "Bea Beamtin")) == 1
    world.post()
    for name in world.NAMES:
        assert [one["state"] for one in world(name, "enforce", "list")] == ["in_force"]
    assert "GwG" in world.people("ae-fiu", "enforce", "list")


def test_a_ledger_and_lists_of_ones_own(tmp_path: Path, comity: Comity) -> None:
    file = small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12)
    ledger = tmp_path / "ledger"
    read = comity("ledger", "ingest", file, "--into", ledger, "--rate", "iso4217:EUR=1.08", "--json")
    assert read.json["transfers"] == 12
    assert comity("ledger", "ingest", file, "--into", ledger).code == 4
    asked = comity("ledger", "query", "SELECT count(*) AS n FROM transfers", "--ledger", ledger, "--json")
    assert asked.json == {"columns": ["n"], "rows": [[12]]}
    assert comity("ledger", "query", "DROP TABLE transfers", "--ledger", ledger).code == 2
    found = comity("monitor", ledger, "--only", "fan_in", "--set", "fan_in.min_senders=12", "--json").json
    assert [one["subject"] for one in found["findings"]] == ["acct:de-vasp-1:77"]
    assert comity("monitor", ledger, "--set", "fan_in=12").code == 2
    assert "fan_in" in comity("monitor", ledger, "--only", "fan_in").out
    traced = comity("trace", ledger, "acct:de-vasp-1:77", "--direction", "backward", "--json").json
    assert len(traced["leaves"]) == 12
    svg = tmp_path / "flow.svg"
    assert "Where it ends" in comity("trace", ledger, "acct:de-vasp-1:t0", "--svg", svg).out
    assert svg.read_text().startswith("<svg")
    assert comity("trace", ledger, "acct:de-vasp-1:t0", "--hops", "0").code == 2
    home = tmp_path / "home"
    assert comity("lists", "load", "--home", home).code == 0
    assert len(comity("lists", "show", "--home", home, "--json").json) > 0
    found = comity("monitor", ledger, "--only", "cycle", "--lists", home / "lists", "--json").json
    assert found == {"findings": [], "unfinished": []}
    assert comity("trace", ledger, "acct:de-vasp-1:t0", "--lists", home / "lists").code == 0
    assert comity("screen", "", "--home", home).code == 2
    assert comity("screen", "Nobody Whom Anybody Lists 4711", "--home", home, "--json").json == []


def test_the_standard_and_the_training(tmp_path: Path, comity: Comity) -> None:
    assert {"sg", "de"} <= {one["jurisdiction"] for one in comity("standard", "list", "--json").json}
    one = comity("standard", "show", "sg", "travel_rule.threshold", "--on", "2026-01-01", "--json").json
    assert one["source"] and one["explanation"]
    assert "why" in comity("standard", "show", "sg", "travel_rule.threshold", "--on", "2026-01-01").out
    every = comity("standard", "show", "de", "--json").json["answers"]
    assert len(every) > 10
    assert comity("standard", "show", "sg", "travel_rule.threshold", "--on", "soon").code == 2
    ranked = comity("standard", "corridors", "--on", "2026-11-01", "--json").json
    assert ranked and ranked[0]["why"]
    assert comity("standard", "check", tmp_path / "xx.yaml").code == 2
    assert comity("train", "play", "no-such-exercise").code == 3


def test_an_exercise_is_played_and_graded(tmp_path: Path, comity: Comity) -> None:
    to = tmp_path / "exercise"
    briefing = comity("train", "play", "first-case", "--to", to, "--seed", "3", "--json").json
    assert briefing["text"]
    done = comity("train", "play", "first-case", "--to", tmp_path / "again", "--seed", "3")
    assert "The exercise is in" in done.out
    (to / "answers.json").write_text('{"schemes": []}')
    graded = comity("train", "grade", to, "--seed", "3", "--json")
    assert graded.json["score"] == 0 and graded.json["feedback"]
    assert "Score 0%" in comity("train", "grade", to, "--seed", "3").out


def test_a_list_is_written_in_our_own_form(tmp_path: Path, comity: Comity) -> None:
    from comity.lists import ofac_sdn

    (tmp_path / "sdn.xml").write_bytes(ofac_sdn.SAMPLE)
    packed = tmp_path / "ofac_sdn.jsonl.xz"
    made = comity("lists", "extract", tmp_path / "sdn.xml", packed, "--json").json
    assert made["list_id"] == "ofac_sdn" and made["entries"] > 0
    assert "entries" in comity("lists", "extract", tmp_path / "sdn.xml", packed).out
    home = tmp_path / "home"
    loaded = comity("lists", "load", packed, "--home", home, "--as", "mine", "--json").json
    assert (loaded["list"], loaded["entries"]) == ("mine", made["entries"])
    assert "mine" in comity("lists", "show", "--home", home).out
    assert comity("lists", "update", "mine", "--home", home).code == 2

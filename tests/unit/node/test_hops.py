from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from comity.errors import BadInput, Conflict, NotFound
from comity.model import CaseState, Finding, FindingKind, Level, Verdict
from comity.node import hops
from comity.node.node import Node

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]


@pytest.fixture
def vasp(join: Join) -> Node:
    return join("de-fiu", "de-vasp-1")["de-vasp-1"]


def finding(name: str, **changes: Any) -> Finding:
    return replace(
        Finding(
            name,
            FindingKind.TYPOLOGY,
            "fan_in",
            "acct:de-vasp-1:77",
            Level.ALERT,
            0.9,
            ("Twelve payers within a day.",),
            (),
            "a test",
        ),
        **changes,
    )


def keep(node: Node, *found: Finding) -> None:
    with node.act() as conn:
        node.cases.save_findings(conn, found)


def test_lists_are_loaded_and_logged(vasp: Node, log: Log) -> None:
    loaded = hops.load_lists(vasp, None)
    assert loaded
    assert log(vasp)[-len(loaded) :] == ["list.loaded"] * len(loaded)
    with vasp.act() as conn:
        entry = vasp.audit.entries(conn, vasp.audit.size(conn) - 1, 1)[0]
    assert entry.body["sha256"] == loaded[-1].sha256


def test_a_file_is_read_and_logged(vasp: Node, small: ModuleType, tmp_path: Path) -> None:
    summary = hops.ingest(vasp, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    assert summary.transfers == len(vasp.ledger()) == 12
    with vasp.act() as conn:
        entry = vasp.audit.entries(conn, vasp.audit.size(conn) - 1, 1)[0]
    assert entry.kind == "ledger.ingested"
    assert entry.body == {"file": "in.csv", "chain": "table", "transfers": 12}


def test_a_bad_file_changes_nothing(vasp: Node, small: ModuleType, tmp_path: Path, log: Log) -> None:
    path = small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12)
    path.write_text(path.read_text() + "t-last,yesterday,a,b,c,d,e,f,g,h,i,j,k\n")
    before = log(vasp)
    with pytest.raises(BadInput):
        hops.ingest(vasp, path)
    assert len(vasp.ledger()) == 0
    assert log(vasp) == before


def test_the_same_file_twice_is_refused(vasp: Node, small: ModuleType, tmp_path: Path, log: Log) -> None:
    path = small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12)
    hops.ingest(vasp, path)
    before = log(vasp)
    with pytest.raises(Conflict):
        hops.ingest(vasp, path)
    assert len(vasp.ledger()) == 12
    assert log(vasp) == before


def test_a_crash_between_ledger_and_log_is_made_up_for(
    vasp: Node, small: ModuleType, tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hops.account_for_ledger(vasp) == 0
    with monkeypatch.context() as crash:
        crash.setattr(vasp, "record", lambda *_given, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            hops.ingest(vasp, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    assert len(vasp.ledger()) == 12 and "ledger.ingested" not in log(vasp)
    hops.ingest(vasp, small.fan_in(tmp_path / "more.csv", "de-vasp-1", "78", 5, tag="u"))
    assert log(vasp)[-2:] == ["ledger.found", "ledger.ingested"]
    assert hops.account_for_ledger(vasp) == 0
    with vasp.act() as conn:
        found = vasp.audit.entries(conn, vasp.audit.size(conn) - 2, 1)[0]
    assert found.body == {"transfers": 12}


def test_customers_are_taken_in_whole_or_not(vasp: Node, small: ModuleType, tmp_path: Path) -> None:
    path = small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:1": small.MULE})
    assert hops.load_customers(vasp, path) == 1
    assert vasp.customers["acct:de-vasp-1:1"].name == "Max Mustermann"
    assert vasp.paths.customers.stat().st_mode & 0o077 == 0
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(BadInput, match="line 2"):
        hops.load_customers(vasp, path)
    assert set(vasp.customers) == {"acct:de-vasp-1:1"}
    assert [p.name for p in vasp.settings.home.glob("customers*")] == ["customers.jsonl"]
    small.customers(path, {"acct:de-vasp-1:2": small.MULE})
    hops.load_customers(vasp, path)
    assert set(vasp.customers) == {"acct:de-vasp-1:2"}


def test_detecting_again_finds_nothing_new(vasp: Node, stocked: Callable[..., str]) -> None:
    stocked(vasp)
    hops.detect(vasp, only=["fan_in"])
    with vasp.act() as conn:
        first, second = [e for e in vasp.audit.entries(conn, 0, 100) if e.kind == "findings.made"]
    assert first.body["new"] == first.body["findings"] == second.body["findings"]
    assert second.body["new"] == 0


def test_a_case_has_its_hops_in_order(vasp: Node, stocked: Callable[..., str], log: Log) -> None:
    opened = hops.open_case(vasp, [stocked(vasp)], "Collecting account")
    assert opened.title == "Collecting account"
    assert {duty.jurisdiction.lower() for duty in opened.duties} == {"de"}
    assert any(duty.kind == "report_suspicion" for duty in opened.duties)
    decided = hops.decide(vasp, opened.id, Verdict.REPORT, "Ada Officer", "Twelve payers.")
    assert decided.state is CaseState.DECIDED
    with vasp.act() as conn:
        rows = conn.execute(text("SELECT hop, text, idx FROM node_event ORDER BY idx")).all()
    assert [row.hop for row in rows] == ["transfer", "finding", "duty", "decision"]
    assert rows[0].text == "12 transfers, 2026-11-02 to 2026-11-02"
    assert "Ada Officer decided: report" in rows[3].text
    assert [log(vasp)[row.idx] for row in rows] == [
        "case.transfers",
        "case.finding",
        "case.duties",
        "case.decided",
    ]
    assert [t.id for t in hops.evidence(vasp, opened.findings)] == [f"de77-{n:03d}" for n in range(12)]


def test_a_finding_is_in_one_case(vasp: Node, stocked: Callable[..., str], log: Log) -> None:
    name = stocked(vasp)
    hops.open_case(vasp, [name])
    before = log(vasp)
    with pytest.raises(Conflict, match="in a case already"):
        hops.open_case(vasp, [name])
    keep(vasp, finding("f-2"))
    with pytest.raises(Conflict):
        hops.open_case(vasp, ["f-2", name])
    assert log(vasp) == before
    with vasp.act() as conn:
        assert vasp.cases.count_cases(conn) == 1
        assert vasp.cases.case_of_finding(conn, "f-2") == ""


@pytest.mark.parametrize(
    ("names", "error"),
    [([], BadInput), ([f"f-{n}" for n in range(51)], BadInput), (["f-unknown"], NotFound)],
)
def test_a_case_on_nothing_or_too_much(vasp: Node, names: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        hops.open_case(vasp, names)
    with vasp.act() as conn:
        assert vasp.cases.count_cases(conn) == 0


def test_a_case_without_a_ledger(vasp: Node) -> None:
    keep(vasp, finding("f-1", evidence=("de-vasp-9/t-1",)))
    opened = hops.open_case(vasp, ["f-1"])
    assert opened.duties == ()
    assert hops.evidence(vasp, opened.findings) == ()
    with vasp.act() as conn:
        said = conn.execute(text("SELECT text FROM node_event ORDER BY idx")).scalars().all()
    assert said[0].startswith("No transfers of this node's own ledger")
    assert said[2] == "No duties computed: this node holds no transfers of the case to compute them from"


@pytest.mark.parametrize("by", ["", "  ", "system", "AI", "42"])
def test_only_a_person_decides(vasp: Node, by: str, log: Log) -> None:
    keep(vasp, finding("f-1"))
    case = hops.open_case(vasp, ["f-1"])
    before = log(vasp)
    with pytest.raises(BadInput):
        hops.decide(vasp, case.id, Verdict.REPORT, by, "Because.")
    assert log(vasp) == before


def test_a_file_without_customers_replaces_none(vasp: Node, small: ModuleType, tmp_path: Path) -> None:
    path = small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:1": small.MULE})
    hops.load_customers(vasp, path)
    path.write_bytes(b"")
    for given in (path, tmp_path, tmp_path / "none", Path("/dev/null"), Path("a\x00b")):
        with pytest.raises(BadInput):
            hops.load_customers(vasp, given)
    assert set(vasp.customers) == {"acct:de-vasp-1:1"}
    assert [p.name for p in vasp.settings.home.glob("customers*")] == ["customers.jsonl"]

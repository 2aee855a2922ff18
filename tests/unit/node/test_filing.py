from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

from comity.errors import BadInput, Conflict, NotFound, Refused, UnknownFormat
from comity.exchange import bodies
from comity.model import MessageKind, OnwardUse, Verdict
from comity.node import filing, hops
from comity.node.node import Node
from comity.reports import Problem, goaml

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]
GROUNDS = "Twelve payers, one account, no business reason."


@pytest.fixture
def nodes(join: Join) -> dict[str, Node]:
    return join("de-fiu", "de-vasp-1", "us-fiu", "us-vasp-1")


@pytest.fixture
def case_id(nodes: dict[str, Node], stocked: Callable[..., str]) -> str:
    vasp = nodes["de-vasp-1"]
    case = hops.open_case(vasp, [stocked(vasp)])
    hops.decide(vasp, case.id, Verdict.REPORT, "Ada Officer", GROUNDS)
    return case.id


def test_drafted_and_filed(nodes: dict[str, Node], net: ModuleType, case_id: str, log: Log) -> None:
    vasp, fiu = nodes["de-vasp-1"], nodes["de-fiu"]
    drafted = filing.draft(vasp, case_id, "goaml")
    assert drafted.problems == ()
    assert drafted.filename == f"de-vasp-1-20261123-{case_id[:8]}-goaml.xml"
    with vasp.act() as conn:
        held = vasp.cases.report(conn, drafted.id)
    assert len(held.data) == drafted.bytes
    tree = etree.fromstring(held.data)
    assert tree.findtext("currency_code_local") == "EUR"
    assert {Decimal(e.text) for e in tree.iter("amount_local")} == {Decimal(900)}, "972 dollars at 1.08"

    message = filing.file(vasp, drafted.id)
    assert (message.kind, message.recipient) == (MessageKind.REPORT, "de-fiu")
    assert message.handling.onward_use is OnwardUse.FREE
    assert any("Do not tell the customer" in caveat for caveat in message.handling.caveats)
    with vasp.act() as conn:
        case = vasp.cases.get(conn, case_id)
        assert vasp.case_of_conversation(conn, message.conversation) == case_id
        due = vasp.cases.due(conn, vasp.clock().replace(year=2030))
    assert case.acts == (filing.filed(held),)
    assert "report_suspicion" not in {one.duty.kind for one in due}
    assert net.settle(nodes) == 1
    with fiu.act() as conn:
        came = fiu.mailbox.get(conn, "de-vasp-1", message.id).message
    body = bodies.check(came)
    assert isinstance(body, bodies.Filing)
    assert bodies.unpack(body.document) == held.data, "the FIU has the very bytes"
    assert log(vasp)[-2:] == ["report.drafted", "message.sent"]


def test_the_same_draft_is_kept_once(nodes: dict[str, Node], case_id: str) -> None:
    vasp = nodes["de-vasp-1"]
    assert filing.draft(vasp, case_id, "goaml").id == filing.draft(vasp, case_id, "goaml").id


def test_a_report_is_filed_once(nodes: dict[str, Node], net: ModuleType, case_id: str, log: Log) -> None:
    vasp = nodes["de-vasp-1"]
    drafted = filing.draft(vasp, case_id, "goaml")
    filing.file(vasp, drafted.id)
    before = log(vasp)
    with pytest.raises(Conflict, match="filed already"):
        filing.file(vasp, drafted.id)
    assert log(vasp) == before
    assert net.settle(nodes) == 1


def test_an_american_report(nodes: dict[str, Node], stocked: Callable[..., str]) -> None:
    vasp = nodes["us-vasp-1"]
    case = hops.open_case(vasp, [stocked(vasp)])
    hops.decide(vasp, case.id, Verdict.REPORT, "Ada Officer", GROUNDS)
    drafted = filing.draft(vasp, case.id, "fincen_sar")
    with vasp.act() as conn:
        assert b"972" in vasp.cases.report(conn, drafted.id).data, "dollars, as they are"


def test_no_report_without_a_decision_to_report(
    nodes: dict[str, Node], stocked: Callable[..., str], log: Log
) -> None:
    vasp = nodes["de-vasp-1"]
    case = hops.open_case(vasp, [stocked(vasp)])
    before = log(vasp)
    with pytest.raises((Refused, Conflict)):
        filing.draft(vasp, case.id, "goaml")
    hops.decide(vasp, case.id, Verdict.REQUEST, "Ada Officer", "More must be known.")
    with pytest.raises((Refused, Conflict)):
        filing.draft(vasp, case.id, "goaml")
    assert "report.drafted" not in log(vasp)
    assert log(vasp)[: len(before)] == before


def test_what_is_not_there(nodes: dict[str, Node], case_id: str) -> None:
    vasp = nodes["de-vasp-1"]
    with pytest.raises(NotFound):
        filing.draft(vasp, "no-case", "goaml")
    with pytest.raises(NotFound):
        filing.file(vasp, "no-report")
    with pytest.raises(UnknownFormat, match="fax"):
        filing.draft(vasp, case_id, "fax")


def test_a_report_with_problems_is_kept_but_not_filed(
    nodes: dict[str, Node], case_id: str, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    vasp = nodes["de-vasp-1"]
    wrong = Problem("/report/rentity_id", 3, "it is missing", "set goaml.rentity_id")
    monkeypatch.setattr(goaml, "check", lambda _data, _schema: (wrong,))
    drafted = filing.draft(vasp, case_id, "goaml")
    assert drafted.problems == ("/report/rentity_id: it is missing",)
    before = log(vasp)
    with pytest.raises(BadInput, match="1 problems") as refused:
        filing.file(vasp, drafted.id)
    assert "rentity_id" in refused.value.diagnostics()
    assert log(vasp) == before
    with vasp.act() as conn:
        assert vasp.mailbox.counts(conn) == (0, 0)


def test_without_a_rate_there_is_no_report(nodes: dict[str, Node], case_id: str) -> None:
    vasp = nodes["de-vasp-1"]
    vasp.settings = replace(vasp.settings, rates=())
    with pytest.raises(BadInput, match="no rate") as refused:
        filing.draft(vasp, case_id, "goaml")
    assert "node.toml" in refused.value.remedy


def test_transfers_without_a_worth_stay_without(nodes: dict[str, Node], case_id: str) -> None:
    vasp: Any = nodes["de-vasp-1"]
    with vasp.act() as conn:
        found = hops.evidence(vasp, vasp.cases.get(conn, case_id).findings)
    bare = [replace(found[0], value=None), found[1]]
    assert [t.value for t in filing.in_local_currency(vasp, bare)] == [None, Decimal("900.00")]

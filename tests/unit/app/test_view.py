"""What a real node shows on its pages."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.app.view import Desk
from comity.app.web.view import FindingOrder, Hop
from comity.errors import Conflict, NotFound, Refused, Unverified
from comity.model import CaseState, Level, MessageKind, Role, Verdict
from comity.node import finding_together as together
from comity.node import hops
from comity.node.node import Node

GROUNDS = "Twelve payers, one account."


@pytest.fixture
def vasp(nodes: dict[str, Node], small: ModuleType, tmp_path: Path) -> Desk:
    node = nodes["de-vasp-1"]
    hops.ingest(node, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    hops.load_customers(node, small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:77": small.MULE}))
    hops.detect(node, only=["fan_in"])
    return Desk(node)


def listed(desk: Desk, **more: Any) -> Any:
    asked = {
        "level": None,
        "rule": "",
        "order": FindingOrder.SCORE,
        "descending": True,
        "limit": 9,
        "offset": 0,
    }
    return desk.findings(**{**asked, **more})


@pytest.fixture
def finding_id(vasp: Desk) -> str:
    (found,) = listed(vasp).items
    return str(found.id)


def test_findings(vasp: Desk, finding_id: str) -> None:
    assert vasp.identity().role is Role.VASP
    assert vasp.rules() == ("fan_in",)
    assert listed(vasp, level=Level.WATCH).total == listed(vasp, rule="cycle").total == 0
    assert listed(vasp, offset=1).items == () and listed(vasp, offset=1).total == 1
    assert vasp.finding(finding_id).subject == "acct:de-vasp-1:77"
    evidence = vasp.evidence(finding_id)
    assert len(evidence) == 12 and list(evidence) == sorted(evidence, key=lambda t: t.time)
    assert vasp.case_of(finding_id) == ""
    with pytest.raises(NotFound):
        vasp.finding("none")


def test_a_case_to_its_end(vasp: Desk, finding_id: str, nodes: dict[str, Node], net: ModuleType) -> None:
    assert [task.kind for task in vasp.tasks(10)] == ["finding"]
    case = vasp.open_case([finding_id], "Collecting account")
    assert vasp.case_of(finding_id) == case.id
    assert "Decide: Collecting account" in [task.text for task in vasp.tasks(10)]
    assert len(vasp.tasks(1)) == 1
    assert vasp.cases(state=CaseState.OPEN, limit=9, offset=0).total == 1
    assert vasp.case(case.id) == case
    events = vasp.case_events(case.id)
    assert [event.hop for event in events] == [Hop.TRANSFER, Hop.FINDING, Hop.DUTY]
    for event in events:
        assert event.receipt is not None
        from comity.audit.log import verify_receipt

        verify_receipt(event.receipt)
    drawing = vasp.case_flow_svg(case.id)
    assert drawing.startswith("<svg") and "Max Mustermann" in drawing and "Payer T 0" in drawing
    with pytest.raises(Refused):
        vasp.draft_report(case.id, "goaml")
    vasp.decide(case.id, Verdict.REPORT, "Ada Officer", GROUNDS)
    assert vasp.reports(case.id) == []
    assert set(vasp.report_formats()) >= {"goaml", "fincen_sar"}
    vasp.draft_report(case.id, "goaml")
    (drafted,) = vasp.reports(case.id)
    assert (drafted.recipient, drafted.problems, drafted.sent) == ("de-fiu", (), False)
    file = vasp.report_file(drafted.id)
    assert file.name.endswith("-goaml.xml") and b"Mustermann" in file.data
    assert vasp.file_report(drafted.id) == case.id
    with pytest.raises(Conflict):
        vasp.file_report(drafted.id)
    assert vasp.reports(case.id)[0].sent
    (parcel,) = vasp.case_messages(case.id)
    assert (parcel.incoming, parcel.state, parcel.case_id) == (False, "queued", case.id)
    net.settle(nodes)
    assert vasp.message(parcel.message.id).state == "delivered"
    fiu = Desk(nodes["de-fiu"])
    (came,) = fiu.inbox(limit=9, offset=0).items
    assert (came.state, came.message.kind) == ("done", MessageKind.REPORT)
    assert fiu.message_document(came.message.id).data == file.data
    assert vasp.outbox(limit=9, offset=0).total == 1
    counts = vasp.counts()
    assert (counts["alerts"], counts["open cases"], counts["messages sent"]) == (1, 0, 1)


def test_a_request_waits_for_its_answer(vasp: Desk, nodes: dict[str, Node], net: ModuleType) -> None:
    asked = together.ask_watch(nodes["de-fiu"], "de-vasp-1")
    net.settle(nodes)
    assert vasp.message(asked.id).state == "to answer"
    assert ("message", asked.id, "request from de-fiu") in [(t.kind, t.id, t.text) for t in vasp.tasks(9)]
    with pytest.raises(NotFound, match="carries no document"):
        vasp.message_document(asked.id)
    together.answer(nodes["de-vasp-1"], asked.id, by="Ada Officer")
    assert vasp.message(asked.id).state == "done"
    assert asked.id not in [task.id for task in vasp.tasks(9)]


def test_without_an_fiu_a_report_has_no_recipient(
    vasp: Desk, finding_id: str, nodes: dict[str, Node]
) -> None:
    node = nodes["de-vasp-1"]
    case = vasp.open_case([finding_id], "Collecting account")
    vasp.decide(case.id, Verdict.REPORT, "Ada Officer", GROUNDS)
    vasp.draft_report(case.id, "goaml")
    node.paths.commons.unlink()
    assert [one.recipient for one in vasp.reports(case.id)] == [""]


def test_a_case_without_transfers_has_no_drawing(nodes: dict[str, Node], vasp: Desk, finding_id: str) -> None:
    fiu = nodes["ae-fiu"]
    with fiu.act() as conn:
        fiu.cases.save_findings(conn, [vasp.finding(finding_id)])
    desk = Desk(fiu)
    assert desk.case_flow_svg(desk.open_case([finding_id], "Theirs").id) == ""


def test_the_standard(vasp: Desk, nodes: dict[str, Node]) -> None:
    assert {"fatf", "de", "sg"} <= set(vasp.law().jurisdictions)
    moved = vasp.flows()
    pairs = nodes["de-vasp-1"].ledger().volume_by_country_pair()
    assert moved == {(a, b): float(value) for a, b, _, value in pairs}
    assert Desk(nodes["de-fiu"]).flows() == {}


def test_the_log(vasp: Desk, nodes: dict[str, Node]) -> None:
    head = vasp.audit_head()
    entries = vasp.audit(start=0, limit=100)
    assert (head.log_id, head.size) == ("de-vasp-1", len(entries))
    assert "id de-vasp-1" in entries[0].text
    assert vasp.verify_audit().root_hash == head.root_hash
    from sqlalchemy import update

    from comity.audit.tables import leaf

    with nodes["de-vasp-1"].act() as conn:
        conn.execute(update(leaf).where(leaf.c.idx == 1).values(body='{"forged":true}'))
    with pytest.raises(Unverified):
        vasp.verify_audit()


def test_freezes(vasp: Desk) -> None:
    assert vasp.freezes() == ()

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from comity.errors import BadInput, Conflict, NoGateway, NotFound, Refused
from comity.exchange import bodies
from comity.model import (
    AccountId,
    Deadline,
    Finding,
    FindingKind,
    Level,
    MeasureState,
    Message,
    MessageKind,
    OnwardUse,
    Verdict,
)
from comity.node import freezing, hops
from comity.node.node import Node
from comity.node.relay import Relay
from comity.node.sending import send

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]
MULE = AccountId("acct:de-vasp-1:77")
OTHER = AccountId("acct:de-bank-1:88")
GROUNDS = "The proceeds of fraud are about to leave."


@pytest.fixture
def nodes(join: Join, small: ModuleType, tmp_path: Path) -> dict[str, Node]:
    made = join("ae-fiu", "de-fiu", "us-fiu", "sg-fiu", "de-vasp-1", "de-bank-1")
    for name, account in (("de-vasp-1", MULE), ("de-bank-1", OTHER)):
        hops.load_customers(made[name], small.customers(tmp_path / name, {str(account): small.MULE}))
    return made


def decided(node: Node, verdict: Verdict = Verdict.FREEZE, about: Sequence[AccountId] = (MULE,)) -> str:
    """A case of this FIU about these accounts, decided."""
    findings = [
        Finding(
            node.ids(),
            FindingKind.MATCH,
            "fan_in",
            str(account),
            Level.ALERT,
            0.9,
            ("Two institutions see it.",),
            (),
            "x",
        )
        for account in about
    ]
    with node.act() as conn:
        node.cases.save_findings(conn, findings)
    case = hops.open_case(node, [finding.id for finding in findings])
    hops.decide(node, case.id, verdict, "Ada Officer", GROUNDS)
    return case.id


def ask(node: Node, recipient: str, *accounts: AccountId, case_id: str = "") -> Message:
    case_id = case_id or decided(node, about=accounts or (MULE,))
    return freezing.ask(
        node, recipient, accounts or (MULE,), case_id=case_id, by="Ada Officer", grounds=GROUNDS
    )


def states(node: Node) -> list[MeasureState]:
    with node.act() as conn:
        return [measure.state for measure in node.freezes.list_measures(conn)]


def last_reply(node: Node) -> Message:
    with node.act() as conn:
        came = [i.message for i in node.mailbox.received(conn) if i.message.kind is MessageKind.FREEZE_REPLY]
    (reply,) = came
    return reply


def test_the_whole_chain(nodes: dict[str, Node], net: ModuleType, clock: Any) -> None:
    ae, de, vasp = nodes["ae-fiu"], nodes["de-fiu"], nodes["de-vasp-1"]
    case_id = decided(ae)
    request = ask(ae, "de-fiu", case_id=case_id)
    assert states(ae) == [MeasureState.REQUESTED]
    net.settle(nodes)
    assert states(de) == [], "a person decides at the requested FIU"
    with vasp.act() as conn:
        assert not vasp.freezes.is_frozen(conn, MULE)

    (order,) = freezing.carry_out(de, request.id, by="Bea Beamtin")
    assert order.recipient == "de-vasp-1"
    assert order.body["legal_basis"] == "GwG s.40", "under its own country's law"
    net.settle(nodes)

    for node in (ae, de, vasp):
        assert states(node) == [MeasureState.IN_FORCE]
        node.verify()
    with vasp.act() as conn:
        assert vasp.freezes.is_frozen(conn, MULE)
        (held,) = vasp.freezes.freezes_of(conn, MULE)
        assert held.ordered_by == "de-fiu" and held.until == order.created + timedelta(days=30)
        entries = vasp.audit.entries(conn, 0, 100)
    assert [e.body["ordered_by"] for e in entries if e.kind == "freeze.in_force"] == ["de-fiu"]
    reply = last_reply(ae)
    assert reply.in_reply_to == request.id and reply.sender == "de-fiu"
    assert reply.body["accounts"] == [str(MULE)]
    with ae.act() as conn:
        acts = (
            conn.execute(text("SELECT text FROM node_event WHERE hop = 'act' ORDER BY idx")).scalars().all()
        )
    assert acts[0] == "Freeze request sent to The de-fiu"
    assert any(said.startswith("Freeze at de-fiu: in force until 2026-12-23.") for said in acts)
    with de.act() as conn:
        (their_case,) = de.cases.list_cases(conn)
        hops_ = conn.execute(
            text("SELECT DISTINCT hop FROM node_event WHERE case_id = :id"), {"id": their_case.id}
        ).scalars()
        assert {"transfer", "decision", "act"} <= set(hops_)
    assert their_case.decisions[0].by == "Bea Beamtin"


def test_a_freeze_at_home(nodes: dict[str, Node], net: ModuleType) -> None:
    de = nodes["de-fiu"]
    message = ask(de, "de-vasp-1")
    net.settle(nodes)
    assert states(de) == states(nodes["de-vasp-1"]) == [MeasureState.IN_FORCE]
    assert any("Do not tell" in caveat for caveat in message.handling.caveats)
    assert message.handling.onward_use is OnwardUse.NONE


def test_none_of_the_accounts_is_held(nodes: dict[str, Node], net: ModuleType) -> None:
    de, vasp = nodes["de-fiu"], nodes["de-vasp-1"]
    ask(de, "de-vasp-1", AccountId("acct:de-vasp-1:0815"))
    net.settle(nodes)
    assert states(de) == [MeasureState.REFUSED]
    assert states(vasp) == []
    assert "None of the accounts is held here." in last_reply(de).body["explanation"]  # type: ignore[operator]


def test_two_holders_give_one_answer(nodes: dict[str, Node], net: ModuleType) -> None:
    """One holds an account and freezes it, the other does not: in force, whoever is first."""
    ae, de = nodes["ae-fiu"], nodes["de-fiu"]
    request = ask(ae, "de-fiu", MULE, AccountId("acct:de-bank-1:0815"))
    net.settle(nodes)
    assert len(freezing.carry_out(de, request.id, by="Bea Beamtin")) == 2
    bank = {name: node for name, node in nodes.items() if name != "de-vasp-1"}
    with de.act() as conn:
        late = next(i for i in de.mailbox.due(conn, de.clock()) if i.message.recipient == "de-vasp-1")
        de.mailbox.failed(conn, late.message.id, "ConnectError", de.clock())
    net.settle(bank)
    assert states(ae) == [MeasureState.REQUESTED], "the answer waits for the other holder"
    with de.act() as conn:
        de.mailbox.wake(conn, de.clock())
    net.settle(nodes)
    assert states(ae) == [MeasureState.IN_FORCE]
    assert sorted(states(de)) == sorted([MeasureState.IN_FORCE, MeasureState.REFUSED])
    assert last_reply(ae).body["accounts"] == [str(MULE)]
    said = str(last_reply(ae).body["explanation"])
    assert "de-bank-1: None" in said and "de-vasp-1: 1 of 1" in said


def test_both_holders_freeze(nodes: dict[str, Node], net: ModuleType) -> None:
    ae, de = nodes["ae-fiu"], nodes["de-fiu"]
    request = ask(ae, "de-fiu", MULE, OTHER)
    net.settle(nodes)
    freezing.carry_out(de, request.id, by="Bea Beamtin")
    net.settle(nodes)
    assert states(ae) == [MeasureState.IN_FORCE]
    assert set(last_reply(ae).body["accounts"]) == {str(MULE), str(OTHER)}  # type: ignore[call-overload]


def test_a_request_is_carried_out_once(nodes: dict[str, Node], net: ModuleType, log: Log) -> None:
    de = nodes["de-fiu"]
    request = ask(nodes["ae-fiu"], "de-fiu")
    net.settle(nodes)
    freezing.carry_out(de, request.id, by="Bea Beamtin")
    before = log(de)
    with pytest.raises(Conflict, match="carried out already"):
        freezing.carry_out(de, request.id, by="Bea Beamtin")
    assert log(de) == before


def test_nobody_here_holds_it(nodes: dict[str, Node], net: ModuleType, log: Log) -> None:
    de = nodes["de-fiu"]
    request = ask(nodes["ae-fiu"], "de-fiu", AccountId("acct:us-vasp-9:1"))
    net.settle(nodes)
    before = log(de)
    with pytest.raises(NotFound, match="no institution of this country") as refused:
        freezing.carry_out(de, request.id, by="Bea Beamtin")
    assert refused.value.remedy
    assert log(de) == before


def test_an_fiu_without_the_power_refuses(nodes: dict[str, Node], log: Log) -> None:
    for country in ("us", "sg"):
        node = nodes["ae-fiu"]
        case_id = decided(node)
        before = log(node)
        with pytest.raises(Refused, match=f"FIU of {country.upper()} has no known power") as refused:
            ask(node, f"{country}-fiu", case_id=case_id)
        assert "freeze.fiu" in refused.value.why and "mutual legal assistance" in refused.value.remedy
        assert log(node) == before
        assert states(node) == []


def test_a_foreign_institution_is_not_ordered(nodes: dict[str, Node]) -> None:
    ae = nodes["ae-fiu"]
    with pytest.raises(NoGateway) as refused:
        ask(ae, "de-vasp-1")
    assert "FIU of DE" in refused.value.remedy
    assert states(ae) == []


@pytest.mark.parametrize("verdict", [Verdict.REPORT, Verdict.REQUEST, Verdict.DISMISS])
def test_a_person_decides_first(nodes: dict[str, Node], verdict: Verdict) -> None:
    with pytest.raises(Conflict, match="no decision to freeze"):
        ask(nodes["de-fiu"], "de-vasp-1", case_id=decided(nodes["de-fiu"], verdict))
    assert states(nodes["de-fiu"]) == []


def test_what_is_no_freeze_request(nodes: dict[str, Node], net: ModuleType) -> None:
    from comity.node import finding_together as together

    asked = together.ask_watch(nodes["de-fiu"], "de-vasp-1")
    net.settle(nodes)
    with pytest.raises(Conflict, match="is not a freeze request"):
        freezing.carry_out(nodes["de-vasp-1"], asked.id, by="Ada Officer")
    with pytest.raises(NotFound):
        freezing.carry_out(nodes["de-fiu"], "no-such-message", by="Ada Officer")


@pytest.mark.parametrize("by", ["", "system"])
def test_a_person_carries_it_out(nodes: dict[str, Node], net: ModuleType, by: str, log: Log) -> None:
    request = ask(nodes["ae-fiu"], "de-fiu")
    net.settle(nodes)
    before = log(nodes["de-fiu"])
    with pytest.raises(BadInput):
        freezing.carry_out(nodes["de-fiu"], request.id, by=by)
    assert log(nodes["de-fiu"]) == before


def test_an_answer_from_somebody_else(nodes: dict[str, Node], net: ModuleType, log: Log) -> None:
    """The bank answers the order that was served on the exchange: it has no effect."""
    de, bank = nodes["de-fiu"], nodes["de-bank-1"]
    order = ask(de, "de-vasp-1")
    with bank.act() as conn:
        send(
            bank,
            conn,
            MessageKind.FREEZE_REPLY,
            "de-fiu",
            bodies.plain(bodies.FreezeReply(MeasureState.REFUSED, "Not ours.")),
            purpose="money_laundering",
            in_reply_to=order,
        )
        due = bank.mailbox.due(conn, bank.clock())
    net.settle({"de-bank-1": bank, "de-fiu": de, "de-vasp-1": nodes["de-vasp-1"]})
    assert len(due) == 1
    assert states(de) == [MeasureState.IN_FORCE]
    assert "message.set_aside" in log(de)


@pytest.mark.parametrize(
    ("limit", "days"),
    [
        (Deadline(1, "month"), 30),
        (Deadline(10, "working_day"), 10),
        (Deadline(48, "hour"), 2),
        (Deadline(0, "promptly"), None),
        (None, None),
    ],
)
def test_how_long_it_lasts(limit: Deadline | None, days: float | None) -> None:
    assert freezing.lasting(limit) == (timedelta(days=days) if days else None)


def test_a_refusal_before_the_answer_holds_nothing_up(nodes: dict[str, Node], net: ModuleType) -> None:
    """One holder sends a refusal, and then its answer: the partner still gets its own."""
    ae, de, vasp = nodes["ae-fiu"], nodes["de-fiu"], nodes["de-vasp-1"]
    request = ask(ae, "de-fiu", MULE, OTHER)
    net.settle(nodes)
    orders = {order.recipient: order for order in freezing.carry_out(de, request.id, by="Bea Beamtin")}
    refusal = bodies.Refusal(bodies.Ground.INSUFFICIENT, "Which account?")
    with vasp.act() as conn:
        send(
            vasp,
            conn,
            MessageKind.REFUSAL,
            "de-fiu",
            bodies.plain(refusal),
            purpose="money_laundering",
            in_reply_to=orders["de-vasp-1"],
        )
    net.settle(nodes)
    assert states(ae) == [MeasureState.IN_FORCE]


def test_a_decision_covers_the_accounts_of_its_case_only(nodes: dict[str, Node]) -> None:
    case_id = decided(nodes["ae-fiu"])
    with pytest.raises(Refused, match="does not belong to case"):
        ask(nodes["ae-fiu"], "de-fiu", AccountId("acct:de-vasp-1:somebody-else"), case_id=case_id)
    assert states(nodes["ae-fiu"]) == []


def test_a_freeze_ends_when_its_time_in_law_is_over(
    nodes: dict[str, Node], net: ModuleType, clock: Any
) -> None:
    fiu = nodes["de-fiu"]
    ask(fiu, "de-vasp-1")
    net.settle(nodes)
    assert states(fiu) == [MeasureState.IN_FORCE]
    clock.forward(days=60)
    with ThreadPoolExecutor(1) as pool:
        Relay(fiu).once(pool)
    assert states(fiu) == [MeasureState.EXPIRED]

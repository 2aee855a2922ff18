from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from comity.cooperation import match
from comity.cooperation.subjects import IdentifierKind
from comity.errors import BadInput, Conflict, NoGateway, NotFound, Refused
from comity.exchange import bodies
from comity.model import AccountId, Finding, Level, Message, MessageKind, OnwardUse, Verdict
from comity.model.finding import FindingKind
from comity.node import filing, hops, watching
from comity.node import finding_together as together
from comity.node.node import Node
from comity.node.sending import send
from comity.node.watching import Watched, keep, matchable

Join = Callable[..., dict[str, Node]]
Stock = Callable[..., str]
Log = Callable[[Node], list[str]]
KEY = "document|passport|DE|C01X00T47"
NAMES = ("sg-fiu", "de-fiu", "sg-vasp-1", "de-vasp-1")


@pytest.fixture
def nodes(join: Join) -> dict[str, Node]:
    return join(*NAMES)


@pytest.fixture
def watching_both(nodes: dict[str, Node], stocked: Stock, net: ModuleType) -> dict[str, Node]:
    """Mustermann collects at both exchanges, from six payers each: watched at both, no alert at either."""
    for country in ("sg", "de"):
        stocked(nodes[f"{country}-vasp-1"], senders=6)
        told(nodes, net, country)
    return nodes


def told(nodes: dict[str, Node], net: ModuleType, country: str) -> Message:
    """The FIU asks its exchange, and a person there answers."""
    asked = together.ask_watch(nodes[f"{country}-fiu"], f"{country}-vasp-1")
    net.settle(nodes)
    reply = together.answer(nodes[f"{country}-vasp-1"], asked.id, by="Ada Officer")
    net.settle(nodes)
    return reply


def said(*messages: Message) -> str:
    return json.dumps([dict(message.body) for message in messages])


def all_messages(node: Node) -> list[Message]:
    with node.act() as conn:
        return [i.message for i in node.mailbox.received(conn)]


def test_what_neither_sees_alone_is_found_together(
    watching_both: dict[str, Node], net: ModuleType, log: Log
) -> None:
    nodes = watching_both
    sg, de = nodes["sg-fiu"], nodes["de-fiu"]
    assert together.join(sg) == together.join(de) == (), "alone, neither has an alert"
    made = together.offer_match(sg, "de-fiu")
    assert len(made) == 2, "documents and accounts; no wallet is watched"
    assert [one.keys for one in together.results(sg)] == [None, None]
    net.settle(nodes)
    assert sorted(one.keys or () for one in together.results(sg)) == [(), (KEY,)]
    assert together.results(de) == (), "who answers learns nothing"
    with sg.act() as conn:
        assert set(conn.execute(text("SELECT state FROM node_match")).scalars()) == {b""}, (
            "the secret is gone"
        )

    request = together.ask_common(sg, "de-fiu")
    net.settle(nodes)
    (alert,) = [one for one in together.join(de) if one.subject == KEY]
    assert (alert.level, dict(alert.features)) == (Level.ALERT, {"senders": 12.0})
    together.answer(de, request.id, by="Bea Beamtin")
    net.settle(nodes)
    (alert,) = [one for one in together.join(sg) if one.subject == KEY]
    assert alert.kind is FindingKind.MATCH
    assert "2 institutions see the same subject: de-fiu, sg-vasp-1." in alert.reasons
    assert [one.id for one in together.join(sg)] == [alert.id], "adding up again gives the same"
    with sg.act() as conn:
        assert sg.cases.finding(conn, alert.id) == alert
    with sg.act() as conn:
        assert watching.accounts_of(conn, KEY) == {
            AccountId("acct:sg-vasp-1:77"): "sg-vasp-1",
            AccountId("acct:de-vasp-1:77"): "de-fiu",
        }
        assert watching.accounts_of(conn, "document|passport|DE|X") == {}
    case = hops.open_case(sg, [alert.id])
    assert case.subjects == (KEY,)
    for node in nodes.values():
        node.verify()
    assert "match.answered" in log(de) and "match.learned" in log(sg)


def test_what_leaves_is_what_the_decision_says(watching_both: dict[str, Node], net: ModuleType) -> None:
    """ADR 0009: rule, figures, keys; no names, no transfers, no evidence."""
    nodes = watching_both
    together.offer_match(nodes["sg-fiu"], "de-fiu")
    net.settle(nodes)
    request = together.ask_common(nodes["sg-fiu"], "de-fiu")
    net.settle(nodes)
    reply = together.answer(nodes["de-fiu"], request.id, by="Bea Beamtin")
    net.settle(nodes)
    for node in nodes.values():
        for message in all_messages(node):
            words = said(message)
            for secret in (
                "Mustermann",
                "Payer",
                "Hauptstr",
                "1990",
                "sg77-",
                "de77-",
                "acct:sg-vasp-1:sg770",
            ):
                assert secret not in words, (message.kind, secret)
            body = bodies.check(message)
            for finding in getattr(body, "findings", ()):
                assert finding.evidence == () and len(finding.reasons) == 1
            assert getattr(body, "transfers", ()) == ()
            for subject in getattr(body, "subjects", ()):
                assert subject.party.name == ""
    assert KEY in said(request) and KEY in said(reply)
    assert "sg-vasp-1:77" not in said(request), "the asker's account is not named: only what both know"
    assert "C01X00T47" not in said(
        *[m for m in all_messages(nodes["de-fiu"]) if m.kind is MessageKind.MATCH_OFFER]
    )
    assert request.handling.onward_use is OnwardUse.WITH_CONSENT
    assert reply.handling.onward_use is OnwardUse.WITH_CONSENT


def test_a_reply_gives_only_what_was_asked_about(
    watching_both: dict[str, Node], net: ModuleType, stocked: Stock, small: ModuleType, tmp_path: Path
) -> None:
    """The other German customer stays unknown in Singapore."""
    nodes = watching_both
    other = {
        "name": "Erika Muster",
        "identifiers": [{"kind": "passport", "value": "C99X99T99", "country": "DE"}],
    }
    vasp = nodes["de-vasp-1"]
    stocked(vasp, senders=7, account="99")
    held = {"acct:de-vasp-1:77": small.MULE, "acct:de-vasp-1:99": other}
    hops.load_customers(vasp, small.customers(tmp_path / "both.jsonl", held))
    told(nodes, net, "de")
    together.offer_match(nodes["sg-fiu"], "de-fiu")
    net.settle(nodes)
    request = together.ask_common(nodes["sg-fiu"], "de-fiu")
    net.settle(nodes)
    reply = together.answer(nodes["de-fiu"], request.id, by="Bea Beamtin")
    assert "C99X99T99" not in said(reply) and "de-vasp-1:99" not in said(reply)
    body = bodies.check(reply)
    assert isinstance(body, bodies.Reply) and len(body.findings) == 1


def test_nothing_about_a_report_reaches_an_institution(join: Join, stocked: Stock, net: ModuleType) -> None:
    nodes = join("de-fiu", "de-vasp-1", "de-bank-1")
    vasp, fiu, bank = nodes["de-vasp-1"], nodes["de-fiu"], nodes["de-bank-1"]
    case = hops.open_case(vasp, [stocked(vasp)])
    hops.decide(vasp, case.id, Verdict.REPORT, "Ada Officer", "It collects.")
    filing.file(vasp, filing.draft(vasp, case.id, "goaml").id)
    net.settle(nodes)
    before = (len(all_messages(bank)), len(all_messages(vasp)))
    asked = together.ask_watch(fiu, "de-bank-1")
    net.settle(nodes)
    assert "77" not in said(asked) and "report" not in said(asked).lower()
    # The bank asks the exchange, and the FIU, about the account that was reported.
    request = bodies.Request("f", ("r",), "l", "u", ("i",), accounts=(AccountId("acct:de-vasp-1:77"),))
    with bank.act() as conn, pytest.raises(NoGateway):
        send(bank, conn, MessageKind.REQUEST, "de-fiu", bodies.plain(request), purpose="money_laundering")
    with bank.act() as conn:
        ours = send(
            bank, conn, MessageKind.REQUEST, "de-vasp-1", bodies.plain(request), purpose="money_laundering"
        )
    net.settle(nodes)
    with pytest.raises(Refused, match="is told nothing"):
        together.answer(vasp, ours.id, by="Ada Officer")
    # No gateway lets the FIU tell the bank of the report, whatever it tries.
    with fiu.act() as conn:
        report = next(
            m for m in [i.message for i in fiu.mailbox.received(conn)] if m.kind is MessageKind.REPORT
        )
    for kind in (MessageKind.REPORT, MessageKind.SPONTANEOUS, MessageKind.REPLY):
        with fiu.act() as conn, pytest.raises(NoGateway):
            send(
                fiu, conn, kind, "de-bank-1", dict(report.body), purpose="money_laundering", sources=(report,)
            )
    net.settle(nodes)
    assert (len(all_messages(bank)), len(all_messages(vasp))) == (before[0] + 1, before[1] + 1)


def test_only_an_fiu_asks_and_matches(nodes: dict[str, Node]) -> None:
    vasp = nodes["de-vasp-1"]
    with pytest.raises(NotFound, match="is no FIU"):
        together.ask_watch(vasp, "de-fiu")
    with pytest.raises(NotFound, match="is no FIU"):
        together.offer_match(vasp, "de-fiu")
    with pytest.raises(NoGateway):
        together.ask_watch(nodes["sg-fiu"], "de-vasp-1")


def test_what_cannot_be_answered(nodes: dict[str, Node], net: ModuleType, stocked: Stock) -> None:
    fiu, vasp = nodes["de-fiu"], nodes["de-vasp-1"]
    asked = together.ask_watch(fiu, "de-vasp-1")
    net.settle(nodes)
    with pytest.raises(BadInput, match="without a person"):
        together.answer(vasp, asked.id, by=" ")
    with pytest.raises(NotFound):
        together.answer(vasp, "no-such-message", by="Ada Officer")
    reply = together.answer(vasp, asked.id, by="Ada Officer")
    assert reply.body["outcome"] == "nothing"
    with pytest.raises(Conflict, match="answered already"):
        together.answer(vasp, asked.id, by="Ada Officer")
    net.settle(nodes)
    with pytest.raises(Conflict, match="not a request"):
        together.answer(fiu, reply.id, by="Ada Officer")
    with pytest.raises(Conflict, match="nothing in common"):
        together.ask_common(fiu, "sg-fiu")
    assert together.offer_match(fiu, "sg-fiu") == (), "nothing is watched here"


def test_the_budget_ends_the_asking(
    watching_both: dict[str, Node], net: ModuleType, log: Log, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    nodes = watching_both
    sg, de = nodes["sg-fiu"], nodes["de-fiu"]
    monkeypatch.setattr(together, "DAILY_BUDGET", 64)
    together.offer_match(sg, "de-fiu")
    net.settle(nodes)
    assert "message.set_aside" not in log(de)
    together.offer_match(sg, "de-fiu")
    net.settle(nodes)
    assert log(de).count("message.set_aside") == 2
    with de.act() as conn:
        aside = [e for e in de.audit.entries(conn, 0, 1000) if e.kind == "message.set_aside"]
    assert all(e.body["why"] == "Refused" for e in aside)
    assert sum(one.keys is None for one in together.results(sg)) == 2, "these stay without an answer"
    clock.forward(days=1)
    together.offer_match(sg, "de-fiu")
    net.settle(nodes)
    assert sum(one.keys is None for one in together.results(sg)) == 2, "the next day there is a new budget"


def offer(node: Node, peer: str, kind: str, payload: bytes) -> None:
    body = bodies.plain(bodies.Match(kind, bodies.pack(payload)))
    with node.act() as conn:
        send(node, conn, MessageKind.MATCH_OFFER, peer, body, purpose="money_laundering")


@pytest.mark.parametrize(
    ("kind", "payload"), [("telephone", b"x"), ("wallet", b"x"), ("wallet", b"comity match offer 1\n\xff")]
)
def test_hostile_offers_are_set_aside(
    watching_both: dict[str, Node], net: ModuleType, log: Log, kind: str, payload: bytes
) -> None:
    nodes = watching_both
    offer(nodes["sg-fiu"], "de-fiu", kind, payload)
    net.settle(nodes)
    assert log(nodes["de-fiu"])[-1] == "message.set_aside"
    together.offer_match(nodes["sg-fiu"], "de-fiu")
    net.settle(nodes)
    assert any(one.keys for one in together.results(nodes["sg-fiu"]))


def test_an_answer_nobody_waits_for(watching_both: dict[str, Node], net: ModuleType, log: Log) -> None:
    nodes = watching_both
    sg, de = nodes["sg-fiu"], nodes["de-fiu"]
    (first, _) = together.offer_match(sg, "de-fiu")
    net.settle(nodes)
    before = together.results(sg)
    with de.act() as conn:
        asked = de.mailbox.get(conn, "sg-fiu", first).message
        answer = match.Server().answer(
            match.Client().offer(["document|passport|DE|FALSE1"]), ["document|passport|DE|FALSE1"]
        )
        send(
            de,
            conn,
            MessageKind.MATCH_ANSWER,
            "sg-fiu",
            bodies.plain(bodies.Match("document", bodies.pack(answer))),
            purpose="money_laundering",
            in_reply_to=asked,
        )
    net.settle(nodes)
    assert log(sg)[-1] == "message.set_aside"
    assert together.results(sg) == before


def finding(subject: str, **changes: Any) -> Finding:
    made = Finding(
        "f-1",
        FindingKind.TYPOLOGY,
        "fan_in",
        subject,
        Level.WATCH,
        0.5,
        ("Many payers.",),
        (),
        "made up",
        features=(("senders", 900.0),),
    )
    return replace(made, **changes)


def reply(node: Node, recipient: str, found: Finding, asked: Message, *, to: str = "") -> None:
    body = bodies.plain(bodies.Reply(bodies.Outcome.FOUND, "Found.", findings=(found,)))
    with node.act() as conn:
        send(
            node,
            conn,
            MessageKind.REPLY,
            recipient,
            body,
            purpose="money_laundering",
            in_reply_to=replace(asked, id=to or asked.id),
        )


def rows(node: Node) -> int:
    with node.act() as conn:
        return int(conn.execute(text("SELECT count(*) FROM node_watch")).scalar_one())


def test_nobody_puts_figures_in_unasked(watching_both: dict[str, Node], net: ModuleType, log: Log) -> None:
    nodes = watching_both
    sg, de = nodes["sg-fiu"], nodes["de-fiu"]
    held = rows(de)
    # A reply to no request of ours, and one to a request that went to somebody else.
    with de.act() as conn:
        theirs = next(o.message for o in de.mailbox.sent(conn) if o.message.kind is MessageKind.REQUEST)
    reply(sg, "de-fiu", finding(KEY), theirs, to="never-asked")
    net.settle(nodes)
    assert log(de)[-1] == "message.set_aside"
    reply(sg, "de-fiu", finding(KEY), theirs)
    net.settle(nodes)
    assert log(de)[-1] == "message.set_aside"
    # A request whose figures are about others than those it names.
    body = bodies.Request(
        "f", ("r",), "l", "u", ("i",), accounts=(AccountId("acct:de-vasp-1:1"),), findings=(finding(KEY),)
    )
    with sg.act() as conn:
        send(sg, conn, MessageKind.REQUEST, "de-fiu", bodies.plain(body), purpose="money_laundering")
    net.settle(nodes)
    assert rows(de) == held
    assert together.join(de) == ()


def test_a_partners_reply_about_others_is_not_kept(watching_both: dict[str, Node], net: ModuleType) -> None:
    nodes = watching_both
    sg, de = nodes["sg-fiu"], nodes["de-fiu"]
    together.offer_match(sg, "de-fiu")
    net.settle(nodes)
    asked = together.ask_common(sg, "de-fiu")
    net.settle(nodes)
    held = rows(sg)
    reply(de, "sg-fiu", finding("account|acct:sg-vasp-1:1"), asked)
    net.settle(nodes)
    assert rows(sg) == held


def test_rules_nobody_here_knows_are_left_out(nodes: dict[str, Node], net: ModuleType) -> None:
    fiu, vasp = nodes["de-fiu"], nodes["de-vasp-1"]
    asked = together.ask_watch(fiu, "de-vasp-1")
    net.settle(nodes)
    reply(vasp, "de-fiu", finding("acct:de-vasp-1:77", rule="../../evil"), asked)
    net.settle(nodes)
    assert rows(fiu) == 0
    assert together.join(fiu) == ()


def test_a_new_answer_replaces_the_old(watching_both: dict[str, Node], net: ModuleType) -> None:
    nodes = watching_both
    held = rows(nodes["de-fiu"])
    told(nodes, net, "de")
    assert rows(nodes["de-fiu"]) == held == 1


def test_a_source_that_left_the_network_is_passed_over(watching_both: dict[str, Node]) -> None:
    de = watching_both["de-fiu"]
    gone = Message(
        "m-1",
        MessageKind.REPLY,
        "de-bank-9",
        "de-fiu",
        "c",
        de.clock(),
        de.clock() + timedelta(days=1),
        all_messages(de)[0].handling,
    )
    with de.act() as conn:
        keep(conn, gone, [Watched(finding(KEY, id="f-9"), (KEY,))])
        assert {item.source for item in watching.watched(conn, own=de)} == {"de-vasp-1"}


def test_what_cannot_be_matched_on_does_not_spoil_the_rest(small: ModuleType) -> None:
    from comity.model import Identifier, Party

    party = Party(
        "",
        identifiers=(
            Identifier("passport", "C01X00T47", "DE"),
            Identifier("passport", "C01X00T47"),
            Identifier("passport", "1", "DE"),
            Identifier("email", "a@example.org"),
            Identifier("lei", "529900T8BM49AURSDO55"),
        ),
    )
    accounts = [AccountId("acct:de-vasp-1:77"), AccountId("iban:DE00370400440532013000")]
    assert matchable(accounts, [party]) == ("account|acct:de-vasp-1:77", KEY)
    assert IdentifierKind.LEI not in watching.KINDS


def test_an_institution_gets_no_match(join: Join, stocked: Stock, net: ModuleType, log: Log) -> None:
    """The gateways of some countries let its offer pass; what others watch is still not told."""
    nodes = join("de-fiu", "de-vasp-1", "de-vasp-2")
    stocked(nodes["de-vasp-1"], senders=6)
    told(nodes, net, "de")
    asker = nodes["de-vasp-2"]
    body = bodies.Match("document", bodies.pack(match.Client().offer([KEY])))
    with asker.act() as conn:
        send(asker, conn, MessageKind.MATCH_OFFER, "de-fiu", bodies.plain(body), purpose="money_laundering")
    net.settle(nodes)
    assert all_messages(asker) == []
    assert log(nodes["de-fiu"])[-1] == "message.set_aside"

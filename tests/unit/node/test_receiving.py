from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError

from comity.errors import BadInput, Conflict, NoGateway, TooLarge, Unverified
from comity.exchange import bodies, envelope
from comity.model import Handling, Message, MessageKind, OnwardUse
from comity.node import receiving
from comity.node.node import Node
from comity.node.receiving import process_inbox, receive
from comity.node.sending import send

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]
SPONTANEOUS = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))


@pytest.fixture
def nodes(join: Join) -> dict[str, Node]:
    return join("de-fiu", "sg-fiu", "ae-fiu", "de-vasp-1")


def fingerprint(node: Node) -> str:
    return node.directory.member(node.settings.id).tls_fingerprint


def forge(node: Node, recipient: str, **changes: Any) -> bytes:
    """An envelope that this node's own sending would not have made."""
    now = node.clock()
    message = Message(
        node.ids(),
        MessageKind.SPONTANEOUS,
        node.settings.id,
        recipient,
        "c-1",
        now,
        now + timedelta(days=1),
        Handling("money_laundering", OnwardUse.WITH_CONSENT, "a law"),
        SPONTANEOUS,
    )
    return envelope.seal(replace(message, **changes), node.keys, node.directory.member(recipient))


def test_a_replay_gives_a_receipt_and_no_second_effect(nodes: dict[str, Node], log: Log, clock: Any) -> None:
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]
    sealed = forge(de, "sg-fiu")
    first = receive(sg, sealed, fingerprint(de))
    assert process_inbox(sg) == 1
    before = log(sg)
    clock.forward(hours=2)
    assert receive(sg, sealed, fingerprint(de)) == first
    assert process_inbox(sg) == 0
    assert log(sg) == before
    assert before[-1] == "message.received"
    with sg.act() as conn:
        assert sg.mailbox.counts(conn) == (1, 0)


@pytest.mark.parametrize("certificate", ["", "0" * 64, "sg-fiu's", "ae-fiu's"])
def test_only_over_the_senders_own_connection(nodes: dict[str, Node], log: Log, certificate: str) -> None:
    if certificate.endswith("'s"):
        certificate = fingerprint(nodes[certificate[:-2]])
    sg, before = nodes["sg-fiu"], log(nodes["sg-fiu"])
    with pytest.raises(Unverified, match="another member's"):
        receive(sg, forge(nodes["de-fiu"], "sg-fiu"), certificate)
    assert log(sg) == before


def test_a_message_to_another_member(nodes: dict[str, Node]) -> None:
    de, sealed = nodes["de-fiu"], forge(nodes["de-fiu"], "ae-fiu")
    with pytest.raises(Unverified) as refused:
        receive(nodes["sg-fiu"], sealed, fingerprint(de))
    assert "ae-fiu" in refused.value.why


def test_changed_on_its_way(nodes: dict[str, Node]) -> None:
    de, sealed = nodes["de-fiu"], bytearray(forge(nodes["de-fiu"], "sg-fiu"))
    sealed[-1] ^= 1
    with pytest.raises(Unverified):
        receive(nodes["sg-fiu"], bytes(sealed), fingerprint(de))
    for junk in (b"", b"\x01", b"\x01\x00\x05hello", b"<html>" * 1000):
        with pytest.raises(BadInput):
            receive(nodes["sg-fiu"], junk, fingerprint(de))
    with pytest.raises(TooLarge):
        receive(nodes["sg-fiu"], bytes(envelope.MAX_ENVELOPE + 1), fingerprint(de))


def test_too_late(nodes: dict[str, Node], clock: Any, log: Log) -> None:
    de, sealed = nodes["de-fiu"], forge(nodes["de-fiu"], "sg-fiu")
    before = log(nodes["sg-fiu"])
    clock.forward(days=2)
    with pytest.raises(Unverified) as refused:
        receive(nodes["sg-fiu"], sealed, fingerprint(de))
    assert "expired" in refused.value.why
    assert log(nodes["sg-fiu"]) == before


def test_a_stranger(nodes: dict[str, Node], net: ModuleType, tmp_path: Any, clock: Any) -> None:
    others = net.network(tmp_path / "others", ("us-fiu", "sg-fiu"), clock)
    sealed = forge(others["us-fiu"], "sg-fiu")
    with pytest.raises(Unverified, match="not in the directory"):
        receive(nodes["sg-fiu"], sealed, fingerprint(others["us-fiu"]))
    for node in others.values():
        node.close()


def test_a_member_under_its_own_name_with_anothers_id(nodes: dict[str, Node]) -> None:
    """The same id with another content is not taken for the first message."""
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]
    receive(sg, forge(de, "sg-fiu", id="m-1"), fingerprint(de))
    with pytest.raises(Unverified, match="another content"):
        receive(sg, forge(de, "sg-fiu", id="m-1", conversation="c-2"), fingerprint(de))


def test_the_receiving_end_asks_its_own_law(nodes: dict[str, Node], log: Log) -> None:
    vasp, fiu = nodes["de-vasp-1"], nodes["sg-fiu"]
    before = log(vasp)
    freeze = {
        "accounts": ["acct:de-vasp-1:77"],
        "legal_basis": "we would like to",
        "grounds": "It collects.",
    }
    sealed = forge(fiu, "de-vasp-1", kind=MessageKind.FREEZE_REQUEST, body=freeze)
    with pytest.raises(NoGateway, match="fiu_to_obliged") as refused:
        receive(vasp, sealed, fingerprint(fiu))
    assert "FIU of DE" in refused.value.remedy
    sealed = forge(fiu, "de-vasp-1")
    with pytest.raises(NoGateway):
        receive(vasp, sealed, fingerprint(fiu))
    assert log(vasp) == before


def test_a_body_that_does_not_fit_its_kind(nodes: dict[str, Node], log: Log) -> None:
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]
    before = log(sg)
    for body in ({}, {"facts": 7}, {**SPONTANEOUS, "findings": [{"id": "x"}]}):
        with pytest.raises(BadInput):
            receive(sg, forge(de, "sg-fiu", body=body), fingerprint(de))
    assert log(sg) == before


def test_a_poison_message_is_set_aside_and_the_next_one_processed(
    nodes: dict[str, Node], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]
    done: list[str] = []

    def effect(node: Node, conn: Any, message: Message) -> None:
        node.record(conn, "effect.begun", {})
        if message.id == "m-1":
            raise Conflict("this one cannot be")
        if message.id == "m-2":
            raise DataError("insert", {}, ValueError("NUL"))
        if message.id == "m-3":
            raise ZeroDivisionError("ours")
        done.append(message.id)

    monkeypatch.setattr(receiving, "EFFECTS", {MessageKind.SPONTANEOUS: effect})
    for number in (1, 2, 3, 4):
        receive(sg, forge(de, "sg-fiu", id=f"m-{number}"), fingerprint(de))
        sg.clock.forward(seconds=1)  # type: ignore[attr-defined]
    assert process_inbox(sg) == 4
    assert done == ["m-4"]
    assert log(sg)[-4:] == [*["message.set_aside"] * 3, "effect.begun"]
    with sg.act() as conn:
        first, second, third, _ = sg.audit.entries(conn, sg.audit.size(conn) - 4)
        assert sg.mailbox.unprocessed(conn) == ()
    assert (first.body["message"], first.body["why"]) == ("m-1", "Conflict"), "its words may name a subject"
    assert "database cannot keep" in str(second.body["why"])
    assert "a fault in this node" in str(third.body["why"])
    assert process_inbox(sg) == 0


def test_when_the_database_fails_nothing_is_set_aside(
    nodes: dict[str, Node], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]

    def locked(node: Node, conn: Any, message: Message) -> None:
        raise OperationalError("update", {}, Exception("database is locked"))

    receive(sg, forge(de, "sg-fiu"), fingerprint(de))
    before = log(sg)
    with monkeypatch.context() as trouble:
        trouble.setattr(receiving, "EFFECTS", {MessageKind.SPONTANEOUS: locked})
        with pytest.raises(OperationalError):
            process_inbox(sg)
    assert log(sg) == before
    assert process_inbox(sg) == 1


def test_a_message_joins_the_case_of_its_conversation(
    nodes: dict[str, Node], net: ModuleType, stocked: Callable[..., str]
) -> None:
    from comity.model import Verdict
    from comity.node import filing, hops

    vasp, fiu = nodes["de-vasp-1"], nodes["de-fiu"]
    case = hops.open_case(vasp, [stocked(vasp)])
    hops.decide(vasp, case.id, Verdict.REPORT, "Ada Officer", "It collects.")
    report = filing.file(vasp, filing.draft(vasp, case.id, "goaml").id)
    net.settle(nodes)
    with fiu.act() as conn:
        came = fiu.mailbox.get(conn, "de-vasp-1", report.id).message
        send(
            fiu,
            conn,
            MessageKind.FEEDBACK,
            "de-vasp-1",
            bodies.plain(bodies.Feedback(bodies.Outcome.FOUND, "It led to a freeze.")),
            purpose="money_laundering",
            in_reply_to=came,
        )
    net.settle(nodes)
    with vasp.act() as conn:
        said = conn.execute(text("SELECT hop, text FROM node_event ORDER BY idx")).all()
        linked = conn.execute(text("SELECT count(*) FROM node_case_message")).scalar_one()
    assert said[-1] == ("act", "Feedback came from de-fiu")
    assert linked == 2


def test_who_calls_is_there_to_be_called(nodes: dict[str, Node], clock: Any) -> None:
    de, sg = nodes["de-fiu"], nodes["sg-fiu"]
    with sg.act() as conn:
        waiting = send(sg, conn, MessageKind.SPONTANEOUS, "de-fiu", SPONTANEOUS, purpose="money_laundering")
        sg.mailbox.failed(conn, waiting.id, "ConnectError", clock())
        assert sg.mailbox.due(conn, clock()) == ()
    receive(sg, forge(de, "sg-fiu"), fingerprint(de))
    with sg.act() as conn:
        assert [item.message.id for item in sg.mailbox.due(conn, clock())] == [waiting.id]

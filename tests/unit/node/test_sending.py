from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from comity.errors import BadInput, NoGateway, NotFound, Refused, Unverified
from comity.exchange import bodies
from comity.model import AccountId, Finding, Level, Message, MessageKind, OnwardUse
from comity.model.finding import FindingKind
from comity.node import finding_together as together
from comity.node.node import Node
from comity.node.sending import send
from comity.node.watching import Watched, keep

Join = Callable[..., dict[str, Node]]
Log = Callable[[Node], list[str]]
SPONTANEOUS = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))
FREEZE = bodies.plain(bodies.FreezeRequest((AccountId("acct:de-vasp-1:77"),), "a law", "It collects."))


@pytest.fixture
def nodes(join: Join) -> dict[str, Node]:
    return join("de-fiu", "sg-fiu", "us-fiu", "ae-fiu", "de-vasp-1", "sg-vasp-1")


def tell(
    node: Node,
    recipient: str,
    kind: MessageKind = MessageKind.SPONTANEOUS,
    body: dict[str, object] = SPONTANEOUS,
    **more: Any,
) -> Message:
    with node.act() as conn:
        return send(node, conn, kind, recipient, body, **{"purpose": "money_laundering", **more})


def test_a_message_says_under_which_laws_it_passed(nodes: dict[str, Node], log: Log) -> None:
    message = tell(nodes["de-fiu"], "sg-fiu")
    assert "GwG" in message.handling.legal_basis and "CDSA" in message.handling.legal_basis
    assert message.handling.onward_use is OnwardUse.WITH_CONSENT
    assert any("Confidence in" in caveat for caveat in message.handling.caveats), "never silently relied on"
    node = nodes["de-fiu"]
    with node.act() as conn:
        entry = node.audit.entries(conn, node.audit.size(conn) - 1, 1)[0]
        held = node.mailbox.outgoing(conn, message.id)
    assert entry.kind == "message.sent"
    assert entry.body["digest"] == held.digest
    assert [str(p).split(":")[0] for p in entry.body["provisions"]] == ["de", "sg"]  # type: ignore[attr-defined]
    assert b"mule" not in held.sealed


@pytest.mark.parametrize(
    ("sender", "recipient", "kind", "body", "names"),
    [
        (
            "sg-fiu",
            "de-vasp-1",
            MessageKind.FREEZE_REQUEST,
            FREEZE,
            ("gateway.fiu_to_obliged", "cross-border"),
        ),
        ("sg-fiu", "sg-vasp-1", MessageKind.FREEZE_REQUEST, FREEZE, ("gateway.fiu_to_obliged.freeze", "SG")),
        ("sg-fiu", "de-vasp-1", MessageKind.REQUEST, None, ("gateway.fiu_to_obliged", "cross-border")),
        ("de-vasp-1", "sg-vasp-1", MessageKind.SPONTANEOUS, SPONTANEOUS, ("gateway.obliged_to_obliged",)),
        ("de-vasp-1", "sg-fiu", MessageKind.SPONTANEOUS, SPONTANEOUS, ("gateway.obliged_to_fiu",)),
        ("de-fiu", "de-vasp-1", MessageKind.SPONTANEOUS, SPONTANEOUS, ("gateway.fiu_to_obliged",)),
    ],
)
def test_no_gateway(
    nodes: dict[str, Node], log: Log, sender: str, recipient: str, kind: MessageKind, body: Any, names: Any
) -> None:
    node = nodes[sender]
    before = log(node)
    with pytest.raises(NoGateway) as refused:
        if body is None:
            together.ask_watch(node, recipient)
        else:
            tell(node, recipient, kind, body)
    for name in names:
        assert name in refused.value.what + refused.value.why
    assert refused.value.remedy
    assert log(node) == before, "nothing is left of it"
    with node.act() as conn:
        assert node.mailbox.counts(conn) == (0, 0)


def test_a_purpose_the_law_does_not_name(nodes: dict[str, Node]) -> None:
    with pytest.raises(NoGateway, match="may not pass") as refused:
        tell(nodes["de-fiu"], "sg-fiu", purpose="supervision")
    assert "supervision" in refused.value.why
    with pytest.raises(BadInput, match="curiosity"):
        tell(nodes["de-fiu"], "sg-fiu", purpose="curiosity")


def test_nobody_of_that_name(nodes: dict[str, Node]) -> None:
    with pytest.raises(NotFound, match="fr-fiu"):
        tell(nodes["de-fiu"], "fr-fiu")


def test_a_member_whose_entry_is_over(nodes: dict[str, Node], net: ModuleType, clock: Any) -> None:
    clock.forward(days=80)
    assert tell(nodes["de-fiu"], "sg-fiu")
    clock.forward(days=20)
    with pytest.raises(Unverified, match="expired"):
        tell(nodes["de-fiu"], "sg-fiu")


def test_a_body_that_lacks_what_it_must_have(nodes: dict[str, Node], log: Log) -> None:
    before = log(nodes["de-fiu"])
    with pytest.raises(BadInput, match="nobody would read"):
        tell(nodes["de-fiu"], "sg-fiu", body={**SPONTANEOUS, "gossip": "x"})
    with pytest.raises(BadInput):
        tell(nodes["de-fiu"], "sg-fiu", body={"facts": "x"})
    with pytest.raises(BadInput, match="answers nothing"):
        tell(
            nodes["de-fiu"],
            "sg-fiu",
            MessageKind.REFUSAL,
            bodies.plain(bodies.Refusal(bodies.Ground.PREJUDICE, "It would harm.")),
        )
    assert log(nodes["de-fiu"]) == before


def received(nodes: dict[str, Node], net: ModuleType, **more: Any) -> Message:
    """What sg-fiu told de-fiu, as de-fiu has it."""
    message = tell(nodes["sg-fiu"], "de-fiu", **more)
    net.settle(nodes)
    with nodes["de-fiu"].act() as conn:
        return nodes["de-fiu"].mailbox.get(conn, "sg-fiu", message.id).message


def test_what_came_with_consent_needed_is_not_forwarded(
    nodes: dict[str, Node], net: ModuleType, log: Log
) -> None:
    source = received(nodes, net)
    assert source.handling.onward_use is OnwardUse.WITH_CONSENT
    before = log(nodes["de-fiu"])
    with pytest.raises(Refused, match="without consent") as refused:
        tell(nodes["de-fiu"], "ae-fiu", sources=(source,))
    assert "sg-fiu" in refused.value.remedy
    assert log(nodes["de-fiu"]) == before
    back = tell(nodes["de-fiu"], "sg-fiu", sources=(source,))
    assert back.recipient == "sg-fiu", "its owner may have its own back"


def test_no_onward_use_means_none(nodes: dict[str, Node], net: ModuleType) -> None:
    source = received(nodes, net, onward=OnwardUse.NONE)
    with pytest.raises(Refused, match="may not be passed on"):
        tell(nodes["de-fiu"], "ae-fiu", sources=(source,))


def test_terms_are_inherited(nodes: dict[str, Node], net: ModuleType) -> None:
    source = received(nodes, net, caveats=("Singapore's source is in danger.",))
    freer = replace(source, handling=replace(source.handling, onward_use=OnwardUse.FREE))
    onward = tell(nodes["de-fiu"], "ae-fiu", sources=(freer,))
    assert "Singapore's source is in danger." in onward.handling.caveats
    assert onward.handling.onward_use is OnwardUse.WITH_CONSENT, "the law's own limit"


def test_past_its_retention_nothing_is_passed_on(nodes: dict[str, Node], net: ModuleType, clock: Any) -> None:
    source = received(nodes, net)
    gone = replace(source, handling=replace(source.handling, retain_until=clock()))
    with pytest.raises(Refused, match="no longer be used"):
        tell(nodes["de-fiu"], "sg-fiu", sources=(gone,))


def test_what_an_institution_gave_on_its_terms_is_not_given_to_a_partner(
    nodes: dict[str, Node], net: ModuleType
) -> None:
    """Finding together passes on what institutions told: their terms bind there, too."""
    fiu, key = nodes["de-fiu"], "document|passport|DE|C01X00T47"
    asked = together.ask_watch(fiu, "de-vasp-1")
    net.settle(nodes)
    with nodes["de-vasp-1"].act() as conn:
        reply = send(
            nodes["de-vasp-1"],
            conn,
            MessageKind.REPLY,
            "de-fiu",
            bodies.plain(bodies.Reply(bodies.Outcome.NOTHING, "Nothing.")),
            purpose="money_laundering",
            onward=OnwardUse.NONE,
            in_reply_to=asked,
        )
    net.settle(nodes)
    finding = Finding("f", FindingKind.TYPOLOGY, "fan_in", key, Level.WATCH, 0.5, ("Six payers.",), (), "x")
    request = bodies.Request(
        "f",
        ("r",),
        "l",
        "u",
        ("i",),
        subjects=together.holders([Watched(finding, (key,), (AccountId("acct:de-vasp-1:77"),))]),
    )
    with fiu.act() as conn:
        keep(conn, reply, [Watched(finding, (key,))])
    ours = tell(nodes["sg-fiu"], "de-fiu", MessageKind.REQUEST, bodies.plain(request))
    net.settle(nodes)
    with pytest.raises(Refused, match="may not be passed on"):
        together.answer(fiu, ours.id, by="Ada Officer")

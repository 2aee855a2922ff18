from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from comity import codec
from comity.errors import BadInput
from comity.exchange import bodies
from comity.model import BTC, AccountId, Amount, Handling, MeasureState, Message, MessageKind, Party, Subject

WALLET = AccountId.parse("eip155:1:0xab")
REQUEST = bodies.Request(
    facts="Wallet 0xab received 40 ransom payments in May.",
    reasons=("It is named in case 7.",),
    link="It is hosted by a VASP you licensed.",
    intended_use="Intelligence in case 7.",
    items=("Who holds the account?",),
    urgency=bodies.Urgency.URGENT,
    subjects=(Subject(Party("Jean Petit"), (WALLET,)),),
    accounts=(WALLET,),
    needed_by=datetime.fromisoformat("2026-12-01T00:00:00Z"),
)
EXAMPLES: dict[MessageKind, bodies.Body] = {
    MessageKind.REQUEST: REQUEST,
    MessageKind.REPLY: bodies.Reply(bodies.Outcome.FOUND, "It is held by J. P."),
    MessageKind.SPONTANEOUS: bodies.Spontaneous("A fact.", ("A reason.",), "A link.", accounts=(WALLET,)),
    MessageKind.REPORT: bodies.Filing("goaml", "STR-1", bodies.pack(b"<report/>")),
    MessageKind.REFUSAL: bodies.Refusal(bodies.Ground.NO_GATEWAY, "Our law does not allow it.", "Art. 1"),
    MessageKind.FREEZE_REQUEST: bodies.FreezeRequest(
        (WALLET,), "Art. 2", "It moves now.", amount=Amount(Decimal("1.5"), BTC)
    ),
    MessageKind.FREEZE_REPLY: bodies.FreezeReply(
        MeasureState.IN_FORCE, "Held.", "x-1", (WALLET,), (Amount(Decimal(2), BTC),)
    ),
    MessageKind.MATCH_OFFER: bodies.Match("wallet", bodies.pack(b"\x00\xff")),
    MessageKind.MATCH_ANSWER: bodies.Match("wallet", bodies.pack(b"\x01")),
    MessageKind.FEEDBACK: bodies.Feedback(bodies.Outcome.FOUND, "It led to a freeze.", ("x-1",)),
}


def test_every_kind_has_a_schema_and_an_example() -> None:
    assert set(bodies.SCHEMAS) == set(EXAMPLES) == set(MessageKind)


@pytest.mark.parametrize("kind", MessageKind)
def test_bodies_survive_the_wire(write: Callable[..., Message], kind: MessageKind) -> None:
    message = write(kind=kind, body=bodies.plain(EXAMPLES[kind]))
    again = codec.from_json(Message, codec.to_json(message))
    assert bodies.check(again) == EXAMPLES[kind]


@pytest.mark.parametrize("kind", MessageKind)
def test_each_mandatory_content_is_missed_by_name(write: Callable[..., Message], kind: MessageKind) -> None:
    body = bodies.plain(EXAMPLES[kind])
    for name in bodies.SCHEMAS[kind].MUST:
        with pytest.raises(BadInput, match=name):
            bodies.check(write(kind=kind, body={key: value for key, value in body.items() if key != name}))
        blank: object = " " if isinstance(body[name], str) else []
        with pytest.raises(BadInput, match=f"lacks {name}"):
            bodies.check(write(kind=kind, body=body | {name: blank}))


def test_terms_and_answers(write: Callable[..., Message]) -> None:
    with pytest.raises(BadInput, match="no purpose"):
        bodies.check(write(handling=Handling(" ")))
    with pytest.raises(BadInput, match="answers nothing"):
        bodies.check(write(in_reply_to=""))
    bodies.check(
        write(kind=MessageKind.FEEDBACK, in_reply_to="", body=bodies.plain(EXAMPLES[MessageKind.FEEDBACK]))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"urgency": "very"},
        {"accounts": ["not an account"]},
        {"accounts": "eip155:1:0xab"},
        {"reasons": [1]},
        {"surprise": 1},
        {"needed_by": "soon"},
    ],
)
def test_content_that_does_not_fit(write: Callable[..., Message], change: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        bodies.check(write(kind=MessageKind.REQUEST, body=bodies.plain(REQUEST) | change))


def test_payloads_are_base64() -> None:
    assert bodies.unpack(bodies.pack(bytes(range(256)))) == bytes(range(256))
    for wrong in ("*", "YQ", "YQ=\n="):
        with pytest.raises(BadInput, match="base64"):
            bodies.Match("wallet", wrong)
    with pytest.raises(BadInput, match="lacks facts"):
        replace(REQUEST, facts="")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"first": "2026-01-01T00:00:00"}, "without its offset"),
        ({"score": 1e308}, "out of bounds"),
        ({"score": "NaN"}, "out of bounds"),
        ({"features": [["senders", -1.0]]}, "out of bounds"),
        ({"features": [["senders", "inf"]]}, "out of bounds"),
        ({"reasons": []}, "no reason"),
    ],
)
def test_a_finding_that_would_spoil_sums(
    write: Callable[..., Message], change: dict[str, object], says: str
) -> None:
    found = {
        "id": "f",
        "kind": "typology",
        "rule": "fan_in",
        "subject": "s",
        "level": "watch",
        "score": 0.5,
        "reasons": ["Many."],
        "evidence": [],
        "source": "made up",
        "features": [["senders", 3.0]],
    }
    body = {"outcome": "found", "facts": "Found."}
    message = write(kind=MessageKind.REPLY, body={**body, "findings": [found]}, in_reply_to="m-0")
    bodies.check(message)
    with pytest.raises(BadInput, match=says):
        bodies.check(replace(message, body={**body, "findings": [{**found, **change}]}))


def test_terms_with_a_time_that_cannot_be_compared(write: Callable[..., Message]) -> None:
    message = write(kind=MessageKind.REPLY, body={"outcome": "found", "facts": "Found."}, in_reply_to="m-0")
    terms = replace(message.handling, retain_until=datetime(2027, 1, 1))  # noqa: DTZ001
    with pytest.raises(BadInput, match="without its offset"):
        bodies.check(replace(message, handling=terms))

"""Measuring against a made-up truth: what counts as found, as false, as disclosed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from comity.app.demo import measure
from comity.cooperation.value import Disclosure
from comity.exchange import bodies
from comity.model import (
    AccountId,
    Finding,
    FindingKind,
    Handling,
    Identifier,
    Level,
    Message,
    MessageKind,
    Party,
    Subject,
)
from comity.training.scheme import Scheme, SchemeKind

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WALLET = "eip155:1:0x" + "ab" * 20
ANN, BOB, EVE = "acct:sg-vasp-1:1", "acct:de-vasp-1:2", "acct:de-vasp-1:3"


def party(number: str, country: str = "SG") -> Party:
    return Party("Somebody", identifiers=(Identifier("passport", number, country),))


ANN_PARTY = party("K1234567")
BOOK = measure.Book(
    {"sg-vasp-1": {ANN: ANN_PARTY}, "de-vasp-1": {BOB: party("C2222222", "DE"), EVE: ANN_PARTY}}
)


def scheme(
    id_: str, transfers: Sequence[str], subjects: Sequence[str], accounts: Sequence[str] = ()
) -> Scheme:
    return Scheme(
        id_,
        SchemeKind.FAN_IN,
        "",
        tuple(accounts),
        tuple(subjects),
        tuple(transfers),
        ("sg-vasp-1",),
        ("SG",),
        NOW,
        NOW,
    )


def finding(
    id_: str, subject: str, evidence: Sequence[str], level: Level = Level.ALERT, rule: str = "fan_in"
) -> Finding:
    return Finding(
        id_, FindingKind.TYPOLOGY, rule, subject, level, 0.5, ("It looks bad.",), tuple(evidence), "x"
    )


def joint(subject: str, rule: str = "fan_in") -> Finding:
    return Finding("m", FindingKind.MATCH, rule, subject, Level.ALERT, 0.9, ("Together.",), (), "x")


SCHEMES = (
    scheme("fan-in-01", ["t1", "t2", "t3"], [WALLET], [WALLET]),
    scheme("fan-in-02", ["t4", "t5"], ["passport/SG/K1234567"], [ANN]),
)
OWNER = measure.owners([f"t{n}" for n in range(1, 10)], SCHEMES)


def test_an_alert_is_about_a_scheme_when_most_of_its_transfers_are_the_schemes() -> None:
    assert measure.about(["t1", "t2", "t9"], OWNER) == "fan-in-01"
    assert measure.about(["t1", "t9"], OWNER) == ""  # half is not most
    assert measure.about(["t1", "t4", "t5"], OWNER) == "fan-in-02"
    assert measure.about(["t8", "t9", "t1"], OWNER) == ""
    assert measure.about(["ofac_sdn:12345", "t1"], OWNER) == "fan-in-01"  # a list's entry is no transfer
    assert measure.about([], OWNER) == ""


def test_found_alone_together_and_in_error() -> None:
    findings = {
        "sg-vasp-1": (
            finding("a", ANN, ["t4", "t5"]),  # alone
            finding("b", WALLET, ["t1", "t2"], Level.WATCH),  # too weak
            finding("c", "acct:sg-vasp-1:9", ["t8"]),  # in error
        ),
        "de-vasp-1": (
            finding("d", WALLET, ["t3"], Level.WATCH),
            finding("e", BOB, ["t9"]),  # in error
            finding("f", BOB, ["t8", "t9"], rule="structuring"),  # in error, the same person
        ),
    }
    together = {"de-fiu": (joint(f"wallet|{WALLET}"), joint("document|passport|DE|C2222222")), "sg-fiu": ()}
    found = measure.found(SCHEMES, OWNER, BOOK, findings, together, [])
    assert found.alone == {"sg-vasp-1": {"fan-in-02"}, "de-vasp-1": frozenset()}
    assert found.watched == {"sg-vasp-1": {"fan-in-01"}, "de-vasp-1": {"fan-in-01"}}
    assert found.joint == {"de-fiu": {"fan-in-01"}, "sg-fiu": frozenset()}
    assert found.alerts == {"sg-vasp-1": 2, "de-vasp-1": 2, "de-fiu": 2, "sg-fiu": 0}
    value = found.value
    assert (value.planted, value.alone, value.gained) == (2, ("fan-in-02",), ("fan-in-01",))
    # the joint alert about Bob rests on honest payments; he was accused in error before, and counts once
    assert (value.false_alone, value.false_together) == (2, 2)
    assert found.never == ()


def test_a_joint_alert_of_another_rule_does_not_borrow_evidence() -> None:
    findings = {"sg-vasp-1": (finding("b", WALLET, ["t1", "t2"], Level.WATCH),)}
    found = measure.found(
        SCHEMES, OWNER, BOOK, findings, {"de-fiu": (joint(f"wallet|{WALLET}", "structuring"),)}, []
    )
    assert found.joint == {"de-fiu": frozenset()}
    assert found.value.together == ()
    assert found.value.false_together == 1
    assert found.never == ("fan-in-01", "fan-in-02")


def test_one_person_has_one_name_whatever_the_account() -> None:
    key = "document|passport|SG|K1234567"
    assert {BOOK.who(ANN), BOOK.who(EVE), BOOK.who(f"account|{ANN}"), BOOK.who(key)} == {key}
    assert BOOK.who(WALLET) == f"wallet|{WALLET}"
    assert BOOK.who(f"wallet|{WALLET}") == f"wallet|{WALLET}"


def message(kind: MessageKind, sender: str, recipient: str, body: bodies.Body, answers: str = "") -> Message:
    return Message(
        f"{kind}-{sender}",
        kind,
        sender,
        recipient,
        "c",
        NOW,
        NOW + timedelta(days=1),
        Handling("money_laundering"),
        bodies.plain(body),
        answers,
    )


def test_what_was_disclosed() -> None:
    reply = bodies.Reply(
        bodies.Outcome.FOUND,
        "One.",
        subjects=(Subject(Party("", identifiers=ANN_PARTY.identifiers), (AccountId(ANN),)),),
        findings=(finding("a", ANN, []), finding("b", WALLET, [])),
    )
    blinded = bodies.Match("document", bodies.pack(b"points"))
    filing = bodies.Filing("goaml", "report.xml", bodies.pack(b"<report/>"))
    messages = [
        message(MessageKind.REPLY, "sg-vasp-1", "sg-fiu", reply, "q"),
        message(MessageKind.MATCH_OFFER, "sg-fiu", "de-fiu", blinded),
        message(MessageKind.MATCH_ANSWER, "de-fiu", "sg-fiu", blinded, "o"),
        message(MessageKind.REPORT, "de-vasp-1", "de-fiu", filing),
    ]
    common = {("sg-fiu", "de-fiu"): frozenset({"document|passport|SG|K1234567", f"wallet|{WALLET}"})}
    told = measure.disclosed(messages, BOOK, common=common, filed={"report.xml": [BOB]})
    ann, bob = "document|passport|SG|K1234567", "document|passport|DE|C2222222"
    assert [(each.items, each.subjects) for each in told] == [
        (4, (ann, f"wallet|{WALLET}")),
        (0, ()),
        (1, (ann,)),  # the wallet was in another match
        (1, (bob,)),
    ]
    assert all(each.bytes > 20 for each in told)
    value = measure.found(SCHEMES, OWNER, BOOK, {}, {}, told).value
    assert (value.messages, value.subjects, value.innocent) == (4, 3, 1)


def test_disclosures_are_counted_from_what_was_given() -> None:
    given = [Disclosure("a", "b", 10, 1, ("document|passport|SG|K1234567",))]
    value = measure.found(SCHEMES, OWNER, BOOK, {}, {}, given).value
    assert (value.bytes, value.items, value.innocent) == (10, 1, 0)

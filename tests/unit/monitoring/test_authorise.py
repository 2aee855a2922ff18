from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.errors import BadInput
from comity.ledger.columns import build
from comity.model import (
    AccountId,
    Amount,
    AssetId,
    Attribution,
    Confidence,
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Party,
    Role,
    Ruling,
    Transfer,
)
from comity.monitoring.authorise import Authoriser, Velocity
from comity.monitoring.run import monitor
from comity.standard.judge import Judge
from comity.standard.load import load

USD = AssetId("iso4217:USD")
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BAD = "eip155:1:0x00000000000000000000000000000000000000bd"
A, B = "acct:us-vasp:1", "acct:de-vasp:2"


def transfer(source: str = A, target: str = B, value: str = "500", *, name: str = "t", at: datetime = NOW):
    return Transfer(
        name, at, AccountId(source), AccountId(target), Amount(Decimal(value), USD), Decimal(value)
    )


def none(_transfer: Transfer, _at: datetime, _facts: object) -> tuple[Duty, ...]:
    return ()


def said(account: str, *categories: str, confidence: float = 1.0) -> Attribution:
    return Attribution(account, "Somebody", "", categories, confidence, "Sample list of 2026-02-03")


def authoriser(
    history: list[Transfer] | None = None,
    attributions: list[Attribution] | None = None,
    alerts: dict[str, list[Finding]] | None = None,
    duties=none,
) -> Authoriser:
    known = {one.account: one for one in attributions or []}
    return Authoriser(build(history or [], USD), attributions=known, alerts=alerts or {}, duties=duties)


def test_nothing_known_is_allowed() -> None:
    ruling = authoriser().decide(transfer(), NOW)
    assert (ruling.ruling, ruling.grounds, ruling.duties, ruling.at) == (Ruling.ALLOW, (), (), NOW)


@pytest.mark.parametrize(
    ("attribution", "expected"),
    [
        (said(BAD, "sanction"), Ruling.REFUSE),
        (said(BAD, "sanction", confidence=0.9), Ruling.HOLD),
        (said(BAD, "ransomware", confidence=0.7), Ruling.HOLD),
        (said(BAD, "ransomware", confidence=0.49), Ruling.ALLOW),
        (said(BAD, "mixing_service", confidence=0.5), Ruling.HOLD),
        (said(BAD, "exchange"), Ruling.ALLOW),
    ],
)
def test_what_lists_and_analysts_say_of_either_account(attribution: Attribution, expected: Ruling) -> None:
    for one in (transfer(target=BAD), transfer(source=BAD)):
        ruling = authoriser(attributions=[attribution]).decide(one, NOW)
        assert ruling.ruling is expected
        grounds = [ground for ground in ruling.grounds if "Somebody" in ground.text]
        assert bool(grounds) == (attribution.categories != ("exchange",))
        assert all(ground.source == attribution.source and BAD in ground.text for ground in grounds)


def test_an_evm_wallet_listed_on_one_chain_is_known_on_another() -> None:
    other = BAD.replace("eip155:1:", "eip155:137:")
    ruling = authoriser(attributions=[said(BAD, "sanction")]).decide(transfer(target=other), NOW)
    assert ruling.ruling is Ruling.REFUSE


def test_an_alert_of_the_last_monitoring_holds_and_a_watch_does_not() -> None:
    def finding(level: Level) -> Finding:
        score = 0.9 if level is Level.ALERT else 0.2
        return Finding(
            "f", FindingKind.TYPOLOGY, "fan_in", B, level, score, ("Many paid in.",), ("t",), "FATF, P6"
        )

    held = authoriser(alerts={B: [finding(Level.ALERT)]}).decide(transfer(), NOW)
    assert held.ruling is Ruling.HOLD
    assert held.grounds[0].text == f"{B} has an alert of fan_in: Many paid in."
    assert authoriser(alerts={B: [finding(Level.WATCH)]}).decide(transfer(), NOW).ruling is Ruling.ALLOW


def test_what_was_sent_counts_and_what_was_only_asked_does_not() -> None:
    gate = authoriser()
    for number in range(19):
        one = transfer(target=f"acct:x:{number}", name=f"t{number}")
        assert gate.decide(one, NOW + timedelta(seconds=number)).ruling is Ruling.ALLOW
        gate.sent(one, NOW + timedelta(seconds=number))
    for _ in range(3):
        ruling = gate.decide(transfer(), NOW + timedelta(minutes=1))
        assert [ground.rule for ground in ruling.grounds] == ["velocity"]
        assert "has sent 20 within 60 minutes, 10,000" in ruling.grounds[0].text
    assert gate.decide(transfer(), NOW + timedelta(hours=2)).ruling is Ruling.ALLOW


def test_velocity_is_the_batch_rule_with_this_transfer_as_the_latest() -> None:
    chance = random.Random(11)
    held = 0
    for _ in range(60):
        history = [
            transfer(
                f"acct:x:{chance.randrange(3)}",
                f"acct:x:{chance.randrange(3)}",
                str(chance.choice([1, 40, 90, 300])),
                name=f"h{i:03d}",
                at=NOW - timedelta(minutes=chance.choice([1, 3, 20, 40, 59, 60, 61, 900])),
            )
            for i in range(chance.randrange(150))
        ]
        one = transfer("acct:x:0", "acct:x:1", str(chance.choice([1, 200])), name="now")
        batch = monitor(build([*history, one], USD), only=["velocity"]).findings
        alerted = {
            (finding.subject, dict(finding.features)["incoming"])
            for finding in batch
            if finding.level is Level.ALERT and "now" in finding.evidence
        }
        grounds = {
            (account, float(incoming))
            for account, incoming in (("acct:x:0", False), ("acct:x:1", True))
            if Velocity(build(history, USD)).ground(
                account, int(NOW.timestamp() * 1e6), int(one.value.scaleb(4)), incoming=incoming
            )
        }
        assert grounds <= alerted
        held += len(grounds)
    assert held > 5


def test_binding_duties_hold_for_missing_names_and_recommended_ones_do_not() -> None:
    parties = {
        "us-vasp": Institution("us-vasp", "US", Role.VASP, ("US",)),
        "de-vasp": Institution("de-vasp", "DE", Role.VASP, ("DE",)),
    }
    standard = load()
    rates = {**standard.vocabulary.rates, "USD": Decimal(1)}
    judge = Judge(standard, parties=parties, rates=rates)
    gate = authoriser(duties=lambda one, at, facts: judge.duties(one, on=at, facts=facts))
    bare = gate.decide(transfer(value="5000"), NOW)
    assert bare.ruling is Ruling.HOLD
    assert any(g.rule == "travel_rule" and "originator and the beneficiary" in g.text for g in bare.grounds)
    assert all(ground.source[:2] in {"US", "DE"} for ground in bare.grounds)
    for ground in bare.grounds:  # law below high confidence says so wherever it is used
        owed = next(d for d in bare.duties if d.kind == ground.rule and d.jurisdiction == ground.source[:2])
        doubted = owed.provision.confidence is not Confidence.HIGH
        assert (f"(confidence {owed.provision.confidence.value})" in ground.source) == doubted
    named = dataclasses.replace(
        transfer(value="5000"), originator_party=Party("Ann"), beneficiary_party=Party("Bob")
    )
    allowed = gate.decide(named, NOW)
    assert allowed.ruling is Ruling.ALLOW
    assert {duty.kind for duty in allowed.duties if duty.force is Force.REQUIRED} >= {"travel_rule"}


def test_a_listed_party_brings_the_duties_that_lists_bring() -> None:
    seen: list[dict[str, str]] = []

    def duties(_one: Transfer, _at: datetime, facts: dict[str, str]) -> tuple[Duty, ...]:
        seen.append(dict(facts))
        return ()

    authoriser(attributions=[said(B, "sanction")], duties=duties).decide(transfer(), NOW)
    authoriser(attributions=[said(B, "scam", confidence=0.6)], duties=duties).decide(transfer(), NOW)
    authoriser(attributions=[said(B, "scam", confidence=0.1)], duties=duties).decide(transfer(), NOW)
    assert seen[0]["sanctions"] == "hit"
    assert seen[1] == {"suspicion": "alert"}
    assert seen[2] == {}


def test_what_else_is_said_of_an_account_counts_too() -> None:
    other = said(BAD, "ransomware", confidence=0.8)
    one = dataclasses.replace(said(BAD, "exchange", confidence=0.9), others=(other,))
    assert authoriser(attributions=[one]).decide(transfer(target=BAD), NOW).ruling is Ruling.HOLD


def test_a_harmless_statement_on_one_evm_chain_does_not_hide_a_listing_on_another() -> None:
    here, third = (BAD.replace("eip155:1:", f"eip155:{chain}:") for chain in (137, 56))
    gate = authoriser(attributions=[said(BAD, "sanction"), said(here, "exchange", confidence=0.6)])
    for target in (BAD, here, third, BAD.replace("bd", "BD")):
        assert gate.decide(transfer(target=target), NOW).ruling is Ruling.REFUSE


def test_what_was_sent_before_what_the_ledger_holds_counts_in_its_place() -> None:
    history = [
        transfer(target=f"acct:x:{i}", name=f"h{i}", at=NOW - timedelta(minutes=10)) for i in range(18)
    ]
    gate = authoriser(history)
    gate.sent(transfer(name="earlier"), NOW - timedelta(minutes=30), NOW)
    assert gate.decide(transfer(), NOW).ruling is Ruling.HOLD
    assert gate.decide(transfer(), NOW + timedelta(minutes=40)).ruling is Ruling.ALLOW


@pytest.mark.parametrize("value", ["-1", "1e18", "1e999990"])
def test_a_worth_that_no_ledger_keeps_is_no_transfer(value: str) -> None:
    with pytest.raises(BadInput, match="out of bounds"):
        authoriser().decide(transfer(value=value), NOW)
    with pytest.raises(BadInput, match="a value out of bounds"):
        authoriser().decide(dataclasses.replace(transfer(), value=Decimal(value)), NOW)


def test_accounts_without_a_recent_payment_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.monitoring.authorise._MOST_PACES", 50)
    gate = authoriser()
    for number in range(19):
        gate.sent(transfer(target=f"acct:x:{number}"), NOW)
    for number in range(500):
        gate.decide(transfer(source=f"acct:y:{number}", target=f"acct:z:{number}"), NOW)
    assert len(gate._velocity._paces) <= 101
    assert gate.decide(transfer(), NOW).ruling is Ruling.HOLD

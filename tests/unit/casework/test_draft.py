"""From a case to a report: a person decided, the words say what is there, and no more than fits."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity import plugins
from comity.casework.draft import draft_report, subjects_of
from comity.casework.narrative import ROOM, narrative
from comity.errors import BadInput, Refused
from comity.model import (
    BTC,
    AccountId,
    Amount,
    AssetId,
    Case,
    CaseState,
    Decision,
    Finding,
    FindingKind,
    Institution,
    Level,
    Officer,
    Party,
    PartyKind,
    Role,
    Subject,
    Transfer,
    Verdict,
)

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
FILER = Institution("vasp-us", "Prairie Coins Inc.", Role.VASP, ("US",))
ANN = Officer("Ann", "Lee", "5551234567")
HERS = AccountId.parse("acct:vasp-us:1009")
WALLET = AccountId.parse("eip155:1:0x" + "a" * 40)
OTHER = AccountId.parse("eip155:1:0x" + "b" * 40)
MEI = Party("Mei Chan", PartyKind.NATURAL, countries=("US",))


def finding(number: int = 1, **changes: object) -> Finding:
    reasons = ("Four transfers stay just below the threshold", "They take three hours.")
    base = Finding(
        f"f{number}",
        FindingKind.TYPOLOGY,
        "structuring",
        WALLET.value,
        Level.ALERT,
        0.5,
        reasons,
        ("t1",),
        "FATF",
    )
    return replace(base, **changes)


def case(**changes: object) -> Case:
    decision = Decision(
        "d1", "c1", Verdict.REPORT, "Ann Lee", START + timedelta(days=1), "It fits no business of hers"
    )
    base = Case(
        "c1",
        "Mei",
        (WALLET.value, "Ivan"),
        CaseState.DECIDED,
        START,
        (finding(),),
        (),
        (decision,),
        ("Froze the account",),
    )
    return replace(base, **changes)


def transfer(number: int = 1, **changes: object) -> Transfer:
    base = Transfer(
        f"t{number}",
        START + timedelta(hours=number),
        HERS,
        OTHER,
        Amount(Decimal("0.25"), BTC),
        Decimal("12345.678"),
        originator_institution="vasp-us",
        originator_country="US",
    )
    return replace(base, **changes)


def draft(of: Case | None = None, **changes: object):
    given = {
        "filer": FILER,
        "recipient": "fiu-us",
        "officer": ANN,
        "transfers": (transfer(2), transfer(1)),
        "parties": {WALLET.value: MEI, HERS.value: MEI},
        "currency": "USD",
        "created": START + timedelta(days=2),
        "reference": "REF-1",
    }
    return draft_report(of or case(), **{**given, **changes})


def test_a_report_of_a_case():
    report = draft()
    assert report.jurisdiction == "US"
    assert report.subjects == (Subject(MEI, (WALLET, HERS)), Subject(Party("Ivan")))
    assert [t.id for t in report.transfers] == ["t1", "t2"]
    assert report.indicators == ("structuring",)
    assert report.action_taken == "Froze the account"
    assert report.findings == (finding(),)


def test_the_words_say_who_what_when_where_why_how():
    words = draft().narrative
    for said in (
        "Prairie Coins Inc. reports 2 subjects.",
        f"Mei Chan of US holds {WALLET} and {HERS}.",
        "Ivan holds no account known to the filer.",
        "The report covers 2 transfers, worth 24,691.36 USD in all.",
        f"What moved was {BTC}.",
        "It took place between 1 March 2026 at 10:00 UTC and 1 March 2026 at 11:00 UTC.",
        "Value moved on eip155:1.",
        "The institutions concerned are vasp-us.",
        f"It is suspicious about {WALLET} by the rule structuring: Four transfers stay just below",
        "(Source of the rule: FATF.)",
        f"On 1 March 2026 at 10:00 UTC 0.25 {BTC} (12,345.68 USD) moved from {HERS} (Mei Chan) to {OTHER}.",
        "On 2 March 2026 at 09:00 UTC Ann Lee decided to report: It fits no business of hers.",
    ):
        assert said in words, said


@pytest.mark.parametrize("decisions", [(), (replace(case().decisions[0], verdict=Verdict.FREEZE),)])
def test_nothing_is_reported_that_no_person_decided_to_report(decisions):
    with pytest.raises(Refused):
        draft(case(decisions=decisions))


def test_a_filer_is_somewhere():
    with pytest.raises(BadInput):
        draft(filer=replace(FILER, jurisdictions=()))


def test_holders_nobody_knows_stay_apart():
    about = subjects_of(case(subjects=(WALLET.value, OTHER.value, "Mei Chan")), {HERS.value: MEI})
    assert about == (Subject(Party(""), (WALLET,)), Subject(Party(""), (OTHER,)), Subject(MEI, (HERS,)))


def test_the_least_there_can_be():
    bare = case(findings=(), subjects=(), acts=())
    words = narrative(bare, FILER, (), (), {}, "USD")
    assert "reports activity of persons it does not know." in words
    assert "No transfer is attached" in words
    single = narrative(bare, FILER, (), (transfer(value=None, amount=None),), {}, "USD")
    assert "It took place on 1 March 2026 at 10:00 UTC." in single
    assert "an unknown amount moved" in single
    assert "worth" not in single.split("\n\n")[1]


def test_amounts_in_every_way_they_may_be_known():
    dollars = Amount(Decimal(90), AssetId.money("USD"))
    moved = (
        transfer(1, amount=dollars, value=Decimal(90)),
        transfer(2, amount=None, value=Decimal(7)),
        transfer(3, value=None),
    )
    words = draft(transfers=moved).narrative
    assert "90 USD moved" in words
    assert "7.00 USD moved" in words
    assert f"0.25 {BTC} moved" in words
    assert "The worth of 1 of them is not known." in words


def test_what_is_left_out_is_counted_and_it_fits_every_format():
    many = tuple(finding(n, score=n / 100, reasons=("Reason " * 200,) * 9) for n in range(40))
    wallets = tuple(f"eip155:1:0x{n:040x}" for n in range(40))
    big = case(findings=many, subjects=wallets)
    report = draft(big, transfers=tuple(transfer(n) for n in range(40)))
    assert len(report.narrative) <= ROOM
    for noun in ("subjects", "findings", "transfers", "reasons"):
        assert re.search(rf"[0-9]+ further {noun}( \(36 by structuring\))? are in the case", report.narrative)
    assert "…" in report.narrative
    for name in plugins.names("reports"):
        module = plugins.load("reports", name)
        assert module.check(module.render(report), None) == ()

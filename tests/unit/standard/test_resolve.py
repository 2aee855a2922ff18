"""Own law first, exceptions before rules, later before earlier; silence falls, unknown stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from comity.errors import NotFound
from comity.standard.law import Standard
from comity.standard.resolve import find, resolve, shown

Law = Callable[..., Standard]
ON = date(2026, 6, 1)

BLOC = """
jurisdiction: bl
kind: bloc
extends: fatf
provisions:
  fiu.name:
    - {value: Bloc, source: Treaty, confidence: high, reviewed: 2026-01-01}
  fiu.egmont:
    - {value: true, source: Treaty, confidence: high, reviewed: 2026-01-01}
"""
STATE = """
jurisdiction: aa
name: Aa
extends: bl
provisions:
  fiu.name:
    - {from: 2020-01-01, value: Old, source: Act 1, confidence: high, reviewed: 2026-01-01}
    - {from: 2024-01-01, value: New, source: Act 2, confidence: low, reviewed: 2026-01-01, note: check}
    - {from: 2027-01-01, value: Next, source: Act 3, confidence: high, reviewed: 2026-01-01}
    - {from: 2019-01-01, when: {asset: cash}, value: Cash, source: Act 0, confidence: high, reviewed: 2026}
  fiu.egmont:
    - {value: unknown, source: not established, confidence: unknown, reviewed: 2026-01-01}
"""


@pytest.fixture
def standard(law: Law) -> Standard:
    return law(bl=BLOC, aa=STATE)


@pytest.mark.parametrize(
    ("on", "facts", "value"),
    [
        (date(2018, 12, 31), {}, "Bloc"),
        (date(2020, 1, 1), {}, "Old"),
        (date(2023, 12, 31), {}, "Old"),
        (date(2024, 1, 1), {}, "New"),
        (date(2027, 1, 1), {}, "Next"),
        (date(2026, 1, 1), {"asset": "cash"}, "Cash"),
        (date(2026, 1, 1), {"asset": "money"}, "New"),
    ],
)
def test_which_answer_wins(standard: Standard, on: date, facts: dict[str, str], value: str) -> None:
    found = resolve(standard, "AA", "fiu.name", on, facts)
    assert found.provision is not None
    assert found.provision.value == value
    assert found.own == (value != "Bloc")
    assert found.binding
    assert find(standard, "aa", "fiu.name", on, facts) is found.provision


def test_what_was_set_aside_is_told_with_its_reason(standard: Standard) -> None:
    found = resolve(standard, "aa", "fiu.name", ON, {"asset": "cash"})
    why = {provision.source: reason for provision, reason in found.displaced}
    assert why == {
        "Act 1": "the exception comes before the rule",
        "Act 2": "the exception comes before the rule",
        "Act 3": "not yet in force: applies from 2027-01-01",
        "Treaty": "the law of aa comes before that of bl, which it extends",
    }
    plain = dict(resolve(standard, "aa", "fiu.name", ON).displaced)
    assert {p.source: r for p, r in plain.items()}["Act 1"] == "the later law comes before the earlier"
    assert {p.source: r for p, r in plain.items()}["Act 0"] == "applies only when asset: cash"


def test_low_confidence_and_notes_are_told(standard: Standard) -> None:
    lines = resolve(standard, "aa", "fiu.name", ON).explanation
    assert "New: Act 2." in lines
    assert any("Confidence is low" in line for line in lines)
    assert "Note: check" in lines


def test_unknown_does_not_fall_to_the_law_that_is_extended(standard: Standard) -> None:
    found = resolve(standard, "aa", "fiu.egmont", ON)
    assert found.provision is not None
    assert found.unknown
    assert found.provision.source == "not established"
    assert shown(found.provision) == "unknown"
    assert any(line.startswith("unknown: ") for line in found.explanation)


def test_silence_falls_to_the_bloc_and_last_to_the_standard_which_does_not_bind(standard: Standard) -> None:
    found = resolve(standard, "aa", "record_keeping.years", ON)
    assert found.provision is not None
    assert (found.provision.jurisdiction, found.own, found.binding) == ("fatf", False, False)
    assert any("recommended, not required" in line for line in found.explanation)
    silent = resolve(standard, "aa", "fiu.request_reply", ON)
    assert silent.provision is None
    assert not silent.binding
    assert not silent.unknown
    assert silent.explanation[1] == "No law answers: aa and bl and fatf are silent."


def test_an_ended_law_is_set_aside(installed: Standard) -> None:
    found = resolve(installed, "de", "str.deadline", date(2027, 7, 10))
    assert found.provision is not None
    assert "Art. 69" in found.provision.source
    assert any(why == "no longer in force: applied until 2027-07-10" for _, why in found.displaced)
    before = resolve(installed, "de", "str.deadline", date(2027, 7, 9)).provision
    assert before is not None
    assert before.source == "GwG s.43"


def test_none_is_shown_as_none(installed: Standard) -> None:
    found = resolve(installed, "gb", "ctr.threshold", ON)
    assert found.provision is not None
    assert found.provision.value is False
    assert found.explanation[1].startswith("none: ")


def test_answers_as_a_person_reads_them(installed: Standard) -> None:
    def text(jurisdiction: str, question: str) -> str:
        provision = resolve(installed, jurisdiction, question, ON).provision
        assert provision is not None
        return shown(provision)

    assert text("us", "travel_rule.threshold") == "at least 3,000 USD"
    assert text("sg", "str.deadline") == "5 working days"
    assert text("us", "tipping_off.offence") == "yes"
    assert text("ae", "fatf.member") == "no"
    assert text("fatf", "travel_rule.beneficiary_fields") == "name, account"
    assert text("gb", "freeze.fiu.transaction") == "DAML notice period by NCA, 7 working days"
    assert "onward use: with consent" in text("gb", "gateway.fiu_to_fiu")


def test_what_there_is_not_is_said(installed: Standard) -> None:
    with pytest.raises(NotFound):
        resolve(installed, "zz", "fiu.name", ON)
    with pytest.raises(NotFound):
        resolve(installed, "us", "fiu.colour", ON)

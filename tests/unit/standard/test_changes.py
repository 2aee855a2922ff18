"""What changes in the law between two days, and which way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from comity.errors import BadInput, NotFound
from comity.model import Confidence
from comity.standard.changes import changes
from comity.standard.law import Standard
from comity.standard.strictness import Place

Law = Callable[..., Standard]
END = "source: Act, confidence: med, reviewed: 2026-01-01}"
BLOC = f"""
jurisdiction: bb
name: Bloc
kind: bloc
extends: fatf
provisions:
  record_keeping.years:
    - {{from: 2020, until: 2025, value: 5, {END}
    - {{from: 2025, value: 7, {END}
  tipping_off.offence:
    - {{from: 2024, value: true, {END}
"""
LAND = f"""
jurisdiction: aa
name: Aland
extends: bb
provisions:
  record_keeping.years:
    - {{until: 2023, value: 10, {END}
  cdd.occasional:
    - {{from: 2022, value: {{at_least: 1000, currency: EUR}}, {END}
    - {{from: 2022, when: {{asset: cash}}, value: {{at_least: 500, currency: EUR}}, {END}
    - {{from: 2024, value: {{at_least: 900, currency: EUR}}, {END}
    - {{from: 2026, until: 2027, value: unknown, source: A, confidence: unknown, reviewed: 2026}}
"""


def found(standard: Standard, since: str, until: str, who: str = "") -> list[tuple[str, str, str, str]]:
    return [
        (str(each.on), each.jurisdiction, each.question, each.place.value)
        for each in changes(standard, date.fromisoformat(since), date.fromisoformat(until), who)
    ]


def test_own_law_changes_once_and_a_country_feels_its_bloc(law: Law) -> None:
    standard = law(aa=LAND, bb=BLOC)
    assert found(standard, "2019-01-01", "2025-06-01") == [
        ("2020-01-01", "bb", "record_keeping.years", "stricter"),
        ("2022-01-01", "aa", "cdd.occasional", "stricter"),
        ("2022-01-01", "aa", "cdd.occasional", "stricter"),
        # Its own ten years end, and the bloc's five come in their place.
        ("2023-01-01", "aa", "record_keeping.years", "weaker"),
        ("2024-01-01", "aa", "cdd.occasional", "stricter"),
        ("2024-01-01", "bb", "tipping_off.offence", "stricter"),
        ("2025-01-01", "bb", "record_keeping.years", "stricter"),
    ]
    assert ("2025-01-01", "aa", "record_keeping.years", "stricter") in found(
        standard, "2024-06-01", "2025-06-01", "AA"
    )


def test_the_first_day_is_left_out_and_the_last_is_not(law: Law) -> None:
    standard = law(aa=LAND, bb=BLOC)
    assert found(standard, "2024-01-01", "2024-12-31", "aa") == []
    assert len(found(standard, "2023-12-31", "2024-01-01", "aa")) == 2


def test_a_change_says_what_for_whom_and_how_sure(law: Law) -> None:
    standard = law(aa=LAND, bb=BLOC)
    cash, rule = sorted(
        changes(standard, date(2021, 1, 1), date(2022, 1, 1), "aa"), key=lambda each: not each.facts
    )
    assert cash.facts == (("asset", "cash"),)
    assert "(asset cash): silent until then, at least 500 EUR (Act) from 2022-01-01" in cash.why
    assert (rule.before, rule.place, rule.confidence) == (None, Place.STRICTER, Confidence.MEDIUM)


def test_what_becomes_unknown_is_unknown(law: Law) -> None:
    standard = law(aa=LAND, bb=BLOC)
    begin, end = changes(standard, date(2025, 6, 1), date(2027, 6, 1), "aa")
    assert (begin.place, begin.confidence) == (Place.UNKNOWN, Confidence.UNKNOWN)
    assert (end.on, end.place) == (date(2027, 1, 1), Place.UNKNOWN)


def test_what_is_not_asked_well_is_refused(installed: Standard) -> None:
    with pytest.raises(BadInput, match="lies before"):
        changes(installed, date(2026, 1, 2), date(2026, 1, 1))
    with pytest.raises(NotFound):
        changes(installed, date(2025, 1, 1), date(2026, 1, 1), "zz")


def test_the_union_s_regulation_of_2027(installed: Standard) -> None:
    day = date(2027, 7, 10)
    mine = [each for each in changes(installed, date(2027, 1, 1), day, "de") if each.on == day]
    assert {"cash.limit", "fiu.request_reply", "freeze.fiu.account"} <= {each.question for each in mine}

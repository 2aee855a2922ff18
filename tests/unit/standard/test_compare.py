"""Laws beside the standard and each other; the routes where arbitrage lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from comity.errors import NotFound
from comity.model import Answer, Deadline, Gateway, OnwardUse, Operator, Power, Threshold
from comity.standard.compare import compare, gaps, matrix
from comity.standard.corridors import corridors
from comity.standard.law import Question, Standard
from comity.standard.strictness import Place, place

Law = Callable[..., Standard]
ON = date(2026, 11, 23)
END = "source: A, confidence: high, reviewed: 2026"
OVER, AT_LEAST = Operator.OVER, Operator.AT_LEAST


def eur(operator: Operator, amount: int, currency: str = "EUR") -> Threshold:
    return Threshold(operator, Decimal(amount), currency)


@pytest.mark.parametrize(
    ("kind", "stricter", "ours", "theirs", "where"),
    [
        ("threshold", "lower", eur(AT_LEAST, 999), eur(AT_LEAST, 1000), "stricter"),
        ("threshold", "lower", eur(AT_LEAST, 1000), eur(OVER, 1000), "stricter"),
        ("threshold", "lower", eur(OVER, 1000), eur(OVER, 1000), "equal"),
        ("threshold", "lower", eur(AT_LEAST, 0), eur(AT_LEAST, 0, "JPY"), "equal"),
        ("threshold", "lower", eur(AT_LEAST, 0), eur(OVER, 0, "JPY"), "stricter"),
        ("threshold", "lower", eur(AT_LEAST, 1000), eur(AT_LEAST, 1000, "USD/EUR"), "equal"),
        ("threshold", "lower", eur(OVER, 1500, "SGD"), eur(AT_LEAST, 1000, "USD/EUR"), "equal"),
        ("threshold", "lower", eur(OVER, 1500, "GBP"), eur(AT_LEAST, 1000, "USD/EUR"), "weaker"),
        ("threshold", "lower", eur(OVER, 1500, "XYZ"), eur(AT_LEAST, 1000, "EUR"), "unknown"),
        ("threshold", "lower", False, eur(AT_LEAST, 1000), "weaker"),
        ("deadline", "shorter", Deadline(30, "calendar_day"), Deadline(0, "promptly"), "weaker"),
        ("deadline", "shorter", Deadline(0, "immediately"), Deadline(0, "promptly"), "equal"),
        ("deadline", "shorter", Deadline(5, "working_day"), Deadline(5, "calendar_day"), "weaker"),
        ("deadline", "shorter", Deadline(15, "day_of_next_month"), Deadline(1, "month"), "weaker"),
        ("deadline", "shorter", Deadline(24, "hour"), Deadline(1, "calendar_day"), "equal"),
        ("count", "higher", 7, 5, "stricter"),
        ("bool", "true", False, True, "weaker"),
        ("bool", "false", False, True, "stricter"),
        ("list", "more", ("a", "b"), ("b",), "stricter"),
        ("list", "more", ("a",), ("b",), "unknown"),
        ("list", "more", ("b", "a"), ("a", "b"), "equal"),
        (
            "power",
            "longer",
            Power("p", "q", Deadline(1, "month")),
            Power("p", "q", Deadline(3, "working_day")),
            "stricter",
        ),
        ("power", "longer", Power("p", "q"), Power("p", "q", Deadline(3, "working_day")), "unknown"),
        ("power", "longer", False, Power("p", "q"), "weaker"),
        (
            "gateway",
            "more",
            Gateway(("sanctions",), ("request",), OnwardUse.NONE),
            Gateway(("sanctions",), ("request", "reply"), OnwardUse.NONE),
            "weaker",
        ),
        ("text", "", "a", "a", "equal"),
        ("text", "", "a", "b", "unknown"),
        ("count", "higher", None, None, "unknown"),
        ("count", "higher", 5, None, "unknown"),
    ],
)
def test_which_is_stricter(
    installed: Standard, kind: str, stricter: str, ours: Answer, theirs: Answer, where: str
) -> None:
    question = Question("q", "?", kind, stricter)
    mirror = {"stricter": "weaker", "weaker": "stricter"}
    assert place(installed.vocabulary, question, ours, theirs) == where
    assert place(installed.vocabulary, question, theirs, ours) == mirror.get(where, where)


@pytest.mark.parametrize(
    ("a", "b", "question", "where"),
    [
        ("us", "fatf", "travel_rule.threshold", Place.WEAKER),
        ("de", "fatf", "travel_rule.threshold", Place.STRICTER),
        ("de", "us", "travel_rule.threshold", Place.STRICTER),
        ("sg", "ae", "record_keeping.years", Place.EQUAL),
        ("sg", "de", "travel_rule.self_hosted.verify_over", Place.UNKNOWN),
        ("sg", "de", "freeze.fiu.account", Place.SILENT),
        ("us", "de", "travel_rule.self_hosted.verify_over", Place.WEAKER),
        ("sg", "ae", "travel_rule.self_hosted.verify_over", Place.UNKNOWN),
        ("gb", "fatf", "freeze.fiu.transaction", Place.EQUAL),
        ("us", "fatf", "freeze.fiu.transaction", Place.WEAKER),
    ],
)
def test_compare(installed: Standard, a: str, b: str, question: str, where: Place) -> None:
    assert compare(installed, a, b, question, ON) is where


def test_another_authority_s_power_meets_the_standard_too(installed: Standard) -> None:
    """R.4 asks for the FIU or another competent authority; a court's order alone is not that."""
    assert "freeze.fiu.transaction" not in {gap.question for gap in gaps(installed, "sg", ON)}
    assert matrix(installed, ON)["sg"]["freeze.fiu.transaction"] is Place.EQUAL
    assert compare(installed, "sg", "fatf", "freeze.fiu.transaction", ON) is not Place.EQUAL
    assert "freeze.fiu.transaction" in {gap.question for gap in gaps(installed, "us", ON)}


def test_the_last_day_there_is_counts(installed: Standard) -> None:
    every = [each for law in installed.provisions["de"].values() for each in law]
    assert any(each.holds(date.max) for each in every)
    assert not any(each.holds(date.max) for each in every if each.until)


def test_compare_on_a_date_and_with_facts(installed: Standard) -> None:
    before = date(2024, 12, 29)
    assert compare(installed, "eu", "fatf", "travel_rule.threshold", before) is Place.SILENT
    cash = {"asset": "cash"}
    assert compare(installed, "us", "gb", "ctr.threshold", ON, cash) is Place.STRICTER
    with pytest.raises(NotFound):
        compare(installed, "zz", "fatf", "travel_rule.threshold", ON)


def test_matrix_places_every_law_beside_the_standard(installed: Standard) -> None:
    table = matrix(installed, ON)
    assert set(table) == set(installed.jurisdictions) - {"fatf"}
    assert table["us"]["travel_rule.threshold"] is Place.WEAKER
    assert table["us"]["cdd.occasional"] is Place.WEAKER
    assert table["de"]["cdd.occasional"] is Place.STRICTER
    assert "fiu.name" not in table["us"]
    assert len({frozenset(row) for row in table.values()}) == 1


def test_gaps_name_both_provisions_and_say_why(installed: Standard) -> None:
    found = gaps(installed, "US", ON)
    gap = next(each for each in found if each.question == "travel_rule.threshold")
    assert gap.place is Place.WEAKER
    assert gap.ours is not None
    assert "1010.410" in gap.ours.source
    assert gap.standards.jurisdiction == "fatf"
    assert "at least 3,000 USD" in gap.why
    assert "at least 1,000 USD/EUR" in gap.why
    assert [each.weakness for each in found] == sorted((each.weakness for each in found), reverse=True)
    unknown = next(each for each in found if each.place is Place.UNKNOWN)
    assert "not established" in unknown.why


def test_silence_is_a_gap(law: Law) -> None:
    standard = law(aa="jurisdiction: aa\nname: Aa\nextends: fatf\nprovisions: {}\n")
    found = gaps(standard, "aa", ON)
    assert {(each.question, each.place, each.weakness) for each in found} == {
        ("travel_rule.threshold", Place.SILENT, 1.0),
        ("record_keeping.years", Place.SILENT, 1.0),
    }
    assert all("Aa has no law" in each.why for each in found)


def test_how_weak_is_measured(law: Law) -> None:
    standard = law(
        fatf="""
jurisdiction: fatf
kind: standard
provisions:
  travel_rule.threshold: [{value: {at_least: 1000, currency: USD}, END}]
  cdd.occasional: [{value: {at_least: 1000, currency: USD}, END}]
  cash.limit: [{value: {at_least: 1000, currency: USD}, END}]
  record_keeping.years: [{value: 5, END}]
  str.deadline: [{value: {unit: promptly}, END}]
  str.attempted: [{value: true, END}]
  fiu.egmont: [{value: true, END}]
  travel_rule.beneficiary_fields: [{value: [name, account, lei, purpose], END}]
""".replace("END", END),
        aa="""
jurisdiction: aa
extends: fatf
provisions:
  travel_rule.threshold: [{value: {at_least: 4000, currency: USD}, departs: x, END}]
  cdd.occasional: [{value: {over: 1000, currency: USD}, departs: x, END}]
  cash.limit: [{value: none, departs: x, END}]
  record_keeping.years: [{value: 4, departs: x, END}]
  str.deadline: [{value: {amount: 7, unit: calendar_day}, departs: x, END}]
  str.attempted: [{value: false, departs: x, END}]
  fiu.egmont: [{value: unknown, source: A, confidence: unknown, reviewed: 2026}]
  travel_rule.beneficiary_fields: [{value: [name, lei, purpose], departs: x, END}]
""".replace("END", END),
    )
    assert {each.question: each.weakness for each in gaps(standard, "aa", ON)} == {
        "travel_rule.threshold": 0.75,
        "cdd.occasional": 0.05,
        "cash.limit": 1.0,
        "record_keeping.years": pytest.approx(0.2),
        "str.deadline": 0.5,
        "str.attempted": 1.0,
        "fiu.egmont": 0.5,
        "travel_rule.beneficiary_fields": 0.25,
    }


def test_corridors_are_all_ordered_pairs_of_states_by_weakest_duty(installed: Standard) -> None:
    found = corridors(installed, ON)
    states = installed.states()
    assert {"fatf", "eu"}.isdisjoint(states)
    assert len(found) == len(states) * (len(states) - 1)
    assert len({(each.origin, each.destination) for each in found}) == len(found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    worst = found[0]
    assert "us" in (worst.origin, worst.destination)
    assert worst.weakest is not None
    assert worst.weakest.why in worst.why
    assert all(each.exposure == 0 for each in found)


def test_volume_ranks_corridors(installed: Standard) -> None:
    found = corridors(installed, ON, {("DE", "US"): 10.0, ("AE", "US"): 1.0})
    assert [(each.origin, each.destination) for each in found[:2]] == [("de", "us"), ("ae", "us")]
    assert found[0].exposure == found[0].score * 10


def test_a_route_that_keeps_the_standard_says_so(law: Law) -> None:
    same = """
jurisdiction: {0}
extends: fatf
provisions:
  travel_rule.threshold: [{{value: {{at_least: 1000, currency: EUR}}, END}}]
  record_keeping.years: [{{value: 5, END}}]
""".replace("END", END)
    standard = law(aa=same.format("aa"), bb=same.format("bb"))
    for corridor in corridors(standard, ON):
        assert (corridor.score, corridor.weakest) == (0.0, None)
        assert corridor.why == ("Both ends keep every duty of the standard.",)

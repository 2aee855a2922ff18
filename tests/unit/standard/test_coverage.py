"""What a law file still owes is said in sentences; a complete one owes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.errors import NotFound
from comity.standard.cases import run
from comity.standard.coverage import missing
from comity.standard.law import Standard

BLOC = """
jurisdiction: aa
kind: bloc
extends: fatf
provisions:
  travel_rule.in_force: [{value: true, SAID}]
  travel_rule.threshold: [{from: 2020-01-01, value: {at_least: 500, currency: EUR}, SAID}]
  cdd.occasional: [{when: {asset: cash}, value: {over: 9000, currency: EUR}, SAID}]
  str.deadline: [{value: {unit: promptly, event: suspicion}, SAID}]
  str.minimum: [{until: 2022-01-01, value: {at_least: 100, currency: EUR}, SAID}]
cases:
  - {name: a, on: 2026-03-02, transfer: {value: 499.99 EUR}, required: []}
  - {name: b, on: 2026-03-02, transfer: {value: 500 EUR}, required: [travel_rule]}
  - {name: c, on: 2026-03-02, transfer: {value: 500.01 EUR}, required: [travel_rule]}
  - {name: d, on: 2019-12-31, transfer: {value: 500 EUR}, required: []}
  - {name: e, on: 2026-03-02, transfer: {value: 8999.99 EUR, CASH, required: []}
  - {name: f, on: 2026-03-02, transfer: {value: 9000 EUR, CASH, required: []}
  - {name: g, on: 2026-03-02, transfer: {value: 9000.01 EUR, CASH, required: [identify_customer]}
  - {name: h, on: 2021-03-02, transfer: {value: 99.99 EUR, ALERT, required: []}
  - {name: i, on: 2021-03-02, transfer: {value: 100 EUR, ALERT, required: [report_suspicion]}
  - {name: j, on: 2021-03-02, transfer: {value: 100.01 EUR, ALERT, required: [report_suspicion]}
  - {name: k, on: 2022-01-01, transfer: {value: 1 EUR, ALERT, required: [report_suspicion]}
"""
for word, meaning in (
    ("SAID", "source: A, confidence: high, reviewed: 2026"),
    ("CASH", "asset: cash}, facts: {customer: occasional}"),
    ("ALERT", "counterparty: self_hosted}, facts: {suspicion: alert}"),
):
    BLOC = BLOC.replace(word, meaning)
STATE = """
jurisdiction: bb
extends: aa
provisions:
  str.portal: [{value: unknown, source: not established, confidence: unknown, reviewed: 2026}]
"""


def test_a_complete_file_owes_nothing(law: Callable[..., Standard]) -> None:
    standard = law(aa=BLOC)
    assert missing(standard, "AA") == run(standard, "aa") == ()


@pytest.mark.parametrize(
    ("case", "owed"),
    [
        ("a", "travel_rule.threshold (A): no case below 500 EUR while it applies."),
        ("b", "travel_rule.threshold (A): no case exactly at 500 EUR while it applies."),
        ("c", "travel_rule.threshold (A): no case above 500 EUR while it applies."),
        ("d", "travel_rule.threshold (A): no case before it changes on 2020-01-01."),
        ("e", "cdd.occasional (A): no case below 9,000 EUR while it applies."),
        ("f", "cdd.occasional (A): no case exactly at 9,000 EUR while it applies."),
        ("g", "cdd.occasional (A): no case above 9,000 EUR while it applies."),
        ("h", "str.minimum (A): no case below 100 EUR while it applies."),
        ("i", "str.minimum (A): no case exactly at 100 EUR while it applies."),
        ("j", "str.minimum (A): no case above 100 EUR while it applies."),
        ("k", "str.minimum (A): no case on or after 2022-01-01, when it changes."),
    ],
)
def test_a_boundary_or_a_change_without_a_case(law: Callable[..., Standard], case: str, owed: str) -> None:
    left = [line for line in BLOC.split("\n") if not line.startswith(f"  - {{name: {case},")]
    assert missing(law(aa="\n".join(left)), "aa") == (f"aa.yaml: {owed}",)


def test_a_case_counts_only_while_the_provision_applies_to_it(law: Callable[..., Standard]) -> None:
    """Not on another day, nor in another currency, nor with other facts."""
    owed = ("aa.yaml: travel_rule.threshold (A): no case exactly at 500 EUR while it applies.",)
    at = "{name: b, on: 2026-03-02, transfer: {value: 500 EUR}"
    for other in (
        "{name: b, on: 2019-03-02, transfer: {value: 500 EUR}",
        "{name: b, on: 2026-03-02, transfer: {value: 500 USD}",
        "{name: b, on: 2026-03-02, transfer: {value: 500 EUR, counterparty: self_hosted}",
    ):
        assert missing(law(aa=BLOC.replace(at, other)), "aa") == owed


def test_no_case_at_all_on_or_after_a_change(law: Callable[..., Standard]) -> None:
    file = BLOC.replace("from: 2020-01-01", "from: 2030-01-01")
    assert missing(law(aa=file), "aa") == (
        "aa.yaml: travel_rule.threshold (A): no case below 500 EUR while it applies.",
        "aa.yaml: travel_rule.threshold (A): no case exactly at 500 EUR while it applies.",
        "aa.yaml: travel_rule.threshold (A): no case above 500 EUR while it applies.",
        "aa.yaml: travel_rule.threshold (A): no case on or after 2030-01-01, when it changes.",
    )


def test_no_boundary_lies_at_nothing(law: Callable[..., Standard]) -> None:
    file = BLOC.replace("at_least: 500", "at_least: 0")
    assert missing(law(aa=file), "aa") == ()


def test_a_country_owes_each_needed_answer_that_its_bloc_does_not_give(law: Callable[..., Standard]) -> None:
    standard = law(aa=BLOC, bb=STATE)
    said = missing(standard, "bb")
    assert "bb.yaml: no answer to fiu.name: write it, or `unknown`." in said
    answered = {"travel_rule.threshold", "str.deadline", "str.portal"}  # by the bloc, or as unknown
    assert not any(f" {question}:" in each for question in answered for each in said)
    assert any("record_keeping.years" in each for each in said), "the standard alone is no answer"
    assert all("no answer" not in each for each in missing(standard, "fatf"))


def test_fewer_than_five_cases(law: Callable[..., Standard]) -> None:
    standard = law(aa=BLOC, bb=STATE)
    assert missing(standard, "bb")[-1] == "bb.yaml: 0 cases: work at least 5 through."
    assert missing(standard, "fatf")[0] == "fatf.yaml: 0 cases: work at least 5 through."
    four = (
        STATE
        + "cases:\n"
        + "".join(
            f"  - {{name: {name}, on: 2026-03-02, transfer: {{value: 1 EUR}}, required: []}}\n"
            for name in "abcd"
        )
    )
    assert missing(law(aa=BLOC, bb=four), "bb")[-1] == "bb.yaml: 4 cases: work at least 5 through."


def test_a_file_there_is_not(law: Callable[..., Standard]) -> None:
    with pytest.raises(NotFound, match="no law file for 'zz'"):
        missing(law(), "zz")

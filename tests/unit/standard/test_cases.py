"""A worked case that does not hold says where and how."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.standard.cases import run
from comity.standard.law import Standard

AA = """
jurisdiction: aa
name: Aa
extends: fatf
provisions:
  travel_rule.threshold: [{{value: {{at_least: 500, currency: EUR}}, END}}]
  str.deadline: [{{value: {{amount: 2, unit: calendar_day}}, END}}]
cases:
  - {{name: x, on: 2026-03-02, transfer: {{value: {0} EUR}}, {1}}}
""".replace("END", "source: A, confidence: high, reviewed: 2026")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("500", "required: [travel_rule]"),
        ("500", "required: [travel_rule], recommended: []"),
        ("499.99", "required: [], recommended: []"),
        (
            "1",
            "facts: {suspicion: alert}, required: [report_suspicion], due: {report_suspicion: 2026-03-04}",
        ),
    ],
)
def test_a_case_that_holds(law: Callable[..., Standard], value: str, says: str) -> None:
    assert run(law(aa=AA.format(value, says)), "AA") == ()


@pytest.mark.parametrize(
    ("value", "says", "problem"),
    [
        ("500", "required: []", "required duties are travel_rule, not none."),
        ("499.99", "required: [travel_rule]", "required duties are none, not travel_rule."),
        ("500", "required: [travel_rule], recommended: [travel_rule]", "recommended duties are none, not"),
        (
            "1",
            "facts: {suspicion: alert}, required: [report_suspicion], due: {report_suspicion: 2026-03-05}",
            "report_suspicion is due on 2026-03-04, not 2026-03-05.",
        ),
        (
            "500",
            "required: [travel_rule], due: {travel_rule: 2026-03-05}",
            "travel_rule is due on no computable day, not 2026-03-05.",
        ),
    ],
)
def test_a_case_that_does_not_hold(law: Callable[..., Standard], value: str, says: str, problem: str) -> None:
    (found,) = run(law(aa=AA.format(value, says)), "aa")
    assert found.startswith("aa.yaml, line 9, case “x”: ")
    assert problem in found

"""Text to typed answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from comity.errors import LawFileError
from comity.model import Deadline, Gateway, OnwardUse, Operator, Power, Threshold
from comity.standard import answers
from comity.standard.law import Question, Standard
from comity.standard.text import Node, parse


def node(text: str) -> Node:
    return parse(f"value: {text}\n".encode(), "x.yaml").need("value")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("threshold", "{over: 1500, currency: SGD}", Threshold(Operator.OVER, Decimal(1500), "SGD")),
        (
            "threshold",
            "{at_least: 49999.99, currency: ZAR}",
            Threshold(Operator.AT_LEAST, Decimal("49999.99"), "ZAR"),
        ),
        ("threshold", "none", False),
        ("threshold", "unknown", None),
        (
            "deadline",
            "{amount: 5, unit: working_day, event: suspicion}",
            Deadline(5, "working_day", "suspicion"),
        ),
        ("deadline", "{unit: promptly}", Deadline(0, "promptly")),
        ("bool", "true", True),
        ("bool", "unknown", None),
        ("count", "5", 5),
        ("text", "none", "none"),
        ("list", "[NO, on]", ("NO", "on")),
        ("list", "[]", ()),
        (
            "power",
            "{power: hold, by: FIU, duration: {amount: 48, unit: hour}, extendable: court}",
            Power("hold", "FIU", Deadline(48, "hour"), "court"),
        ),
        ("power", "{power: hold, by: FIU, duration: unknown}", Power("hold", "FIU")),
        ("power", "none", False),
        (
            "gateway",
            "{purposes: [sanctions], contents: [request], onward: none, limits: narrow}",
            Gateway(("sanctions",), ("request",), OnwardUse.NONE, "narrow"),
        ),
    ],
)
def test_answers(installed: Standard, kind: str, text: str, value: object) -> None:
    assert answers.answer(node(text), Question("q", "?", kind), installed.vocabulary) == value


@pytest.mark.parametrize(
    ("kind", "text", "word"),
    [
        ("threshold", "{at_least: 1, over: 1, currency: EUR}", "either"),
        ("threshold", "{currency: EUR}", "either"),
        ("threshold", "{over: 1}", "`currency` is missing"),
        ("threshold", "{over: -1, currency: EUR}", "not an amount"),
        ("threshold", "{over: '1,000', currency: EUR}", "not an amount"),
        ("threshold", "{over: 1e3, currency: EUR}", "not an amount"),
        ("threshold", "{over: 1, currency: euro}", "not a currency"),
        ("deadline", "{amount: 5, unit: fortnight}", "unknown word"),
        ("deadline", "{amount: 5, unit: promptly}", "does not fit"),
        ("deadline", "{unit: hour}", "does not fit"),
        ("deadline", "{amount: 0, unit: hour}", "amount of 0"),
        ("deadline", "{amount: two, unit: hour}", "not a number"),
        ("bool", "yes", "unknown word"),
        ("bool", "none", "unknown word"),
        ("count", "five", "not a number"),
        ("power", "{power: hold}", "`by` is missing"),
        ("gateway", "{purposes: [fun], contents: [request], onward: none}", "unknown word"),
        ("gateway", "{purposes: [sanctions], contents: [gossip], onward: none}", "unknown word"),
        ("gateway", "{purposes: [sanctions], contents: [request], onward: maybe}", "unknown word"),
    ],
)
def test_what_does_not_fit_is_refused(installed: Standard, kind: str, text: str, word: str) -> None:
    with pytest.raises(LawFileError, match=word):
        answers.answer(node(text), Question("q", "?", kind), installed.vocabulary)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-12-30", date(2024, 12, 30)),
        ("2023-02", date(2023, 2, 1)),
        ("2022", date(2022, 1, 1)),
    ],
)
def test_dates_may_be_a_month_or_a_year(text: str, day: date) -> None:
    assert answers.day(node(text)) == day


@pytest.mark.parametrize("text", ["2024-13-01", "30.12.2024", "soon"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(LawFileError, match="not a date"):
        answers.day(node(text))

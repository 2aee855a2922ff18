from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from comity.ledger.columns import build
from comity.model import AssetId, Attribution, Knowledge, Limit, Mark, Regime, mark_of
from comity.monitoring.known import informed
from comity.typologies import LIMITS
from comity.typologies._common import account, pay

EURO = AssetId("iso4217:EUR")
PAID = (pay(1, 0, "A", "B", "10", originator_country="DE", beneficiary_country="US"),)


def said(confidence: float, *categories: str, others: tuple[Attribution, ...] = ()) -> Attribution:
    return Attribution(account("A"), "x", "x", categories, confidence, "a list", others=others)


@pytest.mark.parametrize(
    ("one", "marks", "sure"),
    [
        (said(0.9, "exchange", others=(said(0.8, "ransomware"),)), Mark.EXCHANGE | Mark.RANSOMWARE, 80),
        (said(0.9, "exchange", others=(said(0.49, "ransomware"),)), Mark.EXCHANGE, 90),
        (said(0.3, "ransomware", others=(said(0.2, "exchange"),)), Mark.RANSOMWARE, 30),
        (said(1.0, "sanction", others=(said(0.5, "exchange"),)), Mark.SANCTIONED | Mark.EXCHANGE, 100),
        (said(0.9, "a word of nobody"), Mark(0), 90),
    ],
)
def test_one_statement_hides_no_other_of_even_confidence(one: Attribution, marks: Mark, sure: int) -> None:
    known = informed(build(PAID, EURO), Knowledge({one.account: one})).known
    assert (Mark(int(known.marks[0])), int(known.sure[0]), known.actors[known.actor[0]]) == (marks, sure, "x")
    assert (int(known.marks[1]), int(known.sure[1]), int(known.actor[1])) == (0, 0, 0)


def test_what_is_known_of_accounts_and_countries_that_are_not_there_is_left_out() -> None:
    limit = Limit("FR", LIMITS[0], date(2020, 1, 1), Decimal(1000))
    one = Attribution("acct:X:9", "x", "x", ("exchange",), 1.0, "a list")
    known = informed(build(PAID, EURO), Knowledge({one.account: one}, (limit,))).known
    assert not known.marks.any() and not known.limits.any()


def test_law_holds_from_its_day_until_the_next() -> None:
    days = [date(2020, 1, 1), date(2024, 1, 1), date(2025, 1, 1)]
    values = [Decimal(1000), Decimal("999.99995"), None]
    limits = tuple(Limit("DE", LIMITS[0], day, value) for day, value in zip(days, values, strict=True))
    regimes = (Regime("US", days[1], 2), Regime("US", days[2], 0))
    columns = informed(build(PAID, EURO), Knowledge({}, limits[::-1], regimes))
    place = {name: number for number, name in enumerate(columns.facts.countries)}
    assert columns.known.limits[:, place["DE"], 0].tolist() == [0, 10_000_000, 10_000_000, 0]
    assert columns.known.risk[:, place["US"]].tolist() == [0, 0, 2, 0]
    assert columns.known.epochs[1] == 1_577_836_800_000_000


def test_marks_are_those_of_every_category() -> None:
    assert mark_of(("Ransomware", "EXCHANGE", "other")) == Mark.RANSOMWARE | Mark.EXCHANGE

"""Thresholds that people stay below, and what is known against countries, day by day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from comity.errors import BadInput
from comity.model import Limit, Regime
from comity.standard.duties import rough_rates
from comity.standard.law import Standard
from comity.standard.resolve import country_risk
from comity.standard.thresholds import limits, regimes
from comity.typologies import LIMITS

Law = Callable[..., Standard]
EURO = {"EUR": Decimal(1), "USD": Decimal("0.9")}
END = "source: A, confidence: high, reviewed: 2026"
RULE = "travel_rule.in_force: [{value: true, source: A, confidence: high, reviewed: 2026}]"
FATF = """
jurisdiction: fatf
kind: standard
provisions:
  vasp.regulated:
    - {from: 2019-06-21, value: true, source: A, confidence: high, reviewed: 2026}
  travel_rule.in_force:
    - {from: 2019-06-21, value: true, source: A, confidence: high, reviewed: 2026}
  travel_rule.threshold:
    - {value: {at_least: 1000, currency: USD/EUR}, source: A, confidence: high, reviewed: 2026}
  fatf.grey_list:
    - {from: 2020-01-01, until: 2021-01-01, value: [AA, QQ], source: A, confidence: high, reviewed: 2026}
    - {from: 2021-01-01, value: [QQ], source: A, confidence: high, reviewed: 2026}
  fatf.black_list:
    - {from: 2021-01-01, value: [AA], source: A, confidence: high, reviewed: 2026}
"""


def state(*provisions: str) -> str:
    lines = "\n".join(f"  {line}" for line in provisions)
    return f"jurisdiction: aa\nextends: fatf\ntimezone: UTC\nprovisions:\n{lines}\n"


def of(standard: Standard, question: str = "travel_rule.threshold") -> list[tuple[date, Decimal | None]]:
    found = limits(standard, EURO, {})
    return [(each.since, each.value) for each in found if (each.country, each.question) == ("AA", question)]


def answers(*given: str) -> str:
    return "travel_rule.threshold: [" + ", ".join(f"{{{each}, {END}}}" for each in given) + "]"


def test_a_threshold_holds_from_the_day_it_changes(law: Law) -> None:
    found = of(
        law(
            fatf=FATF,
            aa=state(
                RULE,
                answers(
                    "until: 2022-01-01, value: {at_least: 900, currency: EUR}",
                    "from: 2022-01-01, until: 2023-01-01, value: {at_least: 900, currency: EUR}",
                    "from: 2023-01-01, until: 2024-01-01, value: {at_least: 0, currency: EUR}",
                    "from: 2024-01-01, value: {over: 500, currency: USD}",
                ),
            ),
        )
    )
    assert found == [
        (date.min, Decimal(900)),
        (date(2023, 1, 1), None),
        (date(2024, 1, 1), Decimal("450.009")),
    ]


def test_only_binding_law_that_is_in_force_sets_one(law: Law) -> None:
    assert of(law(fatf=FATF, aa=state("str.portal: [{value: x, " + END + "}]"))) == []
    closed = state(
        f"travel_rule.in_force: [{{until: 2025-01-01, value: false, departs: none, {END}}},"
        f" {{from: 2025-01-01, value: true, {END}}}]",
        answers("value: {at_least: 700, currency: EUR}"),
    )
    assert of(law(fatf=FATF, aa=closed)) == [(date(2025, 1, 1), Decimal(700))]
    unknown = state(RULE, answers("value: unknown"))
    assert of(law(fatf=FATF, aa=unknown)) == []


def test_it_is_that_of_the_ordinary_case(law: Law) -> None:
    found = law(
        fatf=FATF,
        aa=state(
            RULE,
            answers(
                "value: {at_least: 900, currency: EUR}",
                "when: {reach: cross_border}, value: {at_least: 5, currency: EUR}",
                "when: {asset: virtual, sector: vasp}, value: {at_least: 800, currency: EUR}",
            ),
            "cdd.occasional: [{value: {over: 1000, currency: EUR}, " + END + "}]",
            "ctr.threshold: [{when: {asset: cash}, value: {over: 1000, currency: EUR}, " + END + "}]",
        ),
    )
    assert of(found) == [(date.min, Decimal(800))]
    assert of(found, "cdd.occasional") == [(date.min, Decimal("1000.01"))]
    assert of(found, "ctr.threshold") == []


def test_rates_are_taken_as_for_one_transfer(law: Law) -> None:
    both = law(fatf=FATF, aa=state(RULE, answers("value: {at_least: 1000, currency: USD/EUR}")))
    assert limits(both, EURO, {})[0].value == 1000
    assert limits(both, {"GBP": Decimal(1)}, {"USD": Decimal("0.8"), "EUR": Decimal("0.9")})[0].value == 800
    other = law(fatf=FATF, aa=state(RULE, answers("value: {at_least: 1000, currency: JPY}")))
    assert limits(other, EURO, {"JPY": Decimal("0.006")})[0].value == 6
    with pytest.raises(BadInput, match="no rate for JPY"):
        limits(other, EURO, {})


def test_members_of_a_bloc_have_its_law(law: Law) -> None:
    bloc = f"jurisdiction: zz\nkind: bloc\nextends: fatf\nmembers: [BB, AA]\nprovisions:\n  {RULE}\n  "
    bloc += answers("value: {at_least: 900, currency: EUR}")
    own = state(answers("from: 2024-01-01, value: {at_least: 700, currency: EUR}"))
    found = limits(law(fatf=FATF, zz=bloc, aa=own.replace("extends: fatf", "extends: zz")), EURO, {})
    asked = "travel_rule.threshold"
    assert found == (
        Limit("AA", asked, date.min, Decimal(900)),
        Limit("AA", asked, date(2024, 1, 1), Decimal(700)),
        Limit("BB", asked, date.min, Decimal(900)),
    )


def test_lists_come_before_weak_rules(law: Law) -> None:
    weak = state("vasp.regulated: [{until: 2024-01-01, value: false, departs: none, " + END + "}]")
    assert regimes(law(fatf=FATF, aa=weak)) == (
        Regime("AA", date(2019, 6, 21), 1),
        Regime("AA", date(2020, 1, 1), 2),
        Regime("AA", date(2021, 1, 1), 3),
        Regime("QQ", date(2020, 1, 1), 2),
    )


@pytest.mark.parametrize(
    ("said", "weak"),
    [
        ("value: false, departs: none, confidence: high", True),
        ("value: false, departs: none, confidence: low", False),
        ("value: unknown, confidence: unknown", False),
        ("value: true, confidence: high", False),
        ("from: 2050-01-01, value: true, confidence: high", False),
        ("when: {asset: money}, value: false, departs: none, confidence: high", False),
    ],
)
@pytest.mark.parametrize("rule", ["vasp.regulated", "travel_rule.in_force"])
def test_only_a_sure_no_is_weak(law: Law, rule: str, said: str, weak: bool) -> None:
    unlisted = FATF.replace("[AA, QQ]", "[QQ]").replace("value: [AA]", "value: [QQ]")
    found = regimes(law(fatf=unlisted, aa=state(f"{rule}: [{{{said}, source: A, reviewed: 2026}}]")))
    assert [each for each in found if each.country == "AA"] == (
        [Regime("AA", date(2019, 6, 21), 1)] if weak else []
    )


def test_the_law_that_is_installed(installed: Standard) -> None:
    rough = rough_rates(installed, {"EUR": Decimal(1)})
    found = limits(installed, {"EUR": Decimal(1)}, rough)
    assert found == tuple(
        sorted(found, key=lambda each: (each.country, LIMITS.index(each.question), each.since))
    )
    assert all(each.country.isupper() and len(each.country) == 2 for each in found)
    us = [each.value for each in found if (each.country, each.question) == ("US", LIMITS[0])]
    assert us == [3000 * rough["USD"]]
    assert not any(each.country == "FR" and each.question == LIMITS[0] for each in found)  # from 0 on


def test_regimes_follow_the_lists_day_by_day(installed: Standard) -> None:
    found = regimes(installed)
    for country in ("IR", "AE", "SG", "VN"):
        mine = [each for each in found if each.country == country]
        for since in {
            day + timedelta(days=step) for day in (each.since for each in found) for step in (-1, 0)
        }:
            if since < date(2019, 6, 21):
                continue
            level = max(
                (each for each in mine if each.since <= since), key=lambda each: each.since, default=None
            )
            listed = {"black": 3, "grey": 2, "none": 0}[country_risk(installed, (country,), since)]
            assert (level.risk if level else 0) == listed

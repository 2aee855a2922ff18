"""The law as detection needs it: the thresholds people stay below, and what is known against countries.

Both are of the ordinary case: a virtual asset sent by a customer of a provider to a customer of another, and
nothing suspected. They say what to look for, and never what anyone must do: that is `duties`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from comity.errors import BadInput
from comity.model import Confidence, Limit, Operator, Regime, Threshold
from comity.standard.claims import parts, slots
from comity.standard.compare import binding
from comity.standard.duties import rate_of
from comity.standard.law import BLOC, Standard
from comity.standard.resolve import LISTS, country_risk, find
from comity.typologies import LIMITS

RULES = ("vasp.regulated", "travel_rule.in_force")
"""What a country's rules for virtual assets are weak without: that providers are licensed or registered
(FATF, INR.15 para 3), and that the Travel Rule is in force for them (INR.15 para 7(b) with R.16)."""
ORDINARY = {
    "asset": "virtual",
    "sector": "vasp",
    "counterparty": "hosted",
    "customer": "established",
    "direction": "out",
    "person": "natural",
    "pep": "none",
    "suspicion": "none",
    "sanctions": "none",
    "matter": "money_laundering",
    "suspect": "identified",
}
"""What is so in the ordinary case. Whether a border is crossed is left open: an answer that turns on it is no
general one."""
_LISTED = {"black": 3, "grey": 2, "none": 0}
_CENT = Decimal("0.01")
_Said = TypeVar("_Said")


def limits(
    standard: Standard, rates: Mapping[str, Decimal], rough: Mapping[str, Decimal]
) -> tuple[Limit, ...]:
    """Every country's thresholds of `LIMITS`, each from the day on which it changes, in the common currency.

    ``rates`` and ``rough`` are those of `duties`. *Over* 1,000 is given as 1,000.01: exactly 1,000 stays
    below it. A duty that begins at 0, one that nobody has established and one that only FATF asks for are
    no threshold: there is nothing to stay below. Raises BadInput where the currency of one has no rate.
    """
    found: dict[tuple[str, str], list[tuple[date, Decimal | None]]] = {}
    made = []
    for country, law in _countries(standard).items():
        for question in LIMITS:
            if (law, question) not in found:
                days = _days(standard, law, question)
                worth = ((day, _worth(standard, law, question, day, rates, rough)) for day in days)
                found[law, question] = list(_changes(worth, None))
            made += [Limit(country, question, day, value) for day, value in found[law, question]]
    return tuple(made)


def regimes(standard: Standard) -> tuple[Regime, ...]:
    """What is known against each country, from each day on which that changes.

    FATF's lists, and else weak rules: binding law answers one of `RULES` with no, while the standard asks for
    yes. Silence and what nobody has established are not weak, nor is an answer of low confidence, for a
    `Regime` cannot carry the doubt.
    """
    laws, days = _countries(standard), set()
    listed = standard.provisions.get(standard.root, {})
    every = dict.fromkeys(sorted(laws), "")
    for name in LISTS:
        for provision in listed.get(name, ()):
            days |= {day for day in (provision.from_, provision.until) if day}
            if isinstance(provision.value, tuple):
                every |= dict.fromkeys(provision.value, "")
    made = []
    for country in sorted(every):
        law = laws.get(country, "")
        own = {day for rule in RULES for day in _days(standard, law, rule)} if law else set()
        levels = ((day, _risk(standard, country, law, day)) for day in sorted({date.min} | days | own))
        made += [Regime(country, day, level) for day, level in _changes(levels, 0)]
    return tuple(made)


def _countries(standard: Standard) -> dict[str, str]:
    """Countries as transfers name them, and the law file of each: its own, or that of its bloc."""
    members = (each.members for each in standard.jurisdictions.values() if each.kind == BLOC)
    names = {name.upper() for name in standard.states()}.union(*members)
    return {name: standard.law_of(name) for name in sorted(names)}


def _days(standard: Standard, law: str, question: str) -> list[date]:
    """The first of all days, and each on which the answer may change, in order."""
    rule = standard.vocabulary.question(question).duty
    asked = parts(question, rule) if rule else (question,)
    every = (
        each
        for name in {*standard.chain(law), standard.root} - {""}
        for part in asked
        for each in standard.provisions[name].get(part, ())
    )
    return sorted({day for each in every for day in (each.from_, each.until) if day} | {date.min})


def _changes(said: Iterable[tuple[date, _Said]], before: _Said) -> Iterator[tuple[date, _Said]]:
    """What differs from what was said the day before it."""
    for day, value in said:
        if value != before:
            yield day, value
            before = value


def _worth(
    standard: Standard,
    law: str,
    question: str,
    on: date,
    rates: Mapping[str, Decimal],
    rough: Mapping[str, Decimal],
) -> Decimal | None:
    """From what worth binding law claims a duty in the ordinary case; None where it claims none, or all."""
    rule = standard.vocabulary.question(question).duty
    if rule is None:
        raise BadInput(
            f"no duty follows from {question}",
            why="its threshold is asked for",
            remedy="name a question of a duty",
        )
    facts = ORDINARY | {name: values[0] for name, values in rule.given if ORDINARY.get(name) not in values}
    for slot in slots(standard, law, facts, on, rule.on[0]):
        if slot.rule == rule and slot.required is not None:
            worths = [_common(limit, rates, rough) for limit in slot.required.limits if limit.amount]
            return max(worths, default=None)
    return None


def _common(limit: Threshold, rates: Mapping[str, Decimal], rough: Mapping[str, Decimal]) -> Decimal:
    """The least worth that reaches a threshold, judged as for one transfer (`duties.Worth`)."""
    codes, least = limit.currency.split("/"), limit.amount
    if limit.operator is Operator.OVER:
        least += _CENT
    if any(rates.get(code) == 1 for code in codes):
        return least
    known = {**rough, **rates}
    return least * min(rate_of(known, code) for code in codes)


def _risk(standard: Standard, country: str, law: str, on: date) -> int:
    """What is known against a country on a day: see `Regime`."""
    listed = _LISTED[country_risk(standard, (country,), on)]
    if listed or not law:
        return listed
    return int(any(_weak(standard, law, rule, on) for rule in RULES))


def _weak(standard: Standard, law: str, rule: str, on: date) -> bool:
    asks = find(standard, standard.root, rule, on, ORDINARY) if standard.root else None
    if asks is None or asks.value is not True:
        return False
    answer = binding(standard, law, rule, on, ORDINARY)
    return answer is not None and answer.value is False and answer.confidence is not Confidence.LOW

"""Knowledge beside the transfers, in the numbers that kernels take."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from comity.model import Attribution, Columns, Knowledge, Known, Mark, mark_of
from comity.typologies import LIMITS

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_NEVER = date(1, 1, 1)
EVEN = 0.5
"""What is said beside the surest statement counts from this confidence."""


def informed(columns: Columns, knowledge: Knowledge) -> Columns:
    """The same columns with what is known beside them. Costs in proportion to what is known, not to them."""
    m = columns.n_accounts
    marks, sure = np.zeros(m, dtype=np.uint32), np.zeros(m, dtype=np.uint8)
    actor = np.zeros(m, dtype=np.int32)
    actors = ("", *sorted({one.actor for one in knowledge.attributions.values()} - {""}))
    number = {name: place for place, name in enumerate(actors)}
    for place, one in _placed(columns.accounts, knowledge):
        marks[place], sure[place] = _marked(one)
        actor[place] = number[one.actor]
    days = {limit.since for limit in knowledge.limits} | {regime.since for regime in knowledge.regimes}
    epochs = [_NEVER, *sorted(days - {_NEVER})]
    countries = {name: place for place, name in enumerate(columns.facts.countries) if name}
    limits = np.zeros((len(epochs), len(countries) + 1, len(LIMITS)), dtype=np.int64)
    risk = np.zeros((len(epochs), len(countries) + 1), dtype=np.uint8)
    for limit in sorted(knowledge.limits, key=lambda limit: limit.since):
        if limit.country in countries and limit.question in LIMITS:
            at = epochs.index(limit.since)
            worth = _units(limit.value, columns.scale)
            limits[at:, countries[limit.country], LIMITS.index(limit.question)] = worth
    for regime in sorted(knowledge.regimes, key=lambda regime: regime.since):
        if regime.country in countries:
            risk[epochs.index(regime.since) :, countries[regime.country]] = regime.risk
    began = np.array([(day - _EPOCH).days * _DAY for day in epochs], dtype=np.int64)
    return replace(columns, known=Known(marks, sure, actor, began, limits, risk, actors))


def _marked(one: Attribution) -> tuple[int, int]:
    """All that is said of an account with even confidence, or else the surest; and how sure that is, of
    what is gravest in it: an exchange's tag hides no ransom, and a doubtful tag blames no exchange."""
    said = [each for each in (one, *one.others) if each is one or each.confidence >= EVEN]
    grave = [each for each in said if mark_of(each.categories) & (Mark.crime() | Mark.MIXER)]
    marks = mark_of(category for each in said for category in each.categories)
    return int(marks), round(100 * max(each.confidence for each in grave or [one]))


def _units(value: Decimal | None, scale: int) -> int:
    if value is None:
        return 0
    return int(value.scaleb(scale).quantize(Decimal(1), ROUND_HALF_EVEN))


def _placed(accounts: Sequence[str], knowledge: Knowledge) -> Iterable[tuple[int, Attribution]]:
    """The attributions whose account is in the ledger, with its number there."""
    for account, one in knowledge.attributions.items():
        place = bisect_left(accounts, account)
        if place < len(accounts) and accounts[place] == account:
            yield place, one

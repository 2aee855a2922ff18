"""Which of two answers is stricter. The vocabulary says by what; here is how each type is ordered."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from comity.model import Answer, Deadline, Gateway, Operator, Power, Threshold
from comity.standard.law import Question, Vocabulary


class Place(StrEnum):
    """Where one law stands beside another on one question."""

    STRICTER = "stricter"
    EQUAL = "equal"
    WEAKER = "weaker"
    SILENT = "silent"
    UNKNOWN = "unknown"


_HOURS = {
    "hour": Decimal(1),
    "calendar_day": Decimal(24),
    "working_day": Decimal(24) * 7 / 5,
    "day_of_next_month": Decimal(24),
    "month": Decimal(24) * 30,
    "year": Decimal(24) * 365,
}
_MONTH = Decimal(24) * 30


def place(vocabulary: Vocabulary, question: Question, ours: Answer, theirs: Answer) -> Place:
    """Where ``ours`` stands beside ``theirs``; UNKNOWN when either is, or when they cannot be ordered."""
    if ours is None or theirs is None or not question.stricter:
        return Place.EQUAL if ours == theirs and ours is not None else Place.UNKNOWN
    if question.type != "bool" and (ours is False or theirs is False):
        return _sign(int(ours is not False) - int(theirs is not False))
    if isinstance(ours, Threshold) and isinstance(theirs, Threshold):
        return _thresholds(vocabulary, ours, theirs)
    if question.stricter == "more":
        return _sets(members(vocabulary, ours), members(vocabulary, theirs))
    mine, other = _size(ours), _size(theirs)
    if mine is None or other is None:
        return Place.UNKNOWN
    difference = mine - other
    return _sign(difference if question.stricter in ("higher", "longer", "true") else -difference)


def hours(deadline: Deadline) -> Decimal:
    """Its length in hours, roughly; 0 for promptly and its like, which no number is shorter than."""
    start = _MONTH if deadline.unit == "day_of_next_month" else Decimal(0)
    return start + deadline.amount * _HOURS.get(deadline.unit, Decimal(0))


def dollars(vocabulary: Vocabulary, threshold: Threshold) -> Decimal | None:
    """The threshold in US dollars, roughly; the greater where either of two currencies will do."""
    rates = [vocabulary.rates[code] for code in threshold.currency.split("/") if code in vocabulary.rates]
    return threshold.amount * max(rates) if rates else None


def _thresholds(vocabulary: Vocabulary, ours: Threshold, theirs: Threshold) -> Place:
    exact = set(ours.currency.split("/")) & set(theirs.currency.split("/"))
    if exact or ours.amount == theirs.amount == 0:
        if ours.amount != theirs.amount:
            return _sign(theirs.amount - ours.amount)
        return _sign(int(theirs.operator is Operator.OVER) - int(ours.operator is Operator.OVER))
    mine, other = dollars(vocabulary, ours), dollars(vocabulary, theirs)
    if mine is None or other is None:
        return Place.UNKNOWN
    # A country rounds to its own currency, and rates move: nearly the same is the same.
    if abs(mine - other) <= vocabulary.tolerance * max(mine, other):
        return Place.EQUAL
    return _sign(other - mine)


def members(vocabulary: Vocabulary, value: Answer) -> frozenset[str]:
    """What an answer comprises: an address, say, is also an `address_or_identifier`."""
    if isinstance(value, Gateway):
        return frozenset(value.purposes) | frozenset(value.contents)
    said = frozenset(value) if isinstance(value, tuple) else frozenset()
    return said | {word for word, by in vocabulary.met_by.items() if said.intersection(by)}


def _sets(ours: frozenset[str], theirs: frozenset[str]) -> Place:
    if ours == theirs:
        return Place.EQUAL
    if ours > theirs:
        return Place.STRICTER
    return Place.WEAKER if ours < theirs else Place.UNKNOWN


def _size(value: Answer) -> Decimal | None:
    if isinstance(value, Deadline):
        return hours(value)
    if isinstance(value, Power):
        return hours(value.duration) if value.duration else None
    return Decimal(value) if isinstance(value, int) else None


def _sign(difference: Decimal | int) -> Place:
    if not difference:
        return Place.EQUAL
    return Place.STRICTER if difference > 0 else Place.WEAKER

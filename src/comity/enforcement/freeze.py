"""A freeze as a noun and as the body of a message; its states and the steps between them.

    requested ──serve──▶ served ──acknowledge──▶ in_force ──lift──▶ lifted
        │                  │                        └──expire──▶ expired
        └──lift──▶ lifted  ├──acknowledge──▶ refused
                           └──lift──▶ lifted, expire──▶ expired

Sources: FATF Recommendation 4 (2023), urgent freezing and its limits in time; the law that gives the
power is named in each measure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from comity import codec
from comity.errors import BadInput
from comity.model import AccountId, Confidence, Measure, MeasureKind, MeasureState

MAX_ACCOUNTS = 10_000

STEPS: Mapping[MeasureState, frozenset[MeasureState]] = {
    MeasureState.REQUESTED: frozenset({MeasureState.SERVED, MeasureState.LIFTED}),
    MeasureState.SERVED: frozenset(
        {MeasureState.IN_FORCE, MeasureState.REFUSED, MeasureState.LIFTED, MeasureState.EXPIRED}
    ),
    MeasureState.IN_FORCE: frozenset({MeasureState.LIFTED, MeasureState.EXPIRED}),
    MeasureState.REFUSED: frozenset(),
    MeasureState.LIFTED: frozenset(),
    MeasureState.EXPIRED: frozenset(),
}

BINDING = frozenset({MeasureState.SERVED, MeasureState.IN_FORCE})
"""A served order binds before it is acknowledged: the time between is when money leaves."""


def order(
    *,
    measure_id: str,
    ordered_by: str,
    served_on: str,
    accounts: Sequence[AccountId],
    legal_basis: str,
    confidence: Confidence | str,
    ordered: datetime,
    duration: timedelta | None,
    case_id: str = "",
    grounds: str = "",
) -> Measure:
    """A freeze in state REQUESTED, ending ``duration`` after ``ordered``; None where the law sets no end.

    Raises BadInput naming what is missing: accounts, the power used and how sure we are of it, the grounds.
    """
    until = ordered.astimezone(UTC) + duration if duration is not None else None
    measure = Measure(
        id=measure_id,
        kind=MeasureKind.FREEZE,
        ordered_by=ordered_by,
        served_on=served_on,
        accounts=tuple(dict.fromkeys(accounts)),
        legal_basis=legal_basis,
        confidence=str(confidence),
        state=MeasureState.REQUESTED,
        ordered=ordered.astimezone(UTC),
        until=until,
        case_id=case_id,
        grounds=grounds,
    )
    return valid(measure)


def valid(measure: Measure) -> Measure:
    """The measure itself when it can be a freeze. Raises BadInput naming what is wrong."""
    for name in ("id", "ordered_by", "served_on", "legal_basis", "confidence", "grounds"):
        if not str(getattr(measure, name)).strip():
            raise _refusal(f"{name} is missing", f"state its {name.replace('_', ' ')}")
    if measure.kind is not MeasureKind.FREEZE:
        raise _refusal(f"it is a {measure.kind.value}", "send it as what it is")
    if measure.confidence not in {c.value for c in Confidence}:
        raise _refusal(f"confidence {measure.confidence[:20]!r}", "write high, med, low or unknown")
    if not 1 <= len(measure.accounts) <= MAX_ACCOUNTS:
        raise _refusal(f"{len(measure.accounts)} accounts", f"name 1 to {MAX_ACCOUNTS:,} accounts")
    if any(account.is_hub for account in measure.accounts):
        raise _refusal("a transaction is nobody's account", "name the addresses it pays")
    if measure.ordered.tzinfo is None or (measure.until is not None and measure.until.tzinfo is None):
        raise _refusal("a time has no offset", "write times with their offset")
    if measure.until is not None and measure.until <= measure.ordered:
        raise _refusal("it ends before it begins", "give it a positive duration")
    return measure


def to_body(measure: Measure) -> dict[str, object]:
    """The measure as the body of a FREEZE_REQUEST."""
    body: dict[str, object] = codec.to_plain(measure)
    return body


def from_body(plain: object) -> Measure:
    """The measure a peer sent, as a request whatever state it claims. Raises BadInput."""
    measure = codec.from_plain(Measure, plain)
    return valid(replace(measure, state=MeasureState.REQUESTED))


def _refusal(what: str, remedy: str) -> BadInput:
    return BadInput(
        f"not a freeze: {what}",
        why="a freeze takes somebody's property: whose, by which power and why must be said",
        remedy=remedy,
    )

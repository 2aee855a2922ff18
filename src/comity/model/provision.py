"""One dated, sourced answer of law, and what it makes someone do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from comity.model.message import OnwardUse


class Confidence(StrEnum):
    """How sure we are of a legal fact. Anything below HIGH is marked wherever it is used."""

    HIGH = "high"
    MEDIUM = "med"
    LOW = "low"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Where a legal fact comes from: seen in a source, recalled, or not established."""

    SOURCED = "SOURCED"
    FROM_MEMORY = "FROM-MEMORY"
    UNKNOWN = "UNKNOWN"


class Operator(StrEnum):
    """``over 1000`` and ``at_least 1000`` differ, and so do the laws."""

    AT_LEAST = "at_least"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Threshold:
    """From (AT_LEAST) or above (OVER) this amount of this ISO 4217 currency."""

    operator: Operator
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.operator.value.replace('_', ' ')} {self.amount:,} {self.currency}"


@dataclass(frozen=True, slots=True)
class Deadline:
    """``amount`` of ``unit`` (hour, calendar_day, working_day, month, promptly …) from ``event``.

    A unit without a number in the law (promptly, without_delay, immediately,
    as_soon_as_practicable) has amount 0.
    """

    amount: int
    unit: str
    event: str = ""

    def __str__(self) -> str:
        words = self.unit.replace("_", " ")
        return f"{self.amount} {words}{'s' if self.amount > 1 else ''}" if self.amount else words


@dataclass(frozen=True, slots=True)
class Power:
    """What ``by`` may do to assets, and for how long: None when the law's limit is unknown or has none."""

    power: str
    by: str
    duration: Deadline | None = None
    extendable: str = ""

    def __str__(self) -> str:
        limit = f", {self.duration}" if self.duration else ""
        return f"{self.power} by {self.by}{limit}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """What may be shared: for which purposes, which kinds of content, with which limits on onward use.

    ``requires`` says what must have been done first: a notice, a registration, an agreement, a consent.
    """

    purposes: tuple[str, ...]
    contents: tuple[str, ...]
    onward: OnwardUse = OnwardUse.NONE
    limits: str = ""
    requires: str = ""

    def __str__(self) -> str:
        onward = self.onward.value.replace("_", " ")
        return f"{', '.join(self.contents)} for {', '.join(self.purposes)}; onward use: {onward}"


Answer = Threshold | Deadline | Power | Gateway | bool | int | str | tuple[str, ...] | None
"""The typed value of an answer. None is *unknown*, and shown as such; False also says that the law has
none (no such threshold, deadline, power or gateway)."""


@dataclass(frozen=True, slots=True)
class Provision:
    """One answer of one jurisdiction's law to one question of the vocabulary, within its dates.

    ``when`` holds the conditions under which it applies (an exception has more of them). ``until`` is
    exclusive. ``reviewed`` is the day someone last checked it.
    """

    jurisdiction: str
    question: str
    value: Answer
    source: str
    confidence: Confidence
    basis: Basis
    from_: date | None = None
    until: date | None = None
    when: tuple[tuple[str, str], ...] = ()
    reviewed: date | None = None
    departs: str = ""
    note: str = ""

    def holds(self, on: date) -> bool:
        """Whether a day lies within its dates, whatever its conditions."""
        return (self.from_ is None or self.from_ <= on) and (self.until is None or on < self.until)


class Force(StrEnum):
    """FATF binds states, not firms: what only FATF asks is RECOMMENDED, never REQUIRED."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"


@dataclass(frozen=True, slots=True)
class Duty:
    """What someone must do, by when, under which provision.

    ``kind`` is a stable word (travel_rule, report_suspicion, identify_customer, verify_self_hosted,
    keep_records, do_not_tip_off …); ``due`` is None when the law gives no computable time, and then
    ``deadline`` says what it does give.
    """

    kind: str
    who: str
    what: str
    jurisdiction: str
    force: Force
    provision: Provision
    deadline: Deadline | None = None
    due: datetime | None = None
    details: tuple[tuple[str, str], ...] = field(default=())

    @property
    def doubts(self) -> tuple[str, ...]:
        """What to check before relying on it, in words: shown wherever the duty is."""
        return tuple(said for name, said in self.details if name in ("unknown", "suspicion", "rate"))

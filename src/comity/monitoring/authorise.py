"""One transfer, decided before it is sent: lists, exposure, velocity, and the duties of the standard.

The rules are those of the batch: what a list or an analyst says of either account, the alerts of the last
monitoring, the velocity typology with this transfer as the latest, and the duties of every country touched.
A ruling costs look-ups and comparisons only, however large the ledger and the lists. Not looked at: the names
of the parties and the institutions between them; whose they are is to be screened by name beforehand.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from comity import plugins
from comity.errors import BadInput
from comity.model import (
    Attribution,
    Authorisation,
    Columns,
    Confidence,
    Duty,
    Finding,
    Force,
    Ground,
    Level,
    Mark,
    Ruling,
    Transfer,
    mark_of,
)
from comity.monitoring.run import chosen

Duties = Callable[[Transfer, datetime, Mapping[str, str]], tuple[Duty, ...]]
"""The duties of a transfer at a moment, the facts being these."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_UNITS = 10**18
"""No transfer in a ledger is worth more, in units of its columns."""
_MOST_PACES = 500_000
_ORDER = {Ruling.ALLOW: 0, Ruling.HOLD: 1, Ruling.REFUSE: 2}
_SANCTIONED = Mark.SANCTIONED | Mark.TERRORISM
_SUSPECT = {"suspicion": "alert"}
_FROZEN = {"suspicion": "alert", "sanctions": "hit", "matter": "sanctions"}


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds a transfer and what refuses it. Engineering defaults, for each institution to set.

    ``sure``: an analyst's attribution to crime or a mixer holds from this confidence. ``hold`` and
    ``refuse`` are kinds of duty that, where binding law asks for them, do so; ``named`` those that ask for
    the names of both parties, and hold a transfer that lacks one.
    """

    sure: float = 0.5
    hold: frozenset[str] = frozenset(
        {"verify_self_hosted", "identify_customer", "enhanced_diligence_country", "enhanced_diligence_pep"}
    )
    refuse: frozenset[str] = frozenset({"refuse_cash", "freeze_promptly"})
    named: frozenset[str] = frozenset({"travel_rule", "travel_rule_names", "collect_self_hosted"})


@dataclass(slots=True)
class _Pace:
    """One account's payments one way: how many ever, since when, and those within the window."""

    count: int
    since: int
    recent: deque[tuple[int, int]] = field(default_factory=deque)
    total: int = 0


class Velocity:
    """The velocity typology, one transfer at a time: its window is the one that ends with this transfer."""

    def __init__(self, columns: Columns, parameters: Mapping[str, float] | None = None) -> None:
        given = chosen(["velocity"], {"velocity": parameters or {}}, columns.scale)["velocity"]
        self._columns, self._scale = columns, columns.scale
        self._least, self._worth = int(given["min_count"]), int(given["min_total"])
        self._window, self._baseline = int(given["window"]), int(given["baseline"])
        self._times = given["times"]
        self._number = {account: number for number, account in enumerate(columns.accounts)}
        self._paces: dict[tuple[str, bool], _Pace] = {}
        self._most = _MOST_PACES
        self.source = plugins.load("typologies", "velocity").SPEC.source

    def ground(self, account: str, time: int, value: int, *, incoming: bool) -> Ground | None:
        """The ground to hold a transfer that would be the account's latest, if there is one."""
        pace = self._pace(account, incoming, time)
        count, total = len(pace.recent) + 1, pace.total + max(value, 0)
        if count < self._least or total < self._worth:
            return None
        usual = (pace.count + 1) * self._window / max(time - pace.since, self._baseline)
        if count < self._times * usual:
            return None
        verb = "received" if incoming else "sent"
        worth = Decimal(total).scaleb(-self._scale)
        minutes = self._window // 60_000_000
        text = f"With this transfer {account} has {verb} {count} within {minutes} minutes, {worth:,f} in all."
        return Ground(Ruling.HOLD, "velocity", text, self.source)

    def note(self, account: str, time: int, value: int, *, incoming: bool, now: int) -> None:
        """Count a transfer that was sent at ``time``, be it later ones that are counted already."""
        pace = self._pace(account, incoming, now)
        one = (time, max(value, 0))
        if pace.recent and time < pace.recent[-1][0]:
            insort(pace.recent, one)
        else:
            pace.recent.append(one)
        pace.total += one[1]
        pace.count += 1

    def _pace(self, account: str, incoming: bool, time: int) -> _Pace:
        pace = self._paces.get((account, incoming))
        if pace is None:
            if len(self._paces) >= self._most:
                self._forget(time)
            pace = self._paces[account, incoming] = self._earlier(account, incoming, time)
        while pace.recent and time - pace.recent[0][0] > self._window:
            pace.total -= pace.recent.popleft()[1]
        return pace

    def _forget(self, time: int) -> None:
        """Leave out accounts without a payment in the window: they are looked up in the ledger again."""
        busy = {
            key: pace
            for key, pace in self._paces.items()
            if pace.recent and time - pace.recent[-1][0] <= self._window
        }
        self._paces, self._most = busy, max(_MOST_PACES, 2 * len(busy))

    def _earlier(self, account: str, incoming: bool, time: int) -> _Pace:
        """What the ledger holds of it; what an account moves to itself is no payment."""
        number = self._number.get(account)
        if number is None:
            return _Pace(0, time)
        c = self._columns
        ptr, times = (c.in_ptr, c.in_time) if incoming else (c.out_ptr, c.out_time)
        values, others = (c.in_value, c.in_src) if incoming else (c.out_value, c.out_dst)
        begin, end = int(ptr[number]), int(ptr[number + 1])
        if begin == end:
            return _Pace(0, time)
        pace = _Pace(end - begin, int(times[begin]))
        first = begin + bisect_right(times[begin:end], time - self._window - 1)
        for place in range(first, end):
            if int(times[place]) <= time and int(others[place]) != number:
                worth = max(int(values[place]), 0)
                pace.recent.append((int(times[place]), worth))
                pace.total += worth
        return pace


class Authoriser:
    """Rules on transfers in the state it is given, and takes in those that were sent since.

    ``attributions`` by account id; ``alerts``: findings of the last monitoring, by account; ``duties`` as the
    standard computes them. Not for several threads at once.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        attributions: Mapping[str, Attribution],
        alerts: Mapping[str, Sequence[Finding]],
        duties: Duties,
        policy: Policy | None = None,
        velocity: Mapping[str, float] | None = None,
    ) -> None:
        self._attributions, self._alerts, self._duties = attributions, alerts, duties
        self._policy = policy or Policy()
        self._velocity = Velocity(columns, velocity)
        self._scale = columns.scale
        self._reference = columns.reference
        self._evm: dict[str, list[Attribution]] = {}
        for account, one in attributions.items():
            if account.startswith(("eip155:", "listed:")):
                self._evm.setdefault(account.rsplit(":", 1)[1], []).append(one)

    def decide(self, transfer: Transfer, at: datetime) -> Authorisation:
        """The ruling on a transfer that would be sent at ``at``. Raises BadInput where its worth is not known
        and a threshold of law must be judged."""
        ends = (transfer.originator.value, transfer.beneficiary.value)
        grounds = [ground for account in ends for ground in self._said(account)]
        time, value = (at - _EPOCH) // _MICROSECOND, self._worth(transfer)
        if ends[0] != ends[1]:
            for account, incoming in zip(ends, (False, True), strict=True):
                if fast := self._velocity.ground(account, time, value, incoming=incoming):
                    grounds.append(fast)
        facts: Mapping[str, str] = {}
        if grounds:
            worst = max(_ORDER[ground.ruling] for ground in grounds)
            facts = ({}, _SUSPECT, _FROZEN)[worst]
        duties = self._duties(transfer, at, facts)
        owed = (self._owed(duty, transfer) for duty in duties if duty.force is Force.REQUIRED)
        grounds += filter(None, owed)
        ruling = max((g.ruling for g in grounds), key=_ORDER.__getitem__, default=Ruling.ALLOW)
        return Authorisation(transfer.id, ruling, tuple(grounds), duties, at)

    def check(self, transfer: Transfer, at: datetime) -> None:
        """Raises BadInput where `decide` would for want of a worth."""
        self._worth(transfer)
        if transfer.value is None:
            self._duties(transfer, at, {})

    def sent(self, transfer: Transfer, at: datetime, now: datetime | None = None) -> None:
        """Count a transfer that was sent at ``at``; ``now``, where that is later."""
        time, value = (at - _EPOCH) // _MICROSECOND, self._worth(transfer)
        told = time if now is None else (now - _EPOCH) // _MICROSECOND
        if transfer.originator != transfer.beneficiary:
            self._velocity.note(transfer.originator.value, time, value, incoming=False, now=told)
            self._velocity.note(transfer.beneficiary.value, time, value, incoming=True, now=told)

    def _worth(self, transfer: Transfer) -> int:
        """In units of the columns, -1 where it is not known. Raises BadInput for what no ledger keeps."""
        worth, amount = transfer.value, transfer.amount
        most = Decimal(_MOST_UNITS).scaleb(-self._scale)
        if amount is not None and not 0 <= amount.quantity < _MOST_UNITS:
            raise _out_of_bounds("an amount", amount.quantity)
        if worth is None and amount is not None and amount.asset.value == self._reference:
            worth = amount.quantity
        if worth is None:
            return -1
        if not 0 <= worth <= most:
            raise _out_of_bounds("a value", worth)
        return int(worth.scaleb(self._scale).to_integral_value(ROUND_HALF_EVEN))

    def _said(self, account: str) -> list[Ground]:
        """What lists, analysts and the last monitoring say of an account."""
        about = [one for one in (self._attributions.get(account),) if one]
        if account.startswith("eip155:"):  # one key holds an address on every EVM chain
            elsewhere = self._evm.get(account.rsplit(":", 1)[1].lower(), ())
            about += (one for one in elsewhere if one.account != account)
        every = (self._attributed(account, said) for one in about for said in (one, *one.others))
        found = list(dict.fromkeys(filter(None, every)))
        for finding in self._alerts.get(account, ()):
            if finding.level is Level.ALERT:
                text = f"{account} has an alert of {finding.rule}: {finding.reasons[0]}"
                found.append(Ground(Ruling.HOLD, "monitoring", text, finding.source))
        return found

    def _attributed(self, account: str, said: Attribution) -> Ground | None:
        marks = mark_of(said.categories)
        whom = said.label or said.actor
        if marks & _SANCTIONED and said.confidence >= 1:
            return Ground(Ruling.REFUSE, "list", f"{account} is listed: {whom}.", said.source)
        if marks & (Mark.crime() | Mark.MIXER):
            ruling = Ruling.HOLD if said.confidence >= self._policy.sure else Ruling.ALLOW
            kinds = ", ".join(said.categories)
            text = f"{account} is attributed to {whom} ({kinds}), confidence {said.confidence:.0%}."
            return Ground(ruling, "attribution", text, said.source)
        return None

    def _owed(self, duty: Duty, transfer: Transfer) -> Ground | None:
        said = duty.provision
        doubt = "" if said.confidence is Confidence.HIGH else f" (confidence {said.confidence.value})"
        source = f"{duty.jurisdiction}{doubt}: {said.source}"
        if duty.kind in self._policy.refuse:
            return Ground(Ruling.REFUSE, duty.kind, f"{duty.what} ({duty.jurisdiction})", source)
        if duty.kind in self._policy.hold:
            return Ground(Ruling.HOLD, duty.kind, f"First: {duty.what} ({duty.jurisdiction})", source)
        if duty.kind in self._policy.named:
            parties = {"originator": transfer.originator_party, "beneficiary": transfer.beneficiary_party}
            missing = [end for end, party in parties.items() if party is None or not party.name]
            if missing:
                lack = f"The name of the {' and the '.join(missing)} is missing."
                return Ground(Ruling.HOLD, duty.kind, f"{lack} {duty.what} ({duty.jurisdiction})", source)
        return None


def _out_of_bounds(what: str, quantity: Decimal) -> BadInput:
    return BadInput(
        f"{what} out of bounds: {quantity}",
        why="no ledger keeps it: it is below 0, or beyond 10^18 of the least units",
        remedy="correct the transfer",
    )

"""The duties of a whole ledger at once: the claims of `claims`, judged by one kernel over columns.

Transfers that look alike to the law (same country, day of law, kind of parties) share a *profile*: the law
is resolved once for each, and each transfer is then compared with its limits only. `Owed.of` gives back
the very duties that `duties` finds for a transfer; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from comity.errors import BadInput, NotFound
from comity.model import Confidence, Deadline, Duty, Force
from comity.standard.batch import EPOCH, MICROSECOND, Batch
from comity.standard.claims import duty
from comity.standard.deadlines import FIRST_YEAR, LAST_YEAR, due, local_day
from comity.standard.duties import place
from comity.standard.law import Standard
from comity.standard.profiles import NEVER, Profile, Profiles, midnight, moment
from comity.standard.rows import Rows, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = np.iinfo(np.int64).min
_DAY = timedelta(days=1)
_EARLIEST, _LATEST = (
    (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND for year in (FIRST_YEAR, LAST_YEAR)
)
_FORCES = (Force.REQUIRED, Force.RECOMMENDED)


@dataclass(frozen=True)
class Owed:
    """Which duties each institution of each transfer has, in each country it touches.

    One row is one institution, one country and one transfer: ``rows`` says which. ``required``,
    ``recommended`` and ``unjudged`` are uint32[r] with bit i for ``kinds[i]``; unjudged: the duty turns on
    a worth that is not known.
    """

    standard: Standard
    batch: Batch
    rows: Rows
    kinds: tuple[str, ...]
    profiles: Sequence[Profile]
    profile: NDArray[np.int32]
    required: NDArray[np.uint32]
    recommended: NDArray[np.uint32]
    unjudged: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.required)

    def mask(self, kind: str, force: Force) -> NDArray[np.bool_]:
        """bool[r]: whether a row has this duty with this force. Raises NotFound for an unknown kind."""
        if kind not in self.kinds:
            raise NotFound(f"no duty {kind!r}", remedy=f"use one of: {', '.join(self.kinds)}")
        bits = self.required if force is Force.REQUIRED else self.recommended
        found: NDArray[np.bool_] = (bits >> np.uint32(self.kinds.index(kind))) & np.uint32(1) == 1
        return found

    def count(self) -> dict[tuple[str, str, Force], int]:
        """How many duties of each kind and force there are in each country, those that are none left out."""
        countries = self.rows.countries
        places = np.array([countries.index(each.venue.country) for each in self.profiles], dtype=np.int64)
        found: dict[tuple[str, str, Force], int] = {}
        for kind in self.kinds:
            for force in _FORCES:
                chosen = self.profile[self.mask(kind, force)]
                counts = np.bincount(places[chosen], minlength=len(countries))
                for number in np.flatnonzero(counts):
                    found[(countries[number], kind, force)] = int(counts[number])
        return dict(sorted(found.items()))

    def due(self, kind: str) -> NDArray[np.int64]:
        """int64[r]: when the duty ends, in microseconds since 1970 UTC; `NONE` where it has no such time."""
        out = np.full(len(self), NONE, dtype=np.int64)
        terms, codes = self._terms
        for at, force in enumerate(_FORCES):
            code = codes.get((kind, at))
            if code is None:
                continue
            chosen = np.flatnonzero(self.mask(kind, force))
            mine = code[self.profile[chosen]]
            order = np.argsort(mine, kind="stable")
            bounds = np.searchsorted(mine[order], np.arange(len(terms) + 1))
            for number in np.flatnonzero(np.diff(bounds)).tolist():
                rows = chosen[order[bounds[number] : bounds[number + 1]]]
                out[rows] = _ends(self.batch.time[self.rows.transfer[rows]], *terms[number])
        return out

    @cached_property
    def _terms(
        self,
    ) -> tuple[tuple[tuple[Deadline, str, str], ...], dict[tuple[str, int], NDArray[np.int32]]]:
        """The different deadlines that end at a time, each with its country and zone; and by kind and force
        which of them each profile has (-1: none)."""
        terms: dict[tuple[Deadline, str, str], int] = {}
        codes: dict[tuple[str, int], NDArray[np.int32]] = {}
        seen: dict[tuple[int, int, str], int] = {}
        for number, profile in enumerate(self.profiles):
            country, zone = profile.venue.country, profile.venue.zone
            for slot in profile.slots:
                for at, claim in enumerate((slot.required, slot.recommended)):
                    if claim is None or claim.deadline is None or not claim.deadline.amount:
                        continue
                    own = (id(slot), at, country)
                    if own not in seen:
                        # Rows of one law and one deadline end alike, whatever the event is called.
                        term = (replace(claim.deadline, event=""), country, zone)
                        seen[own] = terms.setdefault(term, len(terms))
                    key = (slot.rule.kind, at)
                    if key not in codes:
                        codes[key] = np.full(len(self.profiles), -1, dtype=np.int32)
                    codes[key][number] = seen[own]
        return tuple(terms), codes

    @cached_property
    def _by_transfer(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.rows.transfer, kind="stable")
        return order, self.rows.transfer[order]

    def of(self, number: int) -> tuple[Duty, ...]:
        """The duties of transfer ``number``, sorted and as `duties` has them."""
        order, sorted_ = self._by_transfer
        start, end = np.searchsorted(sorted_, [number, number + 1])
        found = [owed for row in order[start:end] for owed in self._row(int(row))]
        return tuple(sorted(found, key=lambda each: (each.jurisdiction, each.kind, each.who)))

    def _row(self, row: int) -> Iterator[Duty]:
        profile = self.profiles[self.profile[row]]
        country, name = profile.venue.country, profile.venue.zone
        side, ground = self.rows.side(row)
        _, ground, _ = place(self.standard, country, ground)
        time = moment(self.batch.time[self.rows.transfer[row]])
        on = local_day(time, name)
        for slot in profile.slots:
            bit = 1 << self.kinds.index(slot.rule.kind)
            for force, bits in zip(_FORCES, (self.required[row], self.recommended[row]), strict=True):
                if int(bits) & bit:
                    found = duty(
                        slot, force, who=side.who, role=profile.role, ground=ground, country=country, on=on
                    )
                    end = due(found.deadline, time, country, name) if found.deadline else None
                    yield replace(found, due=end)


def lowest(found: Owed) -> dict[tuple[str, str, Force], Confidence]:
    """The lowest confidence among the provisions behind each kind of duty in each country."""
    ranks = tuple(Confidence)
    worst: dict[tuple[str, str, Force], Confidence] = {}
    for profile in found.profiles:
        for slot in profile.slots:
            for force, claim in zip(_FORCES, (slot.required, slot.recommended), strict=True):
                if claim is not None:
                    key = (profile.venue.country, slot.rule.kind, force)
                    held = worst.get(key, Confidence.HIGH)
                    worst[key] = max(held, claim.provision.confidence, key=ranks.index)
    return worst


def converted(found: Owed, common: str) -> frozenset[str]:
    """The currencies of thresholds that no amount in the ``common`` currency can be held against as it is."""
    claims = (
        claim
        for profile in found.profiles
        for slot in profile.slots
        for claim in (slot.required, slot.recommended)
        if claim is not None
    )
    limits = (limit for claim in claims for limit in claim.limits if limit.amount)
    codes = (limit.currency.split("/") for limit in limits)
    return frozenset(code for each in codes if common not in each for code in each)


def owed(standard: Standard, batch: Batch, *, rates: Mapping[str, Decimal]) -> Owed:
    """The duties of every transfer of a batch, the event being the transfer. ``rates`` as in `duties`.

    A transfer whose own worth is not known is left unjudged where that matters. Raises BadInput when a
    threshold has to be judged in a currency that has no rate, or a time is out of bounds.
    """
    for edge in (batch.time.min(), batch.time.max()) if len(batch) else ():
        if not _EARLIEST <= edge <= _LATEST:
            raise BadInput("a transfer's time is out of bounds", remedy="correct it, or leave it out")
    kinds = tuple(
        dict.fromkeys(each.duty.kind for each in standard.vocabulary.questions.values() if each.duty)
    )
    rows = rows_of(batch)
    found = Profiles(standard, batch, rows, rates)
    profile = found.assign()
    pointer, table = found.table(kinds)
    required, recommended, unjudged = (np.zeros(len(profile), dtype=np.uint32) for _ in range(3))
    _judge(
        profile,
        rows.transfer,
        batch.value,
        batch.quantity,
        batch.currency,
        len(batch.currencies) + 1,
        pointer,
        table,
        required,
        recommended,
        unjudged,
    )
    _once(rows, required, recommended, unjudged)
    return Owed(standard, batch, rows, kinds, found.profiles, profile, required, recommended, unjudged)


@njit(cache=True, nogil=True)
def _judge(  # type: ignore[no-untyped-def]
    profile,
    transfer,
    value,
    quantity,
    currency,
    width,
    pointer,
    table,
    required,
    recommended,
    unjudged,
):
    """Compare each row's worth with the limits of its profile and currency (`Profiles.table`)."""
    for row in range(profile.shape[0]):
        if profile[row] < 0:
            continue
        number = transfer[row]
        worth, amount = value[number], quantity[number]
        lines = profile[row] * width + currency[number] + 1
        for at in range(pointer[lines], pointer[lines + 1]):
            bit = np.uint32(1) << np.uint32(table[at, 0])
            for force in range(2):
                from_worth, from_amount = table[at, 1 + 2 * force], table[at, 2 + 2 * force]
                if from_worth == NEVER or amount < from_amount:
                    continue
                if from_worth > 0 and worth < 0:
                    unjudged[row] |= bit
                    break
                if worth >= from_worth or from_worth <= 0:
                    if force == 0:
                        required[row] |= bit
                    else:
                        recommended[row] |= bit
                    break


def _once(
    rows: Rows,
    required: NDArray[np.uint32],
    recommended: NDArray[np.uint32],
    unjudged: NDArray[np.uint32],
) -> None:
    """One institution at both ends of a transfer owes each duty once in a country: at the first end."""
    for later, earlier in rows.twins:
        had = required[earlier] | recommended[earlier]
        for bits in (required, recommended, unjudged):
            bits[later] &= ~had


def _ends(times: NDArray[np.int64], deadline: Deadline, country: str, zone: str) -> NDArray[np.int64]:
    """When a deadline from each of these moments ends. Only hours depend on more than the local day."""
    if deadline.unit == "hour":
        later: NDArray[np.int64] = times + deadline.amount * 3_600_000_000
        return later
    first = local_day(moment(times.min()), zone)
    last = local_day(moment(times.max()), zone)
    days = [first + _DAY * number for number in range((last - first).days + 1)]
    starts = np.array([midnight(day, zone) for day in days], dtype=np.int64)
    which = np.searchsorted(starts, times, side="right") - 1
    ends = np.zeros(len(days), dtype=np.int64)
    for number in np.flatnonzero(np.bincount(which, minlength=len(days))):
        end = due(deadline, moment(starts[number]), country, zone)
        assert end is not None
        ends[number] = (end - EPOCH) // MICROSECOND
    return ends[which]

"""The law as a ledger meets it: each different situation resolved once, its limits as integers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from comity.model import Operator, Threshold
from comity.standard.batch import EPOCH, MICROSECOND, Batch, limit
from comity.standard.claims import Asked, Claim, Claims, Slot, parts
from comity.standard.deadlines import local_day, zone
from comity.standard.duties import place, rate_of
from comity.standard.law import Standard
from comity.standard.resolve import LISTS, country_risk
from comity.standard.rows import ROLES, Rows, compress
from comity.standard.sides import Side, ordinary

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).max
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Venue:
    """A country whose law is asked: its law file, and the time zone of its days."""

    country: str
    law: str
    zone: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What every transfer in one situation meets, whatever it is worth."""

    venue: Venue
    role: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Sets of countries that the law does not tell apart."""

    domestic: bool
    bloc: bool
    listed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Head:
    """All that the law looks at in a row, but the day and the worth. ``asked``: by the risk of the day."""

    venue: Venue
    role: str
    listed: frozenset[str]
    seen: dict[str, str]
    facts: Mapping[str, str]
    asked: dict[str, tuple[Asked, ...]]

    @property
    def calendar(self) -> tuple[Venue, bool]:
        """What decides when the law changes for it."""
        return self.venue, bool(self.listed)


def moment(microseconds: int) -> datetime:
    """The aware datetime of microseconds since 1970."""
    return EPOCH + int(microseconds) * MICROSECOND


def midnight(day: date, name: str) -> int:
    """Microseconds since 1970 at which a local day begins."""
    return (datetime.combine(day, time(0), zone(name)).astimezone(UTC) - EPOCH) // MICROSECOND


class Profiles:
    """The profiles of a batch's rows, and the limits they set."""

    def __init__(self, standard: Standard, batch: Batch, rows: Rows, rates: Mapping[str, Decimal]) -> None:
        self._standard, self._batch, self._rows, self._rates = standard, batch, rows, rates
        self._numbers: dict[tuple[object, ...], int] = {}
        self._days: dict[tuple[str, bool], tuple[date, ...]] = {}
        questions = standard.vocabulary.questions.items()
        self._asked = {part for name, each in questions if each.duty for part in parts(name, each.duty)}
        self._claims = Claims(standard)
        self._venues: dict[str, Venue] = {}
        self._risks: dict[tuple[frozenset[str], date], str] = {}
        self.profiles: list[Profile] = []

    def assign(self) -> NDArray[np.int32]:
        """int32[r]: the profile of each row, -1 where no law file speaks."""
        batch, rows = self._batch, self._rows
        if not len(rows.transfer):
            return np.empty(0, dtype=np.int32)
        kinds, kind = self._kinds()
        groups, group = self._groups()
        # What a transfer shows to whoever looks: is it money, its facts, is it on a chain, whom it touches …
        many, wide = len(batch.fact_sets), len(groups)
        own = (batch.currency >= 0) * np.int64(many) + batch.facts
        own = (own * 2 + rows.chain) * wide + group[rows.touched]
        own_codes, own_keys = compress(own, 2 * many * 2 * wide)
        # … and what it shows to one institution: who that is to the law, and who is at the other end.
        key = (kind[rows.seat].astype(np.int64) * 2 + rows.hosted) * len(own_keys) + own_codes[rows.transfer]
        codes, keys = compress(key, len(kinds) * 2 * len(own_keys))
        heads = [self._head(kinds, groups, own_keys, each) for each in keys.tolist()]
        periods, starts, epoch = self._periods([head.calendar for head in heads])
        period = periods[codes, epoch[rows.transfer]]
        width = len(starts)
        codes, pairs = compress(codes.astype(np.int64) * width + period, len(heads) * width)
        days = [
            {venue: local_day(start, venue.zone) for venue in self._venues.values() if venue.law}
            for start in starts
        ]
        numbers = [self._profile(heads[each // width], days[each % width]) for each in pairs.tolist()]
        return np.array(numbers, dtype=np.int32)[codes]

    def _kinds(self) -> tuple[list[tuple[str, str, Side]], NDArray[np.int32]]:
        """The different seats as the law sees them, without names; and which of them each seat is."""
        found: dict[tuple[str, str, Side], int] = {}
        codes = []
        for role, side, number in self._rows.seats:
            blank = Side("", True, (), side.sector, legal=side.legal)
            codes.append(found.setdefault((side.countries[number][0], ROLES[role], blank), len(found)))
        return list(found), np.array(codes, dtype=np.int32)

    def _venue(self, country: str) -> Venue:
        if country not in self._venues:
            law, _, name = place(self._standard, country, "")
            self._venues[country] = Venue(country, law, name)
        return self._venues[country]

    def _groups(self) -> tuple[list[_Group], NDArray[np.int64]]:
        """What matters of the sets of countries touched: how many there are, and which FATF ever lists."""
        first, last = (moment(int(edge)).date() for edge in (self._batch.time.min(), self._batch.time.max()))
        root = self._standard.root
        listed = {
            country
            for name in LISTS
            for each in (self._standard.provisions[root].get(name, ()) if root else ())
            if (each.from_ or date.min) <= last + _DAY and first - _DAY < (each.until or date.max)
            if isinstance(each.value, tuple)
            for country in each.value
        }
        found: dict[_Group, int] = {}
        codes = [
            found.setdefault(
                _Group(len(each) <= 1, self._standard.in_one_bloc(each), frozenset(each & listed)), len(found)
            )
            for each in self._rows.sets
        ]
        return list(found), np.array(codes, dtype=np.int64)

    def _head(
        self, kinds: list[tuple[str, str, Side]], groups: list[_Group], own_keys: NDArray[np.int64], key: int
    ) -> _Head:
        seat, number = divmod(key, len(own_keys))
        kind, hosted = divmod(seat, 2)
        rest, at = divmod(int(own_keys[number]), len(groups))
        rest, chain = divmod(rest, 2)
        money, facts = divmod(rest, len(self._batch.fact_sets))
        country, role, side = kinds[kind]
        group = groups[at]
        seen = ordinary(
            side, role, hosted=bool(hosted), chain=bool(chain), money=bool(money), domestic=group.domestic
        )
        return _Head(
            self._venue(country),
            role,
            group.listed - {country},
            seen | {"bloc": "inside" if group.bloc else "outside"},
            self._batch.fact_sets[facts],
            {},
        )

    def _days_of(self, venue: Venue, lists: bool) -> tuple[date, ...]:
        """The days on which duties in a law file may change, with or without those of FATF's lists."""
        if (venue.law, lists) not in self._days:
            chain = {*self._standard.chain(venue.law), self._standard.root} - {""}
            names = self._asked | (set(LISTS) if lists else set())
            self._days[venue.law, lists] = tuple(
                sorted(
                    {
                        day
                        for law in chain
                        for name in names
                        for each in self._standard.provisions[law].get(name, ())
                        for day in (each.from_, each.until)
                        if day
                    }
                )
            )
        return self._days[venue.law, lists]

    def _periods(
        self, calendars: list[tuple[Venue, bool]]
    ) -> tuple[NDArray[np.int32], list[datetime], NDArray[np.int64]]:
        """When the law changes: for each calendar and epoch the number of the moment its period began at,
        the moments, and the epoch of each transfer. Between two moments nothing changes anywhere."""
        time_ = self._batch.time
        first, last = int(time_.min()), int(time_.max())
        own = {
            calendar: {
                edge
                for day in (self._days_of(*calendar) if calendar[0].law else ())
                if moment(first).date() <= day <= moment(last).date() + 2 * _DAY
                if first < (edge := midnight(day, calendar[0].zone)) <= last
            }
            for calendar in dict.fromkeys(calendars)
        }
        edges = sorted({edge for found in own.values() for edge in found})
        began = {
            calendar: np.maximum.accumulate(
                [0, *(number + 1 if edge in found else 0 for number, edge in enumerate(edges))]
            ).astype(np.int32)
            for calendar, found in own.items()
        }
        epoch = np.searchsorted(np.array(edges, dtype=np.int64), time_, side="right")
        return np.stack([began[each] for each in calendars]), [moment(first), *map(moment, edges)], epoch

    def _profile(self, head: _Head, days: Mapping[Venue, date]) -> int:
        """The number of the profile of one situation, from a day on until the law may change."""
        venue = head.venue
        if not venue.law:
            return -1
        day = days[venue]
        risk = self._risk(head.listed, day) if head.listed else "none"
        if risk not in head.asked:
            seen = head.seen | {"country_risk": risk} | dict(head.facts)
            head.asked[risk] = self._claims.asked(venue.law, seen, head.role)
        period = bisect_right(self._days_of(venue, False), day)
        claims = self._claims.slots(head.asked[risk], day, period)
        key = (venue.country, head.role, *map(id, claims))
        if key not in self._numbers:
            self._numbers[key] = len(self.profiles)
            self.profiles.append(Profile(venue, head.role, claims))
        return self._numbers[key]

    def _risk(self, listed: frozenset[str], day: date) -> str:
        key = (listed, day)
        if key not in self._risks:
            self._risks[key] = country_risk(self._standard, listed, day)
        return self._risks[key]

    def table(self, kinds: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pointers int64[p·c + 1] into a table int64[s, 5], for each profile and currency (first: no money).

        A line: kind, then the least value and quantity from which a duty is required, then those from
        which it is recommended. Raises BadInput for a rate that is missing.
        """
        pointer, table = [0], []
        lines: dict[tuple[int, str], tuple[int, ...]] = {}
        for profile in self.profiles:
            for currency in ("", *self._batch.currencies):
                for slot in profile.slots:
                    key = (id(slot), currency)
                    if key not in lines:
                        lines[key] = (kinds.index(slot.rule.kind), *self._line(slot, currency))
                    table.append(lines[key])
                pointer.append(len(table))
        return np.array(pointer, dtype=np.int64), np.array(table, dtype=np.int64).reshape(-1, 5)

    def _line(self, slot: Slot, currency: str) -> tuple[int, ...]:
        required = self._limits(slot.required, currency)
        always = required == (0, -1)
        return *required, *((NEVER, -1) if always else self._limits(slot.recommended, currency))

    def _limits(self, claim: Claim | None, currency: str) -> tuple[int, int]:
        """The least value and the least quantity, as codes, that reach all limits of a claim."""
        if claim is None:
            return NEVER, -1
        value, quantity = 0, -1
        for threshold in claim.limits:
            if threshold.operator is Operator.AT_LEAST and not threshold.amount:
                continue
            worth, rate = self._worth(threshold, currency)
            least = limit(threshold, worth, self._batch.scale, Decimal(1) if rate is None else rate)
            if rate is None:
                value = max(value, least)
            else:
                quantity = max(quantity, least)
        return value, quantity

    def _worth(self, threshold: Threshold, currency: str) -> tuple[Decimal, Decimal | None]:
        """A threshold's worth, and what a unit of the amount is worth; None where the value is judged."""
        codes = threshold.currency.split("/")
        if currency in codes:
            return threshold.amount, Decimal(1)
        at_par = any(self._rates.get(code) == 1 for code in codes)
        worth = threshold.amount * (
            Decimal(1) if at_par else min(rate_of(self._rates, code) for code in codes)
        )
        return worth, rate_of(self._rates, currency) if currency in self._rates else None

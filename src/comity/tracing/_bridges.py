"""Bridges: value goes in at one account, and comes out at another, of nearly the same worth, soon after.

No ledger says which payout belongs to which deposit. Two are paired when each is the only one that fits the
other: that is an inference, and a step that rests on it says so. Where several fit, the trace ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from comity.errors import BadInput
from comity.model import AssetId, Columns
from comity.tracing import _state as s
from comity.tracing.view import MICROSECOND, main_units, number_of

Sides = Mapping[str, str | Collection[str]] | Callable[[str], str | Collection[str] | None]
"""For an account of a bridge, the account or accounts of its other side. A mapping may give either way; a
function must know both."""


@dataclass(frozen=True, slots=True)
class Bridges:
    """``sides`` pairs the accounts of bridges. A payout fits a deposit when it is at most ``within`` later
    and worth the same, less or more by at most the share ``tolerance``: both engineering defaults."""

    sides: Sides
    tolerance: float = 0.01
    within: timedelta = timedelta(hours=2)

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1 or self.within < timedelta(0):
            raise BadInput(
                "these bridges pair nothing",
                why="the tolerance lies in [0, 1), and a payout is not before its deposit",
                remedy="correct them",
            )


def bridges_of(given: Bridges | Sides, columns: Columns, forward: bool) -> Pairing:
    """The bridges of one trace."""
    return Pairing(given if isinstance(given, Bridges) else Bridges(given), columns, forward)


class Pairing:
    """Finds the other side of a transfer into a bridge (backward: out of one), and remembers why."""

    def __init__(self, bridges: Bridges, columns: Columns, forward: bool) -> None:
        self._bridges, self._columns, self._forward = bridges, columns, forward
        self._within = bridges.within // MICROSECOND
        self._others = bridges.sides if callable(bridges.sides) else _either_way(bridges.sides)
        self._reasons: dict[int, tuple[str, str]] = {}

    def is_side(self, account: int) -> bool:
        """Whether the account is a side of a bridge."""
        return bool(self._others(self._columns.accounts[account]))

    def reason(self, transfer: int) -> tuple[str, str]:
        """Why the trace came to this transfer, and from which account of the bridge."""
        return self._reasons[transfer]

    def payout(self, transfer: int) -> tuple[int, int, int]:
        """The transfer on which a trace goes on (or `TOO_MANY`, `NONE_FITS`), and what the two that were
        paired are worth."""
        columns = self._columns
        here = int((columns.dst if self._forward else columns.src)[transfer])
        fitting = self._payouts if self._forward else self._deposits
        fitting_back = self._deposits if self._forward else self._payouts
        pairs = set()
        for mine in [transfer] if self._forward else self._paid_by(here, transfer):
            for other, there in fitting(mine, self._sides(here)):
                if len(set(fitting_back(other, self._sides(there)))) > 1:
                    return s.TOO_MANY, 0, 0
                pairs.add((mine, other, there))
        if len(pairs) != 1:
            return (s.TOO_MANY if pairs else s.NONE_FITS), 0, 0
        mine, other, there = pairs.pop()
        self._reasons[other] = self._words(mine, other, here, there), columns.accounts[here]
        return other, int(columns.value[mine]), int(columns.value[other])

    def _sides(self, account: int) -> list[int]:
        others = self._others(self._columns.accounts[account]) or ()
        names = [others] if isinstance(others, str) else others
        numbers = (number_of(self._columns, name) for name in names)
        return [number for number in numbers if number is not None]

    def _payouts(self, deposit: int, accounts: list[int]) -> Iterator[tuple[int, int]]:
        """The payouts of these accounts that fit a deposit, each with its account."""
        c = self._columns
        begin = int(c.time[deposit])
        for account in accounts:
            rows = _during(c.out_ptr, c.out_time, account, begin, begin + self._within)
            hubs = set()
            for transfer in c.out_idx[rows].tolist():
                hub = int(c.dst[transfer])
                if hub not in hubs:
                    yield from (
                        (one, account) for one in self._paid_by(account, transfer) if self._fits(deposit, one)
                    )
                if c.hub[hub]:
                    hubs.add(hub)

    def _deposits(self, payout: int, accounts: list[int]) -> Iterator[tuple[int, int]]:
        """The deposits to these accounts that fit a payout, each with its account."""
        c = self._columns
        end = int(c.time[payout])
        for account in accounts:
            rows = _during(c.in_ptr, c.in_time, account, end - self._within, end)
            yield from ((one, account) for one in c.in_idx[rows].tolist() if self._fits(one, payout))

    def _paid_by(self, account: int, transfer: int) -> list[int]:
        """The payments that an account makes by a transfer: through a transaction, all but the change."""
        c = self._columns
        hub = int(c.dst[transfer])
        if not c.hub[hub]:
            return [transfer]
        outs = c.out_idx[c.out_ptr[hub] : c.out_ptr[hub + 1]]
        return [int(one) for one in outs if int(c.dst[one]) != account]

    def _fits(self, deposit: int, payout: int) -> bool:
        came, paid = int(self._columns.value[deposit]), int(self._columns.value[payout])
        return came > 0 and paid > 0 and abs(paid - came) <= int(came * self._bridges.tolerance)

    def _words(self, mine: int, other: int, here: int, there: int) -> str:
        c = self._columns
        deposit, payout, came, went = (
            (mine, other, here, there) if self._forward else (other, mine, there, here)
        )
        unit = AssetId(c.reference).symbol
        minutes = (int(c.time[payout]) - int(c.time[deposit])) / 60_000_000
        into, out = (main_units(c, int(c.value[one])).normalize() for one in (deposit, payout))
        return (
            f"The bridge took {into:,f} {unit} at {c.accounts[came]} and paid {out:,f} {unit} from "
            f"{c.accounts[went]} {minutes:,.0f} minutes later: no other pair fits."
        )


def _during(ptr: NDArray[np.int64], time: NDArray[np.int64], account: int, begin: int, end: int) -> slice:
    """Where in the index an account's transfers from ``begin`` to ``end`` (both counted) are."""
    low, high = int(ptr[account]), int(ptr[account + 1])
    first, last = np.searchsorted(time[low:high], [begin, end + 1])
    return slice(low + int(first), low + int(last))


def _either_way(sides: Mapping[str, str | Collection[str]]) -> Callable[[str], Collection[str]]:
    """The mapping, and its inverse, as a function."""
    both: dict[str, set[str]] = defaultdict(set)
    for one, others in sides.items():
        for other in [others] if isinstance(others, str) else others:
            both[one].add(other)
            both[other].add(one)
    return lambda account: both.get(account, ())

"""A batch as rows: one institution, one country, one transfer each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from comity.standard.batch import Batch, Coder
from comity.standard.sides import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROLES = ("originator", "beneficiary", "intermediary")
_NO = -1


@dataclass(frozen=True)
class Rows:
    """``r`` rows over a batch.

    - ``transfer``: int64[r], index into the batch
    - ``seat``: int32[r], index into ``seats``: role, side and the number of the country among the side's
    - ``role``: int8[r], index into `ROLES`
    - ``touched``: int32[n], for each *transfer* the index into ``sets`` of the countries on any side
    - ``chain``: bool[n], whether either end of a *transfer* is on a chain
    - ``hosted``: bool[r], whether the other end is at an institution
    - ``twins``: pairs of row arrays, later and earlier, of one institution, country and transfer
    """

    transfer: NDArray[np.int64]
    seat: NDArray[np.int32]
    role: NDArray[np.int8]
    hosted: NDArray[np.bool_]
    touched: NDArray[np.int32]
    chain: NDArray[np.bool_]
    seats: Sequence[tuple[int, Side, int]]
    sets: Sequence[frozenset[str]]
    countries: tuple[str, ...]
    twins: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

    def side(self, row: int) -> tuple[Side, str]:
        """The side of a row, and the ground on which its country is touched."""
        _, side, number = self.seats[self.seat[row]]
        return side, side.countries[number][1]


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of one role and one place in the list of countries of their sides."""

    transfer: NDArray[np.int64]
    seat: NDArray[np.int32]
    role: int
    hosted: NDArray[np.bool_]


def rows_of(batch: Batch) -> Rows:
    """The rows of a batch: the originators' first, then the beneficiaries', then those between."""
    sides = batch.sides
    seats = Coder[tuple[int, Side, int]]()
    hosted = np.array([side.hosted for side in sides], dtype=np.bool_)
    ends = (batch.originator, batch.beneficiary)
    blocks: list[_Block] = []
    for role, end in enumerate(ends):
        other = hosted[ends[1 - role]]
        for number in range(max((len(side.countries) for side in sides), default=1) or 1):
            codes = np.array(
                [
                    seats((role, side, number)) if side.hosted and number < len(side.countries) else _NO
                    for side in sides
                ],
                dtype=np.int32,
            )
            seat = codes[end]
            chosen = np.flatnonzero(seat >= 0)
            blocks.append(_Block(chosen, seat[chosen], role, other[chosen]))
    blocks.extend(_middle(batch, seats))
    touched, sets = _touched(batch)
    chain = np.array([side.chain for side in sides], dtype=np.bool_)
    found = seats.things()
    return Rows(
        np.concatenate([each.transfer for each in blocks]),
        np.concatenate([each.seat for each in blocks]),
        np.concatenate([np.full(len(each.seat), each.role, dtype=np.int8) for each in blocks]),
        np.concatenate([each.hosted for each in blocks]),
        touched,
        chain[batch.originator] | chain[batch.beneficiary],
        found,
        sets,
        tuple(dict.fromkeys(side.countries[number][0] for _, side, number in found)),
        _twins(batch, blocks, found),
    )


def _middle(batch: Batch, seats: Coder[tuple[int, Side, int]]) -> list[_Block]:
    """Rows of the institutions that pass transfers on: mostly none."""
    found = []
    for code, between in enumerate(batch.betweens):
        chosen = np.flatnonzero(batch.between == code) if between else np.empty(0, dtype=np.int64)
        for side in between if len(chosen) else ():
            for number in range(len(side.countries)):
                seat = np.full(len(chosen), seats((2, side, number)), dtype=np.int32)
                found.append(_Block(chosen, seat, 2, np.ones(len(chosen), dtype=np.bool_)))
    return found


def _touched(batch: Batch) -> tuple[NDArray[np.int32], tuple[frozenset[str], ...]]:
    """For each transfer the number of the set of its countries, and the sets."""
    alone = Coder[frozenset[str]]()
    ends = np.array([alone(_of(side)) for side in batch.sides], dtype=np.int64)
    middle = Coder[frozenset[str]]()
    more = np.array(
        [middle(frozenset().union(*(_of(side) for side in sides))) for sides in batch.betweens], np.int64
    )
    parts, joined = alone.things(), middle.things()
    wide = len(parts)
    key = (ends[batch.originator] * wide + ends[batch.beneficiary]) * len(joined) + more[batch.between]
    codes, keys = compress(key, wide * wide * len(joined))
    sets = Coder[frozenset[str]]()
    numbers = []
    for each in keys.tolist():
        pair, between = divmod(each, len(joined))
        payer, payee = divmod(pair, wide)
        numbers.append(sets(parts[payer] | parts[payee] | joined[between]))
    return np.array(numbers, dtype=np.int32)[codes], sets.things()


def _of(side: Side) -> frozenset[str]:
    return frozenset(country for country, _ in side.countries)


def compress(key: NDArray[np.int64], size: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Numbers 0 … k-1 for keys in [0, size), and the k keys they stand for, ascending."""
    if size > max(1 << 22, 4 * len(key)):
        keys, codes = np.unique(key, return_inverse=True)
        return codes.astype(np.int32), keys
    seen = np.zeros(size, dtype=np.bool_)
    seen[key] = True
    return (np.cumsum(seen, dtype=np.int32) - 1)[key], np.flatnonzero(seen)


def _twins(
    batch: Batch, blocks: Sequence[_Block], seats: Sequence[tuple[int, Side, int]]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of the same institution and country at another end of the same transfer: later, earlier."""
    same = Coder[tuple[str, str]]()
    who = np.array([same((side.who, side.countries[at][0])) for _, side, at in seats], dtype=np.int32)
    names = Coder[str]()
    name = np.array([names(side.who) for side in batch.sides], dtype=np.int32)
    both = np.flatnonzero(name[batch.originator] == name[batch.beneficiary])
    starts = np.concatenate(([0], np.cumsum([len(each.seat) for each in blocks])))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for number, later in enumerate(blocks):
        # Few transfers come back to their own institution, or pass by one that is an end of them.
        chosen = _within(later.transfer, both) if later.role < 2 else np.arange(len(later.transfer))
        for other, earlier in enumerate(blocks[:number]):
            if earlier.role == later.role or earlier.role == 2 or not len(chosen):
                continue
            place = np.searchsorted(earlier.transfer, later.transfer[chosen])
            place = np.minimum(place, max(0, len(earlier.transfer) - 1))
            twin = np.zeros(len(chosen), dtype=np.bool_)
            if len(earlier.transfer):
                twin = earlier.transfer[place] == later.transfer[chosen]
                twin &= who[earlier.seat[place]] == who[later.seat[chosen]]
            if twin.any():
                found.append((starts[number] + chosen[twin], starts[other] + place[twin]))
    return found


def _within(sorted_: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in an ascending array the wanted values are, those that are not left out."""
    if not len(sorted_):
        return np.empty(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(sorted_, wanted), len(sorted_) - 1)
    found: NDArray[np.int64] = place[sorted_[place] == wanted]
    return found

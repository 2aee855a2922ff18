"""Features of each transfer, for analysts and models: in how many cycles and fans of which size it stands.

A *cycle* is a closed path in order of time (each transfer later than the one before), on which every account
comes once, all within a window. Cycles that end with the same transfer and go round the same accounts are
one, in which all their parallel transfers stand. A *fan* ends with any transfer: it holds those into the
same account (or out of it) up to that moment, within a window, when they come from (or go to) two other
accounts at least; its size is how many. What an account moves to itself is in neither. A transaction between
its inputs and outputs (a hub) is passed through by cycles and not counted, and has no fans of its own.

A feature may rank what people look at; it accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns
from comity.typologies import cycle
from comity.typologies._common import arrays

BUDGET = 1_000_000
"""A search for cycles looks at so many transfers at most."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """``counts``: int64[transfers, lengths], in how many cycles of each length a transfer stands.
    ``unfinished``: accounts where a search reached its budget, so that there may be more through them."""

    counts: NDArray[np.int64]
    unfinished: NDArray[np.int32]


def cycles(
    columns: Columns, window: int, shortest: int = 3, longest: int = 6, *, budget: int = BUDGET
) -> Cycles:
    """Cycles of ``shortest`` to ``longest`` accounts, of whatever value, within ``window`` microseconds."""
    ptr, evidence, unfinished = cycle.every(columns, window, shortest, longest, budget)
    counts = np.zeros((len(columns), longest - shortest + 1), dtype=np.int64)
    sizes = np.diff(ptr)
    if not len(sizes):
        return Cycles(counts, unfinished)
    place = np.arange(len(evidence)) - np.repeat(ptr[:-1], sizes)
    number = np.repeat(np.arange(len(sizes)), sizes)
    keys = np.full((int(sizes.max()) + 1, len(sizes)), -1, dtype=np.int64)
    keys[0] = evidence[ptr[1:] - 1]  # the last transfer, and then the accounts from the first on
    keys[place + 1, number] = columns.src[evidence]
    order = np.lexsort(keys)
    fresh = np.ones(len(sizes), dtype=np.bool_)
    fresh[1:] = np.any(np.diff(keys[:, order], axis=1), axis=0)
    ring = np.empty(len(sizes), dtype=np.int64)
    ring[order] = np.cumsum(fresh)
    once = np.unique(np.repeat(ring, sizes) * len(columns) + evidence, return_index=True)[1]
    passed = np.concatenate(([0], np.cumsum(~columns.hub[columns.src[evidence]])))
    length = passed[ptr[1:]] - passed[ptr[:-1]]
    np.add.at(counts, (evidence[once], np.repeat(length, sizes)[once] - shortest), 1)
    return Cycles(counts, unfinished)


def fans(columns: Columns, window: int, sizes: Sequence[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """In how many fans of each size a transfer stands, of those into its payee and of those out of its payer:
    int32[transfers, len(sizes)] each.

    ``sizes`` ascend from 2: column i counts fans of ``sizes[i]`` accounts to fewer than ``sizes[i + 1]``, the
    last one all larger fans. ``window`` is in microseconds, and includes what is just as old.
    """
    given = np.asarray(sizes, dtype=np.int64)
    column = np.searchsorted(given, np.arange(given[-1] + 1), side="right") - 1
    column[:2] = -1
    incoming, outgoing = (np.zeros((len(columns), len(given)), dtype=np.int32) for _ in range(2))
    _fans(*arrays(columns, "in_ptr in_idx in_time in_src hub"), window, column, incoming)
    _fans(*arrays(columns, "out_ptr out_idx out_time out_dst hub"), window, column, outgoing)
    return incoming, outgoing


@njit(cache=True, nogil=True)
def _sized(a, begin, end, time, other, window, column, seen, size):  # type: ignore[no-untyped-def]
    """Put into ``size`` the column of the fan that ends with each transfer (-1: none); whether there is any.
    ``seen`` is all zero, and is left so."""
    left, right, others, some = begin, begin, 0, False
    while right < end:
        last = right
        while last < end and time[last] == time[right]:
            if other[last] != a:
                others += seen[other[last]] == 0
                seen[other[last]] += 1
            last += 1
        while time[right] - time[left] > window:
            if other[left] != a:
                seen[other[left]] -= 1
                others -= seen[other[left]] == 0
            left += 1
        for p in range(right, last):
            size[p - begin] = column[min(others, len(column) - 1)] if other[p] != a else -1
            some = some or size[p - begin] >= 0
        right = last
    for p in range(left, end):
        seen[other[p]] = 0
    return some


@njit(cache=True, nogil=True)
def _fans(ptr, idx, time, other, hub, window, column, counts):  # type: ignore[no-untyped-def]
    """Count in ``counts`` the fans that each transfer of an index stands in: those which end from its own
    moment on and within ``window``."""
    most = 0
    for a in range(len(hub)):
        most = max(most, ptr[a + 1] - ptr[a])
    seen, size = np.zeros(len(hub), dtype=np.int32), np.empty(most, dtype=np.int64)
    held = np.zeros(counts.shape[1], dtype=np.int32)
    for a in range(len(hub)):
        begin, end = ptr[a], ptr[a + 1]
        if hub[a] or end - begin < 2:
            continue
        if not _sized(a, begin, end, time, other, window, column, seen, size):
            continue
        held[:] = 0
        low = high = begin
        for p in range(begin, end):
            while time[low] < time[p]:
                if size[low - begin] >= 0:
                    held[size[low - begin]] -= 1
                low += 1
            while high < end and time[high] - time[p] <= window:
                if size[high - begin] >= 0:
                    held[size[high - begin]] += 1
                high += 1
            if other[p] != a:
                counts[idx[p]] = held

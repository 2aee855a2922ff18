"""What the typologies of one account's behaviour share: its payments, and bursts of them.

A transaction (hub) joins several of an account's outputs and returns change, so its transfers with one
hub are one payment: `settle` nets them. What an account moves to itself is no payment at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns
from comity.typologies import Hits
from comity.typologies._common import HOUR, arrays, grown, hits, kept, span

SKIP = -2
"""As a net value: no payment of its own (to itself, change, or part of one counted before). -1: unknown."""
WIDTH = 8
"""Figures of a burst: account, way (0 out, 1 in), count, total, span, largest, payments ever, their span."""


def sides(columns: Columns) -> tuple[tuple[NDArray[Any], ...], tuple[NDArray[Any], ...]]:
    """The out- and the in-index as kernels take them: where each account's begins, and its columns."""
    return (
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
    )


@njit(cache=True, nogil=True)
def crowded(time, begin, end, window, least):  # type: ignore[no-untyped-def]
    """Whether ``least`` of the transfers lie within one window: most accounts never make so many."""
    for p in range(begin + least - 1, end):  # noqa: SIM110 (numba compiles no generator)
        if time[p] - time[p - least + 1] <= window:
            return True
    return False


@njit(cache=True, nogil=True)
def large(begin, end, value, other, hub, mixed, least):  # type: ignore[no-untyped-def]
    """How many of the transfers may belong to a payment of ``least``: themselves, or as parts of one."""
    count = 0
    for p in range(begin, end):
        if value[p] >= least or (mixed and hub[other[p]]):
            count += 1
    return count


@njit(cache=True, nogil=True)
def _plain(a, begin, end, other, value, net):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        net[p - begin] = value[p] if other[p] != a else SKIP


@njit(cache=True, nogil=True)
def _joined(begin, end, other, hub, memory, net):  # type: ignore[no-untyped-def]
    """The first transfer with each hub stands for all of ``memory``; leaves that all zero."""
    for p in range(begin, end):
        h = other[p]
        if not hub[h]:
            continue
        if memory[h] > 0:
            net[p - begin] = memory[h]
        elif memory[h] < 0 or net[p - begin] >= 0:
            net[p - begin] = SKIP
        memory[h] = -1
    for p in range(begin, end):
        if hub[other[p]]:
            memory[other[p]] = 0


@njit(cache=True, nogil=True)
def settle(a, both, hub, mixed, memory, net_out, net_in):  # type: ignore[no-untyped-def]
    """Net values of the account's payments out and in, in the order of the index, and with room for them.

    ``memory`` is all zero, one for each account of the ledger, and is left so.
    """
    (out_ptr, _, _, out_value, out_dst), (in_ptr, _, _, in_value, in_src) = both
    a0, a1, b0, b1 = out_ptr[a], out_ptr[a + 1], in_ptr[a], in_ptr[a + 1]
    net_out, net_in = grown(net_out, a1 - a0), grown(net_in, b1 - b0)
    _plain(a, a0, a1, out_dst, out_value, net_out)
    _plain(a, b0, b1, in_src, in_value, net_in)
    if not mixed:
        return net_out, net_in
    for p in range(a0, a1):
        if hub[out_dst[p]]:
            memory[out_dst[p]] += max(out_value[p], 0)
    for p in range(b0, b1):
        h = in_src[p]
        if hub[h] and memory[h] > 0 and in_value[p] > 0:
            back = min(in_value[p], memory[h])
            memory[h] -= back
            net_in[p - b0] = in_value[p] - back if in_value[p] > back else SKIP
    _joined(a0, a1, out_dst, hub, memory, net_out)
    for p in range(b0, b1):
        if hub[in_src[p]]:
            memory[in_src[p]] += max(net_in[p - b0], 0)
    _joined(b0, b1, in_src, hub, memory, net_in)
    return net_out, net_in


@njit(cache=True, nogil=True)
def chosen(begin, end, net, least, band):  # type: ignore[no-untyped-def]
    """``band`` with the positions of payments of at least ``least`` (-1: any), and how many there are."""
    band, size = grown(band, end - begin), 0
    for p in range(begin, end):
        if net[p - begin] >= least:
            band[size] = p
            size += 1
    return band, size


@njit(cache=True, nogil=True)
def note(p, end, side, hub, evidence, used):  # type: ignore[no-untyped-def]
    """Put the payment at position ``p`` of an account's index into the evidence: every part of it."""
    _, idx, time, _, other = side
    evidence = grown(evidence, used + 1)
    evidence[used] = idx[p]
    used += 1
    if hub[other[p]]:
        q = p + 1
        while q < end and time[q] == time[p]:
            if other[q] == other[p]:
                evidence = grown(evidence, used + 1)
                evidence[used] = idx[q]
                used += 1
            q += 1
    return evidence, used


@njit(cache=True, nogil=True)
def opening(a, both):  # type: ignore[no-untyped-def]
    """Where in the in-index the account's first transfer with another is; -1 when it is one out of it."""
    (out_ptr, out_idx, _, _, out_dst), (in_ptr, in_idx, _, _, in_src) = both
    p, q = in_ptr[a], out_ptr[a]
    while p < in_ptr[a + 1] and in_src[p] == a:
        p += 1
    while q < out_ptr[a + 1] and out_dst[q] == a:
        q += 1
    if p == in_ptr[a + 1] or (q < out_ptr[a + 1] and out_idx[q] < in_idx[p]):
        return -1
    return p


@njit(cache=True, nogil=True)
def within(time, begin, end, moment):  # type: ignore[no-untyped-def]
    """The first position in [begin, end) whose transfer is later than ``moment``; from few to many."""
    step = 1
    while begin + step <= end and time[begin + step - 1] <= moment:
        begin += step
        step *= 2
    end = min(end, begin + step)
    while begin < end:
        middle = (begin + end) // 2
        if time[middle] <= moment:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def summed(net, begin, end):  # type: ignore[no-untyped-def]
    """The known net values of these places together, and how many payments they are."""
    total, count = 0, 0
    for i in range(begin, end):
        total += max(net[i], 0)
        count += net[i] > SKIP
    return total, count


@njit(cache=True, nogil=True)
def middle(net, begin, end, fewest, most):  # type: ignore[no-untyped-def]
    """The (lower) median of the first ``most`` known values there; -1 where fewer than ``fewest`` are."""
    found, size = np.empty(most, dtype=np.int64), 0
    for i in range(begin, end):
        if net[i] > 0 and size < most:
            found[size] = net[i]
            size += 1
    if size < fewest or size == 0:
        return -1
    return np.sort(found[:size])[(size - 1) // 2]


@njit(cache=True, nogil=True)
def listed(begin, end, net, side, a, hub, evidence, used):  # type: ignore[no-untyped-def]
    """Put the payments at the positions [begin, end) of an account's index into the evidence."""
    first, last = side[0][a], side[0][a + 1]
    for p in range(begin, end):
        if net[p - first] > SKIP:
            evidence, used = note(p, last, side, hub, evidence, used)
    return evidence, used


@njit(cache=True, nogil=True)
def distinct(begin, end, first, other, net, least, seen):  # type: ignore[no-untyped-def]
    """How many different accounts made the payments of at least ``least`` at the positions [begin, end) of
    an index; ``first`` is where the account's begin. ``seen`` is all zero, and is left so."""
    count = 0
    for p in range(begin, end):
        if net[p - first] >= least and seen[other[p]] == 0:
            seen[other[p]] = 1
            count += 1
    for p in range(begin, end):
        seen[other[p]] = 0
    return count


@njit(cache=True, nogil=True)
def nothing():  # type: ignore[no-untyped-def]
    """No bursts yet: rows, ptr, how many, evidence, how much of it is used."""
    return np.empty(WIDTH * 16, np.int64), np.zeros(16, np.int64), 0, np.empty(64, np.int64), 0


@njit(cache=True, nogil=True)
def bursts(a, way, band, size, side, hub, net, window, least, worth, found):  # type: ignore[no-untyped-def]
    """Append each burst of the payments in ``band``: a maximal chain of overlapping windows that each
    hold ``least`` payments and add up to ``worth``. Its figures are those of the fullest window."""
    rows, ptr, k, evidence, used = found
    begin, final, time = side[0][a], side[0][a + 1], side[2]
    left, total, end = 0, 0, 0  # the burst so far ends before position ``end`` of the band
    for right in range(size):
        total += max(net[band[right] - begin], 0)
        while time[band[right]] - time[band[left]] > window:
            total -= max(net[band[left] - begin], 0)
            left += 1
        count = right - left + 1
        if count < least or total < worth:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, WIDTH * (k + 1)), grown(ptr, k + 2), k + 1
            row = WIDTH * (k - 1)
            rows[row], rows[row + 1], rows[row + 2] = a, way, 0
            rows[row + 6], rows[row + 7] = size, time[band[size - 1]] - time[band[0]]
            end = left
        for i in range(end, right + 1):
            evidence, used = note(band[i], final, side, hub, evidence, used)
        end, ptr[k] = right + 1, used
        row = WIDTH * (k - 1)
        if count > rows[row + 2]:
            rows[row + 2], rows[row + 3] = count, total
            rows[row + 4], rows[row + 5] = time[band[right]] - time[band[left]], 0
            for i in range(left, right + 1):
                rows[row + 5] = max(rows[row + 5], net[band[i] - begin])
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def answered(found):  # type: ignore[no-untyped-def]
    """The bursts found, each array cut to its size."""
    rows, ptr, k, evidence, used = found
    return rows[: WIDTH * k].reshape(k, WIDTH), ptr[: k + 1], evidence[:used]


def unusual(
    found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    parameters: Mapping[str, float],
) -> Hits:
    """The hits of bursts that hold ``times`` as many payments as the account usually makes in a ``window``.

    What is usual is taken over all its payments of that kind and way, and over ``baseline`` at least: so
    an account that is always busy is not found, and one that is new is.
    """
    rows, ptr, evidence = found
    least, window = int(parameters["min_count"]), float(round(parameters["window"]))
    over = np.maximum(rows[:, 7], round(parameters["baseline"]))
    usual = rows[:, 6] * window / over
    keep = rows[:, 2] >= parameters["times"] * usual
    ptr, evidence = kept(keep, ptr, evidence)
    rows, usual, over = rows[keep], usual[keep], over[keep]
    count = rows[:, 2]
    return hits(
        rows[:, 0],
        count >= least,
        count / (2 * least),
        ptr,
        evidence,
        {
            "count": count,
            "incoming": rows[:, 1],
            "total": rows[:, 3],
            "span": rows[:, 4] / HOUR,
            "largest": np.maximum(rows[:, 5], 0),
            "series": np.diff(ptr),
            "usual": usual,
            "window": np.full(len(rows), window / HOUR),
            "over": over / HOUR,
        },
        money=("total", "largest"),
    )


def plural(count: float, noun: str) -> str:
    """``1 transfer``, ``3 transfers``."""
    return f"{int(count):,} {noun}" + ("" if count == 1 else "s")


def usually(features: Mapping[str, float]) -> str:
    """How a burst differs from what is usual, as a sentence."""
    usual = features["usual"]
    often = f"{usual:.1f}" if usual >= 0.1 else "fewer than 0.1"
    return (
        f"Averaged over {span(features['over'])}, the account makes or gets {often} such transfers in "
        f"{span(features['window'])}."
    )

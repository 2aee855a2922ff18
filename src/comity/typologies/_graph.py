"""What the typologies of shape share: crowds, money without change, and the best of what overlaps."""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.model import Attribution, Knowledge
from comity.typologies._common import account

DRIFT = 1.02
"""A transfer of the same value may be worth this much more than the one before it: rates move meanwhile."""


@njit(cache=True, nogil=True)
def crowded(times, begin, end, window, least):  # type: ignore[no-untyped-def]
    """Whether ``least`` of the transfers lie within one window: most accounts never get so many."""
    for p in range(begin + least - 1, end):  # noqa: SIM110 (numba compiles no generator)
        if times[p] - times[p - least + 1] <= window:
            return True
    return False


@njit(cache=True, nogil=True)
def after(times, begin, end, moment):  # type: ignore[no-untyped-def]
    """The first position in [begin, end) whose transfer is not before ``moment``."""
    while begin < end:
        middle = (begin + end) // 2
        if times[middle] < moment:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def _read(a, begin, end, index, times, values, others, flow):  # type: ignore[no-untyped-def]
    """Put the transfers of known value and not to itself into ``flow``; how many there are."""
    size = 0
    for p in range(begin, end):
        if values[p] > 0 and others[p] != a:
            flow[0, size], flow[1, size], flow[2, size], flow[3, size] = (
                index[p],
                times[p],
                others[p],
                values[p],
            )
            size += 1
    return size


@njit(cache=True, nogil=True)
def _without_nothing(flow, size):  # type: ignore[no-untyped-def]
    """Close the gaps that transfers of no value leave."""
    fresh = 0
    for i in range(size):
        if flow[3, i] > 0:
            if fresh < i:
                flow[:, fresh] = flow[:, i]
            fresh += 1
    return fresh


@njit(cache=True, nogil=True)
def net(outs, ins, size_out, size_in, hub, spent, change):  # type: ignore[no-untyped-def]
    """Take the change that a hub returns to its own input out of both flows; how long they are then.

    ``spent``, ``change``: int64[accounts], all zero before and after.
    """
    paid = 0
    for i in range(size_out):
        if hub[outs[2, i]]:
            spent[outs[2, i]] += outs[3, i]
            paid += 1
    if paid == 0:
        return size_out, size_in
    for i in range(size_in):
        back = min(ins[3, i], spent[ins[2, i]])
        spent[ins[2, i]] -= back
        change[ins[2, i]] += back
        ins[3, i] -= back
    for i in range(size_out):
        back = min(outs[3, i], change[outs[2, i]])
        change[outs[2, i]] -= back
        outs[3, i] -= back
        spent[outs[2, i]] = 0
    return _without_nothing(outs, size_out), _without_nothing(ins, size_in)


@njit(cache=True, nogil=True)
def _add_up(flow, size):  # type: ignore[no-untyped-def]
    flow[4, 0] = 0
    for i in range(size):
        flow[4, i + 1] = flow[4, i] + flow[3, i]


@njit(cache=True, nogil=True)
def flows(a, out, into, hub, outs, ins, spent, change):  # type: ignore[no-untyped-def]
    """The payments of ``a`` in ``outs`` and its deposits in ``ins`` (int64[5, …]: transfer, time, the other
    account, worth, and the worth of all before it, for one more than there are), without unknown values,
    payments to itself and change; how many of each.

    ``out`` and ``into``: the arrays ptr, idx, time, value and the other account of the two indexes.
    """
    size_out = _read(a, out[0][a], out[0][a + 1], out[1], out[2], out[3], out[4], outs)
    size_in = _read(a, into[0][a], into[0][a + 1], into[1], into[2], into[3], into[4], ins)
    size_out, size_in = net(outs, ins, size_out, size_in, hub, spent, change)
    _add_up(outs, size_out)
    _add_up(ins, size_in)
    return size_out, size_in


@njit(cache=True, nogil=True)
def noted(seen, other, by):  # type: ignore[no-untyped-def]
    """Count the account in or out: the change in how many different ones there are."""
    before = seen[other]
    seen[other] += by
    return int(seen[other] > 0) - int(before > 0)


@njit(cache=True, nogil=True)
def different(others, seen):  # type: ignore[no-untyped-def]
    """How many different accounts there are; ``seen`` is all zero before and after."""
    count = 0
    for other in others:
        if seen[other] == 0:
            seen[other] = 1
            count += 1
    for other in others:
        seen[other] = 0
    return count


@njit(cache=True, nogil=True)
def peaks(times, ranks, size, window):  # type: ignore[no-untyped-def]
    """Which of the candidates, ascending in time, are the best of all within ``window`` of them: of equal
    ones the first. ``ranks``: int64[size, r], compared column by column.

    What one candidate's fate depends on is near it in time, so that parts of a ledger agree on it.
    """
    keep = np.ones(size, dtype=np.bool_)
    for i in range(size):
        for step in (-1, 1):
            j = i + step
            while 0 <= j < size and abs(times[j] - times[i]) <= window and keep[i]:
                order = 0
                for c in range(ranks.shape[1]):
                    if order == 0:
                        order = int(ranks[j, c] > ranks[i, c]) - int(ranks[j, c] < ranks[i, c])
                keep[i] = order < 0 or (order == 0 and step > 0)
                j += step
    return keep


def tagged(*said: tuple[str, str, str]) -> Knowledge:
    """Knowledge for a sample: (account, category, actor) each."""
    return Knowledge(
        attributions={
            account(name): Attribution(account(name), actor, actor, (category,), 0.9, "an analyst's tag")
            for name, category, actor in said
        }
    )

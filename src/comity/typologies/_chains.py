"""Chains of transfers, one after the other in time: what the typologies that follow value share.

A link is a transfer into an account and a later one out of it that carries its value on. A chain begins with
a transfer that is no link's second, and goes as far as it can: of all ways on, the one that counts for most
(of equal ones the first in order of time), on which no account comes twice, within a time from its beginning.
Of chains that share a transfer, only the best is told. All this depends on transfers near the beginning only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.typologies._common import extended, grown, kept
from comity.typologies._graph import DRIFT

BUSY = 500
"""An account with more payments than this in the time it may take to pass value on is a service, which mixes
what it holds: nothing is followed through it."""


@njit(cache=True, nogil=True)
def links(  # type: ignore[no-untyped-def]
    out_ptr, out_idx, out_time, out_value, out_dst, in_ptr, in_idx, in_time, in_value, in_src,
    hub, closed, low, high, hop, retention, least
):  # fmt: skip
    """Every link, by account and then in order of time: int64[2 * size]. The second transfer follows within
    ``hop`` (out of a hub at once) and keeps ``retention`` of the value; both are worth ``least``.

    Nothing goes on from accounts that are ``closed``, nor from one hub straight into another.
    """
    found, size, room = np.empty(8 * BUSY, dtype=np.int64), 0, 2 * BUSY + 2
    for a in range(len(hub)):
        begin, end = out_ptr[a], out_ptr[a + 1]
        if begin == end or closed[a]:
            continue
        wait, later = (0, 0) if hub[a] else (hop, 1)
        for p in range(in_ptr[a], in_ptr[a + 1]):
            time, value = in_time[p], in_value[p]
            while begin < end and out_time[begin] < time + later:
                begin += 1
            if begin == end:
                break
            limit = time + wait
            if value < least or out_time[begin] > limit or not low <= time < high or in_src[p] == a:
                continue
            if begin + BUSY < end and out_time[begin + BUSY] <= limit:
                continue
            if size + room > len(found):
                found = grown(found, size + room)
            smallest, largest = max(retention * value, least), DRIFT * value
            for q in range(begin, end):
                if out_time[q] > limit:
                    break
                to = out_dst[q]
                if smallest <= out_value[q] <= largest and to != a and not (hub[a] and hub[to]):
                    found[size], found[size + 1] = in_idx[p], out_idx[q]
                    size += 2
    return found[:size]


@njit(cache=True, nogil=True)
def _follow(found, gain, n):  # type: ignore[no-untyped-def]
    """Links that count (``gain`` not negative) by their first transfer: the place of each transfer's own (0:
    it has none), where they begin and end, the second transfers, what they count for; and which transfers
    are the second of any."""
    place, led = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.bool_)
    size = int(np.sum(gain >= 0))
    ptr = np.empty(size + 1, dtype=np.int64)
    onward, worth = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    heads, used, last = 0, 0, -1
    for i in range(len(gain)):
        if gain[i] < 0:
            continue
        e, f = found[2 * i], found[2 * i + 1]
        if e != last:
            ptr[heads] = used
            heads += 1
            place[e], last = heads, e
        onward[used], worth[used] = f, gain[i]
        led[f] = True
        used += 1
    ptr[heads] = used
    return (place, ptr[: heads + 1], onward, worth), led


@njit(cache=True, nogil=True)
def _reach(first, limit, budget, turn, time, graph, stamp, far, stack):  # type: ignore[no-untyped-def]
    """Note in ``far`` for how much the best way on from each transfer that ``first`` leads to counts, were it
    not for accounts that come twice. What is left of the budget of links to look at: below 0, it ran out."""
    place, ptr, onward, worth = graph
    depth = 0
    stack[0, 0], stack[1, 0] = first, ptr[place[first] - 1]
    stamp[first], far[first] = turn, 0
    while depth >= 0 and budget >= 0:
        e, at = stack[0, depth], stack[1, depth]
        if place[e] == 0 or at >= ptr[place[e]]:
            depth -= 1
            if depth >= 0:
                link = stack[1, depth] - 1
                far[stack[0, depth]] = max(far[stack[0, depth]], worth[link] + far[e])
            continue
        stack[1, depth] += 1
        budget -= 1
        f = onward[at]
        if time[f] > limit:
            continue
        if stamp[f] == turn:
            far[e] = max(far[e], worth[at] + far[f])
            continue
        stamp[f], far[f] = turn, 0
        depth += 1
        if depth == stack.shape[1]:
            longer = np.empty((2, 2 * depth), dtype=np.int64)
            longer[:, :depth] = stack
            stack = longer
        stack[0, depth] = f
        stack[1, depth] = ptr[place[f] - 1] if place[f] > 0 else 0
    return budget, stack


@njit(cache=True, nogil=True)
def _descend(first, limit, time, src, dst, graph, far, on, path):  # type: ignore[no-untyped-def]
    """Put the best way into ``path``; how long it is, or -1 if an account comes twice on it."""
    place, ptr, onward, worth = graph
    size, once = 1, True
    path = grown(path, 64)
    path[0] = first
    on[src[first]], on[dst[first]] = True, True
    while far[path[size - 1]] > 0:
        e = path[size - 1]
        for at in range(ptr[place[e] - 1], ptr[place[e]]):
            f = onward[at]
            if time[f] <= limit and worth[at] + far[f] == far[e]:
                path = grown(path, size + 1)
                path[size] = f
                once = once and not on[dst[f]]
                on[dst[f]] = True
                size += 1
                break
    on[src[first]] = False
    for i in range(size):
        on[dst[path[i]]] = False
    return path, size if once else -1


@njit(cache=True, nogil=True)
def _search(first, limit, budget, time, src, dst, graph, far, on, path):  # type: ignore[no-untyped-def]
    """The same where accounts come twice on the best way: depth-first, as long as ``far`` says that it may
    count for more. What is left of the budget too."""
    place, ptr, onward, worth = graph
    trail, pos = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    got = np.zeros(64, dtype=np.int64)
    best, size, depth = 0, 1, 0
    path[0], trail[0], pos[0] = first, first, ptr[place[first] - 1]
    on[src[first]], on[dst[first]] = True, True
    while depth >= 0:
        e, at = trail[depth], pos[depth]
        if place[e] == 0 or at >= ptr[place[e]] or budget < 0:
            on[dst[e]] = False
            depth -= 1
            continue
        pos[depth] += 1
        budget -= 1
        f, count = onward[at], got[depth] + worth[at]
        if time[f] > limit or on[dst[f]] or count + far[f] <= best:
            continue
        depth += 1
        trail, pos, got = grown(trail, depth + 1), grown(pos, depth + 1), grown(got, depth + 1)
        trail[depth], got[depth] = f, count
        pos[depth] = ptr[place[f] - 1] if place[f] > 0 else 0
        on[dst[f]] = True
        if count > best:
            best, size = count, depth + 1
            path = grown(path, size)
            path[:size] = trail[:size]
    on[src[first]] = False
    return path, size, budget, best


@njit(cache=True, nogil=True)
def _far_enough(at, graph, watch):  # type: ignore[no-untyped-def]
    """Whether the links at this place may lead to a chain that counts: most lead nowhere."""
    place, ptr, onward, worth = graph
    for link in range(ptr[at - 1], ptr[at]):  # noqa: SIM110 (numba compiles no generator)
        if place[onward[link]] > 0 or worth[link] >= watch:
            return True
    return False


@njit(cache=True, nogil=True)
def chains(found, gain, time, src, dst, accounts, begin, end, window, budget, watch):  # type: ignore[no-untyped-def]
    """The best chain from each beginning in [begin, end), where it counts for ``watch``: its transfers
    ``evidence[ptr[i]:ptr[i+1]]`` in their order; what it counts for and whether its search was cut, two
    numbers each; and the accounts where a search was cut.

    ``found``: the `links`; ``gain``: what each counts for, below 0 where it is none after all.
    """
    graph, led = _follow(found, gain, len(time))
    place = graph[0]
    stamp, far = np.zeros(len(time), dtype=np.int32), np.zeros(len(time), dtype=np.int64)
    on = np.zeros(accounts, dtype=np.bool_)
    ptr, k, evidence = np.zeros(16, dtype=np.int64), 0, np.empty(64, dtype=np.int64)
    told, short, unfinished = np.empty(16, dtype=np.int64), 0, np.empty(16, dtype=np.int64)
    stack, path, turn = np.empty((2, 64), dtype=np.int64), np.empty(64, dtype=np.int64), 0
    for i in range(len(gain)):
        first = found[2 * i]
        if gain[i] < 0 or led[first] or stamp[first] > 0 or not begin <= time[first] < end:
            continue
        if not _far_enough(place[first], graph, watch):
            continue
        turn += 1
        limit, size, count = time[first] + window, 0, 0
        left, stack = _reach(first, limit, budget, turn, time, graph, stamp, far, stack)
        if left >= 0 and far[first] >= watch:
            count = far[first]
            path, size = _descend(first, limit, time, src, dst, graph, far, on, path)
            if size < 0:
                path, size, left, count = _search(first, limit, left, time, src, dst, graph, far, on, path)
        if left < 0:
            unfinished = grown(unfinished, short + 1)
            unfinished[short] = src[first]
            short += 1
        if count >= watch:
            evidence, used = extended(evidence, ptr[k], path, 0, size)
            ptr, told, k = grown(ptr, k + 2), grown(told, 2 * k + 2), k + 1
            ptr[k], told[2 * k - 2], told[2 * k - 1] = used, count, int(left < 0)
    return ptr[: k + 1], evidence[: ptr[k]], told[: 2 * k].reshape(k, 2), unfinished[:short]


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains, each its transfers in their order: ``evidence[ptr[i]:ptr[i+1]]``; what each counts for, and
    whether the search for it was cut."""

    ptr: NDArray[np.int64]
    evidence: NDArray[np.int64]
    count: NDArray[np.int64]
    cut: NDArray[np.bool_]

    @property
    def first(self) -> NDArray[np.int64]:
        """The first transfer of each."""
        return self.evidence[self.ptr[:-1]]

    @property
    def last(self) -> NDArray[np.int64]:
        """The last transfer of each."""
        return self.evidence[self.ptr[1:] - 1]

    def smallest(self, value: NDArray[np.int64]) -> NDArray[np.int64]:
        """The value of the smallest transfer of each."""
        if len(self.count) == 0:
            return self.count
        return np.minimum.reduceat(value[self.evidence], self.ptr[:-1])

    def only(self, keep: NDArray[np.bool_]) -> Chains:
        """These chains."""
        ptr, evidence = kept(keep, self.ptr, self.evidence)
        return Chains(ptr, evidence, self.count[keep], self.cut[keep])

    def apart(self, *worse: NDArray[Any]) -> NDArray[np.bool_]:
        """Which are to be told: those that share no transfer with a better one. The smaller ``worse``, the
        better, one after the other; of equal ones the first to begin is better."""
        sizes = np.diff(self.ptr)
        rank = np.empty(len(sizes), dtype=np.int64)
        rank[np.lexsort((self.first, *worse[::-1]))] = np.arange(len(sizes))
        transfers, place = np.unique(self.evidence, return_inverse=True)
        best = np.full(len(transfers), len(sizes), dtype=np.int64)
        np.minimum.at(best, place, np.repeat(rank, sizes))
        told = np.ones(len(sizes), dtype=np.bool_)
        np.logical_and.at(
            told, np.repeat(np.arange(len(sizes)), sizes), best[place] == np.repeat(rank, sizes)
        )
        return told

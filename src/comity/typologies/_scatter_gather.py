"""Paths through one middle account: the heavy part of `scatter_gather`."""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.typologies._common import grown
from comity.typologies._graph import DRIFT

_BUSY = 500
"""An account with more payments than this within one window is a service, and not looked through."""
_BATCH = 20
"""A transaction with more inputs or outputs than this is a batch of strangers' payments."""
_PATH = 7
"""A path: its two ends as one number, middle account, payment in and beyond its hub, payment out, value."""


@njit(cache=True, nogil=True)
def may_reach(side, other_ptr, hub, low, high, window, least, may):  # type: ignore[no-untyped-def]
    """Note of each account whether it has ``least`` counterparties in one window, those behind a hub too."""
    ptr, _, times, _, others = side
    some = np.any(hub)
    for a in range(len(hub)):
        left, count = ptr[a], 0
        if ptr[a + 1] - left < least and not some:
            continue
        for p in range(ptr[a], ptr[a + 1]):
            if times[p] < low:
                left = p + 1
                continue
            if times[p] >= high or may[a]:
                break
            weight = 1
            if some and hub[others[p]]:
                weight = other_ptr[others[p] + 1] - other_ptr[others[p]]
            count += weight
            while times[p] - times[left] > window:
                weight = 1
                if some and hub[others[left]]:
                    weight = other_ptr[others[left] + 1] - other_ptr[others[left]]
                count -= weight
                left += 1
            may[a] = count >= least


@njit(cache=True, nogil=True)
def all_fits(out_ptr, out_time, out_value, in_ptr, in_time, in_value, hub, low, high, window, retention):  # type: ignore[no-untyped-def]
    """Each account, payment in and later payment out that keeps its value (positions): int64[3 * size]."""
    fits, size, room = np.empty(6 * _BUSY, dtype=np.int64), 0, 3 * _BUSY
    for a in range(len(hub)):
        begin, end = out_ptr[a], out_ptr[a + 1]
        if hub[a]:
            continue
        for p in range(in_ptr[a], in_ptr[a + 1]):
            time, value = in_time[p], in_value[p]
            while begin < end and out_time[begin] <= time:
                begin += 1
            if begin == end:
                break
            if value <= 0 or time < low or time >= high or out_time[begin] > time + window:
                continue
            if begin + _BUSY < end and out_time[begin + _BUSY] <= time + window:
                continue
            if size + room > len(fits):
                fits = grown(fits, size + room)
            least, most = retention * value, DRIFT * value
            for q in range(begin, end):
                if out_time[q] > time + window:
                    break
                if least <= out_value[q] <= most:
                    fits[size], fits[size + 1], fits[size + 2] = a, p, q
                    size += 3
    return fits[:size]


@njit(cache=True, nogil=True)
def _beyond(p, other, ptr, times):  # type: ignore[no-untyped-def]
    """Where the transfers on the far side of a hub stand, (begin, end); none for a batch of very many."""
    begin, end, count = ptr[other], ptr[other + 1], 0
    for q in range(begin, end):
        count += times[q] == times[p]
        if count > _BATCH:
            return p, p
    return begin, end


@njit(cache=True, nogil=True)
def _bucket(source, target, accounts, buckets):  # type: ignore[no-untyped-def]
    """Where the two ends are counted: the same ends at the same place, others mostly elsewhere."""
    return ((source * accounts + target) * 7_046_029_254_386_353_131 >> 20) & (buckets - 1)


@njit(cache=True, nogil=True)
def counted(fits, out, into, hub, may):  # type: ignore[no-untyped-def]
    """At least as many fits as lie between two ends, by `_bucket`; with hubs about it is not known."""
    in_src, out_dst = into[4], out[4]
    if np.any(hub):
        return np.full(1, 255, dtype=np.uint8)
    buckets = 1024
    while buckets < 8 * len(fits) // 3:
        buckets *= 2
    count = np.zeros(buckets, dtype=np.uint8)
    for i in range(0, len(fits), 3):
        source, target = in_src[fits[i + 1]], out_dst[fits[i + 2]]
        if may[0, source] and may[1, target]:
            at = _bucket(source, target, len(hub), buckets)
            count[at] = min(count[at] + 1, 255)
    return count


@njit(cache=True, nogil=True)
def paths_of(fits, count, watch, out, into, hub, marks, service, may):  # type: ignore[no-untyped-def]
    """The paths of these fits: of one payment in to one gathering account, the first. Those between ends that
    have too few are left out."""
    out_ptr, out_idx, out_time, out_value, out_dst = out
    in_ptr, in_idx, in_time, _, in_src = into
    paths, k = np.empty(_PATH * 64, dtype=np.int64), 0
    taken = np.zeros(len(hub), dtype=np.int64)
    for i in range(0, len(fits), 3):
        a, p, q = fits[i], fits[i + 1], fits[i + 2]
        from_p, to_p, from_q, to_q = p, p + 1, q, q + 1
        if count[_bucket(in_src[p], out_dst[q], len(hub), len(count))] < watch:
            continue
        if hub[in_src[p]]:
            from_p, to_p = _beyond(p, in_src[p], in_ptr, in_time)
        if hub[out_dst[q]]:
            from_q, to_q = _beyond(q, out_dst[q], out_ptr, out_time)
        for y in range(from_q, to_q):
            target = out_dst[y]
            usable = may[1, target] and not hub[target] and target != a and out_time[y] == out_time[q]
            if not usable or taken[target] == p + 1:
                continue
            taken[target] = p + 1
            for x in range(from_p, to_p):
                source = in_src[x]
                usable = may[0, source] and not hub[source] and source != a and in_time[x] == in_time[p]
                served = marks[source] & service and marks[target] & service
                if not usable or source == target or served:
                    continue
                paths = grown(paths, _PATH * (k + 1))
                at = _PATH * k
                paths[at], paths[at + 1] = source * len(hub) + target, a
                paths[at + 2], paths[at + 3] = in_idx[p], -1 if x == p else in_idx[x]
                paths[at + 4], paths[at + 5] = out_idx[q], -1 if y == q else out_idx[y]
                paths[at + 6] = out_value[q]
                k += 1
    return paths[: _PATH * k].reshape(k, _PATH)

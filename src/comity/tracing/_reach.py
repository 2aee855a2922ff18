"""Which accounts are within reach, in order of time and within so many hops: layer by layer, or by a sweep.

Layer by layer each transfer is looked at once: when an account is reached earlier than before, though over
more hops, only its transfers between the two times are new. The sweep reads all transfers once, in order
of time, and keeps a byte for each account: the fewest hops so far.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.tracing._state import NEVER, place_of
from comity.tracing._worth import first_at

WHO, HOPS, EARLIEST, LOOKED_FROM, COMING, LISTED = range(6)
"""Fields of what is reached: the account, the fewest hops, the earliest time by layers that are done, the
first of its transfers that was looked at, the earliest time so far, the last layer it was put in."""
FAR = 255
"""In place of hops: not reached."""


@njit(cache=True, nogil=True, forceinline=True)
def found_in(table, met, used, account):  # type: ignore[no-untyped-def]
    """The row of an account in ``met``, or ``used``, and its place in the table."""
    at = place_of(table, account)
    while table[at]:
        if met[table[at] - 1, WHO] == account:
            return table[at] - 1, at
        at = (at + 1) & (len(table) - 1)
    return used, at


@njit(cache=True, nogil=True, forceinline=True)
def first_after(time, sign, p, count, clock):  # type: ignore[no-untyped-def]
    """The first of ``count`` transfers from place ``p`` of the index on that is not before ``clock``."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if sign * time[p + sign * middle] < clock:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def roomier(table, met, used):  # type: ignore[no-untyped-def]
    """Table and rows of twice the size."""
    rows = np.empty((2 * len(met), 6), dtype=np.int64)
    rows[:used] = met[:used]
    wider = np.zeros(2 * len(table), dtype=np.int64)
    for row in range(used):
        at = place_of(wider, rows[row, WHO])
        while wider[at]:
            at = (at + 1) & (len(wider) - 1)
        wider[at] = row + 1
    return wider, rows


@njit(cache=True, nogil=True, forceinline=True)
def entered(table, met, used, free, account, hop, count):  # type: ignore[no-untyped-def]
    """Table and rows with a new row for an account that has ``count`` transfers ahead."""
    if 2 * used >= len(table) or used == len(met):
        table, met = roomier(table, met, used)
        free = found_in(table, met, used, account)[1]
    table[free] = used + 1
    met[used, WHO], met[used, HOPS], met[used, LOOKED_FROM] = account, hop, count
    met[used, EARLIEST], met[used, COMING], met[used, LISTED] = NEVER, NEVER, -1
    return table, met


@njit(cache=True, nogil=True)
def twice(array):  # type: ignore[no-untyped-def]
    """The array with room for as much again."""
    longer = np.empty(2 * len(array), dtype=np.int64)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def in_layers(side, start, begin, end, hops, most):  # type: ignore[no-untyped-def]
    """Rows of what is reached, how many, and over how many transfers: -1 when it is likely to take looking
    at more than ``most``."""
    sign, ptr, time, far, hub, hubs = side.sign, side.ptr, side.time, side.far, side.hub, side.hubs
    table, met, layer = np.zeros(1024, np.int64), np.empty((512, 6), np.int64), np.empty(512, np.int64)
    mean = len(side.all_time) // max(len(hub), 1)
    table[found_in(table, met, 0, start)[1]] = 1
    met[0, WHO], met[0, HOPS], met[0, EARLIEST], met[0, COMING], met[0, LISTED] = start, 0, begin, begin, 0
    met[0, LOOKED_FROM] = ptr[start + 1] - ptr[start]
    layer[0], used, first, last, transfers, looked = 0, 1, 0, 1, 0, 0
    for hop in range(1, hops + 1):
        stop, at = last, first
        if looked + (last - first) * mean > most:
            return met, used, -1
        while at < last:  # the layer's accounts, then the transactions they reach, which cost no hop
            row, at = layer[at], at + 1
            account = met[row, WHO]
            through = hubs and hub[account]
            if through != (at > stop):
                continue
            p = ptr[account] if sign > 0 else ptr[account + 1] - 1
            high = met[row, LOOKED_FROM]
            low = first_after(time, sign, p, high, met[row, COMING] if through else met[row, EARLIEST])
            met[row, LOOKED_FROM] = low
            looked += high - low
            if looked > most:
                return met, used, -1
            for number in range(low, high):
                clock = sign * time[p + sign * number]
                if clock > end:
                    break
                transfers += 1
                other = np.int64(far[p + sign * number])
                to, free = found_in(table, met, used, other)
                if to == used:
                    count = ptr[other + 1] - ptr[other] if hubs or hop < hops else 0  # else never looked at
                    table, met = entered(table, met, used, free, other, hop, count)
                    used += 1
                if clock < met[to, COMING]:
                    met[to, COMING] = clock
                    if met[to, LISTED] < hop:
                        met[to, LISTED] = hop
                        layer = twice(layer) if last == len(layer) else layer
                        layer[last] = to
                        last += 1
        for i in range(stop, last):
            met[layer[i], EARLIEST] = met[layer[i], COMING]
        first = stop
    return met, used, transfers


@njit(cache=True, nogil=True)
def instant(near, target, hub, hubs, e, step, count, clock, hops, fewest, earliest):  # type: ignore[no-untyped-def]
    """What the transfers of one instant make reachable, until nothing is new: how many of them are."""
    new, transfers = True, 0
    while new:
        new, transfers = False, 0
        for i in range(count):
            a, b = near[e + step * i], target[e + step * i]
            if fewest[a] >= hops + (hubs and hub[a]):
                continue
            transfers += 1
            hop = fewest[a] + (not (hubs and hub[a]))
            if fewest[b] > hop:
                if fewest[b] == FAR:
                    earliest[b] = clock
                fewest[b], new = hop, True
    return transfers


@njit(cache=True, nogil=True)
def in_a_sweep(side, start, begin, end, hops):  # type: ignore[no-untyped-def]
    """The same by one sweep over all transfers: hops and times by account, and over how many transfers."""
    near, target, time, hub, hubs = side.near, side.target, side.all_time, side.hub, side.hubs
    n, m, step, transfers = len(time), len(hub), side.sign, 0
    fewest, earliest = np.full(m, FAR, dtype=np.uint8), np.empty(m, dtype=np.int64)
    fewest[start], earliest[start] = 0, begin
    at = first_at(side, begin)
    e = at if step > 0 else n - 1 - at
    while at < n and step * time[e] <= end:
        if at + 1 < n and time[e + step] == time[e]:
            count = 2
            while at + count < n and time[e + step * count] == time[e]:
                count += 1
            clock = step * time[e]
            transfers += instant(near, target, hub, hubs, e, step, count, clock, hops, fewest, earliest)
            at, e = at + count, e + step * count
            continue
        a = near[e]
        hop = fewest[a]
        if hop < hops or (hubs and hop == hops and hub[a]):
            b = target[e]
            transfers += 1
            if fewest[b] > hop:
                hop += not (hubs and hub[a])
                if fewest[b] > hop:
                    if fewest[b] == FAR:
                        earliest[b] = step * time[e]
                    fewest[b] = hop
        at, e = at + 1, e + step
    return fewest, earliest, transfers

"""Which accounts are within reach, in order of time and within so many hops: layer by layer, or by a sweep.

Layer by layer each transfer is looked at once: when an account is reached earlier than before, though over
more hops, only its transfers between the two times are new. The sweep reads all transfers once, in order
of time, and keeps a byte for each account: the fewest hops so far.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.tracing._state import NEVER, place_of
from comity.tracing._worth import first_at, is_hub, not_before, place

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


@njit(cache=True, nogil=True)
def twice(array):  # type: ignore[no-untyped-def]
    """The array with room for as much again."""
    longer = np.empty(2 * len(array), dtype=np.int64)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True, forceinline=True)
def led_to(side, row, met, table, used, layer, last, low, high, hop, end):  # type: ignore[no-untyped-def]
    """Look at transfers ``low`` to ``high`` of one account, all to what is then ``hop`` hops away: the
    tables as they are then, and how many transfers were in time."""
    account, seen = met[row, WHO], 0
    for number in range(low, high):
        p = place(side.ptr, account, number, side.sign)
        clock = side.sign * side.time[p]
        if clock > end:
            break
        seen += 1
        far = np.int64(side.far[p])
        to, at = found_in(table, met, used, far)
        if to == used:
            if 2 * used >= len(table) or used == len(met):
                table, met = roomier(table, met, used)
                at = found_in(table, met, used, far)[1]
            table[at] = used + 1
            whole = side.ptr[far + 1] - side.ptr[far]
            met[used, WHO], met[used, HOPS], met[used, LOOKED_FROM] = far, hop, whole
            met[used, EARLIEST], met[used, COMING], met[used, LISTED] = NEVER, NEVER, -1
            used += 1
        if clock < met[to, COMING]:
            met[to, COMING] = clock
            if met[to, LISTED] < hop:
                met[to, LISTED] = hop
                layer = twice(layer) if last == len(layer) else layer
                layer[last] = to
                last += 1
    return met, table, used, layer, last, seen


@njit(cache=True, nogil=True)
def in_layers(side, start, begin, end, hops, most):  # type: ignore[no-untyped-def]
    """Rows of what is reached, how many, and over how many transfers: -1 when it is likely to take looking
    at more than ``most``."""
    table, met = np.zeros(1024, dtype=np.int64), np.empty((512, 6), dtype=np.int64)
    layer, mean = np.empty(512, dtype=np.int64), len(side.all_time) // max(len(side.hub), 1)
    table[found_in(table, met, 0, start)[1]] = 1
    met[0, WHO], met[0, HOPS], met[0, EARLIEST], met[0, COMING], met[0, LISTED] = start, 0, begin, begin, 0
    met[0, LOOKED_FROM] = side.ptr[start + 1] - side.ptr[start]
    layer[0], first, transfers, looked = 0, 0, 0, 0
    used = last = layer[0] + 1  # numba compiles a function anew for a literal
    for hop in range(1, hops + 1):
        stop, at = last, first
        if looked + (last - first) * mean > most:
            return met, used, -1
        while at < last:  # the layer's accounts, then the transactions they reach, which cost no hop
            row, at = layer[at], at + 1
            hub = is_hub(side, met[row, WHO])
            if hub != (at > stop):
                continue
            low = not_before(side, met[row, WHO], 0, met[row, COMING] if hub else met[row, EARLIEST])
            high = met[row, LOOKED_FROM]
            met[row, LOOKED_FROM] = min(low, high)
            looked += max(high - low, 0)
            if looked > most:
                return met, used, -1
            met, table, used, layer, last, seen = led_to(
                side, row, met, table, used, layer, last, low, high, hop, end
            )
            transfers += seen
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

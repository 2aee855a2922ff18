"""What came into an account in one asset and left in another: shared by the typologies about conversions.

Two ways count. In an account that an institution keeps, what comes in as one asset may leave as another: the
institution has exchanged it. Any account may send one asset to a business known to swap assets, and get
another back. A wallet on a chain that gets one asset and pays with another has exchanged nothing.

Each later transfer is matched with the earlier ones within ``hours``, the latest first, by value. Where the
value of one of the two is not known (a coin without a rate), that of the other stands in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Mark
from comity.typologies._common import grown
from comity.typologies._dealings import SERVICE, both

_SWAPS = int(Mark.SWAP | Mark.BRIDGE | Mark.EXCHANGE | Mark.KIOSK | Mark.P2P)
_UNKNOWN = 2**62
_BUSY = 100
"""An account with more transfers than this within ``hours`` is a business, and not looked at."""


def wanted(*pairs: tuple[int, int]) -> NDArray[Any]:
    """bool[4, 4]: which kinds of asset, from and to, count as a conversion."""
    found = np.zeros((4, 4), dtype=np.bool_)
    for one, other in pairs:
        found[one, other] = True
    return found


@njit(cache=True, nogil=True)
def _fits(a, one, two, time, src, dst, asset, kind, marks, hosted, want):  # type: ignore[no-untyped-def]
    """Whether transfer ``one`` may have become the later ``two``: 1 inside the account, 2 at a swap, 0 no."""
    came = src[one] != a
    if came == (src[two] != a) or asset[one] == asset[two]:
        return 0
    here, there = kind[asset[one]], kind[asset[two]]
    if came:
        if hosted[a] and want[here, there]:
            return 1
        return 2 if time[one] == time[two] and marks[dst[two]] & _SWAPS and want[there, here] else 0
    return 2 if marks[dst[one]] & _SWAPS and want[here, there] else 0


@njit(cache=True, nogil=True)
def _matched(a, line, size, time, value, facts, want, hours, left, pairs):  # type: ignore[no-untyped-def]
    """Put (earlier, later, part, way) of each match into ``pairs``; how many, or -1 for a busy account."""
    src, dst, asset, kind, marks, hosted = facts
    count, first = 0, 0
    for k in range(size):
        e = line[k]
        while time[e] - time[line[first]] > hours:
            first += 1
        if k - first >= _BUSY:
            return pairs, -1
        left[k] = value[e] if value[e] >= 0 else _UNKNOWN
        j = k - 1
        while j >= first and left[k] > 0:
            way = _fits(a, line[j], e, time, src, dst, asset, kind, marks, hosted, want) if left[j] > 0 else 0
            part = min(left[j], left[k])
            if way > 0 and part < _UNKNOWN:
                pairs = grown(pairs, 4 * (count + 1))
                pairs[4 * count], pairs[4 * count + 1] = j, k
                pairs[4 * count + 2], pairs[4 * count + 3] = part, way
                count += 1
                for i in (j, k):
                    left[i] = 0 if left[i] >= _UNKNOWN else left[i] - part
            j -= 1
    return pairs, count


@njit(cache=True, nogil=True)
def _episodes(a, line, pairs, count, time, hours, least, stamp, found):  # type: ignore[no-untyped-def]
    """Append each maximal chain of overlapping windows in which so much value was converted."""
    rows, ptr, k, evidence, used = found
    total, low, end = 0, 0, 0
    for right in range(count):
        total += pairs[4 * right + 2]
        now = time[line[pairs[4 * right + 1]]]
        while now - time[line[pairs[4 * low + 1]]] > hours:
            total -= pairs[4 * low + 2]
            low += 1
        if total < least:
            continue
        if low >= end:
            rows, ptr, k, end = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1, low
            rows[5 * k - 5 : 5 * k] = 0
            rows[5 * k - 5] = a
        for p in range(end, right + 1):
            for i in (pairs[4 * p], pairs[4 * p + 1]):
                if stamp[i] != k:
                    evidence = grown(evidence, used + 1)
                    evidence[used], stamp[i] = line[i], k
                    used += 1
        end, ptr[k] = right + 1, used
        row = 5 * (k - 1)
        if total > rows[row + 1]:
            rows[row + 1], rows[row + 2] = total, right + 1 - low
            rows[row + 3] = now - time[line[pairs[4 * low]]]
            rows[row + 4] = 0
            for p in range(low, right + 1):
                rows[row + 4] += pairs[4 * p + 3] == 2
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _reaches(values, least):  # type: ignore[no-untyped-def]
    """Whether these values may add up to so much: one that is not known may be anything."""
    total = 0
    for one in values:
        total += one
        if one < 0 or total >= least:
            return True
    return False


@njit(cache=True, nogil=True)
def _may(outs, ins, asset, kind, want):  # type: ignore[no-untyped-def]
    """Whether what comes in and goes out is of kinds that count, in either direction."""
    came, went = 0, 0
    for e in ins:
        came |= 1 << kind[asset[e]]
    for e in outs:
        went |= 1 << kind[asset[e]]
    for one in range(4):
        for other in range(4):
            if want[one, other] and (
                ((came >> one) & (went >> other) & 1) or ((went >> one) & (came >> other) & 1)
            ):
                return True
    return False


@njit(cache=True, nogil=True)
def converted(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_value, in_ptr, in_idx, in_value, hub, marks,
    hosted, asset, kind, want, hours, least
):  # fmt: skip
    """One row per episode: account, value converted at its peak, matches, span, those at a swap; evidence."""
    found = (
        np.empty(5 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    line, left, stamp = (
        np.empty(64, dtype=np.int64),
        np.empty(64, dtype=np.int64),
        np.empty(64, dtype=np.int64),
    )
    pairs, some = np.empty(64, dtype=np.int64), False
    for one in range(len(kind)):
        for other in range(len(kind)):
            some = some or want[kind[one], kind[other]]
            if some:
                break
    for a in accounts:
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        idle = len(outs) == 0 or len(ins) == 0 or hub[a] or marks[a] & SERVICE
        if not some or idle or not _reaches(in_value[in_ptr[a] : in_ptr[a + 1]], least):
            continue
        if not _reaches(out_value[out_ptr[a] : out_ptr[a + 1]], least):
            continue
        if not _may(outs, ins, asset, kind, want):
            continue
        needed = len(outs) + len(ins)
        line, left, stamp = grown(line, needed), grown(left, needed), grown(stamp, needed)
        size = both(a, src, dst, outs, ins, line)
        stamp[:size] = 0
        facts = (src, dst, asset, kind, marks, hosted)
        pairs, count = _matched(a, line, size, time, value, facts, want, hours, left, pairs)
        if count > 0:
            found = _episodes(a, line, pairs, count, time, hours, least, stamp, found)
    rows, ptr, k, evidence, used = found
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]

"""Scatter-gather: one account pays several others, and each soon pays about the same on to one account.

A path is a payment of the scattering account to a middle account and the first later payment of that one to
the gathering account which keeps the value (up to a little more, as rates move); of payments in that share
a payment out only the last counts. All paths of a finding lie within ``window``; of findings between the
same two accounts that begin within one window of each other the one with the most middle accounts is told.
A transaction between inputs and outputs (a hub) is passed through, unless it has very many of either. A
middle account that makes hundreds of payments within the window is a service, which mixes what it holds, and
is not looked through.

The subject is the gathering account: there the value comes to rest, and there it can still be stopped. Where
that is known to be a service (people do pay at the same exchange), it is the scattering one; between
two services nothing is found. Watched: from half the middle accounts (at least two) and half the value. Not
found, on purpose: middle accounts that split, delay or keep more than ``retention`` allows.

Source of the pattern: "scatter-gather" of AMLworld (Altman and others, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import BITCOIN, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, grown, hits, pay, span
from comity.typologies._graph import noted, peaks, tagged
from comity.typologies._scatter_gather import all_fits, counted, may_reach, paths_of

SPEC = TypologySpec(
    id="scatter_gather",
    title="Scatter-gather",
    indicator="Value is spread over several accounts, without business logic, and gathered again in one.",
    flags=("P4", "P6"),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_middle", 4, "count", "an alert from this many middle accounts"),
        Parameter("min_value", 1000, "money", "and this value gathered in all"),
        Parameter("window", 72, "hours", "all of it lies within this time"),
        Parameter("retention", 0.8, "ratio", "each middle account pays on at least this share"),
    ),
    joint={"middle": "min_middle"},
    after=("window", "window"),
    uses=("known.marks",),
)

_SERVICE = int(Mark.service())


@njit(cache=True, nogil=True)
def _single(paths, order, begin, end, time, mine):  # type: ignore[no-untyped-def]
    """Put the paths ``order[begin:end]`` between the same two ends into ``mine``, but of those that share a
    payment out only the one whose payment in is the last; how many, and through how many accounts."""
    size, middle, last = 0, 0, -1
    for i in range(begin, end):
        this = order[i]
        shared = False
        for j in range(i + 1, end):
            that = order[j]
            if paths[that, 1] != paths[this, 1] or time[paths[that, 2]] >= time[paths[this, 4]]:
                break
            if paths[that, 4] == paths[this, 4] and paths[that, 5] == paths[this, 5]:
                shared = True
                break
        if not shared:
            mine[size] = this
            size += 1
            middle += paths[this, 1] != last
            last = paths[this, 1]
    return size, middle


@njit(cache=True, nogil=True)
def _windows(paths, mine, time, window, limits, seen, moments, ranks):  # type: ignore[no-untyped-def]
    """For each window that begins with a path: its time, and whether it is an alert, its middle accounts and
    its value. Only those to watch at least; how many."""
    min_middle, watch, min_value = limits
    starts, ends = time[paths[mine, 2]], time[paths[mine, 4]]
    by_start, by_end = np.argsort(starts, kind="mergesort"), np.argsort(ends, kind="mergesort")
    size, right, middle, total = 0, 0, 0, 0
    for i in range(len(mine)):
        begin = starts[by_start[i]]
        while right < len(mine) and ends[by_end[right]] <= begin + window:
            path = mine[by_end[right]]
            if starts[by_end[right]] >= begin:
                middle += noted(seen, paths[path, 1], 1)
                total += paths[path, 6]
            right += 1
        first = i == 0 or starts[by_start[i - 1]] < begin
        if first and middle >= watch and 2 * total >= min_value:
            moments[size] = begin
            ranks[size, 0] = int(middle >= min_middle and total >= min_value)
            ranks[size, 1], ranks[size, 2] = middle, total
            size += 1
        path = mine[by_start[i]]
        middle += noted(seen, paths[path, 1], -1)
        total -= paths[path, 6]
    return size


@njit(cache=True, nogil=True)
def _gathered(paths, mine, time, begin, end, evidence, used):  # type: ignore[no-untyped-def]
    """Append the transfers of the paths within [begin, end], each once; the last moment of them too."""
    first, last = used, begin
    evidence = grown(evidence, used + 4 * len(mine))
    for path in mine:
        if time[paths[path, 2]] >= begin and time[paths[path, 4]] <= end:
            last = max(last, time[paths[path, 4]])
            for c in range(2, 6):
                if paths[path, c] >= 0:
                    evidence[used] = paths[path, c]
                    used += 1
    part = np.unique(evidence[first:used])
    evidence[first : first + len(part)] = part
    return evidence, first + len(part), last


@njit(cache=True, nogil=True)
def _kernel(time, out, into, hub, marks, service, begin, end, limits, window, retention):  # type: ignore[no-untyped-def]
    """One row per finding that begins in [begin, end): scattering and gathering account, middle accounts,
    value gathered, span; and the evidence."""
    low, high = begin - window, end + 2 * window
    rows, k = np.empty(5 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    may = np.zeros((2, len(hub)), dtype=np.bool_)
    may_reach(out, out[0], hub, low, high, window, limits[1], may[0])
    may_reach(into, into[0], hub, low, high, window, limits[1], may[1])
    found = all_fits(out[0], out[2], out[3], into[0], into[2], into[3], hub, low, high, window, retention)
    count = counted(found, out, into, hub, may)
    paths = paths_of(found, count, min(limits[1], 255), out, into, hub, marks, service, may)
    order = np.argsort(paths[:, 0], kind="mergesort")
    pairs = paths[:, 0][order]
    seen = np.zeros(len(hub), dtype=np.int32)
    mine, moments = np.empty(len(paths), dtype=np.int64), np.empty(len(paths), dtype=np.int64)
    ranks = np.empty((len(paths), 3), dtype=np.int64)
    left = 0
    while left < len(pairs):
        first, ends = left, pairs[left]
        while left < len(pairs) and pairs[left] == ends:
            left += 1
        if left - first < limits[1]:
            continue
        size, middle = _single(paths, order, first, left, time, mine)
        if middle < limits[1]:
            continue
        count = _windows(paths, mine[:size], time, window, limits, seen, moments, ranks)
        keep = peaks(moments, ranks, count, window)
        for i in range(count):
            if not keep[i] or moments[i] < begin or moments[i] >= end:
                continue
            evidence, used, last = _gathered(
                paths, mine[:size], time, moments[i], moments[i] + window, evidence, used
            )
            rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
            at = 5 * (k - 1)
            rows[at], rows[at + 1] = ends // len(hub), ends % len(hub)
            rows[at + 2], rows[at + 3], rows[at + 4] = ranks[i, 1], ranks[i, 2], last - moments[i]
            ptr[k] = used
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_middle, min_value = int(parameters["min_middle"]), max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        *arrays(columns, "time"),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub known.marks"),
        _SERVICE,
        scope.begin,
        scope.end,
        (min_middle, max(2, -(-min_middle // 2)), min_value),
        round(parameters["window"]),
        float(parameters["retention"]),
    )
    strength = np.minimum(rows[:, 2] / min_middle, rows[:, 3] / min_value)
    at_service = (columns.known.marks[rows[:, 1]] & _SERVICE) > 0
    return hits(
        np.where(at_service, rows[:, 0], rows[:, 1]),
        strength >= 1,
        0.5 * strength,
        ptr,
        evidence,
        {
            "middle": rows[:, 2],
            "total": rows[:, 3],
            "span": rows[:, 4] / HOUR,
            "transfers": np.diff(ptr),
            "scattered": at_service,
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    middle, total = int(features["middle"]), amount(features["total"], currency)
    if features["scattered"]:
        how = f"This account paid {middle} others, and each paid about the same on to one service"
    else:
        how = f"One account paid {middle} others, and each paid about the same on to this account"
    return (f"{how}: {total} in all, within {span(features['span'])}.",)


def _spread(number: int, source: str, target: str, middle: int, worth: int, hours: float) -> list[Transfer]:
    """So many middle accounts, an hour between them, each of which pays on after ``hours``."""
    return [
        one
        for i in range(middle)
        for one in (
            pay(number + 2 * i, i, source, f"M{number + i}", str(worth + i)),
            pay(number + 2 * i + 1, i + hours, f"M{number + i}", target, str(worth - 10)),
        )
    ]


def _chain(name: str) -> str:
    return f"{BITCOIN}:{name}"


CASES = (
    Sample(
        "1,000 each through five accounts within a day and a half, beside other payments",
        (
            *_spread(0, "S", "T", 5, 1000, 30),
            pay(50, 2, "M0", "SHOP", "40"),
            pay(51, 3, "S", "S", "9000"),
        ),
        alerts=(account("T"),),
    ),
    Sample(
        "near miss: through two it is to watch; half kept, or paid on too early or too late, is nothing",
        (
            *_spread(0, "S", "T", 2, 1000, 5),
            *(pay(20 + i, i, "A", f"N{i}", "1000") for i in range(4)),
            pay(30, 9, "N0", "B", "500"),
            pay(31, 0.5, "N1", "B", "1000"),
            pay(32, 75, "N2", "B", "1000"),
            pay(33, 9, "N3", "B", "1000"),
        ),
        watches=(account("T"),),
    ),
    Sample(
        "at the window's end it counts; where the value is gathered at an exchange, its payer is the subject",
        (*_spread(0, "S", "T", 4, 1000, 69), *_spread(20, "A", "EXCHANGE", 4, 1000, 3)),
        alerts=(account("T"), account("A")),
        knowledge=tagged(("EXCHANGE", "exchange", "example")),
    ),
    Sample(
        "through transactions: one with five outputs, one with five inputs",
        (
            pay(0, 0, _chain("s"), _chain("tx-1"), "5000"),
            *(pay(10 + i, 0, _chain("tx-1"), _chain(f"m{i}"), "990") for i in range(5)),
            *(pay(20 + i, 9, _chain(f"m{i}"), _chain("tx-2"), "990") for i in range(5)),
            pay(30, 9, _chain("tx-2"), _chain("t"), "4900"),
        ),
        alerts=(_chain("t"),),
    ),
    Sample(
        "negative: wages, of which everyone spends a little at the same shop; a shop's refunds",
        (
            *(pay(i, i, "EMPLOYER", f"P{i}", "2500") for i in range(8)),
            *(pay(20 + i, 9 + i, f"P{i}", "SHOP", str(30 + i)) for i in range(8)),
            *(pay(40 + i, i, "SHOP2", f"Q{i}", "50") for i in range(8)),
            *(pay(60 + i, 9 + i, f"Q{i}", "SHOP2", "50") for i in range(8)),
        ),
    ),
)

"""Cycle: value returns to where it began, through other accounts, within a few days.

A cycle is a closed path of ``min_length`` to ``max_length`` accounts, each once, on which every
transfer is later than the one before and of nearly its value. A transaction between its inputs and
outputs (a hub) is passed through and not counted. The search begins at every transfer as the first
of a cycle and prunes by time, by value and by who pays back into the beginning. It does not go through
an account that makes hundreds of transfers within the window: a service mixes what it holds, and what
comes out of it says nothing about what went in. Cycles round the same accounts that overlap in time are
one finding: the first. To watch: a cycle of at least half of ``min_value``.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import (
    FATF,
    HOUR,
    account,
    amount,
    arrays,
    frozen,
    grown,
    hits,
    pay,
    span,
)

SPEC = TypologySpec(
    id="cycle",
    title="Cycle",
    indicator="Value moves through several accounts without business logic and returns to where it began.",
    flags=("P4",),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_length", 3, "count", "a cycle has at least this many accounts"),
        Parameter("max_length", 6, "count", "a cycle has at most this many accounts (at most 12)"),
        Parameter("window", 72, "hours", "the whole cycle lies within this time"),
        Parameter("retention", 0.8, "ratio", "each transfer keeps this share of the one before it"),
        Parameter("min_value", 1000, "money", "an alert when every transfer has this value"),
        Parameter("budget", 20_000, "count", "a search looks at this many transfers at most"),
    ),
)

_MAX_LENGTH = 12
_SERVICE = 500
"""An account with more transfers than this in one window is a service, and not searched through."""
_FAR = 2**61
"""No time reaches this, and no count."""


@njit(cache=True, nogil=True)
def _after(out_time, begin, end, moment):  # type: ignore[no-untyped-def]
    """The first position in [begin, end) whose transfer is not before ``moment``."""
    while begin < end:
        middle = (begin + end) // 2
        if out_time[middle] < moment:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def _fits(e, before, value, retention, least):  # type: ignore[no-untyped-def]
    """Whether ``e`` carries on the value of the transfer ``before`` it."""
    v, w = value[e], value[before]
    return v >= least and v >= retention * w and retention * v <= w


@njit(cache=True, nogil=True)
def _repeats(p, begin, node, back, time, value, dst, out_idx, out_time, hub):  # type: ignore[no-untyped-def]
    """Whether the transfer before position ``p`` was tried from here and leads to all that this one does."""
    if p == begin:
        return False
    d, e = out_idx[p - 1], out_idx[p]
    return dst[d] == dst[e] and value[d] == value[e] and out_time[p - 1] + hub[node] > time[back]


@njit(cache=True, nogil=True)
def _enter(e, time, dst, out_ptr, out_time, hub, limit, service):  # type: ignore[no-untyped-def]
    """The first position among the transfers that may follow ``e``; past the last one for a service."""
    node = dst[e]
    end = out_ptr[node + 1]
    p = _after(out_time, out_ptr[node], end, time[e] + 1 - hub[node])
    if not hub[node] and p + service < end and out_time[p + service] <= limit:
        return end
    return p


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    first, after, time, value, src, dst, out_ptr, out_idx, out_time, hub,
    mark, path, pos, limits, retention, ptr, k, evidence
):  # fmt: skip
    """Depth-first from one transfer, and from position ``after`` of those that may follow it; appends each
    cycle's transfers to ``evidence``. The last of what it answers: whether the budget ran out."""
    shortest, longest, window, least, budget, service, each = limits
    start, limit, steps, depth, used = src[first], time[first] + window, 0, 0, ptr[k]
    path[0], length = first, 2 - hub[dst[first]]
    pos[0] = after
    while depth >= 0 and steps < budget:
        back, p = path[depth], pos[depth]
        node = dst[back]
        if p >= out_ptr[node + 1] or out_time[p] > limit:
            length -= 1 - hub[node]
            depth -= 1
            continue
        pos[depth] += 1
        steps += 1
        e = out_idx[p]
        to = dst[e]
        if not _fits(e, back, value, retention, least):
            continue
        if to == start:
            if length >= shortest:
                evidence, ptr = grown(evidence, used + depth + 2), grown(ptr, k + 2)
                evidence[used : used + depth + 1] = path[: depth + 1]
                evidence[used + depth + 1] = e
                used += depth + 2
                k += 1
                ptr[k] = used
            continue
        ahead = length + 1 - hub[to]
        if ahead > longest or (ahead == longest and mark[to] == 0) or (hub[to] and hub[node]):
            continue
        known = not each and _repeats(p, out_ptr[node], node, back, time, value, dst, out_idx, out_time, hub)
        for i in range(depth + 1):
            known = known or dst[path[i]] == to
        if known:
            continue
        depth, length = depth + 1, ahead
        path[depth] = e
        pos[depth] = _enter(e, time, dst, out_ptr, out_time, hub, limit, service)
    return ptr, k, evidence, depth >= 0


@njit(cache=True, nogil=True)
def _note(ins, by, value, src, in_ptr, in_idx, hub, least, mark):  # type: ignore[no-untyped-def]
    """Count (or, with ``by`` -1, discount) who makes these transfers, through a hub too."""
    for e in ins:
        if value[e] >= least:
            mark[src[e]] += by
            if hub[src[e]]:
                for q in range(in_ptr[src[e]], in_ptr[src[e] + 1]):
                    mark[src[in_idx[q]]] += by


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out_ptr, out_idx, out_time, in_ptr, in_idx, in_time, hub,
    begin, end, limits, retention
):  # fmt: skip
    """The transfers of each cycle that begins in [begin, end), in order: ``evidence[ptr[i]:ptr[i+1]]``;
    whether its search was cut; and the accounts where one was.

    ``limits``: shortest, longest, window, least value, budget, how many transfers in a window make a service,
    and whether cycles that differ only by parallel transfers of equal value are told each.
    ``mark`` counts, per account, its transfers to the start within the window ``[low, high)``, and is
    brought up to date only where a search begins.
    """
    _, longest, window, least, _, service, _ = limits
    ptr, k, evidence = np.zeros(16, dtype=np.int64), 0, np.empty(64, dtype=np.int64)
    cut, unfinished, short = np.zeros(16, dtype=np.int64), np.empty(16, dtype=np.int64), 0
    path, pos = np.empty(2 * longest + 2, dtype=np.int64), np.empty(2 * longest + 2, dtype=np.int64)
    mark = np.zeros(len(hub), dtype=np.int64)
    for start in range(len(hub)):
        low, high, last = in_ptr[start], in_ptr[start], in_ptr[start + 1]
        if hub[start] or low == last:
            continue
        fresh, until = low, low
        for p in range(_after(out_time, out_ptr[start], out_ptr[start + 1], begin), out_ptr[start + 1]):
            if out_time[p] >= end:
                break
            while until < last and in_time[until] <= out_time[p] + window:
                until += 1
            while fresh < until and in_time[fresh] <= out_time[p]:
                fresh += 1
            first = out_idx[p]
            idle = fresh == until or until - fresh > service
            if idle or value[first] < least or dst[first] == start:
                continue
            limit = out_time[p] + window
            after = _enter(first, time, dst, out_ptr, out_time, hub, limit, service)
            if after >= out_ptr[dst[first] + 1] or out_time[after] > limit:
                continue
            _note(in_idx[max(high, fresh) : until], 1, value, src, in_ptr, in_idx, hub, least, mark)
            _note(in_idx[low : min(high, fresh)], -1, value, src, in_ptr, in_idx, hub, least, mark)
            low, high, before = fresh, until, k
            ptr, k, evidence, over = _search(
                first, after, time, value, src, dst, out_ptr, out_idx, out_time, hub,
                mark, path, pos, limits, retention, ptr, k, evidence,
            )  # fmt: skip
            cut = grown(cut, k)
            cut[before:k] = over
            if over:
                unfinished = grown(unfinished, short + 1)
                unfinished[short] = start
                short += 1
        _note(in_idx[low:high], -1, value, src, in_ptr, in_idx, hub, least, mark)
    return ptr[: k + 1], evidence[: ptr[k]], cut[:k], unfinished[:short]


def every(
    columns: Columns, window: int, shortest: int, longest: int, budget: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Every cycle in order of time, of whatever value, through services and parallel transfers too: the
    transfers of cycle i in order are ``evidence[ptr[i]:ptr[i+1]]``; and the accounts where a search reached
    its budget."""
    ptr, evidence, _, unfinished = _kernel(
        *arrays(columns, "time"),
        frozen(np.ones(len(columns), dtype=np.int64)),
        *arrays(columns, "src dst out_ptr out_idx out_time in_ptr in_idx in_time hub"),
        -_FAR,
        _FAR,
        (shortest, longest, window, 1, budget, _FAR, True),
        1.0,
    )
    return ptr, evidence, np.unique(unfinished).astype(np.int32)


def _once(columns: Columns, ptr: NDArray[np.int64], evidence: NDArray[np.int64], begin: int) -> list[int]:
    """The cycles to tell of, by number: of those round the same accounts that overlap in time, the first to
    begin, and then the first to end. A cycle that begins before ``begin`` is looked at, and not told of."""
    found = [evidence[a:b].tolist() for a, b in itertools.pairwise(ptr.tolist())]
    order = sorted(range(len(found)), key=lambda i: (found[i][0], found[i][-1], found[i]))
    ends: dict[tuple[int, ...], int] = {}
    told = []
    for i in order:
        cycle = found[i]
        accounts = columns.src[cycle].tolist()
        at = accounts.index(min(accounts))
        key = (*accounts[at:], *accounts[:at])
        first, last = int(columns.time[cycle[0]]), int(columns.time[cycle[-1]])
        if first > ends.get(key, first - 1) and first >= begin:
            told.append(i)
        ends[key] = max(last, ends.get(key, last))
    return told


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`. The subject is who makes the first transfer."""
    least = max(1, round(parameters["min_value"]))
    longest = min(int(parameters["max_length"]), _MAX_LENGTH)
    window, retention = round(parameters["window"]), float(parameters["retention"])
    ptr, evidence, cut, unfinished = _kernel(
        *arrays(columns, "time value src dst out_ptr out_idx out_time in_ptr in_idx in_time hub"),
        scope.begin - window,
        scope.end,
        (
            int(parameters["min_length"]),
            longest,
            window,
            -(-least // 2),
            int(parameters["budget"]),
            _SERVICE,
            False,
        ),
        retention,
    )
    told = _once(columns, ptr, evidence, scope.begin)
    cycles = [evidence[ptr[i] : ptr[i + 1]] for i in told]
    values = [columns.value[cycle] for cycle in cycles]
    smallest = np.array([v.min() for v in values], dtype=np.int64)
    weakest = np.array([np.minimum(v[1:] / v[:-1], v[:-1] / v[1:]).min() for v in values])
    alert = smallest >= least
    closeness = (weakest - retention) / (1 - retention) if retention < 1 else np.ones(len(cycles))
    sizes = np.array([len(cycle) for cycle in cycles], dtype=np.int64)
    return hits(
        np.array([columns.src[cycle[0]] for cycle in cycles], dtype=np.int64),
        alert,
        np.where(alert, 0.5 + 0.5 * closeness, 0.5 * smallest / least),
        np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes))),
        np.concatenate(cycles) if cycles else np.empty(0, dtype=np.int64),
        {
            "accounts": np.array([(~columns.hub[columns.src[cycle]]).sum() for cycle in cycles]),
            "value": np.array([v[0] for v in values]),
            "returned": np.array([v[-1] for v in values]),
            "smallest": smallest,
            "span": np.array([columns.time[c[-1]] - columns.time[c[0]] for c in cycles]) / HOUR,
        },
        money=("value", "returned", "smallest"),
        cut=cut[told],
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{amount(features['value'], currency)} left the account, went through "
            f"{int(features['accounts']) - 1} others in order of time, and "
            f"{amount(features['returned'], currency)} came back within {span(features['span'])}."
        ),
    )


_ROUND = (
    pay(1, 0, "A", "B", "5000"),
    pay(2, 5, "B", "C", "4900"),
    pay(3, 9, "C", "D", "4800"),
    pay(4, 20, "D", "A", "4750"),
)

CASES = (
    Sample(
        "four accounts pass 5,000 around within a day, beside other payments",
        (*_ROUND, pay(9, 3, "B", "SHOP", "40"), pay(10, 6, "C", "A", "120")),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: half the value is to watch; a loop whose order of time is wrong is nothing",
        (
            pay(1, 0, "A", "B", "600"),
            pay(2, 5, "B", "C", "590"),
            pay(3, 9, "C", "A", "580"),
            pay(4, 0, "E", "F", "5000"),
            pay(5, 9, "F", "G", "4900"),
            pay(6, 8, "G", "H", "4900"),
            pay(7, 20, "H", "E", "4900"),
        ),
        watches=(account("A"),),
    ),
    Sample(
        "negative: a payment and its refund; a round that loses half on the way",
        (
            pay(1, 0, "A", "SHOP", "5000"),
            pay(2, 5, "SHOP", "A", "5000"),
            pay(3, 0, "E", "F", "5000"),
            pay(4, 5, "F", "G", "2400"),
            pay(5, 9, "G", "E", "2400"),
        ),
    ),
)

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
def _set(bits, e):  # type: ignore[no-untyped-def]
    bits[e >> 3] |= np.uint8(1 << (e & 7))


@njit(cache=True, nogil=True)
def _has(bits, e):  # type: ignore[no-untyped-def]
    return bits[e >> 3] & np.uint8(1 << (e & 7)) != 0


@njit(cache=True, nogil=True)
def _onward(outs, ins, hub, begin, end, window, retention, least):  # type: ignore[no-untyped-def]
    """Two bits for each transfer in [begin, end): whether its payee pays on within ``window``, and whether of
    nearly its value. In order of the payees, so that memory is read as it lies: most do not."""
    out_ptr, out_idx, out_time, out_value, _ = outs
    in_ptr, in_idx, in_time, in_value, _ = ins
    some, fit = np.zeros((2, (len(out_idx) >> 3) + 1), dtype=np.uint8)
    for a in range(len(hub)):
        q, last = out_ptr[a], out_ptr[a + 1]
        if q == last:
            continue
        for p in range(in_ptr[a], in_ptr[a + 1]):
            moment, value = in_time[p], in_value[p]
            if value < least or moment < begin:
                continue
            while q < last and out_time[q] < moment + 1 - hub[a]:
                q += 1
            if q == last or moment >= end:
                break
            r, limit, smallest = q, moment + window, retention * value
            if out_time[q] <= limit:
                _set(some, in_idx[p])
            while r < last and out_time[r] <= limit:
                v = out_value[r]
                if v >= least and v >= smallest and retention * v <= value:
                    _set(fit, in_idx[p])
                    break
                r += 1
    return some, fit


@njit(cache=True, nogil=True)
def _enter(p, outs, hub, limit, service):  # type: ignore[no-untyped-def]
    """The first position among the transfers that may follow the one at ``p``; past the last one for a
    service."""
    out_ptr, _, out_time, _, out_dst = outs
    node = out_dst[p]
    end = out_ptr[node + 1]
    q = _after(out_time, out_ptr[node], end, out_time[p] + 1 - hub[node])
    if not hub[node] and q + service < end and out_time[q + service] <= limit:
        return end
    return q


@njit(cache=True, nogil=True)
def _allowed(p, depth, each, path, outs, hub, some):  # type: ignore[no-untyped-def]
    """Whether the search may go on through the transfer at ``p``: its payee pays on, is not on the path, and
    the transfer before it was not tried from here and leads to all that this one does."""
    out_ptr, out_idx, out_time, out_value, out_dst = outs
    to, back = out_dst[p], path[depth]
    node = out_dst[back]
    if (hub[to] and hub[node]) or not _has(some, out_idx[p]):
        return False
    for i in range(depth + 1):
        if out_dst[path[i]] == to:
            return False
    if each or p == out_ptr[node] or out_dst[p - 1] != to or out_value[p - 1] != out_value[p]:
        return True
    return out_time[p - 1] + hub[node] <= out_time[back]


@njit(cache=True, nogil=True)
def _search(start, first, after, final, outs, hub, mark, some, path, pos, limits, retention, found):  # type: ignore[no-untyped-def]
    """Depth-first from the transfer of ``start`` at position ``first``, and from position ``after`` of those
    that may follow it, up to the ``final`` moment; appends each cycle's transfers to those ``found``. The
    last of what it answers: whether the budget ran out."""
    out_ptr, out_idx, out_time, out_value, out_dst = outs
    ptr, k, evidence = found
    shortest, longest, window, least, budget, service, each = limits
    limit, steps, depth, used = out_time[first] + window, 0, 0, ptr[k]
    path[0], pos[0], length = first, after, 2 - hub[out_dst[first]]
    while depth >= 0 and steps < budget:
        back, p = path[depth], pos[depth]
        node = out_dst[back]
        if p >= out_ptr[node + 1] or out_time[p] > final:
            length -= 1 - hub[node]
            depth -= 1
            continue
        pos[depth] += 1
        steps += 1
        v, w, to = out_value[p], out_value[back], out_dst[p]
        if v < least or v < retention * w or retention * v > w:
            continue
        if to == start:
            if length >= shortest:
                evidence, ptr = grown(evidence, used + depth + 2), grown(ptr, k + 2)
                for i in range(depth + 1):
                    evidence[used + i] = out_idx[path[i]]
                evidence[used + depth + 1] = out_idx[p]
                used += depth + 2
                k += 1
                ptr[k] = used
            continue
        ahead = length + 1 - hub[to]
        if ahead > longest or (ahead == longest and mark[to] == 0):
            continue
        if _allowed(p, depth, each, path, outs, hub, some):
            depth, length = depth + 1, ahead
            path[depth], pos[depth] = p, _enter(p, outs, hub, limit, service)
    return (ptr, k, evidence), depth >= 0


@njit(cache=True, nogil=True)
def _note(begin, end, by, ins, hub, least, mark):  # type: ignore[no-untyped-def]
    """Count (or, with ``by`` -1, discount) who makes these transfers, through a hub too."""
    in_ptr, _, _, in_value, in_src = ins
    for p in range(begin, end):
        if in_value[p] >= least:
            mark[in_src[p]] += by
            if hub[in_src[p]]:
                for q in range(in_ptr[in_src[p]], in_ptr[in_src[p] + 1]):
                    mark[in_src[q]] += by


@njit(cache=True, nogil=True)
def _kernel(outs, ins, hub, begin, end, limits, retention):  # type: ignore[no-untyped-def]
    """The transfers of each cycle that begins in [begin, end), in order: ``evidence[ptr[i]:ptr[i+1]]``;
    whether its search was cut; and the accounts where one was.

    ``limits``: shortest, longest, window, least value, budget, how many transfers in a window make a service,
    and whether cycles that differ only by parallel transfers of equal value are told each.
    ``mark`` counts, per account, its transfers to the start within the window ``[low, high)``, and is
    brought up to date only where a search begins.
    """
    out_ptr, out_idx, out_time, out_value, out_dst = outs
    in_ptr, _, in_time, in_value, _ = ins
    _, longest, window, least, _, service, _ = limits
    found = np.zeros(16, dtype=np.int64), 0, np.empty(64, dtype=np.int64)
    cut, unfinished, short = np.zeros(16, dtype=np.int64), np.empty(16, dtype=np.int64), 0
    path, pos = np.empty((2, 2 * longest + 2), dtype=np.int64)
    mark = np.zeros(len(hub), dtype=np.int32)
    ahead = min(end, _FAR) + min(window, _FAR)
    some, fit = _onward(outs, ins, hub, begin, ahead, window, retention, least)
    for start in range(len(hub)):
        low, high, last = in_ptr[start], in_ptr[start], in_ptr[start + 1]
        if hub[start] or low == last:
            continue
        fresh, until, final = low, low, begin  # the last that may close a cycle comes at the moment ``final``
        for p in range(_after(out_time, out_ptr[start], out_ptr[start + 1], begin), out_ptr[start + 1]):
            moment = out_time[p]
            if moment >= end:
                break
            if out_value[p] < least or not _has(fit, out_idx[p]) or out_dst[p] == start:
                continue
            while until < last and in_time[until] <= moment + window:
                if in_value[until] >= least:
                    final = in_time[until]
                until += 1
            while fresh < until and in_time[fresh] <= moment:
                fresh += 1
            if final <= moment or until - fresh > service:
                continue
            after = _enter(p, outs, hub, moment + window, service)
            if after >= out_ptr[out_dst[p] + 1] or out_time[after] > final:
                continue
            _note(max(high, fresh), until, 1, ins, hub, least, mark)
            _note(low, min(high, fresh), -1, ins, hub, least, mark)
            low, high, before = fresh, until, found[1]
            found, over = _search(
                start, p, after, final, outs, hub, mark, some, path, pos, limits, retention, found
            )
            cut = grown(cut, found[1])
            cut[before : found[1]] = over
            if over:
                unfinished = grown(unfinished, short + 1)
                unfinished[short] = start
                short += 1
        _note(low, high, -1, ins, hub, least, mark)
    ptr, k, evidence = found
    return ptr[: k + 1], evidence[: ptr[k]], cut[:k], unfinished[:short]


def every(
    columns: Columns, window: int, shortest: int, longest: int, budget: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Every cycle in order of time, of whatever value, through services and parallel transfers too: the
    transfers of cycle i in order are ``evidence[ptr[i]:ptr[i+1]]``; and the accounts where a search reached
    its budget."""
    same = frozen(np.ones(len(columns), dtype=np.int64))
    out_ptr, out_idx, out_time, out_dst = arrays(columns, "out_ptr out_idx out_time out_dst")
    in_ptr, in_idx, in_time, in_src, hub = arrays(columns, "in_ptr in_idx in_time in_src hub")
    ptr, evidence, _, unfinished = _kernel(
        (out_ptr, out_idx, out_time, same, out_dst),
        (in_ptr, in_idx, in_time, same, in_src),
        hub,
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
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub"),
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
    told = np.array(_once(columns, ptr, evidence, scope.begin), dtype=np.int64)
    sizes = np.diff(ptr)[told]
    ends = np.cumsum(sizes)
    begins = ends - sizes
    evidence = evidence[np.arange(sizes.sum()) + np.repeat(ptr[:-1][told] - begins, sizes)]
    first, last, values = evidence[begins], evidence[ends - 1], columns.value[evidence]
    smallest = np.minimum.reduceat(values, begins) if len(told) else values
    alert = smallest >= least
    near = np.minimum(values[1:] / values[:-1], values[:-1] / values[1:])
    near[begins[1:] - 1] = 1.0  # the last transfer of one cycle, and the first of the next
    weakest = np.minimum.reduceat(np.append(near, 1.0), begins) if len(told) else near
    closeness = (weakest - retention) / (1 - retention) if retention < 1 else np.ones(len(told))
    return hits(
        columns.src[first],
        alert,
        np.where(alert, 0.5 + 0.5 * closeness, 0.5 * smallest / least),
        np.concatenate((np.zeros(1, dtype=np.int64), ends)),
        evidence,
        {
            "accounts": sizes - np.add.reduceat(columns.hub[columns.src[evidence]], begins, dtype=np.int64)
            if len(told)
            else sizes,
            "value": columns.value[first],
            "returned": columns.value[last],
            "smallest": smallest,
            "span": (columns.time[last] - columns.time[first]) / HOUR,
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

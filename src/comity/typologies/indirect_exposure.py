"""Indirect exposure: value that left a criminal's account or a mixer reaches an account through others.

From each transfer out of an account so marked (at least even confidence) the value is followed, through one
to ``max_hops`` accounts that are not marked, in order of time within the window. What an account passes on is
what it sends next after the value came, until as much as came has left (last in, first out); through a
Bitcoin transaction, which is not counted as an account, each output carries its share of the input. Each step
has to carry at least ``retention`` of what came to it, and what is carried has to be at least ``min_share``
of the transfer that carries it. An alert when ``min_value`` can have reached the account; to watch from half
of it.

The subject is the account reached. The search stops at services and criminals known as such, and at accounts
that make more than 500 transfers in the time left, which are services too: they are neither subjects nor
passed through. Who deals with the mark straight is `crime_exposure`, `mixer_exposure` or
`shared_transaction`. One transfer out of the mark makes at most one finding for an account reached, by the
path that carries most; paths between the same two accounts that overlap in time are one finding: the first.
Value split into small parts is lost sight of here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import BITCOIN, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, grown, hits, kept, pay, span
from comity.typologies._marked import CRIME, SPARED, called, known, percent, spared

SPEC = TypologySpec(
    id="indirect_exposure",
    title="Indirect exposure to crime or a mixer",
    indicator="Value that left an account linked to crime, or a mixer, reaches the account through others.",
    flags=("A7", "T5"),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("max_hops", 3, "count", "accounts in between (at most 6)"),
        Parameter("window", 168, "hours", "the whole path lies within this time"),
        Parameter("retention", 0.5, "ratio", "each step carries on at least this share of what came"),
        Parameter("min_share", 0.1, "ratio", "what is carried is at least this share of its transfer"),
        Parameter("min_value", 1000, "money", "an alert when this value can have reached the account"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
        Parameter("budget", 5000, "count", "a search looks at this many transfers at most"),
    ),
    uses=("known.marks", "known.sure"),
)

_MAX_HOPS = 6
_DEEPEST = 2 * _MAX_HOPS + 4
_SERVICE = 500
_SOUGHT = CRIME | int(Mark.MIXER)


@njit(cache=True, nogil=True)
def _after(out_time, begin, end, moment):  # type: ignore[no-untyped-def]
    """The first position in [begin, end) whose transfer is not before ``moment``."""
    return begin + np.searchsorted(out_time[begin:end], moment)


@njit(cache=True, nogil=True)
def _carried(e, node, came, outputs, value, hub):  # type: ignore[no-untyped-def]
    """How much of what ``came`` to the node ``e`` carries on: through a transaction, its share."""
    if hub[node]:
        return int(came * (value[e] / max(outputs, came)))
    return min(came, value[e])


@njit(cache=True, nogil=True)
def _enter(e, time, value, dst, out_ptr, out_idx, out_time, hub, limit):  # type: ignore[no-untyped-def]
    """The first position among the transfers that may follow ``e`` (-1: a service), and for a transaction
    what it pays out."""
    node = dst[e]
    end = out_ptr[node + 1]
    p = _after(out_time, out_ptr[node], end, time[e] + 1 - hub[node])
    outputs = 0
    if hub[node]:
        for q in range(p, end):
            if out_time[q] <= limit:
                outputs += max(value[out_idx[q]], 0)
    elif p + _SERVICE < end and out_time[p + _SERVICE] <= limit:
        p = -1
    return p, outputs


@njit(cache=True, nogil=True)
def _note(to, path, depth, worth, between, slots, reached):  # type: ignore[no-untyped-def]
    """Keep the path if it is the best to the account so far: by value, accounts between, last transfer."""
    rows, size = reached
    width = _DEEPEST + 4
    slot = slots[to] - 1
    if slot < 0:
        rows, slot, size = grown(rows, width * (size + 1)), size, size + 1
        slots[to] = size
        rows[width * slot + 1] = -1
    row = rows[width * slot : width * (slot + 1)]
    last = path[depth]
    ahead = worth > row[1] or (worth == row[1] and between < row[2])
    if ahead or (worth == row[1] and between == row[2] and last < row[3 + row[3]]):
        row[0], row[1], row[2], row[3] = to, worth, between, depth + 1
        row[4 : 5 + depth] = path[: depth + 1]
    return rows, size


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    first, time, value, src, dst, out_ptr, out_idx, out_time, hub, marks, sure, mercy, even, limits,
    retention, share, state, slots, reached
):  # fmt: skip
    """Depth-first from one transfer: the best path to each account reached, and whether the budget ran out.

    ``state``: per depth the transfer, position, value that came, what left since, outputs, accounts between.
    """
    hops, window, least, budget = limits
    path, pos, came, left, outputs, between = state
    limit, steps, depth = time[first] + window, 0, 0
    path[0], came[0], left[0], between[0] = first, value[first], 0, 1 - hub[dst[first]]
    pos[0], outputs[0] = _enter(first, time, value, dst, out_ptr, out_idx, out_time, hub, limit)
    if pos[0] < 0:
        return reached, False
    while depth >= 0 and steps < budget:
        node, p = dst[path[depth]], pos[depth]
        done = p >= out_ptr[node + 1] or out_time[p] > limit
        if done or (left[depth] >= came[depth] and not hub[node]):
            depth -= 1
            continue
        pos[depth] += 1
        steps += 1
        e = out_idx[p]
        to = dst[e]
        if to == node or value[e] <= 0:
            continue
        left[depth] += value[e]
        worth = _carried(e, node, came[depth], outputs[depth], value, hub)
        if worth < least or worth < retention * came[depth] or worth < share * value[e]:
            continue
        shut = to == src[first] or (hub[to] and hub[node])
        for i in range(depth + 1):
            shut = shut or dst[path[i]] == to
        if shut or (not hub[to] and spared(to, hub, marks, sure, mercy, even)):
            continue
        fresh, paid = _enter(e, time, value, dst, out_ptr, out_idx, out_time, hub, limit)
        if fresh < 0:
            continue
        path[depth + 1] = e
        if not hub[to] and between[depth] > 0:
            reached = _note(to, path, depth + 1, worth, between[depth], slots, reached)
        if between[depth] + 1 - hub[to] <= hops:
            depth += 1
            pos[depth], came[depth], left[depth], outputs[depth] = fresh, worth, 0, paid
            between[depth] = between[depth - 1] + 1 - hub[to]
    return reached, depth >= 0


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out_ptr, out_idx, out_time, hub, marks, sure, masks, even, begin, end, limits,
    retention, share
):  # fmt: skip
    """One row per account reached from a transfer out of a mark in [begin, end): account, value carried,
    accounts between, whether the search was cut; the path; and the marked accounts where a search was cut."""
    sought, mercy = masks
    least = limits[2]
    width = _DEEPEST + 4
    rows, k = np.empty(4 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    unfinished, short = np.empty(16, dtype=np.int64), 0
    slots = np.zeros(len(hub), dtype=np.int64)
    state = (
        np.zeros(_DEEPEST, dtype=np.int64), np.zeros(_DEEPEST, dtype=np.int64),
        np.zeros(_DEEPEST, dtype=np.int64), np.zeros(_DEEPEST, dtype=np.int64),
        np.zeros(_DEEPEST, dtype=np.int64), np.zeros(_DEEPEST, dtype=np.int64),
    )  # fmt: skip
    reached = (np.empty(width * 16, dtype=np.int64), 0)
    for a in range(len(hub)):
        if marks[a] & sought == 0 or sure[a] < even or hub[a]:
            continue
        for p in range(_after(out_time, out_ptr[a], out_ptr[a + 1], begin), out_ptr[a + 1]):
            if out_time[p] >= end:
                break
            first = out_idx[p]
            to = dst[first]
            if value[first] < least or to == a:
                continue
            if not hub[to] and spared(to, hub, marks, sure, mercy, even):
                continue
            reached, over = _search(
                first, time, value, src, dst, out_ptr, out_idx, out_time, hub, marks, sure, mercy, even,
                limits, retention, share, state, slots, (reached[0], 0),
            )  # fmt: skip
            for slot in range(reached[1]):
                row = reached[0][width * slot : width * (slot + 1)]
                slots[row[0]] = 0
                rows, ptr, k = grown(rows, 4 * (k + 1)), grown(ptr, k + 2), k + 1
                rows[4 * k - 4 : 4 * k - 1], rows[4 * k - 1] = row[:3], over
                evidence = grown(evidence, used + row[3])
                evidence[used : used + row[3]] = row[4 : 4 + row[3]]
                used += row[3]
                ptr[k] = used
            if over:
                unfinished = grown(unfinished, short + 1)
                unfinished[short] = a
                short += 1
    return rows[: 4 * k].reshape(k, 4), ptr[: k + 1], evidence[:used], unfinished[:short]


def _once(
    columns: Columns,
    account: NDArray[np.int64],
    alert: NDArray[np.bool_],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    begin: int,
) -> NDArray[np.bool_]:
    """Which paths to tell of: of those between the same two accounts that overlap in time the first, and the
    first alert. What begins before ``begin`` is looked at, and not told of."""
    told = columns.time[first] >= begin
    ends: defaultdict[tuple[int, int], dict[bool, int]] = defaultdict(dict)
    for i in np.argsort(first, kind="stable").tolist():
        now, until = int(columns.time[first[i]]), int(columns.time[last[i]])
        pair = ends[int(columns.src[first[i]]), int(account[i])]
        covered = max(pair.get(True, now - 1), now - 1 if alert[i] else pair.get(False, now - 1))
        told[i] &= covered < now
        level = bool(alert[i])
        pair[level] = max(until, pair.get(level, until))
    return told


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`. The subject is the account reached."""
    least, window = max(1, round(parameters["min_value"])), round(parameters["window"])
    rows, ptr, evidence, unfinished = _kernel(
        *arrays(columns, "time value src dst out_ptr out_idx out_time hub known.marks known.sure"),
        (_SOUGHT, SPARED),
        percent(parameters["confidence"]),
        scope.begin - window,
        scope.end,
        (min(int(parameters["max_hops"]), _MAX_HOPS), window, -(-least // 2), int(parameters["budget"])),
        float(parameters["retention"]),
        float(parameters["min_share"]),
    )
    first, last = evidence[ptr[:-1]], evidence[ptr[1:] - 1]
    told = _once(columns, rows[:, 0], rows[:, 1] >= least, first, last, scope.begin)
    ptr, evidence = kept(told, ptr, evidence)
    rows, first, last = rows[told], first[told], last[told]
    value, carried, hops = columns.value[first], rows[:, 1], rows[:, 2]
    source = columns.src[first]
    sure, alert = columns.known.sure[source] / 100, carried >= least
    strength = carried / np.maximum(value, 1) * sure / np.maximum(hops, 1)
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 0.5 + 0.5 * strength, np.minimum(carried / (2 * least), 0.49)),
        ptr,
        evidence,
        {
            "value": value,
            "carried": carried,
            "hops": hops,
            "share": carried / np.maximum(columns.value[last], 1),
            "span": (columns.time[last] - columns.time[first]) / HOUR,
            "confidence": sure,
            "marks": columns.known.marks[source],
        },
        money=("value", "carried"),
        cut=rows[:, 3] > 0,
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    hops = int(features["hops"])
    return (
        (
            f"{amount(features['value'], currency)} left an account attributed with "
            f"{features['confidence']:.0%} confidence to: {called(features['marks'], among=_SOUGHT)}."
        ),
        (
            f"Up to {amount(features['carried'], currency)} of it can have reached this account within "
            f"{span(features['span'])}, through {hops} other{'s' if hops != 1 else ''} in order of time; "
            f"that is {features['share']:.0%} of the last transfer."
        ),
    )


_KNOWN = known(HACK="hack", MIX="mixer", EX="exchange", MARKET="market")
_CHAIN = (
    pay(1, 0, "HACK", "A", "9000"),
    pay(2, 5, "A", "B", "8500"),
    pay(3, 20, "B", "C", "8400"),
)


def _bitcoin(number: int, hours: float, source: str, target: str, value: str) -> Transfer:
    return pay(number, hours, f"{BITCOIN}:{source}", f"{BITCOIN}:{target}", value)


CASES = (
    Sample(
        "stolen value goes through one account to a second and a third, beside other payments",
        (
            *_CHAIN,
            pay(4, 3, "X", "A", "50"),
            pay(5, 6, "A", "SHOP", "40"),
            pay(6, 21, "C", "EX", "8000"),
        ),
        alerts=(account("B"), account("C")),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch; straight from the mark, and what was sent before, is nothing",
        (
            pay(1, 0, "MIX", "A", "600"),
            pay(2, 5, "A", "B", "500"),
            pay(3, 0, "MIX", "C", "9000"),
            pay(4, -5, "C", "D", "9000"),
            pay(5, 100, "C", "C", "9000"),
        ),
        watches=(account("B"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "what left next carries it: once as much has left as came, what follows is others' value",
        (
            pay(1, 0, "HACK", "A", "2000"),
            pay(2, 1, "A", "B", "1000"),
            pay(3, 2, "A", "C", "1000"),
            pay(4, 3, "A", "D", "1000"),
            pay(5, 1, "HACK", "E", "2000"),
            pay(6, 2, "E", "F", "20001"),
            pay(7, 1, "HACK", "G", "2000"),
            pay(8, 2, "G", "H", "999.99"),
        ),
        alerts=(account("B"), account("C")),
        knowledge=_KNOWN,
    ),
    Sample(
        "through Bitcoin transactions, which are no accounts: each output carries its share of the input",
        (
            _bitcoin(1, 0, "thief", "tx-1", "8000"),
            _bitcoin(2, 0, "tx-1", "a", "6000"),
            _bitcoin(3, 0, "tx-1", "b", "2000"),
            _bitcoin(4, 5, "a", "tx-2", "6000"),
            _bitcoin(5, 5, "other", "tx-2", "6000"),
            _bitcoin(6, 5, "tx-2", "c", "9000"),
            _bitcoin(7, 5, "tx-2", "d", "3000"),
        ),
        alerts=(f"{BITCOIN}:c",),
        knowledge=known(**{f"{BITCOIN}:thief": "theft"}),
    ),
    Sample(
        "at most three in between, exactly within a week; the same path again in between is one finding",
        (
            *(pay(i, 42 * i, "HABCDE"[i].replace("H", "HACK"), "ABCDE"[i], "2000") for i in range(5)),
            *(
                pay(10 + i, 1 + 42 * i, "HABCDE"[i].replace("H", "HACK"), "ABCDE"[i], "1900")
                for i in range(2)
            ),
        ),
        alerts=(account("B"), account("C"), account("D")),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: through an exchange, out of an exchange, and back to the thief",
        (
            pay(1, 0, "HACK", "EX", "9000"),
            pay(2, 1, "EX", "A", "9000"),
            pay(3, 2, "A", "B", "9000"),
            pay(4, 0, "HACK", "M", "9000"),
            pay(5, 1, "M", "HACK", "9000"),
            pay(6, 1, "M", "MARKET", "9000"),
        ),
        knowledge=_KNOWN,
    ),
)

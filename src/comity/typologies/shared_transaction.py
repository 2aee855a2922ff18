"""Shared transaction: an account, and a criminal's or a mixer's, on the two sides of Bitcoin transactions.

A transaction stands between those who pay into it and those it pays (ADR 0004), so that `crime_exposure` and
`mixer_exposure`, which look at one account's own transfers, cannot see who is on the other side. Here each
output has its share of what marked inputs paid in (all of it where every input is marked, even if their
values are not known), and each input its share of what goes to marked outputs. What an account so received
and paid is added up over a period: spans of ``window`` counted from 1970, so that each transaction
is in exactly one. An alert from ``min_value``, to watch from half of it.

Attributions count from even confidence. Change that comes back to an input is its own. Services and criminals
known as such are not the subject; in a payment that an unknown service makes for many, each input bears
only its share. Inputs together with a marked one are not found: that they have one owner is likely, but
a CoinJoin says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import BITCOIN, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, amount, arrays, extended, grown, hits, pay
from comity.typologies._marked import CRIME, SPARED, called, known, percent, spared, unvalued

SPEC = TypologySpec(
    id="shared_transaction",
    title="Exposure within a transaction",
    indicator="A transaction has an account linked to crime, or a mixer, on its other side.",
    flags=("W1", "W6", "T5", "A7"),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_value", 500, "money", "an alert from this value, received and paid"),
        Parameter("window", 720, "hours", "the length of a period over which it is added up"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"total": "min_value"},
    uses=("known.marks", "known.sure"),
)

_SOUGHT = CRIME | int(Mark.MIXER)


@njit(cache=True, nogil=True)
def _side(h, moment, time, value, ends, ptr, idx, marks, sure, sought, even):  # type: ignore[no-untyped-def]
    """Of the transaction's inputs or outputs at that moment: value, value of marked ones, the first marked
    one (-1: none), whether there are others, marks, and the best confidence."""
    total, dirty, first, others, kind, best = 0, 0, -1, False, 0, 0
    for p in range(ptr[h], ptr[h + 1]):
        e = idx[p]
        if time[e] != moment:
            continue
        o = ends[e]
        total += max(value[e], 0)
        if marks[o] & sought and sure[o] >= even:
            dirty += max(value[e], 0)
            first = e if first < 0 else first
            kind |= marks[o] & sought
            best = max(best, sure[o])
        else:
            others = True
    return total, dirty, first, others, kind, best


@njit(cache=True, nogil=True)
def _shares(  # type: ignore[no-untyped-def]
    h, moment, time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, marks, sure, masks, even,
    sides, payer, found
):  # fmt: skip
    """Append a row for each input and output of the transaction that has a share of the marked value on the
    other side: account, time, way, value, marks, confidence; and as evidence its transfer, and theirs."""
    rows, ptr, k, evidence, used = found
    sought, mercy = masks
    came, went = sides
    whole = max(came[0], went[0], 1)
    for way in range(2):
        far, ends, begin, last, idx = came, dst, out_ptr[h], out_ptr[h + 1], out_idx
        other, low, high, others = src, in_ptr[h], in_ptr[h + 1], in_idx
        if way:
            far, ends, begin, last, idx = went, src, in_ptr[h], in_ptr[h + 1], in_idx
            other, low, high, others = dst, out_ptr[h], out_ptr[h + 1], out_idx
        share = far[1] / whole if far[3] or way else 1.0
        if far[2] < 0 or share == 0:
            continue
        for p in range(begin, last):
            e = idx[p]
            o = ends[e]
            change = way == 0 and payer[o]
            worth = int(max(value[e], 0) * share)
            if time[e] != moment or change or worth == 0 or spared(o, hub, marks, sure, mercy, even):
                continue
            rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
            row = rows[6 * k - 6 : 6 * k]
            row[0], row[1], row[2], row[3], row[4], row[5] = o, moment, way, worth, far[4], far[5]
            evidence, used = extended(evidence, used, idx, p, p + 1)
            for q in range(low, high):
                m = other[others[q]]
                if time[others[q]] == moment and marks[m] & sought and sure[m] >= even:
                    evidence, used = extended(evidence, used, others, q, q + 1)
            ptr[k] = used
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, marks, sure, masks, even, begin, end
):  # fmt: skip
    """The rows and evidence of `_shares` of every transaction in [begin, end) with a marked account in it."""
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    sought = masks[0]
    payer = np.zeros(len(hub), dtype=np.bool_)
    for a in range(len(hub)):
        if marks[a] & sought == 0 or sure[a] < even or hub[a]:
            continue
        for way in range(2):
            ptr, idx, ends = (out_ptr, out_idx, dst) if way else (in_ptr, in_idx, src)
            for p in range(ptr[a], ptr[a + 1]):
                e = idx[p]
                h = ends[e]
                if not hub[h] or time[e] < begin or time[e] >= end:
                    continue
                came = _side(h, time[e], time, value, src, in_ptr, in_idx, marks, sure, sought, even)
                went = _side(h, time[e], time, value, dst, out_ptr, out_idx, marks, sure, sought, even)
                if e != (came[2] if came[2] >= 0 else went[2]):
                    continue  # the transaction is looked at once
                for q in range(in_ptr[h], in_ptr[h + 1]):
                    payer[src[in_idx[q]]] |= time[in_idx[q]] == time[e]
                found = _shares(
                    h, time[e], time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, marks, sure,
                    masks, even, (came, went), payer, found,
                )  # fmt: skip
                for q in range(in_ptr[h], in_ptr[h + 1]):
                    payer[src[in_idx[q]]] = False
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`. The subject is the account that has a share."""
    least, window = max(1, round(parameters["min_value"])), max(1, round(parameters["window"]))
    rows, ptr, evidence = _kernel(
        *arrays(columns, "time value src dst out_ptr out_idx in_ptr in_idx hub known.marks known.sure"),
        (_SOUGHT, SPARED),
        percent(parameters["confidence"]),
        scope.begin - window,
        min(scope.end + window, 2**62),
    )
    period = rows[:, 1] // window
    order = np.lexsort((rows[:, 1], period, rows[:, 0]))
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (np.diff(rows[order, 0]) != 0) | (np.diff(period[order]) != 0)
    groups = np.split(order, np.flatnonzero(fresh)[1:]) if len(order) else []
    told = [
        group
        for group in groups
        if 2 * rows[group, 3].sum() >= least and scope.begin <= rows[group[0], 1] < scope.end
    ]
    shown = [np.unique(np.concatenate([evidence[ptr[i] : ptr[i + 1]] for i in group])) for group in told]
    received = np.array([rows[group[rows[group, 2] == 0], 3].sum() for group in told], dtype=np.int64)
    paid = np.array([rows[group[rows[group, 2] == 1], 3].sum() for group in told], dtype=np.int64)
    total, sure = received + paid, np.array([rows[group, 5].max() / 100 for group in told])
    alert = total >= least
    return hits(
        np.array([rows[group[0], 0] for group in told], dtype=np.int64),
        alert,
        np.where(alert, 0.5 + 0.5 * sure * total / (total + least), np.minimum(total / (2 * least), 0.49)),
        np.concatenate(([0], np.cumsum([len(some) for some in shown]))).astype(np.int64),
        np.concatenate(shown) if shown else np.empty(0, dtype=np.int64),
        {
            "received": received,
            "paid": paid,
            "total": total,
            "transactions": np.array([len(np.unique(rows[group, 1])) for group in told]),
            "span": np.array([np.ptp(rows[group, 1]) / HOUR for group in told]),
            "confidence": sure,
            "marks": np.array([np.bitwise_or.reduce(rows[group, 4]) for group in told]),
        },
        money=("received", "paid", "total"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    whom = f"accounts attributed to: {called(features['marks'], among=_SOUGHT)}"
    reasons = []
    if features["received"]:
        reasons.append(
            f"By its share of the transactions, {amount(features['received'], currency)} came from {whom}."
        )
    if features["paid"]:
        reasons.append(
            f"By its share of the transactions, {amount(features['paid'], currency)} went to {whom}."
        )
    reasons.append(f"The surest of these attributions is held with {features['confidence']:.0%} confidence.")
    return tuple(reasons)


def _tx(number: int, hours: float, source: str, target: str, value: str) -> Transfer:
    return pay(number, hours, _id(source), _id(target), value)


def _id(name: str) -> str:
    return f"{BITCOIN}:{name}"


_KNOWN = known(0.9, **{_id("market"): "market", _id("thief"): "theft", _id("ex"): "exchange"})

CASES = (
    Sample(
        "paid by a thief in one transaction; a darknet market paid out of another, with change",
        (
            _tx(1, 0, "thief", "tx-1", "9000"),
            _tx(2, 0, "tx-1", "a", "3000"),
            _tx(3, 0, "tx-1", "thief", "6000"),
            _tx(4, 5, "b", "tx-2", "2000"),
            _tx(5, 5, "tx-2", "market", "600"),
            _tx(6, 5, "tx-2", "b", "1400"),
        ),
        alerts=(_id("a"), _id("b")),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: a share of half the value is to watch; inputs of unknown value, all of them the market's",
        (
            _tx(1, 0, "thief", "tx-1", "1000"),
            _tx(2, 0, "c", "tx-1", "9000"),
            _tx(3, 0, "tx-1", "a", "2600"),
            _tx(4, 0, "tx-1", "d", "2400"),
            _tx(5, 0, "tx-1", "c", "5000"),
            unvalued(_tx(6, 5, "market", "tx-2", "1")),
            _tx(7, 5, "tx-2", "b", "400"),
        ),
        watches=(_id("a"), _id("b")),
        knowledge=_KNOWN,
    ),
    Sample(
        "small purchases add up within a period; each period is a finding of its own",
        tuple(
            one
            for i in range(9)
            for one in (
                _tx(2 * i, 100 * i, "a", f"tx-{i}", "200"),
                _tx(2 * i + 1, 100 * i, f"tx-{i}", "market", "200"),
            )
        ),
        alerts=(_id("a"),),
        watches=(_id("a"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: an exchange on the other side, co-spending, and others paid in the same transaction",
        (
            _tx(1, 0, "market", "tx-1", "9000"),
            _tx(2, 0, "tx-1", "ex", "9000"),
            _tx(3, 1, "thief", "tx-2", "100"),
            _tx(4, 1, "a", "tx-2", "9000"),
            _tx(5, 1, "tx-2", "x", "9100"),
            _tx(6, 2, "ex", "tx-3", "9100"),
            _tx(7, 2, "tx-3", "market", "9000"),
            _tx(8, 2, "tx-3", "y", "100"),
        ),
        knowledge=_KNOWN,
    ),
)

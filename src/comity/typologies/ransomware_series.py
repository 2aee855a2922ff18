"""Ransom-like series: deposits of similar high amounts from different payers, spaced out, then silence.

FATF: several transactions of high value in a staggered and regular pattern, with no further ones for a long
time afterwards, which is common in cases of ransomware. Looked at are all deposits but dust. A series is a
run of them, each high and from ``similar`` of the largest of the run up, each at most ``gap`` after the one
before; its longest pause is no more than ``regular`` times its usual (median) one; and it makes up the
greater part of all the account ever got, so that a landlord's or a company's account is not found. After it
nothing comes in for ``silence``, or nothing more in this ledger. What is sent on soon raises the score.
Watched from half of the payers (at least three). Not found: many deposits at one moment (see `fan_in`), and
payments of one person by instalments.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import chosen, distinct, large, note, settle, sides, summed, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="ransomware_series",
    title="Regular series, then silence",
    indicator="Similar deposits of high value come in at regular intervals, followed by a long silence.",
    flags=("T2b",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 2500, "money", "a deposit of this value counts"),
        Parameter("min_payers", 5, "count", "an alert from this many different payers"),
        Parameter("similar", 0.7, "ratio", "no deposit is less than this share of the largest"),
        Parameter("gap", 336, "hours", "each comes at most this long after the one before"),
        Parameter("pause", 1, "hours", "the usual pause between two is at least this long"),
        Parameter("regular", 5, "count", "the longest pause is at most this many times the usual one"),
        Parameter("silence", 720, "hours", "after it nothing comes in for this time"),
        Parameter("share", 0.8, "ratio", "it is at least this share of all the account's deposits"),
        Parameter("onward", 72, "hours", "what leaves within this time of the last was sent on"),
    ),
    joint={"payers": "min_payers"},
)

_DUST = 100
"""A deposit below this part of ``min_value`` does not break a series, nor a silence."""


@njit(cache=True, nogil=True)
def _run(begin, first, band, size, time, net, limits, similar):  # type: ignore[no-untyped-def]
    """The end of the run of similar high deposits that begins at ``begin`` in ``band``."""
    least, gap = limits[0], limits[2]
    low = high = net[band[begin] - first]
    if low < least:
        return begin
    for i in range(begin + 1, size):
        worth = net[band[i] - first]
        low, high = min(low, worth), max(high, worth)
        if low < least or low < similar * high or time[band[i]] - time[band[i - 1]] > gap:
            return i
    return size


@njit(cache=True, nogil=True)
def _regular(begin, end, band, time, limits):  # type: ignore[no-untyped-def]
    """Whether the pauses between the deposits of a run are long enough, and like one another."""
    pauses = np.empty(end - begin - 1, dtype=np.int64)
    for i in range(begin + 1, end):
        pauses[i - begin - 1] = time[band[i]] - time[band[i - 1]]
    usual = np.sort(pauses)[(len(pauses) - 1) // 2]
    return usual >= limits[3] and pauses.max() <= limits[4] * usual


@njit(cache=True, nogil=True)
def _series(a, both, net_in, band, size, limits, similar, share, seen):  # type: ignore[no-untyped-def]
    """The first series of the account's deposits in ``band`` that fits: begin, end, payers; or 0, 0, 0."""
    in_ptr, _, time, _, src = both[1]
    first, begin = in_ptr[a], 0
    while begin < size:
        end = _run(begin, first, band, size, time, net_in, limits, similar)
        enough = end - begin >= max(limits[1], share * size)
        if enough and end < size:
            enough = time[band[end]] - time[band[end - 1]] >= limits[5]
        if enough and _regular(begin, end, band, time, limits):
            payers = distinct(band[begin], band[end - 1] + 1, first, src, net_in, limits[0], seen)
            if payers >= limits[1]:
                return begin, end, payers
        begin = max(end, begin + 1)
    return 0, 0, 0


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, limits, similar, share):  # type: ignore[no-untyped-def]
    """One row per series: account, payers, deposits, total, smallest, largest, span, silence (-1: to the
    end), sent on; and the evidence."""
    rows, k = np.empty(9 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, in_value, in_src) = both
    for a in accounts:
        b0, b1 = in_ptr[a], in_ptr[a + 1]
        if hub[a] or b1 - b0 < limits[1]:
            continue
        if large(b0, b1, in_value, in_src, hub, mixed, limits[0]) < limits[1]:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        band, size = chosen(b0, b1, net_in, max(1, limits[0] // _DUST), band)
        begin, end, payers = _series(a, both, net_in, band, size, limits, similar, share, memory)
        if end == 0:
            continue
        rows, ptr, k = grown(rows, 9 * (k + 1)), grown(ptr, k + 2), k + 1
        row, last = 9 * (k - 1), in_time[band[end - 1]]
        rows[row], rows[row + 1], rows[row + 2] = a, payers, end - begin
        rows[row + 3], rows[row + 5] = 0, 0
        rows[row + 4] = net_in[band[begin] - b0]
        for i in range(begin, end):
            worth = net_in[band[i] - b0]
            rows[row + 3] += worth
            rows[row + 4], rows[row + 5] = min(rows[row + 4], worth), max(rows[row + 5], worth)
            evidence, used = note(band[i], b1, both[1], hub, evidence, used)
        rows[row + 6] = last - in_time[band[begin]]
        rows[row + 7] = in_time[band[end]] - last if end < size else -1
        q = within(out_time, out_ptr[a], out_ptr[a + 1], in_time[band[begin]])
        until = within(out_time, q, out_ptr[a + 1], last + limits[6])
        rows[row + 8] = summed(net_out, q - out_ptr[a], until - out_ptr[a])[0]
        ptr[k] = used
    return rows[: 9 * k].reshape(k, 9), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_payers = int(parameters["min_payers"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        (
            max(1, round(parameters["min_value"])),
            max(3, -(-min_payers // 2)),
            *(round(parameters[name]) for name in ("gap", "pause", "regular", "silence", "onward")),
        ),
        float(parameters["similar"]),
        float(parameters["share"]),
    )
    payers, total = rows[:, 1], rows[:, 3]
    onward = np.minimum(rows[:, 8] / np.maximum(total, 1), 1.0)
    alert = payers >= min_payers
    more = np.minimum(payers / (2 * min_payers), 1.0)
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 0.5 + 0.25 * onward + 0.25 * more, 0.5 * payers / min_payers),
        ptr,
        evidence,
        {
            "payers": payers,
            "deposits": rows[:, 2],
            "total": total,
            "smallest": rows[:, 4],
            "largest": rows[:, 5],
            "span": rows[:, 6] / HOUR,
            "silence": np.maximum(rows[:, 7], 0) / HOUR,
            "onward": onward,
        },
        money=("total", "smallest", "largest"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [
        (
            f"{int(features['deposits'])} deposits from {int(features['payers'])} different accounts came in "
            f"over {span(features['span'])}, each between {amount(features['smallest'], currency)} and "
            f"{amount(features['largest'], currency)}, {amount(features['total'], currency)} in all."
        ),
        f"Then nothing more came in for {span(features['silence'])}."
        if features["silence"] > 0
        else "After that this ledger shows no more deposits.",
    ]
    if features["onward"] > 0:
        reasons.append(f"{features['onward']:.0%} of it had left again soon after the last.")
    return tuple(reasons)


def _ransoms(count: int, every: float, name: str, start: int = 0, value: int = 4000) -> tuple[Transfer, ...]:
    return tuple(pay(start + i, every * i, f"V{start + i}", name, str(value + 90 * i)) for i in range(count))


CASES = (
    Sample(
        "six victims pay about 4,000, one every third day, and it is sent on; then nothing",
        (*_ransoms(6, 75, "R"), pay(20, 200, "R", "X", "12000"), pay(21, 390, "R", "X", "12800")),
        alerts=(account("R"),),
    ),
    Sample(
        "at the limits: five, a fortnight apart, of 2,500 to the least similar; a deposit after thirty days",
        (
            *(pay(i, 336 * i, f"V{i}", "R", "3571.42" if i else "2500") for i in range(5)),
            pay(10, 4 * 336 + 720, "A", "R", "60"),
        ),
        alerts=(account("R"),),
    ),
    Sample(
        "near miss: three are to watch; two, one payer only, or no silence after it is nothing",
        (
            *_ransoms(3, 75, "R"),
            *_ransoms(2, 75, "S", 10),
            *(pay(20 + i, 75 * i, "CUSTOMER", "T", "4000") for i in range(6)),
            *_ransoms(5, 75, "U", 30),
            pay(40, 4 * 75 + 700, "A", "U", "60"),
        ),
        watches=(account("R"),),
    ),
    Sample(
        "negative: a landlord every month, a collection in one hour, and amounts all different",
        (
            *(
                pay(4 * m + i, 730 * m + 9 * i, f"T{i}", "LANDLORD", "2600")
                for m in range(6)
                for i in range(4)
            ),
            *(pay(100 + i, i / 30, f"C{i}", "COLLECTION", "3000") for i in range(6)),
            *(pay(200 + i, 75 * i, f"D{i}", "TRADER", str(2500 * 2**i)) for i in range(6)),
        ),
    ),
)

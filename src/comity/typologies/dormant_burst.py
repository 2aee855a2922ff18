"""Dormant burst: an account without any transfer for a long time wakes, and much value comes in at once.

The account moved before, then nothing went in or out for ``dormant``; it wakes with the first transfer
after that, in either direction, and what counts is what comes in from then on within ``window``. That must
also be several times the largest deposit before its sleep, so that who is paid once a year, a yearly
dividend say, is not found. Watched from half of the value. Not found: an account that this ledger shows for
the first time (that is `new_account_high_value`), and one that wakes only to pay out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import listed, plural, settle, sides, summed, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="dormant_burst",
    title="Burst after a long sleep",
    indicator="High value comes into an account that had been inactive for a long time.",
    flags=("T2c",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("dormant", 2160, "hours", "the account made and got no transfer for this time"),
        Parameter("window", 72, "hours", "deposits count within this time of its waking"),
        Parameter("min_value", 10_000, "money", "an alert when they add up to this"),
        Parameter("times", 3, "count", "and to this many times the largest deposit before"),
    ),
)


@njit(cache=True, nogil=True)
def _woken(a, p, both, dormant, window):  # type: ignore[no-untyped-def]
    """Whether the account woke for its deposit at position ``p``; when that was, and when it moved before."""
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    moment = in_time[p]
    if p > in_ptr[a] and moment - in_time[p - 1] < dormant:
        return False, moment, moment
    q = out_ptr[a] + np.searchsorted(out_time[out_ptr[a] : out_ptr[a + 1]], moment - window)
    woke = min(moment, out_time[q]) if q < out_ptr[a + 1] else moment
    if p == in_ptr[a] and q == out_ptr[a]:
        return False, woke, moment
    before = in_time[p - 1] if p > in_ptr[a] else out_time[q - 1]
    if q > out_ptr[a]:
        before = max(before, out_time[q - 1])
    return woke - before >= dormant, woke, before


@njit(cache=True, nogil=True)
def _long(a, both, dormant):  # type: ignore[no-untyped-def]
    """Whether the account has a deposit, and was there for so long before its last."""
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    if in_ptr[a] == in_ptr[a + 1]:
        return False
    first = in_time[in_ptr[a]]
    if out_ptr[a] < out_ptr[a + 1]:
        first = min(first, out_time[out_ptr[a]])
    return in_time[in_ptr[a + 1] - 1] - first >= dormant


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, dormant, window, least, times):  # type: ignore[no-untyped-def]
    """One row per waking: account, total, deposits, sleep, span, largest before; and the evidence."""
    rows, k = np.empty(6 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    in_ptr, _, in_time, in_value, _ = both[1]
    for a in accounts:
        if hub[a] or not _long(a, both, dormant):
            continue
        begin, end = in_ptr[a], in_ptr[a + 1]
        for p in range(begin, end):
            wakes, woke, before = _woken(a, p, both, dormant, window)
            if not wakes:
                continue
            until = within(in_time, p, end, woke + window)
            if summed(in_value, p, until)[0] < least:
                continue
            net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
            total, count = summed(net_in, p - begin, until - begin)
            largest = np.int64(0)
            for i in range(p - begin):
                largest = max(largest, net_in[i])
            if total < least or total < times * largest:
                continue
            rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
            row = 6 * (k - 1)
            rows[row], rows[row + 1], rows[row + 2] = a, total, count
            rows[row + 3], rows[row + 4] = woke - before, in_time[until - 1] - in_time[p]
            rows[row + 5] = largest
            evidence, used = listed(p, until, net_in, both[1], a, hub, evidence, used)
            ptr[k] = used
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["dormant"]),
        round(parameters["window"]),
        -(-min_value // 2),
        int(parameters["times"]),
    )
    total = rows[:, 1]
    return hits(
        rows[:, 0],
        total >= min_value,
        total / (2 * min_value),
        ptr,
        evidence,
        {
            "total": total,
            "deposits": rows[:, 2],
            "slept": rows[:, 3] / HOUR,
            "span": rows[:, 4] / HOUR,
            "before": rows[:, 5],
        },
        money=("total", "before"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    came = f"{amount(features['total'], currency)} came in"
    if features["deposits"] > 1:
        came += f" by {plural(features['deposits'], 'transfer')} within {span(features['span'])}"
    reasons = [f"After {span(features['slept'])} without any transfer, {came}."]
    if features["before"] > 0:
        reasons.append(f"The largest deposit before had been {amount(features['before'], currency)}.")
    return tuple(reasons)


CASES = (
    Sample(
        "after half a year, 14,000 in two parts",
        (
            *(pay(i, 200 * i, "EMPLOYER", "M", "900") for i in range(4)),
            pay(10, 610, "M", "SHOP", "400"),
            pay(11, 5000, "A", "M", "6500"),
            pay(12, 5030, "B", "M", "7500"),
            pay(13, 5040, "M", "X", "13900"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: 90 days to the hour, 10,000 in all, the last after 72 hours; a payment out wakes it",
        (
            pay(1, 0, "M", "SHOP", "20"),
            pay(2, 2160, "M", "SHOP", "30"),
            pay(3, 2161, "A", "M", "4000"),
            pay(4, 2232, "B", "M", "6000"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: half of it is to watch; an hour too early or too late, it is nothing",
        (
            pay(1, 0, "M", "SHOP", "20"),
            pay(2, 2200, "A", "M", "5000"),
            pay(3, 0, "N", "SHOP", "20"),
            pay(4, 2159, "A", "N", "20000"),
            pay(5, 0, "O", "SHOP", "20"),
            pay(6, 2200, "A", "O", "100"),
            pay(7, 2273, "A", "O", "20000"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a dividend once a year, an account first seen now, and one that wakes to pay",
        (
            *(pay(i, 8760 * i, "COMPANY", "OWNER", str(20_000 + i)) for i in range(1, 4)),
            pay(5, 8000, "COMPANY", "FRESH", "30000"),
            pay(6, 0, "A", "SAVER", "30000"),
            pay(7, 6000, "SAVER", "HOUSE", "30000"),
        ),
    ),
)

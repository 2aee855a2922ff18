"""Fan-in: many senders pay into one account in a short time.

Senders are counted exactly and once each; a transaction with several inputs (a hub) counts as one.
Watched from half the senders, and only when that burst holds at least half of all senders the account
ever had in this ledger: so a shop or an exchange, which is paid by ever new people all the time, is
not watched, while a fresh collection account is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

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
    kept,
    pay,
    span,
)

SPEC = TypologySpec(
    id="fan_in",
    title="Fan-in",
    indicator="Many transfers from seemingly unrelated senders are gathered in one account.",
    flags=("P6",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_senders", 10, "count", "an alert from this many different senders"),
        Parameter("window", 72, "hours", "the transfers lie within this time"),
    ),
    joint={"senders": "min_senders"},
)


@njit(cache=True, nogil=True)
def _busy(in_time, begin, end, window, least):  # type: ignore[no-untyped-def]
    """Whether ``least`` of the transfers lie within one window: most accounts never get so many."""
    for p in range(begin + least - 1, end):  # noqa: SIM110 (numba compiles no generator)
        if in_time[p] - in_time[p - least + 1] <= window:
            return True
    return False


@njit(cache=True, nogil=True)
def _ever(begin, end, src, a, seen):  # type: ignore[no-untyped-def]
    """How many different senders the account has; leaves ``seen`` all zero."""
    count = 0
    for p in range(begin, end):
        if seen[src[p]] == 0 and src[p] != a:
            seen[src[p]] = 1
            count += 1
    for p in range(begin, end):
        seen[src[p]] = 0
    return count


@njit(cache=True, nogil=True)
def _bursts(a, ins, window, watch_senders, seen, found):  # type: ignore[no-untyped-def]
    """Append the account's bursts; leaves ``seen`` all zero."""
    rows, ptr, k, evidence, used = found
    in_ptr, idx, time, value, src = ins
    left = end = in_ptr[a]  # the burst so far ends before position ``end``
    senders, total = 0, 0
    for right in range(in_ptr[a], in_ptr[a + 1]):
        if src[right] == a:
            continue
        senders += seen[src[right]] == 0
        seen[src[right]] += 1
        total += max(value[right], 0)
        while src[left] == a or time[right] - time[left] > window:
            if src[left] != a:
                seen[src[left]] -= 1
                senders -= seen[src[left]] == 0
                total -= max(value[left], 0)
            left += 1
        if senders < watch_senders:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[5 * k - 5], rows[5 * k - 4] = a, 0
            end = left
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            if src[p] != a:
                evidence[used] = idx[p]
                used += 1
        end, ptr[k] = right + 1, used
        row = 5 * (k - 1)
        if senders > rows[row + 1]:
            rows[row + 1], rows[row + 2], rows[row + 3] = senders, total, time[right] - time[left]
    for p in range(left, in_ptr[a + 1]):
        seen[src[p]] = 0
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(accounts, ins, hub, window, watch_senders):  # type: ignore[no-untyped-def]
    """One row per burst: account, peak senders, peak total, peak span, senders ever; and the evidence.

    A burst is a maximal chain of overlapping windows that each hold ``watch_senders`` senders.
    """
    in_ptr, _, in_time, _, in_src = ins
    found = np.empty(5 * 16, np.int64), np.zeros(16, np.int64), 0, np.empty(64, np.int64), 0
    seen = np.zeros(len(hub), dtype=np.int32)
    for a in accounts:
        if hub[a] or not _busy(in_time, in_ptr[a], in_ptr[a + 1], window, watch_senders):
            continue
        before = found[2]
        found = _bursts(a, ins, window, watch_senders, seen, found)
        if found[2] > before:
            ever = _ever(in_ptr[a], in_ptr[a + 1], in_src, a, seen)
            for row in range(before, found[2]):
                found[0][5 * row + 4] = ever
    rows, ptr, k, evidence, used = found
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_senders = int(parameters["min_senders"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub"),
        round(parameters["window"]),
        max(2, -(-min_senders // 2)),
    )
    senders, ever = rows[:, 1], rows[:, 4]
    keep = (senders >= min_senders) | (2 * senders >= ever)
    ptr, evidence = kept(keep, ptr, evidence)
    rows, senders = rows[keep], senders[keep]
    return hits(
        rows[:, 0],
        senders >= min_senders,
        senders / (2 * min_senders),
        ptr,
        evidence,
        {
            "senders": senders,
            "total": rows[:, 2],
            "span": rows[:, 3] / HOUR,
            "transfers": np.diff(ptr),
            "senders_ever": rows[:, 4],
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"Within {span(features['span'])}, {int(features['senders'])} different senders paid into the "
            f"account, {amount(features['total'], currency)} in all."
        ),
        f"In the whole ledger {int(features['senders_ever'])} different senders paid into it.",
    )


_STEADY = tuple(pay(i, 30 * i, f"C{i}", "SHOP", "35") for i in range(60))

CASES = (
    Sample(
        "twelve people pay into one account within two days",
        tuple(pay(i, 4 * i, f"V{i}", "C", "180") for i in range(12)),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: six of them are to watch; one person paying twelve times is nothing",
        (
            *(pay(i, 4 * i, f"V{i}", "C", "180") for i in range(6)),
            *(pay(20 + i, 4 * i, "V0", "D", "180") for i in range(12)),
        ),
        watches=(account("C"),),
    ),
    Sample("negative: a shop with a new customer every thirty hours", _STEADY),
)

"""Structuring: several transfers just below a threshold in a short time, together above it.

Watched from half the count (at least two): who splits across institutions shows each only a few.
Amounts outside the band never count, so that ordinary payments are neither alerts nor watched. With the
defaults (five, so watched from three) a synthetic ledger of 20,000 ordinary accounts, whose amounts are
spread evenly around the threshold, has 0.3 % of them watched; with four it would be 8 %.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, extended, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="structuring",
    title="Structuring",
    indicator="Value is sent in several transfers kept just below a record-keeping or reporting threshold.",
    flag="T1",
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("threshold", 1000, "money", "the threshold that is avoided"),
        Parameter("floor", 0.8, "ratio", "a transfer counts from this share of the threshold, below it"),
        Parameter("window", 48, "hours", "the transfers lie within this time"),
        Parameter("min_count", 5, "count", "an alert from this many transfers"),
    ),
    joint={"count": "min_count"},
)


@njit(cache=True, nogil=True)
def _each(value, src, accounts, threshold, least):  # type: ignore[no-untyped-def]
    """How many transfers in the band each account sends: read in a row, and most send too few."""
    count = np.zeros(accounts, dtype=np.int64)
    for e in range(len(value)):
        if least <= value[e] < threshold:
            count[src[e]] += 1
    return count


@njit(cache=True, nogil=True)
def _in_band(a, value, dst, out_ptr, out_idx, threshold, least, band):  # type: ignore[no-untyped-def]
    """Put the account's transfers in the band into ``band``, in time order; how many there are."""
    size = 0
    for p in range(out_ptr[a], out_ptr[a + 1]):
        e = out_idx[p]
        if least <= value[e] < threshold and dst[e] != a:
            band[size] = e
            size += 1
    return size


@njit(cache=True, nogil=True)
def _kernel(time, value, src, dst, out_ptr, out_idx, hub, threshold, least, window, watch_count):  # type: ignore[no-untyped-def]
    """One row per burst: account, peak count, peak total, peak span, largest; and the evidence.

    A burst is a maximal chain of overlapping windows that each hold ``watch_count`` transfers in the
    band and add up to the threshold.
    """
    rows, k = np.empty(5 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    band = np.empty(len(time), dtype=np.int64)
    count_of = _each(value, src, len(hub), threshold, least)
    for a in range(len(hub)):
        if hub[a] or count_of[a] < watch_count:
            continue
        size = _in_band(a, value, dst, out_ptr, out_idx, threshold, least, band)
        left, total, end = 0, 0, 0  # the burst so far ends before position ``end``
        for right in range(size):
            total += value[band[right]]
            while time[band[right]] - time[band[left]] > window:
                total -= value[band[left]]
                left += 1
            count = right - left + 1
            if count < watch_count or total < threshold:
                continue
            if left >= end:
                rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
                rows[5 * k - 5], rows[5 * k - 4] = a, 0
                end = left
            evidence, used = extended(evidence, used, band, end, right + 1)
            end, ptr[k] = right + 1, used
            row = 5 * (k - 1)
            if count > rows[row + 1]:
                rows[row + 1], rows[row + 2] = count, total
                rows[row + 3] = time[band[right]] - time[band[left]]
                rows[row + 4] = value[band[left : right + 1]].max()
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float]) -> Hits:
    """See the contract in `comity.typologies`."""
    threshold, min_count = round(parameters["threshold"]), int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(columns.time),
        frozen(columns.value),
        frozen(columns.src),
        frozen(columns.dst),
        frozen(columns.out_ptr),
        frozen(columns.out_idx),
        frozen(columns.hub),
        threshold,
        round(parameters["floor"] * threshold),
        round(parameters["window"]),
        max(2, -(-min_count // 2)),
    )
    count = rows[:, 1]
    return hits(
        rows[:, 0],
        count >= min_count,
        count / (2 * min_count),
        ptr,
        evidence,
        {
            "count": count,
            "total": rows[:, 2],
            "span": rows[:, 3] / HOUR,
            "largest": rows[:, 4],
            "series": np.diff(ptr),
            "threshold": np.full(len(rows), threshold),
        },
        money=("total", "largest", "threshold"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    count, series = int(features["count"]), int(features["series"])
    limit = amount(features["threshold"], currency)
    reasons = [
        f"The account sent {count} transfers within {span(features['span'])}, each just below {limit}.",
        (
            f"Together they come to {amount(features['total'], currency)}; "
            f"the largest was {amount(features['largest'], currency)}."
        ),
    ]
    if series > count:
        reasons.append(f"The series went on: {series} such transfers in all.")
    return tuple(reasons)


CASES = (
    Sample(
        "five payments of about 950 within a day",
        tuple(pay(i, 5 * i, "S", f"P{i}", str(940 + i)) for i in range(5)),
        alerts=(account("S"),),
    ),
    Sample(
        "near miss: three such payments are to watch, two are nothing",
        (
            pay(1, 0, "S", "P", "950"),
            pay(2, 9, "S", "Q", "960"),
            pay(3, 30, "S", "Q", "899.99"),
            pay(4, 0, "R", "P", "950"),
            pay(5, 9, "R", "P", "950"),
        ),
        watches=(account("S"),),
    ),
    Sample(
        "negative: rent, groceries, and payments a month apart",
        (
            *(pay(i, 700 * i, "S", "LANDLORD", "950") for i in range(6)),
            *(pay(10 + i, 3 * i, "S", "SHOP", "61.20") for i in range(8)),
            *(pay(20 + i, 3 * i, "T", "SUPPLIER", "1000") for i in range(8)),
        ),
    ),
)

"""Structuring: several transfers just below a threshold in a short time, together above it.

The thresholds are those of the law of the account's country at the time (travel rule, identification of
occasional customers, reports by value): each is looked for by itself. Where no law is known, a parameter
stands in.

Watched from half the count (at least two): who splits across institutions shows each only a few.
Amounts outside the band never count, so that ordinary payments are neither alerts nor watched. With the
defaults (five, so watched from three) a synthetic ledger of 20,000 ordinary accounts, whose amounts are
spread evenly around the threshold, has 0.3 % of them watched; with four it would be 8 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import Columns, Knowledge, Limit
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="structuring",
    title="Structuring",
    indicator="Value is sent in several transfers kept just below a record-keeping or reporting threshold.",
    flags=("T1",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter(
            "threshold",
            1000,
            "money",
            "the threshold avoided where no law of the country is known",
        ),
        Parameter("floor", 0.8, "ratio", "a transfer counts from this share of the threshold, below it"),
        Parameter("window", 48, "hours", "the transfers lie within this time"),
        Parameter("worth_avoiding", 100, "money", "a threshold of law below this is nothing to stay below"),
        Parameter("min_count", 5, "count", "an alert from this many transfers"),
    ),
    joint={"count": "min_count"},
    uses=("facts.src_country", "known.limits"),
)


@njit(cache=True, nogil=True)
def _threshold(time, country, kind, epochs, limits, otherwise, worth_avoiding):  # type: ignore[no-untyped-def]
    """The law's threshold of that kind in a country at a time, 0 if nobody would stay below it; without any
    law, ``otherwise``."""
    epoch = max(np.searchsorted(epochs, time, side="right") - 1, 0)
    for other in range(limits.shape[2]):
        if limits[epoch, country, other] > 0:
            limit = limits[epoch, country, kind]
            return limit if limit >= worth_avoiding else 0
    return otherwise if kind == 0 else 0


@njit(cache=True, nogil=True)
def _bounds(limits, otherwise, worth_avoiding, floor):  # type: ignore[no-untyped-def]
    """Between these lie all the bands of all the thresholds there are."""
    low = high = otherwise
    for threshold in limits.flat:
        if threshold >= worth_avoiding:
            low, high = min(low, threshold), max(high, threshold)
    return round(floor * low), high


@njit(cache=True, nogil=True)
def _some(begin, end, out_value, low, high, least):  # type: ignore[no-untyped-def]
    """Whether so many of the transfers lie in any band: those of most accounts do not."""
    count = 0
    for p in range(begin, end):
        count += low <= out_value[p] < high
    return count >= least


@njit(cache=True, nogil=True)
def _in_band(a, begin, end, out_value, out_dst, threshold, least, band):  # type: ignore[no-untyped-def]
    """Put the positions of the account's transfers in the band into ``band``; how many there are."""
    size = 0
    for p in range(begin, end):
        if least <= out_value[p] < threshold and out_dst[p] != a:
            band[size] = p
            size += 1
    return size


@njit(cache=True, nogil=True)
def _bursts(a, threshold, band, size, out_time, out_value, out_idx, window, watch_count, found):  # type: ignore[no-untyped-def]
    """Append each burst of the transfers in ``band``: a maximal chain of overlapping windows that each hold
    ``watch_count`` transfers and add up to the threshold."""
    rows, ptr, k, evidence, used = found
    left, total, end = 0, 0, 0  # the burst so far ends before position ``end``
    for right in range(size):
        total += out_value[band[right]]
        while out_time[band[right]] - out_time[band[left]] > window:
            total -= out_value[band[left]]
            left += 1
        count = right - left + 1
        if count < watch_count or total < threshold:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[6 * k - 6], rows[6 * k - 5], rows[6 * k - 1] = a, 0, threshold
            end = left
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            evidence[used] = out_idx[band[p]]
            used += 1
        end, ptr[k] = right + 1, used
        row = 6 * (k - 1)
        if count > rows[row + 1]:
            rows[row + 1], rows[row + 2] = count, total
            rows[row + 3] = out_time[band[right]] - out_time[band[left]]
            rows[row + 4] = out_value[band[left : right + 1]].max()
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, out_ptr, out_idx, out_time, out_value, out_dst, hub, country, epochs, limits,
    otherwise, worth_avoiding, floor, window, watch_count
):  # fmt: skip
    """One row per burst: account, peak count, peak total, peak span, largest, threshold; and the evidence.

    An account is in the country that its first transfer names; a change of law falls between two
    thresholds, and each is looked for in the transfers made while it held.
    """
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    band = np.empty(64, dtype=np.int64)
    low, high = _bounds(limits, otherwise, worth_avoiding, floor)
    for a in accounts:
        begin, last = out_ptr[a], out_ptr[a + 1]
        if hub[a] or not _some(begin, last, out_value, low, high, watch_count):
            continue
        band = grown(band, last - begin)
        place = country[out_idx[begin]]
        while begin < last:
            epoch = max(np.searchsorted(epochs, out_time[begin], side="right") - 1, 0)
            end = last
            if epoch + 1 < len(epochs) and out_time[last - 1] >= epochs[epoch + 1]:
                end = begin + np.searchsorted(out_time[begin:last], epochs[epoch + 1])
            for kind in range(limits.shape[2]):
                threshold = _threshold(
                    out_time[begin], place, kind, epochs, limits, otherwise, worth_avoiding
                )
                known = threshold <= 0
                for earlier in range(kind):
                    known = known or limits[epoch, place, earlier] == threshold
                if known:
                    continue
                least = round(floor * threshold)
                size = _in_band(a, begin, end, out_value, out_dst, threshold, least, band)
                if size >= watch_count:
                    found = _bursts(
                        a, threshold, band, size, out_time, out_value, out_idx, window, watch_count, found
                    )
            begin = end
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count = int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "out_ptr out_idx out_time out_value out_dst hub facts.src_country"),
        *arrays(columns, "known.epochs known.limits"),
        round(parameters["threshold"]),
        max(1, round(parameters["worth_avoiding"])),
        float(parameters["floor"]),
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
            "threshold": rows[:, 5],
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
    Sample(
        "each country's own threshold, as it is at the time: 3,000 in one, 1,000 (later 5,000) in another",
        (
            *(pay(i, 5 * i, "US", f"P{i}", "2950", originator_country="US") for i in range(5)),
            *(pay(10 + i, 5 * i, "DE", f"P{i}", "2950", originator_country="DE") for i in range(5)),
            *(pay(20 + i, 5 * i, "OLD", f"P{i}", "4500", originator_country="DE") for i in range(5)),
            *(pay(30 + i, 2000 + 5 * i, "NEW", f"P{i}", "4500", originator_country="DE") for i in range(5)),
        ),
        alerts=(account("US"), account("NEW")),
        knowledge=Knowledge(
            limits=(
                Limit("US", "travel_rule.threshold", date(2020, 1, 1), Decimal(3000)),
                Limit("DE", "travel_rule.threshold", date(2020, 1, 1), Decimal(1000)),
                Limit("DE", "travel_rule.threshold", date(2026, 5, 1), Decimal(5000)),
            )
        ),
    ),
)

"""Threshold arbitrage: transfers abroad so small that the Travel Rule of neither side asks for full data.

Each country sets its own threshold. An account that sends several transfers to institutions in several
countries within days, each near but below the lower of the two thresholds at its ends, and together above
the higher, has all of them travel without full information under either law. The law is that of the day.
Differs from structuring: both ends' laws are looked at, and the receiving countries vary. Watched from half
the count.

Not found, on purpose: routes at one end of which no threshold is known, or which has none because every
transfer is covered: there is nothing to stay below. What stays below one law only is structuring's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit

from comity.model import Columns, Knowledge, Limit
from comity.typologies import LIMITS, Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import (
    HOUR,
    PRACTICE,
    account,
    amount,
    arrays,
    frozen,
    grown,
    hits,
    pay,
    span,
)
from comity.typologies._dealings import epoch_of

SPEC = TypologySpec(
    id="threshold_arbitrage",
    title="Threshold arbitrage",
    indicator="Transfers to several countries stay below the Travel Rule's thresholds at both of their ends.",
    flags=("X5",),
    source=PRACTICE,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter(
            "floor", 0.6, "ratio", "a transfer counts from this share of the lower threshold, below it"
        ),
        Parameter("window", 168, "hours", "the transfers lie within this time"),
        Parameter("min_count", 5, "count", "an alert from this many transfers"),
        Parameter("min_countries", 2, "count", "to at least this many countries"),
    ),
    joint={"count": "min_count"},
    uses=("facts.src_country", "facts.dst_country", "known.limits"),
)

_TRAVEL_RULE = LIMITS.index("travel_rule.threshold")


@njit(cache=True, nogil=True)
def _limits(time, one, other, epochs, limits):  # type: ignore[no-untyped-def]
    """The lower and the higher of two countries' thresholds at a time; 0 where either has none."""
    if one <= 0 or other <= 0 or one == other or max(one, other) >= limits.shape[1]:
        return 0, 0
    epoch = epoch_of(time, epochs)
    here, there = limits[epoch, one, _TRAVEL_RULE], limits[epoch, other, _TRAVEL_RULE]
    return (min(here, there), max(here, there)) if here > 0 and there > 0 else (0, 0)


@njit(cache=True, nogil=True)
def _in_band(  # type: ignore[no-untyped-def]
    a, begin, end, out_idx, out_time, out_value, out_dst, src_country, dst_country, epochs, limits,
    least, most, floor, band, above
):  # fmt: skip
    """Put the positions of the transfers below both thresholds into ``band``, the higher one into ``above``.

    No threshold lies outside [least, most], so that most transfers are passed over at once.
    """
    size = 0
    for p in range(begin, end):
        if out_value[p] < least or out_value[p] >= most or out_dst[p] == a:
            continue
        e = out_idx[p]
        lower, higher = _limits(out_time[p], src_country[e], dst_country[e], epochs, limits)
        if floor * lower <= out_value[p] < lower:
            band[size], above[size] = p, higher
            size += 1
    return size


@njit(cache=True, nogil=True)
def _series(  # type: ignore[no-untyped-def]
    a, band, above, size, out_time, out_value, out_idx, dst_country, seen, window,
    count_least, countries_least, found
):  # fmt: skip
    """Append each maximal chain of overlapping windows with enough transfers to enough countries, which
    together reach the highest threshold among them."""
    rows, ptr, k, evidence, used = found
    left, total, countries, end = 0, 0, 0, 0
    for right in range(size):
        total += out_value[band[right]]
        to = dst_country[out_idx[band[right]]]
        countries += seen[to] == 0
        seen[to] += 1
        while out_time[band[right]] - out_time[band[left]] > window:
            total -= out_value[band[left]]
            to = dst_country[out_idx[band[left]]]
            seen[to] -= 1
            countries -= seen[to] == 0
            left += 1
        count = right - left + 1
        if count < count_least or countries < countries_least or total < above[left : right + 1].max():
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 7 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[7 * k - 7], rows[7 * k - 6], end = a, 0, left
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            evidence[used] = out_idx[band[p]]
            used += 1
        end, ptr[k] = right + 1, used
        row = 7 * (k - 1)
        if count > rows[row + 1]:
            rows[row + 1], rows[row + 2], rows[row + 3] = count, total, countries
            rows[row + 4] = out_time[band[right]] - out_time[band[left]]
            rows[row + 5] = out_value[band[left : right + 1]].max()
            rows[row + 6] = above[left : right + 1].max()
    for p in range(left, size):
        seen[dst_country[out_idx[band[p]]]] = 0
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, out_ptr, out_idx, out_time, out_value, out_dst, hub, src_country, dst_country, epochs, limits,
    n_countries, floor, window, count_least, countries_least
):  # fmt: skip
    """One row per series: account, and at its peak count, total, countries, span, largest, highest
    threshold; and the evidence."""
    found = (
        np.empty(7 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    least, most = np.int64(2**62), np.int64(0)
    for epoch in range(limits.shape[0]):
        for country in range(limits.shape[1]):
            if limits[epoch, country, _TRAVEL_RULE] > 0:
                least = min(least, np.int64(floor * limits[epoch, country, _TRAVEL_RULE]))
                most = max(most, limits[epoch, country, _TRAVEL_RULE])
    band, above = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    seen = np.zeros(n_countries, dtype=np.int64)
    for a in accounts:
        begin, last = out_ptr[a], out_ptr[a + 1]
        if most == 0 or hub[a] or last - begin < count_least:
            continue
        band, above = grown(band, last - begin), grown(above, last - begin)
        size = _in_band(
            a, begin, last, out_idx, out_time, out_value, out_dst, src_country, dst_country, epochs, limits,
            least, most, floor, band, above,
        )  # fmt: skip
        if size >= count_least:
            found = _series(
                a, band, above, size, out_time, out_value, out_idx, dst_country, seen, window,
                count_least, countries_least, found,
            )  # fmt: skip
    rows, ptr, k, evidence, used = found
    return rows[: 7 * k].reshape(k, 7), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count = int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "out_ptr out_idx out_time out_value out_dst hub facts.src_country"),
        *arrays(columns, "facts.dst_country known.epochs known.limits"),
        len(columns.facts.countries),
        float(parameters["floor"]),
        round(parameters["window"]),
        max(2, -(-min_count // 2)),
        int(parameters["min_countries"]),
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
            "countries": rows[:, 3],
            "span": rows[:, 4] / HOUR,
            "largest": rows[:, 5],
            "threshold": rows[:, 6],
            "series": np.diff(ptr),
        },
        money=("total", "largest", "threshold"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"The account sent {int(features['count'])} transfers to {int(features['countries'])} countries "
            f"within {span(features['span'])}, each below the Travel Rule's threshold at both of its ends."
        ),
        (
            f"Together they come to {amount(features['total'], currency)}, the largest to "
            f"{amount(features['largest'], currency)}; the highest of those thresholds is "
            f"{amount(features['threshold'], currency)}."
        ),
    )


def _abroad(number: int, hours: float, source: str, value: str, route: str) -> Any:
    """A sample transfer between two countries."""
    origin, to = route.split()
    return pay(number, hours, source, f"P{number}", value, originator_country=origin, beneficiary_country=to)


_THRESHOLDS = {"US": Decimal(2600), "CA": Decimal(650), "ZA": Decimal(260), "SG": Decimal(1000), "CH": None}
_LAW = Knowledge(
    limits=tuple(
        Limit(country, "travel_rule.threshold", date(2020, 1, 1), value)
        for country, value in _THRESHOLDS.items()
    )
)

CASES = (
    Sample(
        "six transfers a week from the US, each below both laws' thresholds",
        tuple(
            _abroad(i, 20 * i, "A", value, route)
            for i, (value, route) in enumerate(
                (
                    ("640", "US CA"),
                    ("950", "US SG"),
                    ("600", "US CA"),
                    ("900", "US SG"),
                    ("610", "US CA"),
                    ("990", "US SG"),
                )
            )
        ),
        alerts=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "near miss: three are to watch; to one country only, or below the highest threshold, is nothing",
        (
            *(_abroad(i, 9 * i, "A", "990", "SG US") for i in range(2)),
            _abroad(10, 168, "A", "640", "SG CA"),
            *(_abroad(20 + i, 9 * i, "B", "640", "SG CA") for i in range(6)),
            *(_abroad(30 + i, 9 * i, "C", "240", f"ZA {to}") for i, to in enumerate(("US", "US", "CA"))),
        ),
        watches=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "negative: at home, above a threshold, where every transfer is covered, and weeks apart",
        (
            *(_abroad(i, 9 * i, "A", "640", "CA CA") for i in range(6)),
            *(_abroad(10 + i, 9 * i, "B", "990", f"CA {to}") for i, to in enumerate(("US", "SG") * 3)),
            *(_abroad(20 + i, 9 * i, "C", "640", f"CH {to}") for i, to in enumerate(("US", "SG") * 3)),
            *(_abroad(30 + i, 200 * i, "D", "640", f"CA {to}") for i, to in enumerate(("US", "SG") * 3)),
        ),
        knowledge=_LAW,
    ),
)

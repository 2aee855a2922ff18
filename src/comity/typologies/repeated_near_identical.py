"""Repeated near-identical payments: the same amount, to ever new receivers, as regular as a clock.

A series is a run of payments that follow one another in the account (smaller ones than ``min_value`` apart):
none is less than ``similar`` of the largest, each comes at least ``pause`` and at most ``gap`` after the one
before, and no pause is more than ``regular`` times the pause before it, or less than that part of it. What
counts is how many different receivers it has. Watched from half of them. So automated splitting is
found, whatever the amount (`structuring` asks for one just below a threshold). Not found: wages, all paid
at one moment, a standing order to one receiver, and a series into which other payments are mixed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import chosen, crowded, distinct, note, settle, sides
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="repeated_near_identical",
    title="The same amount again and again",
    indicator="Nearly the same amount goes out to one receiver after the other, at regular intervals.",
    flags=("T1", "T2b"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 100, "money", "a payment counts from this value on"),
        Parameter("similar", 0.98, "ratio", "no payment is less than this share of the largest"),
        Parameter("min_receivers", 8, "count", "an alert from this many different receivers"),
        Parameter("pause", 0.01, "hours", "each comes at least this long after the one before"),
        Parameter("gap", 48, "hours", "each comes at most this long after the one before"),
        Parameter("regular", 3, "count", "a pause is at most this many times as long or short as the last"),
    ),
)


@njit(cache=True, nogil=True)
def _run(begin, first, band, size, time, net, similar, limits):  # type: ignore[no-untyped-def]
    """The end of the series that begins at ``begin`` in ``band``."""
    shortest, longest, regular = limits
    low = high = net[band[begin] - first]
    before = -1
    for i in range(begin + 1, size):
        worth = net[band[i] - first]
        low, high = min(low, worth), max(high, worth)
        pause = time[band[i]] - time[band[i - 1]]
        if low < similar * high or pause < shortest or pause > longest:
            return i
        if before >= 0 and max(pause, before) > regular * min(pause, before):
            return i
        before = pause
    return size


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, min_value, similar, limits, span_of_few, least):  # type: ignore[no-untyped-def]
    """One row per series: account, receivers, payments, total, smallest, largest, span; and the evidence."""
    rows, k = np.empty(7 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    ptr_out, _, time, _, dst = both[0]
    for a in accounts:
        a0, a1 = ptr_out[a], ptr_out[a + 1]
        if hub[a] or not crowded(time, a0, a1, span_of_few, least):
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        band, size = chosen(a0, a1, net_out, min_value, band)
        begin = end = 0
        while end < size:
            begin, end = end, _run(end, a0, band, size, time, net_out, similar, limits)
            if end - begin < least:
                continue
            receivers = distinct(band[begin], band[end - 1] + 1, a0, dst, net_out, min_value, memory)
            if receivers < least:
                continue
            rows, ptr, k = grown(rows, 7 * (k + 1)), grown(ptr, k + 2), k + 1
            row, worth = 7 * (k - 1), net_out[band[begin] - a0]
            rows[row], rows[row + 1], rows[row + 2], rows[row + 3] = a, receivers, end - begin, 0
            rows[row + 4], rows[row + 5] = worth, worth
            rows[row + 6] = time[band[end - 1]] - time[band[begin]]
            for i in range(begin, end):
                worth = net_out[band[i] - a0]
                rows[row + 3] += worth
                rows[row + 4], rows[row + 5] = min(rows[row + 4], worth), max(rows[row + 5], worth)
                evidence, used = note(band[i], a1, both[0], hub, evidence, used)
            ptr[k] = used
    return rows[: 7 * k].reshape(k, 7), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_receivers = int(parameters["min_receivers"])
    least, gap = max(3, -(-min_receivers // 2)), round(parameters["gap"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        max(1, round(parameters["min_value"])),
        float(parameters["similar"]),
        (max(1, round(parameters["pause"])), gap, float(parameters["regular"])),
        min(gap * (least - 1), 2**62),
        least,
    )
    receivers = rows[:, 1]
    return hits(
        rows[:, 0],
        receivers >= min_receivers,
        receivers / (2 * min_receivers),
        ptr,
        evidence,
        {
            "receivers": receivers,
            "payments": rows[:, 2],
            "total": rows[:, 3],
            "smallest": rows[:, 4],
            "largest": rows[:, 5],
            "span": rows[:, 6] / HOUR,
        },
        money=("total", "smallest", "largest"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    low, high = amount(features["smallest"], currency), amount(features["largest"], currency)
    each = f"each of {low}" if low == high else f"each between {low} and {high}"
    return (
        (
            f"{int(features['payments'])} payments to {int(features['receivers'])} different accounts went "
            f"out at regular intervals, {each}."
        ),
        f"They took {span(features['span'])} and come to {amount(features['total'], currency)} in all.",
    )


def _clock(
    count: int, every: float, name: str, value: str = "480", start: int = 0, other: str = "{}{}"
) -> tuple[Transfer, ...]:
    return tuple(pay(start + i, every * i, name, other.format(name, i), value) for i in range(count))


CASES = (
    Sample(
        "eight receivers get 480 or a little more, one every two hours, beside a coffee",
        (
            *(pay(i, 2 * i + (i % 2) / 3, "S", f"P{i}", str(480 + i % 5)) for i in range(8)),
            pay(20, 3.1, "S", "CAFE", "3.20"),
        ),
        alerts=(account("S"),),
    ),
    Sample(
        "at the limits: 98 % of the largest, 48 hours apart, one pause three times another",
        (
            *(pay(i, 16 * i, "S", f"P{i}", "100" if i % 2 else "98") for i in range(4)),
            *(pay(4 + i, 96 + 48 * i, "S", f"Q{i}", "100") for i in range(8)),
        ),
        alerts=(account("S"),),
    ),
    Sample(
        "near miss: four receivers are to watch; three, or the amounts apart, or out of step are nothing",
        (
            *_clock(4, 5, "S"),
            *_clock(3, 5, "R", start=20),
            *(pay(30 + i, 5 * i, "T", f"T{i}", str(480 + 12 * i)) for i in range(9)),
            *(pay(50 + i, 5 * i + (i % 2) * 4, "U", f"U{i}", "480") for i in range(9)),
        ),
        watches=(account("S"),),
    ),
    Sample(
        "negative: wages at one moment, a standing order",
        (*_clock(20, 0, "FIRM"), *_clock(20, 24, "TENANT", "510", 30, "LANDLORD")),
    ),
)

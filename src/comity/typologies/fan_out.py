"""Fan-out: one account pays many receivers in a short time.

The mirror of fan-in: value that was gathered or stolen is spread over many accounts, often at several
institutions. Receivers are counted exactly and once each; a transaction with several outputs (a hub) counts
as one. Watched from half the receivers, and only when that burst holds at least half of all receivers
the account ever had in this ledger: so a payroll or a shop, which pays ever the same or ever new people all
the time, is not watched, while a fresh account that is emptied at once is. An account known to be a service
(an exchange, a mixer …) is left out: that it pays many says nothing about its customers. Whether the
receivers pay on, and to whom, is for other typologies (scatter-gather, layered chain).

Source of the pattern: "fan-out" of AMLSim and AMLworld (Altman and others, Realistic Synthetic Financial
Transactions for Anti-Money Laundering Models, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Mark
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
from comity.typologies._graph import crowded, tagged

SPEC = TypologySpec(
    id="fan_out",
    title="Fan-out",
    indicator="Value leaves one account for many different receivers within a short time.",
    flags=("P6", "T3"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_receivers", 10, "count", "an alert from this many different receivers"),
        Parameter("window", 24, "hours", "the transfers lie within this time"),
    ),
    joint={"receivers": "min_receivers"},
    uses=("known.marks",),
)

_SERVICE = int(Mark.service())


@njit(cache=True, nogil=True)
def _ever(a, begin, end, out_dst, seen):  # type: ignore[no-untyped-def]
    """How many different receivers the account has; leaves ``seen`` all zero."""
    count = 0
    for p in range(begin, end):
        if out_dst[p] != a and seen[out_dst[p]] == 0:
            seen[out_dst[p]] = 1
            count += 1
    for p in range(begin, end):
        seen[out_dst[p]] = 0
    return count


@njit(cache=True, nogil=True)
def _bursts(a, begin, stop, out_idx, out_time, out_value, out_dst, seen, window, watch, found):  # type: ignore[no-untyped-def]
    """Append each burst of the account: a maximal chain of overlapping windows that each hold ``watch``
    receivers. Leaves ``seen`` all zero."""
    rows, ptr, k, evidence, used = found
    left, total, receivers, end = begin, 0, 0, begin  # the burst so far ends before ``end``
    for right in range(begin, stop):
        other = out_dst[right]
        if other == a:
            continue
        receivers += seen[other] == 0
        seen[other] += 1
        total += max(out_value[right], 0)
        while out_time[right] - out_time[left] > window:
            if out_dst[left] != a:
                seen[out_dst[left]] -= 1
                receivers -= seen[out_dst[left]] == 0
                total -= max(out_value[left], 0)
            left += 1
        while out_dst[left] == a:
            left += 1
        if receivers < watch:
            continue
        if k == 0 or rows[5 * k - 5] != a or left >= end:
            rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[5 * k - 5], rows[5 * k - 4] = a, 0
            end = left
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            if out_dst[p] != a:
                evidence[used] = out_idx[p]
                used += 1
        end, ptr[k] = right + 1, used
        row = 5 * (k - 1)
        if receivers > rows[row + 1]:
            rows[row + 1], rows[row + 2] = receivers, total
            rows[row + 3] = out_time[right] - out_time[left]
    for p in range(left, stop):
        seen[out_dst[p]] = 0
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(accounts, out_ptr, out_idx, out_time, out_value, out_dst, hub, marks, service, window, watch):  # type: ignore[no-untyped-def]
    """One row per burst: account, peak receivers, peak total, peak span, receivers ever; and the evidence."""
    found = (
        np.empty(5 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    seen = np.zeros(len(hub), dtype=np.int32)
    for a in accounts:
        begin, stop = out_ptr[a], out_ptr[a + 1]
        if not crowded(out_time, begin, stop, window, watch) or hub[a] or marks[a] & service:
            continue
        before = found[2]
        found = _bursts(
            a, begin, stop, out_idx, out_time, out_value, out_dst, seen, window, watch, found
        )  # fmt: skip
        if found[2] > before:
            ever = _ever(a, begin, stop, out_dst, seen)
            for row in range(before, found[2]):
                found[0][5 * row + 4] = ever
    rows, ptr, k, evidence, used = found
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = int(parameters["min_receivers"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "out_ptr out_idx out_time out_value out_dst hub known.marks"),
        _SERVICE,
        round(parameters["window"]),
        max(2, -(-least // 2)),
    )
    keep = (rows[:, 1] >= least) | (2 * rows[:, 1] >= rows[:, 4])
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    receivers = rows[:, 1]
    return hits(
        rows[:, 0],
        receivers >= least,
        receivers / (2 * least),
        ptr,
        evidence,
        {
            "receivers": receivers,
            "total": rows[:, 2],
            "span": rows[:, 3] / HOUR,
            "transfers": np.diff(ptr),
            "receivers_ever": rows[:, 4],
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    worth = f", {amount(features['total'], currency)} in all" if features["total"] > 0 else ""
    return (
        (
            f"Within {span(features['span'])}, the account paid {int(features['receivers'])} different "
            f"receivers{worth}."
        ),
        f"In the whole ledger it paid {int(features['receivers_ever'])} different receivers.",
    )


CASES = (
    Sample(
        "twelve receivers within a day, beside a transfer to itself",
        (
            *(pay(i, 1.5 * i, "D", f"R{i}", "900") for i in range(12)),
            pay(40, 3, "D", "D", "5000"),
        ),
        alerts=(account("D"),),
    ),
    Sample(
        "near miss: six of them are to watch; one receiver paid twelve times is nothing",
        (
            *(pay(i, 2 * i, "D", f"R{i}", "900") for i in range(6)),
            *(pay(20 + i, 2 * i, "E", "R0", "900") for i in range(12)),
        ),
        watches=(account("D"),),
    ),
    Sample(
        "exactly ten receivers at the window's end are an alert; a little later they are to watch",
        (
            *(pay(i, 24 * i / 9, "D", f"R{i}", "900") for i in range(10)),
            *(pay(20 + i, 24.01 * i / 9, "E", f"R{i}", "900") for i in range(10)),
        ),
        alerts=(account("D"),),
        watches=(account("E"),),
    ),
    Sample(
        "negative: a payer of one new person a day; an exchange that pays out",
        (
            *(pay(i, 25 * i, "SHOP", f"C{i}", "35") for i in range(40)),
            *(pay(50 + i, i, "EXCHANGE", f"C{i}", "350") for i in range(20)),
        ),
        knowledge=tagged(("EXCHANGE", "exchange", "example")),
    ),
)

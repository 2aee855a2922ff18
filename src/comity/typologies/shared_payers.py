"""Shared payers: several accounts whose holders share one identifier pay often into the same account.

The payers seem to be different people, and give the same telephone number, device, network address or
document: one person's many accounts, or a ring, that feed one account. Counted are payers and payments
within a window, for each identifier by itself. Watched from half of both (at least two payers).

Not found, on purpose: payers who share nothing (see fan-in); an identifier is looked at only when holders of
different names give it, so that one person paying from two accounts of the same name is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit

from comity.model import Columns, Identifier, Party
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._dealings import roomy

SPEC = TypologySpec(
    id="shared_payers",
    title="Shared payers",
    indicator="Accounts that share one identifier make frequent transfers into the same account.",
    flags=("P5a", "P5b"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_payers", 3, "count", "an alert from so many accounts that share one identifier"),
        Parameter("min_count", 6, "count", "and this many transfers of theirs"),
        Parameter("window", 168, "hours", "the transfers lie within this time"),
    ),
    joint={"payers": "min_payers", "count": "min_count"},
    uses=("facts.identity",),
)


@njit(cache=True, nogil=True)
def _marked(a, begin, end, in_src, identity, place, group):  # type: ignore[no-untyped-def]
    """Put the positions of what payers with a shared identifier sent into ``place``, its number into
    ``group``; how many they are."""
    size = 0
    for p in range(begin, end):
        number = identity[in_src[p]]
        if number > 0 and in_src[p] != a:
            place[size], group[size] = p, number
            size += 1
    return size


@njit(cache=True, nogil=True)
def _series(  # type: ignore[no-untyped-def]
    a, places, in_time, in_value, in_idx, in_src, seen, window, payers_least, count_least, goal, found
):  # fmt: skip
    """Append each maximal chain of overlapping windows with enough payers and payments, of one identifier.

    The figures are of the window nearest to ``goal``, the payers and the payments of an alert."""
    rows, nearest, ptr, k, evidence, used = found
    left, payers, total, end = 0, 0, 0, 0
    for right in range(len(places)):
        payer = in_src[places[right]]
        payers += seen[payer] == 0
        seen[payer] += 1
        total += max(in_value[places[right]], 0)
        while in_time[places[right]] - in_time[places[left]] > window:
            payer = in_src[places[left]]
            seen[payer] -= 1
            payers -= seen[payer] == 0
            total -= max(in_value[places[left]], 0)
            left += 1
        count = right - left + 1
        if payers < payers_least or count < count_least:
            continue
        if left >= end:
            rows, nearest, ptr = grown(rows, 5 * (k + 1)), roomy(nearest, k + 1), grown(ptr, k + 2)
            rows[5 * k], nearest[k], end, k = a, 0.0, left, k + 1
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            evidence[used] = in_idx[places[p]]
            used += 1
        end, ptr[k] = right + 1, used
        near = min(payers / goal[0], count / goal[1])
        if near > nearest[k - 1]:
            row, nearest[k - 1] = 5 * (k - 1), near
            rows[row + 1], rows[row + 2], rows[row + 3] = payers, count, total
            rows[row + 4] = in_time[places[right]] - in_time[places[left]]
    for p in range(left, len(places)):
        seen[in_src[places[p]]] = 0
    return rows, nearest, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, in_ptr, in_idx, in_time, in_value, in_src, hub, identity, window, payers_least, count_least,
    goal
):  # fmt: skip
    """One row per series: account, and at its peak payers, count, total, span; and the evidence."""
    found = (
        np.empty(5 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.float64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    place, group = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    seen = np.zeros(len(hub) if identity.any() else 0, dtype=np.int64)
    for a in accounts:
        begin, last = in_ptr[a], in_ptr[a + 1]
        if len(seen) == 0 or hub[a] or last - begin < count_least:
            continue
        place, group = grown(place, last - begin), grown(group, last - begin)
        size = _marked(a, begin, last, in_src, identity, place, group)
        if size < count_least:
            continue
        order = np.argsort(group[:size], kind="mergesort")
        first = 0
        for i in range(1, size + 1):
            if i < size and group[order[i]] == group[order[first]]:
                continue
            if i - first >= count_least:
                found = _series(
                    a, place[order[first:i]], in_time, in_value, in_idx, in_src, seen, window,
                    payers_least, count_least, goal, found,
                )  # fmt: skip
            first = i
    rows, _, ptr, k, evidence, used = found
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_payers, min_count = int(parameters["min_payers"]), int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "in_ptr in_idx in_time in_value in_src hub facts.identity"),
        round(parameters["window"]),
        max(2, -(-min_payers // 2)),
        max(2, -(-min_count // 2)),
        (float(min_payers), float(min_count)),
    )
    payers, count = rows[:, 1], rows[:, 2]
    alert = (payers >= min_payers) & (count >= min_count)
    near = np.minimum(payers / min_payers, count / min_count)
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 / np.maximum(near, 1), np.minimum(near / 2, 0.499)),
        ptr,
        evidence,
        {
            "payers": payers,
            "count": count,
            "total": rows[:, 3],
            "span": rows[:, 4] / HOUR,
            "series": np.diff(ptr),
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [
        (
            f"Within {span(features['span'])}, {int(features['payers'])} accounts made "
            f"{int(features['count'])} transfers into this one, {amount(features['total'], currency)} in all."
        ),
        "Their holders share an identifier, such as a telephone number or a device, with other names.",
    ]
    if features["series"] > features["count"]:
        reasons.append(f"It went on: {int(features['series'])} such transfers in all.")
    return tuple(reasons)


def _paid(number: int, hours: float, name: str, phone: str, target: str = "C") -> Any:
    """A sample transfer by a holder with this telephone number."""
    party = Party(name, identifiers=(Identifier("phone", phone),))
    return pay(number, hours, name, target, "180", originator_party=party)


CASES = (
    Sample(
        "three people with one telephone number pay eight times into one account within days",
        tuple(_paid(i, 12 * i, f"A{i % 3}", "+49 1") for i in range(8)),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: two such people paying three times are to watch; once each is nothing",
        (
            *(_paid(i, 12 * i, f"A{i % 2}", "+49 1") for i in range(3)),
            *(_paid(10 + i, 12 * i, f"B{i % 2}", "+49 2", "D") for i in range(2)),
        ),
        watches=(account("C"),),
    ),
    Sample(
        "negative: payers who share nothing, or with somebody else, or weeks apart",
        (
            *(_paid(i, 12 * i, f"A{i % 3}", f"+49 {i % 3}") for i in range(9)),
            *(_paid(20 + i, 12 * i, f"B{i % 3}", f"+33 {i % 3}", "D") for i in range(9)),
            *(_paid(40 + i, 12 * i, f"X{i % 3}", f"+33 {i % 3}", "E") for i in range(3)),
            *(_paid(60 + i, 200 * i, f"Y{i % 3}", "+44 1", "F") for i in range(9)),
        ),
    ),
)

"""Weak-regime corridor: much value to or from institutions in countries with weak rules, all at once.

Against a country may be known, on the day of the transfer: weak rules for virtual assets, FATF's increased
monitoring (the grey list), or its call for action (the black list). Value with the latter two weighs more.
An alert says that within one window the weighted value is large, is a good part of all that the account
moved then, and is more than the account is used to moving there, where its earlier transfers show a custom.
Watched from half of that value.

Not found, on purpose: dealings within one country, whatever is known against it, for who lives there has no
other; self-hosted wallets, which are in no country; businesses known to be services.
Lists and laws are those handed in with the ledger (FATF's statements three times a year).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
from numba import njit

from comity.model import Columns, Knowledge, Regime
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
    pay,
    span,
    wallet,
)
from comity.typologies._dealings import (
    SERVICE,
    both,
    countries_of,
    heaviest,
    home_of,
    risk_at,
    roomy,
    worth_with,
)

SPEC = TypologySpec(
    id="weak_regime_corridor",
    title="Weak-regime corridor",
    indicator="Unusual value goes to or comes from countries with weak rules or on FATF's lists.",
    flags=("G2", "G3"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 50_000, "money", "an alert from this value, weighted, within the window"),
        Parameter("grey_weight", 2, "count", "how often value with a country on the grey list counts"),
        Parameter("black_weight", 10, "count", "how often value with a country on the black list counts"),
        Parameter("window", 720, "hours", "the transfers lie within this time"),
        Parameter("share", 0.25, "ratio", "of all the account moved in that time, at least this share"),
        Parameter("beyond", 3, "count", "at least this many times what it moved there before, on average"),
    ),
    uses=("facts.src_country", "facts.dst_country", "facts.hosted", "known.risk", "known.marks"),
)


@njit(cache=True, nogil=True)
def _levels(a, line, size, time, src, dst, hosted, src_country, dst_country, epochs, risk, level):  # type: ignore[no-untyped-def]
    """What is known against the country at the other end of each transfer; 0 where that is the account's."""
    home, found = home_of(a, line, size, src, src_country, dst_country), False
    for k in range(size):
        e = line[k]
        mine, country = countries_of(a, e, home, src, src_country, dst_country)
        other = dst[e] if src[e] == a else src[e]
        level[k] = 0
        if country != mine and hosted[other]:
            level[k] = risk_at(time[e], country, epochs, risk)
        found = found or level[k] > 0
    return found


@njit(cache=True, nogil=True)
def _weighted(totals, weights):  # type: ignore[no-untyped-def]
    return float(totals[1]) + weights[0] * float(totals[2]) + weights[1] * float(totals[3])


@njit(cache=True, nogil=True)
def _strange(totals, gone, elapsed, window, weights, share, beyond, least):  # type: ignore[no-untyped-def]
    """The weighted value of the window, 0 unless it is large, a good part of all, and not the custom."""
    here = _weighted(totals, weights)
    listed = float(totals[1]) + float(totals[2]) + float(totals[3])
    if here < least or listed < share * (listed + float(totals[0])):
        return 0.0
    usual = _weighted(gone, weights) * window / max(elapsed, window)
    return here if here >= beyond * usual else 0.0


@njit(cache=True, nogil=True)
def _episodes(a, line, size, level, time, value, window, weights, share, beyond, least, found):  # type: ignore[no-untyped-def]
    """Append each maximal chain of overlapping windows that are `_strange`, with the strangest's figures."""
    rows, peaks, ptr, k, evidence, used = found
    totals, gone = np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)
    left, end = 0, 0
    for right in range(size):
        now = time[line[right]]
        totals[level[right]] += max(value[line[right]], 0)
        while now - time[line[left]] > window:
            worth = max(value[line[left]], 0)
            totals[level[left]] -= worth
            gone[level[left]] += worth
            left += 1
        if level[right] == 0:
            continue
        elapsed = time[line[left]] - time[line[0]]
        here = _strange(totals, gone, elapsed, window, weights, share, beyond, least)
        if here == 0:
            continue
        if left >= end:
            rows, peaks, ptr = grown(rows, 6 * (k + 1)), roomy(peaks, k + 1), grown(ptr, k + 2)
            rows[6 * k], peaks[k], end, k = a, 0.0, left, k + 1
        evidence = grown(evidence, used + right + 1 - end)
        for p in range(end, right + 1):
            if level[p] > 0:
                evidence[used] = line[p]
                used += 1
        end, ptr[k] = right + 1, used
        if here > peaks[k - 1]:
            row = 6 * (k - 1)
            peaks[k - 1] = here
            rows[row + 1 : row + 5] = totals
            rows[row + 5] = now - time[line[left]]
    return rows, peaks, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_value, in_ptr, in_idx, in_value, hub, marks,
    hosted, src_country, dst_country, epochs, risk, countries, window, weights, share, beyond, least
):  # fmt: skip
    """One row per episode: account, and at its peak the value with nothing, weak, grey and black known
    against it, and the span; the peak's weighted value; and the evidence."""
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.float64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    line, level = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    heavy = heaviest(risk, countries, np.array([0.0, 1.0, weights[0], weights[1]]))
    for a in accounts:
        if not heavy.any():
            break
        if hub[a] or marks[a] & SERVICE:
            continue
        worth = worth_with(heavy, out_idx, out_ptr[a], out_ptr[a + 1], dst_country, out_value)
        worth += worth_with(heavy, in_idx, in_ptr[a], in_ptr[a + 1], src_country, in_value)
        if worth < least:
            continue
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        line, level = grown(line, len(outs) + len(ins)), grown(level, len(outs) + len(ins))
        size = both(a, src, dst, outs, ins, line)
        if _levels(a, line, size, time, src, dst, hosted, src_country, dst_country, epochs, risk, level):
            found = _episodes(a, line, size, level, time, value, window, weights, share, beyond, least, found)
    rows, peaks, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), peaks[:k], ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = float(parameters["min_value"])
    rows, weighted, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx out_value in_ptr in_idx in_value hub"),
        *arrays(columns, "known.marks facts.hosted facts.src_country facts.dst_country"),
        *arrays(columns, "known.epochs known.risk"),
        len(columns.facts.countries),
        round(parameters["window"]),
        (float(parameters["grey_weight"]), float(parameters["black_weight"])),
        float(parameters["share"]),
        float(parameters["beyond"]),
        least / 2,
    )
    listed = rows[:, 2:5].sum(axis=1)
    return hits(
        rows[:, 0],
        weighted >= least,
        weighted / (2 * least),
        ptr,
        evidence,
        {
            "weighted": weighted,
            "total": listed,
            "weak": rows[:, 2],
            "grey": rows[:, 3],
            "black": rows[:, 4],
            "share": listed / np.maximum(listed + rows[:, 1], 1),
            "span": rows[:, 5] / HOUR,
        },
        money=("weighted", "total", "weak", "grey", "black"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    parts = [
        f"{amount(features[name], currency)} with countries {words}"
        for name, words in (
            ("black", "that FATF calls for action against"),
            ("grey", "under FATF's increased monitoring"),
            ("weak", "whose rules for virtual assets are weak"),
        )
        if features[name] > 0
    ]
    return (
        (
            f"Within {span(features['span'])} the account moved {amount(features['total'], currency)} to or "
            f"from institutions in such countries, {features['share']:.0%} of all it moved then."
        ),
        f"That is {', '.join(parts)}, by the law and the lists of those days.",
    )


_LAW = Knowledge(
    regimes=(
        Regime("SC", date(2019, 1, 1), 1),
        Regime("VN", date(2023, 6, 23), 2),
        Regime("IR", date(2019, 6, 21), 3),
        Regime("TR", date(2021, 10, 21), 2),
        Regime("TR", date(2024, 6, 28), 0),
    )
)

CASES = (
    Sample(
        "60,000 to an exchange with weak rules; 30,000 from the grey list; 6,000 to the black list",
        (
            pay(1, 0, "A", "X", "40000", originator_country="DE", beneficiary_country="SC"),
            pay(2, 90, "A", "Y", "20000", originator_country="DE", beneficiary_country="SC"),
            pay(3, 0, "V", "B", "30000", originator_country="VN", beneficiary_country="DE"),
            pay(4, 0, "C", "Z", "6000", originator_country="DE", beneficiary_country="IR"),
        ),
        alerts=(account("A"), account("B"), account("C")),
        knowledge=_LAW,
    ),
    Sample(
        "near miss: half the value is to watch; off the list by then, or a small part of all, is nothing",
        (
            pay(1, 0, "A", "X", "25000", originator_country="DE", beneficiary_country="SC"),
            pay(2, 0, "B", "X", "90000", originator_country="DE", beneficiary_country="TR"),
            pay(3, 0, "C", "Y", "95000", originator_country="DE", beneficiary_country="FR"),
            pay(4, 9, "C", "X", "30000", originator_country="DE", beneficiary_country="SC"),
        ),
        watches=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "negative: at home in such a country; little more than is the custom; a self-hosted wallet",
        (
            pay(1, 0, "A", "X", "90000", originator_country="VN", beneficiary_country="VN"),
            *(
                pay(10 + i, 700 * i, "B", "X", "11000", originator_country="DE", beneficiary_country="SC")
                for i in range(8)
            ),
            pay(20, 5600, "B", "X", "15000", originator_country="DE", beneficiary_country="SC"),
            pay(30, 0, "C", wallet(1), "90000", originator_country="DE", beneficiary_country="SC"),
        ),
        knowledge=_LAW,
    ),
)

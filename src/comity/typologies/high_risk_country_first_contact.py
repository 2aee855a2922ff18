"""First contact with a country called for action against: an account that never dealt with it, and now much.

FATF calls for enhanced diligence or counter-measures against the countries of its black list. The first
transfer to or from such a country that the ledger shows of an account, with those that follow within days,
has to be looked at when it is of value. Watched from half the value.

Not found, on purpose: contact that began before the country was listed, whose volume weak_regime_corridor
looks at; accounts that are in the country themselves; businesses known to be services. The ledger's beginning
is the beginning: what was before it nobody sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numba import njit

from comity.model import Columns, Knowledge, Regime
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._dealings import (
    SERVICE,
    both,
    countries_of,
    heaviest,
    home_of,
    risk_at,
    worth_with,
)

SPEC = TypologySpec(
    id="high_risk_country_first_contact",
    title="First contact with a high-risk country",
    indicator="An account's first dealings with a country on FATF's black list are of high value.",
    flags=("G2",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 2000, "money", "an alert from this value"),
        Parameter("window", 168, "hours", "moved within this time of the first transfer"),
    ),
    uses=("facts.src_country", "facts.dst_country", "known.risk", "known.marks"),
)

_BLACK = 3


@njit(cache=True, nogil=True)
def _contacts(a, line, size, time, value, src, law, chosen, met, window, least, found):  # type: ignore[no-untyped-def]
    """Append the first dealings with each country on the black list, where they are of value."""
    rows, ptr, k, evidence, used = found
    src_country, dst_country, epochs, risk = law
    home = home_of(a, line, size, src, src_country, dst_country)
    for p in range(size):
        mine, country = countries_of(a, line[p], home, src, src_country, dst_country)
        if not chosen[country] or met[country]:
            continue
        met[country] = True
        now, before, total = time[line[p]], used, 0
        if country == mine or risk_at(now, country, epochs, risk) < _BLACK:
            continue
        q = p
        while q < size and time[line[q]] <= now + window:
            e = line[q]
            if (dst_country[e] if src[e] == a else src_country[e]) == country:
                evidence = grown(evidence, used + 1)
                evidence[used] = e
                used += 1
                total += max(value[e], 0)
            q += 1
        if total < least:
            used = before
            continue
        rows, ptr = grown(rows, 3 * (k + 1)), grown(ptr, k + 2)
        rows[3 * k], rows[3 * k + 1], rows[3 * k + 2] = a, total, time[evidence[used - 1]] - now
        k += 1
        ptr[k] = used
    met[:] = False
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_value, in_ptr, in_idx, in_value, hub, marks,
    src_country, dst_country, epochs, risk, countries, window, least
):  # fmt: skip
    """One row per first contact: account, value, span; and the transfers."""
    found = (
        np.empty(3 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    line, met = np.empty(64, dtype=np.int64), np.zeros(countries, dtype=np.bool_)
    black = heaviest(risk, countries, np.array([0.0, 0.0, 0.0, 1.0]))
    chosen = black > 0
    for a in accounts:
        if not chosen.any():
            break
        if hub[a] or marks[a] & SERVICE:
            continue
        worth = worth_with(black, out_idx, out_ptr[a], out_ptr[a + 1], dst_country, out_value)
        worth += worth_with(black, in_idx, in_ptr[a], in_ptr[a + 1], src_country, in_value)
        if worth < least:
            continue
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        line = grown(line, len(outs) + len(ins))
        size = both(a, src, dst, outs, ins, line)
        law = (src_country, dst_country, epochs, risk)
        found = _contacts(a, line, size, time, value, src, law, chosen, met, window, least, found)
    rows, ptr, k, evidence, used = found
    return rows[: 3 * k].reshape(k, 3), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx out_value in_ptr in_idx in_value hub"),
        *arrays(columns, "known.marks facts.src_country facts.dst_country known.epochs known.risk"),
        len(columns.facts.countries),
        round(parameters["window"]),
        -(-least // 2),
    )
    total = rows[:, 1]
    alert = total >= least
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * least / np.maximum(total, 1), np.minimum(total / (2 * least), 0.499)),
        ptr,
        evidence,
        {"total": total, "count": np.diff(ptr), "span": rows[:, 2] / HOUR},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    count = int(features["count"])
    later = f", in {count} transfers within {span(features['span'])}" if count > 1 else ""
    return (
        (
            "The account's first dealings with a country that FATF calls for action against: "
            f"{amount(features['total'], currency)}{later}."
        ),
        "The ledger shows none before.",
    )


_LAW = Knowledge(
    regimes=(
        Regime("IR", date(2019, 6, 21), 3),
        Regime("MM", date(2026, 3, 10), 3),
        Regime("VN", date(2023, 6, 23), 2),
    )
)


def _to(number: int, hours: float, source: str, value: str, to: str) -> Any:
    """A sample transfer from Germany."""
    return pay(number, hours, source, "X", value, originator_country="DE", beneficiary_country=to)


CASES = (
    Sample(
        "3,000 in two parts to a country on the black list, after dealings elsewhere",
        (
            _to(1, 0, "A", "9000", "FR"),
            _to(2, 90, "A", "1500", "IR"),
            _to(3, 99, "A", "1500", "IR"),
            _to(4, 500, "A", "1500", "IR"),
        ),
        alerts=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "near miss: half the value is to watch; what began before the country was listed is nothing",
        (
            _to(1, 0, "A", "1000", "IR"),
            _to(2, 0, "B", "9000", "MM"),
            _to(3, 300, "B", "9000", "MM"),
        ),
        watches=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "negative: the grey list; little value at first, more later; at home in such a country",
        (
            _to(1, 0, "A", "9000", "VN"),
            _to(2, 0, "B", "100", "IR"),
            _to(3, 300, "B", "9000", "IR"),
            pay(4, 0, "C", "Y", "9000", originator_country="IR", beneficiary_country="IR"),
        ),
        knowledge=_LAW,
    ),
)

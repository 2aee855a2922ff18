"""Wealth from weakly controlled exchanges: most of what an account ever received came from such.

An exchange counts as weakly controlled when an attribution says so (no identification of customers), or
when it is in another country whose rules for virtual assets are weak, or which is on FATF's lists, on the day
it pays. The other end is taken for an exchange when attributions call it one, or when an institution keeps
it and the asset is on a chain. Looked at is all that the account received in the ledger, over a time of
some length: who may have grown rich elsewhere shows it here only in part. Watched from half the value.

Not found, on purpose: a single windfall; receipts within one country, unless the exchange itself is known to
be weak; accounts of businesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import ETH, Amount, Attribution, Columns, Knowledge, Mark, Regime
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._dealings import (
    COIN,
    SERVICE,
    VASP,
    both,
    countries_of,
    home_of,
    kinds,
    risk_at,
)

SPEC = TypologySpec(
    id="wealth_from_weak_vasps",
    title="Wealth from weakly controlled exchanges",
    indicator="Most of what an account received came from exchanges without controls against laundering.",
    flags=("W8",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 50_000, "money", "an alert from this value received from such exchanges"),
        Parameter("share", 0.5, "ratio", "at least this share of all that was received"),
        Parameter("min_time", 720, "hours", "from the first such receipt to the last at least this long"),
        Parameter("min_count", 3, "count", "in at least this many transfers"),
    ),
    uses=(
        "facts.src_country",
        "facts.dst_country",
        "facts.asset",
        "facts.hosted",
        "known.risk",
        "known.marks",
    ),
)

_WEAK = int(Mark.WEAK_KYC)


@njit(cache=True, nogil=True)
def _weak(e, country, mine, time, src, marks, hosted, asset, kind, epochs, risk):  # type: ignore[no-untyped-def]
    """Whether what came with this transfer came from a weakly controlled exchange."""
    if marks[src[e]] & _WEAK:
        return True
    coin = kind[asset[e]] >= COIN and hosted[src[e]]
    if not coin and not marks[src[e]] & VASP:
        return False
    return country != mine and risk_at(time[e], country, epochs, risk) > 0


@njit(cache=True, nogil=True)
def _worth(begin, end, index, others, values, marks, asset, kind, least):  # type: ignore[no-untyped-def]
    """The value of what may have come from exchanges; 0 where all that came is too little."""
    total = 0
    for p in range(begin, end):
        total += max(values[p], 0)
    if total < least:
        return 0
    total = 0
    for p in range(begin, end):
        if values[p] > 0 and (kind[asset[index[p]]] >= COIN or marks[others[p]] & VASP > 0):
            total += values[p]
    return total


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, in_time, in_value, in_src, hub, marks,
    hosted, asset, kind, src_country, dst_country, epochs, risk, least, share, time_least, count_least
):  # fmt: skip
    """One row per account: account, value from weak exchanges, all it received, time between; evidence."""
    rows, ptr, k = np.empty(4 * 16, dtype=np.int64), np.zeros(16, dtype=np.int64), 0
    evidence, used = np.empty(64, dtype=np.int64), 0
    line = np.empty(64, dtype=np.int64)
    some = risk.any()
    for one in marks:
        if some:
            break
        some = one & _WEAK > 0
    for a in accounts:
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        if not some or len(ins) < count_least or hub[a] or marks[a] & SERVICE:
            continue
        begin, end = in_ptr[a], in_ptr[a + 1]
        if in_time[end - 1] - in_time[begin] < time_least:
            continue
        if _worth(begin, end, in_idx, in_src, in_value, marks, asset, kind, least) < least:
            continue
        line = grown(line, len(outs) + len(ins))
        size = both(a, src, dst, outs, ins, line)
        home, weak, every, before = home_of(a, line, size, src, src_country, dst_country), 0, 0, used
        for p in range(size):
            e = line[p]
            if src[e] == a:
                continue
            every += max(value[e], 0)
            mine, country = countries_of(a, e, home, src, src_country, dst_country)
            if _weak(e, country, mine, time, src, marks, hosted, asset, kind, epochs, risk):
                weak += max(value[e], 0)
                evidence = grown(evidence, used + 1)
                evidence[used] = e
                used += 1
        enough = used - before >= count_least and weak >= least and weak >= share * every
        if not enough or time[evidence[used - 1]] - time[evidence[before]] < time_least:
            used = before
            continue
        rows, ptr = grown(rows, 4 * (k + 1)), grown(ptr, k + 2)
        rows[4 * k], rows[4 * k + 1], rows[4 * k + 2] = a, weak, every
        rows[4 * k + 3] = time[evidence[used - 1]] - time[evidence[before]]
        k += 1
        ptr[k] = used
    return rows[: 4 * k].reshape(k, 4), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx in_ptr in_idx in_time in_value in_src hub"),
        *arrays(columns, "known.marks facts.hosted facts.asset"),
        frozen(kinds(columns.facts.assets)),
        *arrays(columns, "facts.src_country facts.dst_country known.epochs known.risk"),
        -(-least // 2),
        float(parameters["share"]),
        round(parameters["min_time"]),
        int(parameters["min_count"]),
    )
    total = rows[:, 1]
    alert = total >= least
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * least / np.maximum(total, 1), np.minimum(total / (2 * least), 0.499)),
        ptr,
        evidence,
        {
            "total": total,
            "share": total / np.maximum(rows[:, 2], 1),
            "count": np.diff(ptr),
            "span": rows[:, 3] / HOUR,
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{features['share']:.0%} of all that the account received, "
            f"{amount(features['total'], currency)} in {int(features['count'])} transfers over "
            f"{span(features['span'])}, came from exchanges that are weakly controlled."
        ),
        "They are known not to identify customers, or are in countries whose rules were weak on the day.",
    )


_ETHER = Amount(Decimal(3), ETH)
_KNOWN = Knowledge(
    attributions={
        account("NOKYC"): Attribution(account("NOKYC"), "x", "x", ("exchange", "weak_kyc"), 0.9, "sample")
    },
    regimes=(Regime("SC", date(2019, 1, 1), 1), Regime("TR", date(2021, 10, 21), 2)),
)


def _route(origin: str, to: str) -> dict[str, str]:
    return {"originator_country": origin, "beneficiary_country": to}


CASES = (
    Sample(
        "coins worth 72,000 over two months from an exchange in a country with weak rules",
        (
            *(pay(i, 500 * i, "X", "A", "18000", amount=_ETHER, **_route("SC", "DE")) for i in range(4)),
            pay(10, 9, "EMPLOYER", "A", "16000", originator_country="DE", beneficiary_country="DE"),
        ),
        alerts=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch, whatever its country; in a week it is no wealth of years",
        (
            *(pay(i, 400 * i, "NOKYC", "A", "9000") for i in range(3)),
            *(pay(10 + i, 50 * i, "NOKYC", "B", "25000") for i in range(3)),
        ),
        watches=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: wages from abroad; exchanges at home; a small part of all",
        (
            *(
                pay(i, 500 * i, "W", "A", "18000", originator_country="TR", beneficiary_country="DE")
                for i in range(4)
            ),
            *(pay(10 + i, 500 * i, "X", "B", "18000", amount=_ETHER, **_route("SC", "SC")) for i in range(4)),
            *(pay(20 + i, 500 * i, "NOKYC", "C", "18000") for i in range(4)),
            *(pay(30 + i, 500 * i, "EMPLOYER", "C", "18100") for i in range(4)),
        ),
        knowledge=_KNOWN,
    ),
)

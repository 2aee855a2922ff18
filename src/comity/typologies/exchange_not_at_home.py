"""Exchange not at home: an account deals mostly with exchanges in countries that are not its own.

FATF asks whether the exchange is registered where the customer or the exchange itself is. A transfer tells
the countries of both ends: where an account's dealings with exchanges go mostly to countries that no
transfer of its own ever names for it, a person has to look for the registration. The other end is taken for
an exchange when attributions call it one, or when an institution keeps it and the asset is on a chain.
Watched from half of the value and of the number.

Not found, on purpose: wires between banks, however foreign; accounts whose own country no transfer names;
businesses known to be services. Not known here: passports within a bloc. Where they are usual (MiCA in the
EU), raise ``min_value``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import ETH, Amount, Attribution, Columns, Knowledge
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, amount, arrays, frozen, grown, hits, pay
from comity.typologies._dealings import COIN, SERVICE, VASP, both, kinds

SPEC = TypologySpec(
    id="exchange_not_at_home",
    title="Exchange not at home",
    indicator="Value comes from or goes to exchanges in countries that are not the customer's own.",
    flags=("G1",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 20_000, "money", "an alert from this value with exchanges abroad"),
        Parameter("min_count", 3, "count", "in at least this many transfers"),
        Parameter("share", 0.5, "ratio", "of all it moved to and from exchanges, at least this share"),
    ),
    uses=("facts.src_country", "facts.dst_country", "facts.asset", "facts.hosted", "known.marks"),
)


@njit(cache=True, nogil=True)
def _abroad(a, line, size, value, src, dst, marks, hosted, asset, kind, countries, home, away):  # type: ignore[no-untyped-def]
    """Put the account's transfers with exchanges abroad into ``away``: how many, their value, and that of all
    its transfers with exchanges."""
    src_country, dst_country = countries
    for k in range(size):
        e = line[k]
        home[src_country[e] if src[e] == a else dst_country[e]] = True
    known = False
    for country in range(1, len(home)):
        known = known or home[country]
    count, total, every = 0, 0, 0
    for k in range(size):
        e = line[k]
        other, country = (dst[e], dst_country[e]) if src[e] == a else (src[e], src_country[e])
        if marks[other] & VASP == 0 and (kind[asset[e]] < COIN or not hosted[other]):
            continue
        worth = max(value[e], 0)
        every += worth
        if known and country > 0 and not home[country]:
            away[count] = e
            count += 1
            total += worth
    home[:] = False
    return count, total, every


@njit(cache=True, nogil=True)
def _worth(index, begin, end, others, values, country, marks, asset, kind):  # type: ignore[no-untyped-def]
    """The value of the transfers ``index[begin:end]`` that may be with an exchange in a country."""
    total = 0
    for p in range(begin, end):
        if values[p] > 0:
            coin = kind[asset[index[p]]] >= COIN or marks[others[p]] & VASP > 0
            if coin and country[index[p]] > 0:
                total += values[p]
    return total


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, value, src, dst, out_ptr, out_idx, out_value, out_dst, in_ptr, in_idx, in_value, in_src,
    hub, marks, hosted, asset, src_country, dst_country, kind, n_countries, share, least, count_least
):  # fmt: skip
    """One row per account: account, count, value abroad, value with all exchanges; and the evidence."""
    rows, ptr, k = np.empty(4 * 16, dtype=np.int64), np.zeros(16, dtype=np.int64), 0
    evidence, used = np.empty(64, dtype=np.int64), 0
    line, away = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    home = np.zeros(n_countries, dtype=np.bool_)
    for a in accounts:
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        some = len(outs) + len(ins)
        if n_countries < 3 or some < count_least or hub[a] or marks[a] & SERVICE:
            continue
        begin, end = out_ptr[a], out_ptr[a + 1]
        worth = _worth(out_idx, begin, end, out_dst, out_value, dst_country, marks, asset, kind)
        begin, end = in_ptr[a], in_ptr[a + 1]
        worth += _worth(in_idx, begin, end, in_src, in_value, src_country, marks, asset, kind)
        if worth < least:
            continue
        line, away = grown(line, some), grown(away, some)
        size = both(a, src, dst, outs, ins, line)
        count, total, every = _abroad(
            a, line, size, value, src, dst, marks, hosted, asset, kind, (src_country, dst_country), home, away
        )
        if count < count_least or total < least or total < share * every:
            continue
        rows, ptr, evidence = grown(rows, 4 * (k + 1)), grown(ptr, k + 2), grown(evidence, used + count)
        rows[4 * k], rows[4 * k + 1], rows[4 * k + 2], rows[4 * k + 3] = a, count, total, every
        evidence[used : used + count] = away[:count]
        used += count
        k += 1
        ptr[k] = used
    return rows[: 4 * k].reshape(k, 4), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, count_least = max(1, round(parameters["min_value"])), int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "value src dst out_ptr out_idx out_value out_dst in_ptr in_idx in_value in_src hub"),
        *arrays(columns, "known.marks facts.hosted facts.asset facts.src_country facts.dst_country"),
        frozen(kinds(columns.facts.assets)),
        len(columns.facts.countries),
        float(parameters["share"]),
        -(-least // 2),
        -(-count_least // 2),
    )
    count, total = rows[:, 1], rows[:, 2]
    alert = (total >= least) & (count >= count_least)
    reached = np.minimum(total / least, count / count_least)
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 / np.maximum(reached, 1), np.minimum(reached / 2, 0.499)),
        ptr,
        evidence,
        {"total": total, "count": count, "share": total / np.maximum(rows[:, 3], 1)},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{amount(features['total'], currency)} in {int(features['count'])} transfers went to or came "
            "from exchanges in countries that no transfer names for the account itself."
        ),
        (
            f"That is {features['share']:.0%} of all it moved to and from exchanges. Whether they are "
            "registered where the customer is, or where they are, is to be looked up."
        ),
    )


_ETHER = Amount(Decimal(2), ETH)
_KNOWN = Knowledge(
    attributions={
        account(name): Attribution(account(name), "an exchange", name, ("exchange",), 0.9, "sample")
        for name in ("EX", "EY")
    }
)

CASES = (
    Sample(
        "a customer in one country, whose exchange is in another",
        (
            pay(1, 0, "A", "EX", "9000", originator_country="DE", beneficiary_country="SC"),
            pay(2, 90, "EX", "A", "8000", originator_country="SC", beneficiary_country="DE"),
            pay(3, 99, "A", "EX", "7000", originator_country="DE", beneficiary_country="SC"),
        ),
        alerts=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half as much is to watch, of coins with any institution, and at both ends",
        (
            pay(1, 0, "A", "X", "5000", originator_country="DE", beneficiary_country="SC", amount=_ETHER),
            pay(2, 9, "A", "X", "5000", originator_country="DE", beneficiary_country="SC", amount=_ETHER),
        ),
        watches=(account("A"), account("X")),
    ),
    Sample(
        "negative: an exchange at home, wires abroad, an account of no known country",
        (
            *(
                pay(10 + i, i, "A", "EX", "9000", originator_country="DE", beneficiary_country="DE")
                for i in range(4)
            ),
            *(
                pay(20 + i, i, "B", "X", "9000", originator_country="DE", beneficiary_country="SC")
                for i in range(4)
            ),
            *(pay(30 + i, i, "C", "EX", "9000", beneficiary_country="SC") for i in range(4)),
            *(
                pay(40 + i, i, "A", "EY", "8000", originator_country="DE", beneficiary_country="SC")
                for i in range(4)
            ),
        ),
        knowledge=_KNOWN,
    ),
)

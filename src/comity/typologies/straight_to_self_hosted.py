"""Straight to a self-hosted wallet: coins are paid into an account at an institution, and nearly all leave
it again at once, as the same asset, for a wallet that nobody keeps for its holder.

The detour costs fees and buys nothing but a new history: the institution is used as a mixer. Deposits and
withdrawals of one asset are matched, the latest deposit first; a deposit counts when at least ``ratio`` of
it left within ``hours``. An alert from ``min_value`` within the window; to watch from half of it.

Deposits of money (ISO 4217) are not looked at: to buy coins and take them home is ordinary. Nor are assets
that are not stated, and withdrawals into a Bitcoin transaction, whose far side an account-local search
cannot see. An account that so pays more than ``max_wallets`` different wallets is a service's, and left
out, as are services and criminals known as such. Whether it traded in between the ledger cannot say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import Amount, AssetId, Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._cash_out import gone_on
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
    wallet,
)
from comity.typologies._marked import SERVICE, SPARED, known, percent, spared

SPEC = TypologySpec(
    id="straight_to_self_hosted",
    title="Straight on to a self-hosted wallet",
    indicator="A deposit is withdrawn at once to a private wallet: the institution serves as a mixer.",
    flags=("T4c",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 5000, "money", "an alert when this value was so withdrawn"),
        Parameter("window", 720, "hours", "within this time"),
        Parameter("ratio", 0.9, "ratio", "at least this share of a deposit leaves again"),
        Parameter("hours", 24, "hours", "it leaves within this time"),
        Parameter("max_wallets", 3, "count", "withdrawals go to at most this many wallets"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    uses=("facts.asset", "facts.hosted", "known.marks"),
)


@njit(cache=True, nogil=True)
def _withdrawn(  # type: ignore[no-untyped-def]
    a, out_ptr, out_idx, out_value, out_dst, hosted, hub, marks, sure, services, even, asset, coin, least,
    codes
):  # fmt: skip
    """Put the codes of withdrawals of coins to self-hosted wallets into ``codes``; how many there are. None
    when they cannot come to ``least``."""
    size, total = 0, 0
    for p in range(out_ptr[a], out_ptr[a + 1]):
        if not hosted[out_dst[p]]:
            total += max(out_value[p], 0)
    if total < least:
        return codes, 0
    for p in range(out_ptr[a], out_ptr[a + 1]):
        o = out_dst[p]
        if hosted[o] or spared(o, hub, marks, sure, services, even) or not coin[asset[out_idx[p]]]:
            continue
        codes = grown(codes, size + 1)
        codes[size] = 2 * out_idx[p] + 1
        size += 1
    return codes, size


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, out_ptr, out_idx, out_value, out_dst, in_ptr, in_idx, in_src, hub, marks,
    sure, hosted, asset, coin, masks, even, hours, ratio, window, least
):  # fmt: skip
    """Rows of `gone_on` for each account and asset, and their evidence. The facts are the value of all the
    account's deposits in coins, and of its withdrawals of coins to self-hosted wallets."""
    services, mercy = masks
    found = (
        np.empty(8 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    codes, facts = np.empty(64, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for a in accounts[:0] if np.all(hosted) or not np.any(coin) else accounts:
        if not hosted[a] or out_ptr[a] == out_ptr[a + 1] or in_ptr[a] == in_ptr[a + 1]:
            continue
        codes, size = _withdrawn(
            a, out_ptr, out_idx, out_value, out_dst, hosted, hub, marks, sure, services, even, asset, coin,
            least, codes,
        )  # fmt: skip
        facts[:] = 0
        for i in range(size):
            facts[1] += max(value[codes[i] // 2], 0)
        if facts[1] < least or spared(a, hub, marks, sure, mercy, even):
            continue
        for p in range(in_ptr[a], in_ptr[a + 1]):
            if in_src[p] != a and coin[asset[in_idx[p]]]:
                codes = grown(codes, size + 1)
                codes[size] = 2 * in_idx[p]
                facts[0] += max(value[in_idx[p]], 0)
                size += 1
        codes[:size].sort()
        given = codes[:size].copy()
        order = np.argsort(asset[given // 2], kind="mergesort")  # by asset, and in order within it
        beside = np.full(size, -1, dtype=np.int64)
        begin = 0
        for end in range(1, size + 1):
            this = asset[given[order[begin]] // 2]
            if end < size and asset[given[order[end]] // 2] == this:
                continue
            group = given[order[begin:end]]
            found = gone_on(
                a,
                group,
                end - begin,
                beside,
                time,
                value,
                src,
                marks,
                hours,
                ratio,
                window,
                least,
                facts,
                found,
            )
            begin = end
    rows, ptr, k, evidence, used = found
    return rows[: 8 * k].reshape(k, 8), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    coin = [bool(name) and not name.startswith("iso4217:") for name in columns.facts.assets]
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src out_ptr out_idx out_value out_dst in_ptr in_idx in_src hub"),
        *arrays(columns, "known.marks known.sure facts.hosted facts.asset"),
        frozen(np.array(coin, dtype=np.bool_)),
        (SERVICE, SPARED),
        percent(parameters["confidence"]),
        round(parameters["hours"]),
        float(parameters["ratio"]),
        round(parameters["window"]),
        -(-least // 2),
    )
    wallets = np.zeros(len(rows), dtype=np.int64)
    for i, subject in enumerate(rows[:, 0]):
        shown = evidence[ptr[i] : ptr[i + 1]]
        wallets[i] = len(np.unique(columns.dst[shown[columns.src[shown] == subject]]))
    keep = wallets <= parameters["max_wallets"]
    ptr, evidence = kept(keep, ptr, evidence)
    rows, wallets = rows[keep], wallets[keep]
    total = rows[:, 1]
    alert = total >= least
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * least / np.maximum(total, 1), total / (2 * least)),
        ptr,
        evidence,
        {
            "total": total,
            "withdrawals": rows[:, 2],
            "wallets": wallets,
            "stay": rows[:, 3] / HOUR,
            "span": rows[:, 4] / HOUR,
            "share": total / np.maximum(rows[:, 5], 1),
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    withdrawals, wallets = int(features["withdrawals"]), int(features["wallets"])
    reasons = [
        (
            f"{amount(features['total'], currency)} that had been paid in left again as the same asset, at "
            f"most {span(features['stay'])} later, for "
            f"{f'{wallets} self-hosted wallets' if wallets != 1 else 'a self-hosted wallet'}."
        ),
        f"That is {min(features['share'], 1):.0%} of all coins paid in, by value, in this ledger.",
    ]
    if withdrawals > 1:
        reasons.insert(
            1, f"It left in {withdrawals} withdrawals, the first and the last {span(features['span'])} apart."
        )
    return tuple(reasons)


_ETHER = "eip155:1/slip44:60"


def _coin(number: int, hours: float, source: str, target: str, value: str, asset: str = _ETHER) -> Transfer:
    """A payment in coins; whose account is at the sample institution is said so."""
    made = pay(number, hours, source, target, value, amount=Amount(Decimal(value), AssetId(asset)))
    return replace(made, originator_institution="" if ":" in source else "SAMPLE")


_USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

CASES = (
    Sample(
        "ether is paid in from one wallet, and out to another within the hour",
        (
            _coin(1, 0, wallet(1), "A", "6000"),
            _coin(2, 1, "A", wallet(2), "5900"),
            _coin(3, 90, wallet(3), "A", "200"),
        ),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: half is to watch; another asset or account, a part, or too late, is nothing",
        (
            _coin(1, 0, wallet(1), "A", "2600"),
            _coin(2, 24, "A", wallet(2), "2600"),
            _coin(3, 0, wallet(1), "B", "6000"),
            _coin(4, 1, "B", wallet(2), "6000", _USDC),
            _coin(5, 0, wallet(1), "C", "6000"),
            _coin(6, 1, "C", "D", "6000"),
            _coin(7, 0, wallet(1), "E", "6000"),
            _coin(8, 1, "E", wallet(2), "5399"),
            _coin(9, 0, wallet(1), "F", "6000"),
            _coin(10, 24.01, "F", wallet(2), "6000"),
        ),
        watches=(account("A"),),
    ),
    Sample(
        "nine tenths of each of two deposits leave, an alert; less of one of them, to watch",
        (
            _coin(1, 0, wallet(1), "A", "3000"),
            _coin(2, 1, "A", wallet(2), "2700"),
            _coin(3, 300, wallet(1), "A", "2600"),
            _coin(4, 301, "A", wallet(2), "2340"),
            _coin(5, 0, wallet(1), "B", "3000"),
            _coin(6, 1, "B", wallet(2), "2660"),
            _coin(7, 300, wallet(1), "B", "2600"),
            _coin(8, 301, "B", wallet(2), "2600"),
        ),
        alerts=(account("A"),),
        watches=(account("B"),),
    ),
    Sample(
        "negative: coins bought with money and taken home; an exchange's own account; a named exchange",
        (
            pay(1, 0, "BANK", "A", "9000"),
            _coin(2, 1, "A", wallet(2), "9000"),
            *(_coin(10 + i, i, wallet(10 + i), "HOT", "2000") for i in range(6)),
            *(_coin(20 + i, i + 0.5, "HOT", wallet(20 + i), "2000") for i in range(6)),
            _coin(30, 0, wallet(1), "EX", "9000"),
            _coin(31, 1, "EX", wallet(2), "9000"),
        ),
        knowledge=known(EX="exchange"),
    ),
)

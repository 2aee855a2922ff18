"""From self-hosted wallets: much value comes from many self-hosted wallets into one hosted account.

An account that an institution keeps is paid from at least ``min_wallets`` different wallets on a chain that
no institution keeps, ``min_value`` in all within the window: an alert; from half of both on, to watch. And
only when that burst holds at least half of all who ever paid the account in this ledger, as in `fan_in`, so
that a merchant or a service which new people pay all the time is left out.

The flag is FATF's of many small transfers from unrelated wallets (P6), which is what this sees. Wallets
carried across a border (A8) or controlled from one address of the internet (A11) would be kin to it, but a
ledger does not show either; nor does an account's own history show whether a wallet that pays it is new,
only how many paid it no more than once. A deposit out of a Bitcoin transaction comes from no one wallet,
and is not counted. Wallets known as a service's are not self-hosted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import (
    FATF,
    HOUR,
    account,
    amount,
    arrays,
    extended,
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
    id="self_hosted_in",
    title="Value from many self-hosted wallets",
    indicator="Many seemingly unrelated self-hosted wallets pay into one account at an institution.",
    flags=("P6",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_wallets", 8, "count", "an alert from this many different wallets"),
        Parameter("min_value", 10_000, "money", "that pay this value"),
        Parameter("window", 168, "hours", "the transfers lie within this time"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"wallets": "min_wallets", "total": "min_value"},
    uses=("facts.hosted", "known.marks"),
)


@njit(cache=True, nogil=True)
def _busy(in_time, begin, end, window, least):  # type: ignore[no-untyped-def]
    """Whether ``least`` of the transfers lie within one window: most accounts never get so many."""
    for p in range(begin + least - 1, end):  # noqa: SIM110 (numba compiles no generator)
        if in_time[p] - in_time[p - least + 1] <= window:
            return True
    return False


@njit(cache=True, nogil=True)
def _wallets(a, in_ptr, in_src, hosted, hub, marks, sure, services, even, seen, picked):  # type: ignore[no-untyped-def]
    """Put the positions of what self-hosted wallets pay into ``picked``: how many there are, and how many
    others of any kind ever pay the account."""
    size, ever = 0, 0
    for p in range(in_ptr[a], in_ptr[a + 1]):
        o = in_src[p]
        if o == a:
            continue
        ever += seen[o] == 0
        seen[o] = 1
        if not hosted[o] and not spared(o, hub, marks, sure, services, even):
            picked[size] = p
            size += 1
    for p in range(in_ptr[a], in_ptr[a + 1]):
        seen[in_src[p]] = 0
    return size, ever


@njit(cache=True, nogil=True)
def _bursts(a, picked, size, in_idx, in_time, in_value, in_src, window, least, ever, seen, found):  # type: ignore[no-untyped-def]
    """Append each burst: a maximal chain of overlapping windows of so many wallets and so much value."""
    rows, ptr, k, evidence, used = found
    least_wallets, least_value, aim = least
    left, total, wallets, end = 0, 0, 0, 0
    for right in range(size):
        p = picked[right]
        wallets += seen[in_src[p]] == 0
        seen[in_src[p]] += 1
        total += max(in_value[p], 0)
        while in_time[p] - in_time[picked[left]] > window:
            q = picked[left]
            seen[in_src[q]] -= 1
            wallets -= seen[in_src[q]] == 0
            total -= max(in_value[q], 0)
            left += 1
        if wallets < least_wallets or total < least_value:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[6 * k - 6], rows[6 * k - 5], rows[6 * k - 4], rows[6 * k - 2] = a, 0, 0, ever
            end = left
        evidence, used = extended(evidence, used, in_idx[picked[:size]], end, right + 1)
        end, ptr[k] = right + 1, used
        row = rows[6 * k - 6 : 6 * k]
        ahead, behind = total >= aim, row[2] >= aim
        if ahead > behind or (ahead == behind and wallets > row[1]):
            row[1], row[2] = wallets, total
            row[3] = in_time[p] - in_time[picked[left]]
            row[5] = 0
            for i in range(left, right + 1):
                row[5] += seen[in_src[picked[i]]] == 1
    for i in range(left, size):
        seen[in_src[picked[i]]] = 0
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, in_ptr, in_idx, in_time, in_value, in_src, hub, hosted, marks, sure, masks, even, window, least
):
    """One row per burst: account; of its best window wallets, value, span; who ever paid the account; wallets
    that paid once in that window; and the evidence."""
    services, mercy = masks
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    seen, picked = np.zeros(len(hub), dtype=np.int64), np.empty(64, dtype=np.int64)
    for a in accounts[:0] if np.all(hosted) else accounts:
        if not hosted[a] or not _busy(in_time, in_ptr[a], in_ptr[a + 1], window, least[0]):
            continue
        if spared(a, hub, marks, sure, mercy, even):
            continue
        picked = grown(picked, in_ptr[a + 1] - in_ptr[a])
        size, ever = _wallets(a, in_ptr, in_src, hosted, hub, marks, sure, services, even, seen, picked)
        if size >= least[0]:
            found = _bursts(
                a, picked, size, in_idx, in_time, in_value, in_src, window, least, ever, seen, found
            )
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_wallets, min_value = int(parameters["min_wallets"]), max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "in_ptr in_idx in_time in_value in_src hub facts.hosted known.marks known.sure"),
        (SERVICE, SPARED),
        percent(parameters["confidence"]),
        round(parameters["window"]),
        (max(2, -(-min_wallets // 2)), -(-min_value // 2), min_value),
    )
    keep = 2 * rows[:, 1] >= rows[:, 4]
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    wallets, total = rows[:, 1], rows[:, 2]
    reached = np.minimum(wallets / min_wallets, total / min_value)
    return hits(
        rows[:, 0],
        (wallets >= min_wallets) & (total >= min_value),
        np.where(reached >= 1, 1 - 0.5 / np.maximum(reached, 1), np.minimum(reached / 2, 0.49)),
        ptr,
        evidence,
        {
            "wallets": wallets,
            "total": total,
            "span": rows[:, 3] / HOUR,
            "payers_ever": rows[:, 4],
            "once": rows[:, 5],
            "transfers": np.diff(ptr),
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    wallets, once = int(features["wallets"]), int(features["once"])
    return (
        (
            f"Within {span(features['span'])}, {wallets} different self-hosted wallets paid into the "
            f"account, {amount(features['total'], currency)} in all; {once} of them paid once."
        ),
        f"In the whole ledger {int(features['payers_ever'])} different accounts paid into it.",
    )


CASES = (
    Sample(
        "nine wallets pay into one account within four days",
        tuple(pay(i, 10 * i, wallet(1 + i), "A", "1500") for i in range(9)),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: half as many, or half as much, is to watch; hosted payers, or little, is nothing",
        (
            *(pay(i, 10 * i, wallet(1 + i), "A", "3000") for i in range(4)),
            *(pay(10 + i, 10 * i, wallet(1 + i), "B", "700") for i in range(9)),
            *(pay(20 + i, 10 * i, f"P{i}", "C", "3000") for i in range(9)),
            *(pay(30 + i, 10 * i, wallet(1 + i), "D", "100") for i in range(9)),
            *(pay(40 + i, 10 * i, wallet(1 + i), wallet(99), "3000") for i in range(9)),
        ),
        watches=(account("A"), account("B")),
    ),
    Sample(
        "exactly eight, exactly the value, exactly within a week",
        (
            *(pay(i, 24 * i, wallet(1 + i), "A", "1250") for i in range(8)),
            *(pay(10 + i, 24.1 * i, wallet(1 + i), "B", "1250") for i in range(8)),
        ),
        alerts=(account("A"),),
        watches=(account("B"),),
    ),
    Sample(
        "negative: a shop with new customers all the time, an exchange, and wallets of services",
        (
            *(pay(i, 20 * i, wallet(1 + i), "SHOP", "1500") for i in range(30)),
            *(pay(40 + i, 10 * i, wallet(1 + i), "EX", "3000") for i in range(9)),
            *(pay(60 + i, 10 * i, wallet(200 + i), "A", "3000") for i in range(9)),
        ),
        knowledge=known(EX="exchange", **{wallet(200 + i): "hosted_wallet" for i in range(9)}),
    ),
)

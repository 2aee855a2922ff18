"""New account, high value: the first thing an account ever does is to receive a large sum.

New means: this ledger shows nothing of the account before, and an institution keeps it (an address
on a chain is used once as a rule, and is no customer); the sum is what came in within ``window`` of
the first deposit. Where enough later deposits are known, the largest of the first must also be far above
the ordinary one among them (their median), so that a business whose deposits are all large is not found.
Watched from half of the value. Not found: an account that paid before it was paid (it had money, so it is
older than the ledger); what leaves again at once is told by `first_deposit_leaves`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import listed, middle, opening, plural, settle, sides, summed, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="new_account_high_value",
    title="High value into a new account",
    indicator="An account's first activity is a deposit of high value, unlike what it gets later.",
    flags=("T2c", "P1"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 50_000, "money", "an alert when the first deposits come to this"),
        Parameter("window", 24, "hours", "first deposits are those within this time of the first one"),
        Parameter("times", 5, "count", "the largest of them is this many times the median of later ones"),
        Parameter("history", 3, "count", "which is compared from this many later deposits on"),
    ),
    uses=("facts.hosted",),
)

_LATER = 50
"""So many later deposits are looked at."""


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, window, least, times, history):  # type: ignore[no-untyped-def]
    """One row per account: account, total, deposits, span, median of later ones (-1: too few)."""
    rows, k = np.empty(5 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    in_ptr, _, in_time, in_value, _ = both[1]
    for a in accounts:
        if hub[a]:
            continue
        p = opening(a, both)
        if p < 0:
            continue
        begin, end = in_ptr[a], in_ptr[a + 1]
        until = within(in_time, p, end, in_time[p] + window)
        if summed(in_value, p, until)[0] < least:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        total, count = summed(net_in, p - begin, until - begin)
        later = middle(net_in, until - begin, end - begin, history, _LATER)
        largest = net_in[p - begin : until - begin].max()
        if total < least or (later >= 0 and largest < times * later):
            continue
        rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
        row = 5 * (k - 1)
        rows[row], rows[row + 1], rows[row + 2] = a, total, count
        rows[row + 3], rows[row + 4] = in_time[until - 1] - in_time[p], later
        evidence, used = listed(p, until, net_in, both[1], a, hub, evidence, used)
        ptr[k] = used
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts[columns.facts.hosted[scope.accounts]]),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["window"]),
        -(-min_value // 2),
        int(parameters["times"]),
        int(parameters["history"]),
    )
    total = rows[:, 1]
    return hits(
        rows[:, 0],
        total >= min_value,
        total / (2 * min_value),
        ptr,
        evidence,
        {
            "total": total,
            "deposits": rows[:, 2],
            "span": rows[:, 3] / HOUR,
            "later": np.maximum(rows[:, 4], 0),
        },
        money=("total", "later"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    said = f"The account's first activity in this ledger is to receive {amount(features['total'], currency)}"
    if features["deposits"] > 1:
        said += f" by {plural(features['deposits'], 'transfer')} within {span(features['span'])}"
    if features["later"] > 0:
        return (f"{said}.", f"Half of its later deposits are {amount(features['later'], currency)} or less.")
    return (f"{said}.",)


CASES = (
    Sample(
        "the first deposit is 60,000, ordinary ones follow",
        (
            pay(1, 0, "A", "M", "60000"),
            *(pay(2 + i, 200 + 99 * i, "EMPLOYER", "M", "2100") for i in range(4)),
            pay(9, 900, "M", "LANDLORD", "900"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: 50,000 in two parts, a day apart to the hour",
        (pay(1, 0, "A", "M", "20000"), pay(2, 24, "A", "M", "30000")),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: half of it is to watch; a cent less, or a part too late, is nothing",
        (
            pay(1, 0, "A", "M", "25000"),
            pay(2, 0, "A", "N", "24999.99"),
            pay(3, 24.1, "A", "N", "60000"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a business whose deposits are all large, and an account that had paid before",
        (
            *(pay(i, 70 * i, f"CUSTOMER{i % 3}", "BUSINESS", "60000") for i in range(5)),
            pay(10, 0, "OLD", "SHOP", "30"),
            pay(11, 5, "A", "OLD", "60000"),
        ),
    ),
)

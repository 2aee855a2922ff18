"""First deposit leaves: a new account is filled on day one, and by the next day (nearly) all is gone.

New means: this ledger shows nothing of the account before, and an institution keeps it (an address
on a chain is used once as a rule, and is no customer). What comes in and goes out within ``hours`` of the
first deposit is weighed: the first day's deposits must be large, and at least ``ratio`` of all that came in
must have left, in a few transfers. More out than in (beyond what a rate may drift) says that it had money
before, so that it is not new. A service that begins to trade makes many transfers and is not found.
Watched from half of the value. Conversion into another asset is seen where it is a transfer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import listed, opening, plural, settle, sides, summed, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="first_deposit_leaves",
    title="First deposit leaves at once",
    indicator="A new account gets a large first deposit, and its whole balance leaves the same or next day.",
    flags=("P2", "P3"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 5000, "money", "an alert when the first day's deposits come to this"),
        Parameter("day", 24, "hours", "the first day: this time from the first deposit on"),
        Parameter("hours", 48, "hours", "the money leaves within this time of the first deposit"),
        Parameter("ratio", 0.9, "ratio", "at least this share of what came in leaves"),
        Parameter("parts", 10, "count", "in at most this many transfers"),
    ),
    uses=("facts.hosted",),
)


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, day, hours, least, ratio, parts):  # type: ignore[no-untyped-def]
    """One row per account: account, first day's deposits, all deposits, left, transfers out, stay."""
    rows, k = np.empty(6 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, in_value, _) = both
    for a in accounts:
        if hub[a] or out_ptr[a] == out_ptr[a + 1]:
            continue
        p = opening(a, both)
        if p < 0:
            continue
        begin, start = in_ptr[a], in_time[p]
        first = within(in_time, p, in_ptr[a + 1], start + day)
        if summed(in_value, p, first)[0] < least:
            continue
        came = within(in_time, p, in_ptr[a + 1], start + max(day, hours))
        went = within(out_time, out_ptr[a], out_ptr[a + 1], start + hours)
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        total, _ = summed(net_in, p - begin, first - begin)
        into, _ = summed(net_in, p - begin, came - begin)
        left, count = summed(net_out, 0, went - out_ptr[a])
        if total < least or count > parts or left < ratio * into or left > (2 - ratio) * into:
            continue
        rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
        row = 6 * (k - 1)
        rows[row], rows[row + 1], rows[row + 2], rows[row + 3] = a, total, into, left
        rows[row + 4], rows[row + 5] = count, out_time[went - 1] - start
        evidence, used = listed(p, came, net_in, both[1], a, hub, evidence, used)
        evidence, used = listed(out_ptr[a], went, net_out, both[0], a, hub, evidence, used)
        ptr[k] = used
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts[columns.facts.hosted[scope.accounts]]),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["day"]),
        round(parameters["hours"]),
        -(-min_value // 2),
        float(parameters["ratio"]),
        int(parameters["parts"]),
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
            "came": rows[:, 2],
            "left": rows[:, 3],
            "share": np.minimum(rows[:, 3] / np.maximum(rows[:, 2], 1), 1.0),
            "transfers": rows[:, 4],
            "stay": rows[:, 5] / HOUR,
        },
        money=("total", "came", "left"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"The account's first activity in this ledger was to receive "
            f"{amount(features['total'], currency)} on its first day."
        ),
        (
            f"{features['share']:.0%} of what came in left again by "
            f"{plural(features['transfers'], 'transfer')}, the last {span(features['stay'])} after the first "
            f"deposit."
        ),
    )


CASES = (
    Sample(
        "8,000 on day one, gone the next day in two parts",
        (
            pay(1, 0, "A", "M", "8000"),
            pay(2, 20, "M", "X", "4500"),
            pay(3, 30, "M", "Y", "3400"),
            pay(4, 400, "B", "M", "50"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: 5,000 of which nine tenths leave after 48 hours",
        (pay(1, 0, "A", "M", "2000"), pay(2, 24, "A", "M", "3000"), pay(3, 48, "M", "X", "4500")),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: half the value is to watch; too late, too little, or from an older balance is nothing",
        (
            pay(1, 0, "A", "M", "2500"),
            pay(2, 20, "M", "X", "2500"),
            pay(3, 0, "A", "N", "8000"),
            pay(4, 48.1, "N", "X", "8000"),
            pay(5, 0, "A", "O", "8000"),
            pay(6, 20, "O", "X", "7199.99"),
            pay(7, 0, "A", "P", "8000"),
            pay(8, 20, "P", "X", "9000"),
            pay(9, 0, "Q", "X", "8000"),
            pay(10, 1, "A", "Q", "8000"),
            pay(11, 2, "Q", "X", "8000"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a first salary, spent over the month, and a payer of wages who begins",
        (
            pay(0, 0, "EMPLOYER", "P", "5600"),
            *(pay(i, 20 * i, "P", f"S{i % 5}", "160") for i in range(1, 30)),
            pay(50, 0, "BANK", "WAGES", "50000"),
            *(pay(60 + i, 10, "WAGES", f"W{i}", "2500") for i in range(20)),
        ),
    ),
)

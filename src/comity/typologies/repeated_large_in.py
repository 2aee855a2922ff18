"""Repeated large deposits: again and again large transfers come into the same account within a week.

From one payer or from several. Smaller deposits are left out of account, and an account into which as many
large ones have always come (a company's, an exchange's) is not found: a week must hold ``times`` as many as
is usual over its time in the ledger, taken to be a month at least. Watched from half the count. Not
found: deposits whose value is not known, and change that comes back from a payment.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import (
    answered,
    bursts,
    chosen,
    large,
    nothing,
    plural,
    settle,
    sides,
    unusual,
    usually,
)
from comity.typologies._common import FATF, account, amount, arrays, frozen, pay, span

SPEC = TypologySpec(
    id="repeated_large_in",
    title="Repeated large deposits",
    indicator="Large transfers come into the same account again and again within weeks.",
    flags=("P5c",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 5000, "money", "a deposit of this value is a large one"),
        Parameter("min_count", 6, "count", "an alert from this many"),
        Parameter("window", 168, "hours", "they lie within this time"),
        Parameter("times", 3, "count", "this many times what the account usually gets in such a time"),
        Parameter("baseline", 720, "hours", "what is usual is taken over this time at least"),
    ),
)


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, window, watch_count, min_value):  # type: ignore[no-untyped-def]
    """The bursts of each account's large deposits."""
    found, mixed = nothing(), hub.any()
    memory = np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    ins = both[1]
    in_ptr, _, _, in_value, in_src = ins
    for a in accounts:
        begin, end = in_ptr[a], in_ptr[a + 1]
        if hub[a] or end - begin < watch_count:
            continue
        if large(begin, end, in_value, in_src, hub, mixed, min_value) < watch_count:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        band, size = chosen(begin, end, net_in, min_value, band)
        found = bursts(a, 1, band, size, ins, hub, net_in, window, watch_count, 0, found)
    return answered(found)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    found = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["window"]),
        max(2, -(-int(parameters["min_count"]) // 2)),
        max(1, round(parameters["min_value"])),
    )
    return unusual(found, parameters)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    count, series = int(features["count"]), int(features["series"])
    reasons = [
        (
            f"{plural(count, 'large transfer')} came into the account within {span(features['span'])}, "
            f"{amount(features['total'], currency)} in all; "
            f"the largest was {amount(features['largest'], currency)}."
        ),
        usually(features),
    ]
    if series > count:
        reasons.append(f"It went on: {series} such transfers in all.")
    return tuple(reasons)


CASES = (
    Sample(
        "six large deposits from two people in five days",
        tuple(pay(i, 24 * i, f"P{i % 2}", "C", str(6200 + 310 * i)) for i in range(6)),
        alerts=(account("C"),),
    ),
    Sample(
        "six of just the value, just within a week",
        tuple(pay(i, 33.6 * i, "P", "C", "5000") for i in range(6)),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: three are to watch; a month apart, or a cent too small, they are nothing",
        (
            *(pay(i, 24 * i, "P", "C", "5500") for i in range(3)),
            *(pay(10 + i, 730 * i, "EMPLOYER", "D", "5500") for i in range(6)),
            *(pay(20 + i, 24 * i, "P", "E", "4999.99") for i in range(6)),
        ),
        watches=(account("C"),),
    ),
    Sample(
        "negative: a company that is paid as much all the year",
        tuple(pay(i, 100 * i, f"CUSTOMER{i % 7}", "COMPANY", "9000") for i in range(90)),
    ),
)

"""High-value burst: several high-value transfers out of, or into, one account within a day.

FATF's words: multiple high-value transactions in short succession, such as within a 24-hour period.
Payments out and in are looked at apart. An account for which payments of that size are daily business (a
company's, an exchange's) is not found: a burst holds several times what the account usually makes in such
a time. Watched from half the count (two). Not found: one large payment alone, whatever its size, and
payments of a value that is not known.
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
    id="high_value_burst",
    title="High-value burst",
    indicator="Several transfers of high value leave or enter one account within a short time.",
    flags=("T2a",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 10_000, "money", "a transfer of this value is one of high value"),
        Parameter("min_count", 3, "count", "an alert from this many in one direction"),
        Parameter("window", 24, "hours", "they lie within this time"),
        Parameter("times", 5, "count", "this many times what the account usually makes in such a time"),
        Parameter("baseline", 720, "hours", "what is usual is taken over this time at least"),
    ),
)


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, window, watch_count, min_value):  # type: ignore[no-untyped-def]
    """The bursts of each account, out and in."""
    found, mixed = nothing(), hub.any()
    memory = np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    outs, ins = both
    out_ptr, _, _, out_value, out_dst = outs
    in_ptr, _, _, in_value, in_src = ins
    for a in accounts:
        sent = large(out_ptr[a], out_ptr[a + 1], out_value, out_dst, hub, mixed, min_value) >= watch_count
        got = large(in_ptr[a], in_ptr[a + 1], in_value, in_src, hub, mixed, min_value) >= watch_count
        if hub[a] or not (sent or got):
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        if sent:
            band, size = chosen(out_ptr[a], out_ptr[a + 1], net_out, min_value, band)
            found = bursts(a, 0, band, size, outs, hub, net_out, window, watch_count, 0, found)
        if got:
            band, size = chosen(in_ptr[a], in_ptr[a + 1], net_in, min_value, band)
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
    verb = "received" if features["incoming"] else "sent"
    return (
        (
            f"The account {verb} {plural(features['count'], 'transfer')} of high value within "
            f"{span(features['span'])}, {amount(features['total'], currency)} in all; "
            f"the largest was {amount(features['largest'], currency)}."
        ),
        usually(features),
    )


CASES = (
    Sample(
        "three large payments out within a day",
        (
            *(pay(i, 8 * i, "S", f"P{i}", str(12_000 + 700 * i)) for i in range(3)),
            *(pay(10 + i, 30 * i, "S", "SHOP", "45.10") for i in range(6)),
        ),
        alerts=(account("S"),),
    ),
    Sample(
        "three large deposits, the last just within the day, of just the value",
        tuple(pay(i, 12 * i, f"P{i}", "C", "10000") for i in range(3)),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: two are to watch; the third comes too late, or is a cent too small",
        (
            pay(1, 0, "S", "P", "12000"),
            pay(2, 9, "S", "Q", "15000"),
            pay(3, 33.1, "S", "R", "15000"),
            pay(4, 10, "S", "R", "9999.99"),
        ),
        watches=(account("S"),),
    ),
    Sample(
        "negative: one large purchase, and a company that pays as much every day",
        (
            pay(1, 0, "S", "CARS", "38000"),
            *(pay(10 + i, 9 * i, "COMPANY", f"SUPPLIER{i % 4}", "20000") for i in range(120)),
        ),
    ),
)

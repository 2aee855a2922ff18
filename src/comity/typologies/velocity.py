"""Velocity: many transfers out of, or into, one account within a very short time.

Transfers out and in are looked at apart, and both the number and the sum of a window must be reached. A
business is always busy: so a burst counts only when it holds several times what the account usually makes
in such a time (over its whole time in the ledger, taken to be ``baseline`` at least). Watched from half the
count, for who spreads a burst over institutions shows each a part of it. Not found: a steady rate, however
high (it is the account's ordinary business), and many payments of next to nothing (dust, air drops).

Source of the pattern: FATF's "several high-value transactions in a short succession, such as within 24
hours"; velocity rules are general practice of transaction monitoring.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import (
    answered,
    bursts,
    chosen,
    crowded,
    nothing,
    plural,
    settle,
    sides,
    unusual,
    usually,
)
from comity.typologies._common import FATF, account, amount, arrays, frozen, pay, span

SPEC = TypologySpec(
    id="velocity",
    title="Velocity",
    indicator="Many transfers leave or enter one account in quick succession, far more than is usual for it.",
    flags=("T2a",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_count", 20, "count", "an alert from this many transfers in one direction"),
        Parameter("window", 1, "hours", "the transfers lie within this time"),
        Parameter("min_total", 1000, "money", "they add up to this at least"),
        Parameter("times", 10, "count", "this many times what the account usually makes in such a time"),
        Parameter("baseline", 720, "hours", "what is usual is taken over this time at least"),
    ),
)


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, window, watch_count, min_total):  # type: ignore[no-untyped-def]
    """The bursts of each account, out and in."""
    found, mixed = nothing(), hub.any()
    memory = np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    outs, ins = both
    out_ptr, out_time, in_ptr, in_time = outs[0], outs[2], ins[0], ins[2]
    for a in accounts:
        sent = crowded(out_time, out_ptr[a], out_ptr[a + 1], window, watch_count)
        got = crowded(in_time, in_ptr[a], in_ptr[a + 1], window, watch_count)
        if hub[a] or not (sent or got):
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        if sent:
            band, size = chosen(out_ptr[a], out_ptr[a + 1], net_out, -1, band)
            found = bursts(a, 0, band, size, outs, hub, net_out, window, watch_count, min_total, found)
        if got:
            band, size = chosen(in_ptr[a], in_ptr[a + 1], net_in, -1, band)
            found = bursts(a, 1, band, size, ins, hub, net_in, window, watch_count, min_total, found)
    return answered(found)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    found = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["window"]),
        max(2, -(-int(parameters["min_count"]) // 2)),
        max(1, round(parameters["min_total"])),
    )
    return unusual(found, parameters)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    verb = "received" if features["incoming"] else "sent"
    return (
        (
            f"The account {verb} {plural(features['count'], 'transfer')} within {span(features['span'])}, "
            f"{amount(features['total'], currency)} in all."
        ),
        usually(features),
    )


def _series(
    count: int, minutes: float, source: str, target: str, value: str, start: int = 0
) -> tuple[Transfer, ...]:
    return tuple(
        pay(start + i, i * minutes / 60, source.format(i), target.format(i), value) for i in range(count)
    )


CASES = (
    Sample(
        "twenty payments out within an hour",
        _series(20, 3, "S", "P{}", "300"),
        alerts=(account("S"),),
    ),
    Sample(
        "twenty payments into one account within an hour, beside others before",
        (
            *_series(20, 3, "P{}", "C", "300"),
            *(pay(100 + i, -24 * i, "P0", "C", "20") for i in range(1, 20)),
        ),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: ten are to watch, nine are nothing",
        (*_series(10, 3, "S", "P{}", "300"), *_series(9, 3, "R", "Q{}", "300", 50)),
        watches=(account("S"),),
    ),
    Sample(
        "negative: twenty spread over three hours, twenty worth next to nothing, and a shop always busy",
        (
            *_series(20, 9, "S", "P{}", "300"),
            *_series(20, 3, "D", "Q{}", "0.10", 50),
            *(pay(100 + i, i, f"B{i % 9}", "SHOP", "60") for i in range(900)),
            *(pay(1100 + i, 500 + i / 60, f"B{i % 9}", "SHOP", "60") for i in range(12)),
        ),
    ),
)

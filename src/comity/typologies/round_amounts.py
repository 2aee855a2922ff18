"""Round amounts: most of an account's larger transfers are round sums, again and again.

A round amount has at most ``digits`` significant digits in its own asset (5,000 has one, 12,000 two, 4,987.20
five) though its value is at least ``min_value``: of small sums, round ones say nothing. Prices, wages and
invoices are seldom round; sums that somebody set are. So a burst of them counts only where they are nearly
all of the account's transfers of that size in that direction. Watched from half the count. Not found: rent
or saving once a month. What is left of an amount after change has come back is not taken for round.

FATF's list of 2020 does not name round sums; the FFIEC's examination manual on the Bank Secrecy Act does:
many funds transfers in large, round amounts (Appendix F, "Funds Transfers"). T2a is the nearest flag.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import WIDTH, answered, bursts, large, nothing, plural, settle, sides
from comity.typologies._common import (
    HOUR,
    PRACTICE,
    account,
    amount,
    arrays,
    frozen,
    grown,
    hits,
    pay,
    span,
)

SPEC = TypologySpec(
    id="round_amounts",
    title="Round amounts",
    indicator="Nearly all larger transfers of an account in one direction are round sums, many of them.",
    flags=("T2a",),
    source=PRACTICE,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 1000, "money", "a transfer counts from this value on"),
        Parameter("digits", 2, "count", "an amount with no more significant digits is round"),
        Parameter("min_count", 10, "count", "an alert from this many round ones"),
        Parameter("window", 720, "hours", "they lie within this time"),
        Parameter("share", 0.8, "ratio", "they are at least this share of all that count"),
    ),
    uses=("facts.digits",),
)


@njit(cache=True, nogil=True)
def _round(a, side, digits, net, min_value, most, band):  # type: ignore[no-untyped-def]
    """``band`` with the positions of round payments, how many, and how many payments count in all."""
    ptr, idx, _, value, _ = side
    first, last = ptr[a], ptr[a + 1]
    band, size, count = grown(band, last - first), 0, 0
    for p in range(first, last):
        if net[p - first] >= min_value:
            count += 1
            if net[p - first] == value[p] and 1 <= digits[idx[p]] <= most:
                band[size] = p
                size += 1
    return band, size, count


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, digits, min_value, most, window, watch_count, share):  # type: ignore[no-untyped-def]
    """The bursts of each account, out and in; the last figure of each is how many payments count."""
    found, mixed = nothing(), hub.any()
    memory = np.zeros(len(hub), dtype=np.int64)
    net_out, net_in, band = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.int64)
    outs, ins = both
    for a in accounts:
        sent = large(outs[0][a], outs[0][a + 1], outs[3], outs[4], hub, mixed, min_value) >= watch_count
        got = large(ins[0][a], ins[0][a + 1], ins[3], ins[4], hub, mixed, min_value) >= watch_count
        if hub[a] or not (sent or got):
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        for way in range(2):
            side, net = (ins, net_in) if way else (outs, net_out)
            band, size, count = _round(a, side, digits, net, min_value, most, band)
            if size < watch_count or size < share * count:
                continue
            before = found[2]
            found = bursts(a, way, band, size, side, hub, net, window, watch_count, 0, found)
            for row in range(before, found[2]):
                found[0][WIDTH * row + 7] = count
    return answered(found)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count = int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub facts.digits"),
        max(1, round(parameters["min_value"])),
        int(parameters["digits"]),
        round(parameters["window"]),
        max(2, -(-min_count // 2)),
        float(parameters["share"]),
    )
    count = rows[:, 2]
    return hits(
        rows[:, 0],
        count >= min_count,
        count / (2 * min_count),
        ptr,
        evidence,
        {
            "count": count,
            "incoming": rows[:, 1],
            "total": rows[:, 3],
            "span": rows[:, 4] / HOUR,
            "largest": rows[:, 5],
            "share": rows[:, 6] / np.maximum(rows[:, 7], 1),
        },
        money=("total", "largest"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    verb = "received" if features["incoming"] else "sent"
    return (
        (
            f"The account {verb} {plural(features['count'], 'round amount')} within "
            f"{span(features['span'])}, {amount(features['total'], currency)} in all; "
            f"the largest was {amount(features['largest'], currency)}."
        ),
        f"{features['share']:.0%} of its transfers of that size in that direction are round.",
    )


def _sums(count: int, every: float, name: str, value: int = 1500, start: int = 0) -> tuple[Transfer, ...]:
    return tuple(
        pay(start + i, every * i, name, f"{name}{i % 4}", str(value + 500 * i)) for i in range(count)
    )


CASES = (
    Sample(
        "ten payments of 1,500, 2,000, 2,500 and so on within three weeks",
        _sums(10, 50, "S"),
        alerts=(account("S"),),
    ),
    Sample(
        "at the limits: eight tenths of all that count are round, just within thirty days",
        (
            *(pay(i, 80 * i, f"P{i}", "C", "1000") for i in range(10)),
            *(pay(20 + i, 90 * i, f"P{i}", "C", "1217.40") for i in range(2)),
            *(pay(30 + i, 90 * i, f"P{i}", "C", "17.40") for i in range(9)),
        ),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: five are to watch; four, smaller ones, or as many others beside them are nothing",
        (
            *_sums(5, 50, "S"),
            *_sums(4, 50, "R", start=20),
            *(pay(30 + i, 9 * i, "Q", "P", "900") for i in range(12)),
            *_sums(10, 50, "T", start=50),
            *(pay(70 + i, 50 * i, "T", "P", "1217.40") for i in range(3)),
        ),
        watches=(account("S"),),
    ),
    Sample(
        "negative: invoices, and 1,000 put by every month",
        (
            *(pay(i, 30 * i, "S", f"P{i}", f"{1043 + 217 * i}.35") for i in range(12)),
            *(pay(20 + i, 730 * i, "R", "SAVINGS", "1000") for i in range(12)),
        ),
    ),
)

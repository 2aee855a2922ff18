"""Scam collector: many people pay one account once each, and it soon sends most of that on.

A victim, in the words of this file, is a sender of whom the account has one deposit only in the whole ledger,
of at least ``min_payment``. An episode is a ``window`` in which many of them pay, most senders are of that
kind, and most of what comes in leaves again, to whomever, until ``exit`` after the last deposit. Of the
episodes that overlap the strongest is told. Change that returns from a transaction to its own input is no
payment.

The senders of an episode are at least half of all who ever paid the account, so that a shop with ever new
customers is not found, while a fresh collection account is; an account known to be a service is left out.
Watched: from half of the victims and half the value. Not found, on purpose: victims who pay several times
(fan-in sees them), and a collector that holds on to the money.

Source of the pattern: FATF, INTERPOL and Egmont Group, Illicit Financial Flows from Cyber-enabled Fraud
(2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import (
    HOUR,
    PRACTICE,
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
)
from comity.typologies._graph import crowded, different, flows, noted, tagged

SPEC = TypologySpec(
    id="scam_collector",
    title="Scam collector",
    indicator="Many people pay one account once each, and it sends most of their money on within days.",
    flags=("X7",),
    source=PRACTICE,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_victims", 10, "count", "an alert from this many senders who pay once"),
        Parameter("min_value", 10_000, "money", "and this value paid in by all"),
        Parameter("min_payment", 100, "money", "a sender counts who pays this"),
        Parameter("window", 168, "hours", "they pay within this time"),
        Parameter("exit", 48, "hours", "the value leaves until this time after the last deposit"),
        Parameter("once", 0.8, "ratio", "at least this share of the senders pays once only"),
        Parameter("sent_on", 0.8, "ratio", "at least this share of the value leaves"),
    ),
    joint={"victims": "min_victims", "total": "min_value"},
    uses=("known.marks",),
)

_SERVICE = int(Mark.service())
_ROW = 9


@njit(cache=True, nogil=True)
def _once(ins, size, least, times):  # type: ignore[no-untyped-def]
    """Whether each deposit is its sender's only one, and of this worth; ``times`` stays all zero."""
    for i in range(size):
        times[ins[2, i]] += 1
    single = np.empty(size, dtype=np.bool_)
    for i in range(size):
        single[i] = times[ins[2, i]] == 1 and ins[3, i] >= least
    for i in range(size):
        times[ins[2, i]] = 0
    return single


@njit(cache=True, nogil=True)
def _episodes(a, ins, size_in, outs, size_out, single, seen, limits, shares, window, leave, rows, k):  # type: ignore[no-untyped-def]
    """Append the strongest of each run of overlapping episodes to ``rows``; leaves ``seen`` all zero.

    A row: account, victims, value in, senders, value out; first and last deposit, first payment, end of them.
    ``limits``: what an alert asks for of the first two.
    """
    first, end, best = k, 0, 0.0
    left, low, high, until, senders, victims = 0, 0, 0, 0, 0, 0
    for i in range(size_in):
        senders += noted(seen, ins[2, i], 1)
        victims += single[i]
        while ins[1, left] < ins[1, i] - window:
            senders += noted(seen, ins[2, left], -1)
            victims -= single[left]
            left += 1
        while high < size_out and outs[1, high] <= ins[1, i] + leave:
            high += 1
        while low < high and outs[0, low] < ins[0, left]:
            low += 1
        until = max(until, i + 1)  # deposits that the last of the payments may be made of
        while until < size_in and low < high and ins[0, until] < outs[0, high - 1]:
            until += 1
        came, went = ins[4, i + 1] - ins[4, left], outs[4, high] - outs[4, low]
        sent_on = went >= shares[1] * (ins[4, until] - ins[4, left])
        strength = min(victims / limits[0], came / limits[1])
        if strength < 0.5 or victims < 2 or victims < shares[0] * senders or not sent_on:
            continue
        if k == first or ins[1, left] > end:
            k, best = k + 1, 0.0
            rows = grown(rows, _ROW * k)
        end = max(end, outs[1, high - 1])
        if strength > best:
            best, at = strength, _ROW * (k - 1)
            rows[at], rows[at + 1], rows[at + 2], rows[at + 3] = a, victims, came, senders
            rows[at + 4], rows[at + 5], rows[at + 6] = went, left, i
            rows[at + 7], rows[at + 8] = low, high
    for i in range(size_in):
        seen[ins[2, i]] = 0
    return rows, k


@njit(cache=True, nogil=True)
def _kernel(accounts, out, into, hub, marks, service, limits, least, shares, window, leave, watch):  # type: ignore[no-untyped-def]
    """A row per episode: account, victims, value in, senders, value out, senders ever, receivers, span of the
    deposits, time from the first to the last payment out; and the evidence."""
    rows, k = np.empty(_ROW * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    most = 0
    for a in accounts:
        most = max(most, out[0][a + 1] - out[0][a], into[0][a + 1] - into[0][a])
    ins, outs = np.empty((5, most + 1), dtype=np.int64), np.empty((5, most + 1), dtype=np.int64)
    spent, change = np.zeros(len(hub), dtype=np.int64), np.zeros(len(hub), dtype=np.int64)
    seen = np.zeros(len(hub), dtype=np.int32)
    for a in accounts:
        if not crowded(into[2], into[0][a], into[0][a + 1], window, watch):
            continue
        if hub[a] or marks[a] & service or out[0][a] == out[0][a + 1]:
            continue
        size_out, size_in = flows(a, out, into, hub, outs, ins, spent, change)
        single = _once(ins, size_in, least, seen)
        before = k
        rows, k = _episodes(
            a, ins, size_in, outs, size_out, single, seen, limits, shares, window, leave, rows, k
        )  # fmt: skip
        if k == before:
            continue
        ever = different(ins[2, :size_in], seen)
        for row in range(before, k):
            at = _ROW * row
            left, last, low, high = rows[at + 5], rows[at + 6], rows[at + 7], rows[at + 8]
            evidence, used = extended(evidence, used, ins[0], left, last + 1)
            evidence, used = extended(evidence, used, outs[0], low, high)
            ptr = grown(ptr, row + 2)
            ptr[row + 1] = used
            rows[at + 5], rows[at + 6] = ever, different(outs[2, low:high], seen)
            rows[at + 7], rows[at + 8] = ins[1, last] - ins[1, left], outs[1, high - 1] - ins[1, left]
    return rows[: _ROW * k].reshape(k, _ROW), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    limits = tuple(max(1, round(parameters[name])) for name in ("min_victims", "min_value"))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub known.marks"),
        _SERVICE,
        limits,
        max(1, round(parameters["min_payment"])),
        (float(parameters["once"]), float(parameters["sent_on"])),
        round(parameters["window"]),
        round(parameters["exit"]),
        max(2, -(-limits[0] // 2)),
    )
    keep = 2 * rows[:, 3] >= rows[:, 5]
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    strength = (rows[:, 1:3] / limits).min(axis=1) if len(rows) else np.empty(0)
    return hits(
        rows[:, 0],
        strength >= 1,
        0.5 * strength,
        ptr,
        evidence,
        {
            "victims": rows[:, 1],
            "total": rows[:, 2],
            "senders": rows[:, 3],
            "sent": rows[:, 4],
            "senders_ever": rows[:, 5],
            "receivers": rows[:, 6],
            "collected_in": rows[:, 7] / HOUR,
            "gone_in": rows[:, 8] / HOUR,
        },
        money=("total", "sent"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    receivers = int(features["receivers"])
    return (
        (
            f"{int(features['victims'])} senders paid the account once each, and all who paid it within "
            f"{span(features['collected_in'])} paid {amount(features['total'], currency)}."
        ),
        (
            f"{amount(features['sent'], currency)} left for {receivers} "
            f"receiver{'s' if receivers > 1 else ''} within {span(features['gone_in'])} of the first."
        ),
    )


def _collected(number: int, name: str, victims: int, worth: int, out: int) -> tuple[Transfer, ...]:
    """A new sender every ten hours, and each day what came in leaves, ``out`` per cent of it."""
    ins = tuple(pay(number + i, 10 * i, f"V{number + i}", name, str(worth)) for i in range(victims))
    part = victims * worth * out // 300
    outs = tuple(pay(number + 50 + i, 10 * victims + i, name, "BROKER", str(part)) for i in range(3))
    return (*ins, *outs)


CASES = (
    Sample(
        "twelve people pay 1,500 each within five days, and nine tenths go to one broker",
        (*_collected(0, "C", 12, 1500, 90), pay(99, 3, "C", "C", "9000")),
        alerts=(account("C"),),
    ),
    Sample(
        "near miss: six of them are to watch; money that stays, or few who pay often, are nothing",
        (
            *_collected(0, "C", 6, 1500, 90),
            *_collected(100, "D", 12, 1500, 70),
            *(pay(200 + i, 6 * i, f"W{i % 3}", "E", "1500") for i in range(12)),
            pay(230, 80, "E", "BROKER", "17000"),
        ),
        watches=(account("C"),),
    ),
    Sample(
        "negative: a shop with ever new customers that pays its bank daily; small sums; an exchange",
        (
            *(pay(i, 9 * i, f"C{i}", "SHOP", "1500") for i in range(60)),
            *(pay(100 + i, 24 * i + 1, "SHOP", "BANK", "4000") for i in range(22)),
            *_collected(200, "CLUB", 20, 60, 100),
            *_collected(300, "EXCHANGE", 12, 1500, 90),
        ),
        knowledge=tagged(("EXCHANGE", "exchange", "example")),
    ),
)

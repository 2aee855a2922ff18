"""Gather-scatter: many senders pay into one account, and soon it pays about all of that on to several.

An episode turns on one deposit, the last that is gathered: before it, within ``gather``, many different
senders paid in and little left again; after it, within ``scatter``, about as much as was gathered goes to
several receivers and little comes in. Of the episodes that overlap the strongest is told. Change that
returns from a transaction to its own input is not a payment, and neither is what an account pays itself.

An alert needs that the senders of the episode are a tenth of all who ever paid the account: a shop or an
exchange is paid by ever new people. Watched: an episode of at least half of each figure whose senders are
half of all there ever were. An account known to be a service is left out. Not found, on purpose: what is paid
on deposit by deposit (pass-through), and what leaves to fewer than half the receivers (fan-in).

Source of the pattern: "gather-scatter" of AMLworld (Altman and others, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Mark, Transfer
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
)
from comity.typologies._graph import crowded, different, flows, noted, tagged

SPEC = TypologySpec(
    id="gather_scatter",
    title="Gather-scatter",
    indicator="Many senders pay into one account, which soon pays about the same value on to several others.",
    flags=("P6", "T3"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_senders", 8, "count", "an alert from this many different senders"),
        Parameter("min_receivers", 3, "count", "and this many different receivers"),
        Parameter("min_value", 1000, "money", "and this value gathered"),
        Parameter("gather", 72, "hours", "the value comes in within this time"),
        Parameter("scatter", 24, "hours", "and leaves within this time after the last deposit"),
        Parameter("retention", 0.8, "ratio", "at least this share leaves, and only after it is gathered"),
    ),
    joint={"senders": "min_senders", "receivers": "min_receivers", "total": "min_value"},
    uses=("known.marks",),
)

_SERVICE = int(Mark.service())
_ROW = 9


@njit(cache=True, nogil=True)
def _at(i, ins, size_in, outs, size_out, state, gather, scatter, senders, receivers):  # type: ignore[no-untyped-def]
    """Move the windows to the deposit ``i``, the last that is gathered.

    ``state``: first deposit of the window, first payment since then, first after ``i``, first beyond the
    window, first deposit that the payments do not wait for; and how many senders and receivers.
    """
    left, early, low, high, after, many, several = state
    many += noted(senders, ins[2, i], 1)
    while ins[1, left] < ins[1, i] - gather:
        many += noted(senders, ins[2, left], -1)
        left += 1
    while high < size_out and outs[1, high] <= ins[1, i] + scatter:
        several += noted(receivers, outs[2, high], 1)
        high += 1
    while low < high and outs[0, low] < ins[0, i]:
        several += noted(receivers, outs[2, low], -1)
        low += 1
    while early < low and outs[0, early] < ins[0, left]:
        early += 1
    after = max(after, i + 1)
    while low < high and after < size_in and ins[0, after] < outs[0, high - 1]:
        after += 1
    return left, early, low, high, after, many, several


@njit(cache=True, nogil=True)
def _holds(i, ins, outs, state, retention):  # type: ignore[no-untyped-def]
    """Whether what was gathered, and little else, is what was scattered: first the one, then the other."""
    left, early, low, high, after, many, several = state
    gathered, scattered = ins[4, i + 1] - ins[4, left], outs[4, high] - outs[4, low]
    beside = max(outs[4, low] - outs[4, early], ins[4, after] - ins[4, i + 1])
    kept = scattered >= retention * gathered and retention * scattered <= gathered
    return kept and beside <= (1 - retention) * gathered and min(many, several) >= 2


@njit(cache=True, nogil=True)
def _episodes(  # type: ignore[no-untyped-def]
    a, ins, size_in, outs, size_out, senders, receivers, limits, gather, scatter, retention, rows, k
):  # fmt: skip
    """Append the strongest of each run of overlapping episodes to ``rows``; leaves both counts all zero.

    A row: account, senders, receivers, gathered, scattered; first deposit, last deposit, first payment,
    end of the payments. ``limits``: what an alert asks for of the first three.
    """
    state = (0, 0, 0, 0, 0, 0, 0)
    first, end, best = k, 0, 0.0
    for i in range(size_in):
        state = _at(i, ins, size_in, outs, size_out, state, gather, scatter, senders, receivers)
        if not _holds(i, ins, outs, state, retention):
            continue
        left, _, low, high, _, many, several = state
        gathered = ins[4, i + 1] - ins[4, left]
        strength = min(many / limits[0], several / limits[1], gathered / limits[2])
        if strength < 0.5:
            continue
        if k == first or ins[1, left] > end:
            k, best = k + 1, 0.0
            rows = grown(rows, _ROW * k)
        end = max(end, outs[1, high - 1])
        if strength > best:
            best, at = strength, _ROW * (k - 1)
            rows[at], rows[at + 1], rows[at + 2], rows[at + 3] = a, many, several, gathered
            rows[at + 4], rows[at + 5], rows[at + 6] = outs[4, high] - outs[4, low], left, i
            rows[at + 7], rows[at + 8] = low, high
    for i in range(size_in):
        senders[ins[2, i]] = 0
    for i in range(size_out):
        receivers[outs[2, i]] = 0
    return rows, k


@njit(cache=True, nogil=True)
def _kernel(accounts, out, into, hub, marks, service, limits, gather, scatter, retention, watch):  # type: ignore[no-untyped-def]
    """A row per episode: account, senders, receivers, gathered, scattered, span of the deposits, time to the
    last payment, senders ever; and the evidence."""
    rows, k = np.empty(_ROW * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    most = 0
    for a in accounts:
        most = max(most, out[0][a + 1] - out[0][a], into[0][a + 1] - into[0][a])
    ins, outs = np.empty((5, most + 1), dtype=np.int64), np.empty((5, most + 1), dtype=np.int64)
    spent, change = np.zeros(len(hub), dtype=np.int64), np.zeros(len(hub), dtype=np.int64)
    senders, receivers = np.zeros(len(hub), dtype=np.int32), np.zeros(len(hub), dtype=np.int32)
    for a in accounts:
        if not crowded(into[2], into[0][a], into[0][a + 1], gather, watch[0]) or hub[a]:
            continue
        if not crowded(out[2], out[0][a], out[0][a + 1], scatter, watch[1]) or marks[a] & service:
            continue
        size_out, size_in = flows(a, out, into, hub, outs, ins, spent, change)
        before = k
        rows, k = _episodes(
            a, ins, size_in, outs, size_out, senders, receivers, limits, gather, scatter, retention, rows, k
        )
        if k == before:
            continue
        ever = different(ins[2, :size_in], senders)
        for row in range(before, k):
            at = _ROW * row
            left, last, low, high = rows[at + 5], rows[at + 6], rows[at + 7], rows[at + 8]
            evidence, used = extended(evidence, used, ins[0], left, last + 1)
            evidence, used = extended(evidence, used, outs[0], low, high)
            ptr = grown(ptr, row + 2)
            ptr[row + 1] = used
            rows[at + 5] = ins[1, last] - ins[1, left]
            rows[at + 6] = outs[1, high - 1] - ins[1, last]
            rows[at + 7] = ever
    return rows[: _ROW * k].reshape(k, _ROW), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    limits = tuple(max(1, round(parameters[name])) for name in ("min_senders", "min_receivers", "min_value"))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub known.marks"),
        _SERVICE,
        limits,
        round(parameters["gather"]),
        round(parameters["scatter"]),
        float(parameters["retention"]),
        (max(2, -(-limits[0] // 2)), max(2, -(-limits[1] // 2))),
    )
    strength = (rows[:, 1:4] / limits).min(axis=1) if len(rows) else np.empty(0)
    keep = np.where(strength >= 1, 10, 2) * rows[:, 1] >= rows[:, 7]
    ptr, evidence = kept(keep, ptr, evidence)
    rows, strength = rows[keep], strength[keep]
    return hits(
        rows[:, 0],
        strength >= 1,
        0.5 * strength,
        ptr,
        evidence,
        {
            "senders": rows[:, 1],
            "receivers": rows[:, 2],
            "total": rows[:, 3],
            "sent": rows[:, 4],
            "gathered_in": rows[:, 5] / HOUR,
            "scattered_in": rows[:, 6] / HOUR,
            "senders_ever": rows[:, 7],
        },
        money=("total", "sent"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"Within {span(features['gathered_in'])}, {int(features['senders'])} different senders paid in "
            f"{amount(features['total'], currency)}."
        ),
        (
            f"Within {span(features['scattered_in'])} after the last of these, "
            f"{amount(features['sent'], currency)} went on to {int(features['receivers'])} receivers."
        ),
    )


def _through(number: int, name: str, senders: int, receivers: int, worth: int) -> tuple[Transfer, ...]:
    """So many senders of ``worth`` each, a transfer every four hours, then payments of all of it."""
    share = senders * worth / receivers
    ins = [pay(number + i, 4 * i, f"V{number + i}", name, str(worth)) for i in range(senders)]
    outs = [
        pay(number + 50 + i, 4 * senders + i, name, f"R{number + i}", f"{share:.2f}")
        for i in range(receivers)
    ]
    return (*ins, *outs)


CASES = (
    Sample(
        "nine people pay 300 each within two days, and all of it goes on to four within hours",
        (*_through(0, "M", 9, 4, 300), pay(99, 6, "M", "M", "5000")),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: four senders are to watch; with half of it kept, or paid out before, it is nothing",
        (
            *_through(0, "M", 4, 3, 300),
            *(pay(100 + i, 4 * i, f"V{i}", "N", "300") for i in range(9)),
            *(pay(120 + i, 37 + i, "N", f"R{i}", "300") for i in range(4)),
            *(pay(200 + i, 20 + 4 * i, f"V{i}", "O", "300") for i in range(9)),
            *(pay(220 + i, 16 + 2 * i, "O", f"R{i}", "675") for i in range(4)),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a shop that pays its suppliers; unknown values; an exchange",
        (
            *(pay(i, 5 * i, f"C{i}", "SHOP", "40") for i in range(200)),
            *(pay(300 + i, 24 * i + 1, "SHOP", f"S{i % 3}", "180") for i in range(40)),
            *_through(400, "EXCHANGE", 9, 4, 300),
        ),
        knowledge=tagged(("EXCHANGE", "exchange", "example")),
    ),
)

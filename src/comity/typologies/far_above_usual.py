"""Far above usual: one deposit many times what the account usually gets, and it leaves or is converted soon.

Usual is the median of the (at most fifty) deposits before it, so that one earlier large deposit does not
hide the next. The deposit counts when most of it leaves within ``hours`` in a few transfers (the largest
ones after it), whatever asset they are in: FATF's flag is a deposit beyond what is usual, of unknown
source, then converted. Deposits that overlap so are one finding, the largest. Watched from half of the
value. Not found: a large deposit that stays (a house sold, an inheritance), nor the first of an account (see
`new_account_high_value`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import middle, note, plural, settle, sides, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="far_above_usual",
    title="Deposit far above usual",
    indicator="A deposit far above what is usual for the account comes in, and soon leaves or is converted.",
    flags=("W4",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("times", 10, "count", "the deposit is this many times the usual one"),
        Parameter("history", 5, "count", "which is known from this many deposits before it"),
        Parameter("min_value", 10_000, "money", "an alert from a deposit of this value"),
        Parameter("ratio", 0.8, "ratio", "at least this share of it leaves"),
        Parameter("hours", 72, "hours", "it leaves within this time"),
        Parameter("parts", 3, "count", "in at most this many transfers"),
    ),
)

_BEFORE = 50
"""So many deposits before are looked at."""


@njit(cache=True, nogil=True)
def _left(a, moment, outs, net_out, hours, top):  # type: ignore[no-untyped-def]
    """Fill ``top`` with the positions of the largest payments out in the time after ``moment``, the
    earlier of equals first; how many, their sum, and when the last of them is made."""
    out_ptr, _, time, _, _ = outs
    first = out_ptr[a]
    begin = within(time, first, out_ptr[a + 1], moment)
    end = within(time, begin, out_ptr[a + 1], moment + hours)
    size = 0
    for p in range(begin, end):
        if net_out[p - first] <= 0 or (size == len(top) and net_out[p - first] <= net_out[top[-1] - first]):
            continue
        place = min(size, len(top) - 1)
        while place > 0 and net_out[p - first] > net_out[top[place - 1] - first]:
            top[place] = top[place - 1]
            place -= 1
        top[place] = p
        size = min(size + 1, len(top))
    total, last = 0, moment
    for i in range(size):
        total += net_out[top[i] - first]
        last = max(last, time[top[i]])
    return size, total, last


@njit(cache=True, nogil=True)
def _record(a, p, usual, both, hub, net_out, net_in, hours, top, found):  # type: ignore[no-untyped-def]
    """Append the finding of the deposit at position ``p``."""
    rows, ptr, k, evidence, used = found
    outs, ins = both
    size, total, last = _left(a, ins[2][p], outs, net_out, hours, top)
    rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
    row = 6 * (k - 1)
    rows[row], rows[row + 1], rows[row + 2] = a, net_in[p - ins[0][a]], usual
    rows[row + 3], rows[row + 4], rows[row + 5] = total, size, last - ins[2][p]
    evidence, used = note(p, ins[0][a + 1], ins, hub, evidence, used)
    for i in range(size):
        evidence, used = note(top[i], outs[0][a + 1], outs, hub, evidence, used)
    ptr[k] = used
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _search(a, both, hub, net_out, net_in, limits, ratio, top, found):  # type: ignore[no-untyped-def]
    """Append the account's findings: of deposits that overlap until they have left, the largest."""
    times, history, least, hours = limits
    in_ptr, _, in_time, _, _ = both[1]
    begin, most = in_ptr[a], max(history, _BEFORE)
    best, usual, until = -1, 0, np.int64(0)
    for p in range(begin + history, in_ptr[a + 1]):
        i = p - begin
        if net_in[i] < least:
            continue
        ordinary = middle(net_in, max(0, i - most), i, history, most)
        if ordinary < 0 or net_in[i] < times * ordinary:
            continue
        size, total, last = _left(a, in_time[p], both[0], net_out, hours, top)
        if size == 0 or total < ratio * net_in[i]:
            continue
        if best >= 0 and in_time[p] > until:
            found = _record(a, best, usual, both, hub, net_out, net_in, hours, top, found)
            best = -1
        until = last if best < 0 else max(until, last)
        if best < 0 or net_in[i] > net_in[best - begin]:
            best, usual = p, ordinary
    if best >= 0:
        found = _record(a, best, usual, both, hub, net_out, net_in, hours, top, found)
    return found


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, limits, ratio, parts):  # type: ignore[no-untyped-def]
    """One row per finding: account, deposit, usual, left, transfers out, stay; and the evidence."""
    found = np.empty(6 * 16, np.int64), np.zeros(16, np.int64), 0, np.empty(64, np.int64), 0
    mixed, memory, top = hub.any(), np.zeros(len(hub), np.int64), np.zeros(parts, np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    _, history, least, _ = limits
    out_ptr, (in_ptr, _, _, in_value, _) = both[0][0], both[1]
    for a in accounts:
        if hub[a] or in_ptr[a + 1] - in_ptr[a] <= history or out_ptr[a] == out_ptr[a + 1]:
            continue
        some = False
        for p in range(in_ptr[a] + history, in_ptr[a + 1]):
            some = some or in_value[p] >= least
        if some or mixed:
            net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
            found = _search(a, both, hub, net_out, net_in, limits, ratio, top, found)
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        (
            int(parameters["times"]),
            int(parameters["history"]),
            -(-min_value // 2),
            round(parameters["hours"]),
        ),
        float(parameters["ratio"]),
        min(int(parameters["parts"]), len(columns)),
    )
    deposit = rows[:, 1]
    return hits(
        rows[:, 0],
        deposit >= min_value,
        deposit / (2 * min_value),
        ptr,
        evidence,
        {
            "deposit": deposit,
            "usual": rows[:, 2],
            "left": rows[:, 3],
            "transfers": rows[:, 4],
            "stay": rows[:, 5] / HOUR,
        },
        money=("deposit", "usual", "left"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{amount(features['deposit'], currency)} came in at once; half of the account's deposits before "
            f"had been {amount(features['usual'], currency)} or less."
        ),
        (
            f"{amount(features['left'], currency)} left by {plural(features['transfers'], 'transfer')}, "
            f"the last {span(features['stay'])} later."
        ),
    )


_USUAL = tuple(pay(i, 100 * i, "EMPLOYER", "M", str(900 + i)) for i in range(6))

CASES = (
    Sample(
        "after six deposits of 900, 14,000 come in and leave in two parts",
        (
            *_USUAL,
            pay(10, 700, "A", "M", "14000"),
            pay(11, 710, "M", "X", "8000"),
            pay(12, 730, "M", "Y", "5500"),
            pay(13, 740, "M", "SHOP", "60"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: ten times the median of five, 10,000, eight tenths gone after 72 hours",
        (
            *(pay(i, 100 * i, "EMPLOYER", "M", str(998 + i)) for i in range(5)),
            pay(10, 700, "A", "M", "10000"),
            pay(11, 772, "M", "X", "8000"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: half of the value is to watch; too late, too little, or too few before is nothing",
        (
            *(pay(i, 100 * i, "EMPLOYER", "M", "400") for i in range(6)),
            pay(10, 700, "A", "M", "6000"),
            pay(11, 710, "M", "X", "6000"),
            *(pay(20 + i, 100 * i, "EMPLOYER", "N", "400") for i in range(6)),
            pay(30, 700, "A", "N", "16000"),
            pay(31, 772.1, "N", "X", "16000"),
            *(pay(40 + i, 100 * i, "EMPLOYER", "O", "400") for i in range(6)),
            pay(50, 700, "A", "O", "16000"),
            pay(51, 710, "O", "X", "12799.99"),
            *(pay(60 + i, 100 * i, "EMPLOYER", "P", "400") for i in range(4)),
            pay(70, 700, "A", "P", "16000"),
            pay(71, 710, "P", "X", "16000"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a house is sold and the money stays; a trader whose deposits are all large",
        (
            *(pay(i, 100 * i, "EMPLOYER", "SELLER", "2900") for i in range(6)),
            pay(10, 700, "BUYER", "SELLER", "310000"),
            pay(11, 710, "SELLER", "NOTARY", "4000"),
            *(pay(20 + 2 * i, 100 * i, "FUND", "TRADER", "40000") for i in range(9)),
            *(pay(21 + 2 * i, 100 * i + 5, "TRADER", "FUND", "39000") for i in range(9)),
        ),
    ),
)

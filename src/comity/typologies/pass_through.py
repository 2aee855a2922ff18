"""Pass-through: what comes in leaves again almost at once, and next to nothing stays.

Each deposit is matched with what leaves after it, the latest deposit first; a deposit has passed
through when at least ``ratio`` of it left within ``hours``. Deposits that follow one another before
the money has gone form one episode. Change that returns from a transaction to its own input is not a
payment. Watched: an episode of at least half of ``min_value``, too small to look at alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="pass_through",
    title="Pass-through",
    indicator="Deposits are withdrawn or sent on at once, with no other use of the account.",
    flags=("T4a",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("ratio", 0.9, "ratio", "at least this share of a deposit leaves again"),
        Parameter("hours", 24, "hours", "it leaves within this time"),
        Parameter("min_value", 5000, "money", "an alert from an episode of this value"),
    ),
    joint={"value": "min_value"},
)


@njit(cache=True, nogil=True)
def _plain(a, begin, end, value, other, net):  # type: ignore[no-untyped-def]
    """Values, 0 if unknown or to itself, in the order of the index."""
    for p in range(begin, end):
        net[p - begin] = max(value[p], 0) if other[p] != a else 0


@njit(cache=True, nogil=True)
def _without_change(a, outs, ins, hub, spent, net_in, net_out):  # type: ignore[no-untyped-def]
    """Take away the change that a hub returns to its own input. ``spent`` is all zero, and is left so."""
    out_ptr, _, _, _, out_dst = outs
    in_ptr, _, _, _, in_src = ins
    a0, a1, b0, b1 = out_ptr[a], out_ptr[a + 1], in_ptr[a], in_ptr[a + 1]
    paid = False
    for p in range(a0, a1):
        if hub[out_dst[p]]:
            spent[out_dst[p]] += net_out[p - a0]
            paid = True
    if not paid:
        return
    for p in range(b0, b1):
        h = in_src[p]
        if hub[h]:
            back = min(net_in[p - b0], spent[h])
            spent[h] -= back
            net_in[p - b0] -= back
    for p in range(a1 - 1, a0 - 1, -1):  # the change is taken from the first of what went into a hub
        h = out_dst[p]
        if hub[h]:
            stays = min(net_out[p - a0], spent[h])
            spent[h] -= stays
            net_out[p - a0] = stays


@njit(cache=True, nogil=True)
def _match(a, outs, ins, net_in, net_out, hours, gone, last, stack, lot_of, out_of):  # type: ignore[no-untyped-def]
    """Match what leaves with the deposits before it: ``gone`` and ``last`` per deposit; the pairs made."""
    out_time, in_time = outs[2], ins[2]
    o0, o1, i0 = outs[0][a], outs[0][a + 1], ins[0][a]
    size = ins[0][a + 1] - i0
    depth, i, pairs = 0, 0, 0
    for o in range(o1 - o0):
        now = out_time[o0 + o]
        while i < size and in_time[i0 + i] < now:
            gone[i] = 0
            if net_in[i] > 0:
                stack[depth] = i
                depth += 1
            i += 1
        left = net_out[o]
        while left > 0 and depth > 0:
            lot = stack[depth - 1]
            if now - in_time[i0 + lot] > hours:
                depth = 0  # those below it are older still
                break
            part = min(left, net_in[lot] - gone[lot])
            gone[lot] += part
            last[lot] = now
            lot_of[pairs], out_of[pairs] = lot, o
            pairs += 1
            left -= part
            if gone[lot] == net_in[lot]:
                depth -= 1
    return pairs, i


@njit(cache=True, nogil=True)
def _episodes(begin, size, time, net_in, gone, last, ratio, number, through):  # type: ignore[no-untyped-def]
    """The episode of each deposit that passed through (-1: it did not), and the value of each episode."""
    count, end = 0, -1
    for i in range(size):
        number[i] = -1
        if gone[i] == 0 or gone[i] < ratio * net_in[i]:
            continue
        if count == 0 or time[begin + i] > end:
            through[count] = 0
            count += 1
            end = last[i]
        end = max(end, last[i])
        number[i] = count - 1
        through[count - 1] += gone[i]
    return count


@njit(cache=True, nogil=True)
def _worth(begin, end, value, least):  # type: ignore[no-untyped-def]
    """Whether the transfers may come to ``least`` together."""
    total = 0
    for p in range(begin, end):
        total += max(value[p], 0)
        if total >= least:
            return True
    return False


@njit(cache=True, nogil=True)
def _figures(count, through, least, min_value):  # type: ignore[no-untyped-def]
    """Of the episodes of ``least``: how many have all of ``min_value``, the largest, and their sum."""
    episodes, largest, total = 0, 0, 0
    for i in range(count):
        if through[i] >= least:
            episodes += through[i] >= min_value
            largest = max(largest, through[i])
            total += through[i]
    return episodes, largest, total


@njit(cache=True, nogil=True)
def _kernel(accounts, outs, ins, hub, ratio, hours, min_value):  # type: ignore[no-untyped-def]
    """One row per account: account, episodes, largest, total, paid in, longest stay; and the evidence.

    Episodes of half of ``min_value`` are evidence; ``episodes`` counts those of all of it.
    """
    out_ptr, out_idx, _, out_value, out_dst = outs
    in_ptr, in_idx, in_time, in_value, in_src = ins
    rows, k = np.empty(6 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    most, mixed, least = 0, hub.any(), -(-min_value // 2)
    for a in accounts:
        most = max(most, in_ptr[a + 1] - in_ptr[a] + out_ptr[a + 1] - out_ptr[a])
    work = np.empty((9, most), dtype=np.int64)
    net_in, net_out, gone, last, stack, lot_of, out_of, number, through = work
    spent = np.zeros(len(hub), dtype=np.int64)
    for a in accounts:
        o0, o1, i0, i1 = out_ptr[a], out_ptr[a + 1], in_ptr[a], in_ptr[a + 1]
        if hub[a] or not (_worth(i0, i1, in_value, least) and _worth(o0, o1, out_value, least)):
            continue
        _plain(a, i0, i1, in_value, in_src, net_in)
        _plain(a, o0, o1, out_value, out_dst, net_out)
        if mixed:
            _without_change(a, outs, ins, hub, spent, net_in, net_out)
        pairs, size = _match(a, outs, ins, net_in, net_out, hours, gone, last, stack, lot_of, out_of)
        if pairs == 0:
            continue
        count = _episodes(i0, size, in_time, net_in, gone, last, ratio, number, through)
        episodes, largest, total = _figures(count, through, least, min_value)
        if largest == 0:
            continue
        rows, ptr = grown(rows, 6 * (k + 1)), grown(ptr, k + 2)
        evidence = grown(evidence, used + size + pairs)
        paid, stay, final = 0, 0, -1
        for i in range(size):
            if number[i] >= 0 and through[number[i]] >= least:
                paid += net_in[i]
                stay = max(stay, last[i] - in_time[i0 + i])
                evidence[used] = in_idx[i0 + i]
                used += 1
        for p in range(pairs):
            i = number[lot_of[p]]
            if i >= 0 and through[i] >= least and out_of[p] != final:
                final = out_of[p]
                evidence[used] = out_idx[o0 + final]
                used += 1
        row = 6 * k
        rows[row], rows[row + 1], rows[row + 2] = a, episodes, largest
        rows[row + 3], rows[row + 4], rows[row + 5] = total, paid, stay
        k += 1
        ptr[k] = used
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub"),
        float(parameters["ratio"]),
        round(parameters["hours"]),
        min_value,
    )
    episodes, largest, total, paid = rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4]
    alert = episodes > 0
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 ** np.maximum(episodes, 1), largest / (2 * min_value)),
        ptr,
        evidence,
        {
            "episodes": np.maximum(episodes, 1),
            "value": largest,
            "total": total,
            "share": total / paid,
            "stay": rows[:, 5] / HOUR,
        },
        money=("value", "total"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [
        (
            f"{features['share']:.0%} of what came in left again within {span(features['stay'])}: "
            f"{amount(features['total'], currency)} in all."
        )
    ]
    if features["episodes"] > 1:
        reasons.append(
            f"That happened {int(features['episodes'])} times; "
            f"the largest time {amount(features['value'], currency)}."
        )
    return tuple(reasons)


CASES = (
    Sample(
        "a deposit leaves in two parts within three hours, and again next week",
        (
            pay(1, 0, "A", "M", "6000"),
            pay(2, 1, "M", "X", "3500"),
            pay(3, 3, "M", "Y", "2450"),
            pay(4, 160, "B", "M", "8000"),
            pay(5, 161, "M", "X", "7900"),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: half the value is to watch; paid out before it came in, or too late, is nothing",
        (
            pay(1, 0, "A", "M", "3000"),
            pay(2, 1, "M", "X", "2900"),
            pay(3, 0, "N", "X", "6000"),
            pay(4, 1, "A", "N", "6000"),
            pay(5, 0, "A", "O", "6000"),
            pay(6, 30, "O", "X", "6000"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a salary, spent over the month",
        (
            pay(0, 0, "EMPLOYER", "P", "5600"),
            *(pay(i, 20 * i, "P", f"S{i % 5}", "160") for i in range(1, 30)),
        ),
    ),
)

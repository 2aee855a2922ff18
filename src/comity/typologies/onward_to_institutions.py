"""Onward to several institutions: right after value comes in, it goes on to accounts at several others.

From each transfer in, what leaves within ``hours`` for accounts at other institutions is added up; at least
``ratio`` of what came in meanwhile has to leave so. An institution counts as abroad when its account is
in another country than the sender's, as the transfers state it, or in one with weak rules on the day. An
alert: at least ``min_institutions``, half of them abroad, and ``min_value`` came in. To watch: half of
the value, with as many institutions wherever they are, or with half as many (at least two) abroad. Windows
that overlap are one episode, told by its best window.

Without stated institutions nothing is found, and without stated countries no alert. Who makes or
gets more than 500 transfers within ``hours`` is a service and is left out, as are services and criminals
known as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numba import njit

from comity.model import Columns, Knowledge, Regime, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._marked import SPARED, percent, spared

SPEC = TypologySpec(
    id="onward_to_institutions",
    title="Onward to several institutions",
    indicator="Value goes on at once to several institutions, notably abroad or where rules are weak.",
    flags=("T3",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter(
            "min_institutions", 3, "count", "an alert from this many institutions, half of them abroad"
        ),
        Parameter("min_value", 3000, "money", "an alert when this value came in"),
        Parameter("hours", 24, "hours", "it goes on within this time"),
        Parameter("ratio", 0.8, "ratio", "at least this share of it goes on"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"institutions": "min_institutions"},
    uses=("facts.dst_at", "facts.src_at", "facts.src_country", "facts.dst_country", "known.risk"),
)

_SERVICE = 500
"""An account with more transfers out, or in, than this within ``hours`` is a service."""


@njit(cache=True, nogil=True)
def _no_less(values):  # type: ignore[no-untyped-def]
    """No less than what the known ones of these values come to; an unknown one is -1."""
    return values.sum() + len(values)


@njit(cache=True, nogil=True)
def _away(e, time, facts, epochs, risk):  # type: ignore[no-untyped-def]
    """Whether the payee of ``e`` is in another country, or in one with weak rules then."""
    src_country, dst_country = facts[2], facts[3]
    here, there = src_country[e], dst_country[e]
    if there == 0:
        return False
    epoch = max(np.searchsorted(epochs, time[e], side="right") - 1, 0)
    return (here != 0 and here != there) or risk[epoch, there] > 0


@njit(cache=True, nogil=True)
def _leaves(e, a, dst, facts):  # type: ignore[no-untyped-def]
    """Whether the transfer goes to another's account at another institution."""
    src_at, dst_at = facts[0], facts[1]
    return dst_at[e] != 0 and dst_at[e] != src_at[e] and dst[e] != a


@njit(cache=True, nogil=True)
def _places(a, outs, begin, end, time, value, dst, facts, epochs, risk, places, abroad):  # type: ignore[no-untyped-def]
    """Over transfers out that go to another institution: institutions, those abroad, value, the last of them
    (-1: none). ``places`` and ``abroad`` have room for all."""
    dst_at = facts[1]
    count, far, total, last = 0, 0, 0, -1
    for q in range(begin, end):
        e = outs[q]
        there = dst_at[e]
        if not _leaves(e, a, dst, facts):
            continue
        total += max(value[e], 0)
        last = q
        at = 0
        while at < count and places[at] != there:
            at += 1
        if at == count:
            places[at], abroad[at] = there, 0
            count += 1
        if abroad[at] == 0 and _away(e, time, facts, epochs, risk):
            abroad[at] = 1
            far += 1
    return count, far, total, last


@njit(cache=True, nogil=True)
def _meanwhile(a, i, ins, in_value, in_src, until):  # type: ignore[no-untyped-def]
    """What came from others from position ``i`` on, before the transfer ``until``, and the position after."""
    came, j = 0, i
    while j < len(ins) and ins[j] < until and j - i <= _SERVICE:
        came += max(in_value[j], 0) if in_src[j] != a else 0
        j += 1
    return came, j


@njit(cache=True, nogil=True)
def _better(row, best, aims):  # type: ignore[no-untyped-def]
    """Whether one window (institutions, abroad, in, out …) says more than another: an alert first."""
    institutions, _, value = aims
    new = row[1] >= institutions and 2 * row[2] >= row[1] and row[3] >= value
    old = best[1] >= institutions and 2 * best[2] >= best[1] and best[3] >= value
    if new != old:
        return new
    if row[1] != best[1]:
        return row[1] > best[1]
    return row[4] > best[4]


@njit(cache=True, nogil=True)
def _emit(best, places, ins, in_src, outs, dst, facts, found):  # type: ignore[no-untyped-def]
    """Append an episode's best window: its row, and its transfers."""
    rows, ptr, k, evidence, used = found
    first, last, begin, end = places
    rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
    rows[6 * k - 6 : 6 * k] = best
    evidence = grown(evidence, used + last - first + end - begin)
    for i in range(first, last):
        if in_src[i] != best[0]:
            evidence[used] = ins[i]
            used += 1
    for q in range(begin, end):
        if _leaves(outs[q], best[0], dst, facts):
            evidence[used] = outs[q]
            used += 1
    ptr[k] = used
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _episodes(  # type: ignore[no-untyped-def]
    a, ins, in_time, in_value, in_src, outs, out_time, out_value, time, value, dst, facts, epochs, risk,
    hours, ratio, aims, found
):  # fmt: skip
    """Append the episodes of one account, whose transfers in and out these are."""
    institutions, fewer, value_aim = aims
    room = min(len(outs), _SERVICE + 1)
    places, abroad = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    row, best = np.zeros(6, dtype=np.int64), np.zeros(6, dtype=np.int64)
    kept, until, begin, end = (0, 0, 0, 0), -1, 0, 0
    for i in range(len(ins)):
        if in_src[i] == a or in_value[i] <= 0:
            continue
        while begin < len(outs) and outs[begin] < ins[i]:
            begin += 1
        end = max(end, begin)
        while end < len(outs) and out_time[end] - in_time[i] <= hours:
            end += 1
        if end - begin < 2 or end - begin > _SERVICE:
            continue
        if _no_less(out_value[begin:end]) < ratio * in_value[i]:
            continue
        count, far, total, last = _places(
            a, outs, begin, end, time, value, dst, facts, epochs, risk, places, abroad
        )
        if count < institutions and far < fewer:
            continue
        came, j = _meanwhile(a, i, ins, in_value, in_src, outs[last])
        if j - i > _SERVICE or 2 * came < value_aim or total < ratio * came:
            continue
        row[0], row[1], row[2], row[3], row[4] = a, count, far, came, total
        row[5] = out_time[last] - in_time[i]
        if until >= 0 and in_time[i] > until:
            found = _emit(best, kept, ins, in_src, outs, dst, facts, found)
            until = -1
        if until < 0 or _better(row, best, aims):
            best[:] = row
            kept = (i, j, begin, last + 1)
        until = max(until, out_time[last])
    if until >= 0:
        found = _emit(best, kept, ins, in_src, outs, dst, facts, found)
    return found


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, dst, in_ptr, in_idx, in_time, in_value, in_src, out_ptr, out_idx, out_time,
    out_value, hub, marks, sure, src_at, dst_at, src_country, dst_country, epochs, risk, mercy, even, hours,
    ratio, aims
):  # fmt: skip
    """One row per episode: account, institutions, those abroad, value in, value on, span; the evidence."""
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    facts = (src_at, dst_at, src_country, dst_country)
    for a in accounts:
        first, last, begin, end = in_ptr[a], in_ptr[a + 1], out_ptr[a], out_ptr[a + 1]
        if first == last or end - begin < 2:
            continue
        swift = False  # at least two transfers out within the time
        for q in range(begin + 1, end):
            if out_time[q] - out_time[q - 1] <= hours:
                swift = True
                break
        if not swift or _no_less(in_value[first:last]) < aims[2] // 2:
            continue
        if spared(a, hub, marks, sure, mercy, even):
            continue
        found = _episodes(
            a, in_idx[first:last], in_time[first:last], in_value[first:last], in_src[first:last],
            out_idx[begin:end], out_time[begin:end], out_value[begin:end],
            time, value, dst, facts, epochs, risk, hours, ratio, aims, found,
        )  # fmt: skip
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    institutions, least = int(parameters["min_institutions"]), max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts if len(columns.facts.institutions) > 2 else scope.accounts[:0]),
        *arrays(
            columns, "time value dst in_ptr in_idx in_time in_value in_src out_ptr out_idx out_time out_value"
        ),
        *arrays(columns, "hub known.marks known.sure facts.src_at facts.dst_at"),
        *arrays(columns, "facts.src_country facts.dst_country known.epochs known.risk"),
        SPARED,
        percent(parameters["confidence"]),
        round(parameters["hours"]),
        float(parameters["ratio"]),
        (institutions, max(2, -(-institutions // 2)), least),
    )
    count, far, came = rows[:, 1], rows[:, 2], rows[:, 3]
    alert = (count >= institutions) & (2 * far >= count) & (came >= least)
    return hits(
        rows[:, 0],
        alert,
        np.where(
            alert,
            1 - 0.5 * institutions / np.maximum(count, 1),
            np.minimum(0.1 + 0.1 * far + 0.05 * count, 0.45),
        ),
        ptr,
        evidence,
        {
            "institutions": count,
            "abroad": far,
            "came": came,
            "total": np.minimum(came, rows[:, 4]),
            "span": rows[:, 5] / HOUR,
        },
        money=("came", "total"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{amount(features['came'], currency)} came in, and {amount(features['total'], currency)} of it "
            f"went on to accounts at {int(features['institutions'])} other institutions within "
            f"{span(features['span'])}."
        ),
        f"Of these institutions, {int(features['abroad'])} are in another country or in one with weak rules.",
    )


def _to(number: int, hours: float, source: str, value: str, bank: str, country: str, **more: Any) -> Transfer:
    return pay(
        number, hours, source, f"{bank}-{number}", value, originator_institution="HOME",
        originator_country="SG", beneficiary_institution=bank, beneficiary_country=country, **more,
    )  # fmt: skip


CASES = (
    Sample(
        "a deposit goes on to three exchanges in three countries within hours",
        (
            pay(1, 0, "X", "A", "6000"),
            _to(2, 1, "A", "2000", "EX1", "US"),
            _to(3, 2, "A", "2000", "EX2", "DE"),
            _to(4, 3, "A", "1900", "EX3", "SG"),
            _to(5, 90, "A", "50", "BANK", "SG"),
        ),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: at home, or two abroad, is to watch; one abroad, the same one, or a part, is nothing",
        (
            pay(1, 0, "X", "A", "6000"),
            *(_to(2 + i, 1 + i, "A", "1900", f"EX{i}", "SG") for i in range(3)),
            pay(10, 0, "X", "B", "2000"),
            *(_to(11 + i, 1 + i, "B", "900", f"EX{i}", "US") for i in range(2)),
            pay(20, 0, "X", "C", "6000"),
            *(_to(21 + i, 1 + i, "C", "3000", f"EX{i}", ("US", "SG")[i]) for i in range(2)),
            pay(30, 0, "X", "D", "6000"),
            *(_to(31 + i, 1 + i, "D", "2000", "EX1", "US") for i in range(3)),
            pay(40, 0, "X", "E", "6000"),
            *(_to(41 + i, 1 + i, "E", "1500", f"EX{i}", "US") for i in range(3)),
            pay(50, 0, "X", "F", "6000"),
            *(_to(51 + i, 1 + i, "F", "2000", "HOME", "SG") for i in range(3)),
        ),
        watches=(account("A"), account("B")),
    ),
    Sample(
        "weak rules at home count as abroad, from the day they are known; a day is exactly a day",
        (
            pay(1, 0, "X", "A", "3000"),
            *(_to(2 + i, 8 * (i + 1), "A", "800", f"EX{i}", "SG") for i in range(3)),
            pay(10, 500, "X", "A", "3000"),
            *(_to(11 + i, 500 + 8 * (i + 1), "A", "800", f"EX{i}", "SG") for i in range(3)),
            pay(20, 500, "X", "B", "3000"),
            *(_to(21 + i, 500 + 8.1 * (i + 1), "B", "1200", f"EX{i}", "SG") for i in range(3)),
        ),
        alerts=(account("A"),),
        watches=(account("B"), account("A")),
        knowledge=Knowledge(regimes=(Regime("SG", date(2026, 3, 15), 1),)),
    ),
    Sample(
        "negative: wages, and bills paid at several banks over the month; paid on before it came in",
        (
            pay(1, 0, "X", "A", "6000"),
            *(_to(2 + i, 30 * (i + 1), "A", "1500", f"EX{i}", "US") for i in range(4)),
            *(_to(11 + i, i, "B", "1500", f"EX{i}", "US") for i in range(4)),
            pay(20, 5, "X", "B", "6000"),
        ),
    ),
)

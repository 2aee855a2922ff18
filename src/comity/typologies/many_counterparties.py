"""Many counterparties: an account takes from many and pays to many, and about as much as it takes.

That is how a money service works; FATF's flag is a customer who acts as one without a licence, for example
on platforms for trade between persons. Counted are different payers and different receivers within
``window``, and what came in and went out in it must balance, for a service keeps only its fee. An account
that is known to be a service's, or whose actor is known, is not found. Watched: from half of both; and an
account with more than ``max_counterparties`` on either side, a service that works in public, which a look at
who runs it settles. Overlapping windows are one finding. Not found: who only collects (`fan_in`), only
pays out, or spends far less than comes in (a shop).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Attribution, Columns, Knowledge, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import SKIP, crowded, listed, settle, sides
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="many_counterparties",
    title="Many payers and many receivers",
    indicator="An account that no known service runs takes from many people and pays to many, in balance.",
    flags=("A3",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_count", 25, "count", "an alert from this many payers and this many receivers"),
        Parameter("window", 720, "hours", "the transfers lie within this time"),
        Parameter("ratio", 0.9, "ratio", "what came in and what went out differ by no more than this share"),
        Parameter("max_counterparties", 500, "count", "with more on a side it is only watched"),
    ),
    uses=("known.marks", "known.actor"),
)

_SERVICE = int(Mark.service())


@njit(cache=True, nogil=True)
def _count(p, by, first, side, net, seen):  # type: ignore[no-untyped-def]
    """Take a payment into the window, or out of it: the change in counterparties and in value."""
    worth = net[p - first]
    if worth <= SKIP:
        return 0, 0
    other = side[4][p]
    before = seen[other]
    seen[other] += by
    return int(seen[other] > 0) - int(before > 0), by * max(worth, 0)


@njit(cache=True, nogil=True)
def _closed(a, row, begin, end, both, hub, net_out, net_in, found):  # type: ignore[no-untyped-def]
    """Append a finding of these figures, with the payments out and in between two pairs of positions."""
    rows, ptr, k, evidence, used = found
    rows, ptr, k = grown(rows, 7 * (k + 1)), grown(ptr, k + 2), k + 1
    rows[7 * k - 7] = a
    rows[7 * k - 6 : 7 * k] = row
    evidence, used = listed(begin[0], end[0], net_out, both[0], a, hub, evidence, used)
    evidence, used = listed(begin[1], end[1], net_in, both[1], a, hub, evidence, used)
    ptr[k] = used
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _emptied(begin, end, other, seen):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        seen[other[p]] = 0


@njit(cache=True, nogil=True)
def _scan(a, both, hub, net_out, net_in, paid, got, window, least, ratio, found):  # type: ignore[no-untyped-def]
    """Append the account's findings: maximal chains of overlapping windows that are such a service's."""
    outs, ins = both
    a0, a1, b0, b1 = outs[0][a], outs[0][a + 1], ins[0][a], ins[0][a + 1]
    q, p, left_out, left_in = a0, b0, a0, b0
    receivers, went, payers, came = 0, 0, 0, 0
    row = np.zeros(6, dtype=np.int64)
    begin, end, until, some = (a0, b0), (a0, b0), outs[2][a0], False
    while q < a1 or p < b1:
        if p == b1 or (q < a1 and outs[1][q] < ins[1][p]):
            now = outs[2][q]
            more, worth = _count(q, 1, a0, outs, net_out, paid)
            receivers, went, q = receivers + more, went + worth, q + 1
        else:
            now = ins[2][p]
            more, worth = _count(p, 1, b0, ins, net_in, got)
            payers, came, p = payers + more, came + worth, p + 1
        while left_out < q and now - outs[2][left_out] > window:
            more, worth = _count(left_out, -1, a0, outs, net_out, paid)
            receivers, went, left_out = receivers + more, went + worth, left_out + 1
        while left_in < p and now - ins[2][left_in] > window:
            more, worth = _count(left_in, -1, b0, ins, net_in, got)
            payers, came, left_in = payers + more, came + worth, left_in + 1
        both_sides = min(payers, receivers)
        if both_sides < least or min(came, went) < max(1, ratio * max(came, went)):
            continue
        if some and now - window > until:
            found = _closed(a, row, begin, end, both, hub, net_out, net_in, found)
            some = False
        if not some:
            begin, some = (left_out, left_in), True
            row[:] = 0
        end, until = (q, p), now
        row[5] = max(row[5], payers, receivers)
        if both_sides > min(row[0], row[1]):
            row[0], row[1], row[2], row[3] = payers, receivers, came, went
            row[4] = now - min(outs[2][left_out], ins[2][left_in])
    if some:
        found = _closed(a, row, begin, end, both, hub, net_out, net_in, found)
    _emptied(left_out, a1, outs[4], paid)
    _emptied(left_in, b1, ins[4], got)
    return found


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, marks, actor, window, least, ratio):  # type: ignore[no-untyped-def]
    """One row per finding: account, payers, receivers, came in, went out, span, most on a side."""
    found = np.empty(7 * 16, np.int64), np.zeros(16, np.int64), 0, np.empty(64, np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    paid, got = np.zeros(len(hub), dtype=np.int64), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    for a in accounts:
        if hub[a] or not crowded(in_time, in_ptr[a], in_ptr[a + 1], window, least):
            continue
        if not crowded(out_time, out_ptr[a], out_ptr[a + 1], window, least):
            continue
        if marks[a] & _SERVICE or actor[a] != 0:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        found = _scan(a, both, hub, net_out, net_in, paid, got, window, least, ratio, found)
    rows, ptr, k, evidence, used = found
    return rows[: 7 * k].reshape(k, 7), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count = int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub known.marks known.actor"),
        round(parameters["window"]),
        max(2, -(-min_count // 2)),
        float(parameters["ratio"]),
    )
    reached = np.minimum(rows[:, 1], rows[:, 2]) / (2 * min_count)
    alert = (reached >= 0.5) & (rows[:, 6] <= parameters["max_counterparties"])
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, reached, np.minimum(reached, 0.45)),
        ptr,
        evidence,
        {
            "payers": rows[:, 1],
            "receivers": rows[:, 2],
            "total": rows[:, 3],
            "went": rows[:, 4],
            "span": rows[:, 5] / HOUR,
            "most": rows[:, 6],
        },
        money=("total", "went"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"Within {span(features['span'])}, {int(features['payers'])} different accounts paid in "
            f"{amount(features['total'], currency)}, and {int(features['receivers'])} different accounts "
            f"were paid {amount(features['went'], currency)}."
        ),
        "No service is known to run the account.",
    )


def _dealer(name: str, count: int, start: int = 0, part: str = "290") -> tuple[Transfer, ...]:
    """So many pay 300 in, and so many get ``part``, one pair every twenty hours."""
    return tuple(
        pay(
            start + 2 * i + k,
            20 * i + k,
            name if k else f"P{i}",
            f"R{i}" if k else name,
            part if k else "300",
        )
        for i in range(count)
        for k in range(2)
    )


CASES = (
    Sample(
        "twenty-five pay in and twenty-five are paid, in balance, within three weeks",
        _dealer("M", 25),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: thirteen are to watch, twelve are nothing, nor is an account that keeps a fifth",
        (*_dealer("M", 13), *_dealer("N", 12, 100), *_dealer("O", 30, 200, "240")),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a known exchange; a club that collects from thirty and pays one; too slow",
        (
            *_dealer("EXCHANGE", 30),
            *(pay(100 + i, i, f"P{i}", "CLUB", "50") for i in range(30)),
            *(pay(200 + i, 40 + i, "CLUB", "HALL", "50") for i in range(30)),
            *(pay(300 + i, 80 * i, f"P{i}", "SLOW", "50") for i in range(30)),
            *(pay(400 + i, 80 * i + 1, "SLOW", f"R{i}", "50") for i in range(30)),
        ),
        knowledge=Knowledge(
            attributions={
                account("EXCHANGE"): Attribution(
                    account("EXCHANGE"), "an exchange", "", ("exchange",), 0.9, "-"
                )
            }
        ),
    ),
    Sample(
        "a service of hundreds that nobody has named yet is to watch",
        (
            *(pay(i, i / 2, f"P{i}", "HOT", "300") for i in range(501)),
            *(pay(600 + i, 2 * i + 1, "HOT", f"R{i}", "1150") for i in range(126)),
        ),
        watches=(account("HOT"),),
    ),
)

"""Stacked bipartite: a layer of senders pays a layer of middle accounts, which pay a layer of receivers.

Nearly all of one layer pay nearly all of the next, so that no single path stands out. A search begins with a
payment and looks at what follows within ``window``: the middle accounts are those the payer pays then; the
senders are all who pay ``density`` of these, the receivers all whom ``density`` of these pay after they
were paid; and ``density`` of the middle accounts must be joined to ``density`` of both. What leaves the
middle layer is about what came in. Of findings that share a transfer one is told: an alert
rather than one to watch, then the largest, then the first. The subject is the account that pays first.
A receiver may be a sender too: then the value makes a U-turn. A middle account is neither.

Watched: from half of each figure (two accounts a layer). Not found, on purpose: layers joined by
a transaction with many inputs and outputs (a hub), which joins all to all by itself and says nothing; senders
or receivers that are known services, with whom everyone deals; and middle accounts with hundreds of
transfers in the window, or unknown values.

Source of the pattern: "stacked bipartite" of AMLworld (Altman and others, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._chains import Chains
from comity.typologies._common import FATF, HOUR, account, amount, arrays, grown, hits, pay, span
from comity.typologies._graph import after, tagged

SPEC = TypologySpec(
    id="stacked_bipartite",
    title="Stacked bipartite",
    indicator="Several accounts pay the same several others, which all pay the same several receivers.",
    flags=("P4", "P6"),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_senders", 3, "count", "an alert from this many senders"),
        Parameter("min_middle", 3, "count", "and this many middle accounts"),
        Parameter("min_receivers", 3, "count", "and this many receivers"),
        Parameter("min_value", 1000, "money", "and this value through the middle accounts"),
        Parameter("window", 72, "hours", "all of it lies within this time"),
        Parameter("density", 0.75, "ratio", "this share of a layer is joined to this share of the next"),
        Parameter("retention", 0.8, "ratio", "the middle accounts pay on at least this share"),
        Parameter("budget", 20_000, "count", "a search looks at this many transfers at most"),
    ),
    joint={"middle": "min_middle"},
    after=("window", "window"),
    uses=("known.marks",),
)

_SERVICE = int(Mark.service())
_BUSY = 200
"""An account with more payments, or deposits, than this within one window is a service, and no middle."""
_ROW = 7


@njit(cache=True, nogil=True)
def _within(side, a, since, until):  # type: ignore[no-untyped-def]
    """The positions of the account's transfers from ``since`` to ``until``, (begin, end)."""
    begin = after(side[1], side[0][a], side[0][a + 1], since)
    return begin, after(side[1], begin, side[0][a + 1], until + 1)


@njit(cache=True, nogil=True)
def _layer(middle, since, until, side, barred, seen, stamp, turn, touched):  # type: ignore[no-untyped-def]
    """Count in ``seen``, for each account on that side, of how many middle accounts it is the other end; the
    accounts counted are put into ``touched``. How many, and the last turn."""
    count = 0
    for i in range(len(middle)):
        begin, end = _within(side, middle[i], since[i], until)
        turn += 1
        for p in range(begin, end):
            other = side[3][p]
            if side[2][p] <= 0 or barred[other] or other == middle[i] or stamp[other] == turn:
                continue
            stamp[other] = turn
            if seen[other] == 0:
                touched = grown(touched, count + 1)
                touched[count] = other
                count += 1
            seen[other] += 1
    return touched, count, turn


@njit(cache=True, nogil=True)
def _joined(a, since, until, side, seen, need, stamp, turn):  # type: ignore[no-untyped-def]
    """To how many of the layer (those ``seen`` at least ``need`` times) the account is joined, the value of
    that, and the time of the first."""
    count, total, first = 0, 0, until + 1
    begin, end = _within(side, a, since, until)
    for p in range(begin, end):
        other = side[3][p]
        if side[2][p] <= 0 or seen[other] < need or other == a:
            continue
        total += side[2][p]
        first = min(first, side[1][p])
        count += stamp[other] != turn
        stamp[other] = turn
    return count, total, first


@njit(cache=True, nogil=True)
def _middle(a, p, until, out, into, barred, limits, stamp, turn, middle):  # type: ignore[no-untyped-def]
    """Put the middle accounts that ``a`` pays from position ``p`` on into ``middle``: how many there are, and
    how many transfers they make and get until then."""
    size, work, since = 0, 0, out[1][p]
    for q in range(p, out[0][a + 1]):
        other = out[3][q]
        if out[1][q] > until:
            break
        if out[2][q] <= 0 or barred[other] or stamp[other] == turn or other == a:
            continue
        stamp[other] = turn
        low, high = _within(into, other, since, until)
        came = high - low
        low, high = _within(out, other, since + 1, until)
        went = high - low
        if limits[0] <= came <= _BUSY and limits[2] <= went <= _BUSY:
            middle = grown(middle, size + 1)
            middle[size] = other
            size += 1
            work += came + went
    return middle, size, work


@njit(cache=True, nogil=True)
def _enough(touched, count, seen, need):  # type: ignore[no-untyped-def]
    """How many of the accounts are the other end of ``need`` middle accounts."""
    enough = 0
    for i in range(count):
        enough += seen[touched[i]] >= need
    return enough


@njit(cache=True, nogil=True)
def _layers(middle, begin, until, out, into, barred, limits, need, seen, stamp, turn, since):  # type: ignore[no-untyped-def]
    """Count the senders and the receivers in ``seen``, and note in ``since`` from when on each middle account
    had been paid: who was counted on either side, how many of them belong to the layer, and the next turn."""
    size = len(middle)
    since[:] = begin
    received, receivers = 0, 0
    touched_s, touched_r = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64)
    touched_s, sent, turn = _layer(middle, since, until, into, barred, seen[0], stamp, turn, touched_s)
    senders = _enough(touched_s, sent, seen[0], need)
    if senders >= limits[0]:
        for i in range(size):
            turn += 1
            since[i] = _joined(middle[i], begin, until, into, seen[0], need, stamp, turn)[2] + 1
        touched_r, received, turn = _layer(
            middle, since, until, out, barred, seen[1], stamp, turn, touched_r
        )  # fmt: skip
        receivers = _enough(touched_r, received, seen[1], need)
    return touched_s[:sent], touched_r[:received], senders, receivers, turn


@njit(cache=True, nogil=True)
def _copy(a, since, until, side, seen, need, evidence, used):  # type: ignore[no-untyped-def]
    """Append the account's transfers with the layer."""
    begin, end = _within(side, a, since, until)
    for p in range(begin, end):
        if side[2][p] > 0 and seen[side[3][p]] >= need and side[3][p] != a:
            evidence = grown(evidence, used + 1)
            evidence[used] = side[4][p]
            used += 1
    return evidence, used


@njit(cache=True, nogil=True)
def _stack(p, middle, until, out, into, limits, shares, layers, need, seen, stamp, since, evidence, used):  # type: ignore[no-untyped-def]
    """What the payment at position ``p`` begins: middle accounts joined to both layers, value in, value out,
    whether the payment is part of it, and its transfers appended."""
    senders, receivers, turn = layers
    begin, start, opens = out[1][p], used, False
    count, came, went = 0, 0, 0
    for i in range(len(middle)):
        turn += 2
        before, more, _ = _joined(middle[i], begin, until, into, seen[0], need, stamp, turn - 1)
        behind, less, _ = _joined(middle[i], since[i], until, out, seen[1], need, stamp, turn)
        if before >= shares[0] * senders and behind >= shares[0] * receivers:
            count, came, went = count + 1, came + more, went + less
            opens = opens or middle[i] == out[3][p]
            evidence, used = _copy(middle[i], begin, until, into, seen[0], need, evidence, used)
            evidence, used = _copy(middle[i], since[i], until, out, seen[1], need, evidence, used)
    held = went >= shares[1] * came and shares[1] * went <= came
    opens = opens and held and count >= max(limits[1], need)
    if opens:
        evidence[start:used].sort()
    return opens, count, came, went, turn, evidence, used if opens else start


@njit(cache=True, nogil=True)
def _from(a, p, until, out, into, barred, limits, shares, seen, stamp, turn, middle, rows, k, ptr, evidence):  # type: ignore[no-untyped-def]
    """Append the stack that begins with the account's payment at ``p``, if there is one."""
    need = int(np.ceil(shares[0] * len(middle)))
    since = np.empty(len(middle), dtype=np.int64)
    barred[middle] = True  # no account is in two layers next to each other
    touched_s, touched_r, senders, receivers, turn = _layers(
        middle, out[1][p], until, out, into, barred, limits, need, seen, stamp, turn, since
    )
    barred[middle] = False
    if receivers >= limits[2]:
        opens, count, came, went, turn, evidence, used = _stack(
            p, middle, until, out, into, limits, shares, (senders, receivers, turn), need, seen, stamp, since,
            evidence, ptr[k],
        )  # fmt: skip
        if opens:
            both = 0
            for other in touched_r:
                both += seen[1, other] >= need and seen[0, other] >= need
            rows, ptr = grown(rows, _ROW * (k + 1)), grown(ptr, k + 2)
            at = _ROW * k
            rows[at], rows[at + 1], rows[at + 2], rows[at + 3] = a, senders, count, receivers
            rows[at + 4], rows[at + 5], rows[at + 6] = came, went, both
            k += 1
            ptr[k] = used
    for other in touched_s:
        seen[0, other] = 0
    for other in touched_r:
        seen[1, other] = 0
    return rows, k, ptr, evidence, turn


@njit(cache=True, nogil=True)
def _openings(out, into, barred, limits, window):  # type: ignore[no-untyped-def]
    """The transfers that may be the first of a stack: the account they go to has enough others soon after."""
    size, found = 0, np.empty(64, dtype=np.int64)
    for a in range(len(barred)):
        last, final = into[0][a + 1], out[0][a + 1]
        first, ready, right = into[0][a], out[0][a], into[0][a]
        if barred[a] or last - first < limits[0] or final - ready < limits[2]:
            continue
        for p in range(first, last):
            until = into[1][p] + window
            while into[1][first] < into[1][p]:
                first += 1
            while right < last and into[1][right] <= until:
                right += 1
            if right - first < limits[0]:
                continue
            while ready < final and out[1][ready] <= into[1][p]:
                ready += 1
            if ready + limits[2] > final:
                break
            if out[1][ready + limits[2] - 1] <= until and not barred[into[3][p]] and into[2][p] > 0:
                found = grown(found, size + 1)
                found[size] = into[4][p]
                size += 1
    return found[:size]


@njit(cache=True, nogil=True)
def _kernel(time, src, out, into, hub, marks, service, begin, end, limits, shares, window, budget):  # type: ignore[no-untyped-def]
    """One row per stack that begins in [begin, end): who pays first, senders, middle accounts, receivers,
    value in, value out, receivers that are senders; its transfers; and accounts whose search was cut."""
    rows, k, turn = np.empty(_ROW * 16, dtype=np.int64), 0, 0
    ptr, evidence = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64)
    short, unfinished = 0, np.empty(16, dtype=np.int64)
    barred = hub.copy()
    for a in range(len(hub)):
        barred[a] = barred[a] or marks[a] & service > 0
    stamp = np.zeros(len(hub), dtype=np.int64)
    seen, middle = np.zeros((2, len(hub)), dtype=np.int32), np.empty(64, dtype=np.int64)
    for e in _openings(out, into, barred, limits, window):
        if not begin <= time[e] < end:
            continue
        a, until = src[e], time[e] + window
        p = after(out[4], out[0][a], out[0][a + 1], e)
        if p + limits[1] > out[0][a + 1] or out[1][p + limits[1] - 1] > until:
            continue
        turn += 1
        middle, size, work = _middle(a, p, until, out, into, barred, limits, stamp, turn, middle)
        if work > budget:
            unfinished = grown(unfinished, short + 1)
            unfinished[short] = a
            short += 1
        elif size >= limits[1]:
            rows, k, ptr, evidence, turn = _from(
                a, p, until, out, into, barred, limits, shares, seen, stamp, turn, middle[:size], rows, k,
                ptr, evidence,
            )  # fmt: skip
    return rows[: _ROW * k].reshape(k, _ROW), ptr[: k + 1], evidence[: ptr[k]], unfinished[:short]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    names = ("min_senders", "min_middle", "min_receivers", "min_value")
    least = np.array([max(1, round(parameters[name])) for name in names])
    window = round(parameters["window"])
    rows, ptr, evidence, unfinished = _kernel(
        *arrays(columns, "time src"),
        arrays(columns, "out_ptr out_time out_value out_dst out_idx"),
        arrays(columns, "in_ptr in_time in_value in_src in_idx"),
        *arrays(columns, "hub known.marks"),
        _SERVICE,
        scope.begin - window,
        scope.end + window,
        tuple(max(2, -(-int(n) // 2)) for n in least[:3]),
        (float(parameters["density"]), float(parameters["retention"])),
        window,
        int(parameters["budget"]),
    )
    found = Chains(ptr, evidence, np.arange(len(rows)), np.zeros(len(rows), dtype=np.bool_))
    strength = (rows[:, 1:5] / least).min(axis=1) if len(rows) else np.empty(0)
    keep = strength >= 0.5
    found, strength, rows = found.only(keep), strength[keep], rows[keep]
    begun = columns.time[found.first]
    keep = found.apart(strength < 1, -rows[:, 1:4].sum(axis=1))
    keep &= (scope.begin <= begun) & (begun < scope.end)
    found, strength, rows = found.only(keep), strength[keep], rows[keep]
    return hits(
        rows[:, 0],
        strength >= 1,
        0.5 * strength,
        found.ptr,
        found.evidence,
        {
            "senders": rows[:, 1],
            "middle": rows[:, 2],
            "receivers": rows[:, 3],
            "value": rows[:, 4],
            "arrived": rows[:, 5],
            "returned": rows[:, 6],
            "span": (columns.time[found.last] - columns.time[found.first]) / HOUR,
        },
        money=("value", "arrived"),
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [
        (
            f"{int(features['senders'])} accounts, of which this one was first, paid "
            f"{amount(features['value'], currency)} to the same {int(features['middle'])} others."
        ),
        (
            f"These paid {amount(features['arrived'], currency)} on to the same "
            f"{int(features['receivers'])} receivers; all of it took {span(features['span'])}."
        ),
    ]
    if features["returned"]:
        reasons.append(f"{int(features['returned'])} of the receivers had been among the senders.")
    return tuple(reasons)


def _layered(number: int, layers: tuple[str, str, str], worth: int, missing: int = 0) -> tuple[Transfer, ...]:
    """Everyone of a layer pays everyone of the next the same, but for the first ``missing`` of the pairs."""
    senders, middle, receivers = (names.split() for names in layers)
    pairs = [(0, a, b) for a in senders for b in middle] + [(24, a, b) for a in middle for b in receivers]
    share = worth * len(senders) // len(receivers)
    return tuple(
        pay(number + i, hours + i / 4, a, b, str(share if hours else worth))
        for i, (hours, a, b) in enumerate(pairs)
        if i >= missing
    )


CASES = (
    Sample(
        "three accounts pay three others 500 each, which pay three more within a day and a half",
        (*_layered(0, ("A B C", "L M N", "X Y Z"), 500), pay(90, 3, "A", "A", "500")),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: two, two and two are to watch; two that pay different others are nothing",
        (
            *_layered(0, ("A B", "M N", "X Y"), 500),
            *(pay(40 + i, i, "C", f"O{i}", "500") for i in range(3)),
            *(pay(50 + i, i, "D", f"P{i}", "500") for i in range(3)),
            *(pay(60 + i, 9 + i, f"O{i}", f"Q{i}", "500") for i in range(3)),
            *(pay(70 + i, 9 + i, f"P{i}", f"Q{i}", "500") for i in range(3)),
        ),
        watches=(account("A"),),
    ),
    Sample(
        "a U-turn: the receivers are the senders; of four by four pairs one may be missing",
        (
            *_layered(0, ("A B C", "L M N", "A B C"), 500),
            *_layered(50, ("E F G H", "P Q R S", "I J K T"), 500, missing=1),
        ),
        alerts=(account("A"), account("E")),
    ),
    Sample(
        "negative: people who are paid by the same three services and pay them; a day too late",
        (
            *_layered(0, ("EXCHANGE BANK BROKER", "L M N", "EXCHANGE BANK BROKER"), 500),
            *(pay(50 + i, i, f"A{i % 3}", f"B{i // 3}", "500") for i in range(9)),
            *(pay(60 + i, 80 + i, f"B{i % 3}", f"C{i // 3}", "500") for i in range(9)),
        ),
        knowledge=tagged(
            ("EXCHANGE", "exchange", "x"), ("BANK", "wallet_service", "y"), ("BROKER", "exchange", "z")
        ),
    ),
)

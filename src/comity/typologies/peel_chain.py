"""Peel chain: at each step a small part is peeled off, and the large rest goes on to a fresh account.

On a chain of accounts a step is a transfer in, a few small payments out and one large one, which together are
no more than came in, all within ``hop``. On Bitcoin a step is a transaction (a hub): one output takes
at least ``retention`` of the value, and one to ``parts`` small ones go elsewhere; the account between two
transactions passes its whole value on. Every step must peel; the chain is followed as far as that holds
within ``window``. Of chains that share a transfer one is told: an alert rather than one to watch, then
the longest, then the first. The subject is the account that peels first.

Watched: half the steps (at least two) or half the value. Not found, on purpose: a rest that returns to the
account it came from (ordinary change), more parts at one step than ``parts`` (a batch of payments, as an
exchange makes them), and steps that an account with hundreds of payments makes.

Source of the pattern: Meiklejohn and others, A Fistful of Bitcoins (IMC 2013), section 5, "peeling chains".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import BITCOIN, Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._chains import Chains, chains, links
from comity.typologies._common import HOUR, PRACTICE, account, amount, arrays, grown, hits, pay, span
from comity.typologies._graph import DRIFT, after

SPEC = TypologySpec(
    id="peel_chain",
    title="Peel chain",
    indicator="Small parts are split off a large value one after the other, and each time the rest moves on.",
    flags=("X3",),
    source=PRACTICE,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_steps", 5, "count", "an alert from this many steps"),
        Parameter("min_value", 1000, "money", "and when the chain begins with this value"),
        Parameter("hop", 48, "hours", "a step takes this long at most"),
        Parameter("window", 336, "hours", "a chain is followed for this time"),
        Parameter("retention", 0.8, "ratio", "the rest is at least this share of the value"),
        Parameter("parts", 3, "count", "at most this many parts are peeled off at a step"),
        Parameter("budget", 20_000, "count", "a search looks at this many links at most"),
    ),
    before=("window", "hop"),
    after=("window", "window", "hop"),
)


@njit(cache=True, nogil=True)
def _peeled(e, f, time, value, src, dst, out, hub, hop, retention, most, parts):  # type: ignore[no-untyped-def]
    """Put what is peeled off between the transfer ``e`` and its rest ``f`` into ``parts``: how many; 0 if the
    account hands all of it to a transaction, -1 if this is no step of a peel chain."""
    out_ptr, out_idx, out_time, out_value, out_dst = out
    a = dst[e]
    if hub[dst[f]]:
        return 0
    total, size = value[f], 0
    limit = time[e] + (0 if hub[a] else hop)
    for q in range(after(out_time, out_ptr[a], out_ptr[a + 1], time[e] + 1 - hub[a]), out_ptr[a + 1]):
        if out_time[q] > limit:
            break
        other = out_dst[q]
        if out_idx[q] == f or out_value[q] <= 0 or other == a:
            continue
        total += out_value[q]
        large = out_value[q] > (1 - retention) * value[e] or total > DRIFT * value[e]
        if large or other == dst[f] or other == src[e] or size == most:
            return -1
        parts[size] = out_idx[q]
        size += 1
    return size if size > 0 else -1


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out, into, hub, begin, end, window, hop, retention, most, budget, watch
):  # fmt: skip
    """The longest chain from each transfer in [begin, end) that begins one: see `chains`."""
    closed = np.zeros(len(hub), dtype=np.bool_)
    found = links(*out, *into, hub, closed, begin - hop, end + window, hop, retention, 1)
    gain = np.empty(len(found) // 2, dtype=np.int64)
    parts = np.empty(most, dtype=np.int64)
    for i in range(len(gain)):
        e, f = found[2 * i], found[2 * i + 1]
        size = _peeled(e, f, time, value, src, dst, out, hub, hop, retention, most, parts)
        gain[i] = min(size, 1)
    return chains(found, gain, time, src, dst, len(hub), begin, end, window, budget, watch)


@njit(cache=True, nogil=True)
def _with_parts(ptr, chain, time, value, src, dst, out, hub, hop, retention, most):  # type: ignore[no-untyped-def]
    """The chains' transfers together with what is peeled off, and the value of that, for each chain."""
    evidence, used, parts = np.empty(64, dtype=np.int64), 0, np.empty(most, dtype=np.int64)
    fresh, worth = np.zeros(len(ptr), dtype=np.int64), np.zeros(len(ptr) - 1, dtype=np.int64)
    for i in range(len(ptr) - 1):
        for p in range(ptr[i], ptr[i + 1]):
            evidence = grown(evidence, used + 1 + most)
            evidence[used] = chain[p]
            used += 1
            if p + 1 < ptr[i + 1]:
                size = _peeled(
                    chain[p], chain[p + 1], time, value, src, dst, out, hub, hop, retention, most, parts
                )
                for part in parts[: max(size, 0)]:
                    evidence[used] = part
                    used += 1
                    worth[i] += value[part]
        fresh[i + 1] = used
    return fresh, evidence[:used], worth


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, min_steps = max(1, round(parameters["min_value"])), int(parameters["min_steps"])
    window, hop, most = (
        round(parameters["window"]),
        round(parameters["hop"]),
        min(int(parameters["parts"]), len(columns)),
    )
    retention = float(parameters["retention"])
    time, value, src, dst = arrays(columns, "time value src dst")
    out = arrays(columns, "out_ptr out_idx out_time out_value out_dst")
    into = arrays(columns, "in_ptr in_idx in_time in_value in_src")
    (hub,) = arrays(columns, "hub")
    ptr, evidence, told, unfinished = _kernel(
        time, value, src, dst, out, into, hub, scope.begin - window, scope.end + window, window, hop,
        retention, most, int(parameters["budget"]), max(2, -(-min_steps // 2)),
    )  # fmt: skip
    found = Chains(ptr, evidence, told[:, 0], told[:, 1] > 0)
    found = found.only(2 * value[found.first] >= least)
    weak = (found.count < min_steps) | (value[found.first] < least)
    begun = time[found.first]
    keep = found.apart(weak, -found.count) & (scope.begin <= begun) & (begun < scope.end)
    found = found.only(keep)
    steps, worth, first, last = found.count, value[found.first], found.first, found.last
    ptr, evidence, peeled = _with_parts(
        found.ptr, found.evidence, time, value, src, dst, out, hub, hop, retention, most
    )
    return hits(
        np.where(hub[dst[first]], src[first], dst[first]),
        (steps >= min_steps) & (worth >= least),
        0.5 * np.minimum(steps / min_steps, worth / least),
        ptr,
        evidence,
        {
            "steps": steps,
            "value": worth,
            "peeled": peeled,
            "rest": value[last],
            "parts": np.diff(ptr) - np.diff(found.ptr),
            "span": (time[last] - time[first]) / HOUR,
        },
        money=("value", "peeled", "rest"),
        cut=found.cut,
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"From {amount(features['value'], currency)}, small parts were split off in "
            f"{int(features['steps'])} steps within {span(features['span'])}; each time the rest moved on."
        ),
        (
            f"{int(features['parts'])} parts come to {amount(features['peeled'], currency)}; "
            f"{amount(features['rest'], currency)} was left at the last step seen."
        ),
    )


def _peel(number: int, name: str, steps: int, worth: int, part: int) -> tuple[Transfer, ...]:
    """A payment in, then a step every five hours: ``part`` goes elsewhere, the rest to the next account."""
    moves = [pay(number, 0, f"{name}-PAYER", f"{name}0", str(worth))]
    for i in range(steps):
        worth -= part
        rest = pay(number + 2 * i + 2, 5 * i + 5, f"{name}{i}", f"{name}{i + 1}", str(worth))
        moves += [pay(number + 2 * i + 1, 5 * i + 4, f"{name}{i}", f"{name}-PART{i}", str(part)), rest]
    return tuple(moves)


def _chain(name: str) -> str:
    return f"{BITCOIN}:{name}"


def _spend(number: int, i: int, worth: int, rest: str) -> tuple[Transfer, ...]:
    """A transaction: 200 to someone else, and what is left to ``rest``."""
    transaction, source = _chain(f"tx-{number}-{i}"), _chain(f"w{number}-{i}")
    return (
        pay(number + 3 * i, 2 * i, source, transaction, str(worth)),
        pay(number + 3 * i + 1, 2 * i, transaction, _chain(f"p{number}-{i}"), "200"),
        pay(number + 3 * i + 2, 2 * i, transaction, _chain(rest), str(worth - 210)),
    )


CASES = (
    Sample(
        "8,000 in six steps, of which each leaves 400 elsewhere",
        _peel(0, "A", 6, 8000, 400),
        alerts=(account("A0"),),
    ),
    Sample(
        "the same through transactions on Bitcoin, to a fresh wallet each time",
        tuple(t for i in range(6) for t in _spend(100, i, 8000 - 210 * i, f"w100-{i + 1}")),
        alerts=(_chain("w100-0"),),
    ),
    Sample(
        "near miss: three steps are to watch; large parts, or nothing but the rest, are nothing",
        (
            *_peel(0, "A", 3, 8000, 400),
            *_peel(20, "B", 4, 8000, 1700),
            *(pay(40 + i, 5 * i, f"C{i}", f"C{i + 1}", str(8000 - 100 * i)) for i in range(8)),
        ),
        watches=(account("A0"),),
    ),
    Sample(
        "negative: a wallet that gets its change back; an exchange that pays many out at once",
        (
            *(
                t
                for i in range(6)
                for t in (
                    pay(3 * i, 2 * i, _chain("own"), _chain(f"tx-{i}"), str(8000 - 210 * i)),
                    pay(3 * i + 1, 2 * i, _chain(f"tx-{i}"), _chain(f"p{i}"), "200"),
                    pay(3 * i + 2, 2 * i, _chain(f"tx-{i}"), _chain("own"), str(8000 - 210 * i - 210)),
                )
            ),
            *(
                t
                for i in range(6)
                for t in (
                    *_spend(100, i, 8000 - 210 * i, f"w100-{i + 1}"),
                    *(
                        pay(200 + 10 * i + k, 2 * i, _chain(f"tx-100-{i}"), _chain(f"q{i}-{k}"), "2")
                        for k in range(9)
                    ),
                )
            ),
        ),
    ),
)

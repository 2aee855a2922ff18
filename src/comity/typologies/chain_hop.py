"""Chain-hop: value goes into a bridge or swap service, and soon about the same comes out elsewhere.

The sides of a service are the accounts that are known to be run by one actor and to be a bridge or a swap. A
hop is a deposit at one side and a payment from one, not before it and within ``delay``, of nearly its value,
in another asset or on another chain, to another account. Hops of one depositor within ``window`` are one
finding, and of those that begin within one window of each other the one of most value is told. The subject
is the depositor: behind it the trail breaks off. Where a transaction (a hub) pays in, it is its first input.

An alert needs hops that are clear: no other payment fits the deposit, no other deposit fits the payment, and
the receiver is not plainly the depositor's own address on the other chain, as an ordinary user's is. Watched:
from half the value, in hops of which some may not be so. Nothing is found where more than ``fits`` of either
fit, for they say nothing; for who swaps for the same account (ordinary trade); for what a known service
pays in; at sides that are not known; and on one chain for transfers that state no asset.

Source of the pattern: FATF, Targeted Update on Virtual Assets and VASPs (2025), on chain-hopping.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import ETHEREUM, AccountId, Amount, AssetId, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import HOUR, PRACTICE, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._graph import DRIFT, peaks, tagged

SPEC = TypologySpec(
    id="chain_hop",
    title="Chain-hop",
    indicator="Value goes into a bridge or swap service and soon comes out elsewhere as another asset.",
    flags=("X2",),
    source=PRACTICE,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_value", 5000, "money", "an alert from clear hops of this value together"),
        Parameter("delay", 2, "hours", "the value comes out within this time"),
        Parameter("window", 24, "hours", "hops within this time are told together"),
        Parameter("retention", 0.95, "ratio", "at least this share of a deposit comes out"),
        Parameter("fits", 3, "count", "when more than this many fit, nothing is said"),
        Parameter("budget", 20_000, "count", "at most this many transfers are compared with one"),
    ),
    before=("window", "delay"),
    after=("window", "window", "delay"),
    uses=("accounts", "facts.asset", "known.marks", "known.actor"),
)

_SIDE = int(Mark.BRIDGE | Mark.SWAP)
_ROW = 5


@njit(cache=True, nogil=True)
def _transfers(sides, ptr, idx, other, value, time, actor, low, high):  # type: ignore[no-untyped-def]
    """The transfers of known value between these sides and others, in order."""
    found, size = np.empty(64, dtype=np.int64), 0
    for a in sides:
        for p in range(ptr[a], ptr[a + 1]):
            e = idx[p]
            if value[e] > 0 and low <= time[e] < high and actor[other[e]] != actor[a]:
                found = grown(found, size + 1)
                found[size] = e
                size += 1
    return np.sort(found[:size])


@njit(cache=True, nogil=True)
def _matches(d, f, value, src, dst, asset, chain, retention):  # type: ignore[no-untyped-def]
    """Whether the payment ``f`` may be what became of the deposit ``d``."""
    if not retention * value[d] <= value[f] <= DRIFT * value[d] or src[d] == dst[f]:
        return False
    elsewhere = chain[dst[d]] != chain[src[f]]
    return elsewhere or (asset[d] != asset[f] and asset[d] > 0 and asset[f] > 0)


@njit(cache=True, nogil=True)
def _best(d, payouts, left, right, value, src, dst, asset, chain, retention):  # type: ignore[no-untyped-def]
    """How many payments fit the deposit, and of these the nearest in value (the first of equal ones)."""
    count, best = 0, -1
    for i in range(left, right):
        f = payouts[i]
        if _matches(d, f, value, src, dst, asset, chain, retention):
            count += 1
            if best < 0 or abs(value[f] - value[d]) < abs(value[best] - value[d]):
                best = f
    return count, best


@njit(cache=True, nogil=True)
def _payer(d, time, src, in_ptr, in_idx, hub):  # type: ignore[no-untyped-def]
    """Who makes the deposit, and the transfer by which (-1: the deposit): through a hub, its first input."""
    a = src[d]
    if not hub[a]:
        return a, -1
    for p in range(in_ptr[a], in_ptr[a + 1]):
        e = in_idx[p]
        if time[e] == time[d] and not hub[src[e]]:
            return src[e], e
    return -1, -1


@njit(cache=True, nogil=True)
def _hop(  # type: ignore[no-untyped-def]
    d, deposits, payouts, came, went, time, value, src, dst, asset, chain, delay, retention, fits, budget
):  # fmt: skip
    """The payment that the deposit became (-1: none, or too many to tell; -2: too many to look at), and
    whether it is the only one that it can be."""
    left = np.searchsorted(went, time[d])
    right = np.searchsorted(went, time[d] + delay, side="right")
    if right - left > budget:
        return -2, 0
    count, f = _best(d, payouts, left, right, value, src, dst, asset, chain, retention)
    if count == 0 or count > fits:
        return -1, 0
    left = np.searchsorted(came, time[f] - delay)
    right = np.searchsorted(came, time[f], side="right")
    if right - left > budget:
        return -2, 0
    rivals = 0
    for i in range(left, right):
        rivals += _matches(deposits[i], f, value, src, dst, asset, chain, retention)
    return f if rivals <= fits else -1, int(count == 1 and rivals == 1)


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, asset, marks, actor, sides, chain, service,
    low, high, delay, retention, fits, budget
):  # fmt: skip
    """One row per hop: depositor, deposit, payment, payment to the hub that makes the deposit (or -1), and
    whether no others fit; and sides where a search was cut.

    ``sides``: the accounts of services, those of one actor in a row; ``chain``: of each account, a number.
    """
    rows, k = np.empty(64, dtype=np.int64), 0
    short, unfinished = 0, np.empty(16, dtype=np.int64)
    last = 0
    while last < len(sides):
        first = last
        while last < len(sides) and actor[sides[last]] == actor[sides[first]]:
            last += 1
        mine = sides[first:last]
        deposits = _transfers(mine, in_ptr, in_idx, src, value, time, actor, low, high)
        payouts = _transfers(mine, out_ptr, out_idx, dst, value, time, actor, low, high)
        came, went = time[deposits], time[payouts]
        for d in deposits:
            a, by = _payer(d, time, src, in_ptr, in_idx, hub)
            if a < 0 or marks[a] & service:
                continue
            f, clear = _hop(
                d, deposits, payouts, came, went, time, value, src, dst, asset, chain, delay, retention, fits,
                budget,
            )  # fmt: skip
            if f == -2:
                unfinished = grown(unfinished, short + 1)
                unfinished[short] = dst[d]
                short += 1
            if f < 0 or dst[f] == a:
                continue
            rows, k = grown(rows, _ROW * (k + 1)), k + 1
            at = _ROW * (k - 1)
            rows[at], rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = a, d, f, by, clear
    return rows[: _ROW * k].reshape(k, _ROW), unfinished[:short]


@njit(cache=True, nogil=True)
def _episodes(rows, time, value, window, least):  # type: ignore[no-untyped-def]
    """The best of each depositor's windows that begin with a hop, for rows in order of depositor and time:
    the first and the end of its hops, how many are clear, the value of these, value in, value out."""
    found, k = np.empty((len(rows), 6), dtype=np.int64), 0
    moments, ranks = np.empty(len(rows), dtype=np.int64), np.zeros((len(rows), 3), dtype=np.int64)
    before, ends = np.zeros((len(rows) + 1, 4), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
    for i in range(len(rows)):
        came, went, clear = value[rows[i, 1]], value[rows[i, 2]], rows[i, 4]
        before[i + 1, 0], before[i + 1, 1] = before[i, 0] + clear, before[i, 1] + clear * came
        before[i + 1, 2], before[i + 1, 3] = before[i, 2] + came, before[i, 3] + went
        moments[i] = time[rows[i, 1]]
    last = 0
    while last < len(rows):
        first, end = last, last
        while last < len(rows) and rows[last, 0] == rows[first, 0]:
            last += 1
        for i in range(first, last):
            while end < last and moments[end] <= moments[i] + window:
                end += 1
            ends[i] = end
            clear, total = before[end, 1] - before[i, 1], before[end, 2] - before[i, 2]
            ranks[i, 0], ranks[i, 1], ranks[i, 2] = int(clear >= least), clear, total
        keep = peaks(moments[first:last], ranks[first:last], last - first, window)
        for i in range(first, last):
            if keep[i - first]:
                found[k, 0], found[k, 1] = i, ends[i]
                found[k, 2:] = before[ends[i]] - before[i]
                k += 1
    return found[:k]


def _sides(columns: Columns) -> tuple[NDArray[Any], NDArray[Any]]:
    """The accounts of bridges and swap services, those of one actor in a row; the chain of each account."""
    known = columns.known
    sides = np.flatnonzero((known.marks & _SIDE > 0) & (known.actor > 0))
    sides = sides[np.argsort(known.actor[sides], kind="stable")]
    chain = np.zeros(columns.n_accounts, dtype=np.int32)
    numbers: dict[str, int] = {}
    for side in sides.tolist():
        name = AccountId(columns.accounts[side]).chain or ""
        chain[side] = numbers.setdefault(name, len(numbers))
    return sides.astype(np.int32), chain


def _own(columns: Columns, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each hop leads to the depositor's own address on another chain."""
    ends = zip(columns.src[rows[:, 1]].tolist(), columns.dst[rows[:, 2]].tolist(), strict=True)
    names = ((AccountId(columns.accounts[a]), AccountId(columns.accounts[b])) for a, b in ends)
    return np.array([a.address == b.address for a, b in names], dtype=np.bool_)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, window = max(1, round(parameters["min_value"])), round(parameters["window"])
    delay = round(parameters["delay"])
    sides, chain = _sides(columns)
    rows, unfinished = _kernel(
        *arrays(columns, "time value src dst out_ptr out_idx in_ptr in_idx hub"),
        *arrays(columns, "facts.asset known.marks known.actor"),
        frozen(sides),
        frozen(chain),
        int(Mark.service()),
        scope.begin - window - delay,
        scope.end + 2 * window + delay,
        delay,
        float(parameters["retention"]),
        int(parameters["fits"]),
        int(parameters["budget"]),
    )
    begun = columns.time[rows[:, 1]]
    rows = rows[(scope.begin - window <= begun) & (begun < scope.end + 2 * window)]
    rows[_own(columns, rows), 4] = 0
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    found = _episodes(rows, *arrays(columns, "time value"), window, least)
    begun = columns.time[rows[found[:, 0], 1]]
    found = found[(scope.begin <= begun) & (begun < scope.end) & (2 * found[:, 4] >= least)]
    clear, value = found[:, 3], found[:, 4]
    hops = [rows[begin:end] for begin, end in found[:, :2].tolist()]
    each = [np.unique(part[:, 1:4]) for part in hops]
    each = [part[part >= 0] for part in each]
    delays = [(columns.time[part[:, 2]] - columns.time[part[:, 1]]).max() for part in hops]
    return hits(
        np.array([part[0, 0] for part in hops], dtype=np.int64),
        clear >= least,
        np.where(clear >= least, 0.5 * clear / least, 0.49 * np.minimum(value / least, 1)),
        np.cumsum([0, *(len(part) for part in each)], dtype=np.int64),
        np.concatenate(each) if each else np.empty(0, dtype=np.int64),
        {
            "hops": np.array([len(part) for part in hops]),
            "clear": found[:, 2],
            "value": value,
            "arrived": found[:, 5],
            "delay": np.array(delays, dtype=np.float64) / HOUR,
        },
        money=("value", "arrived"),
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    hops, clear = int(features["hops"]), int(features["clear"])
    reasons = [
        (
            f"{amount(features['value'], currency)} went into a bridge or swap service in {hops} "
            f"deposit{'s' if hops > 1 else ''}, and {amount(features['arrived'], currency)} came out of it "
            f"as another asset or on another chain, within {span(features['delay'])} of each."
        )
    ]
    if clear < hops:
        reasons.append(
            f"For {hops - clear} of them another payment fits too, or it went to the same address elsewhere."
        )
    return tuple(reasons)


_POLYGON = "eip155:137"
_TOKENS = {
    "USDT": AssetId(f"{ETHEREUM}/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"),
    "DAI": AssetId(f"{ETHEREUM}/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"),
    "USDT on Polygon": AssetId(f"{_POLYGON}/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"),
}


def _on(chain: str, number: int) -> str:
    return f"{chain}:0x{number:040x}"


_IN, _OUT, _POOL = _on(ETHEREUM, 0xB1), _on(_POLYGON, 0xB2), _on(ETHEREUM, 0x5A)
_KNOWN = tagged((_IN, "bridge", "bridge"), (_OUT, "bridge", "bridge"), (_POOL, "swap", "swapper"))


def _move(number: int, hours: float, source: str, target: str, worth: str, token: str) -> Transfer:
    return pay(number, hours, source, target, worth, amount=Amount(Decimal(worth), _TOKENS[token]))


def _bridged(number: int, hours: float, who: int, to: int, worth: int) -> tuple[Transfer, ...]:
    """A deposit on Ethereum, and half an hour later a payment of ten less on Polygon."""
    return (
        _move(number, hours, _on(ETHEREUM, who), _IN, str(worth), "USDT"),
        _move(number + 1, hours + 0.5, _OUT, _on(_POLYGON, to), str(worth - 10), "USDT on Polygon"),
    )


CASES = (
    Sample(
        "6,000 goes over a bridge in one deposit to an address of another, beside others' small change",
        (*_bridged(0, 0, 1, 2, 6000), *_bridged(10, 0.1, 3, 4, 80)),
        alerts=(_on(ETHEREUM, 1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "two hops of a day together; and one asset for another at a swap service, paid to another account",
        (
            *_bridged(0, 0, 1, 2, 3000),
            *_bridged(10, 20, 1, 4, 3500),
            _move(20, 40, _on(ETHEREUM, 5), _POOL, "9000", "USDT"),
            _move(21, 40, _POOL, _on(ETHEREUM, 6), "8950", "DAI"),
        ),
        alerts=(_on(ETHEREUM, 1), _on(ETHEREUM, 5)),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: to watch are half the value, two payments that fit, and one's own address elsewhere",
        (
            *_bridged(0, 0, 1, 2, 3000),
            *_bridged(10, 10, 3, 4, 7000),
            _move(20, 10.6, _OUT, _on(_POLYGON, 5), "6980", "USDT on Polygon"),
            *_bridged(30, 20, 7, 7, 9000),
        ),
        watches=(_on(ETHEREUM, 1), _on(ETHEREUM, 3), _on(ETHEREUM, 7)),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: too late, too little; trade on one's own account; an exchange's; the same asset back",
        (
            _move(0, 0, _on(ETHEREUM, 1), _IN, "9000", "USDT"),
            _move(1, 2.1, _OUT, _on(_POLYGON, 2), "8990", "USDT on Polygon"),
            _move(2, 1, _OUT, _on(_POLYGON, 2), "8000", "USDT on Polygon"),
            _move(3, 30, _on(ETHEREUM, 3), _POOL, "9000", "USDT"),
            _move(4, 30, _POOL, _on(ETHEREUM, 3), "8950", "DAI"),
            *_bridged(10, 40, 0xEE, 4, 7000),
            _move(20, 50, _on(ETHEREUM, 5), _POOL, "9000", "USDT"),
            _move(21, 50, _POOL, _on(ETHEREUM, 6), "9000", "USDT"),
        ),
        knowledge=tagged(
            (_IN, "bridge", "bridge"),
            (_OUT, "bridge", "bridge"),
            (_POOL, "swap", "swapper"),
            (_on(ETHEREUM, 0xEE), "exchange", "exchange"),
        ),
    ),
)

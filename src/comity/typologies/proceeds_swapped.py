"""Proceeds swapped: stablecoins that their issuer can freeze come from a criminal's account and are soon
swapped into something that nobody can freeze.

The issuers of some stablecoins can stop any address: see `FREEZABLE`. Such coins received straight from an
account marked for crime (at least even confidence) are matched, the latest first, with what the account pays
in such coins within ``hours``, to a swap service, or to anyone who pays back at least ``returned`` of the
value in another asset, not one of these, within ``hours`` (a pool, a desk). An alert from ``min_value``
within the window; to watch from half of it. FATF's reports of 2025 and 2026 on stablecoins describe it.

Assets that are not stated are never taken for a swap. Who receives more than 500 transfers while the
answer is awaited is a service, and its answers are not looked for. A swap within a Bitcoin transaction
cannot be seen, nor one that a bridge makes on another chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Amount, AssetId, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._cash_out import gone_on, judged, told
from comity.typologies._common import PRACTICE, arrays, frozen, grown, pay, wallet
from comity.typologies._marked import CRIME, SPARED, called, known, met, near, percent, spared, through

SPEC = TypologySpec(
    id="proceeds_swapped",
    title="Proceeds swapped out of a stablecoin that can be frozen",
    indicator="Right after dealing with a criminal's account, stablecoins that can be frozen are swapped.",
    flags=("X6",),
    source=PRACTICE,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 1000, "money", "an alert when this value was swapped"),
        Parameter("window", 720, "hours", "within this time"),
        Parameter("hours", 48, "hours", "the swap follows in this time, and its answer too"),
        Parameter("returned", 0.8, "ratio", "one not known for swaps pays back this share in another asset"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"total": "min_value"},
    uses=("facts.asset", "known.marks", "known.sure"),
)

_USDT = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"
FREEZABLE = frozenset(
    {
        _USDT,
        "eip155:43114/erc20:0x9702230a8ea53601f5cd2dc00fdbc13d4df4a8c7",
        "tron:728126428/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "eip155:1/erc20:0x1abaea1f7c830bd89acc67ec4af516284b1bc33c",
        "eip155:10/erc20:0x0b2c639c533813f4aa9d7837caf62653d097ff85",
        "eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359",
        "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        "eip155:42161/erc20:0xaf88d065e77c8cc2239327c5edb3a432268e5831",
        "eip155:43114/erc20:0xb97ef9ef8734c71904d8002f8b6bc66dd9c48a6e",
        "tron:728126428/trc20:TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8",
        "eip155:1/erc20:0x6c3ea9036406852006290770bedfcaba0e23a0e8",
    }
)
"""Tether's USDT (its contract has ``addBlackList`` and ``destroyBlackFunds``), Circle's USDC and EURC
(``blacklist``) and Paxos's PYUSD (``freeze``, ``wipeFrozenAddress``), where those issue it themselves. A
token that a bridge or an exchange makes of one of them is not theirs to freeze, and is not here."""
_SERVICE = 500


@njit(cache=True, nogil=True)
def _only(codes, begin, end, asset, freezable):  # type: ignore[no-untyped-def]
    """Keep, of these codes, those of transfers in an asset that can be frozen: where they end."""
    for i in range(begin, end):
        if freezable[asset[codes[i] // 2]]:
            codes[begin] = codes[i]
            begin += 1
    return begin


@njit(cache=True, nogil=True)
def _answer(e, a, time, value, dst, asset, freezable, ins, hours, least, taken):  # type: ignore[no-untyped-def]
    """The transfer, none of those ``taken``, by which the payee of ``e`` pays back its worth in an asset that
    cannot be frozen; or -1."""
    in_ptr, in_idx, in_src, in_time = ins
    low, high = in_ptr[a], in_ptr[a + 1]
    p = low + np.searchsorted(in_time[low:high], time[e])
    if p + _SERVICE < high and in_time[p + _SERVICE] <= time[e] + hours:
        return -1
    while p < high and in_time[p] <= time[e] + hours:
        f = in_idx[p]
        stated = asset[f] != 0 and not freezable[asset[f]]
        worth = stated and value[f] > 0 and value[f] >= least * value[e]
        if in_src[p] == dst[e] and worth and not np.any(taken == f):
            return f
        p += 1
    return -1


@njit(cache=True, nogil=True)
def _swaps(  # type: ignore[no-untyped-def]
    a, time, value, dst, out_ptr, out_idx, out_dst, ins, hub, marks, sure, asset, freezable, masks, even,
    hours, returned, codes, size
):  # fmt: skip
    """The codes of what came in, with those of the swaps in order between them, how many these are, and the
    answer to each swap (-1: none)."""
    came, swap, _ = masks
    begun = time[codes[0] // 2]
    for p in range(out_ptr[a], out_ptr[a + 1]):
        e, o = out_idx[p], out_dst[p]
        if time[e] < begun or o == a or hub[o] or not freezable[asset[e]] or marks[o] & came:
            continue
        codes = grown(codes, size + 1)
        codes[size] = 2 * e + 1
        size += 1
    codes[:size].sort()
    answers, kept = np.full(size, -1, dtype=np.int64), 0
    for i in range(size):
        e = codes[i] // 2
        if codes[i] % 2:
            answers[kept] = _answer(
                e, a, time, value, dst, asset, freezable, ins, hours, returned, answers[:kept]
            )
            if answers[kept] < 0 and not (marks[dst[e]] & swap and sure[dst[e]] >= even):
                continue
        codes[kept] = codes[i]
        kept += 1
    return codes, kept, answers


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_dst, in_ptr, in_idx, in_src, in_time, hub, marks,
    sure, asset, freezable, masks, even, hours, window, least, returned
):  # fmt: skip
    """Rows of `gone_on`, and their evidence. The facts are what came so, and all that came in."""
    came, _, mercy = masks
    found = (
        np.empty(8 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    codes, facts = np.empty(64, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for a in near(accounts, marks, came, out_ptr, out_dst, in_ptr, in_src):
        if out_ptr[a] == out_ptr[a + 1]:
            continue
        codes, size = met(a, in_ptr, in_idx, in_src, marks, sure, came, even, 0, codes, 0)
        if size == 0 or spared(a, hub, marks, sure, mercy, even):
            continue
        size = _only(codes, 0, size, asset, freezable)
        facts[:] = 0
        for i in range(size):
            facts[0] += max(value[codes[i] // 2], 0)
        if facts[0] < least:
            continue
        codes, size, answers = _swaps(
            a, time, value, dst, out_ptr, out_idx, out_dst, (in_ptr, in_idx, in_src, in_time), hub, marks,
            sure, asset, freezable, masks, even, hours, returned, codes, size,
        )  # fmt: skip
        facts[1] = through(a, in_ptr, in_idx, in_src, value)
        found = gone_on(
            a, codes, size, answers, time, value, src, marks, hours, 0.0, window, least, facts, found
        )
    rows, ptr, k, evidence, used = found
    return rows[: 8 * k].reshape(k, 8), ptr[: k + 1], evidence[:used]


def _freezable(assets: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([asset in FREEZABLE for asset in assets], dtype=np.bool_)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx out_dst in_ptr in_idx in_src in_time hub"),
        *arrays(columns, "known.marks known.sure facts.asset"),
        frozen(_freezable(columns.facts.assets)),
        (CRIME, int(Mark.SWAP), SPARED),
        percent(parameters["confidence"]),
        round(parameters["hours"]),
        round(parameters["window"]),
        -(-least // 2),
        float(parameters["returned"]),
    )
    return judged(rows, ptr, evidence, min_value=least)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    whence = (
        "in stablecoins that can be frozen straight from accounts attributed to: "
        f"{called(features['marks'], among=CRIME)}"
    )
    return told(features, currency, whence, "into another asset")


def _coin(number: int, hours: float, source: str, target: str, value: str, asset: str = _USDT) -> Transfer:
    return pay(number, hours, source, target, value, amount=Amount(Decimal(value), AssetId(asset)))


_ETHER = "eip155:1/slip44:60"
_KNOWN = known(HACK="hack", SCAM="phishing", DEX="dex", EX="exchange")

CASES = (
    Sample(
        "stolen USDT is swapped at once: at a known service, and with a desk that pays ether for it",
        (
            _coin(1, 0, "HACK", wallet(1), "9000"),
            _coin(2, 1, wallet(1), "DEX", "8000"),
            _coin(3, 1, "DEX", wallet(1), "7990", _ETHER),
            _coin(4, 0, "SCAM", wallet(2), "3000"),
            _coin(5, 1, wallet(2), "DESK", "3000"),
            _coin(6, 2, "DESK", wallet(2), "2900", _ETHER),
        ),
        alerts=(wallet(1), wallet(2)),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half is to watch; late, unanswered, answered in the same coin or too low, is nothing",
        (
            _coin(1, 0, "HACK", wallet(1), "500"),
            _coin(2, 48, wallet(1), "DEX", "500"),
            _coin(3, 0, "HACK", wallet(2), "9000"),
            _coin(4, 49, wallet(2), "DEX", "9000"),
            _coin(5, 0, "HACK", wallet(3), "9000"),
            _coin(6, 1, wallet(3), "X", "9000"),
            _coin(7, 0, "HACK", wallet(4), "9000"),
            _coin(8, 1, wallet(4), "X", "3000"),
            _coin(9, 2, "X", wallet(4), "3000"),
            _coin(10, 1, wallet(4), "Y", "3000"),
            _coin(11, 2, "Y", wallet(4), "2399", _ETHER),
        ),
        watches=(wallet(1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: ether from a thief, coins from an exchange, and the thief's own swap",
        (
            _coin(1, 0, "HACK", wallet(1), "9000", _ETHER),
            _coin(2, 1, wallet(1), "DEX", "9000", _ETHER),
            _coin(3, 0, "EX", wallet(2), "9000"),
            _coin(4, 1, wallet(2), "DEX", "9000"),
            _coin(5, 0, "SCAM", "HACK", "9000"),
            _coin(6, 1, "HACK", "DEX", "9000"),
        ),
        knowledge=_KNOWN,
    ),
)

"""Stablecoin relay: a stablecoin goes through a long chain of self-hosted wallets before it is cashed out.

Every transfer of a chain is of the same stablecoin (`_stablecoins` knows their contracts), follows the one
before it within ``hop`` and keeps ``retention`` of its value; every account in between is self-hosted: no
transfer names an institution that keeps it, and it is not known to be a service. The chain ends at the first
account that is either. It begins where no such transfer leads to it, and is followed within ``window``;
where it branches, a way that is cashed out goes before one that is not, and then the longest. Chains that
share a transfer are one finding: the best. The subject is the last wallet, which pays in: the
institution that takes the money knows it as its customer's.

Watched: from half the wallets or half the value; and as many wallets and as much value as an alert asks for
that were not cashed out yet. Not found, on purpose: what is swapped on the way (chain-hop), and stablecoins
whose contract is not listed.

Source of the pattern: FATF, Targeted Update on Virtual Assets and VASPs (2025), on stablecoins and unhosted
wallets.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import ETHEREUM, Amount, AssetId, Columns, Mark, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._chains import Chains, chains, links
from comity.typologies._common import HOUR, PRACTICE, amount, arrays, frozen, hits, pay, span, wallet
from comity.typologies._graph import tagged
from comity.typologies._stablecoins import stable

SPEC = TypologySpec(
    id="stablecoin_relay",
    title="Stablecoin relay",
    indicator="A stablecoin moves through a long chain of self-hosted wallets before it is cashed out.",
    flags=("X1",),
    source=PRACTICE,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_wallets", 5, "count", "an alert from this many wallets in a row"),
        Parameter("min_value", 1000, "money", "and when each transfer has this value"),
        Parameter("hop", 24, "hours", "each transfer follows the one before it within this time"),
        Parameter("window", 168, "hours", "a chain is followed for this time"),
        Parameter("retention", 0.9, "ratio", "each transfer keeps this share of the one before it"),
        Parameter("budget", 20_000, "count", "a search looks at this many links at most"),
    ),
    before=("window", "hop"),
    after=("window", "window"),
    uses=("facts.asset", "facts.hosted", "known.marks"),
)

_SERVICE = int(Mark.service())
_PAID_IN = 1 << 32
"""What the end at an institution counts for, beside the wallets: more than any number of them."""


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, src, dst, out, into, hub, asset, coins, hosted, marks, service, begin, end, window, hop,
    retention, least, budget, watch
):  # fmt: skip
    """The best chain from each transfer in [begin, end) that begins one: see `chains`."""
    closed = hosted | hub
    for a in range(len(marks)):
        closed[a] = closed[a] or marks[a] & service > 0
    found = links(*out, *into, hub, closed, begin - hop, end + window, hop, retention, least)
    gain = np.empty(len(found) // 2, dtype=np.int64)
    for i in range(len(gain)):
        e, f = found[2 * i], found[2 * i + 1]
        gain[i] = -1
        if asset[e] == asset[f] and coins[asset[e]]:
            gain[i] = 1 + (_PAID_IN if closed[dst[f]] and not hub[dst[f]] else 0)
    return chains(found, gain, time, src, dst, len(hub), begin, end, window, budget, watch)


def _told(columns: Columns, found: Chains, min_wallets: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The strength of each chain, and whether it is an alert."""
    wallets, paid_in = found.count % _PAID_IN, found.count >= _PAID_IN
    strength = np.minimum(wallets / min_wallets, found.smallest(columns.value) / least)
    return np.where(paid_in, strength, np.minimum(strength, 0.98)), paid_in & (strength >= 1)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, min_wallets = max(1, round(parameters["min_value"])), int(parameters["min_wallets"])
    window, coins = round(parameters["window"]), stable(columns.facts.assets)
    some = coins.any()  # else no transfer needs to be looked at
    ptr, evidence, told, unfinished = _kernel(
        *arrays(columns, "time src dst"),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub facts.asset"),
        frozen(coins),
        *arrays(columns, "facts.hosted known.marks"),
        _SERVICE,
        scope.begin - window,
        scope.end + window if some else scope.begin - 2 * window,
        window,
        round(parameters["hop"]),
        float(parameters["retention"]),
        -(-least // 2),
        int(parameters["budget"]),
        max(1, -(-min_wallets // 2)),
    )
    found = Chains(ptr, evidence, told[:, 0], told[:, 1] > 0)
    wallets, paid_in = found.count % _PAID_IN, found.count >= _PAID_IN
    whole = (wallets >= min_wallets) & (found.smallest(columns.value) >= least)
    found = found.only(whole | paid_in & (2 * wallets >= min_wallets))
    _, alert = _told(columns, found, min_wallets, least)
    begun = columns.time[found.first]
    keep = found.apart(~alert, -found.count) & (scope.begin <= begun) & (begun < scope.end)
    found = found.only(keep)
    strength, alert = _told(columns, found, min_wallets, least)
    paid_in = found.count >= _PAID_IN
    return hits(
        np.where(paid_in, columns.src[found.last], columns.dst[found.last]),
        alert,
        0.5 * strength,
        found.ptr,
        found.evidence,
        {
            "wallets": found.count % _PAID_IN,
            "value": columns.value[found.first],
            "arrived": columns.value[found.last],
            "paid_in": paid_in,
            "span": (columns.time[found.last] - columns.time[found.first]) / HOUR,
        },
        money=("value", "arrived"),
        cut=found.cut,
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    wallets, value = int(features["wallets"]), amount(features["value"], currency)
    path = f"A stablecoin worth {value} went through {wallets} self-hosted wallets in a row"
    if not features["paid_in"]:
        return (f"{path} within {span(features['span'])}; it stands at the last of them.",)
    arrived = amount(features["arrived"], currency)
    return (f"{path}, and {arrived} of it was paid in at a service within {span(features['span'])}.",)


_USDT = AssetId(f"{ETHEREUM}/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
_OTHER = AssetId(f"{ETHEREUM}/erc20:0x514910771af9ca656af840dff83e8264ecf986ca")


def _relay(number: int, names: list[str], worth: int, asset: AssetId = _USDT) -> tuple[Transfer, ...]:
    """One transfer after the other along ``names``, six hours apart, ten less each time."""
    return tuple(
        pay(
            number + i, 6 * i, a, b, str(worth - 10 * i), amount=Amount(Decimal(worth - 10 * i), asset)
        )
        for i, (a, b) in enumerate(itertools.pairwise(names))
    )  # fmt: skip


def _wallets(begin: int, count: int) -> list[str]:
    return [wallet(number) for number in range(begin, begin + count)]


CASES = (
    Sample(
        "5,000 from an exchange through six wallets to a customer's account",
        _relay(0, ["EXCHANGE", *_wallets(1, 6), "CUSTOMER"], 5000),
        alerts=(wallet(6),),
    ),
    Sample(
        "near miss: three wallets, and more from which it was not paid in yet, are to watch",
        (
            *_relay(0, [*_wallets(1, 4), "CUSTOMER"], 5000),
            *_relay(20, _wallets(11, 7), 5000),
        ),
        watches=(wallet(4), wallet(17)),
    ),
    Sample(
        "an exchange that is known by a tag only ends a chain",
        _relay(0, _wallets(1, 8), 5000),
        alerts=(wallet(7),),
        knowledge=tagged((wallet(8), "exchange", "example")),
    ),
    Sample(
        "negative: another token; two wallets; a chain through an institution",
        (
            *_relay(0, [*_wallets(1, 7), "CUSTOMER"], 5000, _OTHER),
            *_relay(20, [*_wallets(11, 2), "CUSTOMER"], 5000),
            *_relay(40, [*_wallets(21, 2), "BANK", *_wallets(31, 2), "CUSTOMER"], 5000),
        ),
    ),
)

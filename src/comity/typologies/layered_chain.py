"""Layered chain: value goes on and on through several accounts, each of which keeps it for hours only.

Every transfer of a chain is later than the one before it, by ``hop`` hours at most, and keeps ``retention``
of its value (or is worth a little more, as rates move). A transaction between inputs and outputs (a hub) is
passed through and not counted. A chain begins where no such transfer leads to it and is followed as far as
it goes within ``window``; where it branches, the longest way is told. Chains that share a transfer are one
finding: an alert rather than one to watch, then the longest, then the first. The subject is the
account that the chain begins with.

Watched: a chain of half the value, or one transfer too short. Not found, on purpose: value that is split or
joined on the way (scatter-gather, gather-scatter), and what goes through an account that makes hundreds of
payments within ``hop``: a service mixes what it holds. A chain that returns to its beginning is a cycle.

Source of the pattern: the layering stage as FATF describes it; "random" walks of AMLworld (Altman and
others, 2023).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import BITCOIN, Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._chains import Chains, chains, links
from comity.typologies._common import FATF, HOUR, account, amount, arrays, hits, pay, span

SPEC = TypologySpec(
    id="layered_chain",
    title="Layered chain",
    indicator="Value moves on at once through a chain of accounts without business logic.",
    flags=("P4",),
    source=FATF,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("min_hops", 4, "count", "an alert from this many transfers, one after the other"),
        Parameter("min_value", 1000, "money", "and when each has this value"),
        Parameter("hop", 24, "hours", "each follows the one before it within this time"),
        Parameter("window", 96, "hours", "a chain is followed for this time"),
        Parameter("retention", 0.8, "ratio", "each transfer keeps this share of the one before it"),
        Parameter("budget", 20_000, "count", "a search looks at this many links at most"),
    ),
    before=("window", "hop"),
    after=("window", "window"),
)


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, src, dst, out, into, hub, begin, end, window, hop, retention, least, budget, watch
):  # fmt: skip
    """The longest chain from each transfer in [begin, end) that begins one: see `chains`."""
    closed = np.zeros(len(hub), dtype=np.bool_)
    found = links(
        *out, *into, hub, closed, begin - hop, end + window, hop, retention, least
    )  # fmt: skip
    gain = np.empty(len(found) // 2, dtype=np.int64)
    for i in range(len(gain)):
        gain[i] = 1 - hub[dst[found[2 * i + 1]]]
    return chains(found, gain, time, src, dst, len(hub), begin, end, window, budget, watch)


def _hops(columns: Columns, found: Chains) -> NDArray[np.int64]:
    """How many transfers from account to account there are: what comes out of a hub, or goes in, is none."""
    hub, first = columns.hub, found.first
    return found.count + ~(hub[columns.src[first]] | hub[columns.dst[first]])


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, min_hops = max(1, round(parameters["min_value"])), int(parameters["min_hops"])
    window = round(parameters["window"])
    ptr, evidence, told, unfinished = _kernel(
        *arrays(columns, "time src dst"),
        arrays(columns, "out_ptr out_idx out_time out_value out_dst"),
        arrays(columns, "in_ptr in_idx in_time in_value in_src"),
        *arrays(columns, "hub"),
        scope.begin - window,
        scope.end + window,
        window,
        round(parameters["hop"]),
        float(parameters["retention"]),
        -(-least // 2),
        int(parameters["budget"]),
        max(1, min_hops - 2),
    )
    found = Chains(ptr, evidence, told[:, 0], told[:, 1] > 0)
    hops, smallest = _hops(columns, found), found.smallest(columns.value)
    long, full = hops >= min_hops, smallest >= least
    found = found.only((hops > 1) & (long | full & (hops == min_hops - 1)))
    hops, smallest = _hops(columns, found), found.smallest(columns.value)
    keep = found.apart((hops < min_hops) | (smallest < least), -hops)
    begun = columns.time[found.first]
    found = found.only(keep & (scope.begin <= begun) & (begun < scope.end))
    hops, smallest = _hops(columns, found), found.smallest(columns.value)
    origin = columns.src[found.first]
    return hits(
        np.where(columns.hub[origin], columns.dst[found.first], origin),
        (hops >= min_hops) & (smallest >= least),
        0.5 * np.minimum(hops / min_hops, smallest / least),
        found.ptr,
        found.evidence,
        {
            "hops": hops,
            "value": columns.value[found.first],
            "arrived": columns.value[found.last],
            "smallest": smallest,
            "span": (columns.time[found.last] - columns.time[found.first]) / HOUR,
        },
        money=("value", "arrived", "smallest"),
        cut=found.cut,
        unfinished=unfinished,
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"{amount(features['value'], currency)} went on from account to account "
            f"{int(features['hops'])} times within {span(features['span'])}; "
            f"{amount(features['arrived'], currency)} of it arrived at the last one seen."
        ),
    )


def _chain(name: str) -> str:
    return f"{BITCOIN}:{name}"


def _line(number: int, names: str, hours: float, worth: int) -> tuple[Transfer, ...]:
    """One transfer after the other along ``names``, each worth 2 % less."""
    return tuple(
        pay(number + i, hours * (i + 1), a, b, f"{worth * 0.98**i:.2f}")
        for i, (a, b) in enumerate(itertools.pairwise(names.split()))
    )


CASES = (
    Sample(
        "5,000 through four others in a day and a half, beside other payments",
        (*_line(0, "A B C D E", 9, 5000), pay(50, 10, "B", "SHOP", "60"), pay(51, 12, "F", "B", "700")),
        alerts=(account("A"),),
    ),
    Sample(
        "near miss: one transfer too few, or half the value, is to watch; two late or lossy ones end a chain",
        (
            *_line(0, "A B C D", 9, 5000),
            *_line(10, "E F G H I", 9, 600),
            *_line(20, "J K L", 9, 5000),
            pay(30, 43, "L", "M", "4800"),
            *_line(40, "N O P", 9, 5000),
            pay(50, 20, "P", "Q", "3500"),
        ),
        watches=(account("A"), account("E")),
    ),
    Sample(
        "through transactions, which are not counted; two payers of the same chain make one finding",
        (
            pay(1, 0, _chain("a"), _chain("tx-1"), "5000"),
            pay(2, 0, _chain("tx-1"), _chain("b"), "4900"),
            pay(3, 5, _chain("b"), _chain("tx-2"), "4900"),
            pay(4, 5, _chain("tx-2"), _chain("c"), "4850"),
            pay(5, 8, _chain("c"), _chain("tx-3"), "4850"),
            pay(6, 8, _chain("tx-3"), _chain("d"), "4800"),
            pay(7, 9, _chain("d"), _chain("tx-4"), "4800"),
            pay(8, 9, _chain("tx-4"), _chain("e"), "4800"),
            *_line(10, "A B C D E", 9, 5000),
            pay(20, 8, "F", "B", "5000"),
        ),
        alerts=(_chain("a"), account("F")),
    ),
    Sample(
        "negative: a wage that is spent, and what the shop does with it",
        (
            pay(1, 0, "EMPLOYER", "P", "3000"),
            pay(2, 9, "P", "LANDLORD", "1100"),
            pay(3, 20, "LANDLORD", "BANK", "800"),
            *(pay(10 + i, i, f"C{i}", "SHOP", "90") for i in range(20)),
            pay(40, 21, "SHOP", "SUPPLIER", "1700"),
        ),
    ),
)

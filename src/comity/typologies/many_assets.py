"""Many assets: one account uses many different virtual assets within days, and not the same in as out.

Several virtual assets in and several others out cost fees for every change and make the value hard to
follow. Counted are the different virtual assets among transfers of some worth within a window, of which at
least one only came in and one only went out. Watched from two thirds of the number.

Not found, on purpose: tokens that came unasked (their worth is not known, or below ``dust``); what is
collected and held, or paid out of stock; businesses (known as services, or with more than two hundred
transfers within the window).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit

from comity.model import Amount, AssetId, Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span
from comity.typologies._dealings import COIN, SERVICE, both, kinds

SPEC = TypologySpec(
    id="many_assets",
    title="Many assets",
    indicator="Many different virtual assets are used without business logic, other ones in than out.",
    flags=("P4", "A1"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_assets", 6, "count", "an alert from this many different virtual assets"),
        Parameter("window", 168, "hours", "the transfers lie within this time"),
        Parameter("min_value", 5000, "money", "and together have this value"),
        Parameter("dust", 20, "money", "a transfer below this value does not count"),
    ),
    uses=("facts.asset", "known.marks"),
)

_BUSY = 200


@njit(cache=True, nogil=True)
def _note(e, a, by, src, asset, came, went, state):  # type: ignore[no-untyped-def]
    """Take a transfer into the window, or with ``by`` -1 out of it: different assets, only in, only out."""
    one = asset[e]
    for step in (-1, 1):
        state[0] += step * (came[one] + went[one] > 0)
        state[1] += step * (came[one] > 0 and went[one] == 0)
        state[2] += step * (went[one] > 0 and came[one] == 0)
        if step < 0 and src[e] == a:
            went[one] += by
        elif step < 0:
            came[one] += by


@njit(cache=True, nogil=True)
def _episodes(a, line, size, time, value, src, asset, came, went, window, assets_least, least, found):  # type: ignore[no-untyped-def]
    """Append each maximal chain of overlapping windows with so many assets, and the richest one's figures."""
    rows, ptr, k, evidence, used = found
    state, total, left, end = np.zeros(3, dtype=np.int64), 0, 0, 0
    for right in range(size):
        _note(line[right], a, 1, src, asset, came, went, state)
        total += value[line[right]]
        while time[line[right]] - time[line[left]] > window:
            _note(line[left], a, -1, src, asset, came, went, state)
            total -= value[line[left]]
            left += 1
        mixed = state[0] >= assets_least and state[1] > 0 and state[2] > 0
        if not mixed or total < least or right - left >= _BUSY:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[6 * k - 6], rows[6 * k - 5], end = a, 0, left
        evidence = grown(evidence, used + right + 1 - end)
        evidence[used : used + right + 1 - end] = line[end : right + 1]
        used += right + 1 - end
        end, ptr[k] = right + 1, used
        row = 6 * (k - 1)
        if state[0] > rows[row + 1]:
            rows[row + 1 : row + 4] = state
            rows[row + 4] = total
            rows[row + 5] = time[line[right]] - time[line[left]]
    for p in range(left, size):
        came[asset[line[p]]], went[asset[line[p]]] = 0, 0
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _coins(index, asset, kind):  # type: ignore[no-untyped-def]
    """How many of these transfers move a virtual asset."""
    count = 0
    for e in index:
        count += kind[asset[e]] >= COIN
    return count


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, marks, asset, kind,
    window, assets_least, least, dust
):  # fmt: skip
    """One row per episode: account, and at its peak assets, only in, only out, value, span; evidence."""
    found = (
        np.empty(6 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    line = np.empty(64, dtype=np.int64)
    came, went = np.zeros(len(kind), dtype=np.int64), np.zeros(len(kind), dtype=np.int64)
    for a in accounts:
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        some = len(outs) > 0 and len(ins) > 0 and len(outs) + len(ins) >= assets_least
        if len(kind) <= assets_least or not some or hub[a] or marks[a] & SERVICE:
            continue
        if _coins(outs, asset, kind) + _coins(ins, asset, kind) < assets_least:
            continue
        line = grown(line, len(outs) + len(ins))
        size, count = both(a, src, dst, outs, ins, line), 0
        for p in range(size):
            if kind[asset[line[p]]] >= COIN and value[line[p]] >= dust:
                line[count] = line[p]
                count += 1
        if count >= assets_least:
            found = _episodes(
                a, line, count, time, value, src, asset, came, went, window, assets_least, least, found
            )
    rows, ptr, k, evidence, used = found
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_assets = int(parameters["min_assets"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx in_ptr in_idx hub known.marks facts.asset"),
        frozen(kinds(columns.facts.assets)),
        round(parameters["window"]),
        max(2, -(-2 * min_assets // 3)),
        round(parameters["min_value"]),
        max(1, round(parameters["dust"])),
    )
    assets = rows[:, 1]
    alert = assets >= min_assets
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * min_assets / np.maximum(assets, 1), assets / (2 * min_assets)),
        ptr,
        evidence,
        {
            "assets": assets,
            "only_in": rows[:, 2],
            "only_out": rows[:, 3],
            "total": rows[:, 4],
            "span": rows[:, 5] / HOUR,
            "transfers": np.diff(ptr),
        },
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"Within {span(features['span'])} the account moved {amount(features['total'], currency)} in "
            f"{int(features['assets'])} different virtual assets."
        ),
        f"{int(features['only_in'])} of them only came in then, {int(features['only_out'])} only went out.",
    )


def _in(asset: int) -> Any:
    """An amount of a made-up token."""
    return Amount(Decimal(5), AssetId(f"eip155:1/erc20:0x{asset:040x}"))


def _used(first: int, name: str, into: int, out: int, value: str, gap: float) -> tuple[Any, ...]:
    """Sample transfers of so many tokens into an account, and of so many others out of it."""
    came = (pay(first + i, gap * i, f"S{i}", name, value, amount=_in(i)) for i in range(into))
    went = (
        pay(first + 20 + i, gap * (into + i), name, f"T{i}", value, amount=_in(50 + i)) for i in range(out)
    )
    return (*came, *went)


CASES = (
    Sample(
        "three tokens come in and four others go out within five days",
        _used(0, "M", 3, 4, "900", 20),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: four are to watch, three are nothing",
        (*_used(0, "M", 2, 2, "1500", 20), *_used(50, "N", 2, 1, "2000", 20)),
        watches=(account("M"),),
    ),
    Sample(
        "negative: collected and held; worth next to nothing; over months; money and one coin",
        (
            *_used(0, "M", 9, 0, "900", 10),
            *_used(50, "N", 4, 4, "19", 10),
            *_used(100, "O", 4, 4, "900", 100),
            *(pay(150 + i, i, "E", "P", "900") for i in range(9)),
            *(pay(170 + i, 10 + i, "P", "F", "900", amount=_in(1)) for i in range(9)),
        ),
    ),
)

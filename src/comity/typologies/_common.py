"""What the typologies share: their source, arrays as kernels take them, hits, and sample transfers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import AccountId, Amount, AssetId, Transfer
from comity.typologies import Hits

FATF = "FATF, Virtual Assets Red Flag Indicators of Money Laundering and Terrorist Financing (September 2020)"
HOUR = 3_600_000_000
"""One hour in microseconds, the unit of ``Columns.time``."""

_EURO = AssetId("iso4217:EUR")
_START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory as a read-only plain array.

    Numba compiles once per kind of argument, and a memory-mapped array differs in kind from one made
    in memory: through this both are one kind, so that each kernel is compiled (and cached) once.
    """
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


@njit(cache=True, nogil=True)
def grown(array, needed):  # type: ignore[no-untyped-def]
    """The int64 array, or a longer copy when it has no room for ``needed`` items."""
    if needed <= len(array):
        return array
    longer = np.empty(max(needed, 2 * len(array)), dtype=np.int64)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def extended(evidence, used, index, begin, end):  # type: ignore[no-untyped-def]
    """``evidence`` with ``index[begin:end]`` put in at ``used``, and how much of it is used then."""
    evidence = grown(evidence, used + end - begin)
    evidence[used : used + end - begin] = index[begin:end]
    return evidence, used + end - begin


def hits(
    accounts: NDArray[np.int64],
    alert: NDArray[np.bool_],
    score: NDArray[np.float64],
    ptr: NDArray[np.int64],
    evidence: NDArray[np.int64],
    features: Mapping[str, NDArray[Any]],
    money: tuple[str, ...],
) -> Hits:
    """`Hits` with the types the contract asks for, each hit's evidence ascending."""
    ordered = evidence.copy()
    for begin, end in itertools.pairwise(ptr):
        ordered[begin:end].sort()
    return Hits(
        account=accounts.astype(np.int32),
        alert=alert.astype(np.bool_),
        score=np.clip(score, 0.0, 1.0),
        ptr=ptr,
        evidence=ordered,
        features={name: np.asarray(column, dtype=np.float64) for name, column in features.items()},
        money=money,
    )


def amount(value: float, currency: str) -> str:
    """An amount as people read it: ``12,500 EUR``, ``0.25 BTC``."""
    if abs(value) >= 10:
        return f"{value:,.2f}".removesuffix(".00") + f" {currency}"
    return f"{value:,.8f}".rstrip("0").rstrip(".") + f" {currency}"


def span(hours: float) -> str:
    """A length of time as people read it."""
    if hours < 1:
        minutes = max(1, round(hours * 60))
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    if hours <= 72:
        return f"{hours:.1f}".removesuffix(".0") + (" hour" if hours == 1 else " hours")
    return f"{hours / 24:.1f}".removesuffix(".0") + " days"


def account(name: str) -> str:
    """The account id a sample means by ``name``."""
    return f"acct:SAMPLE:{name}"


def pay(number: int, hours: float, source: str, target: str, value: str) -> Transfer:
    """A sample transfer of ``value`` euros, ``hours`` after a fixed beginning."""
    return Transfer(
        id=f"t{number:03d}",
        time=_START + timedelta(hours=hours),
        originator=AccountId(account(source)),
        beneficiary=AccountId(account(target)),
        amount=Amount(Decimal(value), _EURO),
        value=Decimal(value),
    )

"""What the typologies share: their source, arrays as kernels take them, hits, and sample transfers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.columnar import frozen as frozen
from comity.model import AccountId, Amount, AssetId, Columns, Transfer
from comity.typologies import Hits

FATF = "FATF, Virtual Assets Red Flag Indicators of Money Laundering and Terrorist Financing (September 2020)"
PRACTICE = "Our supplement to FATF's red flags of 2020: its reports of 2025 and 2026, and general practice"
HOUR = 3_600_000_000
"""One hour in microseconds, the unit of ``Columns.time``."""

_EURO = AssetId("iso4217:EUR")
_START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


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


def arrays(columns: Columns, names: str) -> tuple[NDArray[Any], ...]:
    """These arrays of the columns, as kernels take them: ``"out_time hub facts.asset known.marks"``."""
    found = []
    for name in names.split():
        group, _, field = name.rpartition(".")
        found.append(frozen(getattr(getattr(columns, group) if group else columns, field)))
    return tuple(found)


@njit(cache=True, nogil=True)
def _sort_each(ptr, evidence):  # type: ignore[no-untyped-def]
    """Bring the evidence of each hit into ascending order."""
    for i in range(len(ptr) - 1):
        part = evidence[ptr[i] : ptr[i + 1]]
        if len(part) > 1 and np.any(part[1:] < part[:-1]):
            part.sort()


def hits(
    accounts: NDArray[Any],
    alert: NDArray[np.bool_],
    score: NDArray[np.float64],
    ptr: NDArray[np.int64],
    evidence: NDArray[np.int64],
    features: Mapping[str, NDArray[Any]],
    money: tuple[str, ...],
    *,
    cut: NDArray[np.bool_] | None = None,
    unfinished: NDArray[Any] | None = None,
) -> Hits:
    """`Hits` with the types the contract asks for, each hit's evidence ascending."""
    ordered = np.array(evidence, dtype=np.int64)
    _sort_each(np.asarray(ptr, dtype=np.int64), ordered)
    return Hits(
        account=accounts.astype(np.int32),
        alert=alert.astype(np.bool_),
        score=np.clip(score, 0.0, 1.0),
        ptr=ptr,
        evidence=ordered,
        features={name: np.asarray(column, dtype=np.float64) for name, column in features.items()},
        cut=np.zeros(len(accounts), dtype=np.bool_) if cut is None else cut.astype(np.bool_),
        unfinished=np.unique(np.asarray(() if unfinished is None else unfinished, dtype=np.int32)),
        money=money,
    )


def kept(
    keep: NDArray[np.bool_], ptr: NDArray[np.int64], evidence: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``ptr`` and ``evidence`` of the hits to ``keep`` only."""
    sizes = np.diff(ptr)
    fresh = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes[keep])))
    return fresh, evidence[np.repeat(keep, sizes)]


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
    """The account id a sample means by ``name``: a whole id is itself."""
    return name if ":" in name else f"acct:SAMPLE:{name}"


def wallet(number: int) -> str:
    """The account id of a made-up wallet on Ethereum."""
    return f"eip155:1:0x{number:040x}"


def pay(number: int, hours: float, source: str, target: str, value: str, **more: Any) -> Transfer:
    """A sample transfer of ``value`` euros, ``hours`` after a fixed beginning; ``more`` as in `Transfer`."""
    given: dict[str, Any] = {
        "id": f"t{number:03d}",
        "time": _START + timedelta(hours=hours),
        "originator": AccountId(account(source)),
        "beneficiary": AccountId(account(target)),
        "amount": Amount(Decimal(value), _EURO),
        "value": Decimal(value),
    }
    return Transfer(**{**given, **more})

"""Transfers to `Columns`: NumPy arrays in time order with an out- and an in-index (CSR)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import numpy as np

from comity.errors import BadInput
from comity.model import AccountId, AssetId, Columns, Transfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN = -1
MAX_UNITS = 10**18  # so that a kernel may add up nine of the largest before int64 overflows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def scale_of(reference: AssetId) -> int:
    """Decimal places kept of a value in this reference asset: 4 for money, 8 for an asset on a chain."""
    return 4 if reference.currency else 8


def microseconds(time: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def worth(transfer: Transfer, reference: AssetId) -> Decimal | None:
    """The transfer's value in the reference asset: stated, or its amount where that is the same asset."""
    if transfer.value is None and transfer.amount is not None and transfer.amount.asset == reference:
        return transfer.amount.quantity
    return transfer.value


def units(value: Decimal | None, scale: int) -> int:
    """A value as a whole number of 10**-scale, half to even; -1 for None. Raises BadInput beyond 10**18."""
    if value is None:
        return UNKNOWN
    if not 0 <= value <= MAX_UNITS // 10**scale:
        raise BadInput(
            f"a value out of bounds: {value}",
            why=f"in columns a value lies between 0 and {MAX_UNITS:,} units of 10^-{scale}",
            remedy="correct the amount, or choose a reference asset of larger worth",
        )
    return int(value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN).scaleb(scale))


def index(keys: NDArray[np.int32], accounts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """CSR over transfers in time order: ``ptr`` int64[accounts+1] and ``idx`` int64[len(keys)]."""
    ptr = np.zeros(accounts + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=accounts), out=ptr[1:])
    return ptr, np.argsort(keys, kind="stable").astype(np.int64, copy=False)


def build(transfers: Iterable[Transfer], reference: AssetId) -> Columns:
    """Columns in memory, in order of (time, id); accounts are numbered in order of their ids.

    ``value`` is `worth` in units of 10**-`scale_of`. Raises BadInput when a value is out of bounds.
    """
    scale = scale_of(reference)
    times: list[int] = []
    values: list[int] = []
    ids: list[str] = []
    sources: list[str] = []
    sinks: list[str] = []
    for transfer in transfers:
        times.append(microseconds(transfer.time))
        values.append(units(worth(transfer, reference), scale))
        ids.append(transfer.id)
        sources.append(transfer.originator.value)
        sinks.append(transfer.beneficiary.value)
    by_id = np.argsort(np.array(ids, dtype=object), kind="stable")
    time = np.array(times, dtype=np.int64)
    order = by_id[np.argsort(time[by_id], kind="stable")]
    accounts = sorted({*sources, *sinks})
    number = {account: place for place, account in enumerate(accounts)}
    n = len(ids)
    src = np.fromiter((number[account] for account in sources), dtype=np.int32, count=n)[order]
    dst = np.fromiter((number[account] for account in sinks), dtype=np.int32, count=n)[order]
    out_ptr, out_idx = index(src, len(accounts))
    in_ptr, in_idx = index(dst, len(accounts))
    return Columns(
        time=time[order],
        src=src,
        dst=dst,
        value=np.array(values, dtype=np.int64)[order],
        out_ptr=out_ptr,
        out_idx=out_idx,
        in_ptr=in_ptr,
        in_idx=in_idx,
        hub=np.array([AccountId(account).is_hub for account in accounts], dtype=np.bool_),
        accounts=tuple(accounts),
        ids=tuple(ids[place] for place in order),
        reference=reference.value,
        scale=scale,
    )

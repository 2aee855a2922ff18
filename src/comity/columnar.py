"""Columns put together from their parts: the out- and the in-index, and blanks where nothing is said.

Below the verbs, for a ledger, a part of one handed to a kernel, and a benchmark all make `Columns`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from comity.model import Columns, Facts, Known

MAX_TIME = 2**62
"""Microseconds that no transfer reaches."""


def index(keys: NDArray[np.int32], accounts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """CSR over transfers in time order: ``ptr`` int64[accounts+1] and ``idx`` int64[len(keys)]."""
    ptr = np.zeros(accounts + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=accounts), out=ptr[1:])
    return ptr, np.argsort(keys, kind="stable").astype(np.int64, copy=False)


def assemble(
    time: NDArray[np.int64],
    src: NDArray[np.int32],
    dst: NDArray[np.int32],
    value: NDArray[np.int64],
    *,
    hub: NDArray[np.bool_],
    accounts: Sequence[str],
    ids: Sequence[str],
    reference: str,
    scale: int,
    facts: Facts | None = None,
) -> Columns:
    """Columns of transfers that are in order of (time, id) already: the indexes are made here."""
    out_ptr, out_idx = index(src, len(accounts))
    in_ptr, in_idx = index(dst, len(accounts))
    return Columns(
        time=time,
        src=src,
        dst=dst,
        value=value,
        out_ptr=out_ptr,
        out_idx=out_idx,
        in_ptr=in_ptr,
        in_idx=in_idx,
        out_time=time[out_idx],
        out_value=value[out_idx],
        out_dst=dst[out_idx],
        in_time=time[in_idx],
        in_value=value[in_idx],
        in_src=src[in_idx],
        hub=hub,
        accounts=accounts,
        ids=ids,
        reference=reference,
        scale=scale,
        facts=facts or nothing_stated(len(time), len(accounts)),
        known=nothing_known(len(accounts)),
    )


def nothing_stated(n: int, m: int) -> Facts:
    """`Facts` of ``n`` transfers between ``m`` accounts that state nothing more."""
    return Facts(
        asset=np.zeros(n, dtype=np.int32),
        digits=np.zeros(n, dtype=np.uint8),
        memo=np.zeros(n, dtype=np.int32),
        src_country=np.zeros(n, dtype=np.int16),
        dst_country=np.zeros(n, dtype=np.int16),
        src_at=np.zeros(n, dtype=np.int32),
        dst_at=np.zeros(n, dtype=np.int32),
        hosted=np.ones(m, dtype=np.bool_),
        identity=np.zeros(m, dtype=np.int32),
        sharers=np.zeros(m, dtype=np.int32),
        born=np.zeros(m, dtype=np.int16),
        assets=("",),
        memos=("",),
        countries=("",),
        institutions=("",),
    )


def nothing_known(m: int, countries: int = 1) -> Known:
    """`Known` of ``m`` accounts and so many countries, of which nothing is known."""
    return Known(
        marks=np.zeros(m, dtype=np.uint32),
        sure=np.zeros(m, dtype=np.uint8),
        actor=np.zeros(m, dtype=np.int32),
        epochs=np.full(1, -MAX_TIME, dtype=np.int64),
        limits=np.zeros((1, countries, 1), dtype=np.int64),
        risk=np.zeros((1, countries), dtype=np.uint8),
        actors=("",),
    )

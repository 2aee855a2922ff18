"""Columns put together from their parts: the out- and the in-index, and blanks where nothing is said.

Below the verbs, for a ledger, a part of one handed to a kernel, and a benchmark all make `Columns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comity.model import Columns, Facts, Known

MAX_TIME = 2**62
"""No time of a transfer, in microseconds, and no value reaches this."""
MAX_SPAN = 2**59
"""No two transfers between the years 1 and 9999 are so far apart, in microseconds; and some such spans may
be added to `MAX_TIME` before int64 overflows."""


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory as a read-only plain array.

    Numba compiles once per kind of argument, and a memory-mapped array differs in kind from one made
    in memory: through this both are one kind, so that each kernel is compiled (and cached) once.
    """
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def index(keys: NDArray[np.int32], accounts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """CSR over transfers in time order: ``ptr`` int64[accounts+1] and ``idx`` int64[len(keys)]."""
    from comity import counting  # compiled code: not for those who only open a ledger

    ptr: NDArray[np.int64] = counting.counted(frozen(keys), accounts)
    idx = np.empty(len(keys), dtype=np.int64)
    counting.placed(frozen(keys), frozen(ptr), idx)
    return ptr, idx


def _by_account(
    keys: NDArray[np.int32],
    accounts: int,
    time: NDArray[np.int64],
    value: NDArray[np.int64],
    other: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """`index`, and the times, values and other ends in its order."""
    from comity import counting

    ptr, idx = index(keys, accounts)
    by = np.empty_like(idx), np.empty_like(idx), np.empty(len(idx), dtype=np.int32)
    counting.gathered(frozen(idx), frozen(time), frozen(value), frozen(other), *by)
    return ptr, idx, *by


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
    out_ptr, out_idx, out_time, out_value, out_dst = _by_account(src, len(accounts), time, value, dst)
    in_ptr, in_idx, in_time, in_value, in_src = _by_account(dst, len(accounts), time, value, src)
    facts = facts or nothing_stated(len(time), len(accounts))
    return Columns(
        time=time,
        src=src,
        dst=dst,
        value=value,
        out_ptr=out_ptr,
        out_idx=out_idx,
        in_ptr=in_ptr,
        in_idx=in_idx,
        out_time=out_time,
        out_value=out_value,
        out_dst=out_dst,
        in_time=in_time,
        in_value=in_value,
        in_src=in_src,
        hub=hub,
        accounts=accounts,
        ids=ids,
        reference=reference,
        scale=scale,
        facts=facts,
        known=nothing_known(len(accounts), len(facts.countries)),
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


def nothing_known(m: int, countries: int) -> Known:
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

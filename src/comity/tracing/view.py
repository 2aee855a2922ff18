"""The ledger as a trace walks it: one direction at a time, and its numbers in people's words."""

from __future__ import annotations

import weakref
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comity.errors import NotFound
from comity.model import Columns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def moment(columns: Columns, transfer: int) -> datetime:
    """When a transfer was made."""
    return EPOCH + timedelta(microseconds=int(columns.time[transfer]))


def main_units(columns: Columns, value: int) -> Decimal:
    """A value of the columns in main units of the reference asset, exactly."""
    return Decimal(value).scaleb(-columns.scale)


def clock_of(time: datetime, forward: bool) -> int:
    """A time as a trace sees it: microseconds, ascending in the direction of the trace."""
    micros = (time - EPOCH) // MICROSECOND
    return micros if forward else -micros


def number_of(columns: Columns, account: str) -> int | None:
    """The number of an account; None when it makes and receives nothing in this ledger."""
    number = bisect_left(columns.accounts, account)
    return number if number < len(columns.accounts) and columns.accounts[number] == account else None


def find(columns: Columns, account: str) -> int:
    """The number of an account. Raises NotFound when it makes and receives nothing in this ledger."""
    number = number_of(columns, account)
    if number is not None:
        return number
    raise NotFound(
        f"no account {account[:120]!r} in this ledger",
        why="it neither sends nor receives a transfer here",
        remedy="check the account, or add the ledger it is in",
    )


class Side(NamedTuple):
    """One direction of a ledger. Backward is forward with time and the two ends of a transfer swapped.

    ``sign`` is 1 forward and -1 backward: times it is a clock that always ascends. ``hubs``: whether there
    is any hub. ``idx[ptr[a]:ptr[a+1]]``
    are the transfers on which a trace goes on from account ``a`` in ledger order, with ``time``, ``value``
    and ``far`` (the account they lead to) in the same order; ``b…`` likewise those that lead to ``a``.
    ``all_time``, ``near`` and ``target`` are all transfers in ledger order.
    """

    sign: int
    hubs: bool
    ptr: NDArray[np.int64]
    idx: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.int64]
    far: NDArray[np.int32]
    bptr: NDArray[np.int64]
    bidx: NDArray[np.int64]
    btime: NDArray[np.int64]
    bvalue: NDArray[np.int64]
    bfar: NDArray[np.int32]
    hub: NDArray[np.bool_]
    all_time: NDArray[np.int64]
    near: NDArray[np.int32]
    target: NDArray[np.int32]


def side(columns: Columns, forward: bool) -> Side:
    """The arrays of a ledger in one direction, read-only; nothing is copied."""
    c = columns
    outs = (c.out_ptr, c.out_idx, c.out_time, c.out_value, c.out_dst)
    ins = (c.in_ptr, c.in_idx, c.in_time, c.in_value, c.in_src)
    ahead, behind, ends = (outs, ins, (c.src, c.dst)) if forward else (ins, outs, (c.dst, c.src))
    arrays: tuple[NDArray[Any], ...] = (*ahead, *behind, c.hub, c.time, *ends)
    return Side(1 if forward else -1, _any_hub(c.hub), *map(_plain, arrays))


_ANY: dict[int, tuple[weakref.ref[NDArray[np.bool_]], bool]] = {}


def _any_hub(hub: NDArray[np.bool_]) -> bool:
    """Whether there is any hub, looked up once for each ledger."""
    known = _ANY.get(id(hub))
    if known is None or known[0]() is not hub:
        key = id(hub)
        known = (weakref.ref(hub, lambda _: _ANY.pop(key, None)), bool(hub.any()))
        _ANY[key] = known
    return known[1]


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory as a read-only plain array: one kind, so that a kernel is compiled once."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view

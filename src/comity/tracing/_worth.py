"""What a transfer is worth to a trace, and the order in which an account's transfers count.

Within one instant what comes in counts before what goes out, but the change of a transaction comes after
its inputs. What is not known on one side of a transaction is what the other side leaves over, in equal
parts; of any other transfer of unknown value nothing can be said.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.tracing._state import NEVER


@njit(cache=True, nogil=True, forceinline=True)
def place(ptr, account, number, sign):  # type: ignore[no-untyped-def]
    """Where the transfer of this number, counted as the trace meets them, is in the index."""
    return ptr[account] + number if sign > 0 else ptr[account + 1] - 1 - number


@njit(cache=True, nogil=True, forceinline=True)
def clock_at(side, account, number):  # type: ignore[no-untyped-def]
    """When the account's ``number``-th transfer ahead is."""
    return side.sign * side.time[place(side.ptr, account, number, side.sign)]


@njit(cache=True, nogil=True)
def not_before(side, account, low, clock):  # type: ignore[no-untyped-def]
    """The first transfer ahead from number ``low`` on that is not before ``clock``."""
    high, step = side.ptr[account + 1] - side.ptr[account], 1
    while low + step < high and clock_at(side, account, low + step) < clock:
        low, step = low + step, 2 * step
    high = min(high, low + step)
    while low < high:
        middle = (low + high) // 2
        if clock_at(side, account, middle) < clock:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def first_at(side, clock):  # type: ignore[no-untyped-def]
    """The first transfer of all, counted as the trace meets them, that is not before ``clock``."""
    n, low = len(side.all_time), 0
    high = n
    while low < high:
        middle = (low + high) // 2
        if side.sign * side.all_time[middle if side.sign > 0 else n - 1 - middle] < clock:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, forceinline=True)
def is_hub(side, account):  # type: ignore[no-untyped-def]
    """Whether an account is a transaction."""
    return side.hubs and side.hub[account]


@njit(cache=True, nogil=True)
def summed(ptr, value, hub):  # type: ignore[no-untyped-def]
    """One side of a hub: what is known of it in all, and how many transfers are not known."""
    total, unknown = 0, 0
    for p in range(ptr[hub], ptr[hub + 1]):
        if value[p] < 0:
            unknown += 1
        else:
            total += value[p]
    return total, unknown


@njit(cache=True, nogil=True)
def parts(side, hub):  # type: ignore[no-untyped-def]
    """What one unknown transfer ahead of a hub is worth, one behind it, and whether there is any."""
    ahead, unknown_ahead = summed(side.ptr, side.value, hub)
    behind, unknown_behind = summed(side.bptr, side.bvalue, hub)
    return (
        max(behind - ahead, 0) // max(unknown_ahead, 1),
        max(ahead - behind, 0) // max(unknown_behind, 1),
        unknown_ahead + unknown_behind > 0,
    )


@njit(cache=True, nogil=True)
def worth_ahead(side, account, p):  # type: ignore[no-untyped-def]
    """The worth of the transfer ahead of ``account`` at place ``p`` of the index; -1: cannot be said."""
    if side.value[p] >= 0:
        return side.value[p]
    if is_hub(side, side.far[p]):
        return parts(side, side.far[p])[1]
    if is_hub(side, account):
        return parts(side, account)[0]
    return -1


@njit(cache=True, nogil=True)
def worth_behind(side, account, p):  # type: ignore[no-untyped-def]
    """The worth of the transfer behind ``account`` at place ``p`` of the index; -1: cannot be said."""
    if side.bvalue[p] >= 0:
        return side.bvalue[p]
    if is_hub(side, account):
        return parts(side, account)[1]
    if is_hub(side, side.bfar[p]):
        return parts(side, side.bfar[p])[0]
    return -1


@njit(cache=True, nogil=True)
def pays_back(side, hub, account):  # type: ignore[no-untyped-def]
    """Whether a hub leads (also) to this account."""
    for p in range(side.ptr[hub], side.ptr[hub + 1]):  # noqa: SIM110 (numba compiles no generator)
        if side.far[p] == account:
            return True
    return False


@njit(cache=True, nogil=True, forceinline=True)
def is_change(hub, account, bptr, bfar):  # type: ignore[no-untyped-def]
    """Whether what comes from this hub to an account is change: the account leads to the hub."""
    for p in range(bptr[hub], bptr[hub + 1]):  # noqa: SIM110 (numba compiles no generator)
        if bfar[p] == account:
            return True
    return False


@njit(cache=True, nogil=True)
def balances(side, account, held):  # type: ignore[no-untyped-def]
    """The account's lowest balance, had it opened with nothing; and into ``held`` (int64, a place for each
    transfer out, or none) its balance just before each. Transfers to itself count for nothing."""
    time, value, far, hub, sign = side.time, side.value, side.far, side.hub, side.sign
    btime, bvalue, bfar, bptr, chain = side.btime, side.bvalue, side.bfar, side.bptr, side.hubs
    n, n_in = side.ptr[account + 1] - side.ptr[account], bptr[account + 1] - bptr[account]
    p, q = place(side.ptr, account, 0, sign), place(bptr, account, 0, sign)
    balance, low, late, instant, i = 0, 0, 0, -NEVER, 0
    for number in range(n):
        clock = sign * time[p]
        if clock > instant:  # change of the instant before has come by now
            balance, late, instant = balance + late, 0, clock
            while i < n_in and sign * btime[q] <= clock:
                worth = bvalue[q]
                if worth < 0:
                    worth = max(worth_behind(side, account, q), 0)
                if bfar[q] == account:
                    worth = 0
                if (
                    chain
                    and hub[bfar[q]]
                    and sign * btime[q] == clock
                    and is_change(bfar[q], account, bptr, bfar)
                ):
                    late += worth
                else:
                    balance += worth
                i, q = i + 1, q + sign
        if len(held):
            held[number] = balance
        worth = value[p]
        if worth < 0:
            worth = max(worth_ahead(side, account, p), 0)
        if far[p] != account:
            balance -= worth
        low, p = min(low, balance), p + sign
    return low


@njit(cache=True, nogil=True)
def closing(side, account, last):  # type: ignore[no-untyped-def]
    """What an account holds after ``last`` (a clock)."""
    balance = -balances(side, account, np.empty(0, dtype=np.int64))
    for p in range(side.bptr[account], side.bptr[account + 1]):
        if side.sign * side.btime[p] <= last and side.bfar[p] != account:
            balance += max(worth_behind(side, account, p), 0)
    for p in range(side.ptr[account], side.ptr[account + 1]):
        if side.sign * side.time[p] <= last and side.far[p] != account:
            balance -= max(worth_ahead(side, account, p), 0)
    return balance

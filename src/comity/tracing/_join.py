"""Union-find over the inputs of transactions, and the shapes of CoinJoins; see `cluster`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns

POOLS = (50_000, 100_000, 1_000_000, 5_000_000, 50_000_000)
"""Sizes of Whirlpool's pools, in satoshi."""
NO_JOIN, WHIRLPOOL, WASABI2, EQUAL = range(4)
_WASABI_INPUTS, _WASABI_PAYERS, _WASABI_SHARED, _WASABI_SIZES = 50, 20, 20, 5


def joined(columns: Columns, pools: NDArray[np.int64], least: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """The owner of each account, and a row (hub, shape, payers, outputs, worth) for each transaction whose
    inputs were kept apart."""
    hubs = np.flatnonzero(columns.hub)
    arrays = (columns.in_ptr, columns.in_src, columns.out_ptr, columns.out_value, columns.out_dst)
    plain = [np.asarray(array).view() for array in arrays]
    for view in plain:
        view.flags.writeable = False
    return _join_all(hubs, *plain, pools, least)  # type: ignore[no-any-return]


@njit(cache=True, nogil=True, forceinline=True)
def root_of(parent, node):  # type: ignore[no-untyped-def]
    """The root of a node; the way there becomes half as long."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True, nogil=True)
def different(ends):  # type: ignore[no-untyped-def]
    """How many different accounts there are."""
    ordered, count = np.sort(ends), min(len(ends), 1)
    for i in range(1, len(ordered)):
        count += ordered[i] != ordered[i - 1]
    return count


@njit(cache=True, nogil=True)
def equals(value, to):  # type: ignore[no-untyped-def]
    """Of outputs: the worth most have and how many accounts get it, how many share theirs with another, and
    in how many sizes."""
    by_worth = np.argsort(value)
    most, worth, shared, sizes, i = 0, 0, 0, 0, 0
    while i < len(value):
        j = i
        while j < len(value) and value[by_worth[j]] == value[by_worth[i]]:
            j += 1
        if value[by_worth[i]] > 0 and j - i > 1:
            shared, sizes = shared + j - i, sizes + 1
            if j - i > most:
                who = different(to[by_worth[i:j]])
                if who > most:
                    most, worth = who, value[by_worth[i]]
        i = j
    return most, worth, shared, sizes


@njit(cache=True, nogil=True)
def shape_of(payers, value, to, pools, least):  # type: ignore[no-untyped-def]
    """What a transaction looks like, of how many payers, outputs and what worth."""
    if len(payers) < least or len(value) < least:
        return NO_JOIN, 0, 0, 0
    who = different(payers)
    if who < least:
        return NO_JOIN, 0, 0, 0
    most, worth, shared, sizes = equals(value, to)
    if len(payers) == 5 and len(value) == 5 and who == 5 and most == 5 and np.any(pools == worth):
        return WHIRLPOOL, who, most, worth
    wide = len(payers) >= _WASABI_INPUTS and who >= _WASABI_PAYERS
    if wide and shared >= _WASABI_SHARED and sizes >= _WASABI_SIZES:
        return WASABI2, who, shared, worth
    if least <= most <= who:
        return EQUAL, who, most, worth
    return NO_JOIN, 0, 0, 0


@njit(cache=True, nogil=True)
def _join_all(hubs, in_ptr, in_src, out_ptr, out_value, out_dst, pools, least):  # type: ignore[no-untyped-def]
    """See `joined`. A root is always the smallest of its accounts."""
    parent = np.arange(len(in_ptr) - 1).astype(np.int32)
    apart, used = np.empty((16, 5), dtype=np.int64), 0
    for hub in hubs:
        begin, end = in_ptr[hub], in_ptr[hub + 1]
        if end - begin < 2:
            continue
        shape = NO_JOIN
        if end - begin >= least and out_ptr[hub + 1] - out_ptr[hub] >= least:
            outs = slice(out_ptr[hub], out_ptr[hub + 1])
            shape, who, count, worth = shape_of(
                in_src[begin:end], out_value[outs], out_dst[outs], pools, least
            )
        if shape != NO_JOIN:
            if used == len(apart):
                longer = np.empty((2 * used, 5), dtype=np.int64)
                longer[:used] = apart
                apart = longer
            apart[used, 0], apart[used, 1], apart[used, 2] = hub, shape, who
            apart[used, 3], apart[used, 4] = count, worth
            used += 1
            continue
        root = root_of(parent, in_src[begin])
        for p in range(begin + 1, end):
            other = root_of(parent, in_src[p])
            if other < root:
                parent[root] = other
                root = other
            else:
                parent[other] = root
    for account in range(len(parent)):  # ascending: a parent is smaller, so already its own root's
        parent[account] = parent[parent[account]]
    return parent, apart[:used]

"""The index of columns by counting, compiled: what a stable sort answers, several times as fast."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def counted(keys, size):  # type: ignore[no-untyped-def]
    """``ptr``: how many keys are below each number from 0 to ``size``."""
    ptr = np.zeros(size + 1, dtype=np.int64)
    for place in range(len(keys)):
        ptr[keys[place] + 1] += 1
    for number in range(size):
        ptr[number + 1] += ptr[number]
    return ptr


@njit(cache=True, nogil=True)
def placed(keys, ptr, idx):  # type: ignore[no-untyped-def]
    """Fill ``idx`` with the places of each key, in order: a counting sort, which is stable."""
    free = ptr[:-1].copy()
    for place in range(len(keys)):
        key = keys[place]
        idx[free[key]] = place
        free[key] += 1


@njit(cache=True, nogil=True)
def gathered(idx, time, value, other, by_time, by_value, by_other):  # type: ignore[no-untyped-def]
    """``time``, ``value`` and ``other`` in the order of an index."""
    for place in range(len(idx)):
        edge = idx[place]
        by_time[place] = time[edge]
        by_value[place] = value[edge]
        by_other[place] = other[edge]

"""Loops over columns: the merge of what is new into what is sorted already.

Texts are given as `ends` and `data` (see `_mapped.Texts`). UTF-8 bytes compare as their code points do, so
that Python, DuckDB and these loops mean the same order.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def hosting(src, dst, src_at, dst_at, hosted):  # type: ignore[no-untyped-def]
    """Mark accounts of which any transfer names an institution."""
    for place in range(len(src)):
        if src_at[place] > 0:
            hosted[src[place]] = True
        if dst_at[place] > 0:
            hosted[dst[place]] = True


@njit(cache=True, nogil=True)
def _before(ends, data, place, other_ends, other_data, other):  # type: ignore[no-untyped-def]
    """Compares text ``place`` with text ``other``: below 0, 0 or above 0."""
    left, right = ends[place], other_ends[other]
    left_size, right_size = ends[place + 1] - left, other_ends[other + 1] - right
    for step in range(min(left_size, right_size)):
        difference = np.int64(data[left + step]) - np.int64(other_data[right + step])
        if difference != 0:
            return difference
    return left_size - right_size


@njit(cache=True, nogil=True)
def _place(ends, data, low, high, new_ends, new_data, new):  # type: ignore[no-untyped-def]
    """Where in the ascending texts ``low`` to ``high`` a text is, or would be put in."""
    while low < high:
        middle = (low + high) // 2
        if _before(ends, data, middle, new_ends, new_data, new) < 0:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def sought(ends, data, new_ends, new_data):  # type: ignore[no-untyped-def]
    """Of each new text: its place among ascending texts, and whether it is there."""
    size, count = len(ends) - 1, len(new_ends) - 1
    at, found = np.empty(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    for new in range(count):
        place = _place(ends, data, 0, size, new_ends, new_data, new)
        at[new] = place
        found[new] = place < size and _before(ends, data, place, new_ends, new_data, new) == 0
    return at, found


@njit(cache=True, nogil=True)
def sought_rows(time, ends, data, new_time, new_ends, new_data):  # type: ignore[no-untyped-def]
    """The same of transfers in order of (time, id)."""
    count = len(new_time)
    at, found = np.empty(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    for new in range(count):
        low = np.searchsorted(time, new_time[new], side="left")
        high = np.searchsorted(time, new_time[new], side="right")
        place = _place(ends, data, low, high, new_ends, new_data, new)
        at[new] = place
        found[new] = place < high and _before(ends, data, place, new_ends, new_data, new) == 0
    return at, found


@njit(cache=True, nogil=True)
def merged(old, new, dropped, at, out):  # type: ignore[no-untyped-def]
    """``out``: ``old`` without the places ``dropped``, each of ``new`` put in before the old place ``at``."""
    put = drop = used = 0
    for place in range(len(old) + 1):
        while put < len(at) and at[put] == place:
            out[used] = new[put]
            put += 1
            used += 1
        if place == len(old):
            break
        if drop < len(dropped) and dropped[drop] == place:
            drop += 1
            continue
        out[used] = old[place]
        used += 1


@njit(cache=True, nogil=True)
def merged_numbers(old, number, new, dropped, at, out):  # type: ignore[no-untyped-def]
    """The same of numbers, of which the old ones are called otherwise now."""
    put = drop = used = 0
    for place in range(len(old) + 1):
        while put < len(at) and at[put] == place:
            out[used] = new[put]
            put += 1
            used += 1
        if place == len(old):
            break
        if drop < len(dropped) and dropped[drop] == place:
            drop += 1
            continue
        out[used] = number[old[place]]
        used += 1


@njit(cache=True, nogil=True)
def merged_texts(ends, data, new_ends, new_data, dropped, at, out_ends, out_data):  # type: ignore[no-untyped-def]
    """The same of texts; how many bytes they have."""
    put = drop = used = size = 0
    out_ends[0] = 0
    for place in range(len(ends)):
        while put < len(at) and at[put] == place:
            for byte in range(new_ends[put], new_ends[put + 1]):
                out_data[size] = new_data[byte]
                size += 1
            put += 1
            used += 1
            out_ends[used] = size
        if place == len(ends) - 1:
            break
        if drop < len(dropped) and dropped[drop] == place:
            drop += 1
            continue
        for byte in range(ends[place], ends[place + 1]):
            out_data[size] = data[byte]
            size += 1
        used += 1
        out_ends[used] = size
    return size

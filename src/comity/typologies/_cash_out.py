"""Value that comes from marked accounts and soon goes on: what the typologies of cashing out share.

What goes on is matched with what came in before it, the latest first, within ``hours``: money is fungible,
so the figure says how much could have gone on, not which coin did.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.typologies import Hits
from comity.typologies._common import HOUR, amount, grown, hits, kept, span
from comity.typologies._marked import met, near, spared, through

TAKEN = "time value src out_ptr out_idx out_dst in_ptr in_idx in_src hub known.marks known.sure facts.hosted"
"""What `cash_outs` takes of the columns, in order."""


@njit(cache=True, nogil=True)
def _matched(codes, size, time, value, hours, ratio, work):  # type: ignore[no-untyped-def]
    """Match each transfer out with those in before it, at least ``ratio`` of each. The pairs made, at most
    one per code, are rows 0 to 2 of ``work``: positions of in and out, and value."""
    lot_of, out_of, part, left, stack = work[0], work[1], work[2], work[3], work[4]
    depth, pairs = 0, 0
    for i in range(size):
        e = codes[i] // 2
        rest = max(value[e], 0)
        if codes[i] % 2 == 0:
            left[i] = rest
            if rest > 0:
                stack[depth] = i
                depth += 1
            continue
        while rest > 0 and depth > 0:
            lot = stack[depth - 1]
            if time[e] - time[codes[lot] // 2] > hours:
                depth = 0  # those below it are older still
                break
            piece = min(rest, left[lot])
            left[lot] -= piece
            rest -= piece
            lot_of[pairs], out_of[pairs], part[pairs] = lot, i, piece
            pairs += 1
            if left[lot] == 0:
                depth -= 1
    kept = 0
    for i in range(pairs):
        worth = value[codes[lot_of[i]] // 2]
        if worth - left[lot_of[i]] >= ratio * worth:
            lot_of[kept], out_of[kept], part[kept] = lot_of[i], out_of[i], part[i]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _tell(i, codes, beside, flags, number, evidence, used):  # type: ignore[no-untyped-def]
    """Add the transfer of code ``i``, and the one that belongs to it, unless this burst has them already."""
    if flags[i] != number:
        flags[i] = number
        evidence = grown(evidence, used + 2)
        evidence[used] = codes[i] // 2
        used += 1
        if beside[i] >= 0:
            evidence[used] = beside[i]
            used += 1
    return evidence, used


@njit(cache=True, nogil=True)
def gone_on(  # type: ignore[no-untyped-def]
    a, codes, size, beside, time, value, src, marks, hours, ratio, window, least, facts, found
):  # fmt: skip
    """Append a row for each burst in which what came in (codes, in order) went on: account; of the
    window of most value: value, transfers out; longest stay; span of that window; the two ``facts`` of the
    account; marks of those it came from. ``beside``: a transfer that belongs to each, or -1.

    A burst is a maximal chain of overlapping windows in which at least ``least`` went on. What came in counts
    only where at least ``ratio`` of it went on.
    """
    rows, ptr, k, evidence, used = found
    work = np.zeros((6, size), dtype=np.int64)
    pairs = _matched(codes, size, time, value, hours, ratio, work)
    lot_of, out_of, part, flags = work[0], work[1], work[2], work[5]
    left, end, total = 0, 0, 0
    for right in range(pairs):
        now = time[codes[out_of[right]] // 2]
        total += part[right]
        while now - time[codes[out_of[left]] // 2] > window:
            total -= part[left]
            left += 1
        if total < least:
            continue
        if left >= end:
            rows, ptr, k = grown(rows, 8 * (k + 1)), grown(ptr, k + 2), k + 1
            rows[8 * k - 8 : 8 * k] = 0
            rows[8 * k - 8], rows[8 * k - 3], rows[8 * k - 2] = a, facts[0], facts[1]
            end = left
        row = rows[8 * k - 8 : 8 * k]
        for i in range(end, right + 1):
            lot, out = lot_of[i], out_of[i]
            evidence, used = _tell(lot, codes, beside, flags, k, evidence, used)
            evidence, used = _tell(out, codes, beside, flags, k, evidence, used)
            row[3] = max(row[3], time[codes[out] // 2] - time[codes[lot] // 2])
            row[7] |= marks[src[codes[lot] // 2]]
        end, ptr[k] = right + 1, used
        if total > row[1]:
            row[1], row[2] = total, 0
            row[4] = now - time[codes[out_of[left]] // 2]
            for i in range(left, right + 1):
                row[2] += i == left or out_of[i] != out_of[i - 1]
    return rows, ptr, k, evidence, used


@njit(cache=True, nogil=True)
def _paid_out(a, ptr, idx, other, hosted, marks, sure, came, went, even, codes, size):  # type: ignore[no-untyped-def]
    """Append the transfers to accounts at an institution, or marked ``went``, but not back to ``came``."""
    for p in range(ptr[a], ptr[a + 1]):
        o = other[p]
        there = hosted[o] or (marks[o] & went != 0 and sure[o] >= even)
        if there and o != a and marks[o] & came == 0:
            codes = grown(codes, size + 1)
            codes[size] = 2 * idx[p] + 1
            size += 1
    return codes, size


@njit(cache=True, nogil=True)
def cash_outs(  # type: ignore[no-untyped-def]
    accounts, time, value, src, out_ptr, out_idx, out_dst, in_ptr, in_idx, in_src, hub, marks, sure,
    hosted, came, went, mercy, even, hours, window, least
):  # fmt: skip
    """Rows of `gone_on`, and their evidence: what came from accounts marked ``came`` and went on to accounts
    marked ``went`` or kept by an institution. The facts are what came so, and all that came in."""
    found = (
        np.empty(8 * 16, dtype=np.int64),
        np.zeros(16, dtype=np.int64),
        0,
        np.empty(64, dtype=np.int64),
        0,
    )
    codes, facts = np.empty(64, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for a in near(accounts, marks, came, out_ptr, out_dst, in_ptr, in_src):
        if out_ptr[a] == out_ptr[a + 1]:
            continue
        codes, size = met(a, in_ptr, in_idx, in_src, marks, sure, came, even, 0, codes, 0)
        if size == 0 or spared(a, hub, marks, sure, mercy, even):
            continue
        facts[0] = 0
        for i in range(size):
            facts[0] += max(value[codes[i] // 2], 0)
        ins = size
        codes, size = _paid_out(
            a, out_ptr, out_idx, out_dst, hosted, marks, sure, came, went, even, codes, size
        )
        if size == ins or facts[0] < least:
            continue
        codes[:size].sort()
        facts[1] = through(a, in_ptr, in_idx, in_src, value)
        beside = np.full(size, -1, dtype=np.int64)
        found = gone_on(
            a, codes, size, beside, time, value, src, marks, hours, 0.0, window, least, facts, found
        )
    rows, ptr, k, evidence, used = found
    return rows[: 8 * k].reshape(k, 8), ptr[: k + 1], evidence[:used]


def judged(
    rows: NDArray[np.int64],
    ptr: NDArray[np.int64],
    evidence: NDArray[np.int64],
    *,
    min_value: int,
    share: float = 0.0,
) -> Hits:
    """The hits among these rows: an alert from ``min_value``, where what came so is ``share`` of all."""
    keep = rows[:, 5] >= share * rows[:, 6]
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    total = rows[:, 1]
    alert = total >= min_value
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * min_value / np.maximum(total, 1), total / (2 * min_value)),
        ptr,
        evidence,
        {
            "total": total,
            "payments": rows[:, 2],
            "stay": rows[:, 3] / HOUR,
            "span": rows[:, 4] / HOUR,
            "share": rows[:, 5] / np.maximum(rows[:, 6], 1),
            "marks": rows[:, 7],
        },
        money=("total",),
    )


def told(features: Mapping[str, float], currency: str, whence: str, whither: str) -> tuple[str, ...]:
    """A hit of `judged` in words; ``whence`` completes had come …, ``whither`` took it …."""
    payments = int(features["payments"])
    return (
        (
            f"Within {span(features['span'])}, {payments} payment{'s' if payments != 1 else ''} took "
            f"{amount(features['total'], currency)} {whither} that had come {whence}, at most "
            f"{span(features['stay'])} before."
        ),
        f"{features['share']:.0%} of all value that the account received in this ledger came {whence}.",
    )

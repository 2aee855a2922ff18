"""What typologies of marked accounts share: an account's dealings with them, and how they are told.

An account that is itself said to be a criminal's or a service, with at least even confidence, is never
the subject: it only does what it does. The subject is who deals with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Attribution, Knowledge, Mark, Transfer
from comity.typologies import Hits
from comity.typologies._common import HOUR, account, amount, extended, grown, hits, kept, span

CRIME, SERVICE = int(Mark.crime()), int(Mark.service())
SPARED = CRIME | SERVICE
"""Marks of accounts that are not the subject themselves."""
DEALT = "value src dst out_ptr out_idx out_dst in_ptr in_idx in_src hub known.marks known.sure"
"""What `exposures` takes of the columns, in order; `dealings` takes ``time`` before it."""
_CALLED = {
    Mark.SANCTIONED: "sanctioned",
    Mark.TERRORISM: "terrorism",
    Mark.RANSOMWARE: "ransomware",
    Mark.THEFT: "theft",
    Mark.FRAUD: "fraud",
    Mark.DARKNET: "darknet market",
    Mark.ABUSE: "child abuse material",
    Mark.MIXER: "mixer",
}


def called(marks: float, *, among: int) -> str:
    """The marks ``among`` those asked for, as words: ``theft, mixer``."""
    given = Mark(int(marks) & among)
    return ", ".join(word for mark, word in _CALLED.items() if mark & given)


@njit(cache=True, nogil=True)
def met(a, ptr, idx, other, marks, sure, mask, least, way, codes, size):  # type: ignore[no-untyped-def]
    """Append those of the account's transfers whose other side has a mark of ``mask``, held with at least
    ``least`` per cent, as codes: twice the transfer's number, plus ``way`` (0 in, 1 out)."""
    for p in range(ptr[a], ptr[a + 1]):
        o = other[p]
        if marks[o] & mask and sure[o] >= least and o != a:
            codes = grown(codes, size + 1)
            codes[size] = 2 * idx[p] + way
            size += 1
    return codes, size


@njit(cache=True, nogil=True)
def near(accounts, marks, mask, out_ptr, out_dst, in_ptr, in_src):  # type: ignore[no-untyped-def]
    """Of the accounts at least those that deal with one marked ``mask``: found from there where that is less
    work than to look through what each of them does, or else all."""
    theirs, own = 0, 0
    for m in range(len(marks)):
        if marks[m] & mask:
            theirs += out_ptr[m + 1] - out_ptr[m] + in_ptr[m + 1] - in_ptr[m]
    if theirs == 0:
        return np.empty(0, dtype=np.int32)
    for a in accounts:
        own += out_ptr[a + 1] - out_ptr[a] + in_ptr[a + 1] - in_ptr[a]
    if theirs >= own:
        return accounts.copy()
    deals = np.zeros(len(marks), dtype=np.bool_)
    for m in range(len(marks)):
        if marks[m] & mask:
            for p in range(out_ptr[m], out_ptr[m + 1]):
                deals[out_dst[p]] = True
            for p in range(in_ptr[m], in_ptr[m + 1]):
                deals[in_src[p]] = True
    return accounts[deals[accounts]]


@njit(cache=True, nogil=True)
def spared(a, hub, marks, sure, mask, even):  # type: ignore[no-untyped-def]
    """Whether ``a`` is nobody's account, or only does what it is known for."""
    return hub[a] or (marks[a] & mask != 0 and sure[a] >= even)


@njit(cache=True, nogil=True)
def through(a, ptr, idx, other, value):  # type: ignore[no-untyped-def]
    """The value of the account's transfers one way, without those to itself."""
    total = 0
    for p in range(ptr[a], ptr[a + 1]):
        if other[p] != a:
            total += max(value[idx[p]], 0)
    return total


@njit(cache=True, nogil=True)
def weighted(value, sure):  # type: ignore[no-untyped-def]
    """``sure`` per cent of a value, without overflow."""
    return value // 100 * sure + value % 100 * sure // 100


@njit(cache=True, nogil=True)
def exposures(  # type: ignore[no-untyped-def]
    accounts, value, src, dst, out_ptr, out_idx, out_dst, in_ptr, in_idx, in_src, hub, marks, sure,
    mask, beside, mercy, even
):  # fmt: skip
    """One row per account that deals with accounts marked ``mask``: account, value received, sent, weighted
    by confidence (of at least even; of any), transfers of unknown value (at least even), best confidence,
    marks, value received from and sent to accounts marked ``beside``; and the evidence."""
    rows, k = np.empty(10 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    codes = np.empty(64, dtype=np.int64)
    for a in near(accounts, marks, mask, out_ptr, out_dst, in_ptr, in_src):
        codes, size = met(a, in_ptr, in_idx, in_src, marks, sure, mask, 1, 0, codes, 0)
        codes, size = met(a, out_ptr, out_idx, out_dst, marks, sure, mask, 1, 1, codes, size)
        if size == 0 or spared(a, hub, marks, sure, mercy, even):
            continue
        first = size
        codes, size = met(a, in_ptr, in_idx, in_src, marks, sure, beside, even, 0, codes, size)
        codes, size = met(a, out_ptr, out_idx, out_dst, marks, sure, beside, even, 1, codes, size)
        rows, ptr, k = grown(rows, 10 * (k + 1)), grown(ptr, k + 2), k + 1
        row = rows[10 * (k - 1) : 10 * k]
        row[:] = 0
        row[0] = a
        for i in range(size):
            e, way = codes[i] // 2, codes[i] % 2
            worth, o = max(value[e], 0), dst[e] if way else src[e]
            if i >= first:
                row[8 + way] += worth
                continue
            row[1 + way] += worth
            row[4] += weighted(worth, sure[o])
            if sure[o] >= even:
                row[3] += weighted(worth, sure[o])
                row[5] += value[e] < 0
            row[6] = max(row[6], sure[o])
            row[7] |= marks[o] & mask
        codes[:size] //= 2
        codes[:size].sort()
        last = -1
        evidence = grown(evidence, used + size)
        for i in range(size):
            if codes[i] != last:  # an account may be marked both ways
                evidence[used] = codes[i]
                used += 1
            last = codes[i]
        ptr[k] = used
    return rows[: 10 * k].reshape(k, 10), ptr[: k + 1], evidence[:used]


@njit(cache=True, nogil=True)
def dealings(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_dst, in_ptr, in_idx, in_src, hub, marks, sure,
    mask, mercy, even, window, least_count, least_total, aim_count, aim_total
):  # fmt: skip
    """One row per burst of dealings with accounts marked ``mask`` in at least even confidence: account; of
    its best window (of most value, and if possible one that reaches both aims) transfers, value received,
    value sent, span; the value of all the account's transfers; the best confidence; and the evidence.

    A burst is a maximal chain of overlapping windows that each hold so many transfers of so much value.
    """
    rows, k = np.empty(7 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    codes = np.empty(64, dtype=np.int64)
    moved = np.zeros(2, dtype=np.int64)
    for a in near(accounts, marks, mask, out_ptr, out_dst, in_ptr, in_src):
        codes, size = met(a, in_ptr, in_idx, in_src, marks, sure, mask, even, 0, codes, 0)
        codes, size = met(a, out_ptr, out_idx, out_dst, marks, sure, mask, even, 1, codes, size)
        if size < least_count or spared(a, hub, marks, sure, mercy, even):
            continue
        codes[:size].sort()
        left, end, flow = 0, 0, -1  # the burst so far ends before ``end``
        moved[:] = 0
        for right in range(size):
            e = codes[right] // 2
            moved[codes[right] % 2] += max(value[e], 0)
            while time[e] - time[codes[left] // 2] > window:
                moved[codes[left] % 2] -= max(value[codes[left] // 2], 0)
                left += 1
            if right + 1 - left < least_count or moved[0] + moved[1] < least_total:
                continue
            if flow < 0:
                flow = through(a, out_ptr, out_idx, out_dst, value)
                flow += through(a, in_ptr, in_idx, in_src, value)
            if left >= end:
                rows, ptr, k = grown(rows, 7 * (k + 1)), grown(ptr, k + 2), k + 1
                rows[7 * k - 7 : 7 * k] = 0
                rows[7 * k - 7], rows[7 * k - 2] = a, flow
                end = left
            evidence, used = extended(evidence, used, codes, end, right + 1)
            row = rows[7 * k - 7 : 7 * k]
            for i in range(end, right + 1):
                e = codes[i] // 2
                row[6] = max(row[6], sure[dst[e] if codes[i] % 2 else src[e]])
            end, ptr[k] = right + 1, used
            total, best = moved[0] + moved[1], row[2] + row[3]
            ahead = total >= aim_total and right + 1 - left >= aim_count
            behind = best >= aim_total and row[1] >= aim_count
            if row[1] == 0 or ahead > behind or (ahead == behind and total > best):
                row[1], row[2], row[3] = right + 1 - left, moved[0], moved[1]
                row[4] = time[codes[right] // 2] - time[codes[left] // 2]
    return rows[: 7 * k].reshape(k, 7), ptr[: k + 1], evidence[:used] // 2


def judged(
    rows: NDArray[np.int64],
    ptr: NDArray[np.int64],
    evidence: NDArray[np.int64],
    *,
    share: float,
    min_value: int,
    min_count: int = 1,
) -> Hits:
    """The hits among the rows of `dealings`: an alert from ``min_value`` and ``min_count`` on, and only where
    the dealings are ``share`` of all that went through the account (a service deals with everyone)."""
    total, flow = rows[:, 2] + rows[:, 3], rows[:, 5]
    keep = total >= share * flow
    ptr, evidence = kept(keep, ptr, evidence)
    rows, total, flow = rows[keep], total[keep], flow[keep]
    reached = np.minimum(total / min_value, rows[:, 1] / min_count)
    return hits(
        rows[:, 0],
        (total >= min_value) & (rows[:, 1] >= min_count),
        np.where(reached >= 1, 1 - 0.5 / np.maximum(reached, 1), np.minimum(reached / 2, 0.49)),
        ptr,
        evidence,
        {
            "count": rows[:, 1],
            "received": rows[:, 2],
            "sent": rows[:, 3],
            "total": total,
            "span": rows[:, 4] / HOUR,
            "share": total / np.maximum(flow, 1),
            "confidence": rows[:, 6] / 100,
            "transfers": np.diff(ptr),
        },
        money=("received", "sent", "total"),
    )


def told(features: Mapping[str, float], currency: str, whom: str) -> tuple[str, ...]:
    """A hit of `judged` in words; ``whom`` is a noun in the plural."""
    reasons = [
        (
            f"Within {span(features['span'])}, {int(features['count'])} transfers between the account and "
            f"{whom} came to {amount(features['total'], currency)}: {amount(features['received'], currency)} "
            f"in, {amount(features['sent'], currency)} out."
        ),
        (
            f"That is {features['share']:.0%} of all value that went through the account in this ledger; "
            f"the surest attribution is held with {features['confidence']:.0%} confidence."
        ),
    ]
    if features["transfers"] > features["count"]:
        reasons.append(f"It went on: {int(features['transfers'])} such transfers in all.")
    return tuple(reasons)


def known(confidence: float = 0.9, /, **categories: str) -> Knowledge:
    """For samples: what is known of accounts by their names there, ``EX="exchange"``."""
    return Knowledge(
        attributions={
            account(name): Attribution(account(name), name, "", tuple(words.split()), confidence, "sample")
            for name, words in categories.items()
        }
    )


def unvalued(transfer: Transfer) -> Transfer:
    """For samples: the same transfer, of unknown value."""
    return replace(transfer, amount=None, value=None)


def percent(ratio: float) -> int:
    """A ratio as a whole number of per cent, as `Known.sure` is."""
    return round(100 * ratio)


def directions(features: Mapping[str, float], currency: str, whom: str) -> Iterator[str]:
    """What was received from and sent to whom, in a sentence each."""
    if features["received"]:
        yield f"The account received {amount(features['received'], currency)} straight from {whom}."
    if features["sent"]:
        yield f"The account sent {amount(features['sent'], currency)} straight to {whom}."

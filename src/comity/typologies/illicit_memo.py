"""Illicit memo: a text that came with a transfer points to illicit goods or activity.

Each distinct text is looked at once for phrases of a small list of our own, in some twenty languages (see
`_illicit_words`). A phrase is no proof: people joke, quote, donate and name shops, and who sends a text does
not ask who receives it. So one such text is to watch at both ends; an alert needs real value or several
transfers, and always a person who reads the texts. What the transfers said is in their evidence.

Not found, on purpose: single words that mean something else elsewhere; businesses known to be services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns, Facts
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, amount, arrays, frozen, grown, hits, pay
from comity.typologies._dealings import SERVICE
from comity.typologies._illicit_words import pointing

SPEC = TypologySpec(
    id="illicit_memo",
    title="Illicit memo",
    indicator="The text that came with transfers points to illicit goods or activity.",
    flags=("S18",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_count", 3, "count", "an alert from this many transfers with such a text"),
        Parameter("min_value", 1000, "money", "or from this value of theirs"),
    ),
    uses=("facts.memo", "known.marks"),
)


@njit(cache=True, nogil=True)
def _flagged(a, index, begin, end, others, memo, flags, evidence, used):  # type: ignore[no-untyped-def]
    """``evidence`` with the transfers ``index[begin:end]`` with others whose text is flagged."""
    for p in range(begin, end):
        if flags[memo[index[p]]] and others[p] != a:
            evidence = grown(evidence, used + 1)
            evidence[used] = index[p]
            used += 1
    return evidence, used


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, value, out_ptr, out_idx, out_dst, in_ptr, in_idx, in_src, hub, marks, memo, flags
):  # fmt: skip
    """One row per account: account, transfers out with such a text, value of all with one; and those."""
    rows, ptr, k = np.empty(3 * 16, dtype=np.int64), np.zeros(16, dtype=np.int64), 0
    evidence, used = np.empty(64, dtype=np.int64), 0
    some = flags.any()
    for a in accounts:
        if not some:
            break
        if hub[a] or marks[a] & SERVICE:
            continue
        before = used
        evidence, used = _flagged(
            a, out_idx, out_ptr[a], out_ptr[a + 1], out_dst, memo, flags, evidence, used
        )
        sent = used - before
        evidence, used = _flagged(a, in_idx, in_ptr[a], in_ptr[a + 1], in_src, memo, flags, evidence, used)
        if used == before:
            continue
        rows, ptr, total = grown(rows, 3 * (k + 1)), grown(ptr, k + 2), 0
        for p in range(before, used):
            total += max(value[evidence[p]], 0)
        rows[3 * k], rows[3 * k + 1], rows[3 * k + 2] = a, sent, total
        k += 1
        ptr[k] = used
    return rows[: 3 * k].reshape(k, 3), ptr[: k + 1], evidence[:used]


def _flags(facts: Facts) -> NDArray[np.bool_]:
    """For each text, whether it points to something illicit; only those that the transfers have are read."""
    flags = np.zeros(len(facts.memos), dtype=np.bool_)
    flags[facts.memo] = True
    flags[0] = False
    used = np.flatnonzero(flags)
    texts = [facts.memos[number] for number in used.tolist()]
    flags[used] = np.fromiter(pointing(texts), dtype=np.bool_, count=len(used))
    return flags


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count, least = int(parameters["min_count"]), max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "value out_ptr out_idx out_dst in_ptr in_idx in_src hub known.marks facts.memo"),
        frozen(_flags(columns.facts)),
    )
    count, total = np.diff(ptr), rows[:, 2]
    reached = np.maximum(count / min_count, total / least)
    alert = (count >= min_count) | (total >= least)
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 / np.maximum(reached, 1), np.minimum(reached / 2, 0.499)),
        ptr,
        evidence,
        {"count": count, "total": total, "sent": rows[:, 1]},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    count, sent = int(features["count"]), int(features["sent"])
    worth = f", of {amount(features['total'], currency)} in all" if features["total"] else ""
    return (
        (
            f"{count} transfer{'s' if count != 1 else ''}{worth}, came with a text that points to illicit "
            f"goods or activity: {sent} sent by the account, {count - sent} received."
        ),
        "A phrase was recognised, not a meaning: a person has to read the texts.",
    )


def _said(number: int, source: str, target: str, value: str, text: str) -> Any:
    """A sample transfer with a text."""
    return pay(number, number, source, target, value, reference=text)


CASES = (
    Sample(
        "one text with a large transfer; three with small ones, to one who received them all",
        (
            _said(1, "A", "B", "1800", "2 Stück gefälschte Reisepässe, wie besprochen"),
            *(
                _said(10 + i, f"C{i}", "D", "60", text)
                for i, text in enumerate(("FULLZ x20", "Кокаин", "买冰毒"))
            ),
        ),
        alerts=(account("A"), account("B"), account("D")),
        watches=tuple(account(f"C{i}") for i in range(3)),
    ),
    Sample(
        "near miss: a single text with a small transfer is to watch",
        (_said(1, "A", "B", "25", "for the cocaine, haha"), _said(2, "A", "C", "25", "pizza")),
        watches=(account("A"), account("B")),
    ),
    Sample(
        "negative: what only looks like it",
        tuple(
            _said(i, f"A{i}", f"B{i}", "5000", text)
            for i, text in enumerate(
                (
                    "Course: anti money laundering, level 2",
                    "weed killer and coke zero",
                    "Heroine of the Sea, 2 tickets",
                    "Spende: Verein gegen Drogen",
                    "carding wool",
                    "反洗钱培训费",
                    "",
                )
            )
        ),
    ),
)

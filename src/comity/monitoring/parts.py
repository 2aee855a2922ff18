"""Part of a ledger as columns of its own, and the hits found in it in the numbers of the whole.

Accounts keep their order and transfers theirs, so that a kernel finds in a part that holds all that a hit
depends on exactly what it finds in the whole (ADR 0013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from comity.columnar import assemble
from comity.model import Columns, Facts
from comity.typologies import Hits, TypologySpec

OF_TRANSFERS = ("asset", "digits", "memo", "src_country", "dst_country", "src_at", "dst_at")
OF_ACCOUNTS = ("hosted", "identity", "sharers", "born")


class Picked(Sequence[str]):
    """Some of the texts of a sequence, by number, read when asked for."""

    def __init__(self, texts: Sequence[str], numbers: NDArray[np.integer]) -> None:
        self._texts, self._numbers = texts, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(self._texts[int(number)] for number in self._numbers[at])
        return self._texts[int(self._numbers[at])]


@dataclass(frozen=True, slots=True)
class Part:
    """``columns`` of the transfers ``rows`` of a whole, between its ``accounts`` (both ascending)."""

    columns: Columns
    rows: NDArray[np.int64]
    accounts: NDArray[np.int32]

    def of_whole(self, hits: Hits) -> Hits:
        """Hits found in the part, with account and transfer numbers of the whole."""
        return replace(
            hits,
            account=self.accounts[hits.account],
            evidence=self.rows[hits.evidence],
            unfinished=self.accounts[hits.unfinished],
        )


def part(whole: Columns, rows: NDArray[np.int64]) -> Part:
    """The part that holds these transfers (numbers, ascending)."""
    src, dst = whole.src[rows], whole.dst[rows]
    accounts = np.unique(np.concatenate((src, dst))).astype(np.int32)
    facts = {name: getattr(whole.facts, name)[rows] for name in OF_TRANSFERS}
    facts |= {name: getattr(whole.facts, name)[accounts] for name in OF_ACCOUNTS}
    texts = {f.name: getattr(whole.facts, f.name) for f in fields(Facts) if f.name not in facts}
    columns = assemble(
        whole.time[rows],
        np.searchsorted(accounts, src).astype(np.int32),
        np.searchsorted(accounts, dst).astype(np.int32),
        whole.value[rows],
        hub=whole.hub[accounts],
        accounts=Picked(whole.accounts, accounts),
        ids=Picked(whole.ids, rows),
        reference=whole.reference,
        scale=whole.scale,
        facts=Facts(**facts, **texts),
    )
    known = replace(
        whole.known,
        marks=whole.known.marks[accounts],
        sure=whole.known.sure[accounts],
        actor=whole.known.actor[accounts],
    )
    return Part(replace(columns, known=known), rows, accounts)


def reach(spec: TypologySpec, parameters: dict[str, float]) -> tuple[int, int]:
    """How long (microseconds) before and after its beginning a window-local hit depends on transfers."""
    before = sum(round(parameters[name]) for name in spec.before)
    after = sum(round(parameters[name]) for name in spec.after)
    return before, after


def slab(whole: Columns, begin: int, end: int, before: int, after: int) -> Part:
    """All that the hits which begin in [begin, end) depend on."""
    low = int(np.searchsorted(whole.time, begin - before, side="left"))
    high = int(np.searchsorted(whole.time, end + after, side="left"))
    return part(whole, np.arange(low, high, dtype=np.int64))


def around(whole: Columns, accounts: NDArray[np.int32]) -> Part:
    """All that the hits of these accounts depend on: the transfers into and out of them."""
    pieces = [whole.out_idx[whole.out_ptr[a] : whole.out_ptr[a + 1]] for a in accounts]
    pieces += [whole.in_idx[whole.in_ptr[a] : whole.in_ptr[a + 1]] for a in accounts]
    rows = np.unique(np.concatenate(pieces)) if pieces else np.empty(0, dtype=np.int64)
    return part(whole, rows.astype(np.int64))

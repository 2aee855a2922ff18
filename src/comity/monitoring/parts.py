"""Part of a ledger as columns of its own, and the hits found in it in the numbers of the whole.

Accounts keep their order and transfers theirs, so that a kernel finds in a part that holds all that a hit
depends on exactly what it finds in the whole (ADR 0013).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from comity.columnar import assemble
from comity.model import Columns, Facts, Known
from comity.typologies import Hits, TypologySpec

OF_TRANSFERS = ("asset", "digits", "memo", "src_country", "dst_country", "src_at", "dst_at")
OF_ACCOUNTS = ("hosted", "identity", "sharers", "born")
KNOWN_OF_ACCOUNTS = ("marks", "sure", "actor")
_CORE = ("time", "src", "dst", "value")


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


@dataclass(frozen=True, slots=True)
class Frame:
    """What a part needs of the whole beside its transfers: arrays over all accounts, the law, and texts.

    All of it goes to every machine that works on a part; ``facts.memo`` and ``facts.memos`` go with the
    transfers.
    """

    hub: NDArray[np.bool_]
    facts: Mapping[str, NDArray[Any]]
    known: Known
    texts: Mapping[str, Sequence[str]]
    reference: str
    scale: int


def frame(whole: Columns) -> Frame:
    """The frame of these columns."""
    return Frame(
        np.asarray(whole.hub),
        {name: np.asarray(getattr(whole.facts, name)) for name in OF_ACCOUNTS},
        whole.known,
        {name: tuple(getattr(whole.facts, name)) for name in ("assets", "countries", "institutions")},
        whole.reference,
        whole.scale,
    )


def framed(
    given: Frame,
    rows: NDArray[np.int64],
    taken: Mapping[str, NDArray[Any]],
    memos: Sequence[str],
    texts: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> Part:
    """The part of transfers ``rows`` (ascending), whose columns and facts are ``taken``, in this frame.

    ``texts`` are the ids of all accounts and of all transfers, where something is to be put in words.
    """
    accounts = np.unique(np.concatenate((taken["src"], taken["dst"]))).astype(np.int32)
    stated: dict[str, Any] = {name: taken[name] for name in OF_TRANSFERS}
    stated |= {name: array[accounts] for name, array in given.facts.items()}
    columns = assemble(
        taken["time"],
        np.searchsorted(accounts, taken["src"]).astype(np.int32),
        np.searchsorted(accounts, taken["dst"]).astype(np.int32),
        taken["value"],
        hub=given.hub[accounts],
        accounts=Picked(texts[0], accounts),
        ids=Picked(texts[1], rows),
        reference=given.reference,
        scale=given.scale,
        facts=Facts(**stated, **dict[str, Any](given.texts), memos=memos),
    )
    known = replace(given.known, **{name: getattr(given.known, name)[accounts] for name in KNOWN_OF_ACCOUNTS})
    return Part(replace(columns, known=known), rows, accounts)


def part(whole: Columns, rows: NDArray[np.int64]) -> Part:
    """The part that holds these transfers (numbers, ascending)."""
    taken = {name: getattr(whole, name)[rows] for name in _CORE}
    taken |= {name: getattr(whole.facts, name)[rows] for name in OF_TRANSFERS}
    used, memo = np.unique(np.concatenate(([0], taken["memo"])), return_inverse=True)
    taken["memo"] = memo[1:].astype(np.int32)
    memos = Picked(whole.facts.memos, used)
    return framed(frame(whole), rows, taken, memos, (whole.accounts, whole.ids))


def reach(spec: TypologySpec, parameters: Mapping[str, float]) -> tuple[int, int]:
    """How long (microseconds) before and after its beginning a window-local hit depends on transfers."""
    before = sum(round(parameters[name]) for name in spec.before)
    after = sum(round(parameters[name]) for name in spec.after)
    return before, after


def slab(whole: Columns, begin: int, end: int, before: int, after: int) -> Part:
    """All that the hits which begin in [begin, end) depend on."""
    low = int(np.searchsorted(whole.time, begin - before, side="left"))
    high = int(np.searchsorted(whole.time, end + after, side="left"))
    return part(whole, np.arange(low, high, dtype=np.int64))


def numbers(accounts: Sequence[str], names: Iterable[str]) -> NDArray[np.int32]:
    """The numbers of those of these accounts that are there, ascending; ``accounts`` ascend."""
    places = ((bisect_left(accounts, name), name) for name in names)
    there = sorted(at for at, name in places if at < len(accounts) and accounts[at] == name)
    return np.array(there, dtype=np.int32)


def around(whole: Columns, accounts: NDArray[np.int32]) -> Part:
    """All that the hits of these accounts depend on: the transfers into and out of them."""
    pieces = [whole.out_idx[whole.out_ptr[a] : whole.out_ptr[a + 1]] for a in accounts]
    pieces += [whole.in_idx[whole.in_ptr[a] : whole.in_ptr[a + 1]] for a in accounts]
    rows = np.unique(np.concatenate(pieces)) if pieces else np.empty(0, dtype=np.int64)
    return part(whole, rows.astype(np.int64))

"""Monitoring what is new only: the findings of a full run, without reading the rest of the ledger again.

A new, late or corrected transfer can change the account-local hits of its two accounts, and the window-local
hits that begin not long before or after it. What is stated of an account (who keeps it, who holds it) can
change too, and with it the hits of those who dealt with it. An identifier that holders share ties accounts
together that never dealt with each other, and `Facts` keep only one of an account's: where that of a touched
account is shared, or may have been before a correction, the typologies that look at it run over everything.
All else stays as it was (ADR 0013).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from comity import plugins
from comity.columnar import MAX_TIME
from comity.model import AccountId, Columns, Finding
from comity.monitoring import parts
from comity.monitoring.run import Outcome, Rules, Unfinished, everything, findings, in_order
from comity.typologies import Scope, Shape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_HOLDERS = frozenset({"facts.hosted", "facts.born"})
"""Facts of an account that any transfer of its own can change."""
_SHARED = frozenset({"facts.identity", "facts.sharers"})
"""Facts of an account that a transfer of others, who were never heard of, can change."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What came since the last run: the accounts of every transfer that is new, gone or replaced (ids), the
    microseconds of the first and the last of them, and whether any is gone or replaced."""

    accounts: tuple[str, ...]
    first: int
    last: int
    corrected: bool = False


def again(columns: Columns, earlier: Outcome, touched: Touched, rules: Rules) -> Outcome:
    """The outcome over ``columns``, from that of the same ``rules`` before ``touched``.

    ``columns`` are informed already, by the same knowledge as before. A window-local search that had reached
    its budget stays among the unfinished even where a correction would let it end.
    """
    numbers = parts.numbers(columns.accounts, touched.accounts)
    stated_anew = _stated_anew(columns, numbers, corrected=touched.corrected)
    shared_anew = touched.corrected or bool((columns.facts.identity[numbers] > 0).any())
    around = _neighbours(columns, stated_anew)
    found: list[Finding] = []
    short: dict[str, set[str]] = {}
    for name, parameters in rules.items():
        module = plugins.load("typologies", name)
        if shared_anew and not _SHARED.isdisjoint(module.SPEC.uses):
            hits = module.run(columns, parameters, everything(columns))
            found += findings(columns, module, hits)
            short[name] = {columns.accounts[int(number)] for number in hits.unfinished}
            continue
        of_holders = not _OF_HOLDERS.isdisjoint(module.SPEC.uses)
        own = [finding for finding in earlier.findings if finding.rule == name]
        left = {account for one in earlier.unfinished if one.rule == name for account in one.accounts}
        if module.SPEC.shape is Shape.ACCOUNT:
            wanted = np.union1d(numbers, around).astype(np.int32) if of_holders else numbers
            names = {*touched.accounts, *(columns.accounts[int(number)] for number in wanted)}
            scope = Scope(wanted, 0, 0)
            found += (finding for finding in own if finding.subject not in names)
            left -= names
        else:
            begin, end = _span(
                touched, parts.reach(module.SPEC, parameters), everything=of_holders and len(stated_anew) > 0
            )
            scope = Scope(np.empty(0, dtype=np.int32), begin, end)
            found += (finding for finding in own if not begin <= _began(finding) < end)
        hits = module.run(columns, parameters, scope)
        found += findings(columns, module, hits)
        left |= {columns.accounts[int(number)] for number in hits.unfinished}
        short[name] = left
    unfinished = (Unfinished(name, tuple(sorted(left))) for name, left in sorted(short.items()) if left)
    return Outcome(in_order(found), tuple(unfinished))


def _span(touched: Touched, reach: tuple[int, int], *, everything: bool) -> tuple[int, int]:
    """The beginnings of hits that what was touched can change."""
    before, after = reach
    if everything:
        return -MAX_TIME, MAX_TIME
    return touched.first - after, touched.last + before + 1


def _began(finding: Finding) -> int:
    assert finding.first is not None
    return (finding.first - _EPOCH) // timedelta(microseconds=1)


def _stated_anew(columns: Columns, numbers: NDArray[np.int32], *, corrected: bool) -> NDArray[np.int32]:
    """Those of the touched accounts of which something is (or, after a correction, was) stated at all."""
    facts = columns.facts
    hosted = numbers if corrected else numbers[facts.hosted[numbers]]
    kept = [n for n in hosted if AccountId(columns.accounts[int(n)]).chain]
    held = numbers[facts.born[numbers] > 0]
    return np.unique(np.concatenate((np.array(kept, dtype=np.int64), held))).astype(np.int32)


def _neighbours(columns: Columns, numbers: Iterable[int]) -> NDArray[np.int32]:
    """These accounts and all that dealt with one of them."""
    found = [np.fromiter(numbers, dtype=np.int32)]
    for number in found[0]:
        found.append(columns.out_dst[columns.out_ptr[number] : columns.out_ptr[number + 1]])
        found.append(columns.in_src[columns.in_ptr[number] : columns.in_ptr[number + 1]])
    return np.unique(np.concatenate(found)).astype(np.int32)

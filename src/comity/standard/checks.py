"""What must hold across files: no circle, no tie, nothing silently weaker than the standard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import combinations

from comity.model import Provision
from comity.standard.law import STANDARD, Standard
from comity.standard.resolve import find
from comity.standard.strictness import Place, place
from comity.standard.text import Node


def extends(standard: Standard, roots: Mapping[str, Node]) -> None:
    """Each `extends` names a file, none goes in a circle, and there is one standard. Raises LawFileError."""
    standards = [each for each in standard.jurisdictions.values() if each.kind == STANDARD]
    for extra in standards[1:]:
        roots[extra.id].refuse(
            f"is a second standard beside {standards[0].id}", "let only one file have `kind: standard`"
        )
    for name, jurisdiction in standard.jurisdictions.items():
        at, seen = jurisdiction, [name]
        while at.extends:
            field = roots[at.id].need("extends")
            if at.extends not in standard.jurisdictions:
                field.refuse(f"there is no law file {at.extends!r}", "name a file that exists, in lower case")
            if at.extends in seen:
                field.refuse(
                    f"goes in a circle: {' → '.join([*seen, at.extends])}", "remove one of the links"
                )
            at = standard.jurisdictions[at.extends]
            seen.append(at.id)


def ties(standard: Standard, where: Mapping[Provision, Node]) -> None:
    """No two provisions of one jurisdiction answer the same question at once. Raises LawFileError."""
    for law in standard.provisions.values():
        for provisions in law.values():
            for one, other in combinations(provisions, 2):
                _tie(one, other, where)


def _tie(one: Provision, other: Provision, where: Mapping[Provision, Node]) -> None:
    if not _overlap(one, other) or len(one.when) != len(other.when) or not _compatible(one, other):
        return
    later, earlier = (one, other) if where[one].line > where[other].line else (other, one)
    line = where[earlier].line
    if one.from_ == other.from_:
        where[later].refuse(
            f"ties with the answer on line {line}: neither is later nor has more conditions",
            "give one of them `until`, another `from`, or a condition the other lacks",
        )
    ended = one if (one.from_ or date.min) < (other.from_ or date.min) else other
    if ended.until and one.when == other.when:
        where[later].refuse(
            f"its dates overlap those of line {line}",
            "let the earlier end (`until`, exclusive) on the day the later begins (`from`)",
        )


def weaker(standard: Standard, where: Mapping[Provision, Node]) -> None:
    """An answer weaker than the standard's says why (`departs:`). Raises LawFileError."""
    root = standard.root
    if not root:
        return
    for name, law in standard.provisions.items():
        if name == root or root not in standard.chain(name):
            continue
        for question, provisions in law.items():
            for ours in provisions:
                for theirs in standard.provisions[root].get(question, ()):
                    if not ours.departs and _falls_short(standard, ours, theirs):
                        where[ours].refuse(
                            f"is weaker than {theirs.source}",
                            "check the value; if the law is so, say how it departs in `departs:`",
                        )


def _falls_short(standard: Standard, ours: Provision, theirs: Provision) -> bool:
    if not _overlap(ours, theirs) or not _compatible(ours, theirs):
        return False
    if theirs.from_ and ours.reviewed and theirs.from_ > ours.reviewed:
        return False  # the standard moves later: that will be a gap then, and is no slip of the pen now
    question = standard.vocabulary.question(ours.question)
    if place(standard.vocabulary, question, ours.value, theirs.value) is not Place.WEAKER:
        return False
    facts = dict(ours.when) | dict(theirs.when)
    starts = {max(ours.from_ or date.min, theirs.from_ or date.min)}
    starts |= {
        start
        for law in (ours.jurisdiction, theirs.jurisdiction)
        for each in standard.provisions[law][ours.question]
        if (start := each.until) and _holds(ours, start) and _holds(theirs, start)
    }
    return any(
        find(standard, ours.jurisdiction, ours.question, on, facts) == ours
        and find(standard, theirs.jurisdiction, theirs.question, on, facts) == theirs
        for on in starts
    )


def _holds(provision: Provision, on: date) -> bool:
    return provision.holds(on)


def _overlap(one: Provision, other: Provision) -> bool:
    start = max(one.from_ or date.min, other.from_ or date.min)
    return start < min(one.until or date.max, other.until or date.max)


def _compatible(one: Provision, other: Provision) -> bool:
    """Whether some facts satisfy both."""
    theirs = dict(other.when)
    return all(theirs.get(name, value) == value for name, value in one.when)

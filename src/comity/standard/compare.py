"""Every gap computed: each law beside the standard and beside the others, on any day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Confidence, Deadline, Power, Provision, Threshold
from comity.standard.law import Question, Standard
from comity.standard.resolve import find, shown
from comity.standard.strictness import Place, dollars, hours, members, place

_DAYS_TO_HALF = 7 * 24


@dataclass(frozen=True, slots=True)
class Gap:
    """One question on which a law falls short of the standard, or says nothing, or is not known.

    ``weakness`` lies in [0, 1]: 0 keeps the standard, 1 has nothing of it. ``ours`` is None where the
    law is silent. ``facts`` are the conditions of the standard's provision. ``confidence`` is the lowest
    of what it rests on, and UNKNOWN where the law is silent: that rests on nothing that was found.
    """

    jurisdiction: str
    question: str
    place: Place
    weakness: float
    ours: Provision | None
    standards: Provision
    facts: tuple[tuple[str, str], ...]
    why: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Beside:
    """One question answered by two laws, for the facts on which they differ from the ordinary case."""

    question: str
    facts: tuple[tuple[str, str], ...]
    place: Place
    ours: Provision | None
    theirs: Provision | None
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of the standard a law keeps, over its ``questions``: shares in [0, 1].

    ``kept`` is the mean of what is known (1 keeps all of it; 0 where nothing is known); ``least`` counts
    what is not known as nothing, ``most`` as all: the truth lies between. ``known`` is the share known.
    """

    jurisdiction: str
    questions: int
    kept: float
    least: float
    most: float
    known: float


def compare(
    standard: Standard, a: str, b: str, question: str, on: date, facts: Mapping[str, str] | None = None
) -> Place:
    """Where the law of ``a`` stands beside that of ``b``: stricter, equal, weaker, silent or unknown.

    Only law of their own counts, or that they extend and that binds; the standard itself may be ``b``.
    SILENT: ``a`` says nothing. Where only ``b`` says nothing, an answer is stricter. Raises NotFound.
    """
    asked = standard.vocabulary.question(question)
    ours = binding(standard, a, question, on, facts or {})
    theirs = binding(standard, b, question, on, facts or {})
    return placed(standard, asked, ours, theirs)


def beside(standard: Standard, a: str, b: str, on: date) -> tuple[Beside, ...]:
    """Every question whose answers can be ordered and that either law answers, as `compare` places it.

    A question on which either law has exceptions stands once for each set of facts that makes a
    difference, the ordinary case first. Raises NotFound.
    """
    found = []
    for asked in standard.vocabulary.questions.values():
        if not asked.stricter:
            continue
        seen = set()
        for facts in situations(standard, (a, b), asked.name, on):
            ours = binding(standard, a, asked.name, on, dict(facts))
            theirs = binding(standard, b, asked.name, on, dict(facts))
            if (ours or theirs) and (ours, theirs) not in seen:
                seen.add((ours, theirs))
                where = placed(standard, asked, ours, theirs)
                found.append(Beside(asked.name, facts, where, ours, theirs, confidence((ours, theirs))))
    return tuple(found)


def situations(
    standard: Standard, laws: Iterable[str], question: str, on: date
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The sets of facts for which these laws have answers of their own that day, the ordinary case first."""
    chains = {law for name in laws for law in standard.chain(name)}
    found = {
        each.when for law in chains for each in standard.provisions[law].get(question, ()) if each.holds(on)
    }
    return tuple(sorted(found | {()}))


def confidence(provisions: Iterable[Provision | None]) -> Confidence:
    """The lowest confidence among provisions; UNKNOWN where one is missing or its answer unknown."""
    ranks = [
        Confidence.UNKNOWN if each is None or each.value is None else each.confidence for each in provisions
    ]
    return max(ranks, key=tuple(Confidence).index, default=Confidence.UNKNOWN)


def matrix(standard: Standard, on: date) -> dict[str, dict[str, Place]]:
    """Every bloc and state beside the standard: jurisdiction → question the standard answers → place.

    A question on which the standard has several answers (for different facts) shows the weakest place.
    """
    rows: dict[str, dict[str, Place]] = {}
    for name in standard.jurisdictions:
        if name == standard.root:
            continue
        row: dict[str, Place] = {}
        for asked, theirs in standards(standard, on):
            ours = answering(standard, name, asked, on, dict(theirs.when))
            found = placed(standard, asked, ours, theirs)
            row[asked.name] = min(found, row.get(asked.name, found), key=_WORST_FIRST.index)
        rows[name] = row
    return rows


_WORST_FIRST = (Place.SILENT, Place.WEAKER, Place.UNKNOWN, Place.EQUAL, Place.STRICTER)


def gaps(standard: Standard, jurisdiction: str, on: date) -> tuple[Gap, ...]:
    """Where a law falls short of the standard on a day, the widest first. Raises NotFound."""
    found = []
    for asked, theirs in standards(standard, on):
        ours = answering(standard, jurisdiction, asked, on, dict(theirs.when))
        where = placed(standard, asked, ours, theirs)
        if where in (Place.WEAKER, Place.SILENT, Place.UNKNOWN):
            found.append(_gap(standard, jurisdiction, asked, where, ours, theirs))
    return tuple(sorted(found, key=lambda gap: (-gap.weakness, gap.question, gap.facts)))


def kept(standard: Standard, jurisdiction: str, on: date) -> Kept:
    """How much of the standard's answers a law keeps on a day. Raises NotFound."""
    asked = len(standards(standard, on))
    open_ = gaps(standard, jurisdiction, on)
    lost = sum(gap.weakness for gap in open_ if gap.place is not Place.UNKNOWN)
    unknown = sum(gap.place is Place.UNKNOWN for gap in open_)
    known = asked - unknown
    held = known - lost
    return Kept(
        standard.jurisdiction(jurisdiction).id,
        asked,
        held / known if known else 0.0,
        held / asked if asked else 1.0,
        (held + unknown) / asked if asked else 1.0,
        known / asked if asked else 1.0,
    )


def standards(standard: Standard, on: date) -> list[tuple[Question, Provision]]:
    """The standard's answers in force on a day to questions whose answers can be ordered."""
    root = standard.root
    found = []
    for name, provisions in standard.provisions.get(root, {}).items():
        asked = standard.vocabulary.question(name)
        for provision in provisions:
            applies = find(standard, root, name, on, dict(provision.when)) is provision
            if asked.stricter and provision.value is not None and applies:
                found.append((asked, provision))
    return found


def binding(
    standard: Standard, jurisdiction: str, question: str, on: date, facts: Mapping[str, str]
) -> Provision | None:
    """What answers and binds: its own law or its bloc's; the standard's only for the standard itself."""
    provision = find(standard, jurisdiction, question, on, facts)
    own = provision is not None and provision.jurisdiction == standard.jurisdiction(jurisdiction).id
    return provision if provision is not None and (own or standard.binds(provision)) else None


def answering(
    standard: Standard, jurisdiction: str, asked: Question, on: date, facts: Mapping[str, str]
) -> Provision | None:
    """As `binding`, for laying a law beside the standard: a power of another authority will do `instead`."""
    own = binding(standard, jurisdiction, asked.name, on, facts)
    if own is None or own.value in (None, False):
        for name in asked.instead:
            other = binding(standard, jurisdiction, name, on, facts)
            if other is not None and isinstance(other.value, Power):
                return other
    return own


def placed(standard: Standard, asked: Question, ours: Provision | None, theirs: Provision | None) -> Place:
    """Where one provision stands beside another; SILENT where ``ours`` is None."""
    if ours is None:
        return Place.SILENT
    if theirs is None:
        if ours.value is None:
            return Place.UNKNOWN
        return Place.EQUAL if ours.value is False else Place.STRICTER
    # The standard asks that a power exists, not for how long it lasts.
    powers = isinstance(ours.value, Power) and isinstance(theirs.value, Power)
    if powers and not (standard.binds(ours) and standard.binds(theirs)):
        return Place.EQUAL
    return place(standard.vocabulary, asked, ours.value, theirs.value)


def _gap(
    standard: Standard,
    jurisdiction: str,
    asked: Question,
    where: Place,
    ours: Provision | None,
    theirs: Provision,
) -> Gap:
    name = standard.jurisdiction(jurisdiction).name
    ask = asked.ask.rstrip("?")
    wanted = f"the standard answers {shown(theirs)} ({theirs.source})"
    if where is Place.SILENT or ours is None:
        why = f"{name} has no law on “{ask}”, where {wanted}."
    elif where is Place.UNKNOWN:
        why = f"What the law of {name} says on “{ask}” is not established, or cannot be ordered; {wanted}."
    else:
        why = f"On “{ask}” {name} answers {shown(ours)} ({ours.source}), where {wanted}."
    return Gap(
        standard.jurisdiction(jurisdiction).id,
        asked.name,
        where,
        _weakness(standard, where, ours, theirs),
        ours,
        theirs,
        theirs.when,
        why,
        confidence((ours, theirs)),
    )


def _weakness(standard: Standard, where: Place, ours: Provision | None, theirs: Provision) -> float:
    """How far below the standard: 1 for silence, ½ for what is not known, else by how much it differs."""
    if where is Place.SILENT or ours is None:
        return 1.0
    if where is Place.UNKNOWN:
        return 0.5
    mine, other = ours.value, theirs.value
    if isinstance(mine, Threshold) and isinstance(other, Threshold):
        ours_in, theirs_in = dollars(standard.vocabulary, mine), dollars(standard.vocabulary, other)
        if mine.amount == other.amount or not ours_in or theirs_in is None:
            return 0.05
        return max(0.05, float(1 - theirs_in / ours_in))
    if isinstance(mine, Deadline) and isinstance(other, Deadline):
        extra = float(hours(mine) - hours(other))
        return extra / (extra + _DAYS_TO_HALF)
    if isinstance(mine, int) and isinstance(other, int) and not isinstance(mine, bool) and other:
        return 1 - mine / other
    if isinstance(mine, bool):
        return 1.0
    wanted, had = members(standard.vocabulary, other), members(standard.vocabulary, mine)
    return len(wanted - had) / len(wanted) if wanted else 0.5

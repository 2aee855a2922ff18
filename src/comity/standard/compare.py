"""Every gap computed: each law beside the standard and the others, and the routes where arbitrage lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import permutations

from comity.model import Deadline, Power, Provision, Threshold
from comity.standard.law import Question, Standard
from comity.standard.resolve import find, shown
from comity.standard.strictness import Place, dollars, hours, place

_DAYS_TO_HALF = 7 * 24


@dataclass(frozen=True, slots=True)
class Gap:
    """One question on which a law falls short of the standard, or says nothing, or is not known.

    ``weakness`` lies in [0, 1]: 0 keeps the standard, 1 has nothing of it. ``ours`` is None where the
    law is silent. ``facts`` are the conditions of the standard's provision.
    """

    jurisdiction: str
    question: str
    place: Place
    weakness: float
    ours: Provision | None
    standards: Provision
    facts: tuple[tuple[str, str], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Corridor:
    """A route from one country to another, by its weakest duty.

    ``score`` in [0, 1] is the weakness of that duty; ``mean`` that of all duties on the route; ``volume``
    what flows along it (0 if not given); ``exposure`` is score × volume. ``weakest`` is None where
    both ends keep the whole standard.
    """

    origin: str
    destination: str
    score: float
    mean: float
    volume: float
    exposure: float
    weakest: Gap | None
    why: tuple[str, ...]


def compare(
    standard: Standard, a: str, b: str, question: str, on: date, facts: Mapping[str, str] | None = None
) -> Place:
    """Where the law of ``a`` stands beside that of ``b``: stricter, equal, weaker, silent or unknown.

    Only law of their own counts, or that they extend and that binds; the standard itself may be ``b``.
    SILENT: ``a`` says nothing. Where only ``b`` says nothing, an answer is stricter. Raises NotFound.
    """
    asked = standard.vocabulary.question(question)
    ours = _binding(standard, a, question, on, facts or {})
    theirs = _binding(standard, b, question, on, facts or {})
    return _place(standard, asked, ours, theirs)


def matrix(standard: Standard, on: date) -> dict[str, dict[str, Place]]:
    """Every bloc and state beside the standard: jurisdiction → question the standard answers → place.

    A question on which the standard has several answers (for different facts) shows the weakest place.
    """
    rows: dict[str, dict[str, Place]] = {}
    for name in standard.jurisdictions:
        if name == standard.root:
            continue
        row: dict[str, Place] = {}
        for asked, theirs in _standards(standard, on):
            ours = _binding(standard, name, asked.name, on, dict(theirs.when))
            found = _place(standard, asked, ours, theirs)
            row[asked.name] = min(found, row.get(asked.name, found), key=_WORST_FIRST.index)
        rows[name] = row
    return rows


_WORST_FIRST = (Place.SILENT, Place.WEAKER, Place.UNKNOWN, Place.EQUAL, Place.STRICTER)


def gaps(standard: Standard, jurisdiction: str, on: date) -> tuple[Gap, ...]:
    """Where a law falls short of the standard on a day, the widest first. Raises NotFound."""
    found = []
    for asked, theirs in _standards(standard, on):
        ours = _binding(standard, jurisdiction, asked.name, on, dict(theirs.when))
        where = _place(standard, asked, ours, theirs)
        if where in (Place.WEAKER, Place.SILENT, Place.UNKNOWN):
            found.append(_gap(standard, jurisdiction, asked, where, ours, theirs))
    return tuple(sorted(found, key=lambda gap: (-gap.weakness, gap.question, gap.facts)))


def corridors(
    standard: Standard, on: date, volumes: Mapping[tuple[str, str], float] | None = None
) -> tuple[Corridor, ...]:
    """Every ordered pair of states, the most exposed first: by volume too, where volumes are given.

    ``volumes``: what flows from one state to another, in any one unit; pairs that are missing have 0.
    """
    flows = {(a.lower(), b.lower()): volume for (a, b), volume in (volumes or {}).items()}
    states = standard.states()
    widths = {name: {(gap.question, gap.facts): gap for gap in gaps(standard, name, on)} for name in states}
    ends = _ends(standard)
    asked = [(each.name, provision.when) for each, provision in _standards(standard, on)]
    found = []
    for origin, destination in permutations(states, 2):
        route = [
            widths[name].get(key)
            for name, role in ((origin, "originator"), (destination, "beneficiary"))
            for key in asked
            if role in ends.get(key[0], ())
        ]
        volume = flows.get((origin, destination), 0.0)
        found.append(_corridor(origin, destination, route, volume))
    return tuple(sorted(found, key=lambda c: (-c.exposure, -c.score, -c.mean, c.origin, c.destination)))


def _corridor(origin: str, destination: str, route: list[Gap | None], volume: float) -> Corridor:
    open_ = sorted(
        (gap for gap in route if gap), key=lambda gap: (-gap.weakness, gap.question, gap.jurisdiction)
    )
    weakest = open_[0] if open_ else None
    score = weakest.weakness if weakest else 0.0
    mean = sum(gap.weakness for gap in open_) / len(route) if route else 0.0
    why = tuple(dict.fromkeys(gap.why for gap in open_)) or ("Both ends keep every duty of the standard.",)
    return Corridor(origin, destination, score, mean, volume, score * volume, weakest, why)


def _ends(standard: Standard) -> dict[str, set[str]]:
    """Questions that make a duty, or decide whether and by when it is owed: the ends it falls on."""
    ends: dict[str, set[str]] = {}
    for question in standard.vocabulary.questions.values():
        rule = question.duty
        if rule:
            for name in (question.name, rule.gate, rule.floor, rule.deadline):
                ends.setdefault(name, set()).update(rule.on)
    return ends


def _standards(standard: Standard, on: date) -> list[tuple[Question, Provision]]:
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


def _binding(
    standard: Standard, jurisdiction: str, question: str, on: date, facts: Mapping[str, str]
) -> Provision | None:
    provision = find(standard, jurisdiction, question, on, facts)
    own = provision is not None and provision.jurisdiction == standard.jurisdiction(jurisdiction).id
    return provision if provision is not None and (own or standard.binds(provision)) else None


def _place(standard: Standard, asked: Question, ours: Provision | None, theirs: Provision | None) -> Place:
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
    weakness = _weakness(standard, where, ours, theirs)
    return Gap(
        standard.jurisdiction(jurisdiction).id, asked.name, where, weakness, ours, theirs, theirs.when, why
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
    return 0.5

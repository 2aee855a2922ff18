"""Routes between countries by the weakest duty on them: where arbitrage lives, and what would close it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import permutations

from comity.errors import BadInput
from comity.model import Answer, Basis, Confidence, Provision
from comity.standard.compare import Gap, gaps, standards
from comity.standard.law import Standard
from comity.standard.resolve import precedence
from comity.standard.strictness import Place


@dataclass(frozen=True, slots=True)
class Corridor:
    """A route from one country to another, by its weakest duty.

    ``score`` in [0, 1] is the weakness of that duty; ``mean`` that of all duties on the route; ``volume``
    what flows along it (0 if not given); ``exposure`` is score × volume. ``weakest`` is None where
    both ends keep the whole standard. ``unknown`` counts the duties of the route whose law is not
    established (each weighs one half), and ``confidence`` is the lowest that ``weakest`` rests on.
    """

    origin: str
    destination: str
    score: float
    mean: float
    volume: float
    exposure: float
    weakest: Gap | None
    why: tuple[str, ...]
    unknown: int
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Moved:
    """One corridor before and after a law is adopted."""

    origin: str
    destination: str
    before: Corridor
    after: Corridor

    @property
    def closed(self) -> float:
        """How much of the mean weakness the adoption takes away; negative where it adds some."""
        return self.before.mean - self.after.mean


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What adopting provisions would change: the corridors that move, the most relieved first.

    ``exposure`` totals score × volume over all corridors, ``mean`` averages their mean weakness.
    """

    jurisdiction: str
    question: str
    adopted: tuple[Provision, ...]
    displaced: tuple[Provision, ...]
    moved: tuple[Moved, ...]
    mean_before: float
    mean_after: float
    exposure_before: float
    exposure_after: float


def corridors(
    standard: Standard, on: date, volumes: Mapping[tuple[str, str], float] | None = None
) -> tuple[Corridor, ...]:
    """Every ordered pair of states, the most exposed first: by volume too, where volumes are given.

    A duty counts at the ends it falls on, and so does a question that names them in `route`. ``volumes``:
    what flows from one state to another, in any one unit; pairs that are missing have 0.
    """
    flows = {(a.lower(), b.lower()): volume for (a, b), volume in (volumes or {}).items()}
    states = standard.states()
    widths = {name: {(gap.question, gap.facts): gap for gap in gaps(standard, name, on)} for name in states}
    ends = _ends(standard)
    asked = [(each.name, provision.when) for each, provision in standards(standard, on)]
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
    return Corridor(
        origin,
        destination,
        score,
        mean,
        volume,
        score * volume,
        weakest,
        tuple(dict.fromkeys(gap.why for gap in open_)) or ("Both ends keep every duty of the standard.",),
        sum(gap.place is Place.UNKNOWN for gap in open_),
        weakest.confidence if weakest else Confidence.HIGH,
    )


def _ends(standard: Standard) -> dict[str, set[str]]:
    """Questions that make a duty, or decide on one, or name a route: the ends at which they count."""
    ends: dict[str, set[str]] = {}
    for question in standard.vocabulary.questions.values():
        rule = question.duty
        if rule:
            for name in (question.name, rule.gate, rule.floor, rule.deadline):
                ends.setdefault(name, set()).update(rule.on)
        if question.route:
            ends.setdefault(question.name, set()).update(question.route)
    return ends


def proposal(
    standard: Standard,
    jurisdiction: str,
    question: str,
    value: Answer,
    on: date,
    when: tuple[tuple[str, str], ...] = (),
) -> tuple[Provision, ...]:
    """A provision nobody has made yet. Raises BadInput for a fact nobody states, NotFound."""
    standard.vocabulary.question(question)
    for name, said in when:
        if said not in standard.vocabulary.facts.get(name, ()):
            known = standard.vocabulary.facts.get(name)
            raise BadInput(
                f"no fact {name}={said}",
                remedy=f"use one of: {', '.join(known or standard.vocabulary.facts)}",
            )
    return (
        Provision(
            jurisdiction=standard.jurisdiction(jurisdiction).id,
            question=question,
            value=value,
            source="what if: not law",
            confidence=Confidence.LOW,
            basis=Basis.UNKNOWN,
            from_=on,
            when=when,
            reviewed=on,
        ),
    )


def from_standard(standard: Standard, jurisdiction: str, question: str, on: date) -> tuple[Provision, ...]:
    """The standard's answers to a question, as if a jurisdiction made them law. Raises BadInput, NotFound."""
    own = standard.jurisdiction(jurisdiction).id
    standard.vocabulary.question(question)
    found = tuple(
        replace(
            each,
            jurisdiction=own,
            from_=on,
            until=None,
            source=f"what if: adopts {each.source}",
            confidence=Confidence.LOW,
            basis=Basis.UNKNOWN,
        )
        for asked, each in standards(standard, on)
        if asked.name == question
    )
    if not found:
        raise BadInput(
            f"the standard has no answer to {question} on {on} that could be adopted",
            remedy="give the value to adopt, as a law file would write it",
        )
    return found


def adopt(standard: Standard, provisions: tuple[Provision, ...]) -> Standard:
    """The law as it would be: these provisions replace all the jurisdiction answers to their questions."""
    law = dict(standard.provisions)
    for provision in provisions:
        own = dict(law[provision.jurisdiction])
        ours = (each for each in provisions if each.question == provision.question)
        own[provision.question] = tuple(
            sorted((each for each in ours if each.jurisdiction == provision.jurisdiction), key=precedence)
        )
        law[provision.jurisdiction] = own
    return replace(standard, provisions=law)


def what_if(
    standard: Standard,
    provisions: tuple[Provision, ...],
    on: date,
    volumes: Mapping[tuple[str, str], float] | None = None,
) -> WhatIf:
    """What would change on the corridors if one jurisdiction answered one question with ``provisions``."""
    first = provisions[0]
    before = corridors(standard, on, volumes)
    after = {
        (each.origin, each.destination): each for each in corridors(adopt(standard, provisions), on, volumes)
    }
    moved = [
        Moved(each.origin, each.destination, each, after[(each.origin, each.destination)])
        for each in before
        if (each.score, each.mean)
        != (after[(each.origin, each.destination)].score, after[(each.origin, each.destination)].mean)
    ]
    count = len(before) or 1
    return WhatIf(
        first.jurisdiction,
        first.question,
        provisions,
        standard.provisions[first.jurisdiction].get(first.question, ()),
        tuple(
            sorted(
                moved,
                key=lambda m: (-(m.before.exposure - m.after.exposure), -m.closed, m.origin, m.destination),
            )
        ),
        sum(each.mean for each in before) / count,
        sum(each.mean for each in after.values()) / count,
        sum(each.exposure for each in before),
        sum(each.exposure for each in after.values()),
    )

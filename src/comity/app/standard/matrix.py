"""Jurisdictions × questions on one day: each answer, its source, and where it stands beside the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Confidence, Provision
from comity.standard import compare
from comity.standard.law import Standard
from comity.standard.strictness import Place

THE_STANDARD = "standard"
UNCOMPARED = "not compared"
RELATIONS = {
    "stricter": "asks more than the standard",
    "equal": "asks the same",
    "weaker": "asks less",
    "silent": "has no law on it",
    "unknown": "has law that is not established, or cannot be ordered",
    UNCOMPARED: "the standard gives no answer to compare with, or answers have no order",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One law's answer to one question.

    ``relation`` is a Place in words, or THE_STANDARD, or UNCOMPARED. ``provision`` is what it rests on, None
    where the law is silent. ``confidence`` is the lowest of that and of the standard's answer it is compared
    with. ``others`` counts further answers, for other facts.
    """

    relation: str
    provision: Provision | None
    confidence: Confidence
    others: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every cell there is; keys of ``cells``: (jurisdiction, question). ``questions`` and ``countries`` map
    ids to their words, in order of display. A question's topic is its id up to the first point."""

    on: date
    questions: Mapping[str, str]
    countries: Mapping[str, str]
    cells: Mapping[tuple[str, str], Cell]


def matrix(standard: Standard, on: date) -> Matrix:
    """The standard first, then blocs and states by name."""
    laws = sorted(standard.jurisdictions.values(), key=lambda law: (law.id != standard.root, law.name))
    places = compare.matrix(standard, on)
    asked = {name: question.ask for name, question in standard.vocabulary.questions.items()}
    measure: dict[str, list[Provision]] = {}
    for question, theirs in compare.standards(standard, on):
        measure.setdefault(question.name, []).append(theirs)
    cells = {
        (law.id, name): _cell(standard, law.id, name, on, measure.get(name, []), places)
        for law in laws
        for name in asked
    }
    return Matrix(on, asked, {law.id: law.name for law in laws}, cells)


def _cell(
    standard: Standard,
    law: str,
    question: str,
    on: date,
    measure: list[Provision],
    places: Mapping[str, Mapping[str, Place]],
) -> Cell:
    found = answers(standard, law, question, on)
    others = max(0, len(found) - 1)
    if law == standard.root:
        shown = found[0] if found else None
        return Cell(THE_STANDARD if shown else "silent", shown, compare.confidence((shown,)), others)
    place = places[law].get(question)
    if place is None:
        shown = found[0] if found else None
        relation = "silent" if shown is None else "unknown" if shown.value is None else UNCOMPARED
        return Cell(relation, shown, compare.confidence((shown,)), others)
    # Where the standard has several answers, the one that this law meets least.
    asked = standard.vocabulary.question(question)
    pairs = [(compare.answering(standard, law, asked, on, dict(each.when)), each) for each in measure]
    ours, theirs = next(pair for pair in pairs if compare.placed(standard, asked, *pair) is place)
    shown = ours or (found[0] if found else None)
    return Cell(place.value, shown, compare.confidence((ours, theirs)), others if ours else len(found[1:]))


def answers(standard: Standard, law: str, question: str, on: date) -> list[Provision]:
    """Every answer that binds there that day, the ordinary case first."""
    found = [
        compare.binding(standard, law, question, on, dict(facts))
        for facts in compare.situations(standard, (law,), question, on)
    ]
    return list(dict.fromkeys(each for each in found if each is not None))

"""What changes in the law between two days, and in which direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from comity.errors import BadInput
from comity.model import Confidence, Provision
from comity.standard.compare import binding, confidence, placed, situations
from comity.standard.law import Standard
from comity.standard.resolve import shown
from comity.standard.strictness import Place

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """One answer that is another from ``on``: ``place`` is where the new one stands beside the old.

    SILENT: the law stops answering. A question whose answers have no order is UNKNOWN. ``facts`` are
    those for which it changes. ``confidence`` is the lowest of the two answers.
    """

    on: date
    jurisdiction: str
    question: str
    facts: tuple[tuple[str, str], ...]
    before: Provision | None
    after: Provision | None
    place: Place
    confidence: Confidence
    why: str


def changes(standard: Standard, since: date, until: date, jurisdiction: str = "") -> tuple[Change, ...]:
    """Every change of law after ``since`` up to and on ``until``, in order of date.

    Without a jurisdiction each law's own provisions, so that what a bloc changes stands once; with one,
    whatever changes in the law that holds there, its bloc's included. Raises BadInput, NotFound.
    """
    if until < since:
        raise BadInput(f"{until} lies before {since}", remedy="give the earlier day first")
    names = [standard.jurisdiction(jurisdiction).id] if jurisdiction else sorted(standard.jurisdictions)
    found = [
        change
        for name in names
        for question in standard.vocabulary.questions
        for change in _of(standard, name, question, since, until, bool(jurisdiction))
    ]
    return tuple(sorted(found, key=lambda each: (each.on, each.jurisdiction, each.question, each.facts)))


def _of(
    standard: Standard, name: str, question: str, since: date, until: date, inherited: bool
) -> Iterator[Change]:
    laws = standard.chain(name) if inherited else (name,)
    every = [each for law in laws for each in standard.provisions[law].get(question, ())]
    days = {day for each in every for day in (each.from_, each.until) if day and since < day <= until}
    for on in sorted(days):
        seen = set()
        facts = {
            *situations(standard, (name,), question, on - _DAY),
            *situations(standard, (name,), question, on),
        }
        for given in sorted(facts):
            before = binding(standard, name, question, on - _DAY, dict(given))
            after = binding(standard, name, question, on, dict(given))
            if (before and before.value) == (after and after.value) and bool(before) == bool(after):
                continue
            if (before, after) not in seen:
                seen.add((before, after))
                yield _change(standard, name, question, on, given, before, after)


def _given(facts: tuple[tuple[str, str], ...]) -> str:
    said = ", ".join(f"{name} {value}" for name, value in facts)
    return f" ({said})" if said else ""


def _change(
    standard: Standard,
    name: str,
    question: str,
    on: date,
    facts: tuple[tuple[str, str], ...],
    before: Provision | None,
    after: Provision | None,
) -> Change:
    asked = standard.vocabulary.question(question)
    old = shown(before) if before else "silent"
    new = f"{shown(after)} ({after.source})" if after else "silent"
    country = standard.jurisdictions[name].name
    return Change(
        on,
        name,
        question,
        facts,
        before,
        after,
        placed(standard, asked, after, before),
        confidence(each for each in (before, after) if each),
        f"{country}, “{asked.ask.rstrip('?')}”{_given(facts)}: {old} until then, {new} from {on}.",
    )

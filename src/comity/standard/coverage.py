"""What the worked cases of a law file leave untried, and what the file leaves unanswered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Provision, Threshold
from comity.standard.cases import case_facts
from comity.standard.claims import parts
from comity.standard.law import STATE, DutyRule, Standard, WorkedCase
from comity.standard.resolve import find

ENOUGH = 5


def missing(standard: Standard, jurisdiction: str) -> tuple[str, ...]:
    """What a file still owes, in whole sentences; nothing, when it is complete.

    A country answers every question that is `needed`, itself or through its bloc; every file has five
    cases or more; each threshold a duty turns on has a case below, exactly at and above it; each day on
    which such law changes has a case before and one from that day on. Raises NotFound.
    """
    law = standard.jurisdiction(jurisdiction)
    said = []
    if law.kind == STATE:
        binding = [name for name in standard.chain(law.id) if name != standard.root]
        said += [
            f"{law.file}: no answer to {question}: write it, or `unknown`."
            for question in standard.vocabulary.needed
            if not any(question in standard.provisions[name] for name in binding)
        ]
    if len(law.cases) < ENOUGH:
        said.append(f"{law.file}: {len(law.cases)} cases: work at least {ENOUGH} through.")
    rates = standard.vocabulary.rates
    said += [
        f"{law.file}: no rate for {code}, so its thresholds are not compared: add one to vocabulary.yaml."
        for code in sorted(_codes(standard, law.id) - set(rates))
    ]
    for turn in _turns(standard, law.id):
        said += turn.untried(standard, law.cases)
    return tuple(dict.fromkeys(said))


@dataclass(frozen=True, slots=True)
class _Turn:
    """A provision that a duty turns on: its rule's own answer, its gate, its floor or its deadline."""

    provision: Provision
    rule: DutyRule
    file: str

    def untried(self, standard: Standard, cases: tuple[WorkedCase, ...]) -> Iterator[str]:
        """Boundaries and days of change without a case."""
        law = standard.jurisdictions[self.provision.jurisdiction]
        stated = [(case, case_facts(standard, law, case)) for case in cases]
        relevant = [(case, facts) for case, facts in stated if self._meets(facts)]
        where = f"{self.file}: {self.provision.question} ({self.provision.source})"
        limit = self.provision.value
        if isinstance(limit, Threshold) and limit.amount:
            codes = limit.currency.split("/")
            values = [
                case.value
                for case, facts in relevant
                if case.currency in codes and self._answers(standard, case.on, facts)
            ]
            for word, tried in (
                ("below", any(value < limit.amount for value in values)),
                ("exactly at", limit.amount in values),
                ("above", any(value > limit.amount for value in values)),
            ):
                if not tried:
                    yield f"{where}: no case {word} {limit.amount:,} {limit.currency} while it applies."
        for day in (self.provision.from_, self.provision.until):
            if day and not any(case.on < day for case, _ in relevant):
                yield f"{where}: no case before it changes on {day}."
            if day and not any(case.on >= day for case, _ in relevant):
                yield f"{where}: no case on or after {day}, when it changes."

    def _meets(self, facts: Mapping[str, str]) -> bool:
        given = all(facts.get(name) in values for name, values in self.rule.given)
        return given and all(facts.get(name) == value for name, value in self.provision.when)

    def _answers(self, standard: Standard, on: date, facts: Mapping[str, str]) -> bool:
        return (
            find(standard, self.provision.jurisdiction, self.provision.question, on, facts) == self.provision
        )


def _codes(standard: Standard, jurisdiction: str) -> set[str]:
    every = (each for found in standard.provisions[jurisdiction].values() for each in found)
    limits = (each.value for each in every if isinstance(each.value, Threshold))
    return {code for limit in limits for code in limit.currency.split("/")}


def _turns(standard: Standard, jurisdiction: str) -> Iterator[_Turn]:
    law = standard.jurisdictions[jurisdiction]
    for question in standard.vocabulary.questions.values():
        rule = question.duty
        if rule and not rule.standing:
            for name in parts(question.name, rule):
                for provision in standard.provisions[jurisdiction].get(name, ()):
                    yield _Turn(provision, rule, law.file)

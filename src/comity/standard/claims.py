"""What the law of one country may ask of an institution on a day, before any transfer's worth is looked at.

One transfer (`duties`) and a whole ledger (`bulk`) are judged by the same claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Answer, Confidence, Deadline, Duty, Force, Provision, Threshold
from comity.standard.law import DutyRule, Standard
from comity.standard.resolve import cited, find


@dataclass(frozen=True, slots=True)
class Claim:
    """A provision that asks for a duty of every transfer whose worth reaches all ``limits``."""

    provision: Provision
    limits: tuple[Threshold, ...]
    deadline: Deadline | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One kind of duty in one law on one day: what binding law claims, and what only the standard does.

    ``recommended`` counts only where ``required`` does not reach. ``unknown``: binding law answers, and
    nobody has established what, or whether it is in force.
    """

    rule: DutyRule
    required: Claim | None
    recommended: Claim | None
    unknown: bool


def slots(standard: Standard, law: str, facts: Mapping[str, str], on: date, role: str) -> tuple[Slot, ...]:
    """The claims of a law file on the institution at one end (``role``) of a transfer with these facts."""
    found = (
        _slot(standard, law, question.name, question.duty, facts, on)
        for question in standard.vocabulary.questions.values()
        if question.duty is not None and applies(question.duty, facts, role)
    )
    return tuple(slot for slot in found if slot)


def applies(rule: DutyRule, facts: Mapping[str, str], role: str) -> bool:
    """Whether a duty can fall on this end, the facts being what they are."""
    return role in rule.on and all(facts.get(name) in values for name, values in rule.given)


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule that applies to some facts, numbered so that facts that make no difference share a number."""

    number: int
    name: str
    rule: DutyRule
    law: str
    facts: Mapping[str, str]


class Claims:
    """`slots`, each claim looked up once for all facts that make no difference to it."""

    def __init__(self, standard: Standard) -> None:
        self._standard = standard
        self._rules = [(name, each.duty) for name, each in standard.vocabulary.questions.items() if each.duty]
        self._facts: dict[str, list[tuple[str, ...]]] = {}
        self._numbers: dict[tuple[str | None, ...], int] = {}
        self._asked: dict[tuple[object, ...], tuple[Asked, ...]] = {}
        self._found: dict[tuple[int, int], Slot | None] = {}

    def asked(self, law: str, facts: Mapping[str, str], role: str) -> tuple[Asked, ...]:
        """The rules that apply at this end with these facts, whatever the day."""
        key = (law, role, *facts.items())
        if key not in self._asked:
            self._asked[key] = self._applying(law, facts, role)
        return self._asked[key]

    def _applying(self, law: str, facts: Mapping[str, str], role: str) -> tuple[Asked, ...]:
        return tuple(
            Asked(
                self._numbers.setdefault((law, name, *map(facts.get, needed)), len(self._numbers)),
                name,
                rule,
                law,
                facts,
            )
            for (name, rule), needed in zip(self._rules, self._needed(law), strict=True)
            if applies(rule, facts, role)
        )

    def slots(self, asked: tuple[Asked, ...], on: date, period: int) -> tuple[Slot, ...]:
        """As the function; ``period`` numbers the days between which no duty in this law changes."""
        found = []
        for each in asked:
            key = (each.number, period)
            if key not in self._found:
                self._found[key] = _slot(self._standard, each.law, each.name, each.rule, each.facts, on)
            if slot := self._found[key]:
                found.append(slot)
        return tuple(found)

    def _needed(self, law: str) -> list[tuple[str, ...]]:
        """For each rule the facts on which its claims in a law turn."""
        if law not in self._facts:
            laws = {*self._standard.chain(law), self._standard.root} - {""}
            self._facts[law] = [
                tuple(
                    {
                        fact
                        for part in parts(name, rule)
                        for each in laws
                        for provision in self._standard.provisions[each].get(part, ())
                        for fact, _ in provision.when
                    }
                )
                for name, rule in self._rules
            ]
        return self._facts[law]


def parts(name: str, rule: DutyRule) -> tuple[str, ...]:
    """The questions a duty turns on: the one that makes it, its gate, its floor, its deadline."""
    return tuple(part for part in (name, rule.gate, rule.floor, rule.deadline) if part)


def _slot(
    standard: Standard, law: str, name: str, rule: DutyRule, facts: Mapping[str, str], on: date
) -> Slot | None:
    answer = find(standard, law, name, on, facts)
    binding = answer if answer is not None and standard.binds(answer) else None
    required = _claim(standard, law, binding, rule, on, facts)
    root = standard.root
    advice = find(standard, root, name, on, facts) if root else None
    recommended = _claim(standard, root, advice, rule, on, facts)
    if not (required or recommended):
        return None
    gate = find(standard, law, rule.gate, on, facts) if rule.gate else None
    open_ = (each for each in (binding, gate) if each is not None and standard.binds(each))
    return Slot(rule, required, recommended, any(each.value is None for each in open_))


def _claim(
    standard: Standard,
    law: str,
    provision: Provision | None,
    rule: DutyRule,
    on: date,
    facts: Mapping[str, str],
) -> Claim | None:
    """What a provision claims, unless it asks for nothing or its gate is closed."""
    if provision is None or provision.value in (None, False, ()):
        return None
    gate = find(standard, law, rule.gate, on, facts) if rule.gate else None
    # A law that binds is opened by law that binds: before a country's own gate, FATF's opens nothing.
    if gate is not None and (gate.value is not True or standard.binds(gate) < standard.binds(provision)):
        return None
    limits: list[Answer] = [provision.value]
    floor = find(standard, law, rule.floor, on, facts) if rule.floor else None
    if floor is not None and standard.binds(floor) == standard.binds(provision):
        limits.append(floor.value)
    deadline = provision.value if isinstance(provision.value, Deadline) else None
    if rule.deadline:
        said = find(standard, law, rule.deadline, on, facts)
        same_force = said is not None and standard.binds(said) == standard.binds(provision)
        if said and same_force and isinstance(said.value, Deadline):
            deadline = said.value
    return Claim(provision, tuple(each for each in limits if isinstance(each, Threshold)), deadline)


def duty(slot: Slot, force: Force, *, who: str, role: str, ground: str, country: str, on: date) -> Duty:
    """The duty of an institution under a claim of this slot, its due time left open.

    ``on`` is the local day of the event; ``country`` the one whose law it is. The slot must have the claim.
    """
    claim = slot.required if force is Force.REQUIRED else slot.recommended
    assert claim is not None
    provision = claim.provision
    details = [("role", role), ("ground", ground)]
    if claim.deadline and claim.deadline.event:
        details.append(("runs from", claim.deadline.event))
    if isinstance(provision.value, int) and not isinstance(provision.value, bool):
        details.append(("keep until", str(_years_later(on, provision.value))))
    if force is Force.RECOMMENDED and slot.required is not None:
        limits = " and ".join(str(limit) for limit in slot.required.limits)
        details.append(("required from", f"{limits} ({cited(slot.required.provision.source)})"))
    if slot.unknown:
        details.append(("unknown", f"what the law of {country} asks is not established"))
    if provision.confidence is not Confidence.HIGH:
        details.append(("confidence", f"{provision.confidence.value}: check the source first"))
    return Duty(
        kind=slot.rule.kind,
        who=who,
        what=slot.rule.what,
        jurisdiction=country.upper(),
        force=force,
        provision=provision,
        deadline=claim.deadline,
        details=tuple(details),
    )


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)

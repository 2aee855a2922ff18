"""What the law of one country may ask of an institution on a day, before any transfer's worth is looked at.

One transfer (`duties`) and a whole ledger (`bulk`) are judged by the same claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from comity.model import Answer, Confidence, Deadline, Duty, Force, Provision, Threshold
from comity.standard.law import DutyRule, Standard
from comity.standard.resolve import find


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
    nobody has established what.
    """

    rule: DutyRule
    required: Claim | None
    recommended: Claim | None
    unknown: bool


def slots(standard: Standard, law: str, facts: Mapping[str, str], on: date, role: str) -> tuple[Slot, ...]:
    """The claims of a law file on the institution at one end (``role``) of a transfer with these facts."""
    found = []
    for question in standard.vocabulary.questions.values():
        rule = question.duty
        if rule is None or role not in rule.on:
            continue
        if any(facts.get(name) not in values for name, values in rule.given):
            continue
        answer = find(standard, law, question.name, on, facts)
        binding = answer if answer is not None and standard.binds(answer) else None
        required = _claim(standard, law, binding, rule, on, facts)
        root = standard.root
        advice = find(standard, root, question.name, on, facts) if root else None
        recommended = _claim(standard, root, advice, rule, on, facts)
        if required or recommended:
            unknown = binding is not None and binding.value is None
            found.append(Slot(rule, required, recommended, unknown))
    return tuple(found)


def _claim(
    standard: Standard,
    law: str,
    provision: Provision | None,
    rule: DutyRule,
    on: date,
    facts: Mapping[str, str],
) -> Claim | None:
    """What a provision claims, unless it asks for nothing or its gate is closed."""
    if provision is None or provision.value in (None, False):
        return None
    gate = find(standard, law, rule.gate, on, facts) if rule.gate else None
    if gate is not None and gate.value is not True:
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

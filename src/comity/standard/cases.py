"""Runs the worked cases of a law file: documentation that fails when it is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from comity.model import (
    AccountId,
    Amount,
    AssetId,
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Role,
    Transfer,
)
from comity.standard.deadlines import zone
from comity.standard.duties import duties
from comity.standard.law import Jurisdiction, Standard, WorkedCase

_OURS, _OTHER = "ours", "other"
_ORDINARY = {
    "counterparty": "hosted",
    "customer": "established",
    "asset": "virtual",
    "sector": "vasp",
    "reach": "domestic",
    "suspicion": "none",
    "sanctions": "none",
    "suspect": "identified",
    "person": "natural",
    "pep": "none",
    "country_risk": "none",
}
_WALLET = AccountId("eip155:1:0x00000000000000000000000000000000000000aa")


def run(standard: Standard, jurisdiction: str) -> tuple[str, ...]:
    """What differs from what the file's cases say, in whole sentences; nothing, when all hold."""
    law = standard.jurisdiction(jurisdiction)
    return tuple(problem for case in law.cases for problem in _run(standard, law, case))


def case_facts(standard: Standard, law: Jurisdiction, case: WorkedCase) -> dict[str, str]:
    """The facts of a case: those it states, and for the rest those of an ordinary transfer at home."""
    listed = ("sanctions", "hit") in case.facts
    implied = {"matter": "sanctions", "suspicion": "alert"} if listed else {"matter": "money_laundering"}
    home = dict(case.facts).get("reach") != "cross_border" and standard.in_one_bloc((law.id,))
    around = {"direction": case.direction, "bloc": "inside" if home else "outside"}
    return _ORDINARY | implied | around | dict(case.facts)


def case_duties(standard: Standard, law: Jurisdiction, case: WorkedCase) -> tuple[Duty, ...]:
    """The duties that the law brings to its own institution in a case."""
    facts = case_facts(standard, law, case)
    ours = AccountId(f"acct:{_OURS}:1")
    theirs = _WALLET if facts.get("counterparty") == "self_hosted" else AccountId(f"acct:{_OTHER}:1")
    money = facts.get("asset", "virtual") != "virtual"
    at = datetime.combine(case.on, time(12), zone(law.timezone)).astimezone(UTC)
    out = case.direction == "out"
    transfer = Transfer(
        id=case.name,
        time=at,
        originator=ours if out else theirs,
        beneficiary=theirs if out else ours,
        amount=Amount(case.value, AssetId.money(case.currency)) if money else None,
        value=case.value,
    )
    role = Role.BANK if facts.get("sector") == "bank" else Role.VASP
    found = duties(
        standard,
        transfer,
        parties={_OURS: Institution(_OURS, law.name, role, (law.id.upper(),))},
        on=at,
        rates=_rates(standard, case.currency),
        findings=_findings(facts),
        facts=facts,
    )
    return tuple(duty for duty in found if duty.who == _OURS)


def _rates(standard: Standard, currency: str) -> dict[str, Decimal]:
    """The vocabulary's rough rates, in units of the case's own currency."""
    rates = standard.vocabulary.rates
    base = rates.get(currency, Decimal(1))
    return {code: rate / base for code, rate in rates.items()} | {currency: Decimal(1)}


def _findings(facts: dict[str, str]) -> tuple[Finding, ...]:
    kinds = []
    if facts.get("suspicion") == "alert":
        kinds.append(FindingKind.TYPOLOGY)
    if facts.get("sanctions") == "hit":
        kinds.append(FindingKind.SCREENING)
    return tuple(
        Finding(f"case-{kind}", kind, "case", "subject", Level.ALERT, 1.0, ("A worked case.",), (), "case")
        for kind in kinds
    )


def _run(standard: Standard, law: Jurisdiction, case: WorkedCase) -> list[str]:
    standing = {
        each.duty.kind for each in standard.vocabulary.questions.values() if each.duty and each.duty.standing
    }
    found = [duty for duty in case_duties(standard, law, case) if duty.kind not in standing]
    where = f"{law.file}, line {case.line}, case “{case.name}”"
    problems = []
    for force, wanted in ((Force.REQUIRED, case.required), (Force.RECOMMENDED, case.recommended)):
        kinds = sorted(duty.kind for duty in found if duty.force is force)
        if wanted is not None and kinds != sorted(wanted):
            problems.append(
                f"{where}: {force.value} duties are {', '.join(kinds) or 'none'}, "
                f"not {', '.join(sorted(wanted)) or 'none'}."
            )
    ends = {duty.kind: duty.due.astimezone(zone(law.timezone)).date() for duty in found if duty.due}
    problems.extend(
        f"{where}: {kind} is due on {ends.get(kind, 'no computable day')}, not {day}."
        for kind, day in case.due
        if ends.get(kind) != day
    )
    return problems

"""Which duties a transfer brings in every country it touches: hop 3, from findings to what the law asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from comity.errors import BadInput
from comity.model import (
    AccountId,
    Answer,
    Confidence,
    Deadline,
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Operator,
    Provision,
    Role,
    Threshold,
    Transfer,
)
from comity.standard.deadlines import due, local_day
from comity.standard.law import DutyRule, Question, Standard
from comity.standard.resolve import find

_SECTORS = {Role.VASP: "vasp", Role.BANK: "bank"}


def duties(
    standard: Standard,
    transfer: Transfer,
    *,
    parties: Mapping[str, Institution],
    on: datetime,
    rates: Mapping[str, Decimal],
    findings: Sequence[Finding] = (),
    facts: Mapping[str, str] | None = None,
) -> tuple[Duty, ...]:
    """Every duty of every institution of the transfer, sorted, each once.

    ``on`` is the moment of the event (the transfer, or when the suspicion was formed): law and deadlines
    are taken from it. ``rates`` gives units of one common currency for one unit of each ISO 4217 currency
    (or asset id); ``transfer.value`` is in that common currency. ``facts`` add to what the transfer
    shows (``customer: occasional``, ``asset: cash`` …) and override it.

    What binding law asks is REQUIRED; what only the standard asks is RECOMMENDED. Raises BadInput when
    a threshold must be judged and the transfer's worth or a rate is missing.
    """
    worth = Worth(transfer, rates)
    found: dict[tuple[str, str, str], Duty] = {}
    for end in ends(transfer, parties):
        shown = _facts(transfer, end, findings) | dict(facts or {})
        for country, ground in end.countries:
            known = country.lower() in standard.jurisdictions
            law = _Law(standard, country.lower() if known else standard.root, country, shown, worth, on)
            for question in standard.vocabulary.questions.values():
                rule = question.duty
                if law.law and rule and end.role in rule.on:
                    duty = law.duty(question, rule, end, ground if known else f"{ground}; no law file")
                    if duty:
                        found.setdefault((duty.kind, duty.who, duty.jurisdiction), duty)
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[2], key[0], key[1])))


@dataclass(frozen=True, slots=True)
class End:
    """One institution of a transfer: what it is in it, and the countries whose law it touches, with why."""

    role: str
    who: str
    sector: str
    counterparty: str
    countries: tuple[tuple[str, str], ...]
    domestic: bool


def ends(transfer: Transfer, parties: Mapping[str, Institution]) -> tuple[End, ...]:
    """The institutions a transfer passes through. A self-hosted wallet has none, so no duty falls on it."""
    sides = []
    for role, account, institution, country in (
        ("originator", transfer.originator, transfer.originator_institution, transfer.originator_country),
        ("beneficiary", transfer.beneficiary, transfer.beneficiary_institution, transfer.beneficiary_country),
    ):
        who = institution or account.institution or ""
        hosted = bool(who) or account.chain is None
        sides.append((role, who, hosted, _countries(role, who, account, country, parties)))
    rows = [
        (role, who, hosted, countries, sides[1 - i][2])
        for i, (role, who, hosted, countries) in enumerate(sides)
    ]
    rows += [
        ("intermediary", who, True, _countries("intermediary", who, None, "", parties), True)
        for who in transfer.intermediaries
    ]
    domestic = len({country for row in rows for country, _ in row[3]}) <= 1
    virtual = transfer.originator.chain is not None or transfer.beneficiary.chain is not None
    return tuple(
        End(
            role,
            who or f"{role}_institution",
            _SECTORS.get(parties[who].role, "") if who in parties else "vasp" if virtual else "bank",
            "hosted" if other_hosted else "self_hosted",
            countries,
            domestic,
        )
        for role, who, hosted, countries, other_hosted in rows
        if hosted
    )


def _countries(
    role: str, who: str, account: AccountId | None, country: str, parties: Mapping[str, Institution]
) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    if who in parties:
        found |= dict.fromkeys(parties[who].jurisdictions, "the institution is established there")
    elif account is not None and account.value.startswith("iban:"):
        found[account.address[:2]] = "the account is held there"
    if country:
        found.setdefault(country, f"the {role} is there")
    return tuple(sorted(found.items()))


def _facts(transfer: Transfer, end: End, findings: Sequence[Finding]) -> dict[str, str]:
    """What the transfer and its findings show of themselves, from one institution's side."""
    money = transfer.amount is not None and transfer.amount.asset.currency is not None
    alerts = [finding for finding in findings if finding.level is Level.ALERT]
    listed = any(finding.kind is FindingKind.SCREENING for finding in alerts)
    facts = {
        "counterparty": end.counterparty,
        "customer": "established",
        "asset": "money" if money else "virtual",
        "reach": "domestic" if end.domestic else "cross_border",
        "suspicion": "alert" if alerts else "none",
        "sanctions": "hit" if listed else "none",
        "matter": "sanctions" if listed else "money_laundering",
        "suspect": "identified",
    }
    return facts | ({"sector": end.sector} if end.sector else {})


@dataclass(frozen=True, slots=True)
class _Law:
    """The law of one country (file ``law``) as it meets one transfer."""

    standard: Standard
    law: str
    country: str
    facts: Mapping[str, str]
    worth: Worth
    on: datetime

    def duty(self, question: Question, rule: DutyRule, end: End, ground: str) -> Duty | None:
        if any(self.facts.get(name) not in values for name, values in rule.given):
            return None
        today = local_day(self.on, self._timezone)
        binding = self._find(self.law, question.name, today)
        if binding is not None and not self.standard.binds(binding):
            binding = None
        force = Force.REQUIRED
        provision = binding if self._asks(binding, rule, self.law, today) else None
        if provision is None:
            force, law = Force.RECOMMENDED, self.standard.root
            advice = self._find(law, question.name, today) if law else None
            provision = advice if self._asks(advice, rule, law, today) else None
        if provision is None:
            return None
        unknown = binding is not None and binding.value is None
        return self._make(rule, end, ground, provision, force, today, unknown)

    @property
    def _timezone(self) -> str:
        return self.standard.jurisdictions[self.law].timezone

    def _find(self, law: str, question: str, today: date) -> Provision | None:
        return find(self.standard, law, question, today, self.facts) if question else None

    def _asks(self, provision: Provision | None, rule: DutyRule, law: str, today: date) -> bool:
        if provision is None or provision.value in (None, False):
            return False
        gate = self._find(law, rule.gate, today)
        if gate is not None and gate.value is not True:
            return False
        floor = self._find(law, rule.floor, today)
        limits: list[Answer] = [provision.value]
        if floor is not None and self.standard.binds(floor) == self.standard.binds(provision):
            limits.append(floor.value)
        return all(self.worth.reaches(limit) for limit in limits if isinstance(limit, Threshold))

    def _make(
        self,
        rule: DutyRule,
        end: End,
        ground: str,
        provision: Provision,
        force: Force,
        today: date,
        unknown: bool,
    ) -> Duty:
        deadline = provision.value if isinstance(provision.value, Deadline) else None
        if rule.deadline:
            law = self.law if force is Force.REQUIRED else self.standard.root
            answer = self._find(law, rule.deadline, today)
            same_force = answer is not None and self.standard.binds(answer) == (force is Force.REQUIRED)
            if answer and same_force and isinstance(answer.value, Deadline):
                deadline = answer.value
        details = [("role", end.role), ("ground", ground)]
        if deadline and deadline.event:
            details.append(("runs from", deadline.event))
        if isinstance(provision.value, int) and not isinstance(provision.value, bool):
            details.append(("keep until", str(_years_later(today, provision.value))))
        if unknown:
            details.append(("unknown", f"what the law of {self.country} asks is not established"))
        if provision.confidence is not Confidence.HIGH:
            details.append(("confidence", f"{provision.confidence.value}: check the source first"))
        return Duty(
            kind=rule.kind,
            who=end.who,
            what=rule.what,
            jurisdiction=self.country.upper(),
            force=force,
            provision=provision,
            deadline=deadline,
            due=due(deadline, self.on, self.country, self._timezone) if deadline else None,
            details=tuple(details),
        )


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a transfer is worth, judged against thresholds in any currency."""

    transfer: Transfer
    rates: Mapping[str, Decimal]

    def reaches(self, threshold: Threshold) -> bool:
        """Whether the transfer is of this worth. Exact, without a rate, in the threshold's own currency.

        Where either of two currencies will do, the transfer's own or the common one counts, else the one
        that is worth less. Raises BadInput.
        """
        at_least = threshold.operator is Operator.AT_LEAST
        if at_least and not threshold.amount:
            return True
        codes = threshold.currency.split("/")
        amount = self.transfer.amount
        if amount is not None and amount.asset.currency in codes:
            worth, limit = amount.quantity, threshold.amount
        elif any(self.rates.get(code) == 1 for code in codes):
            worth, limit = self._common(), threshold.amount
        else:
            worth, limit = self._common(), threshold.amount * min(self._rate(code) for code in codes)
        return worth >= limit if at_least else worth > limit

    def _common(self) -> Decimal:
        amount, value = self.transfer.amount, self.transfer.value
        if amount is not None and (amount.asset.currency or "") in self.rates:
            return amount.quantity * self._rate(amount.asset.currency or "")
        if value is not None:
            return value
        if amount is None:
            raise BadInput(
                f"the worth of transfer {self.transfer.id} is not known",
                why="a threshold of law has to be judged",
                remedy="give the transfer a value in the reference currency",
            )
        return amount.quantity * self._rate(amount.asset.currency or str(amount.asset))

    def _rate(self, code: str) -> Decimal:
        rate = self.rates.get(code)
        if rate is None:
            raise BadInput(
                f"no rate for {code}",
                why=f"a threshold of law in {code} has to be judged",
                remedy=f"give the worth of 1 {code} in the common currency",
            )
        return rate

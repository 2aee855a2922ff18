"""Which duties a transfer brings in every country it touches: hop 3, from findings to what the law asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from comity.errors import BadInput
from comity.model import (
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Operator,
    Threshold,
    Transfer,
)
from comity.standard.claims import Slot, duty, slots
from comity.standard.deadlines import due, local_day
from comity.standard.law import Standard
from comity.standard.resolve import country_risk
from comity.standard.sides import Side, between, ordinary, sides


def duties(
    standard: Standard,
    transfer: Transfer,
    *,
    parties: Mapping[str, Institution],
    on: datetime,
    rates: Mapping[str, Decimal],
    findings: Sequence[Finding] = (),
    facts: Mapping[str, str] | None = None,
    rough: Mapping[str, Decimal] | None = None,
) -> tuple[Duty, ...]:
    """Every duty of every institution of the transfer, sorted, each once.

    ``on`` is the moment of the event (the transfer, or when the suspicion was formed): law and deadlines
    are taken from it. ``rates`` gives units of one common currency for one unit of each ISO 4217 currency
    (or asset id); ``transfer.value`` is in that common currency. ``facts`` add to what the transfer
    shows (``customer: occasional``, ``asset: cash`` …) and override it.

    ``rough`` (see `rough_rates`) stands in where a threshold's currency has no rate, and the duty says so.

    What binding law asks is REQUIRED; what only the standard asks is RECOMMENDED. Raises BadInput when
    a threshold must be judged and the transfer's worth or a rate is missing.
    """
    worth = Worth(transfer, rates, rough or {})
    found: dict[tuple[str, str, str], Duty] = {}
    for role, side, shown, touched in seen(transfer, parties):
        for country, ground in side.countries:
            law, ground, zone = place(standard, country, ground)
            if not law:
                continue
            day = local_day(on, zone)
            around = surroundings(standard, country, touched, day)
            given = shown | found_facts(findings) | around | dict(facts or {})
            for slot in slots(standard, law, given, day, role):
                force = _force(slot, worth)
                key = (slot.rule.kind, side.who, country.upper())
                if force is None or key in found:
                    continue
                owed = duty(slot, force, who=side.who, role=role, ground=ground, country=country, on=day)
                end_of = due(owed.deadline, on, country, zone) if owed.deadline else None
                found[key] = replace(
                    owed, due=end_of, details=owed.details + _doubt(slot, findings) + worth.doubt(slot)
                )
    return tuple(found[key] for key in sorted(found, key=lambda key: (key[2], key[0], key[1])))


def seen(
    transfer: Transfer, parties: Mapping[str, Institution]
) -> Iterator[tuple[str, Side, dict[str, str], frozenset[str]]]:
    """Each institution of a transfer: its role, its side, what it sees, and all countries touched."""
    ends, middle = sides(transfer, parties), between(transfer.intermediaries, parties)
    touched = frozenset(country for each in (*ends, *middle) for country, _ in each.countries)
    shown = {
        "chain": any(each.chain for each in ends),
        "money": transfer.amount is not None and transfer.amount.asset.currency is not None,
        "domestic": len(touched) <= 1,
    }
    payer, payee = ends
    for role, side, other in (("originator", payer, payee), ("beneficiary", payee, payer)):
        if side.hosted:
            yield role, side, ordinary(side, role, hosted=other.hosted, **shown), touched
    for side in middle:
        yield "intermediary", side, ordinary(side, "intermediary", hosted=True, **shown), touched


def surroundings(standard: Standard, country: str, touched: frozenset[str], on: date) -> dict[str, str]:
    """What one country's law sees of the other countries that a transfer touches."""
    return {
        "bloc": "inside" if standard.in_one_bloc(touched) else "outside",
        "country_risk": country_risk(standard, touched - {country}, on),
    }


def place(standard: Standard, country: str, ground: str) -> tuple[str, str, str]:
    """The law file for a country, the ground it applies on, its time zone.

    A country without a file is judged by the law of its bloc, else by the standard alone, and the ground
    says so; ``''`` where there is neither.
    """
    law = standard.law_of(country)
    if law:
        said = ground if law == country.lower() else f"{ground}; no law file, but it is a member of {law}"
        return law, said, standard.jurisdictions[law].timezone
    root = standard.root
    return root, f"{ground}; no law file", standard.jurisdictions[root].timezone if root else ""


def _force(slot: Slot, worth: Worth) -> Force | None:
    for force, claim in ((Force.REQUIRED, slot.required), (Force.RECOMMENDED, slot.recommended)):
        if claim is not None and all(worth.reaches(limit) for limit in claim.limits):
            return force
    return None


def _doubt(slot: Slot, findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    """A list match counts as a suspicion, the safe reading; not every law takes it for one."""
    asked = any(name == "suspicion" for name, _ in slot.rule.given)
    kinds = {finding.kind for finding in findings if finding.level is Level.ALERT}
    if asked and kinds == {FindingKind.SCREENING}:
        return (("suspicion", "rests on a list match alone: whether this law takes it for one, check first"),)
    return ()


def found_facts(findings: Sequence[Finding]) -> dict[str, str]:
    """What findings say of a transfer: whether it is suspicious, and whether a party is on a list."""
    alerts = [finding for finding in findings if finding.level is Level.ALERT]
    facts = {"suspicion": "alert"} if alerts else {}
    if any(finding.kind is FindingKind.SCREENING for finding in alerts):
        facts |= {"sanctions": "hit", "matter": "sanctions"}
    return facts


@dataclass(frozen=True, slots=True)
class Worth:
    """What a transfer is worth, judged against thresholds in any currency."""

    transfer: Transfer
    rates: Mapping[str, Decimal]
    rough: Mapping[str, Decimal] = field(default_factory=dict)

    def doubt(self, slot: Slot) -> tuple[tuple[str, str], ...]:
        """That a limit of a claim was judged at a rough rate, as a detail of its duty."""
        limits = [limit for claim in (slot.required, slot.recommended) if claim for limit in claim.limits]
        used = sorted({code for limit in limits if limit.amount for code in self._roughly(limit)})
        said = f"{', '.join(used)} at a rough rate: give your own before relying on this threshold"
        return (("rate", said),) if used else ()

    def _roughly(self, limit: Threshold) -> list[str]:
        codes, amount = limit.currency.split("/"), self.transfer.amount
        exact = amount is not None and amount.asset.currency in codes
        if exact or any(self.rates.get(code) == 1 for code in codes):
            return []
        return [code for code in codes if code not in self.rates]

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
            worth, limit = self.common(), threshold.amount
        else:
            known = {**self.rough, **self.rates}
            worth, limit = self.common(), threshold.amount * min(rate_of(known, code) for code in codes)
        return worth >= limit if at_least else worth > limit

    def common(self) -> Decimal:
        """The worth in the common currency. Raises BadInput where it cannot be said."""
        amount, value = self.transfer.amount, self.transfer.value
        if amount is not None and (amount.asset.currency or "") in self.rates:
            return amount.quantity * rate_of(self.rates, amount.asset.currency or "")
        if value is not None:
            return value
        if amount is None:
            raise BadInput(
                f"the worth of transfer {self.transfer.id} is not known",
                why="a threshold of law has to be judged",
                remedy="give the transfer a value in the reference currency",
            )
        return amount.quantity * rate_of(self.rates, amount.asset.currency or str(amount.asset))


def rough_rates(standard: Standard, rates: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The rates laws are compared at, in units of the common currency (the one whose rate is 1)."""
    rough = standard.vocabulary.rates
    common = next((rough[code] for code, rate in rates.items() if rate == 1 and code in rough), None)
    return {} if common is None else {code: rate / common for code, rate in rough.items()}


def rate_of(rates: Mapping[str, Decimal], code: str) -> Decimal:
    """What one unit is worth in the common currency. Raises BadInput where no rate above 0 is given."""
    rate = rates.get(code)
    if rate is None or rate <= 0:
        raise BadInput(
            f"no rate for {code}" if rate is None else f"a rate of {rate} for {code}",
            why=f"a threshold of law in {code} has to be judged",
            remedy=f"give the worth of 1 {code} in the common currency",
        )
    return rate

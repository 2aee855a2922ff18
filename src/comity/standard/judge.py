"""Duties of one transfer at once: those of `duties`, with the law of each situation looked up beforehand.

A situation is all that the law looks at but the transfer's worth: who stands at its ends and where, the
facts, and the quarter of an hour (law, lists and deadlines change with the local day, which in India
begins at half past). The first transfer of a situation costs what `duties` costs; the next ones a few
comparisons each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from comity.model import Duty, Force, Institution, Operator, PartyKind, Threshold, Transfer
from comity.standard.claims import Claim, Slot, duty, slots
from comity.standard.deadlines import due, local_day
from comity.standard.duties import Worth, place, rate_of, seen, surroundings
from comity.standard.law import Standard

MOST = 50_000
"""Situations kept; beyond so many all are forgotten."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """A threshold to be reached: in its own currencies, or in the common one."""

    codes: frozenset[str]
    own: Decimal
    common: Decimal
    at_least: bool

    def reached(self, code: str | None, quantity: Decimal, common: Decimal) -> bool:
        worth, limit = (quantity, self.own) if code in self.codes else (common, self.common)
        return worth >= limit if self.at_least else worth > limit


@dataclass(frozen=True, slots=True)
class _Possible:
    """One duty that may fall on one institution: what it must be worth, and the duty, by force."""

    bars: tuple[tuple[tuple[_Bar, ...], Duty, int], ...]
    """Limits, the duty, and hours of its deadline (0: its due time is in it)."""
    key: tuple[str, str, str]


class Judge:
    """Judges transfers one at a time. ``parties``, ``rates`` and ``rough`` are those of `duties`."""

    def __init__(
        self,
        standard: Standard,
        *,
        parties: Mapping[str, Institution],
        rates: Mapping[str, Decimal],
        rough: Mapping[str, Decimal] | None = None,
    ) -> None:
        self._standard, self._parties = standard, parties
        self._rates, self._rough = rates, rough or {}
        self._known = {**self._rough, **self._rates}
        self._situations: dict[tuple[object, ...], tuple[_Possible, ...]] = {}

    def duties(
        self, transfer: Transfer, *, on: datetime, facts: Mapping[str, str] | None = None
    ) -> tuple[Duty, ...]:
        """The same duties as `duties` gives, in the same order. Raises BadInput as that does."""
        key = self._key(transfer, on, facts)
        possible = self._situations.get(key)
        if possible is None:
            if len(self._situations) >= MOST:
                self._situations.clear()
            possible = self._situations[key] = self._possible(transfer, on, facts or {})
        amount = transfer.amount
        code = amount.asset.currency if amount is not None else None
        quantity = amount.quantity if amount is not None else Decimal(0)
        common: Decimal | None = None
        found: list[Duty] = []
        last: tuple[str, str, str] | None = None
        for one in possible:
            if one.key == last:
                continue
            for bars, owed, hours in one.bars:
                if bars and common is None:
                    common = self._common(transfer, bars, code)
                if all(bar.reached(code, quantity, common or Decimal(0)) for bar in bars):
                    end = (on + timedelta(hours=hours)).astimezone(UTC) if hours else owed.due
                    found.append(replace(owed, due=end) if hours else owed)
                    last = one.key
                    break
        return tuple(found)

    def _common(self, transfer: Transfer, bars: tuple[_Bar, ...], code: str | None) -> Decimal | None:
        """The worth in the common currency, unless every limit is in the transfer's own."""
        if all(code in bar.codes for bar in bars):
            return None
        return Worth(transfer, self._rates).common()

    def _key(self, transfer: Transfer, on: datetime, facts: Mapping[str, str] | None) -> tuple[object, ...]:
        ends = (transfer.originator, transfer.beneficiary)
        legal = (
            party is not None and party.kind is PartyKind.LEGAL
            for party in (transfer.originator_party, transfer.beneficiary_party)
        )
        asset = transfer.amount.asset.currency if transfer.amount else ""
        moment = on.astimezone(UTC)
        return (
            transfer.originator_institution or ends[0].institution,
            transfer.beneficiary_institution or ends[1].institution,
            transfer.originator_country,
            transfer.beneficiary_country,
            *map(_place, (end.value for end in ends)),
            *legal,
            transfer.intermediaries,
            asset,
            tuple(sorted(facts.items())) if facts else (),
            moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0),
        )

    def _possible(self, transfer: Transfer, on: datetime, facts: Mapping[str, str]) -> tuple[_Possible, ...]:
        found: list[_Possible] = []
        worth = Worth(transfer, self._rates, self._rough)
        for role, side, shown, touched in seen(transfer, self._parties):
            for country, ground in side.countries:
                law, said, zone = place(self._standard, country, ground)
                if not law:
                    continue
                day = local_day(on, zone)
                around = surroundings(self._standard, country, touched, day)
                for slot in slots(self._standard, law, shown | around | dict(facts), day, role):
                    bars = []
                    for force, claim in (
                        (Force.REQUIRED, slot.required),
                        (Force.RECOMMENDED, slot.recommended),
                    ):
                        if claim is None:
                            continue
                        owed = duty(
                            slot, force, who=side.who, role=role, ground=said, country=country, on=day
                        )
                        bars.append(self._bar(claim, self._dated(owed, slot, worth, on, country, zone)))
                    found.append(_Possible(tuple(bars), (country.upper(), slot.rule.kind, side.who)))
        return tuple(sorted(found, key=lambda one: one.key))  # stable: the first to arise stays the first

    def _dated(self, owed: Duty, slot: Slot, worth: Worth, on: datetime, country: str, zone: str) -> Duty:
        end = due(owed.deadline, on, country, zone) if owed.deadline else None
        return replace(owed, due=end, details=owed.details + worth.doubt(slot))

    def _bar(self, claim: Claim, owed: Duty) -> tuple[tuple[_Bar, ...], Duty, int]:
        deadline = owed.deadline
        hours = deadline.amount if deadline and deadline.unit == "hour" else 0
        bars = (self._limit(limit) for limit in claim.limits)
        return tuple(bar for bar in bars if bar is not None), owed, hours

    def _limit(self, limit: Threshold) -> _Bar | None:
        at_least = limit.operator is Operator.AT_LEAST
        if at_least and not limit.amount:
            return None  # of any worth
        codes = limit.currency.split("/")
        if any(self._rates.get(code) == 1 for code in codes):
            common = limit.amount
        else:
            common = limit.amount * min(rate_of(self._known, code) for code in codes)
        return _Bar(frozenset(codes), limit.amount, common, at_least)


def _place(account: str) -> str:
    """All that the law sees of an account id: the country of an IBAN, a bank's, or on a chain."""
    return account[:7] if account.startswith("iban:") else account[:5] if account.startswith("acct:") else ""

"""Who stands at the ends of a transfer and between them, as the law sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.model import AccountId, Institution, Party, PartyKind, Role, Transfer

_DIRECTIONS = {"originator": "out", "beneficiary": "in", "intermediary": "through"}
_SECTORS = {Role.VASP: "vasp", Role.BANK: "bank"}


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a transfer, or an institution between: all but the transfer's own time and worth.

    ``countries``: those whose law it touches, each with the ground. ``sector``: '' for an authority, None
    where no institution is known (it then follows from the ledger). ``chain``: the account is on one.
    ``legal``: the customer is known to be a legal person.
    """

    who: str
    hosted: bool
    countries: tuple[tuple[str, str], ...]
    sector: str | None
    chain: bool = False
    legal: bool = False


def sides(transfer: Transfer, parties: Mapping[str, Institution]) -> tuple[Side, Side]:
    """The originator's and the beneficiary's side. A self-hosted wallet has no institution."""
    return (
        side(
            "originator",
            transfer.originator,
            transfer.originator_institution,
            transfer.originator_country,
            transfer.originator_party,
            parties,
        ),
        side(
            "beneficiary",
            transfer.beneficiary,
            transfer.beneficiary_institution,
            transfer.beneficiary_country,
            transfer.beneficiary_party,
            parties,
        ),
    )


def side(
    role: str,
    account: AccountId,
    institution: str,
    country: str,
    party: Party | None,
    parties: Mapping[str, Institution],
) -> Side:
    """One end. The institution is the one named, else the one the account names."""
    who = institution or account.institution or ""
    chain = account.chain is not None
    legal = party is not None and party.kind is PartyKind.LEGAL
    iban = account.address[:2] if account.value.startswith("iban:") else ""
    countries = _countries(role, who, iban, country, parties)
    sector = _sector(who, parties)
    return Side(who or f"{role}_institution", bool(who) or not chain, countries, sector, chain, legal)


def between(intermediaries: tuple[str, ...], parties: Mapping[str, Institution]) -> tuple[Side, ...]:
    """The institutions that pass a transfer on, each once."""
    return tuple(
        Side(who, True, _countries("intermediary", who, "", "", parties), _sector(who, parties))
        for who in dict.fromkeys(intermediaries)
    )


def _sector(who: str, parties: Mapping[str, Institution]) -> str | None:
    return _SECTORS.get(parties[who].role, "") if who in parties else None


def _countries(
    role: str, who: str, iban: str, country: str, parties: Mapping[str, Institution]
) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    if who in parties:
        found |= dict.fromkeys(parties[who].jurisdictions, "the institution is established there")
    elif iban:
        found[iban] = "the account is held there"
    if country:
        found.setdefault(country, f"the {role} is there")
    return tuple(sorted(found.items()))


def ordinary(
    side: Side, role: str, *, hosted: bool, chain: bool, money: bool, domestic: bool
) -> dict[str, str]:
    """What a transfer shows of itself to the institution in one role, where nothing is suspected.

    ``hosted``: the other end is at an institution; ``chain``: either end is on a chain; ``money``: the
    amount is in money; ``domestic``: one country at most is touched.
    """
    sector = ("vasp" if chain else "bank") if side.sector is None else side.sector
    facts = {
        "counterparty": "hosted" if hosted else "self_hosted",
        "customer": "established",
        "asset": "money" if money else "virtual",
        "direction": _DIRECTIONS[role],
        "reach": "domestic" if domestic else "cross_border",
        "suspicion": "none",
        "sanctions": "none",
        "matter": "money_laundering",
        "suspect": "identified",
        "person": "legal" if side.legal else "natural",
        "pep": "none",
    }
    return facts | ({"sector": sector} if sector else {})

"""Who: natural and legal persons, and obliged entities and authorities. Names follow IVMS101."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PartyKind(StrEnum):
    NATURAL = "natural"
    LEGAL = "legal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A document or register number: ``kind`` (passport, national_id, tax, lei, phone, email …)."""

    kind: str
    value: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """A natural or legal person. Dates are ISO 8601, and may be a year only; countries ISO 3166-1."""

    name: str
    kind: PartyKind = PartyKind.UNKNOWN
    aliases: tuple[str, ...] = ()
    birth_date: str = ""
    countries: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


class Role(StrEnum):
    """What an organisation is in the network."""

    FIU = "fiu"
    VASP = "vasp"
    BANK = "bank"
    SUPERVISOR = "supervisor"
    LEA = "lea"


@dataclass(frozen=True, slots=True)
class Institution:
    """An organisation: an obliged entity (VASP or bank) or an authority."""

    id: str
    name: str
    role: Role
    jurisdictions: tuple[str, ...]
    lei: str = ""
    bic: str = ""

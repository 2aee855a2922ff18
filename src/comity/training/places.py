"""The four countries of a training world, and its institutions. All names are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from stdnum.iso7064 import mod_97_10

from comity.model import Institution, Role


@dataclass(frozen=True, slots=True)
class Place:
    """A country. ``offset``: local time less UTC in whole hours; ``iban``: bank code in an IBAN, if any.

    ``people``: name pools (see `names`) with their shares; ``document``: the kind of identity document.
    """

    code: str
    currency: str
    offset: int
    iban: str
    people: tuple[tuple[str, float], ...]
    document: str
    suffix: str
    salary: float


PLACES = (
    Place("SG", "SGD", 8, "", (("zh", 0.7), ("ms", 0.15), ("hi", 0.15)), "national_id", "Pte. Ltd.", 4300.0),
    Place("DE", "EUR", 1, "50010517", (("de", 0.75), ("tr", 0.15), ("ru", 0.1)), "passport", "GmbH", 3900.0),
    Place(
        "US",
        "USD",
        -5,
        "",
        (("en", 0.6), ("es", 0.2), ("zh", 0.1), ("ru", 0.1)),
        "passport",
        "LLC",
        4800.0,
    ),
    Place("AE", "AED", 4, "033", (("ar", 0.5), ("hi", 0.35), ("en", 0.15)), "national_id", "FZE", 3600.0),
)

# (suffix of the id, role, name by country in the order of PLACES)
_HOUSES = (
    (
        "fiu",
        Role.FIU,
        (
            "Straits Financial Intelligence Office (training)",
            "Zentralstelle für Geldwäscheübungen (training)",
            "Federal Bureau of Financial Intelligence (training)",
            "Gulf Financial Intelligence Department (training)",
        ),
    ),
    (
        "vasp-1",
        Role.VASP,
        (
            "Merlion Digital Exchange",
            "Rheingold Kryptobörse",
            "Liberty Coin Exchange",
            "Falcon Digital Assets",
        ),
    ),
    (
        "vasp-2",
        Role.VASP,
        ("Lion City Custody", "Hanse Digitalverwahrung", "Prairie Wallet Services", "Oasis Coin Custody"),
    ),
    (
        "bank",
        Role.BANK,
        ("Straits Harbour Bank", "Elbufer Bank", "Hudson Plains Bank", "Corniche Commercial Bank"),
    ),
)

# Institutions outside the network: seen in transfers, never a member. (id, country, bank code in an IBAN)
OUTSIDE = (
    ("nl-outside-bank", "NL", "XBNK"),
    ("gb-outside-bank", "GB", "XBNK401276"),
    ("hk-outside-bank", "HK", ""),
    ("in-outside-bank", "IN", ""),
    ("sg-outside-bank", "SG", ""),
    ("de-outside-bank", "DE", "37020500"),
    ("us-outside-bank", "US", ""),
    ("ae-outside-bank", "AE", "044"),
)
# How many digits follow the bank code in an IBAN of these countries.
_ACCOUNT_DIGITS = {"NL": 10, "GB": 8, "DE": 10, "AE": 16}


def lei(rng: np.random.Generator, prefix: str = "9845") -> str:
    """A Legal Entity Identifier of a made-up entity with valid check digits (ISO 17442)."""
    body = "".join(np.array(list("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"))[rng.integers(0, 34, 12)])
    stem = f"{prefix}00{body}"
    return stem + mod_97_10.calc_check_digits(stem)


def iban(country: str, bank: str, number: int) -> str:
    """An IBAN with valid check digits (ISO 13616) for account ``number`` at ``bank``."""
    bban = f"{bank}{number:0{_ACCOUNT_DIGITS[country]}d}"
    return f"{country}{mod_97_10.calc_check_digits(bban + country)}{bban}"


def institutions(rng: np.random.Generator) -> tuple[Institution, ...]:
    """The sixteen members: in each country an FIU, two VASPs and a bank."""
    made = []
    for index, place in enumerate(PLACES):
        for suffix, role, names in _HOUSES:
            obliged = role is not Role.FIU
            made.append(
                Institution(
                    f"{place.code.lower()}-{suffix}",
                    names[index],
                    role,
                    (place.code,),
                    lei=lei(rng) if obliged else "",
                    bic=f"XTRN{place.code}{'ABCD'[index]}1" if role is Role.BANK else "",
                )
            )
    return tuple(made)


def obliged(members: Sequence[Institution]) -> tuple[Institution, ...]:
    """The members that hold accounts."""
    return tuple(member for member in members if member.role in (Role.VASP, Role.BANK))

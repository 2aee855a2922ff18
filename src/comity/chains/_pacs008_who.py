"""Who is in a payment of ISO 20022: parties, their accounts, and the banks that act for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree
from stdnum import iban, lei
from stdnum.exceptions import ValidationError

from comity import intake as distrust
from comity.errors import BadInput, TooLarge
from comity.model import AccountId, Identifier, Party, PartyKind

_LONGEST = 512  # the longest text that any field read here may have is 256 (ISO 20022 Max256Text)
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOT_ID = re.compile(r"[^-_.a-zA-Z0-9]")
_NUMBER = re.compile(r"[-_./a-zA-Z0-9]{1,64}")
_ADDRESS = (  # in the order one reads an address
    *("CareOf", "Dept", "SubDept", "BldgNm", "Flr", "Room", "UnitNb", "StrtNm", "BldgNb", "PstBx"),
    *("PstCd", "TwnLctnNm", "TwnNm", "DstrctNm", "CtrySubDvsn", "AdrLine", "Ctry"),
)
# ISO 20022 ExternalPersonIdentification1Code and ExternalOrganisationIdentification1Code
_SCHEMES = {
    "CCPT": "passport",
    "NIDN": "national_id",
    "DRLC": "driving_licence",
    "TXID": "tax",
    "SOSE": "social_security",
    "ARNU": "alien_registration",
    "CUST": "customer",
    "COID": "registration",
}


@dataclass(frozen=True, slots=True)
class Agent:
    """A bank: its id (BIC without a head office's XXX, else LEI, else clearing member), and country."""

    id: str = ""
    country: str = ""


def at(element: etree._Element, *path: str) -> etree._Element | None:
    """The first descendant along these local names, or None."""
    found: etree._Element | None = element
    for name in path:
        if found is None:
            return None
        found = next((child for child in found if etree.QName(child).localname == name), None)
    return found


def text(element: etree._Element, *path: str) -> str:
    """The stripped text of a descendant, '' when there is none. Raises TooLarge."""
    found = at(element, *path)
    value = ((found.text if found is not None else "") or "").strip()
    if len(value) > _LONGEST:
        raise TooLarge(f"{path[-1]} has {len(value):,} characters", remedy=f"at most {_LONGEST} are read")
    return value


def agent(element: etree._Element, tag: str, where: str = "GrpHdr") -> Agent:
    """The bank in an agent element; an empty one when it is absent. Raises BadInput."""
    found = at(element, tag, "FinInstnId")
    if found is None:
        return Agent()
    stated_country = text(found, "PstlAdr", "Ctry")
    bic = text(found, "BICFI")
    if bic:
        if not _BIC.fullmatch(bic):
            raise BadInput(
                f"{where}: not a BIC: {bic[:40]!r}",
                why="ISO 9362: 8 or 11 characters",
                remedy="ask the sender for the bank's code",
            )
        return Agent(bic.removesuffix("XXX") if len(bic) == 11 else bic, bic[4:6])
    number = text(found, "LEI")
    if number:
        return Agent(_lei(number, where), stated_country)
    member = text(found, "ClrSysMmbId", "MmbId")
    system = text(found, "ClrSysMmbId", "ClrSysId", "Cd")
    named = "-".join(part for part in (system, member) if part) if member else ""
    return Agent(_NOT_ID.sub("_", named)[:64], stated_country)


def account(element: etree._Element, tag: str, bank: str, where: str) -> AccountId | None:
    """The account in an account element, None when it is absent. Raises BadInput."""
    number = text(element, tag, "Id", "IBAN")
    if number:
        try:
            return AccountId.parse(f"iban:{iban.validate(number, check_country=False)}")
        except ValidationError:
            raise BadInput(
                f"{where}: not an IBAN: {number[:40]!r}",
                why="its length, form or check digits do not hold (ISO 13616)",
                remedy="ask the sender for the account",
            ) from None
    other = text(element, tag, "Id", "Othr", "Id").replace(" ", "")
    if not other:
        return None
    if not _NUMBER.fullmatch(other):
        raise BadInput(
            f"{where}: not an account number: {other[:40]!r}",
            why="letters, digits and - _ . / are read",
            remedy="ask the sender for the account",
        )
    return AccountId(f"acct:{bank or 'unknown'}:{other}")


def party(element: etree._Element, tag: str, where: str) -> Party | None:
    """The party in a debtor or creditor element, None when it has no name. Raises BadInput."""
    found = at(element, tag)
    if found is None or not text(found, "Nm"):
        return None
    person, firm = at(found, "Id", "PrvtId"), at(found, "Id", "OrgId")
    kind = PartyKind.NATURAL if person is not None else PartyKind.UNKNOWN
    identifiers: list[Identifier] = []
    birth = ""
    if firm is not None:
        kind = PartyKind.LEGAL
        if number := text(firm, "LEI"):
            identifiers.append(Identifier("lei", _lei(number, where)))
        if bic := text(firm, "AnyBIC"):
            identifiers.append(Identifier("bic", bic))
        identifiers += _others(firm)
    elif person is not None:
        birth = text(person, "DtAndPlcOfBirth", "BirthDt")
        if birth:
            distrust.day(birth, where)
        identifiers += _others(person)
    stated = [text(found, "PstlAdr", "Ctry"), text(found, "CtryOfRes")]
    countries = tuple(dict.fromkeys(country for country in stated if country))
    for country in countries:
        if not _COUNTRY.fullmatch(country):
            raise BadInput(
                f"{where}: not a country: {country[:40]!r}",
                why="two letters of ISO 3166-1",
                remedy="ask the sender for the country",
            )
    address = _address(at(found, "PstlAdr"))
    return Party(
        name=text(found, "Nm"),
        kind=kind,
        birth_date=birth,
        countries=countries,
        addresses=(address,) if address else (),
        identifiers=tuple(identifiers),
    )


def _others(element: etree._Element) -> list[Identifier]:
    found = []
    for child in element:
        if etree.QName(child).localname == "Othr" and (value := text(child, "Id")):
            scheme = text(child, "SchmeNm", "Cd")
            found.append(Identifier(_SCHEMES.get(scheme, "other"), value))
    return found


def _address(element: etree._Element | None) -> str:
    if element is None:
        return ""
    lines: dict[str, list[str]] = {name: [] for name in _ADDRESS}
    for child in element:
        name, value = etree.QName(child).localname, (child.text or "").strip()
        if value and name in lines:
            lines[name].append(value[:_LONGEST])
    return ", ".join(value for name in _ADDRESS for value in lines[name])


def _lei(number: str, where: str) -> str:
    try:
        return str(lei.validate(number))
    except ValidationError:
        raise BadInput(
            f"{where}: not an LEI: {number[:40]!r}",
            why="its length or check digits do not hold (ISO 17442)",
            remedy="ask the sender for it",
        ) from None

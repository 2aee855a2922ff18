"""The parties of a SAR in FinCEN's order: transmitter, filer, contacts, location, subjects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from comity.errors import BadInput
from comity.model import Party, PartyKind, Report, Subject
from comity.reports import _fincen_codes as codes
from comity.reports._facts import documents, facts
from comity.reports._xml import clean, country, fit, put, put_if, text

TEST_CODE = "TBSATEST"
MAX_ACCOUNTS = 99
_GENDER = frozenset({"F", "M"})
_BIRTH = re.compile("(19|20)[0-9]{2}(0[0-9]|1[0-2])([0-2][0-9]|3[01])")


@dataclass(slots=True)
class Batch:
    """One report on its way: what is too long for its field is told in full in ``notes``."""

    report: Report
    options: Mapping[str, str]
    notes: list[str] = field(default_factory=list)

    def line(self, value: str, where: str, limit: int) -> str:
        """One line of at most ``limit`` characters: FinCEN refuses line feeds, tabs and outer spaces."""
        return fit(" ".join(clean(value, where).split()), where, limit, self.notes)


def filer_parties(batch: Batch, activity: etree._Element) -> None:
    """Transmitter, its contact, the filing institution, its contact, and where it happened."""
    report, options = batch.report, batch.options
    name = text(report.filer.name, "filer.name", 1000)
    officer = report.officer
    person = text(f"{officer.first_name} {officer.last_name}", "officer", 1000)
    phone = _phone(officer.phone, "officer.phone")

    transmitter = _party(activity, codes.TRANSMITTER)
    _full_name(batch, transmitter, name, "filer.name")
    _filer_address(batch, transmitter)
    put(put(transmitter, "PhoneNumber"), "PhoneNumberText", phone)
    _filer_tin(batch, transmitter)
    _identification(transmitter, codes.TRANSMITTER_CODE, options.get("tcc") or TEST_CODE)

    contact = _party(activity, codes.TRANSMITTER_CONTACT)
    _full_name(batch, contact, person, "officer")

    kind, regulator = codes.ORGANISATION.get(report.filer.role, (codes.OTHER, "99"))
    for code in (codes.FILER, codes.FILER_CONTACT, codes.LOCATION):
        element = _party(activity, code)
        if code == codes.FILER_CONTACT:
            _full_name(batch, element, person, "officer")
            put(put(element, "PhoneNumber"), "PhoneNumberText", phone)
            continue
        if code == codes.LOCATION:
            put(element, "NoBranchActivityInvolvedIndicator", "Y")
        put(element, "PrimaryRegulatorTypeCode", options.get("regulator") or regulator)
        _full_name(batch, element, name, "filer.name")
        _filer_address(batch, element)
        _filer_tin(batch, element)
        reference = " ".join(clean(report.reference, "reference").split())
        if code == codes.FILER and len(reference) <= 25:
            _identification(element, codes.CONTROL_NUMBER, reference)
        organisation = put(element, "OrganizationClassificationTypeSubtype")
        put(organisation, "OrganizationTypeID", kind)
        if kind == codes.OTHER:
            put(organisation, "OtherOrganizationTypeText", str(report.filer.role.value))


def subjects(batch: Batch, activity: etree._Element) -> int:
    """Every subject, or one unknown subject; how many there are."""
    for subject in batch.report.subjects or (Subject(Party("")),):
        _subject(batch, activity, subject)
    return max(1, len(batch.report.subjects))


def _party(parent: etree._Element, code: str) -> etree._Element:
    element = put(parent, "Party")
    put(element, "ActivityPartyTypeCode", code)
    return element


def _digits(given: str) -> str:
    """The digits of a telephone number, or nothing when there are not 5 to 16."""
    digits = "".join(c for c in given if c.isascii() and c.isdigit())
    return digits if 5 <= len(digits) <= 16 else ""


def _phone(given: str, where: str) -> str:
    digits = _digits(text(given, where, 40))
    if not digits:
        raise BadInput(
            f"{where}: not a telephone number",
            why="FinCEN takes 5 to 16 digits, and makes the contact's mandatory",
            remedy="give the officer a telephone number",
        )
    return digits


def _full_name(batch: Batch, element: etree._Element, name: str, where: str) -> None:
    box = put(element, "PartyName")
    put(box, "PartyNameTypeCode", "L")
    put(box, "RawPartyFullName", batch.line(name, where, 150))


def _filer_address(batch: Batch, element: etree._Element) -> None:
    options, filer = batch.options, batch.report.filer
    home = next((c for c in map(country, filer.jurisdictions) if c), "")
    parts = {name: batch.line(options.get(name, ""), name, limit) for name, limit in _ADDRESS.items()}
    _address(element, parts, home)


_ADDRESS = {"city": 50, "state": 3, "street": 100, "zip": 9}


def _address(element: etree._Element, parts: Mapping[str, str], code: str) -> None:
    """What is known as text, what is not as FinCEN's indicator of that."""
    box = put(element, "Address")
    city, state, street = parts.get("city", ""), parts.get("state", ""), parts.get("street", "")
    postcode = parts.get("zip", "")
    put_if(box, "CityUnknownIndicator", "" if city else "Y")
    put_if(box, "CountryCodeUnknownIndicator", "" if code else "Y")
    put_if(box, "RawCityText", city)
    put_if(box, "RawCountryCodeText", code)
    put_if(box, "RawStateCodeText", state)
    put_if(box, "RawStreetAddress1Text", street)
    put_if(box, "RawZIPCode", postcode)
    put_if(box, "StateCodeUnknownIndicator", "" if state else "Y")
    put_if(box, "StreetAddressUnknownIndicator", "" if street else "Y")
    put_if(box, "ZIPCodeUnknownIndicator", "" if postcode else "Y")


def _filer_tin(batch: Batch, element: etree._Element) -> None:
    tin = clean(batch.options.get("tin", ""), "tin").replace("-", "")
    if tin:
        _identification(element, codes.TIN, text(tin, "tin", 25))
    else:
        put(put(element, "PartyIdentification"), "TINUnknownIndicator", "Y")


def _identification(element: etree._Element, kind: str, number: str) -> None:
    box = put(element, "PartyIdentification")
    put(box, "PartyIdentificationNumberText", number)
    put(box, "PartyIdentificationTypeCode", kind)


def _subject(batch: Batch, activity: etree._Element, subject: Subject) -> None:
    party = subject.party
    name = " ".join(clean(party.name, "name of a subject").split())
    legal = party.kind is PartyKind.LEGAL
    element = _party(activity, codes.SUBJECT)
    put_if(element, "AllCriticalSubjectInformationUnavailableIndicator", "" if name else "Y")
    birth = _birth(party)
    put_if(element, "BirthDateUnknownIndicator", "Y" if name and not legal and not birth else "")
    numbers = _account_numbers(batch, subject)
    gender = facts(party).get("gender", "").upper()
    put_if(element, "FemaleGenderIndicator", "Y" if gender == "F" and not legal else "")
    if not legal:
        put_if(element, "IndividualBirthDateText", birth)
    put_if(element, "MaleGenderIndicator", "Y" if gender == "M" and not legal else "")
    put_if(element, "NoKnownAccountInvolvedIndicator", "" if numbers else "Y")
    put_if(element, "PartyAsEntityOrganizationIndicator", "Y" if legal else "")
    put_if(element, "UnknownGenderIndicator", "Y" if name and not legal and gender not in _GENDER else "")
    _names(batch, element, party, name, legal=legal)
    _subject_address(batch, element, party)
    _phones(batch, element, party)
    _documents(batch, element, party)
    known = facts(party)
    if "occupation" in known:
        box = put(element, "PartyOccupationBusiness")
        put(box, "OccupationBusinessText", batch.line(known["occupation"], "occupation", 50))
    if "email" in known:
        box = put(element, "ElectronicAddress")
        put(box, "ElectronicAddressText", batch.line(known["email"], "email", 517))
        put(box, "ElectronicAddressTypeCode", "E")
    relation = put(element, "PartyAssociation")
    customer = bool(numbers) or _is_customer(batch.report, subject)
    put(relation, "CustomerIndicator" if customer else "NoRelationshipToInstitutionIndicator", "Y")
    _put_accounts(element, numbers)


def _birth(party: Party) -> str:
    """YYYYMMDD with zeros for what is not known, or nothing."""
    digits = party.birth_date.replace("-", "").ljust(8, "0")
    return digits if _BIRTH.fullmatch(digits) and len(party.birth_date) in {4, 7, 10} else ""


def _names(batch: Batch, element: etree._Element, party: Party, name: str, *, legal: bool) -> None:
    box = put(element, "PartyName")
    first, _, last = ("", "", name) if legal else name.rpartition(" ")
    put_if(box, "EntityLastNameUnknownIndicator", "" if last else "Y")
    put_if(box, "FirstNameUnknownIndicator", "" if first or legal else "Y")
    put(box, "PartyNameTypeCode", "L")
    put_if(box, "RawEntityIndividualLastName", batch.line(last, "last name", 150))
    put_if(box, "RawIndividualFirstName", batch.line(first, "first name", 35))
    for alias in dict.fromkeys(" ".join(clean(a, "alias").split()) for a in party.aliases[:99]):
        if alias:
            also = put(element, "PartyName")
            put(also, "PartyNameTypeCode", "DBA" if legal else "AKA")
            put(also, "RawPartyFullName", batch.line(alias, "alias", 150))
    if party.aliases[99:]:
        batch.notes.append("Further aliases: " + "; ".join(clean(a, "alias") for a in party.aliases[99:]))


def _subject_address(batch: Batch, element: etree._Element, party: Party) -> None:
    code = next((c for c in map(country, party.countries) if c), "")
    for line in party.addresses[:99] or ("",):
        _address(element, {"street": batch.line(line, "address of a subject", 100)}, code)


def _phones(batch: Batch, element: etree._Element, party: Party) -> None:
    for item in party.identifiers:
        given = clean(item.value, "phone of a subject") if item.kind == "phone" else ""
        if _digits(given):
            put(put(element, "PhoneNumber"), "PhoneNumberText", _digits(given))
        elif given:
            batch.notes.append(f"Telephone of the subject as known: {given}")


def _documents(batch: Batch, element: etree._Element, party: Party) -> None:
    tax = False
    papers = documents(party)
    for item in papers:
        kind = codes.DOCUMENTS.get(item.kind, codes.OTHER)
        tax = tax or kind in codes.TAX_DOCUMENTS
        box = put(element, "PartyIdentification")
        put_if(box, "OtherIssuerCountryText", country(item.country))
        if kind == codes.OTHER:
            put(box, "OtherPartyIdentificationTypeText", batch.line(item.kind, "kind of document", 50))
        put(box, "PartyIdentificationNumberText", batch.line(item.value, "document", 25))
        put(box, "PartyIdentificationTypeCode", kind)
    if not tax:
        put(put(element, "PartyIdentification"), "TINUnknownIndicator", "Y")
    if not papers:
        put(put(element, "PartyIdentification"), "IdentificationPresentUnknownIndicator", "Y")


def _is_customer(report: Report, subject: Subject) -> bool:
    own = set(subject.accounts)
    return any(
        (t.originator in own and t.originator_institution == report.filer.id)
        or (t.beneficiary in own and t.beneficiary_institution == report.filer.id)
        for t in report.transfers
    )


def _account_numbers(batch: Batch, subject: Subject) -> list[str]:
    numbers = [a.address for a in subject.accounts if a.chain is None]
    long = [n for n in numbers if len(n) > 40] + numbers[MAX_ACCOUNTS:]
    if long:
        batch.notes.append("Further accounts of the subject: " + ", ".join(long))
    return [n for n in numbers if n not in long]


def _put_accounts(element: etree._Element, numbers: list[str]) -> None:
    if not numbers:
        return
    box = put(element, "PartyAccountAssociation")
    put(box, "PartyAccountAssociationTypeCode", codes.ACCOUNT_AT_INSTITUTION)
    holder = _party(box, codes.ACCOUNT_HOLDER)
    for number in numbers:
        account = put(holder, "Account")
        put(account, "AccountNumberText", number)
        affected = put(account, "PartyAccountAssociation")
        put(affected, "PartyAccountAssociationTypeCode", codes.ACCOUNT_AFFECTED)

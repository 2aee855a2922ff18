"""The European Union's consolidated list of financial sanctions (FSF, XML 1.1).

Kept of each entity: every name alias (25 languages and scripts), birth dates, citizenship and address
countries, identifications, programme, regulation, addresses. Aliases the file calls weak are named in
the remarks. Only years of Gregorian calendars are read as years.

One reference number may stand on several programmes, each with an entity of its own; so an entry's id is
number and programme (``EU.334.4/AFG``).

The Commission gives each user an address of the file with a token in it: give that address to an update;
the one in ``SPEC`` is without.

Source: European Commission, DG FISMA; reuse under Decision 2011/833/EU with the source acknowledged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from comity.errors import BadInput
from comity.intake import xml_elements
from comity.lists import Edition, ListSpec
from comity.lists._reading import attribute, births, children, local, text, unique, version
from comity.model import Identifier, Listing, ListingKind, Party, PartyKind

SPEC = ListSpec(
    id="eu_fsf",
    authority="European Commission, DG FISMA",
    title="Consolidated list of persons, groups and entities subject to EU financial sanctions",
    url="https://webgate.ec.europa.eu/fsd/fsf/public/files/xmlFullSanctionsList_1_1/content",
    at_least=3_000,
    terms="Reuse under Decision 2011/833/EU: (c) European Union, source to be acknowledged",
)

_COUNTRY = re.compile(r"[A-Z]{2}")  # the file writes 00 where it knows none
_KINDS = {
    "passport": "passport",
    "id": "national_id",
    "fiscalcode": "tax",
    "regnumber": "registration",
    "swiftbic": "bic",
    "imo": "vessel",
}


def sniff(head: bytes) -> bool:
    """Whether the file begins as the full FSF export does."""
    return b"<export" in head and b"/fsd/export" in head


def read(stream: BinaryIO) -> Edition:
    """Read the whole list as a stream. Raises BadInput."""
    elements = xml_elements(stream, "sanctionEntity")
    root = next(elements)
    if local(root) != "export":
        raise BadInput(
            "not an EU financial sanctions file",
            why=f"it begins with {local(root)[:40]}",
            remedy="give the full list in XML 1.1 as the Commission publishes it",
        )
    edition = version(attribute(root, "generationDate"), "EU financial sanctions file, generationDate")
    return Edition(SPEC.id, edition, unique(_listing(entity, edition) for entity in elements))


def _listing(entity: etree._Element, edition: str) -> Listing:
    reference = attribute(entity, "euReferenceNumber") or attribute(entity, "logicalId")
    programmes = [attribute(item, "programme") for item in children(entity, "regulation")]
    names = list(children(entity, "nameAlias"))
    spoken = list(dict.fromkeys(filter(None, (attribute(name, "wholeName") for name in names))))
    if not reference or not spoken:
        raise BadInput(
            f"EU financial sanctions file: an entity without {'a name' if reference else 'its reference'}",
            remedy="fetch the file again",
        )
    main = _main_name(names, spoken)
    weak = {attribute(name, "wholeName") for name in names if attribute(name, "strong") == "false"} - {""}
    subject = next(children(entity, "subjectType"), None)
    kind = attribute(subject, "code") if subject is not None else ""
    birth_date, other_dates = births(_birth_dates(entity))
    remarks = [text(entity, "remark"), attribute(entity, "designationDetails")]
    if weak:
        remarks.append(f"Weak aliases: {'; '.join(sorted(weak))}.")
    regulation = next(children(entity, "regulation"), None)
    cited = attribute(regulation, "numberTitle") if regulation is not None else ""
    return Listing(
        list_id=SPEC.id,
        entry_id=reference + f"/{programmes[0]}" * bool(programmes),
        kind=ListingKind.SANCTION,
        party=Party(
            name=main,
            kind={"person": PartyKind.NATURAL, "enterprise": PartyKind.LEGAL}.get(kind, PartyKind.UNKNOWN),
            aliases=tuple(name for name in spoken if name != main),
            birth_date=birth_date,
            countries=_entity_countries(entity),
            addresses=tuple(_addresses(entity)),
            identifiers=(*other_dates, *_identifications(entity)),
        ),
        programmes=tuple(dict.fromkeys(filter(None, programmes))),
        listed_on=attribute(regulation, "publicationDate")[:10] if regulation is not None else "",
        source=f"EU financial sanctions file of {edition[:10]}" + (f", Regulation {cited}" if cited else ""),
        remarks=" ".join(filter(None, remarks)),
    )


def _main_name(names: list[etree._Element], spoken: list[str]) -> str:
    """The first strong name without a language or in English; else the first."""
    for name in names:
        plain = attribute(name, "nameLanguage") in ("", "EN") and attribute(name, "strong") == "true"
        if plain and attribute(name, "wholeName"):
            return attribute(name, "wholeName")
    return spoken[0]


def _birth_dates(entity: etree._Element) -> Iterator[str]:
    for born in children(entity, "birthdate"):
        if attribute(born, "calendarType") not in ("", "GREGORIAN"):
            continue
        whole, year = attribute(born, "birthdate")[:10], attribute(born, "year")
        start, end = attribute(born, "yearRangeFrom"), attribute(born, "yearRangeTo")
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", whole):
            yield whole
        elif re.fullmatch(r"[0-9]{4}", year):
            yield year
        elif start and end:
            yield f"{start}/{end}"


def _entity_countries(entity: etree._Element) -> tuple[str, ...]:
    given = [*children(entity, "citizenship"), *children(entity, "address")]
    found = (attribute(item, "countryIso2Code") for item in given)
    return tuple(dict.fromkeys(code for code in found if _COUNTRY.fullmatch(code)))


def _addresses(entity: etree._Element) -> Iterator[str]:
    fields = ("street", "poBox", "zipCode", "city", "region", "place")
    for address in children(entity, "address"):
        parts = [attribute(address, field) for field in fields]
        if any(parts):
            yield ", ".join(filter(None, (*parts, attribute(address, "countryDescription"))))


def _identifications(entity: etree._Element) -> Iterator[Identifier]:
    for item in children(entity, "identification"):
        number = attribute(item, "number")
        if number:
            code = attribute(item, "identificationTypeCode")
            country = attribute(item, "countryIso2Code")
            yield Identifier(_KINDS.get(code, code), number, country if _COUNTRY.fullmatch(country) else "")


SAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-02-03T17:44:28.283+02:00">
  <sanctionEntity euReferenceNumber="EU.90.1" logicalId="1" designationDetails="">
    <remark>A fictional person.</remark>
    <regulation publicationDate="2022-03-04" numberTitle="2022/000 (OJ L0)" programme="SAMPLE"/>
    <subjectType code="person" classificationCode="P"/>
    <nameAlias wholeName="Мстислав Образцов" nameLanguage="RU" strong="true"/>
    <nameAlias wholeName="Mstislav Obraztsov" nameLanguage="" strong="true"/>
    <nameAlias wholeName="Slava O." nameLanguage="EN" strong="false"/>
    <citizenship countryIso2Code="RU"/>
    <birthdate calendarType="GREGORIAN" birthdate="1968-09-10" year="1968"/>
    <birthdate calendarType="GREGORIAN" yearRangeFrom="1967" yearRangeTo="1969"/>
    <identification identificationTypeCode="passport" number="00 0000001" countryIso2Code="RU"/>
    <address street="1 Sample Prospekt" city="Moscow" countryIso2Code="RU" countryDescription="RUSSIA"/>
  </sanctionEntity>
  <sanctionEntity euReferenceNumber="EU.90.2" logicalId="2" designationDetails="">
    <regulation publicationDate="2023-04-05" numberTitle="2023/000 (OJ L0)" programme="SAMPLE"/>
    <subjectType code="enterprise" classificationCode="E"/>
    <nameAlias wholeName="Obraztsov Trading OOO" nameLanguage="" strong="true"/>
  </sanctionEntity>
</export>
""".encode()

"""The United Nations Security Council Consolidated List, in its XML.

Kept of each entry: names (also in their original script) and aliases, birth dates, countries, documents,
sanctions committee, day of listing, addresses, comments. Aliases of low quality are named in the remarks.

Source: United Nations Security Council; its terms do not let the list ship with software.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from comity.errors import BadInput
from comity.intake import xml_elements
from comity.lists import Edition, ListSpec, _countries
from comity.lists._reading import attribute, births, children, items, local, squeeze, text, unique, version
from comity.model import Identifier, Listing, ListingKind, Party, PartyKind

SPEC = ListSpec(
    id="un_sc",
    authority="United Nations Security Council",
    title="Consolidated List",
    url="https://scsanctions.un.org/resources/xml/en/consolidated.xml",
    at_least=500,
    terms="United Nations terms of use: fetch it from the United Nations, do not redistribute",
)


def sniff(head: bytes) -> bool:
    """Whether the file begins as the consolidated list does."""
    return b"<CONSOLIDATED_LIST" in head


def read(stream: BinaryIO) -> Edition:
    """Read the whole list as a stream. Raises BadInput."""
    elements = xml_elements(stream, "INDIVIDUAL", "ENTITY")
    root = next(elements)
    if local(root) != "CONSOLIDATED_LIST":
        raise BadInput(
            "not a UN consolidated list",
            why=f"it begins with {local(root)[:40]}",
            remedy="give the XML the Security Council publishes",
        )
    edition = version(attribute(root, "dateGenerated"), "UN consolidated list, dateGenerated")
    return Edition(SPEC.id, edition, unique(_listing(entry, edition) for entry in elements))


def _listing(entry: etree._Element, edition: str) -> Listing:
    kind = local(entry)
    names = (text(entry, f"{place}_NAME") for place in ("FIRST", "SECOND", "THIRD", "FOURTH"))
    name = " ".join(filter(None, names))
    reference = text(entry, "DATAID")
    if not reference or not name:
        raise BadInput(
            f"UN consolidated list: an entry without {'a name' if reference else 'its DATAID'}",
            remedy="fetch the file again",
        )
    aliases = [
        (text(alias, "ALIAS_NAME"), text(alias, "QUALITY")) for alias in children(entry, f"{kind}_ALIAS")
    ]
    original = text(entry, "NAME_ORIGINAL_SCRIPT")
    others = dict.fromkeys(filter(None, (original, *(alias for alias, _ in aliases))))
    low = [alias for alias, quality in aliases if quality == "Low" and alias]
    birth_date, other_dates = births(_birth_dates(entry))
    remarks = [f"Reference {text(entry, 'REFERENCE_NUMBER')}.", text(entry, "COMMENTS1")]
    if low:
        remarks.append(f"Aliases of low quality: {'; '.join(low)}.")
    return Listing(
        list_id=SPEC.id,
        entry_id=reference,
        kind=ListingKind.SANCTION,
        party=Party(
            name=name,
            kind=PartyKind.NATURAL if kind == "INDIVIDUAL" else PartyKind.LEGAL,
            aliases=tuple(alias for alias in others if alias != name),
            birth_date=birth_date,
            countries=_entry_countries(entry, kind),
            addresses=tuple(_addresses(entry, kind)),
            identifiers=(*other_dates, *_documents(entry)),
        ),
        programmes=tuple(filter(None, (text(entry, "UN_LIST_TYPE"),))),
        listed_on=text(entry, "LISTED_ON")[:10],
        source=f"UN Security Council Consolidated List of {edition[:10]}",
        remarks=" ".join(filter(None, remarks)),
    )


def _birth_dates(entry: etree._Element) -> Iterator[str]:
    for born in children(entry, "INDIVIDUAL_DATE_OF_BIRTH"):
        start, end = text(born, "FROM_YEAR"), text(born, "TO_YEAR")
        yield text(born, "DATE")[:10] or text(born, "YEAR")[:4] or (f"{start}/{end}" if start and end else "")
    for alias in children(entry, "INDIVIDUAL_ALIAS"):
        given = text(alias, "DATE_OF_BIRTH")
        yield given if len(given) == 4 and given.isdigit() else ""


def _entry_countries(entry: etree._Element, kind: str) -> tuple[str, ...]:
    names = [squeeze(value.text) for value in items(entry, "NATIONALITY", "VALUE")]
    names += [text(address, "COUNTRY") for address in children(entry, f"{kind}_ADDRESS")]
    return _countries.codes(names)


def _addresses(entry: etree._Element, kind: str) -> Iterator[str]:
    for address in children(entry, f"{kind}_ADDRESS"):
        parts = [text(address, field) for field in ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE")]
        if any(parts):
            yield ", ".join(filter(None, (*parts, text(address, "COUNTRY"))))


def _documents(entry: etree._Element) -> Iterator[Identifier]:
    for document in children(entry, "INDIVIDUAL_DOCUMENT"):
        number = text(document, "NUMBER")
        if number:
            words = (text(document, "TYPE_OF_DOCUMENT") or text(document, "TYPE_OF_DOCUMENT2")).lower()
            kind = "passport" if "pas" in words and "port" in words else "national_id"
            country = text(document, "ISSUING_COUNTRY") or text(document, "COUNTRY_OF_ISSUE")
            yield Identifier(kind if words else "document", number, _countries.code(country))


SAMPLE = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-02-03T00:00:03.012Z">
  <INDIVIDUALS>
    <INDIVIDUAL>
      <DATAID>9000001</DATAID><FIRST_NAME>TARIQ</FIRST_NAME><SECOND_NAME>ALSAMPLI</SECOND_NAME>
      <UN_LIST_TYPE>Sample</UN_LIST_TYPE><REFERENCE_NUMBER>SAi.001</REFERENCE_NUMBER>
      <LISTED_ON>2020-05-06</LISTED_ON>
      <NAME_ORIGINAL_SCRIPT>طارق السمبلي</NAME_ORIGINAL_SCRIPT>
      <COMMENTS1>A fictional person.</COMMENTS1>
      <NATIONALITY><VALUE>Jordan</VALUE></NATIONALITY>
      <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Tarek Al-Sampli</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Abu Sample</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <INDIVIDUAL_ADDRESS><CITY>Amman</CITY><COUNTRY>Jordan</COUNTRY></INDIVIDUAL_ADDRESS>
      <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1961-07-08</DATE>
      </INDIVIDUAL_DATE_OF_BIRTH>
      <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1960</FROM_YEAR>
        <TO_YEAR>1962</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
      <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>S0000001</NUMBER>
        <ISSUING_COUNTRY>Jordan</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>
    </INDIVIDUAL>
  </INDIVIDUALS>
  <ENTITIES>
    <ENTITY>
      <DATAID>9000002</DATAID><FIRST_NAME>SAMPLE RELIEF SOCIETY</FIRST_NAME>
      <UN_LIST_TYPE>Sample</UN_LIST_TYPE><REFERENCE_NUMBER>SAe.001</REFERENCE_NUMBER>
      <LISTED_ON>2021-02-03</LISTED_ON>
      <ENTITY_ADDRESS><STREET>1 Sample Street</STREET><CITY>Amman</CITY><COUNTRY>Jordan</COUNTRY>
      </ENTITY_ADDRESS>
    </ENTITY>
  </ENTITIES>
</CONSOLIDATED_LIST>
""".encode()

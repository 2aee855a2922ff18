"""The OFAC SDN list (US Treasury), in the XML of ``SDN.XML``: the simple form, not the "advanced" one.

Namespaces are ignored: OFAC changed its own on 2024-05-07. Kept of each entry: names and aliases, birth
dates, countries (nationality, citizenship, then addresses), identifiers, wallets, programmes, addresses.
Left out: what an ``id`` row says about the entry rather than identifies it by (gender, secondary sanctions
risk, aircraft models …). Weak aliases are named as weak in the remarks.

Source: US Treasury, Office of Foreign Assets Control; a work of the US government, public domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from lxml import etree

from comity.errors import BadInput
from comity.intake import xml_elements
from comity.lists import Edition, ListSpec, _countries
from comity.lists._reading import birth, births, children, items, local, squeeze, text, unique, wallets, whole
from comity.model import Identifier, Listing, ListingKind, Party, PartyKind

SPEC = ListSpec(
    id="ofac_sdn",
    authority="US Treasury, Office of Foreign Assets Control",
    title="Specially Designated Nationals and Blocked Persons List",
    url="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/SDN.XML",
    at_least=10_000,
    terms="US public domain",
)

_WALLET = "Digital Currency Address - "
_KINDS = {
    "Passport": "passport",
    "Diplomatic Passport": "passport",
    "National ID No.": "national_id",
    "Tax ID No.": "tax",
    "SWIFT/BIC": "bic",
    "Email Address": "email",
    "Phone Number": "phone",
    "Website": "website",
    "Registration Number": "registration",
    "Company Number": "registration",
    "Vessel Registration Identification": "vessel",
    "MMSI": "mmsi",
    "Aircraft Tail Number": "aircraft",
}
_NOT_IDENTIFIERS = frozenset(
    {
        "Gender",
        "Organization Established Date",
        "Target Type",
        "Aircraft Model",
        "Aircraft Manufacture Date",
        "Aircraft Operator",
        "Aircraft Manufacturer",
        "Former Vessel Flag",
        "Other Vessel Flag",
        "Other Vessel Type",
        "Vessel Year of Build",
        "Nationality of Registration",
    }
)


def sniff(head: bytes) -> bool:
    """Whether the file begins as SDN.XML does."""
    return b"<sdnList" in head


def read(stream: BinaryIO) -> Edition:
    """Read a whole SDN.XML as a stream. Raises BadInput."""
    elements = xml_elements(stream, "publshInformation", "sdnEntry")
    root = next(elements)
    head = next(elements, None)
    if local(root) != "sdnList" or head is None or local(head) != "publshInformation":
        raise BadInput(
            "not an OFAC SDN list",
            why="it does not begin with sdnList and publshInformation",
            remedy="give SDN.XML as OFAC publishes it (not SDN_ADVANCED.XML)",
        )
    edition = _day(text(head, "Publish_Date"))
    count = text(head, "Record_Count")
    if not re.fullmatch(r"[0-9]{1,7}", count):
        raise BadInput("OFAC SDN list without its Record_Count", remedy="fetch the file again")
    entries = (_listing(entry, edition) for entry in elements if local(entry) == "sdnEntry")
    return Edition(SPEC.id, edition, whole(unique(entries), int(count), "OFAC SDN list"))


def _day(value: str) -> str:
    try:
        return datetime.strptime(value, "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 (a day)
    except ValueError:
        raise BadInput(
            f"OFAC SDN list: Publish_Date is not MM/DD/YYYY: {value[:40]!r}",
            why="without it an old list could replace a newer one",
            remedy="fetch the file again from OFAC",
        ) from None


def _listing(entry: etree._Element, edition: str) -> Listing:
    uid = text(entry, "uid")
    name = _name(entry)
    if not uid or not name:
        raise BadInput(
            f"OFAC SDN list: an entry without {'a name' if uid else 'its uid'}", remedy="fetch the file again"
        )
    rows = [
        (text(row, "idType"), text(row, "idNumber"), text(row, "idCountry"))
        for row in items(entry, "idList", "id")
    ]
    accounts, notes = wallets(
        (kind.removeprefix(_WALLET), number) for kind, number, _ in rows if kind.startswith(_WALLET)
    )
    aliases = [(_name(aka), text(aka, "category")) for aka in items(entry, "akaList", "aka")]
    weak = [alias for alias, category in aliases if category == "weak" and alias]
    birth_date, other_dates = births(_birth_dates(entry))
    remarks = [text(entry, "remarks"), *notes]
    if weak:
        remarks.append(f"Weak aliases: {'; '.join(weak)}.")
    return Listing(
        list_id=SPEC.id,
        entry_id=uid,
        kind=ListingKind.SANCTION,
        party=Party(
            name=name,
            kind={"Individual": PartyKind.NATURAL, "Entity": PartyKind.LEGAL}.get(
                text(entry, "sdnType"), PartyKind.UNKNOWN
            ),
            aliases=tuple(dict.fromkeys(alias for alias, _ in aliases if alias and alias != name)),
            birth_date=birth_date,
            countries=_entry_countries(entry),
            addresses=tuple(_addresses(entry)),
            identifiers=(*other_dates, *_identifiers(rows)),
        ),
        programmes=tuple(squeeze(item.text) for item in items(entry, "programList", "program") if item.text),
        wallets=accounts,
        source=f"OFAC SDN list of {edition}",
        remarks=" ".join(filter(None, remarks)),
    )


def _name(element: etree._Element) -> str:
    return " ".join(filter(None, (text(element, "firstName"), text(element, "lastName"))))


def _birth_dates(entry: etree._Element) -> list[str]:
    """Birth dates, OFAC's main one first."""
    found = list(items(entry, "dateOfBirthList", "dateOfBirthItem"))
    found.sort(key=lambda item: text(item, "mainEntry") != "true")
    return [birth(text(item, "dateOfBirth")) for item in found]


def _entry_countries(entry: etree._Element) -> tuple[str, ...]:
    groups = (
        ("nationalityList", "nationality"),
        ("citizenshipList", "citizenship"),
        ("addressList", "address"),
    )
    return _countries.codes([text(item, "country") for pair in groups for item in items(entry, *pair)])


def _addresses(entry: etree._Element) -> Iterator[str]:
    fields = ("address1", "address2", "address3", "city", "stateOrProvince", "postalCode", "country")
    for address in items(entry, "addressList", "address"):
        if any(next(children(address, field), None) is not None for field in fields[:4]):
            yield ", ".join(filter(None, (text(address, field) for field in fields)))


def _identifiers(rows: list[tuple[str, str, str]]) -> Iterator[Identifier]:
    for kind, number, country in rows:
        said = (
            kind.endswith((":", "-")) or kind in _NOT_IDENTIFIERS or kind.startswith((_WALLET, "Executive"))
        )
        if said or not number:
            continue
        known = _KINDS.get(kind) or re.sub(r"[^a-z0-9]+", "_", kind.lower()).strip("_")
        yield Identifier(known, number, _countries.code(country))


SAMPLE = b"""<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="urn:comity:sample">
  <publshInformation><Publish_Date>02/03/2026</Publish_Date><Record_Count>3</Record_Count></publshInformation>
  <sdnEntry>
    <uid>1</uid><firstName>Orsolo</firstName><lastName>VANTERMEER</lastName><sdnType>Individual</sdnType>
    <remarks>A fictional person.</remarks>
    <programList><program>SAMPLE</program><program>CYBER2</program></programList>
    <idList>
      <id><uid>11</uid><idType>Passport</idType><idNumber>X0000001</idNumber><idCountry>Malta</idCountry></id>
      <id><uid>12</uid><idType>Gender</idType><idNumber>Male</idNumber></id>
      <id><uid>13</uid><idType>Digital Currency Address - XBT</idType>
        <idNumber>1BitcoinEaterAddressDontSendf59kuE</idNumber></id>
      <id><uid>14</uid><idType>Digital Currency Address - ETH</idType>
        <idNumber>0x00000000000000000000000000000000C0FFEE01</idNumber></id>
    </idList>
    <akaList>
      <aka><uid>15</uid><type>a.k.a.</type><category>strong</category>
        <lastName>VAN TERMEER</lastName><firstName>Orso</firstName></aka>
      <aka><uid>16</uid><type>a.k.a.</type><category>weak</category><lastName>THE FERRYMAN</lastName></aka>
    </akaList>
    <nationalityList><nationality><uid>17</uid><country>Malta</country><mainEntry>true</mainEntry></nationality>
    </nationalityList>
    <dateOfBirthList>
      <dateOfBirthItem><uid>18</uid><dateOfBirth>1970 to 1972</dateOfBirth><mainEntry>false</mainEntry>
      </dateOfBirthItem>
      <dateOfBirthItem><uid>19</uid><dateOfBirth>25 Mar 1971</dateOfBirth><mainEntry>true</mainEntry>
      </dateOfBirthItem>
    </dateOfBirthList>
  </sdnEntry>
  <sdnEntry>
    <uid>2</uid><lastName>QUILLFEATHER SHIPPING LTD</lastName><sdnType>Entity</sdnType>
    <programList><program>SAMPLE</program></programList>
    <addressList><address><uid>21</uid><address1>1 Sample Quay</address1><city>Valletta</city>
      <country>Malta</country></address></addressList>
  </sdnEntry>
  <sdnEntry>
    <uid>3</uid><lastName>QUILLFEATHER STAR</lastName><sdnType>Vessel</sdnType>
    <programList><program>SAMPLE</program></programList>
  </sdnEntry>
</sdnList>
"""

"""Who and where in goAML: accounts, persons, entities, telephones and addresses, in the schema's order.

A side of a transaction is *my client* when the filer keeps that account and knows all that goAML then
insists on: of a natural person the birth date, the first country, one of `DOCUMENTS`, and the particulars
of `_facts`. Where one is missing the side is written as any other, and the transaction says which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from comity.errors import BadInput
from comity.model import AccountId, Institution, Party, PartyKind, Report, Role, Transfer
from comity.reports._facts import documents, facts
from comity.reports._xml import clean, country, fit, moment, put, put_if, text

DOCUMENTS = ("national_id", "tax", "passport")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .'-")
GENDERS = frozenset({"F", "M"})
_NOT_KNOWN = "-"
_MAIL = re.compile(r"[\w+-]+(\.[\w+-]+)*@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,15}", re.ASCII)


@dataclass(slots=True)
class Desk:
    """What every part of one report is written with: the report, its codes, whose the accounts are."""

    report: Report
    codes: Mapping[str, str]
    owners: Mapping[AccountId, Party]

    def name(self, value: str, where: str, limit: int, notes: list[str]) -> str:
        """A name as the FIU's lists take it; what had to change is said in ``notes``."""
        value = " ".join(clean(value, where).split())
        if self.codes["latin_names"] == "yes":
            value = _latin(value, where, notes)
        return fit(value, where, limit, notes) or "Unknown"


def _latin(value: str, where: str, notes: list[str]) -> str:
    from anyascii import anyascii

    plain = "".join(c if c in _PLAIN else " " for c in anyascii(value))
    plain = " ".join(plain.split())
    if plain != value:
        notes.append(f"{where} in its own script: {value}")
    return plain


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a transfer."""

    account: AccountId
    institution: str
    country: str
    party: Party | None


def sides(desk: Desk, transfer: Transfer) -> tuple[Side, Side]:
    """Originator's and beneficiary's end; an account of a subject is that subject's."""
    origin, benefit = transfer.originator, transfer.beneficiary
    return (
        Side(
            origin,
            transfer.originator_institution or origin.institution or "",
            transfer.originator_country,
            transfer.originator_party or desk.owners.get(origin),
        ),
        Side(
            benefit,
            transfer.beneficiary_institution or benefit.institution or "",
            transfer.beneficiary_country,
            transfer.beneficiary_party or desk.owners.get(benefit),
        ),
    )


def missing_client_facts(desk: Desk, side: Side) -> tuple[str, ...]:
    """What a *my client* side would still need; empty when it is complete."""
    party = side.party
    if party is None or party.kind is not PartyKind.NATURAL:
        return ("a natural person as its holder",)
    known = facts(party)
    lacking = [kind for kind in ("phone", "occupation", "customer_number") if kind not in known]
    dates = ["account_opened"]
    if desk.codes["latin_names"] == "yes":
        dates += ["document_issued", "document_expires"]
    lacking += [kind for kind in dates if not _midnight(known.get(kind, ""))]
    if known.get("gender", "").upper() not in GENDERS:
        lacking.append("gender")
    if not any(kind in known for kind in DOCUMENTS):
        lacking.append("national_id, tax or passport")
    if not _midnight(party.birth_date):
        lacking.append("birth date")
    if not country(party.countries[0] if party.countries else ""):
        lacking.append("country")
    return tuple(lacking)


def _midnight(day: str) -> str:
    """An ISO date as goAML's time of its beginning; nothing for what is no date, or before 1753."""
    written = f"{day.strip()}T00:00:00"
    when = moment(written, "%Y-%m-%dT%H:%M:%S")
    return (
        written if when is not None and len(written) == 19 and written.isascii() and when.year >= 1753 else ""
    )


def account(desk: Desk, parent: etree._Element, tag: str, side: Side, *, client: bool) -> None:
    """A ``t_account`` or, for ``client``, a ``t_account_my_client``."""
    element, notes = put(parent, tag), [f"Account id: {side.account}"]
    _institution(desk, element, side, client=client, notes=notes)
    party = side.party
    known = facts(party)
    put(element, "account", text(side.account.address, "account", 255))
    if client:
        put(element, "currency_code", desk.report.currency)
    put(element, "account_name", desk.name(party.name if party else "", "account name", 255, notes))
    if side.account.value.startswith("iban:"):
        put(element, "iban", side.account.address)
    if known.get("customer_number"):
        put(element, "client_number", fit(known["customer_number"], "customer number", 30, notes))
    kind = "account_type_crypto" if side.account.chain else "account_type_bank"
    put(element, "personal_account_type", desk.codes[kind])
    if party is not None and party.kind is PartyKind.LEGAL:
        entity(desk, put(element, "t_entity"), party)
    if party is not None and party.kind is PartyKind.NATURAL:
        holder = put(element, "signatory")
        put(holder, "is_primary", "1")
        person(desk, put(holder, "t_person"), party, client=client)
        put(holder, "role", desk.codes["account_role"])
    if client:
        put(element, "opened", _midnight(known["account_opened"]))
        put(element, "status_code", desk.codes["account_status"])
        put(element, "beneficiary", desk.name(party.name if party else "", "beneficiary", 50, notes))
    put(element, "comments", text(". ".join(notes), "comments on an account", 8000))


def _institution(desk: Desk, element: etree._Element, side: Side, *, client: bool, notes: list[str]) -> None:
    filer = desk.report.filer
    ours = side.institution == filer.id
    unknown, code = _nobody(side.account)
    name = filer.name if ours else side.institution or unknown
    put(element, "institution_name", fit(name, "institution", 255, notes))
    if ours and filer.bic:
        put(element, "swift", text(filer.bic, "filer.bic", 11))
    else:
        put(element, "institution_code", fit(side.institution or code, "institution", 50, notes))
    if side.account.chain or client:
        bank = ours and filer.role is Role.BANK
        put(element, "non_bank_institution", "false" if bank else "true")
    if client:
        put(element, "branch", _NOT_KNOWN)


def _nobody(account: AccountId) -> tuple[str, str]:
    """Name and code where no institution is known."""
    if account.is_hub:
        return "None: a transaction that joins several inputs", "TRANSACTION"
    return ("Self-hosted wallet", "SELF-HOSTED") if account.chain else ("Unknown institution", "UNKNOWN")


def person(desk: Desk, element: etree._Element, party: Party, *, client: bool = False) -> None:
    """A ``t_person`` (for ``client`` a ``t_person_my_client``), filled into ``element``."""
    notes: list[str] = []
    known = facts(party)
    first, _, last = " ".join(clean(party.name, "a person's name").split()).rpartition(" ")
    if known.get("gender", "").upper() in GENDERS:
        put(element, "gender", known["gender"].upper())
    put(element, "first_name", desk.name(first, "first name", 100, notes) if first else "Unknown")
    put(element, "last_name", desk.name(last, "last name", 100, notes))
    if _midnight(party.birth_date):
        put(element, "birthdate", _midnight(party.birth_date))
    elif party.birth_date:
        notes.append(f"Birth date as known: {clean(party.birth_date, 'birth date')}")
    aliases = "; ".join(party.aliases)
    put_if(element, "alias", fit(aliases, "aliases", 100, notes))
    document = next((known[kind] for kind in DOCUMENTS if known.get(kind)), "")
    if client:
        put(element, "ssn", fit(document, "identity number", 25, notes))
    _passport(element, party, notes)
    if known.get("national_id") or client:
        put(element, "id_number", fit(known.get("national_id") or document, "national id", 255, notes))
    _countries(element, party, client=client)
    _contact(desk, element, party, notes)
    put_if(element, "occupation", fit(known.get("occupation", ""), "occupation", 255, notes))
    if client and desk.codes["latin_names"] == "yes":
        _identification(element, party, document)
    if known.get("tax") and not client:
        put(element, "tax_number", fit(known["tax"], "tax number", 100, notes))
    if client:
        put(element, "tax_reg_number", _NOT_KNOWN)
    _remarks(element, party, notes)


def _passport(element: etree._Element, party: Party, notes: list[str]) -> None:
    found = next((i for i in party.identifiers if i.kind == "passport" and country(i.country)), None)
    if found is not None:
        put(element, "passport_number", fit(found.value, "passport", 255, notes))
        put(element, "passport_country", country(found.country))


def _countries(element: etree._Element, party: Party, *, client: bool) -> None:
    known = [code for code in map(country, party.countries) if code]
    for position, code in enumerate(known[:3], 1):
        put(element, f"nationality{position}", code)
    if client:
        put(element, "residence", known[0])


def _identification(element: etree._Element, party: Party, document: str) -> None:
    known = facts(party)
    box = put(element, "identification")
    put(box, "type", _NOT_KNOWN)
    put(box, "number", document)
    put(box, "issue_date", _midnight(known["document_issued"]))
    put(box, "expiry_date", _midnight(known["document_expires"]))
    put(box, "issue_country", country(party.countries[0]))


def entity(desk: Desk, element: etree._Element, party: Party) -> None:
    """A ``t_entity``, filled into ``element``."""
    notes: list[str] = []
    known = facts(party)
    put(element, "name", desk.name(party.name, "name", 255, notes))
    if party.aliases:
        put_if(element, "commercial_name", desk.name(party.aliases[0], "commercial name", 255, notes))
    number = known.get("lei") or known.get("register")
    if number:
        put(element, "incorporation_number", fit(number, "incorporation number", 50, notes))
    _contact(desk, element, party, notes)
    code = next((c for c in map(country, party.countries) if c), "")
    put_if(element, "incorporation_country_code", code)
    if known.get("tax"):
        put(element, "tax_number", fit(known["tax"], "tax number", 100, notes))
    _remarks(element, party, notes)


def _contact(desk: Desk, element: etree._Element, party: Party, notes: list[str]) -> None:
    known = facts(party)
    if "phone" in known:
        phone(desk, put(element, "phones"), known["phone"], notes)
    if party.addresses:
        box = put(element, "addresses")
        for line in party.addresses:
            code = next((c for c in map(country, party.countries) if c), _NOT_KNOWN)
            address(desk, put(box, "address"), line, code, notes)
    given = clean(known.get("email", ""), "email")
    if _MAIL.fullmatch(given) and len(given) <= 255:
        put(element, "email", given)
    elif given:
        notes.append(f"Email as known: {given}")


def mail(given: str, where: str) -> str:
    """An address of electronic mail. Raises BadInput naming ``where`` when goAML would refuse it."""
    if not _MAIL.fullmatch(text(given, where, 255)):
        raise BadInput(
            f"{where}: not an email address: {given[:80]!r}",
            why="goAML refuses the whole report for it",
            remedy="correct it, or leave it empty",
        )
    return given


def phone(desk: Desk, box: etree._Element, number: str, notes: list[str]) -> None:
    """One telephone; its country prefix is the part before the first space of ``+65 6123 4567``."""
    number = clean(number, "phone")
    prefix, _, rest = number.partition(" ") if number.startswith("+") else ("", "", number)
    if not rest or len(prefix) > 4:
        prefix, rest = "", number
    element = put(box, "phone")
    put(element, "tph_contact_type", desk.codes["contact_type"])
    put(element, "tph_communication_type", desk.codes["communication_type"])
    put(element, "tph_country_prefix", prefix or _NOT_KNOWN)
    put(element, "tph_number", fit(rest, "phone", 50, notes))


def address(desk: Desk, element: etree._Element, line: str, code: str, notes: list[str]) -> None:
    """A ``t_address`` from one line of text: the city is what follows its last comma."""
    line = " ".join(clean(line, "address").split())
    city = line.rpartition(",")[2].strip() if "," in line else ""
    put(element, "address_type", desk.codes["contact_type"])
    put(element, "address", fit(line, "address", 100, notes) or _NOT_KNOWN)
    put(element, "city", fit(city, "city", 255, notes) or _NOT_KNOWN)
    put(element, "country_code", code)
    put_if(element, "state", desk.codes["unknown_state"])


def _remarks(element: etree._Element, party: Party, notes: list[str]) -> None:
    if len(party.aliases) > 1:
        notes.append("Also known as: " + "; ".join(clean(a, "alias") for a in party.aliases))
    for item in documents(party):
        where = f" ({item.country})" if item.country else ""
        notes.append(clean(f"{item.kind}: {item.value}{where}", "an identifier"))
    put_if(element, "comments", text(". ".join(notes), "comments on a party", 8000) if notes else "")


def home(filer: Institution) -> str:
    """The filer's first jurisdiction that is a country, or ``-``."""
    return next((c for c in map(country, filer.jurisdictions) if c), _NOT_KNOWN)

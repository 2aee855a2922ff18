"""goAML 5.0: the suspicious transaction report of some seventy FIUs, as XML (UNODC).

One ``transaction`` a transfer, from one account to another; subjects who take part in no transfer are
named in ``activity``. goAML 5.0 has no element for a virtual asset: a wallet is an account of a non-bank
institution, its address the account number; the quantity and the CAIP-19 asset stand in the funds'
comment, the worth in ``amount_local``. Code lists differ from FIU to FIU: `_goaml_codes` (ADR 0006).

Sources: goAMLSchema 5.0.1 and 5.0.2. The pristine 5.0.2 writes ``^…$`` in its patterns, which a strict
validator takes literally: it then refuses every name. Validate with a copy without these two characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from lxml import etree

from comity.errors import BadInput
from comity.model import AccountId, PartyKind, Report, Subject, Transfer
from comity.reports import Problem, ReportSpec
from comity.reports import _goaml_parties as parties
from comity.reports._goaml_check import problems
from comity.reports._goaml_codes import INDICATORS, MEANING, codes_for, overlay
from comity.reports._xml import country, decimal, fit, put, put_if, text, to_bytes

DRAFT = "DRAFT: the filer's number at the FIU (rentity_id) is not set"
TIME = "%Y-%m-%dT%H:%M:%S"

SPEC = ReportSpec(
    id="goaml",
    title="Suspicious transaction report (goAML)",
    version="5.0",
    suffix=".xml",
    schema="goAMLSchema*.xsd",
    source="UNODC goAML, XML schema 5.0.1 and 5.0.2",
    options=MappingProxyType(
        {
            "overlay": "table of code lists: base or ae; by default that of the report's jurisdiction",
            "rentity_id": "number the FIU gave the filer; without it the report is marked as a draft",
            "rentity_branch": "branch of the filer, as the FIU knows it",
            "filer_address": "address of the filer, its city after the last comma",
            **MEANING,
        }
    ),
)

NOTHING: Mapping[str, str] = MappingProxyType({})


def sniff(head: bytes) -> bool:
    """Whether these first bytes begin a goAML report."""
    return b"<report" in head and (b"rentity_id" in head or b"<schema_version" in head)


def render(report: Report, options: Mapping[str, str] = NOTHING) -> bytes:
    """The report as goAML XML; the same report gives the same bytes.

    Raises BadInput naming the field when a mandatory fact is missing, a transfer has no known worth in the
    report's currency, a text holds what XML cannot carry, or the narrative is longer than goAML takes.
    """
    if not report.transfers and not report.subjects:
        raise BadInput(
            "the report has neither transfers nor subjects",
            why="goAML reports transactions, or the parties of an activity",
            remedy="attach at least one transfer or subject",
        )
    name = overlay(report.jurisdiction, options)
    owners = {account: subject.party for subject in report.subjects for account in subject.accounts}
    desk = parties.Desk(report, codes_for(name, options), owners)
    root = etree.Element("report")
    _header(desk, root, options)
    codes = _indicators(desk, name)
    _reason(desk, root, {rule for rule, code in codes.items() if code == desk.codes["indicator"]})
    if report.action_taken.strip():
        put(root, "action", text(report.action_taken, "action taken", 8000))
    for position, transfer in enumerate(report.transfers, 1):
        _transaction(desk, put(root, "transaction"), transfer, position)
    _activity(desk, root)
    box = put(root, "report_indicators")
    for code in sorted(set(codes.values())):
        put(box, "indicator", code)
    return to_bytes(root)


def check(data: bytes, schema: Path | None) -> tuple[Problem, ...]:
    """What an FIU would send the report back for; empty when nothing.

    ``schema`` is the FIU's schema file, or a directory: then every ``goAMLSchema*.xsd`` in it, and the
    report must be valid for one of them. Raises BadInput when ``data`` is not XML, or no schema is there.
    """
    return problems(data, schema, SPEC.schema)


def _header(desk: parties.Desk, root: etree._Element, options: Mapping[str, str]) -> None:
    report, notes = desk.report, list[str]()
    number = options.get("rentity_id", "")
    if number and not (number.isascii() and number.isdigit() and 0 < int(number) < 2**31):
        raise BadInput(
            f"rentity_id: not a number of a reporting entity: {number[:40]!r}",
            why="the FIU identifies the filer by a whole number from 1",
            remedy="set the option rentity_id to the number the FIU gave you",
        )
    put(root, "rentity_id", number or "1")
    branch = options.get("rentity_branch") or "-"
    put(root, "rentity_branch", text(branch, "rentity_branch", 255) if number else DRAFT)
    put(root, "submission_code", "E")
    put(root, "report_code", desk.codes["report_code"])
    put(root, "entity_reference", text(report.reference, "reference", 255))
    if report.prior_reference:
        put(root, "fiu_ref_number", text(report.prior_reference, "prior reference", 255))
    put(root, "submission_date", report.created.astimezone(UTC).strftime(TIME))
    put(root, "currency_code_local", text(report.currency, "currency", 3))
    officer = put(root, "reporting_person")
    first, last = report.officer.first_name, report.officer.last_name
    text(first, "officer.first_name", 100)
    text(last, "officer.last_name", 100)
    put(officer, "first_name", desk.name(first, "officer.first_name", 100, notes))
    put(officer, "last_name", desk.name(last, "officer.last_name", 100, notes))
    if report.officer.phone:
        parties.phone(desk, put(officer, "phones"), report.officer.phone, notes)
    if report.officer.email:
        put(officer, "email", parties.mail(report.officer.email, "officer.email"))
    put_if(officer, "comments", ". ".join(notes))
    where = options.get("filer_address", "") or report.filer.name
    parties.address(desk, put(root, "location"), where, parties.home(report.filer), notes)


def _indicators(desk: parties.Desk, name: str) -> dict[str, str]:
    """The FIU's code of each rule; of a report without rules, the general one."""
    rules = desk.report.indicators or tuple(dict.fromkeys(f.rule for f in desk.report.findings)) or ("",)
    table = INDICATORS[name]
    return {rule: table.get(rule, desk.codes["indicator"]) for rule in rules}


def _reason(desk: parties.Desk, root: etree._Element, unmapped: set[str]) -> None:
    narrative = text(desk.report.narrative, "narrative", 8000)
    named = ", ".join(sorted(rule for rule in unmapped if rule and rule not in narrative))
    if named:
        narrative += f"\nIndicators without a code at this FIU: {named}."
    put(root, "reason", text(narrative, "narrative", 8000))


def _worth(desk: parties.Desk, transfer: Transfer) -> Decimal:
    value = transfer.value
    amount = transfer.amount
    if value is None and amount is not None and amount.asset.currency == desk.report.currency:
        value = amount.quantity
    if value is None or value <= 0:
        raise BadInput(
            f"amount of transfer {transfer.id[:120]}: no positive worth in {desk.report.currency}",
            why="goAML makes amount_local mandatory",
            remedy="give the ledger the rate of that day, or leave the transfer out and name it in the words",
        )
    return value


def _transaction(desk: parties.Desk, element: etree._Element, transfer: Transfer, position: int) -> None:
    notes: list[str] = []
    on_chain = transfer.originator.chain or transfer.beneficiary.chain
    kind = "crypto" if on_chain else "transfer"
    number = transfer.id
    if len(number) > 100:
        notes.append(f"Transfer: {number}")
        number = f"{position}"
    put(element, "transactionnumber", text(number, "id of a transfer", 100))
    where = f"On chain {on_chain}" if on_chain else "Between accounts at institutions"
    put(element, "transaction_location", where)
    described = transfer.reference or ("Transfer of a virtual asset" if on_chain else "Transfer of money")
    put(element, "transaction_description", text(described, f"reference of {number}", 8000))
    put(element, "date_transaction", transfer.time.astimezone(UTC).strftime(TIME))
    put(element, "transmode_code", desk.codes[f"transmode_{kind}"])
    put_if(element, "transmode_comment", desk.codes["transmode_comment"])
    worth = _worth(desk, transfer)
    put(element, "amount_local", decimal(worth, 2, 13))
    origin, benefit = parties.sides(desk, transfer)
    _side(desk, element, "from", origin, transfer, worth, notes)
    _side(desk, element, "to", benefit, transfer, worth, notes)
    if transfer.intermediaries:
        notes.append("Through: " + ", ".join(transfer.intermediaries))
    put_if(element, "comments", text(". ".join(notes), f"comments on {number}", 8000) if notes else "")


def _side(
    desk: parties.Desk,
    element: etree._Element,
    end: str,
    side: parties.Side,
    transfer: Transfer,
    worth: Decimal,
    notes: list[str],
) -> None:
    ours = bool(side.institution) and side.institution == desk.report.filer.id
    lacking = parties.missing_client_facts(desk, side) if ours else ()
    client = ours and not lacking
    if lacking:
        notes.append(f"The {end} side is the filer's own client; not on file: {', '.join(lacking)}")
    box = put(element, f"t_{end}_my_client" if client else f"t_{end}")
    put(box, f"{end}_funds_code", desk.codes["funds_crypto" if side.account.chain else "funds_transfer"])
    amount = transfer.amount
    if amount is not None and amount.asset.currency is None:
        put(box, f"{end}_funds_comment", fit(f"{amount.quantity:f} of {amount.asset}", "funds", 255, notes))
    elif amount is not None and amount.asset.currency != desk.report.currency and amount.quantity > 0:
        foreign = put(box, f"{end}_foreign_currency")
        put(foreign, "foreign_currency_code", str(amount.asset.currency))
        put(foreign, "foreign_amount", decimal(amount.quantity, 2, 13))
        put(foreign, "foreign_exchange_rate", decimal(worth / amount.quantity, 8, 13))
    if side.account in desk.owners or side.party in [s.party for s in desk.report.subjects]:
        put(box, f"{end}_is_suspected", "true")
    parties.account(desk, box, f"{end}_account", side, client=client)
    party_country = side.party.countries[0] if side.party and side.party.countries else ""
    put(box, f"{end}_country", country(side.country) or country(party_country) or "-")


def _activity(desk: parties.Desk, root: etree._Element) -> None:
    """The subjects whose accounts and names appear in no transfer."""
    report = desk.report
    used = {account for t in report.transfers for account in (t.originator, t.beneficiary)}
    named = {p.name for t in report.transfers for p in (t.originator_party, t.beneficiary_party) if p}
    others = [s for s in report.subjects if s.party.name not in named and not used.intersection(s.accounts)]
    if not others:
        return
    box = put(put(root, "activity"), "report_parties")
    for subject in others:
        element = put(box, "report_party")
        if subject.party.kind is PartyKind.LEGAL:
            parties.entity(desk, put(element, "entity"), subject.party)
        else:
            parties.person(desk, put(element, "person"), subject.party)
        put(element, "reason", text(_why(report, subject), "reason for a subject", 8000))


def _why(report: Report, subject: Subject) -> str:
    theirs = {subject.party.name, *(account.value for account in subject.accounts)}
    reasons = [reason for f in report.findings if f.subject in theirs for reason in f.reasons]
    known = _accounts(subject.accounts)
    return " ".join(
        [*reasons, known] if reasons or known else ["Subject of this report; see the reason above."]
    )


def _accounts(accounts: tuple[AccountId, ...]) -> str:
    return f"Accounts: {', '.join(a.value for a in accounts)}." if accounts else ""

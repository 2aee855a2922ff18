"""The Suspicious Activity Report of the United States (FinCEN report 111), as an XML batch of one.

Amounts are whole US dollars, rounded up. A wallet is written as a cyber event indicator of the type
*virtual currency address*: FinCEN's account numbers hold 40 characters, addresses are longer. The
narrative is cut at white space into at most five pieces of 4,000 characters, losing nothing.

Sources: EFL_SARXBatchSchema.xsd 1.2 (17 December 2021); FinCEN SAR XML Schema User Guide.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from types import MappingProxyType

from lxml import etree

from comity.errors import BadInput
from comity.model import AccountId, Report
from comity.reports import Problem, ReportSpec
from comity.reports import _fincen_codes as codes
from comity.reports._fincen_check import problems
from comity.reports._fincen_parties import Batch, filer_parties, subjects
from comity.reports._xml import clean, put, put_if, text, to_bytes

NAMESPACE = "www.fincen.gov/base"
DAY = "%Y%m%d"
PIECE, PIECES = 4000, 5
MAX_INDICATORS = 99

SPEC = ReportSpec(
    id="fincen_sar",
    title="Suspicious Activity Report (FinCEN 111)",
    version="1.2",
    suffix=".xml",
    schema="EFL_SARXBatchSchema.xsd",
    source="FinCEN, BSA E-Filing, SARX batch schema 1.2",
    options=MappingProxyType(
        {
            "tcc": "transmitter control code; without it TBSATEST, FinCEN's code for test files",
            "tin": "taxpayer number of the filer (EIN, digits only)",
            "street": "street address of the filer",
            "city": "city of the filer",
            "state": "state of the filer, two letters",
            "zip": "ZIP code of the filer",
            "regulator": "primary federal regulator (code); by default 7, IRS, for a VASP",
        }
    ),
)

NOTHING: Mapping[str, str] = MappingProxyType({})


def sniff(head: bytes) -> bool:
    """Whether these first bytes begin a SAR batch."""
    return b"EFilingBatchXML" in head and b"SARX" in head


def render(report: Report, options: Mapping[str, str] = NOTHING) -> bytes:
    """The report as a batch of one SAR; the same report gives the same bytes.

    Raises BadInput naming the field when a mandatory fact is missing, the currency is not USD, a text holds
    what XML cannot carry, or the narrative does not fit into five pieces.
    """
    if report.currency != "USD":
        raise BadInput(
            f"currency: {report.currency[:8]!r}, and a SAR is in USD",
            why="FinCEN takes amounts in US dollars only",
            remedy="value the transfers in USD",
        )
    batch = Batch(report, options)
    root = etree.Element(f"{{{NAMESPACE}}}EFilingBatchXML", nsmap={"fc2": NAMESPACE})
    put(root, "FormTypeCode", "SARX")
    activity = put(root, "Activity")
    _filing(batch, activity)
    filer_parties(batch, activity)
    count = subjects(batch, activity)
    total = _suspicious_activity(batch, activity)
    _wallets(batch, activity)
    _assets(batch, activity)
    _narrative(batch, activity)
    for name, value in (
        ("TotalAmount", total),
        ("PartyCount", count),
        ("ActivityCount", 1),
        ("ActivityAttachmentCount", 0),
        ("AttachmentCount", 0),
    ):
        root.set(name, str(value))
    _number(root)
    return to_bytes(root)


def check(data: bytes, schema: Path | None) -> tuple[Problem, ...]:
    """What FinCEN would send the batch back for; empty when nothing.

    ``schema`` is EFL_SARXBatchSchema.xsd, or a directory that holds it. Raises BadInput when ``data`` is
    not XML, or the schema is not there.
    """
    return problems(data, schema, SPEC.schema)


def _filing(batch: Batch, activity: etree._Element) -> None:
    report = batch.report
    prior = clean(report.prior_reference, "prior reference")
    if prior:
        known = prior.isascii() and prior.isdigit() and len(prior) == 14
        put(activity, "EFilingPriorDocumentNumber", prior if known else "0" * 14)
        if not known:
            batch.notes.append(f"Prior report: {prior}")
    put(activity, "FilingDateText", report.created.astimezone(UTC).strftime(DAY))
    text(report.reference, "reference", 1000)
    if len(report.reference.strip()) > 25:
        put(activity, "FilingInstitutionNotetoFinCEN", batch.line(report.reference, "reference", 50))
    kind = "ContinuingActivityReportIndicator" if prior else "InitialReportIndicator"
    put(put(activity, "ActivityAssociation"), kind, "Y")


def _suspicious_activity(batch: Batch, activity: etree._Element) -> int:
    report = batch.report
    first, last = _dates(report)
    element = put(activity, "SuspiciousActivity")
    values = [_dollars(report, position) for position in range(len(report.transfers))]
    known = sum((value for value in values if value is not None), Decimal(0))
    total = int(known.to_integral_value(ROUND_CEILING))
    if not values or None in values or not total:
        put(element, "AmountUnknownIndicator", "Y")
        if total:
            batch.notes.append(f"Transfers whose worth is known add up to USD {known:f}.")
        total = 0
    put(element, "SuspiciousActivityFromDateText", first.strftime(DAY))
    put(element, "SuspiciousActivityToDateText", last.strftime(DAY))
    if total:
        put(element, "TotalSuspiciousAmountText", text(str(total), "total of the transfers", 15))
    _classify(batch, element)
    return total


def _dates(report: Report) -> tuple[date, date]:
    times = [t.time for t in report.transfers]
    times += [when for f in report.findings for when in (f.first, f.last) if when is not None]
    if not times:
        raise BadInput(
            "dates of the activity: are missing",
            why="FinCEN makes the first day of suspicious activity mandatory",
            remedy="attach a transfer, or a finding with its dates",
        )
    return min(times).astimezone(UTC).date(), max(times).astimezone(UTC).date()


def _dollars(report: Report, position: int) -> Decimal | None:
    transfer = report.transfers[position]
    amount = transfer.amount
    if transfer.value is None and amount is not None and amount.asset.currency == "USD":
        return amount.quantity
    return transfer.value


def _classify(batch: Batch, element: etree._Element) -> None:
    """One entry a subtype; what has no code of FinCEN's is named under *other*."""
    report = batch.report
    rules = report.indicators or tuple(dict.fromkeys(f.rule for f in report.findings))
    found = sorted({codes.CLASSIFICATION[rule] for rule in rules if rule in codes.CLASSIFICATION})
    others = [rule for rule in rules if rule not in codes.CLASSIFICATION]
    if any(account.chain for account in _accounts(report)):
        others.insert(0, codes.VIRTUAL_CURRENCY)
    if not found and not others:
        others = ["Money laundering"]
    for kind, subtype in found:
        entry = put(element, "SuspiciousActivityClassification")
        put(entry, "SuspiciousActivitySubtypeID", subtype)
        put(entry, "SuspiciousActivityTypeID", kind)
    if others:
        kind, subtype = codes.OTHER_ACTIVITY
        entry = put(element, "SuspiciousActivityClassification")
        put(entry, "OtherSuspiciousActivityTypeText", batch.line("; ".join(others), "other activity", 50))
        put(entry, "SuspiciousActivitySubtypeID", subtype)
        put(entry, "SuspiciousActivityTypeID", kind)


def _accounts(report: Report) -> tuple[AccountId, ...]:
    """Every account of the report that is somebody's, once, subjects' first."""
    seen = dict.fromkeys(account for subject in report.subjects for account in subject.accounts)
    seen.update(dict.fromkeys(a for t in report.transfers for a in (t.originator, t.beneficiary)))
    return tuple(account for account in seen if not account.is_hub)


def _wallets(batch: Batch, activity: etree._Element) -> None:
    wallets = [account.value for account in _accounts(batch.report) if account.chain]
    per = max(1, -(-len(wallets) // MAX_INDICATORS))
    for start in range(0, len(wallets), per):
        element = put(activity, "CyberEventIndicators")
        put(element, "CyberEventIndicatorsTypeCode", codes.CYBER_OTHER)
        put(element, "CyberEventTypeOtherText", "Virtual currency address")
        put(
            element,
            "EventValueText",
            text(", ".join(wallets[start : start + per]), "wallets of the transfers", PIECE),
        )


def _assets(batch: Batch, activity: etree._Element) -> None:
    amounts = [t.amount for t in batch.report.transfers if t.amount is not None]
    crypto = sorted({a.asset.value for a in amounts if a.asset.currency is None})
    for present, subtype, named in (
        (any(a.asset.currency for a in amounts), codes.FUNDS_TRANSFER, ""),
        (bool(crypto), codes.OTHER_INSTRUMENT, ", ".join(crypto)),
    ):
        if present:
            element = put(activity, "Assets")
            put(element, "AssetSubtypeID", subtype)
            put(element, "AssetTypeID", codes.INSTRUMENT)
            put_if(element, "OtherAssetSubtypeText", batch.line(named, "assets", 50))


def _narrative(batch: Batch, activity: etree._Element) -> None:
    words = " ".join(text(batch.report.narrative, "narrative", PIECE * PIECES).split())
    if batch.report.action_taken.strip():
        words += f" Action taken: {' '.join(clean(batch.report.action_taken, 'action taken').split())}"
    for note in batch.notes:
        words += f" Note: {' '.join(note.split())}"
    pieces = list(split(words))
    if len(pieces) > PIECES:
        raise BadInput(
            f"narrative: {len(words):,} characters with its notes, more than five pieces of 4,000",
            why="FinCEN takes at most five, and a narrative is never cut",
            remedy="shorten the narrative, or file the rest as an attachment",
        )
    for position, piece in enumerate(pieces, 1):
        element = put(activity, "ActivityNarrativeInformation")
        put(element, "ActivityNarrativeSequenceNumber", str(position))
        put(element, "ActivityNarrativeText", piece)


def split(words: str) -> Iterator[str]:
    """Pieces of at most 4,000 characters, cut at spaces; joined by a space they are the text again."""
    while len(words) > PIECE:
        at = words.rfind(" ", 0, PIECE + 1)
        piece, words = (words[:at], words[at + 1 :]) if at > 0 else (words[:PIECE], words[PIECE:])
        yield piece
    yield words


def _number(root: etree._Element) -> None:
    """SeqNum on every element that has parts, in order, from 1."""
    counter = itertools.count(1)
    for element in root.iterdescendants():
        if len(element):
            element.set("SeqNum", str(next(counter)))

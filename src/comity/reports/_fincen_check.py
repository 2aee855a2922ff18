"""What FinCEN sends a SAR batch back for, beyond and without the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from lxml import etree

from comity.intake import xml_document
from comity.reports import Problem
from comity.reports import _fincen_codes as codes
from comity.reports._xml import MAX_SHOWN, against, child, children, moment, problem, schemas, value_of, whole

DAY = "%Y%m%d"
NAMESPACE = "www.fincen.gov/base"


def problems(data: bytes, schema: Path | None, pattern: str) -> tuple[Problem, ...]:
    """Own rules first, then the schema's. Raises BadInput when the data is not XML."""
    root = xml_document(data)
    if etree.QName(root).localname != "EFilingBatchXML" or etree.QName(root).namespace != NAMESPACE:
        return (problem(root, f"the root is not EFilingBatchXML of {NAMESPACE}", "this is not a SAR batch"),)
    found = [*islice(_problems(root), MAX_SHOWN)]
    if schema is not None:
        found += against(root, schemas(schema, pattern))
    return tuple(found)


def _problems(root: etree._Element) -> Iterator[Problem]:
    yield from _batch(root)
    for activity in children(root, "Activity"):
        yield from _activity(activity)
        yield from _suspicious(activity)
        yield from _narrative(activity)


def _batch(root: etree._Element) -> Iterator[Problem]:
    activities = children(root, "Activity")
    if not activities:
        yield problem(root, "no Activity", "a batch holds at least one report")
    if value_of(root, "FormTypeCode") != "SARX":
        yield problem(root, "FormTypeCode is not SARX", "write SARX")
    amounts = [value_of(a, "SuspiciousActivity/TotalSuspiciousAmountText") for a in activities]
    parties = [p for a in activities for p in children(a, "Party")]
    attached = [a for a in activities if child(a, "ActivitySupportDocument") is not None]
    expected = {
        "ActivityCount": len(activities),
        "PartyCount": sum(value_of(p, "ActivityPartyTypeCode") == codes.SUBJECT for p in parties),
        "TotalAmount": sum(whole(amount) or 0 for amount in amounts),
        "ActivityAttachmentCount": len(attached),
        "AttachmentCount": len(attached),
    }
    for name, count in expected.items():
        given = root.get(name)
        if given is None or given.strip() != str(count):
            yield problem(root, f"{name} says {given}, and the batch holds {count}", f"write {name}={count}")
    numbers = Counter(str(e.get("SeqNum")) for e in root.iter() if e.get("SeqNum") is not None)
    for element in root.iter("{*}*"):
        given = element.get("SeqNum")
        if given is not None and (not given.isdigit() or numbers[given] > 1):
            yield problem(element, f"SeqNum {given} is not a number used once", "number the elements from 1")


def _activity(activity: etree._Element) -> Iterator[Problem]:
    parties = children(activity, "Party")
    kinds = Counter(value_of(party, "ActivityPartyTypeCode") for party in parties)
    for code, name in codes.REQUIRED_PARTIES.items():
        if not kinds[code]:
            yield problem(activity, f"no {name} (party type {code})", f"name the {name}")
    for party in parties:
        code = value_of(party, "ActivityPartyTypeCode")
        if code != codes.SUBJECT and child(party, "PartyName") is None:
            yield problem(party, f"the party of type {code} has no name", "name it")
        if code == codes.SUBJECT:
            yield from _subject(party)
        if code == codes.FILER_CONTACT and not value_of(party, "PhoneNumber/PhoneNumberText"):
            yield problem(party, "the contact for assistance has no telephone", "give its number")


def _subject(party: etree._Element) -> Iterator[Problem]:
    unknown = value_of(party, "AllCriticalSubjectInformationUnavailableIndicator")
    legal = [n for n in children(party, "PartyName") if value_of(n, "PartyNameTypeCode") == "L"]
    if len(legal) > 1:
        yield problem(party, "the subject has several legal names", "write all but one as AKA or DBA")
    named = any(value_of(n, "RawEntityIndividualLastName") for n in legal)
    if not named and unknown != "Y" and not any(value_of(n, "EntityLastNameUnknownIndicator") for n in legal):
        yield problem(party, "the subject has no name, and is not marked unknown", "name it or mark it")


def _suspicious(activity: etree._Element) -> Iterator[Problem]:
    element = child(activity, "SuspiciousActivity")
    if element is None:
        yield problem(activity, "no SuspiciousActivity", "say what happened, and when")
        return
    first = _day(element, "SuspiciousActivityFromDateText")
    last = _day(element, "SuspiciousActivityToDateText")
    filed = _day(activity, "FilingDateText")
    if filed is None:
        yield problem(activity, "FilingDateText is missing or not a date", "write YYYYMMDD")
    if first is None:
        yield problem(element, "the first day of the activity is missing", "write YYYYMMDD")
    if first is not None and last is not None and last < first:
        yield problem(element, "the activity ends before it begins", "correct either date")
    if filed is not None and max(d for d in (first, last, filed) if d is not None) > filed:
        yield problem(element, "the activity lies after the filing date", "correct either date")
    amount = value_of(element, "TotalSuspiciousAmountText")
    flagged = {value_of(element, name) for name in ("AmountUnknownIndicator", "NoAmountInvolvedIndicator")}
    if amount and not whole(amount):
        yield problem(element, "TotalSuspiciousAmountText is not a positive whole amount", "write dollars")
    if bool(amount) == ("Y" in flagged):
        yield problem(element, "neither an amount nor its absence, or both", "write one of the two")
    entries = children(element, "SuspiciousActivityClassification")
    if not entries:
        yield problem(element, "no classification", "classify the activity")
    for entry in entries:
        other = value_of(entry, "SuspiciousActivitySubtypeID") in codes.WITH_TEXT
        if other != bool(value_of(entry, "OtherSuspiciousActivityTypeText")):
            yield problem(entry, "the words for 'other' are missing, or not called for", "say what it is")


def _day(element: etree._Element, name: str) -> datetime | None:
    return moment(value_of(element, name), DAY)


def _narrative(activity: etree._Element) -> Iterator[Problem]:
    pieces = children(activity, "ActivityNarrativeInformation")
    if not any(value_of(piece, "ActivityNarrativeText") for piece in pieces):
        yield problem(activity, "the narrative is missing", "write who, what, when, where, why and how")
    for position, piece in enumerate(pieces, 1):
        if value_of(piece, "ActivityNarrativeSequenceNumber") != str(position):
            yield problem(piece, f"piece {position} of the narrative is out of order", "number from 1")
        if len(value_of(piece, "ActivityNarrativeText")) > 4000:
            yield problem(piece, "a piece of the narrative is over 4,000 characters", "split it")

"""ISO 20022 pacs.008, the payment between banks for their customers: any version 001.NN.

Source: ISO 20022 FIToFICustomerCreditTransfer, versions 08, 10 and 12 (ISO 20022 catalogue).
Each ``CdtTrfTxInf`` is one transfer. Its time is the acceptance, else the settlement date (at midnight),
else the message's creation. A bank without a BIC goes by its LEI or clearing member id; a party without
an account gets one of its own for this payment (``acct:BANK:unstated-…``), so that no two are taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import BinaryIO
from zoneinfo import ZoneInfo

from lxml import etree

from comity import intake as distrust
from comity.chains import ChainSpec, Intake
from comity.chains._currencies import PLACES, currency
from comity.chains._pacs008_who import Agent, account, agent, at, party, text
from comity.chains._time import utc, zone
from comity.errors import BadInput, Conflict
from comity.model import AccountId, Amount, Transfer

SPEC = ChainSpec(
    id="pacs008",
    title="ISO 20022 pacs.008 bank payments",
    source="ISO 20022 FIToFICustomerCreditTransfer, pacs.008.001.08 to .12",
    options={"timezone": "IANA name of the zone of times written without an offset (default UTC)"},
)

SAMPLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>
<GrpHdr><MsgId>COMITY-1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm><NbOfTxs>2</NbOfTxs>
<CtrlSum>10250.5</CtrlSum><IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt>
<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>
<CdtTrfTxInf><PmtId><EndToEndId>INV-7</EndToEndId><UETR>0b9c2a52-5c1a-4a5e-9d3e-0c6b0a3f7c11</UETR></PmtId>
<IntrBkSttlmAmt Ccy="EUR">10000.00</IntrBkSttlmAmt><AccptncDtTm>2026-03-02T10:00:00+01:00</AccptncDtTm>
<ChrgBr>SHAR</ChrgBr><IntrmyAgt1><FinInstnId><BICFI>MIDDFRPP</BICFI></FinInstnId></IntrmyAgt1>
<Dbtr><Nm>Anna Muster</Nm><PstlAdr><StrtNm>Hauptstr.</StrtNm><BldgNb>1</BldgNb><TwnNm>Berlin</TwnNm>
<Ctry>DE</Ctry></PstlAdr><Id><PrvtId><DtAndPlcOfBirth><BirthDt>1980-04-01</BirthDt>
<CityOfBirth>Bonn</CityOfBirth><CtryOfBirth>DE</CtryOfBirth></DtAndPlcOfBirth></PrvtId></Id></Dbtr>
<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>SENDDEFF</BICFI></FinInstnId></DbtrAgt>
<CdtrAgt><FinInstnId><BICFI>RECVSGSG</BICFI></FinInstnId></CdtrAgt>
<Cdtr><Nm>Exchange Pte Ltd</Nm></Cdtr><CdtrAcct><Id><Othr><Id>0012345</Id></Othr></Id></CdtrAcct>
</CdtTrfTxInf>
<CdtTrfTxInf><PmtId><EndToEndId>NOTPROVIDED</EndToEndId><TxId>T-2</TxId></PmtId>
<IntrBkSttlmAmt Ccy="EUR">250.50</IntrBkSttlmAmt><ChrgBr>SHAR</ChrgBr><Dbtr><Nm>Bo</Nm></Dbtr>
<DbtrAgt><FinInstnId><BICFI>SENDDEFF</BICFI></FinInstnId></DbtrAgt>
<CdtrAgt><FinInstnId><BICFI>RECVSGSG</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>Cy</Nm></Cdtr></CdtTrfTxInf>
</FIToFICstmrCdtTrf></Document>
"""
SAMPLE_TRANSFERS = 2

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pacs\.008\.001\.\d\d")
_SNIFF = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:pacs\.008\.001\.\d\d")
_UETR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_BETWEEN = (
    "PrvsInstgAgt1",
    "PrvsInstgAgt2",
    "PrvsInstgAgt3",
    "InstgAgt",
    "InstdAgt",
    "IntrmyAgt1",
    "IntrmyAgt2",
    "IntrmyAgt3",
)


@dataclass(slots=True)
class _Group:
    """A group header, and the totals of what follows it."""

    message: str
    created: str
    settled: str
    count: str
    control_sum: str
    total: str
    instructing: str
    instructed: str
    seen: int = 0
    sum: Decimal = field(default_factory=Decimal)


def sniff(head: bytes) -> bool:
    """An XML document in a namespace of pacs.008."""
    return _SNIFF.search(head) is not None


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """One transfer a payment; count and sums are held against the header at the end of each group.

    Raises BadInput, or Conflict when one payment is in the file twice.
    """
    local = zone(intake.options.get("timezone", "UTC"))
    group: _Group | None = None
    ids: set[str] = set()
    for element in distrust.xml_elements(stream, "GrpHdr", "CdtTrfTxInf"):
        name = etree.QName(element)
        if name.localname not in {"GrpHdr", "CdtTrfTxInf"}:
            continue
        parent = element.getparent()
        if not _NAMESPACE.fullmatch(name.namespace or "") or (
            parent is None or etree.QName(parent).localname != "FIToFICstmrCdtTrf"
        ):
            raise BadInput(
                f"a {name.localname} that is not of pacs.008",
                why=f"its namespace is {name.namespace!r}",
                remedy="give a message of ISO 20022 pacs.008.001",
            )
        if name.localname == "GrpHdr":
            _close(group)
            group = _header(element)
            continue
        if group is None:
            raise BadInput("a payment without a group header", remedy="the message lacks its GrpHdr")
        transfer = _payment(element, group, intake.now, local)
        if transfer.id in ids:
            raise Conflict(
                f"payment {transfer.id} is in the message twice",
                why="each payment has a UETR or transaction id of its own",
                remedy="ask the sender which of the two holds",
            )
        ids.add(transfer.id)
        intake.transactions += 1
        yield transfer
    if group is None:
        raise BadInput("not a pacs.008 message", why="it has no GrpHdr", remedy="check the file")
    _close(group)


def _header(element: etree._Element) -> _Group:
    return _Group(
        message=text(element, "MsgId"),
        created=text(element, "CreDtTm"),
        settled=text(element, "IntrBkSttlmDt"),
        count=text(element, "NbOfTxs"),
        control_sum=text(element, "CtrlSum"),
        total=text(element, "TtlIntrBkSttlmAmt"),
        instructing=agent(element, "InstgAgt").id,
        instructed=agent(element, "InstdAgt").id,
    )


def _close(group: _Group | None) -> None:
    """Hold a group's payments against what its header states."""
    if group is None:
        return
    if group.count != str(group.seen):
        raise BadInput(
            f"message {group.message}: {group.seen:,} payments where NbOfTxs says {group.count[:40]!r}",
            why="payments are missing, or were added",
            remedy="fetch the message again",
        )
    for name, stated in (("CtrlSum", group.control_sum), ("TtlIntrBkSttlmAmt", group.total)):
        if stated and distrust.amount(stated, name) != group.sum:
            raise BadInput(
                f"message {group.message}: its payments add up to {group.sum}, {name} says {stated}",
                why="an amount was altered, or a payment is missing",
                remedy="fetch the message again",
            )


def _payment(element: etree._Element, group: _Group, now: datetime, local: ZoneInfo) -> Transfer:
    where = f"message {group.message} payment {group.seen + 1}"
    amount = _amount(element, where)
    group.seen += 1
    group.sum += amount.quantity
    uetr = text(element, "PmtId", "UETR").lower()
    if uetr and not _UETR.fullmatch(uetr):
        raise BadInput(
            f"{where}: not a UETR: {uetr[:40]!r}",
            why="a UETR is a UUID of version 4",
            remedy="ask the sender for the payment's own",
        )
    references = [text(element, "PmtId", kind) for kind in ("EndToEndId", "TxId", "InstrId")]
    stated = [reference for reference in references if reference not in {"", "NOTPROVIDED"}]
    if not (uetr or stated):
        raise BadInput(
            f"{where}: no reference",
            why="PmtId has neither UETR, TxId, InstrId nor EndToEndId",
            remedy="ask the sender for one: without it a payment cannot be told from another",
        )
    name = uetr or f"{group.message}/{references[1] or references[2] or stated[0]}"
    debtor, creditor = agent(element, "DbtrAgt", where), agent(element, "CdtrAgt", where)
    originator = _account(element, "Dbtr", debtor, name, where)
    beneficiary = _account(element, "Cdtr", creditor, name, where)
    payer, payee = party(element, "Dbtr", where), party(element, "Cdtr", where)
    between = [agent(element, tag, where).id for tag in _BETWEEN]
    between[3] = between[3] or group.instructing
    between[4] = between[4] or group.instructed
    ends = {"", debtor.id, creditor.id}
    return Transfer(
        id=name,
        time=_time(element, group, where, now, local),
        originator=originator,
        beneficiary=beneficiary,
        amount=amount,
        originator_institution=debtor.id,
        beneficiary_institution=creditor.id,
        originator_country=_country(payer.countries if payer else (), originator, debtor),
        beneficiary_country=_country(payee.countries if payee else (), beneficiary, creditor),
        originator_party=payer,
        beneficiary_party=payee,
        intermediaries=tuple(dict.fromkeys(bank for bank in between if bank not in ends)),
        reference=stated[0] if stated else "",
    )


def _amount(element: etree._Element, where: str) -> Amount:
    stated = at(element, "IntrBkSttlmAmt")
    if stated is None:
        raise BadInput(f"{where}: no IntrBkSttlmAmt", remedy="every payment states what the banks settle")
    code = stated.get("Ccy") or ""
    asset = currency(code, where)
    quantity = distrust.amount(stated.text or "", where)
    exponent = quantity.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES[code]:
        raise BadInput(
            f"{where}: {quantity} {code} has more than {PLACES[code]} decimal places",
            why="ISO 4217 gives that currency no smaller unit",
            remedy="ask the sender for the amount",
        )
    return Amount(quantity, asset)


def _account(element: etree._Element, side: str, bank: Agent, name: str, where: str) -> AccountId:
    found = account(element, f"{side}Acct", bank.id, where)
    if found is not None:
        return found
    key = name if _UETR.fullmatch(name) else sha256(name.encode()).hexdigest()[:36]
    return AccountId(f"acct:{bank.id or 'unknown'}:unstated-{side}-{key}")


def _country(stated: tuple[str, ...], held: AccountId, bank: Agent) -> str:
    """Where a side is: its own country, else its account's, else its bank's."""
    if stated:
        return stated[0]
    return held.address[:2] if held.value.startswith("iban:") else bank.country


def _time(element: etree._Element, group: _Group, where: str, now: datetime, local: ZoneInfo) -> datetime:
    accepted = text(element, "AccptncDtTm")
    settled = text(element, "IntrBkSttlmDt") or group.settled
    stated = accepted or settled or group.created
    if not accepted and settled:
        distrust.day(settled, where)
    try:
        time = datetime.fromisoformat(stated)
    except ValueError:
        raise BadInput(
            f"{where}: not a time: {stated[:40]!r}", remedy="ISO 20022 writes 2026-03-01T12:00:00Z"
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC if not accepted and settled else local)
    return utc(time, where, now)

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from lxml import etree

from comity.chains import Intake, pacs008
from comity.chains._currencies import PLACES, currency
from comity.errors import BadInput, Conflict, TooLarge
from comity.intake import open_source, peek
from comity.model import AccountId, AssetId, Identifier, PartyKind, Transfer

SAMPLE = pacs008.SAMPLE.decode()


def read(text: str, now: datetime, **options: str) -> list[Transfer]:
    return list(pacs008.read(io.BytesIO(text.encode()), Intake(now, options)))


def test_every_field_of_a_payment(now: datetime):
    first, second = read(SAMPLE, now)
    assert first.id == "0b9c2a52-5c1a-4a5e-9d3e-0c6b0a3f7c11"
    assert first.time == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert first.originator == AccountId("iban:DE89370400440532013000")
    assert first.beneficiary == AccountId("acct:RECVSGSG:0012345")
    assert first.amount is not None
    assert (first.amount.quantity, first.amount.asset) == (Decimal(10000), AssetId("iso4217:EUR"))
    assert (first.originator_institution, first.beneficiary_institution) == ("SENDDEFF", "RECVSGSG")
    assert (first.originator_country, first.beneficiary_country) == ("DE", "SG")
    assert first.intermediaries == ("MIDDFRPP",)
    assert first.reference == "INV-7"
    payer = first.originator_party
    assert payer is not None
    assert (payer.name, payer.kind, payer.birth_date) == ("Anna Muster", PartyKind.NATURAL, "1980-04-01")
    assert payer.addresses == ("Hauptstr., 1, Berlin, DE",)
    assert (second.id, second.reference) == ("COMITY-1/T-2", "T-2")
    assert second.originator.value.startswith("acct:SENDDEFF:unstated-Dbtr-")
    assert second.time == datetime(2026, 3, 2, tzinfo=UTC), "the header's settlement date"


def test_a_firm_and_its_bank_without_a_bic(now: datetime):
    firm = """<Cdtr><Nm>Exchange Pte Ltd</Nm><Id><OrgId><AnyBIC>EXCHSGSG</AnyBIC>
      <LEI>5493001KJTIIGC8Y1R12</LEI><Othr><Id>2015X</Id><SchmeNm><Cd>COID</Cd></SchmeNm></Othr></OrgId></Id>
      <CtryOfRes>SG</CtryOfRes></Cdtr>"""
    text = SAMPLE.replace("<Cdtr><Nm>Exchange Pte Ltd</Nm></Cdtr>", firm)
    text = text.replace("<BICFI>RECVSGSG</BICFI>", "<LEI>5493001KJTIIGC8Y1R12</LEI>", 1)
    text = text.replace("<BICFI>SENDDEFF</BICFI>", "<BICFI>SENDDEFFXXX</BICFI>", 1)
    first = read(text, now)[0]
    assert first.originator_institution == "SENDDEFF", "a head office goes by eight characters"
    assert first.beneficiary_institution == "5493001KJTIIGC8Y1R12"
    payee = first.beneficiary_party
    assert payee is not None
    assert (payee.kind, payee.countries) == (PartyKind.LEGAL, ("SG",))
    assert payee.identifiers == (
        Identifier("lei", "5493001KJTIIGC8Y1R12"),
        Identifier("bic", "EXCHSGSG"),
        Identifier("registration", "2015X"),
    )


def test_a_clearing_member_and_a_passport(now: datetime):
    member = "<ClrSysMmbId><ClrSysId><Cd>USABA</Cd></ClrSysId><MmbId>021 000</MmbId></ClrSysMmbId>"
    text = SAMPLE.replace("<BICFI>RECVSGSG</BICFI>", member, 1)
    passport = "<Othr><Id>C01X</Id><SchmeNm><Cd>CCPT</Cd></SchmeNm></Othr></PrvtId>"
    first = read(text.replace("</PrvtId>", passport), now)[0]
    assert first.beneficiary_institution == "USABA-021_000"
    assert first.originator_party is not None
    assert first.originator_party.identifiers == (Identifier("passport", "C01X"),)


def test_times_without_offset_are_read_in_the_zone_named(now: datetime):
    text = SAMPLE.replace("2026-03-02T10:00:00+01:00", "2026-03-02T17:00:00")
    assert read(text, now, timezone="Asia/Singapore")[0].time == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_party_without_a_name_is_none(now: datetime):
    assert read(SAMPLE.replace("<Nm>Bo</Nm>", "<CtryOfRes>DE</CtryOfRes>"), now)[1].originator_party is None


def test_agents_of_the_header_stand_between(now: datetime):
    agents = "".join(
        f"<{tag}><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></{tag}>"
        for tag, bic in (("InstgAgt", "SENDDEFF"), ("InstdAgt", "NEXTFRPP"))
    )
    assert read(SAMPLE.replace("</GrpHdr>", agents + "</GrpHdr>"), now)[0].intermediaries == (
        "NEXTFRPP",
        "MIDDFRPP",
    )


def swap(old: str, new: str) -> Callable[[], str]:
    def made() -> str:
        assert old in SAMPLE
        return SAMPLE.replace(old, new)

    return made


ANNA = "<Nm>Anna Muster</Nm>"
BAD: dict[str, tuple[Callable[[], str], type[Exception], str]] = {
    "not XML": (lambda: "{}", BadInput, "not well-formed"),
    "cut short": (lambda: SAMPLE[:-300], BadInput, "not well-formed"),
    "external entity": (
        swap("<Document", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document'),
        BadInput,
        "document type",
    ),
    "ten laughs": (
        swap("<Document", '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><Document'),
        BadInput,
        "document type",
    ),
    "too deep": (lambda: "<a>" * 5000 + "</a>" * 5000, BadInput, "not well-formed"),
    "another message": (swap("pacs.008.001.08", "pain.001.001.09"), BadInput, "not of pacs.008"),
    "payment hidden in another": (
        swap("<ChrgBr>SHAR</ChrgBr><Dbtr>", "<X><CdtTrfTxInf/></X><Dbtr>"),
        BadInput,
        "not of pacs.008",
    ),
    "no header": (lambda: "<Document/>", BadInput, "no GrpHdr"),
    "payment before its header": (
        lambda: SAMPLE.replace("<GrpHdr>", "<Was>").replace("</GrpHdr>", "</Was>"),
        BadInput,
        "without a group header",
    ),
    "a payment more": (swap("<NbOfTxs>2<", "<NbOfTxs>1<"), BadInput, "NbOfTxs"),
    "no count": (swap("<NbOfTxs>2</NbOfTxs>", ""), BadInput, "NbOfTxs"),
    "wrong sum": (swap("10250.5<", "10250.51<"), BadInput, "CtrlSum"),
    "wrong total": (
        swap("</CtrlSum>", '</CtrlSum><TtlIntrBkSttlmAmt Ccy="EUR">1</TtlIntrBkSttlmAmt>'),
        BadInput,
        "TtlIntrBkSttlmAmt",
    ),
    "negative": (swap(">250.50<", ">-250.50<"), BadInput, "not an amount"),
    "NaN": (swap(">250.50<", ">NaN<"), BadInput, "not an amount"),
    "exponent": (swap(">250.50<", ">2e2<"), BadInput, "not an amount"),
    "too precise": (swap(">250.50<", ">250.501<"), BadInput, "decimal places"),
    "no amount": (
        swap('<IntrBkSttlmAmt Ccy="EUR">250.50</IntrBkSttlmAmt>', ""),
        BadInput,
        "no IntrBkSttlmAmt",
    ),
    "no such currency": (swap('Ccy="EUR">250', 'Ccy="ZZZ">250'), BadInput, "no such currency"),
    "no currency": (swap(' Ccy="EUR">250', ">250"), BadInput, "no such currency"),
    "IBAN digits": (swap("DE89", "DE88"), BadInput, "not an IBAN"),
    "account number": (swap("<Id>0012345</Id>", "<Id>00:12</Id>"), BadInput, "not an account number"),
    "BIC": (swap("SENDDEFF", "SEND"), BadInput, "not a BIC"),
    "LEI": (swap("<BICFI>RECVSGSG</BICFI>", "<LEI>549300</LEI>"), BadInput, "not an LEI"),
    "UETR": (swap("0b9c2a52-5c1a-4a5e", "0b9c2a52-5c1a-1a5e"), BadInput, "not a UETR"),
    "no reference": (swap("<TxId>T-2</TxId>", ""), BadInput, "no reference"),
    "in the future": (swap("2026-03-02T10:00:00+01:00", "2027-03-02T10:00:00Z"), BadInput, "out of range"),
    "settled in the future": (swap("tlmDt>2026-03-02<", "tlmDt>2027-03-02<"), BadInput, "out of range"),
    "settled never": (swap("tlmDt>2026-03-02<", "tlmDt>2026-02-30<"), BadInput, "not a date"),
    "end of time": (swap("2026-03-02T10:00:00+01", "0001-01-01T00:00:00+23"), BadInput, "out of range"),
    "no time": (swap("2026-03-02T10:00:00+01:00", "noon"), BadInput, "not a time"),
    "birth": (swap("1980-04-01", "1980-13-01"), BadInput, "not a date"),
    "country": (swap("<Ctry>DE<", "<Ctry>Germany<"), BadInput, "not a country"),
    "extra-long name": (swap(ANNA, f"<Nm>{'A' * 600}</Nm>"), TooLarge, "600 characters"),
    "twice": (
        swap(
            "<EndToEndId>NOTPROVIDED</EndToEndId><TxId>T-2</TxId>",
            "<UETR>0B9C2A52-5c1a-4a5e-9d3e-0c6b0a3f7c11</UETR>",
        ),
        Conflict,
        "twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_messages_are_refused(name: str, now: datetime):
    made, error, words = BAD[name]
    with pytest.raises(error) as caught:
        read(made(), now)
    assert type(caught.value) is error
    assert words in str(caught.value.diagnostics())


@pytest.mark.parametrize("name", [b"\xc4nna", b"An\0na"])
def test_wrong_encodings_are_refused(name: bytes, now: datetime):
    data = pacs008.SAMPLE.replace(b"Anna", name)
    with pytest.raises(BadInput, match="not well-formed"):
        list(pacs008.read(io.BytesIO(data), Intake(now)))


def test_an_unknown_zone_is_refused(now: datetime):
    with pytest.raises(BadInput, match="no such time zone"):
        read(SAMPLE, now, timezone="Mars/Olympus")


def test_currencies_are_known_once():
    assert (PLACES["JPY"], PLACES["EUR"], PLACES["KWD"]) == (0, 2, 3)
    assert len(PLACES) > 170
    assert currency("EUR", "x") == AssetId("iso4217:EUR")


@pytest.mark.data
@pytest.mark.parametrize("version", ["08", "10", "12"])
def test_the_samples_of_three_versions(data, now: datetime, version: str):
    folder = data / "schemas" / "iso20022" / f"pacs.008.001.{version}"
    with open_source(folder / f"pacs.008.001.{version}.xml") as stream:
        assert pacs008.sniff(peek(stream))
        (transfer,) = pacs008.read(stream, Intake(now))
    assert transfer.amount is not None
    assert str(transfer.amount) == "1000.00 EUR"
    assert (transfer.originator_institution, transfer.beneficiary_institution) == ("DEUTDEFF", "COBADEFF")
    assert transfer.originator_party is not None
    assert transfer.originator_party.name == "Debtor Corp"


@pytest.mark.data
def test_our_sample_fits_the_schema(data):
    schema = etree.XMLSchema(file=str(data / "schemas/iso20022/pacs.008.001.08/pacs.008.001.08.xsd"))
    schema.assertValid(etree.fromstring(pacs008.SAMPLE))

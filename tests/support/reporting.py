"""Two reports of our own making, for every format. Persons, firms and numbers are invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from comity.model import (
    BTC,
    ETH,
    AccountId,
    Amount,
    AssetId,
    Finding,
    FindingKind,
    Identifier,
    Institution,
    Level,
    Officer,
    Party,
    PartyKind,
    Report,
    Role,
    Subject,
    Transfer,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILER = Institution("vasp-sg", "Meridian Exchange Pte. Ltd.", Role.VASP, ("SG",), bic="MERISGSGXXX")
OFFICER = Officer("Ann", "Lee", "+65 6123 4567", "ann.lee@example.org")
CLIENT = AccountId.parse("acct:vasp-sg:C-1009")
BANK = AccountId.parse("iban:DE89370400440532013000")
WALLET = AccountId.parse("eip155:1:0x" + "a1" * 20)
STRANGER = AccountId.parse("eip155:1:0x" + "b2" * 20)
JOIN = AccountId("bip122:000000000019d6689c085ae165831e93:tx-" + "c" * 64)
COIN = AccountId.parse("bip122:000000000019d6689c085ae165831e93:bc1q" + "d" * 38)

MEI = Party(
    "梅 Zoë Chan",
    PartyKind.NATURAL,
    ("Mei C.", "Chan Mei"),
    "1980-02-03",
    ("SG", "MY"),
    ("1 Raffles Place, Singapore", "2" * 120 + " Long Street, Ipoh"),
    (
        Identifier("phone", "+65 61234567"),
        Identifier("email", "mei@example.org"),
        Identifier("passport", "K1234567", "SG"),
        Identifier("national_id", "S1234567A", "SG"),
        Identifier("occupation", "trader"),
        Identifier("gender", "F"),
        Identifier("customer_number", "C-1009"),
        Identifier("account_opened", "2024-01-02"),
        Identifier("document_issued", "2020-01-01"),
        Identifier("document_expires", "2030-01-01"),
    ),
)
FIRM = Party(
    "Örebro Handels GmbH & Co. <KG>",
    PartyKind.LEGAL,
    ("ÖH", "Orebro"),
    "",
    ("DE",),
    ("Hauptstraße 1, Berlin",),
    (Identifier("lei", "529900ABCDEFGHIJKL12"), Identifier("tax", "DE123456789", "DE")),
)
GHOST = Party("Ivan", PartyKind.UNKNOWN, birth_date="1971", countries=("Russia",))


def rich() -> Report:
    """Chain and bank, client and stranger, person and company, each in several ways."""
    euro = AssetId.money("EUR")
    transfers = (
        Transfer(
            "t1",
            START,
            CLIENT,
            STRANGER,
            Amount(Decimal("1.5"), ETH),
            Decimal("4500.1234"),
            originator_institution="vasp-sg",
            originator_country="SG",
            originator_party=MEI,
        ),
        Transfer(
            "t2",
            START + timedelta(hours=3),
            BANK,
            CLIENT,
            Amount(Decimal(1000), euro),
            Decimal("1100.00"),
            "bank-de",
            "vasp-sg",
            "DE",
            "SG",
            FIRM,
            MEI,
            intermediaries=("bank-nl",),
            reference="Invoice 4 <&> more",
        ),
        Transfer(
            "t3" * 60,
            START + timedelta(days=1),
            WALLET,
            STRANGER,
            Amount(Decimal("0.000001"), ETH),
            Decimal("0.003"),
        ),
        Transfer("t4", START + timedelta(days=2), JOIN, COIN, Amount(Decimal("0.5"), BTC), Decimal(30000)),
        Transfer(
            "t5", START + timedelta(days=2), BANK, CLIENT, Amount(Decimal(90), AssetId.money("USD")), None
        ),
    )
    findings = (
        Finding(
            "f1",
            FindingKind.TYPOLOGY,
            "structuring",
            WALLET.value,
            Level.ALERT,
            0.9,
            ("Four transfers stay just below the threshold.",),
            ("t1", "t2"),
            "FATF 2020",
            START,
            START + timedelta(days=2),
        ),
        Finding(
            "f2",
            FindingKind.SCREENING,
            "sanctions",
            "Ivan",
            Level.ALERT,
            0.8,
            ("The name is that of a listed person.",),
            ("OFAC:1",),
            "OFAC SDN",
        ),
    )
    return Report(
        reference="REF-2026-0001",
        filer=FILER,
        recipient="fiu-sg",
        jurisdiction="sg",
        currency="USD",
        created=START + timedelta(days=5),
        officer=OFFICER,
        subjects=(Subject(MEI, (CLIENT, WALLET)), Subject(FIRM, (BANK,)), Subject(GHOST)),
        transfers=transfers,
        findings=findings,
        narrative="Mei Chan received money from a firm she does not know.\n\nShe sent it on within hours.",
        indicators=("structuring", "sanctions", "unheard_of"),
        action_taken="The account is under review.",
        prior_reference="STR-2025-77",
    )


def minimal() -> Report:
    """One subject known by name, one finding, no transfer."""
    full = rich()
    return Report(
        reference="REF-1",
        filer=Institution("vasp-xx", "Small Exchange", Role.VASP, ()),
        recipient="fiu",
        jurisdiction="xx",
        currency="USD",
        created=full.created,
        officer=Officer("A", "B", "5551234567"),
        subjects=(Subject(Party("Bob")),),
        transfers=(),
        findings=full.findings[:1],
        narrative="Bob sold what he did not have.",
    )

from __future__ import annotations

import pytest

from comity.cooperation.subjects import IdentifierKind, keys_of, of_account, of_identifier
from comity.errors import BadInput
from comity.model import BITCOIN, AccountId, Identifier, Party


@pytest.mark.parametrize(
    ("account", "key"),
    [
        (
            f"{BITCOIN}:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            f"wallet|{BITCOIN}:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ),
        ("eip155:1:0xAbCd", "wallet|eip155:1:0xabcd"),
        ("iban:DE89370400440532013000", "account|iban:DE89370400440532013000"),
        ("acct:vasp-1:77", "account|acct:vasp-1:77"),
    ],
)
def test_accounts(account: str, key: str) -> None:
    found = of_account(AccountId.parse(account))
    assert found == (IdentifierKind(key.split("|")[0]), key)


def test_a_hub_is_nobodys() -> None:
    assert of_account(AccountId.parse(f"{BITCOIN}:tx-00")) is None


@pytest.mark.parametrize(
    ("spelling", "country"),
    [("C01X00T47", "de"), ("c01 x00-t47", "DE"), ("Ｃ01Ｘ00T47", "DE")],
)
def test_one_document_however_it_is_written(spelling: str, country: str) -> None:
    found = of_identifier(Identifier("passport", spelling, country))
    assert found == (IdentifierKind.DOCUMENT, "document|passport|DE|C01X00T47")


def test_lei_and_what_is_not_offered() -> None:
    assert of_identifier(Identifier("lei", "213800KUD8LAJWSQ9D15")) == (
        IdentifierKind.LEI,
        "lei|213800KUD8LAJWSQ9D15",
    )
    assert of_identifier(Identifier("phone", "+49 30 1234567", "DE")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        Identifier("passport", "C01X00T47", ""),
        Identifier("passport", "C01X00T47", "Germany"),
        Identifier("national_id", "12-34", "DE"),
        Identifier("lei", "213800KUD8LAJWSQ9D16"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(wrong: Identifier) -> None:
    with pytest.raises(BadInput) as error:
        of_identifier(wrong)
    assert wrong.value not in error.value.diagnostics()


def test_a_wrong_iban_is_refused() -> None:
    with pytest.raises(BadInput, match="IBAN"):
        of_account(AccountId.parse("iban:DE89370400440532013001"))


def test_keys_of_one_kind_once_each() -> None:
    accounts = [
        AccountId.parse(text) for text in ("eip155:1:0xAB", "eip155:1:0xab", "acct:b:1", f"{BITCOIN}:tx-1")
    ]
    party = Party(
        "X", identifiers=(Identifier("passport", "A12345", "FR"), Identifier("lei", "213800KUD8LAJWSQ9D15"))
    )
    assert keys_of(IdentifierKind.WALLET, accounts=accounts, parties=[party]) == ("wallet|eip155:1:0xab",)
    assert keys_of(IdentifierKind.ACCOUNT, accounts=accounts) == ("account|acct:b:1",)
    assert keys_of(IdentifierKind.DOCUMENT, parties=[party]) == ("document|passport|FR|A12345",)
    assert keys_of(IdentifierKind.LEI, parties=[party, party]) == ("lei|213800KUD8LAJWSQ9D15",)

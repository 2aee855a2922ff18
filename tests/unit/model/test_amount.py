"""Identifiers of assets and accounts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from comity.errors import BadInput
from comity.model import BITCOIN, BTC, AccountId, Amount, AssetId


@pytest.mark.parametrize(
    "text", ["iso4217:EUR", str(BTC), "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"]
)
def test_assets(text: str) -> None:
    assert str(AssetId.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["EUR", "iso4217:eur", "iso4217:EURO", "", "eip155:1", "a/b", "iso4217:EUR\n"]
)
def test_what_is_no_asset(text: str) -> None:
    with pytest.raises(BadInput):
        AssetId.parse(text)


def test_accounts_say_what_they_are() -> None:
    wallet = AccountId.parse(f"{BITCOIN}:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert (wallet.chain, wallet.address) == (BITCOIN, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert (wallet.institution, wallet.is_hub) == (None, False)
    assert AccountId.parse(f"{BITCOIN}:tx-{'0' * 64}").is_hub
    bank = AccountId.parse("acct:sg-bank:123/4")
    assert (bank.chain, bank.institution, bank.address) == (None, "sg-bank", "123/4")
    iban = AccountId.parse("iban:DE89370400440532013000")
    assert (iban.chain, iban.institution, iban.address) == (None, None, "DE89370400440532013000")


@pytest.mark.parametrize(
    "text", ["", "x", "iban:de89", "acct::1", "acct:a", "eip155:1", "eip155:1:0x a", "iban:DE89 3704"]
)
def test_what_is_no_account(text: str) -> None:
    with pytest.raises(BadInput, match="not an account id"):
        AccountId.parse(text)


def test_amounts_in_words() -> None:
    assert str(Amount(Decimal("1.50"), AssetId.money("EUR"))) == "1.50 EUR"
    assert str(Amount(Decimal(1), BTC)) == f"1 {BTC.symbol}"

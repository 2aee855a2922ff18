from __future__ import annotations

import pytest

from comity.errors import BadInput
from comity.lists import _wallets
from comity.lists._wallets import canonical, typed, unfit
from comity.model import BITCOIN, ETHEREUM, TRON

EVM = "0x00000000000000000000000000000000C0FFEE01"
P2PKH = "1BitcoinEaterAddressDontSendf59kuE"
# BIP 173 and BIP 350 test vectors
V0 = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"
V1 = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
TRX = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


@pytest.mark.parametrize(
    ("code", "address", "account"),
    [
        ("XBT", P2PKH, f"{BITCOIN}:{P2PKH}"),
        ("BTC", V0, f"{BITCOIN}:{V0.lower()}"),
        ("btc", V1, f"{BITCOIN}:{V1}"),
        ("ETH", EVM, f"{ETHEREUM}:{EVM.lower()}"),
        ("ETC", EVM, f"eip155:61:{EVM.lower()}"),
        ("ARB", EVM, f"eip155:42161:{EVM.lower()}"),
        ("BSC", EVM, f"eip155:56:{EVM.lower()}"),
        ("USDT", EVM, f"{ETHEREUM}:{EVM.lower()}"),
        ("USDC", EVM, f"{ETHEREUM}:{EVM.lower()}"),
        ("USDT", TRX, f"{TRON}:{TRX}"),
        ("USDT", P2PKH, f"{BITCOIN}:{P2PKH}"),
        ("XBT", TRX, f"{TRON}:{TRX}"),
        ("ETC", V1, f"{BITCOIN}:{V1}"),
        ("TRX", TRX, f"{TRON}:{TRX}"),
        ("BCH", P2PKH, f"{_wallets.BITCOIN_CASH}:{P2PKH}"),
        ("BSV", P2PKH, f"bsv:mainnet:{P2PKH}"),
        ("XRP", "rrrrrrrrrrrrrrrrrrrrrhoLvTp", "xrpl:0:rrrrrrrrrrrrrrrrrrrrrhoLvTp"),
        ("SOL", "11111111111111111111111111111111", f"{_wallets.SOLANA}:{'1' * 32}"),
        ("XMR", "4" + "A" * 94, f"{_wallets.MONERO}:4{'A' * 94}"),
        ("ZEC", "t1anything", "listed:ZEC:t1anything"),
        ("KCS", EVM, f"listed:KCS:{EVM.lower()}"),
    ],
)
def test_canonical(code: str, address: str, account: str) -> None:
    assert canonical(code, f" {address} ").value == account


def test_cash_addresses_with_and_without_prefix_are_one() -> None:
    address = "q" * 42
    assert canonical("BCH", f"bitcoincash:{address}") == canonical("BCH", address.upper())


@pytest.mark.parametrize(
    ("code", "address"),
    [
        ("XBT", P2PKH[:-1] + "F"),
        ("XBT", V0[:-1] + "5"),
        ("XBT", "bc1Qmixed8d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("XBT", "bc1bad"),
        ("XBT", "bc1" + "b" * 20),
        ("XMR", "5be5543ff73456ab"),
        ("SOL", "0OIl"),
        ("SOL", "1" * 44),
        ("XRP", "rBadBadBadBadBadBadBadBadBa"),
        ("USDT", "kucoin1"),
    ],
)
def test_what_does_not_fit_its_chain_is_kept_as_the_list_wrote_it(code: str, address: str) -> None:
    account = canonical(code, address)
    assert unfit(account)
    assert account.address == address


def test_bech32_of_another_checksum_constant_is_refused() -> None:
    """Version 0 takes BIP 173's constant, version 1 BIP 350's; a swap is a damaged address."""
    swapped = (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx"  # BIP 173's own, v1
    )
    assert unfit(canonical("BTC", swapped))


@pytest.mark.parametrize(
    ("code", "address"),
    [("XBT", "кошелёк"), ("XBT", "a b"), ("XBT", ""), ("XBT", "x" * 129), ("", "x"), ("a b", "x")],
)
def test_what_cannot_be_written_is_refused(code: str, address: str) -> None:
    with pytest.raises(BadInput):
        canonical(code, address)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        (f" {EVM} ", f"{ETHEREUM}:{EVM.lower()}"),
        (P2PKH, f"{BITCOIN}:{P2PKH}"),
        (V0, f"{BITCOIN}:{V0.lower()}"),
        (TRX, f"{TRON}:{TRX}"),
        (f"eip155:137:{EVM}", f"eip155:137:{EVM.lower()}"),
        (f"{BITCOIN}:{V0}", f"{BITCOIN}:{V0.lower()}"),
        (f"{BITCOIN}:{P2PKH}", f"{BITCOIN}:{P2PKH}"),
        ("iban:DE89370400440532013000", "iban:DE89370400440532013000"),
        ("acct:bank:1", "acct:bank:1"),
        ("acct:bank:BC1", "acct:bank:BC1"),
        (f"{BITCOIN}:tx-ab", f"{BITCOIN}:tx-ab"),
        (f"{BITCOIN}:coinbase", f"{BITCOIN}:coinbase"),
        (f"bitcoincash:{'q' * 42}", f"{_wallets.BITCOIN_CASH}:{'q' * 42}"),
    ],
)
def test_typed_by_a_person(text: str, account: str) -> None:
    assert typed(text).value == account


@pytest.mark.parametrize(
    "text",
    ["", "hello", P2PKH[:-1], "0x12", "eip155:1", "a:b:c:d e", "eip155:1:0x12", f"{BITCOIN}:{P2PKH[:-1]}"],
)
def test_typed_badly(text: str) -> None:
    with pytest.raises(BadInput):
        typed(text)

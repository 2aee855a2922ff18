"""A wallet as somebody wrote it, to the one canonical `AccountId` (CAIP-10) it is compared by.

The same key everywhere: EVM addresses and Bech32 in lower case, Base58 as it stands.

Chains with a published CAIP-2 id (ChainAgnostic namespaces bip122, eip155, tron, xrpl, solana, monero, bsv):
BTC, BCH, LTC, DOGE, the EVM chains, TRX, XRP, SOL, XMR, BSV. No id is published for DASH, ZEC, BTG, XVG and
the rest, and none is invented: such a wallet is ``listed:CODE:ADDRESS``, which keeps CAIP-10's grammar and
says that only the list's own code is known. So is an address that does not fit its chain (a failed
checksum, a transaction id given as an address): it is kept, because an authority named it, and it can
still be found by its exact text. An address that only one chain can have (Tron's, Bitcoin's Bech32) is taken
as that chain's whatever the code says: OFAC lists a Tron address under XBT.

EIP-55's mixed-case checksum is not verified (it needs Keccak); Base58Check and Bech32 are.
"""

from __future__ import annotations

import re

import base58
import bech32

from comity.errors import BadInput
from comity.model import BITCOIN, ETHEREUM, TRON, AccountId

BITCOIN_CASH = "bip122:000000000000000000b15ad892af8f6a"
LITECOIN = "bip122:12a765e31ffd4059bada1e25190f6e98"
DOGECOIN = "bip122:1a91e3dace36e2be3bf030a65679fe82"
MONERO = "monero:418015bb9ae982a1975da7d79277c270"
SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
XRPL = "xrpl:0"
BSV = "bsv:mainnet"

_EVM = re.compile(r"0[xX][0-9a-fA-F]{40}")
_CASHADDR = re.compile(r"(bitcoincash:)?([qp][qpzry9x8gf2tvdw0s3jn54khce6mua7l]{41})", re.IGNORECASE)
_MONERO = re.compile(r"[48][1-9A-HJ-NP-Za-km-z]{94}([1-9A-HJ-NP-Za-km-z]{11})?")
_XRP = re.compile(r"r[1-9A-HJ-NP-Za-km-z]{24,34}")
_CODE = re.compile(r"[A-Za-z0-9][-_A-Za-z0-9]{0,31}")
_TEXT = re.compile(r"[-.%a-zA-Z0-9]{1,128}")
_BECH32M = 0x2BC830A3
_XRP_ALPHABET = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"

EVM_CHAINS = {
    "ETH": ETHEREUM,
    "ARB": "eip155:42161",
    "BSC": "eip155:56",
    "BNB": "eip155:56",
    "BEP20": "eip155:56",
    "ETC": "eip155:61",
    "MATIC": "eip155:137",
    "POL": "eip155:137",
    "AVAX": "eip155:43114",
    "FTM": "eip155:250",
    "RBTC": "eip155:30",
    "OP": "eip155:10",
    "BASE": "eip155:8453",
}
"""EVM networks by the code lists use. Values are chain ids of EIP-155."""

_NAMES = {"XBT": "BTC", "BITCOIN": "BTC", "ETHEREUM": "ETH", "RIPPLE": "XRP", "TRON": "TRX", "OMNI": "BTC"}
_TOKENS = frozenset({"USDT", "USDC", "DAI", "BUSD", "TUSD", "WBTC"})
"""Tokens that live on several chains: the address tells which."""

_NO_ADDRESS = re.compile(r"tx-\S+|out-\S+|coinbase")
"""What stands for an account on Bitcoin and is none (ADR 0004)."""


def canonical(code: str, address: str) -> AccountId:
    """The account of an address under a list's currency code (XBT, ETH, USDT …).

    An address that does not fit its chain becomes ``listed:CODE:ADDRESS``. Raises BadInput when not
    even that is possible (white space, other scripts, longer than 128 characters).
    """
    code, address = code.strip(), address.strip()
    if not _CODE.fullmatch(code):
        raise _refused(f"{code[:20]} {address}", "the currency code is not letters and digits")
    code = _NAMES.get(code.upper(), code.upper())
    account = _on_chain(code, address)
    if account is not None:
        return account
    if not _TEXT.fullmatch(address):
        raise _refused(address, "an address is 1 to 128 letters and digits")
    return AccountId(f"listed:{code}:{address.lower() if _EVM.fullmatch(address) else address}")


def typed(text: str) -> AccountId:
    """The account a person means by a pasted address or account id, its checksum verified.

    A bare ``0x…`` is taken as Ethereum, a bare address of 1…, 3… or bc1… as Bitcoin. Raises BadInput.
    """
    text = text.strip()
    if ":" in text and not text.lower().startswith("bitcoincash:"):
        return _checked(AccountId.parse(text))
    for code in ("ETH", "BTC", "TRX", "LTC", "BCH", "DOGE", "XRP", "XMR"):
        found = _on_chain(code, text)
        if found is not None:
            return found
    raise _refused(text, "it fits no chain whose addresses are known, or its checksum fails")


def _checked(account: AccountId) -> AccountId:
    """The canonical form of an account id. Raises BadInput when its chain has no such address."""
    chain, address = account.chain or "", account.address
    if chain.startswith("eip155:"):
        if not _EVM.fullmatch(address):
            raise _refused(account.value, "an address there is 0x and 40 hexadecimal digits")
        return AccountId(f"{chain}:{address.lower()}")
    if chain == BITCOIN and not _NO_ADDRESS.fullmatch(address) and _on_chain("BTC", address) is None:
        raise _refused(account.value, "its checksum fails")
    bech = chain.startswith("bip122:") and address.lower().startswith(("bc1", "ltc1"))
    return AccountId(f"{chain}:{address.lower()}") if bech else account


def unfit(account: AccountId) -> bool:
    """True when the account is only a list's own words (``listed:…``), not an address of a known chain."""
    return account.value.startswith("listed:")


def _on_chain(code: str, address: str) -> AccountId | None:
    """The account when the address is well formed on the chain of ``code``, else None."""
    if _EVM.fullmatch(address):
        evm = ETHEREUM if code in _TOKENS else EVM_CHAINS.get(code)
        return AccountId(f"{evm}:{address.lower()}") if evm else None
    if code == "BCH":
        return _bitcoin_cash(address)
    chain = _other_chain(code, address) or _own_word(address)
    if chain is None:
        return None
    bech = address.lower().startswith(("bc1", "ltc1"))
    return AccountId(f"{chain}:{address.lower() if bech else address}")


def _own_word(address: str) -> str | None:
    """The chain of an address that can belong to one chain only, whatever code stands beside it."""
    if _base58(address, (0x41,)):
        return TRON
    return BITCOIN if _segwit("bc", address) else None


def _other_chain(code: str, address: str) -> str | None:
    """The CAIP-2 id of a chain that is neither EVM nor Bitcoin Cash, when the address fits it."""
    chain: str | None = None
    if code in _TOKENS:
        chain = TRON if _base58(address, (0x41,)) else BITCOIN if _bitcoin(address) else None
    elif code == "BTC":
        chain = BITCOIN if _bitcoin(address) else None
    elif code == "TRX":
        chain = TRON if _base58(address, (0x41,)) else None
    elif code == "LTC":
        chain = LITECOIN if _base58(address, (0x30, 0x32, 0x05)) or _segwit("ltc", address) else None
    elif code == "DOGE":
        chain = DOGECOIN if _base58(address, (0x1E, 0x16)) else None
    elif code == "BSV":
        chain = BSV if _base58(address, (0x00, 0x05)) else None
    elif code == "XMR":
        chain = MONERO if _MONERO.fullmatch(address) else None
    elif code == "XRP":
        chain = XRPL if _XRP.fullmatch(address) and _base58(address, (0x00,), _XRP_ALPHABET) else None
    elif code == "SOL":
        chain = SOLANA if _is_key(address) else None
    return chain


def _bitcoin(address: str) -> bool:
    return _base58(address, (0x00, 0x05)) or _segwit("bc", address)


def _bitcoin_cash(address: str) -> AccountId | None:
    match = _CASHADDR.fullmatch(address)
    if match:
        return AccountId(f"{BITCOIN_CASH}:{match[2].lower()}")
    return AccountId(f"{BITCOIN_CASH}:{address}") if _base58(address, (0x00, 0x05)) else None


def _base58(address: str, versions: tuple[int, ...], alphabet: bytes = base58.BITCOIN_ALPHABET) -> bool:
    """Whether this is Base58Check of 20 bytes under one of these version bytes."""
    if not 25 <= len(address) <= 35 or not address.isascii():
        return False
    try:
        payload = base58.b58decode_check(address, alphabet=alphabet)
    except ValueError:
        return False
    return len(payload) == 21 and payload[0] in versions


def _segwit(prefix: str, address: str) -> bool:
    """Whether this is a segwit address: Bech32 for version 0 (BIP 173), Bech32m above (BIP 350)."""
    lower = address.lower()
    if address not in (lower, address.upper()) or not 14 <= len(address) <= 90:
        return False
    if not lower.startswith(prefix + "1"):
        return False
    data = [bech32.CHARSET.find(letter) for letter in lower[len(prefix) + 1 :]]
    if min(data) < 0:
        return False
    checksum = bech32.bech32_polymod(bech32.bech32_hrp_expand(prefix) + data)
    program = bech32.convertbits(data[1:-6], 5, 8, False)
    if program is None or not 2 <= len(program) <= 40 or data[0] > 16:
        return False
    return bool(checksum == 1 and len(program) in (20, 32)) if data[0] == 0 else bool(checksum == _BECH32M)


def _is_key(address: str) -> bool:
    try:
        return address.isascii() and len(address) <= 44 and len(base58.b58decode(address)) == 32
    except ValueError:
        return False


def _refused(text: str, why: str) -> BadInput:
    return BadInput(
        f"not a wallet address: {text[:80]!r}", why=why, remedy="copy the address again, or give CAIP-10"
    )

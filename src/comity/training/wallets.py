"""Addresses that look and check as real ones do, derived from a hash: nobody holds their keys."""

from __future__ import annotations

import hashlib

import base58
import bech32

from comity.model import BITCOIN, ETHEREUM


def bitcoin(seed: int, number: int) -> str:
    """The account id of a Bitcoin address: mostly segwit (BIP 173), else pay-to-key-hash (Base58Check)."""
    digest = hashlib.sha256(f"btc/{seed}/{number}".encode()).digest()
    if digest[31] < 192:
        return f"{BITCOIN}:{bech32.encode('bc', 0, digest[:20])}"
    return f"{BITCOIN}:{base58.b58encode_check(bytes(1) + digest[:20]).decode()}"


def ethereum(seed: int, number: int) -> str:
    """The account id of an Ethereum address, in lower case."""
    return f"{ETHEREUM}:0x{hashlib.sha256(f'eth/{seed}/{number}'.encode()).hexdigest()[:40]}"

"""Whose a Bitcoin output is: addresses from output scripts, and from what an input reveals.

Sources: Bitcoin's standard scripts; BIP 16 (P2SH), BIP 141 (segwit), BIP 173 (Bech32), BIP 350 (Bech32m),
BIP 341 (Taproot). A name is an address wherever a wallet would show one; `bare multisig`, which has none,
is written ``multisig-`` and the HASH160 of its script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import base58
import bech32

_BECH32M = 0x2BC830A3  # BIP 350; the bech32 library knows BIP 173's constant (1) only
_MAX_SCRIPT = 10_000  # consensus: a longer script cannot be run, so its output cannot be spent
_RETURN, _CHECKSIG, _CHECKMULTISIG = 0x6A, 0xAC, 0xAE
_CHECKS = frozenset({0xAC, 0xAD, 0xAE, 0xAF, 0xBA})


@dataclass(frozen=True, slots=True)
class Network:
    """What differs between Bitcoin's networks. ``limit`` is the easiest target a block may have."""

    name: str
    chain: str
    magic: bytes
    limit: int
    key_hash: bytes
    script_hash: bytes
    hrp: str


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of SHA-256: the 20 bytes an address of a key or script stands for."""
    return hashlib.new("ripemd160", hashlib.sha256(data).digest(), usedforsecurity=False).digest()


def unspendable(script: bytes) -> bool:
    """True when no input can ever spend an output of this script."""
    return script[:1] == bytes([_RETURN]) or len(script) > _MAX_SCRIPT


@lru_cache(maxsize=65_536)
def address(script: bytes, network: Network) -> str | None:
    """The address of an output script, or None when it has none.

    A bare public key (P2PK) is named by the P2PKH address of that key, as explorers do: one owner
    then has one name, however the key was paid.
    """
    size = len(script)
    if size == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return _base58(network.key_hash, script[3:23])
    if size == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return _base58(network.script_hash, script[2:22])
    program = _witness_program(script)
    if program is not None:
        return _segwit(network.hrp, *program)
    if size in {35, 67} and script[0] == size - 2 and script[-1] == _CHECKSIG and _is_key(script[1:-1]):
        return _base58(network.key_hash, hash160(script[1:-1]))
    if _is_multisig(script):
        return f"multisig-{hash160(script).hex()}"
    return None


def spender(script: bytes, witness: Sequence[bytes], network: Network) -> str | None:
    """The address of the output an input spends, from the input alone; None when it does not reveal it.

    A key path of Taproot and a bare public key reveal only a signature; a script path of Taproot reveals
    an internal key, and the address would need arithmetic on the curve that we do not do ourselves.
    """
    pushes = _pushes(script)
    if pushes is None:
        return None
    if witness:
        if not script:
            return _witness_spender(witness, network)
        if len(pushes) == 1 and _witness_program(pushes[0]) is not None:
            return _base58(network.script_hash, hash160(pushes[0]))
        return None
    if len(pushes) == 2 and _is_signature(pushes[0]) and _is_key(pushes[1]):
        return _base58(network.key_hash, hash160(pushes[1]))
    if pushes and _is_redeem_script(pushes[-1]):
        return _base58(network.script_hash, hash160(pushes[-1]))
    return None


def _witness_spender(witness: Sequence[bytes], network: Network) -> str | None:
    stack = list(witness)
    if len(stack) > 1 and stack[-1][:1] == b"\x50":
        stack.pop()  # BIP 341's annex; no witness script begins with this reserved opcode
    last = stack[-1]
    if len(stack) == 2 and len(last) == 33 and _is_key(last) and _is_signature(stack[0]):
        return _segwit(network.hrp, 0, hash160(last))
    key_path = len(stack) == 1 and len(last) in {64, 65}
    control_block = len(stack) > 1 and len(last) % 32 == 1 and last[0] & 0xFE == 0xC0
    if key_path or control_block or not any(code in _CHECKS for code, _ in _opcodes(last)):
        return None
    return _segwit(network.hrp, 0, hashlib.sha256(last).digest())


def _base58(version: bytes, payload: bytes) -> str:
    return base58.b58encode_check(version + payload).decode()


def _segwit(hrp: str, version: int, program: bytes) -> str:
    data = [version, *(bech32.convertbits(program, 8, 5) or ())]
    if version == 0:
        return str(bech32.bech32_encode(hrp, data))
    polymod = bech32.bech32_polymod([*bech32.bech32_hrp_expand(hrp), *data, 0, 0, 0, 0, 0, 0]) ^ _BECH32M
    checksum = [(polymod >> 5 * (5 - place)) & 31 for place in range(6)]
    return hrp + "1" + "".join(bech32.CHARSET[five] for five in data + checksum)


def _witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Version and program of BIP 141, when the script is one a node could accept."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0 and script[1] in {20, 32}:
        return 0, script[2:]
    if 0x51 <= script[0] <= 0x60:
        return script[0] - 0x50, script[2:]
    return None


def _is_key(data: bytes) -> bool:
    return (len(data) == 33 and data[0] in {2, 3}) or (len(data) == 65 and data[0] in {4, 6, 7})


def _is_signature(data: bytes) -> bool:
    """DER with its hash type byte, as every ECDSA signature in a script is."""
    return 9 <= len(data) <= 73 and data[0] == 0x30


def _is_multisig(script: bytes) -> bool:
    if len(script) < 3 or script[-1] != _CHECKMULTISIG:
        return False
    needed, total = script[0] - 0x50, script[-2] - 0x50
    keys = _pushes(script[1:-2])
    if keys is None or not 1 <= needed <= total <= 16 or len(keys) != total:
        return False
    return all(len(key) in {33, 65} for key in keys)


def _is_redeem_script(data: bytes) -> bool:
    """A script that checks a signature, and is not itself a key or a signature."""
    if _is_key(data) or _is_signature(data):
        return False
    return any(code in _CHECKS for code, _ in _opcodes(data))


def _pushes(script: bytes) -> list[bytes] | None:
    """What a script of pushes alone leaves on the stack; None for any other script."""
    found: list[bytes] = []
    for code, data in _opcodes(script):
        if code > 0x60 or code < 0:
            return None
        found.append(data)
    return found


def _opcodes(script: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcodes and what they push; (-1, b"") where a push runs past the end, and nothing after it."""
    place, size = 0, len(script)
    while place < size:
        code = script[place]
        place += 1
        length = code if code < 0x4C else 0
        if 0x4C <= code <= 0x4E:
            width = (1, 2, 4)[code - 0x4C]
            length = int.from_bytes(script[place : place + width], "little")
            place += width
        if place + length > size:
            yield -1, b""
            return
        yield code, script[place : place + length]
        place += length

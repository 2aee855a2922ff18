"""A Bitcoin block from its bytes, verified: proof of work, Merkle root and witness commitment.

Sources: Bitcoin's block and transaction serialisation; BIP 141 and 144 (segwit); CVE-2012-2459 (a Merkle
tree that repeats transactions has the same root as the tree without them).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comity.chains._bitcoin_script import Network
from comity.errors import BadInput, Unverified

MAX_BLOCK = 4_000_000  # bytes: consensus bounds the weight, and a byte weighs at least one
MAX_MONEY = 21_000_000 * 10**8
HEADER = 80
_COMMITMENT = bytes.fromhex("6a24aa21a9ed")
_NOTHING = bytes(32)


@dataclass(frozen=True, slots=True)
class Input:
    """``previous`` is the spent transaction's id as bytes in wire order, all zero in a coinbase."""

    previous: bytes
    index: int
    script: bytes
    witness: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    satoshis: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """``digest`` and ``witness_digest`` are the ids without and with witnesses, in wire order."""

    digest: bytes
    witness_digest: bytes
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]

    @property
    def id(self) -> str:
        """The transaction id as people write it."""
        return self.digest[::-1].hex()

    @property
    def is_coinbase(self) -> bool:
        first = self.inputs[0]
        return len(self.inputs) == 1 and first.previous == _NOTHING and first.index == 0xFFFFFFFF

    @property
    def has_witness(self) -> bool:
        return any(item.witness for item in self.inputs)


@dataclass(frozen=True, slots=True)
class Block:
    """``time`` is the header's, in seconds since 1970."""

    id: str
    time: int
    transactions: tuple[Transaction, ...]


class _Bytes:
    """A cursor over a block's bytes that never reads past their end."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise _damaged(f"it ends {end - len(self.data):,} bytes early")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def varint(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << (first - 0xFC))

    def count(self, each: int) -> int:
        """A count of things of at least ``each`` bytes, refused when they cannot all be there."""
        stated = self.varint()
        if stated * each > len(self.data) - self.at:
            raise _damaged(f"it states {stated:,} items where {len(self.data) - self.at:,} bytes are left")
        return stated

    def text(self) -> bytes:
        return self.take(self.count(1))


def double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def parse(data: bytes, network: Network) -> Block:
    """Read and verify one block. Raises BadInput when it cannot be read, Unverified when it does not hold."""
    block_id = work(data[:HEADER], network)
    reader = _Bytes(data)
    reader.at = HEADER
    transactions = tuple(_transaction(reader) for _ in range(reader.count(60)))
    if reader.at != len(data):
        raise _damaged(f"{len(data) - reader.at:,} bytes follow its last transaction")
    if not transactions or not transactions[0].is_coinbase or any(t.is_coinbase for t in transactions[1:]):
        raise _damaged("its first transaction, and no other, must be a coinbase")
    root = merkle_root([transaction.digest for transaction in transactions])
    if root != data[36:68]:
        raise Unverified(
            f"block {block_id}: its Merkle root is not that of its transactions",
            why=f"the header says {data[36:68][::-1].hex()}, the transactions give {root[::-1].hex()}",
            remedy="fetch the block again from a node you trust; nothing of it was taken",
        )
    _witnesses(block_id, transactions)
    return Block(block_id, int.from_bytes(data[68:72], "little"), transactions)


def work(header: bytes, network: Network) -> str:
    """The block's id, when the header's hash meets the target it states. Raises BadInput, Unverified."""
    if len(header) < HEADER:
        raise _damaged(f"a header has {HEADER} bytes, here are {len(header)}")
    bits = int.from_bytes(header[72:76], "little")
    exponent, mantissa = bits >> 24, bits & 0x007FFFFF
    target = mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
    digest = double_sha256(header)
    block_id = digest[::-1].hex()
    if bits & 0x00800000 or not 0 < target <= network.limit or int.from_bytes(digest, "little") > target:
        raise Unverified(
            f"block {block_id}: no proof of work",
            why=f"its hash is above the target that its bits {bits:08x} state, or that {network.name} allows",
            remedy="check that this is a block of that network, and that its header is whole",
        )
    return block_id


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Bitcoin's Merkle root. Raises Unverified for a tree that repeats nodes (CVE-2012-2459)."""
    level = list(leaves)
    while len(level) > 1:
        if any(level[place] == level[place + 1] for place in range(0, len(level) - 1, 2)):
            raise Unverified(
                "a block repeats transactions",
                why="two equal branches of its Merkle tree hide that it was altered (CVE-2012-2459)",
                remedy="fetch the block again from a node you trust",
            )
        if len(level) % 2:
            level.append(level[-1])
        level = [double_sha256(level[place] + level[place + 1]) for place in range(0, len(level), 2)]
    return level[0]


def _transaction(reader: _Bytes) -> Transaction:
    data, start = reader.data, reader.at
    reader.take(4)
    segwit = data[reader.at : reader.at + 2] == b"\x00\x01"
    if segwit:
        reader.take(2)
    body = reader.at
    inputs = [_input(reader) for _ in range(reader.count(41))]
    outputs = tuple(_output(reader) for _ in range(reader.count(9)))
    if not inputs or not outputs:
        raise _damaged("a transaction has no inputs or no outputs")
    body_end = reader.at
    if segwit:
        inputs = [
            replace(item, witness=tuple(reader.text() for _ in range(reader.count(1)))) for item in inputs
        ]
    lock_time = reader.take(4)
    digest = double_sha256(data[start : start + 4] + data[body:body_end] + lock_time)
    with_witness = double_sha256(data[start : reader.at]) if segwit else digest
    return Transaction(digest, with_witness, tuple(inputs), outputs)


def _input(reader: _Bytes) -> Input:
    found = Input(reader.take(32), reader.number(4), reader.text())
    reader.take(4)
    return found


def _output(reader: _Bytes) -> Output:
    satoshis = reader.number(8)
    if satoshis > MAX_MONEY:
        raise _damaged(f"an output of {satoshis:,} satoshis: more than there will ever be")
    return Output(satoshis, reader.text())


def _witnesses(block_id: str, transactions: Sequence[Transaction]) -> None:
    """Verify BIP 141's commitment. A block without any witness data is one stripped of it, or older."""
    if not any(transaction.has_witness for transaction in transactions):
        return
    coinbase = transactions[0]
    stated = [out.script[6:38] for out in coinbase.outputs if out.script[:6] == _COMMITMENT]
    reserved = coinbase.inputs[0].witness
    if stated and len(reserved) == 1 and len(reserved[0]) == 32:
        root = merkle_root([_NOTHING, *(t.witness_digest for t in transactions[1:])])
        if double_sha256(root + reserved[0]) == stated[-1]:
            return
    raise Unverified(
        f"block {block_id}: its witness commitment does not hold",
        why="the signatures in it are not those the miner committed to (BIP 141)",
        remedy="fetch the block again from a node you trust; nothing of it was taken",
    )


def _damaged(why: str) -> BadInput:
    return BadInput(
        "not a whole Bitcoin block", why=why, remedy="fetch it again; it is cut short or not a block"
    )

"""Bitcoin: raw blocks, bare or framed as in a node's block files, every one verified (ADR 0004).

Source: Bitcoin's block serialisation, as `bitcoin-cli getblock HASH 0` and ``blk*.dat`` give it.
A transaction is a hub account ``CHAIN:tx-TXID``. Each input is a transfer ``TXID:i:N`` from the owner of
the output it spends to the hub; each output a transfer ``TXID:o:N`` from the hub to its owner; the
coinbase input comes from ``CHAIN:coinbase``. An owner that the bytes do not reveal is the output itself:
``CHAIN:out-TXID-N``. The miner's fee is what a hub receives and does not pass on: it has no transfer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO

from comity import intake as distrust
from comity.chains import ChainSpec, Intake
from comity.chains._bitcoin_script import Network, address, spender, unspendable
from comity.chains._bitcoin_wire import HEADER, MAX_BLOCK, Block, Input, Output, Transaction, parse, work
from comity.errors import BadInput, TooLarge, Unverified
from comity.model import BITCOIN, BTC, AccountId, Amount, AssetId, Transfer

MAIN = Network("the main network", BITCOIN, bytes.fromhex("f9beb4d9"), 0xFFFF << 208, b"\x00", b"\x05", "bc")
REGTEST = Network(
    "a regression test network",
    "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
    bytes.fromhex("fabfb5da"),
    0x7FFFFF << 232,
    b"\x6f",
    b"\xc4",
    "bcrt",
)
NETWORKS = {"main": MAIN, "regtest": REGTEST}

SPEC = ChainSpec(
    id="bitcoin",
    title="Bitcoin blocks",
    source="Bitcoin block serialisation; BIP 141, 144, 173, 341, 350",
    options={"network": "main (the default) or regtest"},
    reference=str(BTC),
)

# The block every node starts from: a fact of the protocol.
SAMPLE = bytes.fromhex(
    "f9beb4d91d010000010000000000000000000000000000000000000000000000000000000000000000000000"
    "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c01"
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d"
    "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20"
    "6272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff01"
    "00f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
SAMPLE_TRANSFERS = 2

_Owner = tuple[AccountId, int | None]


@dataclass(slots=True)
class _Reading:
    """What one stream has shown so far: its outputs that are not yet spent, and its coinbases."""

    network: Network
    intake: Intake
    unspent: dict[tuple[bytes, int], _Owner] = field(default_factory=dict)
    coinbases: set[bytes] = field(default_factory=set)
    dead: int = 0
    unknown: int = 0

    def account(self, name: str) -> AccountId:
        return AccountId(f"{self.network.chain}:{name}")


def sniff(head: bytes) -> bool:
    """A network's magic, or a header whose proof of work holds."""
    if any(head[:4] == network.magic for network in NETWORKS.values()):
        return True
    try:
        work(head[:HEADER], MAIN)
    except (BadInput, Unverified):
        return False
    return True


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """Transfers of every block, each block verified before its first transfer is given.

    Raises BadInput or TooLarge when a block cannot be read, Unverified when it does not hold.
    """
    choice = intake.options.get("network", "main")
    if choice not in NETWORKS:
        raise BadInput(f"no Bitcoin network {choice!r}", remedy=f"one of: {', '.join(NETWORKS)}")
    reading = _Reading(NETWORKS[choice], intake)
    for data in _blocks(stream, reading.network):
        block = parse(data, reading.network)
        intake.merkle_root_verified = True
        yield from _block(block, reading)
    if reading.dead:
        intake.notes.append(f"{reading.dead:,} outputs are provably unspendable and belong to nobody")
    if reading.unknown:
        intake.notes.append(
            f"{reading.unknown:,} inputs spend outputs not read before: their amounts are not known"
        )


def _blocks(stream: BinaryIO, network: Network) -> Iterator[bytes]:
    start = stream.read(4)
    if start != network.magic:
        data = start + stream.read(MAX_BLOCK + 1)
        if len(data) > MAX_BLOCK:
            raise TooLarge(
                f"a Bitcoin block of more than {MAX_BLOCK:,} bytes",
                why="no block is larger, and this does not begin as a file of framed blocks does",
                remedy="give one block, or a block file of the network you named",
            )
        yield data
        return
    while start == network.magic:
        size = int.from_bytes(stream.read(4), "little")
        if size > MAX_BLOCK:
            raise TooLarge(f"a frame that states {size:,} bytes", remedy=f"a block has at most {MAX_BLOCK:,}")
        yield stream.read(size)  # a block cut short fails in the parser
        start = stream.read(4)
    while start and not any(start):
        start = stream.read(65_536)  # a node pads its block files with zeros
    if start:
        raise BadInput(
            "bytes between blocks that are neither a frame nor padding",
            why=f"a frame of {network.name} begins with {network.magic.hex()}",
            remedy="fetch the file again, or name its network",
        )


def _block(block: Block, reading: _Reading) -> Iterator[Transfer]:
    time = distrust.past(datetime.fromtimestamp(block.time, UTC), f"block {block.id}", reading.intake.now)
    earlier = _earlier(block, reading)
    for transaction in block.transactions:
        reading.intake.transactions += 1
        reading.intake.inputs += len(transaction.inputs)
        reading.intake.outputs += len(transaction.outputs)
        if transaction.is_coinbase:
            if transaction.digest in reading.coinbases:
                reading.intake.notes.append(
                    f"block {block.id} repeats coinbase {transaction.id}: the first is lost (BIP 30)"
                )
                continue
            reading.coinbases.add(transaction.digest)
        yield from _transaction(transaction, time, block.id, earlier, reading)


def _earlier(block: Block, reading: _Reading) -> Mapping[str, Transfer]:
    """Outputs this block spends that the ledger holds, though this stream has not shown them."""
    made = {transaction.digest for transaction in block.transactions}
    wanted = [
        f"{item.previous[::-1].hex()}:o:{item.index}"
        for transaction in block.transactions[1:]
        for item in transaction.inputs
        if item.previous not in made and (item.previous, item.index) not in reading.unspent
    ]
    return reading.intake.earlier(wanted) if wanted else {}


def _transaction(
    transaction: Transaction, time: datetime, block: str, earlier: Mapping[str, Transfer], reading: _Reading
) -> Iterator[Transfer]:
    txid = transaction.id
    hub = reading.account(f"tx-{txid}")
    paid_out = sum(output.satoshis for output in transaction.outputs)
    if transaction.is_coinbase:
        owners: list[_Owner] = [(reading.account("coinbase"), paid_out)]
    else:
        owners = [_owner(item, earlier, reading) for item in transaction.inputs]
    known = [satoshis for _, satoshis in owners if satoshis is not None]
    if len(known) == len(owners) and sum(known) < paid_out:
        raise Unverified(
            f"transaction {txid} pays out more than it takes in",
            why=f"{sum(known):,} satoshis in, {paid_out:,} out",
            remedy="fetch the block again from a node you trust",
        )
    for place, (owner, satoshis) in enumerate(owners):
        yield _transfer(f"{txid}:i:{place}", time, owner, hub, satoshis, block, reading)
    for place, output in enumerate(transaction.outputs):
        if unspendable(output.script):
            reading.dead += 1
            if not output.satoshis:
                continue  # a message, not a movement of value
        beneficiary = _beneficiary(output, txid, place, reading)
        reading.unspent[transaction.digest, place] = (beneficiary, output.satoshis)
        yield _transfer(f"{txid}:o:{place}", time, hub, beneficiary, output.satoshis, block, reading)


def _beneficiary(output: Output, txid: str, place: int, reading: _Reading) -> AccountId:
    return reading.account(address(output.script, reading.network) or f"out-{txid}-{place}")


def _owner(item: Input, earlier: Mapping[str, Transfer], reading: _Reading) -> _Owner:
    """Who owned what an input spends, and how many satoshis it held where that is known."""
    held = reading.unspent.pop((item.previous, item.index), None)
    if held is not None:
        return held
    previous = item.previous[::-1].hex()
    stored = earlier.get(f"{previous}:o:{item.index}")
    if stored is not None and stored.amount is not None:
        return stored.beneficiary, int(stored.amount.quantity.scaleb(8))
    reading.unknown += 1
    name = spender(item.script, item.witness, reading.network)
    return reading.account(name or f"out-{previous}-{item.index}"), None


def _transfer(
    name: str,
    time: datetime,
    originator: AccountId,
    beneficiary: AccountId,
    satoshis: int | None,
    block: str,
    reading: _Reading,
) -> Transfer:
    amount = None
    if satoshis is not None:
        amount = Amount(Decimal(satoshis).scaleb(-8), AssetId(f"{reading.network.chain}/slip44:0"))
    return Transfer(
        id=name, time=time, originator=originator, beneficiary=beneficiary, amount=amount, reference=block
    )

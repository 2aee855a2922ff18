"""Blocks of our own on a regression test network, where proof of work costs two hashes."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from comity.chains import Intake, bitcoin
from comity.chains._bitcoin_script import address, hash160, spender, unspendable
from comity.chains._bitcoin_wire import double_sha256, merkle_root
from comity.errors import BadInput, TooLarge, Unverified
from comity.intake import open_source
from comity.ledger.ingest import ingest
from comity.ledger.store import Ledger
from comity.model import BTC, AccountId, Amount, Transfer

CHAIN = bitcoin.REGTEST.chain
TIME = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
KEY = b"\x02" + b"\x11" * 32
SIGNATURE = b"\x30" + b"\x44" * 70
NOTHING = bytes(32)


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0xFD else b"\xfd" + number.to_bytes(2, "little")


def text(data: bytes) -> bytes:
    return varint(len(data)) + data


def push(*items: bytes) -> bytes:
    return b"".join(bytes([len(item)]) + item for item in items)


@dataclass
class Tx:
    """``inputs``: (previous id in wire order, index, script); ``outputs``: (satoshis, script)."""

    inputs: list[tuple[bytes, int, bytes]]
    outputs: list[tuple[int, bytes]]
    witnesses: list[list[bytes]] = field(default_factory=list)

    def raw(self, witness: bool = True) -> bytes:
        segwit = witness and bool(self.witnesses)
        made = b"\x02\x00\x00\x00" + (b"\x00\x01" if segwit else b"") + varint(len(self.inputs))
        for previous, index, script in self.inputs:
            made += previous + index.to_bytes(4, "little") + text(script) + b"\xff" * 4
        made += varint(len(self.outputs))
        made += b"".join(value.to_bytes(8, "little") + text(script) for value, script in self.outputs)
        if segwit:
            made += b"".join(varint(len(stack)) + b"".join(map(text, stack)) for stack in self.witnesses)
        return made + bytes(4)

    @property
    def digest(self) -> bytes:
        return double_sha256(self.raw(witness=False))

    @property
    def id(self) -> str:
        return self.digest[::-1].hex()


def p2pkh(key: bytes = KEY) -> bytes:
    return b"\x76\xa9\x14" + hash160(key) + b"\x88\xac"


def p2wpkh(key: bytes = KEY) -> bytes:
    return b"\x00\x14" + hash160(key)


def coinbase(*outputs: tuple[int, bytes], tag: bytes = b"one") -> Tx:
    return Tx([(NOTHING, 0xFFFFFFFF, text(tag))], list(outputs) or [(50 * 10**8, p2pkh())])


def block(*transactions: Tx, time: int = TIME, root: bytes | None = None, bits: int = 0x207FFFFF) -> bytes:
    """A block of these transactions, mined; with a witness commitment where one is needed."""
    first, *others = transactions
    if any(tx.witnesses for tx in others):
        reserved = bytes(32)
        first.witnesses = [[reserved]]
        leaves = [NOTHING, *(double_sha256(tx.raw()) for tx in others)]
        first.outputs.append(
            (0, bytes.fromhex("6a24aa21a9ed") + double_sha256(merkle_root(leaves) + reserved))
        )
    root = merkle_root([tx.digest for tx in transactions]) if root is None else root
    body = varint(len(transactions)) + b"".join(tx.raw() for tx in transactions)
    start = b"\x01\x00\x00\x20" + NOTHING + root + time.to_bytes(4, "little") + bits.to_bytes(4, "little")
    for nonce in range(1000):
        header = start + nonce.to_bytes(4, "little")
        if int.from_bytes(double_sha256(header), "little") <= bitcoin.REGTEST.limit:
            return header + body
    raise AssertionError("no nonce")


def framed(*blocks: bytes) -> bytes:
    return b"".join(bitcoin.REGTEST.magic + len(one).to_bytes(4, "little") + one for one in blocks)


def read(data: bytes, now: datetime, **more) -> tuple[list[Transfer], Intake]:
    intake = Intake(now, {"network": "regtest"}, **more)
    return list(bitcoin.read(io.BytesIO(data), intake)), intake


def account(name: str) -> AccountId:
    return AccountId(f"{CHAIN}:{name}")


def test_the_first_block_of_all(now: datetime):
    intake = Intake(now)
    paid, received = bitcoin.read(io.BytesIO(bitcoin.SAMPLE), intake)
    assert received.beneficiary.address == "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
    assert received.reference == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert paid.originator.address == "coinbase"
    assert paid.beneficiary == received.originator
    assert paid.beneficiary.is_hub
    assert received.amount == Amount(Decimal(50), BTC)
    assert received.time == datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC)
    assert intake.merkle_root_verified is True
    assert bitcoin.sniff(bitcoin.SAMPLE[8:])
    assert not bitcoin.sniff(bytes(80))
    assert not bitcoin.sniff(b"id,time")


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (
            "76a914" + "62e907b15cbf27d5425399ebf6f0fb50ebb88f18" + "88ac",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        ),
        ("a9148f55563b9a19f321c211e9b9f38cdf686ea0784587", "3EktnHQD7RiAE6uzMj2ZifT9YgRrkSgzQX"),
        # BIP 173 and BIP 350
        ("0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (
            "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
        ),
        (
            "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ),
        ("6002751e", "bc1sw50qgdz25j"),
        ("5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"),
        ("0013751e76e8199196d454941c45d1b3a323f1433b", None),
        ("6a0568656c6c6f", None),
        ("4c", None),
        ("", None),
        ("21" + "05" + "11" * 32 + "ac", None),
        ("52" + "21" + KEY.hex() + "53ae", None),
        ("00" + "21" + KEY.hex() + "51ae", None),
        ("76ae", None),
        ("5176ac51ae", None),
    ],
)
def test_addresses(script: str, name: str | None):
    assert address(bytes.fromhex(script), bitcoin.MAIN) == name


def test_a_bare_key_goes_by_the_address_of_the_key():
    assert address(push(KEY) + b"\xac", bitcoin.MAIN) == address(p2pkh(), bitcoin.MAIN)


def test_bare_multisig_goes_by_the_hash_of_its_script():
    script = b"\x51" + push(KEY, KEY) + b"\x52\xae"
    assert address(script, bitcoin.MAIN) == "multisig-" + hash160(script).hex()


def test_what_can_never_be_spent():
    assert unspendable(b"\x6a")
    assert unspendable(b"\x51" * 10_001)
    assert not unspendable(b"\x51")


REDEEM = b"\x51" + push(KEY) + b"\x51\xae"
WITNESS_PROGRAM = b"\x00\x20" + hashlib.sha256(REDEEM).digest()


@pytest.mark.parametrize(
    ("script", "witness", "owner"),
    [
        (push(SIGNATURE, KEY), (), p2pkh()),
        (b"\x00" + push(SIGNATURE, REDEEM), (), b"\xa9\x14" + hash160(REDEEM) + b"\x87"),
        (b"\x00" + push(SIGNATURE) + b"\x4c" + push(REDEEM), (), b"\xa9\x14" + hash160(REDEEM) + b"\x87"),
        (b"", (SIGNATURE, KEY), p2wpkh()),
        (b"", (b"", SIGNATURE, REDEEM), WITNESS_PROGRAM),
        (push(p2wpkh()), (SIGNATURE, KEY), b"\xa9\x14" + hash160(p2wpkh()) + b"\x87"),
        (push(WITNESS_PROGRAM), (b"", REDEEM), b"\xa9\x14" + hash160(WITNESS_PROGRAM) + b"\x87"),
        (push(SIGNATURE), (), None),  # a bare key, or a bare multisig
        (b"", (b"\x01" * 64,), None),  # Taproot, key path
        (b"", (b"\x01" * 65, b"\x50annex"), None),
        (b"", (b"\x01", REDEEM, b"\xc0" + b"\x01" * 64), None),  # Taproot, script path
        (b"", (b"\x01", b"\x51"), None),
        (b"\x51\x76", (), None),  # not pushes alone
        (b"\x4d\xff\xff", (), None),  # a push past the end
        (push(KEY, KEY), (b"\x01",), None),
        (b"", (), None),
    ],
)
def test_what_an_input_reveals(script: bytes, witness: tuple[bytes, ...], owner: bytes | None):
    expected = None if owner is None else address(owner, bitcoin.REGTEST)
    assert spender(script, witness, bitcoin.REGTEST) == expected
    assert owner is None or expected is not None


def test_a_segwit_block_whole(now: datetime):
    mint = coinbase()
    pay = Tx(
        [(mint.digest, 0, b""), (b"\x07" * 32, 3, b"")],
        [(10**8, p2wpkh()), (0, b"\x6a\x01x"), (7, b"\x6a"), (5, b"\x51")],
        [[SIGNATURE, KEY], [b"\x01" * 64]],
    )
    transfers, intake = read(framed(block(mint), block(coinbase(tag=b"two"), pay)), now)
    by_id = {transfer.id: transfer for transfer in transfers}
    unknown = by_id[f"{pay.id}:i:1"]
    assert unknown.amount is None
    assert unknown.originator == account("out-" + "07" * 32 + "-3")
    assert by_id[f"{pay.id}:i:0"].originator == by_id[f"{mint.id}:o:0"].beneficiary
    assert by_id[f"{pay.id}:i:0"].amount == by_id[f"{mint.id}:o:0"].amount
    assert f"{pay.id}:o:1" not in by_id, "a message moves no value"
    assert by_id[f"{pay.id}:o:2"].beneficiary == account(f"out-{pay.id}-2")
    assert by_id[f"{pay.id}:o:3"].beneficiary == account(f"out-{pay.id}-3")
    assert by_id[f"{pay.id}:o:0"].beneficiary.address.startswith("bcrt1q")
    assert all(transfer.time == datetime(2026, 3, 1, tzinfo=UTC) for transfer in transfers)
    assert (intake.transactions, intake.inputs, intake.outputs) == (3, 4, 7)
    assert len(intake.notes) == 2


def test_a_ledger_tells_who_owned_what_an_earlier_file_paid(now: datetime, tmp_path):
    mint, later = coinbase(), coinbase(tag=b"two")
    pay = Tx([(mint.digest, 0, push(SIGNATURE))], [(49 * 10**8, p2wpkh())])
    ledger = Ledger.create(tmp_path / "ledger", BTC)
    for number, data in enumerate([block(mint), block(later, pay)]):
        (tmp_path / f"{number}.dat").write_bytes(framed(data))
        summary = ingest(tmp_path / f"{number}.dat", ledger, now=now, options={"network": "regtest"})
        assert summary.merkle_root_verified is True
    (spent,) = ledger.transfers([f"{pay.id}:i:0"])
    assert spent.originator.address == address(p2pkh(), bitcoin.REGTEST)
    assert spent.amount is not None
    assert spent.amount.quantity == 50


def test_framed_blocks_with_padding_and_a_repeated_coinbase(now: datetime):
    transfers, intake = read(framed(block(coinbase()), block(coinbase())) + bytes(100), now)
    assert len(transfers) == 2
    assert intake.transactions == 2
    assert "BIP 30" in intake.notes[0]


def _corrupt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _inflated() -> bytes:
    mint = coinbase()
    return block(mint, Tx([(mint.digest, 0, push(SIGNATURE, KEY))], [(51 * 10**8, p2pkh())]))


def _bad_witness() -> bytes:
    pay = Tx([(b"\x07" * 32, 3, b"")], [(1, p2wpkh())], [[SIGNATURE, KEY]])
    data = block(coinbase(), pay)
    return data.replace(SIGNATURE, SIGNATURE[:-1] + b"\x45")


def _stripped_commitment() -> bytes:
    data = coinbase()
    data.witnesses = [[bytes(32)]]
    return block(data)


WHOLE = block(coinbase())
HEADER_AND = WHOLE[:80]
TWIN = Tx([(b"\x07" * 32, 3, push(SIGNATURE))], [(1, p2pkh())])

BAD = {
    "truncated": (WHOLE[:-3], BadInput, "ends 3 bytes early"),
    "header cut short": (WHOLE[:40], BadInput, "a header has 80 bytes"),
    "empty": (b"", BadInput, "a header has 80 bytes"),
    "trailing bytes": (WHOLE + b"x", BadInput, "follow its last transaction"),
    "wrong Merkle root": (block(coinbase(), root=b"\x01" * 32), Unverified, "Merkle root"),
    "altered output": (_corrupt(WHOLE, len(WHOLE) - 10), Unverified, "Merkle root"),
    "too easy": (block(coinbase(), bits=0x217FFFFF), Unverified, "no proof of work"),
    "negative target": (block(coinbase(), bits=0x03800001), Unverified, "no proof of work"),
    "target of nothing": (block(coinbase(), bits=0x01000000), Unverified, "no proof of work"),
    "hash above target": (block(coinbase(), bits=0x1D00FFFF), Unverified, "no proof of work"),
    "claims 2^64 transactions": (HEADER_AND + b"\xff" * 9, BadInput, "it states"),
    "claims 2^32 inputs": (
        HEADER_AND + b"\x01" + bytes(4) + b"\xfe" + b"\xff" * 99,
        BadInput,
        "it states 4,294",
    ),
    "no transactions": (HEADER_AND + b"\x00", BadInput, "must be a coinbase"),
    "no coinbase": (block(TWIN), BadInput, "must be a coinbase"),
    "two coinbases": (block(coinbase(), coinbase(tag=b"two")), BadInput, "must be a coinbase"),
    "no inputs": (block(coinbase(), Tx([], [(1, b"")] * 9)), BadInput, "no inputs or no outputs"),
    "repeated branch": (block(coinbase(), TWIN, TWIN, TWIN, root=NOTHING), Unverified, "CVE-2012-2459"),
    "more than 21 million": (block(coinbase((22_000_000 * 10**8, b""))), BadInput, "than there will ever be"),
    "value from nothing": (_inflated(), Unverified, "pays out more than it takes in"),
    "altered signature": (_bad_witness(), Unverified, "witness commitment"),
    "witness without commitment": (_stripped_commitment(), Unverified, "witness commitment"),
    "from the future": (block(coinbase(), time=TIME + 400 * 86_400), BadInput, "out of range"),
    "frame of 4 GB": (bitcoin.REGTEST.magic + b"\xff" * 4, TooLarge, "a frame that states"),
    "frame cut short": (framed(WHOLE)[:-1], BadInput, "bytes early"),
    "junk between frames": (framed(WHOLE) + b"junk", BadInput, "between blocks"),
    "junk in the padding": (framed(WHOLE) + bytes(9) + b"x", BadInput, "between blocks"),
    "too large": (bytes(4_000_001), TooLarge, "more than 4,000,000 bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_blocks_are_refused(name: str, now: datetime):
    data, error, words = BAD[name]
    with pytest.raises(error) as caught:
        read(data, now)
    assert type(caught.value) is error
    assert words in caught.value.diagnostics()


def test_an_unknown_network_is_refused(now: datetime):
    with pytest.raises(BadInput, match="no Bitcoin network"):
        list(bitcoin.read(io.BytesIO(b""), Intake(now, {"network": "moon"})))


def test_a_block_an_hour_ahead_of_our_clock_is_not_the_future(now: datetime):
    ahead = int((now + timedelta(hours=1)).timestamp())
    assert read(block(coinbase(), time=ahead), now)[0]


@pytest.mark.data
def test_a_full_block_of_the_main_network(data, now: datetime):
    (path,) = (data / "chains" / "bitcoin").glob("block-*.blk")
    intake = Intake(now)
    with open_source(path) as stream:
        transfers = list(bitcoin.read(stream, intake))
    assert (intake.transactions, intake.inputs, intake.outputs) == (3315, 5055, 8150)
    assert intake.merkle_root_verified is True
    assert {transfer.reference for transfer in transfers} == {path.stem.removeprefix("block-")}
    assert len({transfer.id for transfer in transfers}) == len(transfers) == 5055 + 8150 - 976
    known = [transfer for transfer in transfers if transfer.originator.address.startswith(("1", "3", "bc1"))]
    assert len(known) > 5000, "nearly every input of that year reveals its owner"


@pytest.mark.data
@pytest.mark.parametrize(
    "case", ["block_0", "block_1", "block_without_transactions", "block_with_transactions"]
)
def test_outputs_are_those_another_reader_of_the_chain_found(data, now: datetime, case: str):
    """Blocks put together from a node's answers, against what bitcoin-etl made of the same answers."""
    folder = data / "chains/bitcoin/etl_vectors/test_export_blocks_job/bitcoin" / case
    expected = [json.loads(line) for line in (folder / "expected_transactions.json").open() if line.strip()]
    blocks = [json.loads(path.read_text()) for path in sorted(folder.glob("rpc_response_getblock_*_2.json"))]
    raw = b"".join(_raw(answer) for answer in blocks)
    found = {transfer.id: transfer for transfer in bitcoin.read(io.BytesIO(raw), Intake(now))}
    for tx in expected:
        assert found[f"{tx['hash']}:i:0"].reference == tx["block_hash"]
        for output in tx["outputs"]:
            transfer = found[f"{tx['hash']}:o:{output['index']}"]
            assert [transfer.beneficiary.address] == output["addresses"]
            assert transfer.amount is not None
            assert int(transfer.amount.quantity * 10**8) == output["value"]
            assert transfer.time.timestamp() == tx["block_timestamp"]
        for spent in tx["inputs"]:
            if spent["addresses"] and spent["type"] != "pubkey":
                assert [found[f"{tx['hash']}:i:{spent['index']}"].originator.address] == spent["addresses"]


def _raw(answer: Any) -> bytes:
    """The framed bytes of a block from a node's answer of verbosity 2."""
    block = answer[0]["result"] if isinstance(answer, list) else answer.get("result", answer)
    header = block["version"].to_bytes(4, "little")
    header += bytes.fromhex(block.get("previousblockhash", "00" * 32))[::-1]
    header += bytes.fromhex(block["merkleroot"])[::-1] + block["time"].to_bytes(4, "little")
    header += bytes.fromhex(block["bits"])[::-1] + block["nonce"].to_bytes(4, "little")
    body = header + bytes([len(block["tx"])]) + b"".join(bytes.fromhex(tx["hex"]) for tx in block["tx"])
    return bitcoin.MAIN.magic + len(body).to_bytes(4, "little") + body


@pytest.mark.data
def test_blocks_1_to_255(data, now: datetime, tmp_path):
    ledger = Ledger.create(tmp_path / "ledger", BTC)
    summary = ingest(data / "chains" / "bitcoin" / "blocks1-256.bz2", ledger, now=now)
    assert (summary.transactions, summary.inputs, summary.outputs) == (262, 262, 267)
    assert summary.merkle_root_verified is True
    assert len(ledger) == summary.transfers == 529
    # the first payment ever, block 170: 50 BTC in, 10 to Hal Finney, 40 back
    hub = "tx-f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    moved = ledger.of_account(f"{bitcoin.MAIN.chain}:{hub}")
    assert sorted(transfer.amount.quantity for transfer in moved if transfer.amount) == [10, 40, 50]
    (paid,) = [transfer for transfer in moved if transfer.beneficiary.address == hub]
    assert paid.originator.address == "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"

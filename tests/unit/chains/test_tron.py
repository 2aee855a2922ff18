"""Answers of our own making, as java-tron would give them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import base58
import pytest

from comity import plugins
from comity.chains import Intake, tron
from comity.chains._evm import DEPOSIT, TRANSFER, WITHDRAWAL
from comity.chains._evm_tokens import WRAPPED
from comity.errors import BadInput, TooLarge
from comity.ledger.ingest import ingest
from comity.ledger.store import Ledger
from comity.model import TRON, AssetId, Transfer

MILLIS = 1_714_557_000_000
TIME = datetime.fromtimestamp(MILLIS // 1000, UTC)
BLOCK = "00" * 4 + "ab" * 28
A, B, C = (f"41{digit * 40}" for digit in "123")
USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
ODD = "41" + "7" * 40


def name(number: int) -> str:
    return f"{number:064x}"


def text(address: str) -> str:
    return base58.b58encode_check(bytes.fromhex(address)).decode()


def bare(address: str) -> str:
    return base58.b58decode_check(address).hex()[2:] if address[0] == "T" else address[2:]


def tx(number: int, kind: str = "TransferContract", result: Any = "SUCCESS", **value: Any) -> dict[str, Any]:
    given = value or {"amount": 1_500_000, "owner_address": A, "to_address": B}
    contract = {
        "type": kind,
        "parameter": {"value": given, "type_url": f"type.googleapis.com/protocol.{kind}"},
    }
    made: dict[str, Any] = {"txID": name(number), "raw_data": {"contract": [contract], "timestamp": 1}}
    return made | ({} if result is None else {"ret": [{"contractRet": result}]})


def call(number: int, result: Any = "SUCCESS", **value: Any) -> dict[str, Any]:
    return tx(number, "TriggerSmartContract", result, owner_address=A, contract_address=C, **value)


def asset(**value: Any) -> dict[str, Any]:
    return tx(1, "TransferAssetContract", **{"amount": 1, "owner_address": A, "to_address": B, **value})


def block(*transactions: Any, **more: Any) -> dict[str, Any]:
    head = {"raw_data": {"number": 61_234_567, "timestamp": MILLIS, "witness_address": C}}
    made = {"blockID": BLOCK, "block_header": head}
    return made | ({"transactions": list(transactions)} if transactions else {}) | more


def log(token: str = USDT, raw: int = 2_500_000, *topics: str, **more: Any) -> dict[str, Any]:
    named = list(topics) or [TRANSFER, "0" * 24 + bare(A), "0" * 24 + bare(B)]
    return {"address": bare(token), "topics": named, "data": f"{raw:064x}"} | more


def inner(*values: dict[str, Any], note: str = "call", **more: Any) -> dict[str, Any]:
    made = {"hash": name(99), "caller_address": C, "transferTo_address": A, "note": note.encode().hex()}
    return made | {"callValueInfo": list(values)} | more


def info(number: int, *logs: Any, internal: Any = (), **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name(number), "blockNumber": 61_234_567, "blockTimeStamp": MILLIS}
    made |= {"contractResult": [""], "receipt": {"result": "SUCCESS"}, "log": list(logs)}
    return made | {"internal_transactions": list(internal)} | more


def read(*answers: Any, now: datetime, **options: str) -> tuple[list[Transfer], Intake]:
    data = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in answers)
    intake = Intake(now, options)
    return list(tron.read(io.BytesIO(data), intake)), intake


def moves(transfers: list[Transfer]) -> list[tuple[str, str, str, str, Decimal]]:
    return [
        (
            t.id.partition(":")[2],
            t.originator.address,
            t.beneficiary.address,
            t.amount.asset.value.removeprefix(TRON),
            t.amount.quantity,
        )
        for t in transfers
        if t.amount is not None
    ]


def test_a_payment_in_whatever_form_the_answer_comes(now: datetime):
    visible = tx(1, amount=1_500_000, owner_address=text(A), to_address=text(B))
    forms: list[list[Any]] = [
        [block(tx(1))],
        [block(visible)],
        [[block(tx(1))]],
        [{"block": [block(tx(1)), block()]}],
        [[{"block": [block(tx(1))]}, [block()]]],
        [block(), block(tx(1)), block(tx(1))],
    ]
    for form in forms:
        (transfer,), intake = read(*form, now=now)
        assert transfer.id == name(1) + ":value"
        assert (transfer.originator.value, transfer.beneficiary.address) == (f"{TRON}:{text(A)}", text(B))
        assert transfer.amount is not None
        assert (transfer.amount.quantity, transfer.amount.asset) == (
            Decimal("1.5"),
            AssetId(f"{TRON}/slip44:195"),
        )
        assert (transfer.time, transfer.reference, intake.transactions) == (TIME, BLOCK, 1)


def test_what_did_not_succeed_moved_nothing(now: datetime):
    failed = [call(2, "REVERT", call_value=5), tx(3, result="FAILED"), tx(4), tx(5, result=None)]
    failed[2]["ret"][0]["code"] = "FAILED"
    transfers, intake = read(block(tx(1), *failed, call(6, None, call_value=5)), now=now)
    # before contractRet was there, a block with a transfer that failed was no block
    assert [t.id for t in transfers] == [f"{name(n)}:value" for n in (1, 5)]
    assert "3 transactions did not succeed, and moved nothing" in intake.notes
    assert "1 calls of contracts without contractRet are left out" in intake.notes
    for undone in ({"result": "FAILED"}, {"receipt": {"result": "OUT_OF_ENERGY"}}):
        assert read(info(1, log(), internal=[inner({"callValue": 5})], **undone), now=now)[0] == []
    for first, second in [(call(1), info(1, result="FAILED")), (call(1, "REVERT"), info(1, log()))]:
        with pytest.raises(BadInput, match="another that it failed"):
            read(block(first), second, now=now)
    assert read(block(call(1, "REVERT")), info(1, receipt={}, log=None), now=now)[0] == []


def test_what_calls_and_new_contracts_are_paid(now: datetime):
    made = {"owner_address": A, "new_contract": {"call_value": 3_000_000}}
    paid = [
        call(1, call_value=2_000_000, call_token_value=7, token_id=1_002_000, data="00"),
        tx(2, "CreateSmartContract", **made) | {"contract_address": C},
        tx(3, "CreateSmartContract", **made),
        tx(4, "ParticipateAssetIssueContract", owner_address=A, to_address=B, asset_name="41", amount=4),
        call(5),
    ]
    transfers, intake = read(block(*paid), now=now)
    assert moves(transfers) == [
        ("value", text(A), text(C), "/slip44:195", Decimal(2)),
        ("token", text(A), text(C), "/trc10:1002000", Decimal("0.000007")),
        ("value", text(A), text(C), "/slip44:195", Decimal(3)),
        ("value", text(A), f"new-{name(3)}", "/slip44:195", Decimal(3)),
        ("value", text(A), text(B), "/slip44:195", Decimal("0.000004")),
    ]
    assert "1 transfers of zero moved nothing" in intake.notes


@pytest.mark.parametrize(
    ("written", "visible", "asset"),
    [
        ("1002000", True, "trc10:1002000"),
        ("1002000", False, "trc10:1002000"),
        ("31303032303030", False, "trc10:1002000"),
        ("31303030363137", False, "trc10e18:1000617"),
        ("49504653", False, "trc10e18:IPFS"),
        ("IPFS", True, "trc10e18:IPFS"),
        ("ABCD", True, "trc10e18:ABCD"),
        ("é_~ /", True, "trc10e18:%C3%A9%5F%7E%20%2F"),
    ],
)
def test_trc10_tokens(written: str, visible: bool, asset: str, now: datetime):
    a, b = (text(A), text(B)) if visible else (A, B)
    value = {"amount": 2_500_000, "asset_name": written, "owner_address": a, "to_address": b}
    (transfer,), intake = read(block(tx(1, "TransferAssetContract", **value)), now=now)
    assert transfer.id == name(1) + ":token"
    assert transfer.amount is not None
    assert transfer.amount.asset == AssetId.parse(f"{TRON}/{asset}")
    assert transfer.amount.quantity == Decimal("2.5" if "e18" not in asset else "0.0000000000025")
    assert bool(intake.notes) == ("e18" in asset)


def test_trc20_tokens(now: datetime):
    nft = log(USDT, 5, TRANSFER, "0" * 64, "0" * 24 + bare(B), name(7))
    wrapped = WRAPPED[TRON]
    logs = [
        log(),
        log(address="41" + bare(USDT), topics=["0x" + t for t in log()["topics"]]),
        log(USDT, 0),
        nft,
        log(USDT, 1, TRANSFER),
        log(USDT, 1, name(3)),
        log(wrapped, 9_000_000, DEPOSIT, "0" * 24 + bare(A)),
        log(wrapped, 8_000_000, WITHDRAWAL, "0" * 24 + bare(A)),
        log(ODD, 10**18),
    ]
    transfers, intake = read([info(1, *logs)], now=now)
    assert moves(transfers) == [
        ("log:0", text(A), text(B), f"/trc20:{USDT}", Decimal("2.5")),
        ("log:1", text(A), text(B), f"/trc20:{USDT}", Decimal("2.5")),
        ("log:6", wrapped, text(A), f"/trc20:{wrapped}", Decimal(9)),
        ("log:7", text(A), wrapped, f"/trc20:{wrapped}", Decimal(8)),
        ("log:8", text(A), text(B), f"/trc20e18:{text(ODD)}", Decimal(1)),
    ]
    assert {(t.time, t.reference) for t in transfers} == {(TIME, "")}
    assert any("1 transfers of collectibles" in note for note in intake.notes)
    assert any("1 Transfer events of another form" in note for note in intake.notes)
    told, _ = read(info(1, *logs), now=now, decimals=f"{text(ODD)}:6")
    assert told[-1].amount is not None
    assert told[-1].amount.quantity == 10**12


def test_internal_transactions(now: datetime):
    internal = [
        inner({"callValue": 250_000}, {"callValue": 3, "tokenId": "1002000"}),
        inner({}),
        inner({"callValue": 5}, rejected=True),
        inner({"callValue": 6}, note="suicide", rejected=False),
        inner({"callValue": 7}, note="freezeBalanceV2ForEnergy"),
        inner(note="create"),
    ]
    transfers, intake = read(info(1, internal=internal), now=now)
    assert moves(transfers) == [
        ("internal:0:0", text(C), text(A), "/slip44:195", Decimal("0.25")),
        ("internal:0:1", text(C), text(A), "/trc10:1002000", Decimal("0.000003")),
        ("internal:3:0", text(C), text(A), "/slip44:195", Decimal("0.000006")),
    ]
    assert any("1 internal transactions were rejected" in note for note in intake.notes)
    assert any("1 transactions of other kinds" in note and "internal" in note for note in intake.notes)


def test_other_kinds_are_named(now: datetime):
    _, intake = read(
        block(tx(1, "VoteWitnessContract"), tx(2, "VoteWitnessContract"), tx(3, "X" * 99)), now=now
    )
    (note,) = intake.notes
    assert note.startswith("3 transactions of other kinds are not read as transfers: VoteWitnessContract (2)")


def test_both_answers_give_each_transfer_once(now: datetime, tmp_path: Path):
    answers = [block(call(1, call_value=5)), [info(1, log(), log(), internal=[inner({"callValue": 5})])]]
    transfers, intake = read(*answers, *answers, now=now)
    assert [m[0] for m in moves(transfers)] == ["value", "log:0", "log:1", "internal:0:0"]
    assert intake.transactions == 1
    for changed in (block(call(1, call_value=6)), info(1, log())):
        with pytest.raises(BadInput, match="is there twice, and differs"):
            read(*answers, changed, now=now)
    place = tmp_path / "tron.json"
    place.write_text("\n".join(map(json.dumps, answers)))
    ledger = Ledger.create(tmp_path / "ledger", AssetId(tron.SPEC.reference))
    assert ingest(place, ledger, now=now).chain == "tron"
    assert ledger.transfers([t.id for t in transfers]) == tuple(transfers)


def test_networks(now: datetime):
    (transfer,), _ = read(block(tx(1)), now=now, chain_id="2494104990")
    assert transfer.originator.value == f"tron:2494104990:{text(A)}"
    with pytest.raises(BadInput, match="no Tron network '1'"):
        read(block(tx(1)), now=now, chain_id="1")


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"Error": "class java.lang.NullPointerException"}, "the node says 'class java"),
        ({}, "neither a block nor"),
        (tx(1), "neither a block nor"),
        (5, "number instead of a JSON object"),
        ([[5]], "number instead of a JSON object"),
        ({"block": [5]}, "number instead of a JSON object"),
        ([[{"block": 5}]], "number instead of a JSON array"),
        (block(blockID="12"), "not a hash"),
        (block(block_header={"raw_data": {"timestamp": MILLIS * 10}}), "out of range"),
        (block(block_header={"raw_data": {"timestamp": 2**62}}), "out of range"),
        (block(block_header=5), "number instead of a JSON object"),
        (block(tx(1, amount="5", owner_address=A, to_address=B)), "not a whole number"),
        (block(tx(1, amount=-5, owner_address=A, to_address=B)), "not a whole number"),
        (block(tx(1, amount=2**63, owner_address=A, to_address=B)), "not a whole number"),
        (block(tx(1, amount=1.5, owner_address=A, to_address=B)), "not a whole number"),
        (block(tx(1, amount=True, owner_address=A, to_address=B)), "not a whole number"),
        (block(tx(1, amount=1, owner_address="30" + A[2:], to_address=B)), "not a Tron address"),
        (block(tx(1, amount=1, owner_address=bare(A), to_address=B)), "not a Tron address"),
        (block(tx(1, amount=1, owner_address=[A], to_address=B)), "not a Tron address"),
        (block(tx(1, amount=1, owner_address=A, to_address=text(B)[:-1] + "1")), "the checksum of"),
        (block(asset()), "not a token"),
        (block(asset(asset_name="ff")), "not a token"),
        (block(asset(asset_name="x")), "not a token"),
        (block(asset(asset_name="é" * 99, owner_address=text(A))), "not a token"),
        (block(tx(1) | {"raw_data": {"contract": []}}), "0 contracts"),
        (block(tx(1) | {"ret": [5]}), "number instead of a JSON object"),
        (block(tx(1) | {"ret": 5}), "number instead of a JSON array"),
        (info(1, 5), "number instead of a JSON object"),
        (info(1, log(address="12")), "not a Tron address"),
        (info(1, log(data="xx")), "not bytes"),
        (info(1, log(USDT, 1, "xx")), "not a topic"),
        (info(1, internal=[inner(5)]), "number instead"),  # type: ignore[arg-type]
        (info(1, internal=[inner({"callValue": 5, "tokenId": [5]})]), "not a token"),
        (b'{"block_header":{},"block_header":{}}', "twice in one JSON object"),
        (b'{"block_header":', "not JSON"),
    ],
)  # fmt: skip
def test_what_is_refused(answer: Any, what: str, now: datetime):
    with pytest.raises(BadInput, match=what) as caught:
        read(answer, now=now)
    assert caught.value.why or caught.value.remedy


def test_odd_types_never_crash(now: datetime):
    for odd in ([], {}, [1], {"a": 1}, "x", 5, None, True, 1.5):
        for answer in (
            info(1, internal=[inner({"callValue": 5}) | {"note": odd}]),
            info(1, result=odd),
            info(1, receipt={"result": odd}),
            block(tx(1, result=odd)),
            block(tx(1) | {"ret": [{"code": odd}]}),
            block(tx(1, odd)),
        ):
            try:
                read(answer, now=now)
            except BadInput as error:
                assert error.what


def test_bounds(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tron, "MAX_TRANSACTIONS", 2)
    with pytest.raises(TooLarge, match="more than 2 transactions"):
        read(block(tx(1), tx(2), tx(3)), now=now)


def test_sniffing():
    assert tron.sniff(b'[{"blockTimeStamp" : 1}]')
    for other in (b'{"a":"txID"}', b"txID", b'"txID":1'):
        assert not tron.sniff(other)
    for mine in (block(tx(1)), [info(1)]):
        assert plugins.recognise("chains", json.dumps(mine).encode()[:4096]) is tron

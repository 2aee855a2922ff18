"""Answers of our own making, as a node would give them; and ethereum-etl's vectors, both sides counted."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from comity import plugins
from comity.chains import Intake, _ethereum_facts, _json_stream, ethereum, tron
from comity.chains._evm import DEPOSIT, TRANSFER, WITHDRAWAL
from comity.chains._evm_tokens import KNOWN, WRAPPED, exact
from comity.chains._json_stream import SPREAD, values
from comity.errors import BadInput, Conflict, TooLarge
from comity.ledger.ingest import ingest
from comity.ledger.store import Ledger
from comity.model import ETH, AssetId, Transfer

A, B, C, D = (f"0x{digit * 40}" for digit in "abcd")
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
WETH = WRAPPED["eip155:1"]
ODD = "0x" + "7" * 40
NUMBER, SECONDS = 20_000_000, 1_700_000_000
TIME = datetime.fromtimestamp(SECONDS, UTC)
BLOCK = "0x" + "b0" * 32


def tx_hash(number: int) -> str:
    return f"0x{number:064x}"


def word(address: str) -> str:
    return "0x" + "0" * 24 + address[2:]


def tx(number: int, wei: int = 10**18, **more: Any) -> dict[str, Any]:
    made = {"hash": tx_hash(number), "blockNumber": hex(NUMBER), "blockHash": BLOCK, "from": A, "to": B}
    made |= {"transactionIndex": hex(number), "value": hex(wei), "nonce": "0x1", "gas": "0x5208"}
    return made | more


def block(*transactions: Any, **more: Any) -> dict[str, Any]:
    made = {"number": hex(NUMBER), "hash": BLOCK, "parentHash": tx_hash(9), "timestamp": hex(SECONDS)}
    return made | {"transactions": list(transactions)} | more


def log(number: int, index: int = 0, token: str = USDT, raw: int = 5, **more: Any) -> dict[str, Any]:
    made = {"transactionHash": tx_hash(number), "blockNumber": hex(NUMBER), "blockHash": BLOCK}
    made |= {"topics": ["0x" + TRANSFER, word(A), word(B)], "logIndex": hex(index), "address": token}
    return made | {"data": f"0x{raw:064x}"} | more


def receipt(number: int, status: int | None = 1, *logs: Any, **more: Any) -> dict[str, Any]:
    made = {"transactionHash": tx_hash(number), "blockNumber": hex(NUMBER), "blockHash": BLOCK}
    made |= {"gasUsed": "0x5208", "logs": list(logs), "contractAddress": None}
    return made | ({} if status is None else {"status": hex(status)}) | more


def trace(number: int, path: list[int], wei: int = 10**18, kind: str = "call", **more: Any) -> dict[str, Any]:
    action = {"callType": "call", "from": A, "to": B, "value": hex(wei)}
    made = {"action": action, "blockNumber": NUMBER, "blockHash": BLOCK, "transactionHash": tx_hash(number)}
    return made | {"traceAddress": path, "type": kind, "result": {"gasUsed": "0x0"}, "subtraces": 0} | more


def frame(sender: str, to: str, wei: int, *calls: Any, kind: str = "CALL", **more: Any) -> dict[str, Any]:
    made = {"type": kind, "from": sender, "to": to, "value": hex(wei), "gas": "0x1", "gasUsed": "0x1"}
    return made | ({"calls": list(calls)} if calls else {}) | more


def read(*answers: Any, now: datetime, earlier: Any = None, **options: str) -> tuple[list[Transfer], Intake]:
    data = b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in answers)
    intake = Intake(now, options)
    if earlier is not None:
        intake.earlier = earlier
    return list(ethereum.read(io.BytesIO(data), intake)), intake


def moves(transfers: list[Transfer]) -> list[tuple[str, str, str, str]]:
    return [
        (t.id.partition(":")[2], t.originator.address, t.beneficiary.address, str(t.amount.quantity))
        for t in transfers
        if t.amount is not None
    ]


def test_a_payment_in_whatever_form_the_answer_comes(now: datetime):
    answer = {"jsonrpc": "2.0", "id": 1, "result": block(tx(1))}
    forms = [
        [answer],
        [block(tx(1))],
        [[answer]],
        [[block(tx(1))]],
        [answer, {"jsonrpc": "2.0", "id": 2, "result": [receipt(1)]}],
        [{"id": 2, "result": [receipt(1)]}, answer],
        [b"\xef\xbb\xbf" + json.dumps([answer], indent=1).encode()],
        [block(tx_hash(1)), tx(1)],
        [block(tx(1)), block(tx(1)), receipt(1), receipt(1)],
    ]
    for form in forms:
        (transfer,), intake = read(*form, now=now)
        assert transfer.id == tx_hash(1) + ":value"
        assert (transfer.originator.value, transfer.beneficiary.value) == (f"eip155:1:{A}", f"eip155:1:{B}")
        assert transfer.amount is not None
        assert (transfer.amount.quantity, transfer.amount.asset) == (Decimal(1), ETH)
        assert (transfer.time, transfer.reference) == (TIME, BLOCK)
        assert intake.transactions == 1


def test_what_failed_moved_nothing(now: datetime):
    transfers, intake = read(block(tx(1), tx(2), tx(3)), receipt(1), receipt(2, 0), now=now)
    assert [t.id for t in transfers] == [f"{tx_hash(n)}:value" for n in (1, 3)]
    assert any("1 transfers were undone" in note for note in intake.notes)
    assert any("1 payments stand in blocks only" in note for note in intake.notes)
    with pytest.raises(BadInput, match="1 payments are not proved"):
        read(block(tx(1), tx(2), tx(3)), receipt(1), receipt(2, 0), now=now, receipts="required")
    with pytest.raises(BadInput, match="receipts"):
        read(block(tx(1)), now=now, receipts="yes")
    assert read(block(tx(1)), trace(1, []), now=now, receipts="required")[0]
    assert read(block(tx(1)), trace(1, [], error="Out of gas", result=None), now=now)[0] == []
    with pytest.raises(BadInput, match="another that it failed"):
        read(block(tx(1)), receipt(1, 1), trace(1, [], error="Reverted"), now=now)
    with pytest.raises(BadInput, match="another that it failed"):  # what fails leaves no log
        read(block(tx(1)), receipt(1, 0, log(1)), now=now)


def test_before_byzantium_gas_that_is_left_proves_success(now: datetime):
    old = receipt(1, None, root=tx_hash(3))
    assert read(block(tx(1, gas="0x5209")), old, now=now, receipts="required")[0]
    with pytest.raises(BadInput, match="not proved"):
        read(block(tx(1)), old, now=now, receipts="required")


def test_tokens_their_places_and_what_is_no_amount(now: datetime):
    nft = log(1, 3, topics=["0x" + TRANSFER, word(A), word(B), tx_hash(7)], data="0x")
    crypto_kitty = log(
        1, 4, topics=["0x" + TRANSFER], data="0x" + (word(A) + word(B) + tx_hash(9)).replace("0x", "")
    )
    other = log(1, 5, topics=[tx_hash(99)], data="0x01")
    logs = [
        log(1, 0, raw=2_500_000),
        log(1, 1, "0x" + USDT[2:].upper(), 1),
        log(1, 2, raw=0),
        nft,
        crypto_kitty,
        other,
    ]
    dirty = log(1, 6, topics=["0x" + TRANSFER, tx_hash(2**255), word(B)])
    transfers, intake = read(block(tx(1, 0)), receipt(1, 1, *logs, dirty), now=now)
    assert moves(transfers) == [("log:0", A, B, "2.5"), ("log:1", A, B, "0.000001")]
    assert {str(t.amount.asset) for t in transfers if t.amount} == {f"eip155:1/erc20:{USDT}"}
    assert any("1 transfers of collectibles" in note for note in intake.notes)
    assert any("2 Transfer events of another form" in note for note in intake.notes)


def test_unknown_places_are_stated_and_never_guessed(now: datetime):
    answers = (block(tx(1, 0)), log(1, 0, ODD, 109 * 10**18), log(1, 1, ODD, 1), log(1, 2, ODD, 2**256 - 1))
    transfers, intake = read(*answers, now=now)
    assert [t.amount and (str(t.amount.asset), t.amount.quantity) for t in transfers] == [
        (f"eip155:1/erc20e18:{ODD}", Decimal(109)),
        (f"eip155:1/erc20e18:{ODD}", Decimal("1e-18")),
        None,
    ]
    assert any("3 transfers of 1 tokens whose decimal places are not known" in note for note in intake.notes)
    assert any("1 token transfers state 10^18 units or more" in note for note in intake.notes)
    told, _ = read(*answers, now=now, decimals=f"{ODD.upper().replace('X', 'x')}:3")
    assert told[0].amount is not None
    assert (str(told[0].amount.asset), told[1].amount and told[1].amount.quantity) == (
        f"eip155:1/erc20:{ODD}",
        Decimal("0.001"),
    )
    for wrong in ("x", f"{ODD}:19", f"{ODD}:-1", ":3", f"{ODD}=3"):
        with pytest.raises(BadInput, match="TOKEN:PLACES"):
            read(now=now, decimals=wrong)


def test_wrapping_is_between_an_account_and_the_contract_that_holds_the_coin(now: datetime):
    wrap = [log(1, 0, WETH, 3 * 10**18, topics=["0x" + DEPOSIT, word(A)])]
    wrap += [log(1, 1, WETH, 10**18, topics=["0x" + WITHDRAWAL, word(A)])]
    wrap += [log(1, 2, ODD, 10**18, topics=["0x" + DEPOSIT, word(A)])]  # any contract may say so
    transfers, _ = read(block(tx(1, 0)), *wrap, now=now)
    assert moves(transfers) == [("log:0", WETH, A, "3"), ("log:1", A, WETH, "1")]


def test_calls_of_the_trace_module(now: datetime):
    inner = [
        trace(1, []),
        trace(1, [0], 7 * 10**17, action={"callType": "call", "from": B, "to": C, "value": hex(7 * 10**17)}),
        trace(1, [0, 0], action={"callType": "delegatecall", "from": C, "to": D, "value": "0x1"}),
        trace(1, [0, 1], action={"callType": "callcode", "from": C, "to": C, "value": "0x1"}),
        trace(1, [1], error="Reverted", result=None),
        trace(1, [1, 0], 5),
        trace(
            1, [2], kind="create", action={"from": B, "value": "0x64"}, result={"address": D, "code": "0x"}
        ),
        trace(
            1, [3], kind="suicide", result=None, action={"address": D, "refundAddress": A, "balance": "0xa"}
        ),
        trace(1, [4], 0),
    ]
    expected = [
        ("value", A, B, "1"),
        ("call:0", B, C, "0.7"),
        ("call:2", B, D, "1E-16"),
        ("call:3", D, A, "1E-17"),
    ]
    for order in (inner, inner[::-1], [*inner, *inner]):
        for answers in ([block(tx(1)), order], [{"id": 1, "result": order}, block(tx(1))], [block(), order]):
            transfers, intake = read(*answers, now=now)
            assert moves(transfers) == expected
            assert intake.transactions == 1
    replayed = {
        "transactionHash": tx_hash(1),
        "output": "0x",
        "trace": [{**t, "transactionHash": None} for t in inner],
    }
    assert moves(read(block(tx(1)), replayed, now=now)[0]) == expected
    with pytest.raises(BadInput, match="not all the calls around it"):
        read(block(tx(1)), inner[1], now=now)
    with pytest.raises(BadInput, match=r"what transaction 0x0+1 pays is there twice"):
        read(block(tx(1, 5)), inner[0], now=now)
    with pytest.raises(BadInput, match="is there twice, and differs"):
        read(block(tx(1)), inner, trace(1, [0], 9), now=now)


def test_calls_of_call_tracer(now: datetime):
    ended = frame(C, A, 10, kind="SELFDESTRUCT")
    failed = frame(B, D, 5, frame(D, A, 5), error="execution reverted")
    tree = frame(
        A,
        B,
        10**18,
        frame(B, C, 7, ended),
        failed,
        frame(B, C, 9, kind="DELEGATECALL"),
        frame(B, D, 8, kind="CREATE2"),
    )
    tree["calls"].append({"type": "STATICCALL", "from": B, "to": C, "gas": "0x1", "gasUsed": "0x1"})
    item = {"txHash": tx_hash(1), "result": tree}
    transfers, _ = read({"id": 1, "result": [item]}, block(tx(1)), now=now)
    assert [(m[0], m[1], m[2]) for m in moves(transfers)] == [
        ("value", A, B),
        ("call:0", B, C),
        ("call:0_0", C, A),
        ("call:3", B, D),
    ]
    assert (
        read(block(tx(1)), [{"txHash": tx_hash(1), "result": frame(A, B, 10**18, error="x")}], now=now)[0]
        == []
    )
    open_, close = json.dumps(frame(A, B, 10**18, "HERE")).split('"HERE"')
    for depth in (1024, 1025):  # written by hand: Python's own json cannot nest so deep
        call = open_ * depth + json.dumps(frame(A, B, 10**18)) + close * depth
        answers = [block(tx(1)), f'{{"txHash":"{tx_hash(1)}","result":{call}}}'.encode()]
        if depth == 1024:
            assert len(read(*answers, now=now)[0]) == 1025
        else:
            with pytest.raises(BadInput, match="1,025 calls deep"):
                read(*answers, now=now)
    for wrong, why in [
        (tree, "without its transaction"),
        ({"txHash": tx_hash(1), "error": "timeout"}, "could not trace"),
        ({"txHash": tx_hash(1), "result": {"structLogs": []}}, "not of callTracer"),
        ({"txHash": tx_hash(1), "result": frame(A, B, 1, kind="JUMP")}, "kind of trace"),
    ]:
        with pytest.raises(BadInput, match=why):
            read(block(tx(1)), wrong, now=now)
    with pytest.raises(BadInput, match="different tracers"):
        read(block(tx(1)), item, trace(1, []), now=now)
    flat = {"txHash": tx_hash(1), "result": [trace(1, []), trace(1, [0], 3)]}
    for answer in ([flat], {"id": 1, "result": [flat]}):
        assert [m[0] for m in moves(read(block(tx(1)), answer, now=now)[0])] == ["value", "call:0"]


def test_contracts_that_are_made(now: datetime):
    making = tx(1, to=None)
    assert read(block(making), now=now)[0][0].beneficiary.address == f"new-{tx_hash(1)}"
    assert read(block(making), receipt(1, contractAddress=C), now=now)[0][0].beneficiary.address == C
    assert read(block(tx(1, to=None, creates=C)), now=now)[0][0].beneficiary.address == C
    made = trace(1, [], kind="create", action={"from": A, "value": hex(10**18)}, result={"address": C})
    for answers in (
        [block(making), made],
        [block(), made],
        [block(making), made, receipt(1, contractAddress=C)],
    ):
        assert moves(read(*answers, now=now)[0]) == [("value", A, C, "1")]
    with pytest.raises(BadInput, match="the contract made by"):
        read(block(making), receipt(1, contractAddress=D), made, now=now)


def test_coins_from_outside(now: datetime):
    withdrawal = {"index": "0x5", "validatorIndex": "0x1", "address": C, "amount": "0x3b9aca00"}
    action = {"author": C, "rewardType": "block", "value": hex(2 * 10**18)}
    rewards = [trace(0, [], kind="reward", action=action, transactionHash=None, result=None)]
    uncle = {**action, "rewardType": "uncle", "author": D}
    rewards += [{**rewards[0], "action": uncle}, {**rewards[0], "action": uncle}]
    expected = {
        (f"reward:{NUMBER}:block:{C}:2000000000000000000", "coinbase", C, 2),
        (f"reward:{NUMBER}:uncle:{D}:2000000000000000000", "coinbase", D, 2),
        (f"reward:{NUMBER}:uncle:{D}:2000000000000000000:1", "coinbase", D, 2),
        ("withdrawal:5", "beacon-chain", C, 1),
    }
    for given in (rewards, rewards + rewards):
        transfers, _ = read(block(withdrawals=[withdrawal]), *given, now=now)
        found = {
            (t.id, t.originator.address, t.beneficiary.address, t.amount and int(t.amount.quantity))
            for t in transfers
        }
        assert found == expected
    with pytest.raises(BadInput, match="a reward of block"):
        read(block(), *rewards, *rewards[:2], now=now)
    with pytest.raises(BadInput, match="the reward of block"):
        read(block(), rewards[0], {**rewards[0], "action": {**action, "author": A}}, now=now)


def test_zero_and_self(now: datetime):
    transfers, intake = read(block(tx(1, 0), tx(2, 5, to=A)), log(1, 0, raw=0), now=now)
    assert moves(transfers) == [("value", A, A, "5E-18")]
    assert "2 transactions and token events of zero moved nothing" in intake.notes


def test_a_log_needs_the_time_of_its_block(now: datetime, tmp_path: Path):
    with pytest.raises(BadInput, match="the time of block 20,000,000 is not known") as caught:
        read(log(1), now=now)
    assert "eth_getBlockByNumber" in caught.value.remedy
    assert read(log(1, blockTimestamp=hex(SECONDS)), now=now)[0][0].time == TIME
    with pytest.raises(BadInput, match="its block"):
        read({"txHash": tx_hash(1), "result": frame(A, B, 1)}, now=now)
    assert read(block(tx_hash(1)), {"txHash": tx_hash(1), "result": frame(A, B, 1)}, now=now)[0]
    ledger = Ledger.create(tmp_path / "ledger", ETH)
    place = tmp_path / "answers.json"
    place.write_text(json.dumps(block(tx(1))))
    assert ingest(place, ledger, now=now).transfers == 1
    place.write_text(json.dumps(log(1)))
    assert ingest(place, ledger, now=now).transfers == 1
    assert ledger.transfers([f"{tx_hash(1)}:log:0"])[0].time == TIME


def test_what_the_ledger_holds_is_not_added_again(now: datetime, tmp_path: Path):
    ledger = Ledger.create(tmp_path / "ledger", ETH)
    place = tmp_path / "answers.json"
    place.write_text(json.dumps([block(tx(1), tx(2, to=None)), receipt(1, 1, log(1))]))
    assert ingest(place, ledger, now=now).transfers == 3
    made = trace(2, [], kind="create", action={"from": A, "value": hex(10**18)}, result={"address": C})
    place.write_text(json.dumps([block(tx(1)), trace(1, []), trace(1, [0], 3), made, log(1)]))
    again = ingest(place, ledger, now=now)
    assert again.transfers == 1
    assert "3 transfers are in the ledger already, and not added again" in again.notes
    place.write_text(json.dumps([block(tx(1, 7))]))
    with pytest.raises(Conflict, match="another transfer"):
        ingest(place, ledger, now=now)


def test_other_chains(now: datetime):
    (transfer,), _ = read(block(tx(1, chainId="0x38")), now=now, chain_id="56")
    assert transfer.id == f"56:{tx_hash(1)}:value"
    assert transfer.originator.value == f"eip155:56:{A}"
    assert transfer.amount is not None
    assert transfer.amount.asset == AssetId("eip155:56/slip44:714")
    with pytest.raises(BadInput, match="chain 56") as caught:
        read(block(tx(1, chainId="0x38")), now=now)
    assert "chain_id=56" in caught.value.remedy
    with pytest.raises(BadInput, match="coin of chain 5,000"):
        read(block(tx(1)), now=now, chain_id="5000")
    assert read(block(tx(1)), now=now, chain_id="5000", coin="60")[0]
    for wrong in (
        {"chain_id": "0x1"},
        {"chain_id": "0"},
        {"coin": "x"},
        {"chain_id": "²"},
        {"chain_id": "728126428"},
    ):
        with pytest.raises(BadInput):
            read(block(tx(1)), now=now, **wrong)


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ([{"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "limit"}}], "an error: 'limit'"),
        ([{"jsonrpc": "2.0", "id": 1, "result": None}], "answered null"),
        ([block(number=None)], "pending"),
        ([block(), block(hash=tx_hash(5))], "two blocks have the number"),
        ([block(), block(timestamp="0x1")], "two times"),
        ([block(tx(1)), receipt(1, blockHash=tx_hash(5))], "two blocks have the number"),
        ([block(tx(1), tx(1, 5))], "is there twice"),
        ([block(tx(1), value=1), log(1), log(1, raw=6)], "log 0 of transaction .* is there twice"),
        ([block(timestamp="0x1ffffffffffff")], "out of bounds"),
        ([block(timestamp="0xffffffffffff")], "out of range"),
        ([block(timestamp=hex(4_000_000_000))], "out of range"),
        ([block(tx(1, value="0x" + "f" * 65))], "not a whole number"),
        ([block(tx(1, value=-1))], "out of bounds"),
        ([block(tx(1, value=2**256))], "out of bounds"),
        ([block(tx(1, value=1.5))], "not a whole number"),
        ([block(tx(1, value=True))], "not a whole number"),
        ([block(tx(1, value="1e18"))], "not a whole number"),
        ([block(tx(1, 2**255))], "of the chain's own coin"),
        ([block(tx(1, to="0x12"))], "not an address"),
        ([block(tx(1, hash=[1]))], "not a hash"),
        ([block(5)], "number instead of a JSON object"),
        ([block(transactions="0x")], "text instead of a JSON array"),
        ([block(), log(1, topics=["0x1"])], "topic"),
        ([block(), log(1, topics=[tx_hash(1)] * 5)], "5 topics"),
        ([block(), log(1, data="0x1")], "not bytes"),
        ([block(), trace(1, [], kind="jump")], "kind of trace"),
        ([block(), trace(1, [], kind=["call"])], "kind of trace"),
        ([block(), trace(1, [], kind="reward", action={"rewardType": {}})], "kind of trace"),
        ([block(), trace(1, [0] * 1025)], "1,025 calls deep"),
        ([block(), trace(1, [2**40])], "out of bounds"),
        ([{"hello": 1}], "neither a node's answer"),
        ([[5]], "number instead of a JSON object"),
        ([b'{"number":"0x1","number":"0x2"}'], "twice in one JSON object"),
        ([b'{"number":NaN}'], "not JSON"),
        ([b'{"number":' + b"9" * 5000 + b"}"], "a number of 5,000 digits"),
        ([b"[" * 5000], "nested more than"),
        ([b'{"number":"0x1'], "not JSON"),
    ],
)  # fmt: skip
def test_what_is_refused(answers: list[Any], what: str, now: datetime):
    with pytest.raises(BadInput, match=what) as caught:
        read(*answers, now=now)
    assert caught.value.why or caught.value.remedy


def test_answers_about_other_things_are_counted(now: datetime):
    transfers, intake = read(
        {"id": 1, "result": "0x0"}, {"id": 2, "result": True}, {"id": 3, "result": []}, now=now
    )
    assert transfers == []
    assert intake.notes == ["2 answers and rows about other things than transfers are left out"]
    _, intake = read(block(tx_hash(1)), log(1, removed=True), now=now)
    assert any("named by blocks only" in note for note in intake.notes)
    assert any("the chain has left" in note for note in intake.notes)


def test_bounds(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_ethereum_facts, "MAX_FACTS", 3)
    with pytest.raises(TooLarge, match="more than 3 transactions"):
        read(block(*map(tx, range(9))), now=now)
    monkeypatch.setattr(_json_stream, "MAX_COUNT", 100)
    with pytest.raises(TooLarge, match="one JSON value"):
        list(values(io.BytesIO(json.dumps({"a": [0] * 1000}).encode())))
    monkeypatch.setattr(_json_stream, "MAX_TOKEN", 1 << 17)
    with pytest.raises(TooLarge, match="a JSON string"):
        list(values(io.BytesIO(b'"' + b"a" * (1 << 20))))


def test_a_spread_array_is_given_one_by_one():
    text = b'{"result":[1,[2]],"id":{"result":[3]}}[[{"result":[9]}],{"result":[8]}]{"x":[4],"result":[]}'
    assert list(values(io.BytesIO(text), ("result",))) == [
        *(1, [2], {"result": SPREAD, "id": {"result": [3]}}),
        *([{"result": [9]}], {"result": [8]}),
        {"x": [4], "result": SPREAD},
    ]


def test_sniffing():
    for other in (
        b'{"jsonrpc":"2.0","result":[]}',
        b'{"blockhash":"x","parentHash":"y"}',
        tron.SAMPLE[:4096],
    ):
        assert not ethereum.sniff(other)
    assert not tron.sniff(ethereum.SAMPLE[:4096])
    for mine in (block(tx(1)), log(1), receipt(1), trace(1, []), {"txHash": tx_hash(1)}):
        head = json.dumps(mine).encode()
        assert plugins.recognise("chains", head[:4096]) is ethereum


def test_exact_keeps_every_digit():
    assert str(exact(10**77 + 1, 18)) == "1" + "0" * 59 + "." + "0" * 17 + "1"
    assert (exact(0, 6), exact(5, 0), str(exact(2_500_000, 6))) == (0, 5, "2.5")
    assert all(0 <= places <= 18 for table in KNOWN.values() for places in table.values())


CSV_BLOCK = f"number,hash,parent_hash,timestamp\n{NUMBER},{BLOCK},{tx_hash(8)},{SECONDS}\n"
CSV_TOKENS = (
    "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n"
    f"{USDT},{A},{B},5,{tx_hash(1)},0,{NUMBER}\n"
)


def test_tables_of_ethereum_etl_one_after_another(now: datetime):
    (transfer,), _ = read((CSV_BLOCK + CSV_TOKENS).encode(), now=now)
    assert (transfer.time, transfer.id) == (TIME, f"{tx_hash(1)}:log:0")
    assert ethereum.sniff(CSV_TOKENS.encode())
    trailing = f'{CSV_BLOCK}\r\naddress,bytecode\r\n{A},"0x"\n'
    assert read(trailing.encode(), now=now)[0] == []
    rows = [
        "trace_type,trace_address,from_address,to_address,value,block_number,transaction_hash,call_type,status,error",
        f'call,"0,1",{A},{B},5,{NUMBER},{tx_hash(1)},call,1,',
        f'call,"0,2",{A},{B},5,{NUMBER},{tx_hash(1)},call,0,"Reverted, ""badly"""',
        f"daofork,,{A},{B},5,{NUMBER},,,1,",
        f"genesis,,,{B},5,{NUMBER},,,1,",
    ]
    transfers, _ = read((CSV_BLOCK + "\n".join(rows)).encode(), now=now)
    assert {t.id for t in transfers} == {f"{tx_hash(1)}:call:0_1", f"daofork:{A}", f"genesis:{B}"}
    for wrong, why in [
        (CSV_TOKENS + "a,b\n", "2 cells where the header has 7"),
        (CSV_TOKENS + '"a,b\n', "not CSV"),
        ("a,b\n1,2\n", "2 cells where the header has 0"),
        (CSV_TOKENS.replace("value", "value,value"), "twice"),
        (CSV_BLOCK.replace(str(SECONDS), ""), "not a time"),
        (CSV_TOKENS, "the time of block"),
    ]:
        with pytest.raises(BadInput, match=why):
            read(wrong.encode(), now=now)
    with pytest.raises(BadInput, match="not UTF-8"):
        read(CSV_BLOCK.encode() + b"\xff\n", now=now)


def test_rows_of_bigquery(now: datetime):
    row = {"hash": tx_hash(1), "nonce": 1, "from_address": A, "to_address": None, "value": str(10**18)}
    row |= {"block_number": str(NUMBER), "block_timestamp": "2023-11-14 22:13:20 UTC", "receipt_status": "1"}
    (transfer,), _ = read({**row, "receipt_contract_address": C}, now=now, receipts="required")
    assert (transfer.time, transfer.beneficiary.address) == (TIME, C)
    assert read({**row, "receipt_status": 0}, now=now)[0] == []
    with pytest.raises(BadInput, match="not a time"):
        read({**row, "block_timestamp": "yesterday UTC"}, now=now)


# --- ethereum-etl's vectors: ours against what it expects, both ways -------------------------------------


def table(path: Path) -> list[dict[str, str]]:
    before = csv.field_size_limit(1 << 24)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    finally:
        csv.field_size_limit(before)


def wei(transfer: Transfer, places: int = 18) -> int:
    assert transfer.amount is not None
    return int(transfer.amount.quantity.scaleb(places))


def ours(transfers: list[Transfer], kind: str) -> Counter[tuple[str, ...]]:
    return Counter(
        (t.id.split(":")[0], t.originator.address, t.beneficiary.address, str(wei(t)))
        for t in transfers
        if t.id.endswith(kind) or f"{kind}:" in t.id
    )


def header(number: int, digest: str) -> dict[str, str]:
    """The vectors give no time for these blocks: one of ours, with the block's own hash."""
    return block(number=hex(number), hash=digest)


@pytest.mark.data
def test_every_transaction_of_ethereum_etl(data: Path, now: datetime):
    compared = empty = 0
    for folder in sorted((data / "chains/ethereum/test_export_blocks_job").iterdir()):
        expected = Counter(
            (row["hash"], row["from_address"], row["to_address"] or f"new-{row['hash']}", row["value"])
            for row in table(folder / "expected_transactions.csv")
            if row["value"] != "0"
        )
        answers = [path.read_bytes() for path in sorted(folder.glob("web3_*.json"))]
        exports = [[path.read_bytes()] for path in folder.glob("expected_transactions.*")]
        for given in ([answers] if answers else []) + exports:
            transfers, _ = read(*given, now=now)
            assert ours(transfers, ":value") == expected
            assert len(transfers) == expected.total()
        compared += expected.total()
        empty += len(table(folder / "expected_transactions.csv")) - expected.total()
    assert (compared, empty) == (141, 165)


@pytest.mark.data
def test_every_withdrawal_of_ethereum_etl(data: Path, now: datetime):
    folder = data / "chains/ethereum/test_export_blocks_job/blocks_with_transactions_and_withdrawals"
    rows = [json.loads(line) for line in (folder / "expected_blocks.json").read_text().splitlines()]
    expected = {
        (f"withdrawal:{item['index']}", item["address"], str(item["amount"] * 10**9))
        for row in rows
        for item in row["withdrawals"]
    }
    for name in ("expected_blocks.json", "expected_blocks.csv"):
        transfers, _ = read((folder / name).read_bytes(), now=now)
        assert {(t.id, t.beneficiary.address, str(wei(t))) for t in transfers} == expected
        assert len(transfers) == len(expected) == 32


@pytest.mark.data
def test_every_token_transfer_of_ethereum_etl(data: Path, now: datetime):
    root = data / "chains/ethereum"
    node = (root / "test_export_token_transfers_job/block_with_transfers").glob("web3_*getFilterLogs*")
    whole = root / "test_export_blocks_job/block_with_logs"
    receipts = (root / "test_export_receipts_job/receipts_with_logs").glob("web3_*")
    blocks = [path.read_bytes() for path in whole.glob("web3_*")]
    logs = root / "test_extract_token_transfers_job/logs"
    old = "0x2753a045428f31dcbe9de1015da67972d172e0da8f9b773a85487774b15166f4"
    times = f"number,hash,parent_hash,timestamp\n1452581,{old},{old},1460000000\n".encode()
    one = root / "test_export_token_transfers_job/block_with_transfers/expected_token_transfers.csv"
    cases = [
        (one, [*blocks, *(path.read_bytes() for path in node)]),
        (one, [*blocks, *(path.read_bytes() for path in receipts)]),
        (one, [(whole / "expected_blocks.csv").read_bytes() + one.read_bytes()]),
        (logs / "expected_token_transfers.csv", [times + (logs / "logs.csv").read_bytes()]),
        (
            logs / "expected_token_transfers.csv",
            [times + (logs / "expected_token_transfers.csv").read_bytes()],
        ),
    ]
    compared = 0
    for path, given in cases:
        expected = {
            (f"{row['transaction_hash']}:log:{row['log_index']}", row["token_address"], row["from_address"],
             row["to_address"], row["value"])
            for row in table(path)
        }  # fmt: skip
        transfers, _ = read(*given, now=now)
        found = {
            (
                t.id,
                t.amount.asset.value.rpartition(":")[2],
                t.originator.address,
                t.beneficiary.address,
                str(wei(t)),
            )
            for t in transfers
            if t.amount is not None and ":log:" in t.id
        }
        assert found == expected
        compared += len(expected)
    assert compared == 10


@pytest.mark.data
def test_every_trace_of_ethereum_etl(data: Path, now: datetime):
    compared = unmoved = 0
    for folder in sorted((data / "chains/ethereum/test_export_traces_job").iterdir()):
        rows = table(folder / "expected_traces.csv")
        answer = next(folder.glob("web3_*")).read_bytes()
        traces = json.loads(answer)["result"]
        head = header(traces[0]["blockNumber"], traces[0]["blockHash"]) if traces else block()
        moving = [row for row in rows if row["status"] == "1" and row["value"] not in {"", "0"}]
        standing = [
            row for row in moving if row["call_type"] not in {"callcode", "delegatecall", "staticcall"}
        ]
        expected = Counter(
            (
                row["transaction_hash"] or "reward",
                row["from_address"] or "coinbase",
                row["to_address"],
                row["value"],
            )
            for row in standing
        )
        exported = (
            f"number,hash,parent_hash,timestamp\n{int(head['number'], 16)},{head['hash']},{BLOCK},{SECONDS}\n"
        )
        for given in (
            [head, answer],
            [answer, head],
            [exported.encode() + (folder / "expected_traces.csv").read_bytes()],
        ):
            transfers, _ = read(*given, now=now)
            assert ours(transfers, "") == expected
        compared += len(standing)
        unmoved += len(rows) - len(standing)
    assert (compared, unmoved) == (9, 4)

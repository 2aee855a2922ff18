"""Whatever the bytes: a node's answer is read, or refused with an error of ours; and no unit is lost."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity import codec, plugins
from comity.chains import Intake, _json_stream
from comity.chains._evm import TRANSFER
from comity.chains._evm_tokens import exact
from comity.errors import BadInput, ComityError
from comity.model import Transfer

NAMES = ("ethereum", "tron")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BLOCK, NUMBER, SECONDS = "0x" + "b0" * 32, 20_000_000, 1_700_000_000
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**257),
    st.floats(),
    st.sampled_from(
        ["", "0x", "0x0", "-0x1", "0x" + "f" * 65, "1e9", "٣", "T" * 34, "\ud83d", "0X5", "9" * 80]
    ),
    st.text(max_size=5),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from(["action", "result", "error", "logs", "type"]), st.none(), max_size=2),
)


def read(name: str, data: bytes, **options: str) -> list[Transfer]:
    return list(plugins.load("chains", name).read(io.BytesIO(data), Intake(NOW, options)))


def sound(name: str, data: bytes) -> None:
    """Sound transfers or an error of ours."""
    try:
        transfers = read(name, data)
    except ComityError as error:
        assert error.what
        assert error.diagnostics()
        return
    assert len({transfer.id for transfer in transfers}) == len(transfers)
    for transfer in transfers:
        assert codec.from_json(Transfer, codec.to_json(transfer)) == transfer
        assert transfer.amount is None or 0 < transfer.amount.quantity < 10**18


@pytest.mark.parametrize("name", NAMES)
@given(at=st.integers(0, 10_000), cut=st.integers(0, 40), put=st.binary(max_size=20))
def test_a_changed_sample_is_read_or_refused(name: str, at: int, cut: int, put: bytes) -> None:
    sample = plugins.load("chains", name).SAMPLE
    at %= len(sample)
    sound(name, sample[:at] + put + sample[at + cut :])


@pytest.mark.parametrize("name", NAMES)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    for head in (
        b"",
        b"{",
        b"[",
        b'{"result":[',
        b'[{"block_header":',
        b"number,hash,parent_hash,timestamp\n",
    ):
        sound(name, head + data)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key of a JSON value."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        item = stack.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, inner in list(pairs):
            found.append((item, key))
            if isinstance(inner, (dict, list)):
                stack.append(inner)
    return found


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Well-formed, of the right shape nearly everywhere: what reaches deepest into a reader."""
    answers = list(_json_stream.values(io.BytesIO(plugins.load("chains", name).SAMPLE)))
    for _ in range(data.draw(st.integers(1, 3))):
        item, key = data.draw(st.sampled_from(places(answers)))
        if data.draw(st.booleans()):
            item[key] = data.draw(ODD)
        elif isinstance(item, dict):
            item.pop(key, None)
        else:
            item.append(item[key] if key < len(item) else None)
    sound(name, "\n".join(json.dumps(answer) for answer in answers).encode())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**70), 10**70), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


class Drip(io.BytesIO):
    """A stream that gives a few bytes at a time, so that every token is cut somewhere."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(random.Random(self.tell()).randint(1, 4))


@pytest.mark.parametrize("shallow", [0, 100])
@given(st.lists(JSON, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_json_is_read_as_python_reads_it(
    shallow: int, values: list[Any], ascii_only: bool, indent: int | None
) -> None:
    """Step by step, and at once where that can be."""
    try:
        text = "\n".join(json.dumps(v, ensure_ascii=ascii_only, indent=indent) for v in values).encode()
    except UnicodeEncodeError:
        return
    expected = [part for value in values for part in (value if isinstance(value, list) else [value])]
    before = _json_stream._CHUNK, _json_stream.SHALLOW
    _json_stream._CHUNK, _json_stream.SHALLOW = 1, shallow
    try:
        assert list(_json_stream.values(Drip(text))) == expected
    except BadInput as error:
        assert "surrogate" in repr(text) or "\\ud" in repr(text), error.what
    finally:
        _json_stream._CHUNK, _json_stream.SHALLOW = before


@given(st.integers(0, 2**256 - 1), st.integers(0, 18))
def test_exact_loses_no_digit(raw: int, digits: int) -> None:
    value = exact(raw, digits)
    whole, _, part = format(value, "f").partition(".")
    assert int(whole + part.ljust(digits, "0")) == raw
    assert not part.endswith("0")


ADDRESS = st.integers(1, 6).map(lambda n: f"0x{n:040x}")


@given(
    payments=st.lists(
        st.tuples(ADDRESS, ADDRESS, st.integers(0, 10**24), st.sampled_from([0, 1, None])), max_size=8
    ),
    tokens=st.lists(st.tuples(ADDRESS, ADDRESS, st.integers(0, 10**20)), max_size=8),
    seed=st.randoms(use_true_random=False),
)
def test_sums_of_ethereum_are_right_in_any_order_of_answers(
    payments: list[tuple[str, str, int, int | None]], tokens: list[tuple[str, str, int]], seed: random.Random
) -> None:
    at = {"blockNumber": hex(NUMBER), "blockHash": BLOCK}
    txs = [
        {
            "hash": f"0x{n:064x}",
            **at,
            "from": a,
            "to": b,
            "value": hex(wei),
            "nonce": "0x0",
            "transactionIndex": hex(n),
        }
        for n, (a, b, wei, _) in enumerate(payments)
    ]
    receipts = [
        {"transactionHash": f"0x{n:064x}", **at, "status": hex(status), "logs": []}
        for n, (_, _, _, status) in enumerate(payments)
        if status is not None
    ]
    logs = [
        {"transactionHash": f"0x{99:064x}", **at, "logIndex": hex(n), "address": USDT,
         "data": f"0x{raw:064x}", "topics": ["0x" + TRANSFER, f"0x{a[2:]:0>64}", f"0x{b[2:]:0>64}"]}
        for n, (a, b, raw) in enumerate(tokens)
    ]  # fmt: skip
    head = {"number": hex(NUMBER), "hash": BLOCK, "parentHash": BLOCK, "timestamp": hex(SECONDS)}
    answers = [{**head, "transactions": txs}, *receipts, *logs, *receipts, *logs]
    seed.shuffle(answers)
    found: Counter[tuple[str, str, str]] = Counter()
    for t in read("ethereum", "\n".join(map(json.dumps, answers)).encode()):
        assert t.amount is not None
        places = 18 if t.id.endswith("value") else 6
        whole, _, part = format(t.amount.quantity, "f").partition(".")
        raw = int(whole + part.ljust(places, "0"))
        found[t.originator.address, t.beneficiary.address, "eth" if places == 18 else "usdt"] += raw
    expected: Counter[tuple[str, str, str]] = Counter()
    for a, b, wei, status in payments:
        expected[a, b, "eth"] += wei if status != 0 else 0
    for a, b, raw in tokens:
        expected[a, b, "usdt"] += raw
    assert found == +expected


@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**63 - 1), st.booleans()), max_size=8
    )
)
def test_sums_of_tron_are_right(payments: list[tuple[int, int, int, bool]]) -> None:
    txs = [
        {"txID": f"{n:064x}", "ret": [{"contractRet": "SUCCESS" if good else "REVERT"}],
         "raw_data": {"contract": [{"type": "TransferContract", "parameter": {"value": {
                "amount": sun, "owner_address": f"41{a:040x}", "to_address": f"41{b:040x}"}}}]}}
        for n, (a, b, sun, good) in enumerate(payments)
    ]  # fmt: skip
    head = {"raw_data": {"number": 1, "timestamp": SECONDS * 1000}}
    data = json.dumps({"blockID": "0" * 64, "block_header": head, "transactions": txs}).encode()
    found = sum(int(t.amount.quantity.scaleb(6)) for t in read("tron", data) if t.amount is not None)
    assert found == sum(sun for _, _, sun, good in payments if good)

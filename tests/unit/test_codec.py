"""Nouns to JSON and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from comity import codec
from comity.errors import BadInput, TooLarge
from comity.model import (
    AccountId,
    Amount,
    AssetId,
    Basis,
    Confidence,
    Deadline,
    Duty,
    Force,
    Handling,
    Message,
    MessageKind,
    Operator,
    Party,
    Provision,
    Threshold,
    Transfer,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRANSFER = Transfer(
    "t-1",
    AT,
    AccountId("acct:sg-bank:1"),
    AccountId("eip155:1:0x00000000000000000000000000000000000000aa"),
    Amount(Decimal("0.100000000000000001"), AssetId("eip155:1/slip44:60")),
    originator_party=Party("José Ω"),
)
MESSAGE = Message(
    "m-1", MessageKind.REPLY, "a", "b", "c", AT, AT.replace(day=2), Handling("money_laundering"), {"x": [1]}
)


def test_round_trip_is_exact_and_canonical() -> None:
    data = codec.to_json(TRANSFER)
    assert codec.from_json(Transfer, data) == TRANSFER
    assert data == codec.canonical(json.loads(data))
    assert b'"acct:sg-bank:1"' in data, "identifiers are plain strings"
    assert "José Ω".encode() in data


@pytest.mark.parametrize(
    "value",
    [
        Threshold(Operator.OVER, Decimal("1500.50"), "SGD"),
        Deadline(5, "working_day"),
        True,
        5,
        "text",
        ("a",),
        None,
    ],
)
def test_an_answer_keeps_its_type(value: object) -> None:
    provision = Provision("sg", "q", value, "s", Confidence.LOW, Basis.UNKNOWN)  # type: ignore[arg-type]
    duty = Duty("k", "w", "x", "sg", Force.REQUIRED, provision, due=AT)
    back = codec.from_json(Duty, codec.to_json(duty))
    assert back == duty
    assert type(back.provision.value) is type(value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"originator": "nonsense"}, "not an account id"),
        ({"amount": {"quantity": "NaN", "asset": "iso4217:EUR"}}, "amount.quantity"),
        ({"amount": {"quantity": "1", "asset": "EUR"}}, "not an asset id"),
        ({"time": "yesterday"}, "time"),
        ({"id": 5}, "id"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], where: str) -> None:
    plain = {**json.loads(codec.to_json(TRANSFER)), **change}
    with pytest.raises(BadInput) as caught:
        codec.from_json(Transfer, json.dumps(plain).encode())
    assert where in caught.value.what


def test_hostile_documents_are_refused() -> None:
    for data in (b"[" * 100_000, b'{"a":' * 10_000, b"", b"\xff", b'"\\ud800"', b"NaN"):
        with pytest.raises(BadInput):
            codec.from_json(Message, data)
    with pytest.raises(TooLarge):
        codec.from_json(Message, b" " * 11, limit=10)
    with pytest.raises(BadInput, match="JSON"):
        codec.canonical({"x": float("inf")})


def test_from_plain_names_the_field() -> None:
    assert codec.from_plain(Message, codec.to_plain(MESSAGE)) == MESSAGE
    with pytest.raises(BadInput, match="kind"):
        codec.from_plain(Message, {**codec.to_plain(MESSAGE), "kind": "shout"})
    assert codec.to_plain(None) is None

"""Which accounts are within reach."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from comity.errors import BadInput, NotFound
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AssetId, Transfer
from comity.tracing import _state
from comity.tracing.reach import reach, reached
from comity.tracing.trace import Direction

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
Pay = Callable[..., Transfer]


@pytest.fixture
def payments(pay: Pay) -> list[Transfer]:
    return [
        pay(0, "C", "E", "1"),  # before C was reached
        pay(1, "A", "B", "1"),
        pay(2, "B", "C", None),  # of whatever value
        pay(3, "C", "D", "1"),
        pay(4, "A", "C", "1"),
        pay(5, "C", "F", "1"),
    ]


def hour(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def test_in_order_of_time_over_the_fewest_hops(payments: list[Transfer]) -> None:
    columns = build(payments, EURO)
    found = reach(columns, "acct:X:A")
    assert [columns.accounts[a][-1] for a in found.account] == ["B", "C", "D", "F"] and len(found) == 4
    assert found.found("acct:X:C") == (1, hour(2))  # one hop, but earlier over two
    assert found.found("acct:X:D") == (3, hour(3))
    assert found.found("acct:X:F") == (2, hour(5))
    assert found.found("acct:X:E") is None and found.found("acct:X:A") is None
    assert found.transfers == 5
    assert len(reach(columns, "acct:X:A", hops=1)) == 2
    assert len(reach(columns, "acct:X:A", time=hour(3.5))) == 2
    assert len(reach(columns, "acct:X:A", until=hour(2))) == 2


def test_backward(payments: list[Transfer]) -> None:
    columns = build(payments, EURO)
    found = reach(columns, "acct:X:D", Direction.BACKWARD)
    assert [columns.accounts[a][-1] for a in found.account] == ["A", "B", "C"]
    assert found.found("acct:X:A") == (3, hour(1))
    assert len(reach(columns, "acct:X:D", Direction.BACKWARD, until=hour(2))) == 2


def test_a_transaction_is_no_hop(spend: Callable[..., list[Transfer]]) -> None:
    chain = [(f"w{i}", f"w{i + 1}") for i in range(4)]
    columns = build([t for i, (a, b) in enumerate(chain) for t in spend(i, 0, [(a, "1")], [(b, "1")])], BTC)
    for plan in (_state.WALK, _state.SWEEP):
        found = reached(columns, f"{BITCOIN}:w0", Direction.FORWARD, 3, None, None, plan)
        assert found.found(f"{BITCOIN}:w3") == found.found(f"{BITCOIN}:tx-2") == (3, BEGIN)
        assert found.found(f"{BITCOIN}:w4") is found.found(f"{BITCOIN}:tx-3") is None
        assert len(found) == found.transfers == 6


def test_what_makes_no_sense_is_refused(payments: list[Transfer]) -> None:
    with pytest.raises(BadInput, match="0 hops"):
        reach(build(payments, EURO), "acct:X:A", hops=0)
    with pytest.raises(NotFound):
        reach(build(payments, EURO), "acct:X:NOBODY")

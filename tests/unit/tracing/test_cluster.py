"""Clusters by co-spending."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.errors import BadInput, NotFound
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, Transfer
from comity.tracing.cluster import cluster

Spend = Callable[..., list[Transfer]]


def wallets(*names: str) -> tuple[str, ...]:
    return tuple(f"{BITCOIN}:{name}" for name in names)


def test_inputs_of_one_transaction_have_one_owner_and_so_on(spend: Spend) -> None:
    found = cluster(
        build(
            [
                *spend(1, 0, [("e", "1"), ("b", "1")], [("x", "2")]),
                *spend(2, 1, [("c", "1"), ("d", "1")], [("y", "2")]),
                *spend(3, 2, [("d", "1"), ("e", None)], [("z", "2")]),
                *spend(4, 3, [("f", "1"), ("f", "1")], [("z", "2")]),
            ],
            BTC,
        )
    )
    assert found.members(*wallets("c")) == wallets("b", "c", "d", "e")
    assert found.members(*wallets("f")) == wallets("f")
    assert found.members(*wallets("x")) == wallets("x")
    assert found.sizes() == {wallets("b")[0]: 4}
    assert found.kept_apart == ()


def test_a_coinjoin_joins_nobody_and_says_why(spend: Spend) -> None:
    join = spend(
        1, 0, [("a", "1.2"), ("b", "1.1"), ("c", "1.3")], [("x", "1"), ("y", "1"), ("z", "1"), ("a", "0.5")]
    )
    found = cluster(build(join, BTC))
    assert found.sizes() == {}
    (kept,) = found.kept_apart
    assert kept.transaction.endswith(":tx-1")
    assert kept.reason == "It looks like a CoinJoin: 3 accounts put in, 3 outputs are worth exactly 1 each."
    assert cluster(build(join, BTC), equal_outputs=4).sizes() == {wallets("a")[0]: 3}


def test_two_who_pay_three_alike_are_no_coinjoin(spend: Spend) -> None:
    payroll = spend(1, 0, [("a", "2"), ("b", "1")], [("x", "1"), ("y", "1"), ("z", "1")])
    assert cluster(build(payroll, BTC)).sizes() == {wallets("a")[0]: 2}


def test_what_makes_no_sense_is_refused(spend: Spend) -> None:
    columns = build(spend(1, 0, [("a", "1")], [("b", "1")]), BTC)
    with pytest.raises(BadInput, match="below 2"):
        cluster(columns, equal_outputs=1)
    with pytest.raises(NotFound):
        cluster(columns).members("acct:X:1")

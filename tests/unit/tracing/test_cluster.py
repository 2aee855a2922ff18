"""Clusters by co-spending."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

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


def mix(spend: Spend, number: int, ins: int, outs: list[str], payers: int = 0) -> list[Transfer]:
    """A transaction of so many inputs, of (as many) accounts, and these outputs to different accounts."""
    paid = [(f"{number}in{i % (payers or ins):03}", "9") for i in range(ins)]
    return spend(number, number, paid, [(f"{number}out{i:03}", worth) for i, worth in enumerate(outs)])


def test_whirlpool_is_told_by_its_pools(spend: Spend) -> None:
    found = cluster(build(mix(spend, 1, 5, ["0.05"] * 5), BTC), equal_outputs=5)
    assert [kept.reason for kept in found.kept_apart] == [
        (
            "It looks like a CoinJoin: 5 accounts put in, 5 outputs are worth 0.05 each, a size of "
            "Whirlpool's pools."
        )
    ]
    other = cluster(build(mix(spend, 1, 5, ["0.06"] * 5), BTC))
    assert "exactly 0.06 each" in other.kept_apart[0].reason


def test_wasabi_1_has_change_beside_equal_outputs(spend: Spend) -> None:
    outs = ["0.1"] * 12 + [f"0.{i}7" for i in range(1, 9)]
    found = cluster(build(mix(spend, 1, 14, outs), BTC))
    assert found.sizes() == {} and "14 accounts put in, 12 outputs" in found.kept_apart[0].reason


def test_wasabi_2_has_many_sizes_and_few_of_each(spend: Spend) -> None:
    outs = [f"0.{size:03}" for size in range(1, 16) for _ in range(2)]
    found = cluster(build(mix(spend, 1, 60, outs, payers=40), BTC))
    assert [kept.reason for kept in found.kept_apart] == [
        (
            "It looks like a CoinJoin: 40 accounts put in, 30 outputs share their worth with others, "
            "as in Wasabi 2."
        )
    ]
    few = cluster(build(mix(spend, 1, 60, outs, payers=10), BTC))  # one wallet with a lot to collect
    assert few.kept_apart == () and list(few.sizes().values()) == [10]


def test_equal_outputs_to_one_account_are_no_coinjoin(spend: Spend) -> None:
    same = spend(1, 0, [(name, "2") for name in "abc"], [("x", "1"), ("x", "1"), ("x", "1")])
    assert cluster(build(same, BTC)).sizes() == {wallets("a")[0]: 3}


def test_clusters_are_what_a_search_through_the_graph_finds(spend: Spend) -> None:
    random = Random(7)
    transfers = [
        one
        for number in range(60)
        for one in spend(
            number, number, [(f"w{random.randrange(80):02}", "1") for _ in range(random.randrange(1, 4))], []
        )
    ]
    columns = build(transfers, BTC)
    found = cluster(columns)
    together = {account: {account} for account in columns.accounts}
    for hub in {str(t.beneficiary) for t in transfers}:
        joined = set().union(*(together[str(t.originator)] for t in transfers if str(t.beneficiary) == hub))
        for account in joined:
            together[account] = joined
    for account in columns.accounts:
        assert set(found.members(account)) == together[account]
        assert columns.accounts[found.owner[columns.accounts.index(account)]] == min(together[account])

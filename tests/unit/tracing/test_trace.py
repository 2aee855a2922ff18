"""Following value forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.errors import BadInput, NotFound
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AssetId, Transfer
from comity.tracing.trace import Bounds, Direction, Method, Stop, Trace, compare, spread, trace

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ALL = Bounds(min_share=0)
Pay = Callable[..., Transfer]
Spend = Callable[..., list[Transfer]]


def name(account: str) -> str:
    return account.rsplit(":", 1)[1]


def leaves(found: Trace) -> dict[tuple[str, Stop], Decimal]:
    return {(name(leaf.account), leaf.reason): leaf.value for leaf in found.leaves}


def steps(found: Trace) -> dict[tuple[str, str], Decimal]:
    return {(name(s.source), name(s.target)): s.value for s in found.steps}


def euros(*transfers: Transfer, **options: object) -> Trace:
    start = str(options.pop("start", "acct:X:A"))
    options.setdefault("bounds", ALL)
    return trace(build(transfers, EURO), start, **options)  # type: ignore[arg-type]


def test_value_is_carried_on_in_proportion(pay: Pay) -> None:
    found = euros(
        pay(0, "CLEAN", "B", "300"),
        pay(1, "A", "B", "100"),
        pay(2, "B", "C", "200"),  # half of the 400 there, so half of the 100
        pay(3, "B", "D", "100"),  # half of the 200 left
    )
    assert found.value == 100
    assert steps(found) == {("A", "B"): 100, ("B", "C"): 50, ("B", "D"): 25}
    assert leaves(found) == {("B", Stop.HELD): 25, ("C", Stop.HELD): 50, ("D", Stop.HELD): 25}
    assert [s.hop for s in found.steps] == [1, 2, 2]
    assert not found.estimated


def test_what_left_before_it_came_is_not_followed(pay: Pay) -> None:
    found = euros(pay(0, "B", "C", "100"), pay(1, "A", "B", "100"), pay(2, "B", "D", "60"))
    assert steps(found) == {("A", "B"): 100, ("B", "D"): 60}


def test_an_account_that_began_before_the_ledger_is_never_overdrawn(pay: Pay) -> None:
    found = euros(
        pay(0, "B", "SHOP", "300"),  # so B opened with at least 300
        pay(1, "A", "B", "100"),
        pay(2, "B", "C", "100"),
    )
    assert steps(found)[("B", "C")] == 100
    mixed = euros(pay(1, "A", "B", "100"), pay(2, "B", "C", "400"))
    assert steps(mixed)[("B", "C")] == 100


def test_backward_is_in_proportion_too(pay: Pay) -> None:
    found = euros(
        pay(0, "X", "B", "300"),
        pay(1, "Y", "B", "100"),
        pay(2, "B", "A", "200"),
        pay(3, "Z", "B", "999"),  # later than what A got
        direction=Direction.BACKWARD,
    )
    assert steps(found) == {("X", "B"): 150, ("Y", "B"): 50, ("B", "A"): 200}
    assert [s.hop for s in found.steps] == [2, 2, 1]
    assert leaves(found) == {("X", Stop.HELD): 150, ("Y", Stop.HELD): 50}


def test_an_amount_at_a_time(pay: Pay) -> None:
    transfers = [pay(0, "V", "A", "1000"), pay(1, "A", "B", "400"), pay(5, "A", "C", "300")]
    found = euros(*transfers, amount=Decimal(600), time=BEGIN + timedelta(hours=2))
    assert found.value == 600 and steps(found) == {("A", "C"): 300}
    assert leaves(found) == {("C", Stop.HELD): 300, ("A", Stop.HELD): 300}
    all_since = euros(*transfers, time=BEGIN + timedelta(hours=2))
    assert all_since.value == 300
    back = euros(
        *transfers, direction=Direction.BACKWARD, amount=Decimal(500), time=BEGIN + timedelta(hours=2)
    )
    assert steps(back) == {("V", "A"): 500}


def test_it_ends_at_services_and_at_each_bound(pay: Pay) -> None:
    chain = [pay(i, f"{'ABCDE'[i]}", f"{'ABCDE'[i + 1]}", "100") for i in range(4)]
    assert leaves(euros(*chain, services={"acct:X:C"})) == {("C", Stop.SERVICE): 100}
    assert leaves(euros(*chain, services=lambda a: a.endswith("D"))) == {("D", Stop.SERVICE): 100}
    assert leaves(euros(*chain, bounds=Bounds(hops=2))) == {("C", Stop.HOPS): 100}
    assert leaves(euros(*chain, bounds=Bounds(max_nodes=2))) == {("C", Stop.NODES): 100}
    until = Bounds(until=BEGIN + timedelta(hours=1))
    assert leaves(euros(*chain, bounds=until)) == {("C", Stop.TIME): 100}
    back = euros(*chain, start="acct:X:E", direction=Direction.BACKWARD, bounds=until)
    assert leaves(back) == {("B", Stop.TIME): 100}


def test_dust_is_left_where_it_was(pay: Pay) -> None:
    transfers = [
        pay(0, "A", "B", "100"),
        pay(1, "B", "C", "4"),
        pay(2, "B", "D", "93"),
        pay(3, "B", "E", "3"),
    ]
    found = euros(*transfers, bounds=Bounds(min_share=0.05))
    assert leaves(found) == {("B", Stop.DUST): 7, ("D", Stop.HELD): 93}


def test_what_comes_back_to_the_start_stays_there(pay: Pay) -> None:
    found = euros(pay(0, "A", "B", "100"), pay(1, "B", "A", "100"), pay(2, "A", "C", "70"))
    assert found.value == 170
    assert leaves(found) == {("A", Stop.HELD): 100, ("C", Stop.HELD): 70}


def test_a_transfer_of_unknown_value_takes_an_equal_part(pay: Pay) -> None:
    found = euros(pay(0, "A", "B", "100"), pay(1, "B", "C", None), pay(2, "B", "D", "50"))
    assert steps(found)[("B", "C")] == 50
    assert found.estimated and [s.estimated for s in found.steps] == [False, True, False]


def test_through_a_transaction_and_its_change(spend: Spend) -> None:
    columns = build(
        [
            *spend(1, 0, [("a", "10")], [("b", "10")]),
            *spend(2, 1, [("b", "10"), ("x", "30")], [("c", "20"), ("b", "19")]),
            *spend(3, 2, [("b", "19")], [("d", "19")]),
        ],
        BTC,
    )
    found = trace(columns, f"{BITCOIN}:a", bounds=ALL)
    got = steps(found)
    assert got[("b", "tx-2")] == 10
    assert (got[("tx-2", "c")], got[("tx-2", "b")]) == (5, Decimal("4.75"))
    assert leaves(found)[("tx-2", Stop.FEE)] == Decimal("0.25")
    assert got[("b", "tx-3")] == got[("tx-2", "b")]
    hops = {(name(s.source), name(s.target)): s.hop for s in found.steps}
    assert hops[("a", "tx-1")] == hops[("tx-1", "b")] == 1
    assert hops[("tx-2", "c")] == 2


def test_within_one_block_value_goes_on(spend: Spend) -> None:
    columns = build([*spend(2, 0, [("a", "5")], [("b", "5")]), *spend(1, 0, [("b", "5")], [("c", "5")])], BTC)
    assert leaves(trace(columns, f"{BITCOIN}:a", bounds=ALL)) == {("c", Stop.HELD): 5}


def test_unknown_inputs_are_equal_parts_of_what_is_left(spend: Spend) -> None:
    columns = build(spend(1, 0, [("a", None), ("b", None), ("c", "2")], [("d", "8"), ("e", "2")]), BTC)
    found = trace(columns, f"{BITCOIN}:a", bounds=ALL)
    assert found.value == 4
    assert steps(found) == {("a", "tx-1"): 4, ("tx-1", "d"): Decimal("3.2"), ("tx-1", "e"): Decimal("0.8")}
    assert found.estimated
    back = trace(columns, f"{BITCOIN}:d", Direction.BACKWARD, bounds=ALL)
    assert leaves(back) == {
        ("a", Stop.HELD): Decimal("3.2"),
        ("b", Stop.HELD): Decimal("3.2"),
        ("c", Stop.HELD): Decimal("1.6"),
    }


def test_an_output_of_unknown_value_and_a_transaction_without_outputs(spend: Spend) -> None:
    columns = build(spend(1, 0, [("a", "10")], [("b", "4"), ("c", None)]), BTC)  # type: ignore[list-item]
    assert leaves(trace(columns, f"{BITCOIN}:a", bounds=ALL)) == {("b", Stop.HELD): 4, ("c", Stop.HELD): 6}
    burnt = build(spend(1, 0, [("a", "10")], []), BTC)
    assert leaves(trace(burnt, f"{BITCOIN}:a", bounds=ALL)) == {("tx-1", Stop.HELD): 10}
    blind = build(spend(1, 0, [("a", "10")], [("b", "0"), ("c", "0")]), BTC)
    assert leaves(trace(blind, f"{BITCOIN}:a", bounds=ALL)) == {("tx-1", Stop.FEE): 10}


def test_an_account_that_sends_nothing_has_nothing_to_trace(pay: Pay) -> None:
    found = euros(pay(0, "A", "B", "100"), start="acct:X:B")
    assert found.value == 0 and found.steps == () and found.leaves == ()


def test_a_thousand_transfers_of_one_account_are_walked_once(pay: Pay) -> None:
    many = [pay(1 + i, "B", f"C{i}", "1") for i in range(1000)]
    found = euros(pay(0, "A", "B", "1000"), *many)
    assert len(found.steps) == 1001 and sum(leaf.value for leaf in found.leaves) == 1000


def test_what_makes_no_sense_is_refused(pay: Pay) -> None:
    with pytest.raises(NotFound, match="no account 'acct:X:Q'"):
        euros(pay(0, "A", "B", "1"), start="acct:X:Q")
    with pytest.raises(BadInput, match="amount of 0"):
        euros(pay(0, "A", "B", "1"), amount=Decimal(0))
    for bounds in (Bounds(hops=0), Bounds(max_nodes=0), Bounds(min_share=1.0)):
        with pytest.raises(BadInput, match="nothing to trace"):
            euros(pay(0, "A", "B", "1"), bounds=bounds)


@pytest.fixture
def mixed(pay: Pay) -> list[Transfer]:
    """B has 300 of its own, gets 100 from A, then 100 from elsewhere, and pays 150 and 250."""
    return [
        pay(0, "CLEAN", "B", "300"),
        pay(1, "A", "B", "100"),
        pay(2, "LATE", "B", "100"),
        pay(3, "B", "C", "150"),
        pay(4, "B", "D", "250"),
    ]


@pytest.mark.parametrize(
    ("method", "ends"),
    [
        (Method.HAIRCUT, {"B": 20, "C": 30, "D": 50}),
        (Method.FIFO, {"D": 100}),  # C gets 150 of the first 300; D the rest of them and A's 100
        (Method.LIFO, {"C": 50, "D": 50}),  # C gets the 100 that came last, then 50 of A's
        (Method.POISON, {"C": 100, "D": 0, "B": 0}),
    ],
)
def test_each_method_tells_mixed_value_apart_in_its_way(
    mixed: list[Transfer], method: Method, ends: dict[str, int]
) -> None:
    found = euros(*mixed, method=method)
    assert found.method is method
    assert {name(leaf.account): leaf.value for leaf in found.leaves} == ends
    assert {leaf.reason for leaf in found.leaves} == {Stop.HELD}


def test_poison_states_what_is_tainted_at_most(mixed: list[Transfer]) -> None:
    found = euros(*mixed, method=Method.POISON)
    assert {name(leaf.account): leaf.tainted for leaf in found.leaves} == {"B": 100, "C": 150, "D": 250}
    assert [step.tainted for step in found.steps] == [100, 150, 250]
    assert all(leaf.tainted is None for leaf in euros(*mixed).leaves)


def test_methods_side_by_side_and_how_far_they_differ(mixed: list[Transfer]) -> None:
    traces = compare(build(mixed, EURO), "acct:X:A", bounds=ALL)
    assert set(traces) == set(Method) and all(found.value == 100 for found in traces.values())
    by = {name(one.account): (one.lowest, one.highest) for one in spread(traces)}
    assert by == {"B": (0, 100), "C": (0, 100), "D": (0, 100)}
    (one,) = (one for one in spread(traces) if name(one.account) == "C")
    assert one.by_method == {Method.HAIRCUT: 30, Method.POISON: 100, Method.FIFO: 0, Method.LIFO: 50}


def test_units_keep_their_order_through_a_transaction_and_the_fee_comes_last(spend: Spend) -> None:
    columns = build(spend(1, 0, [("x", "3"), ("a", "5")], [("c", "4"), ("d", "3")]), BTC)
    first = trace(columns, f"{BITCOIN}:a", bounds=ALL, method=Method.FIFO)
    assert leaves(first) == {("c", Stop.HELD): 1, ("d", Stop.HELD): 3, ("tx-1", Stop.FEE): 1}
    last = trace(columns, f"{BITCOIN}:a", bounds=ALL, method=Method.LIFO)
    assert leaves(last) == {("c", Stop.HELD): 4, ("d", Stop.HELD): 1}


def test_money_of_the_start_is_not_spent_before_it_comes(pay: Pay) -> None:
    """B has 200 of its own; A pays it 100 early, and 100 long after B has paid C."""
    found = euros(
        pay(0, "CLEAN", "B", "200"), pay(1, "A", "B", "100"), pay(2, "B", "C", "150"), pay(9, "A", "B", "100")
    )
    assert steps(found)[("B", "C")] == 50


def test_an_amount_came_in_last(pay: Pay) -> None:
    transfers = [pay(0, "X", "A", "50"), pay(2, "A", "B", "30"), pay(3, "A", "C", "70")]
    options = {"amount": Decimal(40), "time": BEGIN + timedelta(hours=1)}
    assert leaves(euros(*transfers, **options, method=Method.LIFO)) == {
        ("B", Stop.HELD): 30,
        ("C", Stop.HELD): 10,
    }
    # A opened with 50, so that it could pay 100; then came X's 50, and 40 of them are the last.
    assert leaves(euros(*transfers, **options, method=Method.FIFO)) == {("C", Stop.HELD): 40}


@pytest.mark.parametrize("method", Method)
def test_more_than_an_account_held_is_all_it_held_and_more(pay: Pay, method: Method) -> None:
    found = euros(
        pay(0, "X", "A", "50"),
        pay(2, "A", "B", "30"),
        amount=Decimal(500),
        time=BEGIN + timedelta(hours=1),
        method=method,
    )
    assert leaves(found) == {("B", Stop.HELD): 30, ("A", Stop.HELD): 470}


@pytest.mark.parametrize("method", Method)
def test_every_method_ends_at_each_bound(pay: Pay, method: Method) -> None:
    chain = [pay(i, f"{'ABCDE'[i]}", f"{'ABCDE'[i + 1]}", "100") for i in range(4)]
    assert leaves(euros(*chain, services={"acct:X:C"}, method=method)) == {("C", Stop.SERVICE): 100}
    assert leaves(euros(*chain, bounds=Bounds(hops=2), method=method)) == {("C", Stop.HOPS): 100}
    assert leaves(euros(*chain, bounds=Bounds(max_nodes=2), method=method)) == {("C", Stop.NODES): 100}
    until = Bounds(until=BEGIN + timedelta(hours=1))
    assert leaves(euros(*chain, bounds=until, method=method)) == {("C", Stop.TIME): 100}


def test_an_amount_below_the_smallest_unit_is_refused(pay: Pay) -> None:
    with pytest.raises(BadInput, match="cannot trace an amount"):
        euros(pay(0, "A", "B", "1"), amount=Decimal("0.00001"))


def test_a_service_is_asked_of_each_account_once(pay: Pay) -> None:
    asked: list[str] = []
    chain = [pay(i, f"{'ABCDE'[i % 3]}", f"{'ABCDE'[(i + 1) % 3]}", "100") for i in range(12)]
    found = euros(*chain, services=lambda account: bool(asked.append(account)))  # type: ignore[func-returns-value]
    assert sorted(asked) == ["acct:X:A", "acct:X:B", "acct:X:C"] and found.steps


def test_values_near_the_largest_are_divided_exactly(pay: Pay) -> None:
    huge = "90000000000000"  # 9 * 10**17 units, so that a product needs 120 bits
    found = euros(
        pay(0, "CLEAN", "B", huge), pay(1, "A", "B", "70000000000001"), pay(2, "B", "C", "80000000000000")
    )
    expected = 700000000000010000 * 800000000000000000 // 1600000000000010000
    assert steps(found)[("B", "C")] == Decimal(expected).scaleb(-4)


@pytest.mark.parametrize("direction", Direction)
def test_inputs_and_outputs_have_the_order_of_their_numbers(spend: Spend, direction: Direction) -> None:
    """Not that of their ids as text, in which 10 comes before 2."""
    many = [(f"in{i}", "1") for i in range(12)]
    columns = build(spend(1, 0, many, [(f"out{i}", "1") for i in range(12)]), BTC)
    here, there = ("in", "out") if direction is Direction.FORWARD else ("out", "in")
    for i in (0, 2, 10, 11):
        found = trace(columns, f"{BITCOIN}:{here}{i}", direction, bounds=ALL, method=Method.FIFO)
        assert leaves(found) == {(f"{there}{i}", Stop.HELD): 1}
        last = trace(columns, f"{BITCOIN}:{here}{i}", direction, bounds=ALL, method=Method.LIFO)
        assert leaves(last) == {(f"{there}{11 - i}", Stop.HELD): 1}

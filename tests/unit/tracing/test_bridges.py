"""Over a bridge: the two sides are paired by value and time, and a pairing is only ever inferred."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.errors import BadInput
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AssetId, Transfer
from comity.tracing.exposure import exposures
from comity.tracing.trace import Bounds, Bridges, Direction, Method, Stop, Trace, trace

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ALL = Bounds(min_share=0)
SIDES = {"acct:X:IN": "acct:X:OUT"}
Pay = Callable[..., Transfer]
Spend = Callable[..., list[Transfer]]


def name(account: str) -> str:
    return account.rsplit(":", 1)[1]


def leaves(found: Trace) -> dict[tuple[str, Stop], Decimal]:
    return {(name(leaf.account), leaf.reason): leaf.value for leaf in found.leaves}


def euros(*transfers: Transfer, start: str = "A", **options: object) -> Trace:
    options = {"bounds": ALL, "bridges": SIDES, **options}
    return trace(build(transfers, EURO), f"acct:X:{start}", **options)  # type: ignore[arg-type]


@pytest.fixture
def crossing(pay: Pay) -> list[Transfer]:
    return [
        pay(0, "A", "IN", "100"),
        pay(0.1, "Z", "IN", "500"),
        pay(0.5, "OUT", "B", "99.5"),
        pay(0.6, "OUT", "Y", "498"),
        pay(2, "B", "C", "99.5"),
    ]


@pytest.mark.parametrize("method", Method)
def test_it_goes_on_at_the_other_side_and_says_why(crossing: list[Transfer], method: Method) -> None:
    found = euros(*crossing, method=method)
    assert leaves(found) == {("C", Stop.HELD): Decimal("99.5"), ("IN", Stop.FEE): Decimal("0.5")}
    assert [(name(s.source), name(s.target), s.inferred, s.hop) for s in found.steps] == [
        ("A", "IN", False, 1),
        ("OUT", "B", True, 2),
        ("B", "C", False, 3),
    ]
    assert found.inferred and found.steps[1].via == "acct:X:IN" and found.steps[0].reason == ""
    assert found.steps[1].reason == (
        "The bridge took 100 EUR at acct:X:IN and paid 99.5 EUR from acct:X:OUT 30 minutes later: "
        "no other pair fits."
    )


@pytest.mark.parametrize("method", Method)
def test_and_back(crossing: list[Transfer], method: Method) -> None:
    found = euros(*crossing, start="C", direction=Direction.BACKWARD, method=method)
    assert leaves(found) == {("A", Stop.HELD): Decimal("99.5")}
    assert [s.inferred for s in found.steps] == [True, False, False]
    assert found.steps[0].via == "acct:X:OUT"


def test_a_function_or_several_accounts_may_be_the_other_side(crossing: list[Transfer]) -> None:
    sides = {"acct:X:IN": ["acct:X:OUT", "acct:X:NOWHERE"]}
    expected = euros(*crossing)
    assert euros(*crossing, bridges=sides) == expected
    assert euros(*crossing, bridges={"acct:X:OUT": "acct:X:IN"}) == expected
    assert euros(*crossing, bridges=lambda account: sides.get(account)) == expected


def test_where_several_payouts_fit_it_ends(crossing: list[Transfer], pay: Pay) -> None:
    found = euros(*crossing, pay(0.7, "OUT", "D", "100"))
    assert leaves(found) == {("IN", Stop.BRIDGE): 100}
    assert Stop.BRIDGE.value == "bridge: several payouts fit"


def test_where_the_payout_fits_several_deposits_it_ends(crossing: list[Transfer], pay: Pay) -> None:
    assert leaves(euros(*crossing, pay(0.2, "Q", "IN", "99.9"))) == {("IN", Stop.BRIDGE): 100}


def test_where_no_payout_fits_it_ends(crossing: list[Transfer]) -> None:
    soon = Bridges(SIDES, within=timedelta(minutes=10))
    assert leaves(euros(*crossing, bridges=soon)) == {("IN", Stop.NO_PAYOUT): 100}
    exact = Bridges(SIDES, tolerance=0.001)
    assert leaves(euros(*crossing, bridges=exact)) == {("IN", Stop.NO_PAYOUT): 100}
    with pytest.raises(BadInput, match="pair nothing"):
        Bridges(SIDES, tolerance=1)


def test_value_over_a_bridge_does_not_leave_before_it_comes(crossing: list[Transfer], pay: Pay) -> None:
    early = [pay(0, "A", "B", "100"), pay(0.3, "B", "E", "100")]
    found = euros(*crossing, *early)
    assert leaves(found)[("E", Stop.HELD)] == 100
    assert leaves(found)[("C", Stop.HELD)] == Decimal("99.5")


def test_a_payout_through_a_transaction(spend: Spend) -> None:
    columns = build(
        [
            *spend(1, 0, [("a", "5")], [("in", "5")]),
            *spend(2, 1, [("out", "9")], [("b", "4.99"), ("out", "4.01")]),
            *spend(3, 2, [("b", "4.99")], [("c", "4.99")]),
        ],
        BTC,
    )
    sides = {f"{BITCOIN}:in": f"{BITCOIN}:out"}
    found = trace(columns, f"{BITCOIN}:a", bounds=ALL, bridges=sides)
    assert leaves(found) == {("c", Stop.HELD): Decimal("4.99"), ("in", Stop.FEE): Decimal("0.01")}
    assert [name(s.source) for s in found.steps if s.inferred] == ["tx-2"]
    back = trace(columns, f"{BITCOIN}:c", Direction.BACKWARD, bounds=ALL, bridges=sides)
    assert leaves(back) == {("a", Stop.HELD): Decimal("4.99")}


def test_bounds_hold_at_a_bridge_too(crossing: list[Transfer]) -> None:
    assert leaves(euros(*crossing, bounds=Bounds(hops=1))) == {("IN", Stop.HOPS): 100}
    services = {"acct:X:B"}
    assert leaves(euros(*crossing, services=services))[("B", Stop.SERVICE)] == Decimal("99.5")


def test_exposure_over_a_bridge_has_its_path(crossing: list[Transfer]) -> None:
    named = {"acct:X:C": ("Shop", "scam")}
    found = exposures(build(crossing, EURO), "acct:X:A", named, bounds=ALL, bridges=SIDES)
    (one,) = found
    assert [name(step.target) for step in one.path] == ["IN", "B", "C"] and one.hops == 3
    assert one.path == one.steps and one.share == pytest.approx(0.995)

"""Exposure to accounts that are named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.errors import NotFound
from comity.ledger.columns import build
from comity.model import AssetId, Columns, FindingKind, Level, Transfer
from comity.tracing.exposure import exposure, exposures
from comity.tracing.trace import Direction, Method

EURO = AssetId("iso4217:EUR")
Pay = Callable[..., Transfer]
NAMED = {
    "acct:X:DARK": ("Hydra", "darknet market"),
    "acct:X:MIX": ("Blender", "mixer"),
    "acct:X:MIX2": ("Sinbad", "mixer"),
}


def test_direct_and_through_others(pay: Pay) -> None:
    columns = build(
        [
            pay(0, "DARK", "A", "100"),
            pay(1, "MIX", "B", "50"),
            pay(2, "CLEAN", "B", "50"),
            pay(3, "B", "A", "100"),
            pay(4, "A", "MIX2", "20"),
        ],
        EURO,
    )
    found = exposure(columns, "acct:X:A", NAMED)
    by = {
        (f.reasons[0].split(" of what")[1].split("(")[0].strip(), f.reasons[0].rsplit("(", 1)[1]): f
        for f in found
    }
    assert len(by) == len(found) == 3
    assert all(f.kind is FindingKind.EXPOSURE and f.level is Level.ALERT for f in found)
    dark = by[("the account received", "darknet market).")]
    assert dict(dark.features) == {"direct": 100.0, "indirect": 0.0, "share": 0.5, "hops": 1.0}
    assert dark.score == 0.75 and dark.evidence == ("t0000",)
    mixed = by[("the account received", "mixer).")]
    assert dict(mixed.features) == {"direct": 0.0, "indirect": 50.0, "share": 0.25, "hops": 2.0}
    assert mixed.evidence == ("t0001", "t0003")
    assert mixed.reasons[0] == (
        "25.0% of what the account received (50 of 200 EUR) comes from Blender (mixer)."
    )
    sent = by[("the account sent", "mixer).")]
    assert sent.evidence == ("t0004",) and "went to Sinbad" in sent.reasons[0]


def test_a_little_through_others_is_to_watch(pay: Pay) -> None:
    columns = build([pay(0, "MIX", "B", "5"), pay(1, "C", "B", "95"), pay(2, "B", "A", "100")], EURO)
    (found,) = exposure(columns, "acct:X:A", NAMED)
    assert found.level is Level.WATCH and found.score == pytest.approx(0.25)
    assert exposure(columns, "acct:X:A", NAMED, services={"acct:X:B"}) == ()


def test_many_names_are_counted_and_estimates_are_said(pay: Pay) -> None:
    named = {f"acct:X:M{i}": (f"Mixer {i}", "mixer") for i in range(5)}
    columns = build(
        [*(pay(i, f"M{i}", "B", "10") for i in range(5)), pay(9, "B", "A", None), pay(10, "C", "A", "9")],
        EURO,
    )
    assert exposure(columns, "acct:X:C", named) == ()
    (found,) = exposure(columns, "acct:X:B", named)
    assert "Mixer 0, Mixer 1, Mixer 2 and 2 more (mixer)" in found.reasons[0]
    known = [pay(i, f"M{i}", "B", "10") for i in range(2)]
    columns = build([*known, pay(8, "B", "C", None), pay(9, "C", "D", "5")], EURO)
    (found,) = exposure(columns, "acct:X:M0", {"acct:X:C": ("Shop", "scam")})
    assert found.reasons[-1] == "Some values on the way are not known and were taken to be equal parts."


def test_an_account_is_not_exposed_to_itself(pay: Pay) -> None:
    columns = build([pay(0, "DARK", "B", "5"), pay(1, "B", "DARK", "5")], EURO)
    assert exposure(columns, "acct:X:DARK", NAMED) == ()
    with pytest.raises(NotFound):
        exposure(columns, "acct:X:NOBODY", NAMED)


@pytest.fixture
def mixing(pay: Pay) -> Columns:
    """B had 100 before, got 100 from the market, and paid A 100, then E 100."""
    return build(
        [
            pay(0, "CLEAN", "B", "100"),
            pay(1, "DARK", "B", "100"),
            pay(2, "B", "A", "100"),
            pay(3, "B", "E", "100"),
        ],
        EURO,
    )


@pytest.mark.parametrize(
    ("method", "share"), [("haircut", 0.5), ("lifo", 1.0), ("poison", 0.0), ("fifo", 0.0)]
)
def test_by_the_method_that_is_chosen(mixing: Columns, method: str, share: float) -> None:
    """Backward, poison as the mirror has it: what came last is where the account's money came from first."""
    found = exposures(mixing, "acct:X:A", NAMED, method=Method(method), across=True)
    (one,) = found
    assert (one.lowest, one.highest) == (0.0, 1.0)
    if method != "poison":
        assert one.share == share
    assert one.trace.method is Method(method)


def test_the_way_and_the_bounds_are_stated(mixing: Columns) -> None:
    (one,) = exposures(mixing, "acct:X:A", NAMED, across=True)
    assert (one.category, one.labels, one.accounts) == ("darknet market", ("Hydra",), ("acct:X:DARK",))
    assert (one.value, one.direct, one.share, one.hops) == (50, 0, 0.5, 2)
    assert [step.transfer for step in one.path] == ["t0001", "t0002"] and one.path == one.steps
    (found,) = exposure(mixing, "acct:X:A", NAMED, across=True)
    assert dict(found.features)["share_at_least"] == 0.0 and dict(found.features)["share_at_most"] == 1.0
    assert "By the rule of tracing that is chosen: 0.0% to 100.0%." in found.reasons
    (last,) = exposure(mixing, "acct:X:A", NAMED, method=Method.LIFO)
    assert "Traced by lifo." in last.reasons and last.id != found.id


def test_forward_the_widest_way_is_shown(pay: Pay) -> None:
    columns = build(
        [
            pay(0, "A", "B", "30"),
            pay(0, "A", "C", "70"),
            pay(1, "B", "MIX", "30"),
            pay(2, "C", "MIX", "70"),
        ],
        EURO,
    )
    (one,) = exposures(columns, "acct:X:A", NAMED)
    assert [step.transfer for step in one.path] == ["t0001", "t0003"] and len(one.steps) == 4
    assert one.trace.direction is Direction.FORWARD and one.lowest is None

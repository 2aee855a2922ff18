"""Columns of a flow diagram part time, and say when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from lxml import etree

from comity.ledger.columns import build
from comity.model import AssetId, Transfer
from comity.tracing._draw_time import MAX_SLOTS
from comity.tracing._draw_words import dates, gap, tick
from comity.tracing.draw import flow_svg
from comity.tracing.layout import Layout, layout
from comity.tracing.trace import Bounds, Direction, trace

EURO = AssetId("iso4217:EUR")
SVG = "{http://www.w3.org/2000/svg}"
Pay = Callable[..., Transfer]
DAY = 24


def places(plan: Layout) -> dict[str, float]:
    return {node.label.rpartition(":")[2]: node.x for node in plan.nodes}


@pytest.fixture
def uneven(pay: Pay) -> list[Transfer]:
    """Two ways of as many hops: one done within days, the other begun when that has ended."""
    return [
        pay(0, "A", "B", "100"),
        pay(1 * DAY, "B", "C", "100"),
        pay(60 * DAY, "A", "D", "100"),
        pay(61 * DAY, "D", "E", "100"),
    ]


def test_columns_are_in_order_of_time_not_of_hops(uneven: list[Transfer]) -> None:
    found = trace(build(uneven, EURO), "acct:X:A", bounds=Bounds(min_share=0))
    plan = layout(found, {})
    x = places(plan)
    assert plan.by_time and x["A"] < x["B"] < x["C"] < x["D"] < x["E"]
    known = [(each.first, each.last) for each in plan.ticks if each.first and each.last]
    assert len(known) == 4
    assert all(before <= after for (_, before), (after, _) in pairwise(known))


def test_backward_they_say_when_value_left(uneven: list[Transfer]) -> None:
    found = trace(build(uneven, EURO), "acct:X:E", Direction.BACKWARD, bounds=Bounds(min_share=0))
    plan = layout(found, {})
    x = places(plan)
    assert x["A"] < x["D"] < x["E"]
    assert [each.first for each in plan.ticks] == [uneven[2].time, uneven[3].time, None]
    svg = flow_svg(found, title="x", labels={})
    assert "When value left the accounts below" in svg


def test_the_axis_has_dates_and_how_long_nothing_happened(uneven: list[Transfer]) -> None:
    found = trace(build(uneven, EURO), "acct:X:A", bounds=Bounds(min_share=0))
    root = etree.fromstring(flow_svg(found, title="x", labels={}).encode())
    texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert {"2 Mar 2026", "3 Mar 2026", "1 May 2026", "2 May 2026", "+59 days", "+24 h"} <= set(texts)
    assert any(text.endswith("from left to right in order of time") for text in texts)


def test_a_longer_way_than_can_be_read_goes_by_hops(pay: Pay) -> None:
    chain = [pay(n, f"N{n:02}", f"N{n + 1:02}", "10") for n in range(MAX_SLOTS + 4)]
    plan = layout(trace(build(chain, EURO), "acct:X:N00", bounds=Bounds(hops=50)), {})
    assert not plan.by_time
    assert len({node.column for node in plan.nodes}) <= MAX_SLOTS
    found = trace(build(chain, EURO), "acct:X:N00", bounds=Bounds(hops=50))
    assert "columns by hops, dates may overlap" in flow_svg(found, title="x", labels={})


def test_who_pays_late_stands_left_of_who_is_paid(pay: Pay) -> None:
    """Nothing reaches a payer, so that no date of it is wrong; drawn back from the right it would mislead."""
    moves = [pay(0, "P1", "M", "10"), pay(1, "M", "X", "5"), pay(2, "P2", "M", "10"), pay(3, "M", "Y", "12")]
    plan = layout(moves, {})
    x = places(plan)
    assert x["P1"] == x["P2"] < x["M"] < x["X"] < x["Y"]
    assert not any(link.returns for link in plan.links)


def test_a_service_stands_where_its_last_value_came(pay: Pay) -> None:
    moves = [
        pay(0, "A", "B", "100"),
        pay(1, "B", "EX1", "50"),
        pay(50 * DAY, "B", "C", "50"),
        pay(51 * DAY, "C", "EX2", "50"),
    ]
    labels = {"acct:X:EX1": "Kestrel", "acct:X:EX2": "Kestrel"}
    plan = layout(trace(build(moves, EURO), "acct:X:A", services=labels, bounds=Bounds(min_share=0)), labels)
    x = places(plan)
    assert x["Kestrel"] > x["C"] and not any(link.returns for link in plan.links)


def test_the_width_fits_the_way(pay: Pay, uneven: list[Transfer]) -> None:
    short = layout([pay(0, "A", "B", "1")], {})
    long = layout(trace(build(uneven, EURO), "acct:X:A", bounds=Bounds(min_share=0)), {})
    assert short.width == 560 < long.width <= 1180


BEGIN = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "fine", "lines"),
    [
        (BEGIN, False, ("2 Mar 2026", "")),
        (BEGIN, True, ("2 Mar 2026", "09:05")),
        (BEGIN + timedelta(hours=3), True, ("2 Mar 2026", "09:05–12:05")),
        (BEGIN + timedelta(days=3), True, ("2–5 Mar 2026", "")),
        (BEGIN + timedelta(days=40), False, ("2 Mar –", "11 Apr 2026")),
        (BEGIN + timedelta(days=400), False, ("2 Mar 2026 –", "6 Apr 2027")),
    ],
)
def test_ticks_are_short(last: datetime, fine: bool, lines: tuple[str, str]) -> None:
    assert tick(BEGIN, last, fine) == lines


def test_gaps_are_in_words() -> None:
    said = [
        gap(timedelta(**{unit: n}))
        for unit, n in (("days", 2), ("hours", 30), ("minutes", 7), ("seconds", 5))
    ]
    assert said == ["+2 days", "+30 h", "+7 min", ""]
    assert dates([]) == ""

"""Nodes of a diagram are opened one by one: what they gather is shown, and a trace goes on."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from comity.ledger.columns import build
from comity.model import AssetId, Columns, Transfer
from comity.tracing.draw import flow_svg
from comity.tracing.expand import expand
from comity.tracing.layout import COLUMN_NODES, ON, layout
from comity.tracing.trace import Bounds, Direction, Method, Stop, Trace, trace

EURO = AssetId("iso4217:EUR")
SVG = "{http://www.w3.org/2000/svg}"
Pay = Callable[..., Transfer]
EXCHANGE = {f"acct:X:EX{n}": "Kestrel" for n in range(10)}


@pytest.fixture
def wide(pay: Pay) -> Columns:
    """A pays an exchange at ten accounts, and twenty people, who pay on twice."""
    moves = [pay(n, "A", f"EX{n}", str(100 + n)) for n in range(10)]
    moves += [pay(20 + n, "A", f"P{n:02}", str(50 + n)) for n in range(20)]
    moves += [pay(50 + n, f"P{n:02}", f"Q{n:02}", str(40 + n)) for n in range(20)]
    moves += [pay(80 + n, f"Q{n:02}", f"R{n:02}", str(30 + n)) for n in range(20)]
    return build(moves, EURO)


def tracer(columns: Columns, start: str, **given: Any) -> Callable[[Container[str], Bounds], Trace]:
    return lambda ends, bounds: trace(columns, start, services=ends, bounds=bounds, **given)


def opened(columns: Columns, keys: Sequence[str], hops: int = 2, **given: Any) -> Trace:
    bounds = Bounds(hops=hops, min_share=0)
    return expand(tracer(columns, "acct:X:A", **given), frozenset(EXCHANGE), bounds, frozenset(keys))


def test_a_service_is_one_node_and_its_accounts_come_out_a_few_at_a_time(wide: Columns) -> None:
    found = opened(wide, ())
    (service,) = [node for node in layout(found, EXCHANGE).nodes if node.label == "Kestrel"]
    assert len(service.ids) == 10
    assert service.parts == tuple(f"acct:X:EX{n}" for n in (9, 8, 7, 6, 5, 4)), "the largest first"
    plan = layout(found, EXCHANGE, frozenset(service.parts))
    shown = [node for node in plan.nodes if node.label == "Kestrel"]
    assert sorted(len(node.ids) for node in shown) == [1] * COLUMN_NODES + [4]
    (rest,) = [node for node in shown if len(node.ids) > 1]
    plan = layout(found, EXCHANGE, frozenset([*service.parts, *rest.parts]))
    assert [len(node.ids) for node in plan.nodes if node.label == "Kestrel"] == [1] * 10


def test_what_is_gathered_is_shown_and_nothing_else_goes_for_it(wide: Columns) -> None:
    found = opened(wide, ())
    before = layout(found, EXCHANGE)
    more = max((node for node in before.nodes if node.kind == "more"), key=lambda node: node.column)
    after = layout(found, EXCHANGE, frozenset(more.parts))
    assert {node.key for node in before.nodes} - {more.key} < {node.key for node in after.nodes}
    assert set(more.parts) <= {node.key for node in after.nodes}
    left = [node for node in after.nodes if node.key == more.key]
    assert [len(node.ids) for node in left] == [len(more.ids) - COLUMN_NODES]


@pytest.mark.parametrize("method", Method)
def test_a_trace_goes_on_from_one_account_and_no_other(wide: Columns, method: Method) -> None:
    limit = {f"acct:X:Q{n:02}" for n in range(20)}
    plain = opened(wide, (), method=method)
    assert {leaf.account for leaf in plain.leaves if leaf.reason is Stop.HOPS} == limit
    found = opened(wide, [f"{ON}acct:X:Q03"], method=method)
    ends = {leaf.account: leaf.reason for leaf in found.leaves if leaf.reason is Stop.HOPS}
    assert set(ends) == limit - {"acct:X:Q03"} | {"acct:X:R03"}
    assert sum(leaf.value for leaf in found.leaves) == found.value == plain.value
    assert len(found.steps) == len(plain.steps) + 1
    services = {leaf.account for leaf in found.leaves if leaf.reason is Stop.SERVICE}
    assert services == set(EXCHANGE), "a service still ends it, and for that reason"


def test_it_goes_on_and_on(wide: Columns) -> None:
    keys = [f"{ON}acct:X:{name}" for name in ("P03", "Q03", "R03", "Q04", "P77")]
    found = opened(wide, keys, hops=1)
    reached = {step.target for step in found.steps}
    assert {"acct:X:Q03", "acct:X:R03"} <= reached and "acct:X:Q04" not in reached
    whole = trace(wide, "acct:X:A", services=EXCHANGE, bounds=Bounds(hops=50, min_share=0))
    wanted = {leaf.account: leaf.value for leaf in whole.leaves}
    held = {leaf.account: leaf.value for leaf in found.leaves}
    for account in ("acct:X:P03", "acct:X:Q03", "acct:X:R03"):
        assert held.get(account, Decimal(0)) == wanted.get(account, Decimal(0)), "as if it had never ended"


def test_it_goes_on_where_too_many_accounts_were_reached(wide: Columns) -> None:
    def few(ends: Container[str], bounds: Bounds) -> Trace:
        return trace(wide, "acct:X:A", services=ends, bounds=bounds)

    bounds = Bounds(min_share=0, max_nodes=5)
    plain = expand(few, frozenset(), bounds, frozenset())
    stopped = sorted(leaf.account for leaf in plain.leaves if leaf.reason is Stop.NODES)
    assert "acct:X:P19" in stopped
    found = expand(few, frozenset(), bounds, frozenset([f"{ON}acct:X:P19"]))
    assert "acct:X:R19" in {step.target for step in found.steps}
    assert set(stopped) - {"acct:X:P19"} == {
        leaf.account for leaf in found.leaves if leaf.reason is Stop.NODES
    }


def test_backward_too(wide: Columns) -> None:
    def back(ends: Container[str], bounds: Bounds) -> Trace:
        return trace(wide, "acct:X:R03", Direction.BACKWARD, services=ends, bounds=bounds)

    found = expand(back, frozenset(), Bounds(hops=1), frozenset([f"{ON}acct:X:Q03"]))
    assert {step.source for step in found.steps} == {"acct:X:Q03", "acct:X:P03"}


def test_only_what_can_be_opened_is_a_link(wide: Columns) -> None:
    asked: list[tuple[str, ...]] = []

    def link(keys: Sequence[str]) -> str:
        asked.append(tuple(keys))
        return '/trace?"<&'

    found = opened(wide, ())
    root = etree.fromstring(flow_svg(found, title="x", labels=EXCHANGE, link=link).encode())
    links = list(root.iter(f"{SVG}a"))
    assert root.get("role") == "group", "links within an image could not be reached"
    assert links and {each.get("href") for each in links} == {'/trace?"<&'}
    said = [each.get("aria-label") for each in links]
    assert any(words.startswith("Go on from here: trace stopped at a limit") for words in said)
    assert any(words.startswith("Show more of these by themselves: service") for words in said)
    assert (f"{ON}acct:X:Q19",) in asked
    others = [each for each in root.iter(f"{SVG}g") if each.get("class", "").startswith("flow-node")]
    assert others and all(
        each.get("role") == "img" and each.find(f"{SVG}title") is not None for each in others
    )
    assert "can be opened" in ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def test_where_no_more_may_be_opened_nothing_is_a_link(wide: Columns) -> None:
    found = opened(wide, ())
    assert "<a " not in flow_svg(found, title="x", labels=EXCHANGE, link=lambda _: "")
    assert "<a " not in flow_svg(found, title="x", labels=EXCHANGE)

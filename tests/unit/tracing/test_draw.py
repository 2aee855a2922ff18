"""The flow diagram: whole, escaped, accessible, and within bounds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AccountId, Amount, AssetId, Transfer
from comity.tracing.draw import flow_svg
from comity.tracing.layout import MAX_NODES, layout
from comity.tracing.trace import Bounds, Direction, Method, trace

EURO = AssetId("iso4217:EUR")
SVG = "{http://www.w3.org/2000/svg}"
Pay = Callable[..., Transfer]
Spend = Callable[..., list[Transfer]]


def parse(svg: str) -> etree._Element:
    return etree.fromstring(svg.encode())


def texts(root: etree._Element) -> list[str]:
    return ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]


def titles(root: etree._Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}title")]


@pytest.fixture
def fraud(pay: Pay) -> list[Transfer]:
    return [
        pay(0, "VICTIM", "MULE", "1000"),
        pay(1, "MULE", "B", "600"),
        pay(2, "MULE", "C", "390"),
        pay(3, "B", "EX1", "300"),
        pay(4, "C", "EX2", "390"),
        pay(5, "B", "MULE", "200"),
    ]


LABELS = {"acct:X:EX1": "Kestrel", "acct:X:EX2": "Kestrel"}


def test_a_trace_is_drawn_with_names_values_and_words(fraud: list[Transfer]) -> None:
    found = trace(build(fraud, EURO), "acct:X:VICTIM", services=LABELS, bounds=Bounds(min_share=0))
    root = parse(flow_svg(found, title="Invoice fraud", labels=LABELS))
    assert root.get("role") == "img"
    title, desc = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
    assert title.text == "Invoice fraud"
    assert desc.text.startswith("1,000 EUR traced forward · 6 transfers · 2 Mar 2026.")
    assert "VICTIM to MULE: 1,000 EUR (1 transfer, 2 Mar 2026)." in desc.text
    assert texts(root).count("Kestrel") == 1  # two deposit accounts of one service, drawn once
    assert any("acct:X:EX2, acct:X:EX1" in words for words in titles(root))
    assert {"start", "account", "service, trace ends", "returns"} <= set(texts(root))


def test_there_is_no_script_no_style_and_nothing_from_outside(fraud: list[Transfer]) -> None:
    svg = flow_svg(fraud, title="x", labels={})
    assert not re.search(r"\sstyle=|<style|<script|\son[a-z]+=|href|url\((?!#)|@import", svg)
    root = parse(svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)


def test_everything_given_is_escaped(pay: Pay) -> None:
    bad = '<script>alert("1")</script>&\x00\u202e'
    svg = flow_svg([pay(0, "A", "B", "1")], title=bad, labels={"acct:X:A": bad})
    root = parse(svg)
    assert "<script" not in svg and "\u202e" not in svg and "\x00" not in svg
    assert root.find(f"{SVG}title").text == '<script>alert("1")</script>&'


def test_value_is_width_and_all_lies_within_the_picture(fraud: list[Transfer]) -> None:
    plan = layout(trace(build(fraud, EURO), "acct:X:VICTIM", bounds=Bounds(min_share=0)), {})
    widths = {link.value: link.width for link in plan.links}
    assert widths[1000.0] / widths[300.0] == pytest.approx(1000 / 300)
    for node in plan.nodes:
        assert 0 <= node.x < plan.width and node.y >= 0 and node.y + node.height <= plan.height + 1e-6
    for column in {node.column for node in plan.nodes}:
        stack = sorted((n for n in plan.nodes if n.column == column), key=lambda n: n.y)
        for above, below in itertools.pairwise(stack):
            assert above.y + above.height < below.y
    (back,) = [link for link in plan.links if link.returns]
    assert (back.source.label, back.target.label) == ("acct:X:B", "acct:X:MULE")


def test_going_back_the_start_is_on_the_right(fraud: list[Transfer]) -> None:
    found = trace(build(fraud, EURO), "acct:X:EX1", Direction.BACKWARD)
    x = {node.label: node.x for node in layout(found, {}).nodes}
    assert x["acct:X:VICTIM"] < x["acct:X:MULE"] < x["acct:X:B"] < x["acct:X:EX1"]
    assert "traced back" in flow_svg(found, title="x", labels={})


def test_many_accounts_are_gathered(pay: Pay) -> None:
    many = [pay(0, "A", f"B{i}", str(1 + i)) for i in range(300)]
    many += [pay(1, f"B{i}", f"C{i}", "1") for i in range(300)]
    plan = layout(many, {})
    assert len(plan.nodes) <= MAX_NODES
    more = [node for node in plan.nodes if node.kind == "more"]
    assert len(more) == 2 and sum(len(node.ids) for node in plan.nodes) == 601
    root = parse(flow_svg(many, title="x", labels={}))
    assert any(re.fullmatch(r"… \d+ more", text) for text in texts(root))
    assert any("and 282 more" in words for words in titles(root))
    assert any("smaller flows" in (d.text or "") for d in root.iter(f"{SVG}desc"))


def test_transactions_limits_and_estimates_have_their_own_shapes(spend: Spend) -> None:
    transfers = [
        *spend(1, 0, [("a", None), ("q", None)], [("b", "5"), ("c", "5")]),
        *spend(2, 1, [("b", "5"), ("c", "5")], [("d", "9.9")]),
        *spend(3, 2, [("d", "9.9")], [("e", "9.9")]),
    ]
    found = trace(build(transfers, BTC), f"{BITCOIN}:a", bounds=Bounds(hops=2))
    svg = flow_svg(found, title="x", labels={})
    words = texts(parse(svg))
    assert {"transaction", "trace stopped at a limit", "value estimated"} <= set(words)
    assert "5 BTC traced forward" in svg and "estimated (" in svg
    plan = layout(found, {})
    column = {node.label.rsplit(":", 1)[1]: node.column for node in plan.nodes}
    assert column == {"a": 0, "tx-1": 1, "b": 2, "c": 2, "tx-2": 3, "d": 4}


def test_by_poison_what_is_tainted_is_said(pay: Pay) -> None:
    moves = [
        pay(0, "A", "B", "100"),
        pay(1, "Z", "B", "900"),
        pay(2, "B", "D", "500"),
        pay(3, "B", "E", "500"),
    ]
    columns = build(moves, EURO)
    found = trace(columns, "acct:X:A", method=Method.POISON, bounds=Bounds(min_share=0))
    root = parse(flow_svg(found, title="x", labels={}))
    assert {"100, tainted 500", "0, tainted 500", "100, tainted 1,000"} <= set(texts(root))
    assert any("B to E: 0 EUR, tainted 500 (1 transfer" in words for words in titles(root))
    plain = trace(columns, "acct:X:A", bounds=Bounds(min_share=0))
    assert "tainted" not in flow_svg(plain, title="x", labels={})


def test_nothing_and_one_are_pictures_too(pay: Pay) -> None:
    assert texts(parse(flow_svg([], title="Nothing", labels={})))[:2] == ["Nothing", "0 transfers"]
    lonely = trace(build([pay(0, "A", "B", "1")], EURO), "acct:X:B")
    assert "B" in texts(parse(flow_svg(lonely, title="x", labels={})))
    self_paid = [pay(0, "A", "A", "1")]
    assert "A" in texts(parse(flow_svg(self_paid, title="x", labels={})))


def test_values_of_different_things_have_no_unit() -> None:
    time = datetime(2026, 3, 2, tzinfo=UTC)
    accounts = AccountId("acct:X:A"), AccountId("acct:X:B")
    mixed = [
        Transfer("1", time, *accounts, Amount(Decimal(1), BTC), Decimal(90_000)),
        Transfer("2", time + timedelta(days=40), *accounts, None, None),
    ]
    svg = flow_svg(mixed, title="x", labels={})
    assert "BTC" not in svg and "2 transfers · 2 Mar 2026 to 11 Apr 2026" in svg


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.0125", "0.0125"),
        ("4950", "4,950"),
        ("125000", "125k"),
        ("12500000", "12.5M"),
        ("2500000000", "2,500M"),
    ],
)
def test_figures_are_short(pay: Pay, value: str, text: str) -> None:
    assert texts(parse(flow_svg([pay(0, "A", "B", value)], title="x", labels={}))).count(text) == 2


def test_names_are_cut_at_the_end_and_identifiers_in_the_middle(pay: Pay) -> None:
    svg = flow_svg(
        [pay(0, "A" * 30 + "END", "B", "1")],
        title="T" + " word" * 40,
        labels={"acct:X:B": "A very long name of a very patient exchange"},
    )
    words = texts(parse(svg))
    assert words[0].endswith("…") and len(words[0]) <= 62
    assert any(re.fullmatch(r"A+…A*END", text) and len(text) == 12 for text in words)
    assert any(text.startswith("A very") and text.endswith("…") for text in words)

"""What a flow diagram shows: accounts as nodes, in columns of time, the small and the like drawn as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.model import Transfer
from comity.tracing._draw_place import Link, Node, arrange, place_columns
from comity.tracing._draw_time import Edge, Order, is_hub, order
from comity.tracing.trace import Direction, Step, Stop, Trace

MAX_NODES = 40
COLUMN_NODES = 6
"""Nodes of a column before the smallest are gathered; and how many more one step of opening shows."""
LIMITS = (Stop.HOPS, Stop.NODES)
"""A trace that ended for one of these can go on from there."""
ON = "on "
"""Before the key of an account from which a trace goes on: it is drawn by itself, too."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A column of accounts: where it lies, and when value first and last reached what is in it."""

    x: float
    first: datetime | None = None
    last: datetime | None = None


@dataclass(slots=True)
class Layout:
    """``ticks`` from left to right; ``by_time`` is False where columns go by hops."""

    nodes: list[Node]
    links: list[Link]
    width: float
    height: float
    ticks: list[Tick]
    by_time: bool


def layout(
    given: Trace | Iterable[Transfer], labels: Mapping[str, str], opened: Container[str] = frozenset()
) -> Layout:
    """Arrange a trace, or transfers, in order of time. What has its key in ``opened`` stands by itself."""
    if isinstance(given, Trace):
        edges, forward = _edges_of_trace(given), given.direction is Direction.FORWARD
        start, ends = given.start, {leaf.account: leaf.reason for leaf in reversed(given.leaves)}
    else:
        edges = [_edge(t) for t in sorted(given, key=lambda t: (t.time, is_hub(str(t.originator)), t.id))]
        forward, start, ends = True, "", {}
    placed = order(edges, forward=forward, start=start)
    nodes, at = _nodes(edges, placed, start, ends, labels, opened)
    links = _links(edges, at)
    for node in nodes:
        into = sum(link.tainted for link in links if link.target is node)
        node.tainted = max(into, sum(link.tainted for link in links if link.source is node))
    x, width = place_columns(nodes)
    height = arrange(nodes, links, x, width)
    return Layout(nodes, links, width, height, _ticks(nodes, x), placed.by_time)


def is_open(key: str, opened: Container[str]) -> bool:
    """Whether what has this key is drawn by itself."""
    return key in opened or ON + key in opened


def _ticks(nodes: list[Node], x: Mapping[int, float]) -> list[Tick]:
    moments: dict[int, list[datetime]] = {column: [] for column in sorted(x) if column % 2 == 0}
    for node in nodes:
        if node.column in moments:
            moments[node.column] += node.moments
    return [
        Tick(x[column], min(times, default=None), max(times, default=None))
        for column, times in moments.items()
    ]


def _edge(transfer: Transfer) -> Edge:
    worth = transfer.value
    if worth is None and transfer.amount is not None:
        worth = transfer.amount.quantity
    return Edge(
        str(transfer.originator), str(transfer.beneficiary), float(worth or 0), transfer.time, worth is None
    )


def _edges_of_trace(given: Trace) -> list[Edge]:
    """The steps as edges, in the order in which value moves: a transaction after all that enters it."""
    forward = given.direction is Direction.FORWARD
    entered: dict[str, int] = {}
    for step in given.steps:
        far = step.target if forward else step.source
        entered[far] = max(entered.get(far, 0), step.hop)

    def rank(step: Step) -> tuple[float, int, bool]:
        near, clock = step.source if forward else step.target, step.time.timestamp()
        hub = is_hub(near)
        return (clock if forward else -clock, entered.get(near, 0) if hub else step.hop, hub)

    return [
        Edge(s.source, s.target, float(s.value), s.time, s.estimated or s.inferred, float(s.tainted or 0))
        for s in sorted(given.steps, key=rank)
    ]


def _nodes(
    edges: list[Edge],
    placed: Order,
    start: str,
    ends: Mapping[str, Stop],
    labels: Mapping[str, str],
    opened: Container[str],
) -> tuple[list[Node], dict[str, Node]]:
    """The nodes, and the node of each account: one for all accounts of one label, one for the small."""
    groups: dict[str, list[str]] = defaultdict(list)
    for account in placed.columns:
        shared = account in labels and account != start and not is_open(account, opened)
        groups[f"label {labels[account]}" if shared else account].append(account)
    at: dict[str, Node] = {}
    nodes: dict[str, Node] = {}
    for key, accounts in groups.items():
        node = nodes[key] = _node(key, accounts, placed, start, ends)
        node.label = labels.get(accounts[0], accounts[0])
        at.update(dict.fromkeys(accounts, node))
    _flows(edges, at)
    values = _values(edges)
    for node in nodes.values():
        if len(node.ids) > 1:
            node.ids.sort(key=lambda account: (-values[account], account))
            node.parts = tuple(node.ids[:COLUMN_NODES])
    _gather(nodes, at, opened)
    for node in nodes.values():
        node.inflow = node.outflow = 0.0
    _flows(edges, at)
    return list(nodes.values()), at


def _node(key: str, accounts: list[str], placed: Order, start: str, ends: Mapping[str, Stop]) -> Node:
    """A node where its accounts stand: the outermost where the flow ends in all of them, else the first."""
    reasons = [ends.get(account) for account in accounts]
    columns = [placed.columns[account] for account in accounts]
    outer, inner = max(columns, key=abs), min(columns, key=abs)
    node = Node(key, "", "hub" if is_hub(accounts[0]) else "account", outer if all(reasons) else inner)
    node.ids = accounts
    node.notes = [reason.value for reason in reasons if reason]
    node.moments = [
        placed.moments[account]
        for account, column in zip(accounts, columns, strict=True)
        if account in placed.moments and column == node.column
    ]
    if start in accounts:
        node.kind, node.notes = "start", []
    elif Stop.SERVICE in reasons:
        node.kind = "service"
    elif any(reason in (*LIMITS, Stop.TIME) for reason in reasons):
        node.kind = "stopped"
        node.parts = (ON + accounts[0],) if len(accounts) == 1 and reasons[0] in LIMITS else ()
    return node


def _values(edges: Iterable[Edge]) -> dict[str, float]:
    """What went through each account: the larger of what came and what left."""
    into: dict[str, float] = defaultdict(float)
    out: dict[str, float] = defaultdict(float)
    for edge in edges:
        out[edge.source] += edge.value
        into[edge.target] += edge.value
    return {account: max(into[account], out[account]) for account in {*into, *out}}


def _gather(nodes: dict[str, Node], at: dict[str, Node], opened: Container[str]) -> None:
    """Draw the smallest nodes of a column as one: beyond its share of the picture, and of the column."""
    ranked = sorted(
        nodes.values(), key=lambda n: (n.kind != "start" and not is_open(n.key, opened), -n.value, n.key)
    )
    columns = len({node.column for node in ranked})
    room = dict.fromkeys((node.column for node in ranked), COLUMN_NODES)
    total = MAX_NODES - columns
    small: dict[int, list[Node]] = defaultdict(list)
    for node in ranked:
        if is_open(node.key, opened):
            continue  # a person asked to see it: it takes nobody's place
        room[node.column] -= 1
        total -= 1
        if room[node.column] < 0 or total < 0:
            small[node.column].append(node)
    for column, gathered in small.items():
        if len(gathered) < 2:
            continue
        more = Node(f"more {column}", "", "more", column)
        more.ids = [account for node in gathered for account in node.ids]
        more.moments = [moment for node in gathered for moment in node.moments]
        more.label = f"… {len(more.ids):,} more"
        more.parts = tuple(node.key for node in gathered[:COLUMN_NODES])
        at.update(dict.fromkeys(more.ids, more))
        for node in gathered:
            del nodes[node.key]
        nodes[more.key] = more


def _flows(edges: list[Edge], at: Mapping[str, Node]) -> None:
    for edge in edges:
        if at[edge.source] is not at[edge.target]:
            at[edge.source].outflow += edge.value
            at[edge.target].inflow += edge.value


def _links(edges: list[Edge], at: Mapping[str, Node]) -> list[Link]:
    links: dict[tuple[str, str], Link] = {}
    for edge in edges:
        source, target = at[edge.source], at[edge.target]
        if source is target:
            continue
        link = links.setdefault((source.key, target.key), Link(source, target))
        link.value += edge.value
        link.count += 1
        link.tainted += edge.tainted
        link.estimated = link.estimated or edge.estimated
        link.first = min(link.first or edge.time, edge.time)
        link.last = max(link.last or edge.time, edge.time)
    return list(links.values())

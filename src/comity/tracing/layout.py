"""Where the nodes and ribbons of a flow diagram lie. Geometry only; `draw` makes the picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from comity.model import AccountId, Transfer
from comity.tracing.trace import Direction, Step, Stop, Trace

MAX_NODES = 40
COLUMN_NODES = 6
LAST_COLUMN = 16
WIDTH = 560.0
LEFT, RIGHT = 24.0, 124.0
RIBBONS = 190.0
"""Height of the fullest column's nodes, without the room between them."""
GAP, BEND_GAP = 44.0, 14.0
"""Room above a node, for two lines of text; and above a ribbon that passes a column."""
THIN = 0.02
"""A ribbon below this share of the fullest column passes behind other columns, not between their nodes."""


@dataclass(slots=True)
class Node:
    """``kind``: start, account, hub, service, stopped (a limit ended the trace here), more (several drawn
    as one), or bend (where a ribbon passes a column; not drawn)."""

    key: str
    label: str
    kind: str
    column: int
    ids: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    inflow: float = 0.0
    outflow: float = 0.0
    x: float = 0.0
    y: float = 0.0
    height: float = 0.0

    @property
    def value(self) -> float:
        return max(self.inflow, self.outflow)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def gap(self) -> float:
        return BEND_GAP if self.kind == "bend" else GAP


@dataclass(slots=True)
class Link:
    """Transfers between two nodes drawn as one. ``width`` and the two heights are of its middle line.

    One that passes columns on its way has ``pieces``, from bend to bend.
    """

    source: Node
    target: Node
    value: float = 0.0
    count: int = 0
    estimated: bool = False
    first: datetime | None = None
    last: datetime | None = None
    width: float = 0.0
    y_source: float = 0.0
    y_target: float = 0.0
    pieces: list[Link] = field(default_factory=list)

    @property
    def returns(self) -> bool:
        """Whether it leads back to the left, or stays in its column."""
        return self.target.column <= self.source.column


@dataclass(slots=True)
class Layout:
    nodes: list[Node]
    links: list[Link]
    height: float
    columns: list[float]
    """Where each column of accounts lies, from left to right."""


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    value: float
    time: datetime
    estimated: bool = False


def is_hub(account: str) -> bool:
    return AccountId(account).is_hub


def layout(given: Trace | Iterable[Transfer], labels: Mapping[str, str]) -> Layout:
    """Arrange a trace by its hops, or transfers by the order in which accounts are first reached."""
    if isinstance(given, Trace):
        edges = _edges_of_trace(given)
        columns = {given.start: 0} | _columns(edges, given.direction is Direction.FORWARD)
        start, ends = given.start, {leaf.account: leaf.reason for leaf in reversed(given.leaves)}
    else:
        edges = [_edge(t) for t in sorted(given, key=lambda t: (t.time, is_hub(str(t.originator)), t.id))]
        columns = _columns(edges, forward=True)
        start, ends = "", {}
    nodes, at = _nodes(edges, columns, start, ends, labels)
    links = _links(edges, at)
    x = _place_columns(nodes)
    height = _arrange(nodes, links, x)
    return Layout(nodes, links, height, [x[column] for column in sorted(x) if column % 2 == 0])


def _edge(transfer: Transfer) -> Edge:
    worth = transfer.value
    if worth is None and transfer.amount is not None:
        worth = transfer.amount.quantity
    return Edge(
        str(transfer.originator), str(transfer.beneficiary), float(worth or 0), transfer.time, worth is None
    )


def _columns(edges: Iterable[Edge], forward: bool) -> dict[str, int]:
    """Even columns for accounts, odd ones for transactions; negative to the left of the start.

    ``edges`` come in the order in which value moves. An account lies to the right of all that paid into
    it before it first paid out; what reaches it later returns.
    """
    columns: dict[str, int] = {}
    fixed: set[str] = set()
    for edge in edges:
        near, far = (edge.source, edge.target) if forward else (edge.target, edge.source)
        column = columns.setdefault(near, int(is_hub(near)))
        fixed.add(near)
        beyond = column + (1 if is_hub(near) or is_hub(far) else 2)
        if far not in fixed:
            columns[far] = max(columns.get(far, 0), min(beyond, LAST_COLUMN - is_hub(far)))
    return columns if forward else {account: -column for account, column in columns.items()}


def _edges_of_trace(given: Trace) -> list[Edge]:
    """The steps as edges, in the order in which value moves: a transaction after all that enters it."""
    forward = given.direction is Direction.FORWARD
    entered: dict[str, int] = {}
    for step in given.steps:
        far = step.target if forward else step.source
        entered[far] = max(entered.get(far, 0), step.hop)

    def order(step: Step) -> tuple[float, int, bool]:
        near, clock = step.source if forward else step.target, step.time.timestamp()
        hub = is_hub(near)
        return (clock if forward else -clock, entered.get(near, 0) if hub else step.hop, hub)

    return [
        Edge(s.source, s.target, float(s.value), s.time, s.estimated) for s in sorted(given.steps, key=order)
    ]


def _nodes(
    edges: list[Edge],
    columns: Mapping[str, int],
    start: str,
    ends: Mapping[str, Stop],
    labels: Mapping[str, str],
) -> tuple[list[Node], dict[str, Node]]:
    """The nodes, and the node of each account: one for all accounts of one label, one for the small."""
    nodes: dict[str, Node] = {}
    at: dict[str, Node] = {}
    for account, column in columns.items():
        key = f"label {labels[account]}" if account in labels and account != start else account
        kind = "hub" if is_hub(account) else "account"
        reason = ends.get(account)
        if account == start:
            kind = "start"
        elif reason is Stop.SERVICE:
            kind = "service"
        elif reason in (Stop.HOPS, Stop.NODES, Stop.TIME):
            kind = "stopped"
        node = nodes.setdefault(key, Node(key, labels.get(account, account), kind, column))
        node.column = min(node.column, column)
        node.ids.append(account)
        if reason is not None and account != start:
            node.notes.append(reason.value)
        at[account] = node
    _flows(edges, at)
    _gather(nodes, at)
    for node in nodes.values():
        node.inflow = node.outflow = 0.0
    _flows(edges, at)
    return list(nodes.values()), at


def _gather(nodes: dict[str, Node], at: dict[str, Node]) -> None:
    """Draw the smallest nodes of a column as one: beyond its share of the picture, and of the column."""
    ranked = sorted(nodes.values(), key=lambda n: (n.kind != "start", -n.value, n.key))
    columns = len({node.column for node in ranked})
    room = dict.fromkeys((node.column for node in ranked), COLUMN_NODES)
    total = MAX_NODES - columns
    small: dict[int, list[Node]] = defaultdict(list)
    for node in ranked:
        room[node.column] -= 1
        total -= 1
        if room[node.column] < 0 or total < 0:
            small[node.column].append(node)
    for column, gathered in small.items():
        if len(gathered) < 2:
            continue
        more = Node(f"more {column}", "", "more", column)
        more.ids = [account for node in gathered for account in node.ids]
        more.label = f"… {len(more.ids):,} more"
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
        link.estimated = link.estimated or edge.estimated
        link.first = min(link.first or edge.time, edge.time)
        link.last = max(link.last or edge.time, edge.time)
    return list(links.values())


def _place_columns(nodes: list[Node]) -> dict[int, float]:
    """Spread the columns in use over the width; a column of transactions takes half the room."""
    used = sorted({node.column for node in nodes})
    steps: list[float] = []
    for at, column in enumerate(used):
        steps.append(steps[-1] + min(column - used[at - 1], 2) if at else 0.0)
    unit = (WIDTH - LEFT - RIGHT) / max([*steps[-1:], 4.0])
    x = {column: LEFT + unit * step for column, step in zip(used, steps, strict=True)}
    for node in nodes:
        node.x = x[node.column]
    return x


def _arrange(nodes: list[Node], links: list[Link], x: Mapping[int, float]) -> float:
    """Heights, order and places of nodes in their columns; then the ribbons' ends. The total height."""
    values: dict[int, float] = defaultdict(float)
    for node in nodes:
        values[node.column] += node.value
    fullest = max(values.values(), default=0.0)
    unit = RIBBONS / fullest if fullest > 0 else 0.0
    for node in nodes:
        node.height = max(5.0, node.value * unit)
    for link in links:
        link.width = max(1.2, link.value * unit)
    bends = _bend([link for link in links if link.value >= THIN * fullest], x)
    pieces = [piece for link in links for piece in (link.pieces or [link])]
    by_column: dict[int, list[Node]] = defaultdict(list)
    for node in sorted([*nodes, *bends], key=lambda n: (-n.value, n.key)):
        by_column[node.column].append(node)
    total = max((_full(column) for column in by_column.values()), default=0.0)
    for column in by_column.values():
        _stack(column, (total - _full(column)) / 2)
    neighbours: dict[str, list[tuple[Node, float]]] = defaultdict(list)
    for piece in pieces:
        neighbours[piece.source.key].append((piece.target, piece.value or 1.0))
        neighbours[piece.target.key].append((piece.source, piece.value or 1.0))
    for sweep in range(12):
        for number in sorted(by_column, reverse=bool(sweep % 2)):
            _relax(by_column[number], neighbours, total, number, sweep)
    _attach([*nodes, *bends], pieces)
    for link in links:
        if link.pieces:
            link.y_source, link.y_target = link.pieces[0].y_source, link.pieces[-1].y_target
    return total


def _bend(links: list[Link], x: Mapping[int, float]) -> list[Node]:
    """Give each ribbon a place in every column that it passes."""
    bends = []
    for link in links:
        between = [column for column in sorted(x) if link.source.column < column < link.target.column]
        stops = [link.source]
        for column in between:
            bend = Node(f"bend {link.source.key} {link.target.key} {column}", "", "bend", column)
            bend.inflow, bend.height, bend.x = link.value, link.width, x[column]
            stops.append(bend)
        bends += stops[1:]
        if between:
            link.pieces = [
                Link(source, target, link.value, width=link.width)
                for source, target in pairwise([*stops, link.target])
            ]
    return bends


def _full(column: list[Node]) -> float:
    return sum(node.height + node.gap for node in column)


def _stack(column: list[Node], y: float) -> None:
    for node in column:
        node.y = y + node.gap
        y = node.y + node.height


def _relax(
    column: list[Node],
    neighbours: Mapping[str, list[tuple[Node, float]]],
    total: float,
    number: int,
    sweep: int,
) -> None:
    """Move each node towards the middle of those it is linked to on one side, without overlaps."""

    def wish(node: Node) -> float:
        sided = [
            (other, weight)
            for other, weight in neighbours[node.key]
            if (other.column > number if sweep % 2 else other.column < number)
        ]
        weights = sum(weight for _, weight in sided)
        return sum(o.middle * w for o, w in sided) / weights if weights else node.middle

    wishes = {node.key: wish(node) for node in column}
    column.sort(key=lambda node: (wishes[node.key], node.key))
    low = 0.0
    for node in column:
        node.y = max(low + node.gap, wishes[node.key] - node.height / 2)
        low = node.y + node.height
    high = total
    for node in reversed(column):
        node.y = min(node.y, high - node.height)
        high = node.y - node.gap


def _attach(nodes: list[Node], links: list[Link]) -> None:
    """Stack the ribbons on both sides of each node, in the order of where they lead."""
    out, into = defaultdict(list), defaultdict(list)
    for link in links:
        if not link.returns:
            out[link.source.key].append(link)
            into[link.target.key].append(link)
    for node in nodes:
        y = node.y
        for link in sorted(out[node.key], key=lambda k: (k.target.middle, k.target.key)):
            link.y_source = y + link.width / 2
            y += link.width
        y = node.y
        for link in sorted(into[node.key], key=lambda k: (k.source.middle, k.source.key)):
            link.y_target = y + link.width / 2
            y += link.width

"""Where the nodes and ribbons of a flow diagram lie. Geometry only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

LEAST_WIDTH, MOST_WIDTH = 560.0, 1180.0
LEFT, RIGHT = 24.0, 124.0
PITCH = 156.0
"""From one column of accounts to the next, where the width allows."""
RIBBONS = 190.0
"""Height of the fullest column's nodes, without the room between them."""
GAP, BEND_GAP = 44.0, 14.0
"""Room above a node, for two lines of text; and above a ribbon that passes a column."""
THIN = 0.02
"""A ribbon below this share of the fullest column passes behind other columns, not between their nodes."""


@dataclass(slots=True)
class Node:
    """``kind``: start, account, hub, service, stopped (a limit ended the trace here), more (several drawn
    as one), or bend (where a ribbon passes a column; not drawn). ``parts`` are the keys that open it: those
    of what it gathers, or that of going on where a limit ended the trace."""

    key: str
    label: str
    kind: str
    column: int
    ids: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: tuple[str, ...] = ()
    moments: list[datetime] = field(default_factory=list)
    inflow: float = 0.0
    outflow: float = 0.0
    tainted: float = 0.0
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
    tainted: float = 0.0
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


def place_columns(nodes: list[Node]) -> tuple[dict[int, float], float]:
    """Where the columns in use lie, and the width they take; one of transactions takes half the room."""
    used = sorted({node.column for node in nodes})
    steps: list[float] = []
    for at, column in enumerate(used):
        steps.append(steps[-1] + min(column - used[at - 1], 2) if at else 0.0)
    halves = max([*steps[-1:], 4.0])
    width = min(max(LEFT + RIGHT + halves * PITCH / 2, LEAST_WIDTH), MOST_WIDTH)
    unit = (width - LEFT - RIGHT) / halves
    x = {column: LEFT + unit * step for column, step in zip(used, steps, strict=True)}
    for node in nodes:
        node.x = x[node.column]
    return x, width


def arrange(nodes: list[Node], links: list[Link], x: Mapping[int, float], width: float) -> float:
    """Heights, order and places of nodes in their columns; then the ribbons' ends. The total height."""
    values: dict[int, float] = defaultdict(float)
    for node in nodes:
        values[node.column] += node.value
    ribbons = RIBBONS * (0.7 + 0.3 * width / LEAST_WIDTH)
    fullest = max(values.values(), default=0.0)
    unit = ribbons / fullest if fullest > 0 else 0.0
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

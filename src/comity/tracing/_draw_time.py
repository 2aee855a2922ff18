"""In which column of a flow diagram an account stands: time runs from left to right.

An account stands where value last reached it before it first passed value on; what reaches it later returns.
The columns part time: all that a column holds was reached before all in the next. Where that would take
more columns than can be read, they go by hops instead, and their dates overlap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from comity.model import AccountId

MAX_SLOTS = 9
"""Columns of accounts; between them are those of transactions."""
PAUSE = 5
"""A column ends where nothing happens for this part of the whole time."""


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    value: float
    time: datetime
    estimated: bool = False
    tainted: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """``columns``: even ones for accounts, odd ones for transactions, ascending in time. ``moments``: when
    value reached an account (going back: left it). ``by_time`` is False where columns go by hops."""

    columns: dict[str, int]
    moments: dict[str, datetime]
    by_time: bool


def is_hub(account: str) -> bool:
    return AccountId(account).is_hub


def order(edges: Sequence[Edge], *, forward: bool, start: str = "") -> Order:
    """Place the accounts of ``edges``, which come in the order in which value moves."""
    walk = _Walk(forward)
    if start:
        walk.begin(start)
    for edge in edges:
        walk.over(edge)
    slots, by_time = walk.in_time(), True
    if max(slots.values(), default=0) >= MAX_SLOTS:
        slots, by_time = {a: min(depth, MAX_SLOTS - 1) for a, depth in walk.depth.items()}, False
    walk.place_sources(slots)
    columns = {a: 2 * slot for a, slot in slots.items()}
    columns |= {hub: walk.hub_column(hub, slots) for hub in walk.outputs}
    columns = {a: columns[a] for a in walk.seen if a in columns}
    if not forward:
        columns = {account: -column for account, column in columns.items()}
    return Order(columns, walk.moments, by_time)


@dataclass(slots=True)
class _Walk:
    """What is learnt by going over the edges once. A transaction counts as part of the way through it."""

    forward: bool
    seen: dict[str, None] = field(default_factory=dict)  # in order of appearance
    moments: dict[str, datetime] = field(default_factory=dict)
    before: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    after: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    inputs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    outputs: dict[str, set[str]] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)

    def begin(self, start: str) -> None:
        self.seen[start] = None
        if is_hub(start):
            self.outputs[start] = set()

    def over(self, edge: Edge) -> None:
        near, far = (edge.source, edge.target) if self.forward else (edge.target, edge.source)
        self.seen.setdefault(near)
        self.seen.setdefault(far)
        if is_hub(far):
            self.fixed.add(near)
            self.inputs[far].add(near)
            self.outputs.setdefault(far, set())
            return
        if is_hub(near):
            self.outputs.setdefault(near, set()).add(far)
            sources = self.inputs[near]
        else:
            self.fixed.add(near)
            sources = {near}
        for source in sources:
            self.after[source].add(far)
        if far not in self.fixed:
            self.moments[far] = edge.time
            self.before[far] |= sources
            beyond = 1 + max((self.depth.get(source, 0) for source in sources), default=0)
            self.depth[far] = max(self.depth.get(far, 0), beyond)

    def in_time(self) -> dict[str, int]:
        """The slots of all accounts that value reaches, with pauses apart where there is room for that."""
        times = self.moments.values()
        pause = (max(times) - min(times)) / PAUSE if times else timedelta()
        apart = self._partition(pause)
        return apart if max(apart.values(), default=0) < MAX_SLOTS else self._partition(None)

    def _partition(self, pause: timedelta | None) -> dict[str, int]:
        """As few columns as the order of time allows: a new one begins where an account stands in the last
        from which value came, or after a pause."""
        ranked = sorted(self.moments, key=lambda a: (self._clock(a), self.depth[a], a))
        slots: dict[str, int] = {}
        slot, last = 1, ranked[0] if ranked else ""
        for account in ranked:
            waited = pause and abs(self.moments[account] - self.moments[last]) >= pause
            if waited or any(slots.get(source) == slot for source in self.before[account]):
                slot += 1
            slots[account], last = slot, account
        return slots

    def _clock(self, account: str) -> float:
        at = self.moments[account].timestamp()
        return at if self.forward else -at

    def place_sources(self, slots: dict[str, int]) -> None:
        """An account that nothing reaches stands just before the first it pays."""
        for account in self.seen:
            if account not in slots and not is_hub(account):
                ahead = [slots[far] for far in self.after[account] if far in slots]
                slots[account] = min(ahead, default=1) - 1
        first = min(slots.values(), default=0)
        slots.update({account: slot - first for account, slot in slots.items()})

    def hub_column(self, hub: str, slots: dict[str, int]) -> int:
        """A transaction stands between those who pay into it and the nearest that it pays after them."""
        last = max((slots[account] for account in self.inputs[hub]), default=0)
        ahead = [slots[account] for account in self.outputs[hub] if slots.get(account, 0) > last]
        return 2 * min(ahead) - 1 if ahead else 2 * last + 1

"""Follow value from an account, forward or backward, in order of time, by four methods side by side.

A trace says which part of what an account sends is what it was traced to hold. That is a question of law,
which an investigator chooses for each case (`Method`). Whatever the method, values are whole numbers of the
ledger's smallest unit, nothing is lost or made, and no transfer carries more than it is worth: what was
traced is, to the last unit, what the leaves hold. Backward is the mirror image of forward: time and the two
ends of each transfer swapped.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import datetime
from decimal import Decimal

from comity.model import Columns
from comity.tracing._bridges import Bridges, Sides
from comity.tracing._found import Bounds, Direction, Leaf, Method, Spread, Step, Stop, Trace
from comity.tracing._query import Query

__all__ = [
    "Bounds",
    "Bridges",
    "Direction",
    "Leaf",
    "Method",
    "Sides",
    "Spread",
    "Step",
    "Stop",
    "Trace",
    "compare",
    "spread",
    "trace",
]


def trace(
    columns: Columns,
    start: str,
    direction: Direction = Direction.FORWARD,
    *,
    amount: Decimal | None = None,
    time: datetime | None = None,
    services: Container[str] | Callable[[str], bool] = frozenset(),
    bounds: Bounds | None = None,
    method: Method = Method.HAIRCUT,
    bridges: Bridges | Sides | None = None,
) -> Trace:
    """Trace ``amount`` that ``start`` held at ``time``, having come in last.

    Without ``amount``: all that ``start`` sent from ``time`` on (backward: received up to ``time``).
    Without ``time``: from the beginning (backward: the end) of the ledger. ``services`` are accounts
    where tracing ends, since they mix what they hold; ``bridges`` are accounts from which it goes on at
    another. Costs in proportion to the transfers of the accounts reached. Raises NotFound for an unknown
    account, BadInput for bounds or an amount that make no sense.
    """
    query = Query(columns, start, direction, amount, time, services, bounds or Bounds(), bridges)
    return query.traced(method)


def compare(
    columns: Columns,
    start: str,
    direction: Direction = Direction.FORWARD,
    *,
    amount: Decimal | None = None,
    time: datetime | None = None,
    services: Container[str] | Callable[[str], bool] = frozenset(),
    bounds: Bounds | None = None,
    bridges: Bridges | Sides | None = None,
) -> dict[Method, Trace]:
    """The same trace by every method; see `trace`. `spread` says how far they differ at each account."""
    query = Query(columns, start, direction, amount, time, services, bounds or Bounds(), bridges)
    return {method: query.traced(method) for method in Method}


def spread(traces: Mapping[Method, Trace]) -> tuple[Spread, ...]:
    """How far the methods differ, by account at which value ends; the highest first."""
    ends: dict[str, dict[Method, Decimal]] = {}
    most: dict[str, Decimal] = {}
    for method, found in traces.items():
        tainted: dict[str, Decimal] = {}
        for leaf in found.leaves:
            held = ends.setdefault(leaf.account, dict.fromkeys(traces, Decimal(0)))
            held[method] += leaf.value
            tainted[leaf.account] = tainted.get(leaf.account, Decimal(0)) + (leaf.tainted or leaf.value)
        for account, value in tainted.items():
            most[account] = max(most.get(account, Decimal(0)), min(value, found.value))
    found_all = (Spread(account, min(held.values()), most[account], held) for account, held in ends.items())
    return tuple(sorted(found_all, key=lambda one: (-one.highest, -one.lowest, one.account)))

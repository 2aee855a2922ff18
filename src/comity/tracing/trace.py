"""Follow value from an account, forward or backward, by proportion (haircut) and in order of time.

Each account that traced value reaches holds it mixed with what else it holds; whatever leaves the
account later takes the traced value along in proportion. Backward is the mirror image: what an account
held just after a deposit came from that deposit in proportion, and for the rest from before. Values are
whole numbers of the ledger's smallest unit, so that nothing is lost: what was traced is, to the last
unit, what the leaves hold.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from comity.errors import BadInput
from comity.model import Columns
from comity.tracing.view import EPOCH, MICROSECOND, Leaving, View, find, main_units, moment


class Direction(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


class Stop(StrEnum):
    """Why a trace ends at a leaf."""

    SERVICE = "service"
    HELD = "no further movement"
    HOPS = "hop limit"
    TIME = "time limit"
    NODES = "account limit"
    DUST = "parts too small to follow"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a trace stops: after ``hops`` accounts, at parts below ``min_share`` of what is traced, after
    ``max_nodes`` accounts and transactions, and at ``until`` (going backward: the earliest time)."""

    hops: int = 6
    min_share: float = 0.001
    max_nodes: int = 2000
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A transfer that carried ``value`` of what is traced, in main units of the reference asset.

    ``source`` and ``target`` are originator and beneficiary, in either direction of the trace. ``hop`` is
    1 next to the start; a transaction has the hop of the accounts it leads to. ``estimated``: the value
    of the transfer is not known and was taken to be an equal part.
    """

    transfer: str
    source: str
    target: str
    time: datetime
    value: Decimal
    hop: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """``value`` of what is traced ends at ``account``, for this reason."""

    account: str
    reason: Stop
    value: Decimal
    hop: int


@dataclass(frozen=True, slots=True)
class Trace:
    """``value`` traced from ``start``: the sum of the leaves, exactly. Steps are in order of time."""

    start: str
    direction: Direction
    value: Decimal
    reference: str
    steps: tuple[Step, ...]
    leaves: tuple[Leaf, ...]

    @property
    def estimated(self) -> bool:
        """Whether any step rests on an estimate."""
        return any(step.estimated for step in self.steps)


def trace(
    columns: Columns,
    start: str,
    direction: Direction = Direction.FORWARD,
    *,
    amount: Decimal | None = None,
    time: datetime | None = None,
    services: Container[str] | Callable[[str], bool] = frozenset(),
    bounds: Bounds | None = None,
) -> Trace:
    """Trace ``amount`` that ``start`` held at ``time``.

    Without ``amount``: all that ``start`` sent from ``time`` on (backward: received up to ``time``).
    Without ``time``: from the beginning (backward: the end) of the ledger. ``services`` are accounts
    where tracing ends, since they mix what they hold. Costs in proportion to the transfers of the accounts
    reached. Raises NotFound for an unknown account, BadInput for bounds or an amount that make no sense.
    """
    limits = bounds or Bounds()
    if limits.hops < 1 or limits.max_nodes < 1 or not 0 <= limits.min_share < 1:
        raise BadInput(
            "these bounds leave nothing to trace",
            why="hops and max_nodes are at least 1, and min_share lies in [0, 1)",
            remedy="correct them",
        )
    if amount is not None and not amount > 0:
        raise BadInput(f"cannot trace an amount of {amount}", remedy="give an amount above 0, or none")
    is_service = services if callable(services) else services.__contains__
    walk = _Walk(View(columns, direction is Direction.FORWARD), find(columns, start), is_service, limits)
    return walk.run(start, direction, amount, time)


class _Walk:
    """The state of one trace. All values are in the columns' units, all times as `View.clock`."""

    def __init__(self, view: View, start: int, is_service: Callable[[str], bool], bounds: Bounds) -> None:
        self.view, self.start, self.is_service, self.bounds = view, start, is_service, bounds
        self.traced: dict[int, int] = {}  # by account: what it holds of what is traced
        self.hop: dict[int, int] = {start: 0}
        self.leaving: dict[int, Leaving] = {}
        self.position: dict[int, int] = {}
        self.queued: set[int] = set()
        self.done: set[int] = set()  # hubs that passed on what reached them
        self.late: set[int] = set()
        self.heap: list[tuple[int, int, int]] = []  # (clock, 0 account or 1 hub, its number)
        self.steps: dict[int, list[int]] = {}  # by transfer: value, hop
        self.leaves: dict[tuple[int, Stop], int] = {}
        self.hop_of_leaf: dict[int, int] = {}
        self.dust = 1
        until = bounds.until
        end = None if until is None else (until - EPOCH) // MICROSECOND
        self.end = None if end is None else (end if view.forward else -end)

    def run(self, start: str, direction: Direction, amount: Decimal | None, time: datetime | None) -> Trace:
        columns = self.view.columns
        leaving = self.leaving[self.start] = self.view.leaving(self.start)
        begin = -(2**62)
        if time is not None:
            micros = (time - EPOCH) // MICROSECOND
            begin = micros if self.view.forward else -micros
        if amount is None:
            total = self._all_that_leaves(leaving, begin)
        else:
            total = int(amount.scaleb(columns.scale))
            self._set_dust(total)
            self.traced[self.start] = total
            self._queue(self.start, begin)
        while self.heap:
            clock, is_hub, node = heapq.heappop(self.heap)
            self.queued.discard(node)
            if is_hub:
                self._through_hub(node)
            else:
                self._next_transfer(node, clock)
        for node, value in self.traced.items():
            if value:
                self._end(node, Stop.TIME if node in self.late else self._why_kept(node), value)
        return self._result(start, direction, total)

    def _why_kept(self, node: int) -> Stop:
        more = node in self.leaving and self.position.get(node, 0) < len(self.leaving[node].transfers)
        return Stop.DUST if more else Stop.HELD

    def _set_dust(self, total: int) -> None:
        self.dust = max(1, int(total * self.bounds.min_share))

    def _all_that_leaves(self, leaving: Leaving, begin: int) -> int:
        """Everything the start sends is what is traced: each transfer carries its own worth."""
        moves = [
            (transfer, max(worth, 0), guess)
            for transfer, worth, guess in zip(
                leaving.transfers, leaving.worth, leaving.estimated, strict=True
            )
            if self.view.clock(transfer) >= begin
            and (self.end is None or self.view.clock(transfer) <= self.end)
            and self.view.target(transfer) != self.start
        ]
        total = sum(worth for _, worth, _ in moves)
        self._set_dust(total)
        self.position[self.start] = len(leaving.transfers)
        for transfer, worth, _ in moves:
            self._move(transfer, worth)
        return total

    def _queue(self, node: int, clock: int) -> None:
        """See to it that the node passes on what it holds, from ``clock`` on."""
        if node in self.queued:
            return
        if self.view.columns.hub[node]:
            self.queued.add(node)
            heapq.heappush(self.heap, (clock, 1, node))
            return
        if node not in self.leaving:
            self.leaving[node] = self.view.leaving(node)
        transfers = self.leaving[node].transfers
        at = self.position.get(node, 0)
        if at < len(transfers) and self.view.clock(transfers[at]) < clock:
            at = self._not_before(transfers, at, clock)
        self.position[node] = at
        if at == len(transfers) or self.traced.get(node, 0) < self.dust:
            return
        due = self.view.clock(transfers[at])
        if self.end is not None and due > self.end:
            self.late.add(node)
            return
        self.queued.add(node)
        heapq.heappush(self.heap, (due, 0, node))

    def _not_before(self, transfers: list[int], low: int, clock: int) -> int:
        high = len(transfers)
        while low < high:
            middle = (low + high) // 2
            if self.view.clock(transfers[middle]) < clock:
                low = middle + 1
            else:
                high = middle
        return low

    def _next_transfer(self, node: int, clock: int) -> None:
        leaving, at = self.leaving[node], self.position[node]
        self.position[node] = at + 1
        transfer, worth, traced = leaving.transfers[at], leaving.worth[at], self.traced[node]
        target = self.view.target(transfer)
        if target != node and not self._is_change(target, node):
            if worth < 0:  # nothing can be said of it: an equal part of what may still leave
                part = traced // (len(leaving.transfers) - at)
            else:
                part = traced * worth // max(leaving.held[at], worth, traced)
            self.traced[node] -= part
            self._move(transfer, part)
        self._queue(node, clock)

    def _is_change(self, hub: int, node: int) -> bool:
        """Whether this hub has paid the node already: value cannot enter a transaction it came out of."""
        return hub in self.done and any(
            self.view.target(int(transfer)) == node for transfer in self.view.ahead(hub)
        )

    def _through_hub(self, hub: int) -> None:
        """A transaction passes on all that reached it, in proportion to what its other side is worth."""
        ahead = [int(transfer) for transfer in self.view.ahead(hub)]
        self.done.add(hub)
        if not ahead:
            return
        worths = [max(self.view.worth(transfer)[0], 0) for transfer in ahead]
        if not sum(worths):
            worths = [1] * len(ahead)
        left, weight = self.traced.pop(hub), sum(worths)
        for transfer, worth in zip(ahead, worths, strict=True):
            part = left * worth // weight if weight else 0
            left, weight = left - part, weight - worth
            self._move(transfer, part)

    def _move(self, transfer: int, value: int) -> None:
        """Carry ``value`` over one transfer, and see what becomes of it at the other end."""
        if value == 0:
            return
        source, target = self.view.source(transfer), self.view.target(transfer)
        if value < self.dust:
            self._end(source, Stop.DUST, value)
            return
        hub = bool(self.view.columns.hub[target])
        hop = self.hop[source] + (not self.view.columns.hub[source])
        step = self.steps.setdefault(transfer, [0, hop])
        step[0] += value
        if target == self.start and self.position[target] == len(self.leaving[target].transfers):
            self._end(target, Stop.HELD, value)
        elif not hub and self.is_service(self.view.columns.accounts[target]):
            self._end(target, Stop.SERVICE, value, hop)
        elif target not in self.hop and not hub and hop >= self.bounds.hops:
            self._end(target, Stop.HOPS, value, hop)
        elif target not in self.hop and len(self.hop) >= self.bounds.max_nodes:
            self._end(target, Stop.NODES, value, hop)
        else:
            self.hop[target] = min(self.hop.get(target, hop), hop)
            self.traced[target] = self.traced.get(target, 0) + value
            self._queue(target, self.view.clock(transfer))

    def _end(self, node: int, reason: Stop, value: int, hop: int | None = None) -> None:
        if hop is not None:
            self.hop_of_leaf.setdefault(node, hop)
        self.leaves[node, reason] = self.leaves.get((node, reason), 0) + value

    def _result(self, start: str, direction: Direction, total: int) -> Trace:
        columns = self.view.columns
        steps = tuple(
            Step(
                transfer=columns.ids[transfer],
                source=columns.accounts[int(columns.src[transfer])],
                target=columns.accounts[int(columns.dst[transfer])],
                time=moment(columns, transfer),
                value=main_units(columns, value),
                hop=hop,
                estimated=int(columns.value[transfer]) < 0,
            )
            for transfer, (value, hop) in sorted(self.steps.items())
        )
        leaves = sorted(
            (
                Leaf(
                    columns.accounts[node],
                    reason,
                    main_units(columns, value),
                    self.hop.get(node, self.hop_of_leaf.get(node, 0)),
                )
                for (node, reason), value in self.leaves.items()
            ),
            key=lambda leaf: (-leaf.value, leaf.account, leaf.reason),
        )
        return Trace(start, direction, main_units(columns, total), columns.reference, steps, tuple(leaves))

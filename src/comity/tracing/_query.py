"""One question to the engine: names to numbers, and what was found back into words."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import datetime
from decimal import Decimal

import numpy as np

from comity.errors import BadInput
from comity.model import Columns
from comity.tracing import _state as s
from comity.tracing._bridges import Bridges, Sides, bridges_of
from comity.tracing._engine import run
from comity.tracing._found import Bounds, Direction, Leaf, Method, Step, Stop, Trace
from comity.tracing.view import clock_of, find, main_units, moment, side

_METHODS = {Method.HAIRCUT: s.HAIRCUT, Method.POISON: s.POISON, Method.FIFO: s.FIFO, Method.LIFO: s.LIFO}
_REASONS = tuple(Stop)  # in the order of `_state`


def checked(amount: Decimal | None, bounds: Bounds) -> None:
    """Raises BadInput for bounds or an amount that leave nothing to trace."""
    if bounds.hops < 1 or bounds.max_nodes < 1 or not 0 <= bounds.min_share < 1:
        raise BadInput(
            "these bounds leave nothing to trace",
            why="hops and max_nodes are at least 1, and min_share lies in [0, 1)",
            remedy="correct them",
        )
    if amount is not None and not amount > 0:
        raise BadInput(f"cannot trace an amount of {amount}", remedy="give an amount above 0, or none")


class Query:
    """What is asked of a ledger, for any method; what `services` and bridges say is asked once."""

    def __init__(
        self,
        columns: Columns,
        start: str,
        direction: Direction,
        amount: Decimal | None,
        time: datetime | None,
        services: Container[str] | Callable[[str], bool],
        bounds: Bounds,
        bridges: Bridges | Sides | None,
    ) -> None:
        checked(amount, bounds)
        self.columns, self.start, self.direction, self.bounds = columns, start, direction, bounds
        forward = direction is Direction.FORWARD
        self.side = side(columns, forward)
        self.is_service = services if callable(services) else services.__contains__
        self.bridges = None if bridges is None else bridges_of(bridges, columns, forward)
        self.kinds: dict[int, int] = {}
        units = 0 if amount is None else int(amount.scaleb(columns.scale))
        if amount is not None and units == 0:
            raise BadInput(
                f"cannot trace an amount of {amount}",
                why=f"the smallest unit of this ledger is 10^-{columns.scale}",
                remedy="give a larger amount",
            )
        self.given = {
            s.MOST_HOPS: bounds.hops,
            s.MOST_NODES: bounds.max_nodes,
            s.END: s.NEVER - 1 if bounds.until is None else clock_of(bounds.until, forward),
            s.START: find(columns, start),
            s.ALL: int(amount is None),
            s.BEGIN: -s.NEVER if time is None else clock_of(time, forward),
            s.CLASSED: int(self.bridges is not None or callable(services) or bool(services)),
            s.SHARE: round(bounds.min_share * s.WHOLE),
            s.AMOUNT: units,
        }

    def traced(self, method: Method, plan: int = s.EITHER) -> Trace:
        """The trace by one method. ``plan`` is `_state.WALK`, `SWEEP` or `EITHER`: the answer is the same."""
        given = self.given | {s.METHOD: _METHODS[method], s.PLAN: plan}
        state = run(self.side, given, self._kind, self._order, self.bridges.payout if self.bridges else None)
        return Trace(
            self.start,
            self.direction,
            main_units(self.columns, int(state.counts[s.TOTAL])),
            self.columns.reference,
            self._steps(state, method),
            self._leaves(state, method),
            method,
        )

    def _kind(self, account: int) -> int:
        kind = self.kinds.get(account)
        if kind is None:
            name = self.columns.accounts[account]
            if self.is_service(name):
                kind = s.MIXES
            elif self.bridges is not None and self.bridges.is_side(account):
                kind = s.BRIDGE
            else:
                kind = s.PLAIN
            self.kinds[account] = kind
        return kind

    def _order(self, hub: int) -> list[int]:
        """Inputs, then outputs, by number: as text, which the ledger sorts by, 10 comes before 2."""
        sides, turns = self.side, []
        for ptr, idx in ((sides.bptr, sides.bidx), (sides.ptr, sides.idx)):
            ids = [self.columns.ids[int(one)] for one in idx[ptr[hub] : ptr[hub + 1]][:: sides.sign]]
            turns += sorted(range(len(ids)), key=lambda at: _numbered(ids[at]), reverse=sides.sign < 0)
        return turns

    def _steps(self, state: s.State, method: Method) -> tuple[Step, ...]:
        used = int(state.counts[s.N_STEPS])
        found: dict[int, list[int]] = {}
        for transfer, value, hop, taint, inferred in state.steps[:used].tolist():
            step = found.setdefault(transfer, [0, hop, 0, 0])
            step[0] += value
            step[2] = max(step[2], taint)
            step[3] |= inferred
        return tuple(self._step(method, transfer, *found[transfer]) for transfer in sorted(found))

    def _step(self, method: Method, transfer: int, value: int, hop: int, taint: int, inferred: int) -> Step:
        columns = self.columns
        reason, via = self.bridges.reason(transfer) if inferred and self.bridges else ("", "")
        return Step(
            transfer=columns.ids[transfer],
            source=columns.accounts[int(columns.src[transfer])],
            target=columns.accounts[int(columns.dst[transfer])],
            time=moment(columns, transfer),
            value=main_units(columns, value),
            hop=hop,
            estimated=int(columns.value[transfer]) < 0,
            inferred=bool(inferred),
            reason=reason,
            via=via,
            tainted=main_units(columns, taint) if method is Method.POISON else None,
        )

    def _leaves(self, state: s.State, method: Method) -> tuple[Leaf, ...]:
        columns, used = self.columns, int(state.counts[s.N_SLOTS])
        ends = state.ends[:used]
        weight = np.maximum(ends[:, : s.REASONS], ends[:, s.REASONS :])
        leaves = []
        for slot, reason in np.argwhere(weight).tolist():
            hop, leaf_hop = state.slots[slot, s.HOP], state.slots[slot, s.LEAF_HOP]
            leaves.append(
                Leaf(
                    columns.accounts[int(state.slots[slot, s.ACCOUNT])],
                    _REASONS[reason],
                    main_units(columns, int(ends[slot, reason])),
                    max(int(hop if hop >= 0 else leaf_hop), 0),
                    main_units(columns, int(ends[slot, s.REASONS + reason]))
                    if method is Method.POISON
                    else None,
                )
            )
        leaves.sort(key=lambda leaf: (-leaf.value, -(leaf.tainted or 0), leaf.account, leaf.reason))
        return tuple(leaves)


def _numbered(transfer: str) -> tuple[str, int]:
    """A transfer's id, and the number at its end."""
    stem = transfer.rstrip("0123456789")
    return stem, int(transfer[len(stem) :] or -1)

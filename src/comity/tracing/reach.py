"""Which accounts money from one account can have come to, or come from, in order of time.

Reach says nothing of how much: any transfer that is not before the one it follows leads on, and within one
instant too. A transaction between its inputs and outputs is passed through and not counted as a hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from comity.errors import BadInput
from comity.model import Columns
from comity.tracing import _state
from comity.tracing._found import Direction
from comity.tracing._reach import COMING, FAR, HOPS, WHO, in_a_sweep, in_layers
from comity.tracing.view import EPOCH, clock_of, find, side

_WORTH_A_SWEEP = 60
"""A sweep reads all transfers in the time in which one in sixty of them is found by itself."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is reached from ``start``, itself left out. Transactions are among it, with the hops of the
    accounts they lead to.

    - ``account``: int32[k], account numbers, ascending; ``hop``: int16[k], over how few hops
    - ``time``: int64[k], microseconds since 1970-01-01T00:00Z, when first (backward: when last)
    - ``transfers``: how many transfers lead there
    """

    columns: Columns
    start: str
    direction: Direction
    account: NDArray[np.int32]
    hop: NDArray[np.int16]
    time: NDArray[np.int64]
    transfers: int

    def __len__(self) -> int:
        return len(self.account)

    def found(self, account: str) -> tuple[int, datetime] | None:
        """Over how few hops, and when first, an account is reached; None when it is not."""
        number = find(self.columns, account)
        at = int(np.searchsorted(self.account, number))
        if at == len(self.account) or self.account[at] != number:
            return None
        return int(self.hop[at]), EPOCH + timedelta(microseconds=int(self.time[at]))


def reach(
    columns: Columns,
    start: str,
    direction: Direction = Direction.FORWARD,
    hops: int = 6,
    time: datetime | None = None,
    until: datetime | None = None,
) -> Reach:
    """All accounts to which there is a way from ``start`` of at most ``hops`` accounts, from ``time`` on and
    not after ``until`` (backward: back from ``time``, and not before ``until``).

    Costs in proportion to what is reached, and where that nears the whole ledger one sweep over it. Raises
    NotFound for an unknown account, BadInput when ``hops`` is not 1 to 250.
    """
    return reached(columns, start, direction, hops, time, until, _state.EITHER)


def reached(
    columns: Columns,
    start: str,
    direction: Direction,
    hops: int,
    time: datetime | None,
    until: datetime | None,
    plan: int,
) -> Reach:
    """`reach` by one of the plans `_state.WALK`, `SWEEP` and `EITHER`: the answer is the same."""
    if not 1 <= hops <= FAR - 5:
        raise BadInput(f"cannot reach over {hops} hops", why="1 to 250 are followed", remedy="correct it")
    forward, number = direction is Direction.FORWARD, find(columns, start)
    view = side(columns, forward)
    begin = -_state.NEVER if time is None else clock_of(time, forward)
    end = _state.NEVER - 1 if until is None else clock_of(until, forward)
    transfers = -1
    if plan != _state.SWEEP:
        most = len(columns) // _WORTH_A_SWEEP if plan == _state.EITHER else _state.NEVER
        met, used, transfers = in_layers(view, number, begin, end, hops, max(most, 64))
    if transfers >= 0:
        order = np.argsort(met[1:used, WHO].astype(np.int32)) + 1
        account, hop, clock = (met[order, field] for field in (WHO, HOPS, COMING))
    else:
        fewest, earliest, transfers = in_a_sweep(view, number, begin, end, hops)
        fewest[number] = FAR
        account = np.flatnonzero(fewest != FAR)
        hop, clock = fewest[account], earliest[account]
    return Reach(
        columns,
        start,
        direction,
        account.astype(np.int32),
        hop.astype(np.int16),
        view.sign * clock,
        int(transfers),
    )

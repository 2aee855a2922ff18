"""The ledger as a trace walks it: one direction, what each transfer is worth, and balances before it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from comity.errors import NotFound
from comity.model import Columns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def moment(columns: Columns, transfer: int) -> datetime:
    """When a transfer was made."""
    return EPOCH + timedelta(microseconds=int(columns.time[transfer]))


def main_units(columns: Columns, value: int) -> Decimal:
    """A value of the columns in main units of the reference asset, exactly."""
    return Decimal(value).scaleb(-columns.scale)


def find(columns: Columns, account: str) -> int:
    """The number of an account. Raises NotFound when it makes and receives nothing in this ledger."""
    number = bisect_left(columns.accounts, account)
    if number < len(columns.accounts) and columns.accounts[number] == account:
        return number
    raise NotFound(
        f"no account {account[:120]!r} in this ledger",
        why="it neither sends nor receives a transfer here",
        remedy="check the account, or add the ledger it is in",
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves an account in one direction, in the order a trace meets it.

    ``transfers`` are transfer numbers; ``worth`` what each is worth (-1: cannot be said); ``estimated``
    whether that was estimated; ``held`` what the account held just before (walking forward) or just
    after (walking backward) each.
    """

    transfers: list[int]
    worth: list[int]
    estimated: list[bool]
    held: list[int]


class View:
    """One direction of a ledger. Backward is forward with time and the two ends of a transfer swapped."""

    def __init__(self, columns: Columns, forward: bool) -> None:
        self.columns = columns
        self.forward = forward
        self._shares: dict[int, tuple[int, int]] = {}

    def outs(self, account: int) -> NDArray[np.int64]:
        """Transfers out of an account in time order."""
        c = self.columns
        return np.asarray(c.out_idx[c.out_ptr[account] : c.out_ptr[account + 1]])

    def ins(self, account: int) -> NDArray[np.int64]:
        """Transfers into an account in time order."""
        c = self.columns
        return np.asarray(c.in_idx[c.in_ptr[account] : c.in_ptr[account + 1]])

    def ahead(self, account: int) -> NDArray[np.int64]:
        """Transfers on which a trace goes on from an account, in ledger order."""
        return self.outs(account) if self.forward else self.ins(account)

    def source(self, transfer: int) -> int:
        """The account that a trace comes from."""
        return int((self.columns.src if self.forward else self.columns.dst)[transfer])

    def target(self, transfer: int) -> int:
        """The account that a trace comes to."""
        return int((self.columns.dst if self.forward else self.columns.src)[transfer])

    def clock(self, transfer: int) -> int:
        """Time as the trace sees it: always ascending."""
        time = int(self.columns.time[transfer])
        return time if self.forward else -time

    def worth(self, transfer: int) -> tuple[int, bool]:
        """What a transfer is worth, and whether that is an estimate; -1 when nothing can be said.

        What is not known on one side of a hub is what the other side leaves over, in equal parts.
        """
        c = self.columns
        value = int(c.value[transfer])
        if value >= 0:
            return value, False
        if c.hub[c.dst[transfer]]:
            return self._equal(int(c.dst[transfer]))[0], True
        if c.hub[c.src[transfer]]:
            return self._equal(int(c.src[transfer]))[1], True
        return -1, True

    def _equal(self, hub: int) -> tuple[int, int]:
        """What one unknown input of a hub is worth, and one unknown output."""
        if hub not in self._shares:
            ins, outs = self.columns.value[self.ins(hub)], self.columns.value[self.outs(hub)]
            known_in, known_out = int(ins[ins >= 0].sum()), int(outs[outs >= 0].sum())
            self._shares[hub] = (
                max(known_out - known_in, 0) // max(int((ins < 0).sum()), 1),
                max(known_in - known_out, 0) // max(int((outs < 0).sum()), 1),
            )
        return self._shares[hub]

    def _worths(self, transfers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        worth = self.columns.value[transfers]
        unknown = worth < 0
        if unknown.any():
            for i in np.flatnonzero(unknown):
                worth[i] = self.worth(int(transfers[i]))[0]
        return worth, unknown

    def leaving(self, account: int) -> Leaving:
        """All that leaves an account, with what it held at each.

        Within one instant what comes in counts before what goes out, but the change of a transaction
        comes after its inputs. The ledger may begin late: the account is taken to have opened with the
        least that keeps it from ever being overdrawn.
        """
        c = self.columns
        ins, outs = self.ins(account), self.outs(account)
        worth_in, unknown_in = self._worths(ins)
        worth_out, unknown_out = self._worths(outs)
        paid = c.dst[outs]
        paid_hubs = paid[c.hub[paid]]
        order_in, order_out = 2 * c.time[ins], 2 * c.time[outs]
        if len(paid_hubs):
            order_in += np.isin(c.src[ins], paid_hubs)
            by_order = np.argsort(order_in, kind="stable")
            ins, worth_in, unknown_in, order_in = (
                ins[by_order],
                worth_in[by_order],
                unknown_in[by_order],
                order_in[by_order],
            )
        sum_in, sum_out = _sums(worth_in), _sums(worth_out)
        before = sum_in[order_in.searchsorted(order_out, side="right")] - sum_out[:-1]
        after = before - np.maximum(worth_out, 0)
        opening = max(0, -int(after.min())) if len(after) else 0
        if self.forward:
            held = before + opening
            return Leaving(outs.tolist(), worth_out.tolist(), unknown_out.tolist(), held.tolist())
        held = sum_in[1:] + opening - sum_out[order_out.searchsorted(order_in, side="left")]
        return Leaving(
            ins[::-1].tolist(), worth_in[::-1].tolist(), unknown_in[::-1].tolist(), held[::-1].tolist()
        )


def _sums(worth: NDArray[np.int64]) -> NDArray[np.int64]:
    """What has passed before each transfer, and after the last; what is not known counts as nothing."""
    sums = np.zeros(len(worth) + 1, dtype=np.int64)
    np.maximum(worth, 0).cumsum(out=sums[1:])
    return sums

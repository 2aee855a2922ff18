"""What a trace is asked and what it finds, in the field's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Direction(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


class Method(StrEnum):
    """How value that is mixed is told apart again.

    - ``HAIRCUT``: what leaves takes the traced value along in proportion to all that is held. Source: Möser,
      Böhme, Breuker, Towards Risk Scoring of Bitcoin Transactions (BITCOIN 2014); in law the rolling
      charge of Barlow Clowes v Vaughan [1992] 4 All ER 22.
    - ``FIFO``: what came first leaves first. Source: Devaynes v Noble, Clayton's Case (1816) 1 Mer 572; for
      Bitcoin Anderson, Shumailov, Ahmed, Making Bitcoin Legal (Security Protocols 2018), unit by unit in
      the order of a transaction's inputs and outputs, and the fee last.
    - ``LIFO``: what came last leaves first, unit by unit.
    - ``POISON``: any contact taints all that follows (Möser et al.): the upper bound, and not a measure of
      value, since what is tainted grows without end. So a step and a leaf state both: ``tainted``, all that
      has been in contact, at its full worth; and ``value``, a share that is conserved, by taint first: what
      leaves a tainted account is traced value as long as it holds any. Where value was mixed is where
      ``tainted`` exceeds ``value``.
    """

    HAIRCUT = "haircut"
    POISON = "poison"
    FIFO = "fifo"
    LIFO = "lifo"


class Stop(StrEnum):
    """Why a trace ends at a leaf."""

    SERVICE = "service"
    HELD = "no further movement"
    HOPS = "hop limit"
    TIME = "time limit"
    NODES = "account limit"
    DUST = "parts too small to follow"
    FEE = "kept as a fee"
    BRIDGE = "bridge: several payouts fit"
    NO_PAYOUT = "bridge: no payout fits"


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
    of the transfer is not known and was taken to be an equal part. ``inferred``: the trace came to this
    transfer over a bridge, from the account ``via``, for the ``reason`` given, and not along the ledger.
    ``tainted``: what of the transfer is tainted, by poison (None by other methods); ``value`` may then be 0.
    """

    transfer: str
    source: str
    target: str
    time: datetime
    value: Decimal
    hop: int
    estimated: bool = False
    inferred: bool = False
    reason: str = ""
    via: str = ""
    tainted: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """``value`` of what is traced ends at ``account``, for this reason; ``tainted`` as of a `Step`."""

    account: str
    reason: Stop
    value: Decimal
    hop: int
    tainted: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """``value`` traced from ``start``: the sum of the leaves, exactly. Steps are in order of time."""

    start: str
    direction: Direction
    value: Decimal
    reference: str
    steps: tuple[Step, ...]
    leaves: tuple[Leaf, ...]
    method: Method = Method.HAIRCUT

    @property
    def estimated(self) -> bool:
        """Whether any step rests on an estimate."""
        return any(step.estimated for step in self.steps)

    @property
    def inferred(self) -> bool:
        """Whether any step rests on the pairing of the two sides of a bridge."""
        return any(step.inferred for step in self.steps)


@dataclass(frozen=True, slots=True)
class Spread:
    """What ends at an account by each method (0 where nothing does): ``lowest`` to ``highest``.

    Poison counts for the highest with what is tainted there, up to all that was traced: by no rule of
    tracing within the same bounds can more of it be there.
    """

    account: str
    lowest: Decimal
    highest: Decimal
    by_method: Mapping[Method, Decimal]

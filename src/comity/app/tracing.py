"""A trace as people ask for it, by command or on a page: who is who, what ends it, where it goes on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from comity.errors import BadInput
from comity.lists._wallets import typed
from comity.model import AccountId, Attribution, Columns
from comity.screening.attribute import services
from comity.tracing.expand import expand
from comity.tracing.layout import ON
from comity.tracing.trace import Bounds, Direction, Method, Trace, trace
from comity.tracing.trace import compare as by_each

METHODS = {
    Method.HAIRCUT: "what leaves an account takes traced value along in proportion to all that it holds",
    Method.POISON: "what leaves an account is traced value first, and all that it touches is tainted",
    Method.FIFO: "first in, first out: what came first leaves first",
    Method.LIFO: "last in, first out: what came last leaves first",
}
MAX_OPENED = 60
"""So that the address of a page stays within what servers read."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to trace, and how far. ``opened``: what a diagram shows by itself, and from where to go on."""

    account: str
    direction: Direction = Direction.FORWARD
    method: Method = Method.HAIRCUT
    hops: int = 6
    min_share: float = 0.001
    until: datetime | None = None
    amount: Decimal | None = None
    time: datetime | None = None
    opened: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises BadInput for bounds that make no sense."""
        if not 1 <= self.hops <= 50 or not 0 < self.min_share <= 1:
            raise BadInput(
                "bounds out of range", why="1 to 50 hops, a share in (0, 1]", remedy="correct them"
            )
        if len(self.opened) > MAX_OPENED:
            raise BadInput(
                f"more than {MAX_OPENED} accounts opened",
                why="a diagram of so many cannot be read",
                remedy="trace on from one of them",
            )

    @property
    def bounds(self) -> Bounds:
        return Bounds(hops=self.hops, min_share=self.min_share, until=self.until)

    @property
    def note(self) -> str:
        """The method and the bounds, to stand on what is made from the trace."""
        until = f", until {self.until:%Y-%m-%d}" if self.until else ""
        return f"{self.method.value}, up to {self.hops} hops, parts from {self.min_share * 100:g} %{until}"

    def title(self, labels: Mapping[str, str]) -> str:
        """What is drawn, in words."""
        name = AccountId(self.account).address
        if self.account in labels:
            name = f"{labels[self.account]} ({name})"
        forward = self.direction is Direction.FORWARD
        return f"Where value went from {name}" if forward else f"Where the value in {name} came from"


def follow(columns: Columns, ask: Ask, attributed: Mapping[str, Attribution]) -> Trace:
    """The trace, ended at services, and gone on with from what is opened. Raises NotFound, BadInput."""
    ask.check()

    def tracer(ends: Container[str], bounds: Bounds) -> Trace:
        return trace(
            columns,
            ask.account,
            ask.direction,
            method=ask.method,
            amount=ask.amount,
            time=ask.time,
            services=ends,
            bounds=bounds,
        )

    return expand(tracer, services(attributed), ask.bounds, frozenset(ask.opened))


def compare(columns: Columns, ask: Ask, attributed: Mapping[str, Attribution]) -> dict[Method, Trace]:
    """The same by each method, all gone on with from the same accounts. Raises NotFound, BadInput."""
    if any(key.startswith(ON) for key in ask.opened):
        return {method: follow(columns, replace(ask, method=method), attributed) for method in Method}
    ask.check()
    return by_each(
        columns,
        ask.account,
        ask.direction,
        amount=ask.amount,
        time=ask.time,
        services=services(attributed),
        bounds=ask.bounds,
    )


def labels(attributed: Mapping[str, Attribution], names: Mapping[str, str]) -> dict[str, str]:
    """What accounts are called: by their own institution's ``names``, or else as the lists say."""
    return {**{account: one.called for account, one in attributed.items()}, **names}


def account_of(columns: Columns, text: str) -> str:
    """The account a person means: an id of this ledger, or an address as it is pasted. Raises BadInput."""
    text = text.strip()
    place = bisect_left(columns.accounts, text)
    if place < len(columns.accounts) and columns.accounts[place] == text:
        return text
    return typed(text).value

"""What the answers of an EVM node state, kept small until it is known what of it took effect.

A block, its receipts and its traces may come in any order, or not all: what a transaction moved is only
known with its outcome. So everything is kept until the file ends, within `MAX_FACTS`. Two answers that
contradict each other (another block under the same number, another log under the same index) are refused:
one of them is of a fork, and no reader can tell which.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from comity.chains._evm import Moved, moment
from comity.errors import BadInput, TooLarge

MAX_FACTS = 2_000_000
MAX_CALLS = 1_024
Path = tuple[int, ...]


class Sent(NamedTuple):
    """A transaction: ``receiver`` is None when it makes a contract; ``gas`` is its limit."""

    block: int
    place: int
    sender: str
    receiver: str | None
    wei: int
    gas: int | None = None


class Logged(NamedTuple):
    """A token's event: ``raw`` is in the token's smallest unit."""

    block: int
    token: str
    sender: str
    receiver: str
    raw: int


class Call(NamedTuple):
    """A call within a transaction, or the making or ending of a contract, that moves value if it stands."""

    sender: str
    receiver: str | None
    wei: int


@dataclass(slots=True)
class Calls:
    """The calls of one transaction by their place in its tree. ``sure``: an exporter says that they stand."""

    style: str
    block: int | None
    seen: set[Path] = field(default_factory=set)
    failed: set[Path] = field(default_factory=set)
    sure: set[Path] = field(default_factory=set)
    moves: dict[Path, Call] = field(default_factory=dict)


class Credit(NamedTuple):
    """Coins that come from outside any transaction: a reward, a withdrawal from staking, the genesis."""

    block: int
    origin: str
    receiver: str
    wei: int


@dataclass(slots=True)
class Facts:
    """``outcomes``: whether a transaction took effect; ``gas_used`` is kept where that is not stated.

    ``named``: transactions of which a block gives the hash only, with the block. ``aside``: logs that move
    a collectible, or say in another way than ERC-20 what they move.
    """

    now: datetime
    chain_id: int
    wrapped: str
    times: dict[int, datetime] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    transactions: dict[str, Sent] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, bool] = field(default_factory=dict)
    gas_used: dict[str, int] = field(default_factory=dict)
    created: dict[str, str] = field(default_factory=dict)
    logs: dict[tuple[str, int], Logged] = field(default_factory=dict)
    aside: dict[tuple[str, int], str] = field(default_factory=dict)
    calls: dict[str, Calls] = field(default_factory=dict)
    rewards: Counter[tuple[int, str, str, int]] = field(default_factory=Counter)
    credits: dict[str, Credit] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    held: int = 0

    def keep(self, weight: int = 1) -> None:
        """Count one fact more. Raises TooLarge."""
        self.held += weight
        if self.held > MAX_FACTS:
            raise TooLarge(
                f"more than {MAX_FACTS:,} transactions, logs and calls in one file",
                why="an outcome may stand anywhere in it, so all of it is kept until it ends",
                remedy="split the file by ranges of blocks",
            )

    def block(self, number: int, digest: str | None, seconds: int | None) -> None:
        """A block exists, with this hash and time where they are stated. Raises BadInput."""
        if digest is not None and self.hashes.setdefault(number, digest) != digest:
            raise BadInput(
                f"two blocks have the number {number:,}: {self.hashes[number]} and {digest}",
                why="one of them is of a fork that the chain has left",
                remedy="fetch everything of that block again, from one node",
            )
        if seconds is None:
            return
        time = moment(seconds, f"block {number:,}", self.now)
        if self.times.setdefault(number, time) != time:
            raise BadInput(
                f"block {number:,} has two times: {self.times[number].isoformat()} and {time.isoformat()}",
                remedy="fetch everything of that block again, from one node",
            )

    def transaction(self, digest: str, sent: Sent) -> None:
        """A transaction is in a block. Seen again it must be the same. Raises BadInput."""
        known = self.transactions.get(digest)
        if known is None:
            self.keep()
            self.transactions[digest] = sent
        elif known[:5] != sent[:5]:
            raise self.differ(f"transaction {digest}")

    def outcome(self, digest: str, took_effect: bool) -> None:
        if self.outcomes.setdefault(digest, took_effect) != took_effect:
            raise BadInput(
                f"transaction {digest}: one answer says that it took effect, another that it failed",
                remedy="fetch its block, receipts and traces again, from one node",
            )

    def creates(self, digest: str, contract: str) -> None:
        if self.created.setdefault(digest, contract) != contract:
            raise self.differ(f"the contract made by transaction {digest}")

    def log(self, digest: str, index: int, block: int, token: str, moved: Moved | str) -> None:
        """An event of a token; ``moved`` is what `_evm.movement` makes of it. Raises BadInput."""
        self.outcome(digest, True)  # what fails leaves no log
        if isinstance(moved, str):
            if moved and (digest, index) not in self.aside:
                self.keep()
                self.aside[digest, index] = moved
            return
        sender, receiver = (f"0x{party}" if party else token for party in moved[:2])
        logged = Logged(block, token, sender, receiver, moved.raw)
        known = self.logs.get((digest, index))
        if known is None:
            self.keep()
            self.logs[digest, index] = logged
        elif known != logged:
            raise self.differ(f"log {index:,} of transaction {digest}")

    def traced(self, digest: str, block: int | None, style: str) -> Calls:
        """The calls of a transaction, begun or found. Raises BadInput when another tracer began them."""
        calls = self.calls.get(digest)
        if calls is None:
            self.keep()
            calls = self.calls[digest] = Calls(style, block)
        if calls.style != style:
            raise BadInput(
                f"transaction {digest} is traced twice, by different tracers",
                why="they count calls differently, so what each of them saw cannot be told apart",
                remedy="give either trace_block or debug_traceBlock… with callTracer",
            )
        if calls.block is not None and block is not None and calls.block != block:
            raise self.differ(f"the block of transaction {digest}")
        calls.block = block if calls.block is None else calls.block
        return calls

    def call(self, calls: Calls, path: Path, move: Call | None, failed: bool, where: str) -> None:
        """One call at its place in the tree. Raises BadInput when another one is there."""
        if path in calls.seen:
            same = (path in calls.failed) == failed and calls.moves.get(path) == (None if failed else move)
            if not same:
                raise self.differ(where)
            return
        self.keep(1 + len(path) // 8)
        calls.seen.add(path)
        if failed:
            calls.failed.add(path)
        elif move is not None:
            calls.moves[path] = move

    def credit(self, name: str, credit: Credit) -> None:
        known = self.credits.get(name)
        if known is None:
            self.keep()
            self.credits[name] = credit
        elif known != credit:
            raise self.differ(name)

    @staticmethod
    def differ(what: str) -> BadInput:
        return BadInput(
            f"{what} is there twice, and differs",
            why="one of the two is of a fork, or was altered",
            remedy="fetch everything of that block again, from one node",
        )

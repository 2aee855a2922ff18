"""From what was stated to what took effect: the transfers of a file, in order, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from comity.chains import Intake
from comity.chains._ethereum_facts import Calls, Facts, Path
from comity.chains._evm_tokens import Tokens, exact
from comity.errors import BadInput, Conflict
from comity.intake import MAX_AMOUNT
from comity.model import AccountId, Amount, AssetId, Transfer

NEW = "new-"
"""``CHAIN:new-HASH`` stands for the contract a transaction made when its address is not stated."""

_BATCH = 10_000


class Row(NamedTuple):
    """A transfer before its time and amount are looked up. ``token`` is empty for the chain's own coin."""

    block: int | None
    rank: int
    order: tuple[int | str, ...]
    id: str
    digest: str
    sender: str
    receiver: str
    token: str
    raw: int


@dataclass(slots=True)
class Settled:
    """The rows of a file, and what was left out of them."""

    rows: list[Row] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    failed: int = 0
    empty: int = 0
    nameless: int = 0
    unknown: int = 0


def settle(facts: Facts) -> Settled:
    """What took effect. Raises BadInput when answers contradict each other, or a caller is missing."""
    found = Settled()
    for digest, calls in facts.calls.items():
        if () in calls.seen:
            facts.outcome(digest, () not in calls.failed)
            outermost = calls.moves.get(())
            if outermost is not None and outermost.receiver is not None and _creates(facts, digest):
                facts.creates(digest, outermost.receiver)
    _sent(facts, found)
    for digest, calls in facts.calls.items():
        _called(facts, digest, calls, found)
    for (digest, index), log in facts.logs.items():
        if (digest, index) not in facts.aside:
            name = f"{digest}:log:{index}"
            _add(
                found, Row(log.block, 2, (index,), name, digest, log.sender, log.receiver, log.token, log.raw)
            )
    _rewards(facts, found)
    for name, credit in facts.credits.items():
        row = Row(credit.block, 4, (name,), name, "", credit.origin, credit.receiver, "", credit.wei)
        _add(found, row)
    found.unknown = len(facts.named.keys() - facts.transactions.keys() - facts.calls.keys())
    found.rows.sort(key=lambda row: (row.block or 0, row.rank, row.order, row.id))
    return found


def _creates(facts: Facts, digest: str) -> bool:
    sent = facts.transactions.get(digest)
    return sent is not None and sent.receiver is None


def _sent(facts: Facts, found: Settled) -> None:
    for digest, sent in facts.transactions.items():
        took_effect = _outcome(facts, digest, sent.gas)
        if took_effect is False:
            found.failed += bool(sent.wei)
            continue
        receiver = sent.receiver or facts.created.get(digest) or f"{NEW}{digest}"
        calls = facts.calls.get(digest)
        outermost = None if calls is None else calls.moves.get(())
        if outermost is not None and outermost != (sent.sender, receiver, sent.wei):
            raise facts.differ(f"what transaction {digest} pays")
        if sent.wei:
            found.nameless += receiver.startswith(NEW)
            if took_effect is None:
                found.unproven.append(digest)
        name = f"{digest}:value"
        _add(found, Row(sent.block, 0, (sent.place,), name, digest, sent.sender, receiver, "", sent.wei))


def _outcome(facts: Facts, digest: str, gas: int | None) -> bool | None:
    """Whether a transaction took effect; None where nothing in the file proves it.

    Before Byzantium whatever failed used up all of its gas, so one that did not has succeeded.
    """
    if digest in facts.outcomes:
        return facts.outcomes[digest]
    used = facts.gas_used.get(digest)
    return True if used is not None and gas is not None and used < gas else None


def _called(facts: Facts, digest: str, calls: Calls, found: Settled) -> None:
    if facts.outcomes.get(digest) is False:
        return
    sent = facts.transactions.get(digest)
    block = (calls.block or facts.named.get(digest)) if sent is None else sent.block
    if sent is not None and calls.block is not None and calls.block != sent.block:
        raise facts.differ(f"the block of transaction {digest}")
    standing, undone = _standing(calls)
    for path, move in calls.moves.items():
        if not move.wei or (not path and sent is not None):
            continue  # nothing, or what the transaction itself pays
        if path in undone:
            found.failed += 1
            continue
        if path not in standing:
            raise BadInput(
                f"transaction {digest}: a call is in the file, but not all the calls around it",
                why="if one of them failed, this one moved nothing",
                remedy="fetch whole transactions: trace_block or trace_transaction, not trace_filter",
            )
        name = f"{digest}:call:{'_'.join(map(str, path))}" if path else f"{digest}:value"
        receiver = move.receiver or f"{NEW}{digest}"
        _add(found, Row(block, 1 if path else 0, path, name, digest, move.sender, receiver, "", move.wei))


def _standing(calls: Calls) -> tuple[set[Path], set[Path]]:
    """Calls that took effect, and calls that a failure, their own or around them, undid.

    In neither set is a call around which some call is missing.
    """
    standing: set[Path] = set()
    undone: set[Path] = set()
    for path in sorted(calls.seen, key=len):
        if path in calls.sure:
            standing.add(path)
        elif path in calls.failed or (path and path[:-1] in undone):
            undone.add(path)
        elif not path or path[:-1] in standing:
            standing.add(path)
    return standing, undone


def _rewards(facts: Facts, found: Settled) -> None:
    """Each as often as the block has it: a block's own reward tells how often its traces were given."""
    times: dict[int, int] = {}
    for (block, what, _, _), count in facts.rewards.items():
        if what == "block":
            if block in times:
                raise facts.differ(f"the reward of block {block:,}")
            times[block] = count
    for (block, what, author, wei), count in facts.rewards.items():
        each, rest = divmod(count, times.get(block, 1))
        if rest:
            raise facts.differ(f"a reward of block {block:,}")
        for number in range(each):
            name = f"reward:{block}:{what}:{author}:{wei}" + (f":{number}" if number else "")
            _add(found, Row(block, 3, (name,), name, "", "coinbase", author, "", wei))


def _add(found: Settled, row: Row) -> None:
    if row.raw:
        found.rows.append(row)
    elif row.rank in {0, 2}:
        found.empty += 1


@dataclass(slots=True)
class Maker:
    """Rows to transfers of one chain: times, amounts, and what the ledger holds already."""

    facts: Facts
    intake: Intake
    tokens: Tokens
    coin: AssetId
    held: int = 0

    @property
    def chain(self) -> str:
        return self.tokens.chain

    def id(self, name: str) -> str:
        """On any other chain than Ethereum the chain's number is in front: a transaction may be on two."""
        return name if self.facts.chain_id == 1 else f"{self.facts.chain_id}:{name}"

    def transfers(self, rows: list[Row]) -> Iterator[Transfer]:
        pending = iter(rows)
        while batch := list(islice(pending, _BATCH)):
            ids = [self.id(row.id) for row in batch]
            ids += [self.id(f"{row.digest}:value") for row in batch if self._time(row) is None and row.digest]
            earlier = self.intake.earlier(ids)
            for row in batch:
                made = self._transfer(row, earlier.get(self.id(f"{row.digest}:value")))
                known = earlier.get(made.id)
                if known is None:
                    yield made
                else:
                    self._same(known, made)
                    self.held += 1

    def _time(self, row: Row) -> datetime | None:
        return None if row.block is None else self.facts.times.get(row.block)

    def _transfer(self, row: Row, sibling: Transfer | None) -> Transfer:
        time = self._time(row)
        if time is None and sibling is not None:
            time = sibling.time
        if time is None:
            block = "its block" if row.block is None else f"block {row.block:,}"
            raise BadInput(
                f"{row.id}: the time of {block} is not known",
                why="a log or a trace names its block, and only the block states the time",
                remedy="put the block into the same file, from eth_getBlockByNumber or ethereum-etl's "
                "blocks.csv: cat blocks.jsonl logs.jsonl > both.jsonl",
            )
        reference = "" if row.block is None else self.facts.hashes.get(row.block, "")
        return Transfer(
            id=self.id(row.id),
            time=time,
            originator=AccountId(f"{self.chain}:{row.sender}"),
            beneficiary=AccountId(f"{self.chain}:{row.receiver}"),
            amount=self._amount(row),
            reference=reference,
        )

    def _amount(self, row: Row) -> Amount | None:
        if row.token:
            return self.tokens.amount("erc20", row.token, row.raw)
        quantity = exact(row.raw, 18)
        if quantity >= MAX_AMOUNT:
            raise BadInput(
                f"{row.id}: {quantity} of the chain's own coin",
                why="there is not that much of any",
                remedy="fetch it again from a node you trust",
            )
        return Amount(quantity, self.coin)

    def _same(self, known: Transfer, made: Transfer) -> None:
        """The ledger holds it already, from another answer about the same transaction. Raises Conflict."""
        ends = {known.beneficiary, made.beneficiary}
        unnamed = any(end.address.startswith(NEW) for end in ends)
        alike = (known.time, known.originator, known.amount) == (made.time, made.originator, made.amount)
        if not alike or (len(ends) > 1 and not unnamed):
            raise Conflict(
                f"the ledger holds another transfer {made.id}",
                why=f"there {known.originator} pays {known.amount} to {known.beneficiary}; "
                f"here {made.originator} pays {made.amount} to {made.beneficiary}",
                remedy="read it with the same options (decimals, coin), or find out which node is right",
            )

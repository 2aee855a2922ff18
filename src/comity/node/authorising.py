"""One transfer, decided before it is sent, with the node's lists, ledger, findings and law; kept on disk."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from comity import flow
from comity.audit.tables import leaf
from comity.errors import Unverified
from comity.lists._wallets import typed
from comity.model import AccountId, Authorisation, Ruling, Transfer
from comity.node.decided import Decided, entries, since
from comity.node.hops import rates_of
from comity.node.node import Node

if TYPE_CHECKING:
    from comity.monitoring.authorise import Authoriser, Policy

_LOOK_AGAIN = timedelta(seconds=2)
_REMEMBERED = timedelta(hours=24)
_SEAL_EVERY = 1_000
SEALED = "authorisations.sealed"
"""The kind of audit event that holds the head of the file of rulings."""


class Gate:
    """Rules on transfers for a node. A transfer that is allowed counts as sent.

    Lists, findings and transfers that the node took in meanwhile are seen within two seconds. Safe for
    threads; ``close`` it.
    """

    def __init__(self, node: Node, policy: Policy | None = None) -> None:
        self._node, self._policy = node, policy
        self._decided = Decided(node.paths.authorisations)
        self._lock = threading.Lock()
        self._stamp: tuple[object, ...] = ()
        self._looked: datetime | None = None
        self._authoriser: Authoriser | None = None
        self._unsealed, self._head = 0, ""

    def decide(self, transfer: Transfer) -> tuple[Authorisation, Future[str]]:
        """The ruling, and a future that is done when it is on disk: tell nobody before. Raises BadInput."""
        return self.decide_all([transfer])[0]

    def decide_all(self, transfers: Sequence[Transfer]) -> list[tuple[Authorisation, Future[str]]]:
        """As `decide`, in this order, each counting those before it. Raises BadInput for any of them: then
        none is ruled on, and none counts."""
        given = [_canonical(transfer) for transfer in transfers]
        with self._lock:
            now = self._node.clock()
            authoriser = self._current(now)
            for transfer in given:
                authoriser.check(transfer, now)
            return [self._ruled(authoriser, transfer, now) for transfer in given]

    def _ruled(
        self, authoriser: Authoriser, transfer: Transfer, now: datetime
    ) -> tuple[Authorisation, Future[str]]:
        ruling = authoriser.decide(transfer, now)
        if ruling.ruling is Ruling.ALLOW:
            authoriser.sent(transfer, now)
        return ruling, self._decided.add(_entry(transfer, ruling))

    def rule(self, transfers: Sequence[Transfer]) -> tuple[Authorisation, ...]:
        """The rulings on several transfers, in this order, each counting those before it; on disk."""
        done = self.decide_all(transfers)
        for _, future in done:
            self.written(future.result())
        return tuple(ruling for ruling, _ in done)

    def written(self, head: str) -> None:
        """Enter the head of the file in the audit log from time to time: its past cannot be changed then."""
        with self._lock:
            self._unsealed, self._head = self._unsealed + 1, head
            due = self._unsealed >= _SEAL_EVERY
        if due:
            self.seal()

    def seal(self) -> None:
        """Enter the head of the file of rulings in the audit log, if there is anything new."""
        with self._lock:
            count, self._unsealed = self._unsealed, 0
        if count:
            with self._node.act() as conn:
                self._node.record(conn, SEALED, {"rulings": count, "head": self._head})

    def close(self) -> None:
        """Seal, and end."""
        self.seal()
        self._decided.close()

    def _current(self, now: datetime) -> Authoriser:
        recent = self._looked is not None and abs(now - self._looked) < _LOOK_AGAIN  # clocks are set back too
        if self._authoriser is not None and recent:
            return self._authoriser
        stamp = self._stamped()
        if self._authoriser is None or stamp != self._stamp:
            self._authoriser = self._fresh(now)
            self._stamp = stamp
        self._looked = now
        return self._authoriser

    def _stamped(self) -> tuple[object, ...]:
        """What changes when anything does that a ruling rests on."""
        paths = self._node.paths
        files = (paths.monitored, paths.commons, *sorted(paths.lists.glob("*")))
        stats = tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.exists())
        return self._node.ledger().version, stats

    def _fresh(self, now: datetime) -> Authoriser:
        node, ledger = self._node, self._node.ledger()
        authoriser = flow.authoriser(
            ledger,
            tuple(node.lists.listings()),
            node.standard,
            monitored=node.paths.monitored,
            parties=node.parties,
            rates=rates_of(node) if ledger.reference.currency == "USD" else {},
            policy=self._policy,
        )
        for transfer, at in _remembered(node, now):
            authoriser.sent(transfer, at, now)
        return authoriser


def verify_rulings(node: Node) -> int:
    """Hold the file of rulings against itself and against every head sealed in the audit log; how many there
    are. Raises Unverified when a line was changed, or a sealed one is gone."""
    path = node.paths.authorisations
    count, heads = 0, set()
    for _, head in entries(path):
        heads.add(head)
        count += 1
    with node.act() as conn:
        bodies = conn.execute(select(leaf.c.body).where(leaf.c.kind == SEALED)).scalars()
        sealed = [json.loads(body)["head"] for body in bodies]
    if lost := [head for head in sealed if head not in heads]:
        raise Unverified(
            f"{len(lost)} of {len(sealed)} sealed heads are not in {path.name}",
            why="rulings that the audit log vouches for were taken out, or an older file was put back",
            remedy="restore the file from its backup, and find out who wrote to it",
        )
    return count


def _remembered(node: Node, now: datetime) -> list[tuple[Transfer, datetime]]:
    """What was allowed within the last day and is not in the ledger yet."""
    found = []
    for entry in reversed(since(node.paths.authorisations, now - _REMEMBERED)):
        if entry["ruling"] == Ruling.ALLOW:
            at = datetime.fromisoformat(entry["at"])
            found.append((_transfer(entry, at), at))
    known = node.ledger().find([transfer.id for transfer, _ in found]) if found else {}
    return [(transfer, at) for transfer, at in found if transfer.id not in known]


def _canonical(transfer: Transfer) -> Transfer:
    """With its accounts as lists and ledgers write them: a wallet pasted with the capitals of its checksum is
    the same wallet. Raises BadInput for an address that its chain does not have."""
    payer, payee = typed(transfer.originator.value), typed(transfer.beneficiary.value)
    return replace(transfer, originator=payer, beneficiary=payee)


def _transfer(entry: Mapping[str, Any], at: datetime) -> Transfer:
    from decimal import Decimal

    value = entry["value"]
    return Transfer(
        entry["transfer"],
        at,
        AccountId(entry["originator"]),
        AccountId(entry["beneficiary"]),
        None,
        None if value is None else Decimal(value),
    )


def _entry(transfer: Transfer, ruling: Authorisation) -> dict[str, Any]:
    """What is kept: no names of persons."""
    return {
        "at": ruling.at.isoformat(),
        "transfer": transfer.id,
        "originator": transfer.originator.value,
        "beneficiary": transfer.beneficiary.value,
        "amount": None if transfer.amount is None else str(transfer.amount.quantity),
        "asset": None if transfer.amount is None else transfer.amount.asset.value,
        "value": None if transfer.value is None else str(transfer.value),
        "ruling": ruling.ruling.value,
        "grounds": [[ground.ruling.value, ground.rule, ground.source] for ground in ruling.grounds],
        "duties": [[duty.jurisdiction, duty.kind, duty.force.value] for duty in ruling.duties],
    }

"""One organisation's node: its parts wired together, and its transactions.

What a node does is in the modules beside this one: `hops` (read, detect, oblige, decide), `sending` and
`receiving` (messages), `filing` (reports), `freezing`, `finding_together` (watch items and matches).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from comity import codec
from comity.audit import tables as audit_tables
from comity.audit.log import AuditLog, Head
from comity.casework import tables as case_tables
from comity.casework.store import CaseStore
from comity.commons import commons
from comity.commons.commons import Commons, Root
from comity.cooperation import budget as cooperation_tables
from comity.enforcement import tables as enforcement_tables
from comity.enforcement.register import FreezeRegister
from comity.errors import BadInput, Conflict, NotFound, SettingsError, Unverified
from comity.exchange import keys as exchange_keys
from comity.exchange import tables as exchange_tables
from comity.exchange.directory import Directory, Member
from comity.exchange.mailbox import Incoming, Mailbox, Outgoing, State
from comity.model import AccountId, AssetId, Institution, Level, Party
from comity.node import settings as node_settings
from comity.node import tables
from comity.node.paths import Paths
from comity.node.settings import Settings
from comity.node.storage import check_engine, create_tables, open_engine

if TYPE_CHECKING:
    from comity.ledger.store import Ledger
    from comity.node.authorising import Gate
    from comity.screening.store import ListStore
    from comity.standard.law import Standard

MAX_LINE = 64 * 1024
VALIDITY = timedelta(days=730)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """An identifier nobody can guess: 16 random bytes in hex."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """A line of ``customers.jsonl``: an account of this institution, and who holds it."""

    account: AccountId
    party: Party


def read_customers(path: Path) -> dict[str, Party]:
    """The customers in a file of `CustomerLine`s, by account id. Raises BadInput naming the line."""
    found: dict[str, Party] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = codec.from_json(CustomerLine, line, limit=MAX_LINE)
            except BadInput as error:
                raise BadInput(
                    f"{path.name}, line {number}: {error.what}", why=error.why, remedy=error.remedy
                ) from None
            found[str(entry.account)] = entry.party
    return found


class Node:
    """The node in ``settings.home``. The clock and the source of ids are handed in."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        ids: Callable[[], str] = new_id,
    ) -> None:
        self.settings = settings
        self.paths = Paths(settings.home)
        self.clock = clock
        self.ids = ids
        self.institution = settings.institution
        self.engine = open_engine(settings.database_url)
        self.keys = exchange_keys.load(self.paths.keys)
        self.audit = AuditLog(settings.id, clock)
        self.cases = CaseStore(clock, ids)
        self.mailbox = Mailbox(self.keys, SystemRandom())
        self.freezes = FreezeRegister(clock)
        self._writing = threading.RLock()
        self.stirred = threading.Event()
        """Set by every act of this process: the relay looks at once, not after its pause."""
        self._customers: tuple[tuple[int, int, int], dict[str, Party]] | None = None
        self._read: tuple[tuple[int, int, int], Commons, Directory] | None = None

    @classmethod
    def open(cls, home: Path, **given: Any) -> Node:
        """The node in ``home``. Raises SettingsError when there is none."""
        return cls(node_settings.read(home), **given)

    @classmethod
    def create(cls, settings: Settings, **given: Any) -> Node:
        """A new node: its settings, keys, operators' token and tables.

        Raises Conflict if there is one, BadInput, SettingsError or StoreError before anything is made.
        """
        settings.check()
        clock: Callable[[], datetime] = given.get("clock", utc_now)
        keys = exchange_keys.generate(settings.id, clock(), hosts=[settings.host])
        if settings.database:
            check_engine(settings.database)
        settings.write()
        paths = Paths(settings.home)
        exchange_keys.save(keys, paths.keys)
        paths.token.touch(mode=0o600)
        paths.token.write_text(secrets.token_urlsafe(32), "ascii")
        node = cls(settings, **given)
        create_tables(
            node.engine,
            *(
                module.metadata
                for module in (
                    audit_tables,
                    case_tables,
                    cooperation_tables,
                    enforcement_tables,
                    exchange_tables,
                    tables,
                )
            ),
        )
        with node.act() as conn:
            node.record(conn, "node.created", {"id": settings.id, "role": settings.role})
        return node

    def close(self) -> None:
        if "gate" in self.__dict__:
            self.gate.close()
        self.engine.dispose()

    @cached_property
    def gate(self) -> Gate:
        """What rules on transfers before they are sent."""
        from comity.node.authorising import Gate

        return Gate(self)

    @contextmanager
    def act(self) -> Iterator[Connection]:
        """One act, one transaction: state, outbox and audit event commit together or not at all."""
        with self._writing, self.engine.begin() as conn:
            yield conn

    def record(
        self,
        conn: Connection,
        kind: str,
        body: Mapping[str, object],
        *,
        hop: str = "",
        case_id: str = "",
        text: str = "",
        law: str = "",
    ) -> int:
        """Append an event to the audit log and, if it belongs to a case, to that case's five hops."""
        index = self.audit.append(conn, kind, {**body, "case": case_id} if case_id else body)
        self.stirred.set()
        if case_id:
            row = {"idx": index, "case_id": case_id, "hop": hop, "text": text, "law": law}
            conn.execute(insert(tables.event).values(at=self.clock().isoformat(), **row))
        return index

    # What the node knows, read when first needed.

    @property
    def commons(self) -> Commons:
        """What the network has agreed on, verified against this node's root of trust.

        A bundle that another process of this node has taken in meanwhile is seen. Raises SettingsError
        before joining, Unverified when it is not signed as it must be, or has expired.
        """
        return self._agreed()[0]

    @property
    def directory(self) -> Directory:
        """The members. Raises SettingsError, Unverified."""
        return self._agreed()[1]

    def _agreed(self) -> tuple[Commons, Directory]:
        try:
            stamp = self.paths.commons.stat()
            mark = (stamp.st_ino, stamp.st_mtime_ns, stamp.st_size)
            if self._read is None or self._read[0] != mark:
                root, bundle = self.paths.commons_root.read_bytes(), self.paths.commons.read_bytes()
                found = commons.load(bundle, codec.from_json(Root, root), self.clock())
                self._read = mark, found, Directory.from_json(codec.canonical(found.directory))
        except FileNotFoundError:
            raise SettingsError(
                "this node has not joined a network",
                why="it has no root of trust and no directory of members",
                remedy="run: comity node join --root FILE --commons FILE",
            ) from None
        _, agreed, directory = self._read
        if agreed.expires <= self.clock():
            raise Unverified(
                "the commons have expired",
                why=f"they were good until {agreed.expires.date()}",
                remedy="fetch the newest bundle and run: comity node join --root FILE --commons FILE",
            )
        return agreed, directory

    @property
    def parties(self) -> dict[str, Institution]:
        """Every institution this node knows, by id: itself and the members."""
        known = {self.institution.id: self.institution}
        if self.paths.commons.exists():
            known |= {member.id: member.institution for member in self.directory.members}
        return known

    def member_certificates(self) -> str:
        """The TLS certificates of all members, as PEM. Raises SettingsError before joining."""
        return "".join(member.tls_certificate for member in self.directory.members)

    @cached_property
    def standard(self) -> Standard:
        """The law this node computes with: once joined, the very files the network agreed on.

        Raises Unverified when a file the commons names is another here.
        """
        from comity import jurisdictions
        from comity.standard.load import load

        if self.paths.commons.exists():
            for path in jurisdictions.files().values():
                if path.name in self.commons.digests:
                    self.commons.check_document(path.name, path.read_bytes())
        return load()

    @property
    def lists(self) -> ListStore:
        from comity.screening.store import ListStore

        return ListStore(self.paths.lists)

    def ledger(self) -> Ledger:
        """The node's ledger, made when it has none yet."""
        from comity.ledger.store import Ledger

        if self.has_ledger():
            return Ledger.open(self.paths.ledger)
        return Ledger.create(self.paths.ledger, AssetId.parse(self.settings.reference))

    @property
    def customers(self) -> dict[str, Party]:
        """The node's own customers by account id; none at an authority. Read again when the file changes."""
        try:
            stamp = self.paths.customers.stat()
        except FileNotFoundError:
            return {}
        mark = (stamp.st_ino, stamp.st_mtime_ns, stamp.st_size)
        if self._customers is None or self._customers[0] != mark:
            self._customers = mark, read_customers(self.paths.customers)
        return self._customers[1]

    def own_fiu(self) -> str:
        """The FIU of this node's jurisdiction. Raises SettingsError when the directory has none."""
        for member in self.directory.in_jurisdiction(self.institution.jurisdictions[0]):
            if member.institution.role == "fiu":
                return member.id
        raise SettingsError(
            f"no FIU of {self.institution.jurisdictions[0]} is in the directory",
            remedy="fetch the newest directory of the commons",
        )

    def entry(self) -> Member:
        """This node's entry for the directory, good for two years from now."""
        now = self.clock()
        return self.keys.member(self.institution, self.settings.peer_url, now, now + VALIDITY)

    def operator_token(self) -> str:
        """The operators' secret. Raises SettingsError when its file is gone."""
        try:
            return self.paths.token.read_text("ascii").strip()
        except OSError:
            raise SettingsError(
                "the operators' token cannot be read",
                why=f"{self.paths.token} is missing or not readable",
                remedy="restore it, or write a new one of at least 32 characters",
            ) from None

    def join(self, root: bytes, bundle: bytes) -> Commons:
        """Take in a root of trust and a bundle of the commons signed under it.

        Once joined, a node trusts the root it holds: only a bundle whose signers that root names can
        bring a new one, and what signed before is then no longer trusted. Raises Unverified, BadInput, and
        Conflict when another network's root is given.
        """
        trusted = codec.from_json(Root, root)
        seen = 0
        if self.paths.commons.exists():
            held = codec.from_json(Root, self.paths.commons_root.read_bytes())
            if trusted.version >= held.version and trusted != held:
                raise Conflict(
                    "this node trusts another root",
                    why="changing it would let somebody else name the members",
                    remedy="join with a new node, or give a bundle that the present root signed",
                )
            trusted = held
            # It may have expired: what it was still counts.
            seen = commons.load(self.paths.commons.read_bytes(), held, LONG_AGO).version
        found = commons.load(bundle, trusted, self.clock(), seen=seen)
        now_trusted = codec.to_json(found.root)
        for path, data in ((self.paths.commons, bundle), (self.paths.commons_root, now_trusted)):
            draft = path.with_suffix(".new")
            draft.write_bytes(data)
            draft.replace(path)
        with self.act() as conn:
            self.record(
                conn,
                "commons.joined",
                {"version": found.version, "sha256": hashlib.sha256(bundle).hexdigest()},
            )
        return found

    def has_ledger(self) -> bool:
        return (self.paths.ledger / "manifest.json").exists()

    def status(self) -> dict[str, object]:
        """What this node holds, in numbers."""
        with self.act() as conn:
            received, sent = self.mailbox.counts(conn)
            waiting = len(self.mailbox.unprocessed(conn))
            head = self.audit.head(conn)
            queued = sum(one.state is State.QUEUED for one in self.mailbox.sent(conn, 1000))
            return {
                "id": self.settings.id,
                "role": self.settings.role,
                "jurisdictions": list(self.settings.jurisdictions),
                "peer_url": self.settings.peer_url,
                "operator_url": self.settings.operator_url,
                "joined": self.paths.commons.exists(),
                "transfers": len(self.ledger()) if self.has_ledger() else 0,
                "findings": self.cases.count_findings(conn),
                "alerts": self.cases.count_findings(conn, Level.ALERT),
                "cases": self.cases.count_cases(conn),
                "received": received,
                "unprocessed": waiting,
                "sent": sent,
                "queued": queued,
                "audit_size": head.size,
                "audit_root": head.root,
            }

    def verify(self) -> Head:
        """Recompute the audit log, hold it against every checkpoint, sign a new one. Raises Unverified."""
        with self.act() as conn:
            head = self.audit.verify(conn, key=self.keys.signing.public_key())
            self.audit.checkpoint(conn, self.keys.signing)
            return head

    def parcel(self, conn: Connection, message_id: str) -> Incoming | Outgoing:
        """A message by its id, sent or received. Raises NotFound."""
        try:
            return self.mailbox.outgoing(conn, message_id)
        except NotFound:
            return self.mailbox.incoming(conn, message_id)

    def case_of_conversation(self, conn: Connection, conversation: str) -> str:
        """The case that a conversation's messages belong to, '' if none."""
        ids = [message.id for message in self.mailbox.conversation(conn, conversation)]
        found = select(tables.case_message.c.case_id).where(tables.case_message.c.message_id.in_(ids))
        return conn.execute(found.limit(1)).scalar_one_or_none() or ""

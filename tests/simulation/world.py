"""A whole network in one process: nodes with files, a clock and a network that only the seed decides.

The network loses, repeats, delays and corrupts. A node is killed between any two statements of a
transaction, or right after it commits: it loses its memory and opens its file again. After every step
`World.check` holds the invariants against what is known to have been committed.
"""

from __future__ import annotations

import base64
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.pool import NullPool, StaticPool

from comity.audit import merkle
from comity.audit import tables as audit_tables
from comity.audit.log import AuditLog, Head
from comity.errors import BadInput, Unverified
from comity.exchange import bodies, envelope, keys
from comity.exchange import tables as exchange_tables
from comity.exchange.directory import Directory
from comity.exchange.keys import Keys
from comity.exchange.mailbox import Mailbox, State
from comity.model import Handling, Institution, Message, MessageKind, Role

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAMES = ("fiu-de", "fiu-fr", "fiu-sg", "vasp-us", "vasp-jp")

metadata = MetaData()
effects = Table(
    "sim_effect",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("sender", String(64)),
    Column("id", String(64)),
)
"""What messages did. On purpose without a unique key: doing it twice must show."""


_engine_of: list[Node] = [None]  # type: ignore[list-item]


@cache
def _engine() -> Engine:
    """One engine for all, so that statements are compiled once; it opens a node's file every time."""
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(_engine_of[0].path), poolclass=NullPool
    )

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    @event.listens_for(engine, "before_cursor_execute")
    def statement(_conn: object, _cursor: object, sql: str, *_rest: object) -> None:
        node = _engine_of[0]
        node.touched = node.touched or not sql.startswith("SELECT")
        if node.fuse:
            node.fuse -= 1
            if not node.fuse:
                raise Killed(node.name)

    return engine


class Killed(Exception):
    """The process is gone."""


@cache
def ring() -> tuple[dict[str, Keys], Directory]:
    """Everybody's keys, and the directory. Made once: they are not what is tested here."""
    made = {name: keys.generate(name, START, entropy=random.Random(name).randbytes) for name in NAMES}
    members = tuple(
        made[name].member(
            Institution(name, name, Role.FIU, (name[-2:],)),
            "https://127.0.0.1",
            START - timedelta(days=1),
            START + timedelta(days=90),
        )
        for name in NAMES
    )
    return made, Directory(members)


@cache
def _empty() -> bytes:
    """The file of a node that has just been set up."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    for tables in (audit_tables.metadata, exchange_tables.metadata, metadata):
        tables.create_all(engine)
    with engine.connect() as conn:
        made: bytes = conn.connection.driver_connection.serialize()  # type: ignore[union-attr]
    engine.dispose()
    return made


@dataclass(frozen=True, slots=True)
class Packet:
    """Bytes under way. ``about`` is the message id in the URL that a receipt answers, '' for an envelope."""

    at: datetime
    to: str
    data: bytes
    about: str = ""


@dataclass(slots=True)
class Truth:
    """What is known to have been committed: (node, sender, message id)."""

    sent: set[tuple[str, str, str]] = field(default_factory=set)
    accepted: set[tuple[str, str, str]] = field(default_factory=set)
    done: set[tuple[str, str, str]] = field(default_factory=set)
    delivered: set[tuple[str, str, str]] = field(default_factory=set)


class Node:
    """One node: its file outlives it, everything else is lost when it is killed."""

    def __init__(self, world: World, name: str, path: Path) -> None:
        self.world, self.name, self.path = world, name, path
        self.fuse = 0
        self.written = 0
        self.touched = True
        self.head = Head(0, merkle.EMPTY_ROOT.hex())
        path.write_bytes(_empty())
        self.start()

    @property
    def engine(self) -> Engine:
        """Connects to this node's file from now on."""
        _engine_of[0] = self
        return _engine()

    def start(self) -> None:
        self.fuse = 0
        self.log = AuditLog(self.name, lambda: self.world.now)
        self.mailbox = Mailbox(ring()[0][self.name], self.world.chance)

    def kill(self) -> None:
        self.world.killed += 1
        self.touched = True
        self.fuse = 0
        self.engine.dispose()
        self.start()

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, list[Callable[[], None]]]]:
        """A transaction that may be cut anywhere; what is put in the list becomes true when it commits."""
        chance = self.world.chance
        facts: list[Callable[[], None]] = []
        self.fuse = chance.randint(1, 14) if chance.random() < self.world.deadly else 0
        armed = self.fuse > 0
        try:
            with self.engine.begin() as conn:
                yield conn, facts
        finally:
            self.fuse = 0
        for fact in facts:
            fact()
        if armed:
            raise Killed(self.name)

    def write(self, to: str) -> None:
        """A person at this node asks another a question."""
        self.written += 1
        message_id = f"{self.name}.{self.written}"
        body = bodies.Request(
            f"Subject {self.world.secret(message_id)}",
            ("A reason.",),
            "A link.",
            "Intelligence.",
            ("Who is it?",),
        )
        life = timedelta(minutes=2) if self.world.chance.random() < 0.1 else timedelta(days=30)
        message = Message(
            message_id,
            MessageKind.REQUEST,
            self.name,
            to,
            message_id,
            self.world.now,
            self.world.now + life,
            Handling("intelligence"),
            bodies.plain(body),
        )
        with self.transaction() as (conn, facts):
            self._enqueue(conn, message, facts)

    def _enqueue(self, conn: Connection, message: Message, facts: list[Callable[[], None]]) -> None:
        made, directory = ring()
        sealed = envelope.seal(message, made[self.name], directory.member(message.recipient))
        self.mailbox.enqueue(conn, message, sealed)
        self.log.append(conn, "message.sealed", {"id": message.id, "digest": envelope.digest(sealed)})
        facts.append(lambda: self.world.truth.sent.add((self.name, self.name, message.id)))

    def pump(self) -> None:
        """Attempt what is due. The next attempt is noted first: an answer may never come."""
        with self.transaction() as (conn, _):
            self.mailbox.set_aside(conn, self.world.now)
            due = self.mailbox.due(conn, self.world.now, limit=4)
            for held in due:
                self.mailbox.failed(conn, held.message.id, "no answer yet", self.world.now)
        for held in due:
            self.world.send(held.message.recipient, held.sealed)

    def receive(self, packet: Packet) -> None:
        if packet.about:
            self._receive_receipt(packet)
            return
        made, directory = ring()
        message = envelope.unseal(packet.data, made[self.name], directory, self.world.now)
        bodies.check(message)
        digest = envelope.digest(packet.data)
        with self.transaction() as (conn, facts):
            if self.mailbox.accept(conn, message, digest, self.world.now):
                self.log.append(conn, "message.accepted", {"id": message.id, "from": message.sender})
                facts.append(lambda: self.world.truth.accepted.add((self.name, message.sender, message.id)))
            receipt = self.mailbox.receipt(conn, message.sender, message.id, digest)
        self.world.send(message.sender, receipt, about=message.id)

    def _receive_receipt(self, packet: Packet) -> None:
        with self.transaction() as (conn, facts):
            before = self.mailbox.outgoing(conn, packet.about).state
            self.mailbox.delivered(conn, packet.about, packet.data, ring()[1])
            if before is not State.DELIVERED:
                self.log.append(conn, "message.delivered", {"id": packet.about})
                facts.append(lambda: self.world.truth.delivered.add((self.name, self.name, packet.about)))

    def work(self) -> None:
        """Do what the oldest message asks: its effect, the answer, the mark and the event are one."""
        with self.transaction() as (conn, facts):
            for held in self.mailbox.unprocessed(conn, limit=1):
                asked = held.message
                if not self.mailbox.mark_processed(conn, asked.sender, asked.id, self.world.now):
                    continue
                conn.execute(insert(effects).values(sender=asked.sender, id=asked.id))
                if asked.kind is MessageKind.REQUEST:
                    self._enqueue(conn, self._answer(asked), facts)
                self.log.append(conn, "message.processed", {"id": asked.id, "from": asked.sender})
                facts.append(
                    lambda asked=asked: self.world.truth.done.add((self.name, asked.sender, asked.id))  # type: ignore[misc]
                )

    def _answer(self, asked: Message) -> Message:
        message_id = f"re.{asked.id}"
        body = bodies.Reply(bodies.Outcome.FOUND, f"It is {self.world.secret(message_id)}")
        return Message(
            message_id,
            MessageKind.REPLY,
            self.name,
            asked.sender,
            asked.conversation,
            self.world.now,
            self.world.now + timedelta(days=30),
            Handling("intelligence"),
            bodies.plain(body),
            asked.id,
        )


class World:
    """``seed`` decides everything but key encapsulation and signatures' inner randomness."""

    def __init__(self, seed: int, folder: Path, nodes: int = 4) -> None:
        self.chance = random.Random(seed)
        self.now = START
        self.truth = Truth()
        self.wire: list[Packet] = []
        self.past: list[Packet] = []
        self.secrets: dict[str, bytes] = {}
        self.killed = self.refused = 0
        self.loss, self.twice, self.noise, self.deadly = 0.2, 0.15, 0.1, 0.12
        self.nodes = {name: Node(self, name, folder / f"{name}.db") for name in NAMES[:nodes]}

    def secret(self, message_id: str) -> str:
        """The word of a message that nobody on the wire may see."""
        word = f"{self.chance.getrandbits(96):024x}"
        self.secrets[message_id] = word.encode()
        return word

    def send(self, to: str, data: bytes, about: str = "") -> None:
        for word in self.secrets.values():
            assert word not in data, "a secret is on the wire"
            assert base64.b64encode(word)[:-4] not in data, "a secret is on the wire, in base64"
        copies = 0 if self.chance.random() < self.loss else 1 + (self.chance.random() < self.twice)
        for _ in range(copies):
            at = self.now + timedelta(seconds=self.chance.expovariate(1 / 8))
            carried = data
            if self.chance.random() < self.noise:
                place = self.chance.randrange(len(data))
                carried = (
                    data[:place] + bytes([data[place] ^ self.chance.randint(1, 255)]) + data[place + 1 :]
                )
            self.wire.append(Packet(at, to, carried, about))

    def step(self) -> None:
        """One thing happens somewhere; then everything must hold."""
        node = self.chance.choice(list(self.nodes.values()))
        action = self.chance.choices(
            ("write", "pump", "work", "network", "replay", "kill"), (5, 5, 6, 20, 1, 1)
        )[0]
        try:
            if action == "write":
                node.write(self.chance.choice([name for name in self.nodes if name != node.name]))
            elif action == "pump":
                node.pump()
            elif action == "work":
                node.work()
            elif action == "kill":
                node.kill()
            elif action == "replay" and self.past:
                self.wire.append(self.chance.choice(self.past))
            else:
                node = self._carry(node)
        except Killed as killed:
            node = self.nodes[str(killed)]
            node.kill()
        self.now += timedelta(seconds=self.chance.expovariate(1 / 4))
        self.check(node)

    def _carry(self, node: Node) -> Node:
        """Deliver one packet whose time has come, not always the first; wait for one if need be."""
        if not self.wire:
            node.pump()
            return node
        self.now = max(self.now, min(packet.at for packet in self.wire))
        ready = [packet for packet in self.wire if packet.at <= self.now]
        packet = self.chance.choice(ready)
        self.wire.remove(packet)
        self.past.append(packet)
        node = self.nodes[packet.to]
        try:
            node.receive(packet)
        except (Unverified, BadInput):
            self.refused += 1
        return node

    def heal(self) -> None:
        """The network becomes good and nobody dies: all that is owed must now arrive."""
        self.loss = self.noise = self.deadly = 0.0
        for _ in range(200):
            self.now += timedelta(minutes=10)
            for node in self.nodes.values():
                node.pump()
            while self.wire:
                self._carry(next(iter(self.nodes.values())))
            for node in self.nodes.values():
                node.work()
                self.check(node)
            if self._quiet():
                return
        raise AssertionError("the network never comes to rest")

    def _quiet(self) -> bool:
        for node in self.nodes.values():
            with node.engine.connect() as conn:
                if node.mailbox.unprocessed(conn, 1) or any(
                    held.state is State.QUEUED for held in node.mailbox.sent(conn, 10_000)
                ):
                    return False
        return not self.wire

    def check(self, node: Node) -> None:
        """The invariants of one node, if it was touched: only then can it have changed."""
        if not node.touched:
            return
        node.touched = False
        with node.engine.connect() as conn:
            self._check_log(node, conn)
            held = {(node.name, *row) for row in conn.execute(_RECEIVED)}
            assert held == of(self.truth.accepted, node), "what was accepted is there, and nothing else"
            sent = {(node.name, node.name, row.id): row.state for row in conn.execute(_SENT)}
            assert set(sent) == of(self.truth.sent, node), "what was sent is there, and nothing else"
            arrived = {key for key, state in sent.items() if state == State.DELIVERED.value}
            assert arrived == of(self.truth.delivered, node)
            for _, _, message_id in arrived:
                assert any(k[1:] == (node.name, message_id) for k in self.truth.accepted), "a receipt is true"
            counts = {(node.name, row.sender, row.id): row.count for row in conn.execute(_EFFECTS)}
            assert set(counts) == of(self.truth.done, node), "what was done is done, and nothing else"
            assert set(counts.values()) <= {1}, "nothing takes effect twice"

    def _check_log(self, node: Node, conn: Connection) -> None:
        head = node.log.verify(conn)
        path = [bytes.fromhex(step) for step in node.log.consistency(conn, node.head.size)]
        merkle.verify_consistency(
            node.head.size, head.size, bytes.fromhex(node.head.root), bytes.fromhex(head.root), path
        )
        node.head = head
        events = sum(
            len(of(facts, node))
            for facts in (self.truth.sent, self.truth.accepted, self.truth.done, self.truth.delivered)
        )
        assert head.size == events, "every act has its event, and every event its act"


def of(facts: set[tuple[str, str, str]], node: Node) -> set[tuple[str, str, str]]:
    return {fact for fact in facts if fact[0] == node.name}


_RECEIVED = select(exchange_tables.inbox.c.sender, exchange_tables.inbox.c.id)
_SENT = select(exchange_tables.outbox.c.id, exchange_tables.outbox.c.state)
_EFFECTS = select(effects.c.sender, effects.c.id, func.count().label("count")).group_by(
    effects.c.sender, effects.c.id
)

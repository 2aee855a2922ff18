"""The outbox and the inbox: at least once on the wire, exactly once in effect.

The outbox keeps the sealed bytes, so every attempt sends the same envelope, and stops when the
recipient's signed receipt for those bytes is in. The inbox is keyed by sender and message id: the first
acceptance counts, a repetition only repeats the receipt, another content under the same id is refused.
The caller owns the transaction; a message, its effect and its audit event commit together.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from comity import codec
from comity.errors import Conflict, NotFound, Unverified
from comity.exchange import envelope, receipts
from comity.exchange.directory import Directory
from comity.exchange.keys import Keys
from comity.exchange.receipts import Delivered
from comity.exchange.tables import inbox, outbox
from comity.model import Message

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)
MAX_ERROR = 500


class State(StrEnum):
    """Of an outgoing message. EXPIRED and REFUSED are set aside: a person must look."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. ``receipt`` is the recipient's signed one, once delivered."""

    message: Message
    sealed: bytes
    digest: str
    state: State
    attempts: int
    next_at: datetime
    error: str
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came in. ``digest`` is that of the envelope it first came in."""

    message: Message
    digest: str
    received: datetime
    processed: datetime | None


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _insert_once(conn: Connection, table: Table, **values: object) -> bool:
    """Insert a row unless its key is there already, without failing the transaction; True if inserted."""
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    once = make(table).values(**values).on_conflict_do_nothing()
    # Not rowcount: psycopg gives none for an insert.
    return conn.execute(once.returning(table.c.id)).first() is not None


def _outgoing(row: Row[Any]) -> Outgoing:
    return Outgoing(
        codec.from_json(Message, row.message.encode()),
        row.sealed,
        row.digest,
        State(row.state),
        row.attempts,
        datetime.fromisoformat(row.next_at),
        row.error,
        row.receipt.encode(),
    )


def _incoming(row: Row[Any]) -> Incoming:
    return Incoming(
        codec.from_json(Message, row.message.encode()),
        row.digest,
        datetime.fromisoformat(row.received),
        datetime.fromisoformat(row.processed) if row.processed else None,
    )


def _missing(message_id: str) -> NotFound:
    return NotFound(f"no message {message_id[:64]!r} in the mailbox", remedy="check its id and its sender")


class Mailbox:
    """The mailbox of one node. ``chance`` spreads retries; it needs no secrecy."""

    def __init__(self, keys: Keys, chance: random.Random) -> None:
        self._keys = keys
        self._chance = chance

    def enqueue(self, conn: Connection, message: Message, sealed: bytes) -> None:
        """Put a sealed message in the outbox, due at once. Raises Conflict on an id used before."""
        if not _insert_once(
            conn,
            outbox,
            id=message.id,
            recipient=message.recipient,
            conversation=message.conversation,
            created=_text(message.created),
            expires=_text(message.expires),
            message=codec.to_json(message).decode(),
            sealed=sealed,
            digest=envelope.digest(sealed),
            state=State.QUEUED.value,
            attempts=0,
            next_at=_text(message.created),
            error="",
            receipt="",
        ):
            raise Conflict(
                f"there is a message {message.id} in the outbox already",
                remedy="give each message an id of its own",
            )

    def due(self, conn: Connection, now: datetime, limit: int = 100) -> tuple[Outgoing, ...]:
        """Queued messages whose time has come and not passed, those waiting longest first."""
        rows = conn.execute(
            select(outbox)
            .where(
                outbox.c.state == State.QUEUED.value,
                outbox.c.next_at <= _text(now),
                outbox.c.expires > _text(now),
            )
            .order_by(outbox.c.next_at, outbox.c.id)
            .limit(limit)
        )
        return tuple(_outgoing(row) for row in rows)

    def set_aside(self, conn: Connection, now: datetime) -> tuple[Outgoing, ...]:
        """Mark queued messages past their expiry EXPIRED, and return them: someone must be told."""
        late = (outbox.c.state == State.QUEUED.value) & (outbox.c.expires <= _text(now))
        rows = conn.execute(select(outbox.c.id).where(late).order_by(outbox.c.id)).scalars().all()
        if rows:
            conn.execute(
                update(outbox).where(outbox.c.id.in_(rows)).values(state=State.EXPIRED.value, sealed=b"")
            )
        return tuple(self.outgoing(conn, message_id) for message_id in rows)

    def delivered(self, conn: Connection, message_id: str, receipt: bytes, directory: Directory) -> Delivered:
        """Note that the recipient has it. Raises Unverified when the receipt is not for these very bytes.

        The sealed bytes are let go. A second receipt changes nothing. Raises NotFound, BadInput.
        """
        held = self.outgoing(conn, message_id)
        said = receipts.verify(receipt, directory.member(held.message.recipient))
        if (said.message_id, said.sender, said.digest) != (message_id, held.message.sender, held.digest):
            raise Unverified(
                f"the receipt is not for message {message_id} as it was sealed",
                why="it names another message, sender or digest",
                remedy="deliver the message again",
            )
        conn.execute(
            update(outbox)
            .where(outbox.c.id == message_id, outbox.c.state != State.DELIVERED.value)
            .values(state=State.DELIVERED.value, receipt=receipt.decode(), sealed=b"", error="")
        )
        return said

    def failed(
        self, conn: Connection, message_id: str, error: str, now: datetime, *, final: bool = False
    ) -> datetime | None:
        """Note a failed attempt; return when the next one is due.

        The wait doubles from 5 seconds to an hour, less up to half of it by chance, so that nodes do not
        knock together. ``final``: the recipient refuses it for good; it is set aside, and None returned.
        """
        held = self.outgoing(conn, message_id)
        if held.state is not State.QUEUED:
            return None
        wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(held.attempts, 20))
        next_at = now + wait * (1 - self._chance.random() / 2)
        conn.execute(
            update(outbox)
            .where(outbox.c.id == message_id)
            .values(
                attempts=held.attempts + 1,
                next_at=_text(next_at),
                error=error[:MAX_ERROR],
                state=State.REFUSED.value if final else State.QUEUED.value,
                sealed=b"" if final else held.sealed,
            )
        )
        return None if final else next_at

    def wake(self, conn: Connection, now: datetime, recipient: str | None = None) -> None:
        """Make what waits for another attempt due now: this node, or that recipient, is back."""
        waiting = (outbox.c.state == State.QUEUED.value) & (outbox.c.next_at > _text(now))
        if recipient is not None:
            waiting &= outbox.c.recipient == recipient
        conn.execute(update(outbox).where(waiting).values(next_at=_text(now)))

    def outgoing(self, conn: Connection, message_id: str) -> Outgoing:
        """One message of the outbox. Raises NotFound."""
        row = conn.execute(select(outbox).where(outbox.c.id == message_id)).one_or_none()
        if row is None:
            raise _missing(message_id)
        return _outgoing(row)

    def accept(self, conn: Connection, message: Message, sealed_digest: str, now: datetime) -> bool:
        """Take in a verified message; True the first time, False for a repetition.

        Raises Unverified when the same sender used the id for another content before.
        """
        text = codec.to_json(message).decode()
        if self._repeats(conn, message, text):
            return False
        first = _insert_once(
            conn,
            inbox,
            sender=message.sender,
            id=message.id,
            conversation=message.conversation,
            received=_text(now),
            message=text,
            digest=sealed_digest,
            processed="",
        )
        # Not first after all: another connection took it in meanwhile.
        return first or not self._repeats(conn, message, text)

    def _repeats(self, conn: Connection, message: Message, text: str) -> bool:
        held = conn.execute(
            select(inbox.c.message).where(inbox.c.sender == message.sender, inbox.c.id == message.id)
        ).scalar_one_or_none()
        if held is not None and held != text:
            raise Unverified(
                f"message {message.id} from {message.sender} came before with another content",
                why="an id stands for one message for ever",
                remedy=f"ask {message.sender} what happened; the first one stands",
            )
        return held is not None

    def receipt(self, conn: Connection, sender: str, message_id: str, sealed_digest: str) -> bytes:
        """The signed receipt for an accepted message in the envelope of that digest. Raises NotFound."""
        held = self.get(conn, sender, message_id)
        return receipts.issue(
            Delivered(message_id, sender, self._keys.member_id, sealed_digest, held.received), self._keys
        )

    def unprocessed(self, conn: Connection, limit: int = 100) -> tuple[Incoming, ...]:
        """Accepted messages whose effect is not done yet, oldest first."""
        rows = conn.execute(
            select(inbox)
            .where(inbox.c.processed == "")
            .order_by(inbox.c.received, inbox.c.sender, inbox.c.id)
            .limit(limit)
        )
        return tuple(_incoming(row) for row in rows)

    def mark_processed(self, conn: Connection, sender: str, message_id: str, now: datetime) -> bool:
        """Note that its effect is done, in the transaction of that effect; False if it was done before.

        A caller who gets False must not commit the effect a second time. Raises NotFound.
        """
        self.get(conn, sender, message_id)
        changed = conn.execute(
            update(inbox)
            .where(inbox.c.sender == sender, inbox.c.id == message_id, inbox.c.processed == "")
            .values(processed=_text(now))
        )
        return changed.rowcount == 1

    def get(self, conn: Connection, sender: str, message_id: str) -> Incoming:
        """One message of the inbox. Raises NotFound."""
        row = conn.execute(
            select(inbox).where(inbox.c.sender == sender, inbox.c.id == message_id)
        ).one_or_none()
        if row is None:
            raise _missing(message_id)
        return _incoming(row)

    def incoming(self, conn: Connection, message_id: str) -> Incoming:
        """The message of the inbox with this id.

        Raises NotFound, and Conflict when several members used it: an id is its sender's own, and none
        may pass its message off as another's.
        """
        rows = conn.execute(select(inbox).where(inbox.c.id == message_id)).all()
        if not rows:
            raise _missing(message_id)
        if len(rows) > 1:
            raise Conflict(
                f"message id {message_id} was used by {' and '.join(sorted(row.sender for row in rows))}",
                why="one of them may have copied it from the other",
                remedy="read both in the inbox, and ask their senders",
            )
        return _incoming(rows[0])

    def answers(self, conn: Connection, message: Message) -> tuple[Message, ...]:
        """What this node has sent in answer to a message it received."""
        sent = [m for m in self.conversation(conn, message.conversation) if m.in_reply_to == message.id]
        return tuple(m for m in sent if m.sender == self._keys.member_id)

    def counts(self, conn: Connection) -> tuple[int, int]:
        """How many messages were received, and how many sent or queued."""
        received, sent = (
            conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (inbox, outbox)
        )
        return received, sent

    def received(self, conn: Connection, limit: int = 100, offset: int = 0) -> tuple[Incoming, ...]:
        """Some of the inbox, newest first."""
        rows = conn.execute(
            select(inbox).order_by(inbox.c.received.desc(), inbox.c.id).limit(limit).offset(offset)
        )
        return tuple(_incoming(row) for row in rows)

    def sent(self, conn: Connection, limit: int = 100, offset: int = 0) -> tuple[Outgoing, ...]:
        """Some of the outbox, newest first."""
        rows = conn.execute(
            select(outbox).order_by(outbox.c.created.desc(), outbox.c.id).limit(limit).offset(offset)
        )
        return tuple(_outgoing(row) for row in rows)

    def conversation(self, conn: Connection, conversation: str) -> tuple[Message, ...]:
        """Every message of one conversation, in and out, in the order they were written."""
        found = [
            codec.from_json(Message, text.encode())
            for table in (inbox, outbox)
            for text in conn.execute(
                select(table.c.message).where(table.c.conversation == conversation)
            ).scalars()
        ]
        return tuple(sorted(found, key=lambda message: (message.created, message.sender, message.id)))

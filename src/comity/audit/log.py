"""A node's audit log: every act appends an entry, in the same transaction as the act itself.

What an entry says is the caller's affair, but for one rule: no secrets, and no more about a person than
the identifiers that say which act it was. A supervisor checks the log without reading a single body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from comity import codec
from comity.audit import merkle, tables
from comity.audit.note import Checkpoint
from comity.errors import BadInput, Conflict, NotFound, TooLarge, Unverified
from comity.model import Receipt

MAX_BODY = 64 * 1024
_CHUNK = 1024
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,63}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event: ``leaf_hash`` is hex; the body is as it was when appended."""

    index: int
    kind: str
    at: datetime
    body: Mapping[str, object]
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The log's size (entries) and root hash (hex)."""

    size: int
    root: str


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def leaf_data(kind: str, at: str, body: str) -> bytes:
    """The bytes a leaf commits to; ``body`` is canonical JSON, and is hashed as that very text."""
    return codec.canonical([kind, at, body])


def verify_receipt(receipt: Receipt, checkpoint: Checkpoint | None = None) -> None:
    """Check that the receipt's proof leads from its leaf to its root, and to ``checkpoint`` if given.

    Without a checkpoint the receipt only agrees with itself; with a signed one its owner is bound.
    Raises Unverified.
    """
    try:
        leaf, root = bytes.fromhex(receipt.leaf_hash), bytes.fromhex(receipt.root_hash)
        path = [bytes.fromhex(step) for step in receipt.path]
    except ValueError:
        raise Unverified(
            "the receipt does not hold", why="a hash in it is not hex", remedy="fetch it again"
        ) from None
    merkle.verify_inclusion(leaf, receipt.index, receipt.size, path, root)
    if checkpoint and (checkpoint.origin, checkpoint.size, checkpoint.root) != (
        receipt.log_id,
        receipt.size,
        root,
    ):
        raise Unverified(
            "the receipt is not of that checkpoint",
            why="log, size or root differ",
            remedy="ask for a receipt at the size of the checkpoint",
        )


class AuditLog:
    """The log ``log_id``. Methods take the caller's connection and never commit."""

    def __init__(self, log_id: str, clock: Callable[[], datetime]) -> None:
        self._id = log_id
        self._clock = clock

    def append(self, conn: Connection, kind: str, body: Mapping[str, object]) -> int:
        """Append an event and return its index. Costs O(log n).

        ``kind`` is a stable word (``message.sealed``); ``body`` is JSON of at most 64 KiB. Raises
        BadInput, TooLarge, and Conflict when another transaction took the same place.
        """
        if not _KIND.fullmatch(kind):
            raise BadInput(
                f"not a kind of event: {kind[:80]!r}", remedy="write lower case, such as case.opened"
            )
        try:
            text = codec.canonical(dict(body)).decode()
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"the body of {kind} is not JSON", why=str(error), remedy="give plain values"
            ) from None
        if len(text) > MAX_BODY:
            raise TooLarge(f"the body of {kind} has {len(text):,} characters", remedy=f"at most {MAX_BODY:,}")
        at = _text(self._clock())
        leaf = merkle.leaf_hash(leaf_data(kind, at, text))
        try:
            index = self._take_place(conn)
            conn.execute(
                insert(tables.leaf).values(idx=index, kind=kind, at=at, body=text, leaf_hash=leaf.hex())
            )
            made = [
                {"level": level, "idx": at_, "hash": value.hex()}
                for level, at_, value in merkle.completed(index, leaf, self._node(conn))
            ]
            if made:
                conn.execute(insert(tables.node), made)
        except IntegrityError:
            raise Conflict(
                "another event took this place in the audit log",
                why="two transactions appended at once",
                remedy="roll back and try again",
            ) from None
        return index

    def _take_place(self, conn: Connection) -> int:
        """The next index, under a row lock that the caller's transaction holds to its end."""
        changed = conn.execute(
            update(tables.head).where(tables.head.c.id == 1).values(size=tables.head.c.size + 1)
        )
        if not changed.rowcount:
            conn.execute(insert(tables.head).values(id=1, size=1))
        return self.size(conn) - 1

    def size(self, conn: Connection) -> int:
        """The number of entries."""
        return int(conn.execute(select(tables.head.c.size)).scalar_one_or_none() or 0)

    def _node(self, conn: Connection) -> merkle.Node:
        def node(level: int, index: int) -> bytes:
            wanted = (
                select(tables.node.c.hash).where(tables.node.c.level == level, tables.node.c.idx == index)
                if level
                else select(tables.leaf.c.leaf_hash).where(tables.leaf.c.idx == index)
            )
            found = conn.execute(wanted).scalar_one_or_none()
            if found is None:
                raise _broken(index << level, "it is missing")
            return bytes.fromhex(found)

        return node

    def head(self, conn: Connection) -> Head:
        """Size and root hash now, from the stored subtrees."""
        size = self.size(conn)
        return Head(size, merkle.root(self._node(conn), size).hex())

    def receipt(self, conn: Connection, index: int, size: int | None = None) -> Receipt:
        """Proof that the log of ``size`` entries (now, unless given) holds entry ``index``.

        ``at`` is when the event was entered. Raises NotFound, BadInput.
        """
        row = None
        if 0 <= index < self.size(conn):  # an index may be larger than the database's integers
            row = conn.execute(select(tables.leaf).where(tables.leaf.c.idx == index)).one_or_none()
        if row is None:
            raise NotFound(f"no entry {index} in the audit log", remedy="ask for an entry it holds")
        size = self._known_size(conn, size)
        node = self._node(conn)
        return Receipt(
            log_id=self._id,
            index=index,
            size=size,
            leaf_hash=row.leaf_hash,
            root_hash=merkle.root(node, size).hex(),
            path=tuple(step.hex() for step in merkle.inclusion(node, index, size)),
            at=datetime.fromisoformat(row.at),
        )

    def _known_size(self, conn: Connection, size: int | None) -> int:
        now = self.size(conn)
        if size is not None and not 0 <= size <= now:
            raise BadInput(f"the log has {now} entries, not {size}", remedy="ask for a size it has had")
        return now if size is None else size

    def consistency(self, conn: Connection, old_size: int, new_size: int | None = None) -> tuple[str, ...]:
        """The proof (hex) that the log at ``new_size`` (now) continues the one at ``old_size``. BadInput."""
        new_size = self._known_size(conn, new_size)
        return tuple(step.hex() for step in merkle.consistency(self._node(conn), old_size, new_size))

    def checkpoint(self, conn: Connection, signer: Ed25519PrivateKey) -> str:
        """Sign what the log holds now, as a C2SP checkpoint, and keep the note.

        The same size gives the same note. Raises Unverified when the log does not continue what was
        signed before: a log that was cut or rewritten is never signed again.
        """
        head = self.head(conn)
        last = conn.execute(
            select(tables.checkpoint).order_by(tables.checkpoint.c.size.desc()).limit(1)
        ).one_or_none()
        if last is not None:
            signed = Checkpoint.verify(last.note, self._id, signer.public_key())
            if signed.size > head.size:
                raise _truncated(head.size, signed.size)
            if merkle.root(self._node(conn), signed.size) != signed.root:
                raise _rewritten(signed.size)
            if signed.size == head.size:
                return str(last.note)
        note = Checkpoint(self._id, head.size, bytes.fromhex(head.root)).sign(signer)
        conn.execute(
            insert(tables.checkpoint).values(
                size=head.size, root=head.root, at=_text(self._clock()), note=note
            )
        )
        return note

    def entries(self, conn: Connection, start: int = 0, limit: int = 100) -> tuple[Entry, ...]:
        """At most ``limit`` entries from index ``start``, in order."""
        rows = conn.execute(
            select(tables.leaf).where(tables.leaf.c.idx >= start).order_by(tables.leaf.c.idx).limit(limit)
        )
        return tuple(
            Entry(row.idx, row.kind, datetime.fromisoformat(row.at), json.loads(row.body), row.leaf_hash)
            for row in rows
        )

    def verify(self, conn: Connection, *, key: Ed25519PublicKey | None = None, checkpoint: str = "") -> Head:
        """Recompute the whole log from its entries, and hold it against everything signed.

        With ``key`` the signatures of the stored checkpoints are checked too; ``checkpoint`` is one
        that a partner kept (it needs ``key``), so that a log cut together with its own checkpoints is
        found out. Raises Unverified naming the first entry that does not hold.
        """
        signed = {row.size: bytes.fromhex(row.root) for row in conn.execute(select(tables.checkpoint))}
        if key is not None:
            for row in conn.execute(select(tables.checkpoint).order_by(tables.checkpoint.c.size)):
                held = Checkpoint.verify(row.note, self._id, key)
                if (held.size, held.root) != (row.size, signed[row.size]):
                    raise _rewritten(row.size)
        if checkpoint:
            if key is None:
                raise BadInput("a checkpoint needs the key that signed it", remedy="give the public key")
            kept = Checkpoint.verify(checkpoint, self._id, key)
            if signed.setdefault(kept.size, kept.root) != kept.root:
                raise _rewritten(kept.size)
        size, root = self._recompute(conn, signed)
        if size != self.size(conn):
            raise _truncated(size, self.size(conn))
        beyond = [at for at in signed if at > size]
        if beyond:
            raise _truncated(size, max(beyond))
        return Head(size, root.hex())

    def _recompute(self, conn: Connection, signed: Mapping[int, bytes]) -> tuple[int, bytes]:
        frontier: list[bytes] = []
        size = 0
        if signed.get(0, merkle.EMPTY_ROOT) != merkle.EMPTY_ROOT:
            raise _rewritten(0)
        while True:
            rows = conn.execute(
                select(tables.leaf).where(tables.leaf.c.idx >= size).order_by(tables.leaf.c.idx).limit(_CHUNK)
            ).all()
            stored = self._stored_nodes(conn, size, size + len(rows))
            for row in rows:
                if row.idx != size:
                    raise _broken(size, "it is missing")
                leaf = merkle.leaf_hash(leaf_data(row.kind, row.at, row.body))
                if leaf.hex() != row.leaf_hash:
                    raise _broken(size, "its content is not what was hashed")
                frontier.append(leaf)
                level, index = 0, size
                while index & 1:
                    frontier[-2:] = [merkle.node_hash(*frontier[-2:])]
                    level, index = level + 1, index >> 1
                    if stored.get((level, index)) != frontier[-1].hex():
                        raise _broken(size, f"the subtree it completes at level {level} was changed")
                size += 1
                if size in signed and _fold(frontier) != signed[size]:
                    raise _rewritten(size)
            if len(rows) < _CHUNK:
                return size, _fold(frontier)

    def _stored_nodes(self, conn: Connection, start: int, end: int) -> dict[tuple[int, int], str]:
        """Stored subtrees completed by the leaves ``[start, end)``."""
        columns = tables.node.c
        wanted = [
            and_(columns.level == level, columns.idx >= start >> level, columns.idx < end >> level)
            for level in range(1, end.bit_length())
            if start >> level < end >> level
        ]
        rows = conn.execute(select(tables.node).where(or_(*wanted))) if wanted else ()
        return {(row.level, row.idx): row.hash for row in rows}


def _fold(frontier: list[bytes]) -> bytes:
    """The root over the complete subtrees that a tree is made of, left to right."""
    if not frontier:
        return merkle.EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = merkle.node_hash(left, root)
    return root


_REMEDY = "stop, keep the database as it is, and tell the supervisor"


def _broken(index: int, why: str) -> Unverified:
    return Unverified(f"the audit log does not hold at entry {index}", why=why, remedy=_REMEDY)


def _truncated(size: int, expected: int) -> Unverified:
    return Unverified(
        f"the audit log does not hold at entry {size}",
        why=f"it has {size} entries where it has had {expected}",
        remedy=_REMEDY,
    )


def _rewritten(size: int) -> Unverified:
    return Unverified(
        f"the audit log does not hold at entry {max(size - 1, 0)}",
        why=f"its first {size} entries are not those that were signed",
        remedy=_REMEDY,
    )

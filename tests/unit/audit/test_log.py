from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, delete, insert, update

from comity.audit import merkle, tables
from comity.audit.log import MAX_BODY, AuditLog, verify_receipt
from comity.audit.note import Checkpoint
from comity.errors import BadInput, Conflict, NotFound, TooLarge, Unverified

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def conn(database: Engine) -> Iterator[Connection]:
    tables.metadata.create_all(database)
    with database.connect() as connection:
        yield connection


@pytest.fixture
def log() -> AuditLog:
    ticks = iter(range(10**6))
    return AuditLog("fiu-de", lambda: START + timedelta(seconds=next(ticks)))


def fill(conn: Connection, log: AuditLog, size: int) -> None:
    for i in range(size):
        assert log.append(conn, "message.sealed", {"n": i, "to": "fiu-fr"}) == log.size(conn) - 1


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 33])
def test_stored_subtrees_give_the_root_of_the_leaves(conn: Connection, log: AuditLog, size: int) -> None:
    fill(conn, log, size)
    leaves = [bytes.fromhex(entry.leaf_hash) for entry in log.entries(conn, 0, size)]
    expected = merkle.root(merkle.from_leaves(leaves), size).hex()
    assert (log.head(conn).root, log.head(conn).size) == (expected, size)
    assert log.verify(conn) == log.head(conn)
    for index in range(size):
        receipt = log.receipt(conn, index)
        verify_receipt(receipt)
        assert receipt.at == START + timedelta(seconds=index)


def test_more_entries_than_one_chunk(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 1030)
    assert log.verify(conn).size == 1030
    conn.execute(update(tables.node).where(tables.node.c.level == 10).values(hash="00" * 32))
    with pytest.raises(Unverified, match="entry 1023"):
        log.verify(conn)


def test_entries_are_read_back(conn: Connection, log: AuditLog) -> None:
    log.append(conn, "case.opened", {"b": 1, "a": ["ü"]})
    (entry,) = log.entries(conn)
    assert (entry.index, entry.kind, entry.at, entry.body) == (0, "case.opened", START, {"a": ["ü"], "b": 1})
    assert log.entries(conn, 1) == ()


def test_growth_is_provable(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 5)
    old = log.head(conn)
    fill(conn, log, 6)
    new = log.head(conn)
    path = [bytes.fromhex(step) for step in log.consistency(conn, 5)]
    merkle.verify_consistency(5, 11, bytes.fromhex(old.root), bytes.fromhex(new.root), path)
    assert log.consistency(conn, 5, 5) == ()
    with pytest.raises(BadInput):
        log.consistency(conn, 5, 12)


def test_receipts_are_bound_to_checkpoints(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 5)
    point = Checkpoint.verify(log.checkpoint(conn, KEY), "fiu-de", PUBLIC)
    fill(conn, log, 3)
    verify_receipt(log.receipt(conn, 2, size=5), point)
    with pytest.raises(Unverified, match="not of that checkpoint"):
        verify_receipt(log.receipt(conn, 2), point)
    good = log.receipt(conn, 2)
    for forged in (
        dataclasses.replace(good, index=3),
        dataclasses.replace(good, leaf_hash="00" * 32),
        dataclasses.replace(good, path=good.path[1:]),
        dataclasses.replace(good, root_hash="zz"),
    ):
        with pytest.raises(Unverified):
            verify_receipt(forged)
    with pytest.raises(NotFound):
        log.receipt(conn, 8)


def test_what_is_refused(conn: Connection, log: AuditLog) -> None:
    with pytest.raises(BadInput, match="kind"):
        log.append(conn, "Not A Kind", {})
    with pytest.raises(BadInput, match="not JSON"):
        log.append(conn, "a", {"x": object()})
    with pytest.raises(TooLarge):
        log.append(conn, "a", {"x": "y" * MAX_BODY})
    assert log.size(conn) == 0


def test_the_same_place_twice_is_a_conflict(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 2)
    conn.execute(update(tables.head).values(size=1))
    with pytest.raises(Conflict, match="took this place"):
        fill(conn, log, 1)


def test_a_rollback_takes_the_event_back(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 3)
    conn.commit()
    before = log.head(conn)
    fill(conn, log, 2)
    conn.rollback()
    assert log.head(conn) == before == log.verify(conn)


@pytest.mark.parametrize("column", ["kind", "at", "body", "leaf_hash"])
def test_a_changed_entry_is_named(conn: Connection, log: AuditLog, column: str) -> None:
    fill(conn, log, 9)
    conn.execute(update(tables.leaf).where(tables.leaf.c.idx == 4).values({column: "x"}))
    with pytest.raises(Unverified, match="entry 4"):
        log.verify(conn)


def test_a_missing_entry_or_subtree_is_named(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 9)
    conn.execute(delete(tables.node).where(tables.node.c.level == 1, tables.node.c.idx == 1))
    with pytest.raises(Unverified, match="entry 3"):
        log.verify(conn)
    with pytest.raises(Unverified, match="entry 2"):
        log.receipt(conn, 0, size=6)
    conn.execute(delete(tables.leaf).where(tables.leaf.c.idx == 2))
    with pytest.raises(Unverified, match="entry 2"):
        log.verify(conn)


def cut(conn: Connection, size: int) -> None:
    """Remove everything from entry ``size`` on, as carefully as a thief would."""
    conn.execute(delete(tables.leaf).where(tables.leaf.c.idx >= size))
    for level in range(1, 12):
        conn.execute(
            delete(tables.node).where(tables.node.c.level == level, tables.node.c.idx >= size >> level)
        )
    conn.execute(update(tables.head).values(size=size))


def test_truncation_is_found_by_the_last_checkpoint(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 9)
    note = log.checkpoint(conn, KEY)
    assert log.verify(conn, key=PUBLIC, checkpoint=note).size == 9
    cut(conn, 6)
    with pytest.raises(Unverified, match="entry 6"):
        log.verify(conn)
    with pytest.raises(Unverified, match="entry 6"):
        log.checkpoint(conn, KEY)
    conn.execute(delete(tables.checkpoint))
    assert log.verify(conn).size == 6, "without any checkpoint nothing shows: that is why partners keep one"
    with pytest.raises(Unverified, match="entry 6"):
        log.verify(conn, key=PUBLIC, checkpoint=note)
    with pytest.raises(BadInput):
        log.verify(conn, checkpoint=note)


def test_a_rewritten_log_is_never_signed_again(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 5)
    note = log.checkpoint(conn, KEY)
    cut(conn, 3)
    fill(conn, log, 4)
    with pytest.raises(Unverified, match=r"entry 4"):
        log.verify(conn)
    with pytest.raises(Unverified):
        log.checkpoint(conn, KEY)
    conn.execute(delete(tables.checkpoint))
    with pytest.raises(Unverified):
        log.verify(conn, key=PUBLIC, checkpoint=note)


def test_checkpoints_are_checked_themselves(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 2)
    first = log.checkpoint(conn, KEY)
    assert log.checkpoint(conn, KEY) == first
    fill(conn, log, 2)
    assert log.checkpoint(conn, KEY) != first
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(Unverified, match="not signed"):
        log.verify(conn, key=stranger.public_key())
    conn.execute(update(tables.checkpoint).where(tables.checkpoint.c.size == 4).values(note=first))
    with pytest.raises(Unverified):
        log.verify(conn, key=PUBLIC)


def test_an_empty_log_is_signed_and_cannot_have_another_root(conn: Connection, log: AuditLog) -> None:
    log.checkpoint(conn, KEY)
    fill(conn, log, 1)
    assert log.verify(conn, key=PUBLIC).size == 1
    conn.execute(update(tables.checkpoint).values(root="00" * 32))
    with pytest.raises(Unverified, match="entry 0"):
        log.verify(conn)


def test_a_partners_checkpoint_against_ours(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 2)
    log.checkpoint(conn, KEY)
    forged = Checkpoint("fiu-de", 2, bytes(32)).sign(KEY)
    with pytest.raises(Unverified):
        log.verify(conn, key=PUBLIC, checkpoint=forged)


def test_entries_beyond_the_head_are_found(conn: Connection, log: AuditLog) -> None:
    fill(conn, log, 2)
    row = log.entries(conn)[0]
    leaf = merkle.leaf_hash(b'["a","b","{}"]')
    conn.execute(insert(tables.leaf).values(idx=2, kind="a", at="b", body="{}", leaf_hash=leaf.hex()))
    assert row.index == 0
    with pytest.raises(Unverified):
        log.verify(conn)


def test_appends_at_once_queue(database: Engine, log: AuditLog) -> None:
    tables.metadata.create_all(database)
    with database.begin() as first:
        log.append(first, "node.started", {})

    def act(number: int) -> int:
        with database.begin() as conn:
            return log.append(conn, "message.sealed", {"n": number})

    with ThreadPoolExecutor(4) as pool:
        indexes = list(pool.map(act, range(24)))
    assert sorted(indexes) == list(range(1, 25))
    with database.connect() as conn:
        assert log.verify(conn).size == 25

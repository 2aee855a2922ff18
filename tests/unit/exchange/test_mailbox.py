from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from comity.errors import Conflict, NotFound, Unverified
from comity.exchange import envelope, mailbox, receipts, tables
from comity.exchange.directory import Directory
from comity.exchange.keys import Keys
from comity.exchange.mailbox import Mailbox, State
from comity.exchange.receipts import Delivered
from comity.model import Message

Write = Callable[..., Message]


@pytest.fixture
def de(ring: dict[str, Keys]) -> Mailbox:
    return Mailbox(ring["fiu-de"], random.Random(1))


@pytest.fixture
def fr(ring: dict[str, Keys]) -> Mailbox:
    return Mailbox(ring["fiu-fr"], random.Random(2))


@pytest.fixture
def sealed(ring: dict[str, Keys], directory: Directory, write: Write) -> bytes:
    return envelope.seal(write(), ring["fiu-de"], directory.member("fiu-fr"))


def test_from_outbox_to_receipt(
    conn: Connection,
    de: Mailbox,
    fr: Mailbox,
    write: Write,
    sealed: bytes,
    directory: Directory,
    now: datetime,
) -> None:
    de.enqueue(conn, write(), sealed)
    (held,) = de.due(conn, now)
    assert (held.message, held.sealed, held.state) == (write(), sealed, State.QUEUED)
    assert fr.accept(conn, write(), envelope.digest(sealed), now)
    receipt = fr.receipt(conn, "fiu-de", "m-1", envelope.digest(sealed))
    assert fr.receipt(conn, "fiu-de", "m-1", envelope.digest(sealed)) == receipt
    said = de.delivered(conn, "m-1", receipt, directory)
    assert said == Delivered("m-1", "fiu-de", "fiu-fr", envelope.digest(sealed), now)
    de.delivered(conn, "m-1", receipt, directory)
    assert de.due(conn, now) == ()
    done = de.outgoing(conn, "m-1")
    assert (done.state, done.receipt, done.sealed) == (State.DELIVERED, receipt, b"")
    assert de.failed(conn, "m-1", "late news", now) is None


def test_an_id_is_used_once(conn: Connection, de: Mailbox, write: Write, sealed: bytes) -> None:
    de.enqueue(conn, write(), sealed)
    with pytest.raises(Conflict, match="m-1"):
        de.enqueue(conn, write(), sealed)


def test_receipts_for_something_else(
    conn: Connection,
    de: Mailbox,
    write: Write,
    sealed: bytes,
    directory: Directory,
    ring: dict[str, Keys],
    now: datetime,
) -> None:
    de.enqueue(conn, write(), sealed)
    right = Delivered("m-1", "fiu-de", "fiu-fr", envelope.digest(sealed), now)
    wrong = [
        receipts.issue(Delivered("m-2", "fiu-de", "fiu-fr", right.digest, now), ring["fiu-fr"]),
        receipts.issue(Delivered("m-1", "fiu-sg", "fiu-fr", right.digest, now), ring["fiu-fr"]),
        receipts.issue(Delivered("m-1", "fiu-de", "fiu-sg", right.digest, now), ring["fiu-fr"]),
        receipts.issue(Delivered("m-1", "fiu-de", "fiu-fr", "00" * 32, now), ring["fiu-fr"]),
        receipts.issue(right, ring["fiu-sg"]),
        receipts.issue(right, ring["fiu-fr"]).replace(b'"signature":"', b'"signature":"zz'),
    ]
    for receipt in wrong:
        with pytest.raises(Unverified):
            de.delivered(conn, "m-1", receipt, directory)
    with pytest.raises(NotFound):
        de.delivered(conn, "m-7", receipts.issue(right, ring["fiu-fr"]), directory)
    assert de.outgoing(conn, "m-1").state is State.QUEUED


def test_waits_double_and_spread(
    conn: Connection, de: Mailbox, write: Write, sealed: bytes, now: datetime
) -> None:
    de.enqueue(conn, write(), sealed)
    expected = mailbox.FIRST_RETRY
    for attempt in range(1, 14):
        (held,) = de.due(conn, now)
        assert held.attempts == attempt - 1
        at = de.failed(conn, "m-1", "x" * 900, now)
        assert at is not None
        assert expected / 2 <= at - now <= expected
        assert de.due(conn, at - timedelta(microseconds=1)) == ()
        now, expected = at, min(expected * 2, mailbox.LONGEST_RETRY)
    assert len(de.outgoing(conn, "m-1").error) == mailbox.MAX_ERROR


def test_what_is_set_aside(conn: Connection, de: Mailbox, write: Write, sealed: bytes, now: datetime) -> None:
    de.enqueue(conn, write(), sealed)
    de.enqueue(conn, write(id="m-2", expires=now + timedelta(days=30)), sealed)
    de.enqueue(conn, write(id="m-3"), sealed)
    assert de.failed(conn, "m-3", "refused for good", now, final=True) is None
    assert de.outgoing(conn, "m-3").state is State.REFUSED
    later = now + timedelta(days=7)
    assert [held.message.id for held in de.due(conn, later)] == ["m-2"]
    (late,) = de.set_aside(conn, later)
    assert (late.message.id, late.state) == ("m-1", State.EXPIRED)
    assert de.set_aside(conn, later) == ()


def test_a_repetition_has_no_effect(conn: Connection, fr: Mailbox, write: Write, now: datetime) -> None:
    assert fr.accept(conn, write(), "d1", now)
    assert not fr.accept(conn, write(), "d1", now)
    assert not fr.accept(conn, write(), "another sealing", now)
    assert fr.accept(conn, write(sender="fiu-sg"), "d2", now), "ids are each sender's own"
    with pytest.raises(Unverified, match="another content"):
        fr.accept(conn, write(body={"facts": "other"}), "d1", now)
    assert len(fr.received(conn)) == 2


def test_taken_in_by_another_connection_meanwhile(
    database: Engine, fr: Mailbox, write: Write, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.metadata.create_all(database)
    real, seen = fr._repeats, []

    def blind_at_first(conn: Connection, message: Message, text: str) -> bool:
        seen.append(message.id)
        return len(seen) > 1 and real(conn, message, text)

    with database.begin() as one:
        assert fr.accept(one, write(), "d", now)
    monkeypatch.setattr(fr, "_repeats", blind_at_first)
    with database.begin() as two:
        assert not fr.accept(two, write(), "d", now)


def test_effects_happen_once(conn: Connection, fr: Mailbox, write: Write, now: datetime) -> None:
    fr.accept(conn, write(), "d1", now)
    fr.accept(conn, write(id="m-2"), "d2", now + timedelta(seconds=1))
    assert [held.message.id for held in fr.unprocessed(conn)] == ["m-1", "m-2"]
    assert fr.mark_processed(conn, "fiu-de", "m-1", now)
    assert not fr.mark_processed(conn, "fiu-de", "m-1", now)
    assert [held.message.id for held in fr.unprocessed(conn)] == ["m-2"]
    assert fr.get(conn, "fiu-de", "m-1").processed == now
    for missing in (("fiu-de", "m-9"), ("fiu-sg", "m-1")):
        with pytest.raises(NotFound):
            fr.mark_processed(conn, *missing, now)


def test_a_conversation_is_both_boxes_in_order(
    conn: Connection, de: Mailbox, write: Write, sealed: bytes, now: datetime
) -> None:
    answer = write(id="m-2", sender="fiu-fr", recipient="fiu-de", created=now + timedelta(hours=1))
    de.accept(conn, answer, "d", now)
    de.enqueue(conn, write(), sealed)
    de.enqueue(conn, write(id="m-3", conversation="c-2"), sealed)
    assert [message.id for message in de.conversation(conn, "c-1")] == ["m-1", "m-2"]
    assert {held.message.id for held in de.sent(conn)} == {"m-1", "m-3"}
    assert de.conversation(conn, "c-9") == ()


def test_a_rollback_takes_everything_back(
    database: Engine, fr: Mailbox, de: Mailbox, write: Write, sealed: bytes, now: datetime
) -> None:
    tables.metadata.create_all(database)
    with database.connect() as conn:
        fr.accept(conn, write(), "d", now)
        de.enqueue(conn, write(), sealed)
        conn.rollback()
        assert fr.received(conn) == de.sent(conn) == ()


def test_finding_answers_and_counting(
    conn: Connection, de: Mailbox, write: Write, sealed: bytes, now: datetime
) -> None:
    asked = write(id="q", sender="fiu-fr", recipient="fiu-de", in_reply_to="")
    de.accept(conn, write(id="q", sender="fiu-sg", recipient="fiu-de"), "d", now + timedelta(seconds=1))
    de.accept(conn, asked, "d", now)
    de.enqueue(conn, write(id="a", in_reply_to="q"), sealed)
    de.enqueue(conn, write(id="b", in_reply_to="other"), sealed)
    with pytest.raises(Conflict, match="used by"):
        de.incoming(conn, "q")  # two members' messages of one id: neither passes for the other
    assert [message.id for message in de.answers(conn, asked)] == ["a"]
    assert de.counts(conn) == (2, 2)
    assert [held.message.sender for held in de.received(conn, 1, 1)] == ["fiu-fr"]
    with pytest.raises(NotFound):
        de.incoming(conn, "z")

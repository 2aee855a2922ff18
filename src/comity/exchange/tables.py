"""The mailbox's tables. Times are ISO 8601 in UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

outbox = Table(
    "exchange_outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("recipient", String(64), nullable=False),
    Column("conversation", String(64), nullable=False),
    Column("created", String(32), nullable=False),
    Column("expires", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(32), nullable=False),
    Column("error", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Index("exchange_outbox_due", "state", "next_at"),
    Index("exchange_outbox_conversation", "conversation"),
)

inbox = Table(
    "exchange_inbox",
    metadata,
    Column("sender", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("received", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("processed", String(32), nullable=False),
    Index("exchange_inbox_processed", "processed", "received"),
    Index("exchange_inbox_conversation", "conversation"),
)

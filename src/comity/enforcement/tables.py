"""The enforcement tables. Times are ISO 8601 in UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

measure = Table(
    "enforcement_measure",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("until", String(32), nullable=False),
    Column("ordered", String(32), nullable=False),
    Column("case_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("enforcement_measure_state", "state", "until"),
)

account = Table(
    "enforcement_account",
    metadata,
    Column("account", String(256), primary_key=True),
    Column("measure_id", String(64), primary_key=True),
)

# Every transition, in order: who caused it, when, and why.
transition = Table(
    "enforcement_transition",
    metadata,
    Column("measure_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

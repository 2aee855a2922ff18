"""The casework tables. Times are ISO 8601 in UTC with microseconds, so that text order is time order."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

finding = Table(
    "case_finding",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("level", String(8), nullable=False),
    Column("score", Float, nullable=False),
    Column("last", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Index("case_finding_level", "level", "score"),
    Index("case_finding_subject", "subject"),
)

case = Table(
    "case_case",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened", String(32), nullable=False),
    Index("case_case_state", "state", "opened"),
)

# Findings, duties, decisions, acts and notes of a case, in the order in which they came to it.
# `ref` keeps an item from being there twice; `due` and `done` are set for duties only.
item = Table(
    "case_item",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("ref", String(128), nullable=False),
    Column("name", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("due", String(32), nullable=False),
    Column("done", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Index("case_item_ref", "case_id", "kind", "ref", unique=True),
    Index("case_item_due", "kind", "done", "due"),
)

report = Table(
    "case_report",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False),
    Column("format", String(64), nullable=False),
    Column("filename", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("case_report_case", "case_id", "format", "digest", unique=True),
)

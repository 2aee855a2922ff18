"""The node's own tables: what ties the rooms together. All times are ISO 8601 text in UTC."""

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# Which audit entries belong to which case, and the hop each of them is.
event = Table(
    "node_event",
    metadata,
    Column("idx", Integer, primary_key=True),
    Column("case_id", String(64), primary_key=True),
    Column("hop", String(16), nullable=False),
    Column("at", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("law", Text, nullable=False),
)

# Which messages belong to which case.
case_message = Table(
    "node_case_message",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("sender", String(64), primary_key=True),
    Column("case_id", String(64), nullable=False, index=True),
)

# Subjects too weak for an alert, as institutions told their FIU on request (ADR 0009).
watch = Table(
    "node_watch",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("finding_id", String(64), primary_key=True),
    Column("message_id", String(64), nullable=False),
    Column("item", Text, nullable=False),
)

# Intersections this node has asked for: its secret side until the answer is in, then the result.
match = Table(
    "node_match",
    metadata,
    Column("conversation", String(64), primary_key=True),
    Column("peer", String(64), nullable=False),
    Column("asked", String(32), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("common", Text, nullable=False),
    Column("answered", String(32), nullable=False),
)

# Freezes ordered here because a partner asked: whose message each of them answers.
on_behalf = Table(
    "node_on_behalf",
    metadata,
    Column("measure_id", String(64), primary_key=True),
    Column("sender", String(64), nullable=False),
    Column("message_id", String(64), nullable=False),
)

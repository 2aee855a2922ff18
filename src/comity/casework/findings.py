"""The findings of a node: saved once each, listed by what they say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from comity import codec
from comity.casework.tables import finding as table
from comity.errors import BadInput, NotFound
from comity.model import Finding, FindingKind, Level

_CHUNK = 500
MAX_PAGE = 10_000
ORDERS = ("score", "last", "rule", "subject")


def stamp(when: datetime) -> str:
    """A time as it is stored: UTC with microseconds, so that text order is time order."""
    if when.tzinfo is None:
        raise BadInput("a time without its offset", remedy="hand in aware times")
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def page(query: Select[Any], limit: int, offset: int) -> Select[Any]:
    """A bounded part of what a query gives. Raises BadInput."""
    if not 1 <= limit <= MAX_PAGE or offset < 0:
        raise BadInput(
            f"limit {limit}, offset {offset}",
            why=f"a page has 1 to {MAX_PAGE:,} rows, and begins at 0 or later",
            remedy="ask for a smaller page",
        )
    return query.limit(limit).offset(offset)


def save_findings(connection: Connection, findings: Iterable[Finding]) -> int:
    """Keep findings; one whose id is known stays as it was. Returns how many were new."""
    new = 0
    waiting = iter(findings)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    while chunk := {finding.id: finding for finding in islice(waiting, _CHUNK)}:
        known = set(connection.execute(select(table.c.id).where(table.c.id.in_(list(chunk)))).scalars())
        rows = [_row(finding) for finding in chunk.values() if finding.id not in known]
        if rows:
            connection.execute(insert(table).on_conflict_do_nothing(), rows)
        new += len(rows)
    return new


def list_findings(
    connection: Connection,
    level: Level | None = None,
    kind: FindingKind | None = None,
    rule: str | None = None,
    subject: str | None = None,
    limit: int = 50,
    offset: int = 0,
    order: str = "score",
    descending: bool = True,
) -> tuple[Finding, ...]:
    """Findings that fit every condition given. ``order``: score, last, rule or subject. Raises BadInput."""
    if order not in ORDERS:
        raise BadInput(f"findings have no order {order!r}", remedy=f"use {', '.join(ORDERS)}")
    column = table.c[order]
    query = _where(select(table.c.body), level, kind, rule, subject)
    query = query.order_by(column.desc() if descending else column.asc(), table.c.id)
    bodies = connection.execute(page(query, limit, offset)).scalars()
    return tuple(codec.from_json(Finding, body.encode()) for body in bodies)


def count_findings(connection: Connection, level: Level | None = None, rule: str | None = None) -> int:
    """How many findings fit."""
    query = _where(select(func.count()).select_from(table), level, None, rule, None)
    return int(connection.execute(query).scalar_one())


def rules(connection: Connection) -> tuple[str, ...]:
    """The rules that have findings, sorted."""
    return tuple(connection.execute(select(table.c.rule).distinct().order_by(table.c.rule)).scalars())


def _where(
    query: Select[Any],
    level: Level | None,
    kind: FindingKind | None,
    rule: str | None,
    subject: str | None,
) -> Select[Any]:
    for column, value in (
        (table.c.level, level.value if level else None),
        (table.c.kind, kind.value if kind else None),
        (table.c.rule, rule),
        (table.c.subject, subject),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def finding(connection: Connection, finding_id: str) -> Finding:
    """One finding. Raises NotFound."""
    body = connection.execute(select(table.c.body).where(table.c.id == finding_id)).scalar_one_or_none()
    if body is None:
        raise NotFound(f"no finding {finding_id[:64]!r}", remedy="list the findings to find its id")
    return codec.from_json(Finding, body.encode())


def _row(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "rule": finding.rule,
        "subject": finding.subject,
        "level": finding.level.value,
        "score": finding.score,
        "last": stamp(finding.last) if finding.last else "",
        "body": codec.to_json(finding).decode(),
    }

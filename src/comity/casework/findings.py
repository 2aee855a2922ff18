"""The findings of a node: saved once each, listed by what they say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from comity import codec
from comity.casework.tables import finding as table
from comity.errors import BadInput, NotFound
from comity.model import Finding, FindingKind, Level

_CHUNK = 500
MAX_PAGE = 10_000


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
) -> tuple[Finding, ...]:
    """Findings that fit every condition given, the highest score first."""
    query = select(table.c.body).order_by(table.c.score.desc(), table.c.id)
    for column, value in (
        (table.c.level, level.value if level else None),
        (table.c.kind, kind.value if kind else None),
        (table.c.rule, rule),
        (table.c.subject, subject),
    ):
        if value is not None:
            query = query.where(column == value)
    bodies = connection.execute(page(query, limit, offset)).scalars()
    return tuple(codec.from_json(Finding, body.encode()) for body in bodies)


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
        "body": codec.to_json(finding).decode(),
    }

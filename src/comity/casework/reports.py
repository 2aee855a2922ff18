"""The reports rendered for a case, kept byte for byte as they went out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from comity.casework.findings import stamp
from comity.casework.tables import report as table
from comity.errors import BadInput, NotFound


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A rendered report. ``digest`` is the SHA-256 of its bytes; ``data`` is empty in a listing."""

    id: str
    case_id: str
    format: str
    filename: str
    at: datetime
    size: int
    digest: str
    data: bytes = b""


def save(
    connection: Connection,
    case_id: str,
    format_: str,
    filename: str,
    data: bytes,
    *,
    report_id: str,
    at: datetime,
) -> str:
    """Keep a report; the same bytes for the same case are kept once. Returns its id. Raises BadInput."""
    if not filename or "/" in filename or "\\" in filename or filename.startswith(".") or not data:
        raise BadInput(
            f"not a report to keep: {filename[:80]!r}",
            why="a report has content, and a file name without a path",
            remedy="name it for example str-2026-0001.xml",
        )
    digest = hashlib.sha256(data).hexdigest()
    known = connection.execute(
        select(table.c.id).where(
            table.c.case_id == case_id, table.c.format == format_, table.c.digest == digest
        )
    ).scalar_one_or_none()
    if known is not None:
        return str(known)
    connection.execute(
        insert(table).values(
            id=report_id,
            case_id=case_id,
            format=format_,
            filename=filename,
            at=stamp(at),
            size=len(data),
            digest=digest,
            data=data,
        )
    )
    return report_id


def reports(connection: Connection, case_id: str) -> tuple[StoredReport, ...]:
    """The reports of a case without their content, oldest first."""
    columns = [column for column in table.c if column.name != "data"]
    rows = connection.execute(
        select(*columns).where(table.c.case_id == case_id).order_by(table.c.at, table.c.id)
    ).mappings()
    return tuple(_stored(row) for row in rows)


def report(connection: Connection, report_id: str) -> StoredReport:
    """One report with its content. Raises NotFound."""
    row = connection.execute(select(table).where(table.c.id == report_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no report {report_id[:64]!r}", remedy="list the case's reports to find its id")
    return _stored(row)


def _stored(row: RowMapping) -> StoredReport:
    return StoredReport(
        row["id"],
        row["case_id"],
        row["format"],
        row["filename"],
        datetime.fromisoformat(row["at"]),
        row["size"],
        row["digest"],
        bytes(row.get("data") or b""),
    )

"""What was recorded after the first: corrections, the history of a transfer, and what a version changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from comity.errors import BadInput, Conflict, NotFound
from comity.ledger._rows import FIELDS, plain, transfer
from comity.model import AssetId, Rate, Transfer

if TYPE_CHECKING:
    import duckdb


_BESIDE = (
    *("version", "source", "rate", "rate_source", "rate_date"),
    *("corrects", "voided", "reason", "corrected_by", "recorded"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact the ledger recorded. ``transfer`` is None where it says that ``corrects`` never was.

    ``version``: of the ledger, when it was recorded; ``corrects``: the id of the transfer that it replaces or
    voids; ``rate``: what its value was computed with, where it states none and the rate has a date;
    ``counts``: whether it is what the ledger shows now.
    """

    version: int
    id: str
    transfer: Transfer | None
    corrects: str
    reason: str
    by: str
    at: datetime | None
    source: str
    rate: Rate | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What was added or corrected after version ``since``, up to ``version``.

    ``accounts``: ids, in order, of both ends of every transfer that came, went, or was replaced; ``first``
    and ``last``: the microseconds of the earliest and the latest of them, None when there is none;
    ``corrected``: whether any went or was replaced.
    """

    since: int
    version: int
    accounts: tuple[str, ...]
    first: int | None
    last: int | None
    corrected: bool = False

    def __bool__(self) -> bool:
        return self.first is not None


def history(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Entry, ...]:
    """Every fact about a transfer, in the order they were recorded, under whatever ids. Raises NotFound."""
    shown = ", ".join(f"f.{field}" for field in (*_BESIDE, *FIELDS))
    rows = connection.execute(
        "WITH RECURSIVE links AS (SELECT id AS a, corrects AS b FROM kept.corrections WHERE id <> corrects), "  # noqa: S608
        "either AS MATERIALIZED (SELECT a, b FROM links UNION ALL SELECT b, a FROM links), "
        "kin AS (SELECT ? AS id UNION SELECT either.b FROM kin JOIN either ON either.a = kin.id) "
        f"SELECT s.id IS NOT NULL, {shown} "
        "FROM kept.facts f SEMI JOIN kin ON kin.id = f.id "
        "LEFT JOIN kept.stored s ON s.id = f.id AND s.version = f.version ORDER BY f.version, f.id",
        [name],
    ).fetchall()
    if not rows:
        raise NotFound(f"no transfer {name[:100]!r} in this ledger", remedy="check the id")
    return tuple(_entry(row) for row in rows)


def _entry(row: Sequence[Any]) -> Entry:
    counts, version, source, rate, rate_source, rate_date, corrects, voided, reason, by, at, *fields = row
    told = None if voided else transfer(fields)
    return Entry(
        version,
        fields[0],
        told,
        corrects or "",
        reason,
        by,
        None if at is None else at.replace(tzinfo=UTC),
        source,
        _rate(told, rate, rate_source, rate_date),
        counts,
    )


def _rate(told: Transfer | None, rate: Decimal | None, source: str | None, on: date | None) -> Rate | None:
    if told is None or told.amount is None or rate is None or on is None:
        return None
    return Rate(AssetId(told.amount.asset.value), plain(rate), source or "", on)


def changes(connection: duckdb.DuckDBPyConnection, since: int, version: int) -> Changes:
    """What the facts after version ``since`` touch: their own accounts and times, and those they correct."""
    connection.execute(
        "CREATE TEMP TABLE touched AS "  # noqa: S608
        f"SELECT originator, beneficiary, time FROM kept.facts WHERE version > {since:d} UNION ALL "
        "SELECT f.originator, f.beneficiary, f.time FROM kept.facts f "
        f"SEMI JOIN (SELECT corrects AS id FROM kept.corrections WHERE version > {since:d}) c ON c.id = f.id "
        f"WHERE f.version <= {since:d} "
        "QUALIFY row_number() OVER (PARTITION BY f.id ORDER BY f.version DESC) = 1"
    )
    accounts = connection.sql(
        "SELECT originator AS account FROM touched UNION SELECT beneficiary FROM touched ORDER BY 1"
    ).to_arrow_table()
    ((first, last, corrected),) = connection.execute(
        "SELECT epoch_us(min(time)), epoch_us(max(time)), "  # noqa: S608
        f"(SELECT count(*) > 0 FROM kept.corrections WHERE version > {since:d}) FROM touched"
    ).fetchall()
    return Changes(since, version, tuple(accounts.column(0).to_pylist()), first, last, corrected)


def correctable(
    connection: duckdb.DuckDBPyConnection, replaced: Sequence[str], voided: Sequence[str]
) -> tuple[dict[str, Transfer], int]:
    """The transfers to be void, by id; and how many of the replaced ones are void already.

    Raises NotFound for an id that is not here, Conflict for one that something else stands for by now.
    """
    wanted = [*replaced, *voided]
    if twice := [name for name, times in Counter(wanted).items() if times > 1]:
        raise BadInput(f"transfer {twice[0]!r} is corrected twice at once", remedy="correct it once")
    rows = connection.execute(
        f"SELECT {', '.join(FIELDS)} FROM kept.stored WHERE id IN (SELECT unnest(?::VARCHAR[]))",  # noqa: S608
        [wanted],
    ).fetchall()
    here = {row[0]: transfer(row) for row in rows}
    missing = [name for name in wanted if name not in here]
    reinstated = _explain(connection, missing, set(voided)) if missing else 0
    return {name: here[name] for name in voided}, reinstated


def _explain(connection: duckdb.DuckDBPyConnection, names: Sequence[str], voided: set[str]) -> int:
    """Why these do not count now: how many are void and may be stated anew; raises for all others."""
    latest = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT corrects, arg_max(id, version), arg_max(voided, version) FROM kept.corrections "
            "WHERE corrects IN (SELECT unnest(?::VARCHAR[])) GROUP BY corrects",
            [list(names)],
        ).fetchall()
    }
    for name in names:
        if name not in latest:
            raise NotFound(
                f"no transfer {name[:100]!r} in this ledger to correct",
                why="a correction names the id of a transfer that was added before",
                remedy="check the id; add a transfer that is not there with `comity ledger ingest`",
            )
        by, void = latest[name]
        if not void:
            raise Conflict(
                f"transfer {name!r} was replaced by {by!r} already",
                why="what no longer counts cannot be corrected again",
                remedy=f"correct {by!r}",
            )
        if name in voided:
            raise Conflict(f"transfer {name!r} is void already", remedy="leave it out")
    return len(names)

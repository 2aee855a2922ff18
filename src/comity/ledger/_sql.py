"""DuckDB over a ledger's parts: the internal views, and the fence around an analyst's statement.

The schema ``kept`` holds ``facts`` (every row ever recorded), ``superseded`` (ids that were corrected, and in
which version last) and ``stored`` (the transfers that count now). No statement of an analyst reaches it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from comity.errors import BadInput, StoreError, TooLarge
from comity.ledger._parts import Part
from comity.ledger._rows import FIELDS, SCHEMA
from comity.ledger.columns import scale_of
from comity.model import AssetId

MEMORY = "3GB"
"""What DuckDB may hold; what is more is spilled to the ledger's disk, or ends an analyst's query."""
VIEWS = ("transfers", "history")
_LONGEST = 100_000
_SPILLS = itertools.count()
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # else a statement could name variables of this program
}
_LACKING = {
    "rate": "NULL::DECIMAL(38, 18)",
    "rate_source": "NULL::VARCHAR",
    "rate_date": "NULL::DATE",
    "corrects": "NULL::VARCHAR",
    "voided": "false",
    "reason": "''",
    "corrected_by": "''",
    "recorded": "NULL::TIMESTAMP",
}
"""What parts of format 1 do not have, beside the version."""
_NO_CORRECTION = "SELECT '' AS id, NULL::VARCHAR AS corrects, false AS voided, 0 AS version"
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
_REFUSED_FUNCTIONS = ("current_setting", "getenv", "getvariable", "pg_get_viewdef")
_BUILT_IN = ("duckdb_", "pragma_", "sqlite_", "pg_", "information_schema")


def quoted(path: Path) -> str:
    """A path as a literal of SQL."""
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def moment(microseconds: int) -> str:
    """A time as an expression of SQL."""
    return f"make_timestamp({microseconds:d}::BIGINT)"


@contextmanager
def connected(
    path: Path, parts: Sequence[Part], every: Sequence[Part]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose ``kept.facts`` are those of ``parts``, and its corrections those of ``every``."""
    connection = duckdb.connect(":memory:", config=_CONFIG)
    # one for each connection: DuckDB names the files in it without regard to who else spills there
    spill = path / f"spill-{os.getpid()}-{next(_SPILLS)}"
    try:
        connection.execute(f"SET temp_directory = {quoted(spill)}")
        connection.execute("SET enable_progress_bar = false")  # it would be drawn on standard output
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("CREATE SCHEMA kept")
        if not parts:
            connection.register("nothing", SCHEMA.empty_table())
            connection.execute("CREATE TABLE kept.nothing AS SELECT * FROM nothing")
            connection.unregister("nothing")
        connection.execute(f"CREATE VIEW kept.facts AS {_facts(path, parts)}")
        correcting = [part for part in every if part.corrections]
        facts = _facts(path, correcting) if correcting else _NO_CORRECTION
        connection.execute(
            "CREATE VIEW kept.corrections AS SELECT id, corrects, voided, version "  # noqa: S608
            f"FROM ({facts}) WHERE corrects IS NOT NULL"
        )
        connection.execute(f"CREATE VIEW kept.stored AS {_current(bool(correcting))}")
        yield connection
    except duckdb.Error as error:
        raise StoreError(
            f"the ledger {path.name} cannot be read",
            why=str(error)[:300],
            remedy="free space on its disk if it is full; else restore it: a part is missing or damaged",
        ) from None
    finally:
        connection.close()
        if spill.exists():
            shutil.rmtree(spill, ignore_errors=True)


def _facts(path: Path, parts: Sequence[Part]) -> str:
    """A SELECT of every row of these parts; those of format 1 get the columns that they lack."""
    if not parts:
        return "SELECT * FROM kept.nothing"
    files = ", ".join(quoted(path / part.file) for part in parts if part.format > 1)
    chosen = [f"SELECT * FROM read_parquet([{files}])"] if files else []  # noqa: S608
    lacking = ", ".join(f"{value} AS {name}" for name, value in _LACKING.items())
    chosen += [
        f"SELECT *, {lacking}, {part.versions[0]}::INTEGER AS version "  # noqa: S608
        f"FROM read_parquet({quoted(path / part.file)})"
        for part in parts
        if part.format == 1
    ]
    return " UNION ALL BY NAME ".join(chosen)


def _current(corrected: bool) -> str:
    if not corrected:
        return "SELECT * FROM kept.facts"
    return (
        "SELECT f.* FROM kept.facts f LEFT JOIN "
        "(SELECT corrects AS id, max(version) AS version FROM kept.corrections GROUP BY corrects) s "
        "ON s.id = f.id WHERE NOT f.voided AND (s.version IS NULL OR f.version >= s.version)"
    )


def within(since: int | None, until: int | None) -> str:
    """A span of microseconds as a condition of SQL; empty without bounds."""
    bounds = [f"time >= {moment(since)}"] if since is not None else []
    bounds += [f"time < {moment(until)}"] if until is not None else []
    return " AND ".join(bounds)


def fence(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    reference: AssetId,
    parts: Iterable[Part],
    span: str,
) -> None:
    """Make the views that statements may read, and let them reach no file but the parts, and no setting."""
    kept = ", ".join(field for field in FIELDS if field != "value")
    shown = f"{kept}, source, {worth(reference)} AS value, rate, rate_source, rate_date"
    where = f"WHERE {span}" if span else ""
    connection.execute(f"CREATE VIEW transfers AS SELECT {shown} FROM kept.stored {where}")  # noqa: S608
    connection.execute(
        f"CREATE VIEW history AS SELECT {shown}, version, corrects, voided, reason, corrected_by, recorded "  # noqa: S608
        f"FROM kept.facts {where}"
    )
    paths = ", ".join(sorted({quoted(path / part.file) for part in parts}))
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET temp_directory = ''")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def worth(reference: AssetId) -> str:
    """The worth in the reference asset, as an expression over ``units``; NULL where it is not known."""
    places = scale_of(reference)
    unit = f"0.{'1':0>{places}}::DECIMAL({places}, {places})"
    return f"CASE WHEN units >= 0 THEN units::DECIMAL(19, 0) * {unit} END"


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raises BadInput unless it is one SELECT that names `VIEWS`, and its own subqueries, only."""
    if len(sql) > _LONGEST:
        raise TooLarge(f"a statement of {len(sql):,} characters", remedy=f"at most {_LONGEST:,} are read")
    kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise BadInput("not one SELECT statement", remedy="write one SELECT over `transfers`")
    try:
        ((text,),) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        tree = json.loads(text)
    except (RecursionError, ValueError):
        raise BadInput("the statement is nested too deeply", remedy="write it flatter") from None
    if tree.get("error", True):
        raise BadInput(
            "the query did not run",
            why=str(tree.get("error_message"))[:300],
            remedy="write one SELECT over `transfers`",
        )
    named: set[str] = set()
    nodes = list(_nodes(tree))
    for node in nodes:
        for entry in (node.get("cte_map") or {}).get("map", ()):
            named.add(str(entry["key"]).lower())
    for node in nodes:
        _check_node(node, named)


def _check_node(node: dict[str, Any], named: set[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        table = str(node.get("table_name")).lower()
        qualified = node.get("schema_name") or node.get("catalog_name") or len(_path(node)) > 1
        if qualified or table not in {*VIEWS, *named} or table.startswith(_BUILT_IN):
            raise _out_of_bounds(".".join(_path(node)) or table)
    elif kind == "TABLE_FUNCTION":
        called = str((node.get("function") or {}).get("function_name"))
        if called.lower() not in _TABLE_FUNCTIONS:
            raise _out_of_bounds(f"{called}()")
    elif kind == "SHOW_REF" and not node.get("query"):
        raise _out_of_bounds(f"SHOW {node.get('table_name')}")
    elif kind == "FUNCTION":
        called = str(node.get("function_name")).lower()
        if called in _REFUSED_FUNCTIONS:
            raise _out_of_bounds(f"{called}()")


def _path(node: dict[str, Any]) -> list[str]:
    return [str(step) for step in (node.get("qualified_name") or {}).get("path", ())]


def _out_of_bounds(name: str) -> BadInput:
    return BadInput(
        "the query did not run",
        why=f"it names {name[:100]}, which is not one of {', '.join(VIEWS)}",
        remedy="read the views `transfers` (what counts now) and `history` (every fact recorded) only",
    )


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def answer(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int, seconds: float
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names and at most so many rows of a statement within the fence. Raises BadInput."""
    try:
        check(connection, sql)
        clock = threading.Timer(seconds, connection.interrupt)
        clock.start()
        try:
            cursor = connection.execute(sql)
            rows = cursor.fetchmany(limit)
        finally:
            clock.cancel()
    except duckdb.Error as error:
        raise BadInput(
            "the query did not run",
            why=str(error)[:500],
            remedy=f"it may read the views {' and '.join(VIEWS)} only, and must end within a minute",
        ) from None
    return tuple(column[0] for column in cursor.description or ()), rows

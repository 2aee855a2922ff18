"""The ledger on disk: Parquet parts, a manifest that says which of them count, and columns made from them.

    DIR/manifest.json          format, reference asset, parts in order: what is not in it does not exist
    DIR/part-00000001.parquet  the transfers of one append, in order of (time, id)
    DIR/columns-00000001/      NumPy columns of the first 1 parts; a cache, made again when it is not there
    DIR/lock                   held while one process appends

An append writes and syncs its part, then renames a new manifest into place: it happened, or it did not.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from comity.errors import BadInput, Conflict, NotFound, StoreError
from comity.ledger import _mapped
from comity.ledger._rows import FIELDS, SCHEMA, batches, transfer
from comity.ledger.columns import build, scale_of
from comity.model import AssetId, Columns, Transfer

FORMAT = 1
QUERY_ROWS = 10_000
QUERY_SECONDS = 60.0
USD = AssetId("iso4217:USD")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_SELECTED = ", ".join(FIELDS)


@dataclass(frozen=True, slots=True)
class _Part:
    file: str
    rows: int
    source: str


class Ledger:
    """An immutable, growing set of transfers in a directory. Safe for threads and for processes."""

    def __init__(self, path: Path, reference: AssetId) -> None:
        self.path, self.reference = path, reference

    @classmethod
    def create(cls, path: Path, reference: AssetId = USD) -> Ledger:
        """A new, empty ledger whose values are in ``reference``. Raises Conflict when there is one."""
        path.mkdir(parents=True, exist_ok=True)
        if (path / "manifest.json").exists():
            raise Conflict(
                f"{path.name} holds a ledger already", remedy="open it, or choose another directory"
            )
        _publish(path, reference, ())
        return cls(path, reference)

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """The ledger in a directory. Raises NotFound, or StoreError when its manifest is damaged."""
        return cls(path, _manifest(path)[0])

    def __len__(self) -> int:
        return sum(part.rows for part in self._parts())

    def append(
        self,
        transfers: Iterable[Transfer],
        *,
        rates: Mapping[str, Decimal] | None = None,
        source: str = "",
    ) -> int:
        """Add transfers, all or none; returns how many. ``rates``: asset id to its worth in the reference.

        A rate sets the value of a transfer that states none. Raises Conflict when an id is there twice,
        or already; BadInput when an amount cannot be kept; whatever ``transfers`` itself raises.
        """
        with self._locked():
            parts = self._parts()
            staged = self.path / "staged.parquet"
            try:
                with parquet.ParquetWriter(staged, SCHEMA, compression="zstd") as writer:
                    for batch in batches(transfers, self.reference, rates or {}, source):
                        writer.write_batch(batch)
                rows: int = parquet.read_metadata(staged).num_rows
                if rows:
                    name = f"part-{len(parts) + 1:08}.parquet"
                    self._settle(staged, name, parts)
                    _publish(self.path, self.reference, (*parts, _Part(name, rows, source)))
            except OSError as error:
                raise self._unwritten(error) from None
            finally:
                staged.unlink(missing_ok=True)
        return rows

    def columns(self) -> Columns:
        """Every transfer as columns, memory-mapped; made on disk first when transfers were added."""
        for _ in range(3):  # another process may replace a generation while we open it
            parts = self._parts()
            if not parts:
                return build((), self.reference)
            folder = self.path / f"columns-{len(parts):08}"
            if not folder.is_dir():
                self._write_columns(folder, parts)
            try:
                return _mapped.load(folder, self.reference)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise StoreError(
                    f"{folder.name} cannot be read", why=str(error), remedy="delete it; it is made again"
                ) from None
        raise StoreError(
            f"the columns of {self.path.name} keep changing", remedy="append less often, or try again"
        )

    def table(self, fields: Sequence[str]) -> pa.Table:
        """These columns of every transfer as an Arrow table, in order of (time, id).

        ``value`` is the worth in the reference asset, null where it is not known. Raises BadInput.
        """
        if unknown := [field for field in fields if field not in FIELDS]:
            raise BadInput(f"no column {unknown[0]!r}", remedy=f"choose of {', '.join(FIELDS)}")
        worth = f"coalesce(value, CASE WHEN asset = '{self.reference.value}' THEN amount END) AS value"
        chosen = ", ".join(worth if field == "value" else field for field in fields)
        with self._connected() as connection:
            found: pa.Table = connection.sql(
                f"SELECT {chosen} FROM stored ORDER BY time, id"  # noqa: S608
            ).to_arrow_table()
        return found

    def transfers(self, ids: Sequence[str]) -> tuple[Transfer, ...]:
        """The transfers of these ids, in this order. Raises NotFound, naming the first that is not here."""
        found = self.find(ids)
        for name in ids:
            if name not in found:
                raise NotFound(f"no transfer {name[:100]!r} in this ledger", remedy="check the id")
        return tuple(found[name] for name in ids)

    def find(self, ids: Sequence[str]) -> dict[str, Transfer]:
        """Those of these transfers that are here, by id."""
        rows = self._select("WHERE id IN (SELECT unnest(?::VARCHAR[]))", [list(ids)])
        return {row[0]: transfer(row) for row in rows}

    def of_account(self, account: str, limit: int = 1000) -> tuple[Transfer, ...]:
        """The latest ``limit`` transfers into or out of an account, in time order."""
        rows = self._select(
            "WHERE originator = ?1 OR beneficiary = ?1 ORDER BY time DESC, id DESC LIMIT ?2", [account, limit]
        )
        return tuple(transfer(row) for row in reversed(rows))

    def volume_by_country_pair(self) -> tuple[tuple[str, str, int, Decimal], ...]:
        """Originator's country, beneficiary's country, transfers and their known value; largest first."""
        _, rows = self.query(
            "SELECT originator_country, beneficiary_country, count(*), coalesce(sum(value), 0) "
            "FROM transfers WHERE originator_country <> '' AND beneficiary_country <> '' "
            "GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2",
            limit=1 << 16,
        )
        return tuple((row[0], row[1], row[2], Decimal(row[3])) for row in rows)

    def query(
        self, sql: str, *, limit: int = QUERY_ROWS, seconds: float = QUERY_SECONDS
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and at most ``limit`` rows of one SELECT over the view ``transfers``.

        ``value`` there is the worth in the reference asset, NULL where it is not known; ``time`` is UTC.
        The statement sees this ledger's transfers and no file, no network and no setting. Raises BadInput.
        """
        with self._connected() as connection:
            try:
                kinds = [statement.type for statement in duckdb.extract_statements(sql)]
                if kinds != [duckdb.StatementType.SELECT]:
                    raise BadInput("not one SELECT statement", remedy="write one SELECT over `transfers`")
                self._fence(connection)
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
                    remedy="it may read the view `transfers` only, and must end within a minute",
                ) from None
            return tuple(column[0] for column in cursor.description or ()), rows

    def _fence(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let statements reach the view ``transfers`` and nothing else."""
        paths = ", ".join(_quoted(self.path / part.file) for part in self._parts())
        places = scale_of(self.reference)
        unit = f"0.{'1':0>{places}}::DECIMAL({places}, {places})"
        kept = ", ".join(field for field in FIELDS if field != "value")
        connection.execute(
            f"CREATE VIEW transfers AS SELECT {kept}, source, "  # noqa: S608
            f"CASE WHEN units >= 0 THEN units::DECIMAL(19, 0) * {unit} END AS value FROM stored"
        )
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET temp_directory = ''")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def _select(self, clause: str, values: list[object]) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return connection.execute(f"SELECT {_SELECTED} FROM stored {clause}", values).fetchall()  # noqa: S608

    def _settle(self, staged: Path, name: str, parts: Sequence[_Part]) -> None:
        """Sort what is staged into a part of that name, when no id in it is there twice or stored."""
        place = self.path / name
        with self._connected(parts) as connection:
            connection.execute(f"CREATE VIEW staged AS SELECT * FROM read_parquet({_quoted(staged)})")  # noqa: S608
            twice = "SELECT id FROM staged GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1"
            stored = "SELECT id FROM staged SEMI JOIN stored USING (id) ORDER BY id LIMIT 1"
            for sql, what in ((twice, "is there twice"), (stored, "is in the ledger already")):
                found = connection.execute(sql).fetchone()
                if found:
                    raise Conflict(
                        f"transfer {found[0]!r} {what}",
                        why="an id names one transfer; nothing was added",
                        remedy="leave out what was added before, or correct the ids",
                    )
            connection.execute(
                f"COPY (SELECT * FROM staged ORDER BY time, id) TO {_quoted(place)} "  # noqa: S608
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        _sync(place)

    def _write_columns(self, folder: Path, parts: Sequence[_Part]) -> None:
        making = self.path / f"making-{os.getpid()}-{threading.get_ident()}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        try:
            with self._connected(parts) as connection:
                _mapped.write(connection, making, sum(part.rows for part in parts))
            making.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else another process was faster
                raise self._unwritten(error) from None
        finally:
            shutil.rmtree(making, ignore_errors=True)
        for old in self.path.glob("columns-*"):
            if old.name < folder.name:
                shutil.rmtree(old, ignore_errors=True)

    def _unwritten(self, error: OSError) -> StoreError:
        return StoreError(
            f"the ledger {self.path.name} cannot be written",
            why=error.strerror or str(error),
            remedy="free space on its disk, or check who may write there; nothing was changed",
        )

    def _parts(self) -> tuple[_Part, ...]:
        return _manifest(self.path)[1]

    @contextmanager
    def _connected(self, parts: Sequence[_Part] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the table ``stored``: every row of the parts."""
        parts = self._parts() if parts is None else parts
        connection = duckdb.connect(":memory:", config=_CONFIG)
        try:
            connection.execute(f"SET temp_directory = {_quoted(self.path / 'spill')}")
            if parts:
                paths = ", ".join(_quoted(self.path / part.file) for part in parts)
                connection.execute(f"CREATE VIEW stored AS SELECT * FROM read_parquet([{paths}])")  # noqa: S608
            else:
                connection.register("none", SCHEMA.empty_table())
                connection.execute("CREATE TABLE stored AS SELECT * FROM none")
            yield connection
        except duckdb.Error as error:
            raise StoreError(
                f"the ledger {self.path.name} cannot be read",
                why=str(error)[:300],
                remedy="free space on its disk if it is full; else restore it: a part is missing or damaged",
            ) from None
        finally:
            connection.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.path / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _quoted(path: Path) -> str:
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def _manifest(path: Path) -> tuple[AssetId, tuple[_Part, ...]]:
    try:
        plain = json.loads((path / "manifest.json").read_bytes())
        if plain["format"] != FORMAT:
            raise ValueError(f"format {plain['format']}")
        parts = tuple(_Part(part["file"], part["rows"], part["source"]) for part in plain["parts"])
        return AssetId.parse(plain["reference"]), parts
    except FileNotFoundError:
        raise NotFound(f"no ledger in {path.name}", remedy="create one, or check the directory") from None
    except (OSError, ValueError, KeyError, TypeError, BadInput) as error:
        raise StoreError(
            f"the manifest of {path.name} cannot be read",
            why=str(error)[:300],
            remedy="restore the directory from its backup, or use the version that wrote it",
        ) from None


def _publish(path: Path, reference: AssetId, parts: Sequence[_Part]) -> None:
    """Rename a new manifest into place: the moment at which an append has happened."""
    plain = {
        "format": FORMAT,
        "reference": reference.value,
        "parts": [{"file": part.file, "rows": part.rows, "source": part.source} for part in parts],
    }
    fresh = path / "manifest.json.new"
    fresh.write_text(json.dumps(plain, indent=1))
    _sync(fresh)
    fresh.replace(path / "manifest.json")
    _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

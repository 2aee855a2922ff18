"""The ledger on disk: Parquet parts, a manifest that says which of them count, and columns made from them.

    DIR/manifest.json          format, reference, version, parts in order: what is not in it does not exist
    DIR/part-00000001.parquet  the facts of one append or correction, in order of (time, id)
    DIR/part-c000001-….parquet the facts of some months, put together by a compaction
    DIR/columns2-00000001/     NumPy columns of version 1; a cache, made again when it is not there
    DIR/lock                   held while one process appends

An append writes and syncs its part, then renames a new manifest into place: it happened, or it did not.
A fact is never overwritten: a correction is one of its own, and what counts now follows from all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from comity.errors import BadInput, Conflict, NotFound, StoreError
from comity.ledger import _compacting, _generations, _sql, recorded
from comity.ledger._parts import Manifest, Part, locked, publish, read, reading, sweep, sync
from comity.ledger._rows import FIELDS, SCHEMA, Batch, batches, transfer
from comity.ledger._sql import connected, quoted
from comity.ledger.columns import microseconds
from comity.ledger.rates import RateTable, Valuation
from comity.ledger.recorded import Changes, Entry
from comity.model import AssetId, Columns, Transfer

QUERY_ROWS = 10_000
QUERY_SECONDS = 60.0
USD = AssetId("iso4217:USD")
Rates = Mapping[str, Decimal] | RateTable
_SELECTED = ", ".join(FIELDS)


@dataclass(frozen=True, slots=True)
class Compaction:
    """How many files there were and are, and the facts in them; ``swept``: whether the old ones are gone."""

    before: int
    after: int
    facts: int
    swept: bool


class Ledger:
    """A growing set of transfers in a directory, of which none is ever overwritten. Safe for threads and for
    processes."""

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
        publish(path, Manifest(reference))
        return cls(path, reference)

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """The ledger in a directory. Raises NotFound, or StoreError when its manifest is damaged."""
        return cls(path, read(path).reference)

    def __len__(self) -> int:
        """How many transfers count now."""
        return read(self.path).transfers

    @property
    def version(self) -> int:
        """How many appends and corrections there were."""
        return read(self.path).version

    @property
    def recorded(self) -> int:
        """How many facts there are: transfers that were added, and corrections of them."""
        return sum(part.rows for part in read(self.path).parts)

    def append(
        self,
        transfers: Iterable[Transfer],
        *,
        rates: Rates | None = None,
        source: str = "",
        notes: list[str] | None = None,
    ) -> int:
        """Add transfers, all or none; returns how many. They may be older than what is there.

        ``rates`` are worths in the reference asset: a `RateTable`, or plain numbers by asset id. A rate sets
        the value of a transfer that states none; ``notes`` is told where none was recent enough. Raises
        Conflict when an id is there twice, or already; BadInput (TooLarge) when an amount cannot be kept, or
        there are too many; whatever ``transfers`` itself raises.
        """
        valuation = Valuation(self.reference, rates)
        with locked(self.path):
            manifest = read(self.path)
            batch = Batch(manifest.version + 1, source)
            rows = self._record(((one, None, False) for one in transfers), valuation, batch, manifest)
        if notes is not None:
            notes.extend(valuation.notes())
        return rows

    def correct(
        self,
        replacements: Mapping[str, Transfer],
        voids: Iterable[str] = (),
        *,
        reason: str,
        by: str = "",
        at: datetime | None = None,
        rates: Rates | None = None,
        source: str = "",
        notes: list[str] | None = None,
    ) -> int:
        """Record what transfers should have said, by the id of each; and which never were. All or none.

        A replacement keeps the id that it corrects, or has a new one. What was recorded before stays in
        `history`. A transfer that is void may be replaced: then it counts again. Returns how many facts were
        recorded. Raises NotFound for an id that is not here, Conflict for one that does not count any more or
        is taken by another, BadInput without a reason; for the rest as `append`.
        """
        if not reason.strip():
            raise BadInput("a correction without its reason", remedy="say why: history shows it")
        valuation = Valuation(self.reference, rates)
        names = list(voids)
        with locked(self.path):
            manifest = read(self.path)
            with connected(self.path, manifest.parts, manifest.parts) as connection:
                void, reinstated = recorded.correctable(connection, list(replacements), names)
            facts: list[tuple[Transfer, str | None, bool]] = [
                (one, name, False) for name, one in replacements.items()
            ]
            facts += [(void[name], name, True) for name in names]
            batch = Batch(manifest.version + 1, source, reason.strip(), by, at)
            change = reinstated - len(names)
            rows = self._record(facts, valuation, batch, manifest, change)
        if notes is not None:
            notes.extend(valuation.notes())
        return rows

    def compact(self, rows: int = _compacting.ROWS) -> Compaction:
        """Put the parts together into few files in order of time, with the same facts.

        Whole months to a file, up to about ``rows`` facts in each; what was compacted before stays as it is
        where nothing came between. A crash leaves the old files or the new.
        """
        with locked(self.path):
            manifest = read(self.path)
            try:
                now = _compacting.compacted(self.path, manifest, rows)
                if now is not manifest:
                    publish(self.path, now)
            except OSError as error:
                raise self._unwritten(error) from None
            swept = sweep(self.path, now.parts)
        return Compaction(len(manifest.parts), len(now.parts), sum(part.rows for part in now.parts), swept)

    def history(self, name: str) -> tuple[Entry, ...]:
        """Every fact about a transfer in the order they were recorded, under whatever id. Raises NotFound."""
        with reading(self.path) as held, connected(self.path, held.parts, held.parts) as connection:
            return recorded.history(connection, name)

    def changes(self, since: int) -> Changes:
        """Which accounts, and what span of time, were touched by what came after version ``since``.

        Raises BadInput for a version that there never was.
        """
        with reading(self.path) as held:
            if not 0 <= since <= held.version:
                raise BadInput(
                    f"no version {since} of this ledger",
                    why=f"it is at version {held.version}",
                    remedy="start at 0",
                )
            later = [part for part in held.parts if part.versions[1] > since]
            corrected = any(part.corrections for part in later)
            parts = held.parts if corrected else later
            with connected(self.path, parts, later) as connection:
                return recorded.changes(connection, since, held.version)

    def columns(self) -> Columns:
        """Every transfer that counts now as columns, memory-mapped; made first when any came or went."""
        try:
            return _generations.columns(self.path, self.reference)
        except OSError as error:
            raise self._unwritten(error) from None

    def table(
        self, fields: Sequence[str], *, since: datetime | None = None, until: datetime | None = None
    ) -> pa.Table:
        """These columns of every transfer as an Arrow table, in order of (time, id).

        ``value`` is the worth in the reference asset, null where it is not known. Of a span of time
        (``since`` <= time < ``until``) only the parts are read that overlap it. Raises BadInput.
        """
        if unknown := [field for field in fields if field not in FIELDS]:
            raise BadInput(f"no column {unknown[0]!r}", remedy=f"choose of {', '.join(FIELDS)}")
        worth = f"coalesce(value, CASE WHEN asset = '{self.reference.value}' THEN amount END) AS value"
        chosen = ", ".join(worth if field == "value" else field for field in fields)
        with self._reading(since, until) as (connection, _, within):
            where = f"WHERE {within}" if within else ""
            found: pa.Table = connection.sql(
                f"SELECT {chosen} FROM kept.stored {where} ORDER BY time, id"  # noqa: S608
            ).to_arrow_table()
        return found

    def transfers(self, ids: Sequence[str]) -> tuple[Transfer, ...]:
        """The transfers of these ids, in this order. Raises NotFound, naming the first that is not here."""
        found = self.find(ids)
        for name in ids:
            if name not in found:
                raise NotFound(
                    f"no transfer {name[:100]!r} in this ledger",
                    remedy="check the id; `comity ledger history` shows one that was corrected",
                )
        return tuple(found[name] for name in ids)

    def find(self, ids: Sequence[str]) -> dict[str, Transfer]:
        """Those of these transfers that are here, by id."""
        with self._reading() as (connection, _, _):
            rows = connection.execute(
                f"SELECT {_SELECTED} FROM kept.stored WHERE id IN (SELECT unnest(?::VARCHAR[]))",  # noqa: S608
                [list(ids)],
            ).fetchall()
        return {row[0]: transfer(row) for row in rows}

    def of_account(
        self,
        account: str,
        limit: int = 1000,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Transfer, ...]:
        """The latest ``limit`` transfers of an account, in time order; of a span of time as in `table`."""
        with self._reading(since, until) as (connection, _, within):
            where = f"AND {within}" if within else ""
            rows = connection.execute(
                f"SELECT {_SELECTED} FROM kept.stored WHERE (originator = ?1 OR beneficiary = ?1) {where} "  # noqa: S608
                "ORDER BY time DESC, id DESC LIMIT ?2",
                [account, limit],
            ).fetchall()
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
        self,
        sql: str,
        *,
        limit: int = QUERY_ROWS,
        seconds: float = QUERY_SECONDS,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and at most ``limit`` rows of one SELECT over the views ``transfers`` and ``history``.

        ``transfers`` are those that count now, ``history`` is every fact recorded. ``value`` is the worth in
        the reference asset, NULL where it is not known, and ``rate``, ``rate_source`` and ``rate_date`` what
        gave it; ``time`` is UTC. With a span the views hold that span only, and files beside it are not
        opened. The statement sees nothing else: no file, no network, no setting. Raises BadInput.
        """
        with self._reading(since, until) as (connection, parts, within):
            _sql.fence(connection, self.path, self.reference, parts, within)
            return _sql.answer(connection, sql, limit, seconds)

    @contextmanager
    def _reading(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Sequence[Part], str]]:
        """A connection over the parts that may hold transfers of a span; these parts; and the span in SQL."""
        first = None if since is None else microseconds(since)
        end = None if until is None else microseconds(until)
        with reading(self.path) as held:
            parts = [part for part in held.parts if part.within(first, end)]
            correcting = [part for part in held.parts if part.corrections]
            with connected(self.path, parts, correcting) as connection:
                yield connection, [*parts, *correcting], _sql.within(first, end)

    def _record(
        self,
        facts: Iterable[tuple[Transfer, str | None, bool]],
        valuation: Valuation,
        batch: Batch,
        manifest: Manifest,
        change: int | None = None,
    ) -> int:
        """Write the facts as a part, and publish it; ``change``: how many more transfers count then."""
        staged = self.path / "staged.parquet"
        try:
            with parquet.ParquetWriter(staged, SCHEMA, compression="zstd") as writer:
                for rows in batches(facts, valuation, batch):
                    writer.write_batch(rows)
            count: int = parquet.read_metadata(staged).num_rows
            if count:
                place = self.path / f"part-{batch.version:08}.parquet"
                self._settle(staged, place, manifest.parts)
                part = _compacting.part_of(place, batch.source, (batch.version, batch.version))
                publish(
                    self.path,
                    replace(
                        manifest,
                        parts=(*manifest.parts, part),
                        version=batch.version,
                        transfers=manifest.transfers + (count if change is None else change),
                    ),
                )
        except OSError as error:
            raise self._unwritten(error) from None
        finally:
            staged.unlink(missing_ok=True)
        return count

    def _settle(self, staged: Path, place: Path, parts: Sequence[Part]) -> None:
        """Sort what is staged into a part, when no id in it is there twice or stored. Only what corrects a
        transfer may have its id."""
        with connected(self.path, parts, ()) as connection:
            connection.execute(f"CREATE VIEW staged AS SELECT * FROM read_parquet({quoted(staged)})")  # noqa: S608
            twice = "SELECT id FROM staged GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1"
            stored = (
                "SELECT id FROM staged SEMI JOIN kept.facts USING (id) "
                "WHERE corrects IS DISTINCT FROM id ORDER BY id LIMIT 1"
            )
            for sql, what in ((twice, "is there twice"), (stored, "is in the ledger already")):
                found = connection.execute(sql).fetchall()
                if found:
                    raise Conflict(
                        f"transfer {found[0][0]!r} {what}",
                        why="an id names one transfer; nothing was added",
                        remedy="leave out what was added before, or correct it: `comity ledger correct`",
                    )
            connection.execute(
                f"COPY (SELECT * FROM staged ORDER BY time, id) TO {quoted(place)} "  # noqa: S608
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        sync(place)

    def _unwritten(self, error: OSError) -> StoreError:
        return StoreError(
            f"the ledger {self.path.name} cannot be written",
            why=error.strerror or str(error),
            remedy="free space on its disk, or check who may write there; nothing was changed",
        )

"""Many parts into few, each of its own months: the same facts, so that a query of a week opens one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import compute, parquet

from comity.errors import StoreError
from comity.ledger._parts import Manifest, Part, sync
from comity.ledger._sql import connected, quoted, within

if TYPE_CHECKING:
    import duckdb

ROWS = 2_000_000
"""Months are put together until a file holds so many facts; a month that has more is one file."""
_MADE = "part-c"
_END = 2**62


def compacted(path: Path, manifest: Manifest, rows: int) -> Manifest:
    """The manifest of the same facts in new files, which are written and on disk; the same one when there is
    nothing to do. Raises StoreError, OSError."""
    came = [part for part in manifest.parts if not part.file.startswith(_MADE)]
    if not came:
        return manifest
    spans = [part.span for part in came if part.span is not None]
    every = len(spans) < len(came)  # parts of format 1 do not say when they begin and end
    first, last = (None, None) if every else (min(one[0] for one in spans), max(one[1] for one in spans) + 1)
    old = [part for part in manifest.parts if part in came or part.within(first, last)]
    number = manifest.compactions + 1
    with connected(path, old, ()) as connection:
        made = _rewritten(connection, path, old, number, rows)
    if sum(part.rows for part in made) != sum(part.rows for part in old):
        raise StoreError(
            f"the ledger {path.name} was not compacted",
            why="the new files hold fewer facts or more; nothing was changed",
            remedy="restore it from its backup: a part is not what its manifest says",
        )
    parts = [*(part for part in manifest.parts if part not in old), *made]
    parts.sort(key=lambda part: part.span or (0, 0))
    return replace(manifest, parts=tuple(parts), compactions=number)


def _rewritten(
    connection: duckdb.DuckDBPyConnection, path: Path, old: Sequence[Part], number: int, rows: int
) -> list[Part]:
    versions = min(part.versions[0] for part in old), max(part.versions[1] for part in old)
    made = []
    for place, (since, until) in enumerate(list(_periods(connection, rows)), 1):
        name = f"{_MADE}{number:06}-{place:06}.parquet"
        connection.execute(
            f"COPY (SELECT * FROM kept.facts WHERE {within(since, until)} "  # noqa: S608
            f"ORDER BY time, id, version) TO {quoted(path / name)} (FORMAT parquet, COMPRESSION zstd)"
        )
        sync(path / name)
        made.append(part_of(path / name, "", versions))
    return made


def _periods(connection: duckdb.DuckDBPyConnection, rows: int) -> Iterator[tuple[int, int]]:
    """Periods of whole months, in microseconds, without gaps."""
    months = connection.execute(
        "SELECT epoch_us(date_trunc('month', time)), count(*) FROM kept.facts GROUP BY 1 ORDER BY 1"
    ).fetchall()
    begin, held = months[0][0], 0
    for month, count in months:
        if held and held + count > rows:
            yield begin, month
            begin, held = month, 0
        held += count
    yield begin, _END


def part_of(file: Path, source: str, versions: tuple[int, int]) -> Part:
    """What the manifest says of a file that was just written."""
    read = parquet.ParquetFile(file)
    corrections = 0
    for batch in read.iter_batches(columns=["corrects"]):
        corrections += len(batch) - batch.column(0).null_count
    spans = [
        read.metadata.row_group(group).column(read.schema_arrow.get_field_index("time")).statistics
        for group in range(read.metadata.num_row_groups)
    ]
    return Part(
        file.name,
        read.metadata.num_rows,
        source,
        corrections,
        versions,
        (_microseconds(min(one.min for one in spans)), _microseconds(max(one.max for one in spans))),
    )


def _microseconds(time: object) -> int:
    found: int = compute.cast(pa.scalar(time, pa.timestamp("us")), pa.int64()).as_py()
    return found

"""Rows of a CSV or Parquet file, as cells in the order of `COLUMNS`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat
from typing import Any, BinaryIO

from comity.chains import Intake
from comity.errors import BadInput, TooLarge

REQUIRED = ("id", "time", "originator", "beneficiary", "amount")
COLUMNS = (
    *REQUIRED,
    *("asset", "value", "originator_institution", "beneficiary_institution"),
    *("originator_country", "beneficiary_country", "intermediaries", "reference"),
    *("originator_name", "originator_birth_date", "originator_document"),
    *("beneficiary_name", "beneficiary_birth_date", "beneficiary_document"),
)
Cell = str | int | Decimal | datetime | None
Row = tuple[int, tuple[Cell, ...]]

_MAX_LINE = 1 << 20
_MAX_TEXT = 1 << 12  # bytes of a cell: above this no column would be read, and a batch stays small
_BATCH = 1 << 15
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (a Parquet timestamp without zone)


def delimiter(line: str) -> str:
    """The separator of a header line: comma, semicolon or tab, whichever it has most of."""
    return max(",;\t", key=line.count)


def csv_rows(head: bytes, stream: BinaryIO, mapping: Mapping[str, str], intake: Intake) -> Iterator[Row]:
    """Row numbers (the header is row 1) and cells of a CSV file. Raises BadInput, TooLarge."""
    lines = _lines(head, stream)
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), delimiter=delimiter(first), strict=True)
    number = 0
    try:
        header = next(reader, [])
        places = _places([name.strip() for name in header], mapping, intake)
        number = 1
        for number, row in enumerate(reader, 2):
            if len(row) != len(header):
                if not row:
                    continue  # an empty line
                raise BadInput(
                    f"row {number:,}: {len(row)} cells where the header has {len(header)}",
                    why="a separator is missing, or a text with one is not in quotes",
                    remedy="correct that row",
                )
            yield number, tuple(["" if place is None else row[place] for place in places])
    except csv.Error as error:
        raise BadInput(
            f"row {number + 1:,}: not CSV", why=str(error), remedy="quote as RFC 4180 says"
        ) from None


def _lines(head: bytes, stream: BinaryIO) -> Iterator[str]:
    """Lines as text: UTF-8, with or without its mark, no NUL, none longer than a megabyte."""
    first = head if head.endswith(b"\n") else head + stream.readline(_MAX_LINE + 1)
    rest = iter(lambda: stream.readline(_MAX_LINE + 1), b"")
    for number, line in enumerate(chain([first], rest), 1):
        if len(line) > _MAX_LINE:
            raise TooLarge(f"line {number:,} is longer than {_MAX_LINE:,} bytes", remedy="check the file")
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(
                f"line {number:,}: not UTF-8",
                why=f"{error.reason} at byte {error.start + 1}",
                remedy="save the file as UTF-8",
            ) from None
        if "\0" in text:
            raise BadInput(
                f"line {number:,}: a NUL byte", why="it is not text, or UTF-16", remedy="save it as UTF-8"
            )
        yield text


def _places(names: Sequence[str], mapping: Mapping[str, str], intake: Intake) -> list[int | None]:
    """Where each of `COLUMNS` is in the file. Raises BadInput when one that is needed is not."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadInput(f"columns that occur twice: {', '.join(repeated)[:200]}", remedy="rename them")
    where = {name: place for place, name in enumerate(names)}
    found = [where.get(mapping.get(column, column)) for column in COLUMNS]
    needed = {*REQUIRED, *mapping} | (set() if "asset" in intake.options else {"asset"})
    missing = [
        mapping.get(column, column)
        for column, place in zip(COLUMNS, found, strict=True)
        if place is None and column in needed
    ]
    if missing:
        raise BadInput(
            f"columns missing: {', '.join(missing)}",
            why=f"the file has: {', '.join(names)[:300]}",
            remedy="name them so, or say map.COLUMN=THEIRS; the asset may be given as asset=…",
        )
    spare = [name for name in names if where[name] not in found]
    if spare:
        intake.notes.append(f"columns not read: {', '.join(spare)[:300]}")
    return found


def parquet_rows(stream: BinaryIO, mapping: Mapping[str, str], intake: Intake) -> Iterator[Row]:
    """Row numbers (from 1) and cells of a Parquet file, read in batches. Raises BadInput."""
    import pyarrow as pa
    from pyarrow import parquet

    if not stream.seekable():
        raise BadInput("a packed Parquet file", why="its index is at its end", remedy="unpack it first")
    stream.seek(0)
    try:
        schema = parquet.read_schema(stream)
        names = list(schema.names)
        places = _places(names, mapping, intake)
        for column, place in zip(COLUMNS, places, strict=True):
            if place is not None:
                _check_type(column, names[place], schema.field(place).type)
        stream.seek(0)
        texts = [field.name for field in schema if _is_text(field.type)]
        file = parquet.ParquetFile(stream, read_dictionary=texts)  # what repeats is held once
        wanted = [names[place] for place in places if place is not None]
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
            cells = [
                repeat(None, len(batch)) if place is None else _cells(batch.column(names[place]))
                for place in places
            ]
            for row in zip(*cells, strict=True):
                number += 1
                yield number, row
    except (pa.ArrowException, OSError) as error:
        raise BadInput(
            "not a whole Parquet file", why=str(error)[:300], remedy="write it again; it is damaged"
        ) from None


def _check_type(column: str, name: str, kind: Any) -> None:
    from pyarrow import types

    plain = kind.value_type if types.is_dictionary(kind) else kind
    allowed = _is_text(plain)
    if column in {"amount", "value"}:
        allowed = allowed or types.is_integer(plain) or types.is_decimal(plain)
    elif column == "time":
        allowed = allowed or types.is_timestamp(plain)
    elif column in {"id", "reference"}:
        allowed = allowed or types.is_integer(plain)
    if not allowed:
        raise BadInput(
            f"column {name!r} is of type {kind}",
            why="a float is not exact" if types.is_floating(plain) else f"{column} cannot be read from it",
            remedy="write it as text; an amount also as a decimal, a time also as a timestamp",
        )


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _cells(column: Any) -> list[Any]:
    from pyarrow import compute, types

    if types.is_timestamp(column.type):
        return _times(column)
    if not types.is_dictionary(column.type):
        found: list[Any] = column.to_pylist()
        return found
    texts = column.dictionary
    longest = compute.max(compute.binary_length(texts)).as_py() or 0
    if longest > _MAX_TEXT:
        raise TooLarge(f"a cell of {longest:,} bytes", remedy=f"at most {_MAX_TEXT:,} are read")
    if len(texts) > len(column):
        decoded: list[Any] = column.dictionary_decode().to_pylist()
        return decoded
    known = [*texts.to_pylist(), None]
    return [known[place] for place in column.indices.fill_null(len(texts)).to_pylist()]


def _times(column: Any) -> list[datetime | None]:
    import pyarrow as pa

    zone = UTC if column.type.tz else None
    since = _EPOCH.replace(tzinfo=zone)
    whole = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).to_pylist()
    return [None if at is None else _shifted(since, at) for at in whole]


def _shifted(since: datetime, microseconds: int) -> datetime:
    try:
        return since + timedelta(microseconds=microseconds)
    except OverflowError:
        raise BadInput(
            f"time: out of range: {microseconds:,} microseconds from 1970", remedy="correct it in the file"
        ) from None

"""Columns from Parquet: numbered and sorted in DuckDB, indexed by counting; no Python for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa

from comity import codec, counting
from comity.columnar import frozen
from comity.ledger import _kernels, _mapped
from comity.ledger._facts import told
from comity.ledger._mapped import NUMBERS, PARTIES, TEXTS, TOLD, Texts, array, fresh, save
from comity.ledger._sql import quoted
from comity.model import Party

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

_BATCH = 1 << 17
_GIVEN = {
    "assets": ("asset",),
    "memos": ("reference",),
    "countries": ("originator_country", "beneficiary_country"),
    "institutions": ("originator_institution", "beneficiary_institution"),
}
"""Where the texts of `TEXTS` are in the parts."""
_DIGITS = "least(coalesce(length(trim(replace(amount::VARCHAR, '.', ''), '-0')), 0), 255)"
"""As `_facts.digits`: figures of the amount without leading and trailing zeros."""
_BANK = "(starts_with(account, 'iban:') OR starts_with(account, 'acct:'))"
_HUB = f"(NOT {_BANK} AND regexp_matches(account, ':tx-[^:]*$'))"
_HOLDERS = """
WITH said AS (SELECT account, t.* FROM parties JOIN told t USING (party)),
shown AS (SELECT DISTINCT account, kind, value, country, name FROM said WHERE kind <> ''),
shared AS (
    SELECT kind, value, country, count(DISTINCT name) AS names,
        row_number() OVER (ORDER BY kind, value, country) AS number
    FROM shown GROUP BY kind, value, country HAVING count(DISTINCT name) > 1),
best AS (
    SELECT account, names, number FROM shown JOIN shared USING (kind, value, country)
    QUALIFY row_number() OVER (PARTITION BY account ORDER BY names DESC, number) = 1),
years AS (SELECT account, min(year) AS born FROM said WHERE year > 0 GROUP BY account)
SELECT account, coalesce(number, 0)::INTEGER AS identity, coalesce(names - 1, 0)::INTEGER AS sharers,
    coalesce(born, 0)::SMALLINT AS born
FROM best FULL JOIN years USING (account) ORDER BY account
"""
_TELLING = """NOT (contains(party, '"birth_date":""') AND contains(party, '"identifiers":[]'))"""
"""Whether `holders` learns anything from a party, which is canonical JSON: equal facts are equal texts."""


def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write what is read from ``kept.stored``, which has one row at least; `finish` adds the rest."""
    count(connection, "kept.stored")
    n = one(connection, "SELECT count(*) FROM kept.stored")
    for name in ("accounts", *TEXTS):
        size = one(connection, f"SELECT count(*) FROM ({listed(name)})")  # noqa: S608
        _mapped.write_texts(folder, name, read(connection, listed(name)), size)
    for name in ("hub", "bank"):
        save(folder, name, np.concatenate([*ends(connection, name), np.zeros(0, dtype=np.bool_)]))
    with ExitStack() as opened:
        files = {
            name: opened.enter_context(_mapped.begin(folder, name, kind, n)) for name, kind in NUMBERS.items()
        }
        _mapped.write_texts(folder, "ids", _fill(rows(connection, "kept.stored"), files), n)
    connection.execute(f"CREATE TEMP TABLE parties AS {pairs('kept.stored')}")
    write_holders(connection, folder, None)


def finish(folder: Path) -> None:
    """Write what follows from the columns in the folder, when DuckDB has given back its memory; and sync."""
    write_hosting(folder)
    write_indexes(folder)
    _mapped.settle(folder)


def count(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Number the accounts and the texts of a table in order of the alphabet, in tables of their own."""
    connection.execute(
        "CREATE TEMP TABLE ends AS SELECT account, "  # noqa: S608
        f"(row_number() OVER (ORDER BY account) - 1)::INTEGER AS number, {_HUB} AS hub, {_BANK} AS bank "
        f"FROM (SELECT originator AS account FROM {table} UNION SELECT beneficiary FROM {table})"
    )
    for name, given in _GIVEN.items():
        either = " UNION ".join(f"SELECT DISTINCT {column} AS text FROM {table}" for column in given)  # noqa: S608
        connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT text, row_number() OVER (ORDER BY text)::INTEGER AS number "  # noqa: S608
            f"FROM ({either}) WHERE text <> ''"
        )


def listed(name: str) -> str:
    """The accounts, or the texts of one kind with the empty one first, in order of their numbers."""
    if name == "accounts":
        return "SELECT account FROM ends ORDER BY number"
    either = f"SELECT '' AS text, 0 AS number UNION ALL SELECT text, number FROM {name}"  # noqa: S608
    return f"SELECT text FROM ({either}) ORDER BY number"  # noqa: S608


def ends(connection: duckdb.DuckDBPyConnection, column: str) -> Iterator[NDArray[np.bool_]]:
    """A property of the accounts, in order of their numbers."""
    for batch in read(connection, f"SELECT {column} FROM ends ORDER BY number"):  # noqa: S608
        yield batch.column(0).to_numpy(zero_copy_only=False)


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[Any]:
    """`NUMBERS` and the id of each transfer of a table that was counted, in order of (time, id)."""
    joins, numbers = [], []
    for name, given in _GIVEN.items():
        for column, number in zip(given, TEXTS[name], strict=True):
            joins.append(f"LEFT JOIN {name} {number}_text ON {column} = {number}_text.text")
            kind = "SMALLINT" if NUMBERS[number] is np.int16 else "INTEGER"
            numbers.append(f"coalesce({number}_text.number, 0)::{kind} AS {number}")
    return read(
        connection,
        "SELECT epoch_us(time) AS time, s.number AS src, d.number AS dst, units AS value, "  # noqa: S608
        f"{_DIGITS}::UTINYINT AS digits, {', '.join(numbers)}, id "
        f"FROM {table} t JOIN ends s ON originator = s.account JOIN ends d ON beneficiary = d.account "
        f"{' '.join(joins)} ORDER BY t.time, t.id",
    )


def pairs(table: str) -> str:
    """A SELECT of who is said to hold which account, and how often; of parties that tell something."""
    return (
        "SELECT account, party, count(*)::BIGINT AS n FROM "  # noqa: S608
        f"(SELECT originator AS account, originator_party AS party FROM {table} "
        f"UNION ALL SELECT beneficiary, beneficiary_party FROM {table}) "
        f"WHERE party IS NOT NULL AND {_TELLING} GROUP BY account, party"
    )


def write_hosting(folder: Path) -> None:
    """Which accounts an institution keeps: at a bank, or named with an institution in any transfer."""
    hosted = np.array(array(folder, "bank"))
    _kernels.hosting(*(frozen(array(folder, name)) for name in ("src", "dst", "src_at", "dst_at")), hosted)
    save(folder, "hosted", hosted)


def write_holders(connection: duckdb.DuckDBPyConnection, folder: Path, old: Path | None) -> None:
    """``identity``, ``sharers`` and ``born``, from the table ``parties``: what `_facts.holders` says.

    Each party is read once: what it tells is kept in the folder, and taken from the ``old`` one.
    """
    connection.execute(
        f"CREATE TEMP TABLE told AS FROM ({_read_before(old)}) SEMI JOIN parties USING (party)"
    )
    unread = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT party FROM parties ANTI JOIN told USING (party)"
        ).fetchall()
    ]
    for begin in range(0, len(unread), _BATCH):
        connection.register("fresh", _told(unread[begin : begin + _BATCH]))
        connection.execute("INSERT INTO told SELECT * FROM fresh")
        connection.unregister("fresh")
    for name, file in (("parties", PARTIES), ("told", TOLD)):
        connection.execute(f"COPY {name} TO {quoted(folder / file)} (FORMAT parquet, COMPRESSION zstd)")
    found = connection.sql(_HOLDERS).to_arrow_table()
    accounts = Texts(folder, "accounts", ascending=True)
    named = [frozen(one) for one in _mapped.arrow_texts(found.column("account").combine_chunks())]
    places, _ = _kernels.sought(frozen(accounts.ends), frozen(accounts.data), *named)
    for name, kind in {"identity": np.int32, "sharers": np.int32, "born": np.int16}.items():
        whole = np.zeros(len(accounts), dtype=kind)
        whole[places] = found.column(name).to_numpy()
        save(folder, name, whole)


def _read_before(old: Path | None) -> str:
    if old is not None:
        return f"SELECT * FROM read_parquet({quoted(old / TOLD)})"  # noqa: S608
    texts = ", ".join(f"''::VARCHAR AS {name}" for name in ("name", "kind", "value", "country"))
    return f"FROM (SELECT '' AS party, 0::SMALLINT AS year, {texts}) WHERE false"


def _told(texts: Sequence[str]) -> pa.Table:
    """What parties tell, a row for each identifier; one with an empty kind for a party without any."""
    found: list[tuple[str, int, str, str, str, str]] = []
    for text in texts:
        year, name, keys = told(codec.from_json(Party, text.encode()))
        found += ((text, year, name, *key) for key in keys or (("", "", ""),))
    names = ("party", "year", "name", "kind", "value", "country")
    kinds = (pa.string(), pa.int16(), *[pa.string()] * 4)
    return pa.table(
        [pa.array(cells, kind) for cells, kind in zip(zip(*found, strict=True), kinds, strict=True)],
        names=list(names),
    )


def write_indexes(folder: Path) -> None:
    """The out- and the in-index, and what is kept in their order."""
    m = len(array(folder, "hub"))
    for key, other in (("src", "dst"), ("dst", "src")):
        _write_index(folder, "out" if key == "src" else "in", key, other, m)


def _write_index(folder: Path, side: str, key: str, other: str, m: int) -> None:
    keys = frozen(array(folder, key))
    ptr = counting.counted(keys, m)
    save(folder, f"{side}_ptr", ptr)
    idx = fresh(folder, f"{side}_idx", np.int64, len(keys))
    counting.placed(keys, frozen(ptr), idx)
    given = [frozen(array(folder, name)) for name in ("time", "value", other)]
    by = [fresh(folder, f"{side}_{name}", NUMBERS[name], len(keys)) for name in ("time", "value", other)]
    counting.gathered(frozen(idx), *given, *by)


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Any]:
    """What a statement finds, in Arrow batches."""
    reader: Iterator[Any] = connection.sql(sql).to_arrow_reader(_BATCH)
    return reader


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The number that a statement answers with."""
    ((number,),) = connection.execute(sql).fetchall()
    return int(number)


def _fill(batches: Iterator[Any], files: Mapping[str, BinaryIO]) -> Iterator[Any]:
    """Write the numbers of each batch into their files, and pass on its ids."""
    for batch in batches:
        for name, file in files.items():
            _mapped.put(file, batch.column(name).to_numpy(), NUMBERS[name])
        yield batch.select(["id"])

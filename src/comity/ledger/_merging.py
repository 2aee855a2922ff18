"""New columns from older ones: what was added since is merged in, what was corrected is left out.

The result is what `_writing.write` would make of all the parts, at the cost of copying the columns once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from comity import counting
from comity.columnar import frozen
from comity.ledger import _kernels, _mapped, _writing
from comity.ledger._mapped import NUMBERS, PARTIES, TEXTS, Texts, array, fresh
from comity.ledger._sql import quoted

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

_ENDS = ("src", "dst")
_NOTHING = pa.schema(
    [
        ("time", pa.int64()),
        *((name, pa.string()) for name in ("id", "originator", "beneficiary")),
        *((name, pa.string()) for name in ("originator_party", "beneficiary_party")),
    ]
)
"""What `gone` finds, where nothing was corrected."""


class Stale(Exception):
    """The older columns are not those of their version, or too much came since."""


@dataclass(frozen=True, slots=True)
class _Merge:
    """``dropped``: old places that are left out; ``at``: the old place before which each new text is put.

    ``number``: what each old text counts as now; ``new_number``: what each that came does; ``unseen``: which
    of these were not there before.
    """

    dropped: NDArray[np.int64]
    at: NDArray[np.int64]
    number: NDArray[np.int32]
    new_number: NDArray[np.int32]
    unseen: NDArray[np.bool_]


def gone(connection: duckdb.DuckDBPyConnection, since: int) -> Any:
    """The rows that counted in version ``since`` and do not any more, as an Arrow table."""
    return connection.sql(
        "SELECT epoch_us(f.time) AS time, f.id, originator, beneficiary, originator_party, beneficiary_party "  # noqa: S608
        "FROM kept.facts f "
        f"SEMI JOIN (SELECT corrects AS id FROM kept.corrections WHERE version > {since:d}) c ON c.id = f.id "
        "LEFT JOIN (SELECT corrects AS id, max(version) AS version FROM kept.corrections "
        f"WHERE version <= {since:d} GROUP BY corrects) s ON s.id = f.id "
        f"WHERE NOT f.voided AND f.version <= {since:d} AND (s.version IS NULL OR f.version >= s.version) "
        "ORDER BY f.time, f.id"
    ).to_arrow_table()


def merge(
    connection: duckdb.DuckDBPyConnection, old: Path, folder: Path, since: int, lost: Any, most: int
) -> None:
    """Write into ``folder`` the columns in ``old``, of version ``since``, with what came and went after it.

    The facts of the connection are those of the parts after it at least; ``lost`` is what `gone` found, None
    where nothing was corrected. Raises Stale when more than ``most`` came, or the older columns are not what
    they say; OSError when they are taken away meanwhile.
    """
    connection.execute(
        f"CREATE TEMP TABLE come AS SELECT * FROM kept.stored WHERE version > {since:d}"  # noqa: S608
    )
    if _writing.one(connection, "SELECT count(*) FROM come") > most:
        raise Stale
    _writing.count(connection, "come")
    new = _whole(_writing.rows(connection, "come"))
    lost = _NOTHING.empty_table() if lost is None else lost
    dropped, at = _places(old, new, lost)
    n = len(array(old, "time")) + len(at) - len(dropped)
    _write_merged_texts(folder, "ids", Texts(old, "ids"), new["id"], dropped, at, n)
    for name in ("time", "value", "digits"):
        out = fresh(folder, name, NUMBERS[name], n)
        _kernels.merged(frozen(array(old, name)), frozen(new[name]), dropped, at, out)
    for text, numbers in {"accounts": _ENDS, **TEXTS}.items():
        how = _texts(connection, old, folder, text, numbers, dropped)
        for name in numbers:
            kind = NUMBERS[name]
            _kernels.merged_numbers(
                frozen(array(old, name)),
                frozen(how.number.astype(kind)),
                frozen(how.new_number[new[name]].astype(kind)),
                dropped,
                at,
                fresh(folder, name, kind, n),
            )
        if text == "accounts":
            accounts = how
    _merge_accounts(connection, old, folder, accounts)
    _writing.write_hosting(folder)
    _merge_holders(connection, old, folder, lost)
    _writing.write_indexes(folder)
    _mapped.settle(folder)


def _places(old: Path, new: dict[str, Any], lost: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The old places that are left out, and the old place before which each new row is put."""
    time, ids = frozen(array(old, "time")), Texts(old, "ids")
    held = frozen(ids.ends), frozen(ids.data)
    at, _ = _kernels.sought_rows(time, *held, frozen(new["time"]), *new["id"])
    lost_ids = [frozen(one) for one in _mapped.arrow_texts(lost.column("id").combine_chunks())]
    dropped, found = _kernels.sought_rows(time, *held, frozen(lost.column("time").to_numpy()), *lost_ids)
    if not found.all():
        raise Stale
    return dropped, at


def _whole(batches: Any) -> dict[str, Any]:
    """Batches of `_writing.rows` as whole arrays, and their ids as ends and bytes."""
    whole = [*batches]
    found: dict[str, Any] = {
        name: np.concatenate(
            [np.zeros(0, dtype=kind), *(batch.column(name).to_numpy().astype(kind) for batch in whole)]
        )
        for name, kind in NUMBERS.items()
    }
    ids = [batch.column("id").cast(pa.large_string()) for batch in whole]
    texts = _mapped.arrow_texts(pa.chunked_array(ids, pa.large_string()).combine_chunks())
    found["id"] = tuple(frozen(one) for one in texts)
    return found


def _texts(
    connection: duckdb.DuckDBPyConnection,
    old: Path,
    folder: Path,
    name: str,
    numbers: tuple[str, ...],
    dropped: NDArray[np.int64],
) -> _Merge:
    """Merge texts that are numbered in order of the alphabet; those that nothing uses any more go."""
    came = (
        connection.sql(_writing.listed(name))
        .to_arrow_table()
        .column(0)
        .cast(pa.large_string())
        .combine_chunks()
    )
    new_ends, new_data = _mapped.arrow_texts(came)
    held = Texts(old, name)
    at, found = _kernels.sought(frozen(held.ends), frozen(held.data), frozen(new_ends), frozen(new_data))
    kept = np.ones(len(held), dtype=np.bool_)
    if len(dropped):
        kept[:] = name != "accounts" and np.arange(len(held)) == 0  # the empty text stays
        uses = np.zeros(len(held), dtype=np.int64)
        for name_of in numbers:
            given = frozen(array(old, name_of))
            uses += np.diff(counting.counted(given, len(held)))
            uses -= np.bincount(given[dropped], minlength=len(held))
        kept |= uses > 0
        kept[at[found]] = True
    fresh_at = at[~found]
    chosen = [frozen(one) for one in _mapped.arrow_texts(came.filter(pa.array(~found)))]
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
    put = np.cumsum(np.bincount(fresh_at, minlength=len(held) + 1))
    number = (before[:-1] + put[: len(held)]).astype(np.int32)
    new_number = np.empty(len(at), dtype=np.int32)
    new_number[found] = number[at[found]]
    new_number[~found] = before[fresh_at] + np.arange(len(fresh_at))
    size = int(kept.sum()) + len(fresh_at)
    unused = np.flatnonzero(~kept)
    _write_merged_texts(folder, name, held, chosen, unused, fresh_at, size)
    return _Merge(unused, fresh_at, number, new_number, ~found)


def _write_merged_texts(
    folder: Path,
    name: str,
    held: Texts,
    new: Any,
    dropped: NDArray[np.int64],
    at: NDArray[np.int64],
    size: int,
) -> None:
    its = frozen(held.ends)
    total = int(its[-1] - (its[dropped + 1] - its[dropped]).sum() + new[0][-1])
    path = folder / f"{name}.utf8"
    data = np.zeros(0, dtype=np.uint8)
    if total:
        data = np.asarray(np.memmap(path, dtype=np.uint8, mode="w+", shape=(total,)))
    else:
        path.touch()
    ends = fresh(folder, name, np.int64, size + 1)
    _kernels.merged_texts(its, frozen(held.data), new[0], new[1], dropped, at, ends, data)


def _merge_accounts(connection: duckdb.DuckDBPyConnection, old: Path, folder: Path, how: _Merge) -> None:
    """``hub`` and ``bank`` of the accounts there are now."""
    m = len(how.number) - len(how.dropped) + len(how.at)
    for name in ("hub", "bank"):
        told = np.concatenate([np.zeros(0, dtype=np.bool_), *_writing.ends(connection, name)])
        out = fresh(folder, name, np.bool_, m)
        _kernels.merged(frozen(array(old, name)), frozen(told[how.unseen]), how.dropped, how.at, out)


def _merge_holders(connection: duckdb.DuckDBPyConnection, old: Path, folder: Path, lost: Any) -> None:
    """Who is said to hold which account now."""
    connection.register("lost", lost)
    connection.execute(
        "CREATE TEMP TABLE parties AS SELECT account, party, sum(n)::BIGINT AS n FROM "  # noqa: S608
        f"(SELECT * FROM read_parquet({quoted(old / PARTIES)}) UNION ALL {_writing.pairs('come')} "
        f"UNION ALL SELECT account, party, -n FROM ({_writing.pairs('lost')})) "
        "GROUP BY account, party HAVING sum(n) > 0"
    )
    _writing.write_holders(connection, folder, old)

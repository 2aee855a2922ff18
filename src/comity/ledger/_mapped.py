"""Columns on disk: written once from Parquet parts, then memory-mapped, so that opening costs nothing."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from comity.columnar import index, nothing_known, nothing_stated
from comity.ledger.columns import scale_of
from comity.model import AccountId, AssetId, Columns

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

_ARRAYS = (
    *("time", "src", "dst", "value", "hub"),
    *("out_ptr", "out_idx", "out_time", "out_value", "out_dst"),
    *("in_ptr", "in_idx", "in_time", "in_value", "in_src"),
)
_BATCH = 1 << 17


class Texts(Sequence[str]):
    """Strings in a memory-mapped file: string i is bytes ``ends[i]:ends[i+1]`` of UTF-8."""

    def __init__(self, folder: Path, name: str, *, ascending: bool = False) -> None:
        self._ends: NDArray[np.int64] = np.load(folder / f"{name}.npy", mmap_mode="r")
        self._data = np.memmap(folder / f"{name}.utf8", dtype=np.uint8, mode="r")
        self._ascending = ascending

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(self[place] for place in range(*at.indices(len(self))))
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(at)
        return self._data[self._ends[place] : self._ends[place + 1]].tobytes().decode()

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where a string is: by bisection where the strings ascend. Raises ValueError."""
        if not self._ascending:
            return super().index(value, start, len(self) if stop is None else stop)
        place = bisect_left(self, value, start, stop)
        if place == len(self) or self[place] != value:
            raise ValueError(value)
        return place


def load(folder: Path, reference: AssetId) -> Columns:
    """The columns `write` left in ``folder``, mapped and not read. Raises OSError when they are gone."""
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    accounts = Texts(folder, "accounts", ascending=True)
    return Columns(
        **arrays,
        accounts=accounts,
        ids=Texts(folder, "ids"),
        reference=reference.value,
        scale=scale_of(reference),
        facts=nothing_stated(len(arrays["time"]), len(accounts)),
        known=nothing_known(len(accounts)),
    )


def write(connection: duckdb.DuckDBPyConnection, folder: Path, n: int) -> None:
    """Write the columns of the ``n`` > 0 rows of the table ``stored`` into ``folder``, and sync them."""
    connection.execute(
        "CREATE TEMP TABLE numbered AS "
        "SELECT account, (row_number() OVER (ORDER BY account) - 1)::INTEGER AS number "
        "FROM (SELECT originator AS account FROM stored UNION SELECT beneficiary FROM stored)"
    )
    accounts = _write_texts(
        folder, "accounts", _read(connection, "SELECT account FROM numbered ORDER BY number")
    )
    hub = [AccountId(account).is_hub for account in Texts(folder, "accounts")]
    _save(folder, "hub", np.array(hub, dtype=np.bool_))
    kinds = {"time": np.int64, "src": np.int32, "dst": np.int32, "value": np.int64}
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (n,))
        for name, kind in kinds.items()
    }
    rows = _read(
        connection,
        "SELECT epoch_us(time) AS time, s.number AS src, d.number AS dst, units AS value, id "
        "FROM stored JOIN numbered s ON originator = s.account JOIN numbered d ON beneficiary = d.account "
        "ORDER BY stored.time, id",
    )
    _write_texts(folder, "ids", _fill(rows, arrays))
    for side, key, other in (("out", "src", "dst"), ("in", "dst", "src")):
        ptr, idx = index(arrays[key], accounts)
        _save(folder, f"{side}_ptr", ptr)
        _save(folder, f"{side}_idx", idx)
        for name in ("time", "value", other):
            _save(folder, f"{side}_{name}", arrays[name][idx])
    for array in arrays.values():
        array.flush()
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Any]:
    reader: Iterator[Any] = connection.sql(sql).to_arrow_reader(_BATCH)
    return reader


def _fill(rows: Iterator[Any], arrays: dict[str, Any]) -> Iterator[Any]:
    """Copy the numbers of each batch into their arrays, and pass on its ids."""
    at = 0
    for batch in rows:
        for name, array in arrays.items():
            array[at : at + len(batch)] = batch.column(name).to_numpy()
        at += len(batch)
        yield batch.select(["id"])


def _write_texts(folder: Path, name: str, rows: Iterator[Any]) -> int:
    """Write the strings of the only column of these batches; how many there are."""
    import pyarrow as pa
    from pyarrow import compute

    sizes = [np.zeros(1, dtype=np.int64)]
    with (folder / f"{name}.utf8").open("wb") as file:
        for batch in rows:
            texts = batch.column(0).cast(pa.large_binary())
            sizes.append(compute.binary_length(texts).to_numpy())
            file.write(b"".join(texts.to_pylist()))
    ends = np.cumsum(np.concatenate(sizes), dtype=np.int64)
    _save(folder, name, ends)
    return len(ends) - 1


def _save(folder: Path, name: str, array: NDArray[Any]) -> None:
    np.save(folder / f"{name}.npy", array, allow_pickle=False)

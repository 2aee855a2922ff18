"""Columns on disk, memory-mapped, so that opening costs nothing; and the files they are."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, overload

import numpy as np

from comity.columnar import nothing_known
from comity.ledger.columns import scale_of
from comity.model import AssetId, Columns, Facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = {
    "time": np.int64,
    "src": np.int32,
    "dst": np.int32,
    "value": np.int64,
    "asset": np.int32,
    "digits": np.uint8,
    "memo": np.int32,
    "src_country": np.int16,
    "dst_country": np.int16,
    "src_at": np.int32,
    "dst_at": np.int32,
}
"""One number a transfer."""
TEXTS = {
    "assets": ("asset",),
    "memos": ("memo",),
    "countries": ("src_country", "dst_country"),
    "institutions": ("src_at", "dst_at"),
}
"""Texts in order of the alphabet, the empty one first, and which numbers count them."""
OF_ACCOUNTS = ("hosted", "identity", "sharers", "born")
_INDEXES = (
    *("out_ptr", "out_idx", "out_time", "out_value", "out_dst"),
    *("in_ptr", "in_idx", "in_time", "in_value", "in_src"),
)
_KINDS = {
    **NUMBERS,
    **dict.fromkeys((*TEXTS, "accounts", "ids"), np.int64),
    **{f"{side}_{name}": np.int64 for side in ("out", "in") for name in ("ptr", "idx", "time", "value")},
    **dict.fromkeys(("out_dst", "in_src", "identity", "sharers"), np.int32),
    **dict.fromkeys(("hub", "bank", "hosted"), np.bool_),
    "born": np.int16,
}
_OF_FACTS = (*list(NUMBERS)[4:], *OF_ACCOUNTS)
PARTIES = "parties.parquet"
"""Which accounts are held by whom: account, party, how often it is said."""
TOLD = "told.parquet"
"""What each of these parties tells: year of birth, name, identifiers."""


class Texts(Sequence[str]):
    """Strings in a memory-mapped file: string i is bytes ``ends[i]:ends[i+1]`` of ``data``, in UTF-8."""

    def __init__(self, folder: Path, name: str, *, ascending: bool = False) -> None:
        self.ends: NDArray[np.int64] = array(folder, name)
        with (folder / f"{name}.utf8").open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            held = mmap(file.fileno(), 0, access=ACCESS_READ) if size else b""  # nothing cannot be mapped
        self.data: NDArray[np.uint8] = np.frombuffer(held, dtype=np.uint8)
        if self.ends[-1] != size:
            raise ValueError(f"{name}.utf8 is cut off")
        self._ascending = ascending

    def __len__(self) -> int:
        return len(self.ends) - 1

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
        return self.data[self.ends[place] : self.ends[place + 1]].tobytes().decode()

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where a string is: by bisection where the strings ascend. Raises ValueError."""
        if not self._ascending:
            return super().index(value, start, len(self) if stop is None else stop)
        place = bisect_left(self, value, start, stop)
        if place == len(self) or self[place] != value:
            raise ValueError(value)
        return place


def load(folder: Path, reference: AssetId) -> Columns:
    """The columns in ``folder``, mapped and not read. Raises OSError when they are gone."""
    accounts = Texts(folder, "accounts", ascending=True)
    countries = Texts(folder, "countries", ascending=True)
    arrays = {name: array(folder, name) for name in (*NUMBERS, *_INDEXES, "hub", *OF_ACCOUNTS)}
    if len({len(arrays[name]) for name in NUMBERS}) > 1:
        raise ValueError("its arrays are not of one length")
    return Columns(
        **{name: held for name, held in arrays.items() if name not in _OF_FACTS},
        accounts=accounts,
        ids=Texts(folder, "ids"),
        reference=reference.value,
        scale=scale_of(reference),
        facts=Facts(
            **{name: arrays[name] for name in _OF_FACTS},
            assets=Texts(folder, "assets", ascending=True),
            memos=Texts(folder, "memos", ascending=True),
            countries=countries,
            institutions=Texts(folder, "institutions", ascending=True),
        ),
        known=nothing_known(len(accounts), len(countries)),
    )


def array(folder: Path, name: str) -> NDArray[Any]:
    """One array, mapped. Its header is not parsed, as `numpy.load` does: a ledger has dozens of them.

    Raises ValueError when it is no array of its kind.
    """
    path = folder / f"{name}.npy"
    with path.open("rb") as file:
        head = file.read(10)
        if head[:8] != b"\x93NUMPY\x01\x00":
            raise ValueError(f"{path.name} is not an array")
        held = mmap(file.fileno(), 0, access=ACCESS_READ)
    return np.frombuffer(held, dtype=_KINDS[name], offset=10 + int.from_bytes(head[8:], "little"))


def save(folder: Path, name: str, given: NDArray[Any]) -> None:
    """Write a whole array."""
    np.save(folder / f"{name}.npy", given, allow_pickle=False)


def fresh(folder: Path, name: str, kind: Any, size: int) -> NDArray[Any]:
    """A new array on disk, to be filled: a plain view of mapped memory."""
    if not size:
        save(folder, name, np.zeros(0, dtype=kind))
        return np.zeros(0, dtype=kind)
    return np.asarray(np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (size,)))


def begin(folder: Path, name: str, kind: Any, size: int) -> BinaryIO:
    """The file of a new array, for its items to be written in order: so none of it stays in memory."""
    file = (folder / f"{name}.npy").open("wb")
    descr = np.lib.format.dtype_to_descr(np.dtype(kind))
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": (size,)})
    return file


def put(file: BinaryIO, items: NDArray[Any], kind: Any) -> None:
    """The next items of an array that was begun."""
    file.write(np.ascontiguousarray(items, dtype=kind).data)


def write_texts(folder: Path, name: str, batches: Iterable[Any], count: int) -> None:
    """Write the ``count`` strings of the only column of these Arrow batches."""
    at = size = 0
    with begin(folder, name, np.int64, count + 1) as ends, (folder / f"{name}.utf8").open("wb") as file:
        put(ends, np.zeros(1), np.int64)
        for batch in batches:
            its, data = arrow_texts(batch.column(0))
            put(ends, its[1:] + size, np.int64)
            at, size = at + len(its) - 1, size + int(its[-1])
            file.write(data.data)
    if at != count:
        raise ValueError(f"{at} {name}, not {count}")


def arrow_texts(column: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The ends and the bytes of an Arrow array of strings without nulls."""
    import pyarrow as pa

    texts = column.cast(pa.large_binary())
    _, offsets, data = texts.buffers()
    if not len(texts):
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return ends - ends[0], held[ends[0] : ends[-1]]


def settle(folder: Path) -> None:
    """Return when every file in the folder is on its disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())

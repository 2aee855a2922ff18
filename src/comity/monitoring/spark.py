"""Monitoring on Apache Spark: the same kernels, over Arrow batches.

Account-local typologies see the transfers of a share of the accounts, window-local ones a slab of time that
overlaps its neighbours by as much as they look before and after. Spark only moves rows; each part becomes
`Columns` and meets the kernel that runs in process too, so the hits are the same (ADR 0013).

Source: pyspark 4, ``DataFrame.groupBy().applyInArrow``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from comity import plugins
from comity.columnar import MAX_TIME
from comity.errors import SettingsError
from comity.model import Columns
from comity.monitoring import parts
from comity.monitoring.run import Progress, Rules
from comity.typologies import Hits, Scope, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

TRANSFERS_A_PART = 1_000_000
"""About so many transfers go to one kernel at once: some hundred megabytes in a worker."""
_ROWS_A_FILE = 4_000_000
_PATTERN = frozenset("*?[]{}\\")
_SLAB_REACHES = 4
"""A slab is at least so many times as long as what its kernels look before and after it."""
_HITS = pa.schema(
    [
        ("rule", pa.string()),
        ("account", pa.int32()),
        ("alert", pa.bool_()),
        ("score", pa.float64()),
        ("evidence", pa.list_(pa.int64())),
        ("features", pa.list_(pa.float64())),
        ("names", pa.list_(pa.string())),
        ("money", pa.list_(pa.string())),
        ("cut", pa.bool_()),
        ("unfinished", pa.list_(pa.int32())),
    ]
)
_DDL = (
    "rule string, account int, alert boolean, score double, evidence array<bigint>, "
    "features array<double>, names array<string>, money array<string>, cut boolean, unfinished array<int>"
)


def session(master: str = "local[*]", *, settings: Mapping[str, str] | None = None) -> SparkSession:
    """A Spark session on ``master``. ``settings`` are Spark's own. Raises SettingsError."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SettingsError(
            "Spark is not installed",
            why="the package pyspark is missing",
            remedy="install it with: pip install 'comity[spark]', and a Java of version 17 or later",
        ) from None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    chosen = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "200000",
        "spark.driver.memory": "4g",
        "spark.log.level": "ERROR",
        **(
            {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
            if _local(master)
            else {}
        ),
        **(settings or {}),
    }
    builder = SparkSession.builder.master(master).appName("comity monitor")
    for name, value in chosen.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # noqa: BLE001 (py4j raises kinds of its own)
        raise SettingsError(
            f"Spark did not start on {master}",
            why=(str(error).splitlines() or [type(error).__name__])[0][:300],
            remedy="check that Java 17 or later is installed (`java -version`) and that the master is up",
        ) from None


def _local(master: str) -> bool:
    return master.startswith("local")


@dataclass(frozen=True, slots=True)
class Spark:
    """The engine. ``staging`` is a directory that every executor sees under this path; what is put there
    is taken away again."""

    session: SparkSession
    staging: Path
    transfers_a_part: int = TRANSFERS_A_PART

    def hits(
        self, columns: Columns, rules: Rules, progress: Progress | None = None
    ) -> Iterator[tuple[str, Hits]]:
        """See `comity.monitoring.run.Engine`. Two jobs: one by account, one by slab of time."""
        by_shape: dict[Shape, dict[str, Mapping[str, float]]] = {shape: {} for shape in Shape}
        for name, parameters in rules.items():
            by_shape[plugins.load("typologies", name).SPEC.shape][name] = parameters
        if not len(columns):
            return
        if not self.staging.is_dir() or _PATTERN.intersection(str(self.staging)):
            raise SettingsError(
                f"Spark cannot read from {self.staging}",
                why="it is no directory" if not self.staging.is_dir() else "it reads its name as a pattern",
                remedy="name with --staging a directory without any of " + " ".join(sorted(_PATTERN)),
            )
        folder = Path(tempfile.mkdtemp(prefix="comity-", dir=self.staging))
        given = None
        try:
            uses = {use for name in rules for use in plugins.load("typologies", name).SPEC.uses}
            given = self.session.sparkContext.broadcast(parts.frame(columns))
            frame = self._rows(columns, folder / "transfers", with_memos="facts.memo" in uses)
            names = Names.write(columns.accounts, folder / "names") if "accounts" in uses else ()
            jobs = ((Shape.ACCOUNT, self._by_account), (Shape.WINDOW, self._by_slab))
            for done, (shape, job) in enumerate(jobs):
                if progress:
                    progress(f"{len(by_shape[shape])} typologies by {shape.value}", done, len(jobs))
                if by_shape[shape]:
                    yield from _collected(job(columns, frame, given, names, by_shape[shape]))
        finally:
            if given is not None:
                given.destroy()
            shutil.rmtree(folder, ignore_errors=True)

    def _rows(self, columns: Columns, folder: Path, *, with_memos: bool) -> DataFrame:
        """The transfers as Parquet, where every executor can read them."""
        folder.mkdir()
        for begin in range(0, len(columns), _ROWS_A_FILE):
            end = min(begin + _ROWS_A_FILE, len(columns))
            batch = {name: getattr(columns, name)[begin:end] for name in ("time", "src", "dst", "value")}
            batch |= {n: getattr(columns.facts, n)[begin:end] for n in parts.OF_TRANSFERS if n != "memo"}
            batch["digits"] = batch["digits"].astype(np.int16)  # Spark has no unsigned types
            if with_memos:
                memos = columns.facts.memo[begin:end]
                batch["memo"] = [columns.facts.memos[int(number)] for number in memos]
            batch["row"] = np.arange(begin, end, dtype=np.int64)
            parquet.write_table(pa.table(batch), folder / f"{begin:012}.parquet", compression="zstd")
        return self.session.read.parquet(f"file://{folder}")

    def _by_account(
        self, columns: Columns, frame: DataFrame, given: Any, names: Sequence[str], rules: Rules
    ) -> DataFrame:
        """Every transfer goes to the part of its payer and to that of its payee."""
        count = max(1, -(-2 * len(columns) // self.transfers_a_part))
        spread = frame.selectExpr(
            f"explode(array_distinct(array(pmod(src, {count}), pmod(dst, {count})))) AS part", "*"
        )

        def work(table: pa.Table) -> pa.Table:
            some = _part(table, given.value, names)
            own = some.accounts % count == table.column("part")[0].as_py()
            return _found(some, rules, Scope(np.flatnonzero(own).astype(np.int32), 0, 0))

        return spread.groupBy("part").applyInArrow(work, _DDL)

    def _by_slab(
        self, columns: Columns, frame: DataFrame, given: Any, names: Sequence[str], rules: Rules
    ) -> DataFrame:
        """Every transfer goes to all slabs whose hits may depend on it."""
        reaches = [parts.reach(plugins.load("typologies", name).SPEC, rules[name]) for name in rules]
        before, after = max(r[0] for r in reaches), max(r[1] for r in reaches)
        borders = _borders(columns.time, self.transfers_a_part, _SLAB_REACHES * max(before + after, 1))
        slabs = self.session.createDataFrame(
            [
                (part, max(begin - before, -MAX_TIME), min(end + after, MAX_TIME))
                for part, (begin, end) in enumerate(borders)
            ],
            "part int, low bigint, high bigint",
        )
        from pyspark.sql import functions

        spread = frame.join(functions.broadcast(slabs), (frame.time >= slabs.low) & (frame.time < slabs.high))

        def work(table: pa.Table) -> pa.Table:
            begin, end = borders[table.column("part")[0].as_py()]
            nobody = np.empty(0, dtype=np.int32)
            return _found(_part(table, given.value, names), rules, Scope(nobody, begin, end))

        return spread.drop("low", "high").groupBy("part").applyInArrow(work, _DDL)


class Names(Sequence[str]):
    """The account ids of a ledger in a directory that every executor sees: a few kernels look at some."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[type[Names], tuple[Path]]:
        return Names, (self._folder,)

    @classmethod
    def write(cls, accounts: Sequence[str], folder: Path) -> Names:
        """Put them there."""
        folder.mkdir()
        ends = np.zeros(len(accounts) + 1, dtype=np.int64)
        with (folder / "text").open("wb") as file:
            for place in range(len(accounts)):
                ends[place + 1] = ends[place] + file.write(accounts[place].encode())
        np.save(folder / "ends.npy", ends)
        return cls(folder)

    @cached_property
    def _held(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        text = np.memmap(self._folder / "text", dtype=np.uint8, mode="r")
        return np.load(self._folder / "ends.npy", mmap_mode="r"), text

    def __len__(self) -> int:
        return len(self._held[0]) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        if isinstance(at, slice):
            return tuple(self[place] for place in range(*at.indices(len(self))))
        ends, text = self._held
        return text[ends[at] : ends[at + 1]].tobytes().decode()


def _borders(time: NDArray[np.int64], transfers: int, least: int) -> list[tuple[int, int]]:
    """Slabs of about so many transfers, each at least ``least`` microseconds long."""
    borders = [-MAX_TIME]
    for place in range(transfers, len(time), transfers):
        moment = int(time[place])
        if moment - max(borders[-1], int(time[0])) >= least:
            borders.append(moment)
    return list(zip(borders, [*borders[1:], MAX_TIME], strict=True))


def _part(table: pa.Table, given: parts.Frame, names: Sequence[str]) -> parts.Part:
    """The rows of one group, in order, as a part of the whole."""
    table = table.sort_by("row")
    taken = {name: table.column(name).to_numpy() for name in ("time", "src", "dst", "value")}
    for name in parts.OF_TRANSFERS:
        if name != "memo":
            taken[name] = table.column(name).to_numpy()
    taken["digits"] = taken["digits"].astype(np.uint8)
    memos: tuple[str, ...] = ("",)
    if "memo" in table.column_names:
        texts = table.column("memo").to_pylist()
        memos = ("", *sorted(set(texts) - {""}))
        number = {text: place for place, text in enumerate(memos)}
        taken["memo"] = np.array([number[text] for text in texts], dtype=np.int32)
    else:
        taken["memo"] = np.zeros(len(table), dtype=np.int32)
    return parts.framed(given, table.column("row").to_numpy(), taken, memos, (names, ()))


def _found(some: parts.Part, rules: Rules, scope: Scope) -> pa.Table:
    """What each typology finds in a part, in numbers of the whole."""
    tables = [_HITS.empty_table()]
    for name, parameters in rules.items():
        hits = some.of_whole(plugins.load("typologies", name).run(some.columns, parameters, scope))
        k, names = len(hits.account), list(hits.features)
        values = np.stack([hits.features[n] for n in names], axis=1) if names else np.empty((k, 0))
        nothing: list[list[int]] = [[] for _ in range(k)]
        rows = {
            "rule": [name] * k,
            "account": hits.account,
            "alert": hits.alert,
            "score": hits.score,
            "evidence": pa.ListArray.from_arrays(hits.ptr.astype(np.int32), pa.array(hits.evidence)),
            "features": values.tolist(),
            "names": [names] * k,
            "money": [list(hits.money)] * k,
            "cut": hits.cut,
            "unfinished": nothing,
        }
        tables.append(pa.table(rows, schema=_HITS))
        if len(hits.unfinished):
            only = {field.name: pa.nulls(1, field.type) for field in _HITS}
            only |= {
                "rule": pa.array([name]),
                "unfinished": pa.array([hits.unfinished.tolist()], _HITS.field("unfinished").type),
            }
            tables.append(pa.table(only, schema=_HITS))
    return pa.concat_tables(tables)


def _collected(frame: DataFrame) -> Iterator[tuple[str, Hits]]:
    """The hits that came back, by typology, in order of account and evidence."""
    by_rule: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in frame.toArrow().to_pylist():
        by_rule[row["rule"]].append(row)
    for rule, rows in sorted(by_rule.items()):
        yield rule, _hits(rows)


def _hits(rows: list[dict[str, Any]]) -> Hits:
    found = sorted((r for r in rows if r["account"] is not None), key=lambda r: (r["account"], r["evidence"]))
    sizes = np.array([len(row["evidence"]) for row in found], dtype=np.int64)
    names = found[0]["names"] if found else []
    evidence: Callable[[], Iterator[int]] = lambda: (e for row in found for e in row["evidence"])  # noqa: E731
    return Hits(
        account=np.array([row["account"] for row in found], dtype=np.int32),
        alert=np.array([row["alert"] for row in found], dtype=np.bool_),
        score=np.array([row["score"] for row in found], dtype=np.float64),
        ptr=np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes))),
        evidence=np.fromiter(evidence(), dtype=np.int64, count=int(sizes.sum())),
        features={n: np.array([row["features"][i] for row in found]) for i, n in enumerate(names)},
        cut=np.array([row["cut"] for row in found], dtype=np.bool_),
        unfinished=np.unique(np.array([a for row in rows for a in row["unfinished"] or ()], dtype=np.int32)),
        money=tuple(found[0]["money"]) if found else (),
    )

"""Made-up ledgers: ordinary payments, some services, and planted patterns, as columns and as a DuckDB table.

No two transfers have the same time, so that SQL and the kernels mean the same order.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from bench._measure import Measured, cpu, database
from comity.columnar import assemble
from comity.model import Columns

SEED = 20261123
HOUR = 3_600_000_000
USD = 10_000
"""One dollar in units of ``Columns.value``."""
_BEGIN = 1_772_323_200_000_000
_SPAN = 90 * 24 * HOUR
_Edges = list[tuple[NDArray[Any], ...]]


@lru_cache(1)
def ledger(transfers: int) -> tuple[Columns, DuckDBPyConnection, Measured[Columns]]:
    """About so many transfers of 90 days: the columns, a native table ``t`` (e, time, src, dst, value) of the
    same, and what it cost to index the columns."""
    rng = np.random.default_rng(SEED)
    accounts = max(64, transfers // 8)
    edges: _Edges = [_ordinary(rng, transfers, accounts)]
    for _ in range(max(4, transfers // 5_000)):
        edges += _planted(rng, accounts)
    moments, src, dst, value = (np.concatenate(part) for part in zip(*edges, strict=True))
    order = np.argsort(moments, kind="stable")
    time = _BEGIN + np.maximum.accumulate(moments[order]) + np.arange(len(order))  # distinct
    made = cpu(
        lambda: columns(
            time, src[order].astype(np.int32), dst[order].astype(np.int32), value[order], accounts
        ),
        1,
    )
    return made.answer, table(made.answer), made


def columns(
    time: NDArray[Any], src: NDArray[Any], dst: NDArray[Any], value: NDArray[Any], accounts: int
) -> Columns:
    """Columns of transfers in order of time."""
    return assemble(
        time.astype(np.int64),
        src.astype(np.int32),
        dst.astype(np.int32),
        value.astype(np.int64),
        hub=np.zeros(accounts, dtype=np.bool_),
        accounts=[f"acct:BENCH:{number:09}" for number in range(accounts)],
        ids=range(len(time)),  # type: ignore[arg-type]
        reference="iso4217:USD",
        scale=4,
    )


def table(made: Columns) -> DuckDBPyConnection:
    """A database with the native table ``t`` of these columns; ``e`` is the transfer's number."""
    connection = database()
    given = pa.table(
        {
            "e": np.arange(len(made), dtype=np.int64),
            "time": made.time,
            "src": made.src,
            "dst": made.dst,
            "value": made.value,
        }
    )
    connection.register("given", given)
    connection.execute("CREATE TABLE t AS SELECT * FROM given")
    connection.unregister("given")
    return connection


def _ordinary(rng: np.random.Generator, n: int, accounts: int) -> tuple[NDArray[Any], ...]:
    """Payments among all, a tenth of them to or from a service that hundreds use in a week."""
    services = max(1, n // 50_000)
    src, dst = rng.integers(0, accounts, n), rng.integers(0, accounts, n)
    kind = rng.random(n)
    src[kind < 0.05] = rng.integers(0, services, int((kind < 0.05).sum()))
    dst[kind > 0.95] = rng.integers(0, services, int((kind > 0.95).sum()))
    value = np.maximum(1, rng.lognormal(np.log(200), 1.3, n) * USD).astype(np.int64)
    return rng.integers(0, _SPAN, n), src, dst, value


def _planted(rng: np.random.Generator, accounts: int) -> _Edges:
    """A fan-in, a structuring, a pass-through, and cycles of three and four, at random places."""

    def start() -> int:
        return int(rng.integers(0, _SPAN - 80 * HOUR))

    def who(count: int) -> NDArray[Any]:
        return rng.choice(accounts, count, replace=False)

    def times(count: int, hours: int) -> NDArray[Any]:
        return start() + np.sort(rng.integers(0, hours * HOUR, count))

    many = int(rng.integers(5, 25))
    people = who(many + 1)
    edges: _Edges = [
        (times(many, 70), people[1:], np.full(many, people[0]), rng.integers(100, 1900, many) * USD)
    ]
    few = int(rng.integers(3, 8))
    people = who(few + 1)
    edges.append((times(few, 46), np.full(few, people[0]), people[1:], rng.integers(810, 999, few) * USD))
    people, worth = who(4), int(rng.integers(2_000, 30_000)) * USD
    parts = np.array([worth, worth * 6 // 10, worth * 37 // 100])
    edges.append((times(3, 20), people[[0, 1, 1]], people[1:], parts))
    for length in (3, 4):
        ring = who(length)
        kept = (int(rng.integers(1_000, 9_000)) * USD * 0.97 ** np.arange(length)).astype(np.int64)
        edges.append((times(length, 70), ring, np.roll(ring, -1), kept))
    return edges

"""CPU seconds of a piece of work, and DuckDB as a peer."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import duckdb

T = TypeVar("T")
DUCKDB = f"DuckDB {duckdb.__version__}"


@dataclass(frozen=True, slots=True)
class Measured(Generic[T]):
    """``best`` of the runs, what the ``first`` cost more than that, and the ``answer``."""

    best: float
    first: float
    answer: T

    @property
    def once(self) -> float:
        return max(0.0, self.first - self.best)


def spent() -> float:
    """CPU seconds used so far: user and system, all threads, children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def cpu(work: Callable[[], T], runs: int = 3) -> Measured[T]:
    """Do the work ``runs`` times."""
    took: list[float] = []
    for _ in range(runs):
        gc.collect()
        begin = spent()
        answer = work()
        took.append(spent() - begin)
    return Measured(min(took), took[0], answer)


def database() -> duckdb.DuckDBPyConnection:
    """An empty DuckDB in memory. One thread: more would cost more CPU time, never less."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET threads = 1")
    return connection

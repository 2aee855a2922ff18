"""CPU seconds of a piece of work, and DuckDB as a peer."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import duckdb

T = TypeVar("T")
U = TypeVar("U")
MOST_RUNS, ENOUGH = 20, 0.5
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
    """Do the work ``runs`` times; short work that is repeated at all, until half a second has gone by."""
    took: list[float] = []
    while _again(took, runs):
        seconds, answer = _timed(work)
        took.append(seconds)
    return Measured(min(took), took[0], answer)


def both(ours: Callable[[], T], theirs: Callable[[], U], runs: int = 3) -> tuple[Measured[T], Measured[U]]:
    """Both works, as `cpu`, but in turn: what else the machine does then slows the one as the other."""
    mine: list[float] = []
    peer: list[float] = []
    while _again([max(pair) for pair in zip(mine, peer, strict=True)], runs):
        seconds, answer = _timed(ours)
        mine.append(seconds)
        seconds, other = _timed(theirs)
        peer.append(seconds)
    return Measured(min(mine), mine[0], answer), Measured(min(peer), peer[0], other)


def _again(took: list[float], runs: int) -> bool:
    """The best run counts: what a run costs more than that is the machine's doing."""
    return len(took) < runs or (1 < runs <= len(took) < MOST_RUNS and sum(took) < ENOUGH)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    gc.collect()
    begin = spent()
    answer = work()
    return spent() - begin, answer


def database() -> duckdb.DuckDBPyConnection:
    """An empty DuckDB in memory. One thread: more would cost more CPU time, never less."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET threads = 1")
    return connection

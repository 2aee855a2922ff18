"""A typology against SQL: the same findings, asserted, then the time of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import ModuleType
from typing import Any, cast

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from bench import Row
from bench._ledger import HOUR, SEED, USD, columns, ledger, table
from bench._measure import DUCKDB, Measured, cpu
from comity.model import Columns
from comity.monitoring.run import everything
from comity.typologies import Hits, TypologySpec

Found = set[tuple[Any, ...]]
Given = tuple[Columns, DuckDBPyConnection, Measured[Columns]]
TRANSFERS = 10_000_000
RUNS = 3
"""The first of a kernel is its compiling. SQL has none: it runs once less."""


def _asked(connection: DuckDBPyConnection, query: str) -> Any:
    """The answer as Arrow columns: to make Python objects of it costs more, and is not the rule's doing."""
    return connection.sql(query).to_arrow_table()


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    """The rows of an Arrow table."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def settings(spec: TypologySpec, **changed: float) -> dict[str, float]:
    """The parameters of a typology as its ``run`` takes them: its defaults, or those ``changed``."""
    factor = {"money": float(USD), "hours": float(HOUR)}
    return {p.name: changed.get(p.name, p.default) * factor.get(p.unit, 1.0) for p in spec.parameters}


def evidence(hits: Hits, i: int) -> tuple[int, ...]:
    """The transfer numbers of one hit."""
    return tuple(hits.evidence[hits.ptr[i] : hits.ptr[i + 1]].tolist())


def compare(
    module: ModuleType,
    scale: float,
    sql: Mapping[str, str],
    ours: Callable[[Columns, Hits], Found],
    theirs: Callable[[list[Any]], Found],
    goal: float | None,
    *,
    parameters: Mapping[str, float] | None = None,
    given: Callable[[int], Given] = ledger,
    note: str = "",
) -> list[Row]:
    """One row for each way to write the rule in SQL; the goal is held against the best of them.

    What the first run of a kernel costs more is its compiling, or loading what was compiled before.
    """
    made, connection, indexed = given(round(TRANSFERS * scale))
    chosen, scope = parameters or settings(module.SPEC), everything(made)
    kernel = cpu(lambda: cast("Hits", module.run(made, chosen, scope)), RUNS)
    assert not len(kernel.answer.unfinished), f"{module.__name__}: a search was cut"
    expected = ours(made, kernel.answer)
    assert expected
    rows = []
    for how, query in sql.items():
        peer = cpu(partial(_asked, connection, query), RUNS - 1)
        found = theirs(rows_of(peer.answer))
        assert found == expected, f"{module.__name__}: {how} finds something else"
        rows.append((peer.best, how))
    said = f"our columns are indexed once: {indexed.best:.2f} CPU s" + (f"; {note}" if note else "")
    return [
        Row(
            work=f"{len(made):,} transfers, {len(expected):,} findings; {how}",
            ours=kernel.best,
            peer=seconds,
            peer_version=DUCKDB,
            goal=goal if place == 0 else None,
            once=kernel.once,
            note=said,
        )
        for place, (seconds, how) in enumerate(sorted(rows))
    ]


@lru_cache(1)
def patterns(transfers: int) -> Given:
    """The made-up ledger, and planted in it bursts of payments, scatter-gathers and chains."""
    plain, _, _ = ledger(transfers)
    rng = np.random.default_rng(SEED + 3)
    accounts, span = plain.n_accounts, int(plain.time[-1] - plain.time[0]) - 120 * HOUR
    edges: list[tuple[NDArray[Any], ...]] = [(plain.time, plain.src, plain.dst, plain.value)]
    for _ in range(max(8, len(plain) // 20_000)):
        people = rng.choice(accounts, 60, replace=False)
        for when, *rest in (_burst(rng, people), _scattered(rng, people), _chain(rng, people)):
            edges.append((plain.time[0] + int(rng.integers(0, span)) + when, *rest))
    time, src, dst, value = (np.concatenate(part) for part in zip(*edges, strict=True))
    order = np.argsort(time, kind="stable")
    turn = np.arange(len(order))
    time = np.maximum.accumulate(time[order] - turn) + turn  # distinct
    made = cpu(lambda: columns(time, src[order], dst[order], value[order], accounts), 1)
    return made.answer, table(made.answer), made


def _burst(rng: np.random.Generator, people: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Some dozen payments out of, or into, one account within about an hour."""
    count = int(rng.integers(8, 40))
    one, others = np.full(count, people[0]), rng.choice(people[1:], count)
    ends = (one, others) if rng.random() < 0.5 else (others, one)
    return rng.integers(0, HOUR * 5 // 4, count), *ends, rng.integers(20, 400, count) * USD


def _scattered(rng: np.random.Generator, people: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """One account pays several, and each pays on to the same one."""
    count = int(rng.integers(2, 9))
    middle, value = people[2 : 2 + count], rng.integers(150, 3_000, count) * USD
    out = rng.integers(0, 30 * HOUR, count)
    back = out + rng.integers(1, 50 * HOUR, count)
    src = np.concatenate((np.full(count, people[0]), middle))
    dst = np.concatenate((middle, np.full(count, people[1])))
    worth = np.concatenate((value, (value * rng.uniform(0.75, 1.0, count)).astype(np.int64)))
    return np.concatenate((out, back)), src, dst, worth


def _chain(rng: np.random.Generator, people: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Value goes on through several accounts, and a little stays in each."""
    hops = int(rng.integers(2, 7))
    when = np.cumsum(rng.integers(HOUR // 2, 26 * HOUR, hops))
    kept = np.cumprod(rng.uniform(0.78, 1.0, hops))
    worth = (int(rng.integers(500, 6_000)) * USD * kept).astype(np.int64)
    return when, people[:hops], people[1 : hops + 1], worth

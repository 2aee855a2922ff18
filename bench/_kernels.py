"""A typology against SQL: the same findings, asserted, then the time of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, cast

from duckdb import DuckDBPyConnection

from bench import Row
from bench._ledger import HOUR, USD, ledger
from bench._measure import DUCKDB, cpu
from comity.model import Columns
from comity.typologies import Hits, TypologySpec

Found = set[tuple[Any, ...]]
TRANSFERS = 10_000_000
RUNS = 3


def _fetch(connection: DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


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
    goal: float,
    *,
    parameters: Mapping[str, float] | None = None,
) -> list[Row]:
    """One row for each way to write the rule in SQL; the goal is held against the best of them.

    What the first run of a kernel costs more is its compiling, or loading what was compiled before.
    """
    columns, connection, indexed = ledger(round(TRANSFERS * scale))
    chosen = parameters or settings(module.SPEC)
    kernel = cpu(lambda: cast("Hits", module.run(columns, chosen)), RUNS)
    expected = ours(columns, kernel.answer)
    assert expected
    rows = []
    for how, query in sql.items():
        peer = cpu(partial(_fetch, connection, query), RUNS)
        assert theirs(peer.answer) == expected, f"{module.__name__}: SQL finds something else"
        rows.append((peer.best, how))
    return [
        Row(
            work=f"{len(columns):,} transfers, {len(expected):,} findings; {how}",
            ours=kernel.best,
            peer=seconds,
            peer_version=DUCKDB,
            goal=goal if place == 0 else None,
            once=kernel.once,
            note=f"our columns are indexed once: {indexed.best:.2f} CPU s",
        )
        for place, (seconds, how) in enumerate(sorted(rows))
    ]

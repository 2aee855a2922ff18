"""Cycles: our kernel against self-joins in SQL, for the plain temporal rule and for the rule as shipped.

Compared are the rings (the accounts of a cycle, begun at the least) and the first cycle of each: the kernel
tells parallel payments round the same ring once, and SQL tells all of them.
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, settings
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, cycle

CLAIM = "Cycles in order of time are found in at most a third of the CPU time of self-joins in SQL."
GOAL = 3.0

_WINDOW, _RETENTION, _LEAST = 72 * HOUR, 0.8, 500 * USD
_NEARLY_ALL = 1e-12
"""Kept of each transfer's value when value is not to count."""


def _sql(length: int, valued: bool) -> str:
    """The cycles of one length. DuckDB joins by account and then filters; joining by account and window, with
    every transfer in two windows, came out no faster."""
    names = [f"x{i}" for i in range(length)]
    joins, conditions = [f"t {names[0]}"], []
    for i in range(1, length):
        this, last = names[i], names[i - 1]
        on = [
            f"{this}.src = {last}.dst",
            f"{this}.time > {last}.time",
            f"{this}.time <= x0.time + {_WINDOW}",
        ]
        if valued:
            on += [
                f"{this}.value >= {_LEAST}",
                f"{this}.value >= {_RETENTION} * {last}.value",
                f"{_RETENTION} * {this}.value <= {last}.value",
            ]
        on += [f"{this}.dst = x0.src"] if i == length - 1 else []
        joins.append(f"JOIN t {this} ON {' AND '.join(on)}")
        conditions += [f"{this}.src <> {earlier}.src" for earlier in names[:i]]
    conditions += [f"x0.value >= {_LEAST}"] if valued else []
    edges = ", ".join(f"{name}.e" for name in names)
    accounts = ", ".join(f"{name}.src" for name in names)
    return f"SELECT {edges}, {accounts} FROM {' '.join(joins)} WHERE {' AND '.join(conditions)}"


def _ring(accounts: tuple[int, ...]) -> tuple[int, ...]:
    at = accounts.index(min(accounts))
    return accounts[at:] + accounts[:at]


def _first(cycles: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> Found:
    """The first cycle of each ring: the first to begin, then the first to end."""
    first: dict[tuple[int, ...], tuple[int, ...]] = {}
    for edges, accounts in sorted(cycles, key=lambda cycle: (cycle[0][0], cycle[0][-1], cycle[0])):
        first.setdefault(_ring(accounts), edges)
    return set(first.items())


def _ours(columns: Columns, hits: Hits) -> Found:
    found = [evidence(hits, i) for i in range(len(hits.account))]
    return _first([(edges, tuple(columns.src[list(edges)].tolist())) for edges in found])


def _theirs(rows: list[Any]) -> Found:
    return _first([(row[: len(row) // 2], row[len(row) // 2 :]) for row in rows])


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    rows: list[Row] = []
    for length, valued in ((3, False), (3, True), (4, False), (4, True)):
        changed: dict[str, float] = {"min_length": length, "max_length": length}
        if not valued:
            changed |= {"retention": _NEARLY_ALL, "min_value": 1 / USD}
        what = f"length {length}, {'value kept, as shipped' if valued else 'any value'}; SQL self-joins"
        given = settings(cycle.SPEC, **changed)
        sql = {what: _sql(length, valued)}
        rows += compare(cycle, scale, sql, _ours, _theirs, GOAL, parameters=given)
    return rows

"""Cycles: our kernel against SQL, for the rule as shipped and for cycles of whatever value; each in three ways.

SQL joins transfers with one another (*self-joins*, one query for each length); or it makes the links first,
of two transfers that follow one another, by account and window on the clock, and joins those (*links*) or
follows them (*recursion*, all lengths at once). Compared are the rings (the accounts of a cycle, begun at the
least) and the first cycle of each: the kernel tells parallel payments round the same ring once, SQL all of
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, settings
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, cycle

CLAIM = "Cycles in order of time are found in at most a tenth of the CPU time of the best SQL we can write."
GOAL = 10.0

_WINDOW, _RETENTION, _LEAST = 72 * HOUR, 0.8, 500 * USD
_NEARLY_ALL = 1e-12
"""Kept of each transfer's value when value is not to count."""


def _kept(this: str, last: str) -> str:
    """That ``this`` transfer carries on the value of the ``last``."""
    ratio = f"{_RETENTION}::DOUBLE"
    return f"AND {this}.value >= {ratio} * {last}.value AND {ratio} * {this}.value <= {last}.value"


def _transfers(valued: bool) -> str:
    return f"SELECT * FROM t WHERE src <> dst{f' AND value >= {_LEAST}' if valued else ''}"


def _self_joins(lengths: tuple[int, ...], valued: bool) -> str:
    """The cycles of these lengths, each by joining the transfers with one another."""
    parts = []
    for length in lengths:
        names = [f"x{i}" for i in range(length)]
        joins, conditions = [f"v {names[0]}"], ["true"]
        for i in range(1, length):
            this, last = names[i], names[i - 1]
            on = f"{this}.src = {last}.dst AND {this}.time > {last}.time"
            on += f" AND {this}.time <= x0.time + {_WINDOW} {_kept(this, last) if valued else ''}"
            on += f" AND {this}.dst = x0.src" if i == length - 1 else ""
            joins.append(f"JOIN v {this} ON {on}")
            conditions += [f"{this}.src <> {earlier}.src" for earlier in names[:i]]
        edges, accounts = (", ".join(f"{name}.{what}" for name in names) for what in ("e", "src"))
        parts.append(
            f"SELECT [{edges}] AS transfers, [{accounts}] AS accounts FROM {' '.join(joins)} "
            f"WHERE {' AND '.join(conditions)}"
        )
    return f"WITH v AS MATERIALIZED ({_transfers(valued)}) {' UNION ALL '.join(parts)}"


def _linked(valued: bool) -> str:
    return f"""
v AS ({_transfers(valued)}),
links AS MATERIALIZED (
    SELECT p.e AS e, q.e AS f, p.src AS a, p.dst AS b, q.dst AS c, p.time AS time, q.time AS next
    FROM (SELECT *, time // {_WINDOW} + unnest([0, 1]) AS slot FROM v) p
    JOIN (SELECT *, time // {_WINDOW} AS slot FROM v) q ON q.src = p.dst AND q.slot = p.slot
        AND q.time > p.time AND q.time <= p.time + {_WINDOW} {_kept("q", "p") if valued else ""}
)"""


def _links(lengths: tuple[int, ...], valued: bool) -> str:
    """The cycles of these lengths, each by joining links; the last closes it."""
    parts = []
    for length in lengths:
        names = [f"x{i}" for i in range(length - 1)]
        joins, conditions = ["links x0"], [f"{names[-1]}.c = x0.a"]
        for i in range(1, length - 1):
            this = names[i]
            closes = f" AND {this}.c = x0.a" if i == length - 2 else ""
            joins.append(
                f"JOIN links {this} ON {this}.e = {names[i - 1]}.f AND {this}.next <= x0.time + {_WINDOW}{closes}"
            )
            conditions += [f"{this}.b <> {earlier}.a" for earlier in names[:i]]
            conditions += [f"{this}.b <> {earlier}.b" for earlier in names[:i]]
        edges, accounts = (", ".join(f"{name}.{what}" for name in names) for what in ("e", "a"))
        last = names[-1]
        parts.append(
            f"SELECT [{edges}, {last}.f] AS transfers, [{accounts}, {last}.b] AS accounts "
            f"FROM {' '.join(joins)} WHERE {' AND '.join(conditions)}"
        )
    return f"WITH {_linked(valued)} {' UNION ALL '.join(parts)}"


def _recursion(lengths: tuple[int, ...], valued: bool) -> str:
    """The cycles of these lengths by following links."""
    return f"""
WITH RECURSIVE {_linked(valued)},
open AS (
    SELECT a AS origin, time + {_WINDOW} AS until, f AS last, c AS at, [a, b, c] AS accounts, [e, f] AS transfers
    FROM links WHERE a <> c
    UNION ALL
    SELECT origin, until, f, c, list_append(accounts, c), list_append(transfers, f)
    FROM open JOIN links ON links.e = open.last AND next <= until AND NOT list_contains(accounts, c)
    WHERE len(transfers) < {max(lengths) - 1}
)
SELECT list_append(transfers, f) AS transfers, accounts FROM open
JOIN links ON links.e = open.last AND next <= until AND c = origin
WHERE len(transfers) >= {min(lengths) - 1}"""


def _first(cycles: list[tuple[list[int], list[int]]]) -> Found:
    """The first cycle of each ring: the first to begin, then the first to end."""
    first: dict[tuple[int, ...], tuple[int, ...]] = {}
    for edges, accounts in sorted(cycles, key=lambda cycle: (cycle[0][0], cycle[0][-1], cycle[0])):
        at = accounts.index(min(accounts))
        first.setdefault((*accounts[at:], *accounts[:at]), tuple(edges))
    return set(first.items())


def _ours(columns: Columns, hits: Hits) -> Found:
    found = [list(evidence(hits, i)) for i in range(len(hits.account))]
    return _first([(edges, columns.src[edges].tolist()) for edges in found])


def _theirs(rows: list[Any]) -> Found:
    return _first(rows)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    rows: list[Row] = []
    asked: Mapping[str, tuple[tuple[int, ...], bool]] = {
        "lengths 3 to 6, value kept, as shipped": ((3, 4, 5, 6), True),
        "length 3, any value": ((3,), False),
        "lengths 3 and 4, any value": ((3, 4), False),
    }
    for what, (lengths, valued) in asked.items():
        changed: dict[str, float] = {"min_length": min(lengths), "max_length": max(lengths)}
        if not valued:
            changed |= {"retention": _NEARLY_ALL, "min_value": 1 / USD}
        ways = {"self-joins": _self_joins, "links": _links, "recursion": _recursion}
        sql = {f"{what}; SQL {way}": make(lengths, valued) for way, make in ways.items()}
        given = settings(cycle.SPEC, **changed)
        rows += compare(cycle, scale, sql, _ours, _theirs, GOAL, parameters=given)
    return rows

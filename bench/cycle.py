"""Cycles: our kernel against SQL, for cycles of whatever value and for the rule as shipped; each in two ways.

SQL makes the links first, of two transfers that follow one another, by account and window on the clock, and
joins those (*links*, once for each length) or follows them (*recursion*, all lengths at once). Joining the
transfers with one another came out two to twenty times slower, and semi-joins to rule links out beforehand no
faster. Where value must be kept SQL has little left to join, and we claim nothing.

Compared are the rings (the accounts of a cycle, begun at the least) and the first cycle of each: the kernel
tells parallel payments round the same ring once, SQL all of them.
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, settings
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, cycle

CLAIM = (
    "Cycles in order of time within a day, of whatever value, are found in at most a tenth of the CPU time "
    "of the best SQL we can write."
)
GOAL = 10.0

_LENGTHS, _RETENTION, _LEAST = (3, 4, 5, 6), 0.8, 500 * USD
_NEARLY_ALL = 1e-12
"""Kept of each transfer's value when value is not to count."""


def _kept(this: str, last: str) -> str:
    """That ``this`` transfer carries on the value of the ``last``."""
    ratio = f"{_RETENTION}::DOUBLE"
    return f"AND {this}.value >= {ratio} * {last}.value AND {ratio} * {this}.value <= {last}.value"


def _transfers(valued: bool) -> str:
    return f"SELECT * FROM t WHERE src <> dst{f' AND value >= {_LEAST}' if valued else ''}"


def _linked(hours: int, valued: bool) -> str:
    window = hours * HOUR
    return f"""
v AS ({_transfers(valued)}),
links AS MATERIALIZED (
    SELECT p.e AS e, q.e AS f, p.src AS a, p.dst AS b, q.dst AS c, p.time AS time, q.time AS next
    FROM (SELECT *, unnest([time // {window}, time // {window} + 1]) AS slot FROM v) p
    JOIN (SELECT *, time // {window} AS slot FROM v) q ON q.src = p.dst AND q.slot = p.slot
        AND q.time > p.time AND q.time <= p.time + {window} {_kept("q", "p") if valued else ""}
)"""


def _links(hours: int, valued: bool, lengths: tuple[int, ...] = _LENGTHS) -> str:
    """By joining links, for each length; the last closes the cycle."""
    parts = []
    for length in lengths:
        names = [f"x{i}" for i in range(length - 1)]
        joins, conditions = ["links x0"], [f"{names[-1]}.c = x0.a"]
        for i in range(1, length - 1):
            this, last = names[i], names[i - 1]
            on = f"{this}.e = {last}.f AND {this}.next <= x0.time + {hours * HOUR}"
            on += f" AND {this}.c = x0.a" if i == length - 2 else ""
            joins.append(f"JOIN links {this} ON {on}")
            conditions += [f"{this}.b <> {earlier}.{end}" for earlier in names[:i] for end in "ab"]
        edges, accounts = (", ".join(f"{name}.{what}" for name in names) for what in ("e", "a"))
        parts.append(
            f"SELECT [{edges}, {names[-1]}.f] AS transfers, [{accounts}, {names[-1]}.b] AS accounts "
            f"FROM {' '.join(joins)} WHERE {' AND '.join(conditions)}"
        )
    return f"WITH {_linked(hours, valued)} {' UNION ALL '.join(parts)}"


def _recursion(hours: int, valued: bool) -> str:
    """By following links, all lengths at once."""
    return f"""
WITH RECURSIVE {_linked(hours, valued)},
open AS (
    SELECT a AS origin, time + {hours * HOUR} AS until, f AS last, c AS at, [a, b, c] AS accounts,
        [e, f] AS transfers
    FROM links WHERE a <> c
    UNION ALL
    SELECT origin, until, f, c, list_append(accounts, c), list_append(transfers, f)
    FROM open JOIN links ON links.e = open.last AND next <= until AND NOT list_contains(accounts, c)
    WHERE len(transfers) < {max(_LENGTHS) - 1}
)
SELECT list_append(transfers, f) AS transfers, accounts FROM open
JOIN links ON links.e = open.last AND next <= until AND c = origin
WHERE len(transfers) >= {min(_LENGTHS) - 1}"""


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
    anything = {"retention": _NEARLY_ALL, "min_value": 1 / USD, "budget": 1e9}
    for what, hours, changed, goal in (
        ("3 to 6 accounts, any value, 24 hours", 24, anything, GOAL),
        ("3 to 6 accounts, value kept, 72 hours: as shipped", 72, {}, None),
    ):
        ways = {"links": _links, "recursion": _recursion}
        sql = {f"{what}; SQL {way}": make(hours, not changed) for way, make in ways.items()}
        given = settings(cycle.SPEC, window=hours, **changed)
        rows += compare(cycle, scale, sql, _ours, _theirs, goal, parameters=given)
    return rows

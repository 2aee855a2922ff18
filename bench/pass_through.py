"""Pass-through: our kernel against SQL.

What leaves is matched with the latest deposit first. SQL has no stack, but it does not need one: let the
balance walk up with each deposit and down with each payment, then a payment takes from a deposit just where
it crosses the level that the deposit had brought, for the first time after it.
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, pass_through

CLAIM = "Pass-through is found in at most a third of the CPU time of the best SQL we can write."
GOAL = 3.0

_HOURS, _LEAST, _RATIO = 24 * HOUR, 5000 * USD, 0.9
_SQL = f"""
WITH moves AS (
    SELECT dst AS a, e, time, value AS d FROM t WHERE src <> dst AND value > 0
    UNION ALL SELECT src, e, time, -value FROM t WHERE src <> dst AND value > 0
),
walk AS MATERIALIZED (
    SELECT *, sum(d) OVER (PARTITION BY a ORDER BY time ROWS UNBOUNDED PRECEDING)::BIGINT AS level FROM moves
),
low AS (
    SELECT *, min(level) OVER (
        PARTITION BY a ORDER BY time RANGE BETWEEN CURRENT ROW AND {_HOURS} FOLLOWING) AS least
    FROM walk
),
lots AS MATERIALIZED (
    SELECT a, e, time, d AS v, level AS top, level - d AS base, level - greatest(level - d, least) AS gone
    FROM low WHERE d > 0 AND level - greatest(level - d, least) >= {_RATIO} * d
),
near AS (
    SELECT l.a, l.e AS lot, o.e AS paid, o.time, o.level, l.base, coalesce(least(l.top, min(o.level) OVER (
        PARTITION BY l.e ORDER BY o.time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)), l.top) AS before
    FROM (SELECT *, unnest([time // {_HOURS}, time // {_HOURS} + 1]) AS day FROM lots) l
    JOIN (SELECT *, time // {_HOURS} AS day FROM walk WHERE d < 0) o
    ON o.a = l.a AND o.day = l.day AND o.time > l.time AND o.time <= l.time + {_HOURS}
),
pairs AS MATERIALIZED (SELECT a, lot, paid, time FROM near WHERE before > greatest(base, level)),
ended AS (
    SELECT l.a, l.e, l.time, l.v, l.gone, p.last
    FROM lots l JOIN (SELECT lot, max(time) AS last FROM pairs GROUP BY lot) p ON p.lot = l.e
),
begun AS (
    SELECT *, CASE WHEN time > max(last) OVER (
        PARTITION BY a ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        THEN 1 ELSE 0 END AS fresh
    FROM ended
),
numbered AS (
    SELECT *, sum(fresh) OVER (PARTITION BY a ORDER BY time ROWS UNBOUNDED PRECEDING) AS episode FROM begun
),
grave AS (
    SELECT *, sum(gone) OVER (PARTITION BY a, episode) AS through FROM numbered
    QUALIFY 2 * through >= {_LEAST}
),
transfers AS (
    SELECT a, list_sort(list_distinct(flatten([list(lot), list(paid)]))) AS evidence
    FROM (SELECT g.a, p.lot, p.paid FROM grave g JOIN pairs p ON p.lot = g.e) GROUP BY a
),
figures AS (
    SELECT a, count(DISTINCT episode) FILTER (through >= {_LEAST}) AS episodes, max(through)::BIGINT AS value,
        sum(gone)::BIGINT AS total, sum(v)::BIGINT AS paid, max(last - time) AS stay
    FROM grave GROUP BY a
)
SELECT figures.*, evidence FROM figures JOIN transfers USING (a)"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            bool(hits.alert[i]),
            int(figures["episodes"][i]),
            int(figures["value"][i]),
            int(figures["total"][i]),
            float(figures["share"][i]),
            round(figures["stay"][i] * HOUR),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {
        (a, episodes > 0, max(episodes, 1), value, total, total / paid, stay, tuple(transfers))
        for a, episodes, value, total, paid, stay, transfers in rows
    }


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    return compare(pass_through, scale, {"SQL": _SQL}, _ours, _theirs, GOAL)

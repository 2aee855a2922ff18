"""Structuring: our kernel against SQL."""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, structuring

CLAIM = "Structuring is found in at most a third of the CPU time of the best SQL we can write."
GOAL = 3.0

_WINDOW, _LEAST = 48 * HOUR, 3
_SQL = f"""
WITH m AS MATERIALIZED (
    SELECT e, src AS a, time, value AS v, row_number() OVER (PARTITION BY src ORDER BY time) AS rn
    FROM t WHERE value >= {800 * USD} AND value < {1000 * USD} AND src <> dst
),
w AS (
    SELECT *, count(*) OVER r AS size, (sum(v) OVER r)::BIGINT AS total, max(v) OVER r AS largest,
        time - min(time) OVER r AS span
    FROM m
    WINDOW r AS (PARTITION BY a ORDER BY time RANGE BETWEEN {_WINDOW} PRECEDING AND CURRENT ROW)
),
q AS (SELECT *, rn - size + 1 AS lo FROM w WHERE size >= {_LEAST} AND total >= {1000 * USD}),
f AS (SELECT *, CASE WHEN lo > lag(rn) OVER (PARTITION BY a ORDER BY rn) THEN 1 ELSE 0 END AS fresh FROM q),
g AS (SELECT *, sum(fresh) OVER (PARTITION BY a ORDER BY rn ROWS UNBOUNDED PRECEDING) AS burst FROM f),
b AS (
    SELECT a, burst, min(lo) AS lo, max(rn) AS hi, max(ROW(size, -rn, total, span, largest)) AS peak
    FROM g GROUP BY a, burst
)
SELECT b.a, any_value(peak[1]), any_value(peak[3]), any_value(peak[4]), any_value(peak[5]), list(e ORDER BY e)
FROM b JOIN m ON m.a = b.a AND m.rn BETWEEN lo AND hi
GROUP BY b.a, b.burst"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            int(figures["count"][i]),
            int(figures["total"][i]),
            round(figures["span"][i] * HOUR),
            int(figures["largest"][i]),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {(*row[:5], tuple(row[5])) for row in rows}


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    return compare(structuring, scale, {"SQL": _SQL}, _ours, _theirs, GOAL)

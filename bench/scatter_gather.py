"""Scatter-gather: our kernel against SQL, twice.

The rule as shipped. SQL pairs each payment into an account with what that account pays on, either as the join
finds them, or by account and window on the clock (each payment in two of them). What is left after ends
that have two accounts between them is little.
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, patterns
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, scatter_gather
from comity.typologies._graph import DRIFT

CLAIM = "Scatter-gather is found in at most an eighth of the CPU time of the best SQL we can write."
GOAL = 8.0

_WINDOW, _ALERT, _WATCH, _WORTH, _RETENTION = 72 * HOUR, 4, 2, 1_000 * USD, 0.8
_JOINED = "t p JOIN t q ON q.src = p.dst"
_CLOCK = f"""(SELECT *, unnest([time // {_WINDOW}, time // {_WINDOW} + 1]) AS slot FROM t) p
    JOIN (SELECT *, time // {_WINDOW} AS slot FROM t) q ON q.src = p.dst AND q.slot = p.slot"""


def _sql(pairs: str) -> str:
    return f"""
WITH fits AS MATERIALIZED (
    SELECT p.src AS s, q.dst AS t, p.dst AS m, p.e AS p, q.e AS q, p.time AS begun, q.time AS done,
        q.value AS v
    FROM {pairs} AND q.time > p.time AND q.time <= p.time + {_WINDOW}
        AND q.value >= {_RETENTION}::DOUBLE * p.value AND q.value <= {DRIFT}::DOUBLE * p.value
        AND p.src <> q.dst AND p.src <> p.dst AND q.dst <> p.dst AND p.value > 0
),
many AS (SELECT s, t FROM fits GROUP BY s, t HAVING count(*) >= {_WATCH} AND min(m) < max(m)),
likely AS (SELECT fits.* FROM fits SEMI JOIN many USING (s, t)),
firsts AS (SELECT * FROM likely QUALIFY q = min(q) OVER (PARTITION BY p, t)),
paths AS MATERIALIZED (SELECT * FROM firsts QUALIFY p = max(p) OVER (PARTITION BY q, s)),
windows AS MATERIALIZED (
    SELECT s, t, b.begun, count(DISTINCT m) AS middle, sum(v)::BIGINT AS total,
        max(done) - b.begun AS span, list_sort(list_distinct(flatten(list([p, q])))) AS transfers
    FROM (SELECT DISTINCT s, t, begun FROM paths) b JOIN paths USING (s, t)
    WHERE paths.begun >= b.begun AND paths.done <= b.begun + {_WINDOW}
    GROUP BY s, t, b.begun
    HAVING middle >= {_WATCH} AND 2 * total >= {_WORTH}
),
ranked AS (
    SELECT *, ROW(middle >= {_ALERT} AND total >= {_WORTH}, middle, total, -begun) AS rank FROM windows
)
SELECT t, middle, total, span, transfers FROM ranked
ANTI JOIN ranked better ON better.s = ranked.s AND better.t = ranked.t AND better.rank > ranked.rank
    AND better.begun BETWEEN ranked.begun - {_WINDOW} AND ranked.begun + {_WINDOW}"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            int(figures["middle"][i]),
            int(figures["total"][i]),
            round(figures["span"][i] * HOUR),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {(*row[:4], tuple(row[4])) for row in rows}


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    sql = {"SQL": _sql(_JOINED), "SQL, by the clock": _sql(_CLOCK)}
    return compare(scatter_gather, scale, sql, _ours, _theirs, GOAL, given=patterns)

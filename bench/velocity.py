"""Velocity: our kernel against SQL, twice.

The rule as shipped, out and in: bursts of payments within an hour, many times what the account usually
makes. SQL first looks for accounts that may have a burst at all: by the distance to the payment nine before
(a window over every account), or by counting in hours on the clock (a burst has half its payments in one of
two).
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, patterns
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, velocity

CLAIM = "Velocity is found in at most a twentieth of the CPU time of the best SQL we can write."
GOAL = 20.0

_WINDOW, _LEAST, _WORTH, _TIMES, _BASELINE = HOUR, 10, 1_000 * USD, 10, 720 * HOUR
_DISTANCE = """
    SELECT DISTINCT {end} AS a FROM (
        SELECT {end}, time - lag(time, {before}) OVER (PARTITION BY {end} ORDER BY time) AS took FROM t
    ) WHERE took <= {window}"""
_CLOCK = """
    SELECT DISTINCT a FROM (
        SELECT {end} AS a, time // {window} AS slot FROM t GROUP BY a, slot HAVING count(*) >= {half}
    )"""


def _sql(may: str) -> str:
    sent, got = (
        may.format(end=end, before=_LEAST - 1, half=_LEAST // 2, window=_WINDOW) for end in ("src", "dst")
    )
    return f"""
WITH sent AS MATERIALIZED ({sent}),
got AS MATERIALIZED ({got}),
p AS (
    SELECT src AS a, 0 AS way, e, time, value AS v FROM t WHERE src <> dst AND src IN (SELECT a FROM sent)
    UNION ALL
    SELECT dst, 1, e, time, value FROM t WHERE src <> dst AND dst IN (SELECT a FROM got)
),
m AS MATERIALIZED (SELECT *, row_number() OVER (PARTITION BY a, way ORDER BY time) AS rn FROM p),
w AS (
    SELECT *, count(*) OVER r AS size, (sum(v) OVER r)::BIGINT AS total, max(v) OVER r AS largest,
        time - min(time) OVER r AS span
    FROM m
    WINDOW r AS (PARTITION BY a, way ORDER BY time RANGE BETWEEN {_WINDOW} PRECEDING AND CURRENT ROW)
),
q AS (SELECT *, rn - size + 1 AS lo FROM w WHERE size >= {_LEAST} AND total >= {_WORTH}),
f AS (
    SELECT *, CASE WHEN lo > lag(rn) OVER (PARTITION BY a, way ORDER BY rn) THEN 1 ELSE 0 END AS fresh FROM q
),
g AS (
    SELECT *, sum(fresh) OVER (PARTITION BY a, way ORDER BY rn ROWS UNBOUNDED PRECEDING) AS burst FROM f
),
b AS (
    SELECT a, way, burst, min(lo) AS lo, max(rn) AS hi, max(ROW(size, -rn, total, span, largest)) AS peak
    FROM g GROUP BY a, way, burst
),
ever AS (
    SELECT a, way, count(*) * {_WINDOW}::DOUBLE / greatest(max(time) - min(time), {_BASELINE}) AS usual
    FROM m GROUP BY a, way
)
SELECT b.a, b.way, any_value(peak[1]), any_value(peak[3]), any_value(peak[4]), any_value(peak[5]),
    any_value(usual), list(e ORDER BY e)
FROM b JOIN ever ON ever.a = b.a AND ever.way = b.way
    JOIN m ON m.a = b.a AND m.way = b.way AND m.rn BETWEEN lo AND hi
WHERE peak[1] >= {_TIMES} * usual
GROUP BY b.a, b.way, b.burst"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            int(figures["incoming"][i]),
            int(figures["count"][i]),
            int(figures["total"][i]),
            round(figures["span"][i] * HOUR),
            int(figures["largest"][i]),
            float(figures["usual"][i]),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {(*row[:7], tuple(row[7])) for row in rows}


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    sql = {"SQL, by distance": _sql(_DISTANCE), "SQL, by the clock": _sql(_CLOCK)}
    return compare(velocity, scale, sql, _ours, _theirs, GOAL, given=patterns)

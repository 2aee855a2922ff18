"""Fan-in: our kernel against SQL, three times.

SQL first looks for accounts that may have a burst at all: by how many payments they have ever got, by the
distance to the payment four before (a window over every account: the kernel's own short cut), or by counting
in windows on the clock (a burst has more than half its payments in one of two).
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence
from bench._ledger import HOUR
from comity.model import Columns
from comity.typologies import Hits, fan_in

CLAIM = "Fan-in is found in at most a fiftieth of the CPU time of the best SQL we can write."
GOAL = 50.0

_WINDOW = 72 * HOUR
_LEAST, _ALERT = 5, 10
_ALL = f"SELECT dst FROM t WHERE src <> dst GROUP BY dst HAVING count(*) >= {_LEAST}"
_BUSY = f"""
    SELECT DISTINCT dst FROM (
        SELECT dst, time - lag(time, {_LEAST - 1}) OVER (PARTITION BY dst ORDER BY time) AS took
        FROM t WHERE src <> dst
    ) WHERE took <= {_WINDOW}"""
_CLOCK = f"""
    SELECT DISTINCT dst FROM (
        SELECT dst, time // {_WINDOW} AS slot FROM t WHERE src <> dst
        GROUP BY dst, slot HAVING count(*) >= {(_LEAST + 1) // 2}
    )"""


def _sql(accounts: str) -> str:
    return f"""
WITH busy AS ({accounts}),
m AS MATERIALIZED (
    SELECT e, dst AS a, src, time, greatest(value, 0) AS v,
        row_number() OVER (PARTITION BY dst ORDER BY time) AS rn
    FROM t WHERE src <> dst AND dst IN (SELECT dst FROM busy)
),
w AS (
    SELECT *, count(DISTINCT src) OVER r AS senders, count(*) OVER r AS size,
        (sum(v) OVER r)::BIGINT AS total, time - min(time) OVER r AS span
    FROM m
    WINDOW r AS (PARTITION BY a ORDER BY time RANGE BETWEEN {_WINDOW} PRECEDING AND CURRENT ROW)
),
q AS (SELECT *, rn - size + 1 AS lo FROM w WHERE senders >= {_LEAST}),
f AS (SELECT *, CASE WHEN lo > lag(rn) OVER (PARTITION BY a ORDER BY rn) THEN 1 ELSE 0 END AS fresh FROM q),
g AS (SELECT *, sum(fresh) OVER (PARTITION BY a ORDER BY rn ROWS UNBOUNDED PRECEDING) AS burst FROM f),
b AS (
    SELECT a, burst, min(lo) AS lo, max(rn) AS hi, max(ROW(senders, -rn, total, span)) AS peak
    FROM g GROUP BY a, burst
),
ever AS (SELECT a, count(DISTINCT src) AS ever FROM m WHERE a IN (SELECT a FROM b) GROUP BY a)
SELECT b.a, any_value(peak[1]), any_value(peak[3]), any_value(peak[4]), any_value(ever), list(e ORDER BY e)
FROM b JOIN ever USING (a) JOIN m ON m.a = b.a AND m.rn BETWEEN lo AND hi
WHERE peak[1] >= {_ALERT} OR 2 * peak[1] >= ever
GROUP BY b.a, b.burst"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            int(figures["senders"][i]),
            int(figures["total"][i]),
            round(figures["span"][i] * HOUR),
            int(figures["senders_ever"][i]),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {(*row[:5], tuple(row[5])) for row in rows}


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    sql = {"SQL, as said": _sql(_ALL), "SQL, by distance": _sql(_BUSY), "SQL, by the clock": _sql(_CLOCK)}
    return compare(fan_in, scale, sql, _ours, _theirs, GOAL)

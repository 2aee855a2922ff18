"""Layered chains: our kernel against SQL, twice.

The rule as shipped: chains of four transfers, or of three to watch, each as long as it goes. SQL makes the
links first (as the join finds them, or by account and day on the clock, each transfer in two), then follows
them from those that none leads to, and keeps the best of the chains that share a transfer.
"""

from __future__ import annotations

from typing import Any

from bench import Row
from bench._kernels import Found, compare, evidence, patterns
from bench._ledger import HOUR, USD
from comity.model import Columns
from comity.typologies import Hits, layered_chain
from comity.typologies._graph import DRIFT

CLAIM = "Layered chains are found in no more CPU time than by the best SQL we can write."
GOAL = 1.0

_HOP, _WINDOW, _HOPS, _WORTH, _RETENTION = 24 * HOUR, 96 * HOUR, 4, 1_000 * USD, 0.8
_JOINED = "v p JOIN v q ON q.src = p.dst"
_CLOCK = f"""(SELECT *, unnest([time // {_HOP}, time // {_HOP} + 1]) AS slot FROM v) p
    JOIN (SELECT *, time // {_HOP} AS slot FROM v) q ON q.src = p.dst AND q.slot = p.slot"""


def _sql(pairs: str) -> str:
    return f"""
WITH RECURSIVE v AS (SELECT * FROM t WHERE value >= {_WORTH // 2} AND src <> dst),
links AS MATERIALIZED (
    SELECT p.e AS e, q.e AS f, p.time AS time, q.time AS next, p.src AS a, p.dst AS b, q.dst AS c,
        p.value AS v, q.value AS w
    FROM {pairs} AND q.time > p.time AND q.time <= p.time + {_HOP}
        AND q.value >= {_RETENTION}::DOUBLE * p.value AND q.value <= {DRIFT}::DOUBLE * p.value
),
heads AS (SELECT * FROM links ANTI JOIN (SELECT f AS led FROM links) ON led = e),
chains AS (
    SELECT e AS first, time + {_WINDOW} AS until, f AS last, next, c AS at, [e, f] AS transfers,
        [a, b, c] AS accounts, v AS value, w AS arrived, least(v, w) AS smallest, time AS begun
    FROM heads WHERE a <> c
    UNION ALL
    SELECT first, until, f, links.next, c, list_append(transfers, f), list_append(accounts, c), value, w,
        least(smallest, w), begun
    FROM chains JOIN links ON links.e = chains.last AND links.next <= until AND NOT list_contains(accounts, c)
),
longest AS (
    SELECT accounts[1] AS origin, smallest >= {_WORTH} AND len(transfers) >= {_HOPS} AS alert,
        len(transfers) AS hops, value, arrived, smallest, next - begun AS span, first, transfers
    FROM chains WHERE len(transfers) >= {_HOPS - 1}
    QUALIFY row_number() OVER (PARTITION BY first ORDER BY len(transfers) DESC, transfers) = 1
),
near AS (
    SELECT *, row_number() OVER (ORDER BY alert DESC, hops DESC, first) AS rank FROM longest
    WHERE hops >= {_HOPS} OR smallest >= {_WORTH}
),
each AS (SELECT rank, unnest(transfers) AS transfer FROM near),
beaten AS (SELECT rank FROM each QUALIFY rank > min(rank) OVER (PARTITION BY transfer))
SELECT origin, alert, hops, value, arrived, smallest, span, transfers
FROM near ANTI JOIN beaten USING (rank)"""


def _ours(_columns: Columns, hits: Hits) -> Found:
    figures = hits.features
    return {
        (
            int(hits.account[i]),
            bool(hits.alert[i]),
            int(figures["hops"][i]),
            int(figures["value"][i]),
            int(figures["arrived"][i]),
            int(figures["smallest"][i]),
            round(figures["span"][i] * HOUR),
            evidence(hits, i),
        )
        for i in range(len(hits.account))
    }


def _theirs(rows: list[Any]) -> Found:
    return {(*row[:7], tuple(row[7])) for row in rows}


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    sql = {"SQL": _sql(_JOINED), "SQL, by the clock": _sql(_CLOCK)}
    return compare(layered_chain, scale, sql, _ours, _theirs, GOAL, given=patterns)

"""A trace over six hops: in proportion, in order of time, exactly; against a recursive query in SQL.

So that SQL can do it at all, money moves in steps here: every account of a layer is paid before any of it
pays on. What of it is traced goes on in proportion, layer by layer, and the query may add up each layer.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from bench import Row
from bench._ledger import HOUR, SEED, USD, columns, table
from bench._measure import DUCKDB, both, cpu
from comity.model import Columns
from comity.tracing.trace import Bounds, Trace, trace

CLAIM = "Six hops are traced in at most half the CPU time of a recursive query in SQL over a native table."
GOAL = 2.0

_TRANSFERS, _HOPS, _FAN = 1_000_000, 6, 3
_SQL = f"""
WITH RECURSIVE flow(hop, account, part) AS (
    SELECT 1, dst, sum(value)::DOUBLE FROM t WHERE src = $1 GROUP BY dst
    UNION ALL
    SELECT f.hop + 1, t.dst, sum(f.part * t.value / h.total)
    FROM flow f JOIN t ON t.src = f.account JOIN held h ON h.account = f.account
    WHERE f.hop < {_HOPS} GROUP BY f.hop, t.dst
)
SELECT account, part FROM flow WHERE hop = {_HOPS}"""


def _layers(transfers: int) -> Columns:
    """Layers 0 to 8: each account pays all it holds, in unequal parts, to three of the next layer."""
    rng = np.random.default_rng(SEED)
    layers = _HOPS + 2
    width = max(50, transfers // (layers * _FAN))
    held = rng.integers(1_000, 100_000, width) * USD
    sources, sinks, values = [], [], []
    for layer in range(layers):
        to = rng.integers(0, width, (width, _FAN))
        parts = np.empty((width, _FAN), dtype=np.int64)
        parts[:, 0], parts[:, 1] = held // 2, held // 3
        parts[:, 2] = held - parts[:, 0] - parts[:, 1]
        sources.append(np.repeat(layer * width + np.arange(width), _FAN))
        sinks.append(((layer + 1) * width + to).ravel())
        values.append(parts.ravel())
        held = np.bincount(to.ravel(), parts.ravel(), width).astype(np.int64)
    keep = np.concatenate(values) > 0
    src, dst, value = (np.concatenate(part)[keep] for part in (sources, sinks, values))
    time = 1_772_323_200_000_000 + src // width * 24 * HOUR + np.arange(len(src))
    return columns(time, src.astype(np.int32), dst.astype(np.int32), value, (layers + 1) * width)


def _leaves(made: Columns, traced: Trace) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for leaf in traced.leaves:
        number = made.accounts.index(leaf.account)
        found[number] = found.get(number, Decimal(0)) + leaf.value
    return found


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    made = _layers(round(_TRANSFERS * scale))
    start = int(made.dst[0])  # of layer 1, so that it was paid before
    whole = Bounds(hops=_HOPS, min_share=0.0, max_nodes=1_000_000)
    with table(made) as connection:
        held = cpu(
            lambda: connection.execute(
                "CREATE TABLE held AS SELECT dst AS account, sum(value) AS total FROM t GROUP BY dst"
            ),
            1,
        )
        ours, theirs = both(
            lambda: trace(made, made.accounts[start], bounds=whole),
            lambda: connection.execute(_SQL, [start]).fetchall(),
        )
    leaves = _leaves(made, ours.answer)
    assert {account for account, _ in theirs.answer} == set(leaves)
    for account, part in theirs.answer:
        assert abs(float(leaves[account]) * USD - part) < 10 + part * 1e-9, "differs by more than rounding"
    return [
        Row(
            work=f"{len(made):,} transfers, {len(ours.answer.steps):,} on the path, {len(leaves):,} ends",
            ours=ours.best,
            peer=theirs.best,
            peer_version=f"{DUCKDB}, recursive query over native tables",
            goal=GOAL,
            note=f"the peer is given what each account was paid in all ({held.best:.2f} CPU s); ours needs "
            "no such table, and stays exact when money does not move in steps",
        )
    ]

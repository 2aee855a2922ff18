"""Tracing: what is within six hops in order of time, against three peers; haircut at 50,000,000 transfers.

The peers compute reach and not value: the fewest hops, and the earliest time, of every account that a
time-respecting way of at most six hops leads to. Raphtory says which accounts, and its bound on hops lets
more pass than we do, so that there both have none. Each is given the same starts, random payments followed
from their payees, on a ledger of a size that it can hold. Figures are the median of the starts: most lead to
few accounts, some to nearly all, and there the means (in the note) lie closer together.
"""

from __future__ import annotations

import importlib
import time as wall
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from bench import Row
from bench._ledger import HOUR, SEED, USD, columns, ledger
from bench._measure import DUCKDB, both
from comity.model import Columns
from comity.tracing import _state
from comity.tracing._query import Query
from comity.tracing.reach import Reach, reach
from comity.tracing.trace import Bounds, Direction, Method, trace
from comity.tracing.view import main_units, moment

CLAIM = "Six hops in order of time are followed in at most a hundredth of the CPU time of the peers."
GOAL = 100.0

_HOPS, _ANY = 6, 250
_TRANSFERS, _LARGE = 10_000_000, 50_000_000
_PEERS = {"networkx": 1_000_000, "raphtory": 100_000}
_STARTS, _PEER_STARTS, _AGAIN = 300, 21, 10
_CUT = Bounds(hops=100, min_share=0.01, max_nodes=1_000_000)
Answer = dict[int, tuple[int, int]]
_SQL = f"""
WITH RECURSIVE way(hop, account, time) AS (
    SELECT 0, $1::INTEGER, $2::BIGINT
    UNION ALL
    SELECT way.hop + 1, t.dst, min(t.time)
    FROM way JOIN t ON t.src = way.account AND t.time >= way.time
    WHERE way.hop < {_HOPS} GROUP BY way.hop, t.dst
)
SELECT account, min(hop), min(time) FROM way WHERE account <> $1 GROUP BY account"""


def _starts(made: Columns, count: int) -> list[int]:
    """Random payments, by number."""
    found: list[int] = np.random.default_rng(SEED).integers(0, len(made), count).tolist()
    return found


def _reach(made: Columns, payment: int, hops: int = _HOPS) -> Reach:
    return reach(made, made.accounts[int(made.dst[payment])], hops=hops, time=moment(made, payment))


def _answer(found: Reach) -> Answer:
    ends = zip(found.hop.tolist(), found.time.tolist(), strict=True)
    return dict(zip(found.account.tolist(), ends, strict=True))


def _sql(connection: DuckDBPyConnection, made: Columns, payment: int) -> Answer:
    asked = [int(made.dst[payment]), int(made.time[payment])]
    rows = connection.execute(_SQL, asked).fetchall()
    return {account: (hop, time) for account, hop, time in rows}


def _networkx_graph(networkx: ModuleType, made: Columns) -> Any:
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(range(made.n_accounts))
    ends = zip(made.src.tolist(), made.dst.tolist(), range(len(made)), made.time.tolist(), strict=True)
    graph.add_edges_from((a, b, e, {"time": t}) for a, b, e, t in ends)
    return graph


def _networkx(graph: Any, start: int, time: int) -> Answer:
    """Layer by layer, as its users write it: networkx has no reach in order of time of its own."""
    best, fewest, layer = {start: time}, {start: 0}, {start: time}
    for hop in range(1, _HOPS + 1):
        following: dict[int, int] = {}
        for near, since in layer.items():
            for far, between in graph.adj[near].items():
                for edge in between.values():
                    when = edge["time"]
                    if since <= when < best.get(far, when + 1):
                        best[far] = following[far] = when
                        fewest.setdefault(far, hop)
        layer = following
    return {account: (fewest[account], best[account]) for account in best if account != start}


def _raphtory_graph(raphtory: ModuleType, made: Columns) -> Any:
    graph = raphtory.Graph()
    edges = pa.table({"time": made.time, "src": made.src.astype(np.int64), "dst": made.dst.astype(np.int64)})
    graph.load_edges(edges, time="time", src="src", dst="dst")
    return graph


def _raphtory(raphtory: ModuleType, graph: Any, start: int, time: int) -> set[int]:
    found = raphtory.algorithms.temporally_reachable_nodes(graph, _ANY, time - 1, [start], None)
    return {node.id for node, history in found.items() if history["reachable_nodes"]} - {start}


def _nearly(ours: Answer, theirs: set[int]) -> bool:
    """Raphtory searches in parallel, and now and then misses an account; what it finds we find too."""
    return theirs <= set(ours) and len(ours) - len(theirs) <= 1 + len(ours) // 50


def _measured(
    made: Columns,
    peer: Callable[[int], object],
    peer_version: str,
    same: Callable[..., bool],
    hops: int = _HOPS,
    again: int = 1,
) -> Row:
    """A row with the median of CPU seconds a start, ours and the peer's; what takes next to no time is done
    ``again`` and again, so that memory is as warm for the one as for the other."""
    within = "within reach" if hops == _ANY else f"within {hops} hops"
    _reach(made, 0)  # compiled
    mine, other = [], []
    for payment in _starts(made, _PEER_STARTS):
        ours, theirs = both(
            lambda: [_reach(made, payment, hops) for _ in range(_AGAIN)],  # noqa: B023
            lambda: [peer(payment) for _ in range(again)],  # noqa: B023
            1,
        )
        assert same(_answer(ours.answer[0]), theirs.answer[0]), "not the same accounts are reached"
        mine.append(ours.best / _AGAIN)
        other.append(theirs.best / again)
    return Row(
        f"accounts {within}, {len(made):,} transfers, median of {len(mine)} starts",
        float(np.median(mine)),
        float(np.median(other)),
        peer_version,
        goal=GOAL,
        note=f"means: {np.mean(mine):.3g} and {np.mean(other):.3g} CPU s",
    )


def _against(name: str, scale: float) -> Row:
    """Us and a peer that is a Python library."""
    made = ledger(round(_PEERS[name] * scale))[0]
    try:
        peer = importlib.import_module(name)
    except ImportError:
        _reach(made, 0)
        took = _times(lambda e: _reach(made, e), _starts(made, _PEER_STARTS))[0] / 1000
        return Row(f"the same, {len(made):,} transfers", took, None, "", note=f"peer not installed: {name}")
    named = f"{name} {version(name)}"
    if name == "networkx":
        graph = _networkx_graph(peer, made)
        return _measured(
            made,
            lambda e: _networkx(graph, int(made.dst[e]), int(made.time[e])),
            named,
            lambda a, b: bool(a == b),
            again=_AGAIN,
        )
    graph = _raphtory_graph(peer, made)
    return _measured(
        made,
        lambda e: _raphtory(peer, graph, int(made.dst[e]), int(made.time[e])),
        named,
        _nearly,
        _ANY,
    )


def _times(work: Callable[[int], object], payments: list[int]) -> tuple[float, float]:
    """p50 and p99 in milliseconds of CPU time."""
    took = []
    for payment in payments:
        begin = wall.process_time()
        work(payment)
        took.append((wall.process_time() - begin) * 1000)
    low, high = np.percentile(took, [50, 99])
    return float(low), float(high)


def _haircut(made: Columns, payment: int, plan: int = _state.EITHER) -> object:
    worth = main_units(made, int(made.value[payment]))
    start, time = made.accounts[int(made.dst[payment])], moment(made, payment)
    if plan == _state.EITHER:
        return trace(made, start, amount=worth, time=time, bounds=_CUT)
    asked = Query(made, start, Direction.FORWARD, worth, time, frozenset(), _CUT, None)
    return asked.traced(Method.HAIRCUT, plan)


def _in_milliseconds(what: str, times: tuple[float, float], note: str) -> list[Row]:
    return [
        Row(f"{what}, {share}", took, None, "", unit="ms", note=note)
        for share, took in zip(("p50", "p99"), times, strict=True)
    ]


def _against_sql(scale: float) -> list[Row]:
    made, connection, _ = ledger(round(_TRANSFERS * scale))
    named = f"{DUCKDB}, recursive query"
    row = _measured(made, lambda e: _sql(connection, made, e), named, lambda a, b: bool(a == b))
    payments = _starts(made, _STARTS)
    times = _times(lambda e: _reach(made, e), payments)
    work = f"accounts within {_HOPS} hops, {len(made):,} transfers"
    return [row, *_in_milliseconds(work, times, f"{len(payments)} random payments")]


def _large(transfers: int) -> Columns:
    """Payments among all, a tenth of them to or from a service, as in `bench._ledger`, and nothing else: no
    table, and no more memory than need be."""
    rng = np.random.default_rng(SEED)
    accounts, services = max(64, transfers // 8), max(1, transfers // 50_000)
    src = rng.integers(0, accounts, transfers, dtype=np.int32)
    dst = rng.integers(0, accounts, transfers, dtype=np.int32)
    kind = rng.random(transfers, dtype=np.float32)
    src[kind < 0.05] = rng.integers(0, services, int((kind < 0.05).sum()))
    dst[kind > 0.95] = rng.integers(0, services, int((kind > 0.95).sum()))
    del kind
    value = np.maximum(1, rng.lognormal(np.log(200), 1.3, transfers) * USD).astype(np.int64)
    time = 1_772_323_200_000_000 + np.arange(transfers) * (90 * 24 * HOUR // transfers)
    return columns(time, src, dst, value, accounts)


def _followed(scale: float) -> list[Row]:
    made = _large(round(_LARGE * scale))
    payments = _starts(made, _STARTS)
    for payment in payments[:5]:
        assert _haircut(made, payment) == _haircut(made, payment, _state.SWEEP), "differs from a full scan"
    work = f"haircut of a payment to parts of 1 %, {len(made):,} transfers"
    note = f"{len(payments)} random payments; of 5 the same, exactly, as by a sweep over all transfers"
    return _in_milliseconds(work, _times(lambda e: _haircut(made, e), payments), note)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    rows = [_against(name, scale) for name in _PEERS]
    rows += _against_sql(scale)
    ledger.cache_clear()
    return rows + _followed(scale)

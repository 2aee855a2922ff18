"""Co-spend clusters: who spent inputs together, and so on; against connected components in scipy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import Row
from bench._ledger import SEED
from bench._measure import both
from comity.columnar import assemble
from comity.model import BITCOIN, BTC, Columns
from comity.tracing.cluster import cluster

CLAIM = "Ten million inputs are joined into clusters in at most half of scipy's CPU time."
GOAL = 2.0

_INPUTS = 10_000_000


def _chain(inputs: int) -> Columns:
    """Transactions of one to many inputs, each of an address out of few or many, and of two outputs."""
    rng = np.random.default_rng(SEED)
    width = 1 + rng.geometric(0.4, inputs)
    width = width[: np.searchsorted(np.cumsum(width), inputs) + 1]
    transactions, addresses = len(width), max(16, inputs // 2)
    spent = np.repeat(np.arange(transactions), width)
    owner = np.where(rng.random(len(spent)) < 0.3, rng.integers(0, 1 + addresses // 100, len(spent)), 0)
    owner = np.where(owner > 0, owner, rng.integers(0, addresses, len(spent)))
    paid = np.repeat(np.arange(transactions), 2)
    hubs = addresses + np.arange(transactions)
    src = np.concatenate([owner, hubs[paid]])
    dst = np.concatenate([hubs[spent], rng.integers(0, addresses, len(paid))])
    time = np.concatenate([spent, paid]) * 1_000_000
    order = np.argsort(time, kind="stable")
    value = rng.integers(1_000, 10**9, len(src))
    return assemble(
        time[order],
        src[order].astype(np.int32),
        dst[order].astype(np.int32),
        value[order],
        hub=np.arange(addresses + transactions) >= addresses,
        accounts=[f"{BITCOIN}:{number:09}" for number in range(addresses + transactions)],
        ids=range(len(src)),  # type: ignore[arg-type]
        reference=BTC.value,
        scale=8,
    )


def _scipy(made: Columns) -> Callable[[], NDArray[Any]]:
    """The same edges, input account to transaction, as a sparse matrix, which is made before it counts as
    our index is; gives labels by account."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    into = made.hub[made.dst]
    src, dst = made.src[into], made.dst[into]
    matrix = coo_array((np.ones(len(src), dtype=np.int8), (src, dst)), shape=(made.n_accounts,) * 2).tocsr()
    return lambda: connected_components(matrix, directed=False)[1]  # type: ignore[no-any-return]


def _plainly(made: Columns) -> NDArray[Any]:
    """The same without a library."""
    parent = list(range(made.n_accounts))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    into = made.hub[made.dst]
    for near, far in zip(made.src[into].tolist(), made.dst[into].tolist(), strict=True):
        parent[root(near)] = root(far)
    return np.array([root(node) for node in range(made.n_accounts)])


def _same(owner: NDArray[Any], labels: NDArray[Any]) -> bool:
    """Whether two labellings part the accounts alike."""
    pairs = np.unique(np.stack([owner, labels]), axis=1)
    return len(pairs[0]) == len(np.unique(owner)) == len(np.unique(labels))


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    made = _chain(round(_INPUTS * scale))
    inputs = int(made.hub[made.dst].sum())
    try:
        from scipy import __version__ as scipy

        peer, name = _scipy(made), f"scipy {scipy}, connected_components"
    except ImportError:
        peer, name = partial(_plainly, made), "the same algorithm in plain Python, for scipy is not installed"
    ours, theirs = both(lambda: cluster(made), peer)
    people = np.flatnonzero(~made.hub)
    assert ours.answer.kept_apart == ()
    assert _same(ours.answer.owner[people], theirs.answer[people]), "other clusters"
    return [
        Row(
            work=f"{inputs:,} inputs of {int(made.hub.sum()):,} transactions",
            ours=ours.best,
            peer=theirs.best,
            peer_version=name,
            goal=GOAL,
            once=ours.once,
            note="ours looks at each transaction for the shape of a CoinJoin besides",
        )
    ]

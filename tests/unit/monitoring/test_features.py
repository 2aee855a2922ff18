"""Features of transfers, against counting by hand and against every cycle and fan there is."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from comity.columnar import assemble
from comity.model import Columns
from comity.monitoring.features import cycles, fans

SIZES = (2, 3, 5)
Edges = list[tuple[int, int, int]]


def ledger(edges: Edges, hubs: tuple[int, ...] = ()) -> Columns:
    """Columns of (payer, payee, time), in that order."""
    src, dst, time = (np.array(part) for part in zip(*edges, strict=True))
    count = int(max(src.max(), dst.max())) + 1
    return assemble(
        time.astype(np.int64),
        src.astype(np.int32),
        dst.astype(np.int32),
        np.full(len(edges), -1, dtype=np.int64),
        hub=np.isin(np.arange(count), hubs),
        accounts=[f"acct:T:{number}" for number in range(count)],
        ids=[str(number) for number in range(len(edges))],
        reference="iso4217:EUR",
        scale=4,
    )


def every_cycle(edges: Edges, window: int, shortest: int, longest: int) -> NDArray[Any]:
    counts = np.zeros((len(edges), longest - shortest + 1), dtype=np.int64)
    rings = defaultdict(set)

    def on(path: list[int]) -> None:
        first, last = edges[path[0]], edges[path[-1]]
        if last[1] == first[0]:
            rings[path[-1], tuple(edges[e][0] for e in path)].update(path)
        elif len(path) < longest and last[1] not in {edges[e][0] for e in path}:
            for e, (payer, _, time) in enumerate(edges):
                if payer == last[1] and last[2] < time <= first[2] + window:
                    on([*path, e])

    for e, (payer, payee, _) in enumerate(edges):
        if payer != payee:
            on([e])
    for (_, ring), transfers in rings.items():
        if len(ring) >= shortest:
            counts[list(transfers), len(ring) - shortest] += 1
    return counts


def every_fan(edges: Edges, window: int, way: int) -> NDArray[Any]:
    """``way`` 1: into the payee; 0: out of the payer."""
    counts = np.zeros((len(edges), len(SIZES)), dtype=np.int32)
    for payer, payee, time in edges:
        if payer == payee:
            continue
        account = (payer, payee)[way]
        held = [
            e
            for e, one in enumerate(edges)
            if one[way] == account and one[0] != one[1] and time - window <= one[2] <= time
        ]
        size = len({edges[e][1 - way] for e in held})
        if size >= 2:
            counts[held, np.searchsorted(SIZES, size, side="right") - 1] += 1
    return counts


def made_up(rng: np.random.Generator) -> Edges:
    count, accounts = int(rng.integers(2, 70)), int(rng.integers(3, 12))
    time = np.sort(rng.integers(0, int(rng.integers(50, 500)), count))
    ends = rng.integers(0, accounts, (2, count))
    return [(int(a), int(b), int(t)) for a, b, t in zip(*ends, time, strict=True)]


@pytest.mark.parametrize("seed", range(12))
def test_all_cycles_and_fans_are_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(5):
        edges = made_up(rng)
        columns = ledger(edges)
        for shortest, longest in ((2, 4), (3, 6)):
            counted = cycles(columns, 100, shortest, longest)
            assert counted.counts.tolist() == every_cycle(edges, 100, shortest, longest).tolist()
            assert not len(counted.unfinished)
        for counts, way in zip(fans(columns, 40, SIZES), (1, 0), strict=True):
            assert counts.tolist() == every_fan(edges, 40, way).tolist()


def test_parallel_transfers_stand_in_one_cycle_for_each_end() -> None:
    edges = [(0, 1, 5), (0, 1, 6), (1, 2, 7), (1, 2, 8), (2, 0, 9), (2, 0, 10)]
    assert cycles(ledger(edges), 100).counts[:, 0].tolist() == [2, 2, 2, 2, 1, 1]


def test_a_window_includes_what_is_just_as_old() -> None:
    ring = ledger([(0, 1, 0), (1, 2, 50), (2, 0, 100)])
    assert cycles(ring, 100).counts.sum() == 3
    assert cycles(ring, 99).counts.sum() == 0
    into = ledger([(0, 3, 0), (1, 3, 100)])
    assert fans(into, 100, (2,))[0].tolist() == [[1], [1]]
    assert fans(into, 99, (2,))[0].tolist() == [[0], [0]]


def test_a_hub_is_passed_through_and_not_counted() -> None:
    edges = [(0, 4, 1), (4, 1, 1), (1, 2, 5), (2, 0, 9), (3, 4, 1)]
    counts = cycles(ledger(edges, hubs=(4,)), 100).counts
    assert counts[:, 0].tolist() == [1, 1, 1, 1, 0]
    assert fans(ledger(edges, hubs=(4,)), 100, (2,))[0].sum() == 0


def test_what_is_not_searched_to_the_end_is_said() -> None:
    edges = [(a, b, 10 * t + a) for t, (a, b) in enumerate(product(range(5), repeat=2)) if a != b]
    edges += [(a, b, t + 1000) for a, b, t in edges]
    counted = cycles(ledger(edges), 10_000, budget=5)
    assert len(counted.unfinished)
    assert counted.counts.sum() < cycles(ledger(edges), 10_000).counts.sum()


def test_nothing_is_counted_where_there_is_nothing() -> None:
    columns = ledger([(0, 1, 1), (1, 2, 2)])
    assert not cycles(columns, 100).counts.any()
    assert not any(counts.any() for counts in fans(columns, 100, SIZES))

"""How the cost of monitoring grows: all typologies at 1, 10 and 50 million transfers, side by side."""

from __future__ import annotations

from math import log
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import Row
from bench._ledger import ledger
from bench._world import world
from bench.everything import monitored

CLAIM = "CPU of all typologies together grows no faster than n log n from 1 to 10 to 50 million transfers."
GOAL = 1.0
SIZES = (1_000_000, 10_000_000, 50_000_000)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`. The peer of each row is the smallest size, grown as n log n."""
    rows: list[Row] = []
    first: tuple[int, float] | None = None
    for size in SIZES:
        with TemporaryDirectory() as folder:
            columns = world(round(size * scale))
            count = len(columns)
            said = monitored(columns, Path(folder) / "columns", turns=2 if size < SIZES[-1] else 1)
            del columns
            world.cache_clear()
            ledger.cache_clear()
        seconds = said["whole"]
        first = first or (count, seconds)
        expected = first[1] * (count * log(count)) / (first[0] * log(first[0]))
        slowest = sorted(said["took"].items(), key=lambda item: -item[1])[:4]
        rows.append(
            Row(
                work=f"all typologies over {count:,} transfers",
                ours=seconds,
                peer=expected,
                peer_version="the first row, grown as n log n",
                goal=GOAL if rows else None,
                note=f"{seconds / count * 1e6:.2f} µs a transfer; {said['peak'] / 1024**3:.1f} GB; slowest: "
                + ", ".join(f"{name} {took:.2f}" for name, took in slowest),
            )
        )
    return rows

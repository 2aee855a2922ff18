"""All typologies together, against merely scanning the columns they need once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from bench import Row
from bench._measure import DUCKDB, cpu, database
from bench._world import lay, world
from comity.model import Columns
from comity.monitoring.parts import OF_TRANSFERS

CLAIM = (
    "All typologies over ten million transfers cost at most 25 times the CPU of scanning the needed "
    "columns once, in under 3 GB of memory."
)
GOAL = 1.0
_TIMES = 25
TRANSFERS = 10_000_000
MOST_MEMORY = 3 * 1024**3

_PROGRAM = """
import json, resource, sys
from pathlib import Path
from bench._world import take
from comity.monitoring.run import InProcess, chosen, monitor
columns = take(Path(sys.argv[1]))
def now():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
every = []
for turn in range(int(sys.argv[2])):
    begin = now()
    done = monitor(columns)
    every.append(now() - begin)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
took, count = {}, {}
for name, given in chosen(None, {}, columns.scale).items():
    begin = now()
    for _, hits in InProcess().hits(columns, {name: given}):
        count[name] = [len(hits.account), int(hits.alert.sum())]
    took[name] = now() - begin
short = {one.rule: len(one.accounts) for one in done.unfinished}
said = {"whole": min(every), "first": every[0], "peak": peak, "took": took, "count": count, "short": short}
print(json.dumps(said))
"""


def monitored(columns: Columns, folder: Path, turns: int = 2) -> dict[str, Any]:
    """All typologies over columns laid on disk, in a process of its own: CPU seconds and memory."""
    lay(columns, folder)
    command = [sys.executable, "-c", _PROGRAM, str(folder), str(turns)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def run(scale: float) -> list[Row]:
    """See the contract in `bench`. The run is a process of its own, on columns that it maps from disk."""
    count = round(TRANSFERS * scale)
    columns = world(count)
    with TemporaryDirectory() as folder:
        said = monitored(columns, Path(folder) / "columns")
        scan = _scan(columns, Path(folder) / "needed.parquet")
    alerts = sum(alerted for _, alerted in said["count"].values())
    found = sum(every for every, _ in said["count"].values())
    slowest = sorted(said["took"].items(), key=lambda item: -item[1])[:8]
    return [
        Row(
            work=f"{len(said['took'])} typologies over {len(columns):,} transfers, findings in words",
            ours=said["whole"],
            peer=_TIMES * scan,
            peer_version=f"{_TIMES} times one scan of {len(_NEEDED)} Parquet columns by {DUCKDB}",
            goal=GOAL,
            once=max(0.0, said["first"] - said["whole"]),
            note=f"{said['whole'] / scan:.1f} times the scan; {found:,} hits, {alerts:,} of them alerts; "
            f"not searched to the end: {said['short'] or 'none'}; slowest: "
            + ", ".join(f"{name} {seconds:.2f}" for name, seconds in slowest),
        ),
        Row(
            work="memory of that run at its highest",
            ours=said["peak"] / 1024**3,
            peer=MOST_MEMORY / 1024**3,
            peer_version="the bound",
            goal=1.0,
            unit="GB",
        ),
    ]


_NEEDED = ("time", "src", "dst", "value", *OF_TRANSFERS)


def _scan(columns: Columns, path: Path) -> float:
    """CPU seconds of reading every value of the needed columns once from Parquet."""
    given = {name: getattr(columns, name) for name in ("time", "src", "dst", "value")}
    given |= {name: getattr(columns.facts, name) for name in OF_TRANSFERS}
    parquet.write_table(pa.table(given), path, compression="zstd")
    sums = ", ".join(f"sum({name}::HUGEINT)" for name in _NEEDED)
    with database() as connection:
        read = cpu(lambda: connection.execute(f"SELECT {sums} FROM read_parquet('{path}')").fetchall())
    return read.best

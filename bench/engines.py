"""Two engines, the same findings: in process and on Spark; and on Spark, our kernels against Spark SQL.

The last row asserts that every typology finds the same on both engines, byte for byte. The first holds the
claim: all rules that this folder has in SQL, with the parameters they are shipped with, on one local Spark
through our kernels and as the same SQL in Spark's words, the same findings asserted. CPU seconds are those of
the whole tree of processes: the driver, the JVM and the Python workers. Both sides run three times on the
same started Spark, ours first, and the best run counts: in the first the JVM and the workers load and compile
what they need, which is two thirds of our side then. What Spark spends on our side is mostly the same for one
rule and for sixty.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from bench import Row, cycle, fan_in, layered_chain, pass_through, scatter_gather, structuring, velocity
from bench._kernels import patterns, rows_of, settings
from bench._measure import Measured
from bench._world import lay, take, world
from comity import plugins
from comity.codec import to_json
from comity.model import Columns
from comity.monitoring.run import monitor

CLAIM = (
    "Every typology finds the same on Spark as in process, and on a warm Spark our rules cost at most a "
    "tenth of the CPU time there that they cost as Spark SQL."
)
GOAL = 10.0
TRANSFERS = 1_000_000
_TICKS = os.sysconf("SC_CLK_TCK")


def _words(sql: str) -> str:
    """The same query in Spark's words."""

    def struct(found: re.Match[str]) -> str:
        parts = (f"'c{place}', {part}" for place, part in enumerate(found[1].split(", "), 1))
        return f"named_struct({', '.join(parts)})"

    for pattern, word in (
        (r" MATERIALIZED", ""),
        (r"peak\[(\d)\]", r"peak.c\1"),
        (r" // ", " DIV "),
        (r"unnest\(\[(.*?)\]\)", r"explode(array(\1))"),
        (r"unnest\(", "explode("),
        (r"count\(DISTINCT src\) OVER r", "size(collect_set(src) OVER r)"),
        (r"flatten\(\[(.*?)\]\)", r"flatten(array(\1))"),
        (r"list_(sort|distinct)\(", r"array_\1("),
        (r"list_(contains|append)\(", r"array_\1("),
        (r"\blist\((\w+) ORDER BY \1\)", r"array_sort(collect_list(\1))"),
        (r"\blist\(", "collect_list("),
        (r"\blen\(", "size("),
        (r"accounts\[1\]", "accounts[0]"),
        (r"([( ,])\[([\w, .]+)\]( AS|,|\))", r"\1array(\2)\3"),
        (r" (ANTI|SEMI) JOIN", r" LEFT \1 JOIN"),
        (r"FILTER \(", "FILTER (WHERE "),
    ):
        sql = re.sub(pattern, word, sql)
    return re.sub(r"ROW\((.*?)\)", struct, sql)


def _rules(small: bool) -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Each rule, and the ways to say it in SQL; where there is little to do, the one that starts fastest."""
    rules = {"structuring": (structuring, (structuring._SQL,))}
    if small:
        return rules
    return rules | {
        "velocity": (velocity, (velocity._sql(velocity._CLOCK), velocity._sql(velocity._DISTANCE))),
        "fan_in": (fan_in, (fan_in._sql(fan_in._BUSY), fan_in._sql(fan_in._CLOCK))),
        "pass_through": (pass_through, (pass_through._SQL,)),
        "layered_chain": (layered_chain, (layered_chain._sql(layered_chain._CLOCK),)),
        "scatter_gather": (scatter_gather, (scatter_gather._sql(scatter_gather._CLOCK),)),
        "cycle": (cycle, (cycle._links(72, valued=True), cycle._recursion(72, valued=True))),
    }


class _Tree:
    """CPU seconds of this process and all that it started, also of what has ended since: looked at once a
    second, for nobody may have waited for a worker that Spark ended."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.seconds()
            time.sleep(1)

    def seconds(self) -> float:
        """How many so far."""
        stats: dict[int, list[str]] = {}
        children: dict[int, list[int]] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(path.parent.name)] = fields
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
        left = [os.getpid()]
        with self._lock:
            while left:
                process = left.pop()
                if fields := stats.get(process, []):
                    self._seen[process, fields[19]] = int(fields[11]) + int(fields[12])  # user, system
                left += children.get(process, [])
            return sum(self._seen.values()) / _TICKS


@lru_cache(1)
def _tree() -> _Tree:
    return _Tree()


def _took(work: Callable[[], Any], runs: int = 1) -> Measured[Any]:
    """As `bench._measure.cpu`, for the whole tree of processes."""
    seconds = []
    for _ in range(runs):
        begin = _tree().seconds()
        answer = work()
        seconds.append(_tree().seconds() - begin)
    return Measured(min(seconds), seconds[0], answer)


def _against_sql(spark: Any, columns: Columns, folder: Path, small: bool) -> dict[str, Any]:
    """Our kernels and SQL on one Spark: the CPU seconds of both, and how many findings both had."""
    from comity.monitoring.spark import Spark

    rules = _rules(small)
    chosen = {name: settings(plugins.load("typologies", name).SPEC) for name in rules}
    runs = 1 if small else 3
    ours = _took(lambda: dict(Spark(spark, folder).hits(columns, chosen)), runs)
    said: dict[str, Any] = {"ours": ours.best, "once": ours.once, "sql": {}, "first": 0.0, "found": 0}
    rows = {name: getattr(columns, name) for name in ("time", "src", "dst", "value")}
    parquet.write_table(pa.table({"e": range(len(columns)), **rows}), folder / "t.parquet")
    spark.read.parquet(str(folder / "t.parquet")).createOrReplaceTempView("t")
    for name, (module, queries) in rules.items():
        expected = module._ours(columns, ours.answer[name])
        assert expected, name
        ways = [_took(lambda query=query: spark.sql(_words(query)).toArrow(), runs) for query in queries]
        for way in ways:
            assert module._theirs(rows_of(way.answer)) == expected, f"{name}: Spark SQL finds something else"
        best = min(ways, key=lambda way: way.best)
        said["sql"][name] = best.best
        said["first"] += best.first
        said["found"] += len(expected)
    return said


def _both_engines(spark: Any, columns: Columns, folder: Path) -> dict[str, Any]:
    """Every typology in process and on Spark: asserts that findings and what was cut are the same bytes."""
    from comity.monitoring.spark import Spark

    mine = _took(lambda: monitor(columns))
    theirs = _took(lambda: monitor(columns, engine=Spark(spark, folder)))
    here, there = mine.answer, theirs.answer
    rules = sorted({finding.rule for finding in here.findings})
    for rule in rules:
        one, other = (
            to_json([finding for finding in outcome.findings if finding.rule == rule])
            for outcome in (here, there)
        )
        assert one == other, f"{rule}: the engines differ"
    assert to_json(here) == to_json(there)
    return {"process": mine.best, "spark": theirs.best, "rules": len(rules), "findings": len(here.findings)}


def child(folder: Path, small: bool) -> None:
    """All measurements, in a process of its own: what it finds goes to standard output as JSON."""
    from comity.monitoring.spark import session

    parts = {"spark.sql.shuffle.partitions": "2"} if small else {}
    start = _took(lambda: session("local[2]", settings=parts))
    spark = start.answer
    said: dict[str, Any] = {"start": start.best, "spark": spark.version}
    said["sql"] = _against_sql(spark, take(folder / "patterns"), folder, small)
    said["both"] = _both_engines(spark, take(folder / "world"), folder)
    spark.stop()
    print(json.dumps(said))


def run(scale: float) -> list[Row]:
    """See the contract in `bench`. Spark runs in a process of its own, on columns that it maps from disk."""
    planted, whole = (make(round(TRANSFERS * scale)) for make in (lambda n: patterns(n)[0], world))
    with TemporaryDirectory() as place:
        lay(planted, Path(place) / "patterns")
        lay(whole, Path(place) / "world")
        call = f"child(Path({place!r}), small={scale < 0.1})"
        program = f"from pathlib import Path; from bench.engines import child; {call}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    sql, both, peer = said["sql"], said["both"], f"Spark {said['spark']} local[2]"
    each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sql["sql"].items())
    return [
        Row(
            f"{len(sql['sql'])} rules over {len(planted):,} transfers on Spark, {sql['found']:,} findings",
            sql["ours"],
            sum(sql["sql"].values()),
            f"{peer}, SQL",
            GOAL,
            once=sql["once"],
            note=f"SQL: {each}; the first time {sql['first']:.1f} in all; Spark had started before, for "
            f"{said['start']:.1f} CPU s",
        ),
        Row(
            f"every typology over {len(whole):,} transfers in process, {both['findings']:,} findings of "
            f"{both['rules']} rules, the same bytes on Spark",
            both["process"],
            both["spark"],
            f"our kernels on {peer}",
            note="both as findings in words",
        ),
    ]

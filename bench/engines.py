"""Two engines, the same findings: in process and on Spark; and on Spark, our kernels against Spark SQL.

The first row asserts that every typology finds the same on both engines, byte for byte. The second holds the
claim: six rules on one local Spark, through our kernels and as SQL of the same rules (that of the other files
here, in Spark's words), the same findings asserted. CPU seconds are those of the whole tree of processes: the
driver, the JVM and the Python workers. Both sides find the same Spark already started, ours first, so that
SQL has the warmer JVM.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from bench import Row, cycle, fan_in, layered_chain, pass_through, structuring, velocity
from bench._kernels import patterns, rows_of, settings
from bench._world import lay, take, world
from comity import plugins
from comity.codec import to_json
from comity.model import Columns
from comity.monitoring.run import monitor

CLAIM = (
    "Every typology finds the same on Spark as in process, and six rules cost a tenth of the CPU time there "
    "that they cost as Spark SQL."
)
GOAL = 10.0
TRANSFERS = 1_000_000
_CYCLE = {"min_length": 3, "max_length": 3}
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


_Rule = tuple[Any, dict[str, float], tuple[str, ...]]


def _rules() -> dict[str, _Rule]:
    """Each rule, what differs from its defaults, and the ways to say it in SQL."""
    return {
        "velocity": (velocity, {}, (velocity._sql(velocity._CLOCK), velocity._sql(velocity._DISTANCE))),
        "fan_in": (fan_in, {}, (fan_in._sql(fan_in._BUSY), fan_in._sql(fan_in._CLOCK))),
        "pass_through": (pass_through, {}, (pass_through._SQL,)),
        "structuring": (structuring, {}, (structuring._SQL,)),
        "layered_chain": (layered_chain, {}, (layered_chain._sql(layered_chain._CLOCK),)),
        "cycle": (cycle, _CYCLE, (cycle._links(72, valued=True, lengths=(3,)),)),
    }


def _tree() -> float:
    """CPU seconds so far of this process and all that it started, living or waited for."""
    used: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used[int(path.parent.name)] = sum(map(int, fields[11:15]))
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    total, left = 0, [os.getpid()]
    while left:
        process = left.pop()
        total += used.get(process, 0)
        left += children.get(process, [])
    return total / _TICKS


def _took(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = _tree()
    answer = work()
    return _tree() - begin, answer


def _against_sql(spark: Any, columns: Columns, folder: Path, ways: int) -> dict[str, Any]:
    """Our kernels and SQL on one Spark: the CPU seconds of both, and how many findings both had."""
    from comity.monitoring.spark import Spark

    rules = _rules()
    chosen = {
        name: settings(plugins.load("typologies", name).SPEC, **changed)
        for name, (_, changed, _) in rules.items()
    }
    seconds, hits = _took(lambda: dict(Spark(spark, folder).hits(columns, chosen)))
    said: dict[str, Any] = {"ours": seconds, "sql": {}, "found": 0}
    rows = {name: getattr(columns, name) for name in ("time", "src", "dst", "value")}
    parquet.write_table(pa.table({"e": range(len(columns)), **rows}), folder / "t.parquet")
    spark.read.parquet(str(folder / "t.parquet")).createOrReplaceTempView("t")
    for name, (module, _, queries) in rules.items():
        expected = module._ours(columns, hits[name])
        assert expected, name
        took = []
        for query in queries[:ways]:
            seconds, table = _took(lambda query=query: spark.sql(_words(query)).toArrow())
            assert module._theirs(rows_of(table)) == expected, f"{name}: Spark SQL finds something else"
            took.append(seconds)
        said["sql"][name] = min(took)
        said["found"] += len(expected)
    return said


def _both_engines(spark: Any, columns: Columns, folder: Path) -> dict[str, Any]:
    """Every typology in process and on Spark: asserts that findings and what was cut are the same bytes."""
    from comity.monitoring.spark import Spark

    mine, here = _took(lambda: monitor(columns))
    theirs, there = _took(lambda: monitor(columns, engine=Spark(spark, folder)))
    rules = sorted({finding.rule for finding in here.findings})
    for rule in rules:
        one, other = (
            to_json([finding for finding in outcome.findings if finding.rule == rule])
            for outcome in (here, there)
        )
        assert one == other, f"{rule}: the engines differ"
    assert to_json(here) == to_json(there)
    return {"process": mine, "spark": theirs, "rules": len(rules), "findings": len(here.findings)}


def child(folder: Path, ways: int) -> None:
    """All measurements, in a process of its own: what it finds goes to standard output as JSON."""
    from comity.monitoring.spark import session

    start, spark = _took(lambda: session("local[2]"))
    said = {"start": start + _took(lambda: spark.range(1000).count())[0], "spark": spark.version}
    said["sql"] = _against_sql(spark, take(folder / "patterns"), folder, ways)
    said["both"] = _both_engines(spark, take(folder / "world"), folder)
    spark.stop()
    print(json.dumps(said))


def run(scale: float) -> list[Row]:
    """See the contract in `bench`. Spark runs in a process of its own, on columns that it maps from disk."""
    count = round(TRANSFERS * scale)
    with TemporaryDirectory() as place:
        folder = Path(place)
        lay(patterns(count)[0], folder / "patterns")
        lay(world(count), folder / "world")
        ways = 2 if scale >= 0.1 else 1
        program = f"from pathlib import Path; from bench.engines import child; child(Path({place!r}), {ways})"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    sql, both, peer = said["sql"], said["both"], f"Spark {said['spark']} local[2]"
    each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sql["sql"].items())
    started = f"Spark had started, for {said['start']:.1f} CPU s"
    return [
        Row(
            f"six rules over {len(patterns(count)[0]):,} transfers on Spark, {sql['found']:,} findings",
            sql["ours"],
            sum(sql["sql"].values()),
            f"{peer}, SQL",
            GOAL,
            note=f"SQL: {each}; {started}",
        ),
        Row(
            f"every typology over {len(world(count)):,} transfers in process, {both['findings']:,} findings "
            f"of {both['rules']} rules, the same bytes on Spark",
            both["process"],
            both["spark"],
            f"our kernels on {peer}",
            note="both as findings in words",
        ),
    ]

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
        parts = found[1].split(", ")
        return f"named_struct({', '.join(f'{chr(39)}c{i + 1}{chr(39)}, {part}' for i, part in enumerate(parts))})"

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

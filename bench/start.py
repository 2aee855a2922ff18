"""How long the command takes to start, and a node's lists to be put in force."""

from __future__ import annotations

import json
import lzma
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import Row
from bench._measure import both
from comity.screening.store import ListStore, shipped

CLAIM = "`comity --help` starts in at most twenty times the CPU time of Python itself."
GOAL = 0.05


def _python(*given: str) -> int:
    return len(subprocess.run([sys.executable, *given], check=True, capture_output=True).stdout)


def _bundled() -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = ListStore(Path(folder))
        return sum(summary.entries for summary in store.bundled(datetime(2026, 11, 23, tzinfo=UTC)))


def _unpacked() -> int:
    count = 0
    for path in shipped():
        with lzma.open(path) as file:
            count += sum("entry_id" in json.loads(line) for line in file)
    return count


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    runs = 8 if scale >= 1 else 1
    ours, theirs = both(lambda: _python("-m", "comity", "--help"), lambda: _python("-c", "pass"), runs)
    assert ours.answer > 0
    lists, plain = both(_bundled, _unpacked)
    assert lists.answer == plain.answer
    python = f"Python {platform.python_version()}"
    return [
        Row("comity --help", ours.best, theirs.best, f"{python} -c pass", GOAL, once=ours.once),
        Row(
            work=f"a node's first start: {lists.answer:,} list entries checked, stored and synced",
            ours=lists.best,
            peer=plain.best,
            peer_version=f"{python}: unpacks the same file and parses its JSON, checks and keeps nothing",
        ),
    ]

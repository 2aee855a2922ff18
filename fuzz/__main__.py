"""Fuzz every reader in turn: `python -m fuzz [NAME …] --seconds N`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from comity import plugins

SEEDS = Path(__file__).parent / "seeds"
SEAMS = ("chains", "lists")


def targets() -> list[str]:
    """``SEAM.NAME`` of every reader."""
    return [f"{seam}.{name}" for seam in SEAMS for name in plugins.names(seam)]


def seed(target: str) -> Path:
    """The folder of seeds of a target, with the plug-in's own sample in it."""
    seam, _, name = target.partition(".")
    folder = SEEDS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sample").write_bytes(plugins.load(seam, name).SAMPLE)
    return folder


def main() -> int:
    """How many targets failed."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("names", nargs="*", help="targets (default: all)")
    given.add_argument("--seconds", type=int, default=60, help="for each target")
    asked = given.parse_args()
    chosen = [
        t for t in targets() if not asked.names or t.partition(".")[2] in asked.names or t in asked.names
    ]
    failed = []
    for target in chosen:
        print(f"{target}: {asked.seconds} s", flush=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fuzz.target", target, str(seed(target))),
                *(f"-max_total_time={asked.seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=20000"),
                *("-print_final_stats=1", f"-artifact_prefix=fuzz/found-{target}-"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        stats = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
        inputs = stats[-1].split()[-1] if stats else "?"
        print(f"  {inputs} inputs, {'FAILED' if done.returncode else 'held'}")
        if done.returncode:
            failed.append(target)
            print(done.stdout[-3000:], done.stderr[-3000:], sep="\n")
    print(f"{len(chosen) - len(failed)} passed, {len(failed)} failed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())

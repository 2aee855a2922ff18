"""`python -m bench [NAME] [--json] [--scale X]`: run the claims and show the table.

Exit status: 0 when every claim holds, 1 when one does not, 2 when there is no such claim. An answer that
differs from the peer's ends the run with its assertion.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

import bench


def as_dict(claim: str, name: str, row: bench.Row) -> dict[str, Any]:
    """One row as JSON has it."""
    return {
        "claim": claim,
        "name": name,
        "work": row.work,
        "ours": row.ours,
        "peer": row.peer,
        "peer_version": row.peer_version,
        "unit": row.unit,
        "ratio": row.ratio,
        "goal": row.goal,
        "holds": row.holds,
        "once": row.once,
        "note": row.note,
    }


def measure(name: str, scale: float) -> list[dict[str, Any]]:
    """Run one claim."""
    module = bench.load(name)
    return [as_dict(module.CLAIM, name, row) for row in module.run(scale)]


def show(console: Console, rows: list[dict[str, Any]]) -> None:
    """The rows of one claim as a table, under the claim."""
    table = Table(
        box=box.SIMPLE_HEAD, expand=True, title=rows[0]["claim"], title_justify="left", title_style="bold"
    )
    table.add_column("work", ratio=1)
    for heading in ("ours", "peer", "ratio", "goal", "holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        notes = [f"peer: {row['peer_version']}"] if row["peer_version"] else []
        notes += [f"once: {_figure(row['once'])} CPU s"] if row["once"] else []
        notes += [row["note"]] if row["note"] else []
        table.add_row(
            f"{row['work']} ({row['unit']})\n[dim]{'; '.join(notes)}[/]",
            _figure(row["ours"]),
            _figure(row["peer"]),
            _figure(row["ratio"]),
            _figure(row["goal"]),
            {True: "[green]yes[/]", False: "[red]NO[/]", None: ""}[row["holds"]],
        )
    console.print(table)


def _figure(value: float | None) -> str:
    """Three figures, or nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main(given: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run the claims, and the peers.")
    parser.add_argument("name", nargs="?", help=f"one of: {', '.join(bench.claims())}")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the work, 1 by default")
    asked = parser.parse_args(given)
    if asked.name and asked.name not in bench.claims():
        parser.error(f"no claim {asked.name!r}; there are: {', '.join(bench.claims())}")
    if not 0 < asked.scale <= 100:
        parser.error("the scale lies above 0, and is at most 100")
    console = Console()
    rows: list[dict[str, Any]] = []
    for name in [asked.name] if asked.name else bench.claims():
        rows += (found := measure(name, asked.scale))
        if not asked.json:
            show(console, found)
    failed = [row for row in rows if row["holds"] is False]
    if asked.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        console.print(
            f"{sum(row['holds'] is True for row in rows)} hold, {len(failed)} do not. Figures are CPU "
            "seconds unless said; ratio: how many times better than the peer; once: paid before the first."
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

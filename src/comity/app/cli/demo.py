"""``comity demo``: the main job, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import Json


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the nodes and their pages running.")] = False,
    seed: Annotated[int, typer.Option(help="The seed of the world.")] = 20261123,
    transfers: Annotated[int, typer.Option(help="At least this many transfers.")] = 200_000,
    to: Annotated[Path, typer.Option(help="Where the world, the nodes and the report go.")] = Path(
        "var/demo"
    ),
    as_json: Json = False,
) -> None:
    """Run a world of four countries: sixteen nodes find together, report, and freeze an account.

    Example: comity demo --keep
    """
    from comity.app.demo.run import run

    run(to, seed=seed, transfers=transfers, keep=keep, as_json=as_json)

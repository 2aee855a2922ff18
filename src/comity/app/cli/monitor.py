"""``comity monitor``: typologies and lists over a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import Json, Limit, emit, listings, table, working


def monitor(
    ledger: Annotated[Path, typer.Argument(help="The ledger's directory.")],
    only: Annotated[list[str] | None, typer.Option(help="Run these typologies only.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="TYPOLOGY.PARAMETER=VALUE.")] = None,
    lists: Annotated[Path | None, typer.Option(help="Directory of lists to screen accounts against.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Run the typologies over a ledger and screen its accounts.

    Example: comity monitor ./ledger --only fan_in --set fan_in.min_senders=12
    """
    from comity import flow
    from comity.ledger.store import Ledger

    with working("Monitoring", as_json) as say:
        done = flow.detect(
            Ledger.open(ledger),
            listings(lists),
            only=only,
            parameters=_parameters(set_ or []),
            progress=lambda name, done, of: say(f"{name} ({done + 1} of {of})"),
        )
    found = done.findings
    rows = [(f.level.value, f.rule, f"{f.score:.2f}", f.subject, f.reasons[0]) for f in found[:limit]]
    title = (
        f"{len(found):,} finding"
        + ("s" if len(found) != 1 else "")
        + (f", the first {limit}" if len(found) > limit else "")
    )
    notes = [
        f"{one.rule} was not searched to the end at {len(one.accounts):,} accounts, {one.accounts[0]} among "
        f"them: there may be more. Narrow it, or raise its budget with --set {one.rule}.budget=N."
        for one in done.unfinished
    ]
    emit(as_json, done, table(title, ("level", "rule", "score", "subject", "why"), rows, notes=notes))


def _parameters(given: list[str]) -> dict[str, dict[str, float]]:
    from comity.app.cli._common import pairs
    from comity.errors import BadInput

    chosen: dict[str, dict[str, float]] = {}
    for name, value in pairs(given, "--set").items():
        typology, dot, parameter = name.partition(".")
        try:
            chosen.setdefault(typology, {})[parameter] = float(value)
        except ValueError:
            dot = ""
        if not dot:
            raise BadInput(
                f"--set {name}={value} is not TYPOLOGY.PARAMETER=NUMBER",
                remedy="write for example --set fan_in.min_senders=12",
            )
    return chosen

"""``comity monitor``: typologies and lists over a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, Limit, emit, listings, pairs, table, working

if TYPE_CHECKING:
    from comity.monitoring.run import Engine


class Where(StrEnum):
    LOCAL = "local"
    SPARK = "spark"


def monitor(
    ledger: Annotated[Path, typer.Argument(help="The ledger's directory.")],
    only: Annotated[list[str] | None, typer.Option(help="Run these typologies only.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="TYPOLOGY.PARAMETER=VALUE.")] = None,
    lists: Annotated[
        Path | None, typer.Option(help="Directory of lists: who is behind which account.")
    ] = None,
    engine: Annotated[Where, typer.Option(help="In this process, or on Apache Spark.")] = Where.LOCAL,
    master: Annotated[str, typer.Option(help="Spark's master.")] = "local[*]",
    staging: Annotated[
        Path | None, typer.Option(help="A directory that all of Spark's machines see under this path.")
    ] = None,
    spark: Annotated[list[str] | None, typer.Option(help="A setting of Spark's own, NAME=VALUE.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Keep here where this run ended, and next time look at what is new only."),
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Run the typologies over a ledger, with the law of its countries, and screen its accounts.

    Example: comity monitor ./ledger --only fan_in --set fan_in.min_senders=12
    """
    from comity import flow
    from comity.ledger.store import Ledger
    from comity.standard.load import load

    opened, parameters = Ledger.open(ledger), _parameters(set_ or [])
    with working("Monitoring", as_json) as say, _engine(engine, master, staging, ledger, spark) as chosen:
        entries = tuple(listings(lists))
        done = flow.detect(
            opened,
            entries,
            only=only,
            parameters=parameters,
            knowledge=flow.know(entries, load(), reference=opened.reference),
            engine=chosen,
            state=state,
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


@contextmanager
def _engine(
    where: Where, master: str, staging: Path | None, ledger: Path, settings: list[str] | None
) -> Iterator[Engine | None]:
    """The engine asked for; Spark's session ends with it."""
    given = pairs(settings, "--spark")
    if where is Where.LOCAL:
        yield None
        return
    from comity.monitoring.spark import Spark, session

    started = session(master, settings=given)
    try:
        yield Spark(started, (staging or ledger).absolute())
    finally:
        started.stop()


def _parameters(given: list[str]) -> dict[str, dict[str, float]]:
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

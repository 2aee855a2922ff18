"""``comity standard export`` and ``comity standard report``: files for sheets, machines and printers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import Json, OnDate, day, emit, facts
from comity.app.cli.compare import volumes
from comity.errors import BadInput

_Since = Annotated[str, typer.Option(help="Changes after this day. Default: five years back.")]
_Until = Annotated[str, typer.Option(help="Changes up to this day. Default: five years ahead.")]
_Ledger = Annotated[Path | None, typer.Option(help="Weight corridors by the volume this ledger moves.")]


def export(
    kind: Annotated[str, typer.Argument(help="matrix, provisions, gaps, corridors or changes.")],
    country: Annotated[str, typer.Option(help="One jurisdiction, such as sg. Default: all.")] = "",
    on: OnDate = "",
    since: _Since = "",
    until: _Until = "",
    ledger: _Ledger = None,
    form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    out: Annotated[Path | None, typer.Option(help="A file. Default: standard output.")] = None,
    as_json: Json = False,
) -> None:
    """Export the standard as rows, each with the source, confidence and basis of what it says.

    Example: comity standard export gaps --country sg --format csv --out gaps.csv
    """
    from comity.app.standard.export import Ask
    from comity.app.standard.export import export as made
    from comity.standard.load import load

    ask = Ask(
        kind,
        day(on),
        country,
        day(since) if since else None,
        day(until) if until else None,
        volumes(ledger),
    )
    found = made(load(), ask, "json" if as_json else form)
    if out is None:
        sys.stdout.write(found.data.decode())
    else:
        _write(out, found.data)


def report(
    country: Annotated[str, typer.Argument(help="A jurisdiction such as sg.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    on: OnDate = "",
    as_json: Json = False,
) -> None:
    """Write one country's gaps, with the exact text to adopt, as one HTML file to print.

    Example: comity standard report sg --on 2026-11-25 --out sg.html
    """
    from comity.app.standard.report import page
    from comity.app.standard.report import report as made
    from comity.standard.load import load

    found = made(load(), country, day(on))
    _write(out, page(found).encode())
    answer = {
        "file": out.name,
        "jurisdiction": country.lower(),
        "gaps": len(found.open),
        "below_high": found.unsure,
    }
    said = [("gaps, each with the text to adopt", len(found.open)), ("below high confidence", found.unsure)]
    emit(as_json, answer, facts(out.name, said))


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: what was there stays until the new file is whole. Raises BadInput."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise BadInput(
            f"cannot write {path}", why=str(error.strerror), remedy="choose another file"
        ) from None


def register(app: typer.Typer) -> None:
    """Add the two commands to ``comity standard``."""
    app.command("export")(export)
    app.command("report")(report)

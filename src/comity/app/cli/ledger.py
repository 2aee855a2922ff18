"""``comity ledger``: the transfer store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, emit, facts, pairs, rates, reading, table, utc_now

if TYPE_CHECKING:
    from comity.ledger.store import Ledger

app = typer.Typer(help="The transfer store: ingest files, query with SQL.", no_args_is_help=True)
Into = Annotated[Path, typer.Option("--into", help="The ledger's directory; made if there is none.")]


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="A block, pacs.008 message, CSV or Parquet file.")],
    into: Into,
    chain: Annotated[str, typer.Option(help="Its format, if it is not to be recognised.")] = "",
    option: Annotated[list[str] | None, typer.Option(help="An option of the reader, NAME=VALUE.")] = None,
    rate: Annotated[
        list[str] | None, typer.Option(help="ASSET=VALUE of one unit in the reference asset.")
    ] = None,
    reference: Annotated[str, typer.Option(help="Reference asset of a new ledger.")] = "",
    as_json: Json = False,
) -> None:
    """Read a file into a ledger: all of it, or, on any fault, nothing.

    Example: comity ledger ingest transfers.csv --into ./ledger --rate iso4217:EUR=1.08
    """
    from comity import flow

    options, worth = pairs(option, "--option"), rates(rate)
    with _open(into, file, chain, reference) as ledger, reading(file, as_json) as wrap:
        done = flow.read(
            file, ledger, now=utc_now(), chain=chain or None, options=options, rates=worth, wrap=wrap
        )
    sides = [("inputs", done.inputs), ("outputs", done.outputs)] if done.inputs or done.outputs else []
    if unvalued := ledger.query("SELECT count(*) FROM transfers WHERE value IS NULL")[1][0][0]:
        said = f"{unvalued:,} transfers here have no value in {ledger.reference.symbol}"
        hint = "rules about money pass over them; --rate ASSET=VALUE gives one"
        done = replace(done, notes=(*done.notes, f"{said}: {hint}"))
    emit(
        as_json,
        done,
        facts(
            f"{file.name} into {into}",
            [
                ("read as", done.chain),
                ("transactions", done.transactions),
                *sides,
                ("transfers", done.transfers),
                *([("merkle root verified", done.merkle_root_verified)] if done.merkle_root_verified else []),
                *(("note", note) for note in done.notes),
            ],
        ),
    )


@contextmanager
def _open(into: Path, file: Path, chain: str, reference: str) -> Iterator[Ledger]:
    """The ledger in a directory, or a new one with the reference asset that suits the file.

    A new one is taken away again when nothing came into it: the next file may suit another.
    """
    from comity import intake, plugins
    from comity.ledger.store import Ledger
    from comity.model import AssetId

    if (into / "manifest.json").exists():
        yield Ledger.open(into)
        return
    if chain:
        plugin = plugins.load("chains", chain)
    else:
        with intake.open_source(file) as stream:
            plugin = plugins.recognise("chains", intake.peek(stream))
    ledger = Ledger.create(into, AssetId.parse(reference or plugin.SPEC.reference))
    try:
        yield ledger
    finally:
        if not len(ledger):
            (into / "manifest.json").unlink()
            (into / "lock").unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else too
                into.rmdir()


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A SELECT over the view `transfers`.")],
    into: Annotated[Path, typer.Option("--ledger", help="The ledger's directory.")],
    as_json: Json = False,
) -> None:
    """Ask a ledger in SQL, read-only.

    Example: comity ledger query "SELECT count(*) FROM transfers" --ledger ./ledger
    """
    from comity.ledger.store import Ledger

    names, rows = Ledger.open(into).query(sql)
    plain = [
        [None if cell is None else cell if isinstance(cell, (int, float)) else str(cell) for cell in row]
        for row in rows
    ]
    emit(as_json, {"columns": list(names), "rows": plain}, table("Rows", names, plain))

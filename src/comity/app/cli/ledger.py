"""``comity ledger``: the transfer store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, emit, facts, pairs, rates, reading, table, utc_now

if TYPE_CHECKING:
    from comity.ledger.recorded import Entry
    from comity.ledger.store import Ledger

app = typer.Typer(
    help="The transfer store: ingest files, correct transfers, query with SQL.", no_args_is_help=True
)
Into = Annotated[Path, typer.Option("--into", help="The ledger's directory; made if there is none.")]
Dir = Annotated[Path, typer.Option("--ledger", help="The ledger's directory.")]
Rate = Annotated[
    list[str] | None,
    typer.Option(help="ASSET=VALUE of one unit in the reference asset, on any day."),
]
RateFile = Annotated[
    Path | None,
    typer.Option("--rates", help="CSV of dated rates: asset,date,value,source. They come before --rate."),
]
Since = Annotated[str, typer.Option("--since", help="Only transfers from this day on, YYYY-MM-DD.")]
Until = Annotated[str, typer.Option("--until", help="Only transfers before this day, YYYY-MM-DD.")]


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="A block, pacs.008 message, CSV or Parquet file.")],
    into: Into,
    chain: Annotated[str, typer.Option(help="Its format, if it is not to be recognised.")] = "",
    option: Annotated[list[str] | None, typer.Option(help="An option of the reader, NAME=VALUE.")] = None,
    rate: Rate = None,
    rate_file: RateFile = None,
    reference: Annotated[str, typer.Option(help="Reference asset of a new ledger.")] = "",
    as_json: Json = False,
) -> None:
    """Read a file into a ledger: all of it, or, on any fault, nothing.

    Example: comity ledger ingest transfers.csv --into ./ledger --rate iso4217:EUR=1.08
    """
    from comity import flow

    options, worth = pairs(option, "--option"), rates(rate, rate_file)
    with _open(into, file, chain, reference) as ledger, reading(file, as_json) as wrap:
        done = flow.read(
            file, ledger, now=utc_now(), chain=chain or None, options=options, rates=worth, wrap=wrap
        )
    sides = [("inputs", done.inputs), ("outputs", done.outputs)] if done.inputs or done.outputs else []
    if unvalued := ledger.query("SELECT count(*) FROM transfers WHERE value IS NULL")[1][0][0]:
        said = f"{unvalued:,} transfers here have no value in {ledger.reference.symbol}"
        hint = "rules about money pass over them; --rates FILE or --rate ASSET=VALUE gives one"
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
        if not ledger.version:
            (into / "manifest.json").unlink()
            (into / "lock").unlink(missing_ok=True)
            with suppress(OSError):  # it holds something else too
                into.rmdir()


@app.command()
def correct(
    file: Annotated[Path, typer.Argument(help="CSV or JSON of corrections.")],
    into: Annotated[Path, typer.Option("--into", help="The ledger's directory.")],
    reason: Annotated[str, typer.Option(help="Why: the history of each transfer shows it.")],
    by: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    option: Annotated[list[str] | None, typer.Option(help="An option of the table's reader.")] = None,
    rate: Rate = None,
    rate_file: RateFile = None,
    as_json: Json = False,
) -> None:
    """Replace transfers that were wrong, or void those that never were. What was recorded stays in history.

    CSV: the columns of a table of transfers, and `corrects` with the id of the earlier transfer; `void`
    with `yes` where it never was. JSON: a list of {"corrects": ID, "transfer": {…}} or of
    {"corrects": ID, "void": true}.

    Example: comity ledger correct fixes.csv --into ./ledger --reason "payee misread, letter of 3 March"
    """
    from comity.ledger.corrections import read_corrections
    from comity.ledger.store import Ledger

    ledger, now = Ledger.open(into), utc_now()
    given = read_corrections(file, now=now, options=pairs(option, "--option"))
    notes = list(given.notes)
    ledger.correct(
        given.replacements,
        given.voids,
        reason=reason,
        by=by,
        at=now,
        rates=rates(rate, rate_file),
        source=file.name,
        notes=notes,
    )
    replaced, void = len(given.replacements), len(given.voids)
    emit(
        as_json,
        {"replaced": replaced, "void": void, "version": ledger.version, "notes": notes},
        facts(
            f"{file.name} into {into}",
            [
                ("replaced", replaced),
                ("void", void),
                ("version", ledger.version),
                *(("note", note) for note in notes),
            ],
        ),
    )


@app.command()
def history(
    transfer: Annotated[str, typer.Argument(help="The id of a transfer, as it was or as it is.")],
    into: Dir,
    as_json: Json = False,
) -> None:
    """What was ever recorded of a transfer: as it was added, and each correction with its reason.

    Example: comity ledger history T-1 --ledger ./ledger
    """
    from comity.ledger.store import Ledger

    entries = Ledger.open(into).history(transfer)
    names = (
        "version",
        "id",
        "what",
        "time",
        "from",
        "to",
        "amount",
        "value",
        "rate",
        "reason",
        "by",
        "counts",
    )
    rows = [_entry(entry) for entry in entries]
    emit(as_json, entries, table(f"History of {transfer}", names, rows, whole=("id",)))


def _entry(entry: Entry) -> tuple[object, ...]:
    what = (
        "added" if not entry.corrects else "void" if entry.transfer is None else f"replaces {entry.corrects}"
    )
    counts = "yes" if entry.counts else "no"
    if entry.transfer is None:
        return (entry.version, entry.id, what, *[""] * 6, entry.reason, entry.by, counts)
    moved, rate = entry.transfer, entry.rate
    return (
        entry.version,
        entry.id,
        what,
        moved.time.isoformat(),
        moved.originator,
        moved.beneficiary,
        moved.amount or "",
        "" if moved.value is None else moved.value,
        f"{rate.value} ({rate.source}, {rate.on})" if rate else "",
        entry.reason,
        entry.by,
        counts,
    )


@app.command()
def compact(into: Dir, as_json: Json = False) -> None:
    """Put a ledger's files into few, each of its own months, so that queries of a period open one of them.

    Example: comity ledger compact --ledger ./ledger
    """
    from comity.ledger.store import Ledger

    done = Ledger.open(into).compact()
    left = [] if done.swept else [("note", "a reader still has old files open: compact again to delete them")]
    rows = [("files before", done.before), ("files now", done.after), ("facts", done.facts), *left]
    emit(as_json, done, facts(f"{into} compacted", rows))


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="A SELECT over the views `transfers` and `history`.")],
    into: Dir,
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(help="Rows to show.", min=1, max=1_000_000)] = 10_000,
    as_json: Json = False,
) -> None:
    """Ask a ledger in SQL, read-only. With --since and --until, files of other periods are not opened.

    Example: comity ledger query "SELECT count(*) FROM transfers" --ledger ./ledger
    """
    from comity.ledger.store import Ledger

    names, rows = Ledger.open(into).query(
        sql, limit=limit, since=_day(since, "--since"), until=_day(until, "--until")
    )
    plain = [
        [None if cell is None else cell if isinstance(cell, (int, float)) else str(cell) for cell in row]
        for row in rows
    ]
    emit(as_json, {"columns": list(names), "rows": plain}, table("Rows", names, plain))


def _day(text: str, option: str) -> datetime | None:
    from datetime import UTC, time

    from comity import intake

    return datetime.combine(intake.day(text, option), time(), UTC) if text else None

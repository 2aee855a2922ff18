"""What every command shares: its options, its two ways of answering, progress, and the present time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer
from platformdirs import user_data_path

from comity.errors import BadInput, NotFound

if TYPE_CHECKING:
    from rich.console import Console

    from comity.ledger.rates import RateTable
    from comity.model import Listing
    from comity.node.node import Node

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
Limit = Annotated[int, typer.Option(help="Rows to show.", min=1, max=1_000_000)]
OnDate = Annotated[str, typer.Option("--on", help="The law of this day, YYYY-MM-DD. Default: today.")]


HOME = user_data_path("comity", appauthor=False)
Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="COMITY_HOME",
        help="The node's home directory.",
        show_default="the user's data directory",
    ),
]


def utc_now() -> datetime:
    return datetime.now(UTC)


def day(text: str) -> date:
    """The day of an ``--on`` option; today when it is empty. Raises BadInput."""
    from comity import intake

    return intake.day(text, "--on") if text else utc_now().date()


def console(*, err: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=err, highlight=False, emoji=False)  # ":x:" is part of an account


def emit(as_json: bool, answer: Any, render: Callable[[Console], None]) -> None:
    """Print the answer: JSON of nouns and plain values, or what ``render`` draws for people."""
    if as_json:
        from comity.codec import to_plain

        sys.stdout.write(json.dumps(to_plain(answer), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    else:
        render(console())


def _say(out: Console, notes: Sequence[str]) -> None:
    from rich.markup import escape

    for note in notes:
        out.print(escape(note))


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    whole: Sequence[str] = (),
    total: int = 0,
    notes: Sequence[str] = (),
) -> Callable[[Console], None]:
    """A renderer of one table, and ``notes`` below it; says so when it is empty. Numbers stand to the right.

    Columns named in ``whole`` are never broken: where the window is narrow the others give way. With a
    ``total`` above the rows it says how many there are.
    """

    def render(out: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        if not rows:
            out.print(f"{title}: none")
            _say(out, notes)
            return
        grid = Table(title=title, title_justify="left", header_style="bold")
        for index, name in enumerate(columns):
            numeric = all(isinstance(row[index], (int, float)) for row in rows)
            justify: Literal["left", "right"] = "right" if numeric else "left"
            grid.add_column(name, justify=justify, overflow="fold", no_wrap=name in whole)
        for row in rows:
            grid.add_row(*(f"{cell:,}" if isinstance(cell, int) else escape(str(cell)) for cell in row))
        out.print(grid)
        if total > len(rows):
            out.print(f"{len(rows):,} of {total:,} shown; --limit shows more")
        _say(out, notes)

    return render


def facts(title: str, pairs: Sequence[tuple[str, object]]) -> Callable[[Console], None]:
    """A renderer of names and values, one a line."""

    def render(out: Console) -> None:
        from rich.markup import escape

        out.print(f"[bold]{escape(title)}[/bold]")
        width = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            lines = wrap(
                _shown(value),
                max(40, out.width - width - 4),
                break_long_words=False,
                break_on_hyphens=False,
            )
            for index, line in enumerate(lines or [""]):
                label = name if index == 0 else ""
                out.print(f"  {label.ljust(width)}  {escape(line)}", soft_wrap=True)

    return render


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def reading(path: Path, quiet: bool) -> Iterator[Callable[[BinaryIO], BinaryIO]]:
    """A bar over the bytes read of a file, on standard error; nothing when ``quiet`` or not a terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    out = console(err=True)
    if quiet or not out.is_terminal:
        yield lambda stream: stream
        return
    parts = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*parts, console=out, transient=True) as bar:
        size = path.stat().st_size if path.is_file() else 0
        packed = path.suffix in {".gz", ".bz2", ".xz"}
        yield lambda stream: bar.wrap_file(
            stream, total=None if packed else size, description=f"Reading {path.name}"
        )


@contextmanager
def working(label: str, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner with a changing word, on standard error."""
    out = console(err=True)
    if quiet or not out.is_terminal:
        yield lambda _text: None
        return
    with out.status(label) as status:
        yield lambda text: status.update(f"{label}: {text}")


def open_node(home: Path) -> Node:
    """The node in ``home``. Raises SettingsError when there is none."""
    from comity.node.node import Node

    return Node.open(home)


def read_file(path: Path, limit: int) -> bytes:
    """All of a small file. Raises BadInput, TooLarge."""
    from comity import intake

    with intake.open_source(path, limit=limit) as stream:
        return stream.read()


def listings(directory: Path | None) -> Iterator[Listing]:
    """The entries of the lists in a directory, none without one. Raises NotFound when it holds no list."""
    from comity.screening.store import ListStore

    if directory is None:
        return iter(())
    store = ListStore(directory)
    if not store.editions():
        raise NotFound(
            f"no lists in {directory}",
            why="what is screened against nothing looks clean",
            remedy="give the directory `lists` of a home, and load a list into it first",
        )
    return store.listings()


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a dict. Raises BadInput."""
    found: dict[str, str] = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise BadInput(f"{option} {item!r} is not NAME=VALUE", remedy=f"write {option} NAME=VALUE")
        found[name] = value
    return found


def rates(given: Sequence[str] | None, file: Path | None = None) -> RateTable:
    """``--rate ASSET=VALUE`` options and the ``--rates`` file. Raises BadInput."""
    from comity import intake
    from comity.ledger.rates import RateTable, read_rates
    from comity.model import AssetId, Rate

    now = utc_now()
    standing = [
        Rate(
            AssetId.parse(asset), intake.amount(value, f"--rate {asset}"), "given by the operator", now.date()
        )
        for asset, value in pairs(given, "--rate").items()
    ]
    return RateTable(read_rates(file, now) if file else (), standing)

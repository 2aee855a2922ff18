"""``comity trace``: where value went, or came from."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, emit, listings, utc_now, working

if TYPE_CHECKING:
    from rich.console import Console

    from comity.app.tracing import Ask
    from comity.tracing.trace import Method, Trace

SHOWN = 25


class Way(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


class How(StrEnum):
    """`comity.tracing.trace.Method`, without importing what it needs."""

    HAIRCUT = "haircut"
    POISON = "poison"
    FIFO = "fifo"
    LIFO = "lifo"


def trace(
    ledger: Annotated[Path, typer.Argument(help="The ledger's directory.")],
    account: Annotated[str, typer.Argument(help="The account to start from.")],
    direction: Annotated[Way, typer.Option(help="Where it went, or where it came from.")] = Way.FORWARD,
    method: Annotated[How, typer.Option(help="How an account shares out what it holds.")] = How.HAIRCUT,
    hops: Annotated[int, typer.Option(help="Stop after this many accounts.")] = 6,
    min_share: Annotated[float, typer.Option(help="Leave parts smaller than this share.")] = 0.001,
    amount: Annotated[str, typer.Option(help="Trace this much, not all that moved.")] = "",
    time: Annotated[str, typer.Option(help="Held then, ISO 8601. Default: the begin or end.")] = "",
    until: Annotated[str, typer.Option(help="Stop at this time (backward: the earliest).")] = "",
    lists: Annotated[
        Path | None, typer.Option(help="Directory of lists: exchanges and mixers end a path.")
    ] = None,
    expand: Annotated[
        list[str] | None, typer.Option(help="Draw this account by itself, and go on from it.")
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="All four methods side by side.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write the flow diagram here.")] = None,
    graphml: Annotated[Path | None, typer.Option(help="Write the graph here, for Gephi or yEd.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the steps here, one a row.")] = None,
    as_json: Json = False,
) -> None:
    """Trace value through a ledger in time order, with the reason each path ends.

    Example: comity trace ./ledger bip122:000000000019d6689c085ae165831e93:1A1z… --svg flow.svg
    """
    from comity.app import tracing
    from comity.ledger.store import Ledger
    from comity.screening.attribute import attributions
    from comity.tracing.layout import ON
    from comity.tracing.trace import Direction, Method

    columns = Ledger.open(ledger).columns()
    ask = tracing.Ask(
        account=tracing.account_of(columns, account),
        direction=Direction(direction.value),
        method=Method(method.value),
        hops=hops,
        min_share=min_share,
        until=_moment(until, "--until"),
        amount=_amount(amount),
        time=_moment(time, "--time"),
        opened=tuple(f"{ON}{tracing.account_of(columns, each)}" for each in expand or ()),
    )
    ask.check()
    attributed = attributions(listings(lists))
    with working("Tracing", as_json):
        every = tracing.compare(columns, ask, attributed) if compare else {}
        found = every[ask.method] if every else tracing.follow(columns, ask, attributed)
    files = {"Flow diagram": svg, "Graph": graphml, "Steps": csv}
    _write(found, ask, tracing.labels(attributed, {}), svg, graphml, csv)

    def render(out: Console) -> None:
        from rich.markup import escape

        _show(out, found, ask, every)
        for what, path in files.items():
            if path:
                out.print(f"{what}: {escape(str(path))}")

    emit(as_json, every or found, render)


def _write(
    found: Trace, ask: Ask, labels: dict[str, str], svg: Path | None, graphml: Path | None, csv: Path | None
) -> None:
    from comity.tracing.draw import flow_svg
    from comity.tracing.export import to_csv, to_graphml

    title = f"{ask.title(labels)} ({ask.note})"
    if svg:
        drawing = flow_svg(
            found, title=ask.title(labels), labels=labels, note=ask.note, opened=frozenset(ask.opened)
        )
        _whole(svg, drawing.encode())
    if graphml:
        _whole(graphml, to_graphml(found, labels, title))
    if csv:
        _whole(csv, to_csv(found, labels))


def _whole(path: Path, data: bytes) -> None:
    """All of it or nothing: what was there stays until the new file is whole."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _show(out: Console, found: Trace, ask: Ask, every: dict[Method, Trace]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out.print(
        f"{found.value:,.2f} traced {ask.direction.value} from {escape(ask.account)}: "
        f"{len(found.steps):,} steps; {ask.note}"
    )
    if not found.steps:
        came = "left" if ask.direction.value == Way.FORWARD.value else "came in"
        out.print(f"In this ledger nothing {came} here. Try the other --direction, or check the account.")
        return
    if found.estimated:
        out.print("Some values are not known and were taken as equal parts.")
    if every:
        out.print(_compared(every))
        return
    grid = Table(title="Where it ends", title_justify="left", header_style="bold")
    for name in ("value", "hop", "account", "why it ends there"):
        grid.add_column(name, overflow="fold", justify="right" if name in ("value", "hop") else "left")
    ranked = sorted(found.leaves, key=lambda one: -one.value)
    for leaf in ranked[:SHOWN]:
        grid.add_row(f"{leaf.value:,.2f}", str(leaf.hop), escape(leaf.account), leaf.reason.value)
    out.print(grid)
    if len(ranked) > SHOWN:
        out.print(f"{SHOWN} of {len(ranked):,} shown; --json and --graphml have all.")


def _compared(every: dict[Method, Trace]) -> object:
    """Where value ends by each method."""
    from rich.markup import escape
    from rich.table import Table

    from comity.tracing.trace import spread

    grid = Table(title="Where it ends, by method", title_justify="left", header_style="bold")
    for name in (*(method.value for method in every), "at least", "at most"):
        grid.add_column(name, justify="right")
    grid.add_column("account", overflow="fold")
    for one in spread(every)[:SHOWN]:
        values = (*one.by_method.values(), one.lowest, one.highest)
        grid.add_row(*(f"{value:,.2f}" if value else "–" for value in values), escape(one.account))
    return grid


def _moment(text: str, option: str) -> datetime | None:
    """The time of an option; None when it is empty. Raises BadInput."""
    from comity import intake

    return intake.instant(text, option, utc_now()) if text else None


def _amount(text: str) -> Decimal | None:
    from comity import intake

    return intake.amount(text, "--amount") if text else None

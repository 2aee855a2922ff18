"""``comity trace``: where value went, or came from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import Json, emit, listings, working


class Way(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


def trace(
    ledger: Annotated[Path, typer.Argument(help="The ledger's directory.")],
    account: Annotated[str, typer.Argument(help="The account to start from.")],
    direction: Annotated[Way, typer.Option(help="Where it went, or where it came from.")] = Way.FORWARD,
    hops: Annotated[int, typer.Option(help="Stop after this many accounts.")] = 6,
    min_share: Annotated[float, typer.Option(help="Leave parts smaller than this share.")] = 0.001,
    lists: Annotated[
        Path | None, typer.Option(help="Directory of lists: exchanges and mixers end a path.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the flow diagram here.")] = None,
    as_json: Json = False,
) -> None:
    """Trace value through a ledger in time order, shared out by haircut, with the reason each path ends.

    Example: comity trace ./ledger bip122:000000000019d6689c085ae165831e93:1A1z… --svg flow.svg
    """
    from comity.errors import BadInput
    from comity.ledger.store import Ledger
    from comity.tracing.trace import Bounds, Direction
    from comity.tracing.trace import trace as follow

    if not 1 <= hops <= 50 or not 0 < min_share <= 1:
        raise BadInput("bounds out of range", why="1 to 50 hops, a share in (0, 1]", remedy="correct them")
    labels = _labels(lists)
    with working("Tracing", as_json):
        found = follow(
            Ledger.open(ledger).columns(),
            account,
            Direction(direction.value),
            services={name for name, (service, _) in labels.items() if service},
            bounds=Bounds(hops=hops, min_share=min_share),
        )
    if svg:
        from comity.tracing.draw import flow_svg

        words = {name: label for name, (_, label) in labels.items()}
        svg.write_text(flow_svg(found, title=f"Flow {direction.value} from {account}", labels=words), "utf-8")

    def render(out: object) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        assert isinstance(out, Console)
        out.print(
            f"{found.value:,.2f} traced {direction.value} from {escape(account)}: {len(found.steps):,} steps"
        )
        if not found.steps:
            came = "left" if direction is Way.FORWARD else "came in"
            out.print(f"In this ledger nothing {came} here. Try the other --direction, or check the account.")
            return
        if found.estimated:
            out.print("Some values are not known and were taken as equal parts.")
        grid = Table(title="Where it ends", title_justify="left", header_style="bold")
        for name in ("value", "hop", "account", "why it ends there"):
            grid.add_column(name, overflow="fold", justify="right" if name in ("value", "hop") else "left")
        for leaf in sorted(found.leaves, key=lambda one: -one.value)[:25]:
            grid.add_row(f"{leaf.value:,.2f}", str(leaf.hop), escape(leaf.account), leaf.reason.value)
        out.print(grid)
        if svg:
            out.print(f"Flow diagram: {escape(str(svg))}")

    emit(as_json, found, render)


def _labels(lists: Path | None) -> dict[str, tuple[bool, str]]:
    """Wallets of the lists: whether tracing ends there, and what they are called."""
    services = {"exchange", "mixing_service", "mixer", "hosting", "marketplace", "gambling", "service"}
    return {
        str(wallet): (bool(services & set(one.programmes)), one.party.name)
        for one in listings(lists)
        for wallet in one.wallets
    }

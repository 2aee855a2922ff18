"""``comity authorise``: may this transfer be sent?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, open_node, read_file


def authorise(
    file: Annotated[Path, typer.Argument(help="One transfer as JSON, or a list of them.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Rule on a transfer before it is sent: lists, exposure, velocity and duties. Exit 0 only if all may go.

    Example: comity authorise transfer.json --home ./vasp
    """
    from comity import codec
    from comity.model import Ruling, Transfer
    from comity.standard.resolve import cited

    data = read_file(file, codec.MAX_BYTES)
    many = data.lstrip()[:1] == b"["
    transfers = codec.from_json(list[Transfer], data) if many else [codec.from_json(Transfer, data)]
    node = open_node(home)
    try:
        rulings = node.gate.rule(transfers)
    finally:
        node.close()

    def render(out: object) -> None:
        from rich.console import Console
        from rich.markup import escape

        assert isinstance(out, Console)
        for ruling in rulings:
            out.print(f"[bold]{ruling.ruling.value}[/bold] {escape(ruling.transfer)}")
            for ground in ruling.grounds:
                source = escape(cited(ground.source))
                out.print(f"  {ground.ruling.value}: {escape(ground.text)} [dim]{source}[/dim]")
            if ruling.duties:
                said = sorted(
                    {f"{duty.kind} ({duty.jurisdiction}, {duty.force.value})" for duty in ruling.duties}
                )
                out.print(f"  owed: {escape(', '.join(said))}")

    emit(as_json, rulings if many else rulings[0], render)
    if any(ruling.ruling is not Ruling.ALLOW for ruling in rulings):
        raise typer.Exit(6)

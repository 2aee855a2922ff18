"""``comity enforce``: freezes."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, facts, open_node, table

app = typer.Typer(help="Freezes: ask for one, carry one out, see what is frozen.", no_args_is_help=True)
By = Annotated[str, typer.Option(help="Who decides: a person's name.")]


@app.command()
def freeze(
    recipient: Annotated[str, typer.Argument(help="An institution of this country, or a foreign FIU.")],
    accounts: Annotated[list[str], typer.Argument(help="Account ids.")],
    case: Annotated[str, typer.Option(help="The case, decided with the verdict freeze.")],
    by: By,
    grounds: Annotated[str, typer.Option(help="Why.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """As an FIU, order an own institution, or ask a foreign FIU, to freeze accounts.

    Example: comity enforce freeze de-fiu acct:de-vasp-1:123 --case CASE --by "A. Analyst" --grounds "…"
    """
    from comity.model import AccountId
    from comity.node import freezing

    named = [AccountId.parse(account) for account in accounts]
    message = freezing.ask(open_node(home), recipient, named, case_id=case, by=by, grounds=grounds)
    emit(as_json, {"message": message.id}, facts("Queued", [("measure", message.id), ("to", recipient)]))


@app.command("carry-out")
def carry_out(
    message_id: Annotated[str, typer.Argument(help="A freeze request in the inbox.")],
    by: By,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """As the requested FIU, order the freeze of the own institutions that hold the accounts.

    Example: comity enforce carry-out MESSAGE --by "B. Officer"
    """
    from comity.node import freezing

    sent = freezing.carry_out(open_node(home), message_id, by=by)
    rows = [(one.id, one.recipient) for one in sent]
    emit(as_json, [one.id for one in sent], table("Ordered", ("measure", "of"), rows))


@app.command("list")
def list_(home: Home = HOME, as_json: Json = False) -> None:
    """List freezes ordered by this node or served on it.

    Example: comity enforce list
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.freezes.list_measures(conn)
    rows = [
        (
            m.state.value,
            m.served_on,
            ", ".join(map(str, m.accounts)),
            f"{m.until:%Y-%m-%d}" if m.until else "no end known",
            f"{m.legal_basis} ({m.confidence})",
        )
        for m in found
    ]
    emit(as_json, found, table("Freezes", ("state", "at", "accounts", "until", "law (confidence)"), rows))

"""``comity exchange``: sealed messages between nodes."""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, Limit, emit, facts, open_node, table

app = typer.Typer(help="Messages between nodes: ask, answer, read.", no_args_is_help=True)


@app.command()
def inbox(home: Home = HOME, limit: Limit = 20, as_json: Json = False) -> None:
    """List messages received, the newest first.

    Example: comity exchange inbox
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.mailbox.received(conn, limit)
    rows = [
        (f"{i.received:%Y-%m-%d %H:%M}", i.message.kind.value, i.message.sender, i.message.id) for i in found
    ]
    emit(as_json, [i.message for i in found], table("Received", ("when", "kind", "from", "id"), rows))


@app.command()
def outbox(home: Home = HOME, limit: Limit = 20, as_json: Json = False) -> None:
    """List messages sent or queued, with where each stands.

    Example: comity exchange outbox
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.mailbox.sent(conn, limit)
    rows = [
        (o.message.kind.value, o.message.recipient, o.state.value, o.attempts, o.message.id) for o in found
    ]
    answer = [{"message": o.message, "state": o.state.value, "attempts": o.attempts} for o in found]
    emit(as_json, answer, table("Sent", ("kind", "to", "state", "attempts", "id"), rows))


@app.command()
def read(
    message_id: Annotated[str, typer.Argument(help="The message's id.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Show one message and the terms that bind whoever uses it.

    Example: comity exchange read MESSAGE
    """
    from comity.codec import canonical

    node = open_node(home)
    with node.act() as conn:
        message = node.parcel(conn, message_id).message
    terms = message.handling
    said = [
        ("kind", message.kind.value),
        ("from", message.sender),
        ("to", message.recipient),
        ("purpose", terms.purpose),
        ("onward use", terms.onward_use.value.replace("_", " ")),
        ("legal basis", terms.legal_basis),
        *(("caveat", caveat) for caveat in terms.caveats),
        ("body", canonical(dict(message.body)).decode()[:2000]),
    ]
    emit(as_json, message, facts(f"Message {message.id}", said))


@app.command()
def ask(
    institution: Annotated[str, typer.Argument(help="An institution of the FIU's own country.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """As an FIU, ask an own institution what it watches.

    Example: comity exchange ask sg-vasp-1
    """
    from comity.node import finding_together

    message = finding_together.ask_watch(open_node(home), institution)
    emit(as_json, {"message": message.id}, facts("Queued", [("message", message.id), ("to", institution)]))


@app.command()
def answer(
    message_id: Annotated[str, typer.Argument(help="A request in the inbox.")],
    by: Annotated[str, typer.Option(help="Who answers: a person's name.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Have a request answered from what this node watches.

    Example: comity exchange answer MESSAGE --by "A. Analyst"
    """
    from comity.node import finding_together

    message = finding_together.answer(open_node(home), message_id, by=by)
    emit(
        as_json,
        {"message": message.id},
        facts("Queued", [("message", message.id), ("to", message.recipient)]),
    )

"""``comity node``: one organisation's node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, facts, open_node, read_file
from comity.model.party import Role

if TYPE_CHECKING:
    from comity.node.node import Node

app = typer.Typer(
    help="One organisation's node: make it, join a network, serve, see how it stands.", no_args_is_help=True
)


@app.command()
def init(
    id_: Annotated[str, typer.Option("--id", help="Short id, such as sg-fiu.")],
    name: Annotated[str, typer.Option(help="The organisation's name.")],
    role: Annotated[Role, typer.Option(help="What it is in the network.")],
    country: Annotated[list[str], typer.Option(help="ISO 3166-1 alpha-2; the first is its home.")],
    officer: Annotated[str, typer.Option(help="FIRST LAST: who answers for reports.")] = "",
    phone: Annotated[str, typer.Option(help="The officer's telephone number.")] = "",
    email: Annotated[str, typer.Option(help="The officer's e-mail address.")] = "",
    lei: str = "",
    bic: str = "",
    host: str = "127.0.0.1",
    peer_port: int = 8443,
    operator_port: int = 8080,
    database: Annotated[str, typer.Option(help="Database URL; none: SQLite in the home.")] = "",
    currency: Annotated[str, typer.Option(help="Currency of reports, ISO 4217.")] = "USD",
    rate: Annotated[list[str] | None, typer.Option(help="CUR=VALUE of one unit in US dollars.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Make a node: settings, keys, an operators' token and an empty store.

    Example: comity node init --id sg-fiu --name "STRO" --role fiu --country SG --home ./sg-fiu
    """
    from comity.node.node import Node
    from comity.node.settings import Settings

    first, _, last = officer.partition(" ")
    node = Node.create(
        Settings(
            home=home,
            id=id_,
            name=name,
            role=role.value,
            jurisdictions=tuple(code.upper() for code in country),
            lei=lei,
            bic=bic,
            host=host,
            peer_port=peer_port,
            operator_port=operator_port,
            database=database,
            local_currency=currency,
            rates=tuple(rate or ()),
            officer_first_name=first,
            officer_last_name=last,
            officer_phone=phone,
            officer_email=email,
        )
    )
    answer = {
        "id": id_,
        "home": str(home),
        "peers": node.settings.peer_url,
        "operators": node.settings.operator_url,
    }
    emit(as_json, answer, facts(f"Node {id_}", [*answer.items(), ("token", str(node.paths.token))]))


@app.command()
def member(home: Home = HOME) -> None:
    """Print the node's entry for the directory, for whoever signs the commons.

    Example: comity node member --home ./sg-fiu > sg-fiu.json
    """
    import sys

    from comity import codec

    sys.stdout.write(codec.to_json(open_node(home).entry()).decode() + "\n")


@app.command()
def join(
    root: Annotated[Path, typer.Option(help="The network's root of trust.")],
    commons: Annotated[Path, typer.Option(help="The signed bundle.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Join a network: check the commons against its root, and keep both.

    Example: comity node join --root root.json --commons commons.json
    """
    from comity.commons.commons import MAX_BUNDLE

    node = open_node(home)
    found = node.join(read_file(root, MAX_BUNDLE), read_file(commons, MAX_BUNDLE))
    answer = {"version": found.version, "members": len(node.directory.members)}
    emit(as_json, answer, facts("Joined", list(answer.items())))


@app.command()
def serve(home: Home = HOME) -> None:
    """Serve peers and operators until stopped.

    Example: comity node serve --home ./sg-fiu
    """
    from comity.app.serve import serve as run

    def ready(node: Node) -> None:
        typer.echo(
            f"{node.settings.id}: operators at {node.settings.operator_url} (token in {node.paths.token}), "
            f"peers at {node.settings.peer_url}. Ctrl-C stops."
        )

    run(home, ready)


@app.command()
def status(home: Home = HOME, as_json: Json = False) -> None:
    """Show what the node holds, in numbers.

    Example: comity node status
    """
    found = open_node(home).status()
    emit(as_json, found, facts(f"Node {found['id']}", list(found.items())))

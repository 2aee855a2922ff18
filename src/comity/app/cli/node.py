"""``comity node``: one organisation's node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import (
    HOME,
    Home,
    Json,
    emit,
    facts,
    open_node,
    pairs,
    rates,
    read_file,
    reading,
    working,
)
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
def ingest(
    file: Annotated[Path, typer.Argument(help="A block, pacs.008 message, CSV or Parquet file.")],
    option: Annotated[list[str] | None, typer.Option(help="An option of the reader, NAME=VALUE.")] = None,
    rate: Annotated[list[str] | None, typer.Option(help="ASSET=VALUE of one unit in US dollars.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Hop 1 on a node: read a file into its ledger, and note it in its log.

    Example: comity node ingest transfers.csv --rate iso4217:EUR=1.08
    """
    from comity.node import hops

    node = open_node(home)
    with reading(file, as_json) as wrap:
        done = hops.ingest(node, file, options=pairs(option, "--option"), rates=rates(rate), wrap=wrap)
    emit(as_json, done, facts(file.name, [("read as", done.chain), ("transfers", done.transfers)]))


@app.command()
def customers(
    file: Annotated[Path, typer.Argument(help="JSON Lines of account and party.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take in the institution's own customers, whose accounts findings and reports name.

    Example: comity node customers customers.jsonl
    """
    from comity.node import hops

    count = hops.load_customers(open_node(home), file)
    emit(as_json, {"accounts": count}, facts(file.name, [("accounts", count)]))


@app.command()
def detect(home: Home = HOME, as_json: Json = False) -> None:
    """Hop 2 on a node: monitor its ledger, screen its accounts, and keep the findings.

    Example: comity node detect
    """
    from comity.model import Level
    from comity.node import hops

    with working("Detecting", as_json) as say:
        done = hops.detect(
            open_node(home), progress=lambda name, done, of: say(f"{name} ({done + 1} of {of})")
        )
    alerts = sum(one.level is Level.ALERT for one in done.findings)
    short = {one.rule: len(one.accounts) for one in done.unfinished}
    answer = {"alerts": alerts, "watched": len(done.findings) - alerts}
    cut = [("not searched to the end", f"{rule}, at {count:,} accounts") for rule, count in short.items()]
    emit(as_json, {**answer, "unfinished": short}, facts("Found", [*answer.items(), *cut]))


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

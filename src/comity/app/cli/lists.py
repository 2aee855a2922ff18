"""``comity lists``: the authorities' lists a node screens against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, facts, pairs, table, utc_now, working

app = typer.Typer(help="Lists of sanctions and attributions: load, update, show.", no_args_is_help=True)


@app.command()
def load(
    file: Annotated[
        Path | None, typer.Argument(help="A file of a list; none: the extract that ships.")
    ] = None,
    home: Home = HOME,
    name: Annotated[str, typer.Option("--as", help="Store it under this name.")] = "",
    as_json: Json = False,
) -> None:
    """Read a list and put it in force.

    Example: comity lists load sdn.xml.gz
    """
    from comity.screening.store import ListStore

    store = ListStore(home / "lists")
    with working("Reading the list", as_json):
        done = [store.load(file, now=utc_now(), list_id=name or None)] if file else store.bundled(utc_now())
    if not done:
        return show(home, as_json)
    for one in done:
        said = [
            ("version", one.version),
            ("entries", one.entries),
            ("wallets", one.wallets),
            ("sha256", one.sha256),
        ]
        emit(as_json, one, facts(one.list, said))
    return None


@app.command()
def update(
    lists: Annotated[
        list[str] | None, typer.Argument(help="ofac_sdn, un_sc, eu_fsf; none: all three.")
    ] = None,
    home: Home = HOME,
    url: Annotated[list[str] | None, typer.Option(help="LIST=ADDRESS to fetch a list from.")] = None,
    as_json: Json = False,
) -> None:
    """Fetch the authorities' current files and put them in force.

    Example: comity lists update ofac_sdn
    """
    import httpx

    from comity.screening.store import ListStore

    wanted = lists or ["ofac_sdn", "un_sc", "eu_fsf"]
    with httpx.Client(timeout=60) as client, working("Fetching", as_json):
        done = ListStore(home / "lists").update(client, wanted, utc_now(), pairs(url, "--url"))
    rows = [(one.list, one.version, one.entries, one.wallets, one.replaced) for one in done]
    emit(as_json, done, table("Lists updated", ("list", "version", "entries", "wallets", "replaced"), rows))


@app.command("show")
def show(home: Home = HOME, as_json: Json = False) -> None:
    """Show the lists in force.

    Example: comity lists show
    """
    from comity.screening.store import ListStore

    found = ListStore(home / "lists").editions()
    rows = [(one.list_id, one.version, one.entries, one.origin) for one in found]
    emit(as_json, found, table("Lists in force", ("list", "version", "entries", "origin"), rows))


@app.command()
def extract(
    file: Annotated[Path, typer.Argument(help="A file of a list.")],
    to: Annotated[Path, typer.Argument(help="Where to write the extract (.jsonl.xz).")],
    as_json: Json = False,
) -> None:
    """Write a list in Comity's own compact form, with its date and origin.

    Example: comity lists extract sdn.xml.gz ofac_sdn.jsonl.xz
    """
    from comity import intake, plugins
    from comity.screening.extract import write_extract

    with intake.open_source(file) as stream, working("Writing the extract", as_json):
        edition = plugins.recognise("lists", intake.peek(stream)).read(stream)
        header = write_extract(edition, to)
    emit(
        as_json,
        header,
        facts(str(to), [("list", header.list_id), ("version", header.version), ("entries", header.entries)]),
    )

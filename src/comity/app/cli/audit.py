"""``comity audit``: the Merkle log of a node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, Limit, emit, facts, open_node, read_file, table

MAX_CHECKPOINT = 64 * 1024

app = typer.Typer(help="The audit log: verify it, read it, prove an entry.", no_args_is_help=True)


@app.command()
def verify(
    home: Home = HOME,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that somebody kept.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute the whole log, hold it against every signed checkpoint, and rulings on transfers against it.

    Example: comity audit verify --checkpoint kept.txt
    """
    from comity.node.authorising import verify_rulings

    node = open_node(home)
    if checkpoint:
        kept = read_file(checkpoint, MAX_CHECKPOINT).decode("utf-8", errors="replace")
        with node.act() as conn:
            node.audit.verify(conn, key=node.keys.signing.public_key(), checkpoint=kept)
    head, rulings = node.verify(), verify_rulings(node)
    answer = {"verified": True, "size": head.size, "root": head.root, "rulings": rulings}
    rows = [("entries", head.size), ("root", head.root), *([("rulings", rulings)] if rulings else [])]
    emit(as_json, answer, facts("The log holds", rows))


@app.command()
def show(
    home: Home = HOME,
    start: Annotated[int, typer.Option(help="First entry.", min=0, max=2**62)] = 0,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List entries in order.

    Example: comity audit show --start 100
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.audit.entries(conn, start, limit)
    rows = [(e.index, f"{e.at:%Y-%m-%d %H:%M:%S}", e.kind, e.leaf_hash[:16]) for e in found]
    emit(as_json, found, table("Audit log", ("entry", "when", "kind", "leaf"), rows))


@app.command()
def receipt(
    index: Annotated[int, typer.Argument(help="The entry.")], home: Home = HOME, as_json: Json = False
) -> None:
    """Print the proof that the log holds an entry (RFC 9162 inclusion proof).

    Example: comity audit receipt 12 --json
    """
    node = open_node(home)
    with node.act() as conn:
        found = node.audit.receipt(conn, index)
    emit(
        as_json,
        found,
        facts(f"Entry {index} of {found.size}", [("leaf", found.leaf_hash), ("root", found.root_hash)]),
    )

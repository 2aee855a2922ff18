"""``comity match``: which of my subjects do you also know?"""

from __future__ import annotations

from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, emit, open_node, table


def match(
    peer: Annotated[str, typer.Argument(help="Another FIU; none: show the results so far.")] = "",
    home: Home = HOME,
    ask: Annotated[bool, typer.Option(help="Ask the peer about what is in common.")] = False,
    join: Annotated[bool, typer.Option(help="Add up what was told, and keep new alerts.")] = False,
    as_json: Json = False,
) -> None:
    """Offer a private set intersection to another FIU, and see what came of it.

    The asking side learns which of its own watched keys the peer also watches; both learn how large the
    other's set is, to a power of two; nothing else.
    Example: comity match de-fiu
    """
    from comity.node import finding_together

    node = open_node(home)
    if peer and ask:
        message = finding_together.ask_common(node, peer)
        emit(as_json, {"message": message.id}, table("Asked", ("message", "to"), [(message.id, peer)]))
        return
    if join:
        found = finding_together.join(node)
        rows = [(f.rule, f.subject, f"{f.reasons[0]} {f.reasons[-1]}") for f in found]
        emit(as_json, found, table("Found together", ("rule", "subject", "why"), rows))
        return
    if peer:
        finding_together.offer_match(node, peer)
    known = finding_together.results(node)
    rows = [
        (m.peer, f"{m.asked:%Y-%m-%d %H:%M}", "waiting" if m.keys is None else str(len(m.keys)))
        for m in known
    ]
    emit(as_json, known, table("Matches", ("peer", "asked", "in common"), rows))

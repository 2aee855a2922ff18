"""``comity screen``: a name or a wallet against the lists in force."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from comity.app.cli._common import HOME, Home, Json, Limit, emit, table, utc_now, working
from comity.errors import BadInput

LIKE_A_WALLET = re.compile(r"\S+:\S+|0x\S*|(?=\S*[0-9])[A-Za-z0-9]{25,}")
"""An account id, or one long word with a digit in it: then it is screened as a wallet, and must be one."""


def screen(
    what: Annotated[str, typer.Argument(help="A name, or a wallet address or account id.")],
    birth: Annotated[str, typer.Option(help="Date or year of birth, YYYY-MM-DD.")] = "",
    country: Annotated[list[str] | None, typer.Option(help="Country: ISO 3166-1 code, or name.")] = None,
    limit: Limit = 10,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Screen a name or a wallet. Uses the lists in force in --home, or the extract that ships.

    Example: comity screen "Jon Smith" --birth 1970 --country GB
    """
    from comity.lists._wallets import typed
    from comity.screening.addresses import WalletIndex
    from comity.screening.names import NameIndex
    from comity.screening.store import ListStore

    if not what.strip():
        raise BadInput("nothing to screen", remedy="give a name or a wallet")
    countries = [_country(name) for name in country or ()]
    store = ListStore(home / "lists")
    with working("Reading the lists", as_json):
        if not store.editions():
            store.bundled(utc_now())
        if LIKE_A_WALLET.fullmatch(what.strip()):
            hits = WalletIndex(store.listings()).screen(typed(what))
        else:
            index = NameIndex(store.listings())
            hits = index.screen(what, birth_date=birth, countries=countries, limit=limit)
    rows = [(f"{hit.score:.2f}", hit.level.value, hit.evidence[0], hit.reasons[0]) for hit in hits]
    emit(as_json, hits, table(f"Hits for {what}", ("score", "level", "entry", "why"), rows))


def _country(name: str) -> str:
    """A country's code. Raises BadInput: one that is not known would look like a contradiction."""
    from comity.lists import _countries

    found = _countries.code(name)
    if not found:
        raise BadInput(f"no country {name[:40]!r}", remedy="write its ISO 3166-1 code, for example GB")
    return found

"""Who is behind which account: tags of TagPacks, actors of ActorPacks and wallets of sanctions lists in one.

The surest statement about an account stands for it, an authority's before an analyst's of the same
confidence; what else is said stays with it as ``others``. A tag that names an actor gains the actor's full
name, kinds and countries, but not where it says that the account belongs to who did the actor harm: the
thief's wallet is no wallet of the exchange that was robbed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from comity.model import MARKS, Attribution, Identifier, Listing, ListingKind, Mark

SANCTION = "sanction"
SERVICES = frozenset(
    category
    for category, mark in MARKS.items()
    if mark & (Mark.service() | Mark.DARKNET) and category != "miner"
)
"""Categories of who mixes what many customers own: beyond them a ledger does not show whose value it is."""
HARM = frozenset(
    {"abuse"}
    | {category for category, mark in MARKS.items() if mark & Mark.crime() & ~Mark.DARKNET} - {SANCTION}
)
"""Categories under which a tag's actor may be the victim."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One statement, of a listing: all its wallets share it. ``rank`` orders statements, the surest first."""

    attribution: Attribution
    rank: tuple[float, bool, str, str]


def attributions(listings: Iterable[Listing]) -> dict[str, Attribution]:
    """Every account that a list names, by its id, with the surest statement about it.

    The listings of all lists together: actors and the tags that name them come from different packs.
    """
    held = list(listings)
    actors = _actors(held)
    said: dict[str, list[_Said]] = {}
    for listing in held:
        if listing.wallets:
            one = _statement(listing, actors)
            for wallet in listing.wallets:
                said.setdefault(wallet.value, []).append(one)
    return {account: _surest(account, each) for account, each in said.items()}


def services(attributed: Mapping[str, Attribution]) -> frozenset[str]:
    """The accounts at which tracing ends, since anybody says that their holder mixes what many own."""
    return frozenset(
        account
        for account, one in attributed.items()
        if any(not SERVICES.isdisjoint(each.categories) for each in (one, *one.others))
    )


def _actors(listings: Iterable[Listing]) -> dict[str, Listing]:
    """Actors by every id they go by; of two that claim one id the entry of that very id has it."""
    found: dict[str, Listing] = {}
    for listing in listings:
        if listing.kind is ListingKind.ATTRIBUTION and not listing.wallets:
            for name in _ids(listing.party.identifiers):
                if name == listing.entry_id or name not in found:
                    found[name] = listing
    return found


def _ids(identifiers: Iterable[Identifier]) -> list[str]:
    return [each.value for each in identifiers if each.kind == "actor"]


def _statement(listing: Listing, actors: Mapping[str, Listing]) -> _Said:
    label, source = listing.party.name, listing.source or listing.list_id
    sanction = listing.kind is ListingKind.SANCTION
    if sanction:
        words = ", ".join(listing.programmes)
        one = Attribution(
            account="",
            label=label,
            actor="",
            categories=(SANCTION,),
            confidence=1.0,
            source=f"{source}, entry {listing.entry_id}{f' ({words})' if words else ''}",
            name=label,
            country=_one(listing.party.countries),
            countries=listing.party.countries,
        )
    else:
        # Editions stored before tags had identifiers hold the actor's id as an alias.
        named = next(iter([*_ids(listing.party.identifiers), *listing.party.aliases]), "")
        actor = actors.get(named) if HARM.isdisjoint(listing.programmes) else None
        gained = actor.programmes if actor else ()
        countries = actor.party.countries if actor else listing.party.countries
        one = Attribution(
            account="",
            label=label,
            actor=actor.entry_id if actor else named,
            categories=tuple(dict.fromkeys((*listing.programmes, *gained))),
            confidence=listing.confidence,
            source=f"{source}; actor {named}: {actor.list_id}" if actor else source,
            name=actor.party.name if actor else "",
            country=_one(countries),
            countries=countries,
        )
    return _Said(one, (-one.confidence, not sanction, listing.list_id, listing.entry_id))


def _one(countries: tuple[str, ...]) -> str:
    """Of several countries none is chosen: nobody says which of them this account is in."""
    return countries[0] if len(countries) == 1 else ""


def _surest(account: str, said: list[_Said]) -> Attribution:
    ranked = sorted(said, key=lambda one: one.rank)
    first, *rest = (replace(one.attribution, account=account) for one in ranked)
    kept: dict[tuple[str, str, tuple[str, ...]], Attribution] = {}
    known = _content(first)
    for other in rest:
        if _content(other) != known:
            kept.setdefault(_content(other), other)
    return replace(first, others=tuple(kept.values()))


def _content(one: Attribution) -> tuple[str, str, tuple[str, ...]]:
    return (one.label.casefold(), one.actor, one.categories)

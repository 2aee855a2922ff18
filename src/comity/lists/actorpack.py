"""GraphSense ActorPacks (YAML): who is behind the tags of TagPacks, with names, kinds and countries.

One `Listing` an actor, an attribution without wallets: TagPacks name the actor of an address by its id, which
is the entry's id here and its first identifier of kind ``actor``; further ones are other ids it goes by.
``screening.attribute`` brings the two together. An ActorPack states no confidence, and what states none
counts as ``unknown``, as in a TagPack.

Read as TagPacks are (`tagpack`): every scalar is text, no anchors, aliases or repeated keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from comity.errors import BadInput
from comity.lists import Edition, ListSpec, _yaml
from comity.lists._packs import UNDATED, UNKNOWN, load, slug, text, texts
from comity.lists._reading import squeeze, unique, version
from comity.model import Identifier, Listing, ListingKind, Party, PartyKind

SPEC = ListSpec(
    id="actorpack",
    authority="the pack's creator",
    title="GraphSense ActorPack",
    url="",
    at_least=1,
    terms="as the pack's creator grants; the public GraphSense packs are MIT",
)

_COUNTRY = re.compile(r"[A-Z]{2}")


def sniff(head: bytes) -> bool:
    """Whether the file begins as an ActorPack does."""
    lines = {line.split(b":")[0] for line in head.splitlines()}
    return b"actors" in lines and bool({b"title", b"creator"} & lines)


def read(stream: BinaryIO) -> Edition:
    """Read a whole ActorPack. Raises BadInput, TooLarge."""
    pack, actors = load(stream, "an ActorPack", "actors")
    title = squeeze(text(pack, "title")) or "untitled"
    list_id = f"actorpack.{slug(title)}"
    day = text(pack, "lastmod")
    dated = version(day, f"ActorPack {title!r}, lastmod") if day else UNDATED
    return Edition(list_id, dated, unique(_listings(actors, list_id)))


def _listings(actors: list[_yaml.Node], list_id: str) -> Iterator[Listing]:
    for number, actor in enumerate(actors, start=1):
        if not isinstance(actor, dict) or not text(actor, "id") or not squeeze(text(actor, "label")):
            raise BadInput(f"ActorPack: actor {number} has no id or no label", remedy="correct the pack")
        yield _listing(list_id, actor)


def _listing(list_id: str, actor: Mapping[str, _yaml.Node]) -> Listing:
    """One actor. The legal name, where the pack has one, is an alias: tags use the label."""
    own, uri = text(actor, "id"), squeeze(text(actor, "uri"))
    context = actor.get("context")
    legal = squeeze(text(context, "legal_name")) if isinstance(context, dict) else ""
    ids = dict.fromkeys((own, *texts(actor, "aliases")))
    countries = [code.upper() for code in texts(actor, "jurisdictions")]
    kept = tuple(dict.fromkeys(code for code in countries if _COUNTRY.fullmatch(code)))
    lost = [code for code in countries if code not in kept]
    name = squeeze(text(actor, "label"))
    return Listing(
        list_id=list_id,
        entry_id=own,
        kind=ListingKind.ATTRIBUTION,
        party=Party(
            name=name,
            kind=PartyKind.LEGAL if legal else PartyKind.UNKNOWN,
            aliases=(legal,) if legal not in ("", name) else (),
            countries=kept,
            identifiers=(
                *(Identifier("actor", each) for each in ids),
                *((Identifier("uri", uri),) if uri else ()),
            ),
        ),
        programmes=tuple(dict.fromkeys(texts(actor, "categories"))),
        source=uri,
        confidence=UNKNOWN,
        remarks=f"No country's code: {', '.join(lost)}."[:200] if lost else "",
    )


SAMPLE = b"""title: Comity sample actors
creator: Comity
description: fictional actors, for tests
lastmod: 2026-02-03
actors:
- id: sampleexchange
  label: Sample Exchange
  uri: exchange.example
  categories:
  - exchange
  - organization
  jurisdictions:
  - SG
  aliases:
  - sampleex
  context:
    legal_name: Sample Exchange Holdings Ltd
- id: samplemixer
  label: Sample Mixer
  uri: mixer.example
  categories:
  - mixing_service
  jurisdictions: []
"""

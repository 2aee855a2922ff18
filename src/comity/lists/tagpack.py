"""GraphSense TagPacks (YAML): public attributions of addresses to actors, services and crimes.

One `Listing` for all tags of a pack that agree in label, actor, category, source and confidence; its
wallets are their addresses, and its identifier of kind ``actor`` names an actor of an ActorPack.
``confidence`` is the figure the TagPack tool publishes for the word the tagger used (level / 100); the word
itself stays in the remarks. A word without a published figure counts as ``unknown`` (0.05). Fields of the
pack apply to every tag that does not say otherwise. The version is the latest ``lastmod``; a pack without
one is dated 1970-01-01, so that any dated edition replaces it.

The YAML is read event by event: every scalar is text, and anchors, aliases and repeated keys are refused,
so that no document can grow while it is read. Tags of transactions (``tx_hash``) are left out.

Source: github graphsense/graphsense-tagpack-tool, ``confidence.csv`` (MIT).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from comity.errors import BadInput
from comity.lists import Edition, ListSpec, _yaml
from comity.lists._packs import UNDATED, UNKNOWN, load, slug, text
from comity.lists._reading import squeeze, version, wallets
from comity.model import Identifier, Listing, ListingKind, Party

SPEC = ListSpec(
    id="tagpack",
    authority="the pack's creator",
    title="GraphSense TagPack",
    url="",
    at_least=1,
    terms="as the pack's creator grants; the public GraphSense packs are MIT",
)

CONFIDENCE = {
    "override": 1.0,
    "ownership": 1.0,
    "ledger_immanent": 1.0,
    "manual_transaction": 0.9,
    "service_api": 0.7,
    "forensic_investigation": 0.7,
    "authority_data": 0.6,
    "trusted_provider": 0.5,
    "service_data": 0.5,
    "forensic": 0.5,
    "untrusted_transaction": 0.4,
    "web_crawl": 0.2,
    "heuristic": 0.1,
    "unknown": UNKNOWN,
}
_FIELDS = ("label", "actor", "category", "abuse", "concepts", "source", "confidence")


def sniff(head: bytes) -> bool:
    """Whether the file begins as a TagPack does."""
    lines = {line.split(b":")[0] for line in head.splitlines()}
    return b"tags" in lines and bool({b"title", b"creator"} & lines)


def read(stream: BinaryIO) -> Edition:
    """Read a whole TagPack. Raises BadInput, TooLarge."""
    pack, tags = load(stream, "a TagPack", "tags")
    title = squeeze(text(pack, "title")) or "untitled"
    list_id = f"tagpack.{slug(title)}"
    days = [text(pack, "lastmod"), *(text(tag, "lastmod") for tag in tags if isinstance(tag, dict))]
    versions = [version(day, f"TagPack {title!r}, lastmod") for day in days if day]
    return Edition(list_id, max(versions, default=UNDATED), _listings(pack, tags, list_id))


def _listings(pack: Mapping[str, _yaml.Node], tags: list[_yaml.Node], list_id: str) -> Iterator[Listing]:
    groups: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for number, tag in enumerate(tags, start=1):
        if not isinstance(tag, dict):
            raise BadInput(f"TagPack: tag {number} is not a mapping", remedy="correct the pack")
        if "tx_hash" in tag and "address" not in tag:
            continue
        whole = {**pack, **tag}
        address, code = text(tag, "address"), text(whole, "network") or text(whole, "currency")
        if not address or not code or not text(whole, "label") + text(whole, "actor"):
            raise BadInput(
                f"TagPack: tag {number} has no address, no currency, or neither label nor actor",
                remedy="correct the pack",
            )
        key = tuple(text(whole, field) for field in _FIELDS)
        groups.setdefault(key, []).append((code, address))
    for key, rows in groups.items():
        yield _listing(list_id, dict(zip(_FIELDS, key, strict=True)), rows)


def _listing(list_id: str, said: Mapping[str, str], rows: list[tuple[str, str]]) -> Listing:
    accounts, notes = wallets(rows)
    label = squeeze(said["label"]) or said["actor"]
    digest = hashlib.sha256("\x1f".join(said.values()).encode()).hexdigest()[:10]
    word = said["confidence"] or "unknown"
    remarks = [f"The tagger's confidence: {word}."]
    if said["actor"]:
        remarks.append(f"Actor: {said['actor']}.")
    kinds = (said["category"], said["abuse"], *said["concepts"].split(", "))
    return Listing(
        list_id=list_id,
        entry_id=f"{slug(label)[:60]}-{digest}",
        kind=ListingKind.ATTRIBUTION,
        party=Party(
            name=label,
            aliases=(said["actor"],) if said["actor"] not in ("", label) else (),
            identifiers=(Identifier("actor", said["actor"]),) if said["actor"] else (),
        ),
        programmes=tuple(dict.fromkeys(filter(None, kinds))),
        wallets=accounts,
        source=squeeze(said["source"]),
        confidence=CONFIDENCE.get(word, UNKNOWN),
        remarks=" ".join([*remarks, *notes]),
    )


SAMPLE = b"""title: Comity sample pack
creator: Comity
description: fictional attributions, for tests
lastmod: 2026-02-03
currency: BTC
confidence: forensic
source: urn:comity:sample
tags:
- address: 1BitcoinEaterAddressDontSendf59kuE
  label: Samplelocker
  abuse: ransomware
- address: '0x00000000000000000000000000000000C0FFEE02'
  currency: ETH
  label: Sample Exchange
  actor: sampleexchange
  category: exchange
  confidence: service_data
- address: '0x00000000000000000000000000000000C0FFEE03'
  currency: ETH
  label: Sample Exchange
  actor: sampleexchange
  category: exchange
  confidence: service_data
"""

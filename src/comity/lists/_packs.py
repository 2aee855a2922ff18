"""What the readers of GraphSense packs share: one YAML mapping with a title, a date and a list of items."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from comity.errors import BadInput, TooLarge
from comity.lists import _yaml

MAX_BYTES = 64 * 1024 * 1024
MAX_ITEMS = 1_000_000
UNDATED = "1970-01-01"
"""So that any dated edition replaces one without a date."""
UNKNOWN = 0.05
"""The confidence of what states none: the figure published for the word ``unknown``."""


def load(stream: BinaryIO, kind: str, items: str) -> tuple[dict[str, _yaml.Node], list[_yaml.Node]]:
    """The pack and its list of ``items`` (tags, actors), read whole. Raises BadInput, TooLarge."""
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{kind} of more than {MAX_BYTES:,} bytes", remedy="split the pack")
    pack = _yaml.load(data)
    found = pack.get(items) if isinstance(pack, dict) else None
    if not isinstance(pack, dict) or not isinstance(found, list) or not found:
        raise BadInput(
            f"not {kind}",
            why=f"it has no list of {items}" if isinstance(pack, dict) else "it is not a mapping",
            remedy="give a GraphSense TagPack (tags of addresses) or ActorPack (actors without addresses)",
        )
    if len(found) > MAX_ITEMS:
        raise TooLarge(f"{kind} of more than {MAX_ITEMS:,} {items}", remedy="split the pack")
    return pack, found


def text(mapping: Mapping[str, _yaml.Node], field: str) -> str:
    """A scalar field, or a list of scalars joined by commas; ``""`` when missing or null."""
    return ", ".join(_scalars(mapping, field))


def texts(mapping: Mapping[str, _yaml.Node], field: str) -> tuple[str, ...]:
    """A list of scalars, or one scalar as a list; empty when missing or null."""
    return tuple(filter(None, _scalars(mapping, field)))


def _scalars(mapping: Mapping[str, _yaml.Node], field: str) -> list[str]:
    value = mapping.get(field, "")
    found = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str):
            raise BadInput(f"{field} is not text", remedy="correct the pack")
        found.append("" if item in ("null", "~") else item.strip())
    return found


def slug(title: str) -> str:
    """A title as part of a list's or entry's id."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "x"

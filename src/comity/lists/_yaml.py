"""YAML as text: every scalar a string, no anchors, aliases or repeated keys, bounded depth and size.

Built from the parser's events, so that nothing is constructed that the document does not spell out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import yaml

from comity.errors import BadInput, TooLarge

Node: TypeAlias = "str | list[Node] | dict[str, Node]"

MAX_DEPTH = 12
MAX_NODES = 10_000_000


def load(data: bytes) -> Node:
    """The one document in ``data``. Raises BadInput, TooLarge."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        events = _plain(yaml.parse(data, Loader=loader))
        first = next(events, None)
        if first is None:
            raise _refused("it is empty")
        node = _node(first, events, 0)
        if next(events, None) is not None:
            raise _refused("it holds more than one document")
    except (yaml.YAMLError, UnicodeError) as error:
        raise _refused(str(error)[:300]) from None
    return node


def _plain(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    """The events that make nodes; refuses those that could make a document grow."""
    count = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("it has an anchor or alias, with which a small file can fill memory")
        if isinstance(event, (yaml.NodeEvent, yaml.CollectionEndEvent)):
            count += 1
            if count > MAX_NODES:
                raise TooLarge(f"YAML of more than {MAX_NODES:,} nodes", remedy="split the file")
            yield event


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise TooLarge(f"YAML nested deeper than {MAX_DEPTH}", remedy="send a flatter document")
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    if isinstance(event, yaml.SequenceStartEvent):
        found = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            found.append(_node(item, events, depth + 1))
        return found
    mapping: dict[str, Node] = {}
    while not isinstance(item := next(events), yaml.MappingEndEvent):
        key = _node(item, events, depth + 1)
        if not isinstance(key, str):
            raise _refused("a key is not text")
        if key in mapping:
            raise _refused(f"the key {key[:40]!r} appears twice in one mapping")
        mapping[key] = _node(next(events), events, depth + 1)
    return mapping


def _refused(why: str) -> BadInput:
    return BadInput("this YAML is not read", why=why, remedy="correct the file, or fetch it again")

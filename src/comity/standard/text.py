"""YAML in which every scalar is text and every node knows its line.

In YAML 1.1 ``NO`` (Norway) is False and ``on`` is True, so no scalar is typed here: the vocabulary gives
the type. Anchors, aliases and tags are refused: a law file needs none, and hostile ones do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from comity.errors import LawFileError

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 12

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a file: text, a list of nodes, or nodes by name."""

    file: str
    line: int
    field: str
    value: str | list[Node] | dict[str, Node]

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raise LawFileError naming file, line, field and remedy."""
        where = f"{self.file}, line {self.line}"
        raise LawFileError(f"{where}: {self.field}: {what}", why="the law file is refused", remedy=remedy)

    def text(self) -> str:
        """The text of a scalar that is not empty. Raises LawFileError."""
        if not isinstance(self.value, str):
            self.refuse("is not a text", "write one value here, not a list or a mapping")
        if not self.value.strip():
            self.refuse("is empty", "write the value, or `unknown` where it is not established")
        return self.value.strip()

    def items(self) -> list[Node]:
        """The nodes of a list. Raises LawFileError."""
        if not isinstance(self.value, list):
            self.refuse("is not a list", "write `- ` before each item, or [a, b]")
        return self.value

    def mapping(self, known: frozenset[str] | None = None) -> dict[str, Node]:
        """The nodes by name; none but ``known`` names. Raises LawFileError."""
        if not isinstance(self.value, dict):
            self.refuse("is not a mapping", "write `name: value` pairs here")
        if known is not None:
            for name, node in self.value.items():
                if name not in known:
                    node.refuse("is not a known field", f"use one of: {', '.join(sorted(known))}")
        return self.value

    def need(self, name: str) -> Node:
        """The node of this name in a mapping. Raises LawFileError when it is missing."""
        found = self.mapping().get(name)
        if found is None:
            self.refuse(f"`{name}` is missing", f"add `{name}:`")
        return found


def parse(data: bytes, file: str) -> Node:
    """Read one YAML document. Raises LawFileError."""
    if len(data) > MAX_BYTES:
        Node(file, 1, "the file", "").refuse(
            f"is larger than {MAX_BYTES:,} bytes", "split it by jurisdiction"
        )
    try:
        events = yaml.parse(data.decode(), Loader=_Loader)
        return _Builder(file, list(_shallow(events, file))).document()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "is not UTF-8 text"
        Node(file, line, "the file", "").refuse(f"is not YAML: {problem}", "correct that line")


def _shallow(events: Iterable[yaml.Event], file: str) -> Iterator[yaml.Event]:
    """The events, refused at the first that lies too deep: nesting costs the scanner its square."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH + 1:
            line = event.start_mark.line + 1 if event.start_mark else 1
            Node(file, line, "the file", "").refuse(
                "is nested too deeply", f"at most {MAX_DEPTH} levels are read"
            )
        yield event


class _Builder:
    """Events to nodes."""

    def __init__(self, file: str, events: list[yaml.Event]) -> None:
        self._file, self._events, self._at = file, events, 0

    def document(self) -> Node:
        starts = sum(isinstance(event, yaml.DocumentStartEvent) for event in self._events)
        if starts != 1:
            Node(self._file, 1, "the file", "").refuse(
                "does not hold exactly one document", "write one document, without `---` between"
            )
        self._at = 2
        return self._node("the file", 0)

    def _next(self) -> yaml.Event:
        event = self._events[self._at]
        self._at += 1
        return event

    def _node(self, field: str, depth: int) -> Node:
        event = self._next()
        line = event.start_mark.line + 1 if event.start_mark else 1
        empty = Node(self._file, line, field, "")
        if depth > MAX_DEPTH:
            empty.refuse("is nested too deeply", f"at most {MAX_DEPTH} levels are read")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            empty.refuse("uses an anchor or an alias", "write the value out")
        if getattr(event, "tag", None):
            empty.refuse("uses a YAML tag", "write the value without it")
        if isinstance(event, yaml.ScalarEvent):
            return Node(self._file, line, field, event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._file, line, field, self._sequence(field, depth))
        return Node(self._file, line, field, self._mapping(field, depth))

    def _sequence(self, field: str, depth: int) -> list[Node]:
        found: list[Node] = []
        while not isinstance(self._events[self._at], yaml.SequenceEndEvent):
            found.append(self._node(f"{field}[{len(found) + 1}]", depth + 1))
        self._next()
        return found

    def _mapping(self, field: str, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(self._events[self._at], yaml.MappingEndEvent):
            key = self._node(field, depth + 1)
            name = key.text()
            inner = name if depth == 0 else f"{field}: {name}"
            node = self._node(inner, depth + 1)
            if name in found:
                Node(self._file, key.line, inner, "").refuse(
                    f"is there twice (first on line {found[name].line})",
                    "remove one, or join the two lists",
                )
            found[name] = node
        self._next()
        return found

"""JSON as it comes, distrusted: values one by one, within bounds of size, depth, numbers and names.

Source: RFC 8259 (JSON); JSON Lines. The elements of an array at the top, and of an array under one of the
names in ``spread`` of an object at the top, are given one by one, so that a file of many blocks takes the
memory of one. A name may not be there twice (RFC 8259 leaves its
meaning open), there is no NaN, and nothing deep is read by recursion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from comity.errors import BadInput, TooLarge

MAX_TOKEN = 16 * 1024 * 1024  # bytes of one string: calldata has up to 2 MiB
MAX_VALUE = 64 * 1024 * 1024  # bytes of one value that is given
MAX_COUNT = 2_000_000  # strings, numbers and containers in it
MAX_DEPTH = 2_200  # an EVM call nests 1,024 deep, each of them an object and an array
MAX_DIGITS = 80  # 2**256 has 78
WHOLE = 8 * 1024 * 1024  # bytes of a container that Python's own parser may read at once
SHALLOW = 100  # and how deep it may be: that parser recurses

SPREAD: Any = object()
"""Stands in an object for the array whose elements were given one by one."""

_CHUNK = 1 << 16
_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"((?:[^"\\\x00-\x1f]++|\\.)*+)"')
_PLAIN = re.compile(rb'"([^"\\\x00-\x1f]*+)"')
_WORD = re.compile(rb"[-+.0-9A-Za-z]++")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?")
# A name and a string without escapes: what nearly all of a node's answer consists of.
_MEMBER = re.compile(
    rb'[ \t\r\n]*+"([^"\\\x00-\x1f]*+)"[ \t\r\n]*+:[ \t\r\n]*+"([^"\\\x00-\x1f]*+)"[ \t\r\n]*+([,}])'
)
# All up to the next bracket that is not in a string.
_RUN = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+')
_WORDS = {b"true": True, b"false": False, b"null": None}
_OPENED: Any = object()
_QUOTE, _OPENING = b'"'[0], (b"{"[0], b"["[0])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _bounded(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError
    return int(digits)


def _constant(_name: str) -> Any:
    raise ValueError


_PYTHON = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_bounded, parse_constant=_constant)


@dataclass(slots=True)
class _Frame:
    """A container that is not closed yet; the elements of a ``spread`` one are given, not kept."""

    items: Any
    spread: bool = False
    key: str = ""


class _Parser:
    def __init__(self, stream: BinaryIO, spread: tuple[str, ...], head: bytes) -> None:
        self.stream, self.names = stream, frozenset(spread)
        self.buffer, self.at, self.ended = head, 0, False
        self.before = 0  # bytes ahead of the buffer
        self.start = self.count = 0  # of the value that is read now
        self.slowly = 0  # byte up to which there is no container to be read at once

    def values(self) -> Iterator[Any]:
        if self._peek() == b"\xef" and self._ahead(3) == b"\xef\xbb\xbf":
            self.at += 3
        while self._peek():
            yield from self._document()

    def _document(self) -> Iterator[Any]:
        stack: list[_Frame] = []
        self._begin()
        while True:
            value = self._value(stack)
            while value is not _OPENED:
                if not stack:
                    if value is not SPREAD:
                        yield value
                    return
                frame = stack[-1]
                if frame.spread:
                    yield value
                    self._begin()
                elif isinstance(frame.items, list):
                    frame.items.append(value)
                else:
                    frame.items[frame.key] = value
                if self._closed(frame):
                    value = self._close(stack)
                else:
                    value = self._member(stack) if isinstance(frame.items, dict) else _OPENED

    def _begin(self) -> None:
        self.start, self.count = self.before + self.at, 0

    def _count(self, parts: int) -> None:
        self.count += parts
        if self.count > MAX_COUNT or self.before + self.at - self.start > MAX_VALUE:
            raise TooLarge(
                f"one JSON value of more than {MAX_VALUE:,} bytes or {MAX_COUNT:,} parts",
                remedy="ask the node for fewer blocks at a time, and write one answer a line",
            )

    def _value(self, stack: list[_Frame]) -> Any:
        """The next value; for a container that is not empty, its frame on the stack and `_OPENED`."""
        self._count(1)
        first = self._peek()
        if first == b'"':
            return self._string()
        if first not in (b"{", b"["):
            return self._scalar()
        if stack and self.before + self.at >= self.slowly and not (first == b"[" and self._spreads(stack)):
            value = self._whole()
            if value is not _OPENED:
                return value
        return self._open(stack, {} if first == b"{" else [])

    def _whole(self) -> Any:
        """The container here, by Python's own parser: ten times as fast, for nearly all there is.

        `_OPENED` when it is large, deep, has an escape in it or is not sound. It is then read step by step,
        which tells what is wrong and where.
        """
        at, depth = self.at, 0
        while depth <= SHALLOW:
            if at == len(self.buffer) or self.buffer[at] == _QUOTE:
                if self.ended or len(self.buffer) - self.at > WHOLE:
                    break
                at -= self.at
                self._more()
                at = self._run(at)
                continue
            depth += 1 if self.buffer[at] in _OPENING else -1
            at += 1
            if not depth:
                text = self.buffer[self.at : at]
                try:
                    value = _OPENED if b"\\" in text else _PYTHON.decode(text.decode())
                except ValueError:
                    break
                if value is not _OPENED:
                    self.at = at
                    self._count(text.count(b","))
                    return value
                break
            at = self._run(at)
        self.slowly = self.before + at
        return _OPENED

    def _run(self, at: int) -> int:
        match = _RUN.match(self.buffer, at)
        return at if match is None else match.end()

    def _open(self, stack: list[_Frame], items: Any) -> Any:
        self.at += 1
        frame = _Frame(items)
        if isinstance(items, list):
            frame.spread = not stack or self._spreads(stack)
        stack.append(frame)
        if len(stack) > MAX_DEPTH:
            raise TooLarge(
                f"JSON nested more than {MAX_DEPTH:,} deep{self._where()}",
                why="no call on a chain goes deeper than 1,024",
                remedy="fetch the file again from a node you trust",
            )
        if self._peek() == (b"]" if isinstance(items, list) else b"}"):
            self.at += 1
            return self._close(stack)
        return self._member(stack) if isinstance(items, dict) else _OPENED

    def _spreads(self, stack: list[_Frame]) -> bool:
        parent = stack[-1]
        return len(stack) == 1 and isinstance(parent.items, dict) and parent.key in self.names

    def _close(self, stack: list[_Frame]) -> Any:
        frame = stack.pop()
        return SPREAD if frame.spread else frame.items

    def _member(self, stack: list[_Frame]) -> Any:
        """Read members up to one whose value is not a plain string; its name is then the frame's key."""
        frame = stack[-1]
        items = frame.items
        while (match := _MEMBER.match(self.buffer, self.at)) is not None:
            key = self._text(match[1])
            self._fresh(items, key)
            items[key] = self._text(match[2])
            self.count += 1
            self.at = match.end()
            if match[3] == b"}":
                return self._close(stack)
        if self._peek() != b'"':
            raise self._wrong("a name in double quotes is missing")
        key = self._string()
        self._fresh(items, key)
        if self._peek() != b":":
            raise self._wrong("a colon is missing")
        self.at += 1
        frame.key = key
        return _OPENED

    def _fresh(self, items: dict[str, Any], key: str) -> None:
        if key in items:
            raise BadInput(
                f"the name {key[:40]!r} is twice in one JSON object{self._where()}",
                why="which of the two holds is not defined (RFC 8259, section 4)",
                remedy="fetch the file again from a node you trust",
            )

    def _closed(self, frame: _Frame) -> bool:
        """Pass the comma or the closing bracket after an element."""
        mark = self._peek()
        closing = b"]" if isinstance(frame.items, list) else b"}"
        if mark not in (b",", closing):
            raise self._wrong("a comma or a closing bracket is missing")
        self.at += 1
        return mark == closing

    def _string(self) -> str:
        match = _PLAIN.match(self.buffer, self.at) or self._match(_STRING)
        if match is None:
            raise self._wrong("a string is not closed, or has a control character in it")
        self.at = match.end()
        if b"\\" not in match[1]:
            return self._text(match[1])
        try:
            text: str = json.loads(match[0])
            text.encode()  # no half of a surrogate pair
        except ValueError:
            raise self._wrong("a string with an escape that is none") from None
        return text

    def _text(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self._wrong("a text that is not UTF-8") from None

    def _scalar(self) -> Any:
        match = self._match(_WORD)
        word = b"" if match is None else match[0]
        if word in _WORDS:
            self.at += len(word)
            return _WORDS[word]
        number = _NUMBER.fullmatch(word)
        if number is None:
            raise self._wrong(f"{word[:20].decode()!r} is no JSON value" if word else "a value is missing")
        if len(word) > MAX_DIGITS:
            raise TooLarge(
                f"a number of {len(word):,} digits{self._where()}", remedy=f"at most {MAX_DIGITS} are read"
            )
        self.at += len(word)
        return int(word) if number[1] is None and number[2] is None else float(word)

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The pattern here, with as much of the stream as it needs."""
        while True:
            match = pattern.match(self.buffer, self.at)
            if self.ended or (match is not None and match.end() < len(self.buffer)):
                return match
            if len(self.buffer) - self.at > MAX_TOKEN:
                raise TooLarge(
                    f"a JSON string of more than {MAX_TOKEN:,} bytes{self._where()}",
                    remedy="fetch the file again from a node you trust",
                )
            self._more()

    def _peek(self) -> bytes:
        """The next byte that is not white space, or nothing at the end."""
        while True:
            match = _SPACE.match(self.buffer, self.at)
            self.at = match.end() if match is not None else self.at
            if self.at < len(self.buffer) or self.ended:
                return self.buffer[self.at : self.at + 1]
            self._more()

    def _ahead(self, size: int) -> bytes:
        while len(self.buffer) - self.at < size and not self.ended:
            self._more()
        return self.buffer[self.at : self.at + size]

    def _more(self) -> None:
        """As much again as is left: a long string costs its length, not its square."""
        left = self.buffer[self.at :]
        more = self.stream.read(max(_CHUNK, len(left)))
        self.before += self.at
        self.buffer, self.at, self.ended = left + more, 0, not more

    def _where(self) -> str:
        return f" (byte {self.before + self.at:,})"

    def _wrong(self, why: str) -> BadInput:
        cut = self.ended and self.at >= len(self.buffer)
        return BadInput(
            f"not JSON{self._where()}",
            why="it ends early" if cut else why,
            remedy="fetch the file again; it is damaged or cut off",
        )


def values(stream: BinaryIO, spread: tuple[str, ...] = (), head: bytes = b"") -> Iterator[Any]:
    """Each JSON value of ``head`` and a stream, as the module says. Raises BadInput or TooLarge."""
    return _Parser(stream, spread, head).values()

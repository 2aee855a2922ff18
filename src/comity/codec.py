"""Nouns to canonical JSON and back. What comes back is validated: a peer's bytes are hostile.

Canonical means: keys sorted, no white space, UTF-8; so that equal nouns have equal bytes and hashes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from comity.errors import BadInput, TooLarge

T = TypeVar("T")

MAX_BYTES = 8 * 1024 * 1024
MAX_TEXT = 1_000_000
MAX_DEPTH = 24


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def to_plain(value: object) -> Any:
    """A noun (or a container of nouns) as dicts, lists, strings, numbers and booleans."""
    return (
        _adapter(cast("Hashable", type(value))).dump_python(value, mode="json") if value is not None else None
    )


def canonical(value: Any) -> bytes:
    """Canonical JSON of plain values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def to_json(value: object) -> bytes:
    """Canonical JSON of a noun."""
    return canonical(to_plain(value))


def from_plain(kind: type[T], plain: object) -> T:
    """A noun from plain values. Raises BadInput naming the field that does not fit."""
    try:
        noun: T = _adapter(cast("Hashable", kind)).validate_python(plain)
    except (ValidationError, RecursionError) as error:
        raise _refusal(kind, error) from None
    _check(noun, 0)
    return noun


def from_json(kind: type[T], data: bytes, *, limit: int = MAX_BYTES) -> T:
    """A noun from JSON bytes. Raises TooLarge beyond ``limit`` bytes, BadInput when it does not fit."""
    if len(data) > limit:
        raise TooLarge(
            f"{len(data):,} bytes of JSON where at most {limit:,} are read",
            remedy="send less at once",
        )
    try:
        noun: T = _adapter(cast("Hashable", kind)).validate_json(data)
    except (ValidationError, RecursionError) as error:
        raise _refusal(kind, error) from None
    _check(noun, 0)
    return noun


def _refusal(kind: type[Any], error: Exception) -> BadInput:
    name = getattr(kind, "__name__", str(kind))
    if not isinstance(error, ValidationError):
        return BadInput(f"not a {name}: nested too deeply", remedy="send a flatter document")
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    return BadInput(
        f"not a {name}: {where}: {first['msg']}",
        why="the document does not fit the schema",
        remedy="correct that field; schemas are in docs/reference",
    )


def _check(value: object, depth: int) -> None:
    """What types alone do not say: texts are bounded, nesting is shallow."""
    if depth > MAX_DEPTH:
        raise BadInput("nested too deeply", remedy="send a flatter document")
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise TooLarge(f"a text of {len(value):,} characters", remedy=f"send at most {MAX_TEXT:,}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _check(item, depth + 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            _check(getattr(value, item.name), depth + 1)

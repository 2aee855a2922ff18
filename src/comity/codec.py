"""Nouns to canonical JSON and back. What comes back is validated: a peer's bytes are hostile.

Canonical means: keys sorted, no white space, UTF-8; so that equal nouns have equal bytes and hashes.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from comity.errors import BadInput, TooLarge

T = TypeVar("T")

MAX_BYTES = 8 * 1024 * 1024


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", kind))


def to_plain(value: object) -> Any:
    """A noun (or a container of nouns) as dicts, lists, strings, numbers and booleans."""
    return (
        _adapter(cast("Hashable", type(value))).dump_python(value, mode="json") if value is not None else None
    )


def canonical(value: Any) -> bytes:
    """Canonical JSON of plain values. Raises BadInput for a number that is not finite."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except ValueError as error:
        raise BadInput("not a document that JSON can carry", why=str(error), remedy="correct it") from None


def to_json(value: object) -> bytes:
    """Canonical JSON of a noun."""
    return canonical(to_plain(value))


def from_plain(kind: type[T], plain: object) -> T:
    """A noun from plain values. Raises BadInput naming the field that does not fit."""
    try:
        noun: T = _adapter(cast("Hashable", kind)).validate_python(plain)
    except (ValidationError, RecursionError) as error:
        raise _refusal(kind, error) from None
    return noun


def from_json(kind: type[T], data: bytes, *, limit: int = MAX_BYTES) -> T:
    """A noun from JSON bytes. Raises TooLarge beyond ``limit`` bytes, BadInput when it does not fit.

    The parser's own limit on nesting (about 200 levels) keeps a deep document from filling the stack.
    """
    if len(data) > limit:
        raise TooLarge(
            f"{len(data):,} bytes of JSON where at most {limit:,} are read",
            remedy="send less at once",
        )
    try:
        noun: T = _adapter(cast("Hashable", kind)).validate_json(data)
    except (ValidationError, RecursionError) as error:
        raise _refusal(kind, error) from None
    return noun


def _refusal(kind: type[Any], error: Exception) -> BadInput:
    name = getattr(kind, "__name__", str(kind)).lstrip("_")
    if not isinstance(error, ValidationError):
        return BadInput(f"not a {name}: nested too deeply", remedy="send a flatter document")
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    return BadInput(
        f"not a {name}: {where}: {first['msg']}",
        why="the document does not fit the schema",
        remedy="correct that field; schemas are in docs/reference",
    )

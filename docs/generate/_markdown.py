"""What the pages of the reference share: Markdown tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence


def cell(value: object) -> str:
    """Text of one cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [" | ".join(map(cell, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in (" | ".join(heads), " | ".join("---" for _ in heads), *lines))


def code(text: object) -> str:
    return f"`{text}`"


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")

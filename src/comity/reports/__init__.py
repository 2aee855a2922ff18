"""One report format a file: a `Report` to the bytes an FIU's portal takes.

A plug-in ``reports/NAME.py`` has:

- ``SPEC``: a `ReportSpec`
- ``sniff(head: bytes) -> bool``: whether a file that begins so is of this format
- ``render(report: Report, options: Mapping[str, str] = {}) -> bytes``: raises BadInput naming the
  mandatory field that is missing; ``options`` are those that ``SPEC.options`` explains
- ``check(data: bytes, schema: Path | None) -> tuple[Problem, ...]``: the format's own rules, and the
  authority's schema where one is at hand (a file, or a directory that holds it)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

MAX_REPORT = 64 * 1024 * 1024
"""Bytes of the largest report that is read."""


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """``schema`` is the file name (or a pattern of it) of the authority's schema, see `schema_file`."""

    id: str
    title: str
    version: str
    suffix: str
    schema: str
    source: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a rendered report, and where: an XPath, a line (0 if unknown), and a remedy."""

    where: str
    line: int
    what: str
    remedy: str = ""


def schema_file(spec: ReportSpec, place: Path) -> Path | None:
    """Where `check` should look: the file given, the one that fits in a directory at any depth, or None.

    Where several fit (a format with dialects), it is the directory: `check` then tries each of them.
    """
    if place.is_file():
        return place
    found = sorted(place.rglob(spec.schema))
    return found[0] if len(found) == 1 else place if found else None

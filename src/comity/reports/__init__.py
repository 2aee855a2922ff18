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
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """``schema`` is the file name, or a pattern of it, of the authority's schema.

    `check` is given that file, or a directory in which it is looked for at any depth.
    """

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

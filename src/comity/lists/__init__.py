"""One authority's list a file: bytes to `Listing`s.

A plug-in ``lists/NAME.py`` has:

- ``SPEC``: a `ListSpec`
- ``sniff(head: bytes) -> bool``: whether a file that begins so is of this format
- ``read(stream: BinaryIO) -> Edition``: streaming; raises BadInput before anything is stored
- ``SAMPLE``: bytes of a small file of the format, our own, that ``read`` accepts
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pkgutil import extend_path

from comity.model import Listing

__path__ = extend_path(__path__, __name__)


@dataclass(frozen=True, slots=True)
class ListSpec:
    """``url`` is where the authority publishes the current file ('' if it publishes none).

    ``at_least`` is the number of entries a real, whole file has: fewer, and an update is refused.
    """

    id: str
    authority: str
    title: str
    url: str
    at_least: int
    terms: str


@dataclass(frozen=True, slots=True)
class Edition:
    """One published state of a list: its id, version (ISO 8601 date or time) and entries, as a stream."""

    list_id: str
    version: str
    listings: Iterator[Listing]

"""Comity's own compact form of any list: JSON Lines, the header first, then one `Listing` a line.

    {"entries":2,"format":"comity-extract","list_id":"…","origin":"…","terms":"…","version":"2026-02-03"}
    {"confidence":1.0,"entry_id":"1","kind":"sanction","list_id":"…", …}

``origin`` says whose list it is and from which file it was written, ``terms`` under which terms it may be
passed on. The same entries give the same bytes. The node's store keeps its editions in this form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from comity import codec
from comity.errors import BadInput, TooLarge
from comity.lists import Edition, ListSpec
from comity.lists._reading import MAX_ENTRIES, unique, version, whole
from comity.model import Listing, ListingKind, Party

SPEC = ListSpec(
    id="extract",
    authority="as the header's origin says",
    title="Comity extract of a list",
    url="",
    at_least=1,
    terms="as the header's terms say",
)

FORMAT = "comity-extract"
MAX_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """The first line. ``sha256`` is the digest of the file the entries were read from, ``loaded`` when a
    node stored them (ISO 8601); both are empty in an extract that is passed on."""

    list_id: str
    version: str
    origin: str
    terms: str
    entries: int
    sha256: str = ""
    loaded: str = ""
    wallets: int = 0
    format: str = FORMAT


def sniff(head: bytes) -> bool:
    """Whether the file begins with an extract's header."""
    return head.startswith(b"{") and b'"format":"comity-extract"' in head.split(b"\n", 1)[0]


def read(stream: BinaryIO) -> Edition:
    """Read an extract as a stream. Raises BadInput, TooLarge."""
    header = read_header(stream)
    return Edition(header.list_id, header.version, listings(stream, header))


def read_header(stream: BinaryIO) -> Header:
    """The first line of an extract, checked. Raises BadInput."""
    header = codec.from_json(Header, _line(stream))
    if header.format != FORMAT or not 0 <= header.entries <= MAX_ENTRIES:
        raise BadInput("not a Comity extract", why="its header does not fit", remedy="write it again")
    edition = version(header.version, "the extract's header")
    if edition != header.version or not header.list_id:
        raise BadInput(
            "not a Comity extract",
            why="its header names no list, or its version is not in the canonical form",
            remedy=f"write the version as {edition}",
        )
    return header


def listings(stream: BinaryIO | Kept, header: Header) -> Iterator[Listing]:
    """The entries after the header, as many as it says and all of its list. Raises BadInput."""
    return whole(unique(_entries(stream, header)), header.entries, f"extract of {header.list_id}")


def _entries(stream: BinaryIO | Kept, header: Header) -> Iterator[Listing]:
    while line := _line(stream):
        listing = codec.from_json(Listing, line, limit=MAX_LINE)
        named = listing.entry_id and listing.party.name
        if not named or listing.list_id != header.list_id or not 0 <= listing.confidence <= 1:
            raise BadInput(
                f"extract of {header.list_id}: the entry {listing.entry_id[:60]!r} does not belong in it",
                why="it has no id or name, is of another list, or its confidence is not between 0 and 1",
                remedy="write the extract again",
            )
        yield listing


def _line(stream: BinaryIO | Kept) -> bytes:
    line = stream.readline(MAX_LINE + 1)
    if len(line) > MAX_LINE:
        raise TooLarge(f"a line of more than {MAX_LINE:,} bytes", remedy="write the extract again")
    return line


def lines(
    header: Header, entries: Iterable[Listing], written: Callable[[Listing], bytes] | None = None
) -> Iterator[bytes]:
    """The lines of an extract. Fields left empty are not written.

    ``written`` gives the line of an entry where it is there already, as `Kept` does.
    """
    yield _pack(header)
    for listing in entries:
        yield written(listing) if written else _pack(listing)


class Kept:
    """A stream that `listings` reads, and that keeps the line of the entry just read.

    Only for an extract of our own writing: then that line is what `lines` would write again.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._line = b""

    def readline(self, limit: int = -1) -> bytes:
        self._line = self._stream.readline(limit)
        return self._line

    def line(self, _listing: Listing) -> bytes:
        return self._line


def _pack(noun: Header | Listing) -> bytes:
    return codec.canonical(_lean(codec.to_plain(noun))) + b"\n"


def _lean(value: dict[str, object]) -> dict[str, object]:
    """The same mapping without empty texts and sequences: most of a list is empty fields."""
    return {
        key: _lean(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item not in ("", [])
    }


_SAMPLE_HEADER = Header("sample", "2026-02-03", "Comity: fictional entries, for tests", "Apache-2.0", 1)
SAMPLE = b"".join(
    lines(
        _SAMPLE_HEADER,
        (Listing("sample", "1", ListingKind.SANCTION, Party("Orsolo Vantermeer"), ("SAMPLE",)),),
    )
)

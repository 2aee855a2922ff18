"""Distrust, in one place: bounded streams, hardened XML, and strict amounts, dates and codes.

Used by the seams that read (`lists/`, `chains/`) and check (`reports/`). Nothing here knows a format.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar, cast

from lxml import etree

from comity.errors import BadInput, TooLarge

T = TypeVar("T")
MAX_BYTES = 4 * 1024**3
MAX_RATIO = 200
RATIO_GRACE = 64 * 1024 * 1024
MAX_AMOUNT = Decimal(10) ** 18
MAX_PLACES = 18
CLOCK_SKEW = timedelta(hours=24)

_AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")


class Bounded(io.RawIOBase):
    """Raises TooLarge past ``limit`` bytes, or past MAX_RATIO times what it has read of ``packed``."""

    def __init__(self, inner: IO[bytes], limit: int, packed: IO[bytes], name: str) -> None:
        self._inner, self._limit, self._packed, self._name = inner, limit, packed, name
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._inner.read(len(buffer))
        except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
            raise BadInput(
                f"{self._name} cannot be unpacked",
                why=str(error) or "it ends early",
                remedy="fetch the file again; it is damaged or not what its first bytes say",
            ) from None
        self._read += len(data)
        if self._read > self._limit:
            raise TooLarge(
                f"{self._name} holds more than {self._limit:,} bytes",
                remedy="split the file",
            )
        if self._read > max(RATIO_GRACE, MAX_RATIO * self._packed.tell()):
            raise TooLarge(
                f"{self._name} unpacks to more than {MAX_RATIO} times its size",
                why="that is how a decompression bomb looks",
                remedy="unpack it yourself if you trust it",
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def open_source(path: Path, *, limit: int = MAX_BYTES) -> BinaryIO:
    """Open a file for reading, unpacking gzip, bzip2 or xz by its first bytes, within bounds.

    A file that is not packed is returned as it is (seekable) when it is within ``limit``.
    Raises BadInput when it cannot be opened, TooLarge when it is over its bounds.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is a directory or a device, not a file")
        packed = path.stat().st_size
        raw = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = (error.strerror if isinstance(error, OSError) else "") or str(error)
        raise BadInput(f"cannot open {path.name}", why=why, remedy="check the path") from None
    head = raw.read(6)
    raw.seek(0)
    if packed > limit:
        raw.close()
        raise TooLarge(f"{path.name} holds more than {limit:,} bytes", remedy="split the file")
    inner: IO[bytes]
    if head[:2] == b"\x1f\x8b":
        inner = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    elif head[:3] == b"BZh":
        inner = bz2.BZ2File(raw)
    elif head == b"\xfd7zXZ\x00":
        inner = lzma.LZMAFile(raw)  # noqa: SIM115 (handed to the caller)
    else:
        return raw
    return io.BufferedReader(Bounded(inner, limit, raw, path.name))


def peek(stream: BinaryIO, size: int = 4096) -> bytes:
    """The first bytes of a stream from `open_source`, which stays where it is."""
    return stream.peek(size)[:size] if isinstance(stream, io.BufferedReader) else b""


def _has_doctype(element: etree._Element) -> bool:
    return bool(cast("Any", element.getroottree().docinfo).doctype)


def xml_elements(stream: BinaryIO, *tags: str) -> Iterator[etree._Element]:
    """Yield each element whose local name is in ``tags`` once it is complete, then free it.

    The root element is yielded first, empty but for its attributes, whatever its name. No DTD, no
    entities, no network, libxml2's own bounds on depth and text. Raises BadInput.
    """
    wanted = frozenset(tags)
    try:
        events = etree.iterparse(
            stream,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        first = True
        for event, element in events:
            if first:
                first = False
                if _has_doctype(element):
                    raise BadInput(
                        "the XML declares a document type",
                        why="entities in it could read files or fill memory, so none is accepted",
                        remedy="remove the DOCTYPE",
                    )
                yield element
            elif event == "end" and etree.QName(element).localname in wanted:
                yield element
                element.clear(keep_tail=False)
                parent = element.getparent()
                while parent is not None and element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError as error:
        raise BadInput(
            "not well-formed XML", why=str(error)[:300], remedy="fetch the file again, or correct that line"
        ) from None


def xml_document(data: bytes, *, limit: int = 64 * 1024 * 1024) -> etree._Element:
    """Parse a whole small document, hardened as `xml_elements` is. Raises BadInput, TooLarge."""
    if len(data) > limit:
        raise TooLarge(f"an XML document of {len(data):,} bytes", remedy=f"at most {limit:,} are read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadInput("not well-formed XML", why=str(error)[:300], remedy="correct that line") from None
    if _has_doctype(root):
        raise BadInput("the XML declares a document type", remedy="remove the DOCTYPE")
    return root


def amount(text: str, where: str) -> Decimal:
    """A non-negative decimal below 10**18 with at most 18 places. Raises BadInput, naming ``where``."""
    text = text.strip()
    if not _AMOUNT.fullmatch(text):
        raise BadInput(
            f"{where}: not an amount: {text[:40]!r}",
            why="an amount is digits with at most one point: no sign, exponent, separator or symbol",
            remedy="correct it in the file",
        )
    value = Decimal(text)
    places = len(text.partition(".")[2].rstrip("0"))
    if value >= MAX_AMOUNT or places > MAX_PLACES:
        raise BadInput(
            f"{where}: an amount out of bounds: {text[:40]!r}",
            why="amounts are below 10^18 with at most 18 decimal places",
            remedy="correct it in the file",
        )
    return value


def instant(text: str, where: str, now: datetime) -> datetime:
    """An ISO 8601 time with its offset (or Z), as UTC. Raises BadInput when it lies in the future."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            f"{where}: not a time: {text[:40]!r}", remedy="write ISO 8601, for example 2026-03-01T12:00:00Z"
        ) from None
    if value.tzinfo is None:
        raise BadInput(
            f"{where}: a time without its offset: {text[:40]!r}",
            why="deadlines and order depend on it",
            remedy="add Z or an offset such as +08:00",
        )
    try:
        value = value.astimezone(UTC)
    except OverflowError:  # the year 1 or 9999, and an offset beyond it
        value = value.replace(tzinfo=UTC)
    return past(value, where, now)


def past(value: datetime, where: str, now: datetime) -> datetime:
    """The time itself, unless it lies before 1970 or more than a day after ``now``: then BadInput."""
    if value.year < 1970 or value > now + CLOCK_SKEW:
        raise BadInput(
            f"{where}: a time out of range: {value.isoformat()}",
            why="a transfer lies between 1970 and now",
            remedy="correct it in the file",
        )
    return value


def day(text: str, where: str) -> date:
    """An ISO 8601 date. Raises BadInput."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f"{where}: not a date: {text[:40]!r}", remedy="write YYYY-MM-DD") from None


def country(text: str, where: str) -> str:
    """An ISO 3166-1 alpha-2 code, in upper case. Raises BadInput naming ``where``."""
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        raise BadInput(f"{where}: not a country: {text[:40]!r}", remedy="write two letters, such as DE")
    return text.upper()


def choice(text: str, choices: Mapping[str, T], where: str) -> T:
    """What one of several words stands for. Raises BadInput naming ``where`` and the words."""
    if text not in choices:
        raise BadInput(f"{where}: unknown word {text[:40]!r}", remedy=f"write one of: {', '.join(choices)}")
    return choices[text]

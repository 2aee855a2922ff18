"""What the XML report formats share: text that XML can carry, places, and the authority's schema."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from pathlib import Path
from typing import cast

from lxml import etree

from comity.errors import BadInput
from comity.reports import Problem

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTRY = re.compile(r"[A-Z]{2}")
MAX_SHOWN = 200
"""Problems that are shown: who sees two hundred corrects them first."""


def clean(value: str, where: str) -> str:
    """The text without white space around it. Raises BadInput, naming ``where``, if XML cannot carry it."""
    found = _NOT_XML.search(value)
    if found:
        raise BadInput(
            f"{where}: holds the character U+{ord(found.group()):04X}",
            why="XML 1.0 cannot carry control characters, surrogates and non-characters",
            remedy=f"remove it from {where}",
        )
    return value.strip()


def text(value: str, where: str, limit: int) -> str:
    """A mandatory text of at most ``limit`` characters. Raises BadInput naming ``where``."""
    value = clean(value, where)
    if not value:
        raise BadInput(
            f"{where}: is missing", why="the format makes it mandatory", remedy=f"give the report its {where}"
        )
    if len(value) > limit:
        raise BadInput(
            f"{where}: {len(value):,} characters, and the format takes {limit:,}",
            why="what is reported is never cut without a word",
            remedy=f"shorten {where}, or attach the rest as a document",
        )
    return value


def fit(value: str, where: str, limit: int, notes: list[str]) -> str:
    """A text cut to ``limit``; when it is cut, ``notes`` gets it in full, to be shown in the report."""
    value = clean(value, where)
    if len(value) > limit:
        notes.append(f"{where} in full: {value}")
        value = value[:limit].strip()
    return value


def put(parent: etree._Element, tag: str, value: str = "") -> etree._Element:
    """Add an element, with the parent's namespace."""
    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, f"{{{namespace}}}{tag}" if namespace else tag)
    if value:
        child.text = value
    return child


def put_if(parent: etree._Element, tag: str, value: str) -> None:
    """Add an element when there is something to say."""
    if value:
        put(parent, tag, value)


def to_bytes(root: etree._Element) -> bytes:
    """UTF-8 with its declaration, indented; the same tree gives the same bytes."""
    etree.indent(root, space="  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def country(code: str) -> str:
    """A code in upper case when it looks like ISO 3166-1 alpha-2, else the empty string."""
    code = code.strip().upper()
    return code if _COUNTRY.fullmatch(code) else ""


def decimal(value: Decimal, places: int, most: int) -> str:
    """Plain digits, rounded half to even to ``places``, or to ``most`` where that would leave nothing."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    if rounded == 0 and value != 0:
        rounded = value.quantize(Decimal(1).scaleb(-most), ROUND_HALF_EVEN).normalize()
    return f"{rounded:f}"


def number(value: str | None) -> Decimal | None:
    """A finite decimal, or None when the text is not one."""
    if value is None or not re.fullmatch(r"\s*[-+]?[0-9]{1,40}(\.[0-9]{1,40})?\s*", value):
        return None
    return Decimal(value.strip())


def whole(value: str) -> int | None:
    """A number of at most 18 digits without a sign, or None."""
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None


def moment(value: str | None, form: str) -> datetime | None:
    """A time written as ``form``, or None."""
    try:
        return datetime.strptime((value or "").strip(), form)  # noqa: DTZ007 (the formats carry no offset)
    except ValueError:
        return None


def child(element: etree._Element, path: str) -> etree._Element | None:
    """The first element at a path of local names, whatever the namespace."""
    here: etree._Element | None = element
    for name in path.split("/"):
        here = next((e for e in here if _name(e) == name), None) if here is not None else None
    return here


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The child elements of one local name."""
    return [e for e in element if _name(e) == name]


def at(element: etree._Element, path: str) -> etree._Element:
    """The first element at a path of local names, or the element itself: where to point at."""
    found = child(element, path)
    return element if found is None else found


def value_of(element: etree._Element | None, path: str) -> str:
    """The text of the first element at a path of local names; empty when there is none."""
    found = child(element, path) if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def place(element: etree._Element) -> str:
    """An XPath of local names with positions among equals: ``/report/transaction[2]/amount_local``."""
    steps: list[str] = []
    here: etree._Element | None = element
    while here is not None:
        parent = here.getparent()
        name = _name(here)
        equals = children(parent, name) if parent is not None else []
        steps.append(f"{name}[{equals.index(here) + 1}]" if len(equals) > 1 else name)
        here = parent
    return "/" + "/".join(reversed(steps))


def problem(element: etree._Element, what: str, remedy: str) -> Problem:
    """A problem at an element, with its line."""
    return Problem(place(element), cast("int | None", element.sourceline) or 0, what, remedy)


def schemas(given: Path, pattern: str) -> tuple[Path, ...]:
    """A file is the schema; in a directory it is every file that fits ``pattern``, at any depth.

    Raises BadInput when there is none.
    """
    found = (given,) if given.is_file() else tuple(sorted(given.rglob(pattern)))
    if not found:
        raise BadInput(
            f"no schema {pattern} in {given.name}",
            why="the authority's schema was asked for, and is not at hand",
            remedy="put the authority's file there, or check without a schema",
        )
    return found


@lru_cache(maxsize=8)
def _compiled(path: Path, _changed: int) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.XMLSchema(etree.parse(path, parser))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, OSError) as error:
        raise BadInput(
            f"{path.name} is not an XML schema", why=str(error)[:300], remedy="fetch it again"
        ) from None


def against(root: etree._Element, files: Iterable[Path]) -> tuple[Problem, ...]:
    """What breaks the schema. With several files: nothing if one accepts it, else the nearest one's."""
    nearest: tuple[Problem, ...] | None = None
    for path in files:
        schema = _compiled(path, path.stat().st_mtime_ns)
        if schema.validate(root):
            return ()
        broken = tuple(
            _schema_problem(root, entry, path.name)
            for entry in cast("Iterable[etree._LogEntry]", schema.error_log)
        )[:MAX_SHOWN]
        if nearest is None or len(broken) < len(nearest):
            nearest = broken
    return nearest or ()


def _schema_problem(root: etree._Element, entry: etree._LogEntry, name: str) -> Problem:
    message = re.sub(r"\{[^}]*\}", "", entry.message)[:400]
    return Problem(_located(root, entry.path or "/"), entry.line, message, f"bring it in line with {name}")


def _located(root: etree._Element, path: str) -> str:
    """The place at libxml2's path; the path itself where its prefixes are declared further down."""
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = cast("list[etree._Element]", root.xpath(path, namespaces=prefixes or None))
    except etree.XPathError:
        return path
    return place(found[0]) if found and isinstance(found[0], etree._Element) else path

"""What the readers of lists share: text of elements, versions, birth dates, wallets with their notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from comity.errors import BadInput, TooLarge
from comity.lists import _wallets
from comity.model import AccountId, Identifier, Listing

MAX_ENTRIES = 1_000_000
MAX_TEXT = 20_000
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(r"(?:(?:(\d{1,2}) )?([A-Za-z]{3})[a-z]* )?(\d{4})")


def local(element: etree._Element) -> str:
    """The element's name without its namespace: OFAC changed it once, and may again."""
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Direct children of this local name."""
    return (child for child in element if isinstance(child.tag, str) and local(child) == name)


def items(element: etree._Element, outer: str, inner: str) -> Iterator[etree._Element]:
    """Grandchildren ``outer/inner``, in any namespace."""
    return (item for group in children(element, outer) for item in children(group, inner))


def text(element: etree._Element, name: str) -> str:
    """The text of the first child of this name, white space made single; ``""`` when there is none."""
    found = next(children(element, name), None)
    return squeeze(found.text) if found is not None else ""


def squeeze(value: str | None) -> str:
    """Text with single blanks and no more than MAX_TEXT characters. Raises TooLarge."""
    if not value:
        return ""
    if len(value) > MAX_TEXT:
        raise TooLarge(
            f"a text of {len(value):,} characters in a list", remedy=f"at most {MAX_TEXT:,} are read"
        )
    return " ".join(value.split())


def version(value: str, where: str) -> str:
    """An ISO 8601 date or time (offset or Z; none is read as UTC) as a date or ``…Z``. Raises BadInput."""
    value = value.strip()
    try:
        if len(value) == 10:
            return datetime.strptime(value, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 (a day)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(
            f"{where}: no date of the edition: {value[:40]!r}",
            why="without it an old list could replace a newer one",
            remedy="fetch the file again from its authority",
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def birth(value: str) -> str:
    """A birth date in words (``25 Mar 1977``, ``circa 1961``, ``1960 to 1962``) as ISO 8601.

    A range becomes an interval (``1960/1962``); what is not a date becomes ``""``.
    """
    ends = [_birth(part) for part in value.lower().replace("circa", "").split(" to ")]
    if not all(ends) or len(ends) > 2:
        return ""
    return "/".join(dict.fromkeys(ends))


def _birth(value: str) -> str:
    match = _DAY.fullmatch(value.strip())
    if not match:
        return ""
    day, month, year = match.groups()
    if month is None:
        return str(year)
    if month not in _MONTHS:
        return ""
    whole = f"{year}-{_MONTHS.index(month) + 1:02d}"
    return f"{whole}-{int(day):02d}" if day else whole


def births(dates: Iterable[str]) -> tuple[str, tuple[Identifier, ...]]:
    """The party's one birth date, and every other that was given as identifiers of kind birth_date.

    An interval is never the one date: readers of `Party` expect a day, month or year.
    """
    given = list(dict.fromkeys(date for date in dates if date))
    main = next((date for date in given if "/" not in date), "")
    return main, tuple(Identifier("birth_date", date) for date in given if date != main)


def wallets(rows: Iterable[tuple[str, str]]) -> tuple[tuple[AccountId, ...], list[str]]:
    """Canonical accounts of (currency code, address) rows, each once, and what could not be read.

    A bad address never stops the list: the rest of it still has to be screened against. It is named in
    the listing's remarks instead.
    """
    found: dict[AccountId, None] = {}
    notes = []
    for code, address in rows:
        try:
            account = _wallets.canonical(code, address)
        except BadInput as error:
            notes.append(f"Not screened: {error.what}.")
            continue
        found[account] = None
        if _wallets.unfit(account):
            notes.append(f"Found by its exact text only: {account}.")
    return tuple(found), notes


def unique(listings: Iterable[Listing]) -> Iterator[Listing]:
    """The listings, refusing a second entry of the same id and more than MAX_ENTRIES."""
    seen: set[str] = set()
    for listing in listings:
        if listing.entry_id in seen:
            raise BadInput(
                f"{listing.list_id}: two entries have the id {listing.entry_id[:80]!r}",
                why="evidence names an entry by its id",
                remedy="fetch the file again from its authority",
            )
        if len(seen) >= MAX_ENTRIES:
            raise TooLarge(f"more than {MAX_ENTRIES:,} entries", remedy="split the file")
        seen.add(listing.entry_id)
        yield listing


def whole(listings: Iterable[Listing], expected: int, what: str) -> Iterator[Listing]:
    """The listings, refused at the end when there are not as many as the file itself says."""
    count = 0
    for listing in listings:
        count += 1
        yield listing
    if count != expected:
        raise BadInput(
            f"{what}: {count:,} entries where the file says {expected:,}",
            why="it is cut short or was changed",
            remedy="fetch the file again from its authority",
        )


def attribute(element: etree._Element, name: str) -> str:
    """An attribute's text, as `squeeze` gives it."""
    value: Any = element.get(name)
    return squeeze(value)

"""The lists a node screens against: one stored edition a list, replaced whole or not at all.

A file is read to its end into our own form before anything stored changes, so that a truncated, damaged
or hostile file leaves the edition in force as it was; so does a crash.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

import comity.lists
from comity import intake, plugins
from comity.errors import BadInput, Conflict, NotFound, StoreError
from comity.lists import Edition, ListSpec, extract
from comity.lists.extract import Header
from comity.model import Listing
from comity.screening.extract import digest, write_extract
from comity.screening.fetch import fetch

_LIST_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """What was stored: ``wallets`` counts unique addresses, ``sha256`` is of the file as it was given, and
    ``replaced`` is the version it took the place of (``""`` when there was none)."""

    list: str
    version: str
    entries: int
    wallets: int
    sha256: str
    replaced: str


class ListStore:
    """Editions of lists in one directory, each a file ``LIST.jsonl.gz`` of the extract's form."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self, path: Path, *, now: datetime, list_id: str | None = None) -> LoadSummary:
        """Read a file of any known format and put it in force.

        ``list_id`` stores it under another name than its own. Raises BadInput or TooLarge when the file
        is not whole and sound; Conflict when an edition in force is newer, or is whole (as many entries as
        a real one has) and this file is not.
        """
        return self._load(path, now=now, list_id=list_id, at_least=0, only=None)

    def update(
        self,
        client: httpx.Client,
        ids: Iterable[str],
        now: datetime,
        urls: Mapping[str, str] | None = None,
    ) -> list[LoadSummary]:
        """Fetch the authorities' current files and put them in force, one after another.

        ``urls`` overrides where a list is fetched from. Raises PeerError when one cannot be had, BadInput
        when it is not the list it should be or has fewer entries than a whole one; those already stored stay.
        """
        done = []
        for list_id in ids:
            spec = _spec(list_id)
            url = (urls or {}).get(list_id) or (spec.url if spec else "")
            if spec is None or not url:
                raise BadInput(
                    f"no address to fetch {list_id!r} from",
                    why="no list of that name is published by an authority we know",
                    remedy="give its address, or load a file you have",
                )
            self._directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._directory, prefix=".fetch-") as folder:
                path = Path(folder) / f"{list_id}.download"
                fetch(client, url, path)
                wanted = (list_id, "extract")
                least = spec.at_least
                done.append(self._load(path, now=now, list_id=list_id, at_least=least, only=wanted))
        return done

    def bundled(self, now: datetime) -> list[LoadSummary]:
        """Put the lists that ship with Comity in force, where no edition as new is stored."""
        stored = {header.list_id: header.version for header in self.editions()}
        done = []
        for path in shipped():
            with intake.open_source(path) as stream:
                header = extract.read_header(stream)
            if header.list_id not in stored or _moment(stored[header.list_id]) < _moment(header.version):
                done.append(self._load(path, now=now, list_id=None, at_least=0, only=None, ours=True))
        return done

    def editions(self) -> tuple[Header, ...]:
        """The headers of all stored editions, by list. Raises StoreError when one is damaged."""
        found = []
        for path in sorted(self._directory.glob("*.jsonl.gz")):
            try:
                with intake.open_source(path) as stream:
                    found.append(extract.read_header(stream))
            except BadInput as error:
                raise _damaged(path, error) from None
        return tuple(found)

    def listings(self, ids: Iterable[str] | None = None) -> Iterator[Listing]:
        """Every entry of the stored editions (of these lists). Raises NotFound, StoreError."""
        names = [header.list_id for header in self.editions()] if ids is None else list(ids)
        for name in names:
            path = self._path(name)
            if not path.exists():
                raise NotFound(f"no edition of {name!r} is stored", remedy="load or update it first")
            try:
                with intake.open_source(path) as stream:
                    yield from extract.listings(stream, extract.read_header(stream))
            except BadInput as error:
                raise _damaged(path, error) from None

    def _load(
        self,
        path: Path,
        *,
        now: datetime,
        list_id: str | None,
        at_least: int,
        only: Iterable[str] | None,
        ours: bool = False,
    ) -> LoadSummary:
        """``ours``: the file is an extract that `write_extract` wrote, so its lines are kept as they are."""
        sha256 = digest(path)
        kept: extract.Kept | None = None
        with intake.open_source(path) as stream:
            plugin = plugins.recognise("lists", intake.peek(stream), only)
            if plugin is extract:
                header = extract.read_header(stream)
                kept = extract.Kept(stream) if ours else None
                edition = Edition(header.list_id, header.version, extract.listings(kept or stream, header))
                origin, terms = header.origin, header.terms
            else:
                edition, origin, terms = plugin.read(stream), "", ""
            if list_id:
                edition = _renamed(edition, list_id)
            previous = self._previous(edition, now)
            at_least = at_least or _expected(edition.list_id, previous)
            edition = Edition(edition.list_id, edition.version, _enough(edition, at_least))
            header = write_extract(
                edition,
                self._path(edition.list_id),
                origin=origin or f"{plugin.SPEC.authority}: {plugin.SPEC.title}",
                terms=terms or plugin.SPEC.terms,
                sha256=sha256,
                loaded=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                written=kept.line if kept else None,
            )
        replaced = previous.version if previous else ""
        return LoadSummary(header.list_id, header.version, header.entries, header.wallets, sha256, replaced)

    def _previous(self, edition: Edition, now: datetime) -> Header | None:
        """The edition in force, when this one may replace it. Raises BadInput, Conflict."""
        if _moment(edition.version) > now + intake.CLOCK_SKEW:
            raise BadInput(
                f"{edition.list_id}: its version lies in the future: {edition.version}",
                why="every later edition would be refused as older",
                remedy="correct the date, or this machine's clock",
            )
        path = self._path(edition.list_id)
        if not path.exists():
            return None
        try:
            with intake.open_source(path) as stream:
                stored = extract.read_header(stream)
        except BadInput:
            return None  # damaged: a sound file may take its place
        if _moment(edition.version) < _moment(stored.version):
            raise Conflict(
                f"{edition.list_id}: version {edition.version} is older than the stored {stored.version}",
                why="an old list would let those through who were listed since",
                remedy="load the newest file, or store this one under another list id",
            )
        return stored

    def _path(self, list_id: str) -> Path:
        if not _LIST_ID.fullmatch(list_id):
            raise BadInput(
                f"not a list id: {list_id[:80]!r}",
                why="it names a file: small letters, digits, '.', '_' and '-'",
                remedy="choose another list id",
            )
        return self._directory / f"{list_id}.jsonl.gz"


def shipped() -> tuple[Path, ...]:
    """The extracts that ship with Comity."""
    return tuple(
        path for folder in comity.lists.__path__ for path in sorted(Path(folder).glob("_extracts/*.jsonl.xz"))
    )


def _spec(list_id: str) -> ListSpec | None:
    """The specification of an authority's list, None when there is no plug-in of that name."""
    if list_id not in plugins.names("lists"):
        return None
    spec: ListSpec = plugins.load("lists", list_id).SPEC
    return spec


def _expected(list_id: str, previous: Header | None) -> int:
    """How many entries a file needs to replace a whole list: another list in its format may have fewer."""
    spec = _spec(list_id)
    return spec.at_least if spec and previous and previous.entries >= spec.at_least else 1


def _enough(edition: Edition, at_least: int) -> Iterator[Listing]:
    count = 0
    for listing in edition.listings:
        count += 1
        yield listing
    if count < at_least:
        raise BadInput(
            f"{edition.list_id}: {count:,} entries where a whole list has at least {at_least:,}",
            why="it is cut short, or is another list in the same format",
            remedy="fetch the whole file, or store this one under another list id",
        )


def _renamed(edition: Edition, list_id: str) -> Edition:
    if edition.list_id == list_id:
        return edition
    entries = (replace(listing, list_id=list_id) for listing in edition.listings)
    return Edition(list_id, edition.version, entries)


def _moment(version: str) -> datetime:
    moment = datetime.fromisoformat(version)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _damaged(path: Path, error: BadInput) -> StoreError:
    return StoreError(
        f"the stored list {path.name} is damaged", why=error.what, remedy="load or update it again"
    )

"""The manifest: which Parquet parts of a ledger's directory count, and what is known of each."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comity.errors import BadInput, NotFound, StoreError
from comity.model import AssetId

FORMAT = 2
"""1: neither corrections nor rates. Both are read, 2 is written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file. ``rows``: facts in it; ``corrections``: those among them that correct an earlier one.

    ``versions``: first and last version it holds facts of; ``span``: its first and last microsecond, None
    where that is not known; ``format``: the manifest's format when it was written.
    """

    file: str
    rows: int
    source: str
    corrections: int = 0
    versions: tuple[int, int] = (1, 1)
    span: tuple[int, int] | None = None
    format: int = FORMAT

    def within(self, since: int | None, until: int | None) -> bool:
        """Whether it may hold a fact with ``since`` <= time < ``until``."""
        if self.span is None:
            return True
        return (since is None or self.span[1] >= since) and (until is None or self.span[0] < until)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``version``: how many appends and corrections there were; ``transfers``: how many count now."""

    reference: AssetId
    parts: tuple[Part, ...] = ()
    version: int = 0
    transfers: int = 0
    compactions: int = 0


def read(path: Path) -> Manifest:
    """The manifest of a ledger's directory. Raises NotFound, StoreError when it is damaged."""
    try:
        plain = json.loads((path / "manifest.json").read_bytes())
        if plain["format"] == 1:
            return _first(plain)
        if plain["format"] != FORMAT:
            raise ValueError(f"format {plain['format']}")
        return Manifest(
            AssetId.parse(plain["reference"]),
            tuple(_part(part) for part in plain["parts"]),
            plain["version"],
            plain["transfers"],
            plain["compactions"],
        )
    except FileNotFoundError:
        raise NotFound(f"no ledger in {path.name}", remedy="create one, or check the directory") from None
    except (OSError, ValueError, KeyError, TypeError, BadInput) as error:
        raise StoreError(
            f"the manifest of {path.name} cannot be read",
            why=str(error)[:300],
            remedy="restore the directory from its backup, or use the version that wrote it",
        ) from None


def _first(plain: Any) -> Manifest:
    """A manifest of format 1: every append is a part, and nothing was corrected."""
    parts = tuple(
        Part(part["file"], part["rows"], part["source"], versions=(place, place), format=1)
        for place, part in enumerate(plain["parts"], 1)
    )
    return Manifest(
        AssetId.parse(plain["reference"]), parts, len(parts), transfers=sum(part.rows for part in parts)
    )


def _part(plain: Any) -> Part:
    first, last = plain["versions"]
    span = None if plain["span"] is None else (plain["span"][0], plain["span"][1])
    return Part(
        plain["file"],
        plain["rows"],
        plain["source"],
        plain["corrections"],
        (first, last),
        span,
        plain["format"],
    )


def publish(path: Path, manifest: Manifest) -> None:
    """Rename a new manifest into place: the moment at which an append has happened."""
    plain = {
        "format": FORMAT,
        "reference": manifest.reference.value,
        "version": manifest.version,
        "transfers": manifest.transfers,
        "compactions": manifest.compactions,
        "parts": [
            {
                "file": part.file,
                "rows": part.rows,
                "source": part.source,
                "corrections": part.corrections,
                "versions": part.versions,
                "span": part.span,
                "format": part.format,
            }
            for part in manifest.parts
        ],
    }
    fresh = path / "manifest.json.new"
    fresh.write_text(json.dumps(plain, indent=1))
    sync(fresh)
    fresh.replace(path / "manifest.json")
    sync(path)


def sync(path: Path) -> None:
    """Return when the file, or the directory, is on its disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """While this is held no other process appends, corrects or compacts."""
    with (path / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def reading(path: Path) -> Iterator[Manifest]:
    """The manifest; while this is held, no file that it names is taken away.

    The lock is on the directory itself: reading a ledger that may not be written leaves nothing in it.
    """
    with ExitStack() as held:
        with suppress(OSError):  # no such directory, or a file system without locks
            handle = os.open(path, os.O_RDONLY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield read(path)


def sweep(path: Path, kept: Sequence[Part]) -> bool:
    """Delete parts that no manifest names any more, unless somebody still reads; whether it was done."""
    names = {part.file for part in kept}
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for file in path.glob("part-*.parquet"):
            if file.name not in names:
                file.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True

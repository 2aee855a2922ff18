"""Writing an edition as a Comity extract: whole or not at all, equal bytes for equal entries."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from comity import plugins
from comity.errors import BadInput, StoreError
from comity.lists import Edition
from comity.lists.extract import Header, lines
from comity.model import Listing


def write_extract(
    edition: Edition,
    path: Path,
    *,
    origin: str = "",
    terms: str = "",
    sha256: str = "",
    loaded: str = "",
    written: Callable[[Listing], bytes] | None = None,
) -> Header:
    """Write ``edition`` to ``path`` (``.xz``, ``.gz``, anything else plain) and return its header.

    Without ``origin`` and ``terms`` those of the list's own plug-in are written; ``written`` is as for
    `comity.lists.extract.lines`. The file replaces what
    was there only once it is whole and on disk. Raises what reading the edition raises; StoreError.
    """
    if not origin or not terms:
        own = edition.list_id in plugins.names("lists")
        spec = plugins.load("lists", edition.list_id if own else "extract").SPEC
        origin = origin or f"{spec.authority}: {spec.title}"
        terms = terms or spec.terms
    path.parent.mkdir(parents=True, exist_ok=True)
    count = _Count()
    try:
        # The header says how many entries follow, so they are written first and joined to it after.
        with (
            tempfile.TemporaryFile(dir=path.parent) as body,
            tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as whole,
        ):
            temporary = Path(whole.name)
            try:
                header = Header(edition.list_id, edition.version, origin, terms, 0, sha256, loaded)
                entries = lines(header, count.over(edition.listings), written)
                next(entries)
                _pack(entries, cast("IO[bytes]", body), path.suffix)
                header = replace(header, entries=count.entries, wallets=len(count.wallets))
                _pack([next(lines(header, ()))], cast("IO[bytes]", whole), path.suffix)
                body.seek(0)
                shutil.copyfileobj(body, whole)
                whole.flush()
                os.fsync(whole.fileno())
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        _sync_directory(path.parent)
    except OSError as error:
        raise StoreError(
            f"cannot write {path.name}",
            why=error.strerror or str(error),
            remedy="make room, or choose another directory",
        ) from None
    return header


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises BadInput when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(
            f"cannot open {path.name}", why=error.strerror or "", remedy="check the path"
        ) from None


@dataclass(slots=True)
class _Count:
    """What passed by while it was written."""

    entries: int
    wallets: set[str]

    def __init__(self) -> None:
        self.entries, self.wallets = 0, set()

    def over(self, listings: Iterable[Listing]) -> Iterator[Listing]:
        for listing in listings:
            self.entries += 1
            self.wallets.update(account.address for account in listing.wallets)
            yield listing


def _pack(parts: Iterable[bytes], target: IO[bytes], suffix: str) -> None:
    """Write parts as one gzip member or xz stream; both formats allow one after another."""
    packer: IO[bytes]
    if suffix == ".gz":
        packed = gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=6, mtime=0)
        packer = cast("IO[bytes]", packed)
    elif suffix == ".xz":
        packer = cast("IO[bytes]", lzma.LZMAFile(target, "wb", preset=9 | lzma.PRESET_EXTREME))  # noqa: SIM115
    else:
        target.writelines(parts)
        return
    with packer, io.BufferedWriter(cast("io.RawIOBase", packer), 1 << 16) as buffered:
        buffered.writelines(parts)


def _sync_directory(folder: Path) -> None:
    """Make a rename last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

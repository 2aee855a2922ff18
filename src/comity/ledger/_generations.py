"""Which columns a ledger has on disk, and how those of its present version come about."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from comity.errors import StoreError
from comity.ledger import _mapped
from comity.ledger._parts import Manifest, reading
from comity.ledger._sql import connected
from comity.ledger.columns import build
from comity.model import AssetId, Columns

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = 24 * 3600.0
NAME = "columns2-"
"""With the format of the folder in it: columns of another format are not read, but made again."""
MOST_MERGED = 5_000_000
"""Transfers that are merged into older columns, in memory; more are sorted through DuckDB."""


def columns(path: Path, reference: AssetId) -> Columns:
    """The columns of the present version; made first when there are none. Raises StoreError, OSError."""
    for _ in range(3):  # another process may replace a generation while we open it
        with reading(path) as held:
            if not held.transfers:
                return build((), reference)
            folder = path / f"{NAME}{held.version:08}"
            if not folder.is_dir():
                _make(path, folder, held)
            try:
                return _mapped.load(folder, reference)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise StoreError(
                    f"{folder.name} cannot be read", why=str(error), remedy="delete it; it is made again"
                ) from None
    raise StoreError(f"the columns of {path.name} keep changing", remedy="append less often, or try again")


def _make(path: Path, folder: Path, held: Manifest) -> None:
    making = path / f"making-{os.getpid()}-{threading.get_ident()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    try:
        if not _merged(path, making, held):
            from comity.ledger import _writing  # compiled code: not for those who only open a ledger

            with connected(path, held.parts, held.parts) as connection:
                _writing.write(connection, making)
            _writing.finish(making)
        making.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    for old in path.glob("columns*-*"):
        if not old.name.startswith(NAME) or old.name < folder.name:
            shutil.rmtree(old, ignore_errors=True)
    _tidy(path)


def _tidy(path: Path) -> None:
    """Delete what processes that were killed left half done, a day ago or more."""
    for pattern in ("making-*", "spill-*"):
        for left in path.glob(pattern):
            with suppress(FileNotFoundError):  # its process has just ended
                if left.stat().st_mtime < time.time() - _DAY:
                    shutil.rmtree(left, ignore_errors=True)


def _merged(path: Path, making: Path, held: Manifest) -> bool:
    """Make the columns from older ones, where that is possible and less work; whether it was done."""
    older = sorted(old for old in path.glob(f"{NAME}*") if old.name < f"{NAME}{held.version:08}")
    if not older:
        return False
    since = int(older[-1].name.removeprefix(NAME))
    later = [part for part in held.parts if part.versions[1] > since]
    most = min(held.transfers // 2, MOST_MERGED)
    if sum(part.rows for part in later if part.versions[0] > since) > most:
        return False
    from comity.ledger import _merging

    try:
        lost = _lost(path, held, since) if any(part.corrections for part in later) else None
        with connected(path, later, held.parts) as connection:
            _merging.merge(connection, older[-1], making, since, lost, most)
    except (_merging.Stale, FileNotFoundError, ValueError, StoreError):
        # The older ones were taken away meanwhile, or are damaged: the parts are the truth. Where it is they
        # that cannot be read, reading all of them says so.
        shutil.rmtree(making)
        making.mkdir()
        return False
    return True


def _lost(path: Path, held: Manifest, since: int) -> pa.Table:
    from comity.ledger import _merging

    with connected(path, held.parts, held.parts) as connection:
        return _merging.gone(connection, since)

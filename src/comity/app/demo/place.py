"""The demo's own directory: made afresh each run, and never one that holds anything else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from comity.errors import Conflict, StoreError

MARKER = ".comity-demo"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo keeps what. Nodes are given paths under ``world`` and their own homes, no others."""

    root: Path

    @property
    def world(self) -> Path:
        """What each institution is given: its own transfers and customers."""
        return self.root / "world"

    @property
    def truth(self) -> Path:
        """The planted schemes. Only the measuring reads it."""
        return self.root / "truth.json"

    @property
    def nodes(self) -> Path:
        return self.root / "nodes"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def report(self) -> Path:
        return self.root / "report"


def fresh(root: Path) -> Place:
    """An empty directory for this run; a former demo's is removed. Raises Conflict, StoreError."""
    root = root.absolute()
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise Conflict(f"{root} is not a directory", remedy="choose another with --to")
    if root.exists() and any(root.iterdir()) and not (root / MARKER).is_file():
        raise Conflict(
            f"{root} holds something that is not a former demo",
            why=f"it has no {MARKER}, and the demo deletes only what it made",
            remedy="choose an empty directory with --to",
        )
    try:
        if root.exists():
            shutil.rmtree(root)
        root.mkdir(parents=True, mode=0o700)
        (root / MARKER).write_text("Made by comity demo, which will delete this directory.\n", "utf-8")
        place = Place(root)
        place.logs.mkdir()
    except OSError as error:
        raise StoreError(
            f"cannot make {root}", why=error.strerror or "", remedy="choose another directory with --to"
        ) from None
    return place

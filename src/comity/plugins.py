"""One file is one plug-in: finds the plug-ins of a seam by their file names, without importing them.

A plug-in outside this distribution is a file ``comity/SEAM/NAME.py`` (or ``.yaml``) under any
directory on ``sys.path``: the seam packages extend their path (see ``pkgutil.extend_path``).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from comity.errors import UnknownFormat

SEAMS = ("lists", "chains", "typologies", "reports")


def names(seam: str) -> tuple[str, ...]:
    """Names of the plug-ins of ``seam``, sorted. Imports the seam's package only."""
    package = importlib.import_module(f"comity.{seam}")
    found = {
        path.stem
        for folder in package.__path__
        for path in Path(folder).glob("*.py")
        if not path.stem.startswith("_")
    }
    return tuple(sorted(found))


def load(seam: str, name: str) -> ModuleType:
    """Import one plug-in. Raises UnknownFormat, naming what there is."""
    known = names(seam)
    if name not in known:
        raise UnknownFormat(
            f"no {name!r} among the {seam}",
            why=f"there are: {', '.join(known)}",
            remedy=f"choose one of them, or add comity/{seam}/{name}.py",
        )
    return importlib.import_module(f"comity.{seam}.{name}")


def recognise(seam: str, head: bytes, only: Iterable[str] | None = None) -> ModuleType:
    """The first plug-in of ``seam`` (by name) whose ``sniff`` accepts these first bytes.

    Raises UnknownFormat when none does.
    """
    for name in only if only is not None else names(seam):
        module = load(seam, name)
        if module.sniff(head):
            return module
    raise UnknownFormat(
        f"not a file that any of the {seam} can read",
        why=f"its beginning fits none of: {', '.join(names(seam))}",
        remedy="check the file, or name its format yourself",
    )

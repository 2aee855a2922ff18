"""One country's law a file: ``jurisdictions/CC.yaml``. Data only; `comity.standard` reads it."""

from importlib.resources.abc import Traversable
from pathlib import Path
from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)


def files() -> dict[str, Traversable]:
    """The law files by jurisdiction (``fatf``, ``eu``, ``de`` …), sorted."""
    found = {path.stem: path for folder in __path__ for path in Path(folder).glob("*.yaml")}
    return dict(sorted(found.items()))

from __future__ import annotations
from pathlib import Path
from typing import Any


def write(directory: Path, *_: Any) -> Path:
    directory.mkdir()
    p = directory / "index.html"
    p.write_text("x")
    return p

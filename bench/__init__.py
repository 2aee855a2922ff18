"""The claims, measured: `python -m bench [NAME] [--json] [--scale X]`.

One file is one claim. ``bench/NAME.py`` has

- ``CLAIM``: one sentence
- ``GOAL``: how many times better than the peer we say we are (None: measured, nothing claimed)
- ``run(scale: float) -> list[Row]``: runs us and the peer on the same work, asserts that both give the same
  answer, and only then compares. Seeds are fixed. ``scale`` makes the work larger or smaller than usual.

Figures are CPU seconds of this process and its children, not the clock on the wall: the machine may be
shared. What is paid once (compiling, indexing) is ``once``, beside the figure and not in it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. ``peer`` is None where there is nothing to compare with, and ``goal`` where nothing
    is claimed. ``more`` says that a larger figure is the better one. ``once`` is in CPU seconds."""

    work: str
    ours: float
    peer: float | None
    peer_version: str
    goal: float | None = None
    unit: str = "CPU s"
    more: bool = False
    once: float = 0.0
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer we are."""
        if self.peer is None:
            return None
        better, worse = (self.ours, self.peer) if self.more else (self.peer, self.ours)
        return better / worse if worse else float("inf")

    @property
    def holds(self) -> bool | None:
        """Whether the claim holds; None when this row claims nothing."""
        if self.goal is None or self.ratio is None:
            return None
        return bool(self.ratio >= self.goal)


def claims() -> tuple[str, ...]:
    """The claims there are, by file name."""
    return tuple(sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py")))


def load(name: str) -> ModuleType:
    """The module of one claim."""
    return importlib.import_module(f"bench.{name}")

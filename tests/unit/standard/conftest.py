"""Small laws of made-up countries, and the law that is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity.standard.law import Standard
from comity.standard.load import load

FATF = """
jurisdiction: fatf
kind: standard
provisions:
  travel_rule.threshold:
    - {value: {at_least: 1000, currency: USD/EUR}, source: R.16, confidence: high, reviewed: 2026-01-01}
  record_keeping.years:
    - {value: 5, source: R.11, confidence: high, reviewed: 2026-01-01}
"""


@pytest.fixture(scope="session")
def installed() -> Standard:
    """The law files that ship."""
    return load()


@pytest.fixture
def law(tmp_path: Path) -> Callable[..., Standard]:
    """Loads made-up law files, given as texts by name; `fatf` is there unless another is given."""

    def read(**texts: str) -> Standard:
        files = {}
        for name, text in ({"fatf": FATF} | texts).items():
            files[name] = tmp_path / f"{name}.yaml"
            files[name].write_text(text)
        return load(files)

    return read

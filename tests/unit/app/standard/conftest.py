"""Law to draw, measure and export: of fiction, hostile names included, and what ships."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from comity.standard.law import Standard
from comity.standard.load import load

LAWS = Path(__file__).parents[1] / "web" / "laws"


@pytest.fixture(scope="session")
def fiction() -> Standard:
    return load({path.stem: path for path in LAWS.glob("*.yaml")})


@pytest.fixture(scope="session")
def shipped() -> Standard:
    return load()


@pytest.fixture
def on() -> date:
    return date(2026, 11, 25)

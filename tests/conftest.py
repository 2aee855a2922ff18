"""What every test may use."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "comity", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("comity")

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def data() -> Path:
    """The real data. Missing: the test is skipped, and says so; in CI it fails."""
    place = Path(os.environ.get("COMITY_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (place / "sanctions").is_dir():
        what = "needs ../shared/data or $COMITY_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)
    return place


@pytest.fixture
def now() -> datetime:
    """The present time, for everything that is handed a clock."""
    return NOW

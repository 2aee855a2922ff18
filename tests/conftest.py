"""What every test may use."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text

settings.register_profile(
    "comity", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("comity")

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_SCHEMAS = itertools.count(1)


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


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throw-away PostgreSQL. Not installed: the test is skipped, and says so; in CI it fails."""
    spec = importlib.util.spec_from_file_location(
        "postgres", Path(__file__).parent / "support" / "postgres.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield from module.cluster()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind we run on."""
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{tmp_path / 'node.db'}")
        yield engine
        engine.dispose()
        return
    url = request.getfixturevalue("postgres_url")
    schema = f"t{next(_SCHEMAS)}"
    with create_engine(url).begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    engine = create_engine(f"{url}&options=-csearch_path%3D{schema}")
    yield engine
    engine.dispose()

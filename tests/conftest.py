"""What every test may use."""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine, text

from comity.model import Report

settings.register_profile(
    "comity", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("comity")

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_SCHEMAS = itertools.count(1)


def support(name: str) -> ModuleType:
    """A module of tests/support."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "support" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _skipped(reporter: Any) -> list[Any]:
    """What was skipped, where nothing may be: in CI a test that does not run is a test that fails."""
    found: list[Any] = reporter.stats.get("skipped", []) if reporter else []
    return found if os.environ.get("CI") == "true" else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _skipped(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = _skipped(terminalreporter)
    if skipped:
        terminalreporter.section("skipped, and in CI no test may be", red=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {reason}")


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


@pytest.fixture(scope="session")
def comity() -> Callable[..., Any]:
    """Runs the command line in this process: ``comity("lists", "show")`` gives what it said and did."""
    run: Callable[..., Any] = support("cli").run
    return run


@pytest.fixture
def now() -> datetime:
    """The present time, for everything that is handed a clock."""
    return NOW


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throw-away PostgreSQL. Not installed: the test is skipped, and says so; in CI it fails."""
    yield from support("postgres").cluster()


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


@pytest.fixture(scope="session")
def rich_report() -> Report:
    """A report with everything in it: chain and bank, client and stranger, person and company."""
    return support("reporting").rich()


@pytest.fixture(scope="session")
def minimal_report() -> Report:
    """The least a report can hold: one subject known by name, one finding, no transfer."""
    return support("reporting").minimal()

"""A case store on each database, and nouns to fill it with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from comity.casework.store import CaseStore
from comity.casework.tables import metadata

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database: Engine) -> Engine:
    with database.begin() as connection:
        metadata.create_all(connection)
    return database


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def store(clock: Clock) -> CaseStore:
    numbers = itertools.count(1)
    return CaseStore(clock, lambda: f"id-{next(numbers):04}")

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from comity.cooperation import budget
from comity.cooperation.budget import Budget
from comity.cooperation.subjects import IdentifierKind
from comity.errors import BadInput, Refused

WALLET, LEI = IdentifierKind.WALLET, IdentifierKind.LEI


@pytest.fixture
def conn(database: Engine) -> Iterator[Connection]:
    budget.metadata.create_all(database)
    with database.connect() as connection:
        yield connection


def test_a_cap_per_peer_kind_and_day(conn: Connection, now: datetime) -> None:
    held = Budget(200)
    assert held.spend(conn, "fiu-fr", WALLET, 128, now) == 72
    assert held.spend(conn, "fiu-fr", WALLET, 72, now) == 0
    with pytest.raises(Refused, match="fiu-fr has used up") as error:
        held.spend(conn, "fiu-fr", WALLET, 1, now)
    assert "200 of 200" in error.value.why
    assert held.spend(conn, "fiu-sg", WALLET, 64, now) == 136
    assert held.spend(conn, "fiu-fr", LEI, 64, now) == 136
    assert held.spend(conn, "fiu-fr", WALLET, 200, now + timedelta(hours=12)) == 0


def test_what_is_refused_is_not_charged(conn: Connection, now: datetime) -> None:
    held = Budget(100)
    with pytest.raises(Refused):
        held.spend(conn, "fiu-fr", WALLET, 101, now)
    assert held.spend(conn, "fiu-fr", WALLET, 100, now) == 0
    for count in (0, -5):
        with pytest.raises(BadInput):
            held.spend(conn, "fiu-fr", WALLET, count, now)

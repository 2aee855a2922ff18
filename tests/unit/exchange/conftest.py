"""A small network for the exchange's tests: two FIUs and a stranger, with seeded keys."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from comity.exchange import keys, tables
from comity.exchange.directory import Directory
from comity.exchange.keys import Keys
from comity.model import Handling, Institution, Message, MessageKind, Role

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def institution(member_id: str) -> Institution:
    return Institution(member_id, member_id.upper(), Role.FIU, (member_id[-2:],))


@pytest.fixture(scope="session")
def ring() -> dict[str, Keys]:
    """Keys by member id."""
    return {
        name: keys.generate(name, NOW, entropy=random.Random(name).randbytes)
        for name in ("fiu-de", "fiu-fr", "fiu-sg")
    }


@pytest.fixture(scope="session")
def directory(ring: dict[str, Keys]) -> Directory:
    """Lists fiu-de and fiu-fr, for a year around NOW; not fiu-sg."""
    return Directory(
        tuple(
            ring[name].member(
                institution(name),
                f"https://127.0.0.1:{8000 + port}",
                NOW - timedelta(days=180),
                NOW + timedelta(days=180),
            )
            for port, name in enumerate(("fiu-de", "fiu-fr"))
        )
    )


@pytest.fixture
def write() -> Callable[..., Message]:
    """Writes a message from fiu-de to fiu-fr; anything may be changed."""

    def make(**changes: object) -> Message:
        values: dict[str, object] = {
            "id": "m-1",
            "kind": MessageKind.REPLY,
            "sender": "fiu-de",
            "recipient": "fiu-fr",
            "conversation": "c-1",
            "created": NOW,
            "expires": NOW + timedelta(days=7),
            "handling": Handling("intelligence on case 7", legal_basis="Directive (EU) 2015/849, Art. 53"),
            "body": {"outcome": "nothing", "facts": "We searched all our reports in vain."},
            "in_reply_to": "m-0",
        }
        return Message(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def conn(database: Engine) -> Iterator[Connection]:
    tables.metadata.create_all(database)
    with database.connect() as connection:
        yield connection

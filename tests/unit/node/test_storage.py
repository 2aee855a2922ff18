from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from comity.errors import SettingsError, StoreError
from comity.model import MessageKind, Verdict
from comity.node import filing, hops, tables, watching
from comity.node import finding_together as together
from comity.node.node import Node
from comity.node.storage import check_engine, create_tables, open_engine

_SCHEMAS = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The database URL for a node's name: '' for SQLite, a schema of its own on PostgreSQL."""
    if request.param == "sqlite":
        return lambda name: ""
    base = request.getfixturevalue("postgres_url")

    def schema(name: str) -> str:
        made = f"n{next(_SCHEMAS)}_{name.replace('-', '_')}"
        engine = create_engine(base)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {made}"))
        engine.dispose()
        return f"{base}&options=-csearch_path%3D{made}"

    return schema


@pytest.fixture
def nodes(
    net: ModuleType, tmp_path: Path, clock: Any, url: Callable[[str], str]
) -> Iterator[dict[str, Node]]:
    names = ("de-fiu", "de-vasp-1")
    made = {
        name: Node.create(net.settings(tmp_path, name, database=url(name)), clock=clock) for name in names
    }
    root, bundle = net.found(list(made.values()), clock())
    for node in made.values():
        node.join(root, bundle)
    yield made
    for node in made.values():
        node.close()


def test_a_whole_node(
    nodes: dict[str, Node], net: ModuleType, stocked: Callable[..., str], log: Callable[[Node], list[str]]
) -> None:
    vasp, fiu = nodes["de-vasp-1"], nodes["de-fiu"]
    finding = stocked(vasp)
    case = hops.open_case(vasp, [finding])
    hops.decide(vasp, case.id, Verdict.REPORT, "Ada Officer", "Twelve payers, one account.")
    message = filing.file(vasp, filing.draft(vasp, case.id, "goaml").id)
    asked = together.ask_watch(fiu, "de-vasp-1")
    assert net.settle(nodes) == 2
    together.answer(vasp, asked.id, by="Ada Officer")
    assert net.settle(nodes) == 1
    with fiu.act() as conn:
        assert fiu.mailbox.get(conn, "de-vasp-1", message.id).message.kind is MessageKind.REPORT
        assert conn.execute(text("SELECT count(*) FROM node_watch")).scalar_one() == 1
    with fiu.act() as conn:
        assert watching.accounts_of(conn, "document|passport|DE|C01X00T47")
    with vasp.act() as conn:
        kept = vasp.cases.get(conn, case.id)
        assert kept.acts and kept.decisions[0].by == "Ada Officer"
    for node in nodes.values():
        again = Node.open(node.settings.home, clock=node.clock)
        size = len(log(again))
        assert again.verify().size == size > 3
        again.close()


def test_what_fails_leaves_nothing(nodes: dict[str, Node], log: Callable[[Node], list[str]]) -> None:
    node = nodes["de-fiu"]
    before = log(node)
    with pytest.raises(ZeroDivisionError), node.act() as conn:
        node.record(conn, "half.done", {})
        raise ZeroDivisionError
    assert log(node) == before
    node.verify()


def test_two_processes_on_one_node_take_turns(
    nodes: dict[str, Node], log: Callable[[Node], list[str]]
) -> None:
    node = nodes["de-fiu"]
    before = len(log(node))
    others = [Node.open(node.settings.home, clock=node.clock) for _ in range(4)]

    def work(other: Node) -> None:
        for number in range(10):
            with other.act() as conn:
                size = other.audit.size(conn)
                other.record(conn, "turn.taken", {"number": number})
                assert other.audit.size(conn) == size + 1, "nobody came between"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, others))
    assert len(log(node)) == before + 40
    node.verify()
    for other in others:
        other.close()


def test_a_full_sync_on_every_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    engine.dispose()


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(StoreError, match="cannot be used") as failed:
        create_tables(engine, tables.metadata)
    assert "node.toml" in failed.value.remedy
    with pytest.raises(SQLAlchemyError):
        engine.connect()


def test_secrets_of_the_url_are_not_said() -> None:
    engine = open_engine("postgresql+psycopg://me:hunter2@127.0.0.1:1/x?connect_timeout=2")
    with pytest.raises(StoreError) as failed:
        create_tables(engine, tables.metadata)
    assert "hunter2" not in failed.value.diagnostics()


@pytest.mark.parametrize(
    "url", ["", "not a url", "foo://bar", "mysql://root:secret@db/x", "sqlite+nothing://"]
)
def test_a_url_of_no_database_of_ours_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="not one of SQLite or PostgreSQL") as failed:
        open_engine(url)
    assert "secret" not in failed.value.diagnostics()


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    check_engine(f"sqlite:///{tmp_path / 'node.db'}")
    with pytest.raises(StoreError, match="cannot be used"):
        check_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")

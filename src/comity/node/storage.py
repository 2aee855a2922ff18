"""The node's database: opening it, its tables, and its transactions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from comity.errors import SettingsError, StoreError


def open_engine(url: str) -> Engine:
    """An engine on SQLite or PostgreSQL. Acts of one node happen one after another, whoever runs them.

    Raises SettingsError when the URL is not one of theirs.
    """
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        known = engine.dialect.name in {"sqlite", "postgresql"}
    except (ArgumentError, ImportError):
        known = False
    if not known:
        raise SettingsError(
            "the database URL is not one of SQLite or PostgreSQL",
            why="it may hold a password, and is not repeated here",
            remedy="write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
        )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "begin", _postgresql_begin)
    return engine


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_begin(connection: Any) -> None:
    """The same order that SQLite gives: a server and a command line may both work on one node."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('comity ' || current_schema()))")


def create_tables(engine: Engine, *metadatas: MetaData) -> None:
    """Create what is missing. Raises StoreError when the database cannot be reached."""
    try:
        with engine.begin() as connection:
            for metadata in metadatas:
                metadata.create_all(connection)
    except SQLAlchemyError as error:
        raise _unusable(error) from None


def check_engine(url: str) -> None:
    """Connect once. Raises StoreError when the database cannot be reached, SettingsError."""
    engine = open_engine(url)
    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        raise _unusable(error) from None
    finally:
        engine.dispose()


def _unusable(error: SQLAlchemyError) -> StoreError:
    return StoreError(
        "the node's database cannot be used",
        why=type(error).__name__,
        remedy="check the database URL in node.toml and that the server runs",
    )

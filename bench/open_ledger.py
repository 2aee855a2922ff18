"""Opening a ledger: our memory-mapped columns against DuckDB over the same Parquet files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench import Row
from bench._ledger import ledger
from bench._measure import DUCKDB, both, cpu, database
from comity.ledger.store import Ledger
from comity.model import AccountId, Amount, AssetId, Columns, Transfer

CLAIM = "A ledger is opened and its columns are read in at most a fifth of what DuckDB needs to read them."
GOAL = 5.0

_TRANSFERS = 150_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOLLARS = AssetId("iso4217:USD")
Answer = tuple[int, int, int, int]


def _transfers(columns: Columns) -> Iterator[Transfer]:
    for e in range(len(columns)):
        yield Transfer(
            id=f"T-{e:09}",
            time=_EPOCH + timedelta(microseconds=int(columns.time[e])),
            originator=AccountId(columns.accounts[int(columns.src[e])]),
            beneficiary=AccountId(columns.accounts[int(columns.dst[e])]),
            amount=Amount(Decimal(int(columns.value[e])).scaleb(-columns.scale), _DOLLARS),
        )


def _ours(path: Path, account: str) -> Answer:
    columns = Ledger.open(path).columns()
    number = columns.accounts.index(account)
    return (
        int(columns.value.sum()),
        int(columns.time.max()),
        int((columns.src == number).sum()),
        int((columns.dst == number).sum()),
    )


def _theirs(path: Path, account: str) -> Answer:
    with database() as connection:
        row = connection.execute(
            "SELECT sum(units)::BIGINT, epoch_us(max(time)), count(*) FILTER (originator = $1), "
            "count(*) FILTER (beneficiary = $1) FROM read_parquet($2)",
            [account, str(path / "part-*.parquet")],
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2], row[3]


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    columns = ledger(round(_TRANSFERS * scale))[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        added = cpu(lambda: Ledger.create(path).append(_transfers(columns)), 1)
        account = columns.accounts[0]
        made = cpu(lambda: Ledger.open(path).columns(), 1)
        ours, theirs = both(lambda: _ours(path, account), lambda: _theirs(path, account))
    assert ours.answer == theirs.answer
    return [
        Row(
            work=f"{len(columns):,} transfers: sum of values, last time, one account's transfers",
            ours=ours.best,
            peer=theirs.best,
            peer_version=f"{DUCKDB}, four columns of Parquet",
            goal=GOAL,
            once=made.best,
            note=f"the columns are made once from Parquet; appending took {added.best:.1f} CPU s",
        )
    ]

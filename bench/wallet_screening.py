"""Wallet screening of all accounts of a ledger against the OFAC list that ships, against a join in SQL."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from bench import Row
from bench._ledger import SEED, USD, columns, table
from bench._measure import DUCKDB, both, cpu
from comity.model import Columns, Finding, Listing
from comity.screening.addresses import WalletIndex
from comity.screening.store import ListStore

CLAIM = "A ledger is screened for listed wallets, and who dealt with them, as cheaply as by a join in SQL."
GOAL = 1.0

_ACCOUNTS = 200_000
_SQL = """
WITH listed AS MATERIALIZED (
    SELECT a.number, w.entry FROM accounts a JOIN wallets w ON a.id = w.id
    UNION SELECT a.number, w.entry FROM accounts a JOIN wallets w ON a.evm = w.evm
),
edges AS (
    SELECT l.number AS listed, l.entry, t.e, t.dst AS other, t.value AS sent, 0 AS received
    FROM t JOIN listed l ON t.src = l.number
    UNION ALL SELECT l.number, l.entry, t.e, t.src, 0, t.value FROM t JOIN listed l ON t.dst = l.number
)
SELECT 'listed_wallet', listed, listed, entry, sum(sent)::BIGINT, sum(received)::BIGINT, list(DISTINCT e)
FROM edges GROUP BY listed, entry
UNION ALL
SELECT 'counterparty_of_listed_wallet', other, listed, entry, sum(sent)::BIGINT, sum(received)::BIGINT,
    list(e)
FROM edges WHERE other <> listed GROUP BY other, listed, entry"""
_SUMS = {
    "listed_wallet": ("sent", "received"),
    "counterparty_of_listed_wallet": ("received_from_listed", "sent_to_listed"),
}


def listings() -> list[Listing]:
    """The OFAC list that ships."""
    with tempfile.TemporaryDirectory() as folder:
        store = ListStore(Path(folder))
        store.bundled(datetime(2026, 11, 23, tzinfo=UTC))
        return list(store.listings())


def _ledger(listed: list[str], accounts: int) -> Columns:
    """Five transfers an account, half of the accounts EVM addresses; a few of them are listed."""
    rng = np.random.default_rng(SEED)
    texts = {
        f"acct:BENCH:{i:09}" if i % 2 else f"eip155:{1 + 136 * (i % 4 > 1)}:0x{rng.bytes(20).hex()}"
        for i in range(accounts)
    }
    some = rng.choice(len(listed), min(60, len(listed)), replace=False)
    texts |= {listed[i] for i in some} | {listed[i].replace("eip155:1:", "eip155:137:") for i in some[:20]}
    n = 5 * len(texts)
    ends = rng.integers(0, len(texts), (2, n)).astype(np.int32)
    time = 1_772_323_200_000_000 + np.arange(n)
    made = columns(time, ends[0], ends[1], rng.integers(1, 10**8, n), len(texts))
    made.accounts[:] = sorted(texts)  # type: ignore[index]
    return made


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    lists = [listing for listing in listings() if listing.wallets]
    wallets = [
        (wallet.value, f"{one.list_id}:{one.entry_id}", _evm(wallet.value))
        for one in lists
        for wallet in one.wallets
    ]
    made = _ledger([wallet for wallet, _, _ in wallets], round(_ACCOUNTS * scale))
    built = cpu(lambda: WalletIndex(lists))
    with table(made) as connection:
        connection.execute("CREATE TABLE accounts (number INTEGER, id VARCHAR, evm VARCHAR)")
        numbered = [(i, account, _evm(account)) for i, account in enumerate(made.accounts)]
        _fill(connection, "accounts", numbered)
        connection.execute("CREATE TABLE wallets (id VARCHAR, entry VARCHAR, evm VARCHAR)")
        _fill(connection, "wallets", wallets)
        ours, theirs = both(
            lambda: list(built.answer.screen_columns(made)), lambda: connection.execute(_SQL).fetchall()
        )
    found = sorted(_plain(finding) for finding in ours.answer if len(finding.evidence) > 1)
    assert found == sorted(
        (rule, made.accounts[number], entry, sent, received, tuple(sorted(edges)))
        for rule, number, _, entry, sent, received, edges in theirs.answer
    )
    return [
        Row(
            work=f"{made.n_accounts:,} accounts, {len(built.answer):,} wallets, {len(found):,} found",
            ours=ours.best,
            peer=theirs.best,
            peer_version=f"{DUCKDB}, native tables",
            goal=GOAL,
            once=built.best,
            note="the same pairs, sums and transfers on both sides; ours are whole findings with reasons",
        )
    ]


def _plain(finding: Finding) -> tuple[Any, ...]:
    features = dict(finding.features)
    sums = [round(features[name] * USD) for name in _SUMS[finding.rule]]
    return finding.rule, finding.subject, finding.evidence[0], *sums, finding.evidence[1:]


def _evm(account: str) -> str | None:
    address = account.rsplit(":", 1)[1]
    return address if account.startswith(("eip155:", "listed:")) and len(address) == 42 else None


def _fill(connection: DuckDBPyConnection, name: str, rows: list[tuple[Any, ...]]) -> None:
    names = {"accounts": ["number", "id", "evm"], "wallets": ["id", "entry", "evm"]}[name]
    given = pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))
    connection.register("given", given)
    connection.execute(f"INSERT INTO {name} SELECT * FROM given")
    connection.unregister("given")

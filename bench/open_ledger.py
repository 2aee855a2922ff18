"""Opening a ledger: our memory-mapped columns against DuckDB over the same Parquet files; and a large one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench import Row
from bench._ledger import ledger
from bench._measure import DUCKDB, both, cpu, database
from comity.ledger import _compacting, _parts
from comity.ledger.store import Ledger
from comity.model import AccountId, Amount, AssetId, Columns, Transfer

CLAIM = "A ledger is opened and its columns are read in at most a fifth of what DuckDB needs to read them."
GOAL = 5.0

_TRANSFERS = 150_000
_MANY = 50_000_000
_PARTS = 8
_MOST_MEGABYTES = 300.0
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


_ROWS = """
SELECT 'T-' || lpad(i::VARCHAR, 9, '0') AS id,
    make_timestamp(1772323200000000 + i * 155520) AS time,
    'acct:BANK' || (hash(i) % 40) || ':' || lpad((hash(i) % {accounts})::VARCHAR, 8, '0') AS originator,
    'acct:BANK' || (hash(-i) % 40) || ':' || lpad((hash(-i) % {accounts})::VARCHAR, 8, '0') AS beneficiary,
    (hash(i + 7) % 1000000)::DECIMAL(38, 18) AS amount,
    'iso4217:USD' AS asset,
    NULL::DECIMAL(38, 18) AS value,
    (hash(i + 7) % 1000000)::BIGINT * 10000 AS units,
    'BANK' || (hash(i) % 40) AS originator_institution,
    'BANK' || (hash(-i) % 40) AS beneficiary_institution,
    ['DE', 'SG', 'AE', 'US', 'FR'][1 + (hash(i) % 5)::INTEGER] AS originator_country,
    ['DE', 'SG', 'AE', 'US', 'FR'][1 + (hash(-i) % 5)::INTEGER] AS beneficiary_country,
    NULL::VARCHAR AS originator_party, NULL::VARCHAR AS beneficiary_party,
    []::VARCHAR[] AS intermediaries,
    'invoice ' || (hash(i + 3) % 5000) AS reference,
    'bench' AS source,
    NULL::DECIMAL(38, 18) AS rate, NULL::VARCHAR AS rate_source, NULL::DATE AS rate_date,
    NULL::VARCHAR AS corrects, false AS voided, '' AS reason, '' AS corrected_by,
    NULL::TIMESTAMP AS recorded, {version}::INTEGER AS version
FROM range({begin}, {end}) r(i)
"""
"""Made-up transfers in order of time, as appends write them; none of them a Python object."""

_MAKE = """
import resource, sys
from pathlib import Path
from comity.ledger.store import Ledger
Ledger.open(Path(sys.argv[1])).columns()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_OPEN = """
import json, os, sys, time
from pathlib import Path
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
before, wall, spent = resident(), time.perf_counter(), time.process_time()
from comity.ledger.store import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
columns = ledger.columns()
wall, spent, grown = time.perf_counter() - wall, time.process_time() - spent, resident() - before
assert len(ledger) == len(columns) == len(columns.ids)
last = columns.ids[-1], columns.facts.memos[int(columns.facts.memo[-1])]
json.dump({"wall": wall, "spent": spent, "grown": grown, "last": last}, sys.stdout)
"""


def _large(path: Path, transfers: int) -> None:
    """A ledger of so many transfers, written by DuckDB and never held in memory."""
    path.mkdir()
    parts = []
    with database() as connection:
        connection.execute("SET memory_limit = '2GB'")
        connection.execute("SET enable_progress_bar = false")
        for version in range(1, _PARTS + 1):
            begin, end = ((version + step) * transfers // _PARTS for step in (-1, 0))
            place = path / f"part-{version:08}.parquet"
            rows = _ROWS.format(begin=begin, end=end, version=version, accounts=max(64, transfers // 8))
            connection.execute(f"COPY ({rows}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)")
            parts.append(_compacting.part_of(place, "bench", (version, version)))
    _parts.publish(path, _parts.Manifest(_DOLLARS, tuple(parts), _PARTS, transfers))


def _opened(path: Path, transfers: int) -> Row:
    """What a new process needs to open it, once its columns are made."""
    _large(path, transfers)

    def child(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
        )
        return done.stdout

    made = cpu(lambda: float(child(_MAKE)), 1)
    found = min((json.loads(child(_OPEN)) for _ in range(3)), key=lambda one: one["wall"])
    assert found["last"][0] == f"T-{transfers - 1:09}"
    assert found["grown"] < _MOST_MEGABYTES, f"{found['grown']:.0f} MB more after opening"
    assert found["spent"] < 1.0, f"{found['spent']:.2f} CPU s to open"
    return Row(
        work=f"{transfers:,} transfers opened in a new process, {_PARTS} parts",
        ours=found["spent"],
        peer=None,
        peer_version="",
        once=made.best,
        note=f"{found['wall']:.2f} s on the clock, {found['grown']:.0f} MB more in memory until touched; "
        f"made once from Parquet with at most {made.answer:,.0f} MB",
    )


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    columns = ledger(round(_TRANSFERS * scale))[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger"
        added = cpu(lambda: Ledger.create(path).append(_transfers(columns)), 1)
        account = columns.accounts[0]
        made = cpu(lambda: Ledger.open(path).columns(), 1)
        ours, theirs = both(lambda: _ours(path, account), lambda: _theirs(path, account))
        large = _opened(Path(folder) / "large", round(_MANY * scale))
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
        ),
        large,
    ]

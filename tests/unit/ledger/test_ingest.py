from __future__ import annotations

import gzip
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from pyarrow import parquet

from comity.chains import bitcoin, pacs008, table
from comity.errors import BadInput, Conflict, TooLarge, UnknownFormat
from comity.ledger.ingest import ingest
from comity.ledger.rates import RateTable
from comity.ledger.store import Ledger
from comity.model import AssetId, Rate


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path / "ledger")


def test_formats_are_recognised_and_add_up(ledger: Ledger, tmp_path: Path, now: datetime):
    samples = {"bitcoin": bitcoin.SAMPLE, "pacs008": pacs008.SAMPLE, "table": table.SAMPLE}
    for name, sample in samples.items():
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(sample))
        summary = ingest(path, ledger, now=now, rates={"iso4217:EUR": Decimal(2)})
        assert (summary.chain, summary.transfers) == (name, 2)
        assert summary.merkle_root_verified is (True if name == "bitcoin" else None)
    assert len(ledger) == 6
    _, rows = ledger.query("SELECT DISTINCT source FROM transfers ORDER BY 1")
    assert rows == [("bitcoin.gz",), ("pacs008.gz",), ("table.gz",)]
    assert ledger.transfers(["T-1"])[0].value == 2001


def test_progress_sees_what_is_read(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE)
    seen: list[BinaryIO] = []

    def wrap(stream: BinaryIO) -> BinaryIO:
        seen.append(stream)
        return stream

    ingest(tmp_path / "t.csv", ledger, now=now, wrap=wrap)
    assert len(seen) == 1


def test_the_format_and_its_options_may_be_named(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE.replace(b"id,", b"txn,"))
    with pytest.raises(UnknownFormat):
        ingest(tmp_path / "t.csv", ledger, now=now)
    summary = ingest(tmp_path / "t.csv", ledger, now=now, chain="table", options={"map.id": "txn"})
    assert summary.transfers == 2
    with pytest.raises(BadInput, match="no option 'colour'"):
        ingest(tmp_path / "t.csv", ledger, now=now, chain="table", options={"colour": "red"})
    with pytest.raises(BadInput, match=r"no option 'map\.id'"):
        ingest(tmp_path / "t.csv", ledger, now=now, chain="pacs008", options={"map.id": "txn"})
    with pytest.raises(UnknownFormat, match="no 'moon'"):
        ingest(tmp_path / "t.csv", ledger, now=now, chain="moon")


def test_a_file_twice_is_a_conflict_and_changes_nothing(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE)
    ingest(tmp_path / "t.csv", ledger, now=now)
    with pytest.raises(Conflict, match="in the ledger already"):
        ingest(tmp_path / "t.csv", ledger, now=now)
    assert len(ledger) == 2


def test_a_file_that_is_bad_at_its_end_adds_nothing(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE + b"T-3,2026-03-02T09:00:00Z,acct:A:1,acct:B:1,-1,EUR,,\n")
    with pytest.raises(BadInput, match="row 4: amount"):
        ingest(tmp_path / "t.csv", ledger, now=now)
    assert len(ledger) == 0
    with pytest.raises(BadInput, match="cannot open"):
        ingest(tmp_path / "none.csv", ledger, now=now)


def test_too_many_rows_are_refused(
    ledger: Ledger, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE)
    rows = {name: ["x"] * 3 for name in ("id", "time", "originator", "beneficiary", "amount", "asset")}
    parquet.write_table(pa.table(rows), tmp_path / "t.parquet")
    monkeypatch.setattr("comity.ledger._rows.MAX_ROWS", 1)
    monkeypatch.setattr("comity.ledger.ingest.MAX_ROWS", 1)
    with pytest.raises(TooLarge, match="more than 1 transfers at once"):
        ingest(tmp_path / "t.csv", ledger, now=now)
    with pytest.raises(TooLarge, match="a table of 3 rows"):
        ingest(tmp_path / "t.parquet", ledger, now=now)
    assert len(ledger) == 0
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        ingest(tmp_path / "t.parquet", ledger, now=now)


def test_a_summary_notes_where_no_rate_was_recent_enough(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "t.csv").write_bytes(table.SAMPLE)
    old = RateTable([Rate(AssetId("iso4217:EUR"), Decimal(1), "ECB", date(2026, 1, 1))])
    summary = ingest(tmp_path / "t.csv", ledger, now=now, rates=old)
    assert [note for note in summary.notes if "within the 7 days before 2 transfers" in note]

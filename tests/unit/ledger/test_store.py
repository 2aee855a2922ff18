from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comity.errors import BadInput, Conflict, NotFound, StoreError
from comity.ledger import _merging, _writing, columns
from comity.ledger._sql import connected
from comity.ledger.columns import build
from comity.ledger.store import Ledger
from comity.model import BTC, AccountId, Amount, AssetId, Identifier, Party, PartyKind, Transfer

USD, EUR = AssetId("iso4217:USD"), AssetId("iso4217:EUR")
START = datetime(2026, 3, 1, tzinfo=UTC)
ANNA = Party(
    "Änna Muster",
    PartyKind.NATURAL,
    ("A. M.",),
    "1980-04-01",
    ("DE",),
    ("Hauptstr. 1",),
    (Identifier("passport", "C01X", "DE"),),
)


def some(count: int, first: int = 0) -> list[Transfer]:
    return [
        Transfer(
            id=f"t{number:05}",
            time=START + timedelta(minutes=number * 7 % 50, microseconds=number),
            originator=AccountId(f"acct:A:{number % 5}"),
            beneficiary=AccountId(f"acct:B:{number % 3}"),
            amount=Amount(Decimal(number) / 8, USD if number % 2 else EUR),
            originator_country="DE" if number % 2 else "FR",
            beneficiary_country="SG",
        )
        for number in range(first, first + count)
    ]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path / "ledger")


def same(left, right) -> None:
    for name in ("time", "src", "dst", "value", "out_ptr", "out_idx", "in_ptr", "in_idx", "hub"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name
        assert getattr(left, name).dtype == getattr(right, name).dtype, name
    assert tuple(left.accounts) == tuple(right.accounts)
    assert tuple(left.ids) == tuple(right.ids)
    assert (left.reference, left.scale) == (right.reference, right.scale)


def test_a_transfer_comes_back_whole(ledger: Ledger):
    whole = Transfer(
        id="one",
        time=START + timedelta(microseconds=1),
        originator=AccountId("iban:DE89370400440532013000"),
        beneficiary=AccountId("eip155:1:0xab"),
        amount=Amount(Decimal("999999999999999999.123456789012345678"), BTC),
        value=Decimal("1000.10"),
        originator_institution="BANKA",
        beneficiary_institution="EXCH",
        originator_country="DE",
        beneficiary_country="SG",
        originator_party=ANNA,
        beneficiary_party=Party("Bo"),
        intermediaries=("MID", "NEXT"),
        reference='it\'s "quoted"',
    )
    bare = Transfer("two", START, AccountId("acct:A:1"), AccountId("acct:B:2"), None)
    assert ledger.append([whole, bare]) == 2
    assert ledger.transfers(["two", "one"]) == (bare, whole)
    assert Ledger.open(ledger.path).transfers(["one"]) == (whole,)
    ledger.append([replace(bare, id="three", amount=Amount(Decimal("1000.00"), EUR))])
    assert str(ledger.transfers(["three"])[0].amount) == "1000 EUR"


def test_appending_in_parts_is_appending_at_once(ledger: Ledger, tmp_path: Path):
    transfers = some(200)
    ledger.append(transfers[150:])
    ledger.append(transfers[:150], source="second.csv")
    assert len(ledger) == 200
    same(ledger.columns(), build(transfers, USD))
    assert not (ledger.path / "columns2-00000001").exists()
    ledger.append(some(1, 200))
    same(ledger.columns(), build(some(201), USD))
    assert [path.name for path in ledger.path.glob("columns*")] == ["columns2-00000003"]


def test_columns_are_mapped_and_their_texts_lazy(ledger: Ledger):
    assert len(ledger.columns()) == 0
    ledger.append(some(20))
    columns = ledger.columns()
    assert not columns.time.flags.owndata
    assert not columns.time.flags.writeable
    assert columns.accounts.index("acct:B:1") == list(columns.accounts).index("acct:B:1")
    assert columns.ids.index("t00007") == list(columns.ids).index("t00007")
    assert columns.ids[-1] == columns.ids[len(columns) - 1]
    assert columns.accounts[1:3] == tuple(columns.accounts)[1:3]
    with pytest.raises(ValueError, match="nobody"):
        columns.accounts.index("nobody")
    with pytest.raises(IndexError):
        columns.ids[20]


def test_rates_give_values_and_never_overwrite_them(ledger: Ledger):
    stated = replace(some(1, 8)[0], value=Decimal(5))
    ledger.append([stated, *some(4)], rates={"iso4217:EUR": Decimal("1.10001")})
    values = {transfer.id: transfer.value for transfer in ledger.transfers(["t00008", "t00001", "t00002"])}
    assert values == {"t00008": Decimal(5), "t00001": None, "t00002": Decimal("0.2750")}
    columns = ledger.columns()
    worth = dict(zip(columns.ids, columns.value.tolist(), strict=True))
    assert worth == {"t00008": 50_000, "t00000": 0, "t00001": 1250, "t00002": 2750, "t00003": 3750}


@pytest.mark.parametrize("ids", [["t00001"], ["x", "x"], ["y", "t00003"]])
def test_an_id_twice_changes_nothing(ledger: Ledger, ids: list[str]):
    ledger.append(some(5))
    before = sorted(path.name for path in ledger.path.iterdir())
    with pytest.raises(Conflict):
        ledger.append([replace(some(1)[0], id=name) for name in ids])
    assert sorted(path.name for path in ledger.path.iterdir()) == before
    assert len(ledger) == 5


def test_a_full_disk_changes_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("comity.ledger.store.publish", full)
    with pytest.raises(StoreError, match="cannot be written"):
        ledger.append(some(3))
    assert len(ledger) == 0


def test_a_reader_that_fails_changes_nothing(ledger: Ledger):
    def failing() -> Iterator[Transfer]:
        yield from some(40_000)
        raise BadInput("row 40,001: no")

    with pytest.raises(BadInput, match="row 40,001"):
        ledger.append(failing())
    assert len(ledger) == 0
    assert {path.name for path in ledger.path.iterdir()} == {"manifest.json", "lock"}
    assert ledger.append([]) == 0


@pytest.mark.parametrize("quantity", ["1e21", "0.0000000000000000001"])
def test_amounts_that_cannot_be_kept_exactly_are_refused(ledger: Ledger, quantity: str):
    odd = replace(some(1)[0], amount=Amount(Decimal(quantity), BTC))
    with pytest.raises(BadInput, match="cannot keep exactly"):
        ledger.append([odd])
    with pytest.raises(BadInput, match="cannot keep exactly"):
        ledger.append([replace(odd, amount=None, reference="\ud800")])


def test_of_account_gives_the_latest_in_time_order(ledger: Ledger):
    transfers = sorted(some(50), key=lambda transfer: (transfer.time, transfer.id))
    ledger.append(some(50))
    mine = [transfer for transfer in transfers if transfer.beneficiary.value == "acct:B:1"]
    assert ledger.of_account("acct:B:1") == tuple(mine)
    assert ledger.of_account("acct:B:1", limit=3) == tuple(mine[-3:])
    assert ledger.of_account("acct:B:9") == ()


def test_what_is_not_here_is_not_found(ledger: Ledger, tmp_path: Path):
    with pytest.raises(NotFound, match="no transfer 'x'"):
        ledger.transfers(["x"])
    assert ledger.find(["x"]) == {}
    with pytest.raises(NotFound, match="no ledger"):
        Ledger.open(tmp_path / "nowhere")
    with pytest.raises(Conflict, match="holds a ledger already"):
        Ledger.create(ledger.path)


def test_queries_and_corridors(ledger: Ledger):
    assert ledger.query("SELECT count(*) AS n FROM transfers") == (("n",), [(0,)])
    ledger.append(some(8), source="x.csv")
    names, rows = ledger.query("SELECT id, value, source FROM transfers ORDER BY id LIMIT 2")
    assert names == ("id", "value", "source")
    assert rows == [("t00000", None, "x.csv"), ("t00001", Decimal("0.1250"), "x.csv")]
    assert len(ledger.query("SELECT * FROM transfers", limit=3)[1]) == 3
    assert ledger.volume_by_country_pair() == (
        ("DE", "SG", 4, Decimal("2.0000")),
        ("FR", "SG", 4, Decimal("0.0000")),
    )


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM transfers",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('manifest.json')",
        "SELECT * FROM glob('/*')",
        "COPY transfers TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM nowhere",
        "CALL pragma_version()",
        "SELECT * FROM stored",
        "SELECT * FROM kept.stored",
        "SELECT * FROM memory.kept.facts",
        "SELECT (SELECT count(*) FROM kept.facts) FROM transfers",
        "SELECT * FROM kept.facts, (WITH facts AS (SELECT 1) SELECT * FROM facts)",
        "WITH a AS MATERIALIZED (SELECT * FROM kept.corrections) SELECT * FROM transfers, a",
        "SELECT * FROM read_parquet('part-00000001.parquet')",
        "SELECT * FROM parquet_metadata('part-00000001.parquet')",
        "SELECT * FROM duckdb_views()",
        "SELECT * FROM duckdb_views",
        "WITH duckdb_views AS (SELECT 1) SELECT * FROM duckdb_views",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM query('SELECT * FROM kept.facts')",
        "SELECT * FROM query_table('kept.facts')",
        "SELECT current_setting('allowed_paths')",
        "SELECT pg_get_viewdef(0)",
        "SELECT getenv('HOME')",
        "SHOW TABLES",
        "SELECT * FROM (SHOW ALL TABLES)",
        "SELECT * FROM (VALUES (1)) t, LATERAL (SELECT * FROM kept.facts)",
        "SELECT EXISTS(FROM kept.facts)",
        "SELECT sum(1) OVER (ORDER BY (SELECT count(*) FROM kept.facts)) FROM transfers",
        "SELECT 1 LIMIT (SELECT count(*) FROM kept.facts)",
        "SELECT system.main.current_setting('allowed_paths')",
        "DESCRIBE kept.stored",
        "SUMMARIZE kept.stored",
        "SELECT * FROM limit_of_this_program",
        "PIVOT transfers ON asset USING sum(value)",
        "SELECT " + "NOT " * 900 + "true",
        "SELECT " + "abs(" * 20_000 + "1" + ")" * 20_000,
        "SELECT '" + "x" * 100_000 + "'",
    ],
)
def test_queries_reach_nothing_else(ledger: Ledger, sql: str):
    ledger.append(some(2))
    with pytest.raises(BadInput):
        ledger.query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DESCRIBE transfers",
        "SELECT * FROM Transfers t JOIN history USING (id)",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n",
        "WITH mine AS (SELECT id FROM transfers) SELECT count(*) FROM MINE",
        "SELECT * FROM range(3) r, unnest([1, 2]) u",
        "SELECT id, row_number() OVER (ORDER BY time) FROM transfers QUALIFY row_number() OVER () < 3",
        "FROM transfers SELECT id UNION SELECT id FROM history",
        "VALUES (1)",
    ],
)
def test_queries_may_say_what_sql_says(ledger: Ledger, sql: str):
    ledger.append(some(2))
    assert ledger.query(sql)[1]


def test_a_query_that_does_not_end_is_stopped(ledger: Ledger):
    with pytest.raises(BadInput, match="did not run"):
        ledger.query("SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", seconds=0.2)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "parts": [7]}', "\xff"])
def test_a_damaged_manifest_is_an_error_of_the_store(ledger: Ledger, text: str):
    (ledger.path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match="manifest"):
        Ledger.open(ledger.path)


@pytest.mark.parametrize("left", [None, b"", b"PAR1junkPAR1"])
def test_a_missing_or_damaged_part_is_an_error_of_the_store(ledger: Ledger, left: bytes | None):
    ledger.append(some(2))
    part = ledger.path / "part-00000001.parquet"
    part.unlink()
    if left is not None:
        part.write_bytes(left)
    with pytest.raises(StoreError, match="cannot be read"):
        ledger.columns()
    with pytest.raises(StoreError, match="cannot be read"):
        ledger.transfers(["t00001"])
    with pytest.raises(StoreError, match="cannot be read"):
        ledger.append(some(2, 2))
    assert len(ledger) == 2


def test_columns_that_another_process_made_meanwhile(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    ledger.append(some(9))
    finish = _writing.finish

    def slow(making: Path) -> None:
        finish(making)
        shutil.copytree(making, ledger.path / "columns2-00000001")

    monkeypatch.setattr(_writing, "finish", slow)
    same(ledger.columns(), build(some(9), USD))
    assert not list(ledger.path.glob("making-*"))


def test_columns_that_cannot_be_written_leave_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    ledger.append(some(9))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_writing, "write", full)
    with pytest.raises(StoreError) as caught:
        ledger.columns()
    assert caught.value.why == "No space left on device"
    assert not list(ledger.path.glob("making-*"))


def test_damaged_columns_are_an_error_with_a_remedy(ledger: Ledger):
    ledger.append(some(2))
    ledger.columns()
    (ledger.path / "columns2-00000001" / "time.npy").write_bytes(b"junk")
    with pytest.raises(StoreError) as caught:
        ledger.columns()
    assert "delete it" in caught.value.remedy


def test_columns_that_vanish_while_they_are_opened(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    ledger.append(some(2))

    def gone(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("comity.ledger._mapped.load", gone)
    with pytest.raises(StoreError, match="keep changing"):
        ledger.columns()


def test_files_that_are_not_in_the_manifest_do_not_exist(ledger: Ledger):
    ledger.append(some(2))
    (ledger.path / "part-00000002.parquet").write_bytes(b"left by a crash")
    (ledger.path / "staged.parquet").write_bytes(b"left by a crash")
    (ledger.path / "manifest.json.new").write_bytes(b"left by a crash")
    again = Ledger.open(ledger.path)
    assert len(again) == 2
    assert again.append(some(2, 2)) == 2
    same(again.columns(), build(some(4), USD))


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
sys.path.insert(0, sys.argv[3])
from comity.ledger import store
from test_store import some
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(store, sys.argv[2], die)
store.Ledger.open(Path(sys.argv[1])).append(some(30, 10))
"""


@pytest.mark.parametrize("moment", ["sync", "publish"])
def test_killed_between_part_and_manifest_nothing_happened(ledger: Ledger, moment: str):
    ledger.append(some(10))
    before = build(some(10), USD)
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", KILLED, str(ledger.path), moment, here], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (ledger.path / "part-00000002.parquet").exists(), "killed after the part was written"
    again = Ledger.open(ledger.path)
    assert len(again) == 10
    same(again.columns(), before)
    assert again.append(some(30, 10)) == 30
    same(again.columns(), build(some(40), USD))


def test_threads_append_and_read_at_once(ledger: Ledger):
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            ledger.append(some(20, number * 20))
            columns = ledger.columns()
            assert len(columns.ids) == len(columns) >= 20
        except BaseException as error:  # noqa: BLE001 (shown by the assertion)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    same(ledger.columns(), build(some(80), USD))


@pytest.mark.parametrize("left", ["nothing", "arrays but no parties", "arrays but nothing told"])
def test_older_columns_may_go_while_newer_ones_are_merged_from_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Another process that was faster deletes them: then the parts, which are the truth, are read instead."""
    ledger.append(some(60))
    ledger.columns()
    ledger.append(some(5, 60))
    merge = _merging.merge

    def taken_away(connection: Any, older: Path, *more: Any) -> None:
        gone = {"arrays but no parties": "parties.parquet", "arrays but nothing told": "told.parquet"}
        if left in gone:
            (older / gone[left]).unlink()
        else:
            shutil.rmtree(older)
        merge(connection, older, *more)

    monkeypatch.setattr(_merging, "merge", taken_away)
    same(ledger.columns(), build(some(65), USD))


def test_the_manifest_is_plain(ledger: Ledger):
    ledger.append(some(2), source="x.csv")
    plain = json.loads((ledger.path / "manifest.json").read_text())
    assert plain["reference"] == "iso4217:USD"
    assert (plain["format"], plain["version"], plain["transfers"]) == (2, 1, 2)
    (part,) = plain["parts"]
    assert (part["file"], part["rows"], part["source"]) == ("part-00000001.parquet", 2, "x.csv")
    assert part["span"] == [columns.microseconds(one.time) for one in some(2)]


def test_what_a_killed_process_left_is_deleted_after_a_day(ledger: Ledger):
    left = [ledger.path / name for name in ("making-1-1", "spill-1-1", "making-2-2", "spill-2-2")]
    for folder in left:
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
    for folder in left[:2]:
        os.utime(folder, (0, 0))
    ledger.append(some(3))
    ledger.columns()
    assert [folder.exists() for folder in left] == [False, False, True, True]


def test_what_is_spilled_is_cleared_away_and_not_shared(ledger: Ledger):
    where = "SELECT current_setting('temp_directory')"
    with connected(ledger.path, (), ()) as one, connected(ledger.path, (), ()) as other:
        places = [Path(each.execute(where).fetchall()[0][0]) for each in (one, other)]
        for place in places:
            place.mkdir()
            (place / "file").write_bytes(b"x")
    assert places[0] != places[1]
    assert [place.exists() for place in places] == [False, False]

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from comity.errors import StoreError
from comity.ledger import _compacting, _generations, _merging
from comity.ledger._rows import SCHEMA
from comity.ledger.columns import build
from comity.ledger.store import Compaction, Ledger
from comity.model import AccountId, Amount, AssetId, Party, Transfer

USD = AssetId("iso4217:USD")


def paid(number: int, month: int) -> Transfer:
    return Transfer(
        f"t{number:03}",
        datetime(2026, month, 1 + number % 28, tzinfo=UTC),
        AccountId(f"acct:A:{number % 4}"),
        AccountId(f"eip155:1:0x{number % 3}"),
        Amount(Decimal(number), USD),
        originator_party=Party("Anna", birth_date="1980") if number % 5 == 0 else None,
        reference=f"memo {number % 7}",
    )


def same(ledger: Ledger, transfers: list[Transfer]) -> None:
    columns, wanted = ledger.columns(), build(transfers, USD)
    for mine, its in ((columns, wanted), (columns.facts, wanted.facts)):
        for field in fields(mine):
            left, right = getattr(mine, field.name), getattr(its, field.name)
            if isinstance(right, np.ndarray):
                assert np.array_equal(left, right), field.name
            elif isinstance(right, tuple):
                assert tuple(left) == right, field.name


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.create(tmp_path / "ledger")


def files(ledger: Ledger) -> list[str]:
    return sorted(path.name for path in ledger.path.glob("part-*"))


def test_many_parts_become_one_a_month_with_the_same_facts(ledger: Ledger):
    given = [paid(number, 1 + number % 3) for number in range(60)]
    for begin in range(0, 60, 10):
        ledger.append(given[begin : begin + 10], source=f"{begin}.csv")
    ledger.correct({"t007": replace(given[7], reference="new")}, ["t008"], reason="so")
    before = ledger.query("SELECT * FROM history ORDER BY version, id")
    history, changes = ledger.history("t007"), [ledger.changes(since) for since in range(8)]
    assert ledger.compact(rows=1) == Compaction(before=7, after=3, facts=62, swept=True)
    assert files(ledger) == [f"part-c000001-00000{place}.parquet" for place in (1, 2, 3)]
    again = Ledger.open(ledger.path)
    assert (len(again), again.version, again.recorded) == (59, 7, 62)
    assert again.query("SELECT * FROM history ORDER BY version, id") == before
    assert again.history("t007") == history
    assert [again.changes(since) for since in range(8)] == changes
    assert again.compact() == Compaction(before=3, after=3, facts=62, swept=True)
    now = [one for one in given if one.id not in {"t007", "t008"}] + [replace(given[7], reference="new")]
    same(again, now)
    again.append([paid(60, 5)])
    again.correct({"t007": given[7]}, reason="it was right")
    same(again, [one for one in given if one.id != "t008"] + [paid(60, 5)])


def test_what_nothing_came_between_stays_as_it_is(ledger: Ledger):
    ledger.append([paid(number, 1 + number % 3) for number in range(30)])
    ledger.compact(rows=1)
    ledger.append([paid(40, 3), paid(41, 4)])
    assert ledger.compact(rows=1) == Compaction(before=4, after=4, facts=32, swept=True)
    assert files(ledger) == [
        "part-c000001-000001.parquet",
        "part-c000001-000002.parquet",
        "part-c000002-000001.parquet",
        "part-c000002-000002.parquet",
    ]
    same(ledger, [*(paid(number, 1 + number % 3) for number in range(30)), paid(40, 3), paid(41, 4)])
    assert Ledger.create(ledger.path / "empty").compact() == Compaction(0, 0, 0, swept=True)


def test_a_span_of_time_opens_the_files_of_that_time_only(ledger: Ledger):
    given = [paid(number, 1 + number % 3) for number in range(30)]
    ledger.append(given)
    ledger.compact(rows=1)
    ledger.correct({}, ["t001"], reason="so")
    march = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    wanted = sorted(one.id for one in given if one.time.month == 3)
    january, february = (ledger.path / f"part-c000001-00000{place}.parquet" for place in (1, 2))
    january.write_bytes(b"damaged")
    assert sorted(ledger.table(["id"], **march).column(0).to_pylist()) == wanted
    assert ledger.query("SELECT count(*) FROM transfers", **march)[1] == [(len(wanted),)]
    assert len(ledger.of_account("acct:A:0", **march)) == sum(
        one.originator.value == "acct:A:0" for one in given if one.time.month == 3
    )
    with pytest.raises(StoreError):
        ledger.table(["id"])
    february.unlink()
    assert ledger.query("SELECT count(*) FROM history", **march)[1] == [(len(wanted),)]


KILLED = """
import os, signal, sys
from pathlib import Path
from comity.ledger import _compacting, store
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(_compacting if sys.argv[2] == "sync" else store, sys.argv[2], die)
store.Ledger.open(Path(sys.argv[1])).compact()
"""


@pytest.mark.parametrize("moment", ["sync", "publish", "sweep"])
def test_killed_while_it_compacts_the_ledger_is_the_old_or_the_new(ledger: Ledger, moment: str):
    given = [paid(number, 1 + number % 3) for number in range(30)]
    ledger.append(given[:20])
    ledger.append(given[20:])
    done = subprocess.run([sys.executable, "-c", KILLED, str(ledger.path), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    assert "part-00000001.parquet" in files(ledger), "the old files are there still"
    assert "part-c000001-000001.parquet" in files(ledger), "the new ones too"
    same(ledger, given)
    assert ledger.compact().after == 1
    assert files(ledger) == ["part-c000001-000001.parquet"]
    same(ledger, given)


def test_files_that_somebody_reads_are_left_for_the_next_time(ledger: Ledger):
    ledger.append([paid(1, 1)])
    ledger.append([paid(2, 1)])
    handle = os.open(ledger.path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)  # as a reader does
    assert not ledger.compact().swept
    assert len(files(ledger)) == 3
    os.close(handle)
    assert ledger.compact().swept
    assert files(ledger) == ["part-c000001-000001.parquet"]


def test_a_part_that_lost_rows_is_not_compacted_away(ledger: Ledger):
    ledger.append([paid(1, 1), paid(2, 1)])
    part = ledger.path / "part-00000001.parquet"
    parquet.write_table(parquet.read_table(part).slice(0, 1), part)
    with pytest.raises(StoreError, match="was not compacted"):
        ledger.compact()
    assert json.loads((ledger.path / "manifest.json").read_text())["compactions"] == 0


def test_a_full_disk_leaves_the_old_files(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    ledger.append([paid(1, 1)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_compacting, "sync", full)
    with pytest.raises(StoreError, match="cannot be written"):
        ledger.compact()
    assert len(ledger) == 1


# --- a ledger of the version before


def as_written_before(ledger: Ledger) -> None:
    """Make the directory what format 1 had: fewer columns in the parts, and a plainer manifest."""
    plain = json.loads((ledger.path / "manifest.json").read_text())
    kept = SCHEMA.names[: SCHEMA.names.index("rate")]
    for part in plain["parts"]:
        file = ledger.path / part["file"]
        parquet.write_table(parquet.read_table(file, columns=kept), file)
    parts = [{name: part[name] for name in ("file", "rows", "source")} for part in plain["parts"]]
    manifest = {"format": 1, "reference": plain["reference"], "parts": parts}
    (ledger.path / "manifest.json").write_text(json.dumps(manifest))
    for folder in ledger.path.glob("columns2-*"):
        folder.rename(ledger.path / folder.name.replace("columns2-", "columns-"))


def test_a_ledger_of_format_1_opens_and_grows(ledger: Ledger):
    given = [paid(number, 1 + number % 3) for number in range(30)]
    ledger.append(given[:20], source="x.csv")
    ledger.append(given[20:])
    ledger.columns()
    as_written_before(ledger)
    old = Ledger.open(ledger.path)
    assert (len(old), old.version, old.recorded) == (30, 2, 30)
    same(old, given)
    assert [path.name for path in old.path.glob("columns*")] == ["columns2-00000002"]
    assert old.changes(1).accounts == tuple(
        sorted({end.value for one in given[20:] for end in (one.originator, one.beneficiary)})
    )
    assert old.query("SELECT DISTINCT rate, source FROM transfers ORDER BY 2")[1] == [
        (None, ""),
        (None, "x.csv"),
    ]
    assert old.query("SELECT count(*) FROM transfers", since=datetime(2026, 3, 1, tzinfo=UTC))[1] == [(10,)]
    old.append([paid(40, 2)])
    assert json.loads((old.path / "manifest.json").read_text())["format"] == 2
    old.correct({"t003": replace(given[3], reference="new")}, ["t004"], reason="so")
    now = [one for one in given if one.id not in {"t003", "t004"}]
    now += [paid(40, 2), replace(given[3], reference="new")]
    same(old, now)
    assert [entry.version for entry in old.history("t003")] == [1, 4]
    assert old.compact(rows=1).after == 3
    same(old, now)
    assert [entry.version for entry in old.history("t003")] == [1, 4]


# --- columns that are merged


def test_columns_are_merged_when_little_came_and_made_anew_when_much_did(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    merged: list[Path] = []
    merge = _merging.merge

    def noted(connection, old, *rest):
        merged.append(old)
        merge(connection, old, *rest)

    monkeypatch.setattr(_merging, "merge", noted)
    given = [paid(number, 1 + number % 3) for number in range(99)]
    for begin, end, much in ((0, 40, True), (40, 45, False), (45, 99, True)):
        ledger.append(given[begin:end])
        merged.clear()
        same(ledger, given[:end])
        assert bool(merged) is not much
    monkeypatch.setattr(_generations, "MOST_MERGED", 1)
    ledger.append([paid(100, 1), paid(101, 1)])
    merged.clear()
    same(ledger, [*given, paid(100, 1), paid(101, 1)])
    assert merged == []


def test_older_columns_that_are_damaged_or_of_another_ledger_are_not_merged(ledger: Ledger):
    given = [paid(number, 1) for number in range(20)]
    ledger.append(given)
    ledger.columns()
    (ledger.path / "columns2-00000001" / "time.npy").write_bytes(b"junk")
    ledger.append([paid(30, 1)])
    same(ledger, [*given, paid(30, 1)])
    held = ledger.path / "columns2-00000002"
    numbers = np.load(held / "time.npy")
    np.save(held / "time.npy", numbers + 1)
    ledger.correct({}, ["t001"], reason="so")
    same(ledger, [one for one in [*given, paid(30, 1)] if one.id != "t001"])


def test_when_a_compaction_hid_how_much_came_it_is_counted(ledger: Ledger):
    given = [paid(number, 1) for number in range(30)]
    ledger.append(given[:4])
    ledger.columns()
    ledger.append(given[4:])
    ledger.compact()
    same(ledger, given)

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from comity.errors import BadInput, Conflict, NotFound, TooLarge
from comity.ledger import corrections
from comity.ledger.columns import microseconds
from comity.ledger.corrections import read_corrections
from comity.ledger.store import Ledger
from comity.model import AccountId, Amount, AssetId, Transfer

USD, EUR = AssetId("iso4217:USD"), AssetId("iso4217:EUR")
START = datetime(2026, 3, 1, tzinfo=UTC)


def moved(name: str, minutes: int = 0, **changed) -> Transfer:
    plain = Transfer(
        name,
        START + timedelta(minutes=minutes),
        AccountId("acct:A:1"),
        AccountId("acct:B:1"),
        Amount(Decimal(100), USD),
    )
    return replace(plain, **changed)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger.create(tmp_path / "ledger")
    made.append([moved("a", 1), moved("b", 2), moved("c", 3)], source="first.csv")
    return made


def ids(ledger: Ledger) -> list[str]:
    return ledger.table(["id"]).column(0).to_pylist()


def test_a_replacement_is_a_new_fact_and_the_old_one_stays_readable(ledger: Ledger, now: datetime):
    right = moved("b", 2, beneficiary=AccountId("acct:B:2"))
    done = ledger.correct({"b": right}, reason=" wrong payee ", by="Ada", at=now, source="fix.csv")
    assert (done, len(ledger), ledger.version, ledger.recorded) == (1, 3, 2, 4)
    assert ledger.transfers(["b"]) == (right,)
    assert ledger.of_account("acct:B:2") == (right,)
    assert ledger.columns().accounts[:] == ("acct:A:1", "acct:B:1", "acct:B:2")
    first, second = ledger.history("b")
    assert (first.version, first.transfer, first.corrects, first.counts) == (1, moved("b", 2), "", False)
    assert (second.version, second.transfer, second.corrects, second.counts) == (2, right, "b", True)
    assert (second.reason, second.by, second.at, second.source) == ("wrong payee", "Ada", now, "fix.csv")
    assert (first.reason, first.by, first.at, first.source) == ("", "", None, "first.csv")


def test_a_correction_of_a_correction_under_other_ids(ledger: Ledger):
    ledger.correct({"a": moved("a2", 9)}, reason="time")
    ledger.correct({"a2": moved("a3", 0)}, reason="time again")
    assert ids(ledger) == ["a3", "b", "c"]
    history = [(entry.id, entry.corrects, entry.counts) for entry in ledger.history("a")]
    assert history == [("a", "", False), ("a2", "a", False), ("a3", "a2", True)]
    assert ledger.history("a") == ledger.history("a2") == ledger.history("a3")
    with pytest.raises(Conflict, match="'a' was replaced by 'a2' already"):
        ledger.correct({"a": moved("a")}, reason="no")
    with pytest.raises(Conflict, match="'a2' was replaced by 'a3'"):
        ledger.correct({}, ["a2"], reason="no")
    assert ledger.version == 3


def test_what_never_was_is_void_and_may_be_stated_anew(ledger: Ledger):
    ledger.correct({}, ["a", "c"], reason="sent twice")
    assert (ids(ledger), len(ledger), len(ledger.columns())) == (["b"], 1, 1)
    with pytest.raises(NotFound):
        ledger.transfers(["a"])
    added, void = ledger.history("a")
    assert (added.counts, void.counts, void.transfer, void.reason) == (False, False, None, "sent twice")
    with pytest.raises(Conflict, match="'a' is void already"):
        ledger.correct({}, ["a"], reason="no")
    ledger.correct({"a": moved("a", 7), "c": moved("c2", 8)}, reason="it was there after all")
    assert (ids(ledger), len(ledger)) == (["b", "a", "c2"], 3)
    ledger.correct({"a": moved("a", 8)}, ["b", "c2"], reason="once more")
    assert (ids(ledger), len(ledger), len(ledger.columns())) == (["a"], 1, 1)
    ledger.correct({}, ["a"], reason="nothing is left")
    assert (ids(ledger), len(ledger), len(ledger.columns())) == ([], 0, 0)
    assert ledger.append([moved("d")]) == 1
    assert ledger.columns().ids[:] == ("d",)


@pytest.mark.parametrize(
    ("replacements", "voids", "error", "said"),
    [
        ({"x": moved("x")}, [], NotFound, "no transfer 'x' in this ledger to correct"),
        ({}, ["x"], NotFound, "no transfer 'x'"),
        ({"a": moved("b")}, [], Conflict, "'b' is in the ledger already"),
        ({"a": moved("n"), "b": moved("n")}, [], Conflict, "'n' is there twice"),
        ({"a": moved("a")}, ["a"], BadInput, "corrected twice at once"),
        ({}, ["a", "a"], BadInput, "corrected twice at once"),
        (
            {"a": moved("a", amount=Amount(Decimal("1e30"), USD), value=None)},
            ["b"],
            BadInput,
            "out of bounds",
        ),
    ],
)
def test_all_or_nothing(ledger: Ledger, replacements, voids, error, said):
    before = sorted(path.name for path in ledger.path.iterdir())
    with pytest.raises(error, match=said):
        ledger.correct(replacements, voids, reason="a reason")
    assert sorted(path.name for path in ledger.path.iterdir()) == before
    assert (ids(ledger), ledger.version) == (["a", "b", "c"], 1)


def test_a_correction_without_its_reason_is_refused(ledger: Ledger):
    with pytest.raises(BadInput, match="without its reason"):
        ledger.correct({}, ["a"], reason="  ")
    assert ledger.correct({}, [], reason="nothing to do") == 0
    with pytest.raises(NotFound, match="no transfer 'x'"):
        ledger.history("x")


def test_an_id_that_was_used_is_never_used_again(ledger: Ledger):
    ledger.correct({"a": moved("a2")}, ["b"], reason="so")
    for name in ("a", "a2", "b"):
        with pytest.raises(Conflict, match="in the ledger already"):
            ledger.append([moved(name)])


def test_changes_name_both_ends_of_what_came_and_of_what_went(ledger: Ledger):
    assert ledger.changes(1) == (nothing := ledger.changes(1))
    assert (bool(nothing), nothing.accounts, nothing.first, nothing.last) == (False, (), None, None)
    every = ledger.changes(0)
    assert (every.accounts, every.corrected) == (("acct:A:1", "acct:B:1"), False)
    assert (every.first, every.last) == (microseconds(moved("a", 1).time), microseconds(moved("c", 3).time))
    ledger.append([moved("d", 50, originator=AccountId("acct:C:1"))])
    since = ledger.changes(1)
    assert (since.accounts, since.first, since.last) == (
        ("acct:B:1", "acct:C:1"),
        *[microseconds(moved("d", 50).time)] * 2,
    )
    ledger.correct({"a": moved("a9", 60, beneficiary=AccountId("acct:Z:1"))}, ["d"], reason="so")
    since = ledger.changes(2)
    assert (since.version, since.corrected) == (3, True)
    assert since.accounts == ("acct:A:1", "acct:B:1", "acct:C:1", "acct:Z:1")
    assert (since.first, since.last) == (
        microseconds(moved("a", 1).time),
        microseconds(moved("a", 60).time),
    )
    assert ledger.changes(3).corrected is False
    for version in (-1, 4):
        with pytest.raises(BadInput, match=f"no version {version}"):
            ledger.changes(version)


def test_queries_see_what_counts_and_history_all_of_it(ledger: Ledger):
    ledger.correct({"a": moved("a", 1, reference="new")}, ["b"], reason="so", by="Ada")
    assert ledger.query("SELECT id, reference FROM transfers ORDER BY id")[1] == [("a", "new"), ("c", "")]
    _, rows = ledger.query(
        "SELECT id, version, corrects, voided, reason, corrected_by FROM history "
        "WHERE version > 1 ORDER BY id"
    )
    assert rows == [("a", 2, "a", False, "so", "Ada"), ("b", 2, "b", True, "so", "Ada")]
    assert ledger.query("SELECT count(*) FROM history")[1] == [(5,)]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from comity.ledger import store
from test_corrections import moved
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(store, sys.argv[2], die)
store.Ledger.open(Path(sys.argv[1])).correct({"a": moved("a", 9)}, ["b"], reason="so")
"""


@pytest.mark.parametrize("moment", ["sync", "publish"])
def test_killed_before_the_manifest_nothing_was_corrected(ledger: Ledger, moment: str):
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", KILLED, str(ledger.path), moment, here], check=False)
    assert done.returncode == -signal.SIGKILL
    assert ledger.transfers(["a", "b"]) == (moved("a", 1), moved("b", 2))
    assert len(ledger.history("a")) == 1
    assert ledger.correct({"a": moved("a", 9)}, ["b"], reason="so") == 2
    assert ids(ledger) == ["c", "a"]


# --- files

CSV = """corrects,void,id,time,originator,beneficiary,amount,asset,reference
a,,,2026-03-01T00:05:00Z,acct:A:1,acct:B:7,5,EUR,"two
lines, no"
b,yes,,,,,,,
c,no,c2,2026-03-01T00:06:00Z,acct:A:1,acct:B:1,6,USD,
"""


def test_a_file_of_corrections_in_csv_and_in_json(ledger: Ledger, tmp_path: Path, now: datetime):
    (tmp_path / "c.csv").write_text(CSV.replace('"two\nlines, no"', "new"))
    given = read_corrections(tmp_path / "c.csv", now=now)
    assert (list(given.replacements), given.voids, given.notes) == (["a", "c"], ("b",), ())
    assert (given.replacements["a"].id, given.replacements["c"].id) == ("a", "c2")
    assert given.replacements["a"].amount == Amount(Decimal(5), EUR)
    items = [
        {
            "corrects": "a",
            "transfer": {
                "time": "2026-03-01T00:05:00Z",
                "originator": "acct:A:1",
                "beneficiary": "acct:B:7",
                "amount": {"quantity": "5", "asset": "iso4217:EUR"},
                "reference": "new",
            },
        },
        {"corrects": "b", "void": True},
    ]
    (tmp_path / "c.json").write_text(json.dumps(items))
    again = read_corrections(tmp_path / "c.json", now=now)
    assert (again.replacements["a"], again.voids) == (given.replacements["a"], ("b",))
    ledger.correct(given.replacements, given.voids, reason="so")
    assert ids(ledger) == ["a", "c2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,void\na,yes\n", "no column `corrects`"),
        ("corrects,void\n", "no correction"),
        ("corrects,void,id\na,yes,a\n", "row 2: void, and yet 'id'"),
        ("corrects,void\na,maybe\n", "row 2: void: unknown word 'maybe'"),
        ("corrects,void\n,yes\n", "row 2: no id"),
        ("corrects,void\na,yes\na,yes\n", "'a' is corrected twice"),
        ("corrects,void\na,yes,more,cells\n", "row 2: 4 cells"),
        ("corrects,void,void\na,yes,\n", "a column occurs twice"),
        ("corrects,id,time\na,a,b\n", "columns missing"),
        ('corrects,void\n"a,yes\n', "not CSV"),
        (CSV.replace('"two\nlines, no"', "x").replace(",6,", ",-6,"), "row 4: amount"),
        (CSV, "row 2: reference: control characters"),
        ("[{}]", "correction 1: neither a replacement nor void"),
        ('[{"corrects": "a", "void": false}]', "correction 1: neither"),
        ('[{"corrects": "a", "void": true, "transfer": {}}]', "correction 1: neither"),
        ('[{"corrects": 7, "void": true}]', "correction 1: no id"),
        ('[{"corrects": "a", "transfer": {}}]', "correction 1: not a Transfer"),
        ('[{"corrects": "a", "transfer": []}]', "correction 1: not a Transfer"),
        ("[", "not JSON"),
    ],
)
def test_a_file_of_corrections_is_distrusted(tmp_path: Path, now: datetime, text: str, said: str):
    (tmp_path / "c").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_corrections(tmp_path / "c", now=now)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time": "2026-03-01T00:05:00"}, "without its offset"),
        ({"time": "2096-03-01T00:05:00Z"}, "out of range"),
        ({"originator": "nobody"}, "nobody"),
        ({"amount": {"quantity": "-5", "asset": "iso4217:EUR"}}, "not an amount"),
        ({"value": "1e20"}, "out of bounds"),
        ({"id": ""}, "no id"),
    ],
)
def test_a_transfer_in_json_is_held_to_what_a_row_is(tmp_path: Path, now: datetime, changed, said: str):
    plain = {
        "id": "a",
        "time": "2026-03-01T00:05:00Z",
        "originator": "acct:A:1",
        "beneficiary": "acct:B:7",
        "amount": None,
        **changed,
    }
    (tmp_path / "c.json").write_text(json.dumps({"corrects": "a", "transfer": plain}))
    with pytest.raises(BadInput, match=f"correction 1: .*{said}"):
        read_corrections(tmp_path / "c.json", now=now)


def test_a_file_of_corrections_is_bounded(tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "c.csv").write_text("corrects,void\na,yes\nb,yes\n")
    monkeypatch.setattr(corrections, "MAX_ROWS", 1)
    with pytest.raises(TooLarge, match="2 corrections at once"):
        read_corrections(tmp_path / "c.csv", now=now)
    monkeypatch.setattr(corrections, "MAX_FILE", 5)
    with pytest.raises(TooLarge):
        read_corrections(tmp_path / "c.csv", now=now)
    (tmp_path / "c.csv").write_bytes(b"corrects,void\n\xff,yes\n")
    monkeypatch.undo()
    with pytest.raises(BadInput, match="not UTF-8"):
        read_corrections(tmp_path / "c.csv", now=now)

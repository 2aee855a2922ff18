"""`comity ledger`, as a person uses it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity.chains import table

Comity = Callable[..., Any]
FIXES = """corrects,void,time,originator,beneficiary,amount,asset
T-1,,2026-03-02T09:00:00Z,iban:DE89370400440532013000,acct:EXCHSG:8,1000.50,EUR
T-2,yes,,,,,
"""


@pytest.fixture
def comity() -> Comity:
    path = Path(__file__).parents[2] / "support" / "cli.py"
    spec = importlib.util.spec_from_file_location("comity_support_cli", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run: Comity = module.run
    return run


@pytest.fixture
def ledger(tmp_path: Path, comity: Comity) -> Path:
    (tmp_path / "t.csv").write_bytes(table.SAMPLE)
    (tmp_path / "rates.csv").write_text("asset,date,value,source\nEUR,2026-03-01,1.05,ECB reference rates\n")
    done = comity(
        "ledger", "ingest", tmp_path / "t.csv", "--into", tmp_path / "l", "--rates", tmp_path / "rates.csv"
    )
    assert done.code == 0, done.err
    return tmp_path / "l"


def test_what_a_rate_was_and_who_gave_it(ledger: Path, tmp_path: Path, comity: Comity):
    sql = "SELECT value, rate, rate_source, rate_date FROM transfers ORDER BY id"
    first = comity("ledger", "query", sql, "--ledger", ledger, "--json").json["rows"][0]
    assert first == ["1050.5250", "1.050000000000000000", "ECB reference rates", "2026-03-01"]
    other = tmp_path / "other"
    read = ("ledger", "ingest", tmp_path / "t.csv", "--into", other)
    comity(*read, "--rate", "iso4217:EUR=2")
    first = comity("ledger", "query", sql, "--ledger", other, "--json").json["rows"][0]
    assert first[:3] == ["2001.0000", "2.000000000000000000", "given by the operator"]
    assert comity(*read, "--rate", "iso4217:EUR=much").code == 2
    (tmp_path / "rates.csv").write_text("asset,date,value\n")
    refused = comity(*read, "--rates", tmp_path / "rates.csv")
    assert (refused.code, "does not have the columns" in refused.err) == (2, True)


def test_transfers_are_corrected_and_their_history_shown(ledger: Path, tmp_path: Path, comity: Comity):
    (tmp_path / "fixes.csv").write_text(FIXES)
    command = ("ledger", "correct", tmp_path / "fixes.csv", "--into", ledger, "--reason", "payee misread")
    assert comity(*command, "--by", "Ada", "--rate", "iso4217:EUR=1.1", "--json").json == {
        "replaced": 1,
        "void": 1,
        "version": 2,
        "notes": [],
    }
    asked = comity(
        "ledger", "query", "SELECT id, beneficiary, value FROM transfers", "--ledger", ledger, "--json"
    )
    assert asked.json["rows"] == [["T-1", "acct:EXCHSG:8", "1100.5500"]]
    first, second = comity("ledger", "history", "T-1", "--ledger", ledger, "--json").json
    assert (first["rate"]["source"], first["counts"]) == ("ECB reference rates", False)
    assert (second["reason"], second["by"], second["corrects"]) == ("payee misread", "Ada", "T-1")
    shown = comity("ledger", "history", "T-2", "--ledger", ledger)
    assert shown.code == 0
    assert "void" in shown.out
    again = comity(*command)
    assert (again.code, "void already" in again.err) == (4, True)
    assert comity("ledger", "history", "T-9", "--ledger", ledger).code == 3
    (tmp_path / "fixes.csv").write_text(FIXES.replace("T-1", "T-9").replace("T-2,yes,,,,,\n", ""))
    assert comity(*command).code == 3


def test_a_ledger_is_compacted_and_asked_of_a_span(ledger: Path, comity: Comity):
    done = comity("ledger", "compact", "--ledger", ledger, "--json").json
    assert done == {"before": 1, "after": 1, "facts": 2, "swept": True}
    assert "files now" in comity("ledger", "compact", "--ledger", ledger).out
    count = ("ledger", "query", "SELECT count(*) FROM transfers", "--ledger", ledger, "--json")
    assert comity(*count, "--since", "2026-03-02", "--until", "2026-03-03").json["rows"] == [[2]]
    assert comity(*count, "--since", "2026-03-03").json["rows"] == [[0]]
    assert comity(*count, "--until", "soon").code == 2
    few = comity("ledger", "query", "SELECT id FROM transfers", "--ledger", ledger, "--limit", "1", "--json")
    assert len(few.json["rows"]) == 1
    assert comity("ledger", "query", "SELECT * FROM kept.facts", "--ledger", ledger).code == 2


def test_a_ledger_whose_transfers_are_all_void_is_still_there(ledger: Path, tmp_path: Path, comity: Comity):
    (tmp_path / "none.csv").write_text("corrects,void\nT-1,yes\nT-2,yes\n")
    comity("ledger", "correct", tmp_path / "none.csv", "--into", ledger, "--reason", "a test file")
    (tmp_path / "bad.csv").write_bytes(table.SAMPLE + b"T-3,never\n")
    assert comity("ledger", "ingest", tmp_path / "bad.csv", "--into", ledger).code == 2
    assert (ledger / "manifest.json").exists()

"""``comity node``: the first two hops from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from comity.app.cli import main

ROWS = "id,time,originator,beneficiary,amount,asset\n" + "".join(
    f"t{n},2026-03-01T0{n}:00:00Z,acct:de-bank:{n},acct:de-bank:999,900.00,iso4217:EUR\n" for n in range(8)
)


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, object]:
    monkeypatch.setattr(sys, "argv", ["comity", *words, "--json"])
    with pytest.raises(SystemExit) as done:
        main()
    said = capsys.readouterr()
    assert not done.value.code, said.err
    answer: dict[str, object] = json.loads(said.out)
    return answer


def test_a_node_reads_and_detects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = str(tmp_path / "node")
    file = tmp_path / "transfers.csv"
    file.write_text(ROWS)
    who = tmp_path / "customers.jsonl"
    who.write_text('{"account": "acct:de-bank:999", "party": {"name": "Someone"}}\n')

    def comity(*words: str) -> dict[str, object]:
        return run(monkeypatch, capsys, *words, "--home", home)

    comity("node", "init", "--id", "de-bank", "--name", "A bank", "--role", "bank", "--country", "DE")
    assert comity("node", "ingest", str(file), "--rate", "iso4217:EUR=1.08")["transfers"] == 8
    assert comity("node", "customers", str(who)) == {"accounts": 1}
    found = comity("node", "detect")
    assert (found["alerts"], found["unfinished"]) == (0, {})
    status = comity("node", "status")
    assert (status["transfers"], status["findings"]) == (8, found["watched"])
    assert status["audit_size"] == 4, "created, ingested, customers, detected"

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity import flow
from comity.errors import StoreError
from comity.ledger.store import Ledger
from comity.model import AssetId, Knowledge
from comity.monitoring.run import Outcome, Unfinished
from comity.monitoring.state import Ended, digest, latest, load, save
from comity.typologies._common import pay


def test_runs_of_two_threads_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"
    ends = [
        Ended(number, Outcome((), (Unfinished("cycle", ("acct:a:1",) * number * 9),))) for number in range(40)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda ended: save(path, "x", ended), ends))
    assert load(path, "x") in ends
    assert [one.name for one in tmp_path.iterdir()] == ["state.jsonl"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"format":99}\n', b"[]\n"])
def test_a_damaged_file_begins_anew_but_hides_no_alerts(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "state.jsonl"
    assert latest(path) is None
    path.write_bytes(data)
    assert load(path, "x") is None
    with pytest.raises(StoreError, match="cannot be read"):
        latest(path)


def test_another_ledger_begins_anew() -> None:
    assert digest({}, Knowledge(), "one") != digest({}, Knowledge(), "another")


@pytest.mark.parametrize("place", ["another", "ledger"])
def test_a_ledger_that_is_another_or_was_put_back_is_read_from_its_beginning(
    tmp_path: Path, place: str
) -> None:
    def made(path: Path, payee: str) -> Ledger:
        shutil.rmtree(path, ignore_errors=True)
        ledger = Ledger.create(path, AssetId("iso4217:EUR"))
        ledger.append([pay(number, number, f"P{number}", payee, "700") for number in range(12)])
        return ledger

    def subjects(ledger: Ledger) -> set[str]:
        found = flow.detect(ledger, only=["fan_in"], state=tmp_path / "state").findings
        return {finding.subject for finding in found}

    first = made(tmp_path / "ledger", "C")
    assert subjects(first) == {"acct:SAMPLE:C"}
    assert subjects(made(tmp_path / place, "D")) == {"acct:SAMPLE:D"}


def test_a_ledger_put_back_as_it_was_is_read_from_its_beginning(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger", AssetId("iso4217:EUR"))
    ledger.append([pay(number, number, f"P{number}", "C", "700") for number in range(12)])
    before = (ledger.path / "manifest.json").read_bytes()
    ledger.append([pay(100 + number, number, f"P{number}", "D", "700") for number in range(12)])
    state = tmp_path / "state"
    assert len(flow.detect(ledger, only=["fan_in"], state=state).findings) == 2
    (ledger.path / "manifest.json").write_bytes(before)
    assert len(flow.detect(ledger, only=["fan_in"], state=state).findings) == 1

"""The contract of the claims: each measures us and a peer on work for which both give the same answer.

Every claim runs here on a small scale, with its assertions; how fast anything was is not looked at.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

import bench  # noqa: E402 (found once the root is on the path)

command = importlib.import_module("bench.__main__")
FIELDS = {"claim", "work", "ours", "peer", "peer_version", "ratio", "goal", "holds"}
SMALL = 0.02


def test_there_are_claims() -> None:
    assert len(bench.claims()) >= 10


@pytest.mark.parametrize("name", bench.claims())
def test_a_claim_holds_the_contract(name: str) -> None:
    module = bench.load(name)
    assert module.__doc__
    assert module.CLAIM.endswith("."), "a claim is a sentence"
    assert module.GOAL is None or module.GOAL > 0
    rows = command.measure(name, SMALL)
    assert rows
    if any(row["peer"] is not None for row in rows):
        assert any(row["goal"] for row in rows) == (module.GOAL is not None), "a goal is held against a row"
    for row in rows:
        assert row.keys() >= FIELDS
        assert row["goal"] in (None, module.GOAL), "the goal is the one the file states"
        assert row["ours"] >= 0
        assert (row["peer"] is None) == (not row["peer_version"]), "a peer is named, with its version"
        assert (row["holds"] is None) == (row["goal"] is None)
        assert row["peer"] is not None or row["note"], "why there is nothing to compare with is said"
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(
    ("ours", "peer", "more", "ratio", "holds"),
    [(2, 6, False, 3, True), (6, 2, False, 1 / 3, False), (6, 2, True, 3, True), (2, 6, True, 1 / 3, False)],
)
def test_the_ratio_says_how_many_times_better_we_are(
    ours: float, peer: float, more: bool, ratio: float, holds: bool
) -> None:
    row = bench.Row("w", ours, peer, "p 1", goal=2.0, more=more)
    assert row.ratio == pytest.approx(ratio)
    assert row.holds is holds


def test_nothing_is_claimed_without_a_goal_or_a_peer() -> None:
    assert bench.Row("w", 1, 2, "p 1").holds is None
    alone = bench.Row("w", 1, None, "", goal=2.0)
    assert (alone.ratio, alone.holds) == (None, None)


def test_the_command_prints_json_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    status = command.main(["standard", "--json", "--scale", "0.01"])
    rows = json.loads(capsys.readouterr().out)
    assert status == int(any(row["holds"] is False for row in rows))
    assert all(row["name"] == "standard" for row in rows)
    command.main(["standard", "--scale", "0.01"])
    shown = capsys.readouterr().out
    assert "transfers on one day" in shown
    assert "OpenFisca-Core" in shown


def test_a_claim_that_does_not_hold_is_shown_and_ends_in_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standard = bench.load("standard")
    monkeypatch.setattr(standard, "run", lambda scale: [bench.Row(f"at {scale}", 1, 1, "p 1", goal=2.0)])
    assert command.main(["standard", "--scale", "0.5"]) == 1
    assert "NO" in capsys.readouterr().out


@pytest.mark.parametrize("given", [["nothing"], ["standard", "--scale", "0"], ["standard", "--scale", "1e9"]])
def test_what_cannot_be_run_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        command.main(given)
    assert error.value.code == 2


def test_a_peer_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    gfp = bench.load("gfp")

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(gfp, "version", missing)
    rows = gfp.run(0.002)
    assert all(row.peer is None and row.goal is None and "make bench" in row.note for row in rows)

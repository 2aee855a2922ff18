"""Every typology, found by itself, keeps the contract of its seam."""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from comity import plugins
from comity.ledger.columns import build
from comity.model import AssetId, Level
from comity.monitoring.run import monitor
from comity.typologies import Sample, Shape, TypologySpec
from comity.typologies._common import account, pay

EURO = AssetId("iso4217:EUR")
NAMES = plugins.names("typologies")
SAMPLES = [(name, case) for name in NAMES for case in plugins.load("typologies", name).CASES]
UNITS = {"money", "hours", "count", "ratio"}


@pytest.mark.parametrize("name", NAMES)
def test_the_specification_is_whole(name: str) -> None:
    module = plugins.load("typologies", name)
    spec: TypologySpec = module.SPEC
    assert spec.id == name
    assert spec.title and spec.indicator.endswith(".") and spec.flag and spec.source
    assert spec.shape in Shape
    assert all(p.unit in UNITS and p.meaning and p.default > 0 for p in spec.parameters)
    assert set(spec.joint.values()) <= {p.name for p in spec.parameters}
    assert module.__doc__
    found = [case for case in module.CASES if case.alerts]
    assert found and any(case.watches for case in module.CASES)
    assert any(not case.alerts and not case.watches for case in module.CASES)


@pytest.mark.parametrize(("name", "case"), SAMPLES, ids=[f"{n}: {c.name}" for n, c in SAMPLES])
def test_each_case_holds_exactly_in_any_order(name: str, case: Sample) -> None:
    findings = monitor(build(case.transfers, EURO), only=[name])
    assert {f.subject for f in findings if f.level is Level.ALERT} == set(case.alerts)
    assert {f.subject for f in findings if f.level is Level.WATCH} == set(case.watches)
    shuffled = list(case.transfers)
    random.Random(7).shuffle(shuffled)
    assert monitor(build(shuffled, EURO), only=[name]) == findings
    known = {t.id: t for t in case.transfers}
    joint = plugins.load("typologies", name).SPEC.joint
    for finding in findings:
        assert 0 <= finding.score <= 1 and (finding.score >= 0.5) == (finding.level is Level.ALERT)
        assert finding.evidence and set(finding.evidence) <= set(known)
        assert len(set(finding.evidence)) == len(finding.evidence)
        assert finding.first == min(known[e].time for e in finding.evidence)
        assert finding.last == max(known[e].time for e in finding.evidence)
        assert all(reason[-1] == "." and "nan" not in reason for reason in finding.reasons)
        assert set(joint) <= {name for name, _ in finding.features}


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_ledger_has_no_findings(name: str) -> None:
    assert monitor(build([], EURO), only=[name]) == ()


@pytest.mark.parametrize("name", NAMES)
def test_memory_mapped_columns_give_the_same_and_compile_nothing_new(name: str, tmp_path: Path) -> None:
    module = plugins.load("typologies", name)
    columns = build(module.CASES[0].transfers, EURO)
    expected = monitor(columns, only=[name])
    compiled = len(module._kernel.signatures)
    mapped = {}
    for field in ("time", "src", "dst", "value", "out_ptr", "out_idx", "in_ptr", "in_idx", "hub"):
        np.save(tmp_path / field, getattr(columns, field))
        mapped[field] = np.load(tmp_path / f"{field}.npy", mmap_mode="r")
    assert monitor(dataclasses.replace(columns, **mapped), only=[name]) == expected
    assert len(module._kernel.signatures) == compiled == 1


@pytest.mark.parametrize("name", NAMES)
def test_unknown_values_and_self_transfers_are_nobody_s_guilt(name: str) -> None:
    case = plugins.load("typologies", name).CASES[0]
    blind = [dataclasses.replace(t, amount=None, value=None) for t in case.transfers]
    money = [f for f in monitor(build(blind, EURO), only=[name]) if dict(f.features).get("total", 0) > 0]
    assert money == []
    selfish = [dataclasses.replace(t, beneficiary=t.originator) for t in case.transfers]
    assert monitor(build(selfish, EURO), only=[name]) == ()


PROGRAM = """
import sys
from comity import plugins
from comity.ledger.columns import build
from comity.model import AssetId
from comity.monitoring.run import monitor
for name in plugins.names("typologies"):
    for case in plugins.load("typologies", name).CASES:
        found = monitor(build(case.transfers, AssetId("iso4217:EUR")), only=[name])
        assert {f.subject for f in found} == {*case.alerts, *case.watches}, (name, case.name)
print("held")
"""


def test_no_kernel_reads_beyond_its_arrays(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "held", done.stderr


def test_money_is_exact_at_the_threshold() -> None:
    below = [pay(i, i, "S", f"P{i}", "999.99") for i in range(5)]
    at = [pay(i, i, "S", f"P{i}", "1000.00") for i in range(5)]
    assert [f.subject for f in monitor(build(below, EURO), only=["structuring"])] == [account("S")]
    assert monitor(build(at, EURO), only=["structuring"]) == ()

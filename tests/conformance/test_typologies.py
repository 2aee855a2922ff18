"""Every typology, found by itself, keeps the contract of its seam."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comity import plugins
from comity.ledger.columns import build
from comity.model import AssetId, Facts, Finding, Known, Level, Transfer
from comity.monitoring.known import informed
from comity.monitoring.parts import around, reach, slab
from comity.monitoring.run import chosen, everything, findings, in_order, monitor
from comity.typologies import Sample, Scope, Shape, TypologySpec
from comity.typologies._common import account, pay

EURO = AssetId("iso4217:EUR")
NAMES = plugins.names("typologies")
SAMPLES = [(name, case) for name in NAMES for case in plugins.load("typologies", name).CASES]
CASES = pytest.mark.parametrize(("name", "case"), SAMPLES, ids=[f"{n}: {c.name}" for n, c in SAMPLES])
UNITS = {"money", "hours", "count", "ratio"}


@pytest.mark.parametrize("name", NAMES)
def test_the_specification_is_whole(name: str) -> None:
    module = plugins.load("typologies", name)
    spec: TypologySpec = module.SPEC
    assert spec.id == name
    assert spec.title and spec.indicator.endswith(".") and spec.flags and spec.source
    assert spec.shape in Shape
    assert all(p.unit in UNITS and p.meaning and p.default > 0 for p in spec.parameters)
    named = {p.name: p.unit for p in spec.parameters}
    assert set(spec.joint.values()) <= set(named)
    if spec.shape is Shape.WINDOW:
        assert all(named[name] == "hours" for name in (*spec.before, *spec.after)) and spec.after
    for use in set(spec.uses) - {"accounts"}:
        group, _, field = use.partition(".")
        assert field in {f.name for f in dataclasses.fields({"facts": Facts, "known": Known}[group])}
    assert module.__doc__
    found = [case for case in module.CASES if case.alerts]
    assert found and any(case.watches for case in module.CASES)
    assert any(not case.alerts and not case.watches for case in module.CASES)


def of(case: Sample, name: str, transfers: Sequence[Transfer] | None = None) -> tuple[Finding, ...]:
    columns = build(case.transfers if transfers is None else transfers, EURO)
    return monitor(columns, only=[name], knowledge=case.knowledge).findings


@CASES
def test_each_case_holds_exactly_in_any_order(name: str, case: Sample) -> None:
    findings = of(case, name)
    assert {f.subject for f in findings if f.level is Level.ALERT} == set(case.alerts)
    assert {f.subject for f in findings if f.level is Level.WATCH} == set(case.watches)
    shuffled = list(case.transfers)
    random.Random(7).shuffle(shuffled)
    assert of(case, name, shuffled) == findings
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


@CASES
def test_a_part_that_holds_what_a_hit_depends_on_is_enough(name: str, case: Sample) -> None:
    """What both engines and the incremental run rest on: account by account, or slab by slab of time."""
    module = plugins.load("typologies", name)
    whole = informed(build(case.transfers, EURO), case.knowledge)
    parameters = chosen([name], {}, whole.scale)[name]
    expected = in_order(findings(whole, module, module.run(whole, parameters, everything(whole))))
    found: list[Finding] = []
    if module.SPEC.shape is Shape.ACCOUNT:
        for number in range(whole.n_accounts):
            some = around(whole, np.array([number], dtype=np.int32))
            wanted = np.searchsorted(some.accounts, [number]).astype(np.int32)
            hits = module.run(some.columns, parameters, Scope(wanted, 0, 0))
            found += findings(whole, module, some.of_whole(hits))
    else:
        before, after = reach(module.SPEC, parameters)
        borders = [-(2**62), *sorted({int(t) for t in whole.time})[::2], 2**62]
        for begin, end in itertools.pairwise(borders):
            some = slab(whole, begin, end, before, after)
            nobody = np.empty(0, dtype=np.int32)
            hits = module.run(some.columns, parameters, Scope(nobody, begin, end))
            found += findings(whole, module, some.of_whole(hits))
    assert in_order(found) == expected


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_ledger_has_no_findings(name: str) -> None:
    assert monitor(build([], EURO), only=[name]).findings == ()


@pytest.mark.parametrize("name", NAMES)
def test_memory_mapped_columns_give_the_same_and_compile_nothing_new(name: str, tmp_path: Path) -> None:
    module = plugins.load("typologies", name)
    case = module.CASES[0]
    columns = informed(build(case.transfers, EURO), case.knowledge)
    expected = monitor(columns, only=[name])
    compiled = len(module._kernel.signatures)
    assert expected.findings
    assert monitor(mapped(columns, tmp_path), only=[name]) == expected
    assert len(module._kernel.signatures) == compiled == 1


def mapped(given: Any, folder: Path) -> Any:
    """The same columns (or their facts, or what is known) with every array on disk."""
    fresh: dict[str, Any] = {}
    for field in dataclasses.fields(given):
        value = getattr(given, field.name)
        if dataclasses.is_dataclass(value):
            fresh[field.name] = mapped(value, folder)
        elif isinstance(value, np.ndarray):
            np.save(folder / f"{field.name}.npy", value)
            fresh[field.name] = np.load(folder / f"{field.name}.npy", mmap_mode="r")
    return dataclasses.replace(given, **fresh)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_values_and_self_transfers_are_nobody_s_guilt(name: str) -> None:
    case = plugins.load("typologies", name).CASES[0]
    blind = [dataclasses.replace(t, amount=None, value=None) for t in case.transfers]
    assert not any(dict(f.features).get("total", 0) > 0 for f in of(case, name, blind))
    selfish = [dataclasses.replace(t, beneficiary=t.originator) for t in case.transfers]
    assert of(case, name, selfish) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_of_any_size_is_taken(name: str) -> None:
    """The greatest and the least that the command line lets through: nothing overflows or fills memory."""
    module = plugins.load("typologies", name)
    case = module.CASES[0]
    columns = informed(build(case.transfers, EURO), case.knowledge)
    sizes = {"count": (1.0, 1e15), "ratio": (1e-12, 1.0)}
    for parameter in module.SPEC.parameters:
        for size in sizes.get(parameter.unit, (1e-9, 1e30)):
            monitor(columns, only=[name], parameters={name: {parameter.name: size}})


PROGRAM = """
import sys
from comity import plugins
from comity.ledger.columns import build
from comity.model import AssetId
from comity.monitoring.run import monitor
for name in sys.argv[1:]:
    for case in plugins.load("typologies", name).CASES:
        columns = build(case.transfers, AssetId("iso4217:EUR"))
        found = monitor(columns, only=[name], knowledge=case.knowledge).findings
        assert {f.subject for f in found} == {*case.alerts, *case.watches}, (name, case.name)
        monitor(columns, only=[name])  # where nothing is known of any of the countries
print("held")
"""


def test_no_kernel_reads_beyond_its_arrays(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *NAMES], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "held", done.stderr


def test_money_is_exact_at_the_threshold() -> None:
    below = [pay(i, i, "S", f"P{i}", "999.99") for i in range(5)]
    at = [pay(i, i, "S", f"P{i}", "1000.00") for i in range(5)]
    assert [f.subject for f in monitor(build(below, EURO), only=["structuring"]).findings] == [account("S")]
    assert monitor(build(at, EURO), only=["structuring"]).findings == ()

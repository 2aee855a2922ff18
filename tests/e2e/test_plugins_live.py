"""A new list, chain, typology, report format or jurisdiction is one new file beside ours.

The files are those of tests/support/tiny, copied into a package of their own; nothing is installed and
nothing of ours is changed. The commands run as real processes, which know of the package by PYTHONPATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity import plugins
from comity.errors import NotFound
from comity.standard import vocabulary

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "support" / "tiny"
NEVER = "source: FATF plenaries, basis: FROM-MEMORY, confidence: med, reviewed: 2026-11-22}\n"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a package ``comity`` that holds one file a seam, and no ``__init__.py``."""
    place = tmp_path_factory.mktemp("elsewhere")
    for file in sorted(TINY.glob("*.py")):
        folder = place / "comity" / file.stem
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / "tiny.py")
    guide = (ROOT / "docs" / "guide" / "add-your-country.md").read_text("utf-8")
    example = re.search(r"```yaml\n(jurisdiction: zz.*?)```", guide, re.DOTALL)
    assert example, "the guide has lost its example"
    unknown = "    - {value: unknown, source: not established, confidence: unknown, reviewed: 2026-11-22}\n"
    never = f"    - {{from: 2019-06-21, value: none, {NEVER}"
    asked = [each for each in vocabulary.installed().needed if f"  {each}:" not in example[1]]
    more = "".join(f"  {each}:\n{never if each == 'fatf.list_status' else unknown}" for each in asked)
    before = "  - {name: before it began, on: 2023-12-29, transfer: {value: 1000 EUR}, required: []}\n"
    folder = place / "comity" / "jurisdictions"
    folder.mkdir()
    (folder / "zz.yaml").write_text(example[1].replace("cases:\n", f"{more}cases:\n{before}", 1), "utf-8")
    return place


def environment(package: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(package), "COMITY_HOME": str(package / "home")}


def run(package: Path, *arguments: object) -> Any:
    """The answer of a command in a process that has the package on its path."""
    command = [sys.executable, "-m", "comity", *map(str, arguments), "--json"]
    done = subprocess.run(command, env=environment(package), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sample(package: Path, seam: str) -> Path:
    """A file with the SAMPLE of the tiny plug-in of a seam."""
    code = f"import sys; from comity.{seam} import tiny; sys.stdout.buffer.write(tiny.SAMPLE)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(package), capture_output=True, check=True
    )
    path = package / f"sample.{seam}"
    path.write_bytes(done.stdout)
    return path


def test_a_list_a_chain_and_a_typology_are_live(package: Path) -> None:
    loaded = run(package, "lists", "load", sample(package, "lists"))
    assert (loaded["list"], loaded["version"], loaded["entries"]) == ("tiny", "2026-02-03", 2)
    assert [hit["evidence"] for hit in run(package, "screen", "acct:TINY:2")] == [["tiny:2"]]
    ledger = package / "ledger"
    done = run(package, "ledger", "ingest", sample(package, "chains"), "--into", ledger)
    assert (done["chain"], done["transfers"]) == ("tiny", 3)
    found = run(package, "monitor", ledger, "--only", "tiny")["findings"]
    assert [(one["rule"], one["level"], one["subject"]) for one in found] == [
        ("tiny", "alert", "acct:TINY:3")
    ]
    assert found[0]["reasons"] == ["It received 77,777.00 USD at once."]
    parameter = ("--set", "tiny.limit=80000", "--lists", package / "home" / "lists")
    found = run(package, "monitor", ledger, "--only", "tiny", *parameter)["findings"]
    assert {(one["rule"], one["level"]) for one in found if one["kind"] == "typology"} == {("tiny", "watch")}
    listed = {one["subject"] for one in found if one["rule"] == "listed_wallet"}
    assert listed == {"acct:TINY:1", "acct:TINY:2"}


def test_a_report_format_is_live(package: Path) -> None:
    file = package / "report.tiny"
    file.write_text("<tinyReport><reference>R-1</reference><narrative>Odd.</narrative></tinyReport>")
    checked = run(package, "report", "check", file)
    assert (checked["format"], checked["valid"]) == ("tiny", True)


def test_a_jurisdiction_is_live(package: Path) -> None:
    assert "zz" in {one["jurisdiction"] for one in run(package, "standard", "list")}
    answer = run(package, "standard", "show", "zz", "str.deadline", "--on", "2026-03-02")
    assert (answer["jurisdiction"], answer["source"]) == ("zz", "AML Act s.20")
    corridors = run(package, "standard", "corridors", "--on", "2026-03-02", "--limit", "5000")
    assert any(one["destination"] == "zz" for one in corridors)


def test_what_made_them_live_was_the_package_alone(comity: Callable[..., Any]) -> None:
    assert [seam for seam in plugins.SEAMS if "tiny" in plugins.names(seam)] == []
    assert comity("standard", "show", "zz").code == NotFound.exit_code


def test_the_conformance_suites_find_them_and_they_pass(package: Path) -> None:
    command = [sys.executable, "-m", "pytest", "tests/conformance", "-k", "tiny or zz", "-m", "not data"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-rA", "-v"],
        cwd=ROOT,
        env=environment(package),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for suite in ("lists", "chains", "typologies", "reports", "jurisdictions"):
        assert len(re.findall(rf"PASSED tests/conformance/test_{suite}\.py", done.stdout)) >= 5, suite

"""Documents that are true: the reference is the code's, and a page says how each part is used."""

from __future__ import annotations

import dataclasses
import importlib
import io
import re
import shlex
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity import jurisdictions, plugins
from comity.chains import Intake
from comity.cooperation import match
from comity.errors import BadInput
from comity.ledger.columns import build
from comity.model import AssetId, Confidence, Level, Report
from comity.monitoring.run import monitor
from comity.node import finding_together
from comity.node.settings import Settings
from comity.standard.load import load

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted((DOCS / "guide").glob("*.md"))
PAGES = [ROOT / "README.md", DOCS / "README.md", DOCS / "threat-model.md", *GUIDES]
TESTS = ROOT / "tests"


@cache
def generate() -> ModuleType:
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return importlib.import_module("docs.generate")


@cache
def written() -> dict[str, str]:
    found: dict[str, str] = generate().write()
    return found


@cache
def commands() -> dict[str, Any]:
    return dict(generate().command_tree())


@cache
def guides() -> str:
    return "\n".join(path.read_text("utf-8") for path in PAGES)


def test_the_reference_is_what_the_code_says() -> None:
    for name, text in written().items():
        assert (DOCS / "reference" / name).read_text("utf-8") == text, f"{name} is stale: run make docs"
    kept = {path.name for path in (DOCS / "reference").iterdir()}
    assert kept == {*written(), "README.md", "red-flags.md"}


def test_the_reference_shows_no_machine() -> None:
    for name, text in written().items():
        assert not re.search(r"(?<![\w./])/(?:home|root|tmp|var/folders)/", text), name


def test_every_flag_a_typology_cites_is_listed() -> None:
    listed = (DOCS / "reference" / "red-flags.md").read_text("utf-8")
    for name in plugins.names("typologies"):
        for flag in plugins.load("typologies", name).SPEC.flags:
            assert f"| {flag} |" in listed, (name, flag)


def test_a_page_says_how_each_command_is_used() -> None:
    assert [name for name in commands() if not re.search(rf"\b{name}\b", guides())] == []


def test_a_page_mentions_each_setting() -> None:
    page = (DOCS / "guide" / "operator.md").read_text("utf-8")
    names = [item.name for item in dataclasses.fields(Settings) if item.name != "home"]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_a_page_says_how_to_add_to_each_seam() -> None:
    page = (DOCS / "guide" / "maintainers.md").read_text("utf-8")
    for seam in (*plugins.SEAMS, jurisdictions.__name__.rpartition(".")[2]):
        assert f"src/comity/{seam}/" in page, seam


def test_each_plug_in_is_in_the_reference() -> None:
    for seam in plugins.SEAMS:
        for name in plugins.names(seam):
            assert name in written()[f"{seam}.md"], f"{seam}/{name}"
    for code in jurisdictions.files():
        assert f"[{code}](law-{code}.md)" in written()["law.md"]
        assert written()[f"law-{code}.md"].count("\n| `") >= 40


def _lines() -> list[tuple[str, str]]:
    """Every ``comity …`` line of a code block, with its page."""
    found = []
    for path in PAGES:
        for block in re.findall(r"^```[a-z]*\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            joined = block.replace("\\\n", " ")
            found += [
                (path.name, line) for line in re.findall(r"^(?:\$ )?(comity .*)$", joined, re.MULTILINE)
            ]
    return found


def test_the_pages_show_commands() -> None:
    assert len(_lines()) > 30


@pytest.mark.parametrize(("page", "line"), _lines())
def test_a_command_on_a_page_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True)
    name = " ".join(words[:3]) if " ".join(words[:3]) in commands() else " ".join(words[:2])
    if words[1:] == ["--version"]:
        return
    known = {option for given in commands()[name].params for option in (*given.opts, *given.secondary_opts)}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{page}: {line}"


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    assert [path.name for path in GUIDES if f"(guide/{path.name})" not in index] == []
    listed = (DOCS / "adr" / "README.md").read_text("utf-8")
    for path in (DOCS / "adr").glob("0*.md"):
        assert f"({path.name})" in listed


def test_the_threat_model_names_tests_that_exist() -> None:
    text = (DOCS / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", text)
    assert len(named) > 30
    for file, test in named:
        assert re.search(rf"def {test}\(", (TESTS / file).read_text("utf-8")), f"{file}::{test}"


def test_the_threat_model_computes_its_bound_on_probing() -> None:
    text = (DOCS / "threat-model.md").read_text("utf-8")
    kinds, budget = len(finding_together.KINDS), finding_together.DAILY_BUDGET
    assert f"{budget:,} × {kinds} = {budget * kinds:,}" in text
    assert f"{match.MAX_KEYS:,}" in text


EXAMPLES = re.findall(
    r"^```python\n(# src/comity/(\w+)/example\.py\n.*?)^```",
    (DOCS / "guide" / "add-a-plug-in.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


def _plug_in(seam: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example of the guide, put where somebody else's plug-in would be and found by its name."""
    package = importlib.import_module(f"comity.{seam}")
    (folder / "example.py").write_text(text, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, f"comity.{seam}.example", raising=False)
    found = plugins.load(seam, "example")
    monkeypatch.delitem(sys.modules, f"comity.{seam}.example")
    return found


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    texts = {seam: text for text, seam in EXAMPLES}
    return lambda seam: _plug_in(seam, texts[seam], tmp_path, monkeypatch)


def test_there_is_an_example_for_each_seam() -> None:
    assert sorted(seam for _, seam in EXAMPLES) == sorted(plugins.SEAMS)


def test_the_example_of_a_list_reads(example: Callable[[str], ModuleType]) -> None:
    plugin = example("lists")
    assert plugin.sniff(plugin.SAMPLE)
    (entry,) = plugin.read(io.BytesIO(plugin.SAMPLE)).listings
    assert entry.party.name == "Jo Example" and entry.wallets
    with pytest.raises(BadInput):
        plugin.read(io.BytesIO(plugin.SAMPLE[:-4]))


def test_the_example_of_a_chain_reads(example: Callable[[str], ModuleType], now: datetime) -> None:
    plugin = example("chains")
    assert plugin.sniff(plugin.SAMPLE)
    assert len(list(plugin.read(io.BytesIO(plugin.SAMPLE), Intake(now)))) == plugin.SAMPLE_TRANSFERS


def test_the_example_of_a_typology_holds(example: Callable[[str], ModuleType]) -> None:
    for case in example("typologies").CASES:
        found = monitor(build(case.transfers, AssetId("iso4217:EUR")), only=["example"]).findings
        assert {f.subject for f in found if f.level is Level.ALERT} == set(case.alerts), case.name
        assert {f.subject for f in found if f.level is Level.WATCH} == set(case.watches), case.name


def test_the_example_of_a_report_renders(
    example: Callable[[str], ModuleType], minimal_report: Report
) -> None:
    plugin = example("reports")
    data = plugin.render(minimal_report)
    assert plugin.sniff(data) and plugin.check(data, None) == ()
    assert plugin.check(b"{}", None)


def test_the_shares_of_uncertain_law_are_as_said() -> None:
    found = [p for law in load().provisions.values() for each in law.values() for p in each]
    page = (DOCS / "guide" / "supervisor.md").read_text("utf-8")
    for begin in ("", "gateway.", "freeze."):
        kind = [p for p in found if p.question.startswith(begin)]
        below = sum(p.confidence is not Confidence.HIGH for p in kind)
        said = f"all {below}" if below == len(kind) else f"{below} of {len(kind)}"
        assert said in page, begin
        assert begin or said in (ROOT / "README.md").read_text("utf-8")

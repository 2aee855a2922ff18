"""Plug-ins are found by their file names, without being imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from comity import jurisdictions, plugins
from comity.errors import UnknownFormat


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A further directory of plug-ins of the seam ``lists``."""
    package = importlib.import_module("comity.lists")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("comity.lists.zz_")]:
        del sys.modules[name]


@pytest.mark.parametrize("seam", plugins.SEAMS)
def test_every_file_is_one_plug_in_and_helpers_are_none(seam: str) -> None:
    found = plugins.names(seam)
    package = importlib.import_module(f"comity.{seam}")
    assert package.__file__
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    assert set(found) == {name for name in files if not name.startswith("_")}
    assert found == tuple(sorted(found)) and len(found) >= 2


def test_finding_imports_nothing(elsewhere: Path) -> None:
    (elsewhere / "zz_broken.py").write_text("raise RuntimeError('imported')\n")
    (elsewhere / "_zz_helper.py").write_text("")
    (elsewhere / "zz_notes.txt").write_text("")
    assert [name for name in plugins.names("lists") if "zz_" in name] == ["zz_broken"]
    with pytest.raises(RuntimeError, match="imported"):
        plugins.load("lists", "zz_broken")


def test_a_file_elsewhere_is_loaded_and_recognises_its_own(elsewhere: Path) -> None:
    (elsewhere / "zz_own.py").write_text("def sniff(head):\n    return head == b'own'\n")
    assert plugins.load("lists", "zz_own").sniff(b"own")
    assert plugins.recognise("lists", b"own").__name__ == "comity.lists.zz_own"
    assert plugins.recognise("lists", b"own", ["zz_own"]).__name__ == "comity.lists.zz_own"


@pytest.mark.parametrize("name", ["nothing", "_reading", "__init__", "../chains/table", "os", ""])
def test_what_is_no_plug_in_is_not_imported(name: str) -> None:
    with pytest.raises(UnknownFormat, match="among the lists") as failed:
        plugins.load("lists", name)
    assert "ofac_sdn" in failed.value.why and failed.value.remedy


def test_the_first_by_name_that_accepts_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def load(_seam: str, name: str) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace(name=name, sniff=lambda head: head == b"head" and name > "a")

    monkeypatch.setattr(plugins, "names", lambda _seam: ("a", "b", "c"))
    monkeypatch.setattr(plugins, "load", load)
    assert plugins.recognise("chains", b"head").name == "b"  # type: ignore[attr-defined]
    assert asked == ["a", "b"]
    with pytest.raises(UnknownFormat, match="any of the chains") as failed:
        plugins.recognise("chains", b"other")
    assert "a, b, c" in failed.value.why and failed.value.remedy


def test_only_those_asked_for_are_tried() -> None:
    head = plugins.load("lists", "un_sc").SAMPLE[:4096]
    assert plugins.recognise("lists", head).__name__ == "comity.lists.un_sc"
    with pytest.raises(UnknownFormat):
        plugins.recognise("lists", head, ["ofac_sdn", "eu_fsf"])


def test_law_files_are_found_in_every_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "zz.yaml").write_text("jurisdiction: zz\n")
    monkeypatch.setattr(jurisdictions, "__path__", [*jurisdictions.__path__, str(tmp_path)])
    found = jurisdictions.files()
    assert list(found) == sorted(found) and {"fatf", "eu", "zz"} <= set(found)
    assert found["zz"].read_text() == "jurisdiction: zz\n"

"""The habits of the house, held: sizes, public names, no machine's traces, documents that are true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import comity

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_and_functions_are_short_and_documented(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < 400, "a module has under 400 lines"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert (node.end_lineno or 0) - node.lineno < 70, f"{node.name} has 70 lines or more"


def test_public_names() -> None:
    assert comity.__all__ == ["__version__"]


def test_nothing_names_a_registry_or_a_path_of_a_machine() -> None:
    hosts = ["pypi" + ".org", "python" + "hosted", "npm" + "js.", "deb." + "debian", "bash_" + "jobs"]
    pattern = re.compile("|".join(map(re.escape, hosts)) + r"|(?:^|[^.a-z])/(?:wo" + r"rk|fa" + r"rm)/")
    for path in tracked():
        if path.suffix in {".xz", ".png", ".gz"}:
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            assert not pattern.search(line), f"{path.relative_to(ROOT)}:{number}"


def test_tracked_files_are_small() -> None:
    assert [str(path) for path in tracked() if path.stat().st_size > 2 * 1024 * 1024] == []


def test_locks_have_hashes_for_every_package() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text("utf-8")
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[.*\])?==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 20


def test_links_of_the_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"


def test_help_imports_no_heavy_library() -> None:
    heavy = ["numba", "numpy", "pyarrow", "duckdb", "lxml", "sqlalchemy", "fastapi", "cryptography", "jinja2"]
    code = (
        "import sys\nsys.argv=['comity','--help']\n"
        "from comity.app.cli import main\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert not done.code\n"
        f"print('HEAVY', [name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert "HEAVY []" in done.stderr, done.stderr

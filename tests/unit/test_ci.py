"""In CI a skipped test fails the session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_the_session_in_ci_only(tmp_path: Path, ci: str, code: int) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "import pytest\n\ndef test_runs(): pass\n\ndef test_waits(): pytest.skip('no moon tonight')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "--noconftest", "-q", file],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("test_waits: Skipped: no moon tonight" in done.stdout) == bool(code)

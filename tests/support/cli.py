"""The command line, run in this process: `comity.app.cli.main` with its arguments, output and exit code."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any, NamedTuple

from comity.app.cli import main


class Ran(NamedTuple):
    """What a command did. A crash is exit code 1 with the traceback in ``err``, as in a real process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command that succeeded with --json."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def run(*arguments: str | Path) -> Ran:
    """Run ``comity ARGUMENTS``."""
    out, err, given = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["comity", *map(str, arguments)]
    code: object = 1
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as done:
                code = done.code or 0
            except Exception:  # noqa: BLE001 (what a process would do)
                traceback.print_exc()
    finally:
        sys.argv = given
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())

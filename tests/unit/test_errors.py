"""The error tree: what, why, remedy; one exit code a branch."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import comity
from comity import errors
from comity.errors import BadInput, ComityError, Conflict

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ComityError)]


def test_diagnostics_say_what_why_and_what_to_do() -> None:
    error = BadInput("no amount", why="row 3 is empty", remedy="fill it in")
    assert error.diagnostics() == "no amount\nWhy: row 3 is empty\nWhat to do: fill it in"
    assert Conflict("taken").diagnostics() == "taken"
    assert error.as_dict() == {
        "error": "BadInput",
        "what": "no amount",
        "why": "row 3 is empty",
        "remedy": "fill it in",
    }
    assert str(error) == "no amount"


def test_every_error_that_is_raised_says_what_to_do() -> None:
    """Wherever one is made in src, it is given a remedy that is not empty."""
    names = {kind.__name__ for kind in TREE}
    silent = []
    for path in sorted(Path(comity.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                remedies = [given.value for given in node.keywords if given.arg == "remedy"]
                if not remedies or getattr(remedies[0], "value", "said") == "":
                    silent.append(f"{path.name}:{node.lineno}")
    assert silent == []


def test_the_tree_is_drawn_in_the_docstring() -> None:
    drawing = errors.__doc__ or ""
    assert [kind.__name__ for kind in TREE if kind.__name__ not in drawing] == []


def test_every_branch_has_an_exit_code_of_its_own() -> None:
    branches = [kind for kind in TREE if kind.__base__ is ComityError]
    assert sorted(kind.exit_code for kind in branches) == list(range(2, 2 + len(branches)))

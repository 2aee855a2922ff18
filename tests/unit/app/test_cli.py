"""The command line as a whole: every command explains itself, answers machines, and exits as errors say."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from comity.app.cli import app
from comity.errors import (
    BadInput,
    ComityError,
    Conflict,
    NoGateway,
    NotFound,
    PeerError,
    Refused,
    SettingsError,
    StoreError,
    TooLarge,
    Unverified,
)
from comity.node.node import Node

Comity = Callable[..., Any]
SPEAK_NO_JSON = {"node serve", "node member", "standard schema"}
"""One serves until it is stopped; the others print the document itself, which is JSON."""


def _support(name: str) -> ModuleType:
    known = f"comity_support_{name}"
    if known not in sys.modules:
        path = Path(__file__).parents[2] / "support" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(known, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


net, small = _support("network"), _support("small")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command under a group by its full name. Typer brings its own Click, so no class is asked for."""
    if hasattr(group, "commands"):
        for name, one in group.commands.items():
            yield from commands(one, (*path, name))
    else:
        yield " ".join(path), group


ALL = dict(commands(typer.main.get_command(app)))


def flags(command: Any) -> set[str]:
    return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}


def test_there_are_commands() -> None:
    assert len(ALL) > 30
    assert {"demo", "screen", "node serve", "ledger ingest", "report file", "audit verify"} <= set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_says_what_it_does_with_an_example_that_holds(name: str) -> None:
    command = ALL[name]
    said = command.help or ""
    assert said.split("\n")[0].rstrip().endswith("."), "one sentence first"
    examples = re.findall(r"Example: (comity .*)", said)
    assert examples, "an example"
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])[1:]
        assert words[: len(name.split())] == name.split()
        given = [word for word in words if word.startswith("--")]
        assert set(given) <= flags(command), "the example uses options that are there"
        needed = [p for p in command.params if p.param_type_name == "option" and p.required]
        assert all(set(p.opts) & set(given) for p in needed), "the example is complete"


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_command_prints_its_help(name: str, comity: Comity) -> None:
    done = comity(*name.split(), "--help")
    assert done.code == 0
    assert "Example" in done.out and "Usage" in done.out
    for flag in flags(ALL[name]):
        assert flag in done.out, flag


@pytest.mark.parametrize("name", sorted(set(ALL) - SPEAK_NO_JSON))
def test_every_command_answers_machines(name: str) -> None:
    assert "--json" in flags(ALL[name])


def test_version_and_nothing(comity: Comity) -> None:
    from comity import __version__

    assert comity("--version").out == f"comity {__version__}\n"
    assert comity().code == 2
    assert comity("no-such-command").code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInput, 2),
        (TooLarge, 2),
        (NotFound, 3),
        (Conflict, 4),
        (Unverified, 5),
        (Refused, 6),
        (NoGateway, 6),
        (PeerError, 7),
        (StoreError, 8),
        (SettingsError, 9),
    ],
)
def test_errors_have_words_and_exit_codes(
    comity: Comity, monkeypatch: pytest.MonkeyPatch, error: type[ComityError], code: int
) -> None:
    def fail(_home: Path) -> Node:
        raise error("it broke", why="of wear", remedy="mend it")

    monkeypatch.setattr("comity.app.cli.node.open_node", fail)
    done = comity("node", "status")
    assert (done.code, done.out) == (code, "")
    assert done.err == "comity: it broke\nWhy: of wear\nWhat to do: mend it\n"
    done = comity("node", "status", "--json")
    assert done.code == code
    assert json.loads(done.err) == {
        "error": error.__name__,
        "what": "it broke",
        "why": "of wear",
        "remedy": "mend it",
    }


def test_stopped_by_the_user(comity: Comity, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_home: Path) -> Node:
        raise KeyboardInterrupt

    monkeypatch.setattr("comity.app.cli.node.open_node", stop)
    done = comity("node", "status")
    assert done.code == 130
    assert "Traceback" not in done.err


def test_nobody_reads_the_answer() -> None:
    """``comity standard list | head -n 0``: no traceback."""
    command = [sys.executable, "-m", "comity", "standard", "list", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said, said


def test_there_is_no_node(comity: Comity, tmp_path: Path) -> None:
    for words in (
        ("node", "status"),
        ("case", "list"),
        ("exchange", "inbox"),
        ("audit", "verify"),
        ("enforce", "list"),
        ("match",),
    ):
        done = comity(*words, "--home", tmp_path / "none", "--json")
        assert done.code == 9, done.err
        assert "comity node init" in json.loads(done.err)["remedy"]

"""The commands, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any

from docs.generate._markdown import code, table


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command with its whole name, in the order of ``--help``."""
    if hasattr(command, "commands"):
        for part, found in command.commands.items():
            yield from commands(found, f"{name} {part}")
    else:
        yield name, command


def command_tree() -> list[tuple[str, Any]]:
    import typer

    from comity.app.cli import app

    return list(commands(typer.main.get_command(app), "comity"))


def _parameter(given: Any) -> tuple[str, str, str]:
    kind = given.type_descriptor.annotation
    option = given.opts[0].startswith("-")
    default = given.default
    if given.required:
        shown = "required"
    elif isinstance(given.show_default, str):
        shown = given.show_default
    elif default in (None, "", False, ()):
        shown = ""
    else:
        shown = code(default.value if isinstance(default, Enum) else default)
    said = [given.help or ""]
    if inspect.isclass(kind) and issubclass(kind, Enum):
        said.append(f"One of {', '.join(code(one.value) for one in kind)}.")
    if given.multiple:
        said.append("May be repeated.")
    if given.envvar:
        said.append(f"Also from `{given.envvar}`.")
    name = ", ".join((*given.opts, *given.secondary_opts)) if option else given.name.upper().rstrip("_")
    return code(name), shown, " ".join(part for part in said if part)


def cli() -> str:
    parts = [
        "# Commands",
        (
            "`comity --version` prints the version, `comity COMMAND --help` what is below. `--json` "
            "answers in JSON on standard output; an error is then JSON too, on standard error. Exit "
            "codes: 0, or that of the error ([errors](errors.md)); 130 when stopped by Ctrl-C."
        ),
    ]
    for name, command in command_tree():
        text = inspect.cleandoc(command.help or "")
        said, _, example = text.partition("Example: ")
        block = [f"## {name}", said.strip(), f"```\n{example.strip()}\n```"]
        if command.params:
            block.append(table(("", "default", "what"), [_parameter(one) for one in command.params]))
        parts.append("\n\n".join(block))
    return "\n\n".join(parts)

"""Writes docs/reference from the code: commands, settings, errors, seams, law, messages, APIs.

Run `make docs`. A test writes them again and fails where what is committed differs.
"""

from __future__ import annotations

import json
from pathlib import Path

from docs.generate import interfaces, law, seams, settings
from docs.generate.commands import cli, command_tree

FOLDER = Path(__file__).parents[1] / "reference"
NOTE = "<!-- Written by `make docs`. Change the code, not this page. -->\n\n"

__all__ = ["command_tree", "write", "write_files"]


def write() -> dict[str, str]:
    """Every file of the reference by name."""
    from comity.standard import vocabulary
    from comity.standard.schema import schema

    operator, peer, shown = interfaces.apis()
    written = {
        "cli.md": cli(),
        "settings.md": settings.settings(),
        "errors.md": settings.errors(),
        "typologies.md": seams.typologies(),
        "lists.md": seams.lists(),
        "chains.md": seams.chains(),
        "reports.md": seams.reports(),
        "messages.md": interfaces.messages(),
        "api.md": interfaces.api(operator, peer, shown),
        **law.law(),
    }
    files = {name: f"{NOTE}{text}\n" for name, text in written.items()}
    files["law-map.svg"] = law.picture() + "\n"
    for name, plain in (
        ("messages.json", interfaces.message_schemas()),
        ("api-operator.json", operator),
        ("api-peers.json", peer),
        ("law.schema.json", schema(vocabulary.installed())),
    ):
        files[name] = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    return files


def write_files() -> None:
    """Write the reference, and remove pages of law files there are no longer."""
    FOLDER.mkdir(exist_ok=True)
    files = write()
    for stale in FOLDER.glob("law-*.md"):
        if stale.name not in files:
            stale.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, "utf-8")

"""Typologies, lists, chains and report formats."""

from __future__ import annotations

import inspect
from typing import Any

from docs.generate._markdown import code, table


def _plugins(seam: str) -> list[tuple[str, Any]]:
    from comity import plugins

    return [(name, plugins.load(seam, name)) for name in plugins.names(seam)]


def typologies() -> str:
    parts = [
        "# Typologies",
        (
            "What each looks for, and with which defaults. The numbers are engineering defaults, not law: "
            "set them with `comity monitor --set TYPOLOGY.PARAMETER=VALUE`. The flag is FATF's indicator "
            "by our id ([red flags](red-flags.md)). Below its threshold a pattern is kept as *watch*; "
            "**joint** names what institutions may add up for one subject, and the parameter the sum must "
            "reach."
        ),
    ]
    for name, plugin in _plugins("typologies"):
        spec = plugin.SPEC
        joint = ", ".join(f"`{feature}` → `{limit}`" for feature, limit in spec.joint.items())
        rows = [(code(p.name), f"{p.default:g}", p.unit, p.meaning) for p in spec.parameters]
        parts.append(
            f"## {name}\n\n{spec.indicator}\n\n"
            f"Flags {', '.join(spec.flags)}. Sees one "
            f"{'account' if spec.shape == 'account' else 'time window'} at a time. "
            f"Joint: {joint or 'no'}. Source: {spec.source}.\n\n"
            + table(("parameter", "default", "unit", "meaning"), rows)
        )
    return "\n\n".join(parts)


def lists() -> str:
    rows = [
        (
            code(name),
            p.SPEC.title,
            p.SPEC.authority,
            f"{p.SPEC.at_least:,}",
            p.SPEC.url or "no fixed address",
            p.SPEC.terms,
        )
        for name, p in _plugins("lists")
    ]
    return "\n\n".join(
        (
            "# Lists",
            (
                "A file is recognised by its first bytes; `.gz`, `.bz2` and `.xz` are unpacked. An "
                "edition with fewer entries than *at least*, or older than the one in force, is refused "
                "and the one in force stays."
            ),
            table(("list", "title", "authority", "at least", "fetched from", "terms"), rows),
        )
    )


def chains() -> str:
    from comity.chains import table as tables
    from comity.chains._table_rows import COLUMNS, REQUIRED

    parts = [
        "# Chains and other ledgers",
        (
            "A file is recognised by its first bytes, or named with `--chain`. Options are given as "
            "`--option NAME=VALUE`."
        ),
    ]
    for name, plugin in _plugins("chains"):
        spec = plugin.SPEC
        parts.append(
            f"## {name}\n\n{spec.title}. Source: {spec.source}. Reference asset of a new ledger: "
            f"`{spec.reference}`."
        )
        if spec.options:
            parts.append(table(("option", "what"), [(code(k), v) for k, v in spec.options.items()]))
    rows = [(code(name), "yes" if name in REQUIRED else "") for name in COLUMNS]
    parts += [
        "## Columns of a table",
        inspect.cleandoc(tables.__doc__ or "").split("\n\n", 1)[1].replace("``", "`"),
        table(("column", "required"), rows),
        "A first file, two transfers:",
        f"```\n{tables.SAMPLE.decode().strip()}\n```",
    ]
    return "\n\n".join(parts)


def reports() -> str:
    parts = [
        "# Report formats",
        'Options stand in `node.toml` as `report = ["FORMAT.NAME=VALUE"]`.',
    ]
    for name, plugin in _plugins("reports"):
        spec = plugin.SPEC
        parts.append(
            f"## {name}\n\n{spec.title}, version {spec.version}. Source: {spec.source}. Schema looked for by "
            f"`comity report check --schema DIR`: `{spec.schema}` (not shipped).\n\n"
            + table(("option", "what"), [(code(k), v) for k, v in spec.options.items()])
        )
    return "\n\n".join(parts)

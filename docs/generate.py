"""Writes docs/reference from the code: commands, settings, errors, seams, law, messages, APIs.

Run `make docs`. A test writes them again and fails where what is committed differs.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make docs`. Change the code, not this page. -->\n\n"


def cell(value: object) -> str:
    """Text of one cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [" | ".join(map(cell, row)) for row in rows]
    return "\n".join(f"| {line} |" for line in (" | ".join(heads), " | ".join("---" for _ in heads), *lines))


def code(text: object) -> str:
    return f"`{text}`"


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


# Commands


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


# Settings, bounds, errors

SETTINGS = {
    "id": "Short id, unique in the network: letters, digits, dots, dashes. The keys are made for it.",
    "name": "The organisation's name.",
    "role": "`fiu`, `supervisor`, `lea`, `vasp` or `bank`: decides which acts and gateways it has.",
    "jurisdictions": "ISO 3166-1 alpha-2; the first is its home, whose law and FIU it answers to.",
    "lei": "Legal entity identifier, if it has one.",
    "bic": "BIC, if it has one.",
    "host": "Address both servers listen on; part of the peer URL in the directory.",
    "peer_port": "Peers: mutual TLS 1.3, members' certificates only.",
    "operator_port": "Pages and `/api`: plain HTTP with a token. Keep it on loopback, or behind a TLS proxy.",
    "database": "SQLAlchemy URL, such as `postgresql+psycopg://…`; empty: SQLite in the home.",
    "reference": "Asset that the ledger's values are in. Fixed once the ledger exists.",
    "local_currency": "ISO 4217 currency of reports.",
    "rates": "`CUR=VALUE` of one unit in the reference asset; thresholds and reports are computed with them.",
    "rates_from": "Source and date of the rates, in words.",
    "officer_first_name": "Who answers for reports.",
    "officer_last_name": "Who answers for reports.",
    "officer_phone": "In reports.",
    "officer_email": "In reports.",
    "report": "`FORMAT.NAME=VALUE`: options of report formats ([reports](reports.md)).",
}
VARIABLES = (
    ("COMITY_HOME", "The node's home, for every command with `--home`."),
    ("COMITY_SCHEMAS", "Directory of the authorities' XSDs, for `comity report check`."),
    ("COMITY_DATA", "Directory of the real files that tests marked `data` read. Tests only."),
)


def bounds() -> list[tuple[str, str, str]]:
    """What is fixed in the code and worth knowing: bound, value, where."""
    from comity.app.web import session
    from comity.commons import commons
    from comity.cooperation import match
    from comity.exchange import envelope, keys
    from comity.node import finding_together, hops, node, sending

    return [
        ("keys in one match offer", f"{match.MAX_KEYS:,}", "cooperation/match.py"),
        ("smallest size shown in a match", f"{match.SMALLEST}", "cooperation/match.py"),
        (
            "elements a peer may offer, per kind of identifier and UTC day",
            f"{finding_together.DAILY_BUDGET:,}",
            "node/finding_together.py",
        ),
        ("sealed message", f"{envelope.MAX_ENVELOPE:,} bytes", "exchange/envelope.py"),
        ("commons bundle", f"{commons.MAX_BUNDLE:,} bytes", "commons/commons.py"),
        ("a message expires after", f"{sending.LIFETIME.days} days", "node/sending.py"),
        ("an entry in the directory is valid for", f"{node.VALIDITY.days} days", "node/node.py"),
        ("keys and TLS certificate are valid for", f"{keys.LIFETIME.days} days", "exchange/keys.py"),
        ("a sign-in lasts", f"{session.LIFETIME.seconds // 3600} hours", "app/web/session.py"),
        (
            "wrong tokens from one address",
            f"{session.MAX_FAILURES} in {session.WINDOW.seconds // 60} minutes",
            "app/web/session.py",
        ),
        ("findings in a new case", f"{hops.MOST_FINDINGS:,}", "node/hops.py"),
        ("transfers attached to a case", f"{hops.MOST_EVIDENCE:,}", "node/hops.py"),
    ]


def settings() -> str:
    from comity.node.settings import Settings

    rows = []
    for item in dataclasses.fields(Settings):
        if item.name == "home":
            continue
        default = "required" if item.default is dataclasses.MISSING else code(_toml(item.default))
        rows.append((code(item.name), default, SETTINGS[item.name]))
    return "\n\n".join(
        (
            "# Settings",
            (
                "One file, `node.toml` in the node's home, written by `comity node init`. An unknown "
                "setting is refused. A running node reads it when it starts."
            ),
            table(("setting", "default", "what"), rows),
            "## Environment",
            table(("variable", "what"), [(code(name), said) for name, said in VARIABLES]),
            "## Bounds",
            "Not settings: changing one is a change of the code.",
            table(("bound", "value", "where"), bounds()),
        )
    )


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def errors() -> str:
    from comity import errors as tree
    from comity.app.api import operator, peers

    def status(kind: type[Exception], codes: Iterable[tuple[type[Exception], int]], other: int) -> int:
        return next((number for each, number in codes if issubclass(kind, each)), other)

    kinds = [
        kind
        for _, kind in vars(tree).items()
        if inspect.isclass(kind) and issubclass(kind, tree.ComityError) and kind is not tree.ComityError
    ]
    rows = [
        (
            code(kind.__name__),
            code(kind.__bases__[0].__name__),
            first_line(kind),
            kind.exit_code,
            status(kind, operator.STATUS, 500),
            status(kind, peers.STATUS.items(), 503),
        )
        for kind in kinds
    ]
    return "\n\n".join(
        (
            "# Errors",
            (
                "Every error says what happened, why, and what to do next; none carries a secret. With "
                "`--json`, and from `/api`, it is `{error, what, why, remedy}`. A peer is told the kind "
                "only."
            ),
            table(("error", "kind of", "when", "exit", "`/api`", "peer"), rows),
            (
                "Anything else is a fault of Comity's: exit 1. A request to `/api` that does not fit its "
                "schema is answered 422. A peer's 400, 403, 413 and 422 are final; the relay tries again "
                "after any other."
            ),
        )
    )


# Seams


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
            f"Flag {spec.flag}. Sees {'one account' if spec.shape == 'account' else 'one time window'} at a "
            f"time. Joint: {joint or 'no'}. Source: {spec.source}.\n\n"
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


# Law


def law() -> str:
    from comity.standard.load import load
    from comity.standard.resolve import shown

    standard = load()
    questions = standard.vocabulary.questions
    parts = [
        "# The law as it ships",
        (
            "Every provision of every law file. Not legal advice. Whatever is not **high** is marked ⚠: "
            "check its source before relying on it. `SOURCED` was seen, `FROM-MEMORY` recalled. *until* "
            "is the first day on which a provision no longer applies. Where a country is silent the law "
            "it extends applies; what only FATF asks is recommended, never required."
        ),
        table(
            ("code", "name", "extends", "kind", "provisions", "⚠ below high"),
            [
                (
                    code(name),
                    one.name,
                    one.extends and code(one.extends),
                    one.kind,
                    sum(len(found) for found in standard.provisions[name].values()),
                    sum(
                        p.confidence != "high" for found in standard.provisions[name].values() for p in found
                    ),
                )
                for name, one in standard.jurisdictions.items()
            ],
        ),
        "## Questions",
        table(
            ("question", "asks", "type", "stricter"),
            [(code(q.name), q.ask, q.type, q.stricter) for q in questions.values()],
        ),
    ]
    for name, one in standard.jurisdictions.items():
        rows = [
            _provision(p, "none" if p.value is False and questions[p.question].type != "bool" else shown(p))
            for question in questions
            for p in standard.provisions[name].get(question, ())
        ]
        heads = ("question", "answer", "when", "from – until", "confidence", "source", "reviewed")
        parts += [f"## {name}: {one.name}", table(heads, rows)]
    return "\n\n".join(parts)


def _provision(p: Any, answer: str) -> tuple[object, ...]:
    extra = "".join(
        f" *{label}: {text}*" for label, text in (("Departs", p.departs), ("Note", p.note)) if text
    )
    limits = getattr(p.value, "limits", "")
    mark = "high" if p.confidence == "high" else f"⚠ {p.confidence.value}"
    span = f"{p.from_ or '?'} – {p.until or ''}" if p.from_ or p.until else ""
    return (
        code(p.question),
        answer + (f"; {limits}" if limits else "") + extra,
        ", ".join(f"{fact}: {value}" for fact, value in p.when),
        span,
        f"{mark}, {p.basis.value}",
        p.source,
        p.reviewed or "",
    )


# Messages and APIs


def message_schemas() -> dict[str, Any]:
    """JSON Schema of every body; what the kind must contain may not be empty."""
    from pydantic import TypeAdapter

    from comity.exchange.bodies import SCHEMAS

    bodies = list(dict.fromkeys(SCHEMAS.values()))
    refs, schema = TypeAdapter.json_schemas(
        [(body.__name__, "validation", TypeAdapter(body)) for body in bodies]
    )
    for body in bodies:
        own = schema["$defs"][body.__name__]
        own["additionalProperties"] = False
        own["required"] = sorted({*own.get("required", ()), *body.MUST})
        for name in body.MUST:
            kind = own["properties"][name].get("type")
            own["properties"][name]["minItems" if kind == "array" else "minLength"] = 1
    kinds = {kind.value: refs[body.__name__, "validation"] for kind, body in SCHEMAS.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "kinds": kinds, **schema}


def messages() -> str:
    from comity.exchange.bodies import SCHEMAS

    parts = [
        "# Messages",
        (
            "What each kind of message says. Mandatory content is checked before sealing and after "
            "opening; a field that the kind does not have is refused. The machine's form, JSON Schema: "
            "[messages.json](messages.json)."
        ),
        table(
            ("kind", "body", "must contain"),
            [(code(k.value), b.__name__, ", ".join(map(code, b.MUST))) for k, b in SCHEMAS.items()],
        ),
    ]
    for body in dict.fromkeys(SCHEMAS.values()):
        rows = []
        for item in dataclasses.fields(body):
            must = "yes" if item.name in body.MUST or item.default is dataclasses.MISSING else ""
            rows.append((code(item.name), code(item.type), must))
        parts.append(
            f"## {body.__name__}\n\n{first_line(body).replace('``', '`')}\n\n"
            + table(("field", "type", "mandatory"), rows)
        )
    return "\n\n".join(parts)


def apis() -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]:
    """OpenAPI of the operators' and the peers' face, and the pages as (method, path)."""
    from starlette.routing import Mount

    from comity.app.api.operator import operator_app
    from comity.app.api.peers import peer_app
    from comity.app.web import actions, pages
    from comity.node.node import Node
    from comity.node.settings import Settings

    with tempfile.TemporaryDirectory() as home:
        node = Node.create(Settings(Path(home) / "node", "xx-fiu", "Example FIU", "fiu", ("XX",)))
        served = operator_app(node)
        peer = peer_app(node).openapi()
        node.close()
    operator = next(r.app for r in served.routes if isinstance(r, Mount) and r.path == "/api").openapi()
    operator["servers"] = [{"url": "/api"}]
    operator["components"]["securitySchemes"] = {"operator": {"type": "http", "scheme": "bearer"}}
    operator["security"] = [{"operator": []}]
    shown = [
        (method, route.path)
        for router in (pages.router, actions.router)
        for route in router.routes
        for method in sorted(route.methods)
    ]
    return operator, peer, shown


def api(operator: dict[str, Any], peer: dict[str, Any], shown: Iterable[tuple[str, str]]) -> str:
    def rows(described: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
        return [
            (code(f"{method.upper()} {prefix}{path}"), said.get("description") or said.get("summary", ""))
            for path, methods in described["paths"].items()
            for method, said in methods.items()
        ]

    return "\n\n".join(
        (
            "# APIs",
            (
                "OpenAPI 3.1: [operators](api-operator.json), [peers](api-peers.json). Answers are the "
                "nouns of `comity.model` as JSON: amounts are text, times ISO 8601 in UTC."
            ),
            "## Operators",
            "At the operator port, with `Authorization: Bearer TOKEN` (the file `keys/operator.token`).",
            table(("call", "what"), rows(operator, "/api")),
            (
                '```\ncurl -s -H "Authorization: Bearer $(cat $COMITY_HOME/keys/operator.token)" '
                "http://127.0.0.1:8080/api/status\n```"
            ),
            "## Peers",
            "At the peer port, over TLS 1.3 with the certificate that the directory lists for the caller.",
            table(("call", "what"), rows(peer, "")),
            "## Pages",
            "For people, at the operator port, after signing in with the token.",
            table(("call",), [(code(f"{method} {path}"),) for method, path in shown]),
        )
    )


def write() -> dict[str, str]:
    """Every file of the reference by name."""
    operator, peer, shown = apis()
    written = {
        "cli.md": cli(),
        "settings.md": settings(),
        "errors.md": errors(),
        "typologies.md": typologies(),
        "lists.md": lists(),
        "chains.md": chains(),
        "reports.md": reports(),
        "law.md": law(),
        "messages.md": messages(),
        "api.md": api(operator, peer, shown),
    }
    files = {name: f"{NOTE}{text}\n" for name, text in written.items()}
    for name, plain in (
        ("messages.json", message_schemas()),
        ("api-operator.json", operator),
        ("api-peers.json", peer),
    ):
        files[name] = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    return files


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in write().items():
        (FOLDER / name).write_text(text, "utf-8")

"""Messages between nodes, and the two APIs."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docs.generate._markdown import code, first_line, table


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

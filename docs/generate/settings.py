"""Settings, environment, bounds and errors."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable

from docs.generate._markdown import code, first_line, table

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
    "rates": (
        "`CUR=VALUE` of one unit in the reference asset; thresholds and reports are computed with them. "
        "A threshold in a currency without one is judged at a rough rate, and the duty says so."
    ),
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

"""A trace as files for other tools: GraphML (networkx, Gephi, yEd) and CSV (spreadsheets)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from xml.sax.saxutils import escape

from comity.model import AccountId, AssetId
from comity.tracing.trace import Direction, Trace

_XMLNS = "http://graphml.graphdrawing.org/xmlns"
# The attributes and their types, by what they are of.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "graph": {
        "title": "string",
        "start": "string",
        "direction": "string",
        "method": "string",
        "value": "string",
        "unit": "string",
    },
    "node": {
        "account": "string",
        "label": "string",
        "kind": "string",
        "hop": "int",
        "received": "double",
        "sent": "double",
        "ends": "double",
        "reasons": "string",
    },
    "edge": {
        "transfer": "string",
        "time": "string",
        "value": "double",
        "weight": "double",
        "exact": "string",
        "hop": "int",
        "estimated": "boolean",
        "inferred": "boolean",
        "reason": "string",
        "tainted": "double",
    },
}
COLUMNS = (
    "time",
    "transfer",
    "source",
    "source_label",
    "target",
    "target_label",
    "value",
    "unit",
    "hop",
    "method",
    "tainted",
    "estimated",
    "inferred",
    "ends_there",
)
# What makes a spreadsheet take a text for a formula, in its wide forms too.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def to_graphml(found: Trace, labels: Mapping[str, str], title: str = "") -> bytes:
    """The trace as a directed graph: an account or transaction a node, a step an edge.

    Valid under the GraphML schema. A value is there twice: as a double, which tools can compute with, and
    exactly, as text. What is no character of XML is left out.
    """
    number = {account: f"n{place}" for place, account in enumerate(_accounts(found))}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<graphml xmlns="{_XMLNS}">']
    for of, keys in _KEYS.items():
        for name, kind in keys.items():
            lines.append(f'<key id="{of}-{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>')
    lines.append('<graph id="trace" edgedefault="directed">')
    whole = {
        "title": title,
        "start": found.start,
        "direction": found.direction.value,
        "method": found.method.value,
        "value": _exact(found.value),
        "unit": AssetId(found.reference).symbol,
    }
    lines += _data("graph", whole)
    for account, said in _nodes(found, labels):
        lines += [f'<node id="{number[account]}">', *_data("node", said), "</node>"]
    for place, step in enumerate(found.steps):
        said = {
            "transfer": step.transfer,
            "time": step.time.isoformat(),
            "value": float(step.value),
            "weight": float(step.value),
            "exact": _exact(step.value),
            "hop": step.hop,
            "estimated": step.estimated,
            "inferred": step.inferred,
            "reason": step.reason,
            "tainted": "" if step.tainted is None else float(step.tainted),
        }
        ends = f'source="{number[step.source]}" target="{number[step.target]}"'
        lines += [f'<edge id="e{place}" {ends}>', *_data("edge", said), "</edge>"]
    return "\n".join([*lines, "</graph>", "</graphml>", ""]).encode()


def _accounts(found: Trace) -> dict[str, None]:
    """Every account and transaction of a trace, in order of appearance."""
    ends = (account for step in found.steps for account in (step.source, step.target))
    return dict.fromkeys([found.start, *ends, *(leaf.account for leaf in found.leaves)])


def _nodes(found: Trace, labels: Mapping[str, str]) -> Iterator[tuple[str, dict[str, object]]]:
    received: dict[str, Decimal] = defaultdict(Decimal)
    sent: dict[str, Decimal] = defaultdict(Decimal)
    hops: dict[str, int] = {found.start: 0}
    forward = found.direction is Direction.FORWARD
    for step in found.steps:
        sent[step.source] += step.value
        received[step.target] += step.value
        far = step.target if forward else step.source
        hops[far] = min(hops.get(far, step.hop), step.hop)
    ends: dict[str, Decimal] = defaultdict(Decimal)
    reasons: dict[str, list[str]] = defaultdict(list)
    for leaf in found.leaves:
        ends[leaf.account] += leaf.value
        reasons[leaf.account].append(leaf.reason.value)
        hops.setdefault(leaf.account, leaf.hop)
    for account in _accounts(found):
        kind = "transaction" if AccountId(account).is_hub else "account"
        yield (
            account,
            {
                "account": account,
                "label": labels.get(account, AccountId(account).address),
                "kind": "start" if account == found.start else kind,
                "hop": hops[account],
                "received": float(received[account]),
                "sent": float(sent[account]),
                "ends": float(ends[account]),
                "reasons": "; ".join(reasons[account]),
            },
        )


def _data(of: str, said: Mapping[str, object]) -> Iterator[str]:
    for name, value in said.items():
        if value != "":
            yield f'<data key="{of}-{name}">{_xml(value)}</data>'


def _xml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    # Cc: control characters but for tab and line ends; Cs: halves of pairs; and two that are none at all.
    kept = (c for c in text if c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cs"))
    return escape("".join(c for c in kept if c not in "\ufffe\uffff"))


def to_csv(found: Trace, labels: Mapping[str, str]) -> bytes:
    """The steps, one a row, in order of time, in UTF-8 with a byte-order mark, as spreadsheets want it.

    A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line end, also
    after blanks) gets ' before it: it is shown as it stands, and nothing is run. Values are plain numbers.
    """
    forward, unit = found.direction is Direction.FORWARD, AssetId(found.reference).symbol
    ends: dict[str, list[str]] = defaultdict(list)
    for leaf in found.leaves:
        ends[leaf.account].append(leaf.reason.value)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for step in found.steps:
        far = step.target if forward else step.source
        texts = (
            step.transfer,
            step.source,
            labels.get(step.source, ""),
            step.target,
            labels.get(step.target, ""),
        )
        row = [step.time.isoformat(), *map(tame, texts), _exact(step.value), tame(unit), step.hop]
        tainted = "" if step.tainted is None else _exact(step.tainted)
        marks = ["yes" if mark else "no" for mark in (step.estimated, step.inferred)]
        writer.writerow([*row, found.method.value, tainted, *marks, "; ".join(ends[far])])
    return out.getvalue().encode("utf-8-sig")


def tame(text: str) -> str:
    """The text, with ' before it where a spreadsheet would run it."""
    risky = text[:1] in _FORMULA or text.lstrip()[:1] in _FORMULA
    return f"'{text}" if text and risky else text


def _exact(value: Decimal) -> str:
    """A value without exponent."""
    return f"{value:f}"

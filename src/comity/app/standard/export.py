"""Rows for spreadsheets and machines: five kinds, each with source, confidence and basis of what it says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from comity.app.standard.adopt import adoption
from comity.app.standard.matrix import THE_STANDARD, UNCOMPARED, matrix
from comity.app.standard.standing import NOT_ADVICE, edition
from comity.errors import BadInput
from comity.model import Provision
from comity.standard.changes import changes
from comity.standard.compare import gaps
from comity.standard.corridors import corridors
from comity.standard.law import STANDARD, Standard
from comity.standard.resolve import shown

FORMATS = ("csv", "json")
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
AROUND = 5
"""Years before and after the day that changes are looked for in, unless said otherwise."""

Field = str | int | float
Row = dict[str, Field]

# What makes a spreadsheet take a text for a formula, in its wide forms too.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Ask:
    """What an export is about. ``country``: one jurisdiction, '' all. ``since`` and ``until``: for changes.
    ``flows``: what moves between countries, for corridors."""

    kind: str
    on: date
    country: str = ""
    since: date | None = None
    until: date | None = None
    flows: Mapping[tuple[str, str], float] | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """A file: its name, its media type, its bytes."""

    name: str
    media_type: str
    data: bytes


def export(standard: Standard, ask: Ask, form: str) -> Export:
    """One kind of rows as a file. Raises BadInput for a kind or form there is none of, and NotFound."""
    made = KINDS.get(ask.kind)
    if made is None:
        raise BadInput(f"no export {ask.kind!r}", remedy=f"choose one of: {', '.join(KINDS)}")
    if form not in FORMATS:
        raise BadInput(f"no format {form!r}", remedy=f"choose one of: {', '.join(FORMATS)}")
    if ask.country:
        standard.jurisdiction(ask.country)
    found = list(made(standard, ask))
    parts = ["comity", ask.kind, ask.country.lower(), str(ask.on)]
    name = "-".join(part for part in parts if part) + f".{form}"
    data = to_csv(found) if form == "csv" else to_json(standard, ask, found)
    return Export(name, MEDIA[form], data)


def to_csv(rows: Iterable[Row]) -> bytes:
    """UTF-8 with a byte-order mark, as spreadsheets want it; no text in it is taken for a formula."""
    found = list(rows)
    out = io.StringIO()
    if found:
        writer = csv.DictWriter(out, list(found[0]))
        writer.writeheader()
        writer.writerows({name: tame(value) for name, value in row.items()} for row in found)
    return out.getvalue().encode("utf-8-sig")


def tame(value: Field) -> Field:
    """A text that a spreadsheet would run gets ' before it; numbers stay what they are."""
    if isinstance(value, str) and (value[:1] in _FORMULA or value.lstrip()[:1] in _FORMULA) and value:
        return f"'{value}"
    return value


def to_json(standard: Standard, ask: Ask, rows: list[Row]) -> bytes:
    """The rows with what they are, when, of which edition."""
    whole = {
        "kind": ask.kind,
        "on": str(ask.on),
        "country": ask.country.lower(),
        "edition": edition(standard),
        "notice": f"{NOT_ADVICE} Check what is of less than high confidence before relying on it.",
        "rows": rows,
    }
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


# One function a kind


def _wanted(standard: Standard, ask: Ask) -> list[str]:
    if ask.country:
        return [standard.jurisdiction(ask.country).id]
    return list(standard.jurisdictions)


def _matrix(standard: Standard, ask: Ask) -> Iterable[Row]:
    found = matrix(standard, ask.on)
    wanted = _wanted(standard, ask)
    for (country, question), cell in found.cells.items():
        if country in wanted:
            relation = cell.relation if cell.relation not in (THE_STANDARD, UNCOMPARED) else ""
            yield {
                "on": str(ask.on),
                "jurisdiction": country,
                "name": found.countries[country],
                "question": question,
                "asks": found.questions[question],
                "place": relation,
                **_law("", cell.provision),
                "other_answers": cell.others,
                "place_confidence": cell.confidence.value,
            }


def _provisions(standard: Standard, ask: Ask) -> Iterable[Row]:
    for name in _wanted(standard, ask):
        for question, law in standard.provisions[name].items():
            for each in law:
                valid = each.holds(ask.on)
                yield {
                    "jurisdiction": name,
                    "name": standard.jurisdictions[name].name,
                    "question": question,
                    "asks": standard.vocabulary.question(question).ask,
                    **_law("", each),
                    "until": str(each.until or ""),
                    f"in_force_{ask.on}": "yes" if valid else "no",
                    "reviewed": str(each.reviewed or ""),
                    "departs": each.departs,
                    "note": each.note,
                }


def _gaps(standard: Standard, ask: Ask) -> Iterable[Row]:
    for name in _wanted(standard, ask):
        if standard.jurisdictions[name].kind == STANDARD:
            continue
        for gap in gaps(standard, name, ask.on):
            text = adoption(standard, gap, ask.on)
            yield {
                "on": str(ask.on),
                "jurisdiction": name,
                "name": standard.jurisdictions[name].name,
                "question": gap.question,
                "asks": standard.vocabulary.question(gap.question).ask,
                "facts": _facts(gap.facts),
                "place": gap.place.value,
                "weakness": round(gap.weakness, 4),
                "confidence_of_gap": gap.confidence.value,
                **_law("", gap.ours),
                **_law("standard_", gap.standards),
                "why": gap.why,
                "clause": text.clause,
                "yaml": text.yaml,
            }


def _corridors(standard: Standard, ask: Ask) -> Iterable[Row]:
    country = ask.country.lower()
    if country and country not in standard.states():
        raise BadInput(
            f"{country} is no country, so no corridor begins or ends there", remedy="name a country"
        )
    for each in corridors(standard, ask.on, ask.flows):
        if country in ("", each.origin, each.destination):
            weakest = each.weakest
            yield {
                "on": str(ask.on),
                "origin": each.origin,
                "destination": each.destination,
                "score": round(each.score, 4),
                "mean": round(each.mean, 4),
                "volume": round(each.volume, 2),
                "exposure": round(each.exposure, 2),
                "unknown": each.unknown,
                "corridor_confidence": each.confidence.value,
                "weakest_jurisdiction": weakest.jurisdiction if weakest else "",
                "weakest_question": weakest.question if weakest else "",
                "weakest_place": weakest.place.value if weakest else "",
                **_law("", weakest.ours if weakest else None),
                **_law("standard_", weakest.standards if weakest else None),
                "why": each.why[0],
            }


def _changes(standard: Standard, ask: Ask) -> Iterable[Row]:
    since, until = span(ask.on, ask.since, ask.until)
    for each in changes(standard, since, until, ask.country):
        yield {
            "date": str(each.on),
            "jurisdiction": each.jurisdiction,
            "name": standard.jurisdictions[each.jurisdiction].name,
            "question": each.question,
            "asks": standard.vocabulary.question(each.question).ask,
            "facts": _facts(each.facts),
            "direction": each.place.value,
            "change_confidence": each.confidence.value,
            **_law("before_", each.before),
            **_law("after_", each.after),
            "why": each.why,
        }


KINDS: Mapping[str, Callable[[Standard, Ask], Iterable[Row]]] = {
    "matrix": _matrix,
    "provisions": _provisions,
    "gaps": _gaps,
    "corridors": _corridors,
    "changes": _changes,
}


def span(on: date, since: date | None, until: date | None) -> tuple[date, date]:
    """The days between which changes are looked for: five years either way, unless said otherwise."""
    return (
        since or date(max(on.year - AROUND, 1), 1, 1),
        until or date(min(on.year + AROUND, date.max.year), 12, 31),
    )


def _law(prefix: str, provision: Provision | None) -> Row:
    """What a provision says and how sure that is; the same columns, empty, where there is none."""
    found: Row = {
        "answer": shown(provision) if provision else "",
        "law": provision.jurisdiction if provision else "",
        "when": _facts(provision.when) if provision else "",
        "from": str(provision.from_ or "") if provision else "",
        "source": provision.source if provision else "",
        "confidence": provision.confidence.value if provision else "",
        "basis": provision.basis.value if provision else "",
    }
    return {f"{prefix}{name}": value for name, value in found.items()}


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in facts)

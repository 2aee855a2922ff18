"""``comity standard``: law as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, Limit, OnDate, day, emit, facts, table

if TYPE_CHECKING:
    from comity.standard.law import Standard
    from comity.standard.resolve import Resolution

app = typer.Typer(help="One standard: FATF and national law as dated, cited data.", no_args_is_help=True)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the jurisdictions, with how many provisions each has of its own.

    Example: comity standard list
    """
    from comity.standard.load import load

    law = load()
    found = [
        {"jurisdiction": code, "name": one.name, "extends": one.extends, "provisions": _count(law, code)}
        for code, one in law.jurisdictions.items()
    ]
    rows = [tuple(one.values()) for one in found]
    emit(as_json, found, table("Jurisdictions", ("code", "name", "extends", "provisions"), rows))


def _count(law: Standard, code: str) -> int:
    return sum(len(found) for found in law.provisions.get(code, {}).values())


@app.command()
def show(
    jurisdiction: Annotated[str, typer.Argument(help="A jurisdiction such as sg or de.")],
    question: Annotated[
        str, typer.Argument(help="A question such as travel_rule.threshold; none: all.")
    ] = "",
    on: OnDate = "",
    as_json: Json = False,
) -> None:
    """Show a country's answers on a day, each with source, confidence and why it holds.

    Example: comity standard show sg travel_rule.threshold --on 2026-01-01
    """
    from comity.standard.load import load
    from comity.standard.resolve import resolve

    law = load()
    questions = [question] if question else list(law.vocabulary.questions)
    found = [resolve(law, jurisdiction.lower(), each, day(on)) for each in questions]
    answers = [_answer(name, one) for name, one in zip(questions, found, strict=True)]
    if question:
        one = answers[0]
        said = [(name, _word(value)) for name, value in one.items() if name != "explanation"]
        said += [("why", line) for line in found[0].explanation]
        emit(as_json, one, facts(f"{jurisdiction.upper()}: {question}", said))
        return
    rows = [
        (a["question"], _word(a["value"]), a["confidence"], a["jurisdiction"], a["source"]) for a in answers
    ]
    emit(
        as_json,
        {"jurisdiction": jurisdiction, "on": day(on).isoformat(), "answers": answers},
        table(
            f"The law of {jurisdiction.upper()}", ("question", "answer", "confidence", "law", "source"), rows
        ),
    )


def _answer(question: str, one: Resolution) -> dict[str, object]:
    provision = one.provision
    return {
        "question": question,
        "value": "silent" if provision is None else "unknown" if one.unknown else str(provision.value),
        "source": provision.source if provision else "",
        "jurisdiction": provision.jurisdiction if provision else "",
        "confidence": provision.confidence.value if provision else "unknown",
        "basis": provision.basis.value if provision else "UNKNOWN",
        "explanation": list(one.explanation),
    }


def _word(value: object) -> object:
    """An answer as people read it: a power there is not is *none*, as in the explanation."""
    return {"True": "yes", "False": "none"}.get(str(value), value)


@app.command()
def corridors(
    on: OnDate = "",
    ledger: Annotated[Path | None, typer.Option(help="Weight by the volume this ledger moves.")] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Rank ordered pairs of countries by the weakest duty on the route: where arbitrage lives.

    Example: comity standard corridors --on 2026-11-01
    """
    from comity.standard.corridors import corridors as rank
    from comity.standard.load import load

    volumes = None
    if ledger:
        from comity.ledger.store import Ledger

        pairs = Ledger.open(ledger).volume_by_country_pair()
        volumes = {(origin, target): float(value) for origin, target, _, value in pairs}
    found = rank(load(), day(on), volumes)
    rows = [
        (c.origin.upper(), c.destination.upper(), f"{c.score:.2f}", c.why[0] if c.why else "")
        for c in found[:limit]
    ]
    emit(as_json, found, table("Corridors, the weakest first", ("from", "to", "score", "why"), rows))


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A jurisdiction file.")], as_json: Json = False) -> None:
    """Check a jurisdiction file together with those that ship, and run its cases.

    Example: comity standard check fr.yaml
    """
    from comity.errors import BadInput, LawFileError
    from comity.standard.cases import run
    from comity.standard.coverage import missing
    from comity.standard.load import load_with

    if not file.is_file():
        raise BadInput(f"no file {file}", remedy="check the path")
    law = load_with(file)
    failed = run(law, file.stem)
    if failed:
        raise LawFileError(
            failed[0],
            why=f"{len(failed)} of what its cases say does not follow from its provisions",
            remedy="correct the case or the provision; all: " + " ".join(failed[1:])
            if failed[1:]
            else "correct one",
        )
    owed = missing(law, file.stem)
    count, cases = _count(law, file.stem), len(law.jurisdictions[file.stem].cases)
    answer = {"file": file.name, "valid": True, "provisions": count, "cases": cases, "missing": list(owed)}
    said = [("provisions", count), ("cases", cases), ("complete", "no" if owed else "yes")]
    emit(as_json, answer, facts(file.name, said + [("missing", line) for line in owed]))

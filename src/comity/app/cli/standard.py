"""``comity standard``: law as data."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from comity.app.cli import compare, duties, standard_export
from comity.app.cli._common import Json, OnDate, day, emit, facts, table

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
        said = [(name, value) for name, value in one.items() if name != "explanation"]
        said += [("why", line) for line in found[0].explanation]
        emit(as_json, one, facts(f"{jurisdiction.upper()}: {question}", said))
        return
    rows = [(a["question"], a["value"], a["confidence"], a["jurisdiction"], a["source"]) for a in answers]
    heads = ("question", "answer", "confidence", "law", "source")
    emit(
        as_json,
        {"jurisdiction": jurisdiction, "on": day(on).isoformat(), "answers": answers},
        table(f"The law of {jurisdiction.upper()}", heads, rows, whole=(heads[0], *heads[2:4])),
    )


def _answer(question: str, one: Resolution) -> dict[str, object]:
    from comity.standard.resolve import shown

    provision = one.provision
    return {
        "question": question,
        "value": shown(provision) if provision else "silent",
        "source": provision.source if provision else "",
        "jurisdiction": provision.jurisdiction if provision else "",
        "confidence": provision.confidence.value if provision else "unknown",
        "basis": provision.basis.value if provision else "UNKNOWN",
        "explanation": list(one.explanation),
    }


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A jurisdiction file.")],
    on: OnDate = "",
    as_json: Json = False,
) -> None:
    """Check a jurisdiction file with the law it extends, run its cases, and say what it still owes.

    Example: comity standard check fr.yaml
    """
    from comity.errors import BadInput, LawFileError
    from comity.standard.cases import run
    from comity.standard.compare import gaps
    from comity.standard.coverage import missing
    from comity.standard.load import load_with

    if not file.is_file():
        raise BadInput(f"no file {file}", remedy="check the path")
    law, name = load_with(file), file.stem
    failed = run(law, name)
    if failed:
        raise LawFileError(
            "\n".join(failed),
            why="what these cases say does not follow from the provisions",
            remedy="correct the case or the provision, whichever the law contradicts",
        )
    owed, today = missing(law, name), day(on)
    every = [each for group in law.provisions[name].values() for each in group]
    open_ = gaps(law, name, today) if name != law.root else ()
    force = sum(each.holds(today) for each in every)
    answer: dict[str, Any] = {
        "file": file.name,
        "valid": True,
        "provisions": len(every),
        "in_force": force,
        "on": today.isoformat(),
        "unknown": sum(each.value is None for each in every),
        "below_high": sum(each.confidence.value != "high" for each in every),
        "gaps": dict(Counter(gap.place.value for gap in open_)),
        "cases": len(law.jurisdictions[name].cases),
        "missing": list(owed),
    }
    said: list[tuple[str, object]] = [
        ("provisions", f"{len(every)}, {force} of them in force on {today}"),
        ("unknown", answer["unknown"]),
        ("below high confidence", answer["below_high"]),
        ("gaps to the standard", ", ".join(f"{n} {place}" for place, n in answer["gaps"].items()) or "none"),
        ("cases, all hold", answer["cases"]),
        ("complete", not owed),
        *(("missing", line) for line in owed),
    ]
    emit(as_json, answer, facts(file.name, said))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a law file, for an editor that checks while you write.

    Example: comity standard schema > law.schema.json
    """
    import json
    import sys

    from comity.standard import vocabulary
    from comity.standard.schema import schema as made

    sys.stdout.write(json.dumps(made(vocabulary.installed()), indent=1, ensure_ascii=False) + "\n")


compare.register(app)
duties.register(app)
standard_export.register(app)

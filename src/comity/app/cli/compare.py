"""``comity standard gaps|compare|corridors|changes|what-if``: laws beside the standard and each other."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from comity.app.cli._common import Json, Limit, OnDate, day, emit, facts, pairs, table

if TYPE_CHECKING:
    from comity.model import Confidence, Provision
    from comity.standard.compare import Gap

Weights = Annotated[Path | None, typer.Option("--ledger", help="Weigh by the value this ledger moves.")]
Country = Annotated[str, typer.Argument(help="A jurisdiction such as sg; none: all of them.")]

_ENOUGH = 0.8  # less of the standard than this known: the share says little, read the range
_MARKS = {"high": "", "med": "◐ med", "low": "▲ low", "unknown": "? unknown"}


def register(app: typer.Typer) -> None:
    """Add the commands to ``comity standard``."""
    for name, command in (
        ("gaps", gaps),
        ("compare", compare),
        ("corridors", corridors),
        ("changes", changes),
        ("what-if", what_if),
    ):
        app.command(name)(command)


def gaps(
    jurisdiction: Country = "",
    on: OnDate = "",
    limit: Limit = 60,
    as_json: Json = False,
) -> None:
    """Show where a law falls short of FATF's standard, the widest gap first; or rank all countries.

    A country's share is taken over what is known of it; the range counts what is not known as none, and
    as all, of the standard.

    Example: comity standard gaps us --on 2026-11-01
    """
    from comity.errors import BadInput
    from comity.standard.compare import gaps as find
    from comity.standard.compare import kept
    from comity.standard.load import load

    law, today = load(), day(on)
    if not jurisdiction:
        found = sorted((kept(law, name, today) for name in law.states()), key=lambda each: each.kept)
        rows = [
            (
                each.jurisdiction.upper(),
                law.jurisdictions[each.jurisdiction].name,
                f"{each.kept:.0%}" + ("" if each.known >= _ENOUGH else " of little"),
                f"{each.least:.0%} to {each.most:.0%}",
                f"{1 - each.known:.0%}",
            )
            for each in found[:limit]
        ]
        heads = ("", "country", "kept of what is known", "between", "not known")
        emit(
            as_json,
            found,
            table(f"The standard as kept on {today}", heads, rows, whole=heads[:1], total=len(found)),
        )
        return
    if law.jurisdiction(jurisdiction).id == law.root:
        raise BadInput("the standard has no gaps to itself", remedy="name a country, or none for all")
    open_ = find(law, jurisdiction, today)
    shown = [
        (f"{gap.weakness:.2f}", gap.place.value, mark(gap.confidence), f"{_asked(gap)}: {gap.why}")
        for gap in open_[:limit]
    ]
    title = f"{law.jurisdiction(jurisdiction).name} beside the standard on {today}"
    columns = ("width", "place", "sure", "what")
    emit(as_json, open_, table(title, columns, shown, whole=columns[:3], total=len(open_)))


def _asked(gap: Gap) -> str:
    when = ", ".join(f"{name} {value}" for name, value in gap.facts)
    return f"{gap.question} ({when})" if when else gap.question


def mark(confidence: Confidence) -> str:
    """How a confidence is shown beside what relies on it: nothing where it is high."""
    return _MARKS[confidence.value]


def compare(
    a: Annotated[str, typer.Argument(help="A jurisdiction such as sg.")],
    b: Annotated[str, typer.Argument(help="Another, or fatf.")],
    on: OnDate = "",
    as_json: Json = False,
) -> None:
    """Lay two laws side by side, question by question: the first is stricter, equal, weaker or silent.

    Example: comity standard compare us de --on 2026-11-01
    """
    from comity.standard.compare import beside
    from comity.standard.load import load

    law, today = load(), day(on)
    found = beside(law, a, b, today)
    rows = [
        (
            each.question + "".join(f", {name} {value}" for name, value in each.facts),
            each.place.value,
            _answer(each.ours),
            _answer(each.theirs),
            mark(each.confidence),
        )
        for each in found
    ]
    names = [law.jurisdiction(each).name for each in (a, b)]
    emit(
        as_json,
        found,
        table(f"{names[0]} beside {names[1]} on {today}", ("question", "place", *names, "confidence"), rows),
    )


def _answer(provision: Provision | None) -> str:
    from comity.standard.resolve import shown

    return shown(provision) if provision else "silent"


def corridors(on: OnDate = "", ledger: Weights = None, limit: Limit = 20, as_json: Json = False) -> None:
    """Rank ordered pairs of countries by the weakest duty on the route: where arbitrage lives.

    With a ledger, by what it moves along the route times how weak the route is.

    Example: comity standard corridors --on 2026-11-01
    """
    from comity.standard.corridors import corridors as rank
    from comity.standard.load import load

    found = rank(load(), day(on), volumes(ledger))
    weighed = ("value moved", "exposure") if ledger else ()
    rows = [
        (
            f"{c.origin.upper()} → {c.destination.upper()}",
            f"{c.score:.2f}",
            f"{c.mean:.2f}",
            *((f"{c.volume:,.0f}", f"{c.exposure:,.0f}") if ledger else ()),
            c.unknown,
            mark(c.confidence),
            c.why[0],
        )
        for c in found[:limit]
    ]
    heads = ("route", "weakest", "mean", *weighed, "?", "sure", "why")
    title = "Corridors, the weakest first (?: duties on the route whose law is not known)"
    emit(as_json, found, table(title, heads, rows, whole=heads[:-1], total=len(found)))


def volumes(ledger: Path | None) -> dict[tuple[str, str], float] | None:
    """What a ledger moves from country to country, in its reference asset. Raises NotFound, StoreError."""
    if ledger is None:
        return None
    from comity.ledger.store import Ledger

    moved = Ledger.open(ledger).volume_by_country_pair()
    return {(origin, target): float(value) for origin, target, _, value in moved}


def changes(
    jurisdiction: Country = "",
    since: Annotated[str, typer.Option(help="After this day. Default: a year before --on.")] = "",
    on: Annotated[str, typer.Option("--on", help="Up to and on this day. Default: today.")] = "",
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Show what changes in the law between two days, and whether it becomes stricter. Future law too.

    Example: comity standard changes de --since 2026-11-25 --on 2028-01-01
    """
    from comity.standard.changes import changes as find
    from comity.standard.load import load

    until = day(on)
    begin = day(since) if since else date(max(1, until.year - 1), until.month, min(until.day, 28))
    found = find(load(), begin, until, jurisdiction.lower())
    rows = [
        (str(each.on), each.jurisdiction.upper(), each.place.value, mark(each.confidence), each.why)
        for each in found[:limit]
    ]
    title = f"Changes of law after {begin} and up to {until}"
    heads = ("on", "law", "becomes", "sure", "what")
    emit(as_json, found, table(title, heads, rows, whole=heads[:-1], total=len(found)))


def what_if(
    jurisdiction: Annotated[str, typer.Argument(help="Who adopts it, such as us.")],
    question: Annotated[str, typer.Argument(help="A question such as travel_rule.threshold.")],
    value: Annotated[
        str, typer.Argument(help="The answer as a law file writes it. Default: the standard's own answer.")
    ] = "",
    when: Annotated[list[str] | None, typer.Option(help="FACT=VALUE for which it holds.")] = None,
    on: OnDate = "",
    ledger: Weights = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """Show how the corridors would change if a jurisdiction adopted one provision. Nothing is written.

    Example: comity standard what-if us travel_rule.threshold "{at_least: 1000, currency: USD}"
    """
    from comity.errors import BadInput
    from comity.standard.corridors import from_standard, proposal
    from comity.standard.corridors import what_if as weigh
    from comity.standard.load import load, read_answer

    law, today = load(), day(on)
    if when and not value:
        raise BadInput("--when without a value", remedy="give the answer that holds for these facts")
    if value:
        given = tuple(sorted(pairs(when, "--when").items()))
        adopted = proposal(law, jurisdiction, question, read_answer(law, question, value), today, given)
    else:
        adopted = from_standard(law, jurisdiction, question, today)
    found = weigh(law, adopted, today, volumes(ledger))
    rows = [
        (
            f"{each.origin.upper()} → {each.destination.upper()}",
            f"{each.before.score:.2f} → {each.after.score:.2f}",
            f"{each.before.mean:.3f} → {each.after.mean:.3f}",
            f"{each.before.exposure:,.0f} → {each.after.exposure:,.0f}" if ledger else "",
        )
        for each in found.moved[:limit]
    ]
    said: list[tuple[str, object]] = [
        ("adopts", "; ".join(_answer(each) for each in found.adopted)),
        (
            "instead of",
            "; ".join(f"{_answer(each)} ({each.source})" for each in found.displaced) or "silence",
        ),
        ("corridors that move", len(found.moved)),
        ("mean weakness of all", f"{found.mean_before:.4f} → {found.mean_after:.4f}"),
    ]
    if ledger:
        said.append(("exposure of all", f"{found.exposure_before:,.0f} → {found.exposure_after:,.0f}"))
    title = f"If {law.jurisdiction(jurisdiction).name} adopted {question} on {today}"
    head = facts(title, said)
    body = table(
        "Corridors that move", ("route", "weakest", "mean", "exposure"), rows, total=len(found.moved)
    )
    emit(as_json, found, lambda out: (head(out), body(out))[0])

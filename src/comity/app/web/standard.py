"""The standard, for a supervisor: matrix, map, changes, corridors, countries, reports and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from comity.app.standard import report as reports
from comity.app.standard import timeline, worldmap
from comity.app.standard.export import Ask, Export, export, span
from comity.app.standard.matrix import RELATIONS, answers, matrix
from comity.app.standard.standing import STEP_WORDS, edition, standing, standings
from comity.app.web.desk import Desk, Signed
from comity.app.web.pages import Offset, steps
from comity.standard.changes import changes
from comity.standard.corridors import Corridor, corridors
from comity.standard.law import STANDARD, STATE, Standard

TABS = {
    "/standard": "Matrix",
    "/standard/map": "Map",
    "/standard/changes": "Changes",
    "/standard/corridors": "Corridors",
    "/standard/countries": "Countries",
}
FIRST_TOPIC = "travel_rule"
TOP = 40
LISTED = 50
"""Corridors, and changes, on one page."""
# A mean of thirty duties is small where a weakest one is large: each has its own scale.
HEAT = {"mean": (0.05, 0.1, 0.15, 0.25), "score": (0.25, 0.5, 0.75, 1.0)}
HEAT_WORDS = {
    "mean": ("under 5", "5 to 9", "10 to 14", "15 to 24", "25 or more"),
    "score": ("under 25", "25 to 49", "50 to 74", "75 to 99", "100: nothing of a duty"),
}

router = APIRouter(prefix="/standard")

Day = Annotated[date | None, Query()]
Code = Annotated[str, Query(max_length=40)]


def _page(request: Request, here: Desk, template: str, on: date, **context: Any) -> HTMLResponse:
    """One page of this section: the tabs keep the day."""
    return here.page(
        request,
        template,
        on=on,
        tabs=TABS,
        edition=edition(here.view.law()),
        asks={name: question.ask for name, question in here.view.law().vocabulary.questions.items()},
        RELATIONS=RELATIONS,
        **context,
    )


def _day(here: Desk, on: date | None) -> date:
    return on or here.clock().date()


def _names(law: Standard) -> dict[str, str]:
    """Every jurisdiction's name, in the order of names."""
    ranked = sorted(law.jurisdictions.values(), key=lambda each: each.name)
    return {each.id: each.name for each in ranked}


@router.get("")
def table(request: Request, here: Signed, on: Day = None, topic: str = "") -> HTMLResponse:
    law, day = here.view.law(), _day(here, on)
    found = matrix(law, day)
    topics = list(dict.fromkeys(question.split(".", 1)[0] for question in found.questions))
    chosen = topic if topic == "all" or topic in topics else FIRST_TOPIC
    questions = {
        question: ask
        for question, ask in found.questions.items()
        if chosen in ("all", question.split(".", 1)[0])
    }
    return _page(
        request,
        here,
        "standard.html",
        day,
        matrix=found,
        questions=questions,
        topics=topics,
        topic=chosen,
        standing={each.jurisdiction: each for each in standings(law, day)},
    )


@router.get("/map")
def world(request: Request, here: Signed, on: Day = None) -> HTMLResponse:
    day = _day(here, on)
    found = standings(here.view.law(), day)
    picture = worldmap.draw(found, f"on {day}")
    lost = worldmap.unmapped(found)
    return _page(
        request, here, "standard_map.html", day, found=found, picture=picture, steps=STEP_WORDS, lost=lost
    )


@router.get("/map.svg")
def map_picture(here: Signed, on: Day = None) -> Response:
    day = _day(here, on)
    return _picture(worldmap.draw(standings(here.view.law(), day), f"on {day}"))


@router.get("/changes")
def history(
    request: Request,
    here: Signed,
    since: Day = None,
    until: Day = None,
    country: Code = "",
    offset: Offset = 0,
) -> HTMLResponse:
    law, today = here.view.law(), here.clock().date()
    begin, end = span(today, since, until)
    found = changes(law, begin, end, country)
    latest = found[::-1][offset : offset + LISTED]
    query = {"since": str(begin), "until": str(end), "country": country.lower()}
    return _page(
        request,
        here,
        "standard_changes.html",
        today,
        found=latest,
        steps=steps("/standard/changes", offset, LISTED, len(found), query),
        query=urlencode(query),
        picture=timeline.draw(found, _names(law), begin, end, today),
        since=begin,
        until=end,
        country=country.lower(),
        names=_names(law),
    )


@router.get("/changes.svg")
def changes_picture(here: Signed, since: Day = None, until: Day = None, country: Code = "") -> Response:
    law, today = here.view.law(), here.clock().date()
    begin, end = span(today, since, until)
    found = changes(law, begin, end, country)
    return _picture(timeline.draw(found, _names(law), begin, end, today))


@router.get("/corridors")
def routes(
    request: Request,
    here: Signed,
    on: Day = None,
    by: str = "mean",
    origin: Code = "",
    destination: Code = "",
) -> HTMLResponse:
    law, day, flows = here.view.law(), _day(here, on), here.view.flows()
    every = corridors(law, day, flows)
    ends, scale = (origin.lower(), destination.lower()), "score" if by == "score" else "mean"
    wanted = [each for each in every if _on_route(each, *ends)]
    names = {code: name for code, name in _names(law).items() if law.jurisdictions[code].kind == STATE}
    return _page(
        request,
        here,
        "standard_corridors.html",
        day,
        top=wanted[:TOP],
        total=len(wanted),
        heat={(each.origin, each.destination): each for each in every},
        names=names,
        origin=ends[0],
        destination=ends[1],
        by=scale,
        step=lambda weakness: _heat(weakness, scale),
        steps=HEAT_WORDS[scale],
        flows=_known(flows, names),
    )


def _on_route(corridor: Corridor, origin: str, destination: str) -> bool:
    return origin in ("", corridor.origin) and destination in ("", corridor.destination)


def _heat(weakness: float, scale: str) -> int:
    """0 to 4, for colours and words; by the figure that is shown."""
    return sum(round(weakness, 2) >= limit for limit in HEAT[scale])


def _known(flows: Mapping[tuple[str, str], float], names: Mapping[str, str]) -> float:
    """What this node's ledger moved between countries whose law is here."""
    return sum(
        value
        for (origin, destination), value in flows.items()
        if origin.lower() in names and destination.lower() in names and origin != destination
    )


@router.get("/countries")
def countries(request: Request, here: Signed, on: Day = None) -> HTMLResponse:
    law, day = here.view.law(), _day(here, on)
    ahead = changes(law, day, span(day, None, None)[1])
    coming = {each.jurisdiction: each for each in reversed(ahead)}
    found = sorted(standings(law, day), key=lambda each: each.name)
    return _page(request, here, "standard_countries.html", day, found=found, coming=coming)


@router.get("/countries/{code}")
def country(request: Request, here: Signed, code: str, on: Day = None) -> HTMLResponse:
    law, day = here.view.law(), _day(here, on)
    own = law.jurisdiction(code)
    topics: dict[str, list[Any]] = {}
    for question in law.vocabulary.questions.values():
        found = answers(law, own.id, question.name, day)
        topics.setdefault(question.name.split(".", 1)[0], []).append((question, found))
    cells = matrix(law, day).cells
    return _page(
        request,
        here,
        "standard_country.html",
        day,
        law=own,
        chain=[law.jurisdictions[each] for each in law.chain(own.id)[1:]],
        standing=standing(law, own.id, day),
        steps=STEP_WORDS,
        report=None if own.kind == STANDARD else reports.report(law, own.id, day),
        topics=topics,
        relation={question: cells[(own.id, question)] for question in law.vocabulary.questions},
        ahead=changes(law, day, span(day, None, None)[1], own.id),
    )


@router.get("/countries/{code}/report")
def country_report(request: Request, here: Signed, code: str, on: Day = None) -> HTMLResponse:
    day, base = _day(here, on), request.scope.get("root_path", "")
    found = reports.report(here.view.law(), code, day)
    return HTMLResponse(reports.page(found, base=base))


@router.get("/export/{kind}.{form}")
def download(
    here: Signed,
    kind: str,
    form: str,
    on: Day = None,
    since: Day = None,
    until: Day = None,
    country: Code = "",
) -> Response:
    flows = here.view.flows() if kind == "corridors" else None
    ask = Ask(kind, _day(here, on), country, since, until, flows)
    return _file(export(here.view.law(), ask, form))


def _file(found: Export) -> Response:
    """Names of exports are of plain letters: kinds, codes and days."""
    disposition = f'attachment; filename="{found.name}"'
    return Response(found.data, media_type=found.media_type, headers={"Content-Disposition": disposition})


def _picture(drawing: str) -> Response:
    return Response(drawing, media_type="image/svg+xml")

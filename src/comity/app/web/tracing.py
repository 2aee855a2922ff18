"""Where value went, or came from: one page, and what it shows as files. Nothing here changes anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from comity import intake
from comity.app import tracing
from comity.app.tracing import MAX_OPENED, METHODS, Ask
from comity.app.web.desk import Desk, Signed
from comity.app.web.errors import status_of
from comity.app.web.pages import download
from comity.app.web.view import File
from comity.errors import ComityError, NotFound
from comity.model import AccountId, AssetId
from comity.tracing.draw import flow_svg
from comity.tracing.export import to_csv, to_graphml
from comity.tracing.layout import ON
from comity.tracing.trace import Direction, Method, spread

ROWS = 100
"""Ends of a trace, and steps, that the page shows; the files have all."""
FORMS = {
    "svg": ("the diagram (SVG)", "image/svg+xml"),
    "graphml": ("the graph (GraphML)", "application/graphml+xml"),
    "csv": ("the steps (CSV)", "text/csv; charset=utf-8"),
}

router = APIRouter()


def _ask(
    account: Annotated[str, Query(max_length=200)] = "",
    direction: Direction = Direction.FORWARD,
    method: Method = Method.HAIRCUT,
    hops: Annotated[int, Query(ge=1, le=50)] = 6,
    min_share: Annotated[float, Query(gt=0, le=1)] = 0.001,
    until: Annotated[str, Query(max_length=10)] = "",
    expand: Annotated[list[str] | None, Query(max_length=MAX_OPENED)] = None,
) -> Ask:
    """What the address of a page asks. The whole of the day ``until`` is traced, in both directions; a
    browser sends it empty where there is none."""
    day = intake.day(until, "until") if until else None
    forward = direction is Direction.FORWARD
    end = datetime.combine(day, time.max if forward else time.min, UTC) if day else None
    opened = tuple(dict.fromkeys(expand or ()))
    return Ask(account.strip(), direction, method, hops, min_share, end, opened=opened)


Asked = Annotated[Ask, Depends(_ask)]


def _query(ask: Ask, opened: Sequence[str]) -> str:
    """The parameters of a page of this trace."""
    fields: list[tuple[str, object]] = [
        ("account", ask.account),
        ("direction", ask.direction.value),
        ("method", ask.method.value),
        ("hops", ask.hops),
        ("min_share", f"{ask.min_share:g}"),
    ]
    if ask.until:
        fields.append(("until", ask.until.date()))
    return urlencode([*fields, *(("expand", key) for key in opened)], safe=":")


@router.get("/trace")
def trace(request: Request, here: Signed, ask: Asked) -> HTMLResponse:
    error, found = None, None
    try:
        if ask.account:
            found = _made(request, here, ask)
    except ComityError as wrong:
        error = wrong
    return here.page(
        request,
        "trace.html",
        status_of(error) if error else 200,
        ask=found["ask"] if found else ask,
        methods=METHODS,
        directions=list(Direction),
        error=error,
        found=found,
        rows=ROWS,
    )


def _made(request: Request, here: Desk, asked: Ask) -> dict[str, Any]:
    """All that the page shows of a trace."""
    columns, attributed = here.view.columns(), here.view.attributions()
    ask = replace(asked, account=tracing.account_of(columns, asked.account))
    labels = tracing.labels(attributed, here.view.names())
    every = tracing.compare(columns, ask, attributed)
    found = every[ask.method]
    base = request.scope.get("root_path", "")

    def address(opened: Sequence[str]) -> str:
        return f"{base}/trace?{_query(ask, opened)}"

    def link(keys: Sequence[str]) -> str:
        new = [*ask.opened, *keys]
        return f"{address(new)}#diagram" if len(new) <= MAX_OPENED else ""

    return {
        "ask": ask,
        "trace": found,
        "unit": AssetId(found.reference).symbol,
        "picture": flow_svg(
            found,
            title=ask.title(labels),
            labels=labels,
            note=ask.note,
            opened=frozenset(ask.opened),
            link=link,
        ),
        "labels": labels,
        "attributed": attributed,
        "opened": {
            key: (_called(key, labels), address([other for other in ask.opened if other != key]))
            for key in ask.opened
        },
        "closed": address(()),
        "on": {leaf.account: _onward(base, ask, leaf.account) for leaf in found.leaves[:ROWS]},
        "every": list(every),
        "spread": spread(every),
        "files": {form: f"/trace.{form}?{_query(ask, ask.opened)}" for form in FORMS},
        "forms": FORMS,
    }


def _called(key: str, labels: Mapping[str, str]) -> str:
    """What an opened key stands for: an account, or a name that several have."""
    if key.startswith("label "):
        return key.removeprefix("label ")
    account = key.removeprefix(ON)
    name = f"{labels[account]} ({AccountId(account).address})" if account in labels else account
    return f"on from {name}" if key.startswith(ON) else name


def _onward(base: str, ask: Ask, account: str) -> str:
    """A trace of its own from where this one ended."""
    return f"{base}/trace?{_query(replace(ask, account=account), ())}"


@router.get("/trace.{form}")
def export(here: Signed, form: str, ask: Asked) -> Response:
    if form not in FORMS:
        raise NotFound(f"no file of kind {form[:20]!r}", remedy=f"choose one of: {', '.join(FORMS)}")
    columns, attributed = here.view.columns(), here.view.attributions()
    found = tracing.follow(columns, ask, attributed)
    labels = tracing.labels(attributed, here.view.names())
    if form == "svg":
        opened = frozenset(ask.opened)
        data = flow_svg(found, title=ask.title(labels), labels=labels, note=ask.note, opened=opened).encode()
    elif form == "graphml":
        data = to_graphml(found, labels, f"{ask.title(labels)} ({ask.note})")
    else:
        data = to_csv(found, labels)
    short = re.sub(r"[^A-Za-z0-9]+", "-", AccountId(ask.account).address)[:24].strip("-")
    name = f"comity-trace-{short}-{ask.direction.value}-{ask.method.value}.{form}"
    return download(File(name, FORMS[form][1], data))

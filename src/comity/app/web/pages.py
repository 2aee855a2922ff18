"""What an operator reads: one function a page. Nothing here changes anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from comity.app.web.desk import Desk, Signed
from comity.app.web.view import Event, File, FindingOrder, Head, Hop, Parcel, Slice
from comity.errors import ComityError, NotFound
from comity.model import CaseState, Duty, Level

PAGE = 25
ENTRIES = 50
RECENT = 6
TASKS = 40

_MEDIA_TYPE = re.compile(r"[a-z]+/[-+.a-z0-9]+(; charset=utf-8)?")
_DONE = {
    "opened": "The case is open.",
    "decided": "The decision is recorded.",
    "drafted": "The report is drafted. Read it before you file it.",
    "filed": "The report is on its way to the FIU.",
}

router = APIRouter()

Offset = Annotated[int, Query(ge=0, le=10**9)]


def steps(path: str, offset: int, size: int, total: int, query: Mapping[str, str]) -> dict[str, Any]:
    """Where one is in a longer list, and the links to the parts before and after."""

    def link(to: int) -> str:
        return f"{path}?{urlencode({**query, 'offset': to})}"

    return {
        "first": min(offset + 1, total),
        "last": min(offset + size, total),
        "total": total,
        "before": link(max(0, offset - size)) if offset else "",
        "after": link(offset + size) if offset + size < total else "",
    }


@router.get("/")
def overview(request: Request, here: Signed) -> HTMLResponse:
    tasks = here.view.tasks(TASKS)
    recent = here.view.findings(
        level=Level.ALERT, rule="", order=FindingOrder.LAST, descending=True, limit=RECENT, offset=0
    )
    return here.page(
        request,
        "overview.html",
        counts=here.view.counts(),
        deadlines=[task for task in tasks if task.due],
        tasks=[task for task in tasks if not task.due],
        recent=recent,
    )


@router.get("/alerts")
def alerts(
    request: Request,
    here: Signed,
    level: str = "alert",
    rule: str = "",
    sort: FindingOrder = FindingOrder.LAST,
    down: bool = True,
    offset: Offset = 0,
) -> HTMLResponse:
    wanted = Level(level) if level in set(Level) else None
    found = here.view.findings(
        level=wanted, rule=rule, order=sort, descending=down, limit=PAGE, offset=offset
    )
    query = {"level": level, "rule": rule, "sort": sort.value, "down": str(down).lower()}
    return here.page(
        request,
        "alerts.html",
        found=found.items,
        rules=here.view.rules(),
        query=query,
        sorts={order.value: _sorted_by(order, query) for order in FindingOrder},
        steps=steps("/alerts", offset, PAGE, found.total, query),
    )


def _sorted_by(order: FindingOrder, query: Mapping[str, str]) -> str:
    """The link of a column's head: the other direction, or for a new column what one looks for first."""
    if order.value == query["sort"]:
        down = query["down"] != "true"
    else:
        down = order in {FindingOrder.LAST, FindingOrder.SCORE}
    return f"/alerts?{urlencode({**query, 'sort': order.value, 'down': str(down).lower()})}"


@router.get("/alerts/{finding_id}")
def alert(request: Request, here: Signed, finding_id: str) -> HTMLResponse:
    return here.page(
        request,
        "alert.html",
        finding=here.view.finding(finding_id),
        transfers=here.view.evidence(finding_id),
        case_id=here.view.case_of(finding_id),
    )


@router.get("/cases")
def cases(request: Request, here: Signed, state: str = "open", offset: Offset = 0) -> HTMLResponse:
    wanted = CaseState(state) if state in set(CaseState) else None
    found = here.view.cases(state=wanted, limit=PAGE, offset=offset)
    part = steps("/cases", offset, PAGE, found.total, {"state": state})
    return here.page(
        request, "cases.html", found=found.items, state=state, states=list(CaseState), steps=part
    )


@router.get("/cases/{case_id}")
def case(request: Request, here: Signed, case_id: str, done: str = "") -> HTMLResponse:
    return show_case(request, here, case_id, done=_DONE.get(done, ""))


def show_case(
    request: Request,
    here: Desk,
    case_id: str,
    status: int = 200,
    *,
    done: str = "",
    error: ComityError | None = None,
    draft: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """One case, with what the operator has just done or tried and written."""
    found = here.view.case(case_id)
    return here.page(
        request,
        "case.html",
        status,
        case=found,
        hops=_by_hop(here.view.case_events(case_id)),
        duties=_by_country(found.duties),
        flow=here.view.case_flow_svg(case_id),
        reports=here.view.reports(case_id),
        formats=here.view.report_formats(),
        parcels=here.view.case_messages(case_id),
        closed=found.state is CaseState.CLOSED,
        done=done,
        error=error,
        draft=draft or {"verdict": "", "by": "", "grounds": ""},
    )


def _by_hop(events: Sequence[Event]) -> dict[Hop, list[Event]]:
    return {hop: [event for event in events if event.hop is hop] for hop in Hop}


def _by_country(duties: Sequence[Duty]) -> dict[str, list[Duty]]:
    """Duties of each country, the nearest deadline first."""
    ranked = sorted(duties, key=lambda duty: (duty.due is None, duty.due.isoformat() if duty.due else ""))
    countries = sorted({duty.jurisdiction for duty in duties})
    return {country: [duty for duty in ranked if duty.jurisdiction == country] for country in countries}


@router.get("/cases/{case_id}/flow.svg")
def flow(here: Signed, case_id: str) -> Response:
    drawing = here.view.case_flow_svg(case_id)
    if not drawing:
        raise NotFound("this case has no flow of value to draw", remedy="see its evidence instead")
    return Response(drawing, media_type="image/svg+xml")


@router.get("/reports/{report_id}")
def report(here: Signed, report_id: str) -> Response:
    return download(here.view.report_file(report_id))


@router.get("/messages/{message_id}/document")
def document(here: Signed, message_id: str) -> Response:
    return download(here.view.message_document(message_id))


def download(file: File) -> Response:
    """A file that the browser keeps and does not show."""
    media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else "application/octet-stream"
    disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    return Response(file.data, media_type=media_type, headers={"Content-Disposition": disposition})


def _box(
    request: Request, here: Desk, name: str, read: Callable[..., Slice[Parcel]], offset: int
) -> HTMLResponse:
    found = read(limit=PAGE, offset=offset)
    part = steps(f"/{name}", offset, PAGE, found.total, {})
    return here.page(request, "exchange.html", box=name, parcels=found.items, steps=part)


@router.get("/inbox")
def inbox(request: Request, here: Signed, offset: Offset = 0) -> HTMLResponse:
    return _box(request, here, "inbox", here.view.inbox, offset)


@router.get("/outbox")
def outbox(request: Request, here: Signed, offset: Offset = 0) -> HTMLResponse:
    return _box(request, here, "outbox", here.view.outbox, offset)


@router.get("/messages/{message_id}")
def message(request: Request, here: Signed, message_id: str) -> HTMLResponse:
    return here.page(request, "message.html", parcel=here.view.message(message_id))


@router.get("/enforcement")
def enforcement(request: Request, here: Signed) -> HTMLResponse:
    return here.page(request, "enforcement.html", freezes=here.view.freezes())


@router.get("/audit")
def audit(request: Request, here: Signed, start: Offset | None = None) -> HTMLResponse:
    return show_audit(request, here, start)


def show_audit(
    request: Request,
    here: Desk,
    start: int | None,
    status: int = 200,
    *,
    verified: Head | None = None,
    error: ComityError | None = None,
) -> HTMLResponse:
    """The log from ``start`` (None: its end), with the outcome of a verification just made."""
    head = here.view.audit_head()
    begin = max(0, head.size - ENTRIES) if start is None else start
    return here.page(
        request,
        "audit.html",
        status,
        head=head,
        entries=here.view.audit(start=begin, limit=ENTRIES),
        start=begin,
        older=max(0, begin - ENTRIES) if begin else None,
        newer=begin + ENTRIES if begin + ENTRIES < head.size else None,
        verified=verified,
        error=error,
    )

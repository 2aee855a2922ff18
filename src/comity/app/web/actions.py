"""What an operator does: sign in and out, open a case, decide it, report it, verify the log. Forms only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from comity.app.web.desk import Desk, Open, Posted
from comity.app.web.errors import status_of
from comity.app.web.pages import show_audit, show_case
from comity.app.web.words import part
from comity.errors import BadInput, ComityError, Refused
from comity.model import Verdict

MAX_TITLE = 200
MAX_NAME = 200
MAX_GROUNDS = 20_000

router = APIRouter()


def _go(request: Request, path: str) -> RedirectResponse:
    return RedirectResponse(request.scope.get("root_path", "") + path, 303)


def _local(path: str) -> str:
    """Where to go after signing in: a page of this node, and nothing else."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if fine else "/"


def _text(given: str, what: str, limit: int) -> str:
    text = given.strip()
    if not text or len(text) > limit:
        raise BadInput(
            f"{what}: {'missing' if not text else 'too long'}",
            why="a decision without it could not be defended later" if not text else "",
            remedy=f"write 1 to {limit:,} characters",
        )
    return text


@router.get("/login")
def login(request: Request, here: Open, goto: str = "/") -> HTMLResponse:
    return here.page(request, "login.html", goto=_local(goto), error=None)


@router.post("/login")
def sign_in(
    request: Request,
    here: Open,
    token: Annotated[str, Form()] = "",
    goto: Annotated[str, Form()] = "/",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    here.sessions.check_csrf(here.visitor(request), csrf)
    client = request.client.host if request.client else ""
    if seconds := here.sessions.wait(client):
        error = Refused(
            "too many attempts",
            why="someone tried several wrong tokens from this address",
            remedy=f"wait {seconds} seconds, then try again",
        )
        headers = {"Retry-After": str(seconds)}
        return here.page(request, "login.html", 429, headers, goto=_local(goto), error=error)
    try:
        session = here.sessions.sign_in(token.strip(), client)
    except Refused as error:
        return here.page(request, "login.html", 403, goto=_local(goto), error=error)
    response = _go(request, _local(goto))
    here.remember(response, session)
    return response


@router.post("/logout")
def sign_out(request: Request, here: Posted) -> Response:
    here.sessions.sign_out(here.visitor(request))
    response = _go(request, "/login")
    here.remember(response, here.sessions.new_id())
    return response


@router.post("/cases")
def open_case(
    request: Request,
    here: Posted,
    finding: Annotated[list[str] | None, Form()] = None,
    title: Annotated[str, Form()] = "",
) -> Response:
    if not finding:
        raise BadInput("no alert is chosen", remedy="tick at least one alert, then open the case")
    opened = here.view.open_case(tuple(dict.fromkeys(finding)), _text(title, "title", MAX_TITLE))
    return _go(request, f"/cases/{part(opened.id)}?done=opened")


def _decide(here: Desk, case_id: str, verdict: str, by: str, grounds: str) -> None:
    try:
        chosen = Verdict(verdict)
    except ValueError:
        raise BadInput("no verdict is chosen", remedy="choose one of the verdicts") from None
    here.view.decide(case_id, chosen, _text(by, "name", MAX_NAME), _text(grounds, "grounds", MAX_GROUNDS))


@router.post("/cases/{case_id}/decide")
def decide(
    request: Request,
    here: Posted,
    case_id: str,
    verdict: Annotated[str, Form()] = "",
    by: Annotated[str, Form()] = "",
    grounds: Annotated[str, Form()] = "",
) -> Response:
    try:
        _decide(here, case_id, verdict, by, grounds)
    except ComityError as error:
        # What was written is shown again: grounds take long to write.
        draft = {"verdict": verdict, "by": by, "grounds": grounds}
        return show_case(request, here, case_id, status_of(error), error=error, draft=draft)
    return _go(request, f"/cases/{part(case_id)}?done=decided")


@router.post("/cases/{case_id}/reports")
def draft_report(
    request: Request, here: Posted, case_id: str, form: Annotated[str, Form(alias="format")] = ""
) -> Response:
    try:
        here.view.draft_report(case_id, form)
    except ComityError as error:
        return show_case(request, here, case_id, status_of(error), error=error)
    return _go(request, f"/cases/{part(case_id)}?done=drafted")


@router.post("/reports/{report_id}/file")
def file_report(request: Request, here: Posted, report_id: str) -> Response:
    case_id = here.view.file_report(report_id)
    return _go(request, f"/cases/{part(case_id)}?done=filed")


@router.post("/audit/verify")
def verify(request: Request, here: Posted) -> HTMLResponse:
    try:
        head = here.view.verify_audit()
    except ComityError as error:
        return show_audit(request, here, None, status_of(error), error=error)
    return show_audit(request, here, None, verified=head)

"""What went wrong, as a page: every error of the tree with its own status and its own words."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from comity.app.web.desk import NotSignedIn, desk
from comity.errors import (
    BadInput,
    ComityError,
    Conflict,
    NotFound,
    PeerError,
    Refused,
    SettingsError,
    StoreError,
    TooLarge,
    Unverified,
)

_STATUS: dict[type[ComityError], int] = {
    TooLarge: 413,
    BadInput: 400,
    NotFound: 404,
    Conflict: 409,
    Unverified: 422,
    Refused: 403,
    PeerError: 502,
    StoreError: 503,
    SettingsError: 503,
}


def status_of(error: ComityError) -> int:
    """The HTTP status that says what kind of error it is."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def _show(request: Request, error: ComityError, status: int) -> Response:
    title = HTTPStatus(status).phrase
    return desk(request).page(request, "error.html", status, error=error, title=title)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ComityError)
    return _show(request, error, status_of(error))


def _stranger(request: Request, _error: Exception) -> Response:
    base = request.scope.get("root_path", "")
    if request.method != "GET":
        why = ComityError(
            "you are not signed in", why="the session has ended", remedy="sign in, then repeat the step"
        )
        return _show(request, why, 401)
    goto = request.url.path.removeprefix(base) + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{base}/login?goto={quote(goto, safe='/')}", 303)


def _misspelt(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return _show(
        request, BadInput(f"{field}: {first['msg']}", remedy="correct it in the address or the form"), 400
    )


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        why = NotFound("there is no such page", remedy="choose one from the menu")
        return _show(request, why, 404)
    return _show(request, ComityError(str(error.detail), remedy="go back"), error.status_code)


def _fault(request: Request, _error: Exception) -> Response:
    why = ComityError(
        "the page could not be made",
        why="of a fault in the node; what exactly is in its log",
        remedy="try again; if it happens again, tell whoever runs the node",
    )
    return _show(request, why, 500)


def install(app: FastAPI) -> None:
    """Let ``app`` answer every error with a page."""
    app.add_exception_handler(ComityError, _ours)
    app.add_exception_handler(NotSignedIn, _stranger)
    app.add_exception_handler(RequestValidationError, _misspelt)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)

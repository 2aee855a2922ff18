"""The pages as one application, to be served alone or mounted beside the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse

from comity.app.web import actions, errors, pages, standard, tracing
from comity.app.web.desk import Desk, Guard
from comity.app.web.session import Sessions
from comity.app.web.view import NodeView
from comity.app.web.words import environment

_STATIC = Path(__file__).parent / "static"


def build(
    view: NodeView,
    *,
    token: str,
    clock: Callable[[], datetime],
    random: Callable[[int], bytes],
    secure: bool,
) -> FastAPI:
    """The operator pages of one node.

    ``token`` is the operators' secret (at least 16 characters; SettingsError if shorter), ``random(n)`` gives
    n unpredictable bytes (``secrets.token_bytes``). ``secure`` says that the pages are reached over HTTPS:
    the cookie is then never sent in the clear. False is for loopback only.
    """
    app = FastAPI(title="Comity", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk = Desk(view, view.identity(), Sessions(token, clock, random), clock, environment(), secure)
    app.add_middleware(Guard)
    app.include_router(actions.router)
    app.include_router(pages.router)
    app.include_router(standard.router)
    app.include_router(tracing.router)
    errors.install(app)

    @app.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(_STATIC / "style.css", media_type="text/css")

    @app.get("/report.css")
    def report_style() -> FileResponse:
        return FileResponse(_STATIC / "report.css", media_type="text/css")

    @app.get("/icon.svg")
    def icon() -> FileResponse:
        return FileResponse(_STATIC / "icon.svg", media_type="image/svg+xml")

    return app

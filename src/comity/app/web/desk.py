"""What every page shares: the node, the session, the way a page is made, and the safe headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity.app.web.session import Sessions
from comity.app.web.view import NodeView
from comity.model import Institution

MAX_FORM = 256 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class NotSignedIn(Exception):
    """The page needs an operator's session. Never leaves this application."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One node's pages: what they read from, and how they are made."""

    view: NodeView
    me: Institution
    sessions: Sessions
    clock: Callable[[], datetime]
    env: Environment
    secure: bool

    @property
    def cookie(self) -> str:
        """The cookie's name, distinct for each node: nodes on one host share a cookie jar."""
        name = f"comity-{hashlib.sha256(self.me.id.encode()).hexdigest()[:8]}"
        return f"__Host-{name}" if self.secure else name

    def visitor(self, request: Request) -> str:
        """The id in the visitor's cookie, '' if none."""
        return request.cookies.get(self.cookie, "")

    def remember(self, response: Response, visitor: str) -> None:
        """Give the visitor their id."""
        response.set_cookie(
            self.cookie, visitor, path="/", httponly=True, samesite="strict", secure=self.secure
        )

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """Render one page. The visitor gets an id with the first page, so that its forms can be told."""
        visitor = self.visitor(request) or self.sessions.new_id()
        base = request.scope.get("root_path", "")
        text = self.env.get_template(template).render(
            base=base,
            path=request.url.path.removeprefix(base),
            me=self.me,
            now=self.clock(),
            csrf=self.sessions.csrf(visitor),
            signed_in=self.sessions.signed_in(visitor),
            **context,
        )
        response = HTMLResponse(text, status, {**HEADERS, **(headers or {})})
        if visitor != self.visitor(request):
            self.remember(response, visitor)
        return response


def desk(request: Request) -> Desk:
    """The desk of the application that serves this request."""
    found: Desk = request.app.state.desk
    return found


def signed_in(request: Request) -> Desk:
    """The desk, for an operator only."""
    found = desk(request)
    if not found.sessions.signed_in(found.visitor(request)):
        raise NotSignedIn
    return found


def posted(
    request: Request, here: Annotated[Desk, Depends(signed_in)], csrf: Annotated[str, Form()] = ""
) -> Desk:
    """The desk, for an operator whose form was made for them."""
    here.sessions.check_csrf(here.visitor(request), csrf)
    return here


Open = Annotated[Desk, Depends(desk)]
Signed = Annotated[Desk, Depends(signed_in)]
Posted = Annotated[Desk, Depends(posted)]


class Guard:
    """ASGI middleware: the safe headers on every response, and a bound on every form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")  # neither length nor chunks: there is no body
        bounded = length.isdigit() and int(length) <= MAX_FORM and b"transfer-encoding" not in headers
        if scope["method"] == "POST" and not bounded:
            answer = HTMLResponse("The form is too large, or does not say how large it is.", 413)
            await answer(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

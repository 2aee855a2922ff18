"""What keeps strangers, other sites and prying neighbours out."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from fastapi import FastAPI

from comity.app.web.desk import HEADERS, MAX_FORM
from comity.app.web.router import build
from comity.errors import (
    BadInput,
    ComityError,
    Conflict,
    NoGateway,
    NotFound,
    PeerError,
    SettingsError,
    StoreError,
    TooLarge,
    Unverified,
)

READ = ["/", "/alerts", "/alerts/f-0001", "/cases", "/cases/case-1", "/cases/case-1/flow.svg", "/reports/r-1"]
READ += ["/standard", "/inbox", "/outbox", "/messages/m-in-000", "/messages/m-out-000/document"]
READ += ["/enforcement", "/audit", "/standard/map", "/standard/map.svg", "/standard/changes"]
READ += ["/standard/changes.svg", "/standard/corridors", "/standard/countries", "/standard/countries/bo"]
READ += ["/standard/countries/bo/report", "/standard/export/gaps.csv"]
POSTS: list[tuple[str, dict[str, Any]]] = [
    ("/cases", {"finding": ["f-0010"], "title": "Anything"}),
    ("/cases/case-1/decide", {"verdict": "report", "by": "A. Name", "grounds": "Because."}),
    ("/cases/case-1/reports", {"format": "goaml"}),
    ("/reports/r-1/file", {}),
    ("/audit/verify", {}),
    ("/logout", {}),
]


@pytest.mark.parametrize("path", READ)
def test_a_stranger_is_sent_to_sign_in(visitor: Any, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 303
    assert response.headers["location"] == f"/login?goto={path}"
    assert response.content == b""


def test_no_page_is_forgotten_here(app: Any) -> None:
    """Every route but the sign-in page and the static files asks who it is."""
    from comity.app.web import actions, pages, standard

    routes = (*actions.router.routes, *pages.router.routes, *standard.router.routes)
    paths = {route.path for route in routes if "GET" in route.methods}  # type: ignore[attr-defined]
    patterns = {path.replace("f-0001", "{finding_id}").replace("case-1", "{case_id}") for path in READ}
    patterns = {p.replace("r-1", "{report_id}").replace("m-in-000", "{message_id}") for p in patterns}
    patterns = {p.replace("m-out-000", "{message_id}") for p in patterns}
    patterns = {p.replace("/bo", "/{code}").replace("gaps.csv", "{kind}.{form}") for p in patterns}
    assert paths == patterns | {"/login"}


@pytest.mark.parametrize(("path", "fields"), POSTS)
def test_a_stranger_changes_nothing(visitor: Any, path: str, fields: dict[str, Any]) -> None:
    visitor.get("/login")
    assert visitor.post(path, **fields).status_code == 401


@pytest.mark.parametrize(("path", "fields"), POSTS)
@pytest.mark.parametrize("csrf", ["", "0" * 64])
def test_a_form_of_another_site_changes_nothing(
    operator: Any, view: Any, path: str, fields: dict[str, Any], csrf: str
) -> None:
    response = operator.call("POST", path, data={**fields, "csrf": csrf})
    assert response.status_code == 403
    assert "not made for your session" in response.text
    assert view.case("case-1").decisions == ()
    assert operator.get("/").status_code == 200


def test_signing_in_needs_a_form_of_ours_too(visitor: Any, fake: Any) -> None:
    assert visitor.call("POST", "/login", data={"token": fake.TOKEN}).status_code == 403
    assert visitor.get("/").status_code == 303


def test_every_response_has_the_safe_headers(app: Any, operator: Any, view: Any) -> None:
    def broken() -> None:
        raise RuntimeError("a secret path")

    responses = [operator.get(path) for path in [*READ, "/style.css", "/icon.svg", "/login", "/nowhere"]]
    responses += [operator.get("/alerts/none"), operator.get("/alerts?offset=-1"), operator.get("/?x=%00")]
    responses += [operator.post("/audit/verify"), operator.call("DELETE", "/cases")]
    responses += [operator.call("POST", "/cases", content=b"x" * (MAX_FORM + 1))]
    view.counts = broken
    responses.append(operator.get("/"))
    responses.append(operator.post("/logout"))
    responses.append(operator.get("/"))
    assert {200, 303, 400, 404, 405, 413, 500} == {response.status_code for response in responses}
    for response in responses:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "a secret path" not in "".join(response.text for response in responses)


def test_the_cookie_is_out_of_reach(visitor: Any, fake: Any) -> None:
    before = dict(visitor.cookies)
    response = visitor.sign_in(fake.TOKEN, goto="/alerts?level=any")
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert fake.TOKEN not in cookie
    assert visitor.cookies != before
    assert response.headers["location"] == "/alerts?level=any"
    assert fake.TOKEN not in response.headers["location"]


def test_over_https_the_cookie_never_travels_in_the_clear(
    view: Any, fake: Any, clock: Any, visitor: Any
) -> None:
    visitor._app = build(view, token=fake.TOKEN, clock=clock, random=secrets.token_bytes, secure=True)
    cookie = visitor.get("/login").headers["set-cookie"]
    assert cookie.startswith("__Host-comity-") and "Secure" in cookie


def test_a_visitors_id_is_not_a_session(operator: Any, fake: Any) -> None:
    signed = dict(operator.cookies)
    operator.post("/logout")
    assert operator.cookies != signed
    operator.cookies = signed
    assert operator.get("/").status_code == 303, "the old cookie is worth nothing after signing out"


@pytest.mark.parametrize(
    "goto", ["https://evil.example/", "//evil.example", "/\\evil", "evil", "/a\r\nX: 1", ""]
)
def test_signing_in_leads_nowhere_else(visitor: Any, fake: Any, goto: str) -> None:
    assert visitor.sign_in(fake.TOKEN, goto=goto).headers["location"] == "/"


def test_wrong_tokens_are_counted(visitor: Any, fake: Any, clock: Any) -> None:
    for _ in range(5):
        response = visitor.sign_in("wrong")
        assert response.status_code == 403
        assert "not the operator token" in response.text and "wrong<" not in response.text
    response = visitor.sign_in(fake.TOKEN)
    assert response.status_code == 429
    clock.forward(seconds=int(response.headers["retry-after"]))
    assert visitor.sign_in(fake.TOKEN).status_code == 303


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput, 400),
        (TooLarge, 413),
        (NoGateway, 403),
        (NotFound, 404),
        (Conflict, 409),
        (Unverified, 422),
        (PeerError, 502),
        (StoreError, 503),
        (SettingsError, 503),
        (ComityError, 500),
    ],
)
def test_each_error_has_its_status_and_its_words(
    operator: Any, view: Any, error: type[ComityError], status: int
) -> None:
    def fail(_id: str) -> None:
        raise error("it <broke>", why="reasons", remedy="mend it")

    view.finding = fail
    response = operator.get("/alerts/f-1")
    assert response.status_code == status
    for words in ("it &lt;broke&gt;", "Why: reasons", "What to do: mend it"):
        assert words in response.text


def test_a_form_that_does_not_say_its_size_is_refused(operator: Any) -> None:
    async def endless() -> Any:
        yield b"csrf=1"

    assert operator.call("POST", "/audit/verify", content=endless()).status_code == 413


def test_the_pages_work_under_a_prefix(app: FastAPI, fake: Any, visitor: Any) -> None:
    outer = FastAPI()
    outer.mount("/desk", app)
    visitor._app, visitor._prefix = outer, "/desk"
    assert visitor.get("/alerts").headers["location"] == "/desk/login?goto=/alerts"
    assert visitor.sign_in(fake.TOKEN, goto="/alerts").headers["location"] == "/desk/alerts"
    text = visitor.get("/alerts").text
    assert 'href="/desk/style.css"' in text
    assert 'href="/desk/alerts" aria-current="page"' in text
    assert 'href="/desk/alerts/f-0000"' in text

"""What a node's own operators and their programs may do: the pages at ``/``, and ``/api`` as JSON.

Every call of ``/api`` carries ``Authorization: Bearer TOKEN``, the operators' token.
"""

from __future__ import annotations

import asyncio
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from comity import __version__, codec
from comity.app.api.peers import bounded
from comity.app.view import Desk
from comity.app.web.router import build
from comity.codec import to_plain
from comity.errors import (
    BadInput,
    ComityError,
    Conflict,
    NotFound,
    PeerError,
    Refused,
    SettingsError,
    TooLarge,
    Unverified,
)
from comity.model import AccountId, CaseState, Level, Transfer, Verdict
from comity.node import filing, finding_together, freezing, hops, watching
from comity.node.node import Node

STATUS: tuple[tuple[type[ComityError], int], ...] = (
    (TooLarge, 413),
    (BadInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Unverified, 403),
    (Refused, 403),
    (SettingsError, 409),
    (PeerError, 502),
)


MOST_TRANSFERS = 1_000
_AUTHORISE = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"description": "a Transfer, or a list of them"}}},
    }
}
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FileGiven(_Given):
    """A file on the node's machine."""

    path: str = Field(max_length=4096)
    rates: dict[str, Decimal] = {}


class CaseGiven(_Given):
    findings: list[str] = Field(min_length=1, max_length=hops.MOST_FINDINGS)
    title: str = Field("", max_length=300)


class DecisionGiven(_Given):
    verdict: Verdict
    by: str = Field(max_length=200)
    grounds: str = Field(max_length=10_000)


class ReportGiven(_Given):
    format: str = Field(max_length=64)


class PersonGiven(_Given):
    by: str = Field(max_length=200)


class PeerGiven(_Given):
    peer: str = Field(max_length=64)


class FreezeGiven(_Given):
    """A freeze asked of another FIU, or ordered of an own institution."""

    recipient: str = Field(max_length=64)
    accounts: list[AccountId] = Field(min_length=1, max_length=100)
    case_id: str = Field(max_length=64)
    by: str = Field(max_length=200)
    grounds: str = Field(max_length=10_000)


def operator_app(node: Node) -> FastAPI:
    """The pages and the API of one node. Raises SettingsError when the operators' token is missing."""
    token = node.operator_token()
    api = FastAPI(title="Comity operator API", version=__version__, docs_url=None, redoc_url=None)

    @api.exception_handler(ComityError)
    async def refuse(_request: Request, error: ComityError) -> JSONResponse:
        status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
        return JSONResponse(error.as_dict(), status_code=status)

    async def allowed(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise Refused("not an operator of this node", remedy="send the operators' token")

    api.include_router(_routes(node), dependencies=[Depends(allowed)])
    pages = build(
        Desk(node),
        token=token,
        clock=node.clock,
        random=secrets.token_bytes,
        secure=node.settings.operator_url.startswith("https"),
    )
    pages.mount("/api", api)
    return pages


def _routes(node: Node) -> APIRouter:
    routes = APIRouter()
    for router in (_before(node), _hops(node), _acts(node), _together(node)):
        routes.include_router(router)
    return routes


def _before(node: Node) -> APIRouter:
    api = APIRouter(tags=["before a transfer is sent"])

    @api.post("/authorise", openapi_extra=_AUTHORISE)
    async def authorise(request: Request) -> Response:
        """Rule on one transfer before it is sent, or on up to 1,000 in order: allow, hold or refuse.

        The ruling is on disk before the answer is sent.
        """
        given = await bounded(request, codec.MAX_BYTES)
        many = given.lstrip()[:1] == b"["
        transfers = codec.from_json(list[Transfer], given) if many else [codec.from_json(Transfer, given)]
        if len(transfers) > MOST_TRANSFERS:
            raise TooLarge(
                f"{len(transfers):,} transfers at once", remedy=f"send at most {MOST_TRANSFERS:,} in one call"
            )
        gate = node.gate
        done = gate.decide_all(transfers)
        for _, future in done:
            gate.written(await asyncio.wrap_future(future))
        answer = [codec.to_plain(ruling) for ruling, _ in done]
        return Response(codec.canonical(answer if many else answer[0]), media_type="application/json")

    return api


def _hops(node: Node) -> APIRouter:
    api = APIRouter(tags=["hops 1 to 4"])

    @api.get("/status")
    def status() -> Any:
        """What the node holds, in numbers, and the head of its audit log."""
        return to_plain(node.status())

    @api.post("/lists")
    def load_lists(given: FileGiven | None = None) -> Any:
        """Load a list from a file on this machine; without one, the extracts that ship."""
        return [to_plain(one) for one in hops.load_lists(node, Path(given.path) if given else None)]

    @api.post("/ledger")
    def ingest(given: FileGiven) -> Any:
        """Read a file on this machine into the ledger: all of it, or, on any fault, nothing."""
        return to_plain(hops.ingest(node, Path(given.path), rates=given.rates))

    @api.post("/customers")
    def customers(given: FileGiven) -> Any:
        """Take in the institution's own customers: JSON Lines of account and party, in place of the last."""
        return {"accounts": hops.load_customers(node, Path(given.path))}

    @api.post("/detect")
    def detect() -> Any:
        """Run the typologies over the whole ledger and screen its accounts."""
        done = hops.detect(node)
        return {
            "alerts": [to_plain(one) for one in done.findings if one.level is Level.ALERT],
            "watched": sum(one.level is Level.WATCH for one in done.findings),
            "unfinished": [to_plain(one) for one in done.unfinished],
        }

    @api.get("/findings")
    def findings(level: Level | None = None, rule: str = "", limit: Limit = 50, offset: Offset = 0) -> Any:
        """Findings, the highest score first."""
        with node.act() as conn:
            found = node.cases.list_findings(conn, level, rule=rule or None, limit=limit, offset=offset)
        return [to_plain(one) for one in found]

    @api.post("/cases", status_code=201)
    def open_case(given: CaseGiven) -> Any:
        """Open a case on findings; the duties of every country their transfers touch are computed."""
        return to_plain(hops.open_case(node, given.findings, given.title))

    @api.get("/cases")
    def cases(state: CaseState | None = None, limit: Limit = 50, offset: Offset = 0) -> Any:
        """Cases, the latest opened first."""
        with node.act() as conn:
            return [to_plain(one) for one in node.cases.list_cases(conn, state, limit, offset)]

    @api.get("/cases/{case_id}")
    def case(case_id: str) -> Any:
        """One case: its findings, duties, decisions and acts."""
        with node.act() as conn:
            return to_plain(node.cases.get(conn, case_id))

    @api.post("/cases/{case_id}/decisions", status_code=201)
    def decide(case_id: str, given: DecisionGiven) -> Any:
        """Record what a named person decided, and why."""
        return to_plain(hops.decide(node, case_id, given.verdict, given.by, given.grounds))

    return api


def _acts(node: Node) -> APIRouter:
    api = APIRouter(tags=["hop 5"])

    @api.post("/cases/{case_id}/reports", status_code=201)
    def draft(case_id: str, given: ReportGiven) -> Any:
        """Render the decided case as a report and check it."""
        return to_plain(filing.draft(node, case_id, given.format))

    @api.get("/reports/{report_id}")
    def report(report_id: str) -> Response:
        """A report's file, byte for byte as it is kept."""
        with node.act() as conn:
            held = node.cases.report(conn, report_id)
        return Response(held.data, media_type="application/xml")

    @api.post("/reports/{report_id}/file", status_code=202)
    def file(report_id: str) -> Any:
        """Send a report to the node's own FIU."""
        return {"message": filing.file(node, report_id).id}

    @api.post("/freezes", status_code=202)
    def freeze(given: FreezeGiven) -> Any:
        """Ask another FIU, or order an own institution, to freeze accounts of a case decided so."""
        message = freezing.ask(
            node,
            given.recipient,
            given.accounts,
            case_id=given.case_id,
            by=given.by,
            grounds=given.grounds,
        )
        return {"message": message.id}

    @api.post("/messages/{message_id}/freeze", status_code=202)
    def carry_out(message_id: str, given: PersonGiven) -> Any:
        """Carry out a partner's freeze request: order it of the own institutions that hold the accounts."""
        return {"messages": [one.id for one in freezing.carry_out(node, message_id, by=given.by)]}

    @api.get("/freezes")
    def freezes() -> Any:
        """Freezes ordered by this node or served on it, the latest first."""
        with node.act() as conn:
            return [to_plain(one) for one in node.freezes.list_measures(conn)]

    @api.get("/messages")
    def messages(limit: Limit = 100, offset: Offset = 0) -> Any:
        """Messages received and sent, the newest first, and where each stands."""
        with node.act() as conn:
            received = node.mailbox.received(conn, limit, offset)
            sent = node.mailbox.sent(conn, limit, offset)
        return {
            "received": [
                {**to_plain(one.message), "processed": one.processed is not None} for one in received
            ],
            "sent": [{**to_plain(one.message), "state": one.state.value} for one in sent],
        }

    @api.get("/audit/verify")
    def verify() -> Any:
        """Recompute the audit log, hold it against every checkpoint, and sign a new one."""
        return to_plain(node.verify())

    return api


def _together(node: Node) -> APIRouter:
    api = APIRouter(tags=["cooperation"])

    @api.post("/watch/ask", status_code=202)
    def ask(given: PeerGiven) -> Any:
        """An FIU asks an institution of its own country for what it watches."""
        return {"message": finding_together.ask_watch(node, given.peer).id}

    @api.post("/messages/{message_id}/reply", status_code=202)
    def reply(message_id: str, given: PersonGiven) -> Any:
        """Answer a request: with watched subjects, or with what is known of the subjects it names."""
        return {"message": finding_together.answer(node, message_id, by=given.by).id}

    @api.post("/match", status_code=202)
    def offer(given: PeerGiven) -> Any:
        """Start a private set intersection with another FIU."""
        return {"conversations": list(finding_together.offer_match(node, given.peer))}

    @api.get("/match")
    def results() -> Any:
        """The matches this node has asked for, and what they found in common."""
        return [to_plain(one) for one in finding_together.results(node)]

    @api.post("/match/request", status_code=202)
    def ask_common(given: PeerGiven) -> Any:
        """Ask a partner for its figures about the subjects both know."""
        return {"message": finding_together.ask_common(node, given.peer).id}

    @api.get("/subjects/accounts")
    def accounts(key: str) -> Any:
        """The accounts behind a match key that this FIU was told of, each with who told of it."""
        with node.act() as conn:
            return {str(a): source for a, source in watching.accounts_of(conn, key).items()}

    @api.post("/join")
    def join() -> Any:
        """Add up what institutions and partners told about each subject."""
        return [to_plain(one) for one in finding_together.join(node)]

    return api

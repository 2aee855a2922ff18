"""What other members may ask of a node, over mutual TLS: take a message, say which log it keeps."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from comity import __version__
from comity.errors import BadInput, ComityError, Refused, TooLarge, Unverified
from comity.exchange import envelope
from comity.node.node import Node
from comity.node.receiving import receive

STATUS: dict[type[ComityError], int] = {TooLarge: 413, BadInput: 400, Unverified: 403, Refused: 422}
"""Refused for good. Anything else is this node's trouble (503), and the peer tries again."""
PEER_CERTIFICATE = "comity.peer"


def peer_app(node: Node) -> FastAPI:
    """The peer API of a node. The server puts the caller's TLS certificate into the scope."""
    app = FastAPI(title="Comity peer API", version=__version__, docs_url=None, redoc_url=None)

    @app.exception_handler(ComityError)
    async def refuse(_request: Request, error: ComityError) -> JSONResponse:
        """A peer is told the kind of fault, and no more: details could tell it what this node knows."""
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 503)
        return JSONResponse({"error": type(error).__name__}, status_code=status)

    @app.post("/v1/messages", summary="Deliver a sealed message", response_class=Response)
    async def deliver(request: Request) -> Response:
        """Body: one envelope. Answer: the signed delivery receipt; the same again for a repetition."""
        sealed = await bounded(request, envelope.MAX_ENVELOPE)
        receipt = await run_in_threadpool(receive, node, sealed, request.scope.get(PEER_CERTIFICATE, ""))
        return Response(receipt, media_type="application/json")

    @app.get("/v1/checkpoint", summary="The newest signed checkpoint of the audit log")
    def checkpoint() -> Response:
        """A C2SP checkpoint: partners keep it, so that a log cut or rewritten later is found out."""
        with node.act() as conn:
            return Response(node.audit.checkpoint(conn, node.keys.signing), media_type="text/plain")

    return app


async def bounded(request: Request, limit: int) -> bytes:
    """The request's body, of at most ``limit`` bytes. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"a body of more than {limit:,} bytes", remedy="send less at once")
    return bytes(body)

"""The relay: delivers what is in the outbox, acts on what is in the inbox, until it is stopped.

Everything it does can be cut off at any point and done again: the mailbox makes it count once.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy.exc import SQLAlchemyError

from comity.errors import ComityError, PeerError
from comity.exchange.directory import Member
from comity.exchange.mailbox import Outgoing
from comity.exchange.receipts import MAX_RECEIPT
from comity.node.node import Node
from comity.node.receiving import process_inbox

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds until it looks by itself: for retries, and for what another process has put in the outbox."""
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
LONGEST_ANSWER = 60.0
"""Seconds in which a peer must have given its receipt: it holds up the others meanwhile."""
FINAL = frozenset({400, 403, 413, 422})
"""Answers by which a peer refuses a message for good; anything else is tried again."""


class Relay:
    """One background thread, and a few that deliver; one peer's messages go in order."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._clients: dict[str, httpx.Client] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._node.stirred.set()
        if self._thread.is_alive():
            self._thread.join(timeout=35)
        for client in self._clients.values():
            client.close()

    def _run(self) -> None:
        with contextlib.suppress(SQLAlchemyError), self._node.act() as conn:
            self._node.mailbox.wake(conn, self._node.clock())
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="deliver") as pool:
            while not self._stop.is_set():
                self._node.stirred.clear()
                try:
                    if not self.once(pool):
                        self._node.stirred.wait(PAUSE)
                    continue
                except (ComityError, SQLAlchemyError):
                    pass  # what failed is still in the mailbox, and is tried again
                except Exception:
                    log.exception("a fault in the node; what it was at is tried again")
                self._stop.wait(PAUSE)

    def once(self, pool: ThreadPoolExecutor) -> bool:
        """One round; True when it moved something."""
        moved = process_inbox(self._node) > 0
        now = self._node.clock()
        with self._node.act() as conn:
            for late in self._node.mailbox.set_aside(conn, now):
                self._node.record(conn, "message.expired", {"message": late.message.id})
            for over in self._node.freezes.expire(conn, now):
                self._node.record(conn, "freeze.expired", {"measure": over.id})
            due = self._node.mailbox.due(conn, now)
        queues: dict[str, list[Outgoing]] = defaultdict(list)
        for item in due:
            queues[item.message.recipient].append(item)
        return any(list(pool.map(self._deliver_all, queues.values()))) or moved

    def _deliver_all(self, items: list[Outgoing]) -> bool:
        """In order; the first that fails holds up those behind it, and is tried again later."""
        return all(self.deliver(item) for item in items)

    def deliver(self, item: Outgoing) -> bool:
        """Try to deliver one message; note the outcome. True when the recipient has it."""
        node, message = self._node, item.message
        error, final, receipt = "an answer without a receipt", False, b""
        try:
            member = node.directory.valid(message.recipient, node.clock())
            with self._client(member).stream("POST", "/v1/messages", content=item.sealed) as answer:
                if answer.status_code == 200:
                    receipt = _bounded(answer)
                else:
                    error, final = f"status {answer.status_code}", answer.status_code in FINAL
        except (httpx.HTTPError, ssl.SSLError, ComityError) as failure:
            error = type(failure).__name__
        with node.act() as conn:
            if receipt:
                try:
                    node.mailbox.delivered(conn, message.id, receipt, node.directory)
                    node.mailbox.wake(conn, node.clock(), message.recipient)
                    node.record(conn, "message.delivered", {"message": message.id, "to": message.recipient})
                    return True
                except ComityError as failure:
                    error = failure.what
            node.mailbox.failed(conn, message.id, error, node.clock(), final=final)
            if final:
                node.record(
                    conn,
                    "message.refused",
                    {"message": message.id, "to": message.recipient, "why": error},
                )
        return False

    def _client(self, member: Member) -> httpx.Client:
        """A client that trusts this member's own certificate only, and shows ours."""
        client = self._clients.get(member.tls_fingerprint)
        if client is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            try:
                context.load_verify_locations(cadata=member.tls_certificate)
                context.load_cert_chain(self._node.paths.tls_certificate, self._node.paths.tls_key)
            except (ssl.SSLError, OSError) as error:
                raise PeerError(
                    f"no secure connection to {member.id}", why=str(error), remedy="check the certificates"
                ) from None
            client = httpx.Client(
                base_url=member.url, verify=context, timeout=TIMEOUT, follow_redirects=False, trust_env=False
            )
            self._clients[member.tls_fingerprint] = client
        return client


def _bounded(answer: httpx.Response) -> bytes:
    """The answer's body as it came, never unpacked; empty when it is no receipt: too long, or too slow."""
    body, until = b"", time.monotonic() + LONGEST_ANSWER
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > MAX_RECEIPT or time.monotonic() > until:
            return b""
    return body

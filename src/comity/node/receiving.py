"""Receiving: an envelope is verified and kept, its effect happens once, whatever crashes in between."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from comity.errors import ComityError, NotFound, Unverified
from comity.exchange import bodies, envelope
from comity.exchange.mailbox import Incoming
from comity.model import Message, MessageKind
from comity.node import finding_together, freezing
from comity.node.node import Node
from comity.node.sending import link_once
from comity.standard import gateways

log = logging.getLogger(__name__)

BATCH = 20

EFFECTS: Mapping[MessageKind, Callable[[Node, Connection, Message], None]] = {
    MessageKind.REQUEST: finding_together.on_request,
    MessageKind.REPLY: finding_together.on_reply,
    MessageKind.MATCH_OFFER: finding_together.on_offer,
    MessageKind.MATCH_ANSWER: finding_together.on_answer,
    MessageKind.FREEZE_REQUEST: freezing.on_request,
    MessageKind.FREEZE_REPLY: freezing.on_reply,
}
"""What a message does by itself. The other kinds wait in the inbox for a person."""


def receive(node: Node, sealed: bytes, certificate: str) -> bytes:
    """Take in one envelope and give the signed receipt for it.

    ``certificate`` is the SHA-256 of the TLS certificate it came over: it must be the sender's own.
    Raises Unverified, BadInput, TooLarge, NoGateway; then nothing was kept.
    """
    now = node.clock()
    header = envelope.peek(sealed)
    try:
        sender = node.directory.valid(header.sender, now)
    except NotFound:
        raise Unverified(
            "the sender is not in the directory", remedy="join the network, or fetch its newest directory"
        ) from None
    if not hmac.compare_digest(certificate, sender.tls_fingerprint):
        raise Unverified(
            f"the envelope names {sender.id} as its sender, the connection is another member's",
            remedy="deliver over your own connection",
        )
    message = envelope.unseal(sealed, node.keys, node.directory, now)
    bodies.check(message)
    gateways.allow(
        node.standard,
        sender=sender.institution,
        recipient=node.institution,
        purpose=message.handling.purpose,
        content=message.kind.value,
        on=now.date(),
    )
    digest = envelope.digest(sealed)
    with node.act() as conn:
        node.mailbox.wake(conn, now, sender.id)  # who calls is there to be called
        if node.mailbox.accept(conn, message, digest, now):
            node.record(
                conn,
                "message.received",
                {"message": message.id, "kind": message.kind.value, "from": message.sender, "digest": digest},
            )
        return node.mailbox.receipt(conn, message.sender, message.id, digest)


def process_inbox(node: Node) -> int:
    """Let accepted messages have their effect, each in one transaction; how many were done.

    One that cannot take effect is set aside, also when that is a fault of this node: it must not stop those
    behind it. Raises SQLAlchemyError, OSError or MemoryError when it is the machine that fails: then the
    rest is done another time.
    """
    with node.act() as conn:
        waiting = node.mailbox.unprocessed(conn, BATCH)
    for item in waiting:
        try:
            with node.act() as conn:
                if node.mailbox.mark_processed(conn, item.message.sender, item.message.id, node.clock()):
                    _take_effect(node, conn, item.message)
        except ComityError as error:
            _set_aside(node, item, type(error).__name__)
        except (DataError, IntegrityError):
            _set_aside(node, item, "it holds text that the database cannot keep")
        except (SQLAlchemyError, OSError, MemoryError):
            raise
        except Exception:
            log.exception("a fault in the node: message %s from %s", item.message.id, item.message.sender)
            _set_aside(node, item, "of a fault in this node; what exactly is in its log")
    return len(waiting)


def _take_effect(node: Node, conn: Connection, message: Message) -> None:
    case_id = node.case_of_conversation(conn, message.conversation)
    if case_id:
        link_once(conn, message, case_id)
        node.record(
            conn,
            "case.message",
            {"message": message.id, "kind": message.kind.value, "from": message.sender},
            hop="act",
            case_id=case_id,
            text=f"{message.kind.value.replace('_', ' ').capitalize()} came from {message.sender}",
            law=message.handling.legal_basis,
        )
    effect = EFFECTS.get(message.kind)
    if effect:
        effect(node, conn, message)


def _set_aside(node: Node, item: Incoming, why: str) -> None:
    """A message that cannot take effect must not stop those behind it: it waits for a person."""
    message = item.message
    with node.act() as conn:
        if node.mailbox.mark_processed(conn, message.sender, message.id, node.clock()):
            node.record(
                conn,
                "message.set_aside",
                {"message": message.id, "from": message.sender, "why": why[:500]},
            )

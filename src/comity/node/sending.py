"""Sending: a message leaves only if the law of both ends lets it and its sources' terms allow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Connection, insert, select

from comity.exchange import bodies, envelope, handling
from comity.exchange.directory import Member
from comity.exchange.handling import Source
from comity.model import Handling, Message, MessageKind, OnwardUse
from comity.node import tables
from comity.node.node import Node
from comity.standard import gateways
from comity.standard.gateways import Passage

LIFETIME = timedelta(days=30)


def send(
    node: Node,
    conn: Connection,
    kind: MessageKind,
    recipient: str,
    body: Mapping[str, object],
    *,
    purpose: str,
    onward: OnwardUse = OnwardUse.WITH_CONSENT,
    caveats: Sequence[str] = (),
    sources: Sequence[Message] = (),
    in_reply_to: Message | None = None,
    case_id: str = "",
) -> Message:
    """Seal a message and put it in the outbox, in the caller's transaction.

    The provisions relied on are kept with it, in its handling and in the audit log. Raises NoGateway when
    the law of one end has no provision for it, Refused when the terms of ``sources`` forbid it, BadInput
    when mandatory content is missing, NotFound when the recipient is no member.
    """
    now = node.clock()
    member = node.directory.valid(recipient, now)
    passed = gateways.allow(
        node.standard,
        sender=node.institution,
        recipient=member.institution,
        purpose=purpose,
        content=kind.value,
        on=now.date(),
    )
    limits = Handling(purpose, passed.onward, passed.legal_basis, (*passed.limits, *passed.cautions))
    wanted = Handling(purpose, onward, passed.legal_basis, tuple(caveats))
    held = [Source.of(message) for message in sources]
    message_id = node.ids()
    message = Message(
        id=message_id,
        kind=kind,
        sender=node.settings.id,
        recipient=recipient,
        conversation=in_reply_to.conversation if in_reply_to else message_id,
        created=now,
        expires=now + LIFETIME,
        handling=handling.derive([limits, *(source.handling for source in held)], wanted),
        body=dict(body),
        in_reply_to=in_reply_to.id if in_reply_to else "",
    )
    handling.check_outgoing(message, held, now)
    bodies.check(message)
    _post(node, conn, message, member, passed, case_id)
    return message


def _post(
    node: Node, conn: Connection, message: Message, member: Member, passed: Passage, case_id: str
) -> None:
    sealed = envelope.seal(message, node.keys, member)
    node.mailbox.enqueue(conn, message, sealed)
    if case_id:
        link(conn, message, case_id)
    relied = dict.fromkeys((passed.sender, passed.recipient))
    node.record(
        conn,
        "message.sent",
        {
            "message": message.id,
            "kind": message.kind.value,
            "to": message.recipient,
            "digest": envelope.digest(sealed),
            "provisions": [f"{p.jurisdiction}: {p.source} ({p.confidence.value})" for p in relied],
        },
        hop="act",
        case_id=case_id,
        text=f"{message.kind.value.replace('_', ' ').capitalize()} sent to {member.institution.name}",
        law=message.handling.legal_basis,
    )


def link(conn: Connection, message: Message, case_id: str) -> None:
    """Note that the message belongs to the case."""
    conn.execute(
        insert(tables.case_message).values(message_id=message.id, sender=message.sender, case_id=case_id)
    )


def link_once(conn: Connection, message: Message, case_id: str) -> None:
    """Note that the message belongs to the case, unless that is noted."""
    here = tables.case_message.c
    known = select(here.case_id).where(here.message_id == message.id, here.sender == message.sender)
    if conn.execute(known).one_or_none() is None:
        link(conn, message, case_id)

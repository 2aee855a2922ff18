"""Finding together (ADR 0009): an FIU asks its institutions what they watch, matches with other FIUs,
asks them about the subjects both know, and adds up.

What leaves at each step: an institution tells its FIU rule, figures and match keys of what it watches, no
names and no transfers; a match tells the asking FIU which keys both hold; a request and its reply carry
the figures for those keys only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from comity.cooperation import joint, match
from comity.cooperation.budget import Budget
from comity.cooperation.subjects import IdentifierKind
from comity.errors import BadInput, Conflict, NotFound, Refused
from comity.exchange import bodies
from comity.model import (
    AccountId,
    Finding,
    Level,
    Message,
    MessageKind,
    OnwardUse,
    Role,
)
from comity.node import tables
from comity.node.node import Node
from comity.node.sending import send
from comity.node.watching import (
    KINDS,
    Watched,
    about,
    all_watched,
    holders,
    keep,
    matchable,
    own_watched,
    pseudonymous,
    subject_of,
    told_in,
    watched,
)

PURPOSE = "money_laundering"
DAILY_BUDGET = 200_000
"""Elements a peer may offer per kind and day: some dozens of runs at the size of a country's watch list."""


@dataclass(frozen=True, slots=True)
class Common:
    """A match: ``keys`` are what both hold, None until the partner has answered."""

    conversation: str
    peer: str
    asked: datetime
    keys: tuple[str, ...] | None


def ask_watch(node: Node, institution: str) -> Message:
    """An FIU asks an institution of its own country what it watches. Raises NoGateway."""
    _require_fiu(node)
    body = bodies.Request(
        facts="Laundering is spread over institutions so that none of them sees enough of it.",
        reasons=("A pattern too weak at one institution may pass the indicator's threshold at several.",),
        link="The institution is supervised in this country.",
        intended_use="To add up what institutions of this and other countries see of the same subject.",
        items=("For each subject watched: the indicator, its figures, and the identifiers to match on.",),
    )
    with node.act() as conn:
        return send(node, conn, MessageKind.REQUEST, institution, bodies.plain(body), purpose=PURPOSE)


def answer(node: Node, message_id: str, *, by: str) -> Message:
    """A person has a request answered, from what this node watches. Raises NotFound, Conflict, NoGateway."""
    if not by.strip():
        raise BadInput("an answer without a person", remedy="name who answers")
    with node.act() as conn:
        asked = node.mailbox.incoming(conn, message_id).message
        body = bodies.check(asked)
        if not isinstance(body, bodies.Request):
            raise Conflict(
                f"message {message_id} is a {asked.kind.value}, not a request", remedy="name a request"
            )
        if node.mailbox.answers(conn, asked):
            raise Conflict(f"message {message_id} is answered already", remedy="read the conversation")
        _only_to_an_fiu(node, asked)
        shown: list[Watched] = []
        if node.institution.role is Role.FIU:
            shown = about(watched(conn, own=node), request_keys(body))
            findings = [pseudonymous(item, key) for item in shown for key in item.keys]
            subjects = holders(shown)
        else:
            findings, subjects = own_watched(node, conn)
        reply = bodies.Reply(
            bodies.Outcome.FOUND if findings else bodies.Outcome.NOTHING,
            f"{len(findings)} watched findings." if findings else "Searched what is watched here, in vain.",
            subjects=subjects,
            findings=tuple(findings),
        )
        message = send(
            node,
            conn,
            MessageKind.REPLY,
            asked.sender,
            bodies.plain(reply),
            purpose=asked.handling.purpose,
            onward=OnwardUse.WITH_CONSENT if node.institution.role is Role.FIU else OnwardUse.FREE,
            sources=told_in(conn, node, shown),
            in_reply_to=asked,
        )
        node.record(conn, "request.answered", {"message": asked.id, "by": by, "findings": len(findings)})
    return message


def request_keys(body: bodies.Request) -> frozenset[str]:
    """The match keys of the subjects and accounts a request names."""
    return frozenset(matchable(body.accounts, (subject.party for subject in body.subjects)))


def on_request(node: Node, conn: Connection, message: Message) -> None:
    """Another FIU's request brings its own figures for the subjects it asks about: keep them."""
    body = bodies.check(message)
    if isinstance(body, bodies.Request) and node.institution.role is Role.FIU:
        asked = request_keys(body)
        keep(conn, message, [Watched(f, (f.subject,)) for f in body.findings if f.subject in asked])


def on_reply(node: Node, conn: Connection, message: Message) -> None:
    """A reply to a request for what is watched: keep each item under its source.

    Raises NotFound or Conflict when this node has not asked the sender.
    """
    body = bodies.check(message)
    if not isinstance(body, bodies.Reply) or node.institution.role is not Role.FIU:
        return
    request = node.mailbox.outgoing(conn, message.in_reply_to).message
    wanted = bodies.check(request)
    if request.recipient != message.sender or not isinstance(wanted, bodies.Request):
        raise Conflict(
            f"message {request.id} was no request to {message.sender}", remedy="answer what you were asked"
        )
    if node.directory.member(message.sender).institution.role is Role.FIU:
        asked = request_keys(wanted)
        held = {key: subject.accounts for subject in body.subjects for key in matchable((), [subject.party])}
        told = [f for f in body.findings if f.subject in asked]
        keep(conn, message, [Watched(f, (f.subject,), held.get(f.subject, ())) for f in told])
        return
    parties = {str(account): subject.party for subject in body.subjects for account in subject.accounts}
    items = []
    for finding in body.findings:
        account = AccountId.parse(finding.subject)
        known = [parties[finding.subject]] if finding.subject in parties else []
        items.append(Watched(finding, matchable([account], known), (account,) if known else ()))
    keep(conn, message, items)


def offer_match(node: Node, peer: str) -> tuple[str, ...]:
    """Offer another FIU to match what this one watches, by each kind of identifier; the conversations."""
    _require_fiu(node)
    made = []
    with node.act() as conn:
        for kind in KINDS:
            keys = _keys(conn, node, kind)
            if not keys:
                continue
            client = match.Client()
            body = bodies.Match(kind.value, bodies.pack(client.offer(keys)))
            message = send(node, conn, MessageKind.MATCH_OFFER, peer, bodies.plain(body), purpose=PURPOSE)
            conn.execute(
                insert(tables.match).values(
                    conversation=message.conversation,
                    peer=peer,
                    asked=message.created.isoformat(),
                    state=client.save(),
                    common="",
                    answered="",
                )
            )
            made.append(message.conversation)
    return tuple(made)


def _keys(conn: Connection, node: Node, kind: IdentifierKind) -> list[str]:
    found = {key for item in watched(conn, own=node) for key in item.keys}
    return sorted(key for key in found if key.startswith(f"{kind.value}|"))


def on_offer(node: Node, conn: Connection, message: Message) -> None:
    """Answer another FIU's offer from what is watched here, within its budget. Raises Refused: nobody else
    is told anything, whatever the gateways let pass."""
    body = bodies.check(message)
    assert isinstance(body, bodies.Match)
    _require_fiu(node)
    _only_to_an_fiu(node, message)
    kind = next((one for one in KINDS if one.value == body.identifiers), None)
    if kind is None:
        raise BadInput(f"no matching on {body.identifiers[:40]!r}", remedy=f"use {', '.join(KINDS)}")
    offer = bodies.unpack(body.payload)
    size = match.offered(offer)
    left = Budget(DAILY_BUDGET).spend(conn, message.sender, kind, size, node.clock())
    answered = match.Server().answer(offer, _keys(conn, node, kind))
    send(
        node,
        conn,
        MessageKind.MATCH_ANSWER,
        message.sender,
        bodies.plain(bodies.Match(kind.value, bodies.pack(answered))),
        purpose=message.handling.purpose,
        in_reply_to=message,
    )
    node.record(
        conn, "match.answered", {"message": message.id, "kind": kind.value, "elements": size, "budget": left}
    )


def on_answer(node: Node, conn: Connection, message: Message) -> None:
    """The partner's answer: compute what both hold, and let the secret side go."""
    body = bodies.check(message)
    assert isinstance(body, bodies.Match)
    here = tables.match.c.conversation == message.conversation
    row = conn.execute(select(tables.match).where(here)).one_or_none()
    if row is None or row.peer != message.sender or row.answered:
        raise Conflict(
            f"no match with {message.sender} waits for an answer in this conversation",
            remedy="answer each offer once, in its own conversation",
        )
    common = match.Client.restore(row.state).intersection(bodies.unpack(body.payload))
    conn.execute(
        update(tables.match)
        .where(here)
        .values(state=b"", common=json.dumps(common), answered=node.clock().isoformat())
    )
    node.record(conn, "match.learned", {"message": message.id, "peer": row.peer, "common": len(common)})


def results(node: Node) -> tuple[Common, ...]:
    """Every match this node has asked for, the oldest first."""
    with node.act() as conn:
        rows = conn.execute(select(tables.match).order_by(tables.match.c.asked, tables.match.c.conversation))
        return tuple(
            Common(
                row.conversation,
                row.peer,
                datetime.fromisoformat(row.asked),
                tuple(json.loads(row.common)) if row.answered else None,
            )
            for row in rows
        )


def ask_common(node: Node, peer: str) -> Message:
    """Ask a partner about every subject that matches found in common, giving this side's figures.

    Raises Conflict when nothing is in common yet.
    """
    keys = frozenset(key for one in results(node) if one.peer == peer for key in one.keys or ())
    if not keys:
        raise Conflict(f"nothing in common with {peer}", remedy="run a match, and wait for its answer")
    with node.act() as conn:
        shown = about(watched(conn, own=node), keys)
        ours = [pseudonymous(item, key) for item in shown for key in item.keys]
        body = bodies.Request(
            facts=f"{len(keys)} subjects are watched in both countries.",
            reasons=tuple(dict.fromkeys(finding.reasons[0] for finding in ours))[:20],
            link="Institutions of the requested country watch the same subjects, as the match has shown.",
            intended_use="Intelligence on money laundering; not evidence, and not to be passed on.",
            items=("For each subject: the indicator, its figures, and the accounts concerned.",),
            subjects=tuple(subject for key in sorted(keys) if (subject := subject_of(key))),
            accounts=tuple(a for key in sorted(keys) if (a := _account(key))),
            findings=tuple(ours),
        )
        return send(
            node,
            conn,
            MessageKind.REQUEST,
            peer,
            bodies.plain(body),
            purpose=PURPOSE,
            sources=told_in(conn, node, shown),
        )


def _account(key: str) -> AccountId | None:
    kind, _, value = key.partition("|")
    return AccountId.parse(value) if kind in ("wallet", "account") else None


def join(node: Node) -> tuple[Finding, ...]:
    """Add up what institutions and partners told about each subject; new alerts are kept as findings."""
    from comity.monitoring.joint import combine

    found: dict[str, list[Finding]] = {}
    with node.act() as conn:
        for item in all_watched(conn):
            told = found.setdefault(item.source, [])
            told.extend(replace(item.finding, subject=key) for key in item.keys)
        alerts = [one for one in joint.join(found, combine) if one.level is Level.ALERT]
        node.cases.save_findings(conn, alerts)
        node.record(conn, "findings.joined", {"sources": len(found), "alerts": len(alerts)})
    return tuple(alerts)


def _only_to_an_fiu(node: Node, asked: Message) -> None:
    if node.directory.member(asked.sender).institution.role is not Role.FIU:
        raise Refused(
            f"{asked.sender} is no FIU, and is told nothing of what is watched here",
            why="institutions find together through their FIU (ADR 0009)",
            remedy="leave it unanswered",
        )


def _require_fiu(node: Node) -> None:
    if node.institution.role is not Role.FIU:
        raise NotFound(
            f"{node.settings.id} is no FIU",
            why="institutions find together through their FIU (ADR 0009)",
            remedy="ask your FIU",
        )

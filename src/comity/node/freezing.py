"""Freezes between nodes: one FIU asks another, which orders its own institutions, which freeze and answer.

A foreign authority has no power over an institution abroad: its request becomes a measure of the
requested country, under that country's law, or it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, insert, select

from comity.enforcement import freeze
from comity.errors import Conflict, NotFound, Refused
from comity.exchange import bodies
from comity.model import (
    AccountId,
    Case,
    Deadline,
    Measure,
    MeasureState,
    Message,
    MessageKind,
    OnwardUse,
    Power,
    Provision,
    Role,
    Verdict,
)
from comity.node import tables
from comity.node.hops import evidence
from comity.node.node import Node
from comity.node.sending import link_once, send
from comity.node.watching import accounts_of
from comity.standard.resolve import resolve

POWERS = ("freeze.fiu.account", "freeze.fiu.transaction")
PURPOSE = "money_laundering"  # the powers of an FIU, and the gateways for them, are of its AML law
DAYS = {"hour": 1 / 24, "calendar_day": 1, "working_day": 1, "business_day": 1, "month": 30, "year": 365}


def power_of(node: Node, jurisdiction: str) -> tuple[Provision, Power]:
    """The power by which the FIU of a country may have an account frozen.

    Raises Refused when its law gives none: what only the standard recommends is no power.
    """
    for question in POWERS:
        found = resolve(node.standard, jurisdiction, question, node.clock().date())
        if found.provision is not None and isinstance(found.provision.value, Power) and found.binding:
            return found.provision, found.provision.value
    raise Refused(
        f"the FIU of {jurisdiction.upper()} has no known power to freeze",
        why=f"its law answers none of {', '.join(POWERS)}",
        remedy="ask its law enforcement or a court for the freeze, by mutual legal assistance",
    )


def lasting(limit: Deadline | None) -> timedelta | None:
    """A limit in law as time, counted short (a month is 30 days, working days are days); None: none known."""
    return timedelta(days=limit.amount * DAYS[limit.unit]) if limit and limit.unit in DAYS else None


def ask(
    node: Node, recipient: str, accounts: Sequence[AccountId], *, case_id: str, by: str, grounds: str
) -> Message:
    """Ask another FIU, or order an own institution, to freeze accounts of a case.

    Raises Conflict unless a person decided the case with the verdict freeze; NoGateway, Refused, BadInput.
    """
    with node.act() as conn:
        case = node.cases.get(conn, case_id)
        if not any(decision.verdict is Verdict.FREEZE for decision in case.decisions):
            raise Conflict(
                f"case {case_id} has no decision to freeze",
                why="a person decides whose property is frozen",
                remedy="decide the case with the verdict freeze first",
            )
        _belong(node, conn, case, accounts)
        message = _request(node, conn, recipient, accounts, case_id=case_id, by=by, grounds=grounds)
        node.cases.record_act(conn, case_id, f"freeze asked of {recipient}")
    return message


def _belong(node: Node, conn: Connection, case: Case, accounts: Sequence[AccountId]) -> None:
    """A decision about a case covers its own accounts only: its subjects', and those in its transfers."""
    own = set(case.subjects)
    for subject in case.subjects:
        own |= {str(account) for account in accounts_of(conn, subject)}
    for transfer in evidence(node, case.findings):
        own |= {str(transfer.originator), str(transfer.beneficiary)}
    for account in accounts:
        if str(account) not in own:
            raise Refused(
                f"account {account} does not belong to case {case.id}",
                why="it is no subject of the case, of none of its transfers, and nobody told of it for one",
                remedy="check the account; if it does belong, open a case on a finding about it",
            )


def _request(
    node: Node,
    conn: Connection,
    recipient: str,
    accounts: Sequence[AccountId],
    *,
    case_id: str,
    by: str,
    grounds: str,
) -> Message:
    """The message and this node's own entry of the measure, both under the message's id."""
    holder = node.directory.member(recipient).institution
    own = holder.jurisdictions[0] == node.institution.jurisdictions[0]
    if own:
        provision, power = power_of(node, node.institution.jurisdictions[0])
        basis, confidence, duration = provision.source, provision.confidence, lasting(power.duration)
    else:
        provision, power = power_of(node, holder.jurisdictions[0])
        basis = f"Request between FIUs; to be executed under {provision.source}"
        confidence, duration = provision.confidence, lasting(power.duration)
    body = bodies.FreezeRequest(tuple(accounts), basis, grounds)
    message = send(
        node,
        conn,
        MessageKind.FREEZE_REQUEST,
        recipient,
        bodies.plain(body),
        purpose=PURPOSE,
        onward=OnwardUse.FREE,
        caveats=("Do not tell the account holder.",),
        case_id=case_id,
    )
    measure = freeze.order(
        measure_id=message.id,
        ordered_by=node.settings.id,
        served_on=recipient,
        accounts=accounts,
        legal_basis=basis,
        confidence=confidence,
        ordered=node.clock(),
        duration=duration,
        case_id=case_id,
        grounds=grounds,
    )
    node.freezes.request(conn, measure, by=by)
    return message


def carry_out(node: Node, message_id: str, *, by: str) -> tuple[Message, ...]:
    """A person at the requested FIU has the accounts frozen by the own institutions that hold them.

    Raises NotFound when no institution of this country holds one, Refused when its FIU has no power.
    """
    with node.act() as conn:
        asked = node.mailbox.incoming(conn, message_id).message
        body = bodies.check(asked)
        if not isinstance(body, bodies.FreezeRequest) or node.institution.role is not Role.FIU:
            raise Conflict(
                f"message {message_id} is not a freeze request to an FIU", remedy="name a freeze request"
            )
        if _ordered_for(conn, asked.sender, asked.id):
            raise Conflict(f"freeze request {message_id} is carried out already", remedy="see the freezes")
        held = {a: a.institution for a in body.accounts if a.institution in node.parties}
        own = node.institution.jurisdictions[0]
        holders = {i for i in held.values() if i and node.parties[i].jurisdictions[0] == own}
        if not holders:
            raise NotFound(
                "no institution of this country holds any of these accounts",
                remedy="refuse the request, saying so",
            )
        case = node.cases.open_case(
            conn, f"Freeze request from {asked.sender}", [str(a) for a in body.accounts], (), ()
        )
        link_once(conn, asked, case.id)
        node.record(
            conn,
            "case.transfers",
            {"message": asked.id},
            hop="transfer",
            case_id=case.id,
            text=f"{asked.sender} asked to freeze {len(body.accounts)} accounts",
            law=asked.handling.legal_basis,
        )
        decision = node.cases.decide(conn, case.id, Verdict.FREEZE, by, body.grounds)
        node.record(
            conn,
            "case.decided",
            {"decision": decision.id, "verdict": "freeze", "by": by},
            hop="decision",
            case_id=case.id,
            text=f"{by} decided: freeze. {body.grounds}",
        )
        ordered = []
        for holder in sorted(holders):
            theirs = [account for account, at in held.items() if at == holder]
            order = _request(node, conn, holder, theirs, case_id=case.id, by=by, grounds=body.grounds)
            conn.execute(
                insert(tables.on_behalf).values(measure_id=order.id, sender=asked.sender, message_id=asked.id)
            )
            ordered.append(order)
    return tuple(ordered)


def _ordered_for(conn: Connection, sender: str, message_id: str) -> list[str]:
    """The measures ordered here to carry out a partner's request."""
    here = tables.on_behalf.c
    found = select(here.measure_id).where(here.sender == sender, here.message_id == message_id)
    return list(conn.execute(found.order_by(here.measure_id)).scalars())


def on_request(node: Node, conn: Connection, message: Message) -> None:
    """A freeze request came in. An institution carries out its own FIU's order at once; an FIU lets a
    person decide."""
    if node.institution.role not in (Role.VASP, Role.BANK):
        return
    body = bodies.check(message)
    assert isinstance(body, bodies.FreezeRequest)
    own = tuple(account for account in body.accounts if str(account) in node.customers)
    provision, power = power_of(node, node.institution.jurisdictions[0])
    if own:
        measure = freeze.order(
            measure_id=message.id,
            ordered_by=message.sender,
            served_on=node.settings.id,
            accounts=own,
            legal_basis=body.legal_basis,
            confidence=provision.confidence,
            ordered=message.created,
            duration=lasting(power.duration),
            grounds=body.grounds,
        )
        node.freezes.request(conn, measure, by=message.sender)
        node.freezes.serve(conn, measure.id, by=message.sender)
        node.freezes.acknowledge(conn, measure.id, by=node.settings.id)
        answer = bodies.FreezeReply(
            MeasureState.IN_FORCE,
            f"{len(own)} of {len(body.accounts)} accounts are held here and are frozen.",
            measure_id=measure.id,
            accounts=own,
            until=measure.until,
        )
    else:
        answer = bodies.FreezeReply(MeasureState.REFUSED, "None of the accounts is held here.")
    node.record(
        conn,
        "freeze.in_force" if own else "freeze.refused",
        {"measure": message.id, "ordered_by": message.sender, "accounts": len(own)},
    )
    send(
        node,
        conn,
        MessageKind.FREEZE_REPLY,
        message.sender,
        bodies.plain(answer),
        purpose=PURPOSE,
        onward=OnwardUse.FREE,
        in_reply_to=message,
    )


def on_reply(node: Node, conn: Connection, message: Message) -> None:
    """The answer to a freeze this node asked for.

    When it was asked on a partner's behalf, the partner gets one answer once every holder has given its own.
    """
    body = bodies.check(message)
    assert isinstance(body, bodies.FreezeReply)
    measure = node.freezes.get(conn, message.in_reply_to)
    if measure.served_on != message.sender:
        raise Refused(
            f"freeze {measure.id} was not asked of {message.sender}", remedy="answer what you were asked"
        )
    node.freezes.serve(conn, measure.id, by=message.sender)
    refused = body.state is not MeasureState.IN_FORCE
    node.freezes.acknowledge(conn, measure.id, by=message.sender, refused=refused, reason=body.explanation)
    _note(node, conn, measure, body)
    asked = conn.execute(
        select(tables.on_behalf).where(tables.on_behalf.c.measure_id == measure.id)
    ).one_or_none()
    if asked is not None:
        request = node.mailbox.get(conn, asked.sender, asked.message_id).message
        _pass_on(node, conn, request, measure.case_id)


def _pass_on(node: Node, conn: Connection, request: Message, case_id: str) -> None:
    """Answer a partner's freeze request, unless a holder's answer is still out or it is answered."""
    answers = []
    for measure_id in _ordered_for(conn, request.sender, request.id):
        served_on = node.freezes.get(conn, measure_id).served_on
        theirs = [m for m in node.mailbox.conversation(conn, measure_id) if m.sender == served_on]
        told = [m for m in theirs if m.in_reply_to == measure_id and m.kind is MessageKind.FREEZE_REPLY]
        answers.append(told[0] if told else None)
    given = [answer for answer in answers if answer is not None]
    if len(given) < len(answers) or node.mailbox.answers(conn, request):
        return
    said = [body for body in map(bodies.check, given) if isinstance(body, bodies.FreezeReply)]
    held = [body for body in said if body.state is MeasureState.IN_FORCE]
    reply = bodies.FreezeReply(
        MeasureState.IN_FORCE if held else MeasureState.REFUSED,
        " ".join(f"{m.sender}: {body.explanation}" for m, body in zip(given, said, strict=True)),
        measure_id=", ".join(body.measure_id for body in held),
        accounts=tuple(account for body in held for account in body.accounts),
        until=min((body.until for body in held if body.until), default=None),
    )
    send(
        node,
        conn,
        MessageKind.FREEZE_REPLY,
        request.sender,
        bodies.plain(reply),
        purpose=PURPOSE,
        onward=OnwardUse.WITH_CONSENT,
        sources=given,
        in_reply_to=request,
        case_id=case_id,
    )


def _note(node: Node, conn: Connection, measure: Measure, body: bodies.FreezeReply) -> None:
    until = f" until {body.until:%Y-%m-%d}" if body.until else ""
    word = body.state.value.replace("_", " ")
    node.record(
        conn,
        "freeze.answered",
        {"measure": measure.id, "state": body.state.value},
        hop="act",
        case_id=measure.case_id,
        text=f"Freeze at {measure.served_on}: {word}{until}. {body.explanation}",
        law=measure.legal_basis,
    )

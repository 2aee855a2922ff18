"""A node as its web pages see it: `NodeView` on top of `Node`. Reads, and two acts; no rules of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select

from comity import plugins
from comity.app.web.view import (
    Entry,
    Event,
    File,
    Filed,
    FindingOrder,
    Head,
    Hop,
    Parcel,
    Slice,
    Task,
)
from comity.errors import ComityError, NotFound
from comity.exchange import bodies
from comity.exchange.mailbox import Incoming, Outgoing
from comity.model import (
    AccountId,
    Attribution,
    Case,
    CaseState,
    Columns,
    Finding,
    Institution,
    Level,
    Measure,
    MessageKind,
    Transfer,
    Verdict,
)
from comity.node import filing, hops, tables
from comity.node.node import Node
from comity.standard.law import Standard

SOON = timedelta(days=30)
TO_ANSWER = frozenset({MessageKind.REQUEST, MessageKind.FREEZE_REQUEST})


class Desk:
    """The node's operators' desk. See `comity.app.web.view.NodeView` for what each method answers."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._attributed: tuple[object, Mapping[str, Attribution]] | None = None

    def identity(self) -> Institution:
        return self._node.institution

    def counts(self) -> Mapping[str, int]:
        node = self._node
        with node.act() as conn:
            received, sent = node.mailbox.counts(conn)
            return {
                "alerts": node.cases.count_findings(conn, Level.ALERT),
                "watched": node.cases.count_findings(conn, Level.WATCH),
                "open cases": node.cases.count_cases(conn, CaseState.OPEN),
                "freezes": len(node.freezes.list_measures(conn)),
                "messages received": received,
                "messages sent": sent,
                "events in the audit log": node.audit.size(conn),
            }

    def tasks(self, limit: int) -> Sequence[Task]:
        node = self._node
        with node.act() as conn:
            due = node.cases.due(conn, node.clock() + SOON)
            waiting = node.cases.list_cases(conn, CaseState.OPEN, limit=limit)
            loose = node.cases.alerts_in_no_case(conn, limit)
            asked = [
                item.message
                for item in node.mailbox.received(conn, 200)
                if item.message.kind in TO_ANSWER and not node.mailbox.answers(conn, item.message)
            ]
        found = [
            Task(
                "case", one.case_id, f"{one.duty.what} ({one.title})", one.duty.due, one.duty.provision.source
            )
            for one in due
        ]
        found += [Task("message", m.id, f"{m.kind.value.replace('_', ' ')} from {m.sender}") for m in asked]
        found += [Task("case", case.id, f"Decide: {case.title}") for case in waiting]
        found += [Task("finding", one.id, f"Alert in no case: {one.reasons[0]}") for one in loose]
        return found[:limit]

    def findings(
        self,
        *,
        level: Level | None,
        rule: str,
        order: FindingOrder,
        descending: bool,
        limit: int,
        offset: int,
    ) -> Slice[Finding]:
        cases = self._node.cases
        with self._node.act() as conn:
            found = cases.list_findings(
                conn,
                level,
                rule=rule or None,
                limit=limit,
                offset=offset,
                order=order.value,
                descending=descending,
            )
            return Slice(found, cases.count_findings(conn, level, rule or None))

    def rules(self) -> Sequence[str]:
        with self._node.act() as conn:
            return self._node.cases.rules(conn)

    def finding(self, finding_id: str) -> Finding:
        with self._node.act() as conn:
            return self._node.cases.finding(conn, finding_id)

    def evidence(self, finding_id: str) -> Sequence[Transfer]:
        return hops.evidence(self._node, [self.finding(finding_id)])

    def case_of(self, finding_id: str) -> str:
        with self._node.act() as conn:
            return self._node.cases.case_of_finding(conn, finding_id)

    def open_case(self, finding_ids: Sequence[str], title: str) -> Case:
        return hops.open_case(self._node, finding_ids, title)

    def cases(self, *, state: CaseState | None, limit: int, offset: int) -> Slice[Case]:
        with self._node.act() as conn:
            found = self._node.cases.list_cases(conn, state, limit, offset)
            return Slice(found, self._node.cases.count_cases(conn, state))

    def case(self, case_id: str) -> Case:
        with self._node.act() as conn:
            return self._node.cases.get(conn, case_id)

    def case_events(self, case_id: str) -> Sequence[Event]:
        node = self._node
        with node.act() as conn:
            rows = conn.execute(
                select(tables.event).where(tables.event.c.case_id == case_id).order_by(tables.event.c.idx)
            ).all()
            found = []
            for row in rows:
                receipt = node.audit.receipt(conn, row.idx)
                found.append(Event(Hop(row.hop), receipt.at, row.text, row.law, receipt))
        return found

    def case_flow_svg(self, case_id: str) -> str:
        from comity.tracing.draw import flow_svg

        case = self.case(case_id)
        transfers = hops.evidence(self._node, case.findings)
        sides = [(t.originator, t.originator_party) for t in transfers]
        sides += [(t.beneficiary, t.beneficiary_party) for t in transfers]
        labels = {str(account): party.name for account, party in sides if party and party.name}
        labels |= {account: party.name for account, party in self._node.customers.items()}
        return flow_svg(transfers, title=case.title, labels=labels) if transfers else ""

    def case_messages(self, case_id: str) -> Sequence[Parcel]:
        with self._node.act() as conn:
            here = tables.case_message.c
            rows = conn.execute(select(here.message_id, here.sender).where(here.case_id == case_id)).all()
            own, box = self._node.settings.id, self._node.mailbox
            found = [
                box.outgoing(conn, row.message_id)
                if row.sender == own
                else box.get(conn, row.sender, row.message_id)
                for row in rows
            ]
        return [self._parcel(item) for item in sorted(found, key=lambda item: item.message.created)]

    def decide(self, case_id: str, verdict: Verdict, by: str, grounds: str) -> Case:
        return hops.decide(self._node, case_id, verdict, by, grounds)

    def reports(self, case_id: str) -> Sequence[Filed]:
        with self._node.act() as conn:
            held = [self._node.cases.report(conn, r.id) for r in self._node.cases.reports(conn, case_id)]
        found = []
        for one in held:
            plugin = plugins.load("reports", one.format)
            problems = tuple(f"{p.where}: {p.what}" for p in plugin.check(one.data, None))
            try:
                recipient = self._node.own_fiu()
            except ComityError:
                recipient = ""
            sent = filing.filed(one) in self.case(case_id).acts
            found.append(Filed(one.id, plugin.SPEC.title, recipient, one.at, problems, sent))
        return found

    def report_formats(self) -> Mapping[str, str]:
        return {name: plugins.load("reports", name).SPEC.title for name in plugins.names("reports")}

    def draft_report(self, case_id: str, form: str) -> None:
        filing.draft(self._node, case_id, form)

    def file_report(self, report_id: str) -> str:
        filing.file(self._node, report_id)
        with self._node.act() as conn:
            return self._node.cases.report(conn, report_id).case_id

    def report_file(self, report_id: str) -> File:
        with self._node.act() as conn:
            held = self._node.cases.report(conn, report_id)
        return File(held.filename, "application/xml", held.data)

    def law(self) -> Standard:
        return self._node.standard

    def flows(self) -> Mapping[tuple[str, str], float]:
        if not self._node.has_ledger():
            return {}
        pairs = self._node.ledger().volume_by_country_pair()
        return {(origin, target): float(value) for origin, target, _, value in pairs}

    def columns(self) -> Columns:
        if not self._node.has_ledger():
            raise NotFound("this node has no ledger", remedy="read a file of transfers into it first")
        return self._node.ledger().columns()

    def attributions(self) -> Mapping[str, Attribution]:
        from comity.screening.attribute import attributions

        files = sorted(self._node.paths.lists.glob("*.jsonl.gz"))
        mark = tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
        if self._attributed is None or self._attributed[0] != mark:
            self._attributed = mark, attributions(self._node.lists.listings())
        return self._attributed[1]

    def names(self) -> Mapping[str, str]:
        called = {account: party.name for account, party in self._node.customers.items() if party.name}
        often = Counter(called.values())
        return {
            account: name if often[name] == 1 else f"{name} ({AccountId(account).address})"
            for account, name in called.items()
        }

    def inbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        with self._node.act() as conn:
            found = self._node.mailbox.received(conn, limit, offset)
            total, _ = self._node.mailbox.counts(conn)
        return Slice([self._parcel(item) for item in found], total)

    def outbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        with self._node.act() as conn:
            found = self._node.mailbox.sent(conn, limit, offset)
            _, total = self._node.mailbox.counts(conn)
        return Slice([self._parcel(item) for item in found], total)

    def message(self, message_id: str) -> Parcel:
        with self._node.act() as conn:
            found = self._node.parcel(conn, message_id)
        return self._parcel(found)

    def message_document(self, message_id: str) -> File:
        with self._node.act() as conn:
            body = bodies.check(self._node.parcel(conn, message_id).message)
        if not isinstance(body, bodies.Filing):
            raise NotFound(f"message {message_id} carries no document", remedy="read its content")
        return File(body.reference, "application/xml", bodies.unpack(body.document))

    def _parcel(self, item: Incoming | Outgoing) -> Parcel:
        message = item.message
        with self._node.act() as conn:
            case_id = self._node.case_of_conversation(conn, message.conversation)
            if isinstance(item, Outgoing):
                return Parcel(message, False, item.state.value, case_id)
            waiting = message.kind in TO_ANSWER and not self._node.mailbox.answers(conn, message)
        state = "to answer" if waiting else "done" if item.processed else "received"
        return Parcel(message, True, state, case_id)

    def freezes(self) -> Sequence[Measure]:
        with self._node.act() as conn:
            return self._node.freezes.list_measures(conn)

    def audit(self, *, start: int, limit: int) -> Sequence[Entry]:
        with self._node.act() as conn:
            found = self._node.audit.entries(conn, start, limit)
        return [
            Entry(e.index, e.at, e.kind, ", ".join(f"{k} {_said(v)}" for k, v in e.body.items()), e.leaf_hash)
            for e in found
        ]

    def audit_head(self) -> Head:
        node = self._node
        with node.act() as conn:
            head = node.audit.head(conn)
        return Head(node.settings.id, head.size, head.root, node.clock())

    def verify_audit(self) -> Head:
        node = self._node
        head = node.verify()
        return Head(node.settings.id, head.size, head.root, node.clock())


def _said(value: object) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)

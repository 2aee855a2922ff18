"""Hop 5, the report: a decided case becomes a file in the FIU's format, is checked, and is filed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from comity import flow, plugins
from comity.casework.reports import StoredReport
from comity.errors import BadInput, Conflict
from comity.exchange import bodies
from comity.model import Message, MessageKind, OnwardUse, Transfer
from comity.node.hops import evidence
from comity.node.node import Node
from comity.node.sending import send

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rendered report; ``problems`` is what the format's own rules found, empty when it may be filed."""

    id: str
    format: str
    filename: str
    bytes: int
    problems: tuple[str, ...]


def draft(node: Node, case_id: str, form: str) -> Drafted:
    """Render a decided case in a format (goaml, fincen_sar), check it and keep it.

    Raises Refused without a decision to report, BadInput when a mandatory fact is missing.
    """
    with node.act() as conn:
        case = node.cases.get(conn, case_id)
    transfers = in_local_currency(node, evidence(node, case.findings))
    accounts = {str(a) for t in transfers for a in (t.originator, t.beneficiary)} | set(case.subjects)
    now = node.clock()
    reference = f"{node.settings.id}-{now:%Y%m%d}-{case_id[:8]}"
    _, data = flow.act(
        case,
        transfers,
        filer=node.institution,
        recipient=node.own_fiu(),
        officer=node.settings.officer,
        parties={account: party for account, party in node.customers.items() if account in accounts},
        currency=node.settings.local_currency,
        created=now,
        reference=reference,
        form=form,
        options=node.settings.report_options(form),
    )
    plugin = plugins.load("reports", form)
    problems = tuple(f"{p.where}: {p.what}" for p in plugin.check(data, None))
    filename = f"{reference}-{form}{plugin.SPEC.suffix}"
    with node.act() as conn:
        report_id = node.cases.save_report(conn, case_id, form, filename, data)
        node.record(
            conn,
            "report.drafted",
            {"report": report_id, "format": form, "bytes": len(data), "problems": len(problems)},
            hop="act",
            case_id=case_id,
            text=f"Report drafted as {plugin.SPEC.title}, {len(problems)} problems",
        )
    return Drafted(report_id, form, filename, len(data), problems)


def in_local_currency(node: Node, transfers: Sequence[Transfer]) -> tuple[Transfer, ...]:
    """The transfers with their values in the currency of the node's reports. Raises BadInput."""
    local = node.settings.local_currency
    if node.settings.reference == f"iso4217:{local}":
        return tuple(transfers)
    rate = node.settings.exchange_rates.get(local)
    if not rate:
        raise BadInput(
            f"no rate from {node.settings.reference} to {local}",
            why="a report states amounts in the local currency",
            remedy=f"add {local}=VALUE to rates in node.toml",
        )
    return tuple(
        replace(t, value=None if t.value is None else (t.value / rate).quantize(CENT)) for t in transfers
    )


def file(node: Node, report_id: str) -> Message:
    """Send a drafted report to the node's own FIU. Raises BadInput while it has problems, Conflict when
    it was filed before."""
    with node.act() as conn:
        held = node.cases.report(conn, report_id)
        act = filed(held)
        if act in node.cases.get(conn, held.case_id).acts:
            raise Conflict(f"report {report_id} is filed already", remedy="see the case's messages")
        problems = plugins.load("reports", held.format).check(held.data, None)
        if problems:
            raise BadInput(
                f"report {report_id} has {len(problems)} problems",
                why=f"{problems[0].where}: {problems[0].what}",
                remedy=problems[0].remedy or "correct the case and draft it again",
            )
        body = bodies.Filing(held.format, held.filename, bodies.pack(held.data))
        message = send(
            node,
            conn,
            MessageKind.REPORT,
            node.own_fiu(),
            bodies.plain(body),
            purpose="money_laundering",
            onward=OnwardUse.FREE,
            caveats=("Do not tell the customer or third parties.",),
            case_id=held.case_id,
        )
        node.cases.record_act(conn, held.case_id, act, discharges=("report_suspicion",))
    return message


def filed(report: StoredReport) -> str:
    """What a case's acts say once this very report is filed."""
    return f"report {report.filename} (SHA-256 {report.digest[:12]}) filed"

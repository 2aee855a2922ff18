"""Hops 1 to 4 on a node: each runs `comity.flow` and leaves its event in the audit log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import Connection, select

from comity import flow, intake
from comity.audit.tables import leaf
from comity.errors import BadInput, Conflict
from comity.model import Case, Finding, Level, Transfer, Verdict
from comity.node.node import Node, read_customers

if TYPE_CHECKING:
    from comity.ledger.ingest import IngestSummary
    from comity.ledger.store import Rates
    from comity.monitoring.run import Outcome
    from comity.screening.store import LoadSummary

MOST_FINDINGS = 50
MOST_EVIDENCE = 2_000


def load_lists(node: Node, path: Path | None) -> list[LoadSummary]:
    """Hop 1 for lists: store an authority's file (None: the extracts that ship with Comity)."""
    lists = node.lists
    loaded = [lists.load(path, now=node.clock())] if path else lists.bundled(node.clock())
    with node.act() as conn:
        for one in loaded:
            node.record(
                conn,
                "list.loaded",
                {"list": one.list, "version": one.version, "sha256": one.sha256, "entries": one.entries},
            )
    return loaded


def ingest(
    node: Node,
    path: Path,
    *,
    chain: str | None = None,
    options: Mapping[str, str] | None = None,
    rates: Rates | None = None,
    wrap: Callable[[BinaryIO], BinaryIO] | None = None,
) -> IngestSummary:
    """Hop 1: read a file into the node's ledger. Raises BadInput, Conflict; then nothing has changed.

    The ledger is not in the database: a crash between the two leaves transfers without their entry in
    the log, which `account_for_ledger` makes up for.
    """
    account_for_ledger(node)
    summary = flow.read(
        path, node.ledger(), now=node.clock(), chain=chain, options=options, rates=rates, wrap=wrap
    )
    with node.act() as conn:
        node.record(
            conn,
            "ledger.ingested",
            {"file": path.name, "chain": summary.chain, "transfers": summary.transfers},
        )
    return summary


def account_for_ledger(node: Node) -> int:
    """Enter in the log transfers that came to the ledger without an entry of their own; how many."""
    kinds = ("ledger.ingested", "ledger.found")
    with node.act() as conn:
        bodies = conn.execute(select(leaf.c.body).where(leaf.c.kind.in_(kinds))).scalars()
        logged = sum(json.loads(body)["transfers"] for body in bodies)
        found = node.ledger().recorded - logged if node.has_ledger() else 0
        if found > 0:
            node.record(conn, "ledger.found", {"transfers": found})
    return max(found, 0)


def load_customers(node: Node, path: Path) -> int:
    """Take in the node's own customers (JSON Lines of account and party), in place of those it has.

    Raises BadInput, also for a file without any; TooLarge.
    """
    draft = node.paths.customers.with_suffix(".new")
    try:
        with intake.open_source(path) as given:
            draft.touch(mode=0o600)
            with draft.open("wb") as copy:
                shutil.copyfileobj(given, copy)
        customers = read_customers(draft)
        if not customers:
            raise BadInput(f"{path.name} names no customer", remedy="give the file of all customers")
        draft.replace(node.paths.customers)
    finally:
        draft.unlink(missing_ok=True)
    with node.act() as conn:
        node.record(conn, "customers.loaded", {"accounts": len(customers)})
    return len(customers)


def detect(
    node: Node, *, only: Sequence[str] | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Outcome:
    """Hop 2: monitor the whole ledger and screen its accounts. Findings are kept; known ones stay."""
    ledger = node.ledger()
    listings = tuple(node.lists.listings())
    rates = rates_of(node) if ledger.reference.currency == "USD" else None
    knowledge = flow.know(listings, node.standard, reference=ledger.reference, rates=rates)
    state = node.paths.monitored if only is None else None
    outcome = flow.detect(ledger, listings, only=only, knowledge=knowledge, state=state, progress=progress)
    found = outcome.findings
    with node.act() as conn:
        new = node.cases.save_findings(conn, found)
        alerts = sum(finding.level is Level.ALERT for finding in found)
        node.record(
            conn,
            "findings.made",
            {
                "transfers": len(ledger),
                "findings": len(found),
                "alerts": alerts,
                "new": new,
                "unfinished": {one.rule: len(one.accounts) for one in outcome.unfinished},
            },
        )
    return outcome


def rates_of(node: Node) -> dict[str, Decimal]:
    """Units of the reference currency for one unit of each currency the law speaks of."""
    return {"USD": Decimal(1), **node.settings.exchange_rates}


def evidence(node: Node, findings: Sequence[Finding]) -> tuple[Transfer, ...]:
    """The transfers the findings rest on that this node's ledger holds, in time order.

    Evidence may also be entries of lists, or transfers that only a partner holds: these are passed over.
    """
    wanted = list(dict.fromkeys(item for finding in findings for item in finding.evidence))
    if not node.has_ledger():
        return ()
    found = node.ledger().find(wanted[:MOST_EVIDENCE])
    return tuple(sorted(found.values(), key=lambda transfer: (transfer.time, transfer.id)))


def open_case(node: Node, finding_ids: Sequence[str], title: str = "") -> Case:
    """Hops 2 and 3 for a case: attach findings, and the duties of every country their transfers touch.

    Raises BadInput for none or too many findings, NotFound, and Conflict when one is in a case already.
    """
    if not 0 < len(finding_ids) <= MOST_FINDINGS:
        raise BadInput(
            f"a case of {len(finding_ids)} findings", remedy=f"name between 1 and {MOST_FINDINGS} findings"
        )
    with node.act() as conn:
        findings = [node.cases.finding(conn, finding_id) for finding_id in finding_ids]
        for finding in findings:
            if node.cases.case_of_finding(conn, finding.id):
                raise Conflict(f"finding {finding.id} is in a case already", remedy="open that case")
        transfers = evidence(node, findings)
        duties = flow.oblige(
            node.standard,
            transfers,
            findings,
            parties=node.parties,
            on=node.clock(),
            rates=rates_of(node),
        )
        subjects = list(dict.fromkeys(finding.subject for finding in findings))
        case = node.cases.open_case(conn, title or findings[0].reasons[0], subjects, findings, duties)
        _record_hops(node, conn, case, transfers)
    return case


def _record_hops(node: Node, conn: Connection, case: Case, transfers: Sequence[Transfer]) -> None:
    countries = sorted({duty.jurisdiction.upper() for duty in case.duties})
    if transfers:
        span = f"{transfers[0].time:%Y-%m-%d} to {transfers[-1].time:%Y-%m-%d}"
        said = f"{len(transfers)} transfers, {span}"
    else:
        said = "No transfers of this node's own ledger: the findings came from partners"
    node.record(
        conn,
        "case.transfers",
        {"transfers": len(transfers)},
        hop="transfer",
        case_id=case.id,
        text=said,
    )
    for finding in case.findings:
        node.record(
            conn,
            "case.finding",
            {"finding": finding.id, "rule": finding.rule, "level": finding.level.value},
            hop="finding",
            case_id=case.id,
            text=finding.reasons[0],
            law=finding.source,
        )
    node.record(
        conn,
        "case.duties",
        {"duties": len(case.duties), "countries": countries},
        hop="duty",
        case_id=case.id,
        text=f"{len(case.duties)} duties in {', '.join(countries)}"
        if case.duties
        else "No duties computed: this node holds no transfers of the case to compute them from",
    )


def decide(node: Node, case_id: str, verdict: Verdict, by: str, grounds: str) -> Case:
    """Hop 4: a named person's decision about a case. What it asks for is done by the act that follows."""
    with node.act() as conn:
        decision = flow.decide(conn, node.cases, case_id, verdict, by=by, grounds=grounds)
        node.record(
            conn,
            "case.decided",
            {"decision": decision.id, "verdict": verdict.value, "by": by},
            hop="decision",
            case_id=case_id,
            text=f"{by} decided: {verdict.value}. {grounds}",
        )
        return node.cases.get(conn, case_id)

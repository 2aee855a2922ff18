"""The five hops, in order: Transfer → Finding → Duty → Decision → Act.

Each hop is one function from nouns to nouns; a node runs them and records each in its audit log. Here
the verbs meet, and nowhere else below `comity.node`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from comity import plugins
from comity.model import (
    Case,
    Decision,
    Duty,
    Finding,
    Institution,
    Knowledge,
    Listing,
    Officer,
    Party,
    Report,
    Transfer,
    Verdict,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from comity.casework.store import CaseStore
    from comity.ledger.ingest import IngestSummary
    from comity.ledger.store import Ledger
    from comity.monitoring.run import Engine, Outcome
    from comity.standard.law import Standard


def read(
    path: Path,
    ledger: Ledger,
    *,
    now: datetime,
    chain: str | None = None,
    options: Mapping[str, str] | None = None,
    rates: Mapping[str, Decimal] | None = None,
    wrap: Callable[[BinaryIO], BinaryIO] | None = None,
) -> IngestSummary:
    """Hop 1: a file becomes transfers of the ledger, all of them or none. Raises BadInput, Conflict."""
    from comity.ledger.ingest import ingest

    return ingest(path, ledger, now=now, chain=chain, options=options or {}, rates=rates, wrap=wrap)


def detect(
    ledger: Ledger,
    listings: Iterable[Listing] = (),
    *,
    only: Sequence[str] | None = None,
    parameters: Mapping[str, Mapping[str, float]] | None = None,
    knowledge: Knowledge | None = None,
    engine: Engine | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Outcome:
    """Hop 2: the ledger's transfers against the typologies, its accounts against the lists."""
    from comity.monitoring.run import monitor
    from comity.screening.addresses import WalletIndex

    columns = ledger.columns()
    done = monitor(
        columns, only=only, parameters=parameters, knowledge=knowledge, engine=engine, progress=progress
    )
    hits = tuple(WalletIndex(listings).screen_columns(columns))
    return replace(done, findings=(*hits, *done.findings))


def oblige(
    standard: Standard,
    transfers: Iterable[Transfer],
    findings: Sequence[Finding],
    *,
    parties: Mapping[str, Institution],
    on: datetime,
    rates: Mapping[str, Decimal],
) -> tuple[Duty, ...]:
    """Hop 3: what the law of every country these transfers touch makes whom do, by when.

    A threshold in a currency that ``rates`` lacks is judged at a rough rate, and the duty says so.
    """
    from comity.standard.duties import duties, rough_rates

    rough = rough_rates(standard, rates)

    owed: dict[tuple[str, str, str], Duty] = {}
    for transfer in transfers:
        for duty in duties(
            standard, transfer, parties=parties, on=on, rates=rates, findings=findings, rough=rough
        ):
            key = (duty.jurisdiction, duty.kind, duty.who)
            held = owed.get(key)
            if held is None or (duty.due and (held.due is None or duty.due < held.due)):
                owed[key] = duty
    return tuple(owed[key] for key in sorted(owed))


def decide(
    conn: Connection, cases: CaseStore, case_id: str, verdict: Verdict, *, by: str, grounds: str
) -> Decision:
    """Hop 4: a named person decides, and says why. Raises BadInput, Conflict."""
    return cases.decide(conn, case_id, verdict, by, grounds)


def act(
    case: Case,
    transfers: Sequence[Transfer],
    *,
    filer: Institution,
    recipient: str,
    officer: Officer,
    parties: Mapping[str, Party],
    currency: str,
    created: datetime,
    reference: str,
    form: str,
    options: Mapping[str, str],
) -> tuple[Report, bytes]:
    """Hop 5, the report: a decided case as the file its FIU takes. Raises BadInput when facts are missing.

    ``options`` are the format's own: the filer's number at its FIU, code lists, addresses.
    """
    from comity.casework.draft import draft_report

    report = draft_report(
        case,
        filer=filer,
        recipient=recipient,
        officer=officer,
        transfers=transfers,
        parties=parties,
        currency=currency,
        created=created,
        reference=reference,
    )
    data: bytes = plugins.load("reports", form).render(report, options)
    return report, data

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
    BITCOIN,
    ETHEREUM,
    AssetId,
    Attribution,
    Case,
    Columns,
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
    from comity.ledger.store import Ledger, Rates
    from comity.monitoring.authorise import Authoriser, Policy
    from comity.monitoring.run import Engine, Outcome, Rules
    from comity.monitoring.state import Ended
    from comity.standard.law import Standard


_ISSUING = {
    account: Attribution(account, "new coins", "", ("miner",), 1.0, "the protocol of the chain")
    for account in (f"{BITCOIN}:coinbase", f"{ETHEREUM}:coinbase")
}
"""What no list needs to say: nobody stands behind a block's own reward."""


def read(
    path: Path,
    ledger: Ledger,
    *,
    now: datetime,
    chain: str | None = None,
    options: Mapping[str, str] | None = None,
    rates: Rates | None = None,
    wrap: Callable[[BinaryIO], BinaryIO] | None = None,
) -> IngestSummary:
    """Hop 1: a file becomes transfers of the ledger, all of them or none. Raises BadInput, Conflict.

    ``rates``: worths in the reference asset by asset id, or a table of them with their sources and dates.
    """
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
    state: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Outcome:
    """Hop 2: the ledger's transfers against the typologies, its accounts against the lists.

    With a ``state`` file, what was monitored before by the same rules and knowledge is not read again.
    """
    from comity.monitoring.run import chosen, monitor
    from comity.monitoring.state import Ended, digest, load, save
    from comity.screening.addresses import WalletIndex

    known = knowledge or Knowledge()
    version, columns = ledger.version, ledger.columns()  # in this order: what comes between is seen again
    rests_on = digest(chosen(only, parameters or {}, columns.scale), known, _which(ledger)) if state else ""
    ended = load(state, rests_on) if state else None
    if ended is None or ended.version > version:  # a ledger put back as it was once is begun anew
        done = monitor(
            columns, only=only, parameters=parameters, knowledge=known, engine=engine, progress=progress
        )
    else:
        done = _again(ledger, columns, ended, chosen(only, parameters or {}, columns.scale), known)
    if state:
        save(state, rests_on, Ended(version, done))
    hits = tuple(WalletIndex(listings).screen_columns(columns))
    return replace(done, findings=(*hits, *done.findings))


def _which(ledger: Ledger) -> str:
    """What tells a ledger from another at the same version, or from one made anew in its place: where it
    is, and its lock, which is made with the first append and never written."""
    lock = ledger.path / "lock"
    made = lock.stat() if lock.exists() else None
    return f"{ledger.path.resolve()} {made.st_ino} {made.st_mtime_ns}" if made else ""


def _again(ledger: Ledger, columns: Columns, ended: Ended, rules: Rules, knowledge: Knowledge) -> Outcome:
    """The outcome, from where the last run ended."""
    from comity.monitoring.again import Touched, again
    from comity.monitoring.known import informed

    changes = ledger.changes(ended.version)
    if changes.first is None or changes.last is None:
        return ended.outcome
    touched = Touched(changes.accounts, changes.first, changes.last, changes.corrected)
    return again(informed(columns, knowledge), ended.outcome, touched, rules)


def know(
    listings: Iterable[Listing],
    standard: Standard,
    *,
    reference: AssetId,
    rates: Mapping[str, Decimal] | None = None,
) -> Knowledge:
    """What detection is to know beside the transfers: who is behind accounts, and the law of countries.

    ``rates`` are worths in ``reference``; a threshold in a currency without one is taken at a rough rate,
    and there are none where the reference is no currency and no rate is given.
    """
    from comity.screening.attribute import attributions
    from comity.standard.duties import rough_rates
    from comity.standard.thresholds import limits, regimes

    own = {reference.currency: Decimal(1)} if reference.currency else {}
    given = {**own, **(rates or {})}
    rough = rough_rates(standard, given)
    return Knowledge(
        attributions={**_ISSUING, **attributions(listings)},
        limits=limits(standard, given, rough) if rough else (),
        regimes=regimes(standard),
    )


def authoriser(
    ledger: Ledger,
    listings: Iterable[Listing],
    standard: Standard,
    *,
    monitored: Path | None = None,
    parties: Mapping[str, Institution],
    rates: Mapping[str, Decimal],
    policy: Policy | None = None,
) -> Authoriser:
    """Hops 2 and 3 for one transfer before it is sent: what rules on it, with this state.

    ``monitored`` is the state file of the last `detect`: its alerts hold transfers of their accounts.
    """
    from comity.monitoring.authorise import Authoriser
    from comity.monitoring.state import latest
    from comity.screening.attribute import attributions
    from comity.standard.duties import rough_rates
    from comity.standard.judge import Judge

    own = {ledger.reference.currency: Decimal(1)} if ledger.reference.currency else {}
    given = {**own, **rates}
    judge = Judge(standard, parties=parties, rates=given, rough=rough_rates(standard, given))
    outcome = latest(monitored) if monitored else None
    alerts: dict[str, list[Finding]] = {}
    for finding in outcome.findings if outcome else ():
        alerts.setdefault(finding.subject, []).append(finding)
    return Authoriser(
        ledger.columns(),
        attributions=attributions(listings),
        alerts=alerts,
        duties=lambda transfer, at, facts: judge.duties(transfer, on=at, facts=facts),
        policy=policy,
    )


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

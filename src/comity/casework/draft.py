"""From a decided case to a `Report`, before it has a format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from comity.casework.narrative import narrative
from comity.errors import BadInput, Refused
from comity.model import (
    AccountId,
    Case,
    Institution,
    Officer,
    Party,
    Report,
    Subject,
    Transfer,
    Verdict,
)


def draft_report(
    case: Case,
    *,
    filer: Institution,
    recipient: str,
    officer: Officer,
    transfers: Sequence[Transfer],
    parties: Mapping[str, Party],
    currency: str,
    created: datetime,
    reference: str,
) -> Report:
    """The report of a case. ``parties`` are by account id; ``recipient`` is the FIU's institution id.

    The jurisdiction is the filer's first; indicators are the findings' rules, the gravest first. Raises
    Refused when no person decided to report, BadInput without a jurisdiction.
    """
    if not any(decision.verdict is Verdict.REPORT for decision in case.decisions):
        raise Refused(
            f"case {case.id} has no decision to report",
            why="a report accuses somebody; a person decides that, never a score",
            remedy="have a person decide the case with the verdict report",
        )
    if not filer.jurisdictions:
        raise BadInput(f"{filer.id} has no jurisdiction", remedy="set it in the directory")
    about = subjects_of(case, parties)
    ranked = sorted(case.findings, key=lambda f: (-f.score, f.id))
    ordered = tuple(sorted(transfers, key=lambda t: (t.time, t.id)))
    return Report(
        reference=reference,
        filer=filer,
        recipient=recipient,
        jurisdiction=filer.jurisdictions[0],
        currency=currency,
        created=created,
        officer=officer,
        subjects=about,
        transfers=ordered,
        findings=case.findings,
        narrative=narrative(case, filer, about, ordered, parties, currency),
        indicators=tuple(dict.fromkeys(finding.rule for finding in ranked)),
        action_taken="; ".join(case.acts),
    )


def subjects_of(case: Case, parties: Mapping[str, Party]) -> tuple[Subject, ...]:
    """The case's subjects, the accounts of one party together; an unknown holder has no name."""
    held: dict[Party | str, list[AccountId]] = {}
    for subject in case.subjects:
        account = _account(subject)
        if account is None:
            named = next((p for p in parties.values() if p.name == subject), Party(subject))
            held.setdefault(named, [])
        else:
            held.setdefault(parties.get(subject, subject), []).append(account)
    for account_id, party in sorted(parties.items()):
        account = _account(account_id)
        if party in held and account is not None and account not in held[party]:
            held[party].append(account)
    return tuple(
        Subject(holder if isinstance(holder, Party) else Party(""), tuple(accounts))
        for holder, accounts in held.items()
    )


def _account(text: str) -> AccountId | None:
    try:
        return AccountId.parse(text)
    except BadInput:
        return None

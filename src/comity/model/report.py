"""A suspicious transaction (STR) or activity (SAR) report before it has a format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from comity.model.amount import AccountId
from comity.model.finding import Finding
from comity.model.party import Institution, Party
from comity.model.transfer import Transfer


@dataclass(frozen=True, slots=True)
class Subject:
    """A suspect of a report, with the accounts and wallets the reporter knows."""

    party: Party
    accounts: tuple[AccountId, ...] = ()


@dataclass(frozen=True, slots=True)
class Officer:
    """Who answers for a report: the compliance officer or contact of the filer."""

    first_name: str
    last_name: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a reporting institution tells its FIU. ``narrative`` is the grounds for suspicion, in words.

    ``recipient`` is the FIU's institution id; ``reference`` the filer's own number; ``values`` are in
    the currency ``currency`` (ISO 4217), the local currency of the report.
    """

    reference: str
    filer: Institution
    recipient: str
    jurisdiction: str
    currency: str
    created: datetime
    officer: Officer
    subjects: tuple[Subject, ...]
    transfers: tuple[Transfer, ...]
    findings: tuple[Finding, ...]
    narrative: str
    indicators: tuple[str, ...] = ()
    action_taken: str = ""
    prior_reference: str = ""

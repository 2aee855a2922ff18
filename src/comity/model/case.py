"""A case: findings and duties about one subject, and what a person decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity.model.finding import Finding
from comity.model.provision import Duty


class CaseState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What a decision says is to be done."""

    REPORT = "report"
    FREEZE = "freeze"
    REQUEST = "request"
    DISMISS = "dismiss"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person decided about a case, and why. Never made by a score."""

    id: str
    case_id: str
    verdict: Verdict
    by: str
    at: datetime
    grounds: str


@dataclass(frozen=True, slots=True)
class Case:
    """``subjects`` are account ids or names; findings and duties are as they were when attached."""

    id: str
    title: str
    subjects: tuple[str, ...]
    state: CaseState
    opened: datetime
    findings: tuple[Finding, ...] = ()
    duties: tuple[Duty, ...] = ()
    decisions: tuple[Decision, ...] = ()
    acts: tuple[str, ...] = ()

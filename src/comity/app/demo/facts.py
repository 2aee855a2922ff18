"""What a run of the demo has seen, for measuring and showing. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from comity.audit.log import Head
from comity.model import AccountId, Case, Finding, Message, Provision


@dataclass(frozen=True, slots=True)
class Told:
    """A case at an institution, and what became of its report. ``problems`` keep one from being filed."""

    node: str
    case: Case
    form: str
    filename: str = ""
    bytes: int = 0
    problems: tuple[str, ...] = ()
    filed: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A step on the way from finding to freeze."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A freeze across a border. ``key`` is the subject of ``finding`` as the FIUs matched it.

    ``seconds`` run from the joint finding at ``requester`` to when the freeze shows as in force there.
    """

    requester: str
    requested: str
    holder: str
    account: AccountId
    key: str
    finding: Finding
    case: Case
    state: str
    legal_basis: str
    confidence: str
    until: datetime | None
    seconds: float
    moments: tuple[Moment, ...]


@dataclass(slots=True)
class Story:
    """``findings``: of each institution alone; ``joint``: of each FIU; ``common``: keys that an FIU (first)
    learned a partner (second) watches too; ``messages``: all that were sent, each once; ``checked``: who
    checked whose audit log from abroad."""

    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    joint: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    common: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    cases: list[Told] = field(default_factory=list)
    frozen: Frozen | None = None
    unfrozen: str = ""
    powers: dict[str, Provision | None] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)
    checked: dict[str, str] = field(default_factory=dict)
    receipt: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    entries: int = 0

"""What the pages need of a node, in the words of the model. ``node`` implements `NodeView`.

Every method may raise any ComityError; the pages show its diagnostics with a fitting status. Methods are
called from worker threads. What they return is text and nouns, never markup (but for `case_flow_svg`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from comity.model import (
    Attribution,
    Case,
    CaseState,
    Columns,
    Finding,
    Institution,
    Level,
    Measure,
    Message,
    Receipt,
    Transfer,
    Verdict,
)
from comity.standard.law import Standard

T = TypeVar("T")


class Hop(StrEnum):
    """The five hops, in order."""

    TRANSFER = "transfer"
    FINDING = "finding"
    DUTY = "duty"
    DECISION = "decision"
    ACT = "act"


class FindingOrder(StrEnum):
    """What alerts may be sorted by."""

    LAST = "last"
    SCORE = "score"
    RULE = "rule"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some of a longer sequence; ``total`` is how many there are in all."""

    items: Sequence[T]
    total: int


@dataclass(frozen=True, slots=True)
class Task:
    """Something a person must do here: a duty of an open case, a case to decide, a message to answer.

    ``kind`` is case, message or finding, and ``id`` names it; ``due`` is None when there is no deadline
    that can be computed; ``law`` cites what asks for it ('' for house rules).
    """

    kind: str
    id: str
    text: str
    due: datetime | None = None
    law: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a case at one hop: when, in words, under which law ('' if none), and the proof."""

    hop: Hop
    at: datetime
    text: str
    law: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A rendered report: ``format`` is the plug-in's title, ``problems`` what its checks found, ``sent``
    whether it went to the FIU."""

    id: str
    format: str
    recipient: str
    created: datetime
    problems: tuple[str, ...] = ()
    sent: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file to download."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message and where it stands: ``state`` in one or two words (queued, delivered, to answer …)."""

    message: Message
    incoming: bool
    state: str
    case_id: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the audit log; ``leaf_hash`` is lower-case hex."""

    index: int
    at: datetime
    kind: str
    text: str
    leaf_hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest checkpoint of the audit log and who has cosigned it; ``root_hash`` is lower-case hex."""

    log_id: str
    size: int
    root_hash: str
    at: datetime
    cosigned: tuple[str, ...] = ()


class NodeView(Protocol):
    """A node as its operators see it and act through it. Times are aware and in UTC."""

    def identity(self) -> Institution: ...

    def counts(self) -> Mapping[str, int]:
        """Numbers for the overview, by their words (``open cases``), in order of display."""

    def tasks(self, limit: int) -> Sequence[Task]:
        """What needs a person, the nearest deadline first, those without one last."""

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
        """Findings of ``level`` (None: any) and ``rule`` ('': any), sorted."""

    def rules(self) -> Sequence[str]:
        """The rules that have findings, for the filter."""

    def finding(self, finding_id: str) -> Finding: ...

    def evidence(self, finding_id: str) -> Sequence[Transfer]:
        """The transfers among the finding's evidence that this node holds, in time order."""

    def case_of(self, finding_id: str) -> str:
        """The case the finding is in, '' if none."""

    def open_case(self, finding_ids: Sequence[str], title: str) -> Case: ...

    def cases(self, *, state: CaseState | None, limit: int, offset: int) -> Slice[Case]:
        """Cases in ``state`` (None: any), newest first."""

    def case(self, case_id: str) -> Case: ...

    def case_events(self, case_id: str) -> Sequence[Event]:
        """What happened, in time order."""

    def case_flow_svg(self, case_id: str) -> str:
        """The case's flow of value as one SVG document (tracing draws it), '' if there is none."""

    def case_messages(self, case_id: str) -> Sequence[Parcel]: ...

    def decide(self, case_id: str, verdict: Verdict, by: str, grounds: str) -> Case:
        """Record what a named person decided, and act on it."""

    def reports(self, case_id: str) -> Sequence[Filed]: ...

    def report_formats(self) -> Mapping[str, str]:
        """The formats a report may be drafted in, and their titles."""

    def draft_report(self, case_id: str, form: str) -> None:
        """Render a decided case in a format and keep it with the case."""

    def file_report(self, report_id: str) -> str:
        """Send a report to the node's own FIU; the id of its case."""

    def report_file(self, report_id: str) -> File: ...

    def law(self) -> Standard:
        """The standard and every law that is loaded."""

    def flows(self) -> Mapping[tuple[str, str], float]:
        """What the node's ledger moved from one country to another, in its reference asset; empty if none."""

    def columns(self) -> Columns:
        """The node's ledger, to trace through. Raises NotFound when it has none."""

    def attributions(self) -> Mapping[str, Attribution]:
        """Who is said to be behind accounts, by the lists in force."""

    def names(self) -> Mapping[str, str]:
        """What the node's own customers are called, by account; no two accounts the same."""

    def inbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        """Messages received, newest first."""

    def outbox(self, *, limit: int, offset: int) -> Slice[Parcel]:
        """Messages sent or queued, newest first."""

    def message(self, message_id: str) -> Parcel: ...

    def message_document(self, message_id: str) -> File:
        """The file that a message carries: a report. Raises NotFound when it carries none."""

    def freezes(self) -> Sequence[Measure]:
        """Freezes ordered by this node or served on it, newest first."""

    def audit(self, *, start: int, limit: int) -> Sequence[Entry]:
        """Log entries from index ``start`` upwards."""

    def audit_head(self) -> Head: ...

    def verify_audit(self) -> Head:
        """Check the whole log against its newest checkpoint. Raises Unverified."""

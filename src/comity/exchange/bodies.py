"""What each kind of message says. Mandatory content is checked before sealing and after opening.

A request says what the Egmont Group's Principles for Information Exchange ask of one: the facts, why they
are suspected, the link to the requested country, and the use that is intended.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from comity import codec
from comity.errors import BadInput
from comity.model import (
    AccountId,
    Amount,
    Finding,
    MeasureState,
    Message,
    MessageKind,
    Subject,
    Transfer,
)

MAX_FIGURE = 1e18


class Urgency(StrEnum):
    ROUTINE = "routine"
    URGENT = "urgent"
    IMMEDIATE = "immediate"


class Outcome(StrEnum):
    """What a search found, or what information was good for."""

    FOUND = "found"
    PARTLY = "partly"
    NOTHING = "nothing"


class Ground(StrEnum):
    """Why a request is refused."""

    NO_GATEWAY = "no_gateway"
    OUTSIDE_MANDATE = "outside_mandate"
    INSUFFICIENT = "insufficient_grounds"
    PREJUDICE = "prejudice_to_an_investigation"
    DISPROPORTIONATE = "disproportionate"
    NO_RECIPROCITY = "no_reciprocity"
    OWN_INTERESTS = "essential_interests"


@dataclass(frozen=True, slots=True)
class _Body:
    """A body refuses to exist without the content its kind must have: that named in ``MUST``."""

    MUST: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for name in self.MUST:
            value = getattr(self, name)
            if not value or (isinstance(value, str) and not value.strip()):
                raise BadInput(
                    f"a {type(self).__name__} lacks {name}",
                    why="content of this kind of message that must be there is empty",
                    remedy=f"give {', '.join(self.MUST)}",
                )


@dataclass(frozen=True, slots=True)
class Request(_Body):
    """``link``: to the requested country; ``items``: what is asked for, one sentence each."""

    MUST: ClassVar[tuple[str, ...]] = ("facts", "reasons", "link", "intended_use", "items")

    facts: str
    reasons: tuple[str, ...]
    link: str
    intended_use: str
    items: tuple[str, ...]
    urgency: Urgency = Urgency.ROUTINE
    subjects: tuple[Subject, ...] = ()
    accounts: tuple[AccountId, ...] = ()
    findings: tuple[Finding, ...] = ()
    needed_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply(_Body):
    """``facts`` says in words what was found, or where was searched in vain."""

    MUST: ClassVar[tuple[str, ...]] = ("facts",)

    outcome: Outcome
    facts: str
    subjects: tuple[Subject, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Spontaneous(_Body):
    """What a partner should know without having asked."""

    MUST: ClassVar[tuple[str, ...]] = ("facts", "reasons", "link")

    facts: str
    reasons: tuple[str, ...]
    link: str
    subjects: tuple[Subject, ...] = ()
    accounts: tuple[AccountId, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Filing(_Body):
    """A report as its format has it: ``document`` is base64 of the file, ``format`` the plug-in's name."""

    MUST: ClassVar[tuple[str, ...]] = ("format", "reference", "document")

    format: str
    reference: str
    document: str

    def __post_init__(self) -> None:
        super(Filing, self).__post_init__()
        unpack(self.document)


@dataclass(frozen=True, slots=True)
class Refusal(_Body):
    """``provision`` cites the law that stands in the way, where it is law."""

    MUST: ClassVar[tuple[str, ...]] = ("explanation",)

    ground: Ground
    explanation: str
    provision: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FreezeRequest(_Body):
    """``until``: how long the asker needs it at least; ``amount``: up to how much, None for all."""

    MUST: ClassVar[tuple[str, ...]] = ("accounts", "legal_basis", "grounds")

    accounts: tuple[AccountId, ...]
    legal_basis: str
    grounds: str
    urgency: Urgency = Urgency.IMMEDIATE
    amount: Amount | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FreezeReply(_Body):
    """``frozen`` is what was found and held; ``until`` its end in the replying country's law."""

    MUST: ClassVar[tuple[str, ...]] = ("explanation",)

    state: MeasureState
    explanation: str
    measure_id: str = ""
    accounts: tuple[AccountId, ...] = ()
    frozen: tuple[Amount, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match(_Body):
    """An offer or answer of private set intersection: ``payload`` is base64 of `cooperation.match`'s bytes.

    ``identifiers`` is the kind of key compared (wallet, account, document, lei).
    """

    MUST: ClassVar[tuple[str, ...]] = ("identifiers", "payload")

    identifiers: str
    payload: str

    def __post_init__(self) -> None:
        super(Match, self).__post_init__()
        unpack(self.payload)


@dataclass(frozen=True, slots=True)
class Feedback(_Body):
    """What became of what was given, so that the next one is better."""

    MUST: ClassVar[tuple[str, ...]] = ("comment",)

    useful: Outcome
    comment: str
    measures: tuple[str, ...] = ()


Body = Request | Reply | Spontaneous | Filing | Refusal | FreezeRequest | FreezeReply | Match | Feedback

SCHEMAS: Mapping[MessageKind, type[Body]] = {
    MessageKind.REQUEST: Request,
    MessageKind.REPLY: Reply,
    MessageKind.SPONTANEOUS: Spontaneous,
    MessageKind.REPORT: Filing,
    MessageKind.REFUSAL: Refusal,
    MessageKind.FREEZE_REQUEST: FreezeRequest,
    MessageKind.FREEZE_REPLY: FreezeReply,
    MessageKind.MATCH_OFFER: Match,
    MessageKind.MATCH_ANSWER: Match,
    MessageKind.FEEDBACK: Feedback,
}
"""The body of each kind of message."""

_ANSWERS = frozenset(
    {MessageKind.REPLY, MessageKind.REFUSAL, MessageKind.FREEZE_REPLY, MessageKind.MATCH_ANSWER}
)


def pack(data: bytes) -> str:
    """Bytes as a body carries them: base64."""
    return base64.b64encode(data).decode()


def unpack(text: str) -> bytes:
    """The bytes a body carries. Raises BadInput."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("a body carries what is not base64", remedy="send it again") from None


def plain(body: Body) -> dict[str, object]:
    """A body as `Message.body` holds it: plain JSON values, without the fields that are empty."""
    values: dict[str, object] = codec.to_plain(body)
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def check(message: Message) -> Body:
    """The message's body, validated for its kind.

    Raises BadInput naming the content that is missing or does not fit: the body's own, the purpose of
    the handling, the message that an answer answers, a time without its offset, a figure out of bounds.
    """
    if not message.handling.purpose.strip():
        raise BadInput(f"message {message.id} states no purpose", remedy="say in its handling what it is for")
    if message.kind in _ANSWERS and not message.in_reply_to:
        raise BadInput(
            f"a {message.kind.value} that answers nothing",
            remedy="name the message it answers in in_reply_to",
        )
    schema = SCHEMAS[message.kind]
    known = {item.name for item in fields(schema)}
    unknown = sorted(set(message.body) - known)
    if unknown:
        raise BadInput(
            f"a {message.kind.value} with content nobody would read: {unknown[0][:64]!r}",
            why="its schema has no such field",
            remedy=f"it may have {', '.join(sorted(known))}",
        )
    body: Body = codec.from_plain(schema, dict(message.body))
    _check_times(f"a {message.kind.value}", (message.handling, body))
    _check_findings(getattr(body, "findings", ()))
    return body


def _check_times(what: str, value: object) -> None:
    """Refuse a time without its offset, wherever it stands: none could be compared with another's."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadInput(
                f"{what} holds a time without its offset: {value.isoformat()}", remedy="write times in UTC"
            )
    elif isinstance(value, tuple):
        for item in value:
            _check_times(what, item)
    elif is_dataclass(value):
        for item in fields(value):
            _check_times(what, getattr(value, item.name))


def _check_findings(findings: tuple[Finding, ...]) -> None:
    """Refuse a finding that would spoil sums and ranks: a score or figure out of bounds, no reason."""
    for finding in findings:
        figures = [figure for _, figure in finding.features]
        if not (0 <= finding.score <= 1 and finding.reasons and all(0 <= f < MAX_FIGURE for f in figures)):
            raise BadInput(
                f"finding {finding.id[:64]!r} has no reason, or a score or figure out of bounds",
                why=f"a score lies between 0 and 1, a figure between 0 and {MAX_FIGURE:.0e}",
                remedy="correct it and send it again",
            )

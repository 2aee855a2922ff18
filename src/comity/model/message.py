"""A message between nodes, and the terms under which it may be used. Terms follow the Egmont Group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class MessageKind(StrEnum):
    REQUEST = "request"
    REPLY = "reply"
    SPONTANEOUS = "spontaneous_disclosure"
    REPORT = "report"
    REFUSAL = "refusal"
    FREEZE_REQUEST = "freeze_request"
    FREEZE_REPLY = "freeze_reply"
    MATCH_OFFER = "match_offer"
    MATCH_ANSWER = "match_answer"
    FEEDBACK = "feedback"


class OnwardUse(StrEnum):
    NONE = "none"
    WITH_CONSENT = "with_consent"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Handling:
    """The terms that travel with a message and bind whoever receives it.

    ``legal_basis`` cites the provision the sender relies on; ``retain_until`` is when it must be gone.
    """

    purpose: str
    onward_use: OnwardUse = OnwardUse.NONE
    legal_basis: str = ""
    caveats: tuple[str, ...] = ()
    retain_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``body`` is JSON of the kind's own schema; ``conversation`` joins request and reply."""

    id: str
    kind: MessageKind
    sender: str
    recipient: str
    conversation: str
    created: datetime
    expires: datetime
    handling: Handling
    body: Mapping[str, object] = field(default_factory=dict)
    in_reply_to: str = ""

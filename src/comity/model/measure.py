"""What is done about assets, and the proof that something was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity.model.amount import AccountId


class MeasureKind(StrEnum):
    FREEZE = "freeze"
    MLA_REQUEST = "mla_request"
    SEIZURE = "seizure"
    NOTICE = "notice"


class MeasureState(StrEnum):
    REQUESTED = "requested"
    SERVED = "served"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    LIFTED = "lifted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Measure:
    """A freeze, request, seizure or notice over accounts, ordered by one body and served on another.

    ``legal_basis`` cites the power used, ``confidence`` how sure we are of it; ``until`` is its end in
    law, None when the law gives none.
    """

    id: str
    kind: MeasureKind
    ordered_by: str
    served_on: str
    accounts: tuple[AccountId, ...]
    legal_basis: str
    confidence: str
    state: MeasureState
    ordered: datetime
    until: datetime | None = None
    case_id: str = ""
    grounds: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the audit log holds an event: RFC 9162 inclusion proof under a checkpoint.

    ``leaf_hash``, ``root_hash`` and ``path`` are lower-case hex of SHA-256 digests.
    """

    log_id: str
    index: int
    size: int
    leaf_hash: str
    root_hash: str
    path: tuple[str, ...]
    at: datetime

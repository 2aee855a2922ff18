"""What detection found: a screening hit, a typology alert, an exposure, or a match with a partner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    SCREENING = "screening"
    TYPOLOGY = "typology"
    EXPOSURE = "exposure"
    MATCH = "match"


class Level(StrEnum):
    """ALERT: a person must look. WATCH: too weak alone; a candidate for cooperation."""

    ALERT = "alert"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something suspicious about ``subject``. A score may rank; a person decides.

    ``subject`` is an account id or a party's name; ``score`` lies in [0, 1]; ``reasons`` are whole
    sentences; ``evidence`` are transfer ids or list entries (``LIST:ENTRY``); ``source`` is the
    indicator or list with its date; ``features`` are the figures the reasons speak of, by name.
    """

    id: str
    kind: FindingKind
    rule: str
    subject: str
    level: Level
    score: float
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
    source: str
    first: datetime | None = None
    last: datetime | None = None
    features: tuple[tuple[str, float], ...] = ()

"""Whether one transfer may be sent, decided before it is, with the grounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity.model.provision import Duty


class Ruling(StrEnum):
    """ALLOW: send it. HOLD: a person must look, or something is missing. REFUSE: it must not be sent."""

    ALLOW = "allow"
    HOLD = "hold"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Ground:
    """Why a transfer is held or refused, in a whole sentence; with ALLOW: what to know, though it may go.

    ``rule``: list, attribution, monitoring, velocity, or the kind of a duty. ``source``: the list, the
    rule's indicator, or the article.
    """

    ruling: Ruling
    rule: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The ruling on the transfer of this id at a moment: the gravest of its grounds; and what it owes."""

    transfer: str
    ruling: Ruling
    grounds: tuple[Ground, ...]
    duties: tuple[Duty, ...]
    at: datetime

"""A planted laundering scheme: the truth about a world, which no institution in it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SchemeKind(StrEnum):
    """What a scheme is; the first four bear the names of the typologies that look for them."""

    STRUCTURING = "structuring"
    FAN_IN = "fan_in"
    PASS_THROUGH = "pass_through"  # noqa: S105 (not a secret)
    CYCLE = "cycle"
    SANCTIONED = "sanctioned"


MEANINGS = {
    SchemeKind.STRUCTURING: "one person sends many sums just below a reporting threshold",
    SchemeKind.FAN_IN: "many people pay into one account or wallet within days",
    SchemeKind.PASS_THROUGH: "money moves on within hours of its arrival, from account to account",
    SchemeKind.CYCLE: "money returns to where it came from through accounts of others",
    SchemeKind.SANCTIONED: "a customer pays, or is paid by, a sanctioned wallet",
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme. ``accounts`` are those of the people in it and their wallets; ``transfers`` its transfers.

    ``subjects`` are what institutions could recognise in common: wallets, by account id, and persons, by
    ``KIND/COUNTRY/NUMBER`` of their identity document. ``institutions`` see at least one of the transfers;
    ``countries`` are theirs. All are sorted.
    """

    id: str
    kind: SchemeKind
    story: str
    accounts: tuple[str, ...]
    subjects: tuple[str, ...]
    transfers: tuple[str, ...]
    institutions: tuple[str, ...]
    countries: tuple[str, ...]
    first: datetime
    last: datetime

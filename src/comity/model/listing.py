"""One designation by one authority, or one attribution by one analyst."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from comity.model.amount import AccountId
from comity.model.party import Party


class ListingKind(StrEnum):
    SANCTION = "sanction"
    ATTRIBUTION = "attribution"


@dataclass(frozen=True, slots=True)
class Listing:
    """An entry of a list.

    ``programmes`` are sanctions programmes, or the categories of an attribution (ransomware, mixer,
    exchange …). ``confidence`` is 1 for an authority's own designation, and the tagger's own figure
    between 0 and 1 for an attribution. ``wallets`` are canonical.
    """

    list_id: str
    entry_id: str
    kind: ListingKind
    party: Party
    programmes: tuple[str, ...] = ()
    wallets: tuple[AccountId, ...] = ()
    listed_on: str = ""
    source: str = ""
    confidence: float = 1.0
    remarks: str = ""

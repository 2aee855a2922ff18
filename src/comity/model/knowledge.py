"""What detection knows beside the transfers: who is behind accounts, and what countries ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from comity.model.attribution import Attribution


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold of a country's law from ``since`` on, in main units of a ledger's reference asset.

    ``question`` is the standard's (``travel_rule.threshold`` …); ``value`` None says that from then on
    there is none.
    """

    country: str
    question: str
    since: date
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Regime:
    """What is to be said against a country's rules from ``since`` on.

    ``risk``: 0 nothing known, 1 weak rules for virtual assets, 2 under FATF's increased monitoring, 3
    called for action against.
    """

    country: str
    since: date
    risk: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """``attributions`` by account id; ``limits`` and ``regimes`` in any order."""

    attributions: Mapping[str, Attribution] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    regimes: tuple[Regime, ...] = ()

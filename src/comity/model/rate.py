"""What an asset was worth on a day, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from comity.model.amount import AssetId


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of ``asset`` was worth ``value`` units of a ledger's reference asset on the day ``on``.

    ``source`` says who published it: a central bank's reference rate, an exchange's closing price.
    """

    asset: AssetId
    value: Decimal
    source: str
    on: date

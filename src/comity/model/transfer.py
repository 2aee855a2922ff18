"""A movement of value from one account to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from comity.model.amount import AccountId, Amount
from comity.model.party import Party


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer, on a bank's books or a chain.

    ``time`` is aware and in UTC. ``amount`` is None when the ledger shows that value moved but not how
    much (a Bitcoin input whose previous output was not read). ``value`` is the worth in the reference
    currency of the ledger it is in, None when no rate is known. Institutions are ids of ``Institution``;
    an empty one means none is known (a self-hosted wallet, say). Countries are ISO 3166-1 alpha-2.
    """

    id: str
    time: datetime
    originator: AccountId
    beneficiary: AccountId
    amount: Amount | None
    value: Decimal | None = None
    originator_institution: str = ""
    beneficiary_institution: str = ""
    originator_country: str = ""
    beneficiary_country: str = ""
    originator_party: Party | None = None
    beneficiary_party: Party | None = None
    intermediaries: tuple[str, ...] = ()
    reference: str = ""

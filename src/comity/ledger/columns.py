"""Transfers to `Columns`: NumPy arrays in time order with an out- and an in-index (CSR)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from comity.columnar import assemble
from comity.errors import BadInput
from comity.ledger._facts import stated
from comity.model import AccountId, AssetId, Columns, Transfer

UNKNOWN = -1
MAX_UNITS = 10**18  # so that a kernel may add up nine of the largest before int64 overflows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def scale_of(reference: AssetId) -> int:
    """Decimal places kept of a value in this reference asset: 4 for money, 8 for an asset on a chain."""
    return 4 if reference.currency else 8


def microseconds(time: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def worth(transfer: Transfer, reference: AssetId) -> Decimal | None:
    """The transfer's value in the reference asset: stated, or its amount where that is the same asset."""
    if transfer.value is None and transfer.amount is not None and transfer.amount.asset == reference:
        return transfer.amount.quantity
    return transfer.value


def units(value: Decimal | None, scale: int) -> int:
    """A value as a whole number of 10**-scale, half to even; -1 for None. Raises BadInput beyond 10**18."""
    if value is None:
        return UNKNOWN
    if not 0 <= value <= MAX_UNITS // 10**scale:
        raise BadInput(
            f"a value out of bounds: {value}",
            why=f"in columns a value lies between 0 and {MAX_UNITS:,} units of 10^-{scale}",
            remedy="correct the amount, or choose a reference asset of larger worth",
        )
    return int(value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN).scaleb(scale))


def build(transfers: Iterable[Transfer], reference: AssetId) -> Columns:
    """Columns in memory, in order of (time, id); accounts are numbered in order of their ids.

    ``value`` is `worth` in units of 10**-`scale_of`. Raises BadInput when a value is out of bounds.
    """
    scale = scale_of(reference)
    given = sorted(transfers, key=lambda transfer: (transfer.time, transfer.id))
    accounts = tuple(sorted({end.value for one in given for end in (one.originator, one.beneficiary)}))
    number = {account: place for place, account in enumerate(accounts)}
    n = len(given)
    return assemble(
        np.fromiter((microseconds(one.time) for one in given), dtype=np.int64, count=n),
        np.fromiter((number[one.originator.value] for one in given), dtype=np.int32, count=n),
        np.fromiter((number[one.beneficiary.value] for one in given), dtype=np.int32, count=n),
        np.fromiter((units(worth(one, reference), scale) for one in given), dtype=np.int64, count=n),
        hub=np.array([AccountId(account).is_hub for account in accounts], dtype=np.bool_),
        accounts=accounts,
        ids=tuple(one.id for one in given),
        reference=reference.value,
        scale=scale,
        facts=stated(given, accounts),
    )

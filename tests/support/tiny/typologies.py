"""A tiny typology: whoever is paid much at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import AccountId, Amount, AssetId, Columns, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec

SPEC = TypologySpec(
    id="tiny",
    title="Tiny",
    indicator="One transfer is large.",
    flags=("T0",),
    source="made up",
    shape=Shape.ACCOUNT,
    parameters=(Parameter("limit", 50_000, "money", "an alert from this much in one transfer"),),
)


@njit(cache=True)
def _kernel(value, src, dst, hub, limit):  # type: ignore[no-untyped-def]
    """The numbers of the transfers of at least half the limit, to somebody else who is no hub."""
    found = np.empty(len(value), dtype=np.int64)
    k = 0
    for e in range(len(value)):
        if value[e] >= limit / 2 and not hub[dst[e]] and src[e] != dst[e]:
            found[k] = e
            k += 1
    return found[:k]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    arrays = [np.asarray(a).view() for a in (columns.value, columns.src, columns.dst, columns.hub)]
    for array in arrays:
        array.flags.writeable = False
    rows = _kernel(*arrays, parameters["limit"])
    rows = rows[np.isin(np.asarray(columns.dst)[rows], scope.accounts)]
    totals = np.asarray(columns.value)[rows].astype(np.float64)
    return Hits(
        account=np.asarray(columns.dst)[rows].astype(np.int32),
        alert=totals >= parameters["limit"],
        score=np.minimum(totals / (2 * parameters["limit"]), 1.0),
        ptr=np.arange(len(rows) + 1, dtype=np.int64),
        evidence=rows,
        features={"total": totals},
        cut=np.zeros(len(rows), dtype=np.bool_),
        unfinished=np.empty(0, dtype=np.int32),
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (f"It received {features['total']:,.2f} {currency} at once.",)


def _pay(number: int, target: str, value: int) -> Transfer:
    time = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number)
    euros = Amount(Decimal(value), AssetId("iso4217:EUR"))
    source, beneficiary = AccountId("acct:SAMPLE:S"), AccountId(f"acct:SAMPLE:{target}")
    return Transfer(f"t{number}", time, source, beneficiary, euros, euros.quantity)


CASES = (
    Sample("large", (_pay(1, "A", 50_000),), alerts=("acct:SAMPLE:A",)),
    Sample("near miss", (_pay(1, "A", 49_999), _pay(2, "B", 24_999)), watches=("acct:SAMPLE:A",)),
    Sample("negative: small", (_pay(1, "A", 5),)),
)

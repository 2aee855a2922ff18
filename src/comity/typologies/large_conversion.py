"""Large conversion: much value comes into an account in one form and leaves it in another within a day.

Money becomes a virtual asset, a virtual asset money, or one virtual asset another: inside an account that an
institution keeps, or by way of a business known to swap assets. Whether there is business logic in it only
the customer's profile tells: this says that it happened, and of what size. Watched from half the value.

Not found, on purpose: money into other money; what a wallet on a chain gets and pays without a swap; accounts
of businesses (known as services, or with more than a hundred transfers within the time).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import BTC, ETH, Amount, Attribution, Columns, Knowledge
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import (
    FATF,
    HOUR,
    account,
    amount,
    arrays,
    frozen,
    hits,
    pay,
    span,
    wallet,
)
from comity.typologies._conversion import converted, wanted
from comity.typologies._dealings import COIN, MONEY, PRIVATE, kinds

SPEC = TypologySpec(
    id="large_conversion",
    title="Large conversion",
    indicator="Large value comes in as money or one virtual asset and leaves as another within a short time.",
    flags=("P8",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("hours", 24, "hours", "it leaves, or comes back, within this time"),
        Parameter("min_value", 75_000, "money", "an alert when this value was exchanged within that time"),
    ),
    uses=("facts.asset", "facts.hosted", "known.marks"),
)

_WANT = tuple(
    (one, other)
    for one in (MONEY, COIN, PRIVATE)
    for other in (MONEY, COIN, PRIVATE)
    if (one, other) != (MONEY, MONEY)
)


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, time, value, src, dst, out_ptr, out_idx, out_value, in_ptr, in_idx, in_value, hub, marks,
    hosted, asset, kind, want, hours, least
):  # fmt: skip
    """See `_conversion.converted`."""
    return converted(
        accounts, time, value, src, dst, out_ptr, out_idx, out_value, in_ptr, in_idx, in_value, hub, marks,
        hosted, asset, kind, want, hours, least,
    )  # fmt: skip


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "time value src dst out_ptr out_idx out_value in_ptr in_idx in_value hub"),
        *arrays(columns, "known.marks facts.hosted facts.asset"),
        frozen(kinds(columns.facts.assets)),
        frozen(wanted(*_WANT)),
        round(parameters["hours"]),
        -(-least // 2),
    )
    total = rows[:, 1]
    alert = total >= least
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * least / np.maximum(total, 1), np.minimum(total / (2 * least), 0.499)),
        ptr,
        evidence,
        {"total": total, "count": rows[:, 2], "span": rows[:, 3] / HOUR, "swapped": rows[:, 4]},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    what, within = amount(features["total"], currency), span(features["span"])
    said = f"{what} came in in one form and left in another within {within}."
    if features["swapped"]:
        said = (
            f"{what} was exchanged into another form within {within}, by way of a business that swaps assets."
        )
    return (said, "Whether that has business logic is for the customer's profile to say.")


_BITCOIN, _ETHER = Amount(Decimal("0.5"), BTC), Amount(Decimal(12), ETH)
_ME, _SWAP = wallet(1), wallet(2)
_KNOWN = Knowledge(attributions={_SWAP: Attribution(_SWAP, "a swap", "s", ("swap",), 0.9, "sample")})

CASES = (
    Sample(
        "money in two parts becomes bitcoin; bitcoin becomes money; a wallet swaps one coin for another",
        (
            pay(1, 0, "A", "M", "60000"),
            pay(2, 5, "A", "M", "45000"),
            pay(3, 9, "M", wallet(7), "102000", amount=_BITCOIN),
            pay(4, 0, wallet(8), "N", "120000", amount=_BITCOIN),
            pay(5, 3, "N", "X", "117000"),
            pay(6, 0, _ME, _SWAP, "90000", amount=_BITCOIN),
            pay(7, 0, _SWAP, _ME, "89700", amount=_ETHER),
        ),
        alerts=(account("M"), account("N"), _ME),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch; the same form again, or too late, is nothing",
        (
            pay(1, 0, "A", "M", "39000"),
            pay(2, 5, "M", wallet(7), "37500", amount=_BITCOIN),
            pay(3, 0, "A", "N", "90000"),
            pay(4, 5, "N", "X", "90000"),
            pay(5, 0, "A", "O", "90000"),
            pay(6, 25, "O", wallet(7), "90000", amount=_BITCOIN),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: savings in small parts; a wallet that gets one coin and pays in another",
        (
            *(pay(10 + i, 30 * i, "A", "M", "900") for i in range(20)),
            *(pay(40 + i, 30 * i + 1, "M", wallet(7), "900", amount=_BITCOIN) for i in range(20)),
            pay(1, 0, wallet(9), wallet(3), "90000", amount=_BITCOIN),
            pay(2, 2, wallet(3), wallet(8), "90000", amount=_ETHER),
        ),
    ),
)

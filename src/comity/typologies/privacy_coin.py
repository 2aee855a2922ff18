"""Privacy coin: a coin whose payments all can see is soon exchanged into one whose payments are hidden.

The account gets a coin of a transparent chain and soon sends a privacy coin (its institution has exchanged
it), or sends such a coin to a known swapping business and gets a privacy coin back. From then on nobody can
follow the value. Which coins hide payments is a short table in `_dealings`. Watched from half the value.

Not found, on purpose: privacy coins bought with money (see large_conversion), paid or received without an
exchange; businesses; tokens that only stand for a privacy coin on a transparent chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numba import njit

from comity.model import BTC, Amount, AssetId, Attribution, Columns, Knowledge
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
from comity.typologies._dealings import COIN, PRIVATE, kinds

SPEC = TypologySpec(
    id="privacy_coin",
    title="Into a privacy coin",
    indicator="Value in a transparent coin is exchanged at once into a coin whose payments are hidden.",
    flags=("A2", "A1"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("hours", 24, "hours", "it leaves, or comes back, within this time"),
        Parameter("min_value", 1000, "money", "an alert when this value was exchanged within that time"),
    ),
    uses=("facts.asset", "facts.hosted", "known.marks"),
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
        frozen(wanted((COIN, PRIVATE))),
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
        {"total": total, "span": rows[:, 3] / HOUR, "swapped": rows[:, 4]},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [
        (
            f"Coins worth {amount(features['total'], currency)} became a coin whose payments are hidden, "
            f"within {span(features['span'])}."
        )
    ]
    if features["swapped"]:
        reasons.append("They went to a business known to swap assets.")
    return tuple(reasons)


_XMR = AssetId("monero:418015bb9ae982a1975da7d79277c270/slip44:128")
_BITCOIN, _MONERO = Amount(Decimal("0.02"), BTC), Amount(Decimal(9), _XMR)
_ME, _SWAP = wallet(1), wallet(2)
_KNOWN = Knowledge(attributions={_SWAP: Attribution(_SWAP, "a swap", "s", ("swap",), 0.9, "sample")})

CASES = (
    Sample(
        "bitcoin comes in, monero goes out two hours later; a wallet swaps, and the coin has no rate",
        (
            pay(1, 0, "A", "M", "1500", amount=_BITCOIN),
            pay(2, 2, "M", "X", "1450", amount=_MONERO),
            pay(3, 0, _ME, _SWAP, "1200", amount=_BITCOIN),
            replace(pay(4, 1, _SWAP, _ME, "0", amount=_MONERO), value=None),
        ),
        alerts=(account("M"), _ME),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch; too late is nothing",
        (
            pay(1, 0, "A", "M", "500", amount=_BITCOIN),
            pay(2, 2, "M", "X", "500", amount=_MONERO),
            pay(3, 0, "A", "N", "5000", amount=_BITCOIN),
            pay(4, 25, "N", "X", "5000", amount=_MONERO),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: money into the coin; the coin in and out; a wallet that has both",
        (
            pay(1, 0, "A", "M", "5000"),
            pay(2, 2, "M", "X", "5000", amount=_MONERO),
            pay(3, 0, "A", "N", "5000", amount=_MONERO),
            pay(4, 2, "N", "X", "5000", amount=_MONERO),
            pay(5, 0, wallet(9), wallet(3), "5000", amount=_BITCOIN),
            pay(6, 2, wallet(3), wallet(8), "5000", amount=_MONERO),
        ),
    ),
)

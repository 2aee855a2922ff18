"""Mixer exposure: value comes straight from, or goes straight to, a mixing service.

An alert when transfers with mixers come to ``min_value``, each weighted by the confidence of the
attribution and that at least even; half of it is enough where the account stands between a mixer and a
darknet market (it pays the one from what it has of the other, or the other way round). Otherwise half is
to watch, whatever the confidence, and so are transfers of unknown value.

Mixing is lawful in many countries, and some use it for privacy alone: the finding says that the origin
of the value cannot be seen, not that it is criminal. Mixers themselves, other services and those marked
for crime are not the subject. CoinJoins without a wallet of their own are Bitcoin transactions and not
told from others; what is paid in one transaction with a known mixer is `shared_transaction`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from comity.model import Columns, Mark
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, amount, arrays, frozen, hits, kept, pay
from comity.typologies._marked import DEALT, SPARED, directions, known, percent, unvalued
from comity.typologies._marked import exposures as _kernel

SPEC = TypologySpec(
    id="mixer_exposure",
    title="Direct exposure to a mixer",
    indicator="Value comes straight from a mixing service, goes to one, or moves on to the darknet.",
    flags=("W6", "A5", "A6"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 1000, "money", "an alert from this value, weighted by confidence"),
        Parameter("confidence", 0.5, "ratio", "an alert from attributions at least so sure"),
    ),
    joint={"weighted": "min_value"},
    uses=("known.marks", "known.sure"),
)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, DEALT),
        int(Mark.MIXER),
        int(Mark.DARKNET),
        SPARED,
        percent(parameters["confidence"]),
    )
    keep = (2 * rows[:, 4] >= least) | (rows[:, 5] > 0)
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    weighted, possible, sure = rows[:, 3], rows[:, 4], rows[:, 6] / 100
    between = np.maximum(np.minimum(rows[:, 1], rows[:, 9]), np.minimum(rows[:, 2], rows[:, 8]))
    alert = (weighted >= least) | ((2 * weighted >= least) & (2 * between >= least))
    return hits(
        rows[:, 0],
        alert,
        np.where(
            alert,
            0.5 + 0.5 * sure * weighted / (weighted + least),
            np.minimum(np.maximum(possible / (2 * least), 0.1), 0.49),
        ),
        ptr,
        evidence,
        {
            "received": rows[:, 1],
            "sent": rows[:, 2],
            "total": rows[:, 1] + rows[:, 2],
            "weighted": weighted,
            "between": between,
            "unvalued": rows[:, 5],
            "confidence": sure,
        },
        money=("received", "sent", "total", "weighted", "between"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    reasons = [*directions(features, currency, "mixing services")]
    if not reasons:
        reasons.append("The account deals with mixing services.")
    reasons.append(
        f"The surest attribution is held with {features['confidence']:.0%} confidence; those that are sure "
        f"enough come to {amount(features['weighted'], currency)}, weighted by confidence."
    )
    if features["between"]:
        reasons.append(
            f"It stands between a mixer and a darknet market, with at least "
            f"{amount(features['between'], currency)} on either side."
        )
    if features["unvalued"]:
        reasons.append(f"Of {int(features['unvalued'])} such transfers the value is not known.")
    return tuple(reasons)


_KNOWN = known(MIX="mixing_service", MARKET="market", EX="exchange")

CASES = (
    Sample(
        "a withdrawal from a mixer, paid on; a deposit to one",
        (
            pay(1, 0, "MIX", "A", "4000"),
            pay(2, 5, "A", "X", "3900"),
            pay(3, 6, "B", "MIX", "1200"),
        ),
        alerts=(account("A"), account("B")),
        knowledge=_KNOWN,
    ),
    Sample(
        "half is to watch, but an alert between a mixer and a darknet market; both ways",
        (
            pay(1, 0, "MIX", "A", "600"),
            pay(2, 1, "MIX", "B", "600"),
            pay(3, 2, "B", "MARKET", "550"),
            pay(4, 1, "MARKET", "C", "600"),
            pay(5, 2, "C", "MIX", "600"),
            pay(6, 2, "MIX", "D", "600"),
            pay(7, 2, "MARKET", "D", "600"),
            unvalued(pay(8, 2, "MIX", "E", "1")),
            pay(9, 2, "MIX", "F", "500"),
        ),
        alerts=(account("B"), account("C")),
        watches=(account("A"), account("D"), account("E")),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: an exchange that is paid from a mixer, the darknet market itself, and small change",
        (
            pay(1, 0, "MIX", "EX", "5000"),
            pay(2, 1, "MIX", "MARKET", "5000"),
            pay(3, 1, "MIX", "A", "80"),
            pay(4, 2, "EX", "B", "5000"),
        ),
        knowledge=_KNOWN,
    ),
)

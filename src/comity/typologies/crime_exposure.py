"""Crime exposure: value comes straight from, or goes straight to, an account that is said to be a criminal's.

Such an account is marked by a list or an analyst as sanctioned, or for terrorism, ransomware, theft,
fraud, darknet markets or abuse. Each transfer counts by how sure the attribution is. An alert when those of
at least even confidence come to ``min_value``; watched from half of it, whatever the confidence, and when
a transfer is of unknown value. Below that it is not looked at: strangers send dust to anyone, from
sanctioned wallets too (OFAC, frequently asked question 1078).

The marked account itself is not the subject, nor is a service. A payment in a Bitcoin transaction has the
transaction on its other side: `shared_transaction` sees through that.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, amount, arrays, frozen, hits, kept, pay
from comity.typologies._marked import CRIME, DEALT, SPARED, called, directions, known, percent, unvalued
from comity.typologies._marked import exposures as _kernel

SPEC = TypologySpec(
    id="crime_exposure",
    title="Direct exposure to crime",
    indicator="Value comes straight from, or goes straight to, an account linked to crime or sanctions.",
    flags=("W1", "T5", "A7"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 100, "money", "an alert from this value, weighted by confidence"),
        Parameter("confidence", 0.5, "ratio", "an alert from attributions at least so sure"),
    ),
    joint={"weighted": "min_value"},
    uses=("known.marks", "known.sure"),
)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts), *arrays(columns, DEALT), CRIME, 0, SPARED, percent(parameters["confidence"])
    )
    keep = (2 * rows[:, 4] >= least) | (rows[:, 5] > 0)
    ptr, evidence = kept(keep, ptr, evidence)
    rows = rows[keep]
    weighted, possible, sure = rows[:, 3], rows[:, 4], rows[:, 6] / 100
    alert = weighted >= least
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
            "transfers": np.diff(ptr),
            "unvalued": rows[:, 5],
            "confidence": sure,
            "marks": rows[:, 7],
        },
        money=("received", "sent", "total", "weighted"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    whom = f"accounts attributed to: {called(features['marks'], among=CRIME)}"
    reasons = [*directions(features, currency, whom)]
    if not reasons:
        reasons.append(f"The account deals with {whom}.")
    reasons.append(
        f"The surest attribution is held with {features['confidence']:.0%} confidence; those that are sure "
        f"enough come to {amount(features['weighted'], currency)}, weighted by confidence."
    )
    if features["unvalued"]:
        reasons.append(f"Of {int(features['unvalued'])} such transfers the value is not known.")
    return tuple(reasons)


CASES = (
    Sample(
        "a ransom is paid on: the account behind the ransomware wallet, beside its rent",
        (
            pay(1, 0, "LOCKER", "A", "4000"),
            pay(2, 5, "A", "LANDLORD", "900"),
            pay(3, 6, "A", "MARKET", "150"),
            pay(4, 7, "B", "MARKET", "112"),
        ),
        alerts=(account("A"), account("B")),
        knowledge=known(LOCKER="ransomware", MARKET="market"),
    ),
    Sample(
        "near miss: half the value, little confidence, or unknown value is to watch; dust is nothing",
        (
            pay(1, 0, "MARKET", "A", "60"),
            pay(2, 1, "MARKET", "B", "10"),
            unvalued(pay(3, 0, "C", "MARKET", "1")),
        ),
        watches=(account("A"), account("C")),
        knowledge=known(MARKET="darknet"),
    ),
    Sample(
        "near miss: a large payment to what is said to be fraud with little confidence",
        (pay(1, 0, "A", "SITE", "5000"),),
        watches=(account("A"),),
        knowledge=known(0.49, SITE="scam"),
    ),
    Sample(
        "exactly the value, exactly even confidence",
        (pay(1, 0, "A", "SITE", "200"), pay(2, 0, "B", "SITE", "199.98")),
        alerts=(account("A"),),
        watches=(account("B"),),
        knowledge=known(0.5, SITE="scam"),
    ),
    Sample(
        "negative: services, and those marked, are not the subject; to oneself is nothing",
        (
            pay(1, 0, "MARKET", "EX", "5000"),
            pay(2, 1, "MARKET", "MARKET", "5000"),
            pay(3, 1, "MARKET", "LOCKER", "5000"),
            pay(4, 2, "EX", "A", "5000"),
        ),
        knowledge=known(MARKET="market", LOCKER="ransomware", EX="exchange"),
    ),
)

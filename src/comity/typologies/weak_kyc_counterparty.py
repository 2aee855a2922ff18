"""Weak KYC: dealings with a service that is known to check its customers badly or not at all.

Such services are marked ``weak_kyc`` by whoever made the attribution; we rate none ourselves. Transfers
with them, in at least even confidence, are added up over a moving window: an alert from ``min_value``,
to watch from half of it, and only where they are more than a small share of what the account does, so
that an unnamed exchange which deals with every other is left out. Services named as such and accounts
marked for crime are not the subject.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.model import Columns, Mark
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, arrays, frozen, pay
from comity.typologies._marked import DEALT, SPARED, judged, known, percent, told
from comity.typologies._marked import dealings as _kernel

SPEC = TypologySpec(
    id="weak_kyc_counterparty",
    title="Counterparty with weak KYC",
    indicator="Value is exchanged with a service known for weak or absent checks of its customers.",
    flags=("A13",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 5000, "money", "an alert from this value, both ways together"),
        Parameter("window", 720, "hours", "the transfers lie within this time"),
        Parameter("share", 0.1, "ratio", "it is at least this share of all that went through the account"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"total": "min_value"},
    uses=("known.marks", "known.sure"),
)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    found = _kernel(
        frozen(scope.accounts),
        *arrays(columns, f"time {DEALT}"),
        int(Mark.WEAK_KYC),
        SPARED | int(Mark.WEAK_KYC),
        percent(parameters["confidence"]),
        round(parameters["window"]),
        1,
        -(-least // 2),
        1,
        least,
    )
    return judged(*found, share=float(parameters["share"]), min_value=least)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return told(features, currency, "services known for weak checks of their customers")


_KNOWN = known(LAX="exchange weak_kyc", OTHER="weak_kyc", EX="exchange")

CASES = (
    Sample(
        "a deposit that came from an exchange without KYC, and one that goes to it",
        (
            pay(1, 0, "LAX", "A", "6000"),
            pay(2, 30, "B", "LAX", "2500"),
            pay(3, 90, "B", "OTHER", "2500"),
        ),
        alerts=(account("A"), account("B")),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch; less, or a small share, is nothing",
        (
            pay(1, 0, "LAX", "A", "2500"),
            pay(2, 0, "LAX", "B", "2499.99"),
            pay(3, 0, "LAX", "C", "6000"),
            pay(4, 9, "C", "X", "60000"),
        ),
        watches=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: another exchange, and services among themselves",
        (
            pay(1, 0, "EX", "A", "9000"),
            pay(2, 0, "LAX", "EX", "9000"),
            pay(3, 0, "LAX", "OTHER", "9000"),
        ),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: attributed with less than even confidence",
        (pay(1, 0, "LAX", "A", "9000"),),
        knowledge=known(0.4, LAX="weak_kyc"),
    ),
)

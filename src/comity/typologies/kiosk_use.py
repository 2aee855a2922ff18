"""Kiosk use: an account uses crypto kiosks (ATMs) again and again.

A kiosk charges far more than an exchange, so that repeated use wants a reason. Transfers with accounts
attributed to kiosks in at least even confidence are counted in a moving window: an alert from
``min_count`` that come to ``min_value``; to watch from half of both. Single uses are ordinary and not
found. Where a kiosk stands (FATF names places of much crime) is not known here. Other services, by what
they are marked or by the small share that kiosks are of what they do, are not the subject.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.model import Columns, Mark
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, arrays, frozen, pay
from comity.typologies._marked import DEALT, SPARED, judged, known, percent, told
from comity.typologies._marked import dealings as _kernel

SPEC = TypologySpec(
    id="kiosk_use",
    title="Repeated use of kiosks",
    indicator="Crypto kiosks are used repeatedly, despite their high fees.",
    flags=("A14",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_count", 6, "count", "an alert from this many transfers"),
        Parameter("min_value", 2000, "money", "that come to this value"),
        Parameter("window", 720, "hours", "the transfers lie within this time"),
        Parameter("share", 0.1, "ratio", "it is at least this share of all that went through the account"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"count": "min_count", "total": "min_value"},
    uses=("known.marks", "known.sure"),
)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least, count = max(1, round(parameters["min_value"])), int(parameters["min_count"])
    found = _kernel(
        frozen(scope.accounts),
        *arrays(columns, f"time {DEALT}"),
        int(Mark.KIOSK),
        SPARED,
        percent(parameters["confidence"]),
        round(parameters["window"]),
        max(2, -(-count // 2)),
        -(-least // 2),
        count,
        least,
    )
    return judged(*found, share=float(parameters["share"]), min_value=least, min_count=count)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return told(features, currency, "crypto kiosks")


_KNOWN = known(ATM1="atm", ATM2="kiosk", EX="exchange")

CASES = (
    Sample(
        "cash put into kiosks eight times in a fortnight",
        tuple(pay(i, 40 * i, f"ATM{1 + i % 2}", "A", "400") for i in range(8)),
        alerts=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: three times is to watch; often but little, or once and much, is nothing",
        (
            *(pay(i, 40 * i, "ATM1", "A", "800") for i in range(3)),
            *(pay(10 + i, 40 * i, "ATM1", "B", "20") for i in range(8)),
            pay(30, 0, "ATM2", "C", "9000"),
        ),
        watches=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "exactly six within exactly the window; out of the kiosk as well as into it",
        (
            *(pay(i, 144 * i, "A", "ATM1", "400") for i in range(6)),
            *(pay(10 + i, 144.1 * i, "B", "ATM1", "400") for i in range(6)),
        ),
        alerts=(account("A"),),
        watches=(account("B"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: the exchange that serves the kiosk, and a shop paid from one sometimes",
        (
            *(pay(i, 10 * i, "EX", "ATM1", "5000") for i in range(20)),
            *(pay(30 + i, 40 * i, "ATM1", "SHOP", "400") for i in range(8)),
            pay(60, 1, "Z", "SHOP", "90000"),
        ),
        knowledge=_KNOWN,
    ),
)

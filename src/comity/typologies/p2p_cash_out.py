"""P2P cash-out: most of what an account receives comes from a peer-to-peer platform, and is soon cashed out.

Transfers from accounts attributed to P2P platforms in at least even confidence are matched, the latest
first, with what the account pays within ``hours`` to exchanges or to accounts that an institution keeps. An
alert where ``min_value`` was so cashed out within the window and P2P value is at least ``share`` of all the
account receives; to watch from half the value. Platforms and other services are not the subject; who
uses a platform now and then, or keeps what is bought there, is not found.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.model import Columns, Mark
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._cash_out import TAKEN, judged, told
from comity.typologies._cash_out import cash_outs as _kernel
from comity.typologies._common import FATF, arrays, frozen, pay, wallet
from comity.typologies._marked import SPARED, known, percent

SPEC = TypologySpec(
    id="p2p_cash_out",
    title="P2P value cashed out",
    indicator="An abnormal volume from peer-to-peer platforms is cashed out at an exchange.",
    flags=("A4",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 10_000, "money", "an alert when this value was cashed out"),
        Parameter("window", 720, "hours", "within this time"),
        Parameter("hours", 72, "hours", "a payment follows what came in within this time"),
        Parameter("share", 0.5, "ratio", "this share of what the account receives is P2P value"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"total": "min_value"},
    uses=("facts.hosted", "known.marks", "known.sure"),
)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    found = _kernel(
        frozen(scope.accounts),
        *arrays(columns, TAKEN),
        int(Mark.P2P),
        int(Mark.EXCHANGE),
        SPARED,
        percent(parameters["confidence"]),
        round(parameters["hours"]),
        round(parameters["window"]),
        -(-least // 2),
    )
    return judged(*found, min_value=least, share=float(parameters["share"]))


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return told(features, currency, "from P2P platforms", "to exchanges or accounts at institutions")


_KNOWN = known(P2P="p2p", EX="exchange")

CASES = (
    Sample(
        "three sales on a P2P platform, each paid on to an exchange the next day",
        tuple(
            one
            for i in range(3)
            for one in (
                pay(2 * i, 100 * i, "P2P", wallet(1), "4000"),
                pay(2 * i + 1, 100 * i + 20, wallet(1), "EX", "3900"),
            )
        ),
        alerts=(wallet(1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half of it is to watch; kept for a week, or to another wallet, is nothing",
        (
            pay(1, 0, "P2P", wallet(1), "5000"),
            pay(2, 20, wallet(1), "EX", "5000"),
            pay(3, 0, "P2P", wallet(2), "20000"),
            pay(4, 170, wallet(2), "EX", "20000"),
            pay(5, 0, "P2P", wallet(3), "20000"),
            pay(6, 20, wallet(3), wallet(4), "20000"),
            pay(7, 0, "P2P", wallet(5), "20000"),
            pay(8, 20, wallet(5), "P2P", "20000"),
        ),
        watches=(wallet(1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "exactly the value, exactly in time, of exactly half of all; a cent of value less is to watch",
        (
            pay(1, 0, "P2P", wallet(1), "10000"),
            pay(2, 72, wallet(1), "BANK", "12000"),
            pay(3, 90, "X", wallet(1), "10000"),
            pay(4, 0, "P2P", wallet(2), "9999.99"),
            pay(5, 72, wallet(2), "BANK", "12000"),
            pay(6, 0, "P2P", wallet(3), "10000"),
            pay(7, 72.01, wallet(3), "BANK", "12000"),
        ),
        alerts=(wallet(1),),
        watches=(wallet(2),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: a wage earner who sells a little there, and the platform's own exchange account",
        (
            pay(1, 0, "EMPLOYER", "A", "40000"),
            pay(2, 5, "P2P", "A", "12000"),
            pay(3, 6, "A", "BANK", "12000"),
            pay(4, 0, "P2P", "EX", "90000"),
            pay(5, 6, "EX", "BANK", "90000"),
        ),
        knowledge=_KNOWN,
    ),
)

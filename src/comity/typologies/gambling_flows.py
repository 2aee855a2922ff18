"""Gambling flows: much of what moves through an account comes from, or goes to, gambling services.

Transfers with accounts attributed to gambling in at least even confidence are added up over a moving
window. An alert from ``min_value``; to watch from half of it. Gambling is lawful in many places: small
stakes, and stakes that are a small share of what the account does, are not found. By the same share a
payment service with a few customers who gamble is left out; gambling services, other services and accounts
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
    id="gambling_flows",
    title="Flows from or to gambling",
    indicator="Much of what moves through the account comes from online gambling, or goes to it.",
    flags=("W2",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 10_000, "money", "an alert from this value, both ways together"),
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
        int(Mark.GAMBLING),
        SPARED,
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
    return told(features, currency, "gambling services")


_KNOWN = known(BET="gambling", EX="exchange")

CASES = (
    Sample(
        "deposits to a gambling site and withdrawals from it within a month",
        (
            *(pay(i, 100 * i, "A", "BET", "2000") for i in range(4)),
            pay(9, 420, "BET", "A", "7500"),
            pay(10, 500, "A", "SHOP", "120"),
        ),
        alerts=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half the value is to watch; the same over a year, or a small share, is nothing",
        (
            pay(1, 0, "A", "BET", "4000"),
            pay(2, 9, "BET", "A", "3000"),
            *(pay(10 + i, 800 * i, "B", "BET", "900") for i in range(12)),
            pay(30, 0, "C", "BET", "6000"),
            pay(31, 5, "C", "SHOP", "80000"),
        ),
        watches=(account("A"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "exactly the value, exactly within the window; a cent less is to watch",
        (
            pay(1, 0, "A", "BET", "4000"),
            pay(2, 720, "BET", "A", "6000"),
            pay(3, 0, "B", "BET", "4000"),
            pay(4, 720, "BET", "B", "5999.99"),
        ),
        alerts=(account("A"),),
        watches=(account("B"),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: a small stake each week; the site and its exchange",
        (
            *(pay(i, 168 * i, "A", "BET", "50") for i in range(10)),
            pay(20, 0, "BET", "EX", "50000"),
        ),
        knowledge=_KNOWN,
    ),
)

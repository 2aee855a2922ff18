"""Darknet cash-out: value comes from a darknet market or a mixer and soon goes on to an exchange.

The wallet between the two is the subject: it takes value out of sight and brings it to where it becomes
money. Transfers from accounts attributed to darknet markets or mixers in at least even confidence are
matched, the latest first, with what the account pays within ``hours`` to exchanges, kiosks, P2P platforms
or accounts that an institution keeps. An alert from ``min_value`` within the window, to watch from half.

With more wallets in between it is `indirect_exposure`; a Bitcoin transaction has others on its far side,
`shared_transaction`. A market's vendors and its customers with refunds are not told apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.model import Columns, Mark
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._cash_out import TAKEN, judged, told
from comity.typologies._cash_out import cash_outs as _kernel
from comity.typologies._common import FATF, arrays, frozen, pay, wallet
from comity.typologies._marked import SPARED, called, known, percent

SPEC = TypologySpec(
    id="darknet_cash_out",
    title="From the darknet or a mixer to an exchange",
    indicator="Value from a darknet market or a mixer goes through a wallet to an exchange soon after.",
    flags=("A6",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_value", 1000, "money", "an alert when this value went on"),
        Parameter("window", 720, "hours", "within this time"),
        Parameter("hours", 72, "hours", "a payment follows what came in within this time"),
        Parameter("confidence", 0.5, "ratio", "attributions count when at least so sure"),
    ),
    joint={"total": "min_value"},
    uses=("facts.hosted", "known.marks", "known.sure"),
)
_CAME = int(Mark.DARKNET | Mark.MIXER)


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    least = max(1, round(parameters["min_value"]))
    found = _kernel(
        frozen(scope.accounts),
        *arrays(columns, TAKEN),
        _CAME,
        int(Mark.EXCHANGE | Mark.KIOSK | Mark.P2P),
        SPARED,
        percent(parameters["confidence"]),
        round(parameters["hours"]),
        round(parameters["window"]),
        -(-least // 2),
    )
    return judged(*found, min_value=least)


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    whence = f"straight from accounts attributed to: {called(features['marks'], among=_CAME)}"
    return told(features, currency, whence, "to where it can be exchanged for money")


_KNOWN = known(MARKET="market", MIX="mixer", EX="exchange", ATM="atm", LOCKER="ransomware")

CASES = (
    Sample(
        "a vendor's takings, and what comes out of a mixer, go on to an exchange",
        (
            pay(1, 0, "MARKET", wallet(1), "700"),
            pay(2, 9, "MARKET", wallet(1), "800"),
            pay(3, 20, wallet(1), "EX", "1450"),
            pay(4, 0, "MIX", wallet(2), "5000"),
            pay(5, 30, wallet(2), "ATM", "2000"),
            pay(6, 31, wallet(2), wallet(9), "2000"),
        ),
        alerts=(wallet(1), wallet(2)),
        knowledge=_KNOWN,
    ),
    Sample(
        "near miss: half is to watch; too late, back into the mixer, or paid before, is nothing",
        (
            pay(1, 0, "MARKET", wallet(1), "700"),
            pay(2, 9, wallet(1), "EX", "500"),
            pay(3, 0, "MIX", wallet(2), "5000"),
            pay(4, 80, wallet(2), "EX", "5000"),
            pay(5, 0, "MIX", wallet(3), "5000"),
            pay(6, 9, wallet(3), "MIX", "5000"),
            pay(7, 0, wallet(4), "EX", "5000"),
            pay(8, 9, "MIX", wallet(4), "5000"),
        ),
        watches=(wallet(1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "weekly takings of a few hundred add up within a month, and are one finding",
        tuple(
            one
            for i in range(9)
            for one in (
                pay(2 * i, 168 * i, "MARKET", wallet(1), "300"),
                pay(2 * i + 1, 168 * i + 1, wallet(1), "EX", "290"),
            )
        ),
        alerts=(wallet(1),),
        knowledge=_KNOWN,
    ),
    Sample(
        "negative: other proceeds are another pattern; the exchange and the market are not the subject",
        (
            pay(1, 0, "LOCKER", wallet(1), "7000"),
            pay(2, 9, wallet(1), "EX", "7000"),
            pay(3, 0, "MIX", "EX", "7000"),
            pay(4, 9, "EX", "BANK", "7000"),
            pay(5, 0, "MIX", "MARKET", "7000"),
            pay(6, 9, "MARKET", "EX", "7000"),
            pay(7, 0, "A", wallet(3), "7000"),
            pay(8, 9, wallet(3), "EX", "7000"),
        ),
        knowledge=_KNOWN,
    ),
)

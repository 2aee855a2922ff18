"""Small ledgers that the tracing tests share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.model import BITCOIN, BTC, AccountId, Amount, AssetId, Transfer

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
Pay = Callable[..., Transfer]


@pytest.fixture
def pay() -> Pay:
    """``pay(hours, source, target, value)``: euros between ``acct:X:NAME`` accounts, numbered in order."""
    count = iter(range(10_000))

    def make(hours: float, source: str, target: str, value: str | None) -> Transfer:
        amount = None if value is None else Amount(Decimal(value), EURO)
        return Transfer(
            f"t{next(count):04d}",
            BEGIN + timedelta(hours=hours),
            AccountId(f"acct:X:{source}"),
            AccountId(f"acct:X:{target}"),
            amount,
        )

    return make


@pytest.fixture
def spend() -> Callable[..., list[Transfer]]:
    """``spend(n, hours, inputs, outputs)``: a Bitcoin transaction through the hub ``tx-n``."""

    def make(
        number: int,
        hours: float,
        inputs: list[tuple[str, str | None]],
        outputs: list[tuple[str, str]],
    ) -> list[Transfer]:
        time, hub = BEGIN + timedelta(hours=hours), AccountId(f"{BITCOIN}:tx-{number}")
        moves = [(AccountId(f"{BITCOIN}:{name}"), hub, value) for name, value in inputs]
        moves += [(hub, AccountId(f"{BITCOIN}:{name}"), value) for name, value in outputs]
        return [
            Transfer(f"{number:03d}-{i}", time, a, b, None if v is None else Amount(Decimal(v), BTC))
            for i, (a, b, v) in enumerate(moves)
        ]

    return make

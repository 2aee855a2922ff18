"""A tiny ledger: a header, then a transfer a line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from comity import intake as distrust
from comity.chains import ChainSpec, Intake
from comity.errors import BadInput
from comity.model import AccountId, Amount, AssetId, Transfer

SPEC = ChainSpec("tiny", "Tiny ledgers", "made up", {"asset": "the asset of every amount"}, "iso4217:USD")
SAMPLE = b"""tiny-ledger
T-1 2026-03-01T09:00:00Z acct:TINY:1 acct:TINY:9 1000.00
T-2 2026-03-01T10:00:00Z acct:TINY:2 acct:TINY:9 2500.00
T-3 2026-03-01T11:00:00Z acct:TINY:9 acct:TINY:3 77777.00
"""
SAMPLE_TRANSFERS = 3


def sniff(head: bytes) -> bool:
    """Whether the file begins as a tiny ledger does."""
    return head.startswith(b"tiny-ledger\n")


def read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]:
    """One transfer a line. Raises BadInput."""
    asset = AssetId.parse(intake.options.get("asset", "iso4217:USD"))
    if stream.readline(80) != b"tiny-ledger\n":
        raise BadInput("not a tiny ledger", remedy="fetch it again")
    while line := stream.readline(400):
        try:
            name, time, source, target, amount = line.decode().split()
        except ValueError as error:
            raise BadInput("not a tiny transfer", why=str(error), remedy="correct the line") from None
        intake.transactions += 1
        yield Transfer(
            name,
            distrust.instant(time, name, intake.now),
            AccountId.parse(source),
            AccountId.parse(target),
            Amount(Decimal(distrust.amount(amount, name)), asset),
        )

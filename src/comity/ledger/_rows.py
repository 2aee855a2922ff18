"""Transfers to rows of a Parquet part and back, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa

from comity import codec
from comity.errors import BadInput, TooLarge
from comity.ledger.columns import units
from comity.ledger.rates import Valuation
from comity.model import AccountId, Amount, AssetId, Party, Transfer

_BATCH = 1 << 15
_EXACT = pa.decimal128(38, 18)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("time", pa.timestamp("us")),
        ("originator", pa.string()),
        ("beneficiary", pa.string()),
        ("amount", _EXACT),
        ("asset", pa.string()),
        ("value", _EXACT),
        ("units", pa.int64()),
        ("originator_institution", pa.string()),
        ("beneficiary_institution", pa.string()),
        ("originator_country", pa.string()),
        ("beneficiary_country", pa.string()),
        ("originator_party", pa.string()),
        ("beneficiary_party", pa.string()),
        ("intermediaries", pa.list_(pa.string())),
        ("reference", pa.string()),
        ("source", pa.string()),
        ("rate", _EXACT),
        ("rate_source", pa.string()),
        ("rate_date", pa.date32()),
        ("corrects", pa.string()),
        ("voided", pa.bool_()),
        ("reason", pa.string()),
        ("corrected_by", pa.string()),
        ("recorded", pa.timestamp("us")),
        ("version", pa.int32()),
    ]
)
FIELDS = tuple(name for name in SCHEMA.names[: SCHEMA.names.index("source")] if name != "units")
"""What makes a transfer, in the order that `transfer` reads."""
MAX_ROWS = 200_000_000
"""Transfers of one append: a file that claims more is damaged, or meant to fill the disk."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the transfers of one append, or one correction, have in common."""

    version: int
    source: str
    reason: str = ""
    by: str = ""
    at: datetime | None = None


def batches(
    given: Iterable[tuple[Transfer, str | None, bool]], valuation: Valuation, batch: Batch
) -> Iterator[pa.RecordBatch]:
    """Rows of `SCHEMA`. ``units`` is the worth in units of 10**-scale, -1 where it is not known.

    Each transfer comes with the id that it corrects, if any, and whether that one is void.
    Raises TooLarge beyond `MAX_ROWS`.
    """
    rows = (_row(transfer, corrects, voided, valuation, batch) for transfer, corrects, voided in given)
    written = 0
    while some := list(islice(rows, _BATCH)):
        written += len(some)
        if written > MAX_ROWS:
            raise TooLarge(
                f"more than {MAX_ROWS:,} transfers at once",
                why="a file that claims so many is damaged, or meant to fill the disk",
                remedy="split the file",
            )
        try:
            yield pa.record_batch(
                [
                    pa.array(cells, kind)
                    for cells, kind in zip(zip(*some, strict=True), SCHEMA.types, strict=True)
                ],
                schema=SCHEMA,
            )
        except (ValueError, OverflowError) as error:
            raise BadInput(
                "a transfer that the ledger cannot keep exactly",
                why=str(error)[:200],
                remedy="amounts are below 10^18 with at most 18 decimal places, texts are UTF-8",
            ) from None


def _row(
    transfer: Transfer, corrects: str | None, voided: bool, valuation: Valuation, batch: Batch
) -> tuple[Any, ...]:
    amount = transfer.amount
    value, known, used = valuation.of(transfer)
    rate, rate_source, rate_date = used or (None, None, None)
    return (
        transfer.id,
        _naive(transfer.time),
        transfer.originator.value,
        transfer.beneficiary.value,
        None if amount is None else amount.quantity,
        None if amount is None else amount.asset.value,
        value,
        units(known, valuation.scale),
        transfer.originator_institution,
        transfer.beneficiary_institution,
        transfer.originator_country,
        transfer.beneficiary_country,
        party_text(transfer.originator_party),
        party_text(transfer.beneficiary_party),
        transfer.intermediaries,
        transfer.reference,
        batch.source,
        rate,
        rate_source,
        rate_date,
        corrects,
        voided,
        batch.reason,
        batch.by,
        None if batch.at is None else _naive(batch.at),
        batch.version,
    )


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)


def transfer(row: Sequence[Any]) -> Transfer:
    """The transfer of a row of `FIELDS`; its amounts are written without trailing zeros."""
    name, time, originator, beneficiary, quantity, asset, value, *rest = row
    from_bank, to_bank, from_country, to_country, payer, payee, between, reference = rest
    return Transfer(
        name,
        time.replace(tzinfo=UTC),
        AccountId(originator),
        AccountId(beneficiary),
        None if quantity is None else Amount(plain(quantity), AssetId(asset)),
        None if value is None else plain(value),
        from_bank,
        to_bank,
        from_country,
        to_country,
        party(payer),
        party(payee),
        tuple(between),
        reference,
    )


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros; through text, because Decimal.normalize rounds to 28 digits."""
    return Decimal(format(value, "f").rstrip("0").rstrip("."))


@lru_cache(1 << 16)
def party_text(who: Party | None) -> str | None:
    """A party as it is stored: canonical JSON."""
    return None if who is None else codec.to_json(who).decode()


@lru_cache(1 << 16)
def party(text: str | None) -> Party | None:
    """A stored party."""
    return None if text is None else codec.from_json(Party, text.encode())

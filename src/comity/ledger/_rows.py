"""Transfers to rows of a Parquet part and back, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa

from comity import codec
from comity.errors import BadInput
from comity.ledger.columns import scale_of, units, worth
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
    ]
)
FIELDS = tuple(name for name in SCHEMA.names if name not in {"units", "source"})


def batches(
    transfers: Iterable[Transfer], reference: AssetId, rates: Mapping[str, Decimal], source: str
) -> Iterator[pa.RecordBatch]:
    """Rows of `SCHEMA`. ``units`` is the worth in units of 10**-scale, -1 where it is not known."""
    rows = (_row(transfer, reference, rates, source) for transfer in transfers)
    while some := list(islice(rows, _BATCH)):
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
    transfer: Transfer, reference: AssetId, rates: Mapping[str, Decimal], source: str
) -> tuple[Any, ...]:
    scale = scale_of(reference)
    amount, value = transfer.amount, transfer.value
    if value is None and amount is not None and (rate := rates.get(amount.asset.value)) is not None:
        with localcontext(prec=60):
            value = (amount.quantity * rate).quantize(Decimal(1).scaleb(-scale))
    known = value if value is not None else worth(transfer, reference)
    return (
        transfer.id,
        transfer.time.astimezone(UTC).replace(tzinfo=None),
        transfer.originator.value,
        transfer.beneficiary.value,
        None if amount is None else amount.quantity,
        None if amount is None else amount.asset.value,
        value,
        units(known, scale),
        transfer.originator_institution,
        transfer.beneficiary_institution,
        transfer.originator_country,
        transfer.beneficiary_country,
        _party_text(transfer.originator_party),
        _party_text(transfer.beneficiary_party),
        transfer.intermediaries,
        transfer.reference,
        source,
    )


def transfer(row: Sequence[Any]) -> Transfer:
    """The transfer of a row of `FIELDS`; its amounts are written without trailing zeros."""
    name, time, originator, beneficiary, quantity, asset, value, *rest = row
    from_bank, to_bank, from_country, to_country, payer, payee, between, reference = rest
    return Transfer(
        name,
        time.replace(tzinfo=UTC),
        AccountId(originator),
        AccountId(beneficiary),
        None if quantity is None else Amount(_plain(quantity), AssetId(asset)),
        None if value is None else _plain(value),
        from_bank,
        to_bank,
        from_country,
        to_country,
        _party(payer),
        _party(payee),
        tuple(between),
        reference,
    )


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros; through text, because Decimal.normalize rounds to 28 digits."""
    return Decimal(format(value, "f").rstrip("0").rstrip("."))


@lru_cache(1 << 16)
def _party_text(party: Party | None) -> str | None:
    return None if party is None else codec.to_json(party).decode()


@lru_cache(1 << 16)
def _party(text: str | None) -> Party | None:
    return None if text is None else codec.from_json(Party, text.encode())

"""Many transfers as columns of what the law looks at: when, worth what, between whom.

Worth is a code in int64: twice the whole units of 10**-scale, plus one where there is a finer rest. So a
threshold on the grid is judged exactly, and whatever is finer than the grid on the strict side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from comity.errors import BadInput
from comity.model import Institution, Threshold, Transfer
from comity.standard.sides import Side, between, sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")
UNKNOWN = -1
SCALE = 4
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_MOST = 2**62


@dataclass(frozen=True, slots=True)
class Batch:
    """``n`` transfers.

    - ``time``: int64[n], microseconds since 1970-01-01T00:00Z
    - ``value``: int64[n], worth in the common currency as a code; -1 where it is not known
    - ``quantity``, ``currency``: int64[n], int16[n]: the amount as a code where it is money, and the index
      of its ISO 4217 currency in ``currencies``; -1 for any other asset
    - ``originator``, ``beneficiary``: int32[n], indices into ``sides``
    - ``between``: int32[n], index into ``betweens``: the institutions that pass it on, mostly none
    - ``facts``: int32[n], index into ``fact_sets``: facts beside what the transfer shows, overriding it
    """

    time: NDArray[np.int64]
    value: NDArray[np.int64]
    quantity: NDArray[np.int64]
    currency: NDArray[np.int16]
    originator: NDArray[np.int32]
    beneficiary: NDArray[np.int32]
    between: NDArray[np.int32]
    facts: NDArray[np.int32]
    sides: Sequence[Side]
    betweens: Sequence[tuple[Side, ...]]
    currencies: Sequence[str]
    fact_sets: Sequence[Mapping[str, str]]
    scale: int = SCALE

    def __len__(self) -> int:
        return len(self.time)


def code(amount: Decimal, scale: int) -> int:
    """A worth as a code. Raises BadInput when it is beyond int64."""
    with localcontext(prec=120):
        scaled = amount.scaleb(scale)
        whole = int(scaled)
    if not 0 <= whole < _MOST:
        raise BadInput(f"a worth out of bounds: {amount}", remedy="correct it, or use a coarser scale")
    return 2 * whole + (scaled != whole)


def limit(threshold: Threshold, worth: Decimal, scale: int, rate: Decimal = Decimal(1)) -> int:
    """The least code that reaches a threshold of this ``worth``, judged in units worth ``rate`` each."""
    with localcontext(prec=120):
        top, bottom = worth.scaleb(scale).as_integer_ratio()
    over, under = rate.as_integer_ratio()
    whole, rest = divmod(top * under, bottom * over)
    return 2 * whole + (1 if rest or threshold.operator.value == "over" else 0)


class Coder(Generic[T]):
    """Gives each thing that comes by a number, in order of appearance."""

    def __init__(self, *first: T) -> None:
        self._numbers = {thing: number for number, thing in enumerate(first)}

    def __call__(self, thing: T) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def things(self) -> tuple[T, ...]:
        """What was numbered, in that order."""
        return tuple(self._numbers)


def of(
    transfers: Iterable[Transfer],
    *,
    parties: Mapping[str, Institution],
    rates: Mapping[str, Decimal],
    facts: Mapping[str, Mapping[str, str]] | None = None,
    scale: int = SCALE,
) -> Batch:
    """A batch of transfers; ``facts`` by transfer id. Raises BadInput for a worth out of bounds.

    ``rates`` as in `duties`: the worth of an asset that has one stands for a value that is missing.
    """
    numbers, currencies = Coder[Side](), Coder[str]()
    betweens, fact_sets = Coder[tuple[Side, ...]](()), Coder[tuple[tuple[str, str], ...]](())
    rows: list[tuple[int, ...]] = []
    for transfer in transfers:
        amount = transfer.amount
        money = amount.asset.currency if amount is not None else None
        value = transfer.value
        if value is None and amount is not None and (rate := rates.get(str(amount.asset))) is not None:
            value = amount.quantity * rate
        given = tuple(sorted((facts or {}).get(transfer.id, {}).items()))
        rows.append(
            (
                (transfer.time - EPOCH) // MICROSECOND,
                UNKNOWN if value is None else code(value, scale),
                code(amount.quantity, scale) if amount is not None and money else UNKNOWN,
                currencies(money) if money else UNKNOWN,
                *(numbers(side) for side in sides(transfer, parties)),
                betweens(between(transfer.intermediaries, parties)),
                fact_sets(given),
            )
        )
    table = np.array(rows, dtype=np.int64).reshape(-1, 8)
    whole, small = np.int64, np.int32
    kinds = (whole, whole, whole, np.int16, small, small, small, small)
    time, value_, quantity, currency, originator, beneficiary, middle, facts_ = (
        np.ascontiguousarray(table[:, i], dtype=kind) for i, kind in enumerate(kinds)
    )
    return Batch(
        time,
        value_,
        quantity,
        currency,
        originator,
        beneficiary,
        middle,
        facts_,
        sides=numbers.things(),
        betweens=betweens.things(),
        currencies=currencies.things(),
        fact_sets=tuple(dict(each) for each in fact_sets.things()),
        scale=scale,
    )

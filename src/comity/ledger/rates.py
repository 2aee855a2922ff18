"""What amounts are worth in a ledger's reference asset: rates with their source and date.

A transfer is valued at the latest rate of its asset on or before its day, when that is at most
`MAX_AGE_DAYS` old; else at a standing rate, if one was given; else its value stays unknown.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path

from comity import intake
from comity.errors import BadInput, TooLarge
from comity.ledger.columns import scale_of, worth
from comity.model import AssetId, Rate, Transfer

MAX_AGE_DAYS = 7
MAX_FILE = 64 * 1024 * 1024
MAX_ROWS = 1_000_000
COLUMNS = ("asset", "date", "value", "source")
UNSOURCED = "given without its source"
_LONGEST = 200
_PLACES = Decimal(1).scaleb(-18)

Used = tuple[Decimal, str, date | None]
"""A rate that was used: its value, its source, and its day where one is known."""


class RateTable:
    """Rates by asset and day. ``dated`` hold from their day on for ``max_age_days``; ``standing`` always.

    Raises BadInput when a rate is out of bounds, or two of one asset and day differ.
    """

    def __init__(
        self, dated: Iterable[Rate] = (), standing: Iterable[Rate] = (), max_age_days: int = MAX_AGE_DAYS
    ) -> None:
        self.max_age_days = max_age_days
        self._standing: dict[str, Used] = {
            rate.asset.value: (_bounded(rate.asset.value, rate.value), rate.source, rate.on)
            for rate in standing
        }
        by_day: dict[str, dict[date, Rate]] = defaultdict(dict)
        for rate in dated:
            held = by_day[rate.asset.value].setdefault(rate.on, rate)
            if held.value != rate.value:
                raise BadInput(
                    f"two rates of {rate.asset} on {rate.on}",
                    why=f"{held.value} ({held.source}) and {rate.value} ({rate.source})",
                    remedy="leave one of them out",
                )
        self._days = {asset: sorted(rates) for asset, rates in by_day.items()}
        self._used: dict[tuple[str, date], Used] = {
            (asset, on): (_bounded(asset, rate.value), rate.source, on)
            for asset, rates in by_day.items()
            for on, rate in rates.items()
        }

    @classmethod
    def of(cls, given: Mapping[str, Decimal] | RateTable | None) -> RateTable:
        """The table itself; or one of plain rates, by asset id, without a source or a day."""
        if isinstance(given, RateTable):
            return given
        table = cls()
        table._standing = {
            asset: (_bounded(asset, value), UNSOURCED, None) for asset, value in (given or {}).items()
        }
        return table

    def find(self, asset: str, day: date) -> Used | None:
        """The rate to value an amount of this asset with on this day."""
        days = self._days.get(asset, [])
        place = bisect_right(days, day)
        if place and (day - days[place - 1]).days <= self.max_age_days:
            return self._used[asset, days[place - 1]]
        return self._standing.get(asset)

    def knows(self, asset: str) -> bool:
        """Whether there is any dated rate of this asset."""
        return asset in self._days


class Valuation:
    """Values transfers in one reference asset, and counts those for which no rate was recent enough."""

    def __init__(self, reference: AssetId, rates: Mapping[str, Decimal] | RateTable | None) -> None:
        self.reference = reference
        self.scale = scale_of(reference)
        self._table = RateTable.of(rates)
        self._found: dict[tuple[str, date], Used | None] = {}
        self._missed: dict[str, tuple[int, date, date]] = {}

    def of(self, transfer: Transfer) -> tuple[Decimal | None, Decimal | None, Used | None]:
        """The value to store, its worth in the reference asset, and the rate that gave it, if one did."""
        value, amount = transfer.value, transfer.amount
        used = None
        if value is None and amount is not None:
            asset, day = amount.asset.value, transfer.time.astimezone(UTC).date()
            if (asset, day) not in self._found:
                self._found[asset, day] = self._table.find(asset, day)
            used = self._found[asset, day]
            if used is not None:
                with localcontext(prec=60):
                    value = (amount.quantity * used[0]).quantize(Decimal(1).scaleb(-self.scale))
            elif self._table.knows(asset) and amount.asset != self.reference:
                self._miss(asset, day)
        return value, value if value is not None else worth(transfer, self.reference), used

    def _miss(self, asset: str, day: date) -> None:
        count, first, last = self._missed.get(asset, (0, day, day))
        self._missed[asset] = (count + 1, min(first, day), max(last, day))

    def notes(self) -> Iterator[str]:
        """A sentence for each asset that has rates, but none recent enough for some transfers."""
        for asset, (count, first, last) in sorted(self._missed.items()):
            yield (
                f"no rate of {asset} within the {self._table.max_age_days} days before {count:,} transfers "
                f"({first} to {last}): their value is not known"
            )


def read_rates(path: Path, now: datetime) -> list[Rate]:
    """The rates of a CSV file with the columns asset, date, value and source, in any order.

    Raises BadInput naming the row and column; TooLarge beyond `MAX_FILE` bytes or `MAX_ROWS` rows.
    """
    with intake.open_source(path, limit=MAX_FILE) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8", remedy="save the file as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[Rate] = []
    try:
        header = [name.strip() for name in next(rows, [])]
        if sorted(header) != sorted(COLUMNS):
            raise BadInput(
                f"{path.name} does not have the columns of a table of rates",
                why=f"its first line is: {','.join(header)[:200] or 'empty'}",
                remedy=f"write the header {','.join(COLUMNS)}",
            )
        for number, row in enumerate(rows, 2):
            if number > MAX_ROWS + 1:
                raise TooLarge(f"{path.name} holds more than {MAX_ROWS:,} rates", remedy="split the file")
            if row:
                found.append(_rate(header, row, f"{path.name}, row {number:,}", now))
    except csv.Error as error:
        raise BadInput(f"{path.name}: not CSV", why=str(error), remedy="quote as RFC 4180 says") from None
    if not found:
        raise BadInput(f"{path.name} holds no rate", remedy="write one rate a line below the header")
    return found


def _rate(header: Sequence[str], row: Sequence[str], where: str, now: datetime) -> Rate:
    if len(row) != len(header):
        raise BadInput(f"{where}: {len(row)} cells, not {len(header)}", remedy="correct that row")
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    on = intake.day(cells["date"], f"{where}, date")
    if on > (now + timedelta(days=1)).date():
        raise BadInput(
            f"{where}, date: {on} lies in the future",
            why="a rate is what something was worth",
            remedy="correct it",
        )
    source = cells["source"]
    if not (0 < len(source) <= _LONGEST and source.isprintable()):
        raise BadInput(
            f"{where}, source: empty, longer than {_LONGEST} characters, or not printable",
            why="a value that nobody answers for cannot be relied on",
            remedy="name who published the rate",
        )
    try:
        asset = asset_of(cells["asset"])
    except BadInput as error:
        raise BadInput(f"{where}, asset: {error.what}", why=error.why, remedy=error.remedy) from None
    return Rate(asset, intake.amount(cells["value"], f"{where}, value"), source, on)


def asset_of(text: str) -> AssetId:
    """An asset id, or a currency by its three letters. Raises BadInput."""
    return AssetId.money(text) if len(text) == 3 else AssetId.parse(text)


def _bounded(asset: str, value: Decimal) -> Decimal:
    """The rate with at most 18 decimal places, as it is stored beside each value it gave."""
    if not value.is_finite() or not 0 <= value < intake.MAX_AMOUNT:
        raise BadInput(
            f"a rate out of bounds: {asset} at {str(value)[:40]}",
            why="a rate lies between 0 and 10^18",
            remedy="correct it",
        )
    with localcontext(prec=60):
        return value.quantize(_PLACES)

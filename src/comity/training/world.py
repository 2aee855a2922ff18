"""A world with known truth: institutions of four countries, their customers, traffic, and planted schemes.

Every institution sees only the transfers it is an end of; the truth is kept apart. Everything in a world
is made up, but the sanctioned wallets handed in. The same seed gives the same world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from comity.errors import BadInput, NotFound
from comity.model import AccountId, Amount, Institution, Party, Transfer
from comity.training.background import fill
from comity.training.book import ASSETS, RATES, SCALES, Book, Ints
from comity.training.places import obliged
from comity.training.plant import Draft, plant
from comity.training.population import Population, populate
from comity.training.scheme import Scheme

FEWEST, MOST = 2_000, 20_000_000
SHORTEST = 14
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """``n`` transfers in order of (time, id), as int64[n] columns.

    ``src``, ``dst``: into the accounts; ``time``: microseconds since 1970; ``amount``: in units of
    10**-SCALES of the asset; ``asset``: into ASSETS; ``text``: into ``texts``. Per account: its id,
    institution and country ('' if none), and its holder's name as payments state it.
    """

    ids: tuple[str, ...]
    time: Ints
    src: Ints
    dst: Ints
    amount: Ints
    asset: Ints
    text: Ints
    texts: tuple[str, ...]
    accounts: tuple[str, ...]
    institution: tuple[str, ...]
    country: tuple[str, ...]
    name: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def view(self, institution: str) -> NDArray[np.intp]:
        """Row numbers of the transfers that the institution is an end of."""
        mine = np.array([other == institution for other in self.institution], np.bool_)
        return np.flatnonzero(mine[self.src] | mine[self.dst])

    def instant(self, row: int) -> datetime:
        """When a transfer was made, in UTC."""
        return EPOCH + timedelta(microseconds=int(self.time[row]))

    def quantity(self, row: int) -> Decimal:
        """What was sent, exactly."""
        return Decimal(int(self.amount[row])).scaleb(-SCALES[self.asset[row]])


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """``rates``: US dollars for one of each asset, by id. ``customers``: by institution, account → party.

    ``schemes`` is the truth; it is empty where a world was read without it.
    """

    seed: int
    start: datetime
    days: int
    rates: Mapping[str, Decimal]
    institutions: tuple[Institution, ...]
    customers: Mapping[str, Mapping[str, Party]]
    table: Table
    schemes: tuple[Scheme, ...]

    @property
    def obliged(self) -> tuple[Institution, ...]:
        """The institutions that hold accounts: all but the FIUs."""
        return obliged(self.institutions)

    def transfers(self, institution: str = "") -> Iterator[Transfer]:
        """The transfers one institution sees, or all of them; ``value`` is in US dollars. Raises NotFound."""
        if institution and institution not in self.customers:
            raise NotFound(
                f"no institution {institution!r} with accounts in this world",
                remedy=f"there are: {', '.join(self.customers)}",
            )
        table, rates = self.table, [self.rates[str(asset)] for asset in ASSETS]
        accounts = [AccountId(account) for account in table.accounts]
        rows = table.view(institution) if institution else np.arange(len(table))
        for row in rows.tolist():
            src, dst, asset = int(table.src[row]), int(table.dst[row]), int(table.asset[row])
            quantity = table.quantity(row)
            yield Transfer(
                id=table.ids[row],
                time=table.instant(row),
                originator=accounts[src],
                beneficiary=accounts[dst],
                amount=Amount(quantity, ASSETS[asset]),
                value=quantity * rates[asset],
                originator_institution=table.institution[src],
                beneficiary_institution=table.institution[dst],
                originator_country=table.country[src],
                beneficiary_country=table.country[dst],
                originator_party=Party(table.name[src]) if table.name[src] else None,
                beneficiary_party=Party(table.name[dst]) if table.name[dst] else None,
                reference=table.texts[table.text[row]],
            )

    def write(self, directory: Path) -> None:
        """Write the world's files (see `comity.training.files`), the truth in a file of its own."""
        from comity.training.files import write  # Parquet is heavy

        write(self, directory)

    @staticmethod
    def read(directory: Path) -> World:
        """A world that was written, with its truth if that lies there. Raises BadInput, TooLarge."""
        from comity.training.files import read

        return read(directory)


def _names(count: int, seed: int) -> NDArray[np.uint64]:
    """Distinct numbers in no visible order (the mixer of splitmix64 is a bijection)."""
    mixed = np.arange(count, dtype=np.uint64) + np.uint64(seed % 2**32) * np.uint64(2**31)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _table(population: Population, book: Book, seed: int) -> tuple[Table, Ints]:
    """The transfers in order, and the place in it of each row of the book."""
    time, src, dst, amount, asset, text = book.gathered()
    number = _names(len(time), seed)
    order = np.lexsort((number, time))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    table = Table(
        tuple(f"tx-{n:016x}" for n in number[order].tolist()),
        time[order],
        src[order],
        dst[order],
        amount[order],
        asset[order],
        text[order],
        texts=tuple(book.texts),
        accounts=tuple(population.accounts),
        institution=tuple(population.institution),
        country=tuple(population.country),
        name=tuple(population.name),
    )
    return table, place


def _scheme(draft: Draft, number: int, table: Table, place: Ints, seeing: Mapping[str, str]) -> Scheme:
    rows = sorted(place[list(draft.rows)].tolist())
    ends = {table.institution[a] for row in rows for a in (table.src[row], table.dst[row])}
    institutions = sorted(ends & seeing.keys())
    return Scheme(
        id=f"{draft.kind.replace('_', '-')}-{number:02d}",
        kind=draft.kind,
        story=draft.story,
        accounts=tuple(sorted(table.accounts[account] for account in draft.accounts)),
        subjects=draft.subjects,
        transfers=tuple(sorted(table.ids[row] for row in rows)),
        institutions=tuple(institutions),
        countries=tuple(sorted({seeing[institution] for institution in institutions})),
        first=table.instant(rows[0]),
        last=table.instant(rows[-1]),
    )


def _customers(population: Population) -> dict[str, dict[str, Party]]:
    books: dict[str, dict[str, Party]] = {house.id: {} for house in obliged(population.members)}
    for account, holder in enumerate(population.holder):
        if holder >= 0:
            books[population.institution[account]][population.accounts[account]] = population.party(account)
    return books


def generate(
    seed: int,
    *,
    transfers: int = 200_000,
    days: int = 60,
    start: datetime,
    listed: Sequence[tuple[AccountId, str]] = (),
) -> World:
    """A world of at least ``transfers`` transfers in ``days`` days from ``start`` (aware, UTC).

    ``listed`` are sanctioned wallets with the entry that lists each; schemes of kind ``sanctioned`` use
    them, and there are none without. Raises BadInput when a figure is out of bounds.
    """
    if not FEWEST <= transfers <= MOST or not SHORTEST <= days <= 3_650 or not 0 <= seed < 2**63:
        raise BadInput(
            f"no world of {transfers:,} transfers in {days} days with seed {seed}",
            why=f"a world has {FEWEST:,} to {MOST:,} transfers, {SHORTEST} to 3,650 days, a seed below 2^63",
            remedy="choose figures within these bounds",
        )
    if start.tzinfo is None:
        raise BadInput("a start without its offset", remedy="give an aware time in UTC")
    rng = np.random.default_rng(seed)
    population = populate(seed, rng, transfers, listed)
    book = Book(rng, start.astimezone(UTC).replace(minute=0, second=0, microsecond=0), days)
    fill(population, book, transfers)
    drafts = plant(population, book)
    table, place = _table(population, book, seed)
    seeing = {house.id: house.jurisdictions[0] for house in obliged(population.members)}
    counts: dict[str, int] = {}
    schemes = []
    for draft in drafts:
        counts[draft.kind] = counts.get(draft.kind, 0) + 1
        schemes.append(_scheme(draft, counts[draft.kind], table, place, seeing))
    return World(
        seed=seed,
        start=book.start,
        days=days,
        rates={str(asset): Decimal(rate) for asset, rate in zip(ASSETS, RATES, strict=True)},
        institutions=population.members,
        customers=_customers(population),
        table=table,
        schemes=tuple(sorted(schemes, key=lambda scheme: scheme.id)),
    )

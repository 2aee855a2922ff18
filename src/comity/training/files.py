"""A world on disk: what each institution is given, and the truth in a file of its own.

- ``world.json``: seed, period, rates, institutions
- ``INSTITUTION/transfers.parquet``: what that institution sees, as the table reader takes it
- ``INSTITUTION/customers.jsonl``: a line of ``{"account": …, "party": …}`` for each account it holds
- ``truth.json``: the schemes; hand the rest out without it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from comity import codec, intake
from comity.errors import BadInput, StoreError
from comity.model import AccountId, Institution, Party
from comity.training.book import ASSETS, SCALES
from comity.training.scheme import Scheme
from comity.training.world import Table, World

MOST_ROWS = 50_000_000
_PLAIN_ID = re.compile(r"[a-z0-9][-a-z0-9]{0,63}")
_TEXTS = (
    "id",
    "originator",
    "beneficiary",
    "amount",
    "asset",
    "originator_institution",
    "beneficiary_institution",
    "originator_country",
    "beneficiary_country",
    "originator_name",
    "beneficiary_name",
    "reference",
)


@dataclass(frozen=True, slots=True)
class Header:
    """``world.json``."""

    seed: int
    start: datetime
    days: int
    rates: Mapping[str, Decimal]
    institutions: tuple[Institution, ...]


@dataclass(frozen=True, slots=True)
class Customer:
    """A line of ``customers.jsonl``."""

    account: AccountId
    party: Party


@dataclass(frozen=True, slots=True)
class Truth:
    """``truth.json``."""

    schemes: tuple[Scheme, ...]


def _column(values: tuple[str, ...], rows: NDArray[np.intp]) -> Any:
    """Texts by number as an Arrow dictionary decoded to plain texts."""
    return pa.array(values, pa.string()).take(pa.array(rows))


def frame(table: Table, rows: NDArray[np.intp]) -> Any:
    """The canonical columns of these transfers, as an Arrow table; amounts as exact decimal texts."""
    src, dst = table.src[rows], table.dst[rows]
    amounts = [
        f"{whole // 10**scale}.{whole % 10**scale:0{scale}d}"
        for whole, scale in zip(
            table.amount[rows].tolist(), np.array(SCALES)[table.asset[rows]].tolist(), strict=True
        )
    ]
    return pa.table(
        {
            "id": _column(table.ids, rows),
            "time": pa.array(table.time[rows], pa.timestamp("us", "UTC")),
            "originator": _column(table.accounts, src),
            "beneficiary": _column(table.accounts, dst),
            "amount": pa.array(amounts, pa.string()),
            "asset": _column(tuple(map(str, ASSETS)), table.asset[rows]),
            "originator_institution": _column(table.institution, src),
            "beneficiary_institution": _column(table.institution, dst),
            "originator_country": _column(table.country, src),
            "beneficiary_country": _column(table.country, dst),
            "originator_name": _column(table.name, src),
            "beneficiary_name": _column(table.name, dst),
            "reference": _column(table.texts, table.text[rows]),
        }
    )


def write(world: World, directory: Path) -> None:
    """Write a world. Raises StoreError when the directory cannot be written."""
    header = Header(world.seed, world.start, world.days, world.rates, world.institutions)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "world.json").write_bytes(codec.to_json(header))
        (directory / "truth.json").write_bytes(codec.to_json(Truth(world.schemes)))
        for house, customers in world.customers.items():
            place = directory / house
            place.mkdir(exist_ok=True)
            pq.write_table(
                frame(world.table, world.table.view(house)), place / "transfers.parquet", compression="zstd"
            )
            lines = (codec.to_json(Customer(AccountId(a), party)) for a, party in customers.items())
            (place / "customers.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    except OSError as error:
        raise StoreError(
            f"cannot write a world to {directory.name}",
            why=error.strerror or "",
            remedy="choose a directory you may write to, with room",
        ) from None


def _load(path: Path) -> bytes:
    with intake.open_source(path, limit=codec.MAX_BYTES * 8) as stream:
        return stream.read()


def _customers(path: Path) -> dict[str, Party]:
    rows = (codec.from_json(Customer, line) for line in _load(path).splitlines() if line)
    return {str(row.account): row.party for row in rows}


def _parquet(path: Path) -> Any:
    """One institution's transfers. Raises BadInput when a column is missing or has another type."""
    names = ["time", *_TEXTS]
    fields = [pa.field("time", pa.timestamp("us", "UTC")), *(pa.field(name, pa.string()) for name in _TEXTS)]
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise BadInput(f"{path.name} holds more than {MOST_ROWS:,} transfers", remedy="split it")
            table = file.read(names).select(names).cast(pa.schema(fields))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise BadInput(
            f"cannot read the transfers in {path.name}",
            why=str(error)[:200],
            remedy="write the world again: a file is damaged or not one of a world",
        ) from None
    if any(column.null_count for column in table.columns):
        raise BadInput(f"{path.name} has an empty field", remedy="write the world again")
    return table


class _Numbers(dict[str, int]):
    """Numbers texts in the order they are first asked for."""

    def __missing__(self, key: str) -> int:
        self[key] = len(self)
        return self[key]


def _table(parts: list[Any]) -> Table:
    """All transfers once, in order of (time, id)."""
    whole = pa.concat_tables(parts)
    columns = {name: whole.column(name).to_pylist() for name in _TEXTS}
    time = whole.column("time").cast(pa.int64()).to_numpy()
    _, kept = np.unique(np.array(columns["id"], dtype=np.str_), return_index=True)
    order = kept[np.argsort(time[kept], kind="stable")]
    accounts, texts = _Numbers(), _Numbers()
    about: dict[int, tuple[str, str, str]] = {}
    numbers = {asset.value: number for number, asset in enumerate(ASSETS)}
    rows = []
    for row in order.tolist():
        ends = []
        for end in ("originator", "beneficiary"):
            number = accounts[AccountId.parse(columns[end][row]).value]
            about[number] = (
                columns[f"{end}_institution"][row],
                columns[f"{end}_country"][row],
                columns[f"{end}_name"][row],
            )
            ends.append(number)
        asset = numbers.get(columns["asset"][row], -1)
        if asset < 0:
            raise BadInput(
                f"an asset no world has: {columns['asset'][row][:80]!r}", remedy="make the world again"
            )
        amount = intake.amount(columns["amount"][row], "amount").scaleb(SCALES[asset])
        if amount != int(amount) or amount >= 2**63:
            raise BadInput(
                f"an amount of {ASSETS[asset]} with more decimal places, or larger, than a world has",
                remedy="make the world again",
            )
        rows.append((*ends, int(amount), asset, texts[columns["reference"][row]]))
    src, dst, amounts, assets, text = np.array(rows, np.int64).reshape(-1, 5).T
    institution, country, name = zip(*(about[number] for number in range(len(about))), strict=True)
    ids = tuple(columns["id"][row] for row in order.tolist())
    return Table(
        ids,
        time[order],
        src,
        dst,
        amounts,
        assets,
        text,
        tuple(texts),
        tuple(accounts),
        institution,
        country,
        name,
    )


def read(directory: Path) -> World:
    """A world that was written. Its transfers are those some institution sees; without ``truth.json``,
    there are no schemes. Raises BadInput, TooLarge.
    """
    header = codec.from_json(Header, _load(directory / "world.json"))
    houses = [house.id for house in header.institutions]
    if not all(map(_PLAIN_ID.fullmatch, houses)) or header.rates.keys() < set(map(str, ASSETS)):
        raise BadInput(
            "not a world: an institution's id or the rates are not those of a world",
            why="ids name directories, so they are lower-case letters, digits and dashes",
            remedy="write the world again",
        )
    present = [house for house in houses if (directory / house / "transfers.parquet").is_file()]
    if not present:
        raise BadInput("a world without transfers", remedy="write the world again")
    truth = directory / "truth.json"
    return World(
        seed=header.seed,
        start=header.start,
        days=header.days,
        rates=header.rates,
        institutions=header.institutions,
        customers={house: _customers(directory / house / "customers.jsonl") for house in present},
        table=_table([_parquet(directory / house / "transfers.parquet") for house in present]),
        schemes=codec.from_json(Truth, _load(truth), limit=codec.MAX_BYTES * 8).schemes
        if truth.is_file()
        else (),
    )

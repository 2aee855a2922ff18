"""The book of a world: transfers gathered in batches of columns, and when people make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from comity.model import BTC, ETH, ETHEREUM, AssetId

Ints = NDArray[np.int64]

USDT = AssetId(f"{ETHEREUM}/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
# Assets by number, the decimal places kept of each, and its worth in US dollars (exact, as text).
ASSETS = (*(AssetId.money(code) for code in ("USD", "EUR", "SGD", "AED")), BTC, ETH, USDT)
SCALES = (2, 2, 2, 2, 8, 8, 6)
RATES = ("1", "1.09", "0.74", "0.2723", "64000", "2500", "1")
FIAT = {"US": 0, "DE": 1, "SG": 2, "AE": 3}
BITCOIN, ETHER, TETHER = 4, 5, 6

# How busy each hour of a local day is, by day and around the clock.
_OFFICE = (1, 1, 1, 1, 1, 2, 5, 12, 25, 36, 40, 40, 36, 36, 38, 36, 32, 28, 22, 16, 12, 8, 4, 2)
_ALWAYS = (9, 7, 6, 5, 5, 6, 8, 11, 14, 16, 18, 18, 18, 18, 19, 19, 20, 21, 22, 24, 25, 23, 18, 13)
_DAYS = (1.0, 1.02, 1.0, 1.03, 1.15, 0.55, 0.4)

HOUR = 3_600_000_000


@dataclass(slots=True)
class Book:
    """Transfers as columns, not yet in time order. ``texts`` are the references by number."""

    rng: np.random.Generator
    start: datetime
    days: int
    texts: list[str] = field(default_factory=lambda: [""])
    columns: list[tuple[Ints, ...]] = field(default_factory=list)
    size: int = 0

    @property
    def begin(self) -> int:
        """The first instant, in microseconds since 1970."""
        return (self.start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    @property
    def end(self) -> int:
        """The instant after the last."""
        return self.begin + self.days * 24 * HOUR

    def text(self, *choices: str) -> Ints:
        """The numbers of these references, new ones added."""
        for choice in choices:
            if choice not in self.texts:
                self.texts.append(choice)
        return np.array([self.texts.index(choice) for choice in choices], np.int64)

    def times(self, count: int, offset: int, *, office: bool) -> Ints:
        """``count`` instants (to the second) in the rhythm of a place ``offset`` hours ahead of UTC."""
        hours = np.arange(self.days * 24)
        local = hours + self.start.hour + offset
        day = (self.start.weekday() + local // 24) % 7
        weight = np.array(_OFFICE if office else _ALWAYS, float)[local % 24]
        weight *= np.array(_DAYS)[day] if office else 1.0
        chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), self.rng.random(count))
        seconds = np.minimum(chosen, len(hours) - 1) * 3600 + self.rng.integers(0, 3600, count)
        return self.begin + seconds * 1_000_000

    def add(
        self,
        time: Ints,
        src: NDArray[np.integer],
        dst: NDArray[np.integer],
        dollars: NDArray[np.floating],
        asset: int | Ints,
        text: Ints,
        grain: int = 1,
    ) -> Ints:
        """Write transfers worth about ``dollars``, in whole multiples of ``grain`` smallest units.

        A transfer to oneself, or outside the period, is left out. Returns the row numbers, -1 where left out.
        """
        count = len(time)
        assets = np.broadcast_to(np.asarray(asset, np.int64), (count,))
        units = dollars / np.array(RATES, float)[assets] * 10.0 ** np.array(SCALES)[assets]
        amount = np.maximum(np.rint(units / grain), 1).astype(np.int64) * grain
        keep = (src != dst) & (time >= self.begin) & (time < self.end)
        rows = np.where(keep, self.size + np.cumsum(keep) - 1, -1)
        chosen = text[self.rng.integers(0, len(text), count)]
        batch = (time, src, dst, amount, assets, chosen)
        self.columns.append(tuple(column[keep].astype(np.int64) for column in batch))
        self.size += int(keep.sum())
        return rows

    def gathered(self) -> tuple[Ints, ...]:
        """The columns time, src, dst, amount, asset, text in the order they were written."""
        return tuple(np.concatenate(parts) for parts in zip(*self.columns, strict=True))


def pick(
    rng: np.random.Generator, among: NDArray[np.int32], count: int, skew: float = 0.0
) -> NDArray[np.int32]:
    """``count`` draws from ``among``, some members more often than others: the k-th as k^-skew."""
    if not skew:
        return among[rng.integers(0, len(among), count)]
    weight = np.cumsum(np.arange(1, len(among) + 1, dtype=np.float64) ** -skew)
    places = np.searchsorted(weight, rng.random(count) * weight[-1])
    chosen: NDArray[np.int32] = among[np.minimum(places, len(among) - 1)]
    return chosen


def heavy(
    rng: np.random.Generator, count: int, median: float, spread: float, most: float = 2e6
) -> NDArray[np.float64]:
    """Log-normal sums in dollars about ``median``; one in two hundred is multiplied by a Pareto tail."""
    value = median * np.exp(rng.normal(0.0, spread, count))
    tail = rng.random(count) < 0.005
    value[tail] *= 1 + rng.pareto(1.6, int(tail.sum()))
    return np.clip(value, 1.0, most)


def contacts(
    rng: np.random.Generator, among: Sequence[int] | NDArray[np.int32], sender: NDArray[np.int32]
) -> NDArray[np.int32]:
    """A habitual counterparty of each sender: one of four among ``among``, the same four every time."""
    people = np.asarray(among, np.int32)
    salt = rng.integers(0, 4, len(sender))
    mixed = (
        sender.astype(np.uint64) * np.uint64(2654435761) + salt.astype(np.uint64) * np.uint64(40503)
    ) >> np.uint64(7)
    return people[(mixed % np.uint64(len(people))).astype(np.int64)]

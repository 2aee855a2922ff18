"""A made-up ledger with everything that typologies ask for: countries, institutions, wallets, attributions.

It can be laid on disk as the ledger's own columns are, and mapped by another process.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np

from bench._ledger import SEED, ledger
from comity.columnar import nothing_stated
from comity.model import Attribution, Columns, Facts, Knowledge, Limit, Regime
from comity.monitoring.known import informed

COUNTRIES = ("", "AE", "BR", "CH", "DE", "GB", "HK", "JP", "KR", "NG", "SG", "US", "VG")
_ASSETS = (
    "",
    "bip122:000000000019d6689c085ae165831e93/slip44:0",
    "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7",
    "eip155:1/slip44:60",
    "iso4217:EUR",
    "iso4217:USD",
)
_KINDS = (
    "exchange",
    "mixing_service",
    "ransomware",
    "gambling",
    "bridge",
    "swap",
    "p2p",
    "kiosk",
    "scam",
    "sanction",
    "market",
    "weak_kyc",
)
_MARKED = 3_000
"""One account in so many is attributed to somebody."""


class Numbered(Sequence[str]):
    """The texts ``PREFIX000000000`` and so on, made when asked for."""

    def __init__(self, prefix: str, count: int) -> None:
        self._prefix, self._count = prefix, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(self._count))]
        if not 0 <= at < self._count:
            raise IndexError(at)
        return f"{self._prefix}{at:09}"


@lru_cache(1)
def world(transfers: int) -> Columns:
    """About so many transfers, of which all is stated and much is known."""
    plain = ledger(transfers)[0]
    n, m = len(plain), plain.n_accounts
    named = replace(
        plain, accounts=Numbered("acct:BENCH:", m), ids=Numbered("t", n), facts=_facts(n, m, plain)
    )
    rng = np.random.default_rng(SEED + 1)
    marked = np.sort(rng.choice(m, max(len(_KINDS), m // _MARKED), replace=False))
    attributions = {
        (account := named.accounts[int(number)]): Attribution(
            account,
            f"Service {i}",
            f"actor{i // 2}",
            (_KINDS[i % len(_KINDS)],),
            0.4 + 0.1 * (i % 6),
            "bench",
        )
        for i, number in enumerate(marked)
    }
    since = date(2020, 1, 1)
    limits = tuple(
        Limit(country, question, since, Decimal(value))
        for country in COUNTRIES[1:]
        for question, value in (("travel_rule.threshold", 1000), ("ctr.threshold", 10_000))
    )
    regimes = tuple(Regime(country, since, risk) for country, risk in (("VG", 1), ("NG", 2)))
    return informed(named, Knowledge(attributions, limits, regimes))


def _facts(n: int, m: int, plain: Columns) -> Facts:
    """Accounts have a country and an institution of their own; one in five is a wallet without one."""
    rng = np.random.default_rng(SEED + 2)
    country = rng.integers(1, len(COUNTRIES), m).astype(np.int16)
    place = rng.integers(1, 301, m).astype(np.int32)
    hosted = rng.random(m) > 0.2
    place[~hosted] = 0
    shared = rng.random(m) < 0.01
    figures = rng.integers(1, 7, n).astype(np.uint8)
    memo = np.where(rng.random(n) < 0.05, rng.integers(1, 5_000, n), 0).astype(np.int32)
    return replace(
        nothing_stated(0, 0),
        asset=rng.integers(1, len(_ASSETS), n).astype(np.int32),
        digits=figures,
        memo=memo,
        src_country=country[plain.src],
        dst_country=country[plain.dst],
        src_at=place[plain.src],
        dst_at=place[plain.dst],
        hosted=hosted,
        identity=np.where(shared, rng.integers(1, max(2, m // 400), m), 0).astype(np.int32),
        sharers=np.where(shared, rng.integers(1, 5, m), 0).astype(np.int32),
        born=np.where(rng.random(m) < 0.3, rng.integers(1935, 2005, m), 0).astype(np.int16),
        assets=_ASSETS,
        memos=("", *(f"invoice {number}" for number in range(1, 5_000))),
        countries=COUNTRIES,
        institutions=("", *(f"bank{number}" for number in range(1, 301))),
    )


def lay(given: Any, folder: Path) -> None:
    """Write columns to disk: a file for each array, and the rest in one."""
    folder.mkdir(parents=True, exist_ok=True)
    rest: dict[str, Any] = {}
    for field in fields(given):
        value = getattr(given, field.name)
        if is_dataclass(value):
            lay(value, folder / field.name)
        elif isinstance(value, np.ndarray):
            np.save(folder / f"{field.name}.npy", value)
        else:
            rest[field.name] = value
    (folder / "rest.pickle").write_bytes(pickle.dumps(rest))


def take(folder: Path, kind: type[Any] = Columns) -> Any:
    """The columns of a folder, mapped."""
    from comity.model import Known

    kept: dict[str, Any] = pickle.loads((folder / "rest.pickle").read_bytes())
    kept |= {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    if kind is Columns:
        kept |= {"facts": take(folder / "facts", Facts), "known": take(folder / "known", Known)}
    return kind(**kept)

"""In how many cycles and fans each transfer stands: against IBM's Graph Feature Preprocessor.

What it counts we found by experiment, and every count is asserted here. A temporal cycle is one for each
last transfer and ring of accounts, and all parallel transfers on it stand in it; moments ascend strictly, and
the window includes what is just as old. A fan ends with each transfer, holds those of the same account (two
others at least) that are *less* than a window older, and counts for each of them. Two things are left out of
the input: transfers to oneself (it tells the fan before one again) and a second transfer in the same second
(its moments are whole seconds, in 32 bits).

It knows no longest cycle; ours are counted up to twelve accounts, and its last bin must be empty.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import Row
from bench._ledger import HOUR, columns, ledger
from bench._measure import cpu
from comity.model import Columns
from comity.monitoring.features import cycles, fans

CLAIM = (
    "How many temporal cycles and fans each transfer stands in is counted in at most a fiftieth of the CPU "
    "time of IBM's Graph Feature Preprocessor."
)
GOAL = 50.0
TRANSFERS = 1_000_000
_SECOND, _WINDOW, _DAY = 1_000_000, 24 * HOUR, 86_400
_LENGTHS = tuple(range(2, 14))
_SIZES = tuple(range(2, 31))
"""Its own default. Bins of more than one size it fills otherwise than its manual says."""
_SLABS = (50_000, 1_000_000_000)
"""How much it is given at once: it is far cheaper on slabs of some days than on everything."""


@lru_cache(1)
def _given(transfers: int) -> tuple[Columns, NDArray[np.float64]]:
    """A made-up ledger in whole seconds, no two transfers in the same, none to oneself; and as the peer
    takes it: number, payer, payee, second."""
    plain = ledger(transfers)[0]
    kept = plain.src != plain.dst
    src, dst, value = plain.src[kept], plain.dst[kept], plain.value[kept]
    seconds, turn = (plain.time[kept] - plain.time[0]) // _SECOND, np.arange(len(src))
    seconds = np.maximum.accumulate(seconds - turn) + turn
    seconds -= min(0, int(seconds[0]))
    made = columns(seconds * _SECOND, src, dst, value, plain.n_accounts)
    return made, np.stack((turn, src, dst, seconds), axis=1).astype(np.float64)


def _peer(
    given: NDArray[np.float64], kind: str, bins: tuple[int, ...], slab: int
) -> Callable[[], NDArray[np.float64]]:
    """Its features of one kind, on one thread: of slabs of so many transfers, each with all transfers within
    a window before and after it (what it is given at once is all it counts in).

    ``transform`` alone: ``fit_transform`` counts most of it twice.
    """
    from snapml import GraphFeaturePreprocessor

    def work() -> NDArray[np.float64]:
        found = np.empty((len(given), len(bins) * (1 + (kind == "fan"))))
        for begin in range(0, len(given), slab):
            end = min(begin + slab, len(given))
            low = np.searchsorted(given[:, 3], given[begin, 3] - _DAY)
            high = np.searchsorted(given[:, 3], given[end - 1, 3] + _DAY, side="right")
            peer = GraphFeaturePreprocessor()
            peer.set_params(
                {n: False if isinstance(v, bool) else v for n, v in peer.get_params().items()}
                | {kind: True, f"{kind}_tw": _DAY, f"{kind}_bins": list(bins), "num_threads": 1}
            )
            some = peer.transform(given[low:high])
            found[begin:end] = some[begin - low : end - low, 4:]
        return found

    return work


def _cycles(made: Columns) -> tuple[NDArray[Any], ...]:
    found = cycles(made, _WINDOW, _LENGTHS[0], _LENGTHS[-2])
    assert not len(found.unfinished)
    return found.counts, np.zeros((len(made), 1))


def _fans(made: Columns) -> tuple[NDArray[Any], ...]:
    return fans(made, _WINDOW - 1, _SIZES)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    made, given = _given(round(TRANSFERS * scale))
    try:
        peer_version = f"snapml {version('snapml')}"
    except PackageNotFoundError:
        peer_version = ""
    rows = []
    for what, kind, bins, work in (
        ("temporal cycles", "temp-cycle", _LENGTHS, partial(_cycles, made)),
        ("fans in and out", "fan", _SIZES, partial(_fans, made)),
    ):
        mine = cpu(work)
        ours = np.concatenate(mine.answer, axis=1)
        name = f"{what} of each of {len(made):,} transfers, {int(ours.sum()):,} counted"
        if not peer_version:
            note = "snapml is not installed: make bench installs it"
            rows.append(Row(name, mine.best, None, "", once=mine.once, note=note))
            continue
        took = {}
        for slab in _SLABS if len(made) > _SLABS[0] else _SLABS[1:]:
            theirs = cpu(_peer(given, kind, bins, slab), 1)
            assert np.array_equal(theirs.answer, ours), f"{kind}: the peer counts otherwise"
            took["all at once" if slab >= len(made) else f"{slab:,} at once"] = theirs.best
        for place, (how, seconds) in enumerate(sorted(took.items(), key=lambda item: item[1])):
            goal = GOAL if place == 0 else None
            rows.append(Row(f"{name}; {how}", mine.best, seconds, peer_version, goal, once=mine.once))
    return rows

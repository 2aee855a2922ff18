"""What the typologies about countries, assets and services share: an account's dealings in order of time.

Law is that of the day of a transfer. The country of an end is the one its transfer names. Where nobody has
said what is known of countries, nothing is known against any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Mark

MONEY, COIN, PRIVATE = 1, 2, 3
"""What an asset is: a state's money, an asset on a chain, one whose chain hides payments (0: not stated)."""
SERVICE = int(Mark.service())
VASP = int(Mark.EXCHANGE | Mark.SWAP | Mark.P2P | Mark.KIOSK | Mark.WEAK_KYC)
"""Marks of those who exchange virtual assets for others."""
_HIDDEN = frozenset({"slip44:128", "slip44:133", "slip44:136"})
"""Monero, Zcash and Firo (coin types of SLIP-0044). Zcash and Firo hide only payments from shielded
addresses: an asset's id does not tell which those are."""


def kinds(assets: Sequence[str]) -> NDArray[Any]:
    """What each of these assets is."""
    return np.array([_kind(asset) for asset in assets], dtype=np.uint8)


def _kind(asset: str) -> int:
    if not asset:
        return 0
    if asset.startswith("iso4217:"):
        return MONEY
    chain, _, kind = asset.partition("/")
    hidden = chain.startswith("monero:") or (kind in _HIDDEN and not chain.startswith("eip155:"))
    return PRIVATE if hidden else COIN


@njit(cache=True, nogil=True)
def risky(risk, countries):  # type: ignore[no-untyped-def]
    """Against which of so many countries anything was ever known; the last item: whether against any."""
    found = np.zeros(countries + 1, dtype=np.bool_)
    for epoch in range(risk.shape[0]):
        for country in range(1, min(countries, risk.shape[1])):
            if risk[epoch, country] > 0:
                found[country] = True
                found[countries] = True
    return found


@njit(cache=True, nogil=True)
def heaviest(risk, countries, weights):  # type: ignore[no-untyped-def]
    """For each of so many countries the greatest of the ``weights`` of what was ever known against it."""
    found = np.zeros(countries, dtype=np.float64)
    for epoch in range(risk.shape[0]):
        for country in range(1, min(countries, risk.shape[1])):
            found[country] = max(found[country], weights[min(risk[epoch, country], len(weights) - 1)])
    return found


@njit(cache=True, nogil=True)
def epoch_of(time, epochs):  # type: ignore[no-untyped-def]
    """The row of law at that time."""
    return max(np.searchsorted(epochs, time, side="right") - 1, 0)


@njit(cache=True, nogil=True)
def risk_at(time, country, epochs, risk):  # type: ignore[no-untyped-def]
    """What was known against a country (0: none is named) at that time, from 0 to 3."""
    if country <= 0 or country >= risk.shape[1]:
        return 0
    return int(risk[epoch_of(time, epochs), country])


@njit(cache=True, nogil=True)
def worth_with(weight, index, begin, end, country, values):  # type: ignore[no-untyped-def]
    """The value of the transfers ``index[begin:end]``, by the weight of the country that each names.

    The most that any time's law makes of it: an account with too little has no hit, and is passed over.
    """
    total = 0.0
    for p in range(begin, end):
        if values[p] > 0:
            total += weight[country[index[p]]] * values[p]
    return total


@njit(cache=True, nogil=True)
def both(a, src, dst, outs, ins, line):  # type: ignore[no-untyped-def]
    """Put the account's transfers with others into ``line``, in order of time; how many they are."""
    i, j, size = 0, 0, 0
    while i < len(outs) or j < len(ins):
        if j == len(ins) or (i < len(outs) and outs[i] <= ins[j]):
            e = outs[i]
            other, i = dst[e], i + 1
        else:
            e = ins[j]
            other, j = src[e], j + 1
        if other != a:
            line[size] = e
            size += 1
    return size


@njit(cache=True, nogil=True)
def home_of(a, line, size, src, src_country, dst_country):  # type: ignore[no-untyped-def]
    """The first country that is named for the account itself, 0 if none is."""
    for k in range(size):
        e = line[k]
        country = src_country[e] if src[e] == a else dst_country[e]
        if country > 0:
            return int(country)
    return 0


@njit(cache=True, nogil=True)
def countries_of(a, e, home, src, src_country, dst_country):  # type: ignore[no-untyped-def]
    """The country of the account in a transfer (``home`` if it names none), and that of the other end."""
    mine, other = int(src_country[e]), int(dst_country[e])
    if src[e] != a:
        mine, other = other, mine
    return (mine if mine > 0 else home), other


@njit(cache=True, nogil=True)
def roomy(figures, needed):  # type: ignore[no-untyped-def]
    """The float64 array, or a longer copy when it has no room for ``needed`` items."""
    if needed <= len(figures):
        return figures
    longer = np.zeros(max(needed, 2 * len(figures)), dtype=np.float64)
    longer[: len(figures)] = figures
    return longer

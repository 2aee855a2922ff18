"""Route through a third country: value goes to a country with weaker rules and soon leaves it again.

From an account in one country to one in a second against which more is known that day (weak rules for
virtual assets, FATF's lists), and from there, soon after and of nearly the same value, to a country against
which less is known, be it a third or the first again. The subject is who sends it on its way. Routes over
the same two accounts that overlap in time are one finding: the first to begin, and of that the leg on that
leaves first. Watched from half of ``min_value``.

Not found, on purpose: routes through an account that makes many transfers within the window, since what
leaves a business need not be what came in; value split on the way (see pass-through and fan-out); routes of
more than two legs (see chains), or with an end whose country is not named.
Pattern: FATF, Updated Guidance for a Risk-Based Approach to VAs and VASPs (October 2021), on the sunrise
issue; our flag X5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from comity.model import Columns, Knowledge, Regime
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import HOUR, PRACTICE, account, amount, arrays, grown, hits, pay, span
from comity.typologies._dealings import risk_at, risky

SPEC = TypologySpec(
    id="route_through_third_country",
    title="Route through a third country",
    indicator="Value takes a way through a country with weaker rules and leaves it again soon after.",
    flags=("X5", "G2", "G3"),
    source=PRACTICE,
    shape=Shape.WINDOW,
    parameters=(
        Parameter("window", 24, "hours", "the value leaves the country again within this time"),
        Parameter("retention", 0.9, "ratio", "the two transfers keep at least this share of each other"),
        Parameter("min_value", 5000, "money", "an alert when both transfers have this value"),
        Parameter("busy", 20, "count", "not through an account that makes more transfers in that time"),
    ),
    uses=("facts.src_country", "facts.dst_country", "facts.hosted", "known.risk"),
)


@njit(cache=True, nogil=True)
def _onward(  # type: ignore[no-untyped-def]
    first, time, value, dst, out_ptr, out_idx, out_time, dst_country, src_country, epochs, risk,
    window, retention, least, busy
):  # fmt: skip
    """The first transfer that takes the value of ``first`` on to a country with less against it, or -1."""
    through, country, worth = dst[first], dst_country[first], value[first]
    level = risk_at(time[first], country, epochs, risk)
    begin, last = out_ptr[through], out_ptr[through + 1]
    p = begin + np.searchsorted(out_time[begin:last], time[first], side="right")
    if p + busy < last and out_time[p + busy] <= time[first] + window:
        return -1
    while p < last and out_time[p] <= time[first] + window:
        e = out_idx[p]
        p += 1
        to, v = dst_country[e], value[e]
        if to <= 0 or to == country or v < least or v < retention * worth or retention * v > worth:
            continue
        if src_country[e] > 0 and src_country[e] != country:
            continue
        if dst[e] != through and risk_at(time[e], to, epochs, risk) < level:
            return e
    return -1


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    time, value, src, dst, out_ptr, out_idx, out_time, hub, hosted, src_country, dst_country,
    epochs, risk, countries, begin, end, window, retention, least, busy
):  # fmt: skip
    """Both transfers of each route that begins in [begin, end), in order of the first."""
    pairs, k = np.empty(64, dtype=np.int64), 0
    chosen = risky(risk, countries)
    if not chosen[countries]:
        return pairs[:0].reshape(0, 2)
    for e in range(np.searchsorted(time, begin), np.searchsorted(time, end)):
        country, origin = dst_country[e], src_country[e]
        if not chosen[country] or value[e] < least or origin <= 0 or origin == country:
            continue
        through = dst[e]
        if hub[src[e]] or hub[through] or src[e] == through or not hosted[through]:
            continue
        level = risk_at(time[e], country, epochs, risk)
        if level <= risk_at(time[e], origin, epochs, risk):
            continue
        on = _onward(
            e, time, value, dst, out_ptr, out_idx, out_time, dst_country, src_country, epochs, risk,
            window, retention, least, busy,
        )  # fmt: skip
        if on >= 0:
            pairs = grown(pairs, 2 * (k + 1))
            pairs[2 * k], pairs[2 * k + 1] = e, on
            k += 1
    return pairs[: 2 * k].reshape(k, 2)


def _once(columns: Columns, pairs: NDArray[Any], begin: int) -> NDArray[Any]:
    """The routes to tell of: of those over the same two accounts that overlap in time, the first. One that
    begins before ``begin`` is looked at, and not told of."""
    ends: dict[tuple[int, int], int] = {}
    told = []
    for row, (first, on) in enumerate(pairs.tolist()):
        key = (int(columns.src[first]), int(columns.dst[first]))
        start, last = int(columns.time[first]), int(columns.time[on])
        if start > ends.get(key, start - 1) and start >= begin:
            told.append(row)
        ends[key] = max(last, ends.get(key, last))
    return pairs[np.array(told, dtype=np.int64)]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`. The subject is who makes the first transfer."""
    least, window = max(1, round(parameters["min_value"])), round(parameters["window"])
    retention = float(parameters["retention"])
    pairs = _kernel(
        *arrays(columns, "time value src dst out_ptr out_idx out_time hub facts.hosted"),
        *arrays(columns, "facts.src_country facts.dst_country known.epochs known.risk"),
        len(columns.facts.countries),
        scope.begin - window,
        scope.end,
        window,
        retention,
        -(-least // 2),
        int(parameters["busy"]),
    )
    pairs = _once(columns, pairs, scope.begin)
    values = columns.value[pairs]
    smallest = values.min(axis=1, initial=2**62)
    kept = smallest / np.maximum(values.max(axis=1, initial=1), 1)
    closeness = (kept - retention) / (1 - retention) if retention < 1 else np.ones(len(pairs))
    alert = smallest >= least
    back = columns.facts.src_country[pairs[:, 0]] == columns.facts.dst_country[pairs[:, 1]]
    return hits(
        columns.src[pairs[:, 0]],
        alert,
        np.where(alert, 0.5 + 0.5 * closeness, 0.5 * smallest / least),
        2 * np.arange(len(pairs) + 1, dtype=np.int64),
        pairs.reshape(-1),
        {
            "value": values[:, 0],
            "onward": values[:, 1],
            "returns": back,
            "span": (columns.time[pairs[:, 1]] - columns.time[pairs[:, 0]]) / HOUR,
        },
        money=("value", "onward"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    where = "back to the country it came from" if features["returns"] else "to a third country"
    return (
        (
            f"{amount(features['value'], currency)} went to an account in a country with weaker rules; "
            f"{span(features['span'])} later {amount(features['onward'], currency)} left it {where}."
        ),
        "What was known against each country is of that day.",
    )


_LAW = Knowledge(
    regimes=(
        Regime("SC", date(2019, 1, 1), 1),
        Regime("VN", date(2023, 6, 23), 2),
        Regime("TR", date(2021, 10, 21), 2),
        Regime("TR", date(2024, 6, 28), 0),
    )
)


def _leg(number: int, hours: float, source: str, target: str, value: str, route: str) -> Any:
    """A sample transfer between two countries."""
    origin, to = route.split()
    return pay(number, hours, source, target, value, originator_country=origin, beneficiary_country=to)


CASES = (
    Sample(
        "through a country with weak rules and back; through the grey list to a third",
        (
            _leg(1, 0, "A", "B", "9000", "DE SC"),
            _leg(2, 3, "B", "C", "8800", "SC DE"),
            _leg(3, 0, "D", "E", "6000", "DE VN"),
            _leg(4, 20, "E", "F", "5900", "VN SC"),
        ),
        alerts=(account("A"), account("D")),
        knowledge=_LAW,
    ),
    Sample(
        "near miss: half the value is to watch; too late, too little, or off the list by then is nothing",
        (
            _leg(1, 0, "A", "B", "2600", "DE SC"),
            _leg(2, 24, "B", "C", "2500", "SC FR"),
            _leg(3, 0, "D", "E", "6000", "DE SC"),
            _leg(4, 25, "E", "F", "6000", "SC FR"),
            _leg(5, 0, "G", "H", "6000", "DE SC"),
            _leg(6, 3, "H", "I", "5000", "SC FR"),
            _leg(7, 0, "J", "K", "6000", "DE TR"),
            _leg(8, 3, "K", "L", "6000", "TR FR"),
        ),
        watches=(account("A"),),
        knowledge=_LAW,
    ),
    Sample(
        "negative: it stays in the country, goes on to a weaker one, or comes from one as weak",
        (
            _leg(1, 0, "A", "B", "9000", "DE SC"),
            _leg(2, 3, "B", "C", "9000", "SC SC"),
            _leg(3, 0, "D", "E", "9000", "DE SC"),
            _leg(4, 3, "E", "F", "9000", "SC VN"),
            _leg(5, 0, "G", "H", "9000", "VN SC"),
            _leg(6, 3, "H", "I", "9000", "SC FR"),
        ),
        knowledge=_LAW,
    ),
    Sample(
        "two routes over the same accounts that overlap are one; through a busy account there is none",
        (
            _leg(1, 0, "A", "B", "9000", "DE SC"),
            _leg(2, 2, "A", "B", "9000", "DE SC"),
            _leg(3, 3, "B", "C", "8800", "SC DE"),
            _leg(4, 4, "B", "C", "8800", "SC DE"),
            _leg(5, 0, "D", "EX", "9000", "DE SC"),
            *(_leg(10 + i, 1 + i / 10, "EX", f"C{i}", "9000", "SC DE") for i in range(21)),
        ),
        alerts=(account("A"),),
        knowledge=_LAW,
    ),
)

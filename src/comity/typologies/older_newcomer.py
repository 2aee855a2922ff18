"""Older newcomer: a holder much older than most opens an account and at once makes many transfers.

FATF lists this among the signs of a money mule or of a victim: an older person, often not used to the
technology, who is talked into moving money for others or into a false investment. It is there to protect
them; age alone is never found, and the reasons say what to ask. The age is that in the year of the account's
first transfer in this ledger, from the holder's year of birth as transfers state it; where they do not,
nothing is found. Counted are transfers in and out within ``window`` of the first. Watched from half the
count. Not found: older people who make a few payments, whatever their value, or had the account before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns, Party, Transfer
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import listed, plural, settle, sides, summed, within
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="older_newcomer",
    title="Older newcomer",
    indicator="A holder much older than is usual opens an account and at once makes many transfers.",
    flags=("S13",),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_age", 65, "count", "years of age the holder reaches in that year, at least"),
        Parameter("min_count", 10, "count", "an alert from this many transfers"),
        Parameter("window", 168, "hours", "they lie within this time of the first"),
        Parameter("min_total", 1000, "money", "they add up to this at least, in and out together"),
    ),
    uses=("facts.born",),
)

_DAY = 24 * HOUR


@njit(cache=True, nogil=True)
def _year(moment):  # type: ignore[no-untyped-def]
    """The Gregorian year of a time in microseconds since 1970."""
    days = moment // _DAY + 719_468  # since 0000-03-01, the first day after a leap day
    era = days // 146_097
    of_era = days - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    day = of_era - (365 * year + year // 4 - year // 100)
    return era * 400 + year + int(day >= 306)  # from January on it is the next year


@njit(cache=True, nogil=True)
def _first(a, both):  # type: ignore[no-untyped-def]
    """The time of the account's first transfer."""
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    if out_ptr[a] == out_ptr[a + 1]:
        return in_time[in_ptr[a]]
    if in_ptr[a] == in_ptr[a + 1]:
        return out_time[out_ptr[a]]
    return min(out_time[out_ptr[a]], in_time[in_ptr[a]])


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, born, window, least_age, watch_count, min_total):  # type: ignore[no-untyped-def]
    """One row per account: account, age, transfers, total, span; and the evidence."""
    rows, k = np.empty(5 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    for a in accounts:
        a0, a1, b0, b1 = out_ptr[a], out_ptr[a + 1], in_ptr[a], in_ptr[a + 1]
        if hub[a] or born[a] == 0 or a1 - a0 + b1 - b0 < watch_count:
            continue
        start = _first(a, both)
        went, came = within(out_time, a0, a1, start + window), within(in_time, b0, b1, start + window)
        age = _year(start) - born[a]
        if age < least_age or went - a0 + came - b0 < watch_count:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        paid, sent = summed(net_out, 0, went - a0)
        got, received = summed(net_in, 0, came - b0)
        if sent + received < watch_count or paid + got < min_total:
            continue
        rows, ptr, k = grown(rows, 5 * (k + 1)), grown(ptr, k + 2), k + 1
        row, last = 5 * (k - 1), start
        if went > a0:
            last = max(last, out_time[went - 1])
        if came > b0:
            last = max(last, in_time[came - 1])
        rows[row], rows[row + 1], rows[row + 2] = a, age, sent + received
        rows[row + 3], rows[row + 4] = paid + got, last - start
        evidence, used = listed(a0, went, net_out, both[0], a, hub, evidence, used)
        evidence, used = listed(b0, came, net_in, both[1], a, hub, evidence, used)
        ptr[k] = used
    return rows[: 5 * k].reshape(k, 5), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_count = int(parameters["min_count"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub facts.born"),
        round(parameters["window"]),
        int(parameters["min_age"]),
        max(2, -(-min_count // 2)),
        max(1, round(parameters["min_total"])),
    )
    count = rows[:, 2]
    return hits(
        rows[:, 0],
        count >= min_count,
        count / (2 * min_count),
        ptr,
        evidence,
        {"age": rows[:, 1], "count": count, "total": rows[:, 3], "span": rows[:, 4] / HOUR},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        f"The holder reaches the age of {int(features['age'])} in the year of the account's first transfer.",
        (
            f"{plural(features['count'], 'transfer')} of {amount(features['total'], currency)} in all "
            f"were made within the first {span(features['span'])} that this ledger shows."
        ),
        "The holder may be acting for others, or be their victim: ask before anything else.",
    )


def _of(year: int) -> Party:
    return Party(name=f"Holder born in {year}", birth_date=f"{year}-05-01")


def _busy(name: str, year: int, count: int, hours: float, start: int = 0) -> tuple[Transfer, ...]:
    """Transfers of an account whose holder was born in that year, out and in by turns."""
    return tuple(
        pay(start + i, hours * i, name, f"P{i}", "400", originator_party=_of(year))
        if i % 2
        else pay(start + i, hours * i, f"Q{i}", name, "400", beneficiary_party=_of(year))
        for i in range(count)
    )


CASES = (
    Sample(
        "a holder of 78 makes ten transfers in the first week",
        _busy("M", 1948, 10, 15),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: 65 that year, the tenth just after seven days to the hour; 64 is nothing",
        (
            *_busy("M", 1961, 9, 1),
            pay(20, 168, "M", "P", "400", originator_party=_of(1961)),
            *_busy("N", 1962, 10, 15, 30),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: five are to watch, four are nothing, nor is the sum of a few coffees",
        (
            *_busy("M", 1948, 5, 15),
            *_busy("N", 1948, 4, 15, 20),
            *(pay(40 + i, i, "O", "CAFE", "3.20", originator_party=_of(1948)) for i in range(12)),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a younger holder, one whose age is not known, one who has had the account for a year",
        (
            *_busy("M", 1990, 12, 10),
            *(pay(20 + i, 10 * i, "N", f"P{i}", "400") for i in range(12)),
            pay(40, -8760, "O", "SHOP", "20"),
            *_busy("O", 1948, 12, 10, 50),
        ),
    ),
)

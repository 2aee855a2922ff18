"""The typologies of one account's behaviour, against plain Python that has nothing in common with them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from comity import plugins
from comity.columnar import assemble
from comity.ledger.columns import build
from comity.model import BITCOIN, AccountId, AssetId, Columns, Finding, Level, Mark
from comity.monitoring.parts import around
from comity.monitoring.run import everything, monitor
from comity.typologies import Hits, Scope
from comity.typologies._common import HOUR, account, pay

EURO = AssetId("iso4217:EUR")
Found = set[tuple[Any, ...]]


class Payment(NamedTuple):
    at: int  # the transfer's number: the order of all
    time: int  # hours
    value: int  # -1: not known
    other: int
    whole: bool  # the value is the transfer's own


def payments(c: Columns, a: int) -> tuple[list[Payment], list[Payment]]:
    """What the account paid and got. With a transaction (hub) there is one payment, less what came back."""

    def side(mine: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> list[int]:
        return [e for e in range(len(c)) if mine[e] == a and theirs[e] != a]

    outs, ins = side(c.src, c.dst), side(c.dst, c.src)
    into: dict[int, int] = defaultdict(int)
    back: dict[int, int] = defaultdict(int)
    for e in outs:
        into[int(c.dst[e])] += max(int(c.value[e]), 0)
    for e in ins:
        back[int(c.src[e])] += max(int(c.value[e]), 0)

    def made(rows: list[int], others: Any, gives: dict[int, int], takes: dict[int, int]) -> Iterator[Payment]:
        met = set()
        for e in rows:
            other, value = int(others[e]), int(c.value[e])
            if c.hub[other]:
                if other in met:
                    continue
                met.add(other)
                net = max(0, gives[other] - takes[other])
                if net == 0 and value >= 0:
                    continue
                if net == 0 and others is c.src and takes[other] and value > 0:
                    continue
                yield Payment(e, int(c.time[e]) // HOUR, net or -1, other, net == value)
            else:
                yield Payment(e, int(c.time[e]) // HOUR, value, other, True)

    return list(made(outs, c.dst, into, back)), list(made(ins, c.src, back, into))


def worth(rows: list[Payment]) -> int:
    return sum(max(p.value, 0) for p in rows)


def subjects(c: Columns) -> list[int]:
    return [a for a in range(c.n_accounts) if not c.hub[a]]


# bursts


def bursts(rows: list[Payment], window: int, least: int, total: int) -> list[list[list[Payment]]]:
    """Chains of overlapping windows; each window is a stretch of the rows."""
    chains: list[list[list[Payment]]] = []
    until = -1
    for right, last in enumerate(rows):
        left = min(i for i in range(right + 1) if last.time - rows[i].time <= window)
        inside = rows[left : right + 1]
        if len(inside) < least or worth(inside) < total:
            continue
        if left > until:
            chains.append([])
        chains[-1].append(inside)
        until = right
    return chains


def unusual(c: Columns, p: dict[str, float], least: int, total: int, ways: tuple[int, ...]) -> Found:
    found: Found = set()
    watch, window = max(2, -(-int(p["min_count"]) // 2)), int(p["window"]) // HOUR
    for a in subjects(c):
        for way in ways:
            rows = [one for one in payments(c, a)[way] if one.value >= least]
            for chain in bursts(rows, window, watch, total):
                best = max(chain, key=len)
                life = max(rows[-1].time - rows[0].time, int(p["baseline"]) // HOUR)
                if len(best) * life >= p["times"] * len(rows) * window:
                    found.add((a, len(best) >= p["min_count"], len(best), worth(best)))
    return found


def velocity(c: Columns, p: dict[str, float]) -> Found:
    return unusual(c, p, -1, int(p["min_total"]), (0, 1))


def high_value_burst(c: Columns, p: dict[str, float]) -> Found:
    return unusual(c, p, int(p["min_value"]), 0, (0, 1))


def repeated_large_in(c: Columns, p: dict[str, float]) -> Found:
    return unusual(c, p, int(p["min_value"]), 0, (1,))


def round_amounts(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    watch = max(2, -(-int(p["min_count"]) // 2))
    for a in subjects(c):
        for rows in payments(c, a):
            some = [one for one in rows if one.value >= p["min_value"]]
            even = [one for one in some if one.whole and 1 <= c.facts.digits[one.at] <= p["digits"]]
            if len(even) >= p["share"] * len(some):
                for chain in bursts(even, int(p["window"]) // HOUR, watch, 0):
                    best = max(chain, key=len)
                    found.add((a, len(best) >= p["min_count"], len(best), worth(best)))
    return found


# new and sleeping accounts


def dormant_burst(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        moved = sorted({int(c.time[e]) // HOUR for e in range(len(c)) if a in (c.src[e], c.dst[e])})
        ins = payments(c, a)[1]
        for before, woke in pairwise(moved):
            if woke - before < p["dormant"] // HOUR:
                continue
            fresh = [one for one in ins if woke <= one.time <= woke + p["window"] // HOUR]
            largest = max([one.value for one in ins if one.time < woke], default=0)
            total = worth(fresh)
            if 2 * total >= p["min_value"] and total >= p["times"] * largest:
                found.add((a, total >= p["min_value"], total, len(fresh)))
    return found


def opening(c: Columns, a: int) -> int | None:
    """The hour of the account's first transfer with another, where that is a deposit."""
    for e in range(len(c)):
        if a in (c.src[e], c.dst[e]) and c.src[e] != c.dst[e]:
            return int(c.time[e]) // HOUR if c.dst[e] == a else None
    return None


def new_account_high_value(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        start = opening(c, a)
        if start is None:
            continue
        until = start + p["window"] // HOUR
        ins = payments(c, a)[1]
        first = [one for one in ins if one.time <= until]
        later = sorted(one.value for one in ins if one.time > until and one.value > 0)
        usual = later[(len(later) - 1) // 2] if len(later) >= p["history"] else 0
        largest = max((one.value for one in first), default=0)
        if 2 * worth(first) >= p["min_value"] and largest >= p["times"] * usual:
            found.add((a, worth(first) >= p["min_value"], worth(first), len(first)))
    return found


def first_deposit_leaves(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        start = opening(c, a)
        if start is None:
            continue
        outs, ins = payments(c, a)
        day, end = start + p["day"] // HOUR, start + p["hours"] // HOUR
        first = worth([one for one in ins if one.time <= day])
        came = worth([one for one in ins if one.time <= max(day, end)])
        left = [one for one in outs if one.time <= end]
        fits = p["ratio"] * came <= worth(left) <= (2 - p["ratio"]) * came and len(left) <= p["parts"]
        if 2 * first >= p["min_value"] and fits:
            found.add((a, first >= p["min_value"], first, worth(left)))
    return found


def older_newcomer(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        times = [int(c.time[e]) // HOUR for e in range(len(c)) if a in (c.src[e], c.dst[e])]
        if not times or not c.facts.born[a]:
            continue
        year = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=times[0])).year
        rows = [one for way in payments(c, a) for one in way if one.time <= times[0] + p["window"] // HOUR]
        old = year - c.facts.born[a] >= p["min_age"]
        if old and len(rows) >= max(2, -(-int(p["min_count"]) // 2)) and worth(rows) >= p["min_total"]:
            found.add((a, len(rows) >= p["min_count"], len(rows), worth(rows)))
    return found


# what passes through


def mule_account(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        times = [int(c.time[e]) // HOUR for e in range(len(c)) if a in (c.src[e], c.dst[e])]
        outs, ins = payments(c, a)
        came, payers = worth(ins), len({one.other for one in ins if one.value > 0})
        watch = max(2, -(-int(p["min_payers"]) // 2))
        if not times or times[-1] - times[0] > p["life"] // HOUR or 2 * came < p["min_value"]:
            continue
        if not watch <= payers <= p["max_payers"]:
            continue
        own = any(
            worth([one for one in outs if one.at <= out.at]) > worth([one for one in ins if one.at < out.at])
            for out in outs
        )
        slow = any(
            worth([one for one in outs if one.time <= deposit.time + p["hours"] // HOUR])
            < (1 - p["max_kept"]) * worth([one for one in ins if one.at <= deposit.at])
            for deposit in ins
        )
        if p["min_kept"] * came <= came - worth(outs) <= p["max_kept"] * came and not own and not slow:
            alert = payers >= p["min_payers"] and came >= p["min_value"]
            found.add((a, alert, came, payers))
    return found


def far_above_usual(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    for a in subjects(c):
        outs, ins = payments(c, a)
        episodes: list[list[int]] = []
        until = -1
        for deposit in ins:
            before = sorted(one.value for one in ins if one.at < deposit.at and one.value > 0)
            if 2 * deposit.value < p["min_value"] or len(before) < p["history"]:
                continue
            if deposit.value < p["times"] * before[(len(before) - 1) // 2]:
                continue
            after = [
                one for one in outs if 0 < one.time - deposit.time <= p["hours"] // HOUR and one.value > 0
            ]
            top = sorted(after, key=lambda one: (-one.value, one.at))[: int(p["parts"])]
            if not top or worth(top) < p["ratio"] * deposit.value:
                continue
            if deposit.time > until:
                episodes.append([])
                until = -1
            until = max(until, *(one.time for one in top))
            episodes[-1].append(deposit.value)
        found |= {(a, max(one) >= p["min_value"], max(one)) for one in episodes}
    return found


def many_counterparties(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    window, watch = p["window"] // HOUR, max(2, -(-int(p["min_count"]) // 2))
    for a in subjects(c):
        if c.known.actor[a] or c.known.marks[a] & Mark.service():
            continue
        outs, ins = payments(c, a)
        episodes: list[list[tuple[int, int]]] = []
        until: float = -1
        for e in [e for e in range(len(c)) if a in (c.src[e], c.dst[e])]:
            now = int(c.time[e]) // HOUR
            got, paid = (
                [one for one in way if one.at <= e and now - one.time <= window] for way in (ins, outs)
            )
            payers, receivers = len({one.other for one in got}), len({one.other for one in paid})
            low, high = sorted((worth(got), worth(paid)))
            if min(payers, receivers) < watch or low < max(1, p["ratio"] * high):
                continue
            if not episodes or now - window > until:
                episodes.append([])
            episodes[-1].append((payers, receivers))
            until = now
        for one in episodes:
            peak, most = max(min(pair) for pair in one), max(max(pair) for pair in one)
            found.add((a, peak >= p["min_count"] and most <= p["max_counterparties"], peak, most))
    return found


# series


def ransomware_series(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    watch = max(3, -(-int(p["min_payers"]) // 2))
    for a in subjects(c):
        rows = [one for one in payments(c, a)[1] if one.value >= max(1, int(p["min_value"]) // 100)]
        begin = 0
        while begin < len(rows):
            end = begin + 1
            while end < len(rows) and _alike(rows[begin : end + 1], p):
                end += 1
            run = rows[begin:end]
            begin = end
            pauses = sorted(y.time - x.time for x, y in pairwise(run))
            payers = len({one.other for one in run})
            if payers < watch or not _alike(run, p) or len(run) < p["share"] * len(rows):
                continue
            usual = pauses[(len(pauses) - 1) // 2]
            quiet = end == len(rows) or rows[end].time - run[-1].time >= p["silence"] // HOUR
            if quiet and usual >= p["pause"] // HOUR and pauses[-1] <= p["regular"] * usual:
                found.add((a, payers >= p["min_payers"], payers, worth(run)))
                break
    return found


def _alike(run: list[Payment], p: dict[str, float]) -> bool:
    values = [one.value for one in run]
    near = all(y.time - x.time <= p["gap"] // HOUR for x, y in pairwise(run))
    return near and min(values) >= p["min_value"] and min(values) >= p["similar"] * max(values)


def repeated_near_identical(c: Columns, p: dict[str, float]) -> Found:
    found: Found = set()
    watch = max(3, -(-int(p["min_receivers"]) // 2))
    for a in subjects(c):
        rows = [one for one in payments(c, a)[0] if one.value >= p["min_value"]]
        begin = 0
        while begin < len(rows):
            end = begin + 1
            while end < len(rows) and _in_step(rows[begin : end + 1], p):
                end += 1
            run, begin = rows[begin:end], end
            receivers = len({one.other for one in run})
            if receivers >= watch:
                found.add((a, receivers >= p["min_receivers"], receivers, worth(run)))
    return found


def _in_step(run: list[Payment], p: dict[str, float]) -> bool:
    values = [one.value for one in run]
    pauses = [y.time - x.time for x, y in pairwise(run)]
    even = all(max(x, y) <= p["regular"] * min(x, y) for x, y in pairwise(pauses))
    fit = all(p["pause"] // HOUR <= x <= p["gap"] // HOUR for x in pauses)
    return even and fit and min(values) >= p["similar"] * max(values)


# Parameters that find much in small ledgers (times in hours), hours to spread them over, and the features
# that the plain answer gives after account and level.
SETTINGS: dict[Callable[..., Found], tuple[dict[str, float], int, str]] = {
    velocity: (
        {"min_count": 5, "window": 6, "min_total": 500, "times": 2, "baseline": 24}, 80, "count total"
    ),
    high_value_burst: (
        {"min_value": 900, "min_count": 3, "window": 9, "times": 2, "baseline": 24}, 80, "count total"
    ),
    repeated_large_in: (
        {"min_value": 800, "min_count": 5, "window": 24, "times": 1, "baseline": 48}, 80, "count total"
    ),
    round_amounts: (
        {"min_value": 400, "digits": 2, "min_count": 4, "window": 40, "share": 0.5}, 80, "count total"
    ),
    dormant_burst: (
        {"dormant": 30, "window": 20, "min_value": 1500, "times": 1}, 400, "total deposits"
    ),
    new_account_high_value: (
        {"min_value": 1500, "window": 12, "times": 1, "history": 3}, 80, "total deposits"
    ),
    first_deposit_leaves: (
        {"min_value": 1500, "day": 24, "hours": 30, "ratio": 0.6, "parts": 4}, 150, "total left"
    ),
    older_newcomer: (
        {"min_age": 60, "min_count": 5, "window": 24, "min_total": 900}, 80, "count total"
    ),
    mule_account: (
        {"life": 60, "min_payers": 3, "max_payers": 4, "min_value": 1500, "hours": 40, "min_kept": 0.01,
         "max_kept": 0.7}, 80, "total payers"
    ),
    far_above_usual: (
        {"times": 1, "history": 2, "min_value": 1800, "ratio": 0.7, "hours": 12, "parts": 2}, 80, "deposit"
    ),
    many_counterparties: (
        {"min_count": 3, "window": 24, "ratio": 0.7, "max_counterparties": 3}, 80, "least most"
    ),
    ransomware_series: (
        {"min_value": 400, "min_payers": 4, "similar": 0.4, "gap": 150, "pause": 1, "regular": 9,
         "silence": 30, "share": 0.4, "onward": 10}, 300, "payers total"
    ),
    repeated_near_identical: (
        {"min_value": 400, "similar": 0.7, "min_receivers": 4, "pause": 1, "gap": 60, "regular": 4}, 150,
        "receivers total"
    ),
}  # fmt: skip
UNITS = {"window", "baseline", "dormant", "day", "hours", "life", "gap", "pause", "silence", "onward"}
EACH = pytest.mark.parametrize("plain", SETTINGS, ids=lambda plain: plain.__name__)


def ledger(seed: int, hours: int) -> Columns:
    """Few accounts, some of them transactions in every second ledger; much at the same time."""
    rng = np.random.default_rng(seed)
    m, n = int(rng.integers(4, 9)), int(rng.integers(4, 60))
    time, moment = rng.integers(0, hours, n), rng.integers(0, hours, m)
    src, dst = (rng.integers(0, m, n).astype(np.int32) for _ in range(2))
    hub = rng.random(m) < (0.3 if seed % 2 else 0.0)
    hub[0] = False
    dst[hub[src] & hub[dst]] = 0
    for ends in (src, dst):
        time = np.where(hub[ends], moment[ends], time)  # a transaction happens at one time
    order = np.argsort(time, kind="stable")
    value = rng.choice(np.array([-1, 0, 5, 400, 500, 790, 800, 900, 999, 1000, 2000]), n)
    made = assemble(
        time[order] * HOUR + 495_000 * HOUR, src[order], dst[order], value.astype(np.int64), hub=hub,
        accounts=[f"acct:X:{i}" for i in range(m)], ids=[f"t{i:03d}" for i in range(n)],
        reference="iso4217:EUR", scale=0,
    )  # fmt: skip
    facts = dataclasses.replace(
        made.facts,
        digits=rng.integers(0, 4, n).astype(np.uint8),
        born=rng.choice(np.array([0, 1900, 1950, 1966, 1967, 2000]), m).astype(np.int16),
    )
    known = dataclasses.replace(
        made.known,
        marks=rng.choice(np.array([0, 0, 0, int(Mark.EXCHANGE), int(Mark.FRAUD)]), m).astype(np.uint32),
        actor=rng.choice(np.array([0, 0, 0, 0, 1]), m).astype(np.int32),
    )
    return dataclasses.replace(made, facts=facts, known=known)


def run(name: str, given: Columns, scope: Scope, parameters: dict[str, float]) -> Hits:
    hits: Hits = plugins.load("typologies", name).run(given, parameters, scope)
    return hits


def in_units(settings: dict[str, float]) -> dict[str, float]:
    return {name: float(x * HOUR if name in UNITS else x) for name, x in settings.items()}


def told(hits: Hits, names: str) -> Found:
    features = dict(hits.features)
    if "payers" in features and "receivers" in features:
        features["least"] = np.minimum(features["payers"], features["receivers"])
    columns = [hits.account, hits.alert, *(features[name].astype(np.int64) for name in names.split())]
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert np.array_equal(hits.score >= 0.5, hits.alert)
    return set(rows)


@EACH
def test_findings_are_what_plain_python_says(plain: Callable[..., Found]) -> None:
    settings, hours, names = SETTINGS[plain]
    parameters = in_units(settings)
    alerts = watches = 0
    for seed in range(120):
        given = ledger(seed, hours)
        expected = plain(given, parameters)
        found = told(run(plain.__name__, given, everything(given), parameters), names)
        assert found == expected, seed
        alerts += sum(row[1] for row in expected)
        watches += sum(not row[1] for row in expected)
    assert alerts >= 5 and watches >= 5  # else the ledgers show nothing


@EACH
def test_any_part_that_holds_an_account_gives_the_same(plain: Callable[..., Found]) -> None:
    settings, hours, names = SETTINGS[plain]
    parameters = in_units(settings)
    for seed in range(200, 215):
        given = ledger(seed, hours)
        whole = run(plain.__name__, given, everything(given), parameters)
        order = np.random.default_rng(seed).permutation(given.n_accounts)
        found: Found = set()
        for piece in np.array_split(order, 3):
            wanted = np.sort(piece).astype(np.int32)
            wanted = wanted[np.isin(wanted, np.concatenate((given.src, given.dst)))]
            part = around(given, wanted)
            inside = np.searchsorted(part.accounts, wanted).astype(np.int32)
            hits = part.of_whole(run(plain.__name__, part.columns, Scope(inside, 0, 0), parameters))
            found |= evidence(hits, names)
        assert found == evidence(whole, names)


def evidence(hits: Hits, names: str) -> Found:
    rows = [tuple(hits.evidence[a:b].tolist()) for a, b in pairwise(hits.ptr)]
    assert all(list(row) == sorted(set(row)) for row in rows)
    figures = zip(*(column.tolist() for column in hits.features.values()), strict=True)
    return set(zip(hits.account.tolist(), hits.score.tolist(), rows, figures, strict=True))


# edges of their own


def find(rule: str, transfers: list[Any], **parameters: float) -> tuple[Finding, ...]:
    return monitor(build(transfers, EURO), only=[rule], parameters={rule: parameters}).findings


def chain(number: int, hours: float, source: str, target: str, value: str) -> Any:
    one = pay(number, hours, "A", "B", value)
    payer, payee = AccountId(f"{BITCOIN}:{source}"), AccountId(f"{BITCOIN}:{target}")
    return dataclasses.replace(one, originator=payer, beneficiary=payee)


def test_change_from_a_transaction_is_no_deposit_and_its_inputs_are_one_payment() -> None:
    spends = [
        [
            chain(100 * w, 9 * w, "m", f"tx-{w}", "15000"),
            chain(100 * w + 1, 9 * w, "m", f"tx-{w}", "15000"),
            chain(100 * w + 2, 9 * w, f"tx-{w}", "m", "29000"),
            chain(100 * w + 3, 9 * w, f"tx-{w}", f"shop{w}", "1000"),
        ]
        for w in range(3)
    ]
    assert find("high_value_burst", [t for one in spends for t in one]) == ()
    moved = [
        [
            chain(100 * w, 9 * w, "m", f"tx-{w}", "7000"),
            chain(100 * w + 1, 9 * w, "m", f"tx-{w}", "6000"),
            chain(100 * w + 2, 9 * w, f"tx-{w}", f"x{w}", "13000"),
        ]
        for w in range(3)
    ]
    (found,) = find("high_value_burst", [t for one in moved for t in one])
    assert found.level is Level.ALERT and found.subject.endswith(":m")
    assert dict(found.features)["total"] == 39_000 and len(found.evidence) == 6


def test_a_rate_that_is_usual_is_no_velocity_until_it_rises() -> None:
    steady = [pay(i, i / 10, "BUSY", f"P{i % 50}", "80") for i in range(3000)]
    assert find("velocity", steady) == ()
    rush = [pay(5000 + i, 150 + i / 400, "BUSY", f"P{i % 50}", "80") for i in range(250)]
    (found,) = find("velocity", steady + rush)
    assert found.level is Level.ALERT and found.subject == account("BUSY")


def test_the_largest_of_overlapping_deposits_is_the_finding() -> None:
    usual = [pay(i, i, "E", "M", "300") for i in range(6)]
    small = [pay(10, 100, "A", "M", "5200"), pay(11, 110, "M", "X", "5000")]
    large = [pay(12, 105, "B", "M", "40000"), pay(13, 115, "M", "Y", "39000")]
    (found,) = find("far_above_usual", usual + small + large)
    assert found.level is Level.ALERT and dict(found.features)["deposit"] == 40_000


def test_the_year_of_an_age_is_right_at_its_turn() -> None:
    module = plugins.load("typologies", "older_newcomer")
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for year in (1969, 1970, 1999, 2000, 2024, 2025, 2100):
        for moment in (datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, tzinfo=UTC)):
            assert module._year.py_func((moment - epoch) // timedelta(microseconds=1)) == year

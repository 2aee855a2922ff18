"""Typologies of shape: what they find is what their definitions say, on small made-up ledgers."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType

import numpy as np
import pytest

from comity import plugins
from comity.chains._evm_tokens import KNOWN
from comity.ledger.columns import build
from comity.model import (
    BITCOIN,
    ETHEREUM,
    AccountId,
    Amount,
    AssetId,
    Attribution,
    Columns,
    Finding,
    Knowledge,
    Level,
    Transfer,
)
from comity.monitoring.known import informed
from comity.monitoring.parts import around, reach, slab
from comity.monitoring.run import chosen, everything, findings, in_order, monitor
from comity.typologies import Scope, Shape
from comity.typologies._common import pay
from comity.typologies._stablecoins import CONTRACTS

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
POLYGON = "eip155:137"
USDT = AssetId(f"{ETHEREUM}/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7")
DAI = AssetId(f"{ETHEREUM}/erc20:0x6b175474e89094c44da98b954eedeac495271d0f")
LINK = AssetId(f"{ETHEREUM}/erc20:0x514910771af9ca656af840dff83e8264ecf986ca")
SEEDS = range(120)
LOW: dict[str, dict[str, float]] = {
    "fan_out": {"min_receivers": 3},
    "gather_scatter": {"min_senders": 3, "min_receivers": 2, "min_value": 900, "gather": 30},
    "scatter_gather": {"min_middle": 2, "min_value": 900, "window": 30},
    "layered_chain": {"min_hops": 3, "min_value": 600, "window": 40},
    "stacked_bipartite": {
        "min_senders": 2,
        "min_middle": 2,
        "min_receivers": 2,
        "density": 0.6,
        "window": 40,
    },
    "peel_chain": {"min_steps": 2, "min_value": 600, "hop": 20, "window": 50},
    "chain_hop": {"min_value": 700, "delay": 6},
    "scam_collector": {"min_victims": 3, "min_value": 900, "min_payment": 10, "window": 40},
    "stablecoin_relay": {"min_wallets": 2, "min_value": 600, "window": 60},
}
NAMES = tuple(LOW)


@dataclass(frozen=True)
class Move:
    """A transfer, in hours and whole euros; ``number`` is its place in order of time."""

    number: int
    hours: int
    source: str
    target: str
    value: int
    asset: str = ""


def moves(transfers: Iterable[Transfer]) -> list[Move]:
    ordered = sorted(transfers, key=lambda t: (t.time, t.id))
    return [
        Move(
            i,
            round((t.time - BEGIN) / timedelta(hours=1)),
            str(t.originator),
            str(t.beneficiary),
            -1 if t.value is None else int(t.value),
            str(t.amount.asset) if t.amount else "",
        )
        for i, t in enumerate(ordered)
    ]


def is_hub(name: str) -> bool:
    return AccountId(name).is_hub


def make(number: int, hours: int, source: str, target: str, value: int | None, asset: AssetId) -> Transfer:
    worth = None if value is None else Decimal(value)
    stated = None if worth is None else Amount(worth, asset)
    time = BEGIN + timedelta(hours=hours)
    return Transfer(f"t{number:04d}", time, AccountId(source), AccountId(target), stated, worth)


def world(seed: int, *, size: int = 60, hubs: bool = True, span: int = 90) -> list[Transfer]:
    """Few accounts of several kinds, some of them busy, and a narrow choice of values: much to find."""
    rng = random.Random(seed)
    banked = [f"acct:X:{i}" for i in range(5)]
    on_chain = [f"{ETHEREUM}:0x{i:040x}" for i in range(5)] + [f"{POLYGON}:0x{i:040x}" for i in range(2)]
    coins = [f"{BITCOIN}:w{i}" for i in range(5)]
    people = rng.sample(banked + on_chain + coins, rng.choice([6, 9, 14]))
    values = [None, 40, 90, 400, 500, 600, 620, 640, 650, 700, 720]
    made: list[Transfer] = []
    for _ in range(size):
        hours, value = rng.randrange(span), rng.choice(values)
        if hubs and rng.random() < 0.15:
            hub = f"{BITCOIN}:tx-{len(made)}"
            for one in rng.sample(people, rng.randint(1, 3)):
                made.append(make(len(made), hours, one, hub, value, EURO))
            for one in rng.sample(people, rng.randint(1, 3)):
                worth = rng.choice([40, 90, 600, 620, 640])
                made.append(make(len(made), hours, hub, one, worth, EURO))
        else:
            asset = rng.choice([USDT, USDT, USDT, DAI, LINK, EURO])
            made.append(make(len(made), hours, rng.choice(people), rng.choice(people), value, asset))
    for _ in range(3):
        made += planted(rng, people, len(made), span, hubs)
    return made + layered(rng, people, len(made), rng.randrange(span))


def planted(rng: random.Random, people: list[str], number: int, span: int, hubs: bool) -> list[Transfer]:
    """A peel chain between accounts or through transactions, and a deposit at a bridge with its payment."""
    way = rng.sample(people, rng.randint(3, len(people)))
    rows: list[tuple[int, str, str, int, AssetId]] = []
    hours, value, joined = rng.randrange(span // 2), 720, hubs and rng.random() < 0.5
    for step, (a, b) in enumerate(itertools.pairwise(way)):
        part, hub = rng.choice([0, 40, 60]), f"{BITCOIN}:tx-{number}-{step}"
        if joined:
            rows += [(hours, a, hub, value, EURO), (hours, hub, rng.choice(people), part, EURO)]
            rows.append((hours, hub, b, value - part, EURO))
        else:
            rows += [(hours, a, rng.choice(people), part, USDT), (hours, a, b, value - part, USDT)]
        hours, value = hours + rng.randint(1, 8), value - part
    bridge, worth = [f"{chain}:0x{0:040x}" for chain in (ETHEREUM, POLYGON)], rng.choice([600, 640, 700])
    at = rng.randrange(span)
    rows.append((at, rng.choice(people), bridge[0], worth, USDT))
    rows.append((at + rng.randrange(6), bridge[1], rng.choice(people), worth - rng.choice([0, 10]), USDT))
    rows = [row for row in rows if row[3] > 0]
    return [make(number + i, h, a, b, v, asset) for i, (h, a, b, v, asset) in enumerate(rows)]


def known(seed: int) -> Knowledge:
    """Two sides of a bridge, a swap service, and now and then an exchange."""
    said = {
        f"{ETHEREUM}:0x{0:040x}": ("bridge", "bridge"),
        f"{POLYGON}:0x{0:040x}": ("bridge", "bridge"),
        f"{ETHEREUM}:0x{1:040x}": ("swap", "swapper"),
    }
    if seed % 3 == 0:
        said["acct:X:1"] = said[f"{ETHEREUM}:0x{2:040x}"] = ("exchange", "exchange")
    return Knowledge(
        attributions={
            name: Attribution(name, actor, actor, (category,), 0.9, "made up")
            for name, (category, actor) in said.items()
        }
    )


def found(name: str, transfers: list[Transfer], knowledge: Knowledge | None = None) -> tuple[Finding, ...]:
    columns = build(transfers, EURO)
    return monitor(columns, only=[name], parameters={name: LOW[name]}, knowledge=knowledge).findings


def alerts(rows: Iterable[Finding]) -> set[str]:
    return {f.subject for f in rows if f.level is Level.ALERT}


def told(rows: Iterable[Finding]) -> list[tuple[str, bool, tuple[str, ...]]]:
    return sorted((f.subject, f.level is Level.ALERT, f.evidence) for f in rows)


def ids(numbers: Iterable[int], every: list[Transfer]) -> tuple[str, ...]:
    ordered = sorted(every, key=lambda t: (t.time, t.id))
    return tuple(ordered[n].id for n in sorted(set(numbers)))


# every typology: parts of a ledger agree with the whole


def in_parts(
    whole: Columns, module: ModuleType, parameters: dict[str, float], rng: random.Random
) -> Iterator[Finding]:
    if module.SPEC.shape is Shape.ACCOUNT:
        group = rng.randint(1, 4)
        accounts = rng.sample(range(whole.n_accounts), whole.n_accounts)
        for at in range(0, len(accounts), group):
            mine = np.array(sorted(accounts[at : at + group]), dtype=np.int32)
            some = around(whole, mine)
            wanted = np.searchsorted(some.accounts, mine).astype(np.int32)
            hits = module.run(some.columns, parameters, Scope(wanted, 0, 0))
            yield from findings(whole, module, some.of_whole(hits))
        return
    before, after = reach(module.SPEC, parameters)
    times = sorted({int(t) for t in whole.time})
    inner = sorted(rng.sample(times, min(len(times), rng.randint(1, 9))))
    for begin, end in itertools.pairwise([-(2**62), *inner, 2**62]):
        some = slab(whole, begin, end, before, after)
        hits = module.run(some.columns, parameters, Scope(np.empty(0, dtype=np.int32), begin, end))
        yield from findings(whole, module, some.of_whole(hits))


@pytest.mark.parametrize("name", NAMES)
def test_any_parts_find_what_the_whole_holds(name: str) -> None:
    module, count = plugins.load("typologies", name), 0
    for seed in SEEDS:
        whole = informed(build(world(seed, size=random.Random(seed).randint(20, 160)), EURO), known(seed))
        parameters = chosen([name], {name: LOW[name]}, whole.scale)[name]
        expected = in_order(findings(whole, module, module.run(whole, parameters, everything(whole))))
        assert in_order(in_parts(whole, module, parameters, random.Random(seed))) == expected, seed
        assert len({f.id for f in expected}) == len(expected)
        assert not any(is_hub(f.subject) for f in expected)
        assert all((f.score >= 0.5) == (f.level is Level.ALERT) for f in expected)
        count += len(expected)
    assert count > 20


# fan-out


def test_fan_out_alerts_are_what_plain_counting_says() -> None:
    for seed in SEEDS:
        transfers = world(seed)
        out = defaultdict(list)
        for m in moves(transfers):
            if m.source != m.target and not is_hub(m.source):
                out[m.source].append(m)
        expected = {
            name
            for name, rows in out.items()
            if any(len({n.target for n in rows if 0 <= n.hours - m.hours <= 24}) >= 3 for m in rows)
        }
        assert alerts(found("fan_out", transfers)) == expected


def test_a_fan_out_that_goes_on_is_one_finding_and_a_pause_makes_two() -> None:
    steady = [pay(i, 6 * i, "D", f"R{i}", "9") for i in range(20)]
    (one,) = found("fan_out", steady)
    assert len(one.evidence) == 20 and dict(one.features)["receivers"] == 5
    pair = [pay(i + 10 * w, 500 * w + i, "D", f"R{i}", "9") for w in range(2) for i in range(4)]
    assert len(found("fan_out", [*pair, pay(90, 250, "D", "D", "9")])) == 2


# gather-scatter and scam collector: one account's deposits and payments


def sides(transfers: list[Transfer]) -> dict[str, tuple[list[Move], list[Move]]]:
    into: dict[str, list[Move]] = defaultdict(list)
    out: dict[str, list[Move]] = defaultdict(list)
    for m in moves(transfers):
        if m.value > 0 and m.source != m.target:
            into[m.target].append(m)
            out[m.source].append(m)
    return {name: (into[name], out[name]) for name in {*into, *out}}


def worth(rows: Iterable[Move]) -> int:
    return sum(m.value for m in rows)


def gathers(ins: list[Move], outs: list[Move]) -> bool:
    ever = len({m.source for m in ins})
    for last in ins:
        came = [m for m in ins if m.number <= last.number and m.hours >= last.hours - 30]
        went = [m for m in outs if m.number > last.number and m.hours <= last.hours + 24]
        if not went:
            continue
        early = [m for m in outs if came[0].number < m.number < last.number]
        late = [m for m in ins if last.number < m.number < went[-1].number]
        gathered, scattered = worth(came), worth(went)
        quiet = max(worth(early), worth(late)) <= (1 - 0.8) * gathered
        kept = scattered >= 0.8 * gathered and 0.8 * scattered <= gathered
        senders, receivers = {m.source for m in came}, {m.target for m in went}
        enough = len(senders) >= 3 and len(receivers) >= 2 and gathered >= 900
        if quiet and kept and enough and 10 * len(senders) >= ever:
            return True
    return False


def test_gather_scatter_alerts_are_what_plain_counting_says() -> None:
    seen = 0
    for seed in range(600):
        transfers = world(seed, hubs=False, size=random.Random(seed).choice([25, 40]))
        expected = {name for name, both in sides(transfers).items() if gathers(*both)}
        assert alerts(found("gather_scatter", transfers)) == expected, seed
        seen += len(expected)
    assert seen > 10


def collects(ins: list[Move], outs: list[Move]) -> bool:
    times = Counter(m.source for m in ins)
    best: list[tuple[float, int, int, int, int]] = []
    for last in ins:
        came = [m for m in ins if m.number <= last.number and m.hours >= last.hours - 40]
        went = [m for m in outs if m.number > came[0].number and m.hours <= last.hours + 48]
        if not went:
            continue
        until = [m for m in ins if came[0].number <= m.number < max(went[-1].number, last.number + 1)]
        senders = {m.source for m in came}
        victims = {m.source for m in came if times[m.source] == 1 and m.value >= 10}
        fits = len(victims) >= 2 and len(victims) >= 0.8 * len(senders) and worth(went) >= 0.8 * worth(until)
        strength = min(len(victims) / 3, worth(came) / 900)
        if fits and strength >= 0.5:
            best.append((strength, came[0].hours, went[-1].hours, len(senders), last.number))
    ever, end = len(times), -1
    group: list[tuple[float, int, int, int, int]] = []
    groups: list[list[tuple[float, int, int, int, int]]] = []
    for one in best:
        if not group or one[1] > end:
            group, end = [], -1
            groups.append(group)
        group.append(one)
        end = max(end, one[2])
    tops = [max(group, key=lambda one: (one[0], -one[4])) for group in groups]
    return any(top[0] >= 1 and 2 * top[3] >= ever for top in tops)


def test_scam_collector_alerts_are_what_plain_counting_says() -> None:
    seen = 0
    for seed in range(600):
        transfers = world(seed, hubs=False, size=random.Random(seed).choice([15, 25, 40]))
        expected = {name for name, both in sides(transfers).items() if collects(*both)}
        assert alerts(found("scam_collector", transfers)) == expected, seed
        seen += len(expected)
    assert seen > 10


# scatter-gather


def ends(m: Move, every: list[Move], *, back: bool) -> list[tuple[str, tuple[int, ...]]]:
    """The accounts at the far side of a transfer, through a hub too, and the transfers on the way."""
    name = m.source if back else m.target
    if not is_hub(name):
        return [(name, (m.number,))]
    beyond = [n for n in every if (n.target if back else n.source) == name and n.hours == m.hours]
    return [(n.source if back else n.target, (m.number, n.number)) for n in beyond]


Path = tuple[str, str, str, int, int, tuple[int, ...], int]


def all_paths(every: list[Move], window: int) -> list[Path]:
    paths: list[Path] = []
    for e in every:
        firsts: dict[str, tuple[Move, tuple[int, ...]]] = {}
        middle = e.target
        if is_hub(middle) or e.value <= 0:
            continue
        for f in every:
            fits = f.source == middle and e.hours < f.hours <= e.hours + window
            if fits and 0.8 * e.value <= f.value <= 1.02 * e.value:
                for target, way in ends(f, every, back=False):
                    if not is_hub(target) and target != middle:
                        firsts.setdefault(target, (f, way))
        for source, way_in in ends(e, every, back=True):
            for target, (f, way) in firsts.items():
                if not is_hub(source) and source not in (middle, target):
                    paths.append((source, middle, target, e.hours, f.hours, (*way_in, *way), f.value))
    return paths


def scattered(every: list[Move], window: int) -> list[tuple[str, bool, tuple[int, ...]]]:
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for path in all_paths(every, window):
        groups[path[0], path[2]].append(path)
    rows = []
    for (_, target), paths in groups.items():
        single = [
            p for p in paths
            if not any(q[1] == p[1] and q[5][0] > p[5][0] and q[5] [-1] == p[5][-1] for q in paths)
        ]  # fmt: skip
        candidates = []
        for begin in sorted({p[3] for p in single}):
            inside = [p for p in single if p[3] >= begin and p[4] <= begin + window]
            middle, total = len({p[1] for p in inside}), sum(p[6] for p in inside)
            if middle >= 2 and 2 * total >= 900:
                numbers = tuple(sorted({n for p in inside for n in p[5]}))
                candidates.append(((middle >= 2 and total >= 900, middle, total, -begin), begin, numbers))
        for rank, begin, numbers in candidates:
            if all(rank >= other[0] for other in candidates if abs(other[1] - begin) <= window):
                rows.append((target, rank[0], numbers))
    return rows


def test_scatter_gather_is_what_its_definition_says() -> None:
    seen = 0
    for seed in range(200):
        transfers = world(seed, size=random.Random(seed).choice([30, 60, 110]))
        expected = sorted(
            (target, alert, ids(numbers, transfers))
            for target, alert, numbers in scattered(moves(transfers), 30)
        )
        assert told(found("scatter_gather", transfers)) == expected, seed
        seen += len(expected)
    assert seen > 50


def test_of_overlapping_scatter_gathers_the_one_with_most_middle_accounts_is_told() -> None:
    def through(number: int, hours: float, middle: str) -> list[Transfer]:
        return [pay(number, hours, "S", middle, "900"), pay(number + 1, hours + 2, middle, "T", "890")]

    early = [t for i in range(2) for t in through(2 * i, i, f"L{i}")]
    late = [t for i in range(5) for t in through(20 + 2 * i, 70 + i, f"M{i}")]
    (one,) = monitor(build([*early, *late], EURO), only=["scatter_gather"]).findings
    assert one.level is Level.ALERT and dict(one.features)["middle"] == 5
    apart = [t for i in range(5) for t in through(20 + 2 * i, 200 + i, f"M{i}")]
    assert len(monitor(build([*early, *apart], EURO), only=["scatter_gather"]).findings) == 2


# chains

Gain = Callable[[Move, Move], int | None]


def every_chain(every: list[Move], gain: Gain, window: int) -> list[tuple[int, tuple[int, ...]]]:
    """The best chain from each transfer that none leads to: what it counts for, and its transfers."""
    follow: dict[int, list[tuple[Move, int]]] = defaultdict(list)
    led = set()
    for e, f in itertools.product(every, every):
        joined = e.target == f.source and e.source != e.target and f.source != f.target
        counts = gain(e, f) if joined else None
        if counts is not None:
            follow[e.number].append((f, counts))
            led.add(f.number)
    chains = []
    for first in every:
        if first.number in led or first.number not in follow:
            continue
        best: tuple[int, tuple[int, ...]] = (0, (first.number,))
        stack: list[tuple[int, tuple[Move, ...]]] = [(0, (first,))]
        while stack:
            count, way = stack.pop()
            numbers = tuple(m.number for m in way)
            if count > best[0] or (count == best[0] and numbers < best[1]):
                best = (count, numbers)
            accounts = {way[0].source, *(m.target for m in way)}
            stack += [
                (count + more, (*way, f))
                for f, more in follow[way[-1].number]
                if f.hours <= first.hours + window and f.target not in accounts
            ]
        chains.append(best)
    return chains


def best_apart(chains: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Of (rank, transfers), those that share no transfer with one of a smaller rank."""
    return [
        numbers
        for rank, numbers in chains
        if not any(other < rank and set(numbers) & set(them) for other, them in chains)
    ]


def carries(e: Move, f: Move, hop: int, retention: float, least: int) -> bool:
    """Whether ``f`` follows ``e`` in time and carries its value on."""
    hub = is_hub(e.target)
    if hub and is_hub(f.target):
        return False
    in_time = f.hours == e.hours if hub else e.hours < f.hours <= e.hours + hop
    return in_time and min(e.value, f.value) >= least and retention * e.value <= f.value <= 1.02 * e.value


def test_layered_chains_are_what_their_definition_says() -> None:
    seen = 0
    for seed in range(200):
        transfers = world(seed, size=random.Random(seed).choice([20, 40, 70]))
        every = moves(transfers)

        def gain(e: Move, f: Move) -> int | None:
            return int(not is_hub(f.target)) if carries(e, f, 24, 0.8, 300) else None

        ranked, level = [], {}
        for count, numbers in every_chain(every, gain, 40):
            first = every[numbers[0]]
            hops = count + int(not is_hub(first.source) and not is_hub(first.target))
            smallest = min(every[n].value for n in numbers)
            if hops < 2 or not (hops >= 3 or (hops == 2 and smallest >= 600)):
                continue
            alert = hops >= 3 and smallest >= 600
            level[numbers] = alert
            ranked.append(((int(not alert), -hops, numbers[0]), numbers))
        expected = sorted(
            (
                every[n[0]].target if is_hub(every[n[0]].source) else every[n[0]].source,
                level[n],
                ids(n, transfers),
            )
            for n in best_apart(ranked)
        )
        assert told(found("layered_chain", transfers)) == expected, seed
        seen += len(expected)
    assert seen > 50


def test_a_dense_chain_is_cut_by_its_budget_and_says_so() -> None:
    rows = [
        pay(100 * i + 10 * a + b, i, f"L{i}-{a}", f"L{i + 1}-{b}", "5000")
        for i in range(6)
        for a in range(3)
        for b in range(3)
    ]
    whole = monitor(build(rows, EURO), only=["layered_chain"])
    assert not whole.unfinished and whole.findings
    assert all(dict(f.features)["hops"] == 6 for f in whole.findings)
    short = monitor(build(rows, EURO), only=["layered_chain"], parameters={"layered_chain": {"budget": 5}})
    assert short.unfinished and not short.findings


def test_a_chain_that_would_use_an_account_twice_goes_another_way() -> None:
    names = ["A", "B", "C", "D", "B", "E", "F"]
    rows = [pay(i, 3 * i, a, b, "5000") for i, (a, b) in enumerate(itertools.pairwise(names))]
    rows.append(pay(20, 11, "D", "G", "5000"))
    (one,) = monitor(build(rows, EURO), only=["layered_chain"]).findings
    assert one.evidence == ("t000", "t001", "t002", "t020")


def peels(e: Move, f: Move, every: list[Move]) -> list[int] | None:
    """What is peeled off between the two; none where the account hands all of it to a transaction."""
    if is_hub(f.target):
        return []
    hub, total = is_hub(e.target), f.value
    parts: list[int] = []
    for q in every:
        in_time = q.hours == e.hours if hub else e.hours < q.hours <= e.hours + 20
        if q.source != e.target or not in_time or q == f or q.value <= 0 or q.target == e.target:
            continue
        total += q.value
        if q.value > (1 - 0.8) * e.value or total > 1.02 * e.value:
            return None
        if q.target in (f.target, e.source) or len(parts) == 3:
            return None
        parts.append(q.number)
    return parts or None


def test_peel_chains_are_what_their_definition_says() -> None:
    seen = 0
    for seed in range(300):
        transfers = world(seed, size=random.Random(seed).choice([0, 8, 20]))
        every = moves(transfers)

        def gain(e: Move, f: Move, every: list[Move] = every) -> int | None:
            parts = peels(e, f, every) if carries(e, f, 20, 0.8, 1) else None
            return None if parts is None else min(len(parts), 1)

        ranked, level = [], {}
        for count, numbers in every_chain(every, gain, 50):
            first = every[numbers[0]]
            if count >= 2 and 2 * first.value >= 600:
                level[numbers] = first.value >= 600
                ranked.append(((int(first.value < 600), -count, numbers[0]), numbers))
        expected = []
        for numbers in best_apart(ranked):
            first = every[numbers[0]]
            parts = [peels(every[a], every[b], every) or [] for a, b in itertools.pairwise(numbers)]
            subject = first.source if is_hub(first.target) else first.target
            expected.append((subject, level[numbers], ids([*numbers, *itertools.chain(*parts)], transfers)))
        assert told(found("peel_chain", transfers)) == sorted(expected), seed
        seen += len(expected)
    assert seen > 50


def test_stablecoin_relays_are_what_their_definition_says() -> None:
    seen = 0
    for seed in range(200):
        transfers, knowledge = world(seed, size=random.Random(seed).choice([20, 40, 70])), known(seed)
        every = moves(transfers)
        closed = {
            name
            for m in every
            for name in (m.source, m.target)
            if AccountId(name).chain is None or name in knowledge.attributions
        }

        def gain(e: Move, f: Move, closed: set[str] = closed) -> int | None:
            same = e.asset == f.asset and e.asset in (str(USDT), str(DAI))
            passed = not is_hub(e.target) and e.target not in closed
            if not (same and passed and carries(e, f, 24, 0.9, 300)):
                return None
            return 1 + 1000 * int(f.target in closed)

        ranked, level = [], {}
        for count, numbers in every_chain(every, gain, 60):
            wallets, smallest = count % 1000, min(every[n].value for n in numbers)
            whole = wallets >= 2 and smallest >= 600
            if count >= 1 and (whole or count >= 1000):
                level[numbers] = whole and count >= 1000
                ranked.append(((int(not level[numbers]), -count, numbers[0]), numbers))
        expected = sorted(
            (
                every[n[-1]].source if every[n[-1]].target in closed else every[n[-1]].target,
                level[n],
                ids(n, transfers),
            )
            for n in best_apart(ranked)
        )
        assert told(found("stablecoin_relay", transfers, knowledge)) == expected, seed
        seen += len(expected)
    assert seen > 50


def test_stablecoins_are_tokens_that_the_chains_know() -> None:
    assert all(token in KNOWN[chain] for chain, token in CONTRACTS)


# stacked bipartite


Stack = tuple[bool, int, str, tuple[int, ...]]


def stack_from(p: Move, every: list[Move], services: set[str]) -> Stack | None:
    """What begins with this payment: alert, accounts, subject and transfers."""
    barred, until = services, p.hours + 40

    def usable(m: Move) -> bool:
        ends = {m.source, m.target}
        return m.value > 0 and len(ends) == 2 and not ends & barred and not any(map(is_hub, ends))

    near = [m for m in every if p.hours <= m.hours <= until]
    if not usable(p):
        return None
    middle = {
        m.target
        for m in near
        if m.source == p.source and m.number >= p.number and usable(m)
        and sum(n.target == m.target for n in near) >= 2
        and sum(n.source == m.target and n.hours > p.hours for n in near) >= 2
    }  # fmt: skip
    if len(middle) < 2:
        return None
    need = -(-6 * len(middle) // 10)

    def layer(rows: list[Move], back: bool) -> set[str]:
        pairs = {(m.source, m.target) if back else (m.target, m.source) for m in rows}
        counts = Counter(other for other, _ in pairs)
        return {other for other, count in counts.items() if count >= need}

    ins = [m for m in near if m.target in middle and m.source not in middle and usable(m)]
    senders = layer(ins, back=True)
    paid = {
        a: min((m.hours for m in ins if m.target == a and m.source in senders), default=999) for a in middle
    }
    outs = [m for m in near if m.source in middle and m.target not in middle and usable(m)]
    outs = [m for m in outs if m.hours > paid.get(m.source, 999)]
    receivers = layer(outs, back=False)
    if len(senders) < 2 or len(receivers) < 2:
        return None
    inside = {
        a
        for a in middle
        if len({m.source for m in ins if m.target == a} & senders) >= 0.6 * len(senders)
        and len({m.target for m in outs if m.source == a} & receivers) >= 0.6 * len(receivers)
    }
    came = [m for m in ins if m.target in inside and m.source in senders]
    went = [m for m in outs if m.source in inside and m.target in receivers]
    held = worth(went) >= 0.8 * worth(came) and 0.8 * worth(went) <= worth(came)
    strength = min(len(senders) / 2, len(inside) / 2, len(receivers) / 2, worth(came) / 1000)
    if p.target not in inside or len(inside) < max(2, need) or not held or strength < 0.5:
        return None
    size = len(senders) + len(inside) + len(receivers)
    return strength >= 1, size, p.source, tuple(sorted({m.number for m in (*came, *went)}))


def layered(rng: random.Random, people: list[str], number: int, hours: int) -> list[Transfer]:
    """Two or three accounts pay two, and these pay two more, all the same."""
    way = rng.sample(people, min(len(people), rng.choice([6, 7])))
    middle, receivers, senders = way[:2], way[2:4], way[4:]
    pairs = [*itertools.product(senders, middle), *itertools.product(middle, receivers)]
    late = len(senders) * 2
    moments = [hours + rng.randrange(12) + (12 if i >= late else 0) for i in range(len(pairs))]
    worths = [400 if i < late else 200 * len(senders) for i in range(len(pairs))]
    rows = zip(moments, pairs, worths, strict=True)
    return [make(number + i, h, a, b, v, EURO) for i, (h, (a, b), v) in enumerate(rows)]


def dense(seed: int) -> list[Transfer]:
    """Eight accounts of which many pay many others."""
    rng = random.Random(seed)
    people = [f"acct:X:{i}" for i in range(rng.choice([7, 9]))]
    rows = []
    for i in range(rng.choice([40, 70])):
        a, b = rng.sample(people, 2)
        value = rng.choice([None, 300, 400, 400, 500])
        rows.append(make(i, rng.randrange(120), a, b, value, EURO))
    return rows + layered(rng, people, len(rows), rng.randrange(70))


def test_stacks_are_what_their_definition_says() -> None:
    seen = 0
    for seed in range(200):
        transfers = dense(seed)
        knowledge = known(seed)
        every = moves(transfers)
        services = set(knowledge.attributions) if seed % 3 == 0 else set()
        stacks = [one for p in every if (one := stack_from(p, every, services))]
        order = sorted(stacks, key=lambda one: (not one[0], -one[1], one[3][0]))
        ranked = [((0 if one[0] else 1, -one[1], one[3][0]), one[3]) for one in order]
        kept = set(best_apart(ranked))
        expected = {(alert, ids(numbers, transfers)) for alert, _, _, numbers in stacks if numbers in kept}
        rows = found("stacked_bipartite", transfers, knowledge)
        assert {(f.level is Level.ALERT, f.evidence) for f in rows} == expected, seed
        first = {t.id: str(t.originator) for t in transfers}
        times = {t.id: t.time for t in transfers}
        for f in rows:
            opening = [e for e in f.evidence if times[e] == f.first]
            assert f.subject in {first[e] for e in opening}
        seen += len(expected)
    assert seen > 50


# chain-hop


def hop_of(d: Move, every: list[Move], actors: Mapping[str, str]) -> tuple[Move, bool] | None:
    """The payment that a deposit became, and whether that is clear; none where too many fit."""

    def is_deposit(m: Move) -> bool:
        return m.target in actors and actors.get(m.source) != actors[m.target] and m.value > 0

    def is_payout(m: Move) -> bool:
        return m.source in actors and actors.get(m.target) != actors[m.source] and m.value > 0

    def fits(e: Move, f: Move) -> bool:
        if not (is_deposit(e) and is_payout(f)) or actors[e.target] != actors[f.source]:
            return False
        chains = AccountId(e.target).chain != AccountId(f.source).chain
        in_time = e.hours <= f.hours <= e.hours + 6
        other = chains or (e.asset != f.asset and bool(e.asset) and bool(f.asset))
        return in_time and other and 0.95 * e.value <= f.value <= 1.02 * e.value and e.source != f.target

    fitting = [f for f in every if fits(d, f)]
    if not 0 < len(fitting) <= 3:
        return None
    best = min(fitting, key=lambda f: (abs(f.value - d.value), f.number))
    rivals = sum(fits(e, best) for e in every)
    return (best, len(fitting) == rivals == 1) if rivals <= 3 else None


def test_chain_hops_are_what_their_definition_says() -> None:
    seen = 0
    for seed in range(300):
        transfers, knowledge = world(seed, size=random.Random(seed).choice([5, 40, 90])), known(seed)
        every = moves(transfers)
        said = knowledge.attributions
        actors = {name: one.actor for name, one in said.items() if one.actor != "exchange"}
        hops: dict[str, list[tuple[Move, Move, bool, tuple[int, ...]]]] = defaultdict(list)
        for d in every:
            hop = hop_of(d, every, actors)
            payers = ends(d, every, back=True) if hop else []
            payers = [(name, way) for name, way in payers if not is_hub(name)]
            if hop and payers:
                (name, way), (f, clear) = payers[0], hop
                own = AccountId(d.source).address == AccountId(f.target).address
                if name not in said and name != f.target:
                    hops[name].append((d, f, clear and not own, (*way, d.number, f.number)))
        expected = []
        for name, rows in hops.items():
            candidates = []
            for d, *_ in rows:
                inside = [row for row in rows if row[0].number >= d.number and row[0].hours <= d.hours + 24]
                plain, total = worth(r[0] for r in inside if r[2]), worth(r[0] for r in inside)
                numbers = {n for r in inside for n in r[3]}
                candidates.append(((plain >= 700, plain, total, -d.number), d.hours, numbers))
            for standing, hours, numbers in candidates:
                near = [other[0] for other in candidates if abs(other[1] - hours) <= 24]
                if standing == max(near) and 2 * standing[2] >= 700:
                    expected.append((name, standing[0], ids(numbers, transfers)))
        assert told(found("chain_hop", transfers, knowledge)) == sorted(expected), seed
        seen += len(expected)
    assert seen > 50


# cycle: longer ones than it looks for by default


@pytest.mark.parametrize("length", range(7, 13))
@pytest.mark.parametrize("hubs", [False, True])
def test_a_cycle_of_up_to_twelve_accounts_is_found(length: int, hubs: bool) -> None:
    names = [f"{BITCOIN}:w{i}" for i in range(length)]
    rows: list[Transfer] = []
    for i, name in enumerate(names):
        way = (
            [name, f"{BITCOIN}:tx-{i}", names[(i + 1) % length]] if hubs else [name, names[(i + 1) % length]]
        )
        rows += [
            make(len(rows) + k, 3 * i, a, b, 5000 - i, EURO)
            for k, (a, b) in enumerate(itertools.pairwise(way))
        ]
    rows += [make(500 + i, i, f"{BITCOIN}:x{i % 9}", names[i % length], 5000, EURO) for i in range(30)]
    for longest, expected in ((length, 1), (12, 1), (length - 1, 0)):
        result = monitor(build(rows, EURO), only=["cycle"], parameters={"cycle": {"max_length": longest}})
        assert [dict(f.features)["accounts"] for f in result.findings] == [length] * expected
        assert result.unfinished == ()

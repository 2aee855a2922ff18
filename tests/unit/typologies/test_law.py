"""Typologies about law, assets and identity: plain Python finds the same in small ledgers; the edges."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

import numpy as np
import pytest

from comity import plugins
from comity.ledger.columns import build
from comity.model import (
    BITCOIN,
    BTC,
    ETH,
    AccountId,
    Amount,
    AssetId,
    Attribution,
    Columns,
    Finding,
    Identifier,
    Knowledge,
    Level,
    Limit,
    Party,
    Regime,
    Transfer,
)
from comity.monitoring.known import informed
from comity.monitoring.parts import around, reach, slab
from comity.monitoring.run import chosen, findings, in_order, monitor
from comity.typologies import Scope, Shape
from comity.typologies._common import account, pay
from comity.typologies._illicit_words import pointing

EURO = AssetId("iso4217:EUR")
XMR = AssetId("monero:418015bb9ae982a1975da7d79277c270/slip44:128")
ASSETS = (EURO, EURO, BTC, ETH, XMR)
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
CHANGE = BEGIN.date() + timedelta(days=2)
VALUES = (None, 5, 100, 240, 300, 500, 600, 640, 900, 990, 1000, 2000)
MEMOS = ("", "", "", "rent", "cocaine", "2 fake passports", "heroine", "洗钱", "反洗钱")
LAW = Knowledge(
    regimes=(
        Regime("SC", date(2019, 1, 1), 1),
        Regime("VN", date(2023, 1, 1), 2),
        Regime("VN", CHANGE, 0),
        Regime("IR", CHANGE, 3),
    ),
    limits=(
        Limit("DE", "travel_rule.threshold", date(2020, 1, 1), Decimal(1000)),
        Limit("SC", "travel_rule.threshold", date(2020, 1, 1), Decimal(650)),
        Limit("SC", "travel_rule.threshold", CHANGE, None),
        Limit("VN", "travel_rule.threshold", date(2020, 1, 1), Decimal(700)),
        Limit("FR", "cdd.occasional", date(2020, 1, 1), Decimal(1000)),
    ),
)
MARKS = {"acct:X:6": "exchange", "acct:X:7": "weak_kyc", f"{BITCOIN}:w1": "swap"}
KNOWN = replace(
    LAW,
    attributions={name: Attribution(name, word, word, (word,), 0.9, "test") for name, word in MARKS.items()},
)
SERVICES = {"acct:X:6", f"{BITCOIN}:w1"}


@dataclass(frozen=True)
class Move:
    """A transfer as its account sees it: hours since the beginning, and the value (0: not known)."""

    transfer: Transfer
    out: bool
    other: str
    mine: str
    theirs: str

    @property
    def at(self) -> float:
        return (self.transfer.time - BEGIN) / timedelta(hours=1)

    @property
    def value(self) -> int:
        return int(self.transfer.value or 0)

    @property
    def asset(self) -> str:
        return str(self.transfer.amount.asset) if self.transfer.amount else ""

    @property
    def kind(self) -> str:
        return {"": "", str(EURO): "money", str(XMR): "hidden"}.get(self.asset, "coin")


@dataclass(frozen=True)
class World:
    """Transfers in order of (time, id)."""

    transfers: tuple[Transfer, ...]

    @cached_property
    def accounts(self) -> list[str]:
        return sorted({str(end) for each in self.transfers for end in (each.originator, each.beneficiary)})

    @cached_property
    def people(self) -> list[str]:
        """Accounts that may be subjects of what looks at no services."""
        return [name for name in self.accounts if name not in SERVICES and not AccountId(name).is_hub]

    @cached_property
    def hosted(self) -> set[str]:
        found = {name for name in self.accounts if AccountId(name).chain is None}
        for each in self.transfers:
            found |= {str(each.originator)} if each.originator_institution else set()
            found |= {str(each.beneficiary)} if each.beneficiary_institution else set()
        return found

    def moves(self, account: str) -> list[Move]:
        """An account's transfers with others, in order."""
        found = []
        for each in self.transfers:
            ends, lands = (
                (str(each.originator), str(each.beneficiary)),
                (each.originator_country, each.beneficiary_country),
            )
            if account in ends and ends[0] != ends[1]:
                out = ends[0] == account
                found.append(Move(each, out, ends[out], *(lands if out else lands[::-1])))
        home = next((move.mine for move in found if move.mine), "")
        return [replace(move, mine=move.mine or home) for move in found]

    def columns(self) -> Columns:
        return informed(build(self.transfers, EURO), KNOWN)


def risk(country: str, on: datetime) -> int:
    """What is known against a country at a time."""
    held = [each for each in LAW.regimes if each.country == country and each.since <= on.date()]
    return max(held, key=lambda each: each.since).risk if held else 0


def threshold(country: str, on: datetime) -> int:
    """The Travel Rule's threshold in a country at a time, 0 if none."""
    held = [
        each
        for each in LAW.limits
        if each.country == country and each.question == "travel_rule.threshold" and each.since <= on.date()
    ]
    return int(max(held, key=lambda each: each.since).value or 0) if held else 0


def worlds(count: int, seed: int = 0, size: int = 60, hours: int = 120) -> Iterator[World]:
    """Made-up ledgers: few accounts, few moments, values near the limits, so that there is much to find."""
    for number in range(count):
        yield _world(random.Random(1000 * seed + number), size, hours)


def _world(rng: random.Random, size: int, hours: int) -> World:
    people = [f"acct:X:{i}" for i in range(8)]
    wallets = [f"{BITCOIN}:w{i}" for i in range(3)]
    every = [*people, *people, *wallets, f"{BITCOIN}:tx-1"]
    home = {name: rng.choice(["DE", "FR", "SC", "VN", "IR", ""]) for name in every}
    phone = {name: rng.choice(["1", "2", "3"]) for name in people}
    named = {name: name if rng.random() < 0.8 else "Jo" for name in people}
    span = rng.choice([hours // 8, hours])
    made: list[Transfer] = []
    while len(made) < size:
        a, b = rng.choice(every), rng.choice(every)
        if AccountId(a).is_hub and AccountId(b).is_hub:
            continue
        value = rng.choice(VALUES)
        asset = rng.choice(ASSETS)
        lands = [home[end] if rng.random() < 0.8 else rng.choice(["DE", "SC", ""]) for end in (a, b)]
        made.append(
            Transfer(
                f"t{len(made):03d}",
                BEGIN + timedelta(hours=rng.randint(0, span)),
                AccountId(a),
                AccountId(b),
                None if value is None and asset == EURO else Amount(Decimal(value or 1), asset),
                None if value is None else Decimal(value),
                beneficiary_institution="bank" if b in wallets[2:] else "",
                originator_country=lands[0],
                beneficiary_country=lands[1],
                originator_party=_party(a, phone, named),
                beneficiary_party=_party(b, phone, named),
                reference=rng.choice(MEMOS),
            )
        )
    return World(tuple(sorted(made, key=lambda each: (each.time, each.id))))


def _party(name: str, phone: Mapping[str, str], named: Mapping[str, str]) -> Party | None:
    if name not in phone:
        return None
    return Party(named[name], identifiers=(Identifier("phone", phone[name]),))


def found(world: World, rule: str, **parameters: float) -> tuple[Finding, ...]:
    return monitor(
        build(world.transfers, EURO), only=[rule], parameters={rule: parameters}, knowledge=KNOWN
    ).findings


def subjects(given: tuple[Finding, ...]) -> tuple[set[str], set[str]]:
    """Who is alerted, and who is found at all."""
    return {f.subject for f in given if f.level is Level.ALERT}, {f.subject for f in given}


Judge = Callable[[World, str], float]


def judged(world: World, judge: Judge, names: list[str]) -> tuple[set[str], set[str]]:
    """What `subjects` should be: ``judge`` says how far an account is on the way to an alert (1), as a share;
    from one half it is to watch."""
    shares = {name: judge(world, name) for name in names}
    return {n for n, share in shares.items() if share >= 1}, {
        n for n, share in shares.items() if share >= 0.5
    }


def windows(moves: list[Move], hours: float) -> Iterator[list[Move]]:
    """For each move those up to it that are no longer before it than so many hours."""
    for last, move in enumerate(moves):
        yield [each for each in moves[: last + 1] if move.at - each.at <= hours]


def corridor(world: World, account: str) -> float:
    """Weighted value with listed countries in a window, by 2,000."""
    moves, best, weight = world.moves(account), 0.0, (0, 1, 2, 10)

    def level(move: Move) -> int:
        abroad = move.theirs != move.mine and move.other in world.hosted
        return risk(move.theirs, move.transfer.time) if abroad else 0

    def weighted(some: list[Move]) -> int:
        return sum(weight[level(move)] * move.value for move in some)

    for last, near in enumerate(windows(moves, 24)):
        gone = moves[: last + 1 - len(near)]
        usual = weighted(gone) * 24 / max(near[0].at - moves[0].at, 24)
        listed = sum(move.value for move in near if level(move))
        good_part = listed >= 0.25 * sum(move.value for move in near)
        if level(moves[last]) and good_part and weighted(near) >= 2 * usual:
            best = max(best, weighted(near))
    return best / 2000


def is_vasp(world: World, move: Move) -> bool:
    return move.other in MARKS or (move.kind in ("coin", "hidden") and move.other in world.hosted)


def abroad(world: World, account: str) -> float:
    moves = [move for move in world.moves(account) if is_vasp(world, move)]
    home = {move.mine for move in world.moves(account)}
    away = [move for move in moves if move.theirs and home != {""} and move.theirs not in home]
    total, every = (sum(move.value for move in some) for some in (away, moves))
    return min(total / 2000, len(away) / 2) if total >= 0.5 * every else 0.0


def arbitrage(world: World, account: str) -> float:
    band = []
    for move in world.moves(account):
        here, there = move.transfer.originator_country, move.theirs
        both = [threshold(country, move.transfer.time) for country in (here, there)]
        if move.out and here != there and min(both) > 0 and 0.3 * min(both) <= move.value < min(both):
            band.append((move, max(both)))
    highest = dict(band)
    best = 0
    for near in windows([move for move, _ in band], 48):
        total, most = sum(move.value for move in near), max(highest[move] for move in near)
        if len(near) >= 2 and len({move.theirs for move in near}) >= 2 and total >= most:
            best = max(best, len(near))
    return best / 3


def phones(world: World) -> dict[str, tuple[str, int]]:
    """Of each account whose telephone number other names give too: the number, and how many others."""
    names, number = defaultdict(set), {}
    for each in world.transfers:
        for end, party in (
            (each.originator, each.originator_party),
            (each.beneficiary, each.beneficiary_party),
        ):
            if party:
                names[party.identifiers[0].value].add(party.name)
                number[str(end)] = party.identifiers[0].value
    return {end: (phone, len(names[phone]) - 1) for end, phone in number.items() if len(names[phone]) > 1}


def shared(world: World, account: str) -> float:
    moves = world.moves(account)
    active = len(moves) >= 2 and sum(move.value for move in moves) >= 1000
    return phones(world).get(account, ("", 0))[1] / 3 if active else 0.0


def payers(world: World, account: str) -> float:
    number, groups, best = phones(world), defaultdict(list), 0.0
    for move in world.moves(account):
        if not move.out and move.other in number:
            groups[number[move.other][0]].append(move)
    for group in groups.values():
        for near in windows(group, 48):
            best = max(best, min(len({move.other for move in near}) / 3, len(near) / 4))
    return best


def memo(world: World, account: str) -> float:
    bad = [m for m in world.moves(account) if m.transfer.reference in ("cocaine", "2 fake passports", "洗钱")]
    return max(0.5, len(bad) / 6, sum(move.value for move in bad) / 2000) if bad else 0.0


def conversion(world: World, account: str, wanted: set[tuple[str, str]], least: int) -> float:
    """The latest first; where one value is not known the other stands in."""
    moves = world.moves(account)
    left = [None if move.transfer.value is None else move.value for move in moves]
    made: list[tuple[float, int]] = []
    for k, late in enumerate(moves):
        for j in reversed(range(k)):
            early, one, two = moves[j], left[j], left[k]
            if late.at - early.at > 24 or two == 0:
                break
            if one == 0 or (one is None and two is None) or not _became(world, account, early, late, wanted):
                continue
            part = min(value for value in (one, two) if value is not None)
            left[j] = 0 if one is None else one - part
            left[k] = 0 if two is None else two - part
            made.append((late.at, part))
    best = 0
    for last, (at, _) in enumerate(made):
        best = max(best, sum(part for when, part in made[: last + 1] if at - when <= 24))
    return best / least


def _became(world: World, account: str, early: Move, late: Move, wanted: set[tuple[str, str]]) -> bool:
    if early.out == late.out or early.asset == late.asset:
        return False
    forward, back = (early.kind, late.kind) in wanted, (late.kind, early.kind) in wanted
    if early.out:
        return forward and early.other in SERVICES
    inside = account in world.hosted and forward
    return inside or (early.at == late.at and back and late.other in SERVICES)


def hidden(world: World, account: str) -> float:
    return conversion(world, account, {("coin", "hidden")}, 900)


def large(world: World, account: str) -> float:
    every = {(a, b) for a in ("money", "coin", "hidden") for b in ("money", "coin", "hidden")}
    return conversion(world, account, every - {("money", "money")}, 3000)


def many(world: World, account: str) -> float:
    best = 0
    for near in windows(
        [m for m in world.moves(account) if m.kind in ("coin", "hidden") and m.value >= 20], 24
    ):
        came = {move.asset for move in near if not move.out}
        went = {move.asset for move in near if move.out}
        if came - went and went - came and sum(move.value for move in near) >= 1500:
            best = max(best, len(came | went))
    return best / 3


def wealth(world: World, account: str) -> float:
    got = [move for move in world.moves(account) if not move.out]

    def weak(move: Move) -> bool:
        listed = move.theirs != move.mine and risk(move.theirs, move.transfer.time) > 0
        return MARKS.get(move.other) == "weak_kyc" or (is_vasp(world, move) and listed)

    some = [move for move in got if weak(move)]
    total = sum(move.value for move in some)
    long = len(some) >= 2 and some[-1].at - some[0].at >= 10
    return total / 2000 if long and total >= 0.5 * sum(move.value for move in got) else 0.0


def contact(world: World, account: str) -> float:
    met, best, moves = set(), 0.0, world.moves(account)
    for at, move in enumerate(moves):
        new = move.theirs not in met
        met.add(move.theirs)
        if new and move.theirs != move.mine and risk(move.theirs, move.transfer.time) == 3:
            near = (m for m in moves[at:] if m.theirs == move.theirs and m.at - move.at <= 48)
            best = max(best, sum(m.value for m in near) / 2000)
    return best


JUDGES: dict[str, tuple[Judge, dict[str, float]]] = {
    "weak_regime_corridor": (corridor, {"min_value": 2000, "window": 24, "beyond": 2}),
    "exchange_not_at_home": (abroad, {"min_value": 2000, "min_count": 2}),
    "threshold_arbitrage": (arbitrage, {"floor": 0.3, "window": 48, "min_count": 3}),
    "shared_identifier": (shared, {}),
    "shared_payers": (payers, {"min_count": 4, "window": 48}),
    "illicit_memo": (memo, {"min_count": 6, "min_value": 2000}),
    "privacy_coin": (hidden, {"min_value": 900}),
    "large_conversion": (large, {"min_value": 3000}),
    "many_assets": (many, {"min_assets": 3, "window": 24, "min_value": 1500}),
    "wealth_from_weak_vasps": (wealth, {"min_value": 2000, "min_time": 10, "min_count": 2}),
    "high_risk_country_first_contact": (contact, {"min_value": 2000, "window": 48}),
}
ROUTE = {"min_value": 600.0, "retention": 0.6, "busy": 3.0}
LOOKS_AT_SERVICES = ("threshold_arbitrage", "shared_payers")


@pytest.mark.parametrize("rule", JUDGES)
def test_plain_python_finds_the_same(rule: str) -> None:
    judge, parameters = JUDGES[rule]
    seen = [0, 0]
    for world in worlds(40, seed=len(rule)):
        names = [name for name in world.accounts if not AccountId(name).is_hub]
        names = names if rule in LOOKS_AT_SERVICES else world.people
        alerts, every = subjects(found(world, rule, **parameters))
        assert (alerts, every) == judged(world, judge, names)
        seen[0] += len(alerts)
        seen[1] += len(every - alerts)
    assert min(seen) > 0, "the ledgers have nothing to find"


def routes(world: World) -> list[tuple[str, str]]:
    """Every route there is, in order of its first transfer."""
    made = []
    for first in world.transfers:
        through, country = str(first.beneficiary), first.beneficiary_country
        level, hubs = risk(country, first.time), (first.originator.is_hub, first.beneficiary.is_hub)
        weaker = first.originator_country and level > risk(first.originator_country, first.time)
        value = first.value or 0
        later = [
            each
            for each in world.transfers
            if str(each.originator) == through
            and timedelta(0) < each.time - first.time <= timedelta(hours=24)
        ]
        good = weaker and not any(hubs) and first.originator != first.beneficiary and through in world.hosted
        if not good or first.originator_country == country or len(later) > 3 or value < 300:
            continue
        for on in later:
            to, kept = on.beneficiary_country, on.value or 0
            near = kept >= 300 and kept >= Decimal("0.6") * value and value >= Decimal("0.6") * kept
            leaves = to not in ("", country) and on.originator_country in ("", country)
            if near and leaves and str(on.beneficiary) != through and risk(to, on.time) < level:
                made.append((first.id, on.id))
                break
    return made


def test_plain_python_finds_the_same_routes() -> None:
    count = 0
    for world in worlds(60):
        known = {each.id: each for each in world.transfers}
        told = []
        ends: dict[tuple[AccountId, AccountId], datetime] = {}
        for first, on in routes(world):
            key = (known[first].originator, known[first].beneficiary)
            if key not in ends or known[first].time > ends[key]:
                alert = min(known[first].value or 0, known[on].value or 0) >= 600
                told.append(((first, on), alert))
            ends[key] = max(known[on].time, ends.get(key, known[on].time))
        given = found(world, "route_through_third_country", **ROUTE)
        assert sorted((f.evidence, f.level is Level.ALERT) for f in given) == sorted(told)
        count += len(told)
    assert count > 20


@pytest.mark.parametrize("rule", [*JUDGES, "route_through_third_country"])
def test_any_split_finds_the_same(rule: str) -> None:
    parameters = JUDGES[rule][1] if rule in JUDGES else ROUTE
    rng = random.Random(5)
    assert sum(split_holds(world, rule, parameters, rng) for world in worlds(12, seed=99)) > 0


def split_holds(world: World, rule: str, parameters: Mapping[str, float], rng: random.Random) -> int:
    """Parts of random size, of accounts or slabs of time, find what the whole does; how much that is."""
    module, whole = plugins.load("typologies", rule), world.columns()
    given = chosen([rule], {rule: parameters}, whole.scale)[rule]
    everything = Scope(np.arange(whole.n_accounts, dtype=np.int32), -(2**62), 2**62)
    expected = in_order(findings(whole, module, module.run(whole, given, everything)))
    seen: list[Finding] = []
    if module.SPEC.shape is Shape.ACCOUNT:
        groups = defaultdict(list)
        for number in range(whole.n_accounts):
            groups[rng.randrange(4)].append(number)
        for numbers in groups.values():
            some = around(whole, np.array(numbers, dtype=np.int32))
            hits = module.run(
                some.columns, given, Scope(np.searchsorted(some.accounts, numbers).astype(np.int32), 0, 0)
            )
            seen += findings(whole, module, some.of_whole(hits))
    else:
        before, after = reach(module.SPEC, given)
        times = sorted({int(time) for time in whole.time})
        inner = sorted(rng.sample(times, min(5, len(times))))
        for begin, end in pairwise([-(2**62), *inner, 2**62]):
            some = slab(whole, begin, end, before, after)
            hits = module.run(some.columns, given, Scope(np.empty(0, dtype=np.int32), begin, end))
            seen += findings(whole, module, some.of_whole(hits))
    assert in_order(seen) == expected
    return len(expected)


@pytest.mark.parametrize("rule", [*JUDGES, "route_through_third_country"])
def test_without_law_nothing_is_known_against_a_country(rule: str) -> None:
    """A ledger names countries, and nobody has said what is known of them: no array is read past its end."""
    turned_on_law = {"weak_regime_corridor", "route_through_third_country", "threshold_arbitrage"}
    turned_on_law |= {"high_risk_country_first_contact", "wealth_from_weak_vasps"}
    for world in worlds(3):
        found = monitor(build(world.transfers, EURO), only=[rule]).findings
        assert not found or rule not in turned_on_law


def one(rule: str, *transfers: Transfer, **parameters: float) -> Finding | None:
    given = monitor(
        build(transfers, EURO), only=[rule], parameters={rule: parameters}, knowledge=KNOWN
    ).findings
    return given[0] if given else None


def test_the_law_of_the_day_counts() -> None:
    def sent(hours: float) -> Transfer:
        return pay(1, hours, "A", "X", "5000", originator_country="DE", beneficiary_country="IR")

    midnight = (
        datetime(CHANGE.year, CHANGE.month, CHANGE.day, tzinfo=UTC) - pay(0, 0, "A", "X", "1").time
    ) / (timedelta(hours=1))
    assert one("high_risk_country_first_contact", sent(midnight - 1 / 3600)) is None
    assert one("high_risk_country_first_contact", sent(midnight)) is not None
    assert one("weak_regime_corridor", sent(midnight - 1 / 3600)) is None
    assert one("weak_regime_corridor", sent(midnight)) is not None


def test_a_route_ends_with_the_window_and_begins_with_its_first_transfer() -> None:
    def route(hours: float) -> Finding | None:
        return one(
            "route_through_third_country",
            pay(1, 0, "A", "B", "9000", originator_country="DE", beneficiary_country="SC"),
            pay(2, hours, "B", "C", "9000", originator_country="SC", beneficiary_country="FR"),
        )

    found = route(24)
    assert found is not None and found.subject == account("A") and found.score == 1
    assert route(24.001) is None


def test_a_busy_account_converts_for_others() -> None:
    def swapped(others: int) -> Finding | None:
        return one(
            "large_conversion",
            *(pay(10 + i, i / 1000, f"C{i}", "M", "5") for i in range(others)),
            pay(1, 1, "A", "M", "90000"),
            pay(2, 2, "M", "X", "90000", amount=Amount(Decimal(1), BTC)),
        )

    assert swapped(98) is not None
    assert swapped(99) is None


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("COCAÏNE", True),
        ("2x Fake  passport", False),
        ("fake passport!", True),
        ("fake passportholder", False),
        ("10g КОКАИНА", True),
        ("heroin5", False),
        ("heroin 5", True),
        ("anti-money laundering", False),
        ("laundered money", True),
        ("支付冰毒款", True),
        ("反洗钱", False),
        ("line one\x1fcocaine", True),
        ("", False),
    ],
)
def test_what_points_to_something_illicit(text: str, points: bool) -> None:
    assert list(pointing(["rent", text, "rent"])) == [False, points, False]


def test_who_swaps_nothing_is_not_found() -> None:
    """A wallet that gets one coin and pays in another; the same through a business known to swap."""
    wallet, swap = f"{BITCOIN}:w9", f"{BITCOIN}:w1"
    coins, hidden_coins = Amount(Decimal(1), BTC), Amount(Decimal(9), XMR)
    gets = pay(1, 0, "A", wallet, "5000", amount=coins)
    assert one("privacy_coin", gets, pay(2, 1, wallet, "X", "5000", amount=hidden_coins)) is None
    gives, back = (
        pay(1, 0, wallet, swap, "5000", amount=coins),
        pay(2, 1, swap, wallet, "4900", amount=hidden_coins),
    )
    found = one("privacy_coin", gives, back)
    assert found is not None and found.subject == wallet and dict(found.features)["total"] == 4900
    assert one("privacy_coin", gives, replace(back, beneficiary=AccountId(f"{BITCOIN}:w8"))) is None

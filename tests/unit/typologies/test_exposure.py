"""Typologies of marked accounts and institutions, held against plain definitions on small random ledgers."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from comity import plugins
from comity.ledger.columns import build
from comity.model import (
    BITCOIN,
    AccountId,
    Amount,
    AssetId,
    Attribution,
    Finding,
    Knowledge,
    Level,
    Mark,
    Transfer,
    mark_of,
)
from comity.monitoring.known import informed
from comity.monitoring.parts import around, reach, slab
from comity.monitoring.run import chosen, everything, findings, in_order, monitor
from comity.typologies import Scope, Shape
from comity.typologies._common import account, pay, wallet
from comity.typologies._marked import known, unvalued
from comity.typologies.proceeds_swapped import FREEZABLE

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
ETHER, USDC = "eip155:1/slip44:60", "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
PEOPLE = [account(f"P{i}") for i in range(3)]
WALLETS = [wallet(1 + i) for i in range(3)]
HUBS = [f"{BITCOIN}:tx-{i}" for i in range(3)]
ROLES = {
    "hack": Mark.THEFT,
    "market": Mark.DARKNET,
    "mixer": Mark.MIXER,
    "gambling": Mark.GAMBLING,
    "atm": Mark.KIOSK,
    "p2p": Mark.P2P,
    "weak_kyc": Mark.WEAK_KYC,
    "exchange": Mark.EXCHANGE,
    "dex": Mark.SWAP,
}
MARKED = {account(f"M-{role}"): role for role in ROLES}
SPARED = Mark.crime() | Mark.service()
LOW: dict[str, dict[str, float]] = {
    "crime_exposure": {"min_value": 1500},
    "mixer_exposure": {"min_value": 1500},
    "gambling_flows": {"min_value": 2500, "window": 20},
    "weak_kyc_counterparty": {"min_value": 2500, "window": 20},
    "kiosk_use": {"min_value": 1500, "window": 30, "min_count": 3},
    "p2p_cash_out": {"min_value": 1500, "window": 30, "hours": 15, "share": 0.1},
    "darknet_cash_out": {"min_value": 1500, "window": 30, "hours": 15},
    "proceeds_swapped": {"min_value": 500, "window": 60, "hours": 40},
    "straight_to_self_hosted": {"min_value": 1500, "window": 30, "hours": 20, "ratio": 0.6},
    "self_hosted_in": {"min_value": 1500, "window": 20, "min_wallets": 2},
    "onward_to_institutions": {"min_value": 1000, "hours": 15, "ratio": 0.5, "min_institutions": 2},
    "indirect_exposure": {"min_value": 600, "window": 25, "max_hops": 2},
    "shared_transaction": {"min_value": 600, "window": 20},
}
NAMES = tuple(LOW)


def ledger(seed: int, focus: tuple[str, ...] = ()) -> tuple[list[Transfer], Knowledge]:
    """A few accounts, moments and values, so that much is met by chance; ``focus`` are the roles met."""
    rng = random.Random(seed)
    roles = focus or rng.sample(sorted(ROLES), 3)
    marked = [account(f"M-{role}") for role in roles]
    every = [*PEOPLE, *WALLETS, *HUBS[: rng.randint(0, 3)], *marked, *marked[:1]]
    transfers = []
    for i in range(rng.randint(20, 90)):
        source, target = rng.choice(every), rng.choice(every)
        if source in HUBS and target in HUBS:
            continue
        hub = (source in HUBS or target in HUBS) and rng.random() < 0.8
        value = rng.choice([None, 100, 500, 900, 1000, 1000, 2000, 2000])
        asset = rng.choice([USDC, USDC, ETHER, "iso4217:EUR"])
        ends = {
            side: f"I{rng.randint(0, 3)}" if name in PEOPLE and rng.random() < 0.8 else ""
            for side, name in (("originator_institution", source), ("beneficiary_institution", target))
        }
        lands = {side: rng.choice(["", "SG", "US"]) for side in ("originator_country", "beneficiary_country")}
        transfers.append(
            Transfer(
                f"t{i:02d}",
                BEGIN + timedelta(hours=rng.choice((0, 20, 40)) if hub else rng.randint(0, 80)),
                AccountId(source),
                AccountId(target),
                None if value is None else Amount(Decimal(value), AssetId(asset)),
                None if value is None else Decimal(value),
                **ends,
                **lands,
            )
        )
    confidence = {name: rng.choice([0.3, 0.5, 0.9, 0.9]) for name in marked}
    given = {n: Attribution(n, n, "", (MARKED[n],), confidence[n], "test") for n in marked}
    return transfers, Knowledge(attributions=given)


def ordered(transfers: list[Transfer]) -> list[Transfer]:
    return sorted(transfers, key=lambda t: (t.time, t.id))


def marks(who: AccountId, given: Knowledge, least: float = 0.5) -> Mark:
    one = given.attributions.get(str(who))
    return mark_of(one.categories) if one and one.confidence >= least else Mark(0)


def sure(who: AccountId, given: Knowledge) -> Decimal:
    return Decimal(str(given.attributions[str(who)].confidence))


def worth(one: Transfer) -> Decimal:
    return one.value or Decimal(0)


def others(transfers: list[Transfer]) -> Iterator[tuple[AccountId, list[Transfer], list[Transfer]]]:
    """Each account that is somebody's, with what others pay it and what it pays others, in order."""
    for who in sorted({end for t in transfers for end in (t.originator, t.beneficiary)}):
        if not who.is_hub:
            came = [t for t in ordered(transfers) if t.beneficiary == who != t.originator]
            went = [t for t in ordered(transfers) if t.originator == who != t.beneficiary]
            yield who, came, went


def find(rule: str, transfers: list[Transfer], given: Knowledge, **more: float) -> tuple[Finding, ...]:
    parameters = {rule: {**LOW[rule], **more}}
    return monitor(build(transfers, EURO), only=[rule], parameters=parameters, knowledge=given).findings


def alerted(found: tuple[Finding, ...]) -> set[str]:
    return {f.subject for f in found if f.level is Level.ALERT}


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


# each finding depends on no more than it says


@pytest.mark.parametrize("name", NAMES)
def test_any_split_finds_the_same(name: str) -> None:
    module = plugins.load("typologies", name)
    seen = 0
    for seed in range(60):
        transfers, given = ledger(seed, FOCUS[name])
        whole = informed(build(transfers, EURO), given)
        parameters = chosen([name], {name: LOW[name]}, whole.scale)[name]
        expected = in_order(findings(whole, module, module.run(whole, parameters, everything(whole))))
        seen += len(expected)
        found: list[Finding] = []
        rng = random.Random(seed)
        if module.SPEC.shape is Shape.ACCOUNT:
            numbers = np.array(rng.sample(range(whole.n_accounts), whole.n_accounts), dtype=np.int32)
            for some in np.array_split(numbers, rng.randint(1, 5)):
                part = around(whole, np.sort(some))
                wanted = np.searchsorted(part.accounts, np.sort(some)).astype(np.int32)
                hits = module.run(part.columns, parameters, Scope(wanted, 0, 0))
                found += findings(whole, module, part.of_whole(hits))
        else:
            times = sorted(rng.sample([int(t) for t in whole.time], min(4, len(whole))))
            for begin, end in itertools.pairwise([-(2**62), *times, 2**62]):
                part = slab(whole, begin, end, *reach(module.SPEC, parameters))
                hits = module.run(part.columns, parameters, Scope(np.empty(0, np.int32), begin, end))
                found += findings(whole, module, part.of_whole(hits))
        assert in_order(found) == expected, seed
        assert all(len(set(f.evidence)) == len(f.evidence) for f in expected)
    assert seen > 3


FOCUS: dict[str, tuple[str, ...]] = {
    "crime_exposure": (),
    "mixer_exposure": ("mixer", "market"),
    "gambling_flows": ("gambling",),
    "weak_kyc_counterparty": ("weak_kyc",),
    "kiosk_use": ("atm",),
    "p2p_cash_out": ("p2p", "exchange"),
    "darknet_cash_out": ("market", "mixer", "exchange"),
    "proceeds_swapped": ("hack", "dex"),
    "straight_to_self_hosted": ("exchange",),
    "self_hosted_in": ("exchange",),
    "onward_to_institutions": ("exchange",),
    "indirect_exposure": ("hack",),
    "shared_transaction": ("hack", "mixer"),
}


# direct exposure


@pytest.mark.parametrize(
    ("name", "sought"), [("crime_exposure", Mark.crime()), ("mixer_exposure", Mark.MIXER)]
)
def test_direct_exposure_is_what_plain_adding_up_says(name: str, sought: Mark) -> None:
    seen = 0
    for seed in range(120):
        transfers, given = ledger(seed, FOCUS[name])
        expected, watched = set(), set()
        for who, came, went in others(transfers):
            if marks(who, given) & SPARED:
                continue
            met = [(t, t.originator) for t in came] + [(t, t.beneficiary) for t in went]
            firm = sum(worth(t) * sure(o, given) for t, o in met if marks(o, given) & sought)
            any_ = sum(worth(t) * sure(o, given) for t, o in met if marks(o, given, 0) & sought)
            blind = any(t.value is None for t, o in met if marks(o, given) & sought)
            between = Decimal(0)
            if name == "mixer_exposure":
                mixed_in = sum(worth(t) for t in came if marks(t.originator, given, 0) & sought)
                mixed_out = sum(worth(t) for t in went if marks(t.beneficiary, given, 0) & sought)
                dark_in = sum(worth(t) for t in came if marks(t.originator, given) & Mark.DARKNET)
                dark_out = sum(worth(t) for t in went if marks(t.beneficiary, given) & Mark.DARKNET)
                between = max(min(mixed_in, dark_out), min(mixed_out, dark_in), Decimal(0))
            if firm >= 1500 or (firm >= 750 and between >= 750):
                expected.add(str(who))
            elif any_ >= 750 or blind:
                watched.add(str(who))
        found = find(name, transfers, given)
        assert alerted(found) == expected, seed
        assert {f.subject for f in found} - alerted(found) == watched, seed
        seen += len(expected)
    assert seen > 5


def test_low_confidence_excuses_nobody_from_being_a_subject() -> None:
    transfers = [pay(1, 0, "HACK", "EX", "5000")]
    doubtful = Knowledge({**known(0.9, HACK="hack").attributions, **known(0.2, EX="exchange").attributions})
    assert alerted(find("crime_exposure", transfers, doubtful)) == {account("EX")}
    assert find("crime_exposure", transfers, known(0.9, HACK="hack", EX="exchange")) == ()


def test_unknown_values_are_watched_and_told() -> None:
    (found,) = find("crime_exposure", [unvalued(pay(1, 0, "HACK", "A", "1"))], known(HACK="hack"))
    assert found.level is Level.WATCH and dict(found.features)["total"] == 0
    assert any("not known" in reason for reason in found.reasons)


def test_marks_are_named_and_confidence_given() -> None:
    (found,) = find("crime_exposure", [pay(1, 0, "HACK", "A", "5000")], known(0.8, HACK="hack sanction"))
    assert any("sanctioned, theft" in reason for reason in found.reasons)
    assert any("80% confidence" in reason for reason in found.reasons)


# dealings within a window


@pytest.mark.parametrize(
    ("name", "sought", "count"),
    [
        ("gambling_flows", Mark.GAMBLING, 1),
        ("weak_kyc_counterparty", Mark.WEAK_KYC, 1),
        ("kiosk_use", Mark.KIOSK, 3),
    ],
)
def test_dealings_are_what_plain_windows_say(name: str, sought: Mark, count: int) -> None:
    least, window = LOW[name]["min_value"], hours(LOW[name]["window"])
    seen = 0
    for seed in range(120):
        transfers, given = ledger(seed, FOCUS[name])
        expected = set()
        for who, came, went in others(transfers):
            if marks(who, given) & (SPARED | sought):
                continue
            met = [t for t in came if marks(t.originator, given) & sought]
            met = ordered(met + [t for t in went if marks(t.beneficiary, given) & sought])
            flow = sum(worth(t) for t in came + went)
            for first in met:
                inside = [t for t in met if timedelta(0) <= t.time - first.time <= window]
                total = sum(worth(t) for t in inside)
                if total >= least and len(inside) >= count and total >= flow / 10:
                    expected.add(str(who))
        found = alerted(find(name, transfers, given))
        assert found == expected, seed
        seen += len(expected)
    assert seen > 5


# cash-out


def went_on(
    came: list[Transfer], went: list[Transfer], within: timedelta, ratio: Decimal = Decimal(0)
) -> list[tuple[Transfer, Decimal]]:
    """How much of what came each transfer out carries on, the latest that came first."""
    left = {t.id: worth(t) for t in came}
    pairs = []
    for out in went:
        rest = worth(out)
        for lot in reversed([t for t in came if (t.time, t.id) < (out.time, out.id)]):
            part = min(rest, left[lot.id]) if out.time - lot.time <= within else Decimal(0)
            left[lot.id] -= part
            rest -= part
            if part:
                pairs.append((lot, out, part))
    return [(out, part) for lot, out, part in pairs if worth(lot) - left[lot.id] >= ratio * worth(lot)]


def most(pairs: list[tuple[Transfer, Decimal]], window: timedelta) -> Decimal:
    """The most that went on in one window."""
    every = [
        sum(part for t, part in pairs if timedelta(0) <= t.time - first.time <= window) for first, _ in pairs
    ]
    return Decimal(max(every, default=0))


@pytest.mark.parametrize(
    ("name", "sought", "ways"),
    [
        ("p2p_cash_out", Mark.P2P, Mark.EXCHANGE),
        ("darknet_cash_out", Mark.DARKNET | Mark.MIXER, Mark.EXCHANGE | Mark.KIOSK | Mark.P2P),
    ],
)
def test_cash_outs_are_what_plain_matching_says(name: str, sought: Mark, ways: Mark) -> None:
    rule = LOW[name]
    seen = 0
    for seed in range(120):
        transfers, given = ledger(seed, FOCUS[name])
        expected = {}
        for who, came, went in others(transfers):
            if marks(who, given) & SPARED:
                continue
            lots = [t for t in came if marks(t.originator, given) & sought]
            outs = [
                t
                for t in went
                if (t.beneficiary.chain is None or marks(t.beneficiary, given) & ways)
                and not marks(t.beneficiary, given, 0) & sought
            ]
            total = most(went_on(lots, outs, hours(rule["hours"])), hours(rule["window"]))
            share = sum(worth(t) for t in lots) >= Decimal(str(rule.get("share", 0))) * sum(map(worth, came))
            if total >= rule["min_value"] and share:
                expected[str(who)] = float(total)
        found: dict[str, float] = {}
        for f in find(name, transfers, given):
            if f.level is Level.ALERT:
                found[f.subject] = max(found.get(f.subject, 0), dict(f.features)["total"])
        assert found == expected, seed
        seen += len(expected)
    assert seen > 5


def test_proceeds_swapped_are_what_plain_matching_says() -> None:
    rule = LOW["proceeds_swapped"]
    seen = 0
    for seed in range(400):
        transfers, given = ledger(seed, FOCUS["proceeds_swapped"])
        expected = set()
        for who, came, went in others(transfers):
            if marks(who, given) & SPARED:
                continue
            lots = [t for t in came if marks(t.originator, given) & Mark.crime() and freezable(t)]
            taken: set[str] = set()
            outs = []
            for out in went:
                o = out.beneficiary
                if not lots or out.time < lots[0].time or o.is_hub or marks(o, given, 0) & Mark.crime():
                    continue
                if not freezable(out):
                    continue
                answers = [
                    t
                    for t in came
                    if t.originator == o and t.id not in taken and t.amount and not freezable(t)
                    and timedelta(0) <= t.time - out.time <= hours(rule["hours"])
                    and worth(t) >= Decimal("0.8") * worth(out)
                ]  # fmt: skip
                taken |= {t.id for t in answers[:1]}
                if answers or marks(o, given) & Mark.SWAP:
                    outs.append(out)
            pairs = went_on(lots, outs, hours(rule["hours"]))
            if most(pairs, hours(rule["window"])) >= rule["min_value"]:
                expected.add(str(who))
        assert alerted(find("proceeds_swapped", transfers, given)) == expected, seed
        seen += len(expected)
    assert seen > 5


def freezable(one: Transfer) -> bool:
    return one.amount is not None and one.amount.asset.value in FREEZABLE


# institutions and self-hosted wallets


def hosted(transfers: list[Transfer]) -> set[str]:
    named = {str(t.originator) for t in transfers if t.originator_institution}
    named |= {str(t.beneficiary) for t in transfers if t.beneficiary_institution}
    every = {end for t in transfers for end in (t.originator, t.beneficiary)}
    return named | {str(end) for end in every if end.chain is None}


def test_straight_to_self_hosted_is_what_plain_matching_says() -> None:
    rule = LOW["straight_to_self_hosted"]
    seen = 0
    for seed in range(150):
        transfers, given = ledger(seed, FOCUS["straight_to_self_hosted"])
        kept = hosted(transfers)
        expected = set()
        for who, came, went in others(transfers):
            if marks(who, given) & SPARED or str(who) not in kept:
                continue
            for asset in (ETHER, USDC):
                lots = [t for t in came if t.amount and t.amount.asset.value == asset]
                outs = [
                    t
                    for t in went
                    if t.amount and t.amount.asset.value == asset and not t.beneficiary.is_hub
                    and str(t.beneficiary) not in kept and not marks(t.beneficiary, given) & Mark.service()
                ]  # fmt: skip
                pairs = went_on(lots, outs, hours(rule["hours"]), Decimal("0.6"))
                if most(pairs, hours(rule["window"])) >= rule["min_value"]:
                    expected.add(str(who))
        assert alerted(find("straight_to_self_hosted", transfers, given)) == expected, seed
        seen += len(expected)
    assert seen > 5


def test_a_service_that_pays_many_wallets_is_left_out() -> None:
    coins = Amount(Decimal(2000), AssetId(ETHER))
    rows = [
        one
        for i in range(4)
        for one in (
            pay(2 * i, i, wallet(10 + i), "HOT", "2000", amount=coins),
            pay(2 * i + 1, i + 0.5, "HOT", wallet(20 + i), "2000", amount=coins),
        )
    ]
    assert find("straight_to_self_hosted", rows, Knowledge()) == ()
    assert len(find("straight_to_self_hosted", rows, Knowledge(), max_wallets=4)) == 1


def test_self_hosted_in_is_what_plain_counting_says() -> None:
    rule = LOW["self_hosted_in"]
    seen = 0
    for seed in range(150):
        transfers, given = ledger(seed, FOCUS["self_hosted_in"])
        kept = hosted(transfers)
        expected = set()
        for who, came, _ in others(transfers):
            if marks(who, given) & SPARED or str(who) not in kept:
                continue
            own = [
                t
                for t in came
                if str(t.originator) not in kept and not t.originator.is_hub
                and not marks(t.originator, given) & Mark.service()
            ]  # fmt: skip
            for first in own:
                inside = [t for t in own if timedelta(0) <= t.time - first.time <= hours(rule["window"])]
                payers = {t.originator for t in inside}
                if len(payers) >= 2 and sum(map(worth, inside)) >= rule["min_value"]:
                    expected.add(str(who))
            # with so few payers the half of all who ever paid can only be missed when hubs and marks pay too
        found = find("self_hosted_in", transfers, given)
        ever = {str(who): len({t.originator for t in came}) for who, came, _ in others(transfers)}
        assert alerted(found) <= expected, seed
        assert all(ever[who] > 4 for who in expected - alerted(found)), seed
        assert all(2 * dict(f.features)["wallets"] >= ever[f.subject] for f in found)
        seen += len(alerted(found))
    assert seen > 5


def test_onward_to_institutions_is_what_the_definition_says() -> None:
    rule = LOW["onward_to_institutions"]
    seen = 0
    for seed in range(200):
        transfers, given = ledger(seed, FOCUS["onward_to_institutions"])
        expected = set()
        for who, came, went in others(transfers):
            if marks(who, given) & SPARED:
                continue
            for first in (t for t in came if worth(t)):
                outs = [
                    t
                    for t in went
                    if (t.time, t.id) > (first.time, first.id) and t.time - first.time <= hours(rule["hours"])
                    and t.beneficiary_institution not in ("", t.originator_institution)
                ]  # fmt: skip
                if not outs:
                    continue
                until = (outs[-1].time, outs[-1].id)
                inside = [t for t in came if (first.time, first.id) <= (t.time, t.id) < until]
                places = {t.beneficiary_institution for t in outs}
                far = {
                    t.beneficiary_institution
                    for t in outs
                    if t.beneficiary_country and t.originator_country not in ("", t.beneficiary_country)
                }
                into, on = sum(map(worth, inside)), sum(map(worth, outs))
                large = into >= rule["min_value"] and on >= Decimal("0.5") * into
                if large and len(places) >= 2 and 2 * len(far) >= len(places):
                    expected.add(str(who))
        assert alerted(find("onward_to_institutions", transfers, given)) == expected, seed
        seen += len(expected)
    assert seen > 5


# indirect exposure


def followed(transfers: list[Transfer], given: Knowledge, first: Transfer) -> dict[str, float]:
    """The most that can have reached each account from one transfer out of a mark, by definition."""
    rule = LOW["indirect_exposure"]
    rows = ordered(transfers)
    best: dict[str, float] = defaultdict(float)

    def go(last: Transfer, came: int, between: int, path: tuple[AccountId, ...]) -> None:
        node = last.beneficiary
        after = [
            t
            for t in rows
            if t.originator == node and t.time - first.time <= hours(rule["window"])
            and (t.time >= last.time if node.is_hub else t.time > last.time)
        ]  # fmt: skip
        paid, left = sum(cents(t) for t in after if t.value is not None), 0
        for t in after:
            to = t.beneficiary
            if not node.is_hub and left >= came:
                break
            if to == node or cents(t) <= 0:
                continue
            left += cents(t)
            worth_ = int(came * (cents(t) / max(paid, came))) if node.is_hub else min(came, cents(t))
            if worth_ < 300 * 10**4 or worth_ < 0.5 * came or worth_ < 0.1 * cents(t):
                continue
            if to in path or (to.is_hub and node.is_hub) or marks(to, given) & SPARED:
                continue
            if between and not to.is_hub:
                best[str(to)] = max(best[str(to)], worth_ / 10**4)
            if between + (not to.is_hub) <= rule["max_hops"]:
                go(t, worth_, between + (not to.is_hub), (*path, to))

    to = first.beneficiary
    if cents(first) >= 300 * 10**4 and to != first.originator and not marks(to, given) & SPARED:
        go(first, cents(first), 0 if to.is_hub else 1, (first.originator, to))
    return dict(best)


def cents(one: Transfer) -> int:
    return -1 if one.value is None else int(one.value * 10**4)


def test_indirect_exposure_is_what_following_each_transfer_says() -> None:
    seen = 0
    for seed in range(200):
        transfers, given = ledger(seed, FOCUS["indirect_exposure"])
        by_id = {t.id: t for t in transfers}
        expected: dict[str, float] = defaultdict(float)
        for t in transfers:
            if marks(t.originator, given) & (Mark.crime() | Mark.MIXER):
                for who, carried in followed(transfers, given, t).items():
                    expected[who] = max(expected[who], carried)
        found = find("indirect_exposure", transfers, given)
        assert {f.subject for f in found} == set(expected), seed
        assert alerted(found) == {who for who, carried in expected.items() if carried >= 600}, seed
        for f in found:
            path = [by_id[e] for e in f.evidence]
            (first,) = (t for t in path if marks(t.originator, given) & Mark.crime())
            assert first.time == f.first
            assert dict(f.features)["carried"] == followed(transfers, given, first)[f.subject]
        seen += len(found)
    assert seen > 20


def test_an_alert_is_not_hidden_by_what_is_only_to_watch() -> None:
    transfers = [
        pay(1, 0, "HACK", "A", "600"),
        pay(2, 5, "A", "B", "600"),
        pay(3, 4, "HACK", "A", "5000"),
        pay(4, 6, "A", "B", "5000"),
        pay(5, 4.5, "HACK", "A", "4000"),
        pay(6, 7, "A", "B", "4000"),
    ]
    found = find("indirect_exposure", transfers, known(HACK="hack"), min_value=1000)
    assert [f.level for f in found if f.subject == account("B")] == [Level.ALERT, Level.WATCH]


def test_the_budget_is_told() -> None:
    transfers = [
        pay(1, 0, "HACK", "A", "9000"),
        *(pay(2 + i, 1 + i / 100, "A", f"X{i}", "1") for i in range(50)),
    ]
    transfers += [pay(90, 5, "A", "B", "8000")]
    rules = {"indirect_exposure": {"budget": 20.0}}
    columns = build(transfers, EURO)
    done = monitor(columns, only=["indirect_exposure"], parameters=rules, knowledge=known(HACK="hack"))
    assert done.findings == () and done.unfinished[0].accounts == (account("HACK"),)
    done = monitor(columns, only=["indirect_exposure"], knowledge=known(HACK="hack"))
    assert [f.subject for f in done.findings] == [account("B")] and done.unfinished == ()


def test_who_makes_hundreds_of_transfers_is_neither_passed_through_nor_reached() -> None:
    chain = [pay(1, 0, "HACK", "A", "9000"), pay(2, 5, "A", "B", "9000"), pay(3, 9, "B", "C", "9000")]
    busy = [pay(100 + i, 6 + i / 1000, "B", f"X{i}", "1") for i in range(600)]
    given = known(HACK="hack")
    assert alerted(find("indirect_exposure", chain, given)) == {account("B"), account("C")}
    assert find("indirect_exposure", chain + busy, given) == ()


# within a transaction


def test_shares_of_transactions_are_what_plain_adding_up_says() -> None:
    rule, sought = LOW["shared_transaction"], Mark.crime() | Mark.MIXER
    period = int(rule["window"] * 3600)
    seen = 0
    for seed in range(200):
        transfers, given = ledger(seed, FOCUS["shared_transaction"])
        total: dict[tuple[AccountId, int], int] = defaultdict(int)
        moments = {(h, t.time) for t in transfers for h in (t.originator, t.beneficiary) if h.is_hub}
        for hub, moment in moments:
            ins = [t for t in transfers if t.beneficiary == hub and t.time == moment]
            outs = [t for t in transfers if t.originator == hub and t.time == moment]
            came = [t for t in ins if marks(t.originator, given) & sought]
            went = [t for t in outs if marks(t.beneficiary, given) & sought]
            whole = max(sum(max(cents(t), 0) for t in ins), sum(max(cents(t), 0) for t in outs), 1)
            share = sum(max(cents(t), 0) for t in came) / whole if len(came) < len(ins) else 1.0
            at = int(moment.timestamp()) // period
            for t in outs if came else []:
                if t.beneficiary not in {i.originator for i in ins}:
                    total[t.beneficiary, at] += int(max(cents(t), 0) * share)
            for t in ins:
                total[t.originator, at] += int(
                    max(cents(t), 0) * (sum(max(cents(w), 0) for w in went) / whole)
                )
        expected = {
            str(who)
            for (who, _), value in total.items()
            if value >= rule["min_value"] * 10**4 and not marks(who, given) & SPARED
        }
        assert alerted(find("shared_transaction", transfers, given)) == expected, seed
        seen += len(expected)
    assert seen > 5

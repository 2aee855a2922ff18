"""A world is the same for the same seed, shows each institution its own, and keeps the truth apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import base58
import bech32
import numpy as np
import pytest
import stdnum.iban
import stdnum.lei

from comity.errors import BadInput, NotFound
from comity.model import AccountId, Role
from comity.training.scheme import SchemeKind
from comity.training.world import World, generate

START = datetime(2026, 9, 1, tzinfo=UTC)
LISTED = (
    (AccountId("bip122:000000000019d6689c085ae165831e93:12QtD5BFwRsdNsAZY76UVE1xyCGNTojH9h"), "LIST:1"),
    (AccountId("eip155:1:0x8589427373d6d84e98730d7795d8f6f8731fda16"), "LIST:2"),
    (AccountId("eip155:1:0x722122df12d4e14e13ac3b6895a86e84145b6967"), "LIST:3"),
    (AccountId("tron:728126428:TNuC9HTZAGxBRxLXrVGrYHjBVJtnDeTBqd"), "LIST:4"),
)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(5, transfers=4_000, days=30, start=START, listed=LISTED)


def digest(world: World) -> tuple[object, ...]:
    table = world.table
    columns = [getattr(table, name).tobytes() for name in ("time", "src", "dst", "amount", "asset", "text")]
    return (*columns, table.ids, table.accounts, table.name, world.schemes, world.customers)


def test_the_same_seed_gives_the_same_world_and_another_seed_another(world: World) -> None:
    again = generate(5, transfers=4_000, days=30, start=START, listed=LISTED)
    other = generate(6, transfers=4_000, days=30, start=START, listed=LISTED)
    assert digest(again) == digest(world)
    assert set(other.table.ids).isdisjoint(world.table.ids)
    assert other.schemes != world.schemes


def test_a_full_world_is_large_and_every_institution_sees_its_part() -> None:
    world = generate(1, start=START, listed=LISTED)
    views = {house.id: len(world.table.view(house.id)) for house in world.obliged}
    assert len(world.table) >= 200_000
    assert 200_000 <= sum(views.values()) <= 300_000
    assert min(views.values()) >= 10_000
    assert len(world.schemes) >= 24


def test_sixteen_institutions_with_valid_identifiers(world: World) -> None:
    by_country: dict[str, list[Role]] = {}
    for member in world.institutions:
        by_country.setdefault(member.jurisdictions[0], []).append(member.role)
        assert member.id.startswith(member.jurisdictions[0].lower() + "-")
        if member.role is not Role.FIU:
            assert len(member.lei) == 20
            stdnum.lei.validate(member.lei)
        assert (len(member.bic) == 8) == (member.role is Role.BANK)
    assert set(by_country) == {"SG", "DE", "US", "AE"}
    for roles in by_country.values():
        assert sorted(roles) == sorted([Role.FIU, Role.VASP, Role.VASP, Role.BANK])


def ibans(world: World) -> Iterator[str]:
    return (account[5:] for account in world.table.accounts if account.startswith("iban:"))


def test_accounts_are_valid_and_unique(world: World) -> None:
    assert len(set(world.table.accounts)) == len(world.table.accounts)
    kinds = {"iban": 0, "acct": 0, "bc1": 0, "base58": 0, "0x": 0}
    for text in world.table.accounts:
        account = AccountId.parse(text)
        if text.startswith("iban:"):
            stdnum.iban.validate(account.address)
            kinds["iban"] += 1
        elif text.startswith("acct:"):
            kinds["acct"] += 1
        elif account.address.startswith("bc1"):
            assert bech32.decode("bc", account.address)[0] == 0
            kinds["bc1"] += 1
        elif account.address.startswith("0x"):
            assert account.address == account.address.lower()
            assert len(account.address) == 42
            kinds["0x"] += 1
        elif text.startswith("bip122:"):
            assert len(base58.b58decode_check(account.address)) == 21
            kinds["base58"] += 1
    assert min(kinds.values()) > 0, kinds
    assert {iban[:2] for iban in ibans(world)} >= {"DE", "AE"}


def test_customers_belong_where_they_are_kept(world: World) -> None:
    table = world.table
    place = dict(zip(table.accounts, table.institution, strict=True))
    for house, customers in world.customers.items():
        assert customers
        for account, party in customers.items():
            assert place[account] == house
            assert party.identifiers


def test_some_people_are_customers_in_several_countries_under_one_document(world: World) -> None:
    found: dict[object, set[str]] = {}
    for house, customers in world.customers.items():
        for party in customers.values():
            found.setdefault(party.identifiers[0], set()).add(house[:2])
    assert sum(len(countries) >= 2 for countries in found.values()) >= 60
    scripts = {party.name for customers in world.customers.values() for party in customers.values()}
    assert any(not name.isascii() and not name[0].isupper() for name in scripts), "names in other scripts"


def test_a_transfer_is_in_the_views_of_both_its_institutions_and_no_other(world: World) -> None:
    table = world.table
    seen = {house.id: set(world.table.view(house.id).tolist()) for house in world.obliged}
    for row in range(0, len(table), 7):
        ends = {table.institution[table.src[row]], table.institution[table.dst[row]]}
        assert {house for house, rows in seen.items() if row in rows} == ends & seen.keys()
        assert ends & seen.keys()
    shared = sum(len(rows) for rows in seen.values()) - len(set().union(*seen.values()))
    assert shared > len(table) // 10
    ids = [{transfer.id for transfer in world.transfers(house)} for house in ("sg-bank", "sg-vasp-1")]
    assert ids[0] & ids[1]


def test_each_scheme_is_seen_by_the_institutions_it_names(world: World) -> None:
    seen = {house.id: {world.table.ids[row] for row in world.table.view(house.id)} for house in world.obliged}
    place = {house.id: house.jurisdictions[0] for house in world.obliged}
    kinds = [scheme.kind for scheme in world.schemes]
    assert len(kinds) >= 24
    assert set(kinds) == set(SchemeKind)
    for scheme in world.schemes:
        transfers = set(scheme.transfers)
        assert set(scheme.institutions) == {house for house, ids in seen.items() if ids & transfers}
        assert set(scheme.countries) == {place[house] for house in scheme.institutions}
        assert transfers == {name for house in scheme.institutions for name in seen[house] & transfers}
        assert START <= scheme.first <= scheme.last < START + timedelta(days=30)
    across = [scheme for scheme in world.schemes if len(scheme.countries) >= 2]
    assert len(across) >= 20
    assert any(len(scheme.institutions) == 1 for scheme in world.schemes)


def test_scheme_accounts_take_part_and_subjects_are_known(world: World) -> None:
    by_id = {transfer.id: transfer for transfer in world.transfers()}
    keys = {
        f"{i.kind}/{i.country}/{i.value}"
        for customers in world.customers.values()
        for party in customers.values()
        for i in party.identifiers
    }
    for scheme in world.schemes:
        transfers = [by_id[name] for name in scheme.transfers]
        ends = {str(end) for t in transfers for end in (t.originator, t.beneficiary)}
        assert set(scheme.accounts) <= ends
        assert scheme.story.endswith(".")
        assert all(subject in keys or subject in scheme.accounts for subject in scheme.subjects)


def test_split_structuring_shows_each_institution_little_and_is_below_the_threshold(world: World) -> None:
    by_id = {transfer.id: transfer for transfer in world.transfers()}
    split = [s for s in world.schemes if s.kind is SchemeKind.STRUCTURING and len(s.accounts) >= 3]
    assert split
    for scheme in split:
        transfers = [by_id[name] for name in scheme.transfers]
        assert all(Decimal(800) <= (t.value or 0) < Decimal(1000) for t in transfers)
        assert max(t.time for t in transfers) - min(t.time for t in transfers) <= timedelta(hours=48)
        assert len({t.originator_institution for t in transfers}) == len(scheme.accounts)


def test_nothing_in_a_view_tells_planted_from_honest(world: World) -> None:
    planted = {name for scheme in world.schemes for name in scheme.transfers}
    by_id = {transfer.id: transfer for transfer in world.transfers()}
    honest_words = {t.reference for t in by_id.values() if t.id not in planted}
    assert {by_id[name].reference for name in planted} <= honest_words
    assert all(len(name) == 19 for name in by_id)
    order = np.array([t.id in planted for t in sorted(by_id.values(), key=lambda t: t.id)])
    halves = order[: len(order) // 2].sum(), order[len(order) // 2 :].sum()
    assert min(halves) > 0.3 * order.sum(), "ids in their own order do not gather the planted"
    assert all(t.time.microsecond == 0 for t in by_id.values())


def test_sanctioned_wallets_come_only_from_those_handed_in(world: World) -> None:
    given = {str(account) for account, _ in LISTED}
    hit = [s for s in world.schemes if s.kind is SchemeKind.SANCTIONED]
    assert len(hit) == 3, "a list's wallets on chains no exchange here offers are left out"
    assert all(given & set(scheme.accounts) for scheme in hit)
    without = generate(5, transfers=4_000, days=30, start=START)
    assert not [s for s in without.schemes if s.kind is SchemeKind.SANCTIONED]
    assert given.isdisjoint(without.table.accounts)


def test_amounts_are_exact_and_valued_at_the_rates(world: World) -> None:
    for transfer in list(world.transfers("de-vasp-1"))[:200]:
        assert transfer.amount is not None
        assert transfer.amount.quantity > 0
        assert transfer.value == transfer.amount.quantity * world.rates[str(transfer.amount.asset)]
        assert transfer.time.tzinfo is UTC


def test_rhythm_of_the_week(world: World) -> None:
    invoices = [t for t in world.transfers() if t.reference == "Invoice"]
    weekend = sum(t.time.weekday() >= 5 for t in invoices)
    assert weekend < 0.25 * len(invoices)


@pytest.mark.parametrize(
    ("seed", "transfers", "days"), [(1, 10, 60), (1, 4_000, 3), (-1, 4_000, 60), (1, 10**9, 60)]
)
def test_a_world_out_of_bounds_is_refused(seed: int, transfers: int, days: int) -> None:
    with pytest.raises(BadInput, match="no world of"):
        generate(seed, transfers=transfers, days=days, start=START)


def test_a_start_needs_its_offset() -> None:
    with pytest.raises(BadInput, match="offset"):
        generate(1, transfers=4_000, start=START.replace(tzinfo=None))


def test_an_fiu_holds_no_accounts(world: World) -> None:
    with pytest.raises(NotFound, match="sg-fiu"):
        next(world.transfers("sg-fiu"))


@pytest.mark.parametrize("seed", range(20, 26))
def test_the_smallest_world_has_room_for_every_scheme(seed: int) -> None:
    world = generate(seed, transfers=2_000, days=14, start=START, listed=LISTED)
    assert len(world.schemes) >= 24
    assert all(scheme.transfers and scheme.institutions for scheme in world.schemes)

"""What is planted shows each institution as little as it says, and no more schemes than there is room for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from comity import plugins
from comity.errors import BadInput
from comity.model import Transfer
from comity.training.book import Book
from comity.training.plant import Planter
from comity.training.population import populate
from comity.training.scheme import Scheme, SchemeKind
from comity.training.world import World, generate

START = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return generate(15, transfers=4_000, days=30, start=START)


@pytest.fixture(scope="module")
def by_id(world: World) -> dict[str, Transfer]:
    return {transfer.id: transfer for transfer in world.transfers()}


@pytest.fixture
def planter() -> Planter:
    rng = np.random.default_rng(4)
    return Planter(populate(4, rng, 2_000, []), Book(rng, START, 20))


def limit(typology: str, parameter: str) -> float:
    parameters = plugins.load("typologies", typology).SPEC.parameters
    return float(next(p.default for p in parameters if p.name == parameter))


def of_persons(scheme: Scheme) -> bool:
    return all("/" in subject for subject in scheme.subjects)


def test_mules_of_one_institution_are_too_few_for_an_alert_there(
    world: World, by_id: dict[str, Transfer]
) -> None:
    most = limit("fan_in", "min_senders")
    together = 0
    split = [s for s in world.schemes if s.kind is SchemeKind.FAN_IN and not of_persons(s)]
    for scheme in split:
        (target,) = scheme.subjects
        senders = [by_id[name] for name in scheme.transfers if str(by_id[name].beneficiary) == target]
        per_house = Counter(t.originator_institution for t in senders)
        assert max(per_house.values()) < most
        together += len(senders) >= most
    assert len(split) >= 5
    assert together >= 5


def test_some_schemes_are_below_watch_everywhere_and_some_seen_by_one_alone(
    world: World, by_id: dict[str, Transfer]
) -> None:
    most = limit("structuring", "min_count")
    per_house = [
        max(Counter(by_id[name].originator_institution for name in s.transfers).values())
        for s in world.schemes
        if s.kind is SchemeKind.STRUCTURING
    ]
    assert min(per_house) < most / 2
    assert sum(most / 2 <= count < most for count in per_house) >= 4
    assert max(per_house) >= most


def test_one_person_s_schemes_span_countries(world: World) -> None:
    held = {account: house for house, kept in world.customers.items() for account in kept}
    own = [s for s in world.schemes if len(s.subjects) == 1 and of_persons(s) and len(s.accounts) >= 3]
    own = [s for s in own if s.kind in (SchemeKind.STRUCTURING, SchemeKind.PASS_THROUGH)]
    assert len(own) >= 10
    for scheme in own:
        assert len({held[account][:2] for account in scheme.accounts}) >= 2
        assert len({held[account] for account in scheme.accounts}) == len(scheme.accounts)


def test_a_chain_moves_on_nearly_all_of_it_in_order(world: World, by_id: dict[str, Transfer]) -> None:
    for scheme in (s for s in world.schemes if s.kind is SchemeKind.PASS_THROUGH):
        path = sorted((by_id[name] for name in scheme.transfers), key=lambda t: t.time)
        for before, after in pairwise(path):
            assert before.beneficiary == after.originator
            assert before.value is not None
            assert after.value is not None
            assert 0.9 * float(before.value) < float(after.value) < float(before.value)


def test_a_cycle_returns_and_across_institutions_nobody_sees_all_of_it(
    world: World, by_id: dict[str, Transfer]
) -> None:
    for scheme in (s for s in world.schemes if s.kind is SchemeKind.CYCLE):
        path = sorted((by_id[name] for name in scheme.transfers), key=lambda t: t.time)
        assert path[0].originator == path[-1].beneficiary
        assert (path[-1].time - path[0].time).total_seconds() <= limit("cycle", "window") * 3600
        for house in scheme.institutions:
            sees = sum(house in (t.originator_institution, t.beneficiary_institution) for t in path)
            assert (sees == len(path)) == (len(scheme.institutions) == 1)


def test_a_world_without_room_says_so(planter: Planter) -> None:
    planter.mules["sg-bank"].clear()
    with pytest.raises(BadInput, match="too small"):
        planter.mule("sg-bank")
    planter.travellers.clear()
    with pytest.raises(BadInput, match="too small"):
        planter.traveller(2)


def test_nobody_is_taken_twice(planter: Planter) -> None:
    taken = [planter.mule("ae-bank") for _ in range(20)]
    assert len(set(taken)) == 20
    people = [planter.traveller(2)[0] for _ in range(20)]
    assert len(set(people)) == 20

"""Freezes: what an order must say, its states, and what is frozen when."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine

from comity.enforcement.freeze import STEPS, from_body, order, to_body
from comity.enforcement.register import FreezeRegister
from comity.enforcement.tables import metadata
from comity.errors import BadInput, ComityError, Conflict, NotFound
from comity.model import AccountId, Confidence, Measure, MeasureKind, MeasureState

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
WALLET = AccountId.parse("eip155:1:0x" + "a" * 40)
OTHER = AccountId.parse("iban:DE89370400440532013000")
GOOD = {
    "measure_id": "m1",
    "ordered_by": "fiu-sg",
    "served_on": "vasp-sg",
    "accounts": (WALLET, OTHER, WALLET),
    "legal_basis": "CDSA s. 47A",
    "confidence": Confidence.MEDIUM,
    "ordered": START,
    "duration": timedelta(hours=72),
    "grounds": "Proceeds of a ransom.",
}


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def register(clock: Clock) -> FreezeRegister:
    return FreezeRegister(clock)


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    with database.begin() as connection:
        metadata.create_all(connection)
        yield connection


def freeze(**changes) -> Measure:
    return order(**{**GOOD, **changes})


def test_an_order_computes_its_end():
    measure = freeze()
    assert measure.kind is MeasureKind.FREEZE
    assert measure.state is MeasureState.REQUESTED
    assert measure.until == START + timedelta(hours=72)
    assert measure.accounts == (WALLET, OTHER)
    assert measure.confidence == "med"
    assert freeze(duration=None).until is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"legal_basis": " "}, "legal_basis"),
        ({"confidence": ""}, "confidence"),
        ({"confidence": "sure"}, "sure"),
        ({"accounts": ()}, "0 accounts"),
        ({"accounts": (AccountId("bip122:000000000019d6689c085ae165831e93:tx-ab"),)}, "nobody"),
        ({"grounds": ""}, "grounds"),
        ({"ordered_by": ""}, "ordered_by"),
        ({"served_on": ""}, "served_on"),
        ({"measure_id": ""}, "id"),
        ({"duration": timedelta(0)}, "ends before"),
        ({"duration": timedelta(hours=-1)}, "ends before"),
    ],
)
def test_an_order_that_lacks_something_is_refused(changes, named):
    with pytest.raises(BadInput, match=named):
        freeze(**changes)


def test_a_body_comes_back_as_a_request():
    measure = replace(freeze(), state=MeasureState.IN_FORCE)
    assert from_body(to_body(measure)) == freeze()


@pytest.mark.parametrize(
    "change",
    [
        {"accounts": ["nonsense"]},
        {"accounts": []},
        {"kind": "notice"},
        {"legal_basis": ""},
        {"ordered": "yesterday"},
        {"ordered": "2026-03-01T09:00:00"},
        {"until": "2026-02-01T09:00:00Z"},
        {"state": "melted"},
    ],
)
def test_a_hostile_body_is_refused(change):
    with pytest.raises(BadInput):
        from_body({**to_body(freeze()), **change})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_whatever_a_peer_sends_is_a_freeze_or_bad_input(plain):
    with pytest.raises(BadInput):
        from_body(plain)


def test_from_request_to_expiry(register, connection, clock):
    register.request(connection, freeze(), by="Ann Lee")
    assert not register.is_frozen(connection, WALLET)
    clock.now += timedelta(hours=1)
    assert register.serve(connection, "m1", by="fiu-sg").state is MeasureState.SERVED
    assert register.is_frozen(connection, WALLET)
    assert register.is_frozen(connection, OTHER)
    assert not register.is_frozen(connection, AccountId.parse("eip155:1:0x" + "b" * 40))
    assert register.acknowledge(connection, "m1", by="vasp-sg").state is MeasureState.IN_FORCE
    assert [m.id for m in register.freezes_of(connection, OTHER)] == ["m1"]
    assert register.expire(connection, START + timedelta(hours=71)) == ()
    clock.now = START + timedelta(hours=72)
    assert not register.is_frozen(connection, WALLET), "over in law, whether or not anyone noted it"
    assert [m.state for m in register.expire(connection, clock.now)] == [MeasureState.EXPIRED]
    assert register.expire(connection, clock.now) == ()
    history = register.history(connection, "m1")
    assert [(t.state.value, t.by) for t in history] == [
        ("requested", "Ann Lee"),
        ("served", "fiu-sg"),
        ("in_force", "vasp-sg"),
        ("expired", "the law"),
    ]
    assert history[0].reason == "Proceeds of a ransom."
    assert history[1].at == START + timedelta(hours=1)


def test_saying_it_twice_has_one_effect(register, connection):
    for _ in range(2):
        register.request(connection, freeze(), by="Ann Lee")
    for _ in range(2):
        register.serve(connection, "m1", by="fiu-sg")
    for _ in range(2):
        register.acknowledge(connection, "m1", by="vasp-sg")
    assert register.serve(connection, "m1", by="fiu-sg").state is MeasureState.IN_FORCE
    assert register.request(connection, freeze(), by="Ann Lee").state is MeasureState.IN_FORCE
    for _ in range(2):
        register.lift(connection, "m1", by="Ann Lee", reason="The court said so.")
    assert len(register.history(connection, "m1")) == 4


def test_one_number_is_one_order(register, connection):
    register.request(connection, freeze(), by="Ann Lee")
    with pytest.raises(Conflict, match="other content"):
        register.request(connection, freeze(accounts=(OTHER,)), by="Ann Lee")


def test_a_refusal_and_a_lift_say_why(register, connection):
    register.request(connection, freeze(), by="Ann Lee")
    register.serve(connection, "m1", by="fiu-sg")
    with pytest.raises(BadInput):
        register.acknowledge(connection, "m1", by="vasp-sg", refused=True)
    with pytest.raises(BadInput):
        register.lift(connection, "m1", by="Ann Lee", reason=" ")
    refused = register.acknowledge(connection, "m1", by="vasp-sg", refused=True, reason="Not our client.")
    assert refused.state is MeasureState.REFUSED
    assert not register.is_frozen(connection, WALLET)


def test_every_step_names_who_took_it(register, connection):
    with pytest.raises(BadInput):
        register.request(connection, freeze(), by=" ")
    register.request(connection, freeze(), by="Ann Lee")
    with pytest.raises(BadInput):
        register.serve(connection, "m1", by="")


def test_without_an_end_it_does_not_expire(register, connection, clock):
    register.request(connection, freeze(duration=None), by="Ann Lee")
    register.serve(connection, "m1", by="fiu-sg")
    clock.now += timedelta(days=4000)
    assert register.expire(connection, clock.now) == ()
    assert register.is_frozen(connection, WALLET)


def test_what_is_not_there_is_not_found(register, connection):
    for step in (
        lambda: register.get(connection, "no"),
        lambda: register.serve(connection, "no", by="x"),
        lambda: register.history(connection, "no"),
    ):
        with pytest.raises(NotFound):
            step()


def test_freezes_are_listed(register, connection):
    register.request(connection, freeze(case_id="c1"), by="Ann Lee")
    register.request(connection, freeze(measure_id="m2", ordered=START + timedelta(hours=1)), by="Ann Lee")
    register.serve(connection, "m2", by="fiu-sg")
    assert [m.id for m in register.list_measures(connection)] == ["m2", "m1"]
    assert [m.id for m in register.list_measures(connection, MeasureState.SERVED)] == ["m2"]
    assert [m.id for m in register.list_measures(connection, case_id="c1")] == ["m1"]
    assert register.get(connection, "m2").state is MeasureState.SERVED


def test_a_step_on_what_has_changed_meanwhile_is_refused(register, connection, monkeypatch):
    register.request(connection, freeze(), by="Ann Lee")
    stale = register._row(connection, "m1")
    register.serve(connection, "m1", by="fiu-sg")
    monkeypatch.setattr(register, "_row", lambda *_: stale)
    with pytest.raises(Conflict, match="changed"):
        register.lift(connection, "m1", by="Ann Lee", reason="A mistake.")


def test_times_need_their_offset(register, connection):
    with pytest.raises(BadInput):
        register.expire(connection, datetime(2026, 3, 1))  # noqa: DTZ001 (that is the point)


STEP = st.sampled_from(["serve", "acknowledge", "refuse", "lift", "expire"])


@given(st.lists(STEP, max_size=8))
def test_no_order_of_steps_leaves_the_state_machine(steps):
    engine = create_engine("sqlite://")
    clock = Clock()
    register = FreezeRegister(clock)
    with engine.begin() as connection:
        metadata.create_all(connection)
        register.request(connection, freeze(), by="Ann Lee")
        calls = {
            "serve": lambda: register.serve(connection, "m1", by="a"),
            "acknowledge": lambda: register.acknowledge(connection, "m1", by="a"),
            "refuse": lambda: register.acknowledge(connection, "m1", by="a", refused=True, reason="No."),
            "lift": lambda: register.lift(connection, "m1", by="a", reason="No."),
            "expire": lambda: register.expire(connection, START + timedelta(days=9)),
        }
        for step in steps:
            before = register.get(connection, "m1")
            try:
                calls[step]()
            except ComityError:
                assert register.get(connection, "m1") == before
            after = register.get(connection, "m1").state
            assert after is before.state or after in STEPS[before.state]
            binds = after in {MeasureState.SERVED, MeasureState.IN_FORCE}
            assert register.is_frozen(connection, WALLET) == binds
        states = [t.state for t in register.history(connection, "m1")]
        assert states[0] is MeasureState.REQUESTED
        assert states[-1] is register.get(connection, "m1").state
        assert all(b in STEPS[a] for a, b in itertools.pairwise(states))
    engine.dispose()

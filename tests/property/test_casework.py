"""Whatever a case holds, it comes back as it went in; whatever the steps, its states stay in order."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from comity.casework.store import CaseStore
from comity.casework.tables import metadata
from comity.errors import ComityError
from comity.model import CaseState, Finding, FindingKind, Level, Verdict

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
WORDS = st.text(min_size=1, max_size=30)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FINDINGS = st.builds(
    Finding,
    id=st.uuids().map(str),
    kind=st.sampled_from(FindingKind),
    rule=WORDS,
    subject=WORDS,
    level=st.sampled_from(Level),
    score=st.floats(0, 1),
    reasons=st.lists(WORDS, max_size=3).map(tuple),
    evidence=st.lists(WORDS, max_size=3).map(tuple),
    source=WORDS,
    first=st.none() | TIMES,
    last=st.none() | TIMES,
    features=st.lists(st.tuples(WORDS, st.floats(-1e9, 1e9)), max_size=2).map(tuple),
)


def fresh():
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    numbers, seconds = itertools.count(1), itertools.count()
    store = CaseStore(lambda: START + timedelta(seconds=next(seconds)), lambda: f"id-{next(numbers)}")
    return engine, store


@given(st.lists(FINDINGS, min_size=1, max_size=5, unique_by=lambda f: f.id), WORDS.filter(str.strip))
def test_a_case_comes_back_as_it_went_in(findings, title):
    engine, store = fresh()
    with engine.begin() as connection:
        case = store.open_case(connection, title, (), findings, ())
        assert store.get(connection, case.id).findings == tuple(findings)
        assert set(store.list_findings(connection)) == set(findings)
        assert store.save_findings(connection, findings) == 0
    engine.dispose()


STEPS = st.sampled_from(["attach", "note", "report", "dismiss", "act", "close"])
ALLOWED = {
    CaseState.OPEN: {CaseState.OPEN, CaseState.DECIDED, CaseState.CLOSED},
    CaseState.DECIDED: {CaseState.OPEN, CaseState.DECIDED, CaseState.CLOSED},
    CaseState.CLOSED: {CaseState.CLOSED},
}


@given(st.lists(STEPS, max_size=10), st.data())
def test_no_order_of_steps_leaves_the_states(steps, data):
    engine, store = fresh()
    with engine.begin() as connection:
        case = store.open_case(connection, "A case", ("Ivan",), (), ())
        for step in steps:
            before = store.get(connection, case.id)
            calls = {
                "attach": lambda: store.attach(connection, case.id, findings=[data.draw(FINDINGS)]),
                "note": lambda: store.attach(connection, case.id, note="Seen."),
                "report": lambda: store.decide(connection, case.id, Verdict.REPORT, "Ann", "It fits."),
                "dismiss": lambda: store.decide(connection, case.id, Verdict.DISMISS, "Ann", "No."),
                "act": lambda: store.record_act(connection, case.id, "Filed"),
                "close": lambda: store.close(connection, case.id, "Ann"),
            }
            try:
                calls[step]()
            except ComityError:
                assert store.get(connection, case.id) == before
            after = store.get(connection, case.id)
            assert after.state in ALLOWED[before.state]
            assert after.decisions[: len(before.decisions)] == before.decisions, "decisions are never undone"
            if after.acts or after.state is CaseState.CLOSED:
                assert after.decisions, "nothing is done that no person decided"
    engine.dispose()

"""Laws of grading, and of worlds of any seed."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comity.model import AccountId
from comity.training.grade import Answer, Answers, assign, grade
from comity.training.scheme import Scheme, SchemeKind
from comity.training.world import generate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POOL = [f"acct:bank:{number}" for number in range(14)]
HONEST = "acct:bank:honest"

kinds = st.sampled_from(SchemeKind)
groups = st.frozensets(st.sampled_from(POOL), min_size=1, max_size=6)
truths = st.lists(st.tuples(kinds, groups), min_size=1, max_size=5)
guesses = st.lists(st.tuples(kinds, groups), max_size=5)


def as_truth(pairs: list[tuple[SchemeKind, frozenset[str]]]) -> tuple[Scheme, ...]:
    return tuple(
        Scheme(f"s-{n}", kind, "A story.", tuple(sorted(who)), (), (), (), (), NOON, NOON)
        for n, (kind, who) in enumerate(pairs)
    )


def as_answers(pairs: list[tuple[SchemeKind, frozenset[str]]]) -> Answers:
    return Answers(tuple(Answer(kind, tuple(map(AccountId, sorted(who)))) for kind, who in pairs))


@given(truths)
def test_the_perfect_answer_scores_all(truth: list[tuple[SchemeKind, frozenset[str]]]) -> None:
    got = grade(as_answers(truth), as_truth(truth))
    assert (got.score, got.precision, got.recall, got.missed) == (1.0, 1.0, 1.0, ())


@given(truths, guesses)
def test_scores_lie_between_none_and_all(
    truth: list[tuple[SchemeKind, frozenset[str]]], guess: list[tuple[SchemeKind, frozenset[str]]]
) -> None:
    got = grade(as_answers(guess), as_truth(truth))
    assert 0.0 <= got.score <= 1.0
    assert min(got.precision, got.recall) <= got.score <= max(got.precision, got.recall) or not guess
    named = [mark.scheme for mark in got.marks if mark.scheme]
    assert len(set(named)) == len(named)
    assert len(got.feedback) == len(guess) + len(got.missed)


@given(truths, guesses, st.data())
def test_naming_an_honest_account_more_never_raises_the_score(
    truth: list[tuple[SchemeKind, frozenset[str]]],
    guess: list[tuple[SchemeKind, frozenset[str]]],
    data: st.DataObject,
) -> None:
    assume(guess)
    place = data.draw(st.integers(0, len(guess) - 1))
    more = [(k, who | {HONEST}) if n == place else (k, who) for n, (k, who) in enumerate(guess)]
    before, after = (grade(as_answers(g), as_truth(truth)).score for g in (guess, more))
    assert after <= before


@given(truths, guesses, kinds)
def test_naming_a_scheme_of_honest_accounts_never_raises_the_score(
    truth: list[tuple[SchemeKind, frozenset[str]]],
    guess: list[tuple[SchemeKind, frozenset[str]]],
    kind: SchemeKind,
) -> None:
    before = grade(as_answers(guess), as_truth(truth)).score
    assert grade(as_answers([*guess, (kind, frozenset({HONEST}))]), as_truth(truth)).score <= before


@given(truths, guesses, st.randoms())
def test_order_does_not_matter(
    truth: list[tuple[SchemeKind, frozenset[str]]],
    guess: list[tuple[SchemeKind, frozenset[str]]],
    random: object,
) -> None:
    mixed_truth, mixed_guess = list(as_truth(truth)), list(guess)
    random.shuffle(mixed_truth)  # type: ignore[attr-defined]
    random.shuffle(mixed_guess)  # type: ignore[attr-defined]
    assert grade(as_answers(mixed_guess), mixed_truth) == grade(as_answers(guess), as_truth(truth))


@given(
    st.integers(1, 4).flatmap(
        lambda rows: st.lists(
            st.lists(st.fractions(0, 1, max_denominator=12), min_size=4, max_size=4),
            min_size=rows,
            max_size=rows,
        )
    )
)
def test_no_assignment_is_better(worth: list[list[Fraction]]) -> None:
    found = assign(worth)
    assert len(set(found)) == len(worth)
    best = max(sum(worth[r][c] for r, c in enumerate(cs)) for cs in permutations(range(4), len(worth)))
    assert sum(worth[r][c] for r, c in enumerate(found)) == best


@settings(max_examples=6)
@given(st.integers(0, 2**63 - 1), st.integers(14, 40))
def test_a_world_of_any_seed_holds_together(seed: int, days: int) -> None:
    world = generate(seed, transfers=2_000, days=days, start=NOON)
    table = world.table
    assert len(table) >= 2_000
    assert len(set(table.ids)) == len(table)
    assert (table.time[1:] >= table.time[:-1]).all()
    assert (table.amount > 0).all()
    assert (table.src != table.dst).all()
    assert len(world.schemes) >= 24
    known = set(table.ids)
    assert all(set(scheme.transfers) <= known for scheme in world.schemes)

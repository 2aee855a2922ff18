"""Grading: who was named, of which scheme, and what that is worth."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from itertools import permutations

import pytest

from comity.errors import BadInput
from comity.model import AccountId
from comity.training.grade import MOST_SCHEMES, Answer, Answers, assign, grade, read_answers
from comity.training.scheme import Scheme, SchemeKind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def account(name: str) -> str:
    return f"acct:bank:{name}"


def scheme(name: str, kind: SchemeKind, accounts: str) -> Scheme:
    ids = tuple(account(one) for one in accounts)
    return Scheme(name, kind, f"The story of {name}.", ids, (), ("t1",), ("bank",), ("SG",), NOON, NOON)


def answer(kind: SchemeKind, accounts: str) -> Answer:
    return Answer(kind, tuple(AccountId(account(one)) for one in accounts))


TRUTH = (
    scheme("fan-in-01", SchemeKind.FAN_IN, "abcd"),
    scheme("cycle-01", SchemeKind.CYCLE, "xyz"),
)


def test_all_right() -> None:
    got = grade(Answers((answer(SchemeKind.CYCLE, "zyx"), answer(SchemeKind.FAN_IN, "abcd"))), TRUTH)
    assert (got.score, got.precision, got.recall, got.missed) == (1.0, 1.0, 1.0, ())
    assert all(mark.kind_right and mark.f1 == 1.0 for mark in got.marks)


def test_half_of_one_and_the_wrong_kind() -> None:
    got = grade(Answers((answer(SchemeKind.STRUCTURING, "abQR"),)), TRUTH)
    (mark,) = got.marks
    assert (mark.scheme, mark.kind_right) == ("fan-in-01", False)
    assert (mark.precision, mark.recall, mark.f1, mark.score) == (0.5, 0.5, 0.5, 0.25)
    assert got.score == pytest.approx(2 * 0.25 / 3)
    assert got.missed == ("cycle-01",)
    assert "You named 2 of its 4 accounts, and 2 that are not part of it." in got.feedback[0]
    assert "It is fan_in, not structuring" in got.feedback[0]
    assert got.feedback[1].startswith("Not named: cycle-01")


def test_an_innocent_named_fits_no_scheme() -> None:
    got = grade(Answers((answer(SchemeKind.FAN_IN, "M"),)), TRUTH)
    assert got.marks[0].scheme == ""
    assert got.score == 0.0
    assert "honest" in got.feedback[0]
    assert got.missed == ("cycle-01", "fan-in-01")


def test_more_answers_than_schemes_cost() -> None:
    right = (answer(SchemeKind.CYCLE, "zyx"), answer(SchemeKind.FAN_IN, "abcd"))
    got = grade(Answers((*right, answer(SchemeKind.FAN_IN, "M"))), TRUTH)
    assert got.score == pytest.approx(4 / 5)
    assert (got.precision, got.recall) == (pytest.approx(2 / 3), 1.0)


def test_nothing_named() -> None:
    got = grade(Answers(()), TRUTH)
    assert (got.score, got.precision, got.recall) == (0.0, 0.0, 0.0)
    assert len(got.feedback) == 2


def test_an_account_named_twice_counts_once() -> None:
    once = grade(Answers((answer(SchemeKind.FAN_IN, "ab"),)), TRUTH)
    assert grade(Answers((answer(SchemeKind.FAN_IN, "aabb"),)), TRUTH) == once


@pytest.mark.parametrize(
    "worth",
    [
        [[3, 1], [2, 9]],
        [[5, 4, 0], [4, 0, 0], [3, 2, 1]],
        [[0, 0, 0, 7], [0, 1, 0, 8]],
        [[1, 2, 3], [2, 4, 6], [3, 6, 9]],
    ],
)
def test_the_assignment_is_the_best_of_all(worth: list[list[int]]) -> None:
    rows = [[Fraction(value, 3) for value in row] for row in worth]
    found = assign(rows)
    assert len(set(found)) == len(found)
    best = max(
        sum(rows[row][column] for row, column in enumerate(columns))
        for columns in permutations(range(len(rows[0])), len(rows))
    )
    assert sum(rows[row][column] for row, column in enumerate(found)) == best


def test_answers_are_read() -> None:
    data = json.dumps({"schemes": [{"kind": "fan_in", "accounts": [account("a")]}]}).encode()
    assert read_answers(data) == Answers((answer(SchemeKind.FAN_IN, "a"),))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b'{"schemes": 7}',
        b'{"schemes": [{"kind": "magic", "accounts": ["acct:bank:a"]}]}',
        b'{"schemes": [{"kind": "fan_in", "accounts": "acct:bank:a"}]}',
        b'{"schemes": [{"kind": "fan_in", "accounts": ["nobody"]}]}',
        b'{"schemes": [{"kind": "fan_in", "accounts": []}]}',
        b'{"schemes": [{"kind": "fan_in"}]}',
        b'{"schemes": ' + b"[" * 2000 + b"]" * 2000 + b"}",
        json.dumps({"schemes": [{"kind": "cycle", "accounts": ["acct:b:a"]}] * (MOST_SCHEMES + 1)}).encode(),
    ],
)
def test_hostile_answers_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        read_answers(data)


def test_no_truth_is_refused() -> None:
    with pytest.raises(BadInput, match="no truth"):
        grade(Answers(()), ())
    with pytest.raises(BadInput, match="no truth"):
        grade(Answers(()), (scheme("empty", SchemeKind.CYCLE, ""),))

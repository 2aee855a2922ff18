"""Matching reveals the intersection and a bucket, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.cooperation.match import Client, Server
from comity.errors import BadInput

keys = st.sets(
    st.integers(0, 150).map(lambda i: f"wallet|eip155:1:0x{i:x}") | st.text(min_size=1, max_size=20),
    max_size=90,
)


@settings(max_examples=25)
@given(keys, keys)
def test_the_output_is_the_intersection(ours: set[str], theirs: set[str]) -> None:
    client = Client()
    assert client.intersection(Server().answer(client.offer(ours), theirs)) == sorted(ours & theirs)


@settings(max_examples=15)
@given(st.integers(0, 64), st.integers(0, 64), st.integers(65, 128))
def test_only_the_bucket_of_a_size_shows(some: int, others: int, more: int) -> None:
    def sizes(ours: int, theirs: int) -> tuple[int, int]:
        request = Client().offer(f"k{i}" for i in range(ours))
        return len(request), len(Server().answer(request, (f"k{i}" for i in range(theirs))))

    assert sizes(some, others) == sizes(others, some) == sizes(64, 0)
    assert sizes(more, some) == sizes(128, others) != sizes(some, others)


REQUEST = Client().offer(["a", "b"])
CLIENT = Client()
ANSWER = Server().answer(CLIENT.offer(["a", "b"]), ["b", "c"])


@settings(max_examples=150)
@given(st.integers(0, len(REQUEST) - 1), st.binary(min_size=1, max_size=40))
def test_a_hostile_offer_is_an_error_or_an_answer(place: int, junk: bytes) -> None:
    try:
        Server().answer(REQUEST[:place] + junk + REQUEST[place + len(junk) :], ["b"])
    except BadInput as error:
        assert error.what


@settings(max_examples=150)
@given(st.integers(0, len(ANSWER) - 1), st.binary(min_size=1, max_size=40))
def test_a_hostile_answer_never_adds_a_key(place: int, junk: bytes) -> None:
    try:
        found = CLIENT.intersection(ANSWER[:place] + junk + ANSWER[place + len(junk) :])
    except BadInput:
        return
    assert set(found) <= {"b"}


@given(st.binary(max_size=200))
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        Server().answer(data, [])
    with pytest.raises(BadInput):
        CLIENT.intersection(data)

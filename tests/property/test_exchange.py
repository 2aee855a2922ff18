"""Envelopes: whatever goes in comes out, and whatever is changed is refused."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import BadInput, Unverified
from comity.exchange import envelope, keys
from comity.exchange.directory import Directory
from comity.model import Handling, Institution, Message, MessageKind, OnwardUse, Role

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DE, FR = (keys.generate(name, NOW, entropy=random.Random(name).randbytes) for name in ("fiu-de", "fiu-fr"))
DIRECTORY = Directory(
    tuple(
        ring.member(
            Institution(ring.member_id, "FIU", Role.FIU, ("de",)),
            "https://127.0.0.1",
            NOW - timedelta(days=1),
            NOW + timedelta(days=9),
        )
        for ring in (DE, FR)
    )
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
messages = st.builds(
    Message,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    kind=st.sampled_from(MessageKind),
    sender=st.just("fiu-de"),
    recipient=st.just("fiu-fr"),
    conversation=st.just("c-1"),
    created=st.just(NOW),
    expires=st.timedeltas(timedelta(seconds=1), timedelta(days=366)).map(lambda life: NOW + life),
    handling=st.builds(
        Handling,
        purpose=texts,
        onward_use=st.sampled_from(OnwardUse),
        caveats=st.lists(texts, max_size=3).map(tuple),
    ),
    body=st.dictionaries(texts, plain, max_size=5),
)
SEALED = envelope.seal(
    Message("m", MessageKind.REPLY, "fiu-de", "fiu-fr", "c", NOW, NOW + timedelta(days=1), Handling("p")),
    DE,
    DIRECTORY.member("fiu-fr"),
)


@given(messages)
def test_what_is_sealed_is_what_is_opened(message: Message) -> None:
    sealed = envelope.seal(message, DE, DIRECTORY.member("fiu-fr"))
    assert envelope.unseal(sealed, FR, DIRECTORY, NOW) == message


@settings(max_examples=300)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= change
    with pytest.raises((Unverified, BadInput)):
        envelope.unseal(bytes(changed), FR, DIRECTORY, NOW)


@given(st.integers(0, len(SEALED) - 1), st.binary(max_size=30))
def test_cut_or_lengthened_is_refused(place: int, tail: bytes) -> None:
    for changed in (SEALED[:place] + tail, SEALED + tail + b"x"):
        with pytest.raises((Unverified, BadInput)):
            envelope.unseal(changed, FR, DIRECTORY, NOW)


@given(st.binary(max_size=4000))
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises((Unverified, BadInput)):
        envelope.unseal(data, FR, DIRECTORY, NOW)
    with pytest.raises(BadInput):
        Directory.from_json(data)

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.commons.commons import Commons, Root, add_signatures, load, publish
from comity.errors import BadInput, Unverified

A, B, C, D = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in range(1, 5))


def root(version: int, threshold: int, *keys: Ed25519PrivateKey) -> Root:
    return Root(version, tuple(key.public_key().public_bytes_raw().hex() for key in keys), threshold)


OLD = root(1, 2, A, B, C)
LAW = b"jurisdiction: eu\n"


@pytest.fixture
def commons(now: datetime) -> Commons:
    return Commons(
        version=3,
        issued=now - timedelta(days=1),
        expires=now + timedelta(days=30),
        root=OLD,
        directory={"members": []},
        digests={"eu.yaml": hashlib.sha256(LAW).hexdigest()},
        roles={"eu.yaml": ("eu-amla",)},
    )


def test_what_is_published_is_what_is_loaded(commons: Commons, now: datetime) -> None:
    for signers in ([A, B], [A, C], [C, B, A]):
        assert load(publish(commons, signers), OLD, now, seen=3) == commons


def test_signatures_are_gathered_from_different_hands(commons: Commons, now: datetime) -> None:
    first = publish(commons, [A])
    with pytest.raises(Unverified) as error:
        load(first, OLD, now)
    assert "1 of the 2" in error.value.why
    assert load(add_signatures(first, [C]), OLD, now) == commons


def test_strangers_and_repetitions_do_not_count(commons: Commons, now: datetime) -> None:
    for bundle in (publish(commons, [A, A]), publish(commons, [A, D]), publish(commons, [])):
        with pytest.raises(Unverified):
            load(bundle, OLD, now)


def test_changed_after_signing(commons: Commons, now: datetime) -> None:
    bundle = publish(commons, [A, B])
    payload = base64.b64encode(b"x").decode()
    cut = bundle.index(b'"payload":"') + 11
    for changed in (
        bundle[:cut] + payload.encode() + bundle[bundle.index(b'"', cut) :],
        bundle.replace(b'"payload":"', b'"payload":"AAAA'),
    ):
        with pytest.raises(Unverified):
            load(changed, OLD, now)
    for rubbish in (b"", b"{}", bundle.replace(b'"payload":"', b'"payload":"*')):
        with pytest.raises(BadInput):
            load(rubbish, OLD, now)


def test_rollback_and_staleness(commons: Commons, now: datetime) -> None:
    bundle = publish(commons, [A, B])
    with pytest.raises(Unverified) as error:
        load(bundle, OLD, now, seen=4)
    assert "version 4 was seen" in error.value.why
    with pytest.raises(Unverified) as error:
        load(bundle, OLD, now + timedelta(days=30))
    assert "expired" in error.value.why
    with pytest.raises(Unverified):
        load(publish(replace(commons, version=0), [A, B]), OLD, now)
    with pytest.raises(Unverified):
        load(publish(replace(commons, issued=commons.issued.replace(tzinfo=None)), [A, B]), OLD, now)


def test_a_new_root_needs_the_old_and_itself(commons: Commons, now: datetime) -> None:
    renewed = replace(commons, root=root(2, 2, C, D))
    assert load(publish(renewed, [A, C, D]), OLD, now).root == renewed.root
    for signers in ([C, D], [A, B], [A, B, D]):
        with pytest.raises(Unverified):
            load(publish(renewed, signers), OLD, now)
    for version in (1, 3):
        with pytest.raises(Unverified) as error:
            load(publish(replace(commons, root=root(version, 2, C, D)), [A, B, C, D]), OLD, now)
        assert "its root is version" in error.value.why


def test_roots_that_make_no_sense() -> None:
    for threshold in (0, 3):
        with pytest.raises(BadInput, match="cannot be met"):
            root(1, threshold, A, B)
    with pytest.raises(BadInput, match="cannot be met"):
        root(1, 2, A, A)
    with pytest.raises(BadInput, match="cannot be met"):
        root(0, 1, A)
    for key in ("zz", "00"):
        with pytest.raises(BadInput, match="Ed25519"):
            Root(1, (key,), 1)


def test_documents_are_held_against_their_digests(commons: Commons) -> None:
    commons.check_document("eu.yaml", LAW)
    with pytest.raises(Unverified, match=r"eu\.yaml"):
        commons.check_document("eu.yaml", LAW + b" ")
    with pytest.raises(Unverified):
        commons.check_document("us.yaml", LAW)

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import private_set_intersection.python as psi
import pytest

from comity.cooperation import match
from comity.cooperation.match import Client, Server
from comity.errors import BadInput, Conflict, TooLarge

OURS = [f"wallet|eip155:1:0x{i:040x}" for i in range(70)]
THEIRS = [f"wallet|eip155:1:0x{i:040x}" for i in range(60, 100)]
BOTH = OURS[60:]
OFFER, ANSWER = b"comity match offer 1\n", b"comity match answer 1\n"


def split(answer: bytes) -> tuple[bytes, bytes]:
    body = answer.removeprefix(ANSWER)
    (length,) = struct.unpack(">I", body[:4])
    return body[4 : 4 + length], body[4 + length :]


def joined(setup: bytes, response: bytes) -> bytes:
    return ANSWER + struct.pack(">I", len(setup)) + setup + response


def test_the_client_learns_the_intersection() -> None:
    client = Client()
    request = client.offer([*OURS, OURS[0]])
    assert match.offered(request) == 128
    assert client.intersection(Server().answer(request, THEIRS)) == BOTH


def test_nobody_is_a_set_too() -> None:
    client = Client()
    assert client.intersection(Server().answer(client.offer([]), THEIRS)) == []
    client = Client()
    assert client.intersection(Server().answer(client.offer(OURS), [])) == []


def test_a_client_survives_a_restart() -> None:
    client = Client()
    request = client.offer(OURS)
    again = Client.restore(client.save())
    assert again.intersection(Server().answer(request, THEIRS)) == BOTH
    with pytest.raises(Conflict):
        again.offer(OURS)
    for wrong in (
        b"{}",
        b'{"elements":[],"keys":[],"secret":"zz"}',
        b'{"elements":[],"keys":[],"secret":""}',
        b"[",
    ):
        with pytest.raises(BadInput):
            Client.restore(wrong)


def test_order_says_nothing_and_entropy_decides_it() -> None:
    orders = []
    for seed in (1, 1, 2):
        client = Client(random.Random(seed).randbytes)
        client.offer(OURS)
        orders.append(list(client._elements))
    assert orders[0] == orders[1] != orders[2]
    assert [element for element in orders[0] if element in OURS] != OURS
    assert len(orders[0]) == 128


def test_an_offer_is_made_once_and_first() -> None:
    client = Client()
    with pytest.raises(Conflict, match="no offer"):
        client.intersection(b"")
    client.offer(OURS)
    with pytest.raises(Conflict, match="has made"):
        client.offer(OURS)


def test_bounds() -> None:
    assert [match.bucket(n) for n in (0, 1, 64, 65, 128, 129, 65536)] == [64, 64, 64, 128, 128, 256, 65536]
    with pytest.raises(TooLarge, match="65,537 keys"):
        match.bucket(65537)
    with pytest.raises(TooLarge):
        Server().answer(OFFER + bytes(match.MAX_KEYS * 36), [])
    for wrong in ("", "x" * 513):
        with pytest.raises(BadInput):
            Client().offer([wrong])


def request(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    held = psi.Request()
    held.ParseFromString(Client().offer(OURS).removeprefix(OFFER))
    points = change(list(held.encrypted_elements))
    return OFFER + psi.Request(reveal_intersection=True, encrypted_elements=points).SerializeToString()


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"rubbish",
        OFFER,
        OFFER + b"\xff\xff\xff\xff",
        request(lambda points: points[:-1]),
        request(lambda points: [b"\x00", *points[1:]]),
        request(lambda points: [b"", *points[1:]]),
        request(lambda points: [bytes(33), *points[1:]]),
        request(lambda points: [b"\x02" + b"\xff" * 32, *points[1:]]),
        request(lambda points: [points[0] + b"\x00", *points[1:]]),
        request(lambda points: points).replace(b"\x08\x01", b"\x08\x00", 1),
    ],
)
def test_hostile_offers(hostile: bytes) -> None:
    with pytest.raises(BadInput):
        Server().answer(hostile, THEIRS)


def raw(points: list[bytes]) -> bytes:
    return bytes(psi.ServerSetup(raw=psi.ServerSetup.RawInfo(encrypted_elements=points)).SerializeToString())


GCS = psi.ServerSetup(gcs=psi.ServerSetup.GCSInfo(div=-1, hash_range=2**62, bits=b"x")).SerializeToString()
BLOOM = psi.ServerSetup(
    bloom_filter=psi.ServerSetup.BloomFilterInfo(num_hash_functions=-1, bits=b"")
).SerializeToString()


@pytest.mark.parametrize(
    "change",
    [
        lambda setup, response: b"",
        lambda setup, response: ANSWER + b"\x00",
        lambda setup, response: joined(b"", response),
        lambda setup, response: joined(GCS, response),
        lambda setup, response: joined(BLOOM, response),
        lambda setup, response: joined(raw([]), response),
        lambda setup, response: joined(raw([bytes(33)] * 64), response),
        lambda setup, response: joined(setup, b""),
        lambda setup, response: joined(setup, response + response),
        lambda setup, response: joined(setup, response[:-35]),
        lambda setup, response: joined(setup, response[:-32] + b"\xff" * 32),
        lambda setup, response: joined(setup, b"\xff" + response),
        lambda setup, response: joined(setup, response)[: len(ANSWER) + 8],
    ],
)
def test_hostile_answers(change: Callable[[bytes, bytes], bytes]) -> None:
    client = Client()
    answer = Server().answer(client.offer(OURS), THEIRS)
    with pytest.raises(BadInput):
        client.intersection(change(*split(answer)))
    assert client.intersection(answer) == BOTH, "a bad answer does not spoil the offer"

"""Exact match by private set intersection: what it costs, beside the exchange of salted hashes it replaces.

Nothing is claimed. Salted hashes are cheaper by far, and leak: both sides know the salt, so who receives them
can try every identifier there is (all IBANs of a bank, all passport numbers of a country) and learns the
other's whole list, not only what both hold. Private set intersection shows the intersection and nothing else.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version

from bench import Row
from bench._measure import both
from comity.cooperation.match import Client, Server

CLAIM = "Two sides learn which subjects both know, and neither learns anything else."
GOAL = None

_CLIENT, _SERVER, _SHARED = 1_000, 10_000, 50


def _keys(first: int, count: int) -> list[str]:
    return [f"passport|DE|C{number:08}" for number in range(first, first + count)]


def _match(mine: list[str], yours: list[str]) -> tuple[list[str], int]:
    client = Client()
    offer = client.offer(mine)
    answer = Server().answer(offer, yours)
    return client.intersection(answer), len(offer) + len(answer)


def _salted(mine: list[str], yours: list[str]) -> tuple[list[str], int]:
    salt = os.urandom(16)

    def digests(keys: list[str]) -> dict[bytes, str]:
        return {hashlib.sha256(salt + key.encode()).digest(): key for key in keys}

    client, server = digests(mine), digests(yours)
    return sorted(client[digest] for digest in client.keys() & server.keys()), 16 + 32 * len(server)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    count, held = max(10, round(_CLIENT * scale)), max(20, round(_SERVER * scale))
    shared = min(_SHARED, count // 2)
    mine, yours = _keys(0, count), _keys(count - shared, held)
    ours, theirs = both(lambda: _match(mine, yours), lambda: _salted(mine, yours))
    (found, size), (expected, plain_size) = ours.answer, theirs.answer
    assert found == expected == sorted(mine[-shared:])
    work = f"{count:,} subjects against {held:,}, {shared} in common; both sides"
    peer = "salted SHA-256: leaks the server's whole list to whoever tries all identifiers"
    library = f"openmined-psi {version('openmined-psi')}; numbers padded to powers of two"
    return [
        Row(work, ours.best, theirs.best, peer, once=ours.once, note=library),
        Row(work, size, plain_size, peer, unit="bytes"),
    ]

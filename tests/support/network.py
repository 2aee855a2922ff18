"""A small network in one process: real nodes, real envelopes, a transport that is a function call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity import codec
from comity.commons import commons
from comity.commons.commons import Commons, Root
from comity.exchange.directory import Directory
from comity.model import Role
from comity.node.node import Node
from comity.node.receiving import process_inbox, receive
from comity.node.settings import Settings

RATES = ("EUR=1.08", "SGD=0.74", "AED=0.27", "GBP=1.27")
LOCAL = {"SG": "SGD", "DE": "EUR", "US": "USD", "AE": "AED"}


def settings(home: Path, name: str, **given: object) -> Settings:
    """Settings of a node called like ``sg-fiu`` or ``de-vasp-1``."""
    country, role = name.upper().split("-")[0], name.split("-")[1]
    return Settings(
        home=home / name,
        id=name,
        name=f"The {name}",
        role=Role(role).value,
        jurisdictions=(country,),
        local_currency=LOCAL[country],
        rates=RATES,
        rates_from="made up for the tests",
        officer_first_name="Ada",
        officer_last_name="Officer",
        officer_phone="+15550100",
        officer_email="ada@example.org",
        bic="TESTDEFFXXX" if role == "bank" else "",
        **given,  # type: ignore[arg-type]
    )


class Office:
    """Who signs the commons: two of its three keys must."""

    def __init__(self, version: int = 1) -> None:
        self._keys = [Ed25519PrivateKey.generate() for _ in range(3)]
        public = (key.public_key().public_bytes_raw().hex() for key in self._keys)
        self._root = Root(version, tuple(public), 2)

    def rotated(self) -> Office:
        """The office that comes after this one, with keys of its own."""
        return Office(self._root.version + 1)

    @property
    def root(self) -> bytes:
        return codec.to_json(self._root)

    def bundle(
        self,
        nodes: Sequence[Node],
        now: datetime,
        version: int = 1,
        *,
        days: int = 90,
        signers: int = 2,
        digests: Mapping[str, str] | None = None,
        also: Office | None = None,
    ) -> bytes:
        """The signed commons of these nodes, signed by another office ``also`` where the root changes."""
        members = json.loads(Directory(tuple(node.entry() for node in nodes)).to_json())
        expires = now + timedelta(days=days)
        signed = Commons(version, now, expires, self._root, members, dict(digests or {}), roles={})
        others = also._keys if also else []
        return commons.publish(signed, [*self._keys[:signers], *others])


def found(nodes: Sequence[Node], now: datetime) -> tuple[bytes, bytes]:
    """The root and the signed commons of these nodes."""
    office = Office()
    return office.root, office.bundle(nodes, now)


def network(home: Path, names: Sequence[str], clock: Callable[[], datetime]) -> dict[str, Node]:
    """Nodes of these names that have joined one network."""
    nodes = {name: Node.create(settings(home, name), clock=clock) for name in names}
    root, bundle = found(list(nodes.values()), clock())
    for node in nodes.values():
        node.join(root, bundle)
    return nodes


def settle(nodes: dict[str, Node], rounds: int = 20) -> int:
    """Deliver and process until nothing moves; how many messages were delivered."""
    moved = 0
    for _ in range(rounds):
        busy = False
        for node in nodes.values():
            with node.act() as conn:
                due = node.mailbox.due(conn, node.clock())
            for item in due:
                peer = nodes[item.message.recipient]
                certificate = peer.directory.member(node.settings.id).tls_fingerprint
                receipt = receive(peer, item.sealed, certificate)
                with node.act() as conn:
                    node.mailbox.delivered(conn, item.message.id, receipt, node.directory)
                moved, busy = moved + 1, True
        for node in nodes.values():
            busy = process_inbox(node) > 0 or busy
        if not busy:
            return moved
    raise AssertionError("the network does not come to rest")

"""Sixteen nodes that agree: their settings and keys, and the commons that four countries sign."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity import codec
from comity.app.demo.place import Place
from comity.commons import commons
from comity.commons.commons import Commons, Root
from comity.exchange.directory import Directory
from comity.model import AssetId, Institution
from comity.node.node import Node
from comity.node.settings import Settings
from comity.training.world import World

COUNTRIES = ("SG", "DE", "US", "AE")
CURRENCY = {"SG": "SGD", "DE": "EUR", "US": "USD", "AE": "AED"}
FORMATS = {"SG": "goaml", "DE": "goaml", "US": "fincen_sar", "AE": "goaml"}
"""The report format of each country. Singapore publishes no schema of its own: goAML stands in for it."""
OFFICER = ("Demo", "Analyst")
THRESHOLD = 3
VALID = timedelta(days=90)
_POUND = "GBP=1.27"


@contextmanager
def reserved(count: int) -> Iterator[list[int]]:
    """Free ports of the loopback interface, kept from everybody who has not been told of them.

    A socket that is bound but does not listen keeps the system from giving its port to another, and
    (SO_REUSEADDR on both) does not keep a node from listening there.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        yield [int(each.getsockname()[1]) for each in sockets]


def create(place: Place, world: World, ports: Sequence[int]) -> dict[str, Path]:
    """Make a node for every institution, sign the commons, and let all join; the homes by node id."""
    pairs = zip(ports[::2], ports[1::2], strict=True)
    nodes = [
        Node.create(_settings(place.nodes / each.id, each, world, *pair))
        for each, pair in zip(world.institutions, pairs, strict=True)
    ]
    root, bundle = _sign(nodes, datetime.now(UTC))
    (place.root / "root.json").write_bytes(root)
    (place.root / "commons.json").write_bytes(bundle)
    for node in nodes:
        node.join(root, bundle)
        node.close()
    return {node.settings.id: node.settings.home for node in nodes}


def _settings(home: Path, who: Institution, world: World, peer_port: int, operator_port: int) -> Settings:
    country = who.jurisdictions[0]
    first, last = OFFICER
    return Settings(
        home=home,
        id=who.id,
        name=who.name,
        role=who.role.value,
        jurisdictions=who.jurisdictions,
        lei=who.lei,
        bic=who.bic,
        peer_port=peer_port,
        operator_port=operator_port,
        local_currency=CURRENCY[country],
        rates=(*rates(world), _POUND),
        rates_from="the training world's own; made up",
        officer_first_name=first,
        officer_last_name=last,
        officer_phone="+15550100",
        officer_email=f"analyst@{who.id}.example",
    )


def rates(world: World) -> list[str]:
    """The world's currencies as settings have them."""
    found = ((AssetId.parse(name).currency, rate) for name, rate in world.rates.items())
    return [f"{currency}={rate}" for currency, rate in found if currency]


def _sign(nodes: Sequence[Node], now: datetime) -> tuple[bytes, bytes]:
    """The root of trust and the bundle, signed by three of the four countries' keys."""
    keys = [Ed25519PrivateKey.generate() for _ in COUNTRIES]
    root = Root(1, tuple(key.public_key().public_bytes_raw().hex() for key in keys), THRESHOLD)
    directory = json.loads(Directory(tuple(node.entry() for node in nodes)).to_json())
    fiu = {
        node.institution.jurisdictions[0]: node.settings.id
        for node in nodes
        if node.institution.role == "fiu"
    }
    documents = _law()
    answers: dict[str, tuple[str, ...]] = {
        name: (fiu[code],) for name in documents if (code := name[:2].upper()) in fiu
    }
    agreed = Commons(1, now, now + VALID, root, directory, documents, answers)
    bundle = commons.publish(agreed, keys[:1])  # keys are in different hands: each country adds its own
    for key in keys[1:THRESHOLD]:
        bundle = commons.add_signatures(bundle, [key])
    return codec.to_json(root), bundle


def _law() -> dict[str, str]:
    """The digests of the law files that ship, and of the vocabulary they answer."""
    found = [
        each for each in resources.files("comity.jurisdictions").iterdir() if each.name.endswith(".yaml")
    ]
    found.append(resources.files("comity.standard").joinpath("vocabulary.yaml"))
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in found}

"""Real processes, real ports, real certificates: what a peer, a stranger and an operator may do."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from comity.exchange import bodies, envelope
from comity.exchange import keys as exchange_keys
from comity.exchange.receipts import verify as verify_receipt
from comity.model import Handling, Message, MessageKind
from comity.node.node import Node
from comity.node.sending import LIFETIME

pytestmark = pytest.mark.processes

NAMES = ("de-fiu", "sg-fiu", "de-vasp-1")


def _processes() -> ModuleType:
    known = "comity_support_processes"
    if known not in sys.modules:
        path = Path(__file__).parents[1] / "support" / "processes.py"
        spec = importlib.util.spec_from_file_location(known, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


processes = _processes()
Net = Mapping[str, Any]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    with processes.running(tmp_path_factory.mktemp("nodes"), NAMES) as made:
        yield made


def context(
    net: Net, to: str, identity: Path | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> Any:
    """What a client of the node ``to`` needs, showing the certificate in ``identity``, if any."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.maximum_version = version
    made.load_verify_locations(net[to].paths.tls_certificate)
    if identity:
        made.load_cert_chain(identity / "tls-certificate.pem", identity / "tls-key.pem")
    return made


def peer(net: Net, to: str, identity: Path | None) -> httpx.Client:
    return httpx.Client(
        base_url=net[to].settings.peer_url, verify=context(net, to, identity), trust_env=False, timeout=10
    )


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of somebody who is no member, under a member's name."""
    folder = tmp_path_factory.mktemp("stranger") / "keys"
    made = exchange_keys.generate("de-fiu", datetime.now(UTC), hosts=["127.0.0.1"])
    exchange_keys.save(made, folder)
    return folder


def sealed_by(net: Net, sender: str, to: str) -> tuple[bytes, Message]:
    """A disclosure from one member to another, ready to be delivered."""
    node = net[sender].node()
    now = node.clock()
    body = bodies.plain(bodies.Spontaneous("A mule's account.", ("It collects.",), "He is yours."))
    message = Message(
        node.ids(),
        MessageKind.SPONTANEOUS,
        sender,
        to,
        node.ids(),
        now,
        now + LIFETIME,
        Handling("money_laundering"),
        body,
    )
    data = envelope.seal(message, node.keys, node.directory.member(to))
    node.close()
    return data, message


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_without_a_members_certificate_there_is_no_connection(net: Net, stranger: Path, who: str) -> None:
    sealed, _ = sealed_by(net, "de-fiu", "sg-fiu")
    with peer(net, "sg-fiu", stranger if who == "stranger" else None) as client:
        for call in (
            lambda: client.get("/v1/checkpoint"),
            lambda: client.post("/v1/messages", content=sealed),
        ):
            with pytest.raises(httpx.TransportError):
                call()
    assert net["sg-fiu"].get("/messages")["received"] == []


def test_a_server_that_is_not_the_member_is_not_trusted(net: Net) -> None:
    with (
        httpx.Client(
            base_url=net["sg-fiu"].settings.peer_url,
            verify=context(net, "de-fiu", net["de-fiu"].paths.keys),
            trust_env=False,
        ) as client,
        pytest.raises(httpx.ConnectError, match=r"(?i)certificate.verify.failed"),
    ):
        client.get("/v1/checkpoint")


def test_nothing_older_than_tls_1_3(net: Net) -> None:
    address = ("127.0.0.1", net["sg-fiu"].settings.peer_port)
    old = context(net, "sg-fiu", net["de-fiu"].paths.keys, ssl.TLSVersion.TLSv1_2)
    with socket.create_connection(address, 10) as raw, pytest.raises(ssl.SSLError):
        old.wrap_socket(raw, server_hostname="127.0.0.1")
    new = context(net, "sg-fiu", net["de-fiu"].paths.keys)
    with (
        socket.create_connection(address, 10) as raw,
        new.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
    ):
        assert tls.version() == "TLSv1.3"
    with socket.create_connection(address, 10) as raw:
        raw.sendall(b"GET /v1/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in raw.recv(1000), "no plain HTTP either"


def test_a_message_comes_over_its_senders_connection_only(net: Net) -> None:
    sealed, message = sealed_by(net, "de-fiu", "sg-fiu")
    with peer(net, "sg-fiu", net["de-vasp-1"].paths.keys) as client:
        answer = client.post("/v1/messages", content=sealed)
    assert (answer.status_code, answer.json()) == (403, {"error": "Unverified"})
    assert net["sg-fiu"].get("/messages")["received"] == []
    with peer(net, "sg-fiu", net["de-fiu"].paths.keys) as client:
        first = client.post("/v1/messages", content=sealed)
        again = client.post("/v1/messages", content=sealed)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    node = net["de-fiu"].node()
    said = verify_receipt(first.content, node.directory.member("sg-fiu"))
    node.close()
    assert (said.message_id, said.digest) == (message.id, envelope.digest(sealed))
    (came,) = net["sg-fiu"].get("/messages")["received"]
    assert came["id"] == message.id


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 400), (b"hello", 400), (b"\x01" + bytes(5000), 400), (bytes(17 << 20), 413)]
)
def test_a_peer_is_told_the_kind_of_fault_only(net: Net, content: bytes, status: int) -> None:
    with peer(net, "sg-fiu", net["de-fiu"].paths.keys) as client:
        try:
            answer = client.post("/v1/messages", content=content)
        except httpx.WriteError:
            assert status == 413, "the node hung up on what was too long"
            return
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        assert "server" not in answer.headers
        assert client.get("/nowhere").status_code == 404
        assert client.get("/v1/messages").status_code == 405


def test_checkpoints_are_for_members(net: Net) -> None:
    from comity.audit.note import Checkpoint

    with peer(net, "sg-fiu", net["de-fiu"].paths.keys) as client:
        first = client.get("/v1/checkpoint").text
        sealed, _ = sealed_by(net, "de-fiu", "sg-fiu")
        assert client.post("/v1/messages", content=sealed).status_code == 200
        second = client.get("/v1/checkpoint").text
    node = net["sg-fiu"].node()
    key = node.keys.signing.public_key()
    old, new = (Checkpoint.verify(note, "sg-fiu", key) for note in (first, second))
    assert new.size > old.size
    with node.act() as conn:
        node.audit.verify(conn, key=key, checkpoint=first)
    node.close()


def test_the_operator_api_needs_the_token(net: Net) -> None:
    url = net["de-fiu"].settings.operator_url
    with httpx.Client(base_url=url, trust_env=False) as client:
        paths = client.get("/api/openapi.json").json()["paths"]
        assert len(paths) > 15
        for path, methods in paths.items():
            for method in methods:
                for given in ({}, {"Authorization": "Bearer " + "x" * 43}, {"Authorization": "Basic eDp5"}):
                    at = "/api" + path.replace("{", "").replace("}", "")
                    answer = client.request(method, at, headers=given, json={})
                    assert answer.status_code == 403, (method, path)
                    assert answer.json()["error"] == "Refused"
        token = {"Authorization": f"Bearer {net['de-fiu'].token}"}
        assert client.get("/api/status", headers=token).json()["id"] == "de-fiu"
        other = {"Authorization": f"Bearer {net['sg-fiu'].token}"}
        assert client.get("/api/status", headers=other).status_code == 403
        for page in ("/", "/alerts", "/audit"):
            assert client.get(page).headers["location"].startswith("/login")


def test_what_is_asked_is_answered_over_the_wire(net: Net) -> None:
    fiu, vasp = net["de-fiu"], net["de-vasp-1"]
    asked = fiu.post("/watch/ask", peer="de-vasp-1")["message"]

    def came(node: Any, message_id: str) -> bool:
        return any(one["id"] == message_id for one in node.get("/messages")["received"])

    processes.until("the request arrives", lambda: came(vasp, asked))
    answer = vasp.post(f"/messages/{asked}/reply", by="Ada Officer")["message"]
    processes.until("the reply arrives", lambda: came(fiu, answer))
    sent = {one["id"]: one["state"] for one in fiu.get("/messages")["sent"]}
    assert sent[asked] == "delivered"
    refused = vasp.api.post("/watch/ask", json={"peer": "de-fiu"})
    assert (refused.status_code, refused.json()["error"]) == (404, "NotFound")
    assert fiu.api.post("/watch/ask", json={"peer": "nobody"}).status_code == 404
    assert fiu.api.post("/watch/ask", json={"peer": "sg-fiu", "more": 1}).status_code == 422
    for node in (fiu, vasp):
        assert node.get("/audit/verify")["size"] > 3


@pytest.mark.parametrize("face", ["operators", "peers"])
def test_openapi(net: Net, face: str) -> None:
    if face == "operators":
        with httpx.Client(base_url=net["de-fiu"].settings.operator_url, trust_env=False) as client:
            document = client.get("/api/openapi.json").json()
    else:
        with peer(net, "de-fiu", net["sg-fiu"].paths.keys) as client:
            document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] and document["info"]["version"]
    names = set()
    for path, methods in document["paths"].items():
        assert path.startswith("/")
        for method, route in methods.items():
            assert route["summary"] and route["description"], (method, path)
            assert route["responses"]
            names.add(route["operationId"])
    assert len(names) == sum(map(len, document["paths"].values())), "operation ids are unique"
    kept = document.get("components", {}).get("schemas", {})
    for reference in find(document, "$ref"):
        prefix, _, name = reference.rpartition("/")
        assert prefix == "#/components/schemas" and name in kept


def find(plain: Any, key: str) -> Iterator[str]:
    if isinstance(plain, dict):
        for name, value in plain.items():
            if name == key:
                yield value
            else:
                yield from find(value, key)
    elif isinstance(plain, list):
        for value in plain:
            yield from find(value, key)


def test_a_node_stops_when_told(tmp_path: Path) -> None:
    (made,) = processes.create(tmp_path, ["sg-fiu"]).values()
    try:
        made.start()
        assert made.stop() in (0, -15)
        assert "Traceback" not in made.log()
        made.start()
        assert made.get("/status")["id"] == "sg-fiu"
    finally:
        made.close()


def test_a_new_member_is_let_in_while_the_node_runs(tmp_path: Path) -> None:
    """The commons are renewed by the command line; the server sees it without a restart."""
    network = processes.support("network")
    office = network.Office()
    with processes.ports(4) as free:
        nodes = [
            Node.create(network.settings(tmp_path, name, peer_port=free[at], operator_port=free[at + 1]))
            for at, name in ((0, "sg-fiu"), (2, "de-fiu"))
        ]
    old, newcomer = nodes
    old.join(office.root, office.bundle([old], old.clock()))
    sg = processes.Served(old.settings.home)
    try:
        sg.start()
        bundle = office.bundle(nodes, old.clock(), 2)
        newcomer.join(office.root, bundle)
        net = {"sg-fiu": sg, "de-fiu": processes.Served(newcomer.settings.home)}
        sealed, _ = sealed_by(net, "de-fiu", "sg-fiu")

        def status() -> int:
            try:
                with peer(net, "sg-fiu", newcomer.paths.keys) as client:
                    return client.post("/v1/messages", content=sealed).status_code
            except httpx.TransportError:
                return 0

        assert status() == 0
        files = {"--root": tmp_path / "root", "--commons": tmp_path / "bundle"}
        files["--root"].write_bytes(office.root)
        files["--commons"].write_bytes(bundle)
        command = [sys.executable, "-m", "comity", "node", "join", "--home", sg.home]
        for name, path in files.items():
            command += [name, path]
        subprocess.run(command, check=True, capture_output=True)
        processes.until("the new member is let in", lambda: status() == 200)
        net["de-fiu"].close()
    finally:
        sg.close()
        for node in nodes:
            node.close()

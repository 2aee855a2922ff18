from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.errors import BadInput, Conflict, NotFound, SettingsError, Unverified
from comity.node.node import Node, new_id, read_customers

Join = Callable[..., dict[str, Node]]


class Secretariat:
    """Who signs the commons of a few nodes."""

    def __init__(self, net: ModuleType, nodes: list[Node], now: Any) -> None:
        self.office, self.nodes, self.now = net.Office(), nodes, now

    def bundle(self, version: int, **given: Any) -> bytes:
        made: bytes = self.office.bundle(self.nodes, self.now(), version, **given)
        return made

    @property
    def trusted(self) -> bytes:
        root: bytes = self.office.root
        return root


@pytest.fixture
def node(net: ModuleType, tmp_path: Path, clock: Any) -> Any:
    made = Node.create(net.settings(tmp_path, "de-fiu"), clock=clock)
    yield made
    made.close()


@pytest.fixture
def office(node: Node, net: ModuleType, clock: Any) -> Secretariat:
    return Secretariat(net, [node], clock)


def test_a_new_node_is_its_owners_alone(node: Node) -> None:
    assert node.settings.home.stat().st_mode & 0o077 == 0
    for path in node.paths.keys.iterdir():
        if path.suffix != ".txt" and path != node.paths.tls_certificate:
            assert path.stat().st_mode & 0o077 == 0, path
    assert len(node.operator_token()) >= 32
    assert node.status()["joined"] is False
    assert node.status()["audit_size"] == 1


def test_create_and_open(node: Node, net: ModuleType, tmp_path: Path, clock: Any) -> None:
    with pytest.raises(Conflict):
        Node.create(net.settings(tmp_path, "de-fiu"), clock=clock)
    again = Node.open(node.settings.home, clock=clock)
    assert again.institution == node.institution
    assert again.keys.signing_id == node.keys.signing_id
    assert again.operator_token() == node.operator_token()
    assert again.verify().size == 1
    again.close()
    with pytest.raises(SettingsError, match="no node"):
        Node.open(tmp_path / "elsewhere")


def test_the_token_is_gone(node: Node) -> None:
    node.paths.token.unlink()
    with pytest.raises(SettingsError, match="token cannot be read") as failed:
        node.operator_token()
    assert failed.value.remedy


def test_before_joining(node: Node) -> None:
    for ask in (lambda: node.commons, lambda: node.directory, node.own_fiu, node.member_certificates):
        with pytest.raises(SettingsError, match="has not joined") as failed:
            ask()
        assert "comity node join" in failed.value.remedy
    assert set(node.parties) == {"de-fiu"}


def test_joining(node: Node, office: Secretariat) -> None:
    assert node.join(office.trusted, office.bundle(1)).version == 1
    assert node.own_fiu() == "de-fiu"
    assert "BEGIN CERTIFICATE" in node.member_certificates()
    assert node.status()["joined"] is True
    with node.act() as conn:
        entry = node.audit.entries(conn, 1, 1)[0]
    assert (entry.kind, entry.body["version"]) == ("commons.joined", 1)


def test_another_root_is_refused(node: Node, office: Secretariat, net: ModuleType, clock: Any) -> None:
    node.join(office.trusted, office.bundle(1))
    other = Secretariat(net, [node], clock)
    with pytest.raises(Conflict, match="another root"):
        node.join(other.trusted, other.bundle(2))
    with pytest.raises(Unverified):
        node.join(office.trusted, other.bundle(2))
    assert node.commons.version == 1


def test_too_few_signatures(node: Node, office: Secretariat) -> None:
    with pytest.raises(Unverified):
        node.join(office.trusted, office.bundle(1, signers=1))
    assert node.status()["joined"] is False


def test_an_older_bundle_is_refused(node: Node, office: Secretariat) -> None:
    node.join(office.trusted, office.bundle(5))
    with pytest.raises(Unverified, match="commons"):
        node.join(office.trusted, office.bundle(4))
    assert node.commons.version == 5
    assert node.join(office.trusted, office.bundle(6)).version == 6
    assert node.commons.version == 6


def test_the_commons_expire_while_the_node_runs(node: Node, office: Secretariat, clock: Any) -> None:
    node.join(office.trusted, office.bundle(1, days=1))
    assert node.directory.members
    clock.forward(days=2)
    for ask in (lambda: node.commons, lambda: node.directory):
        with pytest.raises(Unverified, match="expired"):
            ask()
    with pytest.raises(Unverified, match="commons"):
        _ = Node.open(node.settings.home, clock=clock).directory
    with pytest.raises(Unverified):
        node.join(office.trusted, office.bundle(0))
    assert node.join(office.trusted, office.bundle(2)).version == 2
    assert node.directory.members


def test_a_bundle_that_another_process_took_in_is_seen(
    node: Node, office: Secretariat, net: ModuleType, tmp_path: Path, clock: Any
) -> None:
    node.join(office.trusted, office.bundle(1))
    assert len(node.directory.members) == 1
    newcomer = Node.create(net.settings(tmp_path, "sg-fiu"), clock=clock)
    office.nodes = [node, newcomer]
    other = Node.open(node.settings.home, clock=clock)
    other.join(office.trusted, office.bundle(2))
    assert len(node.directory.members) == 2
    assert node.parties["sg-fiu"] == newcomer.institution
    for each in (other, newcomer):
        each.close()


def test_files_changed_on_disk_are_refused(node: Node, office: Secretariat) -> None:
    node.join(office.trusted, office.bundle(1))
    bundle = node.paths.commons.read_bytes()
    node.paths.commons.write_bytes(bundle.replace(b'"payload":"', b'"payload":"AAAA'))
    with pytest.raises(Unverified):
        _ = node.directory


def test_no_fiu_of_this_country(net: ModuleType, tmp_path: Path, clock: Any) -> None:
    nodes = net.network(tmp_path / "other", ("sg-fiu", "de-vasp-1"), clock)
    with pytest.raises(SettingsError, match="no FIU of DE"):
        nodes["de-vasp-1"].own_fiu()
    assert nodes["sg-fiu"].own_fiu() == "sg-fiu"
    for each in nodes.values():
        each.close()


def test_customers(node: Node, small: ModuleType, tmp_path: Path) -> None:
    assert node.customers == {}
    path = small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:1": small.MULE})
    found = read_customers(path)
    assert found["acct:de-vasp-1:1"].name == "Max Mustermann"
    with path.open("a") as file:
        file.write('{"account": "acct:de-vasp-1:2"}\n')
    with pytest.raises(BadInput, match="line 2"):
        read_customers(path)
    path.write_text('{"account": "' + "x" * 70_000)
    with pytest.raises(BadInput, match="line 1"):
        read_customers(path)


def test_a_message_by_its_id(join: Join, net: ModuleType) -> None:
    from comity.node import finding_together as together

    nodes = join("de-fiu", "de-vasp-1")
    message = together.ask_watch(nodes["de-fiu"], "de-vasp-1")
    net.settle(nodes)
    for node in nodes.values():
        with node.act() as conn:
            assert node.parcel(conn, message.id).message == message
            assert node.case_of_conversation(conn, message.id) == ""
            with pytest.raises(NotFound):
                node.parcel(conn, "0" * 32)
    status = nodes["de-vasp-1"].status()
    assert (status["received"], status["unprocessed"], status["sent"]) == (1, 0, 0)


def test_a_log_rewritten_is_found(node: Node) -> None:
    from sqlalchemy import update

    from comity.audit.tables import leaf

    node.verify()
    with node.act() as conn:
        conn.execute(update(leaf).where(leaf.c.idx == 0).values(body="{}"))
    with pytest.raises(Unverified, match="entry 0"):
        node.verify()


def test_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_a_root_that_was_rotated_out_signs_no_more(node: Node, office: Secretariat) -> None:
    """The old root's signers bring the new root; from then on theirs alone does not count."""
    node.join(office.trusted, office.bundle(1))
    before, after = office.office, office.office.rotated()
    node.join(office.trusted, after.bundle([node], node.clock(), 2, also=before))
    assert node.commons.root.version == 2
    with pytest.raises(Unverified):
        node.join(office.trusted, office.bundle(3))
    node.join(office.trusted, after.bundle([node], node.clock(), 3))
    assert node.commons.version == 3


def test_the_law_is_the_one_the_network_agreed_on(node: Node, office: Secretariat) -> None:
    """A law file that is not the one in the commons is never computed with."""
    node.join(office.trusted, office.bundle(1, digests={"sg.yaml": "0" * 64}))
    with pytest.raises(Unverified, match=r"sg\.yaml"):
        _ = node.standard

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from comity.audit.tables import leaf
from comity.errors import BadInput, StoreError, Unverified
from comity.model import AccountId, Amount, AssetId, Party, Ruling, Transfer
from comity.node import hops
from comity.node.authorising import verify_rulings
from comity.node.decided import entries
from comity.node.node import Node

USD = AssetId("iso4217:USD")
MULE = "acct:de-vasp-1:77"


@pytest.fixture
def vasp(join: Callable[..., dict[str, Node]]) -> Node:
    return join("de-fiu", "de-vasp-1")["de-vasp-1"]


def transfer(target: str, number: int, at: datetime, source: str = "acct:de-vasp-1:5") -> Transfer:
    worth = Decimal(100)
    return Transfer(
        f"t{number}",
        at,
        AccountId(source),
        AccountId(target),
        Amount(worth, USD),
        worth,
        originator_party=Party("Ann"),
        beneficiary_party=Party("Bob"),
    )


def test_a_ruling_is_on_disk_and_names_no_person(vasp: Node) -> None:
    (ruling,) = vasp.gate.rule([transfer("acct:de-vasp-1:6", 1, vasp.clock())])
    assert ruling.ruling is Ruling.ALLOW
    ((entry, _),) = entries(vasp.paths.authorisations)
    assert entry["transfer"] == "t1" and entry["ruling"] == "allow" and entry["amount"] == "100"
    assert "Ann" not in vasp.paths.authorisations.read_text()


def test_lists_and_findings_that_came_meanwhile_are_seen(
    vasp: Node, clock: Any, small: ModuleType, tmp_path: Path
) -> None:
    assert vasp.gate.rule([transfer(MULE, 1, clock())])[0].ruling is Ruling.ALLOW
    hops.ingest(vasp, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    hops.detect(vasp)
    clock.forward(seconds=5)
    (held,) = vasp.gate.rule([transfer(MULE, 2, clock())])
    assert held.ruling is Ruling.HOLD
    assert {ground.rule for ground in held.grounds} == {"monitoring"}
    hops.load_lists(vasp, None)
    listed = next(
        str(w) for one in vasp.lists.listings() for w in one.wallets if one.list_id.startswith("ofac")
    )
    clock.forward(seconds=5)
    (refused,) = vasp.gate.rule([transfer(listed, 3, clock())])
    assert refused.ruling is Ruling.REFUSE
    assert {duty.kind for duty in refused.duties} >= {"freeze_promptly", "report_suspicion"}


def test_what_was_allowed_counts_after_a_restart_too(vasp: Node, clock: Any) -> None:
    for number in range(19):
        vasp.gate.rule([transfer(f"acct:de-vasp-1:x{number}", number, clock())])
    vasp.gate.close()
    del vasp.__dict__["gate"]
    clock.forward(minutes=10)
    (ruling,) = vasp.gate.rule([transfer("acct:de-vasp-1:y", 100, clock())])
    assert [ground.rule for ground in ruling.grounds] == ["velocity"]


def test_transfers_of_one_call_count_one_after_another(vasp: Node, clock: Any) -> None:
    many = [transfer(f"acct:de-vasp-1:x{number}", number, clock()) for number in range(21)]
    rulings = [one.ruling for one in vasp.gate.rule(many)]
    assert rulings == [Ruling.ALLOW] * 19 + [Ruling.HOLD] * 2


def test_the_head_of_the_file_is_sealed_in_the_audit_log(vasp: Node, clock: Any) -> None:
    vasp.gate.rule([transfer("acct:de-vasp-1:6", 1, clock())])
    vasp.gate.close()
    del vasp.__dict__["gate"]
    *_, (_, head) = entries(vasp.paths.authorisations)
    with vasp.act() as conn:
        bodies = (
            conn.execute(select(leaf.c.body).where(leaf.c.kind == "authorisations.sealed")).scalars().all()
        )
    assert len(bodies) == 1 and head in str(bodies[0])


def test_a_wallet_with_the_capitals_of_its_checksum_is_the_listed_one(vasp: Node, clock: Any) -> None:
    hops.load_lists(vasp, None)
    wallets = [w for one in vasp.lists.listings() if one.list_id.startswith("ofac") for w in one.wallets]
    listed = next(
        w.value for w in wallets if w.value.startswith("eip155:1:") and any(map(str.isalpha, w.address[2:]))
    )
    chain, _, address = listed.rpartition(":")
    pasted = f"{chain}:0x{address[2:].upper()}"
    (ruling,) = vasp.gate.rule([transfer(pasted, 1, clock())])
    assert ruling.ruling is Ruling.REFUSE and listed in ruling.grounds[0].text
    with pytest.raises(BadInput, match="not a wallet address"):
        vasp.gate.rule([transfer("eip155:1:0x12", 2, clock())])


def test_of_a_list_with_a_fault_none_is_ruled_on(vasp: Node, clock: Any) -> None:
    good = transfer("acct:de-vasp-1:6", 1, clock())
    negative = dataclasses.replace(good, id="t2", amount=Amount(Decimal(-1), USD))
    ether = AssetId("eip155:1/slip44:60")
    unknown = dataclasses.replace(
        good, id="t3", originator_country="US", amount=Amount(Decimal(1), ether), value=None
    )
    for bad, why in ((negative, "out of bounds"), (unknown, "no rate for")):
        with pytest.raises(BadInput, match=why):
            vasp.gate.rule([good] * 15 + [bad])
    assert list(entries(vasp.paths.authorisations)) == []
    assert [one.ruling for one in vasp.gate.rule([good] * 19)] == [Ruling.ALLOW] * 19


def test_a_clock_that_is_set_back_does_not_hide_what_came(vasp: Node, clock: Any) -> None:
    vasp.gate.rule([transfer("acct:de-vasp-1:6", 1, clock())])
    vasp.paths.monitored.write_text("{}")
    clock.forward(hours=-3)
    with pytest.raises(StoreError, match="cannot be read"):
        vasp.gate.rule([transfer("acct:de-vasp-1:6", 2, clock())])


def test_rulings_that_were_sealed_cannot_be_taken_out(vasp: Node, clock: Any) -> None:
    assert verify_rulings(vasp) == 0
    vasp.gate.rule([transfer("acct:de-vasp-1:6", number, clock()) for number in range(3)])
    vasp.gate.seal()
    vasp.gate.rule([transfer("acct:de-vasp-1:6", 9, clock())])
    assert verify_rulings(vasp) == 4
    lines = vasp.paths.authorisations.read_bytes().splitlines(keepends=True)
    vasp.paths.authorisations.write_bytes(b"".join(lines[:2]))
    with pytest.raises(Unverified, match="1 of 1 sealed heads are not in"):
        verify_rulings(vasp)

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from comity.audit.tables import leaf
from comity.model import AccountId, Amount, AssetId, Party, Ruling, Transfer
from comity.node import hops
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

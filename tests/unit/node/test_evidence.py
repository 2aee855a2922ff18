"""A node's first four hops, at the edges."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from comity.model import AccountId, Amount, AssetId, Finding, FindingKind, Level, Transfer
from comity.node import hops
from comity.node.node import Node
from comity.node.settings import Settings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    home = tmp_path / "sg-vasp"
    settings = Settings(home, "sg-vasp", "The exchange", "vasp", ("SG",), rates=("SGD=0.74",))
    return Node.create(settings, clock=lambda: NOW)


def transfer(name: str) -> Transfer:
    euros = Amount(Decimal(5), AssetId.money("EUR"))
    return Transfer(name, NOW, AccountId("acct:sg-vasp:1"), AccountId("acct:de-vasp:2"), euros, Decimal(5))


def test_a_case_is_opened_on_a_screening_hit_whose_evidence_names_the_list_too(node: Node) -> None:
    node.ledger().append([transfer("t-1"), transfer("t-2")])
    finding = Finding(
        "f-1",
        FindingKind.SCREENING,
        "listed_wallet",
        "acct:sg-vasp:1",
        Level.ALERT,
        1.0,
        ("The account is listed.",),
        ("ofac_sdn:39585", "t-1", "held-by-a-partner-only"),
        "Sample list of 2026-02-03",
    )
    with node.act() as conn:
        node.cases.save_findings(conn, [finding])
    case = hops.open_case(node, ["f-1"])
    assert [one.id for one in hops.evidence(node, case.findings)] == ["t-1"]
    assert {duty.jurisdiction for duty in case.duties} == {"SG"}
    node.close()

"""Running typologies over a ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from comity import plugins
from comity.errors import BadInput, UnknownFormat
from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AccountId, AssetId, FindingKind, Level, Transfer
from comity.monitoring.run import MAX_EVIDENCE, monitor, settings
from comity.typologies import structuring
from comity.typologies._common import account, pay

EURO = AssetId("iso4217:EUR")
BURST = [pay(i, i, "S", f"P{i}", "950") for i in range(5)]
FEW = [pay(20 + i, i, "W", "P", "950") for i in range(3)]


def test_every_typology_runs_and_alerts_come_first() -> None:
    told: list[tuple[str, int, int]] = []
    found = monitor(build([*BURST, *FEW], EURO), progress=lambda *step: told.append(step)).findings
    assert [(f.rule, f.subject, f.level) for f in found if f.rule == "structuring"] == [
        ("structuring", account("S"), Level.ALERT),
        ("structuring", account("W"), Level.WATCH),
    ]
    order = [(f.level is Level.WATCH, -f.score) for f in found]
    assert order == sorted(order)
    names = plugins.names("typologies")
    assert told == [(name, at, len(names)) for at, name in enumerate(names)]


def test_a_finding_is_whole_and_its_id_is_of_what_it_says() -> None:
    (found,) = monitor(build(BURST, EURO), only=["structuring", "structuring"]).findings
    assert found.kind is FindingKind.TYPOLOGY
    assert found.source.endswith("(September 2020), T1")
    assert found.evidence == tuple(t.id for t in BURST)
    assert (found.first, found.last) == (BURST[0].time, BURST[-1].time)
    assert dict(found.features)["total"] == 4750.0
    assert found.reasons[0] == "The account sent 5 transfers within 4 hours, each just below 1,000 EUR."
    assert found in monitor(build(BURST, EURO)).findings
    (other,) = monitor(build(BURST[:-1], EURO), only=["structuring"]).findings
    assert other.id != found.id


def test_money_is_scaled_to_the_reference_asset_and_named_by_it() -> None:
    wallets = [AccountId(f"{BITCOIN}:{name}") for name in "ab"]
    transfers = [Transfer(t.id, t.time, *wallets, None, Decimal("0.0095")) for t in BURST]
    given = {"structuring": {"threshold": 0.01}}
    (found,) = monitor(build(transfers, BTC), only=["structuring"], parameters=given).findings
    assert "each just below 0.01 BTC" in found.reasons[0]
    assert dict(found.features)["total"] == pytest.approx(0.0475)


def test_evidence_is_bounded_and_says_so() -> None:
    many = [pay(i, i / 100, f"V{i}", "C", "10") for i in range(MAX_EVIDENCE + 500)]
    (found,) = monitor(build(many, EURO), only=["fan_in"]).findings
    assert len(found.evidence) == MAX_EVIDENCE
    assert found.reasons[-1] == "The first 1,000 of 1,500 transfers are listed as evidence."
    assert found.last == many[-1].time


def test_a_threshold_beyond_all_values_finds_nothing() -> None:
    given = {"structuring": {"threshold": 1e30}}
    assert monitor(build(BURST, EURO), only=["structuring"], parameters=given).findings == ()


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    columns = build(BURST, EURO)
    with pytest.raises(BadInput, match="no parameter 'treshold'") as caught:
        monitor(columns, parameters={"structuring": {"treshold": 5}})
    assert "threshold, floor, window, worth_avoiding, min_count" in caught.value.why
    with pytest.raises(BadInput, match="no typology 'smurfing'") as caught:
        monitor(columns, parameters={"smurfing": {}})
    assert "structuring" in caught.value.why
    with pytest.raises(UnknownFormat):
        monitor(columns, only=["smurfing"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0),
        ("threshold", float("nan")),
        ("window", float("inf")),
        ("min_count", 2.5),
        ("min_count", -1),
        ("floor", 1.2),
    ],
)
def test_values_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"structuring: {name} cannot be"):
        settings(structuring.SPEC, {name: value})

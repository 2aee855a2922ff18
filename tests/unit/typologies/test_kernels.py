"""What each kernel does at its edges, beside the cases that the plug-ins carry themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.ledger.columns import build
from comity.model import BITCOIN, AccountId, AssetId, Finding, Level, Transfer
from comity.monitoring.run import monitor
from comity.typologies._common import account, amount, pay, span

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def find(rule: str, transfers: list[Transfer], **parameters: float) -> tuple[Finding, ...]:
    return monitor(build(transfers, EURO), only=[rule], parameters={rule: parameters}).findings


def features(finding: Finding) -> Mapping[str, float]:
    return dict(finding.features)


def hub_pay(number: int, hours: float, source: str, target: str, value: str | None) -> Transfer:
    """``tx-…`` names are transactions, any other a wallet."""
    return Transfer(
        f"t{number:03d}",
        BEGIN + timedelta(hours=hours),
        AccountId(f"{BITCOIN}:{source}"),
        AccountId(f"{BITCOIN}:{target}"),
        None,
        None if value is None else Decimal(value),
    )


# structuring


def test_a_burst_is_maximal_and_reported_once() -> None:
    transfers = [pay(i, 10 * i, "S", "P", "950") for i in range(12)]
    (found,) = find("structuring", transfers)
    assert len(found.evidence) == 12
    assert features(found)["count"] == 5  # 48 hours hold five, ten hours apart
    assert features(found)["total"] == 5 * 950
    assert any("12 such transfers" in reason for reason in found.reasons)


def test_two_bursts_are_two_findings() -> None:
    transfers = [pay(i + 10 * w, i + 1000 * w, "S", "P", "950") for w in range(2) for i in range(5)]
    found = find("structuring", transfers)
    assert len(found) == 2 and len({f.id for f in found}) == 2
    assert not set(found[0].evidence) & set(found[1].evidence)


def test_the_window_includes_its_end() -> None:
    assert find("structuring", [pay(i, 12 * i, "S", "P", "950") for i in range(5)])[0].level is Level.ALERT
    late = find("structuring", [pay(i, 12.001 * i, "S", "P", "950") for i in range(5)])
    assert late[0].level is Level.WATCH


def test_parts_that_stay_below_the_threshold_together_avoid_nothing() -> None:
    small = [pay(i, i, "S", "P", "150") for i in range(5)]
    assert find("structuring", small, floor=0.1) == ()
    assert len(find("structuring", [*small, pay(9, 9, "S", "P", "650")], floor=0.1)) == 1


# fan-in


def test_a_sender_counts_once_and_again_after_leaving_the_window() -> None:
    transfers = [pay(i, i, f"V{i % 3}", "C", "10") for i in range(30)]
    assert find("fan_in", transfers, min_senders=4)[0].level is Level.WATCH
    assert features(find("fan_in", transfers, min_senders=3)[0])["senders"] == 3


def test_an_account_does_not_pay_itself_into_a_fan_in() -> None:
    transfers = [pay(1, 0, "C", "C", "10"), pay(2, 1, "C", "C", "10"), pay(3, 2, "A", "C", "10")]
    assert find("fan_in", transfers, min_senders=2) == ()


def test_a_hub_is_nobody_but_counts_as_one_sender() -> None:
    into = [hub_pay(i, 0, f"v{i}", "tx-1", "1") for i in range(9)]
    assert find("fan_in", into, min_senders=4) == ()
    out = [hub_pay(20 + i, i, f"tx-{i}", "c", "1") for i in range(4)]
    (found,) = find("fan_in", out, min_senders=4)
    assert found.subject.endswith(":c") and found.level is Level.ALERT


# pass-through


def test_change_that_returns_is_not_a_payment() -> None:
    transfers = [
        hub_pay(1, 0, "a", "m", "6000"),
        hub_pay(2, 1, "m", "tx-1", "6000"),
        hub_pay(3, 1, "tx-1", "m", "5900"),
        hub_pay(4, 1, "tx-1", "shop", "100"),
    ]
    assert find("pass_through", transfers) == ()
    moved = [*transfers[:2], hub_pay(3, 1, "tx-1", "m", "100"), hub_pay(4, 1, "tx-1", "x", "5900")]
    (found,) = find("pass_through", moved)
    assert features(found)["value"] == 5900


def test_the_latest_deposit_leaves_first_whatever_lay_there_before() -> None:
    transfers = [
        pay(1, 0, "EMPLOYER", "M", "4000"),
        pay(2, 2, "A", "M", "6000"),
        pay(3, 3, "M", "X", "5900"),
    ]
    (found,) = find("pass_through", transfers)
    assert set(found.evidence) == {"t002", "t003"}
    assert features(found)["share"] == pytest.approx(5900 / 6000)


def test_repeated_episodes_raise_the_score() -> None:
    def week(n: int) -> list[Transfer]:
        return [pay(10 * n, 168 * n, "A", "M", "6000"), pay(10 * n + 1, 168 * n + 1, "M", "X", "6000")]

    scores = [
        find("pass_through", [t for n in range(weeks) for t in week(n)])[0].score for weeks in (1, 2, 3)
    ]
    assert scores == [0.5, 0.75, 0.875]
    reasons = find("pass_through", week(0) + week(1))[0].reasons
    assert any("happened 2 times" in reason for reason in reasons)


# cycle


def test_parallel_transfers_make_one_finding() -> None:
    names = ["A", "B", "C"]
    transfers = [
        pay(10 * i + k, 5 * i + k, names[i], names[(i + 1) % 3], "5000") for i in range(3) for k in range(4)
    ]
    assert len(find("cycle", transfers)) == 1


def test_a_cycle_goes_through_transactions_without_counting_them() -> None:
    transfers = [
        hub_pay(1, 0, "a", "tx-1", "5000"),
        hub_pay(2, 0, "tx-1", "b", "4900"),
        hub_pay(3, 1, "b", "c", "4800"),
        hub_pay(4, 2, "c", "tx-2", "4700"),
        hub_pay(5, 2, "tx-2", "a", "4600"),
    ]
    (found,) = find("cycle", transfers)
    assert features(found)["accounts"] == 3 and len(found.evidence) == 5
    assert found.subject.endswith(":a")
    assert find("cycle", transfers, min_length=4) == ()


def test_length_window_and_retention_bound_a_cycle() -> None:
    names = [f"N{i}" for i in range(7)]
    ring = [pay(i, 5 * i, names[i], names[(i + 1) % 7], str(5000 - 10 * i)) for i in range(7)]
    assert find("cycle", ring) == ()
    assert len(find("cycle", ring, max_length=7)) == 1
    assert find("cycle", ring, max_length=7, window=29) == ()
    assert find("cycle", ring, max_length=7, retention=0.999) == ()


def test_a_service_is_not_searched_through() -> None:
    ring = [pay(1, 0, "A", "B", "5000"), pay(2, 5, "B", "C", "5000"), pay(3, 9, "C", "A", "5000")]
    busy = [pay(100 + i, 1 + i / 1000, "B", f"X{i}", "5") for i in range(600)]
    assert len(find("cycle", ring)) == 1
    assert find("cycle", ring + busy) == ()


def test_twice_round_is_twice_found() -> None:
    ring = [("A", "B"), ("B", "C"), ("C", "A")]
    transfers = [
        pay(10 * w + i, 200 * w + i, a, b, "5000") for w in range(2) for i, (a, b) in enumerate(ring)
    ]
    found = find("cycle", transfers)
    assert [f.subject for f in found] == [account("A")] * 2


# words


def test_amounts_and_times_read_well() -> None:
    assert amount(12500.0, "EUR") == "12,500 EUR"
    assert amount(0.25, "BTC") == "0.25 BTC"
    assert amount(1234.5, "EUR") == "1,234.50 EUR"
    assert [span(h) for h in (0, 1 / 60, 0.5, 1, 20, 96)] == [
        "1 minute", "1 minute", "30 minutes", "1 hour", "20 hours", "4 days",
    ]  # fmt: skip

"""What must hold of monitoring, whatever the ledger."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.columns import build
from comity.model import BITCOIN, AccountId, AssetId, Level, Transfer
from comity.monitoring.run import monitor

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
LOW = {
    "structuring": {"min_count": 3.0},
    "fan_in": {"min_senders": 3.0, "window": 24.0},
    "pass_through": {"min_value": 500.0},
    "cycle": {"min_value": 500.0, "retention": 0.5},
}


@st.composite
def ledgers(draw: st.DrawFn) -> list[Transfer]:
    """Few accounts (some of them transactions), few moments, values near the limits: much to find."""
    people = [AccountId(f"acct:X:{i}") for i in range(5)]
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 6),
                st.integers(0, 6),
                st.integers(0, 60),
                st.sampled_from([None, 10, 500, 790, 800, 900, 950, 999, 1000, 1200]),
            ),
            min_size=1,
            max_size=40,
        )
    )
    hubs = [AccountId(f"{BITCOIN}:tx-{i}") for i in range(2)]
    every = [*people, *hubs]
    return [
        Transfer(
            f"t{i}", BEGIN + timedelta(hours=h), every[a], every[b], None, None if v is None else Decimal(v)
        )
        for i, (a, b, h, v) in enumerate(rows)
        if not (every[a].is_hub and every[b].is_hub)
    ]


@given(ledgers(), st.integers())
def test_the_order_of_input_does_not_matter(transfers: list[Transfer], seed: int) -> None:
    expected = monitor(build(transfers, EURO), parameters=LOW).findings
    random.Random(seed).shuffle(transfers)
    assert monitor(build(transfers, EURO), parameters=LOW).findings == expected
    assert len({f.id for f in expected}) == len(expected)
    for finding in expected:
        assert not AccountId(finding.subject).is_hub
        assert 0 <= finding.score <= 1 and (finding.score >= 0.5) == (finding.level is Level.ALERT)


@given(ledgers())
def test_fan_in_alerts_are_what_plain_counting_says(transfers: list[Transfer]) -> None:
    into: dict[AccountId, list[Transfer]] = defaultdict(list)
    for t in transfers:
        if t.originator != t.beneficiary and not t.beneficiary.is_hub:
            into[t.beneficiary].append(t)
    expected = {
        str(account)
        for account, ins in into.items()
        for first in ins
        if len({t.originator for t in ins if timedelta(0) <= t.time - first.time <= timedelta(hours=24)}) >= 3
    }
    found = monitor(build(transfers, EURO), only=["fan_in"], parameters={"fan_in": LOW["fan_in"]}).findings
    assert {f.subject for f in found if f.level is Level.ALERT} == expected


@given(ledgers())
def test_structuring_alerts_are_what_plain_counting_says(transfers: list[Transfer]) -> None:
    out: dict[AccountId, list[Transfer]] = defaultdict(list)
    for t in transfers:
        if t.value is not None and 800 <= t.value < 1000 and t.originator != t.beneficiary:
            out[t.originator].append(t)
    expected = {
        str(account)
        for account, outs in out.items()
        for first in outs
        if not account.is_hub
        and len([t for t in outs if timedelta(0) <= t.time - first.time <= timedelta(hours=48)]) >= 3
    }
    found = monitor(
        build(transfers, EURO), only=["structuring"], parameters={"structuring": LOW["structuring"]}
    ).findings
    assert {f.subject for f in found if f.level is Level.ALERT} == expected


@given(ledgers())
def test_pass_through_never_counts_more_than_moved(transfers: list[Transfer]) -> None:
    by_id = {t.id: t for t in transfers}
    parameters = {"pass_through": LOW["pass_through"]}
    for finding in monitor(build(transfers, EURO), only=["pass_through"], parameters=parameters).findings:
        figures = dict(finding.features)
        moves = [by_id[e] for e in finding.evidence]
        came = [t for t in moves if str(t.beneficiary) == finding.subject]
        went = [t for t in moves if str(t.originator) == finding.subject]
        assert came and went and min(t.time for t in came) < max(t.time for t in went)
        assert figures["total"] <= sum(float(t.value or 0) for t in came)
        assert figures["total"] <= sum(float(t.value or 0) for t in went)
        assert 0.9 <= figures["share"] <= 1 and figures["stay"] <= 24

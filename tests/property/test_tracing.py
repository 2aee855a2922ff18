"""What must hold of every trace."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AccountId, AssetId, Transfer
from comity.tracing.trace import Bounds, Direction, Stop, trace

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
ACCOUNTS = [AccountId(f"acct:X:{i}") for i in range(6)]
WALLETS = [AccountId(f"{BITCOIN}:w{i}") for i in range(5)]


@st.composite
def bank_ledgers(draw: st.DrawFn) -> list[Transfer]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(ACCOUNTS),
                st.sampled_from(ACCOUNTS),
                st.integers(0, 30),
                st.one_of(st.none(), st.integers(0, 10_000)),
            ),
            max_size=40,
        )
    )
    return [
        Transfer(f"t{i}", BEGIN + timedelta(hours=h), a, b, None, None if v is None else Decimal(v) / 100)
        for i, (a, b, h, v) in enumerate(rows)
    ]


@st.composite
def chain_ledgers(draw: st.DrawFn) -> list[Transfer]:
    """Transactions as hubs, with unknown inputs, change, and several in one block."""
    transfers = []
    for number in range(draw(st.integers(0, 8))):
        hub = AccountId(f"{BITCOIN}:tx-{number}")
        time = BEGIN + timedelta(minutes=10 * draw(st.integers(0, 5)))
        inputs = draw(
            st.lists(st.tuples(st.sampled_from(WALLETS), st.integers(-1, 900)), min_size=1, max_size=4)
        )
        outputs = draw(st.lists(st.tuples(st.sampled_from(WALLETS), st.integers(0, 900)), max_size=4))
        for i, (wallet, value) in enumerate(inputs):
            known = None if value < 0 else Decimal(value) / 1000
            transfers.append(Transfer(f"{number}:in:{i}", time, wallet, hub, None, known))
        for i, (wallet, value) in enumerate(outputs):
            transfers.append(Transfer(f"{number}:out:{i}", time, hub, wallet, None, Decimal(value) / 1000))
    return transfers


LEDGERS = st.one_of(
    st.tuples(bank_ledgers(), st.just(AssetId("iso4217:EUR"))), st.tuples(chain_ledgers(), st.just(BTC))
)
BOUNDS = st.builds(
    Bounds,
    hops=st.integers(1, 5),
    min_share=st.sampled_from([0.0, 0.001, 0.05, 0.3]),
    max_nodes=st.integers(1, 12),
    until=st.one_of(st.none(), st.integers(0, 30).map(lambda h: BEGIN + timedelta(hours=h))),
)


@given(
    LEDGERS, st.sampled_from(Direction), BOUNDS, st.integers(0, 5), st.booleans(), st.booleans(), st.data()
)
def test_nothing_is_lost_and_time_is_respected(ledger, direction, bounds, pick, some, service, data) -> None:
    transfers, reference = ledger
    columns = build(transfers, reference)
    people = sorted({str(a) for t in transfers for a in (t.originator, t.beneficiary) if not a.is_hub})
    if not people:
        return
    start = people[pick % len(people)]
    amount = Decimal(data.draw(st.integers(1, 5000))) / 100 if some else None
    services = {people[-1]} if service else set()
    found = trace(columns, start, direction, amount=amount, services=services, bounds=bounds)
    assert sum((leaf.value for leaf in found.leaves), Decimal(0)) == found.value
    assert all(leaf.value > 0 for leaf in found.leaves)
    assert len({s.transfer for s in found.steps}) == len(found.steps)
    worth = {t.id: t for t in transfers}
    reached = {start: None}
    for step in found.steps if direction is Direction.FORWARD else reversed(found.steps):
        near, far = (
            (step.source, step.target) if direction is Direction.FORWARD else (step.target, step.source)
        )
        assert step.value > 0
        if step.estimated is False and not AccountId(near).is_hub and not AccountId(far).is_hub:
            assert step.value <= worth[step.transfer].value
        if bounds.until and direction is Direction.FORWARD:
            assert step.time <= bounds.until
        if bounds.until and direction is Direction.BACKWARD:
            assert step.time >= bounds.until
        reached.setdefault(far, step.time)
    # whatever leaves an account was there: no step before the account was first reached
    arrivals = defaultdict(list)
    for step in found.steps:
        arrivals[step.target if direction is Direction.FORWARD else step.source].append(step.time)
    for step in found.steps:
        near = step.source if direction is Direction.FORWARD else step.target
        if near != start:
            if direction is Direction.FORWARD:
                assert min(arrivals[near]) <= step.time
            else:
                assert max(arrivals[near]) >= step.time
    for leaf in found.leaves:
        if leaf.reason is Stop.SERVICE:
            assert leaf.account in services


@given(bank_ledgers(), st.randoms())
def test_the_order_of_input_does_not_matter(transfers, random) -> None:
    if not transfers:
        return
    start = str(transfers[0].originator)
    reference = AssetId("iso4217:EUR")
    expected = trace(build(transfers, reference), start)
    random.shuffle(transfers)
    assert trace(build(transfers, reference), start) == expected

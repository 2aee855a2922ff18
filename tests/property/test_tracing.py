"""What must hold of every trace, by every method, in both directions."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.columns import build
from comity.model import BITCOIN, BTC, AccountId, AssetId, Transfer
from comity.tracing import _state
from comity.tracing._query import Query
from comity.tracing.reach import reach, reached

# REACH
from comity.tracing.trace import Bounds, Direction, Method, Stop, Trace, compare, spread, trace

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
EURO = AssetId("iso4217:EUR")
ACCOUNTS = [AccountId(f"acct:X:{i}") for i in range(6)]
WALLETS = [AccountId(f"{BITCOIN}:w{i}") for i in range(5)]
ALL = Bounds(hops=100, min_share=0, max_nodes=10_000)
METHODS = st.sampled_from(Method)
DIRECTIONS = st.sampled_from(Direction)


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


def people_of(transfers: list[Transfer]) -> list[str]:
    return sorted({str(a) for t in transfers for a in (t.originator, t.beneficiary) if not a.is_hub})


@given(LEDGERS, METHODS, DIRECTIONS, BOUNDS, st.integers(0, 5), st.booleans(), st.booleans(), st.data())
def test_nothing_is_lost_and_time_is_respected(
    ledger, method, direction, bounds, pick, some, service, data
) -> None:
    transfers, reference = ledger
    columns = build(transfers, reference)
    people = people_of(transfers)
    if not people:
        return
    start = people[pick % len(people)]
    amount = Decimal(data.draw(st.integers(1, 5000))) / 100 if some else None
    services = {people[-1]} if service else set()
    options = {"amount": amount, "services": services, "bounds": bounds}
    found = trace(columns, start, direction, method=method, **options)
    assert found.method is method
    assert sum((leaf.value for leaf in found.leaves), Decimal(0)) == found.value
    assert all(max(leaf.value, leaf.tainted or 0) > 0 for leaf in found.leaves)
    assert len({s.transfer for s in found.steps}) == len(found.steps)
    worth = {t.id: t for t in transfers}
    for step in found.steps if direction is Direction.FORWARD else reversed(found.steps):
        near, _ = (step.source, step.target) if direction is Direction.FORWARD else (step.target, step.source)
        assert max(step.value, step.tainted or 0) > 0 and step.value >= 0
        assert (step.tainted is None) == (method is not Method.POISON)
        if not step.estimated and all(t.value is not None for t in transfers):
            assert step.value <= worth[step.transfer].value
        if bounds.until and direction is Direction.FORWARD:
            assert step.time <= bounds.until
        if bounds.until and direction is Direction.BACKWARD:
            assert step.time >= bounds.until
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


@given(LEDGERS, METHODS, DIRECTIONS, BOUNDS, st.integers(0, 5), st.booleans())
def test_a_walk_along_the_index_and_a_sweep_over_all_find_the_same(
    ledger, method, direction, bounds, pick, some
) -> None:
    transfers, reference = ledger
    people = people_of(transfers)
    if not people:
        return
    amount, time = (Decimal(20), BEGIN + timedelta(hours=5)) if some else (None, None)
    asked = Query(
        build(transfers, reference),
        people[pick % len(people)],
        direction,
        amount,
        time,
        frozenset(people[4:5]),
        bounds,
        None,
    )
    walked, swept, either = (
        asked.traced(method, plan) for plan in (_state.WALK, _state.SWEEP, _state.EITHER)
    )
    assert walked == swept == either


def mirrored(transfers: list[Transfer]) -> list[Transfer]:
    """The same backward: time and both ends of each swapped, ties in reverse."""
    order = sorted(transfers, key=lambda t: (t.time, t.id), reverse=True)
    return [
        Transfer(f"{i:05}", BEGIN - (t.time - BEGIN), t.beneficiary, t.originator, None, t.value)
        for i, t in enumerate(order)
    ]


@given(LEDGERS, METHODS, BOUNDS, st.integers(0, 5), st.booleans())
def test_backward_is_forward_in_a_mirror(ledger, method, bounds, pick, some) -> None:
    transfers, reference = ledger
    people = people_of(transfers)
    if not people:
        return
    start, amount = people[pick % len(people)], Decimal(20) if some else None
    there = None if bounds.until is None else BEGIN - (bounds.until - BEGIN)
    other = Bounds(bounds.hops, bounds.min_share, bounds.max_nodes, there)
    back = trace(
        build(transfers, reference), start, Direction.BACKWARD, amount=amount, bounds=bounds, method=method
    )
    forth = trace(build(mirrored(transfers), reference), start, amount=amount, bounds=other, method=method)
    assert back.value == forth.value
    assert back.leaves == forth.leaves
    assert [(s.target, s.source, s.value, s.hop, s.tainted) for s in back.steps] == [
        (s.source, s.target, s.value, s.hop, s.tainted) for s in reversed(forth.steps)
    ]


# Tracing again, from its definition: every smallest unit is an object that moves from queue to queue.


@st.composite
def known_ledgers(draw: st.DrawFn) -> list[Transfer]:
    """Small values, all known; no two payments and no two transactions at one time."""
    transfers: list[Transfer] = []
    for number in range(draw(st.integers(1, 14))):
        time = BEGIN + timedelta(hours=number)
        if draw(st.booleans()):
            ends = draw(st.lists(st.sampled_from(WALLETS), min_size=2, max_size=2))
            ways = [(f"{number:03}", ends[0], ends[1])]
        else:
            hub = AccountId(f"{BITCOIN}:tx-{number}")
            ins = draw(st.lists(st.sampled_from(WALLETS), min_size=1, max_size=3, unique=True))
            outs = draw(st.lists(st.sampled_from(WALLETS), min_size=1, max_size=3))
            ways = [(f"{number:03}:in:{i}", wallet, hub) for i, wallet in enumerate(ins)]
            ways += [(f"{number:03}:out:{i}", hub, wallet) for i, wallet in enumerate(outs)]
        for name, near, far in ways:
            value = Decimal(draw(st.integers(0, 12))).scaleb(-8)
            transfers.append(Transfer(name, time, near, far, None, value))
    return transfers


def in_order(transfers: list[Transfer]) -> list[tuple[str, str, int]]:
    ordered = sorted(transfers, key=lambda t: (t.time, t.id))
    return [(str(t.originator), str(t.beneficiary), int(t.value.scaleb(8))) for t in ordered]


def openings(moves: list[tuple[str, str, int]]) -> dict[str, int]:
    balance: dict[str, int] = defaultdict(int)
    lowest: dict[str, int] = defaultdict(int)
    for near, far, units in moves:
        if near != far:
            balance[near] -= units
            balance[far] += units
            lowest[near] = min(lowest[near], balance[near])
    return {account: -low for account, low in lowest.items()}


def unit_by_unit(transfers: list[Transfer], start: str, method: Method) -> dict[str, int]:
    """How many units that ``start`` sent lie where in the end."""
    moves = in_order(transfers)
    queues: dict[str, deque[bool]] = defaultdict(deque)
    for account, units in openings(moves).items():
        queues[account].extend([False] * units)
    came_back = 0
    for near, far, units in moves:
        if near == far:
            continue
        for _ in range(units):
            traced = queues[near].popleft() if method is Method.FIFO else queues[near].pop()
            traced = traced or near == start
            came_back += traced and far == start
            queues[far].append(traced and far != start)
    found = {account: sum(queue) for account, queue in queues.items() if sum(queue)}
    return {**found, start: came_back} if came_back else found


def ends_of(found: Trace) -> dict[str, int]:
    ends: dict[str, int] = defaultdict(int)
    for leaf in found.leaves:
        ends[leaf.account] += int(leaf.value.scaleb(8))
    return dict(ends)


@given(known_ledgers(), st.sampled_from([Method.FIFO, Method.LIFO]), st.sampled_from(WALLETS))
def test_fifo_and_lifo_are_what_moving_every_unit_by_itself_gives(transfers, method, wallet) -> None:
    start = str(wallet)
    for direction, seen in ((Direction.FORWARD, transfers), (Direction.BACKWARD, mirrored(transfers))):
        columns = build(transfers, BTC)
        if start not in columns.accounts:
            return
        found = trace(columns, start, direction, bounds=ALL, method=method)
        assert ends_of(found) == unit_by_unit(seen, start, method)
        assert {leaf.reason for leaf in found.leaves} <= {Stop.HELD, Stop.FEE}


def in_proportion(transfers: list[Transfer], start: str) -> dict[str, Fraction]:
    """The same for haircut, in fractions of a unit."""
    moves = in_order(transfers)
    held: dict[str, Fraction] = defaultdict(Fraction, openings(moves))
    traced: dict[str, Fraction] = defaultdict(Fraction)
    came_back = Fraction(0)
    for near, far, units in moves:
        if near == far:
            continue
        part = traced[near] * units / held[near] if held[near] else Fraction(0)
        traced[near] -= part
        held[near] -= units
        held[far] += units
        part = Fraction(units) if near == start else part
        if far == start:
            came_back += part
        else:
            traced[far] += part
    traced[start] = came_back
    return traced


@given(known_ledgers(), st.sampled_from(WALLETS))
def test_haircut_is_the_proportion_to_within_a_unit_for_each_division(transfers, wallet) -> None:
    start = str(wallet)
    for direction, seen in ((Direction.FORWARD, transfers), (Direction.BACKWARD, mirrored(transfers))):
        columns = build(transfers, BTC)
        if start not in columns.accounts:
            return
        found = ends_of(trace(columns, start, direction, bounds=ALL))
        exact = in_proportion(seen, start)
        for account in {*found, *exact}:
            assert abs(found.get(account, 0) - exact[account]) <= len(transfers)


@given(LEDGERS, DIRECTIONS, st.integers(0, 5), st.integers(1, 5))
def test_every_method_lies_within_what_poison_taints(ledger, direction, pick, hops) -> None:
    transfers, reference = ledger
    people = people_of(transfers)
    if not people or any(t.value is None for t in transfers):
        return
    bounds = Bounds(hops=hops, min_share=0, max_nodes=10_000)
    columns, start = build(transfers, reference), people[pick % len(people)]
    traces = compare(columns, start, direction, bounds=bounds)
    tainted = {step.transfer: step.tainted for step in traces[Method.POISON].steps}
    for found in traces.values():
        assert found.value == traces[Method.POISON].value
        for step in found.steps:
            assert step.value <= tainted[step.transfer]
    for one in spread(traces):
        assert 0 <= one.lowest <= min(one.by_method.values())
        assert max(one.by_method.values()) <= one.highest <= traces[Method.POISON].value
        assert set(one.by_method) == set(Method)


@given(bank_ledgers(), METHODS, st.randoms())
def test_the_order_of_input_does_not_matter(transfers, method, random) -> None:
    if not transfers:
        return
    start = str(transfers[0].originator)
    expected = trace(build(transfers, EURO), start, method=method)
    random.shuffle(transfers)
    assert trace(build(transfers, EURO), start, method=method) == expected


def ways(transfers: list[Transfer], start: str, hops: int, until: datetime | None) -> dict[str, tuple]:
    """Reach from its definition: per account each fewest hops by which it is reached no later."""
    best: dict[tuple[str, int], datetime] = {(start, 0): datetime.min.replace(tzinfo=UTC)}
    while True:
        before = dict(best)
        for t in transfers:
            near, far = str(t.originator), str(t.beneficiary)
            for hop in range(hops + 1):
                if (near, hop) not in best or best[near, hop] > t.time or (until and t.time > until):
                    continue
                there = (far, hop + (not t.originator.is_hub))
                if there[1] <= hops and best.get(there, t.time + timedelta(1)) > t.time:
                    best[there] = t.time
        if best == before:
            break
    found: dict[str, tuple] = {}
    for (account, hop), time in best.items():
        if account != start:
            fewest, earliest = found.get(account, (hop, time))
            found[account] = (min(fewest, hop), min(earliest, time))
    return found


@given(LEDGERS, st.integers(0, 5), st.integers(1, 5), st.one_of(st.none(), st.integers(0, 30)))
def test_reach_is_all_ways_in_order_of_time(ledger, pick, hops, hours) -> None:
    transfers, reference = ledger
    people = people_of(transfers)
    if not people:
        return
    start, until = people[pick % len(people)], None if hours is None else BEGIN + timedelta(hours=hours)
    there = None if until is None else BEGIN - (until - BEGIN)
    for seen, direction, last in (
        (transfers, Direction.FORWARD, until),
        (mirrored(transfers), Direction.BACKWARD, there),
    ):
        columns = build(seen, reference)
        walked = reached(columns, start, direction, hops, None, last, _state.WALK)
        swept = reached(columns, start, direction, hops, None, last, _state.SWEEP)
        either = reach(columns, start, direction, hops, until=last)
        for other in (swept, either):
            assert walked.account.tolist() == other.account.tolist()
            assert walked.hop.tolist() == other.hop.tolist()
            assert walked.time.tolist() == other.time.tolist()
            assert walked.transfers == other.transfers
        sign = 1 if direction is Direction.FORWARD else -1
        expected = ways(transfers, start, hops, until)
        assert {columns.accounts[a] for a in walked.account} == set(expected)
        for account, (fewest, time) in expected.items():
            assert walked.found(account) == (fewest, BEGIN + sign * (time - BEGIN))


@given(LEDGERS, DIRECTIONS, st.integers(0, 5), st.integers(1, 5))
def test_poison_reaches_what_is_within_reach(ledger, direction, pick, hops) -> None:
    """Where all values are known and none is nothing: a transfer of nothing taints nobody."""
    transfers, reference = ledger
    people = people_of(transfers)
    if not people or any(not t.value for t in transfers):
        return
    bounds, start = Bounds(hops=hops, min_share=0, max_nodes=10_000), people[pick % len(people)]
    columns = build(transfers, reference)
    found = trace(columns, start, direction, bounds=bounds, method=Method.POISON)
    touched = {end for step in found.steps for end in (step.source, step.target)} - {start}
    within = reach(columns, start, direction, hops)
    assert touched <= {columns.accounts[a] for a in within.account}

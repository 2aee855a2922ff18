"""What holds for any transfers: columns are sound, storage is exact, the order of appends does not matter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.ledger.columns import build, microseconds
from comity.ledger.store import Ledger
from comity.model import (
    BITCOIN,
    AccountId,
    Amount,
    AssetId,
    Columns,
    Identifier,
    Party,
    PartyKind,
    Transfer,
)

USD = AssetId("iso4217:USD")
ASSETS = st.sampled_from([USD, AssetId("iso4217:EUR"), AssetId(f"{BITCOIN}/slip44:0")])
ACCOUNTS = st.sampled_from(
    [AccountId(f"acct:B:{number}") for number in range(4)]
    + [AccountId(f"{BITCOIN}:tx-{number}") for number in range(2)]
    + [AccountId("iban:DE89370400440532013000")]
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
QUANTITIES = st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=18)
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A ledger syncs every file it writes: a disk that is shared would make these tests take minutes."""
NAMES = TEXTS | st.sampled_from(["Anna", "ANNA", "Straße", "Bo"])
IDENTIFIERS = st.builds(
    Identifier,
    TEXTS | st.sampled_from(["passport", "phone"]),
    TEXTS | st.sampled_from(["C01X", "+49"]),
    st.sampled_from(["", "DE"]),
)
PARTIES = st.none() | st.builds(
    Party,
    name=NAMES,
    kind=st.sampled_from(PartyKind),
    aliases=st.lists(TEXTS, max_size=2).map(tuple),
    birth_date=st.sampled_from(["", "1980-04-01", "1979", "19"]),
    identifiers=st.lists(IDENTIFIERS, max_size=2).map(tuple),
)
PLACES = st.sampled_from(["", "BANKA", "BANKB", "EXCH"])
COUNTRIES = st.sampled_from(["", "DE", "SG", "FR"])
TIMES = st.integers(0, 40).map(lambda step: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(microseconds=step))
TRANSFERS = st.lists(
    st.builds(
        Transfer,
        id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
        time=TIMES,
        originator=ACCOUNTS,
        beneficiary=ACCOUNTS,
        amount=st.none() | st.builds(Amount, QUANTITIES, ASSETS),
        value=st.none() | QUANTITIES,
        originator_party=PARTIES,
        beneficiary_party=PARTIES,
        originator_institution=PLACES,
        beneficiary_institution=PLACES,
        originator_country=COUNTRIES,
        beneficiary_country=COUNTRIES,
        intermediaries=st.lists(TEXTS, max_size=2).map(tuple),
        reference=TEXTS,
    ),
    max_size=25,
    unique_by=lambda transfer: transfer.id,
)


@contextmanager
def fresh() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Ledger.create(Path(folder) / "ledger")


def assert_same(left: Columns, right: Columns) -> None:
    """Equal in every array, its type, and every text, of the columns and of their facts."""
    assert (left.reference, left.scale) == (right.reference, right.scale)
    for one, other in ((left, right), (left.facts, right.facts)):
        for name in (field.name for field in fields(one)):
            mine, its = getattr(one, name), getattr(other, name)
            if isinstance(its, np.ndarray):
                assert np.array_equal(mine, its), name
                assert mine.dtype == its.dtype, name
            elif isinstance(its, tuple):
                assert tuple(mine) == its, name


def rebuilt(ledger: Ledger) -> Columns:
    """The columns as they are made when there are none."""
    for folder in ledger.path.glob("columns*"):
        shutil.rmtree(folder)
    return ledger.columns()


@given(TRANSFERS)
def test_columns_are_sound(transfers: list[Transfer]):
    columns = build(transfers, USD)
    by_id = {transfer.id: transfer for transfer in transfers}
    assert list(columns.ids) == sorted(by_id, key=lambda name: (by_id[name].time, name))
    for place, name in enumerate(columns.ids):
        assert columns.accounts[columns.src[place]] == by_id[name].originator.value
        assert columns.accounts[columns.dst[place]] == by_id[name].beneficiary.value
    for ptr, idx, key in (
        (columns.out_ptr, columns.out_idx, columns.src),
        (columns.in_ptr, columns.in_idx, columns.dst),
    ):
        assert (ptr[0], ptr[-1], len(ptr)) == (0, len(columns), columns.n_accounts + 1)
        assert sorted(idx.tolist()) == list(range(len(columns))), "each transfer once"
        for account in range(columns.n_accounts):
            mine = idx[ptr[account] : ptr[account + 1]]
            assert np.all(key[mine] == account)
            assert np.all(np.diff(mine) > 0), "in time order"
    assert [AccountId(name).is_hub for name in columns.accounts] == columns.hub.tolist()


@settings(max_examples=20)
@given(TRANSFERS, st.randoms(use_true_random=False), st.integers(1, 3))
def test_appending_in_any_split_is_appending_at_once(transfers: list[Transfer], random, parts: int):
    shuffled = list(transfers)
    random.shuffle(shuffled)
    with fresh() as ledger:
        for part in range(parts):
            ledger.append(shuffled[part::parts])
        assert_same(ledger.columns(), build(transfers, USD))
        assert len(ledger) == len(transfers)
        assert ledger.transfers([transfer.id for transfer in transfers]) == tuple(transfers)


class Told:
    """What a ledger ought to show, kept in the plainest way: every fact in order, by the id it speaks of."""

    def __init__(self) -> None:
        self.now: dict[str, Transfer] = {}
        self.void: dict[str, Transfer] = {}
        self.used: set[str] = set()

    def append(self, transfers: list[Transfer]) -> None:
        self.now |= {one.id: one for one in transfers}
        self.used |= {one.id for one in transfers}

    def correct(self, replacements: dict[str, Transfer], voids: list[str]) -> None:
        for name in voids:
            self.void[name] = self.now.pop(name)
        for name, one in replacements.items():
            self.now.pop(name, None)
            self.void.pop(name, None)
            self.now[one.id] = one
            self.used.add(one.id)


def correction(told: Told, random, spare: list[Transfer]) -> tuple[dict[str, Transfer], list[str]]:
    """A few replacements, under the same id or a new one, and voids; a void one may be stated anew."""
    names = sorted(told.now)
    random.shuffle(names)
    chosen = names[: random.randint(0, min(4, len(names)))]
    voids = [name for name in chosen if random.random() < 0.4]
    replaced = [name for name in chosen if name not in voids]
    replaced += [name for name in sorted(told.void) if random.random() < 0.5]
    replacements = {}
    for name in replaced:
        new = spare.pop() if spare and random.random() < 0.8 else told.now.get(name) or told.void[name]
        fresh_id = f"new-{len(told.used)}-{name}"
        replacements[name] = replace(new, id=name if random.random() < 0.5 else fresh_id)
    return replacements, voids


@settings(max_examples=40, deadline=None)
@given(TRANSFERS, TRANSFERS, st.randoms(use_true_random=False))
def test_whatever_happens_the_columns_are_those_of_what_counts(
    transfers: list[Transfer], spare: list[Transfer], random
):
    """Appends, late or not, corrections of corrections and compactions in any order: merged columns are
    rebuilt columns, and both are what the transfers that count now make in memory."""
    waiting, told = list(transfers), Told()
    random.shuffle(waiting)
    with fresh() as ledger:
        seen = {0: dict(told.now)}
        for _ in range(random.randint(1, 7)):
            step = random.random()
            if step < 0.5:
                some = [waiting.pop() for _ in range(min(len(waiting), random.randint(1, 9)))]
                told.append(some)
                ledger.append(some)
            elif step < 0.9:
                replacements, voids = correction(told, random, spare)
                told.correct(replacements, voids)
                assert ledger.correct(replacements, voids, reason="so") == len(replacements) + len(voids)
            else:
                ledger.compact(rows=random.randint(1, 5))
            seen[ledger.version] = dict(told.now)
            if random.random() < 0.7:
                assert_same(ledger.columns(), build(told.now.values(), USD))
        assert len(ledger) == len(told.now)
        assert ledger.find(sorted(told.used)) == told.now
        assert_same(ledger.columns(), build(told.now.values(), USD))
        assert_same(rebuilt(ledger), build(told.now.values(), USD))
        check_changes(ledger, seen, told.now)


def check_changes(ledger: Ledger, seen: dict[int, dict[str, Transfer]], now: dict[str, Transfer]) -> None:
    """Both ends and the times of whatever differs between then and now are among the changes since."""
    for version, then in seen.items():
        found = ledger.changes(version)
        differing = [
            one
            for name in {*then, *now}
            if then.get(name) != now.get(name)
            for one in (then.get(name), now.get(name))
            if one is not None
        ]
        ends = {end.value for one in differing for end in (one.originator, one.beneficiary)}
        assert ends <= set(found.accounts)
        assert list(found.accounts) == sorted(found.accounts)
        for one in differing:
            assert found.first <= microseconds(one.time) <= found.last
        assert bool(found) == (version < ledger.version)


@settings(max_examples=20)
@given(QUANTITIES, st.decimals("0.0001", 10**4, allow_nan=False, allow_infinity=False, places=4))
def test_a_rate_is_applied_exactly(quantity: Decimal, rate: Decimal):
    moved = Transfer(
        id="t",
        time=datetime(2026, 3, 1, tzinfo=UTC),
        originator=AccountId("acct:A:1"),
        beneficiary=AccountId("acct:B:1"),
        amount=Amount(min(quantity, Decimal(10**9)), AssetId("iso4217:EUR")),
    )
    with fresh() as ledger:
        ledger.append([moved], rates={"iso4217:EUR": rate})
        (stored,) = ledger.transfers(["t"])
        assert stored.value is not None
        assert moved.amount is not None
        assert abs(stored.value - moved.amount.quantity * rate) <= Decimal("0.00005")
        assert ledger.columns().value[0] == int(stored.value * 10_000)

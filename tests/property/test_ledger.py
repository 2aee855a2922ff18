"""What holds for any transfers: columns are sound, storage is exact, the order of appends does not matter."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.ledger.columns import build
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
PARTIES = st.none() | st.builds(
    Party,
    name=TEXTS,
    kind=st.sampled_from(PartyKind),
    aliases=st.lists(TEXTS, max_size=2).map(tuple),
    identifiers=st.lists(st.builds(Identifier, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
)
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
        intermediaries=st.lists(TEXTS, max_size=2).map(tuple),
        reference=TEXTS,
    ),
    max_size=25,
    unique_by=lambda transfer: transfer.id,
)


@contextmanager
def fresh() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        yield Ledger.create(Path(folder) / "ledger")


def assert_same(left: Columns, right: Columns) -> None:
    for name in ("time", "src", "dst", "value", "out_ptr", "out_idx", "in_ptr", "in_idx", "hub"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name
    assert tuple(left.ids) == tuple(right.ids)
    assert tuple(left.accounts) == tuple(right.accounts)


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

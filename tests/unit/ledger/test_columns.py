from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from comity.columnar import index
from comity.errors import BadInput
from comity.ledger import columns
from comity.model import BTC, AccountId, Amount, AssetId, Identifier, Party, Transfer

USD = AssetId.money("USD")
EUR = AssetId.money("EUR")
START = datetime(2026, 3, 1, tzinfo=UTC)


def transfer(
    name: str, minutes: int, source: str, sink: str, amount: Amount | None, value: str | None = None
):
    return Transfer(
        id=name,
        time=START + timedelta(minutes=minutes),
        originator=AccountId.parse(source),
        beneficiary=AccountId.parse(sink),
        amount=amount,
        value=None if value is None else Decimal(value),
    )


A, B, HUB = "acct:BANKA:1", "acct:BANKB:2", "bip122:000000000019d6689c085ae165831e93:tx-ab"


def test_time_order_ties_by_id_and_indexes():
    built = columns.build(
        [
            transfer("z", 5, A, B, Amount(Decimal("10.5"), USD)),
            transfer("b", 1, B, A, Amount(Decimal(7), EUR), "8.12345"),
            transfer("a", 1, A, HUB, Amount(Decimal(7), EUR)),
            transfer("c", 0, HUB, B, None),
        ],
        USD,
    )
    assert built.ids == ("c", "a", "b", "z")
    assert built.accounts == tuple(sorted([A, B, HUB]))
    assert list(built.value) == [-1, -1, 81234, 105000]
    assert [built.accounts[i] for i in built.src] == [HUB, A, B, A]
    assert list(built.hub) == [False, False, True]
    a = built.accounts.index(A)
    assert list(built.out_idx[built.out_ptr[a] : built.out_ptr[a + 1]]) == [1, 3]
    assert list(built.in_idx[built.in_ptr[a] : built.in_ptr[a + 1]]) == [2]
    assert built.time[0] == int(START.timestamp()) * 1_000_000
    assert (len(built), built.n_accounts, built.scale, built.reference) == (4, 3, 4, "iso4217:USD")


def test_bitcoin_keeps_satoshis():
    built = columns.build([transfer("a", 0, A, B, Amount(Decimal("0.00000001"), BTC))], BTC)
    assert (list(built.value), built.scale) == ([1], 8)


def test_a_value_is_rounded_once_half_to_even():
    values = {
        "0.00005": 0,
        "0.00015": 2,
        "0.000050000000000000000000000001": 1,
        "99999999999999.99995": 10**18,
    }
    built = columns.build([transfer(value, 0, A, B, None, value) for value in values], USD)
    assert dict(zip(built.ids, built.value.tolist(), strict=True)) == values


def test_nothing_at_all():
    built = columns.build([], USD)
    assert (len(built), built.n_accounts, list(built.out_ptr)) == (0, 0, [0])


@pytest.mark.parametrize("value", ["-1", "1e15"])
def test_a_value_that_does_not_fit_is_refused(value: str):
    with pytest.raises(BadInput, match="out of bounds"):
        columns.build([transfer("a", 0, A, B, None, value)], USD)


@pytest.mark.parametrize(("transfers", "accounts"), [(0, 3), (1, 1), (5_000, 7), (5_000, 5_000)])
def test_the_index_by_counting_is_that_of_a_stable_sort(transfers: int, accounts: int):
    keys = np.random.default_rng(1).integers(0, accounts, transfers).astype(np.int32)
    ptr, idx = index(keys, accounts)
    assert np.array_equal(idx, np.argsort(keys, kind="stable"))
    assert np.array_equal(ptr, np.searchsorted(np.sort(keys), np.arange(accounts + 1)))
    assert (ptr.dtype, idx.dtype) == (np.int64, np.int64)


def test_who_shares_what_and_figures_of_an_amount():
    def held(name: str, *documents: str, born: str = "") -> Party:
        return Party(
            name, birth_date=born, identifiers=tuple(Identifier(*one.split("/"), "DE") for one in documents)
        )

    def pays(name: str, party: Party, amount: str) -> Transfer:
        paid = transfer(name, 0, f"acct:A:{name}", B, Amount(Decimal(amount), EUR))
        return replace(paid, originator_party=party)

    facts = columns.build(
        [
            pays("1", held("Anna", "phone/1", "passport/X"), "5000"),
            pays("2", held("Bo", "phone/1", born="1979"), "12.50"),
            pays("3", held("Cy", "phone/1", "lei/L", born="1999-01-02"), "0"),
            pays("4", held("ANNA", "passport/X", born="x"), "0.001"),
            pays("5", held("Di", "lei/L"), "1010"),
        ],
        USD,
    ).facts
    assert facts.sharers.tolist() == [2, 2, 2, 0, 0, 0], "the same name under one document is no sharer"
    assert len(set(facts.identity[:3].tolist())) == 1
    assert facts.born.tolist() == [0, 1979, 1999, 0, 0, 0]
    assert facts.digits.tolist() == [1, 3, 0, 1, 3]

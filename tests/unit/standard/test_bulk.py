"""Duties of a whole ledger: read from its table, judged at once. That they are those of each transfer alone
is held by tests/property/test_bulk.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from comity.errors import BadInput, NotFound
from comity.ledger.store import Ledger
from comity.model import (
    BTC,
    AccountId,
    Amount,
    AssetId,
    Confidence,
    Force,
    Institution,
    Operator,
    Party,
    PartyKind,
    Role,
    Threshold,
    Transfer,
)
from comity.standard.batch import code, limit, of
from comity.standard.bulk import NONE, lowest, owed
from comity.standard.duties import duties
from comity.standard.law import Standard
from comity.standard.table import FIELDS, batch

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTIES = {
    each.id: each
    for each in (
        Institution("us-vasp", "US", Role.VASP, ("US",)),
        Institution("de-bank", "DE", Role.BANK, ("DE",)),
        Institution("two", "Two", Role.VASP, ("SG", "AE")),
    )
}
USD = {"USD": Decimal(1)}


def rates(standard: Standard) -> dict[str, Decimal]:
    return dict(standard.vocabulary.rates)


def move(name: str, origin: str, target: str, value: str | None, **more: object) -> Transfer:
    return Transfer(
        name,
        AT + timedelta(hours=len(name)),
        AccountId(origin),
        AccountId(target),
        Amount(Decimal("0.1"), BTC),
        None if value is None else Decimal(value),
        **more,  # type: ignore[arg-type]
    )


TRANSFERS = [
    move("a", "acct:us-vasp:1", "acct:de-bank:2", "2999.99"),
    move("bb", "acct:us-vasp:1", "acct:de-bank:2", "3000"),
    move("ccc", "acct:us-vasp:1", "eip155:1:0xaa", "50000", beneficiary_country="IR"),
    move("dddd", "iban:DE89370400440532013000", "acct:two:9", "1", intermediaries=("two", "us-vasp")),
    move("eeeee", "acct:us-vasp:1", "acct:us-vasp:2", "10", originator_country="VG"),
    Transfer(
        "ffffff",
        AT,
        AccountId("acct:two:1"),
        AccountId("acct:de-bank:1"),
        Amount(Decimal("1500.000000000000000001"), AssetId.money("SGD")),
        Decimal("1140.0000000001"),
        originator_party=Party("Ltd", PartyKind.LEGAL),
        beneficiary_party=Party('"kind": "legal"', PartyKind.NATURAL),
    ),
]


@pytest.mark.parametrize("number", range(len(TRANSFERS)))
def test_a_ledger_s_table_says_what_its_transfers_say(
    tmp_path: Path, installed: Standard, number: int
) -> None:
    ledger = Ledger.create(tmp_path / "l")
    ledger.append(TRANSFERS)
    table = ledger.table((*FIELDS, "id"))
    found = owed(installed, batch(table, PARTIES), rates=rates(installed))
    transfer = TRANSFERS[number]
    place = table["id"].to_pylist().index(transfer.id)
    alone = duties(installed, transfer, parties=PARTIES, on=transfer.time, rates=rates(installed))
    assert alone
    assert found.of(place) == alone


def test_what_the_ledger_has_no_column_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no column"):
        Ledger.create(tmp_path / "l").table(("time", "secret"))


def test_an_empty_ledger_owes_nothing(tmp_path: Path, installed: Standard) -> None:
    table = Ledger.create(tmp_path / "l").table(FIELDS)
    found = owed(installed, batch(table, PARTIES), rates=USD)
    assert (len(found), found.count()) == (0, {})
    assert found.due("report_suspicion").tolist() == []


def test_whose_worth_is_not_known_is_not_judged_where_it_matters(installed: Standard) -> None:
    unknown = [move("a", "acct:us-vasp:1", "acct:de-bank:2", None)]
    found = owed(installed, of(unknown, parties=PARTIES, rates={}), rates=rates(installed))
    open_ = {kind for kind in found.kinds if (found.unjudged >> np.uint32(found.kinds.index(kind)) & 1).any()}
    assert open_ == {"travel_rule"}
    kinds = {(each.jurisdiction, each.kind) for each in found.of(0)}
    assert ("DE", "travel_rule") in kinds, "where every value counts, the worth does not matter"
    assert ("US", "travel_rule") not in kinds
    # A rate for the asset itself makes the worth known.
    valued = of(unknown, parties=PARTIES, rates={BTC.value: Decimal(60_000)})
    assert not owed(installed, valued, rates=rates(installed)).unjudged.any()


def test_a_rate_that_is_missing_is_named(installed: Standard) -> None:
    with pytest.raises(BadInput, match="no rate for"):
        owed(installed, of(TRANSFERS, parties=PARTIES, rates={}), rates={"GBP": Decimal(1)})


def test_counts_masks_and_deadlines(installed: Standard) -> None:
    many = [move(f"{n:04}", "acct:us-vasp:1", "acct:de-bank:2", "5000") for n in range(200)]
    facts = {each.id: {"suspicion": "alert"} for each in many[:50]}
    found = owed(installed, of(many, parties=PARTIES, rates={}, facts=facts), rates=rates(installed))
    assert found.count()["US", "report_suspicion", Force.REQUIRED] == 50
    assert found.count()["US", "travel_rule", Force.REQUIRED] == 200
    assert found.mask("report_suspicion", Force.REQUIRED).sum() == 100
    ends = found.due("report_suspicion")
    assert (ends != NONE).sum() == 50, "Germany's *without delay* ends at no computable time"
    with pytest.raises(NotFound, match="pray"):
        found.mask("pray", Force.REQUIRED)


def test_the_lowest_confidence_behind_a_duty_is_said(installed: Standard) -> None:
    found = owed(installed, of(TRANSFERS[:2], parties=PARTIES, rates={}), rates=rates(installed))
    trust = lowest(found)
    assert set(found.count()) <= set(trust)
    assert trust["US", "keep_records", Force.REQUIRED] is Confidence.HIGH
    assert Confidence.MEDIUM in trust.values()


@pytest.mark.parametrize(
    ("operator", "amount", "reaching", "not_reaching"),
    [
        (Operator.AT_LEAST, "1000", "1000", "999.99999999"),
        (Operator.OVER, "1000", "1000.0001", "1000"),
        (Operator.OVER, "1000", "1000.00000001", "1000"),
        (Operator.AT_LEAST, "0.00005", "0.0001", "0"),
    ],
)
def test_worth_is_judged_exactly_at_the_boundary(
    operator: Operator, amount: str, reaching: str, not_reaching: str
) -> None:
    threshold = Threshold(operator, Decimal(amount), "EUR")
    least = limit(threshold, threshold.amount, 4)
    assert code(Decimal(reaching), 4) >= least
    assert code(Decimal(not_reaching), 4) < least


def test_worth_beyond_what_fits_is_refused() -> None:
    for worth in (Decimal(2) ** 62, Decimal(-1)):
        with pytest.raises(BadInput, match="out of bounds"):
            code(worth, 4)
    huge = pa.table(
        {
            name: pa.array([None], pa.decimal128(38, 18))
            if name in ("amount", "value")
            else pa.array([AT.replace(tzinfo=None)], pa.timestamp("us"))
            if name == "time"
            else pa.array([[]], pa.list_(pa.string()))
            if name == "intermediaries"
            else pa.array(["acct:us-vasp:1"])
            for name in FIELDS
        }
    )
    place = huge.schema.get_field_index("value")
    value = pa.array([Decimal(10) ** 19], pa.decimal128(38, 18))
    with pytest.raises(BadInput, match="beyond"):
        batch(huge.set_column(place, "value", value), PARTIES)


def test_a_worth_of_many_digits_is_judged_as_it_is(installed: Standard) -> None:
    nearly = Transfer(
        "n",
        AT,
        AccountId("acct:us-vasp:1"),
        AccountId("acct:de-bank:2"),
        Amount(Decimal("2999." + "9" * 30), AssetId.money("USD")),
    )
    found = owed(installed, of([nearly], parties=PARTIES, rates=USD), rates=rates(installed))
    assert found.of(0) == duties(installed, nearly, parties=PARTIES, on=AT, rates=rates(installed))


def test_a_rate_of_nothing_is_refused_by_both(installed: Standard) -> None:
    pounds = Transfer(
        "p",
        AT,
        AccountId("acct:us-vasp:1"),
        AccountId("acct:de-bank:2"),
        Amount(Decimal(5000), AssetId.money("GBP")),
        Decimal(6500),
    )
    worthless = rates(installed) | {"GBP": Decimal(0)}
    with pytest.raises(BadInput, match="a rate of 0 for GBP"):
        owed(installed, of([pounds], parties=PARTIES, rates={}), rates=worthless)
    with pytest.raises(BadInput, match="a rate of 0 for GBP"):
        duties(installed, pounds, parties=PARTIES, on=AT, rates=worthless)


@pytest.mark.parametrize("year", [1, 1899, 9001, 9999])
def test_times_that_cannot_be_counted_from_are_refused(installed: Standard, year: int) -> None:
    time = AT.replace(year=year)
    far = Transfer("f", time, AccountId("acct:us-vasp:1"), AccountId("acct:two:1"), None)
    with pytest.raises(BadInput, match="out of bounds"):
        owed(installed, of([far], parties=PARTIES, rates={}), rates=rates(installed))
    with pytest.raises(BadInput, match="out of bounds"):
        duties(installed, far, parties=PARTIES, on=time, rates=rates(installed))

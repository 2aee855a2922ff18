from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from comity.errors import BadInput, TooLarge
from comity.ledger import rates
from comity.ledger.rates import UNSOURCED, RateTable, read_rates
from comity.ledger.store import Ledger
from comity.model import AccountId, Amount, AssetId, Rate, Transfer

EUR = AssetId("iso4217:EUR")
ECB = "ECB euro reference rates"


def rate(day: int, value: str, source: str = ECB) -> Rate:
    return Rate(EUR, Decimal(value), source, date(2026, 3, day))


def paid(name: str, day: int, value: Decimal | None = None, asset: AssetId = EUR) -> Transfer:
    return Transfer(
        name,
        datetime(2026, 3, day, 23, 59, tzinfo=UTC),
        AccountId("acct:A:1"),
        AccountId("acct:B:1"),
        Amount(Decimal(100), asset),
        value,
    )


def test_the_latest_rate_on_or_before_the_day_within_its_age():
    table = RateTable([rate(10, "1.10"), rate(3, "1.03")])
    found = {day: table.find(EUR.value, date(2026, 3, day)) for day in (2, 3, 9, 10, 11, 17, 18)}
    assert {day: used and used[0] for day, used in found.items()} == {
        2: None,
        3: Decimal("1.03"),
        9: Decimal("1.03"),
        10: Decimal("1.10"),
        11: Decimal("1.10"),
        17: Decimal("1.10"),
        18: None,
    }
    assert table.find("iso4217:GBP", date(2026, 3, 3)) is None
    assert RateTable([rate(3, "1")], max_age_days=0).find(EUR.value, date(2026, 3, 4)) is None


def test_a_standing_rate_steps_in_where_no_dated_one_holds():
    standing = Rate(EUR, Decimal("1.2"), "given by the operator", date(2026, 11, 1))
    table = RateTable([rate(3, "1.03")], [standing])
    assert table.find(EUR.value, date(2026, 3, 4)) == (Decimal("1.03"), ECB, date(2026, 3, 3))
    assert table.find(EUR.value, date(2026, 2, 1)) == (Decimal("1.2"), standing.source, standing.on)


def test_the_ledger_keeps_which_rate_gave_a_value(tmp_path: Path):
    ledger = Ledger.create(tmp_path / "ledger")
    notes: list[str] = []
    given = [paid("a", 4), paid("b", 4, Decimal(7)), paid("c", 2), paid("d", 1)]
    ledger.append(given, rates=RateTable([rate(3, "1.03")]), notes=notes)
    names, rows = ledger.query("SELECT id, value, rate, rate_source, rate_date FROM transfers ORDER BY id")
    assert names[2:] == ("rate", "rate_source", "rate_date")
    assert rows == [
        ("a", Decimal(103), Decimal("1.03"), ECB, date(2026, 3, 3)),
        ("b", Decimal(7), None, None, None),
        ("c", None, None, None, None),
        ("d", None, None, None, None),
    ]
    (note,) = notes
    assert note.startswith(
        "no rate of iso4217:EUR within the 7 days before 2 transfers (2026-03-01 to 2026-03-02)"
    )
    assert ledger.history("a")[0].rate == rate(3, "1.03")
    assert ledger.history("b")[0].rate is None


def test_plain_numbers_are_rates_without_a_source(tmp_path: Path):
    ledger = Ledger.create(tmp_path / "ledger")
    ledger.append([paid("a", 4)], rates={EUR.value: Decimal(1) / 3})
    _, rows = ledger.query("SELECT value, rate, rate_source, rate_date FROM transfers")
    assert rows == [(Decimal("33.3333"), Decimal("0.333333333333333333"), UNSOURCED, None)]
    ledger.correct({"a": paid("a", 5)}, reason="day", rates=RateTable([rate(3, "1.1")]))
    assert ledger.query("SELECT value, rate_source FROM transfers")[1] == [(Decimal(110), ECB)]


@pytest.mark.parametrize("value", ["-1", "1e18", "NaN", "Infinity"])
def test_a_rate_out_of_bounds_is_refused(value: str):
    with pytest.raises(BadInput, match="a rate out of bounds"):
        RateTable.of({EUR.value: Decimal(value)})


def test_two_rates_of_a_day_must_agree():
    assert RateTable([rate(3, "1.03"), rate(3, "1.030", "other")]).find(EUR.value, date(2026, 3, 3))
    with pytest.raises(BadInput, match="two rates of iso4217:EUR on 2026-03-03"):
        RateTable([rate(3, "1.03"), rate(3, "1.04")])


def test_a_file_of_rates(tmp_path: Path, now: datetime):
    path = tmp_path / "rates.csv"
    path.write_text(
        f"date,asset,source,value\n2026-03-03,EUR,{ECB},1.03\n\n2026-03-10,iso4217:EUR,{ECB},1.10\n"
    )
    assert read_rates(path, now) == [rate(3, "1.03"), rate(10, "1.10")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("asset,date,value\n", "does not have the columns"),
        ("", "does not have the columns"),
        ("asset,date,value,source\n", "holds no rate"),
        ("asset,date,value,source\nEUR,2026-03-03,1.1\n", "row 2: 3 cells"),
        ("asset,date,value,source\nEUR,3 March,1.1,ECB\n", "row 2, date: not a date"),
        ("asset,date,value,source\nEUR,2096-03-03,1.1,ECB\n", "row 2, date: .* future"),
        ("asset,date,value,source\nEUR,2026-03-03,-1.1,ECB\n", "row 2, value: not an amount"),
        ("asset,date,value,source\nEUR,2026-03-03,1.1,\n", "row 2, source: empty"),
        ("asset,date,value,source\neuro,2026-03-03,1.1,ECB\n", "row 2, asset: not an asset id"),
        ('asset,date,value,source\nEUR,2026-03-03,1.1,"ECB\n', "not CSV"),
    ],
)
def test_a_file_of_rates_is_distrusted(tmp_path: Path, now: datetime, text: str, said: str):
    (tmp_path / "rates.csv").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_rates(tmp_path / "rates.csv", now)


def test_a_file_of_rates_is_bounded(tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "rates.csv"
    path.write_text("asset,date,value,source\n" + "EUR,2026-03-03,1.1,ECB\n" * 3)
    monkeypatch.setattr(rates, "MAX_ROWS", 2)
    with pytest.raises(TooLarge, match="more than 2 rates"):
        read_rates(path, now)
    monkeypatch.setattr(rates, "MAX_FILE", 20)
    with pytest.raises(TooLarge):
        read_rates(path, now)
    path.write_bytes(b"\xff")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_rates(path, now)

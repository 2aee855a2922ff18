from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from comity.chains import Intake, table
from comity.errors import BadInput, TooLarge
from comity.intake import open_source
from comity.model import Identifier, PartyKind, Transfer

HEADER = "id,time,originator,beneficiary,amount,asset"
ROW = "T,2026-03-02T09:00:00Z,acct:A:1,acct:B:2,10.5,EUR"


def read(data: str | bytes, now: datetime, options: Mapping[str, str] | None = None) -> list[Transfer]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(table.read(stream, Intake(now, options or {})))


def test_every_column(now: datetime):
    sides = ("institution", "country", "name", "birth_date", "document")
    columns = [f"{side}_{what}" for side in ("originator", "beneficiary") for what in sides]
    values = ["BANKA", "DE", "Anna Muster", "1980-04", "passport/DE/C01/X"]
    values += ["BANKB", "SG", "Bo", "", "tax//77"]
    text = f"{HEADER},value,intermediaries,reference,{','.join(columns)}\n"
    text += f"{ROW},11.9,MIDDFRPP; NEXT,inv 7,{','.join(values)}\n"
    (transfer,) = read(text, now)
    assert transfer.value == Decimal("11.9")
    assert transfer.intermediaries == ("MIDDFRPP", "NEXT")
    assert transfer.reference == "inv 7"
    assert (transfer.originator_institution, transfer.beneficiary_institution) == ("BANKA", "BANKB")
    assert (transfer.originator_country, transfer.beneficiary_country) == ("DE", "SG")
    payer, payee = transfer.originator_party, transfer.beneficiary_party
    assert payer is not None
    assert payee is not None
    assert (payer.name, payer.kind, payer.birth_date) == ("Anna Muster", PartyKind.NATURAL, "1980-04")
    assert payer.identifiers == (Identifier("passport", "C01/X", "DE"),)
    assert payee.identifiers == (Identifier("tax", "77"),)


def test_accounts_are_canonical(now: datetime):
    _, second = read(table.SAMPLE, now)
    assert second.beneficiary.value == "eip155:1:0x8ba1f109551bd432803012645ac136ddd64dba72"
    assert second.time == datetime(2026, 3, 2, 9, tzinfo=UTC)
    bech32 = "bip122:000000000019d6689c085ae165831e93:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"
    (first,) = read(f"{HEADER}\n{ROW.replace('acct:B:2', bech32)}", now)
    assert first.beneficiary.value == bech32[:39] + bech32[39:].lower()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_as_it_comes(separator: str, mark: str, end: str, now: datetime):
    text = mark + f"{HEADER}{end}{ROW}{end}{end}".replace(",", separator)
    assert table.sniff(text.encode())
    (transfer,) = read(text, now)
    assert str(transfer.amount) == "10.5 EUR"


def test_quotes_hold_separators_and_line_ends(now: datetime):
    text = f'{HEADER},reference\n{ROW},"a, ""b"""\n'
    assert read(text, now)[0].reference == 'a, "b"'


def test_their_names_for_our_columns(now: datetime):
    text = "txn,when,from,to,sum,note\n" + ROW.rpartition(",")[0] + ",x\n"
    theirs = dict(zip(("id", "time", "originator", "beneficiary", "amount"), text.split(","), strict=False))
    options = {f"map.{ours}": name for ours, name in theirs.items()} | {"asset": "iso4217:EUR"}
    assert not table.sniff(text.encode())
    intake = Intake(now, options)
    (transfer,) = table.read(io.BytesIO(text.encode()), intake)
    assert str(transfer.amount) == "10.5 EUR"
    assert intake.notes == ["columns not read: note"]
    assert intake.transactions == 1


def test_times_without_offset_need_a_zone(now: datetime):
    text = f"{HEADER}\n{ROW}".replace("09:00:00Z", "09:00:00")
    with pytest.raises(BadInput, match="row 2: time: without its offset"):
        read(text, now)
    (transfer,) = read(text, now, {"timezone": "Asia/Tokyo"})
    assert transfer.time == datetime(2026, 3, 2, 0, tzinfo=UTC)


def test_what_is_no_table():
    assert not table.sniff(b"\xff\xfei\0d\0")
    assert not table.sniff(b"<?xml")
    assert table.sniff(b"PAR1")


def swapped(old: str, new: str) -> str:
    assert old in ROW
    return f"{HEADER}\n{ROW.replace(old, new)}\n"


MORE = f"{HEADER},originator_name,originator_birth_date,originator_document,originator_country,value\n{ROW}"
BAD: dict[str, tuple[str | bytes, type[Exception], str]] = {
    "empty": ("", BadInput, "columns missing: id"),
    "no amount column": (HEADER.replace(",amount", "") + "\n", BadInput, "columns missing: amount"),
    "no asset column": (HEADER.replace(",asset", "") + "\n", BadInput, "columns missing: asset"),
    "column twice": (HEADER + ",id\n", BadInput, "occur twice: id"),
    "cell missing": (f"{HEADER}\nT,2026-03-02T09:00:00Z\n", BadInput, "row 2: 2 cells"),
    "cell too many": (f"{HEADER}\n{ROW}\n{ROW},x\n", BadInput, "row 3: 7 cells"),
    "open quote": (f'{HEADER}\n"{ROW}\n', BadInput, "row 2: not CSV"),
    "negative": (swapped("10.5", "-10.5"), BadInput, "row 2: amount: not an amount"),
    "NaN": (swapped("10.5", "NaN"), BadInput, "not an amount"),
    "infinite": (swapped("10.5", "Infinity"), BadInput, "not an amount"),
    "exponent": (swapped("10.5", "1e5"), BadInput, "not an amount"),
    "thousands": (swapped("10.5", '"1,000"'), BadInput, "not an amount"),
    "absurd": (swapped("10.5", "1" + "0" * 18), BadInput, "out of bounds"),
    "too precise": (swapped("10.5", "0." + "1" * 19), BadInput, "out of bounds"),
    "no amount": (swapped("10.5", ""), BadInput, "row 2: amount"),
    "currency": (swapped("EUR", "ZZZ"), BadInput, "no such currency"),
    "iso currency": (swapped("EUR", "iso4217:ZZZ"), BadInput, "no such currency"),
    "asset": (swapped("EUR", "euros!"), BadInput, "asset: not an asset id"),
    "no asset": (swapped("EUR", ""), BadInput, "row 2: asset: empty"),
    "account": (swapped("acct:A:1", "Anna"), BadInput, "row 2: originator: not an account id"),
    "IBAN digits": (swapped("acct:A:1", "iban:DE88370400440532013000"), BadInput, "originator: not an IBAN"),
    "no id": (swapped("T,", ","), BadInput, "row 2: id: empty"),
    "time": (swapped("2026-03-02T09:00:00Z", "yesterday"), BadInput, "row 2: time: not a time"),
    "no time": (swapped("2026-03-02T09:00:00Z", ""), BadInput, "row 2: time: not a time"),
    "future": (swapped("2026-03-02", "2027-03-02"), BadInput, "row 2: time: a time out of range"),
    "before money": (swapped("2026-03-02", "1926-03-02"), BadInput, "out of range"),
    "end of time": (swapped("2026-03-02T09:00:00Z", "0001-01-01T00:00:00+23:00"), BadInput, "out of range"),
    "UTF-16": (f"{HEADER}\n{ROW}".encode("utf-16"), BadInput, "line 1: not UTF-8"),
    "UTF-16 unmarked": (f"{HEADER}\n{ROW}".encode("utf-16-le"), BadInput, "line 1: a NUL byte"),
    "latin-1": (
        f"{HEADER},originator_name\n{ROW},J\xfcrgen".encode("latin-1"),
        BadInput,
        "line 2: not UTF-8",
    ),
    "NUL": (swapped("T,", "T\0,"), BadInput, "line 2: a NUL byte"),
    "control": (swapped("T,", "T\x1b[2J,"), BadInput, "row 2: id: control characters"),
    "long id": (swapped("T,", "T" * 600 + ","), TooLarge, "row 2: id: a text of 600"),
    "long line": (HEADER + "\n" + "x" * (1 << 20) + "y", TooLarge, "line 2 is longer"),
    "long cell": (f"{HEADER}\n" + "x" * 200_000 + "\n", BadInput, "not CSV"),
    "birth": (MORE + ",A,1.4.80,,,\n", BadInput, "originator_birth_date: not a date"),
    "document": (MORE + ",A,,C01X,,\n", BadInput, "originator_document: not a document"),
    "document's country": (MORE + ",A,,id/D/7,,\n", BadInput, "originator_document: not a country"),
    "country": (MORE + ",A,,,Germany,\n", BadInput, "originator_country: not a country"),
    "value": (MORE + ",A,,,,-1\n", BadInput, "row 2: value: not an amount"),
    "institution": (
        f"{HEADER},originator_institution\n{ROW},B;C\n",
        BadInput,
        "row 2: originator_institution: not an institution id",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_refused(name: str, now: datetime):
    data, error, words = BAD[name]
    with pytest.raises(error) as caught:
        read(data, now)
    assert type(caught.value) is error
    assert words in str(caught.value.diagnostics())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"map.colour": "x"}, "no such column"),
        ({"map.value": "worth"}, "columns missing: worth"),
        ({"asset": "ZZZ"}, "no such currency"),
        ({"timezone": "Mars"}, "no such time zone"),
    ],
)
def test_bad_options_are_refused(options: dict[str, str], words: str, now: datetime):
    with pytest.raises(BadInput, match=words):
        read(f"{HEADER}\n{ROW}", now, options)


def packed(**changes: Any) -> bytes:
    """A Parquet file of two rows; a change replaces a column."""
    time = pa.array([datetime(2026, 3, 2, 9, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC"))
    columns = {
        "id": pa.array([1, 2]),
        "time": time,
        "originator": pa.array(["acct:A:1"] * 2).dictionary_encode(),
        "beneficiary": pa.array(["acct:B:2"] * 2, pa.large_string()),
        "amount": pa.array([Decimal("10.50"), Decimal("0.01")]),
        "asset": pa.array(["EUR", "eip155:1/slip44:60"]),
        "originator_country": pa.array(["DE", None]),
    }
    file = io.BytesIO()
    parquet.write_table(pa.table({**columns, **changes}), file)
    return file.getvalue()


def test_parquet(now: datetime):
    first, second = read(packed(), now)
    assert (first.id, str(first.amount), first.originator_country) == ("1", "10.50 EUR", "DE")
    assert (second.id, second.originator_country) == ("2", "")
    assert first.time == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert second.amount is not None
    assert second.amount.quantity == Decimal("0.01")


def test_parquet_amounts_as_text_and_whole_numbers_and_local_times(now: datetime):
    local = pa.array([datetime(2026, 3, 2, 9), datetime(2026, 7, 2, 9)], pa.timestamp("ns"))  # noqa: DTZ001
    data = packed(amount=pa.array(["7", "8.25"]), value=pa.array([5, None]), time=local)
    first, second = read(data, now, {"timezone": "Europe/Berlin"})
    assert (first.value, second.value) == (Decimal(5), None)
    assert (first.time.hour, second.time.hour) == (8, 7)
    with pytest.raises(BadInput, match="row 1: time: without its offset"):
        read(data, now)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": pa.array([1.5, 2.5])}, "a float is not exact"),
        ({"amount": pa.array([Decimal(-1), Decimal(1)])}, "row 1: amount: not an amount"),
        ({"amount": pa.array([1, None])}, "row 2: amount: empty"),
        ({"originator": pa.array([b"a", b"b"])}, "of type binary"),
        ({"asset": pa.array([["EUR"], ["EUR"]])}, "of type list"),
        ({"time": pa.array([1, 2])}, "of type int64"),
        ({"time": pa.array([None, None], pa.timestamp("us", "UTC"))}, "row 1: time: not a time"),
        ({"time": pa.array([1 << 62] * 2, pa.timestamp("us", "UTC"))}, "time: out of range"),
        ({"id": pa.array([None, None], pa.string())}, "row 1: id: empty"),
    ],
)
def test_parquet_of_the_wrong_types_is_refused(changes: dict[str, Any], words: str, now: datetime):
    with pytest.raises(BadInput) as caught:
        read(packed(**changes), now)
    assert words in caught.value.diagnostics()


@pytest.mark.parametrize("data", [packed()[:-40], b"PAR1", b"PAR1" + bytes(1000) + b"PAR1"])
def test_damaged_parquet_is_refused(data: bytes, now: datetime):
    with pytest.raises(BadInput, match="not a whole Parquet file"):
        read(data, now)


def test_parquet_in_batches_smaller_than_its_texts(now: datetime, monkeypatch: pytest.MonkeyPatch):
    whole = read(packed(), now)
    monkeypatch.setattr("comity.chains._table_rows._BATCH", 1)
    assert read(packed(), now) == whole


def test_one_enormous_text_that_a_small_file_repeats_is_refused(now: datetime):
    huge = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array(["A" * 30_000_000]))
    data = packed(originator_name=huge)
    assert len(data) < 3_000_000
    with pytest.raises(TooLarge, match="a cell of 30,000,000 bytes"):
        read(data, now)


def test_packed_files(tmp_path, now: datetime):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(table.SAMPLE))
    with open_source(tmp_path / "t.csv.gz") as stream:
        assert len(list(table.read(stream, Intake(now)))) == table.SAMPLE_TRANSFERS
    (tmp_path / "t.parquet.bz2").write_bytes(bz2.compress(packed()))
    with open_source(tmp_path / "t.parquet.bz2") as stream, pytest.raises(BadInput, match="packed Parquet"):
        list(table.read(stream, Intake(now)))


def test_a_bomb_is_refused_before_it_fills_anything(tmp_path, now: datetime):
    path = tmp_path / "bomb.csv.gz"
    line = (ROW + "," + " " * 100_000 + "\n").encode()
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(HEADER.encode() + b",note\n")
        for _ in range(10):
            file.write(line * 100)
    with open_source(path) as stream, pytest.raises(TooLarge, match="unpacks to more than"):
        for _ in table.read(stream, Intake(now)):
            pass

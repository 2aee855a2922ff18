"""A world written and read again is the same, but for what nobody should see."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from comity.errors import BadInput, StoreError
from comity.training.world import World, generate

START = datetime(2026, 9, 1, tzinfo=UTC)
COLUMNS = [
    "id",
    "time",
    "originator",
    "beneficiary",
    "amount",
    "asset",
    "originator_institution",
    "beneficiary_institution",
    "originator_country",
    "beneficiary_country",
    "originator_name",
    "beneficiary_name",
    "reference",
]


@pytest.fixture(scope="module")
def world() -> World:
    return generate(9, transfers=3_000, days=20, start=START)


@pytest.fixture
def written(world: World, tmp_path: Path) -> Path:
    world.write(tmp_path / "world")
    return tmp_path / "world"


def test_a_world_comes_back(world: World, written: Path) -> None:
    read = World.read(written)
    assert (read.seed, read.start, read.days) == (world.seed, world.start, world.days)
    assert read.rates == world.rates
    assert read.institutions == world.institutions
    assert read.schemes == world.schemes
    assert read.customers == world.customers
    assert list(read.transfers()) == list(world.transfers())
    assert list(read.transfers("us-bank")) == list(world.transfers("us-bank"))


def test_without_the_truth_there_are_no_schemes(written: Path) -> None:
    (written / "truth.json").unlink()
    assert World.read(written).schemes == ()


def test_the_truth_is_in_no_institution_s_files(world: World, written: Path) -> None:
    words = [text.encode() for s in world.schemes for text in (s.id, s.story)]
    given = [path for path in written.rglob("*") if path.is_file() and path.name != "truth.json"]
    assert len(given) == 1 + 2 * 12
    for path in given:
        data = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            assert table.column_names == COLUMNS
            data = "\n".join(map(str, table.column("reference").unique().to_pylist())).encode()
        assert not [word for word in words if word in data], path.name


def test_amounts_are_decimal_texts_and_times_utc(written: Path) -> None:
    table = pq.read_table(written / "de-bank" / "transfers.parquet")
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")
    assert table.schema.field("amount").type == pa.string()
    assert all(text.count(".") == 1 and "e" not in text for text in table.column("amount").to_pylist())


def test_a_shared_transfer_has_one_id_and_one_content(written: Path) -> None:
    rows = {}
    for house in ("sg-bank", "sg-vasp-1"):
        table = pq.read_table(written / house / "transfers.parquet").to_pylist()
        rows[house] = {row["id"]: row for row in table}
    shared = rows["sg-bank"].keys() & rows["sg-vasp-1"].keys()
    assert shared
    assert all(rows["sg-bank"][name] == rows["sg-vasp-1"][name] for name in shared)


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_path_in_place_of_an_institution_is_refused(written: Path) -> None:
    header = json.loads((written / "world.json").read_text())
    header["institutions"][0]["id"] = "../elsewhere"
    change(written / "world.json", institutions=header["institutions"])
    with pytest.raises(BadInput, match="not a world"):
        World.read(written)


def test_missing_rates_and_missing_transfers_are_refused(written: Path, tmp_path: Path) -> None:
    for path in written.glob("*/transfers.parquet"):
        path.unlink()
    with pytest.raises(BadInput, match="without transfers"):
        World.read(written)
    change(written / "world.json", rates={})
    with pytest.raises(BadInput, match="not a world"):
        World.read(written)
    with pytest.raises(BadInput, match=r"cannot open world\.json"):
        World.read(tmp_path)


def test_damaged_transfers_are_refused(written: Path) -> None:
    path = written / "sg-bank" / "transfers.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(BadInput, match="cannot read the transfers"):
        World.read(written)
    pq.write_table(pa.table({"id": ["x"]}), path)
    with pytest.raises(BadInput, match="cannot read the transfers"):
        World.read(written)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("asset", "iso4217:XXX", "an asset no world has"),
        ("amount", "-5", "not an amount"),
        ("amount", "1.2345", "more decimal places"),
        ("originator", "nobody", "not an account id"),
        ("reference", None, "an empty field"),
    ],
)
def test_hostile_rows_are_refused(written: Path, column: str, value: str | None, what: str) -> None:
    path = written / "sg-bank" / "transfers.parquet"
    rows = pq.read_table(path).slice(0, 1).to_pylist()
    rows[0] |= {"id": "tx-hostile", "asset": "iso4217:SGD", column: value}
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    with pytest.raises(BadInput, match=what):
        World.read(written)


def test_too_many_rows_are_refused(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.training.files.MOST_ROWS", 3)
    with pytest.raises(BadInput, match="more than 3 transfers"):
        World.read(written)


def test_a_directory_that_cannot_be_written_is_said(world: World, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="cannot write"):
        world.write(tmp_path / "taken")

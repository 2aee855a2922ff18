"""What of the Spark engine needs no Spark; the rest is held by tests/conformance/test_engines.py."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from comity.errors import SettingsError
from comity.ledger.columns import build
from comity.model import AssetId
from comity.monitoring.run import monitor
from comity.monitoring.spark import Names, Spark
from comity.typologies._common import pay


def test_account_ids_are_read_where_a_kernel_asks_for_one(tmp_path: Path) -> None:
    accounts = ("acct:a:1", "", "acct:b:é", "eip155:1:0x00")
    names = pickle.loads(pickle.dumps(Names.write(accounts, tmp_path / "names")))
    assert len(names) == 4
    assert tuple(names) == names[:] == accounts
    assert names[1:3] == accounts[1:3]


@pytest.mark.parametrize("name", ["missing", "a[1]", "b*"])
def test_a_staging_directory_that_spark_cannot_read_is_refused(tmp_path: Path, name: str) -> None:
    if name != "missing":
        (tmp_path / name).mkdir()
    columns = build([pay(1, 1, "A", "B", "5")], AssetId("iso4217:EUR"))
    with pytest.raises(SettingsError, match="cannot read from"):
        monitor(columns, engine=Spark(None, tmp_path / name))  # type: ignore[arg-type]

"""Typologies on ledgers that others made and labelled."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from comity.ledger.columns import build
from comity.model import AccountId, AssetId, Finding, Transfer
from comity.monitoring.run import monitor

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 24.0


def transfer(number: int, day: int, source: str, target: str, value: str) -> Transfer:
    return Transfer(
        f"t{number:06d}",
        BEGIN + timedelta(days=day),
        AccountId(f"acct:X:{source}"),
        AccountId(f"acct:X:{target}"),
        None,
        Decimal(value),
    )


@pytest.fixture(scope="module")
def amlsim(data: Path) -> tuple[list[Transfer], set[str]]:
    with tarfile.open(data / "labelled" / "20K_cycle200.tgz") as archive:

        def rows(name: str) -> list[dict[str, str]]:
            stream = archive.extractfile(f"20K_cycle200/{name}")
            assert stream is not None
            return list(csv.DictReader(io.TextIOWrapper(stream)))

        labelled = {f"acct:X:{row['nodeid']}" for row in rows("nodes.csv") if row["isFraud"] != "0"}
        transfers = [
            transfer(i, int(row["time"]), row["sourceNodeId"], row["targetNodeId"], row["value"])
            for i, row in enumerate(rows("transactions.csv"))
        ]
    return transfers, labelled


def rounds(findings: tuple[Finding, ...], transfers: list[Transfer]) -> set[frozenset[str]]:
    by_id = {t.id: t for t in transfers}
    return {frozenset(str(by_id[e].originator) for e in f.evidence) for f in findings}


def brute_force(
    transfers: list[Transfer], days: int, retention: Decimal, longest: int
) -> set[frozenset[str]]:
    """Every temporal cycle, by following every transfer: slow, and nothing in common with the kernel."""
    out: dict[AccountId, list[Transfer]] = defaultdict(list)
    for t in sorted(transfers, key=lambda t: t.time):
        out[t.originator].append(t)
    found = set()

    def follow(path: list[Transfer]) -> None:
        for t in out[path[-1].beneficiary]:
            before = path[-1]
            if t.time <= before.time or t.time > path[0].time + timedelta(days=days):
                continue
            assert t.value is not None and before.value is not None
            if min(t.value, before.value) < retention * max(t.value, before.value):
                continue
            if t.beneficiary == path[0].originator:
                if len(path) >= 2:
                    found.add(frozenset(str(p.originator) for p in [*path, t]))
            elif len(path) + 1 < longest and all(t.beneficiary != p.beneficiary for p in path):
                follow([*path, t])

    for t in transfers:
        if t.originator != t.beneficiary:
            follow([t])
    return found


@pytest.mark.data
def test_cycles_in_amlsim_are_exactly_the_temporal_ones(amlsim: tuple[list[Transfer], set[str]]) -> None:
    """The sample dates the transfers of a labelled cycle at random: hardly any is one in time.

    So what can be asked of a temporal detector is that it finds exactly what a plain search finds.
    """
    transfers, labelled = amlsim
    assert len(transfers) == 117_805 and len(labelled) == 945
    parameters = {"window": 40 * DAY, "retention": 0.7, "min_value": 1.0, "max_length": 5.0}
    found = rounds(
        monitor(build(transfers, EURO), only=["cycle"], parameters={"cycle": parameters}).findings, transfers
    )
    expected = brute_force(transfers, 40, Decimal("0.7"), 5)
    inside = sum(1 for accounts in found if accounts <= labelled)
    print(f"AMLSim: {len(found)} temporal cycles of {len(expected)}; {inside} among labelled accounts only")
    assert expected
    assert found == expected


@pytest.mark.data
def test_recall_of_labelled_cycles(data: Path) -> None:
    """AMLGentex dates its cycles in order, but draws each amount anew, so retention is set low.

    In three of its ten cycles one transfer keeps less than 30 % of the one before it: those are missed.
    """
    with gzip.open(data / "labelled" / "amlgentex_6countries_seed11.csv.gz", "rt") as stream:
        rows = list(csv.DictReader(stream))
    transfers = [
        transfer(i, int(row["day"]), row["src"], row["dst"], row["amount"])
        for i, row in enumerate(rows)
        if row["src"] != "-1" and row["dst"] != "-1"
    ]
    truth: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["is_laundering"] == "1" and row["pattern_type"] == "3":
            truth[row["pattern_id"]].add(f"acct:X:{row['src']}")
    parameters = {"window": 40 * DAY, "retention": 0.3, "min_value": 1.0, "max_length": 12.0}
    found = rounds(
        monitor(build(transfers, EURO), only=["cycle"], parameters={"cycle": parameters}).findings, transfers
    )
    hit = sum(1 for accounts in truth.values() if frozenset(accounts) in found)
    print(f"AMLGentex: {hit} of {len(truth)} labelled cycles, among {len(found)} found")
    assert len(truth) == 10
    assert hit >= 7

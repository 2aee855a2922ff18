"""Both engines find the same, byte for byte: every typology, over all of its cases at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity import plugins
from comity.ledger.columns import build
from comity.model import AccountId, AssetId, Columns, Knowledge, Transfer
from comity.monitoring.known import informed
from comity.monitoring.run import Outcome, monitor
from comity.monitoring.spark import Spark, session

EURO = AssetId("iso4217:EUR")
NAMES = plugins.names("typologies")
YEAR = timedelta(days=400)


def renamed(account: str, case: int) -> str:
    """The same account in a world of its own."""
    return f"{account}-{case}"


def world() -> Columns:
    """The cases of all typologies in one ledger, with accounts of their own, one after the other in time."""
    transfers: list[Transfer] = []
    attributions, limits, regimes = {}, [], []
    cases = [case for name in NAMES for case in plugins.load("typologies", name).CASES]
    for number, case in enumerate(cases):
        transfers += [
            dataclasses.replace(
                one,
                id=f"{number:04d}-{one.id}",
                time=one.time + (number % 20) * YEAR / 100,
                originator=AccountId(renamed(one.originator.value, number)),
                beneficiary=AccountId(renamed(one.beneficiary.value, number)),
            )
            for one in case.transfers
        ]
        for account, said in case.knowledge.attributions.items():
            name = renamed(account, number)
            attributions[name] = dataclasses.replace(said, account=name)
        limits += case.knowledge.limits
        regimes += case.knowledge.regimes
    return informed(build(transfers, EURO), Knowledge(attributions, tuple(limits), tuple(regimes)))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, Outcome]]:
    columns = world()
    spark = session("local[2]")
    try:
        engine = Spark(spark, tmp_path_factory.mktemp("staging"), transfers_a_part=len(columns) // 5)
        yield monitor(columns), monitor(columns, engine=engine)
        assert list(engine.staging.iterdir()) == [], "what was staged is taken away"
    finally:
        spark.stop()


@pytest.mark.parametrize("name", NAMES)
def test_spark_finds_byte_for_byte_the_same(name: str, outcomes: tuple[Outcome, Outcome]) -> None:
    ours, theirs = ([f for f in done.findings if f.rule == name] for done in outcomes)
    assert ours, "the cases of a typology must be found in the common world"
    assert canonical_all(theirs) == canonical_all(ours)


def test_spark_tells_of_the_same_unfinished_searches(outcomes: tuple[Outcome, Outcome]) -> None:
    assert outcomes[0].unfinished == outcomes[1].unfinished


def canonical_all(found: list[object]) -> list[bytes]:
    from comity.codec import to_json

    return [to_json(one) for one in found]


def test_an_empty_ledger_starts_no_job(tmp_path: Path) -> None:
    assert monitor(build([], EURO), engine=Spark(None, tmp_path)).findings == ()  # type: ignore[arg-type]

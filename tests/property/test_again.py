"""Monitoring what is new only gives what a full run gives, however the input is split."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from comity import plugins
from comity.ledger.columns import build, microseconds
from comity.model import (
    AssetId,
    Knowledge,
    Transfer,
)
from comity.monitoring.again import Touched, again
from comity.monitoring.known import informed
from comity.monitoring.run import Outcome, chosen, monitor

EURO = AssetId("iso4217:EUR")
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CASES = [case for name in plugins.names("typologies") for case in plugins.load("typologies", name).CASES]
RULES = chosen(None, {}, 4)


@given(st.lists(st.integers(0, len(CASES) - 1), min_size=1, max_size=4), st.integers(), st.data())
@settings(max_examples=60, deadline=None)
def test_findings_equal_those_of_a_full_run_after_any_split(
    picked: list[int], seed: int, data: st.DataObject
) -> None:
    """The cases of a few typologies thrown together, arriving in any order, in up to four pieces."""
    chance = random.Random(seed)
    transfers: list[Transfer] = []
    known = Knowledge()
    for number in dict.fromkeys(picked):
        case = CASES[number]
        transfers += [dataclasses.replace(one, id=f"{number}-{one.id}") for one in case.transfers]
        known = Knowledge(
            {**known.attributions, **case.knowledge.attributions},
            known.limits + case.knowledge.limits,
            known.regimes + case.knowledge.regimes,
        )
    if data.draw(st.booleans(), label="in any order"):
        chance.shuffle(transfers)
    else:
        transfers.sort(key=lambda one: one.time)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(transfers)), max_size=3), label="cuts"))
    held: list[Transfer] = []
    outcome = Outcome((), ())
    for low, high in zip([0, *cuts], [*cuts, len(transfers)], strict=True):
        fresh = transfers[low:high]
        if not fresh:
            continue
        held += fresh
        times = [microseconds(one.time) for one in fresh]
        ends = {end.value for one in fresh for end in (one.originator, one.beneficiary)}
        touched = Touched(tuple(sorted(ends)), min(times), max(times))
        columns = informed(build(held, EURO), known)
        outcome = again(columns, outcome, touched, RULES)
        assert outcome.findings == monitor(columns).findings

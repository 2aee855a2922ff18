"""What every law file must have. A new file is found by itself."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from comity.codec import from_json, to_json
from comity.jurisdictions import files
from comity.model import Basis, Confidence, Operator, Provision, Threshold
from comity.standard.cases import run
from comity.standard.law import Standard
from comity.standard.load import load

# What a country's file answers, at least by `unknown`: what a transfer, a report or a freeze needs to know.
NEEDED = (
    "vasp.regulated",
    "travel_rule.in_force",
    "travel_rule.threshold",
    "cdd.occasional",
    "str.deadline",
    "str.portal",
    "str.format",
    "record_keeping.years",
    "tipping_off.offence",
    "fiu.name",
    "fiu.egmont",
    "fatf.member",
    "fatf.list_status",
)


@cache
def standard() -> Standard:
    return load()


EVERY = pytest.mark.parametrize("name", files())
STATES = pytest.mark.parametrize("name", standard().states())


def provisions(name: str) -> list[Provision]:
    return [each for group in standard().provisions[name].values() for each in group]


@EVERY
def test_worked_cases_hold(name: str) -> None:
    assert run(standard(), name) == ()


@EVERY
def test_at_least_five_worked_cases_with_distinct_names(name: str) -> None:
    cases = standard().jurisdictions[name].cases
    assert len(cases) >= 5
    assert len({case.name for case in cases}) == len(cases)


@EVERY
def test_every_answer_has_source_date_and_confidence(name: str) -> None:
    for each in provisions(name):
        assert len(each.source) > 1, each
        assert each.reviewed is not None, each
        if each.value is None and each.confidence is Confidence.UNKNOWN:
            assert each.basis is Basis.UNKNOWN, each
        else:
            assert each.basis is not Basis.UNKNOWN, each
            assert each.confidence is not Confidence.UNKNOWN, each


@EVERY
def test_every_answer_survives_the_way_to_another_node(name: str) -> None:
    for each in provisions(name):
        assert from_json(Provision, to_json(each)) == each


@EVERY
def test_what_is_sourced_says_where_it_was_seen(name: str) -> None:
    for each in provisions(name):
        if each.basis is Basis.SOURCED:
            assert re.search(r"seen at (https?://|github:)", each.source), each


@EVERY
def test_each_travel_rule_threshold_has_a_case_below_at_and_above_it(name: str) -> None:
    """`over` and `at_least` differ only at the boundary, so the boundary is worked through."""
    cases = standard().jurisdictions[name].cases
    for each in standard().provisions[name].get("travel_rule.threshold", ()):
        threshold = each.value
        if isinstance(threshold, Threshold) and threshold.amount:
            codes = threshold.currency.split("/")
            values = {case.value for case in cases if case.currency in codes}
            assert threshold.amount in values, (name, "at")
            assert min(values) < threshold.amount, (name, "below")
            if threshold.operator is Operator.OVER:
                assert max(values) > threshold.amount, (name, "above")


@EVERY
def test_its_time_zone_exists(name: str) -> None:
    assert ZoneInfo(standard().jurisdictions[name].timezone)


@STATES
def test_a_country_answers_what_is_needed_itself_or_through_its_bloc(name: str) -> None:
    law = standard()
    assert law.root in law.chain(name)
    binding = [each for each in law.chain(name) if each != law.root]
    missing = [
        question for question in NEEDED if not any(question in law.provisions[each] for each in binding)
    ]
    assert missing == []


def test_the_example_in_the_guide_loads_and_its_cases_hold(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "add-your-country.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert example
    file = tmp_path / "zz.yaml"
    file.write_text(example[1])
    law = load(files() | {"zz": file})
    assert len(law.jurisdictions["zz"].cases) >= 5
    assert run(law, "zz") == ()

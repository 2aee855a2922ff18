"""The JSON Schema takes every law file that ships, and refuses what an editor can see to be wrong."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from comity.jurisdictions import files
from comity.standard import vocabulary
from comity.standard.schema import schema


@cache
def checker() -> Draft202012Validator:
    made = schema(vocabulary.installed())
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


class _Editor(yaml.SafeLoader):
    """YAML as an editor reads it: YAML 1.2's core types, and no dates."""


_Editor.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":timestamp", ":bool"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> Any:
    return yaml.load(text, Loader=_Editor)


@pytest.mark.parametrize("name", files())
def test_every_file_that_ships_fits(name: str) -> None:
    errors = list(checker().iter_errors(read(files()[name].read_text())))
    assert [f"{list(each.absolute_path)}: {each.message[:200]}" for each in errors] == []


GOOD = """
jurisdiction: aa
extends: fatf
provisions:
  cdd.occasional:
    - {value: {at_least: 1000, currency: EUR}, source: Act, confidence: high, reviewed: 2026-01-01}
cases:
  - {name: x, on: 2026-01-01, transfer: {value: 1 EUR}, required: []}
"""


def test_a_small_file_fits() -> None:
    assert not list(checker().iter_errors(read(GOOD)))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("cdd.occasional", "cdd.occasionally"),
        ("at_least: 1000", "least: 1000"),
        ("at_least: 1000", "at_least: lots"),
        ("at_least: 1000", "at_least: 1000, over: 1000"),
        ("currency: EUR", "currency: euro"),
        ("source: Act, ", ""),
        ("confidence: high", "confidence: sure"),
        ("reviewed: 2026-01-01", "reviewed: yesterday"),
        ("value: 1 EUR", "value: EUR 1"),
        ("required: []", "required: [pray]"),
        ("required: []", "required: [], facts: {mood: x}"),
        ("on: 2026-01-01, ", ""),
    ],
)
def test_what_an_editor_can_see_is_refused(right: str, wrong: str) -> None:
    assert right in GOOD
    assert list(checker().iter_errors(read(GOOD.replace(right, wrong, 1))))

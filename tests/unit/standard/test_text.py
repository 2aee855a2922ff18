"""YAML as text, with lines, and nothing hostile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from comity.errors import LawFileError
from comity.standard.text import MAX_BYTES, parse


def test_every_scalar_is_text_and_knows_its_line() -> None:
    root = parse(b"a: NO\nb:\n  - 1.0\n  - on\nc: {d: 2026-01-01}\n", "x.yaml")
    fields = root.mapping()
    assert fields["a"].text() == "NO"
    assert [(item.text(), item.line) for item in fields["b"].items()] == [("1.0", 3), ("on", 4)]
    assert fields["c"].need("d").text() == "2026-01-01"
    assert fields["c"].need("d").field == "c: d"
    assert fields["b"].items()[1].field == "b[2]"


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, "twice (first on line 1)"),
        (b"a: &x 1\nb: *x\n", 1, "anchor"),
        (b"a:\n  - *x\n", 2, "alias"),
        (b"a: !!python/object:os.system 1\n", 1, "tag"),
        (b"a: [1\n", 2, "not YAML"),
        (b"a: 1\n---\nb: 2\n", 1, "one document"),
        (b"", 1, "one document"),
        (b"a: \xff\n", 1, "not YAML"),
        (b"[" * 40 + b"]" * 40, 1, "nested too deeply"),
        (b"#" * (MAX_BYTES + 1), 1, "larger"),
    ],
)
def test_what_is_hostile_or_broken_is_refused_by_line(data: bytes, line: int, word: str) -> None:
    with pytest.raises(LawFileError) as refused:
        parse(data, "x.yaml")
    assert refused.value.what.startswith(f"x.yaml, line {line}: ")
    assert word in refused.value.what
    assert refused.value.remedy


def test_the_wrong_shape_is_refused() -> None:
    root = parse(b"a: {b: 1}\nc: ''\nd: [1]\n", "x.yaml").mapping()
    for node, method, word in (
        (root["a"], "text", "not a text"),
        (root["a"], "items", "not a list"),
        (root["d"], "mapping", "not a mapping"),
        (root["c"], "text", "empty"),
    ):
        with pytest.raises(LawFileError, match=word):
            getattr(node, method)()
    with pytest.raises(LawFileError, match="`z` is missing"):
        root["a"].need("z")
    with pytest.raises(LawFileError, match="not a known field"):
        root["a"].mapping(frozenset({"z"}))


def test_depth_is_refused_while_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nesting costs the scanner its square: nothing beyond the first level too deep may be scanned."""
    seen = 0
    real = yaml.parse

    def counted(*given: Any, **more: Any) -> Iterator[Any]:
        nonlocal seen
        for event in real(*given, **more):
            seen += 1
            yield event

    monkeypatch.setattr(yaml, "parse", counted)
    with pytest.raises(LawFileError, match="nested too deeply"):
        parse(b"a: " + b"[" * 5_000, "x.yaml")
    assert seen < 50

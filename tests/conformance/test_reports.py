"""What every report format must do. A new file in reports/ is found by itself."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType

import pytest
from lxml import etree

from comity import plugins
from comity.errors import BadInput
from comity.model import Report
from comity.reports import Problem, ReportSpec

FORMATS = plugins.names("reports")


@pytest.fixture(params=FORMATS)
def format_(request: pytest.FixtureRequest) -> ModuleType:
    return plugins.load("reports", request.param)


@pytest.fixture(params=["rich", "minimal"])
def report(request: pytest.FixtureRequest) -> Report:
    return request.getfixturevalue(f"{request.param}_report")


def test_there_are_formats():
    assert {"goaml", "fincen_sar"} <= set(FORMATS)


def test_the_spec_is_whole(format_):
    spec = format_.SPEC
    assert isinstance(spec, ReportSpec)
    assert spec.id == format_.__name__.rpartition(".")[2]
    for field in fields(spec):
        assert getattr(spec, field.name), field.name
    assert spec.suffix.startswith(".")


def test_rendered_and_sound(format_, report):
    data = format_.render(report)
    assert format_.check(data, None) == ()


def test_the_same_report_gives_the_same_bytes(format_, report):
    assert format_.render(report) == format_.render(replace(report))


def test_a_format_knows_its_own_and_no_other(format_, rich_report):
    data = format_.render(rich_report)
    assert plugins.recognise("reports", data[:4096]) is format_


@pytest.mark.data
def test_valid_for_the_authority(format_, report, data):
    rendered = format_.render(report)
    assert format_.check(rendered, data / "schemas") == ()


@pytest.mark.data
@pytest.mark.parametrize("position", range(12))
def test_an_element_nobody_knows_is_found(format_, rich_report, data, position):
    root = etree.fromstring(format_.render(rich_report))
    elements = list(root.iter("{*}*"))
    parent = elements[position * len(elements) // 12]
    parent.append(etree.Element(f"{{{etree.QName(parent).namespace or ''}}}surprise".replace("{}", "")))
    found = format_.check(etree.tostring(root), data / "schemas")
    assert found
    assert all(problem.where.startswith("/") and problem.what for problem in found)
    assert any(problem.line > 0 and problem.remedy for problem in found)


@pytest.mark.parametrize("data", [b"", b"not xml", b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_not_xml_is_refused(format_, data):
    with pytest.raises(BadInput):
        format_.check(data, None)


def test_another_root_is_a_problem(format_):
    found = format_.check(b"<other/>", None)
    assert len(found) == 1
    assert isinstance(found[0], Problem)
    assert found[0].line == 1


def test_a_schema_that_is_not_there_is_told(format_, minimal_report, tmp_path: Path):
    with pytest.raises(BadInput, match="no schema"):
        format_.check(format_.render(minimal_report), tmp_path)
    broken = tmp_path / "broken.xsd"
    broken.write_text("<nothing/>")
    with pytest.raises(BadInput, match="not an XML schema"):
        format_.check(format_.render(minimal_report), broken)


@pytest.mark.parametrize(
    ("field", "value"), [("narrative", " "), ("reference", ""), ("currency", ""), ("narrative", "a\x00b")]
)
def test_a_mandatory_fact_that_is_missing_is_named(format_, rich_report, field, value):
    with pytest.raises(BadInput, match=field):
        format_.render(replace(rich_report, **{field: value}))


def test_a_narrative_is_never_cut(format_, rich_report):
    words = " ".join(f"word{n}" for n in range(3000))
    with pytest.raises(BadInput, match="narrative"):
        format_.render(replace(rich_report, narrative=words))

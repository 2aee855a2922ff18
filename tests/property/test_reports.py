"""Whatever the words: a report is valid XML that says them, or a refusal that names the field."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from comity import plugins
from comity.errors import BadInput
from comity.model import Identifier, Institution, Officer, Party, PartyKind, Report, Role, Subject

FORMATS = plugins.names("reports")
ANY = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "\x00",
        "a\x0bb",
        "😀 smile",
        "مرحبا بالعالم",
        "\u202eevil",
        "]]>",
        "<!--",
        "&amp;",
        "\ufffe",
        "\ud800",
        "  ",
    ]
)
ODD = ("", "9" * 5000, "-1", "1e9", "٣", "NaN", "2026-13-45T00:00:00", "😀")
FIELDS = (
    "narrative",
    "name",
    "alias",
    "address",
    "reference",
    "action_taken",
    "officer",
    "filer",
    "identifier",
)
WORDS = {
    "narrative": "narrative",
    "name": "name",
    "alias": "alias|commercial name",
    "address": "address",
    "reference": "reference",
    "action_taken": "action taken",
    "officer": "officer",
    "filer": "filer|institution|address",
    "identifier": "identifier|document|national",
}


def spoken(report: Report, field: str, words: str, kind: PartyKind) -> Report:
    """The report with these words in that field."""
    party = Party("Jo Roe", kind, ("Jo",), "", ("SG",), ("1 Road",), (Identifier("other", "1"),))
    if field == "name":
        party = replace(party, name=words)
    elif field == "alias":
        party = replace(party, aliases=(words,))
    elif field == "address":
        party = replace(party, addresses=(words,))
    elif field == "identifier":
        party = replace(party, identifiers=(Identifier("national_id", words),))
    report = replace(report, transfers=(), subjects=(Subject(party),))
    if field == "officer":
        return replace(report, officer=Officer(words, words, "5551234567"))
    if field == "filer":
        return replace(report, filer=Institution("x", words, Role.VASP, ("SG",)))
    return (
        replace(report, **{field: words}) if field in {"narrative", "reference", "action_taken"} else report
    )


@pytest.mark.data
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("field", FIELDS)
@given(words=ANY, kind=st.sampled_from(PartyKind))
def test_any_words_are_said_or_refused(data, rich_report, name, field, words, kind):
    format_: ModuleType = plugins.load("reports", name)
    report = spoken(rich_report, field, words, kind)
    try:
        rendered = format_.render(report)
    except BadInput as refusal:
        assert re.search(WORDS[field], refusal.what), refusal.what
        return
    assert format_.check(rendered, data / "schemas") == ()
    said = " ".join("".join(etree.fromstring(rendered).itertext()).split())
    for word in words.split():
        assert word in said


DATES = st.sampled_from(
    ["", "1980", "1980-02", "1980-02-03", "1980-13-45", "about 1980", "1980-2-3", "1700-01-01", "٢٠٢٠-٠١-٠١"]
)
DATED = ("account_opened", "document_issued", "document_expires")


@pytest.mark.data
@pytest.mark.parametrize("overlay", ["sg", "ae"])
@given(st.fixed_dictionaries(dict.fromkeys(("birth", *DATED), DATES)))
def test_any_date_is_written_rightly_or_told_in_words(data, rich_report, overlay, dates):
    mei = rich_report.subjects[0].party
    kept = tuple(i for i in mei.identifiers if i.kind not in DATED)
    papers = kept + tuple(Identifier(kind, dates[kind]) for kind in DATED)
    party = replace(mei, birth_date=dates["birth"], identifiers=papers)
    transfer = replace(rich_report.transfers[0], originator_party=party)
    report = replace(rich_report, transfers=(transfer,), jurisdiction=overlay)
    goaml = plugins.load("reports", "goaml")
    rendered = goaml.render(report)
    assert goaml.check(rendered, data / "schemas") == ()
    assert dates["birth"] in rendered.decode()


@pytest.mark.data
@given(words=ANY, kind=st.sampled_from(PartyKind))
def test_latin_names_keep_the_original(data, rich_report, words, kind):
    goaml = plugins.load("reports", "goaml")
    report = replace(spoken(rich_report, "name", words, kind), jurisdiction="ae")
    try:
        rendered = goaml.render(report)
    except BadInput as refusal:
        assert "name" in refusal.what
        return
    schema = data / "schemas" / "goaml" / "goAMLSchema_5.0.2_xerces_patched.xsd"
    assert goaml.check(rendered, schema) == ()
    said = " ".join("".join(etree.fromstring(rendered).itertext()).split())
    assert all(word in said for word in words.split())


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
def test_a_damaged_report_is_a_list_of_problems_or_bad_input(rich_report, name, data):
    format_ = plugins.load("reports", name)
    rendered = bytearray(format_.render(rich_report))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(rendered) - 1))
        rendered[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    try:
        found = format_.check(bytes(rendered), None)
    except BadInput:
        return
    assert all(problem.what and problem.where.startswith("/") for problem in found)


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
def test_any_text_in_any_element_is_survived(rich_report, name, data):
    format_ = plugins.load("reports", name)
    root = etree.fromstring(format_.render(rich_report))
    leaves = [element for element in root.iter() if not len(element)]
    leaf = data.draw(st.sampled_from(leaves))
    leaf.text = data.draw(
        st.sampled_from(["", "9" * 5000, "-1", "1e9", "٣", "NaN", "2026-13-45T00:00:00", "😀"])
    )
    found = format_.check(etree.tostring(root), None)
    assert isinstance(found, tuple)


def test_at_most_two_hundred_problems_are_told(rich_report):
    goaml = plugins.load("reports", "goaml")
    root = etree.fromstring(goaml.render(rich_report))
    for _ in range(500):
        etree.SubElement(root, "transaction")
    assert len(goaml.check(etree.tostring(root), None)) == 200

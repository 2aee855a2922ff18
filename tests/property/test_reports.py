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

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from comity import intake
from comity.errors import BadInput
from comity.lists import eu_fsf
from comity.model import Identifier, Listing, PartyKind


def read(data: bytes = eu_fsf.SAMPLE) -> list[Listing]:
    return list(eu_fsf.read(io.BytesIO(data)).listings)


def test_a_person_and_an_enterprise() -> None:
    person, company = read()
    assert person.entry_id == "EU.90.1/SAMPLE"
    assert person.party.name == "Mstislav Obraztsov"
    assert person.party.aliases == ("Мстислав Образцов", "Slava O.")
    assert person.party.birth_date == "1968-09-10"
    assert person.party.identifiers == (
        Identifier("birth_date", "1967/1969"),
        Identifier("passport", "00 0000001", "RU"),
    )
    assert person.party.countries == ("RU",)
    assert person.source == "EU financial sanctions file of 2026-02-03, Regulation 2022/000 (OJ L0)"
    assert "Weak aliases: Slava O." in person.remarks
    assert company.party.kind is PartyKind.LEGAL
    assert eu_fsf.read(io.BytesIO(eu_fsf.SAMPLE)).version == "2026-02-03T15:44:28Z"


def test_without_a_strong_plain_name_the_first_is_taken() -> None:
    old = b'"Mstislav Obraztsov" nameLanguage=""'
    data = eu_fsf.SAMPLE.replace(old, old.replace(b'""', b'"FR"'))
    assert data != eu_fsf.SAMPLE
    assert read(data)[0].party.name == "Мстислав Образцов"


def test_years_of_other_calendars_are_not_read_as_years() -> None:
    data = eu_fsf.SAMPLE.replace(b'calendarType="GREGORIAN"', b'calendarType="ISLAMIC"')
    assert read(data)[0].party.birth_date == ""


def test_a_year_alone() -> None:
    data = eu_fsf.SAMPLE.replace(b'birthdate="1968-09-10" ', b"")
    assert read(data)[0].party.birth_date == "1968"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"2026-02-03T17:44:28.283+02:00", b"", "generationDate"),
        (b'euReferenceNumber="EU.90.1" logicalId="1"', b"", "its reference"),
        (b"wholeName=", b"halfName=", "a name"),
        (b"export", b"import", "not an EU"),
    ],
)
def test_what_is_missing_is_named(old: bytes, new: bytes, what: str) -> None:
    assert old in eu_fsf.SAMPLE
    with pytest.raises(BadInput, match=what):
        read(eu_fsf.SAMPLE.replace(old, new))


@pytest.mark.data
def test_the_real_list(data: Path) -> None:
    with intake.open_source(data / "sanctions/eu_fsf_full_2024-05-13.xml.gz") as stream:
        entries = list(eu_fsf.read(stream).listings)
    assert len(entries) == 4_811
    kinds = Counter(entry.party.kind for entry in entries)
    assert (kinds[PartyKind.NATURAL], kinds[PartyKind.LEGAL]) == (3_755, 1_056)
    assert sum(1 + len(entry.party.aliases) for entry in entries) > 20_000

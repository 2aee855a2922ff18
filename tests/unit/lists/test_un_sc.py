from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pytest

from comity import intake
from comity.errors import BadInput
from comity.lists import un_sc
from comity.model import Identifier, Listing, PartyKind


def read(data: bytes = un_sc.SAMPLE) -> list[Listing]:
    return list(un_sc.read(io.BytesIO(data)).listings)


def test_a_person_and_an_entity() -> None:
    person, entity = read()
    assert person.party.name == "TARIQ ALSAMPLI"
    assert person.party.aliases == ("طارق السمبلي", "Tarek Al-Sampli", "Abu Sample")
    assert person.party.birth_date == "1961-07-08"
    assert person.party.identifiers == (
        Identifier("birth_date", "1960/1962"),
        Identifier("passport", "S0000001", "JO"),
    )
    assert person.listed_on == "2020-05-06"
    assert "Reference SAi.001." in person.remarks
    assert "Aliases of low quality: Abu Sample." in person.remarks
    assert entity.party.kind is PartyKind.LEGAL
    assert entity.party.addresses == ("1 Sample Street, Amman, Jordan",)
    assert un_sc.read(io.BytesIO(un_sc.SAMPLE)).version == "2026-02-03T00:00:03Z"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"2026-02-03T00:00:03.012Z", b"yesterday", "dateGenerated"),
        (b' dateGenerated="2026-02-03T00:00:03.012Z"', b"", "dateGenerated"),
        (b"<DATAID>9000001</DATAID>", b"", "its DATAID"),
        (b"<FIRST_NAME>SAMPLE RELIEF SOCIETY</FIRST_NAME>", b"", "a name"),
        (b"CONSOLIDATED_LIST", b"OTHER", "not a UN"),
    ],
)
def test_what_is_missing_is_named(old: bytes, new: bytes, what: str) -> None:
    assert old in un_sc.SAMPLE
    with pytest.raises(BadInput, match=what):
        read(un_sc.SAMPLE.replace(old, new))


@pytest.mark.data
def test_the_real_list(data: Path) -> None:
    with intake.open_source(data / "sanctions/un_consolidated_2024-05-15.xml.gz") as stream:
        entries = list(un_sc.read(stream).listings)
    kinds = Counter(entry.party.kind for entry in entries)
    assert (kinds[PartyKind.NATURAL], kinds[PartyKind.LEGAL]) == (682, 193)
    assert all(entry.listed_on for entry in entries)
    # every alias's birth year came over beside the person's own dates
    assert sum(bool(entry.party.birth_date) for entry in entries) > 500

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from comity.app.standard.export import KINDS, Ask, export, span, tame
from comity.errors import BadInput, NotFound
from comity.standard.changes import changes
from comity.standard.compare import gaps
from comity.standard.corridors import corridors
from comity.standard.law import Standard

RELIES = {
    "matrix": [""],
    "provisions": [""],
    "gaps": ["", "standard_"],
    "corridors": ["", "standard_"],
    "changes": ["before_", "after_"],
}


def rows(standard: Standard, ask: Ask) -> list[dict[str, str]]:
    found = export(standard, ask, "csv")
    assert found.media_type == "text/csv; charset=utf-8"
    assert found.data.startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(found.data.decode("utf-8-sig"))))


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_hold_the_same_rows_each_with_its_sources(fiction: Standard, kind: str, on: date) -> None:
    ask = Ask(kind, on)
    table = rows(fiction, ask)
    whole = json.loads(export(fiction, ask, "json").data)
    assert len(table) == len(whole["rows"]) > 0
    assert (whole["kind"], whole["on"]) == (kind, "2026-11-25")
    assert "Not legal advice" in whole["notice"]
    for row, same in zip(table, whole["rows"], strict=True):
        assert list(row) == list(same)
        for name, value in same.items():
            assert row[name] == str(tame(value))
        for prefix in RELIES[kind]:
            said = row[f"{prefix}answer"]
            for column in ("source", "confidence", "basis"):
                assert bool(row[f"{prefix}{column}"]) == bool(said or row[f"{prefix}law"]), row


def test_the_rows_are_those_of_the_standard(fiction: Standard, on: date) -> None:
    count = sum(len(gaps(fiction, name, on)) for name in fiction.jurisdictions if name != "fatf")
    assert len(rows(fiction, Ask("gaps", on))) == count
    assert len(rows(fiction, Ask("gaps", on, "BO"))) == len(gaps(fiction, "bo", on))
    since, until = span(on, None, None)
    assert (since, until) == (date(2021, 1, 1), date(2031, 12, 31))
    assert len(rows(fiction, Ask("changes", on))) == len(changes(fiction, since, until))
    few = rows(fiction, Ask("changes", on, "fr", date(2027, 7, 1), date(2027, 8, 1)))
    assert [row["date"] for row in few] == ["2027-07-10"]
    assert len(rows(fiction, Ask("corridors", on))) == len(corridors(fiction, on))
    valid = {row["in_force_2026-11-25"] for row in rows(fiction, Ask("provisions", on))}
    assert valid == {"yes", "no"}
    assert len(rows(fiction, Ask("provisions", on, "sg"))) == 3
    assert {row["jurisdiction"] for row in rows(fiction, Ask("matrix", on, "bo"))} == {"bo"}


def test_flows_weigh_corridors(fiction: Standard, on: date) -> None:
    found = rows(fiction, Ask("corridors", on, flows={("FR", "SG"): 250.0}))
    assert (found[0]["origin"], found[0]["destination"], found[0]["volume"]) == ("fr", "sg", "250.0")
    ends = {(row["origin"], row["destination"]) for row in rows(fiction, Ask("corridors", on, "sg"))}
    assert all("sg" in pair for pair in ends) and len(ends) == 4


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =1", "\n@x"])
def test_no_text_is_a_formula(text: str) -> None:
    assert tame(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "a=1", "at least 1,000 EUR", -1, 0.5, 7])
def test_other_values_are_left_alone(value: Any) -> None:
    assert tame(value) == value


def test_hostile_law_cannot_run_in_a_sheet(fiction: Standard, on: date) -> None:
    sources = {row["source"] for row in rows(fiction, Ask("provisions", on, "sg"))}
    assert any(source.startswith("'=HYPERLINK") for source in sources)
    notes = {row["note"] for row in rows(fiction, Ask("provisions", on, "sg"))}
    assert any(note.startswith("'@SUM") for note in notes)
    for kind in KINDS:
        for row in rows(fiction, Ask(kind, on)):
            assert not [value for value in row.values() if value.lstrip()[:1] in tuple("=+@")], row


def test_names_of_files_say_what_they_hold(fiction: Standard, on: date) -> None:
    assert export(fiction, Ask("gaps", on, "BO"), "csv").name == "comity-gaps-bo-2026-11-25.csv"
    found = export(fiction, Ask("matrix", on), "json")
    assert (found.name, found.media_type) == ("comity-matrix-2026-11-25.json", "application/json")


def test_what_there_is_not(fiction: Standard, on: date) -> None:
    with pytest.raises(BadInput):
        export(fiction, Ask("secrets", on), "csv")
    with pytest.raises(BadInput):
        export(fiction, Ask("gaps", on), "xlsx")
    with pytest.raises(NotFound):
        export(fiction, Ask("gaps", on, "../etc"), "csv")
    with pytest.raises(BadInput):
        export(fiction, Ask("changes", on, "", date(2027, 1, 1), date(2026, 1, 1)), "csv")
    assert export(fiction, Ask("changes", on, "", on, on), "csv").data == "\ufeff".encode()


def test_the_commands(comity: Any, tmp_path: Path) -> None:
    done = comity("standard", "export", "gaps", "--country", "sg", "--format", "json", "--on", "2026-11-25")
    assert done.code == 0
    whole = json.loads(done.out)
    assert {row["jurisdiction"] for row in whole["rows"]} == {"sg"}
    out = tmp_path / "changes.csv"
    asked = ["standard", "export", "changes", "--since", "2025-01-01", "--until", "2026-01-01", "--out", out]
    assert comity(*asked).code == 0
    dates = [row["date"] for row in csv.DictReader(io.StringIO(out.read_text("utf-8-sig")))]
    assert dates and all("2025-01-01" < day <= "2026-01-01" for day in dates)
    assert comity("standard", "export", "secrets").code == BadInput.exit_code
    page = tmp_path / "sg.html"
    assert comity("standard", "report", "sg", "--on", "2026-11-25", "--out", page).code == 0
    assert "Singapore" in page.read_text("utf-8")
    assert comity("standard", "report", "fatf", "--out", page).code == BadInput.exit_code
    assert comity("standard", "report", "qq", "--out", page).code == NotFound.exit_code
    assert comity("standard", "report", "sg", "--out", tmp_path).code == BadInput.exit_code

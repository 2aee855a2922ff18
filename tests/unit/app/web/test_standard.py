"""The pages of the standard: what a supervisor reads, in words wherever colours speak."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import pytest

from comity.app.standard.export import KINDS
from comity.app.standard.matrix import matrix
from comity.app.standard.standing import edition, standings
from comity.standard.changes import changes
from comity.standard.compare import gaps
from comity.standard.corridors import corridors

TABS = ["/standard", "/standard/map", "/standard/changes", "/standard/corridors", "/standard/countries"]
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("path", [*TABS, "/standard/countries/bo"])
def test_each_page_has_the_tabs_and_says_where_one_is(operator: Any, path: str) -> None:
    text = operator.get(path).text
    nav = re.search(r'<nav class="tabs" aria-label="The standard">(.*?)</nav>', text, re.DOTALL)
    assert nav
    assert re.findall(r">(\w+)</a>", nav[1]) == ["Matrix", "Map", "Changes", "Corridors", "Countries"]
    assert nav[1].count('aria-current="page"') == 1


@pytest.mark.parametrize("path", [*TABS, "/standard/countries/bo", "/standard/countries/bo/report"])
def test_each_page_says_its_edition_and_that_it_is_no_advice(operator: Any, fake: Any, path: str) -> None:
    text = operator.get(path).text
    assert edition(fake.law()) in text
    assert "not legal advice" in text.lower()
    assert "low confidence" in text or "◐" in text


@pytest.mark.parametrize("path", [*TABS, "/standard/countries/sg", "/standard/countries/sg/report"])
def test_hostile_law_is_text(operator: Any, path: str) -> None:
    text = operator.get(path + "?topic=all" if path == "/standard" else path).text
    assert "<script" not in text and "\u202e" not in text
    assert "&lt;script&gt;alert(" in text


def test_the_matrix_says_in_words_what_colours_say(operator: Any, fake: Any) -> None:
    text = operator.get("/standard?on=2025-01-15&topic=all").text
    assert 'value="2025-01-15"' in text and "in force on 2025-01-15" in text
    found = matrix(fake.law(), date(2025, 1, 15))
    shown = re.findall(r'<td class="([-a-z]+)[^>]*>\s*<span class="relation ([-a-z]+)">([a-z ]+)<', text)
    assert len(shown) == len(found.cells)
    assert all(colour == word == words.replace(" ", "-") for colour, word, words in shown)
    assert text.count("unsure") == sum(
        cell.provision is not None and cell.confidence.value in {"low", "unknown"}
        for cell in found.cells.values()
    )
    region = re.search(r'<div class="scroll panel" role="region" aria-label="[^"]+" tabindex="0">', text)
    assert region, "the keyboard can scroll it"
    one = operator.get("/standard?topic=cdd").text
    assert one.count('<th scope="col">') == 2
    assert one.count('<th scope="row">') == len(found.countries)
    assert 'href="/standard/countries/bo?on=2026-11-23"' in one


def test_an_odd_topic_shows_the_first(operator: Any) -> None:
    assert operator.get("/standard?topic=shoes").text == operator.get("/standard").text


def test_the_map_stands_beside_its_figures(operator: Any, fake: Any) -> None:
    text = operator.get("/standard/map").text
    for each in standings(fake.law(), TODAY):
        assert f"{each.kept.kept * 100:.0f} %" in text
    assert text.count('data-label="Keeps"') == 4
    assert "less than half is known" in text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="chart"' in text and 'role="img"' in text
    picture = operator.get("/standard/map.svg?on=2026-11-23")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.strip() in text


def test_changes_show_what_is_to_come_first(operator: Any, fake: Any) -> None:
    text = operator.get("/standard/changes").text
    found = changes(fake.law(), date(2021, 1, 1), date(2031, 12, 31))
    days = re.findall(r'data-label="From"><time datetime="([-0-9]+)"', text)
    assert days == [str(each.on) for each in reversed(found)]
    assert "to come" in text and f"1–{len(found)} of {len(found)} changes" in text
    few = operator.get("/standard/changes?country=fr&since=2027-06-01&until=2027-12-31").text
    assert "1–1 of 1 changes" in few and "Changes of law: Freedonia" in few
    assert "No change is recorded" in operator.get("/standard/changes?until=2021-02-01").text


def test_changes_are_paged(operator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from comity.app.web import standard

    monkeypatch.setattr(standard, "LISTED", 4)
    text = unescape(operator.get("/standard/changes?country=fr").text)
    assert "1–4 of" in text and 'rel="next"' in text
    after = re.search(r'href="(/standard/changes\?[^"]*offset=4)"', text)
    assert after and "country=fr" in after[1]
    assert "5–" in operator.get(after[1]).text


def test_the_chart_of_corridors_is_a_table_with_marks(operator: Any, fake: Any) -> None:
    text = operator.get("/standard/corridors").text
    every = corridors(fake.law(), TODAY)
    cells = re.findall(
        r'<td class="h([0-4])" title="[^"]*">(\d+)(?:<span class="sign">([◐▲?])</span>)?', text
    )
    assert len(cells) == len(every) == 6
    assert all(0 <= int(figure) <= 100 for _, figure, _ in cells)
    assert {sign for _, _, sign in cells if sign}
    assert unescape(text).count(every[0].why[0]) >= 1
    assert "ranked by weakness alone" in text and 'data-label="Moved"' not in text
    score = operator.get("/standard/corridors?by=score").text
    assert set(re.findall(r'<td class="h4" title="[^"]*">(\d+)', score)) == {"100"}
    pair = operator.get("/standard/corridors?origin=bo&destination=FR").text
    assert pair.count('data-label="From"') == 1 and "Not legal" in pair


def test_flows_of_the_ledger_weigh_corridors(operator: Any, view: Any) -> None:
    view.moved = {("FR", "BO"): 1234.5, ("XX", "FR"): 99.0}
    text = operator.get("/standard/corridors").text
    assert "1,234.5 in its reference asset" in text
    assert re.findall(r'data-label="Moved" class="number">([0-9,.]+)<', text)[0] == "1,234.5"


def test_a_country_shows_its_gaps_and_what_is_not_known(operator: Any, fake: Any) -> None:
    text = operator.get("/standard/countries/bo").text
    open_ = gaps(fake.law(), "bo", TODAY)
    assert text.count('data-label="Width"') == len(open_), "in Borduria all is known"
    assert "cannot be ordered" in text and "An institution shall identify a customer" in text
    assert "/standard/countries/bo/report?on=2026-11-23" in text
    assert "to come" in text
    unknown = operator.get("/standard/countries/sg?on=2025-07-01").text
    assert "What is not established" in unknown and "Where to look" in unknown
    standard = operator.get("/standard/countries/FATF").text
    assert "Gaps, the widest first" not in standard and "Council of Standards" in standard


def test_the_report_is_a_document_of_its_own(operator: Any) -> None:
    response = operator.get("/standard/countries/bo/report")
    assert 'href="/report.css"' in response.text and "/style.css" not in response.text
    assert "Text to adopt" in response.text and "Provision for the law file" in response.text
    assert operator.get("/report.css").headers["content-type"].startswith("text/css")
    assert operator.get("/standard/countries/fatf/report").status_code == 400
    assert operator.get("/standard/countries/qq/report").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["csv", "json"])
def test_downloads(operator: Any, kind: str, form: str) -> None:
    response = operator.get(f"/standard/export/{kind}.{form}?on=2026-11-25&country=bo")
    assert response.status_code == 200
    name = f"comity-{kind}-bo-2026-11-25.{form}"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert b"Borduria" in response.content or kind == "corridors"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/standard?on=soon", 400),
        ("/standard/export/secrets.csv", 400),
        ("/standard/export/gaps.xlsx", 400),
        ("/standard/export/gaps.csv?country=qq", 404),
        ("/standard/export/gaps.csv?country=../../x", 404),
        ("/standard/changes?since=2027-01-01&until=2026-01-01", 400),
        ("/standard/changes?country=qq", 404),
        ("/standard/countries/%3Cscript%3E", 404),
    ],
)
def test_what_there_is_not(operator: Any, path: str, status: int) -> None:
    response = operator.get(path)
    assert response.status_code == status
    assert "<script" not in response.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_time(operator: Any, day: str) -> None:
    for path in (*TABS, "/standard/countries/bo", "/standard/countries/bo/report"):
        asked = f"{path}?on={day}" if path != "/standard/changes" else f"{path}?since=0001-01-01&until={day}"
        assert operator.get(asked).status_code == 200, asked

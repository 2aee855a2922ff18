from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

PAGES = [
    "/",
    "/alerts",
    "/alerts?level=any&rule=fan_in&sort=score&down=false",
    "/alerts?rule=nothing",
    "/alerts/f-0001",
    "/alerts/f-0003",
    "/cases",
    "/cases?state=closed",
    "/cases?state=decided",
    "/cases?state=all",
    "/cases/case-1",
    "/cases/case-2",
    "/cases/case-3",
    "/standard",
    "/standard?on=2025-01-15&topic=str",
    "/standard?topic=all",
    "/standard/map",
    "/standard/map?on=2000-01-01",
    "/standard/changes",
    "/standard/changes?country=fr&since=2026-01-01&until=2028-01-01",
    "/standard/changes?since=1990-01-01&until=1990-01-02",
    "/standard/corridors",
    "/standard/corridors?on=2027-08-01&by=score&origin=bo",
    "/standard/countries",
    "/standard/countries/bo",
    "/standard/countries/sg?on=2025-07-01",
    "/standard/countries/eu",
    "/standard/countries/fatf",
    "/standard/countries/bo/report",
    "/standard/countries/sg/report?on=2025-07-01",
    "/trace",
    "/trace?account=nobody",
    "/trace?account=acct:syldavia-bank:0001&hops=4&expand=on+acct:syldavia-bank:0030",
    "/inbox",
    "/outbox",
    "/messages/m-in-000",
    "/messages/m-out-003",
    "/enforcement",
    "/audit",
    "/audit?start=0",
]


class Shape(HTMLParser):
    """What a page is made of, for questions of order, labels and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_sound(operator: Any, fake: Any, path: str) -> None:
    response = operator.get(path)
    assert response.status_code == (400 if "nobody" in path else 200), response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    shape = Shape(response.text)
    assert not shape.all("script", "style", "iframe", "object")
    for attrs in (attrs for _, attrs in shape.tags):
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
        assert "javascript:" not in attrs.get("href", "")
    ids = [attrs["id"] for _, attrs in shape.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert len(shape.all("h1")) == len(shape.all("main")) == 1
    labels = {attrs["for"] for attrs in shape.all("label")}
    for attrs in shape.all("input", "select", "textarea"):
        assert attrs.get("type") == "hidden" or attrs.get("id") in labels or attrs.get("aria-label"), attrs
    for attrs in shape.all("th"):
        assert attrs["scope"] in {"row", "col"}
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", response.text, re.DOTALL):
        assert 'name="csrf"' in form
    assert fake.TOKEN not in response.text


@pytest.mark.parametrize(
    "path", ["/alerts", "/alerts/f-0001", "/alerts/f-0003", "/cases", "/cases/case-2", "/"]
)
def test_hostile_text_is_text(operator: Any, fake: Any, path: str) -> None:
    text = operator.get(path).text
    assert "<script" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(" in text


def test_links_lead_somewhere(operator: Any) -> None:
    """Every page that a link leads to, with three of the queries it is asked with."""
    seen, to_see = set(), ["/"]
    asked: Counter[str] = Counter()
    while to_see:
        path = to_see.pop()
        page = path.partition("?")[0]
        if path in seen or asked[page] == 3:
            continue
        seen.add(path)
        asked[page] += 1
        response = operator.get(path)
        assert response.status_code == 200, path
        if response.headers["content-type"].startswith("text/html"):
            links = Shape(response.text).all("a", "img", "link")
            found = [attrs.get("href") or attrs.get("src") or "" for attrs in links]
            to_see += [link for link in found if link.startswith("/")]
    assert {"/audit", "/reports/r-1", "/cases/case-1/flow.svg", "/style.css", "/icon.svg"} <= seen
    assert {"/report.css", "/standard/countries/bo", "/standard/countries/sg/report"} <= set(asked)
    assert {"/standard/export/corridors.csv", "/standard/map.svg"} <= set(asked)


def test_alerts_are_sorted_filtered_and_paged(operator: Any) -> None:
    def scores(path: str) -> list[float]:
        text = operator.get(path).text
        return [float(s) for s in re.findall(r'data-label="Score"[^>]*>([0-9.]+)<', text)]

    down = scores("/alerts?level=any&sort=score&down=true")
    assert len(down) == 25
    assert down == sorted(down, reverse=True)
    assert scores("/alerts?level=any&sort=score&down=true&offset=25")[0] <= down[-1]
    up = scores("/alerts?level=any&sort=score&down=false")
    assert up == sorted(up) != down
    page = operator.get("/alerts?level=any&rule=cycle")
    assert set(re.findall(r'data-label="Rule">([^<]+)<', page.text)) == {"cycle"}
    assert "1–12 of 12 alerts" in page.text
    last = operator.get("/alerts?level=any&offset=50").text
    assert "51–61 of 61 alerts" in last and 'rel="prev"' in last and 'rel="next"' not in last


def test_the_link_of_a_column_turns_its_order(operator: Any) -> None:
    text = unescape(operator.get("/alerts?sort=score&down=true").text)
    assert "sort=score&down=false" in text
    assert "sort=last&down=true" in text
    assert "sort=subject&down=false" in text
    assert 'aria-sort="descending"' in text


def test_a_case_shows_the_five_hops_in_order(operator: Any) -> None:
    text = operator.get("/cases/case-1").text
    hops = re.findall(r'<li class="(reached|ahead)"><h3>(\w+)</h3>', text)
    assert hops == [
        ("reached", "Transfer"),
        ("reached", "Finding"),
        ("reached", "Duty"),
        ("ahead", "Decision"),
        ("ahead", "Act"),
    ]
    assert text.count("Receipt: entry") == 3
    assert 'href="/audit?start=211"' in text


def test_a_case_says_what_to_check_before_relying_on_a_duty(operator: Any) -> None:
    page = operator.get("/cases/case-1").text
    assert "◐ XTS at a rough rate: &lt;b&gt;check&lt;/b&gt;" in page


def test_a_case_shows_each_countrys_duties_with_force_and_confidence(operator: Any) -> None:
    text = operator.get("/cases/case-1").text
    lanes = dict(re.findall(r'<h3 id="duties-(\w+)">.*?</h3>(.*?)</section>', text, re.DOTALL))
    assert list(lanes) == ["bo", "fatf", "sy"]
    assert "recommended" in lanes["fatf"] and "required" not in lanes["fatf"]
    assert "low confidence" in lanes["sy"] and "7 hours overdue" in lanes["sy"]
    assert lanes["bo"].index("in 5 hours") < lanes["bo"].index("no deadline")


def test_a_closed_case_takes_no_decision(operator: Any) -> None:
    assert "Record the decision" not in operator.get("/cases/case-3").text


def test_the_drawing_is_an_image_of_its_own(operator: Any) -> None:
    response = operator.get("/cases/case-1/flow.svg")
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.text.startswith("<svg")
    assert operator.get("/cases/case-2/flow.svg").status_code == 404
    assert "flow.svg" not in operator.get("/cases/case-2").text


def test_a_report_is_a_download(operator: Any, fake: Any) -> None:
    response = operator.get("/reports/r-1")
    assert response.content == fake.XML
    assert response.headers["content-type"] == "application/xml"
    assert response.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''BO-2026-001%20%C2%ABSTR%C2%BB.xml"
    )


def test_a_report_of_an_odd_type_is_only_bytes(operator: Any, view: Any, fake: Any) -> None:
    view.report_file = lambda _id: fake.File("x.html", "text/html\r\nX-Evil: 1", b"<p>")
    response = operator.get("/reports/r-9")
    assert response.headers["content-type"] == "application/octet-stream"


def test_a_message_says_first_how_it_may_be_used(operator: Any) -> None:
    text = operator.get("/messages/m-in-000").text
    assert text.index("no onward use") < text.index("Who holds the account")
    assert "Ask before any onward use." in text
    assert 'href="/messages/m-in-001"' in operator.get("/messages/m-in-003").text


def test_the_log_is_read_from_its_end_and_back(operator: Any) -> None:
    text = operator.get("/audit").text
    assert "Event 239 of" in text and "Event 189 of" not in text
    assert 'href="/audit?start=140"' in text and "Newer" not in text
    assert 'href="/audit?start=50"' in operator.get("/audit?start=0").text


def test_a_report_that_came_is_downloaded_and_not_spelt_out(operator: Any, fake: Any) -> None:
    text = operator.get("/messages/m-out-000").text
    assert 'href="/messages/m-out-000/document" download' in text
    assert "24,000 characters of base64" in text and "PD94bWwg" not in text
    response = operator.get("/messages/m-out-000/document")
    assert response.content == fake.XML
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''STR%20%C2%AB1%C2%BB.xml"
    assert "Download" not in operator.get("/messages/m-in-000").text
    assert operator.get("/messages/m-in-000/document").status_code == 404

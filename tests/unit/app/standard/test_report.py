from __future__ import annotations

from datetime import date
from html import unescape
from html.parser import HTMLParser

import pytest

from comity.app.standard.report import page, report
from comity.errors import BadInput, NotFound
from comity.model import Confidence
from comity.standard.compare import gaps
from comity.standard.law import Standard


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        assert tag not in ("script", "iframe", "img", "link"), "the file is whole by itself"
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]


def test_every_gap_is_in_one_part(fiction: Standard, on: date) -> None:
    for name in ("bo", "fr", "sg", "eu"):
        found = report(fiction, name, on)
        parts = [item.gap for item in (*found.open, *found.apart, *found.unknown)]
        assert sorted(map(repr, parts)) == sorted(map(repr, gaps(fiction, name, on)))
        assert len(found.open) == found.country.open
        assert len(found.apart) + len(found.unknown) == found.country.unknown
        assert [item.gap.weakness for item in found.open] == sorted(
            (item.gap.weakness for item in found.open), reverse=True
        )


def test_the_file_carries_its_own_style_and_links_nowhere(fiction: Standard, on: date) -> None:
    text = page(report(fiction, "bo", on))
    assert Links(text).found == []
    assert "size: A4 portrait" in text and "url(" not in text and "@import" not in text


def test_the_page_takes_its_style_from_the_node(fiction: Standard, on: date) -> None:
    text = page(report(fiction, "bo", on), base="/x")
    assert 'href="/x/report.css"' in text and 'href="/x/standard/countries/bo?on=2026-11-25"' in text
    assert "<style" not in text


def test_it_says_all_that_one_needs_to_act(fiction: Standard, on: date) -> None:
    found = report(fiction, "bo", on)
    text = unescape(page(found))
    assert found.edition in text and "2026-11-25" in text and "Not legal advice" in text
    for item in found.texts:
        assert item.adoption.clause in text
        assert item.adoption.yaml in text
        assert item.gap.standards.source in text
        assert item.gap.ours is None or item.gap.ours.source in text
    assert "▲ low confidence" in text and "◐ medium confidence" in text and "? not established" in text
    assert "cannot be ordered" in text and "no law found" in text
    assert "2027-01-01" in text, "the change to come"


def test_confidence_below_high_is_marked_wherever_it_is_relied_on(fiction: Standard, on: date) -> None:
    found = report(fiction, "bo", on)
    assert found.unsure == sum(item.gap.confidence is not Confidence.HIGH for item in found.open) > 0
    for item in found.texts:
        section = page(found).split('<section class="gap">')[1 + found.texts.index(item)]
        assert f'class="trust {item.gap.confidence.value}"' in section


def test_what_nobody_knows_is_listed_and_has_no_text(fiction: Standard) -> None:
    found = report(fiction, "sg", date(2026, 11, 25))
    assert [item.gap.question for item in found.unknown] == ["travel_rule.in_force"]
    text = page(found)
    assert "ask the authority" in text
    listed = text.split("What is not established")[1]
    assert "Is the Travel Rule in force" in listed


def test_hostile_names_are_text(fiction: Standard, on: date) -> None:
    text = page(report(fiction, "sg", on))
    assert "<script" not in text and "\u202e" not in text
    assert "&lt;script&gt;" in text
    Links(text)


def test_a_country_without_gaps(shipped: Standard) -> None:
    found = report(shipped, "eu", date(2000, 1, 1))
    assert "Gaps beside the standard" in page(found)
    with pytest.raises(BadInput):
        report(shipped, "fatf", date(2026, 1, 1))
    with pytest.raises(NotFound):
        report(shipped, "qq", date(2026, 1, 1))

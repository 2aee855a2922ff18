from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from comity.app.web import words
from comity.model import Answer, Basis, Confidence, Gateway, OnwardUse, Provision

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (timedelta(minutes=40), "in 40 min"),
        (timedelta(minutes=119), "in 119 min"),
        (timedelta(hours=5, minutes=59), "in 5 hours"),
        (timedelta(days=2), "in 2 days"),
        (-timedelta(hours=30), "30 hours overdue"),
        (timedelta(0), "in 0 min"),
    ],
)
def test_distance(gap: timedelta, text: str) -> None:
    assert words.distance(NOW + gap, NOW) == text


def test_figures_keep_their_whole_part() -> None:
    assert [words.figure(v) for v in (1000.0, 0.5, 1_234_567.891, 0)] == ["1,000", "0.5", "1,234,567.89", "0"]


def test_one_segment_of_a_path_stays_one() -> None:
    assert words.part("a/b?c#d") == "a%2Fb%3Fc%23d"


def test_markup_and_reordering_characters_are_shown_as_text() -> None:
    page = words.environment().from_string("{{ name }}")
    text = page.render(name="<b>\u202eabc\u2066\x07 שלום")
    assert text == "&lt;b&gt;\ufffdabc\ufffd\ufffd שלום"


def test_an_answer_and_its_source_as_people_read_them() -> None:
    def law(value: Answer, source: str = "s. 1") -> Provision:
        return Provision("xx", "str.portal", value, source, Confidence.HIGH, Basis.SOURCED)

    assert words.answer(law(("name", "birth_date"))) == "name, birth date"
    gateway = Gateway(("money_laundering",), ("freeze_reply",), OnwardUse.WITH_CONSENT)
    assert words.answer(law(gateway)) == "freeze reply for money laundering; onward use: with consent"
    assert words.answer(law("file_name.xml")) == "file_name.xml", "a text is left as it is"
    assert words.answer(law(None)) == "unknown"
    assert words.cited("Act, s. 1; seen at https://law.example/1; and more") == "Act, s. 1"

from __future__ import annotations

import pytest

from comity.errors import BadInput
from comity.model import Identifier, Party, PartyKind
from comity.screening.evidence import Outcome, weigh


def party(*dates: str, kind: PartyKind = PartyKind.NATURAL, countries: tuple[str, ...] = ()) -> Party:
    others = tuple(Identifier("birth_date", date) for date in dates[1:])
    return Party("X", kind, birth_date=dates[0] if dates else "", identifiers=others, countries=countries)


@pytest.mark.parametrize(
    ("dates", "given", "sign", "words"),
    [
        (("1971-03-25",), "1971-03-25", 1, "is the same"),
        (("1971-03-25",), "1971", 1, "year 1971 agrees"),
        (("1971",), "1971-03-25", 1, "year 1971 agrees"),
        (("1971-03-25",), "1971-04-26", -1, "the day does not"),
        (("1971-03-25",), "1973-01-01", 0, "close"),
        (("1971-03-25",), "1985", -1, "contradicts"),
        (("", "1960/1964"), "1962", 1, "agrees"),
        (("1950", "1960-01-01/1964-12-31"), "1963-05", 1, "agrees"),
        (("1950", "1960/1964"), "1990", -1, "contradicts"),
        ((), "1990", 0, "no birth date"),
        (("soon",), "1990", 0, "no birth date"),
    ],
)
def test_birth_dates(dates: tuple[str, ...], given: str, sign: int, words: str) -> None:
    outcome = weigh(0.8, party(*dates), given, ())
    assert (outcome.score > 0.8) - (outcome.score < 0.8) == sign
    assert words in outcome.reasons[0]
    assert outcome.contradicted == ("contradicts" in outcome.reasons[0])


def test_an_organisation_has_no_birth_date() -> None:
    outcome = weigh(0.8, party(kind=PartyKind.LEGAL), "1990", ())
    assert outcome.contradicted
    assert outcome.score < 0.8


def test_countries() -> None:
    assert weigh(0.8, party(countries=("MT",)), "", ["mt", "FR"]).score > 0.8
    assert weigh(0.8, party(countries=("MT",)), "", ["FR"]).score < 0.8
    assert weigh(0.8, party(), "", ["FR"]) == Outcome(0.8, (), False)


def test_never_above_one() -> None:
    assert weigh(1.0, party("1971", countries=("MT",)), "1971", ["MT"]).score == 1.0


@pytest.mark.parametrize("given", ["yesterday", "71", "25.03.1971", "1971/1972"])
def test_a_date_that_is_none(given: str) -> None:
    with pytest.raises(BadInput, match="birth date"):
        weigh(0.8, party("1971"), given, ())

"""What a birth date and countries say about a name match: they agree, contradict, or are silent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from comity.errors import BadInput
from comity.model import Party, PartyKind

SAME_DAY = 0.05
SAME_YEAR = 0.02
OTHER_YEAR = 0.8
OTHER_DAY = 0.97
NOT_A_PERSON = 0.85
YEARS_APART = 2
SAME_COUNTRY = 0.02
OTHER_COUNTRY = 0.97
MOST = SAME_DAY + SAME_COUNTRY
"""No name's score is raised by more."""

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The score after corroboration, the sentences that say why, and whether anything contradicts it."""

    score: float
    reasons: tuple[str, ...]
    contradicted: bool


def weigh(score: float, party: Party, birth_date: str, countries: Sequence[str]) -> Outcome:
    """Raise or lower a name's score by what else is known. Raises BadInput for a date that is none."""
    reasons = []
    contradicted = False
    if birth_date:
        score, reason, contradicted = _born(score, party, birth_date)
        reasons.append(reason)
    if countries and party.countries:
        shared = sorted({country.upper() for country in countries} & set(party.countries))
        score = score + SAME_COUNTRY if shared else score * OTHER_COUNTRY
        reasons.append(
            f"The entry is tied to the same country: {', '.join(shared)}."
            if shared
            else f"The entry is tied to other countries: {', '.join(party.countries)}."
        )
    return Outcome(min(1.0, score), tuple(reasons), contradicted)


def check_birth_date(birth_date: str) -> None:
    """Raises BadInput for a date that is none; an empty one is not given."""
    if birth_date and not _DATE.fullmatch(birth_date.strip()):
        raise BadInput(f"not a birth date: {birth_date[:40]!r}", remedy="write YYYY-MM-DD, YYYY-MM or YYYY")


def _born(score: float, party: Party, birth_date: str) -> tuple[float, str, bool]:
    check_birth_date(birth_date)
    given = _DATE.fullmatch(birth_date.strip())
    assert given is not None
    if party.kind is PartyKind.LEGAL:
        return score * NOT_A_PERSON, "A birth date was given, and the entry is an organisation.", True
    listed = [party.birth_date, *(item.value for item in party.identifiers if item.kind == "birth_date")]
    listed = [date for date in listed if date]
    if not listed:
        return score, "The entry gives no birth date to compare.", False
    whole = given[0]
    if len(whole) == 10 and whole in listed:
        return score + SAME_DAY, f"The birth date {whole} is the same.", False
    year, spans = int(given[1]), list(_spans(listed))
    shown = ", ".join(listed)
    if any(start <= year <= end for start, end in spans):
        if len(whole) == 10 and all(len(date) == 10 for date in listed):
            return score * OTHER_DAY, f"The birth year agrees, the day does not (listed: {shown}).", False
        return score + SAME_YEAR, f"The birth year {year} agrees (listed: {shown}).", False
    if any(start - YEARS_APART <= year <= end + YEARS_APART for start, end in spans):
        return score, f"The birth year {year} is close to the listed one ({shown}).", False
    if not spans:
        return score, "The entry gives no birth date to compare.", False
    return score * OTHER_YEAR, f"The birth date {whole} contradicts the listed one ({shown}).", True


def _spans(dates: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last year of each date or interval."""
    for date in dates:
        years = [int(part[:4]) for part in date.split("/") if _DATE.fullmatch(part)]
        if years:
            yield min(years), max(years)

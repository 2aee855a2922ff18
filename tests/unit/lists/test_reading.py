from __future__ import annotations

import pytest

from comity.errors import BadInput, TooLarge
from comity.lists import _countries, _reading
from comity.model import Identifier, Listing, ListingKind, Party


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("25 Mar 1977", "1977-03-25"),
        ("Mar 1977", "1977-03"),
        ("1977", "1977"),
        ("circa 1961", "1961"),
        ("circa 01 Jan 1961", "1961-01-01"),
        ("1960 to 1962", "1960/1962"),
        ("01 Jan 1960 to 31 Dec 1961", "1960-01-01/1961-12-31"),
        ("unknown", ""),
        ("12 Foo 1970", ""),
        ("1960 to 1961 to 1962", ""),
        ("", ""),
    ],
)
def test_birth_dates(given: str, read: str) -> None:
    assert _reading.birth(given) == read


def test_an_interval_is_never_the_one_date() -> None:
    assert _reading.births(["1960/1962", "", "1961", "1961"]) == (
        "1961",
        (Identifier("birth_date", "1960/1962"),),
    )
    assert _reading.births([]) == ("", ())


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-02-03", "2026-02-03"),
        ("2026-02-03T17:44:28.283+02:00", "2026-02-03T15:44:28Z"),
        ("2026-02-03 01:02:03.5", "2026-02-03T01:02:03Z"),
    ],
)
def test_versions(given: str, read: str) -> None:
    assert _reading.version(given, "x") == read


@pytest.mark.parametrize("given", ["", "soon", "2026-13-01", "03/02/2026", "2026-2-3xxx"])
def test_no_version(given: str) -> None:
    with pytest.raises(BadInput, match="no date"):
        _reading.version(given, "x")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Korea, North", "KP"),
        ("Democratic People's Republic of Korea", "KP"),
        ("Korea, South", "KR"),
        ("Congo, Democratic Republic of the", "CD"),
        ("Democratic Republic of the Congo", "CD"),
        ("Congo, Republic of the", "CG"),
        ("Virgin Islands, British", "VG"),
        ("Türkiye", "TR"),
        ("Cote d Ivoire", "CI"),
        ("Côte d'Ivoire", "CI"),
        ("Region: Gaza", "PS"),
        ("Bahamas, The", "BS"),
        ("RU", "RU"),
        ("Guinea", "GN"),
        ("Guinea-Bissau", "GW"),
        ("Man, Isle of", "IM"),
        ("China, Hong Kong Special Administrative Region", "HK"),
        ("undetermined", ""),
        ("", ""),
    ],
)
def test_countries(name: str, code: str) -> None:
    assert _countries.code(name) == code


def test_each_country_once() -> None:
    assert _countries.codes(["Russia", "nowhere", "Russian Federation", "Malta"]) == ("RU", "MT")


def test_too_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reading, "MAX_ENTRIES", 1)
    entries = [Listing("x", str(n), ListingKind.SANCTION, Party("x")) for n in range(3)]
    with pytest.raises(TooLarge):
        list(_reading.unique(entries))

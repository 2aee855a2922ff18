from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from comity import intake, plugins
from comity.errors import BadInput, TooLarge
from comity.model import FindingKind, Level, Listing, ListingKind, Party, PartyKind
from comity.screening.names import NameIndex
from comity.screening.words import fold, skeleton, words

NATURAL, LEGAL = PartyKind.NATURAL, PartyKind.LEGAL


def listing(name: str, *aliases: str, kind: PartyKind = NATURAL, **party: object) -> Listing:
    details = Party(name, kind, aliases, **party)  # type: ignore[arg-type]
    return Listing("sample", name, ListingKind.SANCTION, details, ("CYBER2",), source="Sample of 2026-02-03")


PEOPLE = [
    listing("Orsolo VANTERMEER", "Orso van Termeer", birth_date="1971-03-25", countries=("MT",)),
    listing("Mohammed Ali AL-SAMPLI", "محمد علي السمبلي", birth_date="1960"),
    listing("Mohammed Hassan", birth_date=""),
    listing("Mstislav Sergeyevich OBRAZTSOV"),
    listing("Mstislav Obrazovsky"),
    listing("KIM Song Pyo"),
    listing("WANG Xiaoming"),
    listing("Khaled Mahmoud Tahir"),
    listing("Zoltan"),
    listing("QUILLFEATHER SHIPPING LTD", "Quill Feather Shipping Limited Liability Company", kind=LEGAL),
    listing("Bank Primerov OAO", kind=LEGAL),
    listing("Bank Uralskoy Doliny OAO", kind=LEGAL),
    *[
        listing(f"Mohammed {name}")
        for name in ("Adel", "Basim", "Dawud", "Ehsan", "Faruq", "Ghalib", "Harun")
    ],
    *[listing(f"Filler{chr(97 + n)}x Nobody{chr(122 - n)}", kind=LEGAL) for n in range(20)],
]
INDEX = NameIndex(PEOPLE)


def best(name: str, **known: object) -> tuple[str, float, Level] | None:
    found = INDEX.screen(name, **known)  # type: ignore[arg-type]
    return (found[0].evidence[0].split(":", 1)[1], found[0].score, found[0].level) if found else None


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ("Orsolo Vantermeer", "Orsolo VANTERMEER"),
        ("VANTERMEER, Orsolo", "Orsolo VANTERMEER"),
        ("orsolo  van-termeer", "Orsolo VANTERMEER"),
        ("Orsollo Vantermer", "Orsolo VANTERMEER"),
        ("Mr. Orsolo Vantermeer", "Orsolo VANTERMEER"),
        ("Мстислав Образцов", "Mstislav Sergeyevich OBRAZTSOV"),
        ("Mstislav Obraztsov", "Mstislav Sergeyevich OBRAZTSOV"),
        ("Mstislaw Obrazcov", "Mstislav Sergeyevich OBRAZTSOV"),
        ("محمد علي السمبلي", "Mohammed Ali AL-SAMPLI"),
        ("Muhammad Ali al Sampli", "Mohammed Ali AL-SAMPLI"),
        ("خالد محمود طاهر", "Khaled Mahmoud Tahir"),
        ("김성표", "KIM Song Pyo"),
        ("Kim Seong-Pyo", "KIM Song Pyo"),
        ("王晓明", "WANG Xiaoming"),
        ("Xiao Ming Wang", "WANG Xiaoming"),
        ("Quillfeather Shipping", "QUILLFEATHER SHIPPING LTD"),
        ("Quillfeather Shipping GmbH", "QUILLFEATHER SHIPPING LTD"),
        ("Банк Примеров", "Bank Primerov OAO"),
    ],
)
def test_found_across_spelling_order_and_script(given: str, listed: str) -> None:
    found = best(given)
    assert found is not None
    assert found[0] == listed


@pytest.mark.parametrize(
    "given",
    [
        "Peter Müller",
        "Mary Johnson",
        "Mohammed Idris",
        "Anna Filler",
        "Bank of Somewhere",
        "Limited Liability Company",
        "Li",
        "Wu",
        "Orsolo Smith",
        "12345",
    ],
)
def test_not_found(given: str) -> None:
    assert best(given) is None


def test_the_same_name_scores_one_and_is_an_alert() -> None:
    assert best("Orsolo Vantermeer") == ("Orsolo VANTERMEER", 1.0, Level.ALERT)


def test_a_shared_common_name_says_little() -> None:
    common, rare = INDEX.screen("Mohammed Hasan"), INDEX.screen("Mohammed Xaddun")
    assert common[0].evidence == ("sample:Mohammed Hassan",)
    assert rare == ()


def test_one_word_of_a_person_is_never_an_alert() -> None:
    assert best("Zoltan") == ("Zoltan", 1.0, Level.WATCH)


def test_a_patronymic_left_out_is_still_an_alert_another_one_is_not_the_same() -> None:
    left_out = best("Mstislav Obraztsov")
    assert left_out is not None and left_out[2] is Level.ALERT
    other = best("Mstislav Petrovich Obraztsov")
    same = best("Mstislav Sergeyevich Obraztsov")
    assert other is not None and same is not None and other[1] < same[1] == 1.0


def test_the_reasons_say_what_matched() -> None:
    (finding,) = INDEX.screen("Orso van Termeer Smith", limit=1)
    assert finding.kind is FindingKind.SCREENING
    assert finding.rule == "listed_name"
    assert finding.subject == "Orso van Termeer Smith"
    assert finding.source == "Sample of 2026-02-03"
    text = " ".join(finding.reasons)
    assert "an alias of “Orsolo VANTERMEER”" in text
    assert "orso, van, termeer" in text
    assert "not in the listed name: smith" in text
    assert "CYBER2" in text
    assert all(reason.endswith(".") for reason in finding.reasons)
    extra = " ".join(INDEX.screen("Mohammed Ali", limit=1)[0].reasons)
    assert "In the listed name but not given: al, sampli." in extra
    joined = " ".join(INDEX.screen("Van Termeer Orso Lo")[0].reasons)
    assert "resembles" in joined


def test_written_as_one_word() -> None:
    (finding,) = INDEX.screen("Quill Feather Shipping", limit=1)
    assert finding.level is Level.ALERT
    index = NameIndex([listing("Abdullah Rahmani")])
    (finding,) = index.screen("Abdul lah Rahmani")
    assert any("as one word" in reason for reason in finding.reasons)


def test_a_birth_date_raises_or_lowers() -> None:
    plain = best("Orsolo Vanterman")
    same = best("Orsolo Vanterman", birth_date="1971-03-25")
    year = best("Orsolo Vanterman", birth_date="1971")
    wrong = best("Orsolo Vantermeer", birth_date="1990-01-01")
    assert plain and same and year and wrong
    assert plain[1] < year[1] < same[1]
    assert wrong[1] < plain[1]
    assert wrong[2] is Level.WATCH


def test_countries_weigh_a_little() -> None:
    plain = best("Orsolo Vanterman")
    same = best("Orsolo Vanterman", countries=["mt"])
    other = best("Orsolo Vanterman", countries=["FR"])
    assert plain and same and other
    assert other[1] < plain[1] < same[1]


def test_limit_order_and_ids() -> None:
    found = INDEX.screen("Mohammed Ali al-Sampli", limit=1)
    assert len(found) == 1
    many = NameIndex([listing(f"Orsolo Vantermeer {n}") for n in range(30)]).screen("Orsolo Vantermeer")
    assert len(many) == 10
    scores = [finding.score for finding in many]
    assert scores == sorted(scores, reverse=True)
    assert len({finding.id for finding in many}) == 10
    assert INDEX.screen("Orsolo Vantermeer") == NameIndex(PEOPLE).screen("Orsolo Vantermeer")


def test_thresholds_are_the_callers() -> None:
    strict = NameIndex(PEOPLE, alert=1.0, watch=0.99)
    assert strict.screen("Orsollo Vantermer") == ()
    lax = NameIndex(PEOPLE, alert=0.5, watch=0.4)
    assert lax.screen("Orsolo Vantermer")[0].level is Level.ALERT


@pytest.mark.parametrize("name", ["", "   ", "…", "—?!", "\x00"])
def test_nothing_to_screen_is_an_error_not_a_clean_answer(name: str) -> None:
    with pytest.raises(BadInput, match="no name"):
        INDEX.screen(name)


def test_a_name_without_end_is_refused() -> None:
    with pytest.raises(TooLarge):
        INDEX.screen("x" * 501)
    assert INDEX.screen("x " * 250) == ()


def test_an_attribution_is_not_screened_as_a_name() -> None:
    tag = replace(listing("Orsolo Vantermeer"), kind=ListingKind.ATTRIBUTION)
    assert len(NameIndex([tag])) == 0


def test_an_empty_index() -> None:
    assert NameIndex([]).screen("Orsolo Vantermeer") == ()
    assert len(NameIndex([])) == 0
    assert len(INDEX) == sum(1 + len(entry.party.aliases) for entry in PEOPLE)


def test_entries_without_letters_are_not_indexed() -> None:
    assert len(NameIndex([listing("…", "Orsolo Vantermeer", "ORSOLO VANTERMEER")])) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("O.O.O. Primer", "ooo primer"),
        ("Al-Qa'ida", "al qaida"),
        ("김정은", "kim jeong eun"),
        ("이민호", "lee min ho"),
        ("김", "gim"),
        ("李明", "li ming"),
        ("Müller & Söhne GmbH", "muller sohne gmbh"),
        ("Łukasz Żółć", "lukasz zolc"),
        ("ﬁne", "fine"),
    ],
)
def test_words(name: str, text: str) -> None:
    assert " ".join(word.text for word in words(name)) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alexander", "aleksandr"),
        ("khaled", "qalid"),
        ("mohammed", "mohamed"),
        ("yusuf", "yousouf"),
        ("viktor", "victor"),
        ("dmitry", "dmitriy"),
        ("husayn", "hussein"),
        ("jeong", "jung"),
        ("shevchenko", "chevshenko"),
    ],
)
def test_fold_makes_one_of_spellings(one: str, other: str) -> None:
    first, second = fold(one), fold(other)
    assert first == second or (one == "alexander" and first.replace("ir", "r") == second)


def test_skeletons() -> None:
    assert skeleton("mohammed") == skeleton("mhmd")
    assert skeleton("khaled") == skeleton("khld")
    assert skeleton("fatima") == skeleton("fatmh")
    assert words("محمد")[0].abjad and not words("mohammed")[0].abjad


@pytest.mark.data
def test_real_lists_and_pairs_across_scripts(data: Path) -> None:
    """The floor we see: 19 of 22 pairs; the three missed are Japanese or Korean names in Han characters."""
    entries: list[Listing] = []
    for file in ("un_consolidated_2024-05-15.xml.gz", "eu_fsf_full_2024-05-13.xml.gz"):
        with intake.open_source(data / "sanctions" / file) as stream:
            entries += plugins.recognise("lists", intake.peek(stream)).read(stream).listings
    lines = (data / "screening/watchman_cross_script_pairs.csv").read_text().splitlines()
    pairs = [line.split(",") for line in lines if line and not line.startswith("#")]
    expected = [listing(pair[1]) for pair in pairs]
    index = NameIndex([*expected, *entries])
    found = []
    for given, name, *_ in pairs:
        hits = index.screen(given, limit=50)
        found.append(any(f"sample:{name}" in finding.evidence for finding in hits))
    assert len(pairs) == 22
    assert sum(found) >= 19
    assert [pair[0] for pair, hit in zip(pairs, found, strict=True) if not hit] == [
        "金正恩",
        "山田太郎",
        "田中花子",
    ]

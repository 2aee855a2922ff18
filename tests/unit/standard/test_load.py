"""A law file that could mislead is refused, and the refusal says where and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity.errors import LawFileError, NotFound
from comity.model import Basis, Confidence
from comity.standard import vocabulary
from comity.standard.law import Standard
from comity.standard.load import load

Law = Callable[..., Standard]

END = "source: Act, confidence: high, reviewed: 2026-01-01}"
HEAD = "jurisdiction: aa\nextends: fatf\nprovisions:\n"


def test_a_small_law(law: Law) -> None:
    standard = law(
        aa="jurisdiction: aa\nname: Aa\nextends: fatf\nprovisions:\n  travel_rule.threshold:\n"
        "    - {from: 2020, until: 2021-02, when: {asset: virtual}, value: {over: 10, currency: EUR},"
        " source: Act, basis: SOURCED, confidence: low, reviewed: 2026-01-01, note: n}\n"
    )
    provision = standard.provisions["aa"]["travel_rule.threshold"][0]
    assert (provision.basis, provision.confidence) == (Basis.SOURCED, Confidence.LOW)
    assert (str(provision.from_), str(provision.until)) == ("2020-01-01", "2021-02-01")
    assert provision.when == (("asset", "virtual"),)
    assert provision.note == "n"
    assert standard.chain("AA") == ("aa", "fatf")
    assert standard.states() == ("aa",)
    assert not standard.binds(standard.provisions["fatf"]["record_keeping.years"][0])
    with pytest.raises(NotFound, match="'zz'"):
        standard.jurisdiction("zz")
    with pytest.raises(NotFound, match="no question"):
        standard.vocabulary.question("what")


REFUSED = [
    ("  what.is: []\n", 4, "what.is: is no question", "vocabulary.yaml"),
    (
        "  fiu.name:\n    - {value: X, confidence: high, reviewed: 2026-01-01}\n",
        5,
        "`source` is missing",
        "add",
    ),
    (
        "  fiu.name:\n    - {value: X, source: '', confidence: high, reviewed: 2026-01-01}\n",
        5,
        "is empty",
        "",
    ),
    ("  fiu.name:\n    - {value: X, source: A, reviewed: 2026-01-01}\n", 5, "`confidence` is missing", "add"),
    (
        "  fiu.name:\n    - {value: X, source: A, confidence: sure, reviewed: 2026-01-01}\n",
        5,
        "'sure'",
        "high",
    ),
    ("  fiu.name:\n    - {value: X, basis: HEARSAY, " + END + "\n", 5, "'HEARSAY'", "SOURCED"),
    ("  fiu.name:\n    - {value: X, source: A, confidence: high}\n", 5, "`reviewed` is missing", "add"),
    ("  fiu.name:\n    - {vaule: X, " + END + "\n", 5, "not a known field", "value"),
    ("  fiu.name:\n    - {when: {weather: fine}, value: X, " + END + "\n", 5, "not a known field", "asset"),
    ("  fiu.name:\n    - {when: {asset: gold}, value: X, " + END + "\n", 5, "'gold'", "virtual"),
    ("  fiu.name:\n    - {from: 2025, until: 2024, value: X, " + END + "\n", 5, "not lie after", "dates"),
    (
        "  str.deadline:\n    - {value: {amount: 2, unit: moons}, departs: x, " + END + "\n",
        5,
        "'moons'",
        "working_day",
    ),
    (
        "  cdd.occasional:\n    - {value: {over: a lot, currency: EUR}, " + END + "\n",
        5,
        "not an amount",
        "digits",
    ),
    ("  fiu.name:\n    - {value: X, " + END + "\n    - {value: Y, " + END + "\n", 6, "ties with", "until"),
    (
        "  fiu.name:\n    - {value: X, " + END + "\n    - {value: X, " + END + "\n",
        6,
        "repeats line 5",
        "remove",
    ),
    (
        "  fiu.name:\n    - {when: {asset: cash}, value: X, " + END + "\n"
        "    - {when: {sector: bank}, value: Y, " + END + "\n",
        6,
        "ties with the answer on line 5",
        "condition",
    ),
    (
        "  fiu.name:\n    - {from: 2020, until: 2024, value: X, " + END + "\n"
        "    - {from: 2023, value: Y, " + END + "\n",
        6,
        "overlap those of line 5",
        "until",
    ),
    (
        "  travel_rule.threshold:\n    - {value: {over: 3000, currency: USD}, " + END + "\n",
        5,
        "weaker than R.16",
        "departs",
    ),
    ("  record_keeping.years:\n    - {value: 4, " + END + "\n", 5, "weaker than R.11", "departs"),
    ("  fiu.name: X\n", 4, "not a list", ""),
]


@pytest.mark.parametrize(("provisions", "line", "what", "remedy"), REFUSED)
def test_a_misleading_file_is_refused(law: Law, provisions: str, line: int, what: str, remedy: str) -> None:
    with pytest.raises(LawFileError) as refused:
        law(aa=HEAD + provisions)
    assert refused.value.what.startswith(f"aa.yaml, line {line}: ")
    assert what in refused.value.what
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    "provisions",
    [
        # Later before earlier; an exception beside its rule; conditions that exclude each other.
        "  fiu.name:\n    - {from: 2020, value: X, " + END + "\n    - {from: 2023, value: Y, " + END + "\n",
        "  fiu.name:\n    - {value: X, " + END + "\n    - {when: {asset: cash}, value: Y, " + END + "\n",
        "  fiu.name:\n    - {when: {asset: cash}, value: X, " + END + "\n"
        "    - {when: {asset: money}, value: Y, " + END + "\n",
        "  fiu.name:\n    - {until: 2023, value: X, " + END + "\n    - {from: 2023, value: Y, " + END + "\n",
        # Weaker, and says so; weaker only while the standard did not apply; unknown is not weaker.
        "  record_keeping.years:\n    - {value: 4, departs: four years, " + END + "\n",
        "  record_keeping.years:\n    - {value: unknown, " + END + "\n",
        "  travel_rule.threshold:\n    - {value: {over: 1100, currency: CHF}, " + END + "\n",
    ],
)
def test_what_does_not_mislead_is_accepted(law: Law, provisions: str) -> None:
    assert law(aa=HEAD + provisions).states() == ("aa",)


def test_weaker_counts_where_the_standard_applies(law: Law) -> None:
    fatf = (
        "jurisdiction: fatf\nkind: standard\nprovisions:\n  record_keeping.years:\n"
        "    - {from: 2020-01-01, value: 5, " + END + "\n"
    )
    old = HEAD + "  record_keeping.years:\n    - {until: 2020-01-01, value: 1, " + END + "\n"
    assert law(fatf=fatf, aa=old)
    with pytest.raises(LawFileError, match="weaker"):
        law(fatf=fatf, aa=old.replace("2020-01-01, value", "2020-01-02, value"))


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"aa": "jurisdiction: aa\nextends: bb\nprovisions: {}\n"}, "no law file 'bb'"),
        ({"aa": "jurisdiction: bb\nprovisions: {}\n"}, "differs from the name"),
        ({"aa": "jurisdiction: aa\nextends: aa\nprovisions: {}\n"}, "circle: aa → aa"),
        (
            {
                "aa": "jurisdiction: aa\nextends: bb\nprovisions: {}\n",
                "bb": "jurisdiction: bb\nextends: aa\nprovisions: {}\n",
            },
            "circle: aa → bb → aa",
        ),
        ({"aa": "jurisdiction: aa\nkind: standard\nprovisions: {}\n"}, "second standard"),
        ({"aa": "jurisdiction: aa\nkind: empire\nprovisions: {}\n"}, "'empire'"),
        ({"aa": "jurisdiction: aa\n"}, "`provisions` is missing"),
        ({"aa": "- a list\n"}, "not a mapping"),
    ],
)
def test_files_must_fit_together(law: Law, files: dict[str, str], word: str) -> None:
    with pytest.raises(LawFileError, match=word):
        law(**files)


def test_a_time_zone_is_checked_where_it_is_written(law: Law) -> None:
    for name in ("America", "Nope/X", "Oslo"):
        with pytest.raises(LawFileError) as refused:
            law(aa=f"jurisdiction: aa\nextends: fatf\ntimezone: {name}\nprovisions: {{}}\n")
        assert refused.value.what == f"aa.yaml, line 3: timezone: not a time zone: {name!r}"


def test_a_file_is_named_in_lower_case(law: Law) -> None:
    with pytest.raises(LawFileError, match="lower case"):
        law(AA="jurisdiction: AA\nextends: fatf\nprovisions: {}\n")


def test_names_nearly_right_are_helped(law: Law) -> None:
    bloc = "jurisdiction: bb\nname: Bloc\nkind: bloc\nextends: fatf\nmembers: [IT]\nprovisions: {}\n"
    standard = law(aa="jurisdiction: aa\nname: Singapore\nextends: fatf\nprovisions: {}\n", bb=bloc)
    with pytest.raises(NotFound) as missing:
        standard.jurisdiction("singapor")
    assert missing.value.remedy == "use aa"
    with pytest.raises(NotFound) as missing:
        standard.jurisdiction("it")
    assert (missing.value.why, missing.value.remedy) == ("IT has the law of bb, whose member it is", "use bb")
    with pytest.raises(NotFound) as missing:
        standard.vocabulary.question("travel_rule.threshhold")
    assert "travel_rule.threshold" in missing.value.remedy
    assert (standard.law_of("IT"), standard.law_of("aa"), standard.law_of("ZZ")) == ("bb", "aa", "")
    assert standard.in_one_bloc(("IT",))
    assert not standard.in_one_bloc(("IT", "AA"))
    with pytest.raises(LawFileError, match="not a country"):
        law(bb=bloc.replace("[IT]", "[Italy]"))


def test_law_without_the_standard_is_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "aa.yaml"
    file.write_text("jurisdiction: aa\nprovisions:\n  record_keeping.years:\n    - {value: 1, " + END + "\n")
    standard = load({"aa": file})
    assert (standard.root, standard.chain("aa")) == ("", ("aa",))


CASE = "jurisdiction: aa\nprovisions: {}\ncases:\n  - "


@pytest.mark.parametrize(
    ("case", "word"),
    [
        ("{on: 2025-01-01, transfer: {value: 1 EUR}, required: []}", "`name` is missing"),
        ("{name: x, on: 2025-01-01, transfer: {value: 1 EUR}}", "`required` is missing"),
        ("{name: x, on: 2025-01-01, transfer: {value: 1}, required: []}", "empty"),
        ("{name: x, on: 2025-01-01, transfer: {value: one EUR}, required: []}", "not an amount"),
        ("{name: x, on: 2025-01-01, transfer: {value: 1 EUR}, required: [pray]}", "'pray'"),
        ("{name: x, on: 2025-01-01, transfer: {value: 1 EUR, direction: up}, required: []}", "'up'"),
        ("{name: x, on: 2025-01-01, transfer: {value: 1 EUR, counterparty: me}, required: []}", "'me'"),
        (
            "{name: x, on: 2025-01-01, transfer: {value: 1 EUR}, facts: {mood: bad}, required: []}",
            "known field",
        ),
        (
            "{name: x, on: 2025-01-01, transfer: {value: 1 EUR}, required: [], due: {pray: 2025}}",
            "known field",
        ),
    ],
)
def test_a_case_that_cannot_be_run_is_refused(law: Law, case: str, word: str) -> None:
    with pytest.raises(LawFileError, match=word):
        law(aa=CASE + case + "\n")


VOCABULARY = (
    "facts: {asset: [cash]}\npurposes: [p]\ncontents: [c]\n"
    "comparison: {tolerance: 0.1, rates: {USD: 1}}\nquestions:\n"
)


@pytest.mark.parametrize(
    ("questions", "word"),
    [
        ("  q: {ask: a, type: riddle}\n", "'riddle'"),
        ("  q: {type: bool}\n", "`ask` is missing"),
        ("  q: {ask: a, type: bool, stricter: louder}\n", "'louder'"),
        ("  q: {ask: a, type: bool, duty: {kind: k, what: w, on: [bystander]}}\n", "'bystander'"),
        (
            "  q: {ask: a, type: bool, duty: {kind: k, what: w, on: [originator], gate: z}}\n",
            "no question of type",
        ),
        (
            "  q: {ask: a, type: bool, duty: {kind: k, what: w, on: [originator], deadline: q}}\n",
            "type deadline",
        ),
        ("  q: {ask: a, type: bool, duty: {kind: k, what: w, on: [], given: {mood: [x]}}}\n", "known field"),
    ],
)
def test_a_broken_vocabulary_is_refused(tmp_path: Path, questions: str, word: str) -> None:
    file = tmp_path / "vocabulary.yaml"
    file.write_text(VOCABULARY + questions)
    with pytest.raises(LawFileError, match=word):
        vocabulary.read(file)

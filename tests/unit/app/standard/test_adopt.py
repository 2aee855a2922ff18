"""The text to adopt: it reads as law, and as a provision it loads and closes the gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from comity.app.standard.adopt import adoption, in_words, item
from comity.app.standard.report import report
from comity.model import Deadline, Operator, Threshold
from comity.standard.compare import Gap, gaps
from comity.standard.law import Standard
from comity.standard.load import load
from comity.standard.strictness import Place


class LawFile:
    """A law file in memory."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = f"{name}.yaml", text

    def read_bytes(self) -> bytes:
        return self._text.encode()


def written(standard: Standard, name: str, more: Sequence[str] = ()) -> LawFile:
    """A jurisdiction's law as a file again, with more provisions put to the questions they answer."""
    law = standard.jurisdictions[name]
    texts = {
        question: "".join(item(standard.vocabulary.question(question), each) for each in provisions)
        for question, provisions in standard.provisions[name].items()
    }
    for text in more:
        question, _, body = text.partition(":\n")
        texts[question] = texts.get(question, "") + body
    kind = f"kind: {law.kind}\n" if law.kind != "state" else ""
    extends = f"extends: {law.extends}\n" if law.extends else ""
    provisions = "".join(f"  {question}:\n{text}" for question, text in texts.items())
    return LawFile(name, f"jurisdiction: {name}\n{kind}{extends}provisions:\n{provisions}")


def reload(standard: Standard, changed: LawFile | None = None) -> Standard:
    files = {name: written(standard, name) for name in standard.jurisdictions}
    if changed:
        files[changed.name.removesuffix(".yaml")] = changed
    return load(files)  # type: ignore[arg-type]


def test_what_is_written_is_read_back(shipped: Standard) -> None:
    """Every type of answer there is, as a law file states it."""
    again = reload(shipped)
    assert again.provisions == shipped.provisions


def adopted(standard: Standard, gaps_: Sequence[Gap], on: date) -> Standard:
    """The law once the texts are put into the file, as the report says to."""
    country = gaps_[0].jurisdiction
    law = {question: list(found) for question, found in standard.provisions[country].items()}
    texts: dict[tuple[str, str], None] = {}
    for gap in gaps_:
        text = adoption(standard, gap, on)
        assert text.clause and "{value}" not in text.clause
        own = law.get(gap.question, [])
        kept = [each for each in own if each not in text.drops]
        law[gap.question] = [replace(each, until=on) if each in text.ends else each for each in kept]
        for each in text.provisions:
            texts[(gap.question, item(standard.vocabulary.question(gap.question), each))] = None
    ended = {question: tuple(found) for question, found in law.items() if found}
    before = replace(standard, provisions={**standard.provisions, country: ended})
    file = written(before, country, [f"{question}:\n{body}" for question, body in texts])
    return reload(before, file)


def keys(found: Sequence[Gap]) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {(each.question, each.facts) for each in found}


@pytest.mark.parametrize("law", ["fiction", "shipped"])
def test_the_text_of_every_gap_loads_and_closes_it(
    law: str, request: pytest.FixtureRequest, on: date
) -> None:
    """All texts of a country together, for loading takes most of the time."""
    standard: Standard = request.getfixturevalue(law)
    for country in [name for name in standard.jurisdictions if name != standard.root]:
        found = gaps(standard, country, on)
        if found:
            assert gaps(adopted(standard, found, on), country, on) == (), country


@pytest.mark.parametrize("country", ["eu", "fr", "bo", "sg"])
def test_the_text_of_a_gap_is_enough_by_itself(fiction: Standard, country: str, on: date) -> None:
    before = gaps(fiction, country, on)
    for gap in before:
        left = keys(gaps(adopted(fiction, [gap], on), country, on))
        assert (gap.question, gap.facts) not in left
        assert left < keys(before), "and none is opened"


def test_a_rule_brings_the_exception_it_would_fall_short_of(fiction: Standard, on: date) -> None:
    """Fifteen thousand for all would be weaker than one thousand for virtual assets."""
    (gap,) = (e for e in gaps(fiction, "bo", on) if e.question == "cdd.occasional" and not e.facts)
    text = adoption(fiction, gap, on)
    assert [dict(each.when) for each in text.provisions] == [{}, {"asset": "virtual"}]
    assert text.yaml.count("  - from: 2026-11-25\n") == 2
    (exception,) = (e for e in gaps(fiction, "bo", on) if e.question == "cdd.occasional" and e.facts)
    assert len(adoption(fiction, exception, on).provisions) == 1


def test_an_answer_whose_dates_would_overlap_is_ended(fiction: Standard, on: date) -> None:
    (gap,) = (each for each in gaps(fiction, "bo", on) if each.question == "record_keeping.years")
    text = adoption(fiction, gap, on)
    assert text.besides == "Write `until: 2026-11-25` on the answer in force (AML Act of Borduria, s. 30)."
    (same,) = (e for e in gaps(fiction, "fr", date(2026, 1, 1)) if e.question == "str.deadline")
    assert adoption(fiction, same, date(2027, 1, 1)).besides.startswith("Remove the answer that begins")


def test_a_model_clause_reads_as_law(fiction: Standard, on: date) -> None:
    found = {each.gap.question: each for each in report(fiction, "bo", on).texts}
    clause = found["travel_rule.threshold"].adoption.clause
    assert clause.endswith("shall accompany every transfer of a value of at least 1,000 USD/EUR.")
    assert "promptly; the time runs from suspicion" in found["str.deadline"].adoption.clause
    assert "at least 5 years" in found["record_keeping.years"].adoption.clause
    gateway = found["gateway.fiu_to_fiu"].adoption
    assert (
        "request and reply, for the purposes of money laundering; onward use: with consent" in gateway.clause
    )
    assert "contents: [request, reply]" in gateway.yaml
    assert "confidence: low" in gateway.yaml, "what is not law yet is not sure"
    exception = next(each for each in report(fiction, "bo", on).texts if each.gap.facts)
    assert exception.adoption.clause.startswith("Where the asset is virtual: An institution shall identify")
    assert "when: {asset: virtual}" in exception.adoption.yaml


def test_what_cannot_be_ordered_closes_by_holding_both(fiction: Standard, on: date) -> None:
    (apart,) = report(fiction, "bo", on).apart
    assert apart.gap.question == "travel_rule.originator_fields" and apart.gap.place is Place.UNKNOWN
    assert '"name", "account", "address_or_identifier", "birth_date"' in apart.adoption.yaml
    assert "address or identifier (address or" in apart.adoption.clause


def test_a_value_in_words(fiction: Standard) -> None:
    words = fiction.vocabulary
    asked = words.question("travel_rule.threshold")
    assert in_words(words, asked, Threshold(Operator.OVER, Decimal(3000), "USD")) == "more than 3,000 USD"
    assert in_words(words, asked, Threshold(Operator.AT_LEAST, Decimal(0), "EUR")) == "any amount"
    assert in_words(words, asked, Deadline(1, "hour")) == "within 1 hour"
    assert in_words(words, asked, Deadline(3, "working_day")) == "within 3 working days"
    assert in_words(words, asked, True) == "yes"
    assert in_words(words, asked, None) == "not established"

"""Routes ranked by their weakest duty, and what adopting a law does to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from comity.errors import BadInput, LawFileError, NotFound
from comity.model import Basis, Confidence, Operator, Threshold
from comity.standard.compare import gaps
from comity.standard.corridors import adopt, corridors, from_standard, proposal, what_if
from comity.standard.law import Standard
from comity.standard.load import read_answer

Law = Callable[..., Standard]
ON = date(2026, 11, 23)
END = "source: A, confidence: high, reviewed: 2026"


def land(name: str, years: int, extra: str = "") -> str:
    departs = "departs: x, " if years < 5 else ""
    return f"""
jurisdiction: {name}
name: {name.title()}land
extends: fatf
provisions:
  travel_rule.threshold: [{{value: {{at_least: 1000, currency: EUR}}, {END}}}]
  record_keeping.years: [{{value: {years}, {departs}{END}}}]
{extra}"""


def test_a_route_is_as_strong_as_its_weakest_end(law: Law) -> None:
    standard = law(aa=land("aa", 5), bb=land("bb", 4), cc=land("cc", 2))
    found = {(each.origin, each.destination): each for each in corridors(standard, ON)}
    assert len(found) == 6
    assert found["aa", "bb"].score == pytest.approx(0.2)
    assert found["bb", "cc"].score == pytest.approx(0.6)
    weakest = found["bb", "cc"].weakest
    assert weakest is not None
    assert weakest.jurisdiction == "cc"
    assert found["bb", "cc"].mean == pytest.approx((0.2 + 0.6) / 4)
    assert corridors(standard, ON)[0].score == pytest.approx(0.6)


def test_volume_decides_where_there_is_some(law: Law) -> None:
    standard = law(aa=land("aa", 5), bb=land("bb", 4), cc=land("cc", 2))
    first, *rest = corridors(standard, ON, {("AA", "BB"): 1000.0})
    assert (first.origin, first.destination, first.exposure) == ("aa", "bb", pytest.approx(200.0))
    assert all(each.volume == 0 for each in rest)


def test_both_ends_that_keep_everything_leave_no_gap(law: Law) -> None:
    standard = law(aa=land("aa", 5), bb=land("bb", 6))
    (there, back) = corridors(standard, ON)
    assert (there.score, there.weakest, there.confidence) == (0.0, None, Confidence.HIGH)
    assert back.why == ("Both ends keep every duty of the standard.",)


def test_what_is_not_known_is_counted_and_marked(law: Law) -> None:
    unknown = "  tipping_off.offence: [{value: unknown, source: A, confidence: unknown, reviewed: 2026}]\n"
    fatf = f"""
jurisdiction: fatf
kind: standard
provisions:
  travel_rule.threshold: [{{value: {{at_least: 1000, currency: EUR}}, {END}}}]
  tipping_off.offence: [{{value: true, {END}}}]
"""
    standard = law(fatf=fatf, aa=land("aa", 5, unknown), bb=land("bb", 5, unknown))
    (there, _) = corridors(standard, ON)
    assert (there.score, there.unknown, there.confidence) == (0.5, 2, Confidence.UNKNOWN)


def test_a_question_without_a_duty_counts_where_its_route_says(installed: Standard) -> None:
    """Whether the FIU can stop the money matters where it arrives."""
    plain = installed.vocabulary.questions
    assert plain["freeze.fiu.transaction"].route == ("beneficiary",)
    found = {(each.origin, each.destination): each for each in corridors(installed, ON)}
    assert any("suspend a transaction" in why for why in found["de", "us"].why)
    assert not any("suspend a transaction" in why for why in found["us", "de"].why)


def test_adopting_the_standard_closes_the_gap(law: Law) -> None:
    standard = law(aa=land("aa", 5), bb=land("bb", 4), cc=land("cc", 2))
    adopted = from_standard(standard, "CC", "record_keeping.years", ON)
    assert adopted[0].source == "what if: adopts R.11"
    assert (adopted[0].confidence, adopted[0].basis) == (Confidence.LOW, Basis.UNKNOWN), "it is no law"
    found = what_if(standard, adopted, ON, {("aa", "cc"): 10.0})
    assert {(each.origin, each.destination) for each in found.moved} == {
        (a, b) for a in ("aa", "bb", "cc") for b in ("aa", "bb", "cc") if a != b and "cc" in (a, b)
    }
    assert (found.moved[0].origin, found.moved[0].destination) == ("aa", "cc")
    assert found.moved[0].closed == pytest.approx(0.15)
    assert (found.exposure_before, found.exposure_after) == (pytest.approx(6.0), 0.0)
    assert found.mean_before > found.mean_after
    assert found.displaced[0].value == 2
    assert gaps(adopt(standard, adopted), "cc", ON) == ()
    assert gaps(standard, "cc", ON) != ()


def test_a_weaker_law_opens_corridors(law: Law) -> None:
    standard = law(aa=land("aa", 5), bb=land("bb", 5))
    found = what_if(standard, proposal(standard, "aa", "record_keeping.years", 1, ON), ON)
    assert all(each.closed < 0 for each in found.moved)
    assert found.mean_after > found.mean_before


def test_a_proposal_for_some_facts_only(installed: Standard) -> None:
    value = read_answer(installed, "cdd.occasional", "{at_least: 1, currency: USD}")
    assert isinstance(value, Threshold)
    assert value.operator is Operator.AT_LEAST
    (adopted,) = proposal(installed, "us", "cdd.occasional", value, ON, (("asset", "virtual"),))
    assert adopted.when == (("asset", "virtual"),)
    with pytest.raises(BadInput, match="asset=gold"):
        proposal(installed, "us", "cdd.occasional", value, ON, (("asset", "gold"),))
    with pytest.raises(BadInput, match="mood"):
        proposal(installed, "us", "cdd.occasional", value, ON, (("mood", "x"),))


def test_what_cannot_be_adopted_is_refused(installed: Standard) -> None:
    with pytest.raises(BadInput, match="no answer to fiu"):
        from_standard(installed, "us", "fiu.name", ON)
    with pytest.raises(NotFound):
        from_standard(installed, "us", "no.question", ON)
    with pytest.raises(NotFound):
        from_standard(installed, "zz", "str.minimum", ON)
    with pytest.raises(LawFileError, match="not an amount"):
        read_answer(installed, "str.minimum", "{at_least: lots, currency: USD}")
    with pytest.raises(NotFound):
        read_answer(installed, "no.question", "1")

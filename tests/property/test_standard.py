"""What holds of law in general, whatever a file says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import assume, given
from hypothesis import strategies as st

from comity.jurisdictions import files
from comity.model import (
    AccountId,
    Answer,
    Deadline,
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Operator,
    Provision,
    Role,
    Threshold,
    Transfer,
)
from comity.standard.changes import changes
from comity.standard.compare import beside, compare, gaps, kept
from comity.standard.corridors import adopt, from_standard, what_if
from comity.standard.duties import duties
from comity.standard.law import Standard
from comity.standard.load import load
from comity.standard.resolve import precedence, resolve
from comity.standard.strictness import Place, place

RATES = {
    "USD": Decimal(1),
    "EUR": Decimal("1.1"),
    "SGD": Decimal("0.75"),
    "AED": Decimal("0.27"),
    "GBP": Decimal("1.3"),
}
SUBJECTS = (
    "travel_rule.threshold",
    "travel_rule.self_hosted.verify_over",
    "cdd.occasional",
    "str.minimum",
    "str.deadline",
    "record_keeping.years",
    "tipping_off.offence",
    "travel_rule.in_force",
)
DAYS = st.dates(date(2018, 1, 1), date(2031, 12, 31))


@cache
def installed() -> Standard:
    return load()


STATES = installed().states()


def with_provision(standard: Standard, provision: Provision, *, alone: bool = True) -> Standard:
    """The standard in which this provision answers (alone) for its jurisdiction."""
    law = dict(standard.provisions[provision.jurisdiction])
    others = () if alone else law.get(provision.question, ())
    law[provision.question] = tuple(sorted((provision, *others), key=precedence))
    return replace(standard, provisions=dict(standard.provisions) | {provision.jurisdiction: law})


def answers(question: str) -> st.SearchStrategy[Answer]:
    kind = installed().vocabulary.questions[question].type
    if kind == "threshold":
        return st.builds(
            Threshold,
            st.sampled_from(Operator),
            st.sampled_from([Decimal(n) for n in (0, 500, 1000, 3000, 20000)]),
            st.just("USD"),
        )
    if kind == "deadline":
        units = st.sampled_from(["hour", "calendar_day", "working_day", "month"])
        return st.one_of(
            st.builds(Deadline, st.integers(1, 60), units), st.just(Deadline(0, "promptly")), st.none()
        )
    return st.booleans() if kind == "bool" else st.integers(1, 12)


def provision(question: str, value: Answer, country: str = "sg") -> Provision:
    (sample, *_) = installed().provisions["us"].get(question) or installed().provisions["eu"][question]
    return replace(
        sample,
        jurisdiction=country,
        question=question,
        value=value,
        from_=None,
        until=None,
        when=(),
    )


def asked(
    standard: Standard, value: Decimal, self_hosted: bool, on: date, facts: dict[str, str]
) -> tuple[Duty, ...]:
    transfer = Transfer(
        "t",
        datetime(2026, 1, 1, tzinfo=UTC),
        AccountId("acct:ours:1"),
        AccountId("eip155:1:0xa") if self_hosted else AccountId("acct:theirs:1"),
        None,
        value,
    )
    alert = Finding("f", FindingKind.TYPOLOGY, "r", "s", Level.ALERT, 1.0, ("Because.",), (), "s")
    return duties(
        standard,
        transfer,
        parties={
            "ours": Institution("ours", "x", Role.VASP, ("SG",)),
            "theirs": Institution("theirs", "x", Role.VASP, ("DE",)),
        },
        on=datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        rates=RATES,
        findings=[alert],
        facts=facts,
    )


@given(data=st.data(), question=st.sampled_from(SUBJECTS), on=DAYS, self_hosted=st.booleans())
def test_a_stricter_answer_never_removes_a_duty(
    data: st.DataObject, question: str, on: date, self_hosted: bool
) -> None:
    one, other = data.draw(answers(question)), data.draw(answers(question))
    words = installed().vocabulary
    assume(place(words, words.questions[question], one, other) is Place.STRICTER)
    value = data.draw(st.sampled_from([Decimal(n) for n in (1, 499, 500, 501, 1000, 1001, 3000, 50000)]))
    facts = data.draw(st.sampled_from([{}, {"customer": "occasional"}]))
    strict, lax = (
        {
            (each.jurisdiction, each.who, each.kind): each.force
            for each in asked(
                with_provision(installed(), provision(question, answer)), value, self_hosted, on, facts
            )
        }
        for answer in (one, other)
    )
    assert set(strict) >= set(lax)
    assert all(strict[key] is Force.REQUIRED for key, force in lax.items() if force is Force.REQUIRED)


@given(order=st.permutations(sorted(files())))
def test_the_order_of_files_is_irrelevant(order: list[str]) -> None:
    found = files()
    assert load({name: found[name] for name in order}) == installed()


@given(on=DAYS, ahead=st.integers(1, 2000), value=st.integers(0, 9), country=st.sampled_from(STATES))
def test_law_that_is_not_yet_in_force_is_ignored(on: date, ahead: int, value: int, country: str) -> None:
    question = "record_keeping.years"
    future = replace(provision(question, value, country), from_=on + timedelta(days=ahead), source="future")
    changed = with_provision(installed(), future, alone=False)
    before = resolve(installed(), country, question, on)
    after = resolve(changed, country, question, on)
    assert after.provision == before.provision
    assert future in dict(after.displaced)


@given(on=DAYS, name=st.sampled_from(STATES))
def test_a_country_equal_to_the_standard_has_no_gaps(on: date, name: str) -> None:
    standard = installed()
    same = {
        question: tuple(replace(each, jurisdiction=name) for each in group)
        for question, group in standard.provisions["fatf"].items()
    }
    copied = replace(standard, provisions=dict(standard.provisions) | {name: same})
    assert gaps(copied, name, on) == ()


@given(
    a=st.sampled_from((*STATES, "eu")),
    b=st.sampled_from((*STATES, "eu", "fatf")),
    question=st.sampled_from(sorted(installed().vocabulary.questions)),
    on=DAYS,
    facts=st.fixed_dictionaries(
        {}, optional={"asset": st.sampled_from(["virtual", "cash"]), "reach": st.just("cross_border")}
    ),
)
def test_compare_mirrors(a: str, b: str, question: str, on: date, facts: dict[str, str]) -> None:
    there, back = (compare(installed(), *pair, question, on, facts) for pair in ((a, b), (b, a)))
    mirrors = {
        Place.STRICTER: {Place.WEAKER, Place.SILENT},
        Place.WEAKER: {Place.STRICTER},
        Place.EQUAL: {Place.EQUAL, Place.SILENT},
        Place.UNKNOWN: {Place.UNKNOWN, Place.SILENT},
        Place.SILENT: {Place.STRICTER, Place.EQUAL, Place.UNKNOWN, Place.SILENT},
    }
    assert back in mirrors[there]


@given(
    on=DAYS, name=st.sampled_from(STATES), question=st.sampled_from(sorted(installed().vocabulary.questions))
)
def test_what_answers_is_in_force_and_no_condition_is_unmet(on: date, name: str, question: str) -> None:
    found = resolve(installed(), name, question, on)
    if found.provision:
        assert (found.provision.from_ or date.min) <= on < (found.provision.until or date.max)
        assert not found.provision.when
        assert found.provision.jurisdiction in installed().chain(name)
    every = [
        each for law in installed().chain(name) for each in installed().provisions[law].get(question, ())
    ]
    assert len(found.displaced) == len(every) - (found.provision is not None)


@given(
    left=st.data(),
    question=st.sampled_from(SUBJECTS),
)
def test_strictness_is_an_order(left: st.DataObject, question: str) -> None:
    words = installed().vocabulary
    asked_ = words.questions[question]
    a, b, c = (left.draw(answers(question)) for _ in range(3))

    def at_least_as_strict(x: Answer, y: Answer) -> bool:
        return place(words, asked_, x, y) in (Place.STRICTER, Place.EQUAL)

    if None not in (a, b, c) and at_least_as_strict(a, b) and at_least_as_strict(b, c):
        assert at_least_as_strict(a, c)
    assert a is None or place(words, asked_, a, a) is Place.EQUAL


MIRROR = {
    Place.STRICTER: {Place.WEAKER, Place.SILENT},
    Place.WEAKER: {Place.STRICTER},
    Place.EQUAL: {Place.EQUAL, Place.SILENT},
    Place.UNKNOWN: {Place.UNKNOWN, Place.SILENT},
    Place.SILENT: {Place.STRICTER, Place.EQUAL, Place.UNKNOWN},
}


@given(a=st.sampled_from(STATES), b=st.sampled_from((*STATES, "fatf")), on=DAYS)
def test_two_laws_side_by_side_mirror(a: str, b: str, on: date) -> None:
    """The same questions and facts from either side, the answers exchanged, the place turned round."""
    there = {(each.question, each.facts): each for each in beside(installed(), a, b, on)}
    back = {(each.question, each.facts): each for each in beside(installed(), b, a, on)}
    assert set(there) == set(back)
    for key, each in there.items():
        other = back[key]
        assert (each.ours, each.theirs, each.confidence) == (other.theirs, other.ours, other.confidence)
        assert other.place in MIRROR[each.place]
        assert (each.place is Place.SILENT) == (each.ours is None)


@given(on=DAYS, name=st.sampled_from(STATES), data=st.data())
def test_adopting_the_standard_never_widens_a_gap_and_closes_its_own(
    on: date, name: str, data: st.DataObject
) -> None:
    open_ = gaps(installed(), name, on)
    assume(open_)
    question = data.draw(st.sampled_from(sorted({gap.question for gap in open_})))
    adopted = from_standard(installed(), name, question, on)
    after = adopt(installed(), adopted)
    assert question not in {gap.question for gap in gaps(after, name, on)}
    assert kept(after, name, on).least >= kept(installed(), name, on).least
    assert what_if(installed(), adopted, on).mean_after <= what_if(installed(), adopted, on).mean_before


@given(name=st.sampled_from(STATES), days=st.lists(DAYS, min_size=3, max_size=3, unique=True))
def test_changes_of_two_spans_are_those_of_both(name: str, days: list[date]) -> None:
    first, middle, last = sorted(days)
    parts = changes(installed(), first, middle, name) + changes(installed(), middle, last, name)
    assert changes(installed(), first, last, name) == parts
    assert all(first < each.on <= last for each in parts)

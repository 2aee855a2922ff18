"""What every law file must have. A new file is found by itself, and each check is shown to be able to fail.

What could mislead at once (an unknown question, a missing source, `until` before `from`, a power without
its holder …) is refused when a file is loaded, and tested there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

import holidays
import pytest

from comity.codec import from_json, to_json
from comity.jurisdictions import files
from comity.lists import _countries
from comity.model import Basis, Confidence, Deadline, Gateway, Provision, Threshold
from comity.standard.cases import run
from comity.standard.claims import parts
from comity.standard.coverage import missing
from comity.standard.law import BLOC, STATE, DutyRule, Standard
from comity.standard.load import load
from comity.standard.resolve import LISTS, country_risk, find
from comity.standard.strictness import Place, members, place

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "add-your-country.md"
SHARED = "request reply spontaneous_disclosure refusal feedback"
FITS = {  # what can sensibly go each way
    "fiu_to_fiu": f"{SHARED} match_offer match_answer freeze_request freeze_reply pool",
    "obliged_to_fiu": "report reply refusal freeze_reply feedback match_offer match_answer pool",
    "fiu_to_obliged": "request feedback spontaneous_disclosure match_offer match_answer",
    "fiu_to_obliged.freeze": "freeze_request",
    "lea_to_obliged": "request feedback",
    "lea_to_obliged.freeze": "freeze_request",
    "obliged_to_lea": "spontaneous_disclosure reply refusal freeze_reply",
    "obliged_to_obliged": f"{SHARED} match_offer match_answer pool",
    "obliged_to_obliged.travel_rule": "travel_rule",
    "fiu_to_lea": f"{SHARED} freeze_request",
    "lea_to_fiu": f"{SHARED} freeze_reply",
    "supervisor_to_fiu": f"{SHARED} report",
    "supervisor_to_obliged": "request feedback",
    "obliged_to_supervisor": "report reply spontaneous_disclosure refusal feedback",
}


def provisions(law: Standard, name: str) -> list[Provision]:
    return [each for group in law.provisions[name].values() for each in group]


def cases_hold(law: Standard, name: str) -> Iterable[str]:
    return run(law, name)


def nothing_is_missing(law: Standard, name: str) -> Iterable[str]:
    """Needed answers, five cases, a case below, at and above each threshold and around each change."""
    return missing(law, name)


def names_of_cases_are_distinct(law: Standard, name: str) -> Iterator[str]:
    names = [case.name for case in law.jurisdictions[name].cases]
    yield from (each for each in set(names) if names.count(each) > 1)


def confidence_is_consistent(law: Standard, name: str) -> Iterator[str]:
    """Who knows says from where and how well; who does not know claims nothing without saying what."""
    for each in provisions(law, name):
        claims = (each.basis is not Basis.UNKNOWN, each.confidence is not Confidence.UNKNOWN)
        sure = each.confidence in (Confidence.HIGH, Confidence.MEDIUM)
        if claims != (True, True) and (each.value is not None or any(claims)):
            yield f"{each.question}: {each.basis} with confidence {each.confidence}"
        if each.value is None and sure and not each.note:
            yield f"{each.question}: unknown with confidence {each.confidence}, and no note of what is known"


SEEN = re.compile(r"(seen|told) (\w+ ){0,4}at (https?://|github:).")
INSTRUMENT = re.compile(r"[0-9]|[A-Z]{4}|\b(Act|Code|Law|Order|Regulations?)\b|member")


def sources_can_be_followed(law: Standard, name: str) -> Iterator[str]:
    """What was seen says where; what is remembered with certainty names an instrument."""
    for each in provisions(law, name):
        if each.basis is Basis.SOURCED and not SEEN.search(each.source):
            yield f"{each.question}: sourced, and not where it was seen: {each.source}"
        recalled = each.basis is Basis.FROM_MEMORY and each.confidence is Confidence.HIGH
        named = INSTRUMENT.search(each.source) and "not established" not in each.source
        if recalled and not named and each.value is not False:
            yield f"{each.question}: high from memory, and no instrument: {each.source}"


def dates_are_sane(law: Standard, name: str) -> Iterator[str]:
    for each in provisions(law, name):
        for on in (each.from_, each.until):
            if on and not 1900 <= on.year < 2040:
                yield f"{each.question}: {on}"
        if each.reviewed is None or each.reviewed > datetime.now(UTC).date() + timedelta(1):
            yield f"{each.question}: reviewed {each.reviewed}"
    yield from (case.name for case in law.jurisdictions[name].cases if not 1900 <= case.on.year < 2040)


def departures_are_weaker(law: Standard, name: str) -> Iterator[str]:
    """`departs` stands only where an answer is weaker than one of the standard's, or lacks what it names."""
    for each in provisions(law, name):
        theirs = law.provisions[law.root].get(each.question, ()) if each.departs else ()
        if each.departs and not any(_falls_short(law, each, other) for other in theirs):
            yield f"{each.question}: not weaker than the standard: {each.departs}"


def _falls_short(law: Standard, ours: Provision, theirs: Provision) -> bool:
    start = max(ours.from_ or date.min, theirs.from_ or date.min)
    facts = dict(theirs.when)
    if start >= min(ours.until or date.max, theirs.until or date.max):
        return False
    if any(facts.get(fact, value) != value for fact, value in ours.when):
        return False
    words = law.vocabulary
    if members(words, theirs.value) - members(words, ours.value):
        return True
    return place(words, words.question(ours.question), ours.value, theirs.value) is Place.WEAKER


def amounts_can_be_compared(law: Standard, name: str) -> Iterator[str]:
    rates, cases = law.vocabulary.rates, law.jurisdictions[name].cases
    for each in provisions(law, name):
        codes = each.value.currency.split("/") if isinstance(each.value, Threshold) else []
        yield from (f"{each.question}: {code}" for code in codes if code not in rates)
    yield from (case.name for case in cases if case.currency not in rates)


def deadlines_have_an_event(law: Standard, name: str) -> Iterator[str]:
    for each in provisions(law, name):
        if isinstance(each.value, Deadline) and not each.value.event:
            yield f"{each.question}: runs from nothing"


def gateways_make_sense(law: Standard, name: str) -> Iterator[str]:
    """Contents fit the direction; memory alone is never high."""
    for each in provisions(law, name):
        if isinstance(each.value, Gateway):
            odd = set(each.value.contents) - set(FITS.get(each.question[8:], SHARED).split())
            if odd or not each.value.contents or not each.value.purposes:
                yield f"{each.question}: {', '.join(sorted(odd)) or 'nothing'} does not go that way"
            if each.basis is Basis.FROM_MEMORY and each.confidence is Confidence.HIGH:
                yield f"{each.question}: high from memory"


ANSWERS = (  # an institution that may be asked may answer
    ("fiu_to_obliged", "request", "obliged_to_fiu", "reply"),
    ("fiu_to_obliged.freeze", "freeze_request", "obliged_to_fiu", "freeze_reply"),
    ("lea_to_obliged", "request", "obliged_to_lea", "reply"),
    ("lea_to_obliged.freeze", "freeze_request", "obliged_to_lea", "freeze_reply"),
    ("supervisor_to_obliged", "request", "obliged_to_supervisor", "reply"),
)


def who_may_be_asked_may_answer(law: Standard, name: str) -> Iterator[str]:
    """For the same purposes, at home and today; or nobody has established whether it may."""
    inside = "inside" if law.in_one_bloc((name,)) else "outside"
    for sector in ("vasp", "bank") if law.jurisdictions[name].kind == STATE else ():
        facts = {"reach": "domestic", "sector": sector, "bloc": inside}
        for way, ask, back, answer in ANSWERS:
            asked, answered = (_open(law, name, each, facts) for each in (way, back))
            may_ask = isinstance(asked, Gateway) and ask in asked.contents
            if isinstance(asked, Gateway) and may_ask and not _lets(answered, answer, asked.purposes):
                yield f"gateway.{back}: {answer} to a {ask} may not pass for {', '.join(asked.purposes)}"


def _open(law: Standard, name: str, way: str, facts: dict[str, str]) -> object:
    found = find(law, name, f"gateway.{way}", datetime.now(UTC).date(), facts)
    return found.value if found is not None and law.binds(found) else False


def _lets(gateway: object, content: str, purposes: tuple[str, ...]) -> bool:
    """Whether it may pass, or nobody has established whether it may."""
    if isinstance(gateway, Gateway):
        return content in gateway.contents and set(purposes) <= set(gateway.purposes)
    return gateway is None


def conditions_can_hold(law: Standard, name: str) -> Iterator[str]:
    inside = law.jurisdictions[name].kind != STATE or law.in_one_bloc((name,))
    duties: dict[str, list[DutyRule]] = {}
    for question, each in law.vocabulary.questions.items():
        for part in parts(question, each.duty) if each.duty else ():
            duties.setdefault(part, []).append(each.duty)
    for provision in provisions(law, name):
        when, rules = dict(provision.when), duties.get(provision.question, [])
        spoken = {"reach", "bloc", "sector"} if provision.question.startswith("gateway.") else set(when)
        never = bool(set(when) - spoken) or (bool(rules) and not any(_may_meet(rule, when) for rule in rules))
        abroad = when.get("bloc") == "outside" and when.get("reach") == "domestic" and inside
        if never or abroad or (when.get("bloc") == "inside" and not inside):
            yield f"{provision.question}: {when} never holds"


def _may_meet(rule: DutyRule, when: dict[str, str]) -> bool:
    passes_on = when.get("direction") != "through" or "intermediary" in rule.on
    return passes_on and all(when.get(fact, values[0]) in values for fact, values in rule.given)


def list_status_agrees_with_the_lists(law: Standard, name: str) -> Iterator[str]:
    """On each day from the first of FATF's lists we know, a country says of itself what the lists say."""
    own = law.provisions[name].get("fatf.list_status", ())
    lists = [each for which in LISTS for each in law.provisions[law.root].get(which, ())]
    known = {day for each in (*lists, *own) for day in (each.from_, each.until) if day}
    first = min((each.from_ for each in lists if each.from_), default=date.max)
    days = {first} | {each for day in known for each in (day, day - timedelta(1)) if each > first}
    for day in sorted(days) if law.jurisdictions[name].kind == STATE else ():
        found = next((each for each in own if (each.from_ or day) <= day < (each.until or date.max)), None)
        said, listed = found.value if found else "nothing", country_risk(law, {name}, day)
        if said != listed:
            yield f"fatf.list_status: {said} on {day}, where the lists say {listed}"


USER_ASSIGNED = re.compile("AA|Q[M-Z]|X[A-Z]|ZZ")  # ISO 3166-1 leaves these to users


def it_is_a_place(law: Standard, name: str) -> Iterator[str]:
    each, code = law.jurisdictions[name], name.upper()
    if each.timezone not in available_timezones():
        yield f"no time zone {each.timezone}"
    if each.kind == STATE:
        known = code in holidays.list_supported_countries() or _countries.code(name) == code
        if not known and not USER_ASSIGNED.fullmatch(code):
            yield f"{code} is no country of ISO 3166"
        if _countries.code(each.name) not in ("", code):
            yield f"{each.name} is not {code}"
    yield from (member for member in each.members if _countries.code(member) != member)
    for bloc in law.jurisdictions.values():
        if bloc.kind == BLOC and code in bloc.members and bloc.id not in law.chain(name):
            yield f"a member of {bloc.id} that does not extend it"


def texts_are_clean_and_its_own(law: Standard, name: str) -> Iterator[str]:
    """No control characters, composed Unicode; no other country in a source, or in a note copied from it."""
    others = [each.name for each in law.jurisdictions.values() if each.kind == STATE and each.id != name]
    copied = {each.note for other in law.jurisdictions if other != name for each in provisions(law, other)}
    for each in provisions(law, name):
        gateway = [each.value.limits, each.value.requires] if isinstance(each.value, Gateway) else []
        said = each.value if isinstance(each.value, str) else ""
        for text in (each.source, each.note, each.departs, said, *gateway):
            control = any(unicodedata.category(character)[0] == "C" for character in text)
            if control or unicodedata.normalize("NFC", text) != text:
                yield f"{each.question}: unclean text {text!r}"
        own = each.source + (each.note if each.note in copied else "")
        own = re.sub(r"https?://\S+|North Korea", "", own)
        yield from (f"{each.question}: names {other}" for other in others if re.search(rf"\b{other}\b", own))


def answers_survive_the_way_to_another_node(law: Standard, name: str) -> Iterator[str]:
    for each in provisions(law, name):
        if from_json(Provision, to_json(each)) != each:
            yield each.question


RECALLED = r'source: ("[^"]*"|[^,]*), basis: FROM-MEMORY, confidence: high'
MUTANTS = (  # a slip in Germany's file, and the check that finds it
    (cases_hold, r"required: \[\]", "required: [report_currency]"),
    (nothing_is_missing, "value: 1000 EUR", "value: 1001 EUR"),
    (names_of_cases_are_distinct, r"- \{name: [^,]+,", "- {name: twice,"),
    (confidence_is_consistent, "confidence: med", "confidence: unknown"),
    (confidence_is_consistent, "value: true", "value: unknown"),
    (sources_can_be_followed, "seen at https://", "told by "),
    (sources_can_be_followed, RECALLED, "source: as all know, basis: FROM-MEMORY, confidence: high"),
    (dates_are_sane, "from: 2020-", "from: 1020-"),
    (dates_are_sane, "reviewed: 2026-", "reviewed: 2926-"),
    (departures_are_weaker, "value: true, ", "value: true, departs: It is another, "),
    (amounts_can_be_compared, "currency: EUR", "currency: XXX"),
    (deadlines_have_an_event, r", event: [^}]+\}", "}"),
    (gateways_make_sense, r"contents: \[request\]", "contents: [report]"),
    (who_may_be_asked_may_answer, r"\[reply, refusal, freeze_reply\]", "[reply, refusal]"),
    (gateways_make_sense, "FROM-MEMORY, confidence: med", "FROM-MEMORY, confidence: high"),
    (conditions_can_hold, "when: {reach: domestic}", "when: {reach: domestic, bloc: outside}"),
    (conditions_can_hold, "when: {reach: domestic}", "when: {asset: cash}"),
    (list_status_agrees_with_the_lists, "value: none, source: .FATF plenaries", 'value: grey, source: "FATF'),
    (it_is_a_place, "name: Germany", "name: France"),
    (it_is_a_place, "name: Germany", "name: France"),
    (it_is_a_place, "extends: eu", "extends: fatf"),
    (texts_are_clean_and_its_own, "GwG s", "GwG\u200b s"),
    (texts_are_clean_and_its_own, "GwG s", "Act of Singapore s"),
)
CHECKS = (*dict.fromkeys(check for check, *_ in MUTANTS), answers_survive_the_way_to_another_node)


@cache
def installed() -> Standard:
    return load()


@pytest.mark.parametrize("name", files())
@pytest.mark.parametrize("check", CHECKS, ids=[each.__name__ for each in CHECKS])
def test_law_file(check: Callable[[Standard, str], Iterable[str]], name: str) -> None:
    assert list(check(installed(), name)) == []


@pytest.mark.parametrize(("check", "pattern", "slip"), MUTANTS)
def test_each_check_finds_a_slip(
    check: Callable[[Standard, str], Iterable[str]], pattern: str, slip: str, tmp_path: Path
) -> None:
    text = files()["de"].read_text(encoding="utf-8")
    assert re.search(pattern, text), "the file has changed: choose another place for the slip"
    file = tmp_path / "de.yaml"
    file.write_text(re.sub(pattern, slip, text), encoding="utf-8")
    law = load({name: files()[name] for name in ("fatf", "eu", "sg")} | {"de": file})
    assert list(check(law, "de")) != []


def test_the_example_in_the_guide_loads_and_its_cases_hold(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    file = tmp_path / "zz.yaml"
    file.write_text(example[1])
    law = load({name: files()[name] for name in ("fatf", "eu")} | {"zz": file})
    assert len(law.jurisdictions["zz"].cases) >= 5
    assert run(law, "zz") == ()

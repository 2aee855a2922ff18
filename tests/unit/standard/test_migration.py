"""Nothing of our compilation was lost or changed on its way into the law files: leaf by leaf.

Where a law file knows better, its note says so (``Differs from our compilation: …``) and names what the
compilation said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from comity.codec import to_json
from comity.jurisdictions import files
from comity.model import Answer, Basis, Confidence, Deadline, Operator, Power, Provision, Threshold
from comity.standard.answers import UNQUANTIFIED
from comity.standard.law import Standard
from comity.standard.resolve import resolve

pytestmark = pytest.mark.data

NOW = date(2026, 11, 22)
FUTURE = date(2027, 10, 25)  # Union law that the compilation gives without its date applies from July 2027
COUNTRIES = tuple(name.upper() for name in files() if name != "fatf")
DIFFERS = "Differs from our compilation:"
REFERS = ("ref", "refs", "ref_url", "gateway_ref")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Leaf = Mapping[str, Any]
Facts = dict[str, str]


@pytest.fixture(scope="session")
def seed(data: Path) -> dict[str, Any]:
    text = (data / "law" / "jurisdictions.yaml").read_text()
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CBaseLoader)  # all scalars as text
    return loaded


# --- What is told: figures, days and references, however they are written ---


def figures(text: str) -> set[str]:
    """The numbers in a text, whether 3,000 or 3000, 2026-03-31 or 31 Mar 2026."""
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", text)
    for number, month in enumerate(MONTHS, 1):
        text = re.sub(rf"\b{month}[a-z]*\b", str(number), text)
    found = re.findall(r"(?<![A-Za-z_])[0-9]+(?:\.[0-9]+)?[A-Za-z]*", text)
    return {each.lstrip("0").removesuffix(".00") for each in found} - {""}


def scalars(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text under a node of the compilation, with the key it stands under."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from scalars(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from scalars(child, key)
    else:
        yield key, node


def references(node: Any, seed: Leaf) -> set[str]:
    """The keys of `refs` that a node names, in a field of their own or within a text."""
    named = {value for key, value in scalars(node) if key in REFERS}
    within = {word for _, text in scalars(node) for word in re.findall(r"\w+_\w+", text)}
    return (named | within) & set(seed["refs"])


def bare(text: str) -> str:
    """A text without the references within it."""
    return re.sub(r"[;,]? ?\(?\brefs? (\w+_\w+(, )?)+\)?", "", text)


def told(provisions: Iterable[Provision]) -> str:
    return "\n".join(to_json(each).decode() for each in provisions)


def every(standard: Standard, country: str, *prefixes: str) -> list[Provision]:
    """The provisions of a country and its bloc on the questions that begin so."""
    laws = [name for name in standard.chain(country) if name != standard.root]
    return [
        each
        for name in laws
        for question, group in standard.provisions[name].items()
        if question.startswith(prefixes)
        for each in group
    ]


# --- What is kept: a leaf of the compilation beside a provision ---


def threshold(leaf: Any) -> tuple[Answer, ...]:
    """The answers that say the same; unknown or none where the compilation knows no amount."""
    if leaf == "null" or leaf["amount"] == "null":
        return None, False
    # Where the compilation has no operator, the stricter reading is taken.
    operator = {">": Operator.OVER, ">=": Operator.AT_LEAST}[leaf.get("op", ">=")]
    return (Threshold(operator, Decimal(leaf["amount"]), leaf["currency"]),)


def limit(provision: Provision, leaf: Any) -> bool:
    return any(provision.value is each or provision.value == each != 0 for each in threshold(leaf))


def customers(provision: Provision, leaf: Any) -> bool:
    """An unknown threshold for occasional customers is not none."""
    return limit(provision, leaf) and provision.value is not False


def period(provision: Provision, leaf: Any) -> bool:
    answer = provision.value
    if leaf == "null":
        return answer is None
    unit = leaf["unit"].replace("business_day", "working_day")
    assert (leaf["value"] == "0") == (unit in UNQUANTIFIED)
    found = answer.duration if isinstance(answer, Power) else answer
    if not isinstance(found, Deadline) or (found.amount, found.unit) != (int(leaf["value"]), unit):
        return False
    return "trigger" not in leaf or found.event == leaf["trigger"]


def truth(provision: Provision, leaf: str) -> bool:
    said = {"true": True, "false": False, "null": None, "partial": None}
    return provision.value is said.get(leaf, "is a member" in leaf)


def number(provision: Provision, leaf: str) -> bool:
    return provision.value == int(leaf)


def words(provision: Provision, leaf: str) -> bool:
    """The same words; what the compilation has not found is unknown."""
    if leaf in ("null", "not found"):
        return provision.value is None
    wanted, found = (set(re.findall(r"\w+", str(each).lower())) for each in (bare(leaf), provision.value))
    return wanted == found


def sense(provision: Provision, leaf: str) -> bool:
    """Said in our own words, but with every figure."""
    if leaf == "not found":
        return provision.value is None
    wanted, said = bare(leaf), told([provision])
    every_word = set(re.findall(r"\w+", wanted.lower())) <= set(re.findall(r"\w+", said.lower()))
    return every_word or (bool(figures(wanted)) and figures(wanted) <= figures(said))


def regime(provision: Provision, leaf: str) -> bool:
    return provision.value == leaf.split("; AML:")[0]


def bodies(provision: Provision, leaf: list[str]) -> bool:
    return provision.value == tuple(each.split(" (")[0] for each in leaf)


def anything(provision: Provision, leaf: Any) -> bool:
    return provision.value is not None


class Row(NamedTuple):
    """A leaf of the compilation, the question it answers, and how the two are compared."""

    path: str
    question: str
    keeps: Callable[[Provision, Any], bool]
    since: str = ""  # the leaf that says from when
    facts: Facts | None = None


ROWS = (
    Row("vasp.regulated", "vasp.regulated", truth, "vasp.since"),
    Row("vasp.regime", "vasp.licence", regime, "vasp.since"),
    Row("vasp.regulated", "vasp.licence", anything, "vasp.since"),
    Row("travel_rule.in_force", "travel_rule.in_force", truth, "travel_rule.since"),
    Row("travel_rule.threshold", "travel_rule.threshold", limit, "travel_rule.since"),
    Row("travel_rule.self_hosted.rule", "travel_rule.self_hosted.rule", sense),
    Row("travel_rule.self_hosted.threshold", "travel_rule.self_hosted.verify_over", limit),
    Row("cdd_occasional", "cdd.occasional", customers, "cdd_occasional.applies_from"),
    Row("cdd_occasional.until_then", "cdd.occasional", limit),
    Row("str.deadline", "str.deadline", period),
    Row("str.portal", "str.portal", words),
    Row("str.format", "str.format", words),
    Row("str.min_amount", "str.minimum", limit),
    Row("str.urgent", "str.deadline", period, facts={"matter": "terrorist_financing"}),
    Row("str.guidance_cap", "str.guidance_cap", period),
    Row("str.analysis_window", "str.analysis_window", period),
    Row("str.fiu_request_reply", "fiu.request_reply", period),
    Row("ctr", "ctr.threshold", limit),
    Row("ctr.deadline", "ctr.deadline", period),
    Row("retention.years", "record_keeping.years", number),
    Row("retention.sanctions_years", "record_keeping.sanctions_years", number),
    Row("tipping_off.offence", "tipping_off.offence", truth),
    Row("fiu.name", "fiu.name", words),
    Row("fiu.egmont", "fiu.egmont", truth),
    Row("fatf.fatf_member", "fatf.member", truth),
    Row("fatf.fsrb", "fatf.fsrb", bodies),
    Row("list_status.status", "fatf.list_status", words, "list_status.since list_status.as_of"),
)
CASH = {"asset": "cash", "direction": "in"}
ASSETS = (  # which cases of ours are meant where the compilation speaks of an asset: the first that is named
    ("precious-metal", {"asset": "cash", "sector": "precious_metals"}),
    ("deposits", {"asset": "cash", "sector": "bank"}),
    (r"cash|physical currency", CASH),
)


def at(node: Any, path: str) -> Any:
    for step in path.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def origin(node: Any, path: str) -> Leaf:
    """Basis, confidence, instrument and reference of a leaf: its own, else of what it stands in."""
    found: dict[str, Any] = {}
    for step in path.split("."):
        named = re.findall(r"\w+_\w+", node[step]) if isinstance(node[step], str) else []
        special = node.get(f"{step.removesuffix('_years')}_instrument")
        node = node[step]
        if isinstance(node, Mapping):
            found = dict(node) if "basis" in node else found | node
        found |= ({"ref": named[0]} if named else {}) | ({"instrument": special} if special else {})
    return found


def lost(provision: Provision, leaf: Leaf, seed: Leaf, group: Iterable[Provision]) -> list[str]:
    """What of the basis, the confidence, the instrument's figures and the references is not there."""
    if provision.value is None and provision.confidence is Confidence.UNKNOWN:
        return []  # an unknown within a leaf that knows the rest claims nothing
    found = [
        f"{key} {leaf[key]}"
        for key, value in (("basis", provision.basis), ("conf", provision.confidence))
        if value.value != leaf[key]
    ]
    instrument = re.sub(r"\w+_\w+", "", leaf.get("instrument", ""))
    found += sorted(figures(instrument) - figures(told(group)))
    named = references({key: leaf[key] for key in ("instrument", *REFERS) if key in leaf}, seed)
    said = told([provision])
    return found + [ref for ref in sorted(named) if seed["refs"][ref].split(" (AI")[0] not in said]


def situations(row: Row, leaf: Leaf) -> list[Facts]:
    """The facts under which a row is looked up."""
    if not row.question.startswith("ctr."):
        return [row.facts or {}]
    asset = leaf["ctr"].get("asset", "cash")
    found = [facts for pattern, facts in ASSETS if re.search(pattern, asset)][:1]
    virtual = [{"asset": "virtual", "direction": "in"}] if "virtual" in asset else []
    if row.question == "ctr.deadline" and virtual:
        return virtual  # where there are two, the compilation's is that for virtual assets
    return found + virtual or [{}]


def since(leaf: Leaf, row: Row) -> str:
    """The day, month or year from which, where the compilation gives one."""
    said = [at(leaf, path) for path in row.since.split()]
    return next((each for each in said if each and re.fullmatch("[0-9-]+", each)), "")


def day(leaf: Leaf, row: Row, country: str) -> date:
    """The day on which the leaf holds."""
    later = country == "EU" and not row.path.endswith("until_then")
    return FUTURE if later or since(leaf, row) > str(NOW) else NOW


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.path}-{row.question}" for row in ROWS])
@pytest.mark.parametrize("country", COUNTRIES)
def test_every_leaf(country: str, row: Row, seed: Leaf, installed: Standard) -> None:
    leaf = seed["jurisdictions"][country]
    wanted, start = at(leaf, row.path), since(leaf, row)
    for facts in situations(row, leaf) if wanted is not None else ():
        found = resolve(installed, country, row.question, day(leaf, row, country), facts).provision
        assert found is not None and installed.binds(found), (country, row)
        group = [each for each in every(installed, country, row.question) if each.question == row.question]
        notes = " ".join(each.note for each in group if DIFFERS in each.note)
        kept = [each for each in group if row.keeps(each, wanted) and str(each.from_ or "").startswith(start)]
        if found in kept:
            assert notes or lost(found, origin(leaf, row.path), seed, group) == [], found
            continue
        assert notes, (found, wanted)
        said = wanted if isinstance(wanted, str) else wanted.get("amount", wanted.get("value"))
        changed = set() if row.keeps(found, wanted) else figures(said)
        if not kept and not str(found.from_ or "").startswith(start):
            changed |= figures(start)
        assert changed <= figures(notes), (found, changed)


def test_no_row_is_idle(seed: Leaf) -> None:
    countries = seed["jurisdictions"]
    assert set(countries) == set(COUNTRIES)
    for row in ROWS:
        for path in (row.path, *row.since.split()):
            assert any(at(leaf, path) is not None for leaf in countries.values()), path


# --- What no row carries: notes, powers, what was and what is to come ---

GROUPS = {
    "vasp": ("vasp.",),
    "travel_rule": ("travel_rule.",),
    "cdd_occasional": ("cdd.",),
    "str": ("str.", "fiu.request_reply"),
    "ctr": ("ctr.", "cash."),
    "retention": ("record_keeping.",),
    "tipping_off": ("tipping_off.",),
    "fiu": ("fiu.",),
    "fatf": ("fatf.",),
    "list_status": ("fatf.list_status",),
    "freeze": ("freeze.",),
    "notes": ("fatf.",),
    "eu_future": ("",),
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("country", COUNTRIES)
def test_every_figure_note_and_reference_is_told(
    country: str, group: str, seed: Leaf, installed: Standard
) -> None:
    leaf = seed["jurisdictions"][country].get(group, {})
    said = told(every(installed, country, *GROUPS[group]))
    assert {
        figure
        for key, text in scalars(leaf)
        if key not in REFERS
        for figure in figures(re.sub(r"\w+_\w+", "", text))
    } <= figures(said)
    for ref in references(leaf, seed):
        page, _, weak = seed["refs"][ref].partition(" (AI-generated page, ")
        assert page in said, ref
        assert not weak or re.search("AI.*weak", said), ref


def powers(standard: Standard, country: str) -> list[Provision]:
    kinds = standard.vocabulary.questions
    group = standard.provisions[country.lower()].items()
    return [each for name, found in group if kinds[name].type == "power" for each in found]


def answers_to(provision: Provision, leaf: Leaf) -> bool:
    power = provision.value
    if leaf["basis"] == "UNKNOWN" or "PROPOSED" in leaf["power"]:  # told, and not carried as law
        name = leaf["power"].split(" PROPOSED")[0]
        return name in f"{provision.source} {provision.note}" and not (
            power is None and provision.basis != leaf["basis"]
        )
    if "by" not in leaf:
        return power is False and leaf["power"] in provision.source
    if not isinstance(power, Power) or power.by != leaf["by"]:
        return False
    limited = power.duration is None if leaf["duration"] == "null" else period(provision, leaf["duration"])
    extended = leaf.get("extendable", "") in power.extendable
    return limited and extended and power.power.split(" under")[0] == leaf["power"].split(" under")[0]


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_power_to_freeze(country: str, seed: Leaf, installed: Standard) -> None:
    ours = powers(installed, country)
    found = []
    for power in seed["jurisdictions"][country]["freeze"]:
        (match,) = [each for each in ours if answers_to(each, power)]
        found.append(match)
        assert "PROPOSED" in power["power"] or lost(match, power, seed, [match]) == [], match
        assert str(match.from_ or "").startswith(power.get("transposition", ""))
        assert not power.get("superseded") or (match.until and match.until <= NOW)
    for each in ours:
        assert each in found or "our compilation" in each.note.replace("Our", "our"), each


def test_future_union_law_reaches_every_member(seed: Leaf, installed: Standard) -> None:
    countries = seed["jurisdictions"]
    members = {country for country in COUNTRIES if country in installed.jurisdictions["eu"].members}
    assert {country for country, leaf in countries.items() if "eu_future" in leaf} == members
    for country in members:
        future = countries[country]["eu_future"]
        on = date.fromisoformat(future["from"])
        for field, question, keeps in (
            ("fiu_reply_deadline", "fiu.request_reply", period),
            ("refrain_period", "freeze.obliged.hold", period),
            ("fiu_transaction_suspension_max", "freeze.fiu.transaction", period),
            ("fiu_account_suspension_max", "freeze.fiu.account", period),
            ("cash_limit", "cash.limit", limit),
        ):
            found = resolve(installed, country, question, on).provision
            assert found is not None and installed.binds(found), (country, question)
            assert keeps(found, {"op": ">"} | future[field]), (country, question)
            assert found.from_ == on, (country, question)
            named = [seed["refs"][ref] for ref in references(future[field], seed)]
            assert all(page in found.source for page in named), (country, question)
    for question in ("fiu.request_reply", "freeze.fiu.account", "cash.limit"):
        found = resolve(installed, "LI", question, FUTURE).provision
        assert found is not None and found.value is None, question  # only once it is taken into the EEA


def test_what_else_is_to_come(seed: Leaf, installed: Standard) -> None:
    countries = seed["jurisdictions"]

    def law(country: str, question: str, on: str, **facts: str) -> Provision:
        found = resolve(installed, country, question, date.fromisoformat(on), facts).provision
        assert found is not None and str(found.from_) == on
        return found

    regime = countries["GB"]["vasp"]["next_regime"]
    assert lost(law("GB", "vasp.regulated", regime["from_date"]), regime, seed, powers(installed, "GB")) == []
    phased = countries["BR"]["travel_rule"]["phased"]
    assert law("BR", "travel_rule.in_force", phased["domestic"], reach="domestic").value is True
    assert law("BR", "travel_rule.in_force", phased["international"], reach="cross_border").value is True
    change = countries["KR"]["travel_rule"]["change"]
    (found,) = [each for each in every(installed, "KR", "travel_rule.threshold") if DIFFERS in each.note]
    assert limit(found, change["to"]) and change["announced_effective"] in found.note


GREY = re.compile(r"[Gg]rey[- ]?(?:listed|list)? (?:(?P<first>\w{3} \d{4}) - |until )(?P<last>\w{3} \d{4})")


def month(text: str) -> date:
    return date(int(text[4:]), MONTHS.index(text[:3]) + 1, 1)


@pytest.mark.parametrize("country", COUNTRIES)
def test_when_it_was_on_the_grey_list(country: str, seed: Leaf, installed: Standard) -> None:
    leaf = seed["jurisdictions"][country]

    def status(on: date) -> Answer:
        found = resolve(installed, country, "fatf.list_status", on).provision
        return found.value if found else "none"

    note = leaf["list_status"].get("note", leaf["list_status"].get("conf_now", ""))
    now = resolve(installed, country, "fatf.list_status", NOW).provision
    assert now is not None and now.note == note
    if removed := leaf["list_status"].get("removed"):
        on = date.fromisoformat(removed)
        assert (status(on - timedelta(1)), status(on)) == ("grey", "none")
    for told_ in GREY.finditer(leaf.get("notes", "")):
        last = month(told_["last"])
        assert (status(last), status(last + timedelta(31))) == ("grey", "none")
        if told_["first"]:
            first = month(told_["first"])
            assert (status(first), status(first + timedelta(31))) == ("none", "grey")


# --- The standard itself ---


def test_the_baseline(seed: dict[str, Any], installed: Standard) -> None:
    base = seed["fatf_baseline"]

    def fatf(question: str, **facts: str) -> Provision:
        provision = resolve(installed, "fatf", question, NOW, facts).provision
        assert provision is not None
        return provision

    for field, provision in (
        ("vasp_cdd_occasional", fatf("cdd.occasional", asset="virtual")),
        ("occasional_general", fatf("cdd.occasional")),
        ("travel_rule_de_minimis", fatf("travel_rule.threshold")),
    ):
        assert isinstance(provision.value, Threshold)
        assert provision.value.amount == Decimal(base[field]["amount"])
        assert provision.value.currency == base[field]["currency"]
        same_origin(provision, base[field], seed)
    assert base["vasp_cdd_occasional"]["ref_url"] in fatf("cdd.occasional", asset="virtual").source
    assert fatf("record_keeping.years").value == int(base["record_years"]["years"])
    same_origin(fatf("record_keeping.years"), base["record_years"], seed)
    assert size(fatf("str.deadline").value) == (0, base["str"]["deadline"])
    same_origin(fatf("str.deadline"), base["str"], seed)


def test_the_lists_and_how_they_changed(seed: dict[str, Any], installed: Standard) -> None:
    lists = seed["fatf_lists"]

    def grey(on: date) -> set[str]:
        provision = resolve(installed, "fatf", "fatf.grey_list", on).provision
        assert provision is not None
        assert isinstance(provision.value, tuple)
        return set(provision.value)

    at = set(lists["grey"])
    assert grey(NOW) == at
    assert len(at) == int(lists["grey_count_sourced"])
    black = resolve(installed, "fatf", "fatf.black_list", NOW).provision
    assert black is not None
    assert set(black.value if isinstance(black.value, tuple) else ()) == set(lists["black"])
    for change in lists["changes"]:
        on = date.fromisoformat(change["date"])
        assert grey(on) == at
        at = at - set(change["added"]) | set(change["removed"])

"""Nothing of our compilation was lost or changed on its way into the law files: leaf by leaf.

Where a law file knows better, its note says ``Differs from our compilation:`` and what that said.
"""

from __future__ import annotations

import re
from calendar import month_abbr, month_name
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from comity.codec import to_json
from comity.jurisdictions import files
from comity.model import Answer, Confidence, Deadline, Operator, Power, Provision, Threshold
from comity.standard.answers import UNQUANTIFIED
from comity.standard.law import Standard
from comity.standard.resolve import resolve

pytestmark = pytest.mark.data

NOW = date(2026, 11, 22)
FUTURE = date(2027, 10, 25)  # Union law that the compilation gives without its date applies from July 2027
COUNTRIES = tuple(name.upper() for name in files() if name != "fatf")
DIFFERS = "Differs from our compilation:"
REFERS = ("ref", "refs", "ref_url", "gateway_ref")

Leaf = Mapping[str, Any]


@pytest.fixture(scope="session")
def seed(data: Path) -> dict[str, Any]:
    text = (data / "law" / "jurisdictions.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=yaml.CBaseLoader))  # all scalars as text


# What is told: figures, days and references, however they are written
def figures(text: str) -> set[str]:
    """The numbers in a text, whether 3,000 or 3000, 2026-03-31 or 31 Mar 2026."""
    text = re.sub(r"\w+_\w+", "", re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", text))
    for number, names in enumerate(zip(month_abbr[1:], month_name[1:], strict=True), 1):
        text = re.sub(rf"\b({'|'.join(names)})\b", str(number), text)
    found = re.findall(r"(?<![A-Za-z])[0-9]+(?:\.[0-9]+)?[A-Za-z]*", text)
    return {each.lstrip("0") for each in found} - {""}


def scalars(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text under a node of the compilation, with the key it stands under."""
    if isinstance(node, str):
        yield key, node
    for name, child in node.items() if isinstance(node, Mapping) else ():
        yield from scalars(child, name)
    for child in node if isinstance(node, list) else ():
        yield from scalars(child, key)


def pages(node: Any, seed: Leaf) -> set[str]:
    """The pages a node refers to, in a field of its own or within a text."""
    named = {value for key, value in scalars(node) if key in REFERS}
    named |= {word for _, text in scalars(node) for word in re.findall(r"\w+_\w+", text)}
    return {seed["refs"][ref] for ref in named & set(seed["refs"])}


def told(provisions: Iterable[Provision]) -> str:
    return "\n".join(to_json(each).decode() for each in provisions)


def every(standard: Standard, country: str, *prefixes: str) -> list[Provision]:
    """The provisions of a country and its bloc on the questions that begin so."""
    laws = [name for name in standard.chain(country) if name != standard.root]
    groups = (pair for name in laws for pair in standard.provisions[name].items())
    return [each for question, group in groups if question.startswith(prefixes) for each in group]


def lost(provision: Provision, leaf: Leaf, seed: Leaf, group: Iterable[Provision] = ()) -> list[str]:
    """What of basis, confidence, instrument (its figures: in any of the group) and references is missing."""
    if provision.value is None and provision.confidence is Confidence.UNKNOWN:
        return []  # an unknown within a leaf that knows the rest claims nothing
    said = {"basis": provision.basis.value, "conf": provision.confidence.value}
    found = [f"{key} {leaf[key]}" for key, value in said.items() if value != leaf[key]]
    instrument, all_ = leaf.get("instrument", ""), told([provision, *group])
    unsaid = {word for word in words(instrument) - words(all_) if len(word) > 3}  # shorter ones are spelt out
    found += sorted(unsaid | (figures(instrument) - figures(all_)))
    named = pages({key: leaf[key] for key in ("instrument", *REFERS) if key in leaf}, seed)
    return found + [page for page in named if page.split(" (AI")[0] not in told([provision])]


# What is kept: a leaf of the compilation beside a provision
def limit(provision: Provision, leaf: Any) -> bool:
    """The same threshold. Where the compilation knows no amount, unknown; or none, but not for customers."""
    if leaf == "null" or leaf["amount"] == "null":
        surely = provision.question == "ctr.threshold" and leaf["instrument"].startswith(("no ", "none"))
        none = provision.value is False and provision.question != "cdd.occasional"
        return none or (provision.value is None and not surely)
    # Where the compilation has no operator, the stricter reading is taken.
    operator = {">": Operator.OVER, ">=": Operator.AT_LEAST}[leaf.get("op", ">=")]
    return provision.value == Threshold(operator, Decimal(leaf["amount"]), leaf["currency"])


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


def words(text: str) -> set[str]:
    """The words of a text, without the references within it."""
    return set(re.findall(r"\w+", re.sub(r"[;,]? ?\(?\brefs? (\w+_\w+(, )?)+\)?", "", text.lower())))


def same(provision: Provision, leaf: str) -> bool:
    """The same words; what the compilation has not found is unknown."""
    return words(str(provision.value)) == words({"null": "None", "not found": "None"}.get(leaf, leaf))


def sense(provision: Provision, leaf: str) -> bool:
    """Said in our own words, but with every figure."""
    said, named = told([provision]), figures(leaf)
    found = words(leaf) <= words(said) or (bool(named) and named <= figures(said))
    return provision.value is None if leaf == "not found" else found


class Row(NamedTuple):
    """A leaf of the compilation, the question it answers, and how the two are compared."""

    path: str
    question: str
    keeps: Callable[[Provision, Any], bool]
    since: str = ""  # the leaves that say from when


ROWS = (
    Row("vasp.regulated", "vasp.regulated", truth, "vasp.since"),
    Row("vasp.regime", "vasp.licence", lambda found, leaf: found.value == leaf.split("; AML:")[0]),
    Row("vasp.regulated", "vasp.licence", lambda found, _: found.value is not None, "vasp.since"),
    Row("travel_rule.in_force", "travel_rule.in_force", truth, "travel_rule.since"),
    Row("travel_rule.threshold", "travel_rule.threshold", limit, "travel_rule.since"),
    Row("travel_rule.self_hosted.rule", "travel_rule.self_hosted.rule", sense),
    Row("travel_rule.self_hosted.threshold", "travel_rule.self_hosted.verify_over", limit),
    Row("cdd_occasional", "cdd.occasional", limit, "cdd_occasional.applies_from"),
    Row("cdd_occasional.until_then", "cdd.occasional", limit),
    Row("str.deadline", "str.deadline", period),
    Row("str.urgent", "str.deadline", period),
    Row("str.portal", "str.portal", same),
    Row("str.format", "str.format", same),
    Row("str.min_amount", "str.minimum", limit),
    Row("str.guidance_cap", "str.guidance_cap", period),
    Row("str.analysis_window", "str.analysis_window", period),
    Row("str.fiu_request_reply", "fiu.request_reply", period),
    Row("ctr", "ctr.threshold", limit),
    Row("ctr.deadline", "ctr.deadline", period),
    Row("retention.years", "record_keeping.years", same),
    Row("retention.sanctions_years", "record_keeping.sanctions_years", same),
    Row("tipping_off.offence", "tipping_off.offence", truth),
    Row("fiu.name", "fiu.name", same),
    Row("fiu.egmont", "fiu.egmont", truth),
    Row("fatf.fatf_member", "fatf.member", truth),
    Row("fatf.fsrb", "fatf.fsrb", lambda found, leaf: found.value == tuple(x.split(" (")[0] for x in leaf)),
    Row("list_status.status", "fatf.list_status", same, "list_status.since list_status.as_of"),
)
ASSETS = (  # which cases are meant where the compilation speaks of an asset: the first that is named
    ("precious-metal", {"asset": "cash", "sector": "precious_metals"}),
    ("deposits", {"asset": "cash", "sector": "bank"}),
    ("cash|physical currency", {"asset": "cash", "direction": "in"}),
)
MATTERS = (("TF", "terrorist_financing"), ("terrorism", "terrorist_financing"), ("sanctions", "sanctions"))


def at(node: Any, path: str) -> Any:
    for step in path.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def origin(node: Any, path: str) -> Leaf:
    """Basis, confidence, instrument and reference of a leaf: its own, else of what it stands in."""
    found: dict[str, Any] = {}
    for step in path.split("."):
        special = node.get(f"{step.removesuffix('_years')}_instrument")
        node = node[step]
        named = re.findall(r"\w+_\w+", node) if isinstance(node, str) else []
        if isinstance(node, Mapping):
            found = dict(node) if "basis" in node else found | node
        found |= ({"ref": named[0]} if named else {}) | ({"instrument": special} if special else {})
    return found


def situations(row: Row, leaf: Leaf) -> list[dict[str, str]]:
    """The facts under which a row is looked up."""
    if not row.question.startswith("ctr."):
        urgent = leaf["str"]["urgent"]["note"] if row.path == "str.urgent" else ""
        return [{"matter": matter} for word, matter in MATTERS if word in urgent] or [{}]
    asset = leaf["ctr"].get("asset", "cash")
    found = [facts for pattern, facts in ASSETS if re.search(pattern, asset)][:1]
    virtual = [{"asset": "virtual", "direction": "in"}] if "virtual" in asset else []
    two = row.question == "ctr.deadline" and "days" in asset  # the leaf's is that for virtual assets
    return (virtual if two else found + virtual) or [{}]


def since(leaf: Leaf, row: Row) -> str:
    """The day, month or year from which, where the compilation gives one."""
    said = [at(leaf, path) for path in row.since.split()]
    return next((each for each in said if each and re.fullmatch("[0-9-]+", each)), "")


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.path}-{row.question}" for row in ROWS])
@pytest.mark.parametrize("country", COUNTRIES)
def test_every_leaf(country: str, row: Row, seed: Leaf, installed: Standard) -> None:
    leaf = seed["jurisdictions"][country]
    wanted, start = at(leaf, row.path), since(leaf, row)
    later = start > str(NOW) or (country == "EU" and not row.path.endswith("until_then"))
    for facts in situations(row, leaf) if wanted is not None else ():
        found = resolve(installed, country, row.question, FUTURE if later else NOW, facts).provision
        assert found is not None and installed.binds(found), (country, row)
        group = [each for each in every(installed, country, row.question) if each.question == row.question]
        notes = " ".join(each.note for each in group if DIFFERS in each.note and each.when == found.when)
        dated = [each for each in group if str(each.from_ or "").startswith(start)]
        kept = [each for each in dated if row.keeps(each, wanted)]
        if found in kept:
            assert lost(found, origin(leaf, row.path), seed, group) == [], found
            continue
        assert notes, (found, wanted)
        said = wanted if isinstance(wanted, str) else wanted.get("amount", wanted.get("value"))
        changed = set() if row.keeps(found, wanted) else figures(said)
        changed |= set() if kept or found in dated else figures(start)
        assert changed <= figures(notes), (found, changed)


def test_no_row_is_idle(seed: Leaf) -> None:
    assert set(seed["jurisdictions"]) == set(COUNTRIES)
    for path in (path for row in ROWS for path in (row.path, *row.since.split())):
        assert any(at(leaf, path) is not None for leaf in seed["jurisdictions"].values()), path


# What no row carries: notes, powers, what was and what is to come
PREFIXES = {"cdd_occasional": "cdd.", "retention": "record_keeping.", "notes": "fatf.", "eu_future": ""}
PREFIXES |= {name: f"{name}." for name in ("vasp", "travel_rule", "str", "ctr", "tipping_off", "freeze")}
PREFIXES |= {"fiu": "fiu.", "fatf": "fatf.", "list_status": "fatf.list_status"}


@pytest.mark.parametrize("group", PREFIXES)
@pytest.mark.parametrize("country", COUNTRIES)
def test_every_figure_and_page_is_told(country: str, group: str, seed: Leaf, installed: Standard) -> None:
    leaf = seed["jurisdictions"][country].get(group, {})
    said = told(every(installed, country, PREFIXES[group], "fiu.request_reply"))
    texts = [text for key, text in scalars(leaf) if key not in REFERS]
    assert {figure for text in texts for figure in figures(text)} <= figures(said)
    for ref in pages(leaf, seed):
        page, _, weak = ref.partition(" (AI-generated page, ")
        assert page in said, ref
        assert not weak or re.search("AI.*weak", said), ref


@pytest.mark.parametrize("country", COUNTRIES)
def test_nothing_was_added_in_silence(country: str, seed: Leaf, installed: Standard) -> None:
    compiled = figures(" ".join(text for _, text in scalars(seed["jurisdictions"][country])))
    for each in (each for group in installed.provisions[country.lower()].values() for each in group):
        if "compilation" not in each.note and each.confidence is not Confidence.UNKNOWN:
            assert figures(str(each.value)) <= compiled, each


def answers_to(provision: Provision, leaf: Leaf) -> bool:
    """One that is only proposed or supposed is told, and not carried as law."""
    power = provision.value
    if leaf["basis"] == "UNKNOWN" or "PROPOSED" in leaf["power"]:
        return leaf["power"].split(" PROPOSED")[0] in f"{provision.source} {provision.note}"
    if "by" not in leaf:
        return power is False and leaf["power"] in provision.source
    if not isinstance(power, Power) or power.by != leaf["by"]:
        return False
    limited = power.duration is None if leaf["duration"] == "null" else period(provision, leaf["duration"])
    named = power.power.split(" under")[0] == leaf["power"].split(" under")[0]
    return limited and named and leaf.get("extendable", "") in power.extendable


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_power_to_freeze(country: str, seed: Leaf, installed: Standard) -> None:
    law, kinds = installed.provisions[country.lower()], installed.vocabulary.questions
    ours = [each for name, group in law.items() if kinds[name].type == "power" for each in group]
    found = []
    for power in seed["jurisdictions"][country]["freeze"]:
        (match,) = [each for each in ours if answers_to(each, power)]
        found.append(match)
        assert "PROPOSED" in power["power"] or lost(match, power, seed) == [], match
        assert "UNKNOWN" not in power["basis"] or match.value is None
        assert str(match.from_ or "").startswith(power.get("transposition", ""))
        assert not power.get("superseded") or (match.until and match.until <= NOW)
    for each in ours:
        assert each in found or "our compilation" in each.note.lower(), each


def test_future_union_law_reaches_every_member(seed: Leaf, installed: Standard) -> None:
    future = {name: leaf["eu_future"] for name, leaf in seed["jurisdictions"].items() if "eu_future" in leaf}
    assert set(future) == set(COUNTRIES) & set(installed.jurisdictions["eu"].members)
    for country, leaf in future.items():
        for field, question, keeps in (
            ("fiu_reply_deadline", "fiu.request_reply", period),
            ("refrain_period", "freeze.obliged.hold", period),
            ("fiu_transaction_suspension_max", "freeze.fiu.transaction", period),
            ("fiu_account_suspension_max", "freeze.fiu.account", period),
            ("cash_limit", "cash.limit", limit),
        ):
            found = resolve(installed, country, question, date.fromisoformat(leaf["from"])).provision
            assert found is not None and installed.binds(found), (country, question)
            assert str(found.from_) == leaf["from"], (country, question)
            assert keeps(found, {"op": ">"} | leaf[field]), (country, question)
            assert all(page in found.source for page in pages(leaf[field], seed)), (country, question)
    for question in ("fiu.request_reply", "freeze.fiu.account", "cash.limit"):
        outside = resolve(installed, "LI", question, FUTURE).provision
        assert outside is not None and outside.value is None, question  # only once it is in the EEA


def test_what_else_is_to_come(seed: Leaf, installed: Standard) -> None:
    countries = seed["jurisdictions"]
    regime, phased = countries["GB"]["vasp"]["next_regime"], countries["BR"]["travel_rule"]["phased"]
    for country, question, on, reach in (
        ("GB", "vasp.regulated", regime["from_date"], ""),
        ("BR", "travel_rule.in_force", phased["domestic"], "domestic"),
        ("BR", "travel_rule.in_force", phased["international"], "cross_border"),
    ):
        found = resolve(installed, country, question, date.fromisoformat(on), {"reach": reach}).provision
        assert found is not None and (found.value, str(found.from_)) == (True, on)
        assert country != "GB" or lost(found, regime, seed) == []
    change = countries["KR"]["travel_rule"]["change"]
    told = [each for each in every(installed, "KR", "travel_rule.threshold") if DIFFERS in each.note]
    assert any(limit(each, change["to"]) for each in told)
    assert all(change["announced_effective"] in each.note for each in told)


GREY = re.compile(r"[Gg]rey[- ]?(?:listed|list)? (?:(?P<first>\w{3} \d{4}) - |until )(?P<last>\w{3} \d{4})")


@pytest.mark.parametrize("country", COUNTRIES)
def test_when_it_was_on_the_grey_list(country: str, seed: Leaf, installed: Standard) -> None:
    leaf = seed["jurisdictions"][country]

    def status(on: date) -> Answer:
        found = resolve(installed, country, "fatf.list_status", on).provision
        return found.value if found else "none"

    compiled = leaf["list_status"]
    now = resolve(installed, country, "fatf.list_status", NOW).provision
    assert now is not None and now.note.startswith(compiled.get("note", compiled.get("conf_now", "")))
    removed = date.fromisoformat(compiled.get("removed", str(NOW)))
    assert "removed" not in compiled or status(removed - timedelta(1)) == "grey" != status(removed)
    for said in GREY.finditer(leaf.get("notes", "")):
        for month, change in ((said["first"], ("none", "grey")), (said["last"], ("grey", "none"))):
            on = date(int(month[4:]), [*month_abbr].index(month[:3]), 1) if month else NOW
            assert not month or (status(on), status(on + timedelta(31))) == change


# The standard itself
def test_the_baseline(seed: Leaf, installed: Standard) -> None:
    for field, key, question, facts in (
        ("vasp_cdd_occasional", "amount", "cdd.occasional", {"asset": "virtual"}),
        ("occasional_general", "amount", "cdd.occasional", {}),
        ("travel_rule_de_minimis", "amount", "travel_rule.threshold", {}),
        ("record_years", "years", "record_keeping.years", {}),
        ("str", "deadline", "str.deadline", {}),
    ):
        leaf = seed["fatf_baseline"][field]
        found = resolve(installed, "fatf", question, NOW, facts).provision
        assert found is not None and lost(found, leaf, seed) == []
        assert leaf.get("ref_url", "") in found.source
        assert words(f"{leaf[key]} {leaf.get('currency', '')}") <= words(str(found.value).replace(",", ""))


def test_the_lists_and_how_they_changed(seed: Leaf, installed: Standard) -> None:
    lists = seed["fatf_lists"]

    def listed(name: str, on: date) -> set[str]:
        provision = resolve(installed, "fatf", f"fatf.{name}_list", on).provision
        assert provision is not None and isinstance(provision.value, tuple)
        return set(provision.value)

    grey = set(lists["grey"])
    assert (listed("grey", NOW), listed("black", NOW)) == (grey, set(lists["black"]))
    assert len(grey) == int(lists["grey_count_sourced"])
    for change in lists["changes"]:
        on = date.fromisoformat(change["date"])
        assert listed("grey", on) == grey
        grey = grey - set(change["added"]) | set(change["removed"])
        assert listed("grey", on - timedelta(1)) == grey

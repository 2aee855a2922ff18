"""Nothing of our compilation was lost or changed on its way into the law files: leaf by leaf."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from comity.model import Answer, Basis, Confidence, Deadline, Operator, Power, Provision, Threshold
from comity.standard.answers import UNQUANTIFIED
from comity.standard.law import Standard
from comity.standard.resolve import resolve

pytestmark = pytest.mark.data

NOW = date(2026, 11, 22)
FUTURE = date(2027, 10, 25)
COUNTRIES = ("US", "EU", "DE", "GB", "SG", "AE")
CASH = {"asset": "cash", "sector": "precious_metals"}

Leaf = Mapping[str, Any]
Find = Callable[..., Provision]


@pytest.fixture(scope="session")
def seed(data: Path) -> dict[str, Any]:
    text = (data / "law" / "jurisdictions.yaml").read_text()
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CBaseLoader)  # all scalars as text
    return loaded


def find(standard: Standard, country: str, question: str, on: date = NOW, **facts: str) -> Provision:
    provision = resolve(standard, country, question, on, facts).provision
    assert provision is not None, (country, question)
    assert standard.binds(provision), (country, question)
    return provision


@pytest.fixture(params=COUNTRIES)
def country(
    request: pytest.FixtureRequest, seed: dict[str, Any], installed: Standard
) -> tuple[Leaf, Find, str]:
    return seed["jurisdictions"][request.param], partial(find, installed, request.param), request.param


def same_origin(provision: Provision, leaf: Leaf, seed: dict[str, Any]) -> None:
    """The leaf's basis, confidence, instrument (every figure in it) and reference are all still there."""
    assert provision.basis == Basis(leaf["basis"]), provision
    assert provision.confidence == Confidence(leaf["conf"]), provision
    told = f"{provision.source} {provision.note}"
    instrument = leaf.get("instrument", "")
    named = [word for word in re.findall(r"\w+", instrument) if word in seed["refs"]]
    for figure in re.findall(r"[0-9][0-9A-Za-z]*", re.sub("|".join(named) or "$^", "", instrument)):
        assert figure in told, (provision, figure)
    for ref in named + ([leaf["ref"]] if "ref" in leaf else leaf.get("refs", [])):
        assert seed["refs"][ref].split(" (AI")[0] in told, (provision, ref)


def threshold(leaf: Leaf) -> Answer:
    if leaf["amount"] == "null":
        return False
    # Where the compilation has no operator, the stricter reading is taken.
    operator = {">": Operator.OVER, ">=": Operator.AT_LEAST}[leaf.get("op", ">=")]
    return Threshold(operator, Decimal(leaf["amount"]), leaf["currency"])


def deadline(leaf: Leaf) -> tuple[int, str]:
    unit = leaf["unit"].replace("business_day", "working_day")
    assert (leaf["value"] == "0") == (unit in UNQUANTIFIED)
    return int(leaf["value"]), unit


def size(answer: Answer) -> tuple[int, str]:
    found = answer.duration if isinstance(answer, Power) else answer
    assert isinstance(found, Deadline)
    return found.amount, found.unit


def later(country: str) -> date:
    """Union law that the compilation gives without its date applies from July 2027."""
    return FUTURE if country == "EU" else NOW


def test_vasp(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, _ = country
    provision = law("vasp.regulated")
    same_origin(provision, leaf["vasp"], seed)
    same_origin(law("vasp.licence"), leaf["vasp"], seed)
    assert provision.value is (leaf["vasp"]["regulated"] == "true")
    assert str(provision.from_).startswith(leaf["vasp"]["since"])
    regime = leaf["vasp"]["regime"].split("; AML")[0]
    assert law("vasp.licence").value == regime


def test_travel_rule(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, _ = country
    rule = leaf["travel_rule"]
    for question in ("travel_rule.in_force", "travel_rule.threshold"):
        same_origin(law(question), rule, seed)
        if re.fullmatch("[0-9-]+", rule["since"]):
            assert str(law(question).from_).startswith(rule["since"])
    assert law("travel_rule.in_force").value is True
    assert law("travel_rule.threshold").value == threshold(rule["threshold"])
    hosted = rule["self_hosted"]
    same_origin(law("travel_rule.self_hosted.rule"), rule | hosted if "basis" not in hosted else hosted, seed)
    if "threshold" in hosted:
        provision = law("travel_rule.self_hosted.verify_over")
        assert provision.value == threshold(hosted["threshold"])
        same_origin(provision, hosted, seed)


def test_customers(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, name = country
    cdd = leaf["cdd_occasional"]
    provision = law("cdd.occasional", later(name))
    assert provision.value == threshold(cdd)
    same_origin(provision, cdd, seed)
    if "applies_from" in cdd:
        assert str(provision.from_) == cdd["applies_from"]
        before = law("cdd.occasional")
        assert before.value == threshold(cdd["until_then"])
        same_origin(before, cdd["until_then"], seed)


def test_suspicion(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, name = country
    report = leaf["str"]
    provision = law("str.deadline", later(name))
    assert size(provision.value) == deadline(report["deadline"])
    assert isinstance(provision.value, Deadline)
    assert provision.value.event == report["deadline"]["trigger"]
    same_origin(provision, report, seed)
    assert law("str.portal").value == report["portal"]
    same_origin(law("str.portal"), report, seed)
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\(ref .*|- verify.*|/ITS", "", report["format"]))
    assert set(words) <= set(re.findall(r"[A-Za-z0-9]+", str(law("str.format").value)))
    assert law("str.format").confidence == Confidence(report["conf"])
    if "urgent" in report:
        for matter in ("terrorist_financing", "sanctions"):
            assert size(law("str.deadline", matter=matter).value) == deadline(report["urgent"])
    if "guidance_cap" in report:
        assert size(law("str.guidance_cap").value) == deadline(report["guidance_cap"])
        same_origin(law("str.guidance_cap"), report["guidance_cap"], seed)
    if "extension" in report:
        extended = law("str.deadline", sector="bank", suspect="unidentified")
        assert f"{size(extended.value)[0]} days" in report["extension"]
    if "min_amount" in report:
        assert law("str.minimum").value == threshold(report["min_amount"])
        assert law("str.minimum", sector="bank").value == Threshold(Operator.AT_LEAST, Decimal(5000), "USD")
        same_origin(law("str.minimum"), report | {"instrument": "1022.320"}, seed)
    if "fiu_request_reply" in report:
        assert size(law("fiu.request_reply", FUTURE).value) == deadline(report["fiu_request_reply"])


def test_threshold_reports(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, _ = country
    ctr = leaf["ctr"]
    facts = {"asset": "cash"} if ctr["amount"] == "null" else CASH
    provision = law("ctr.threshold", **facts)
    assert provision.value == threshold(ctr)
    same_origin(provision, ctr, seed)
    if ctr.get("deadline") == "null":
        assert law("ctr.deadline", **CASH).value is None
    elif "deadline" in ctr:
        assert size(law("ctr.deadline", **CASH).value) == deadline(ctr["deadline"])


def test_records_and_secrecy(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, name = country
    kept = law("record_keeping.years", later(name))
    assert kept.value == int(leaf["retention"]["years"])
    same_origin(kept, leaf["retention"], seed)
    if "sanctions_years" in leaf["retention"]:
        sanctions = law("record_keeping.sanctions_years")
        assert sanctions.value == int(leaf["retention"]["sanctions_years"])
        same_origin(
            sanctions, leaf["retention"] | {"instrument": leaf["retention"]["sanctions_instrument"]}, seed
        )
    silence = law("tipping_off.offence", later(name))
    assert silence.value is (leaf["tipping_off"]["offence"] == "true")
    same_origin(silence, leaf["tipping_off"], seed)


def test_authorities_and_standing(country: tuple[Leaf, Find, str], seed: dict[str, Any]) -> None:
    leaf, law, _ = country
    truth = {"true": True, "false": False, "null": None, "European Commission is a member": True}
    assert law("fiu.name").value == leaf["fiu"]["name"]
    assert law("fiu.egmont").value is truth[leaf["fiu"]["egmont"]]
    assert law("fatf.member").value is truth[leaf["fatf"]["fatf_member"]]
    bodies = tuple(body.split(" (")[0] for body in leaf["fatf"]["fsrb"])
    assert law("fatf.fsrb").value == bodies
    status = law("fatf.list_status")
    assert status.value == leaf["list_status"]["status"]
    assert str(status.from_) == leaf["list_status"]["as_of"]
    assert status.note == leaf["list_status"]["note"]
    for provision, group in (
        (law("fiu.name"), "fiu"),
        (law("fiu.egmont"), "fiu"),
        (law("fatf.member"), "fatf"),
        (law("fatf.fsrb"), "fatf"),
        (status, "list_status"),
    ):
        same_origin(provision, leaf[group], seed)


def powers(standard: Standard, country: str) -> Iterator[Provision]:
    for question, group in standard.provisions[country.lower()].items():
        if standard.vocabulary.questions[question].type == "power":
            yield from group


def test_every_power_to_freeze(
    country: tuple[Leaf, Find, str], seed: dict[str, Any], installed: Standard
) -> None:
    leaf, _, name = country
    ours = list(powers(installed, name))
    for power in leaf["freeze"]:
        (match,) = [each for each in ours if answers_to(each, power)]
        same_origin(match, power, seed)
        if "transposition" in power:
            assert str(match.from_) == power["transposition"]
        if power.get("superseded"):
            assert match.until is not None
            assert match.until <= NOW
    added = {each.source for each in ours} - {each.source for each in ours if "Not in our" not in each.note}
    assert len(ours) - len(leaf["freeze"]) == len(added)


def answers_to(provision: Provision, leaf: Leaf) -> bool:
    if "by" not in leaf:
        return provision.value is False and leaf["power"] in provision.source
    power = provision.value
    if not isinstance(power, Power) or power.by != leaf["by"]:
        return False
    limit = leaf["duration"]
    same = power.duration is None if limit == "null" else power.duration and size(power) == deadline(limit)
    return bool(same) and power.power.split(" under")[0] == leaf["power"].split(" under")[0]


def test_future_union_law_reaches_germany(seed: dict[str, Any], installed: Standard) -> None:
    future = seed["jurisdictions"]["DE"]["eu_future"]
    on = date.fromisoformat(future["from"])
    for field, question in (
        ("fiu_reply_deadline", "fiu.request_reply"),
        ("refrain_period", "freeze.obliged.hold"),
        ("fiu_transaction_suspension_max", "freeze.fiu.transaction"),
        ("fiu_account_suspension_max", "freeze.fiu.account"),
    ):
        provision = find(installed, "DE", question, on)
        assert size(provision.value) == deadline(future[field]), field
        assert seed["refs"][future[field]["ref"]] in provision.source, field
        assert provision.from_ == on
    limit = find(installed, "DE", "cash.limit", on)
    assert limit.value == threshold(future["cash_limit"] | {"op": ">"})
    same_origin(limit, future["cash_limit"], seed)


def test_the_next_british_regime(seed: dict[str, Any], installed: Standard) -> None:
    regime = seed["jurisdictions"]["GB"]["vasp"]["next_regime"]
    provision = find(installed, "GB", "vasp.regulated", date.fromisoformat(regime["from_date"]))
    same_origin(provision, regime, seed)
    assert str(provision.from_) == regime["from_date"]
    assert regime["gateway_opens"] in provision.note
    assert seed["refs"][regime["gateway_ref"]] in provision.note


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

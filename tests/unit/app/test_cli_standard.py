"""``comity standard``: gaps, comparison, corridors, changes, what-if and duties, for people and machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from comity.ledger.store import Ledger
from comity.model import AccountId, Amount, AssetId, Transfer

Comity = Callable[..., Any]
ON = ("--on", "2026-11-25")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two hundred transfers from the United States to Germany, one from Germany to Singapore."""
    path = tmp_path / "ledger"
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    euro = AssetId.money("USD")

    def move(number: int, origin: str, target: str, value: int) -> Transfer:
        return Transfer(
            f"t{number}",
            at,
            AccountId(f"acct:{origin}-vasp:1"),
            AccountId(f"acct:{target}-vasp:2"),
            Amount(Decimal(value), euro),
            Decimal(value),
            originator_country=origin.upper(),
            beneficiary_country=target.upper(),
        )

    Ledger.create(path, euro).append(
        [*(move(number, "us", "de", 5000) for number in range(200)), move(999, "de", "sg", 1)]
    )
    return path


def test_gaps_of_one_country_are_ranked(comity: Comity) -> None:
    found = comity("standard", "gaps", "us", *ON, "--json").json
    widths = [gap["weakness"] for gap in found]
    assert widths == sorted(widths, reverse=True)
    assert {"travel_rule.threshold", "str.minimum"} <= {gap["question"] for gap in found}
    shown = comity("standard", "gaps", "us", *ON).out
    assert "◐ med" in shown, "what rests on less than high confidence is marked"


def test_all_countries_are_ranked_by_what_they_keep(comity: Comity) -> None:
    found = comity("standard", "gaps", *ON, "--json").json
    assert len(found) >= 34
    assert [one["kept"] for one in found] == sorted(one["kept"] for one in found)
    assert all(one["least"] <= one["most"] for one in found)
    assert all(one["least"] == pytest.approx(one["kept"] * one["known"]) for one in found)
    assert "not known" in comity("standard", "gaps", "--limit", "3").out


def test_two_laws_side_by_side(comity: Comity) -> None:
    found = comity("standard", "compare", "us", "de", *ON, "--json").json
    by = {(one["question"], tuple(map(tuple, one["facts"]))): one for one in found}
    assert by["travel_rule.threshold", ()]["place"] == "weaker"
    back = comity("standard", "compare", "de", "us", *ON, "--json").json
    assert len(back) == len(found)
    assert "Germany" in comity("standard", "compare", "us", "de", *ON).out
    assert comity("standard", "compare", "us", "zz").code != 0
    assert comity("standard", "gaps", "fatf").code == 2


def test_corridors_are_weighed_by_what_a_ledger_moves(comity: Comity, ledger: Path) -> None:
    plain = comity("standard", "corridors", *ON, "--json").json
    assert len(plain) == 34 * 33
    assert {one["volume"] for one in plain} == {0}
    found = comity("standard", "corridors", *ON, "--ledger", ledger, "--json").json
    assert (found[0]["origin"], found[0]["destination"]) == ("us", "de")
    assert found[0]["volume"] == 1_000_000
    assert found[0]["exposure"] == pytest.approx(1_000_000 * found[0]["score"])
    shown = comity("standard", "corridors", *ON, "--ledger", ledger, "--limit", "2").out
    assert "2 of 1,122 shown" in shown
    assert "1,000,000" in shown.replace("\n", "")
    assert comity("standard", "corridors", "--ledger", ledger.parent / "none").code != 0


def test_changes_between_two_days(comity: Comity) -> None:
    given = ("standard", "changes", "de", "--since", "2026-11-25", "--on", "2028-01-01")
    found = comity(*given, "--json").json
    assert {one["on"] for one in found} == {"2027-07-10"}
    assert "2027-07-10" in comity(*given).out
    everywhere = comity("standard", "changes", "--since", "2024-01-01", *ON, "--json").json
    assert len({one["jurisdiction"] for one in everywhere}) > 15
    assert comity("standard", "changes", "--since", "2027-01-01", *ON).code == 2
    assert comity("standard", "changes", "--on", "0001-01-01", "--json").json == []


def test_what_if_a_country_adopted_the_standard(comity: Comity, ledger: Path) -> None:
    given = ("standard", "what-if", "us", "travel_rule.threshold")
    found = comity(*given, *ON, "--json").json
    assert found["adopted"][0]["value"]["amount"] == "1000"
    assert len(found["moved"]) == 66
    assert all("us" in (one["origin"], one["destination"]) for one in found["moved"])
    assert found["mean_after"] < found["mean_before"]
    own = comity(*given, "{at_least: 0, currency: USD}", *ON, "--json").json
    assert own["mean_after"] <= found["mean_after"] + 1e-9
    shown = comity(*given, *ON, "--ledger", ledger).out
    assert "exposure of all" in shown
    part = comity(*given, "{at_least: 1000, currency: USD}", "--when", "reach=cross_border", "--json").json
    assert part["adopted"][0]["when"] == [["reach", "cross_border"]]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("us", "travel_rule.threshold", "{at_least: lots, currency: USD}"), "not an amount"),
        (("us", "travel_rule.threshold", "[1"), "not YAML"),
        (("us", "no.question"), "no question"),
        (("us", "fiu.name"), "no answer"),
        (("zz", "str.minimum"), "no law file"),
        (("us", "str.minimum", "--when", "mood=x"), "--when without a value"),
        (("us", "str.attempted", "true", "--when", "mood=x"), "no fact"),
    ],
)
def test_what_cannot_be_adopted_is_refused(comity: Comity, given: tuple[str, ...], word: str) -> None:
    done = comity("standard", "what-if", *given)
    assert done.code != 0
    assert word in " ".join(done.err.split())


def test_the_duties_of_one_transfer(comity: Comity) -> None:
    given = ("1500 EUR", "--from", "us", "--to", "de", "--fact", "suspicion=alert", *ON)
    found = comity("standard", "duties", *given, "--json").json
    by = {(one["jurisdiction"], one["kind"]): one for one in found}
    assert by["DE", "travel_rule"]["force"] == "required"
    assert by["US", "travel_rule"]["force"] == "recommended"
    assert by["DE", "report_suspicion"]["provision"]["source"] == "GwG s.43"
    shown = comity("standard", "duties", *given).out
    assert "recommended" in shown
    wallet = ("1000.01 EUR", "--from", "de", "--to", "wallet", *ON)
    kinds = {one["kind"] for one in comity("standard", "duties", *wallet, "--json").json}
    assert "verify_self_hosted" in kinds
    middle = ("1 EUR", "--from", "de", "--to", "us", "--through", "sg", "--bank", "--money", *ON)
    assert {one["jurisdiction"] for one in comity("standard", "duties", *middle, "--json").json} == {
        "DE",
        "SG",
        "US",
    }


def test_an_amount_is_judged_in_its_own_currency_and_a_rate_may_be_given(comity: Comity) -> None:
    def forces(worth: str, *more: str) -> set[str]:
        given = ("standard", "duties", worth, "--from", "us", "--to", "wallet", *more, *ON, "--json")
        facts = ("--fact", "customer=occasional")
        return {one["force"] for one in comity(*given, *facts).json if one["kind"] == "identify_customer"}

    assert forces("2999.99 USD") == {"recommended"}
    assert forces("3000 USD") == {"required"}
    assert forces("2900 EUR") == {"required"}
    assert forces("2900 EUR", "--rate", "EUR=1") == {"recommended"}


def test_a_rough_rate_is_never_relied_on_silently(comity: Comity, ledger: Path) -> None:
    given = ("standard", "duties", "1500 EUR", "--from", "us", "--to", "de", *ON)
    assert "USD at a rough rate" in " ".join(comity(*given).out.replace("│", " ").split())
    stated = comity(*given, "--rate", "EUR=1.08", "--json").json
    assert not [one for one in stated if "rate" in dict(map(tuple, one["details"]))]
    asked = ("standard", "duties", "--ledger", ledger, "--institution", "de-vasp=SG", "--json")
    assert comity(*asked).json["rough_rates"] == ["SGD"]
    assert comity(*asked, "--rate", "SGD=0.75").json["rough_rates"] == []


def test_an_export_replaces_a_file_whole(comity: Comity, tmp_path: Path) -> None:
    out = tmp_path / "sg.html"
    out.write_text("kept")
    assert comity("standard", "report", "zz", "--out", out).code != 0
    assert out.read_text() == "kept"
    assert comity("standard", "report", "sg", "--out", out).code == 0
    assert out.read_text().startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["sg.html"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ((), "no transfer to judge"),
        (("1500 EUR", "--from", "us"), "no transfer to judge"),
        (("lots EUR", "--from", "us", "--to", "de"), "the worth"),
        (("1500", "--from", "us", "--to", "de"), "no currency"),
        (("1500 EUR", "--from", "us", "--to", "de", "--rate", "USD=2"), "always 1"),
        (("1500 EUR", "--from", "us", "--to", "de", "--on", "9999-12-01"), "out of bounds"),
        (("1500 XTS", "--from", "us", "--to", "de"), "no rate"),
        (("1500 EUR", "--from", "usa", "--to", "de"), "not a country"),
        (("1500 EUR", "--from", "us", "--to", "de", "--fact", "mood=x"), "unknown word"),
        (("1500 EUR", "--from", "us", "--to", "de", "--fact", "asset=gold"), "unknown word"),
        (("1500 EUR", "--from", "us", "--to", "de", "--rate", "EUR"), "NAME=VALUE"),
    ],
)
def test_a_transfer_that_makes_no_sense_is_refused(comity: Comity, given: tuple[str, ...], word: str) -> None:
    done = comity("standard", "duties", *given)
    assert done.code == 2
    assert word in " ".join(done.err.split())


def test_the_duties_of_a_ledger(comity: Comity, ledger: Path) -> None:
    given = ("--ledger", ledger, "--institution", "us-vasp=US", "--institution", "de-vasp=DE:bank")
    found = comity("standard", "duties", *given, "--json").json
    assert (found["transfers"], found["unjudged"]) == (201, 0)
    by = {(one["jurisdiction"], one["kind"], one["force"]): one for one in found["by_country"]}
    assert by["US", "travel_rule", "required"]["duties"] == 200
    assert by["DE", "travel_rule", "required"]["duties"] == 201
    assert found["duties"] == sum(one["duties"] for one in found["by_country"])
    shown = comity("standard", "duties", *given).out
    assert "◐ med" in shown
    assert comity("standard", "duties", "1 EUR", "--ledger", ledger).code == 2
    assert comity("standard", "duties", "--ledger", ledger, "--institution", "x=US:casino").code == 2


def test_a_ledger_in_no_money_needs_a_rate(comity: Comity, tmp_path: Path) -> None:
    path = tmp_path / "coins"
    Ledger.create(path, AssetId("eip155:1/slip44:60"))
    done = comity("standard", "duties", "--ledger", path)
    assert done.code == 2
    assert "reference asset is money" in " ".join(done.err.split())


LAW = """
jurisdiction: zz
extends: fatf
provisions:
  record_keeping.years:
    - {value: 5, source: Act, basis: FROM-MEMORY, confidence: med, reviewed: 2026-01-01}
cases:
  - {name: a, on: 2026-01-01, transfer: {value: 1 EUR}, required: []}
"""


def test_check_says_what_a_file_still_owes(comity: Comity, tmp_path: Path) -> None:
    file = tmp_path / "zz.yaml"
    file.write_text(LAW)
    found = comity("standard", "check", file, *ON, "--json").json
    assert (found["provisions"], found["cases"], found["below_high"]) == (1, 1, 1)
    assert "zz.yaml: no answer to str.deadline: write it, or `unknown`." in found["missing"]
    assert "complete" in comity("standard", "check", file).out
    file.write_text(LAW.replace("required: []", "required: [travel_rule]"))
    done = comity("standard", "check", file)
    assert done.code != 0
    assert "case “a”: required duties are none, not travel_rule" in " ".join(done.err.split())
    file.write_text(LAW.replace("value: 5", "value: five"))
    done = comity("standard", "check", file)
    assert "zz.yaml, line 6" in " ".join(done.err.split())


def test_the_schema_is_json(comity: Comity) -> None:
    made = json.loads(comity("standard", "schema").out)
    assert "travel_rule.threshold" in made["properties"]["provisions"]["properties"]


def test_show_says_why_and_none_is_none(comity: Comity) -> None:
    one = comity("standard", "show", "us", "freeze.fiu.transaction", *ON, "--json").json
    assert one["value"] == "none"
    shown = " ".join(comity("standard", "show", "sg", "travel_rule.threshold", *ON).out.split())
    assert (
        "It answers because it applies from 2020-01-28, and own law comes before the law it extends." in shown
    )
    assert "Set aside: INR.15" in shown

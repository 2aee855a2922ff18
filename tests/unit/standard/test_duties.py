"""The duties one transfer brings in every country it touches."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from comity.errors import BadInput
from comity.model import (
    BTC,
    AccountId,
    Amount,
    AssetId,
    Duty,
    Finding,
    FindingKind,
    Force,
    Institution,
    Level,
    Role,
    Transfer,
)
from comity.standard.duties import duties, rough_rates
from comity.standard.law import Standard

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTIES = {
    each.id: each
    for each in (
        Institution("us-vasp", "US", Role.VASP, ("US",)),
        Institution("us-bank", "US", Role.BANK, ("US",)),
        Institution("de-vasp", "DE", Role.VASP, ("DE",)),
        Institution("sg-vasp", "SG", Role.VASP, ("SG",)),
        Institution("no-vasp", "NO", Role.VASP, ("NO",)),
        Institution("it-vasp", "IT", Role.VASP, ("IT",)),
        Institution("two", "Two", Role.VASP, ("SG", "AE")),
    )
}
RATES = {
    "USD": Decimal(1),
    "EUR": Decimal("1.1"),
    "SGD": Decimal("0.75"),
    "AED": Decimal("0.27"),
    "GBP": Decimal("1.3"),
}
WALLET = AccountId("eip155:1:0xabc")


def move(value: str | None, source: str = "us-vasp", target: str = "de-vasp", **more: Any) -> Transfer:
    return Transfer(
        id="t",
        time=AT,
        originator=AccountId(f"acct:{source}:1") if source else WALLET,
        beneficiary=AccountId(f"acct:{target}:2") if target else WALLET,
        amount=Amount(Decimal("0.1"), BTC),
        value=None if value is None else Decimal(value),
        **more,
    )


def alert(kind: FindingKind = FindingKind.TYPOLOGY, level: Level = Level.ALERT) -> Finding:
    return Finding("f", kind, "r", "s", level, 0.9, ("Because.",), (), "s")


def asked(standard: Standard, transfer: Transfer, **more: Any) -> tuple[Duty, ...]:
    given: dict[str, Any] = {"parties": PARTIES, "on": AT, "rates": RATES} | more
    return duties(standard, transfer, **given)


def kinds(found: tuple[Duty, ...]) -> set[tuple[str, str, str]]:
    return {(each.jurisdiction, each.kind, each.force.value) for each in found}


def test_the_same_transfer_yields_the_duties_of_every_country(installed: Standard) -> None:
    found = asked(installed, move("2000"))
    assert kinds(found) == {
        ("US", "travel_rule", "recommended"),
        ("US", "travel_rule_names", "recommended"),
        ("US", "keep_records", "required"),
        ("DE", "travel_rule", "required"),
        ("DE", "travel_rule_names", "required"),
        ("DE", "keep_records", "required"),
    }
    assert kinds(asked(installed, move("3000"))) >= {("US", "travel_rule", "required")}
    assert list(found) == sorted(found, key=lambda each: (each.jurisdiction, each.kind, each.who))


def test_who_and_under_which_article(installed: Standard) -> None:
    duty = next(each for each in asked(installed, move("1")) if each.kind == "travel_rule")
    assert duty.who == "de-vasp"
    assert duty.provision.jurisdiction == "eu"
    assert "2023/1113" in duty.provision.source
    assert duty.deadline is not None
    assert duty.deadline.unit == "immediately"
    assert ("ground", "the institution is established there") in duty.details


def test_intermediaries_and_institutions_of_several_countries(installed: Standard) -> None:
    found = asked(installed, move("2000", intermediaries=("two",)))
    assert {each.jurisdiction for each in found if each.who == "two"} == {"AE", "SG"}
    assert ("role", "intermediary") in next(each for each in found if each.who == "two").details


def test_the_customers_country_is_touched_too(installed: Standard) -> None:
    found = asked(installed, move("5000", "sg-vasp", "", originator_country="GB"))
    assert {each.jurisdiction for each in found} == {"GB", "SG"}
    british = next(each for each in found if each.jurisdiction == "GB")
    assert ("ground", "the originator is there") in british.details


def test_a_self_hosted_wallet_has_no_duties_but_brings_some(installed: Standard) -> None:
    assert asked(installed, move("5000", "", "")) == ()
    found = asked(installed, move("1100.01", "de-vasp", ""))
    assert ("DE", "verify_self_hosted", "required") in kinds(found)
    assert ("DE", "collect_self_hosted", "required") in kinds(found)
    assert "travel_rule" not in {each.kind for each in found}
    at = asked(installed, move("1100", "de-vasp", ""))
    assert "verify_self_hosted" not in {each.kind for each in at}
    back = asked(installed, move("1100.01", "", "de-vasp"))
    assert ("DE", "verify_self_hosted", "required") in kinds(back)


def test_an_iban_tells_its_country(installed: Standard) -> None:
    transfer = Transfer(
        "t",
        AT,
        AccountId("iban:DE89370400440532013000"),
        AccountId("acct:us-bank:1"),
        Amount(Decimal(5000), AssetId.money("EUR")),
    )
    found = asked(installed, transfer)
    german = [each for each in found if each.jurisdiction == "DE"]
    assert {each.who for each in german} == {"originator_institution"}
    assert ("ground", "the account is held there") in german[0].details


def test_an_unknown_institution_without_a_country_has_no_law(installed: Standard) -> None:
    found = asked(installed, move("5000", "nobody", "de-vasp"))
    assert {each.jurisdiction for each in found} == {"DE"}


def test_a_country_without_a_file_has_only_what_the_standard_recommends(installed: Standard) -> None:
    found = [each for each in asked(installed, move("5000", "no-vasp")) if each.jurisdiction == "NO"]
    assert {each.force for each in found} == {Force.RECOMMENDED}
    assert ("ground", "the institution is established there; no law file") in found[0].details


def test_a_member_of_a_bloc_without_a_file_has_the_bloc_s_law(installed: Standard) -> None:
    found = [each for each in asked(installed, move("5000", "it-vasp")) if each.jurisdiction == "IT"]
    rule = next(each for each in found if each.kind == "travel_rule")
    assert (rule.force, rule.provision.jurisdiction) == (Force.REQUIRED, "eu")
    ground = "the institution is established there; no law file, but it is a member of eu"
    assert ("ground", ground) in rule.details


def test_a_listed_country_on_the_other_side_asks_for_more(installed: Standard) -> None:
    """FATF's lists are dated, and a country does not hold its own listing against itself."""
    listed = move("5000", "de-vasp", "", beneficiary_country="IR")
    assert ("DE", "enhanced_diligence_country", "required") in kinds(asked(installed, listed))
    stated = asked(installed, listed, facts={"country_risk": "none"})
    assert "enhanced_diligence_country" not in {each.kind for each in stated}
    home = {each.jurisdiction for each in asked(installed, listed) if "country" in each.kind}
    assert "IR" not in home
    myanmar = move("5000", "de-vasp", "", beneficiary_country="MM")
    for on, black in (
        (datetime(2022, 10, 19, tzinfo=UTC), False),
        (datetime(2022, 10, 22, tzinfo=UTC), True),
    ):
        asks = {each.kind for each in asked(installed, myanmar, on=on)}
        assert ("enhanced_diligence_country" in asks) is black


def test_suspicion(installed: Standard) -> None:
    found = asked(installed, move("5000", "sg-vasp", "us-bank"), findings=[alert()])
    by = {(each.jurisdiction, each.kind): each for each in found}
    report = by["SG", "report_suspicion"]
    assert report.force is Force.REQUIRED
    assert report.due == datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC)
    assert ("runs from", "suspicion first established") in report.details
    assert ("confidence", "med: check the source first") in report.details
    assert by["US", "report_suspicion"].force is Force.REQUIRED
    assert by["US", "report_suspicion"].due == datetime(2026, 4, 2, 3, 59, 59, tzinfo=UTC)
    assert by["SG", "do_not_tip_off"].force is Force.REQUIRED
    assert ("SG", "freeze_promptly") not in by


def test_below_the_minimum_a_report_is_only_recommended(installed: Standard) -> None:
    found = asked(installed, move("4999.99", "us-bank", "sg-vasp"), findings=[alert()])
    by = {(each.jurisdiction, each.kind): each for each in found}
    assert by["US", "report_suspicion"].force is Force.RECOMMENDED
    assert by["US", "report_suspicion"].provision.jurisdiction == "fatf"
    assert by["US", "report_suspicion"].due is None
    assert by["SG", "report_suspicion"].force is Force.REQUIRED


def test_what_is_only_to_watch_brings_nothing(installed: Standard) -> None:
    found = asked(installed, move("5000"), findings=[alert(level=Level.WATCH)])
    assert not {each.kind for each in found} & {"report_suspicion", "do_not_tip_off"}


def test_a_sanctions_hit(installed: Standard) -> None:
    found = asked(installed, move("1", "sg-vasp"), findings=[alert(FindingKind.SCREENING)])
    by = {(each.jurisdiction, each.kind): each for each in found}
    assert by["SG", "freeze_promptly"].force is Force.REQUIRED
    assert by["DE", "freeze_promptly"].force is Force.REQUIRED
    # That a list match is a suspicion is our safe reading, and said to be.
    assert "suspicion" in dict(by["SG", "report_suspicion"].details)
    assert "suspicion" not in dict(by["SG", "freeze_promptly"].details)
    both = asked(installed, move("1", "sg-vasp"), findings=[alert(FindingKind.SCREENING), alert()])
    assert not any("suspicion" in dict(each.details) for each in both)
    # In Singapore a report about sanctions has one working day, not five.
    assert by["SG", "report_suspicion"].due == datetime(2026, 3, 3, 15, 59, 59, tzinfo=UTC)


def test_a_rough_rate_stands_in_and_is_said(installed: Standard) -> None:
    transfer = move("5000", "sg-vasp", "us-vasp")
    dollars = {"USD": Decimal(1)}
    with pytest.raises(BadInput, match="no rate for SGD"):
        asked(installed, transfer, rates=dollars)
    found = asked(installed, transfer, rates=dollars, rough=rough_rates(installed, dollars))
    by = {(each.jurisdiction, each.kind): dict(each.details) for each in found}
    assert "SGD at a rough rate" in by["SG", "travel_rule"]["rate"]
    assert "rate" not in by["US", "travel_rule"]
    assert "rate" not in by["SG", "keep_records"]
    assert rough_rates(installed, {"EUR": Decimal(1)})["EUR"] == 1
    assert rough_rates(installed, {"XAU": Decimal(1)}) == {}


def test_cash_is_reported_where_the_law_speaks_of_cash(installed: Standard) -> None:
    dollars = Amount(Decimal("10000.01"), AssetId.money("USD"))
    transfer = Transfer("t", AT, AccountId("acct:us-bank:1"), AccountId("acct:us-bank:2"), dollars)
    assert "report_currency" not in {each.kind for each in asked(installed, transfer)}
    found = asked(installed, transfer, facts={"asset": "cash"})
    report = next(each for each in found if each.kind == "report_currency")
    assert report.due == datetime(2026, 3, 18, 3, 59, 59, tzinfo=UTC)
    assert "travel_rule" not in {each.kind for each in found}


def test_an_occasional_customer(installed: Standard) -> None:
    found = asked(installed, move("0.01", "sg-vasp"), facts={"customer": "occasional"})
    assert ("SG", "identify_customer", "required") in kinds(found)
    assert ("DE", "identify_customer", "required") not in kinds(found)


def test_records_say_until_when(installed: Standard) -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    found = asked(installed, move("1"), on=leap)
    assert {dict(each.details)["keep until"] for each in found if each.kind == "keep_records"} == {
        "2033-03-01"
    }
    found = asked(installed, move("1"))
    assert {dict(each.details)["keep until"] for each in found if each.kind == "keep_records"} == {
        "2031-03-02"
    }


def test_an_unknown_law_is_said_to_be_unknown(installed: Standard) -> None:
    provisions = dict(installed.provisions["sg"])
    (threshold,) = provisions["travel_rule.threshold"]
    from dataclasses import replace

    provisions["travel_rule.threshold"] = (replace(threshold, value=None),)
    blurred = replace(installed, provisions=dict(installed.provisions) | {"sg": provisions})
    duty = next(
        each
        for each in asked(blurred, move("5000", "sg-vasp"))
        if (each.jurisdiction, each.kind) == ("SG", "travel_rule")
    )
    assert duty.force is Force.RECOMMENDED
    assert ("unknown", "what the law of SG asks is not established") in duty.details


def test_a_travel_rule_that_is_not_in_force_is_not_required(installed: Standard) -> None:
    early = datetime(2023, 1, 31, 12, tzinfo=UTC)
    transfer = move("5000", "us-vasp", "two")
    assert ("AE", "travel_rule", "recommended") in kinds(asked(installed, transfer, on=early))
    later = datetime(2023, 2, 1, 12, tzinfo=UTC)
    assert ("AE", "travel_rule", "required") in kinds(asked(installed, transfer, on=later))


def test_exact_in_its_own_currency_without_any_rate(installed: Standard) -> None:
    euros = Amount(Decimal("1000.00"), AssetId.money("EUR"))
    transfer = Transfer("t", AT, AccountId("acct:de-vasp:1"), WALLET, euros)
    assert "verify_self_hosted" not in {each.kind for each in asked(installed, transfer, rates={})}


def test_a_missing_rate_or_worth_is_said(installed: Standard) -> None:
    with pytest.raises(BadInput, match="no rate for USD"):
        asked(installed, move("5000"), rates={"EUR": Decimal(1)})
    with pytest.raises(BadInput, match="no rate for bip122"):
        asked(installed, move(None))
    with pytest.raises(BadInput, match="worth of transfer t is not known"):
        asked(installed, Transfer("t", AT, AccountId("acct:us-vasp:1"), AccountId("acct:sg-vasp:1"), None))
    found = asked(installed, move(None), rates=RATES | {str(BTC): Decimal(60000)})
    assert ("US", "travel_rule", "required") in kinds(found)


def test_a_law_from_the_first_cent_needs_no_worth(installed: Standard) -> None:
    found = asked(installed, move(None, "de-vasp", "de-vasp"), rates={})
    assert ("DE", "travel_rule", "required") in kinds(found)


def test_money_is_converted_before_it_is_judged(installed: Standard) -> None:
    pounds = Amount(Decimal("2307.70"), AssetId.money("GBP"))
    transfer = Transfer("t", AT, AccountId("acct:us-bank:1"), AccountId("acct:us-bank:2"), pounds)
    assert ("US", "travel_rule", "required") in kinds(asked(installed, transfer))
    less = Transfer(
        "t",
        AT,
        transfer.originator,
        transfer.beneficiary,
        Amount(Decimal("2307.69"), AssetId.money("GBP")),
    )
    assert ("US", "travel_rule", "required") not in kinds(asked(installed, less))


def test_a_time_without_its_offset_is_refused(installed: Standard) -> None:
    with pytest.raises(BadInput, match="offset"):
        asked(installed, move("1"), on=AT.replace(tzinfo=None))

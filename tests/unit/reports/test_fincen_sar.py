"""FinCEN SAR: what is written where, counts that agree, and the faults FinCEN would find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from comity.errors import BadInput
from comity.model import (
    AccountId,
    Identifier,
    Institution,
    Officer,
    Party,
    PartyKind,
    Report,
    Role,
    Subject,
)
from comity.reports import fincen_sar
from comity.reports._fincen_codes import CLASSIFICATION
from comity.reports._xml import clean

F = "{www.fincen.gov/base}"


def tree(report: Report, **options: str) -> etree._Element:
    return etree.fromstring(fincen_sar.render(report, options))


def find(root: etree._Element, path: str) -> etree._Element:
    found = root.find("/".join(s if s in {".", ""} else F + s for s in path.split("/")))
    assert found is not None, path
    return found


def texts(root: etree._Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(F + name)]


def parties(root: etree._Element, code: str) -> list[etree._Element]:
    return [p for p in root.iter(F + "Party") if p.findtext(F + "ActivityPartyTypeCode") == code]


def test_counts_and_numbers(rich_report):
    root = tree(rich_report)
    assert root.attrib == {
        "TotalAmount": "35691",
        "PartyCount": "3",
        "ActivityCount": "1",
        "ActivityAttachmentCount": "0",
        "AttachmentCount": "0",
    }
    numbers = [int(e.get("SeqNum", "0")) for e in root.iter() if e.get("SeqNum")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_filer_and_transmitter(rich_report):
    root = tree(rich_report, tcc="P1234567", tin="12-3456789", street="1 Main St", city="McLean", state="VA")
    (transmitter,) = parties(root, "35")
    assert texts(transmitter, "PartyIdentificationNumberText") == ["123456789", "P1234567"]
    assert texts(transmitter, "RawCityText") == ["McLean"]
    assert texts(transmitter, "ZIPCodeUnknownIndicator") == ["Y"]
    (filer,) = parties(root, "30")
    assert texts(filer, "OrganizationTypeID") == ["4"]
    assert texts(filer, "PrimaryRegulatorTypeCode") == ["7"]
    assert "REF-2026-0001" in texts(filer, "PartyIdentificationNumberText")
    (contact,) = parties(root, "8")
    assert texts(contact, "PhoneNumberText") == ["6561234567"]


def test_without_its_code_a_transmitter_files_a_test(rich_report):
    assert "TBSATEST" in texts(tree(rich_report), "PartyIdentificationNumberText")


def test_other_kinds_of_filer(rich_report):
    fiu = replace(rich_report, filer=Institution("fiu", "An FIU", Role.FIU, ("EU",)))
    (filer,) = parties(tree(fiu), "30")
    assert texts(filer, "OtherOrganizationTypeText") == ["fiu"]
    bank = replace(rich_report, filer=Institution("b", "A Bank", Role.BANK, ("US",)))
    assert texts(parties(tree(bank, regulator="4"), "30")[0], "PrimaryRegulatorTypeCode") == ["4"]


def test_subjects(rich_report):
    mei, firm, ghost = parties(tree(rich_report), "33")
    assert texts(mei, "IndividualBirthDateText") == ["19800203"]
    assert texts(mei, "RawEntityIndividualLastName") == ["Chan"]
    assert texts(mei, "RawIndividualFirstName") == ["梅 Zoë"]
    assert texts(mei, "FemaleGenderIndicator") == ["Y"]
    assert texts(mei, "AccountNumberText") == ["C-1009"]
    assert texts(mei, "CustomerIndicator") == ["Y"]
    assert texts(mei, "ElectronicAddressText") == ["mei@example.org"]
    assert texts(mei, "OccupationBusinessText") == ["trader"]
    assert texts(firm, "PartyAsEntityOrganizationIndicator") == ["Y"]
    assert texts(firm, "RawEntityIndividualLastName") == ["Örebro Handels GmbH & Co. <KG>"]
    assert texts(firm, "TINUnknownIndicator") == []
    assert texts(ghost, "IndividualBirthDateText") == ["19710000"]
    assert texts(ghost, "NoRelationshipToInstitutionIndicator") == ["Y"]
    assert texts(ghost, "FirstNameUnknownIndicator") == ["Y"]
    assert texts(ghost, "IdentificationPresentUnknownIndicator") == ["Y"]


def test_nobody_known_is_one_unknown_subject(minimal_report):
    root = tree(replace(minimal_report, subjects=()))
    (subject,) = parties(root, "33")
    assert texts(subject, "AllCriticalSubjectInformationUnavailableIndicator") == ["Y"]
    assert root.get("PartyCount") == "1"
    assert fincen_sar.check(etree.tostring(root), None) == ()


def test_a_customer_is_known_by_the_transfers_too(rich_report):
    wallet = rich_report.subjects[0].accounts[1]
    ours = replace(rich_report.transfers[0], originator=wallet)
    report = replace(rich_report, transfers=(ours,), subjects=(Subject(Party("Bob"), (wallet,)),))
    assert texts(parties(tree(report), "33")[0], "CustomerIndicator") == ["Y"]


def test_activity(rich_report):
    root = tree(rich_report)
    activity = find(root, "Activity/SuspiciousActivity")
    assert texts(activity, "SuspiciousActivityFromDateText") == ["20260301"]
    assert texts(activity, "SuspiciousActivityToDateText") == ["20260303"]
    assert texts(activity, "TotalSuspiciousAmountText") == ["35691"]
    assert texts(activity, "SuspiciousActivitySubtypeID") == ["113", "9999"]
    assert texts(activity, "OtherSuspiciousActivityTypeText") == ["Virtual currency; sanctions; unheard_of"]
    assert texts(root, "ContinuingActivityReportIndicator") == ["Y"]
    assert texts(root, "EFilingPriorDocumentNumber") == ["0" * 14]
    assert len(texts(root, "EventValueText")) == 3, "wallets, not the transaction between them"
    assert texts(root, "AssetSubtypeID") == ["33", "41"]
    assert "Prior report: STR-2025-77" in texts(root, "ActivityNarrativeText")[0]


def test_a_known_prior_report_and_a_long_reference(rich_report):
    root = tree(replace(rich_report, prior_reference="31000000000001", reference="R" * 60))
    assert texts(root, "EFilingPriorDocumentNumber") == ["31000000000001"]
    assert texts(root, "FilingInstitutionNotetoFinCEN") == ["R" * 50]
    assert f"reference in full: {'R' * 60}" in texts(root, "ActivityNarrativeText")[0]


def test_without_all_amounts_the_amount_is_unknown(rich_report):
    unvalued = replace(rich_report.transfers[0], value=None)
    root = tree(replace(rich_report, transfers=(unvalued, *rich_report.transfers[1:])))
    assert texts(root, "AmountUnknownIndicator") == ["Y"]
    assert root.get("TotalAmount") == "0"
    assert "add up to USD 31190.003" in texts(root, "ActivityNarrativeText")[0]


def test_without_any_rule_it_is_money_laundering(minimal_report):
    root = tree(
        replace(
            minimal_report,
            findings=(replace(minimal_report.findings[0], rule="unlisted"),),
            indicators=("cycle",),
        )
    )
    assert texts(root, "SuspiciousActivitySubtypeID") == [CLASSIFICATION["cycle"][1]]
    root = tree(replace(minimal_report, findings=(replace(minimal_report.findings[0], rule="unlisted"),)))
    assert texts(root, "OtherSuspiciousActivityTypeText") == ["unlisted"]


def test_many_wallets_share_ninety_nine_places(rich_report):
    wallets = [AccountId(f"eip155:1:0x{n:040x}") for n in range(250)]
    transfers = tuple(
        replace(rich_report.transfers[0], id=f"t{n}", beneficiary=w) for n, w in enumerate(wallets)
    )
    values = texts(tree(replace(rich_report, transfers=transfers)), "EventValueText")
    assert len(values) <= 99
    assert {w.value for w in wallets} <= {one for value in values for one in value.split(", ")}


def test_too_many_aliases_and_accounts_are_told_in_words(rich_report):
    party = Party("Bob Roe", PartyKind.NATURAL, aliases=tuple(f"Alias {n}" for n in range(120)))
    accounts = tuple(AccountId(f"acct:vasp-sg:N{n}") for n in range(120))
    long = AccountId("acct:vasp-sg:" + "9" * 50)
    root = tree(replace(rich_report, subjects=(Subject(party, (*accounts, long)),)))
    narrative = " ".join(texts(root, "ActivityNarrativeText"))
    for told in ("Alias 119", "N119", "9" * 50):
        assert told in narrative


@pytest.mark.parametrize("birth", ["1980-02-03", "1980-02", "1980"])
def test_birth_dates_may_be_partial(minimal_report, birth):
    subject = Subject(Party("Bob Roe", PartyKind.NATURAL, birth_date=birth))
    (element,) = parties(tree(replace(minimal_report, subjects=(subject,))), "33")
    assert texts(element, "IndividualBirthDateText") == [birth.replace("-", "").ljust(8, "0")]


@pytest.mark.parametrize("birth", ["", "1880", "about 1980", "1980-13-01", "19800203"])
def test_other_birth_dates_are_unknown(minimal_report, birth):
    subject = Subject(Party("Bob Roe", PartyKind.NATURAL, birth_date=birth))
    (element,) = parties(tree(replace(minimal_report, subjects=(subject,))), "33")
    assert texts(element, "BirthDateUnknownIndicator") == ["Y"]


def test_a_telephone_that_is_none_is_told_in_words(minimal_report):
    subject = Subject(Party("Bob", identifiers=(Identifier("phone", "ask his wife"),)))
    root = tree(replace(minimal_report, subjects=(subject,)))
    assert "ask his wife" in texts(root, "ActivityNarrativeText")[0]


def test_facts_that_must_be_there(rich_report):
    for changes, named in (
        ({"currency": "EUR"}, "currency"),
        ({"officer": Officer("Ann", "Lee")}, "officer.phone"),
        ({"officer": Officer("Ann", "Lee", "none")}, "officer.phone"),
        ({"officer": Officer("", "", "5551234567")}, "officer"),
        ({"transfers": (), "findings": ()}, "dates"),
        (
            {"transfers": (replace(rich_report.transfers[0], value=Decimal(10) ** 17),)},
            "total of the transfers",
        ),
    ):
        with pytest.raises(BadInput, match=named):
            fincen_sar.render(replace(rich_report, **changes))


@given(st.text(alphabet=st.sampled_from("ab \n\t."), max_size=19000))
def test_a_narrative_split_and_joined_is_whole(words):
    pieces = list(fincen_sar.split(" ".join(words.split())))
    assert all(len(piece) <= 4000 for piece in pieces)
    if all(len(word) <= 4000 for word in words.split()):
        assert " ".join(pieces) == " ".join(words.split())


def test_a_word_over_four_thousand_characters_is_split_too():
    pieces = list(fincen_sar.split("x" * 9000))
    assert [len(piece) for piece in pieces] == [4000, 4000, 1000]


def put(path: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        find(root, path).text = value

    return change


def drop(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = find(root, path)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def attribute(name: str, value: str) -> Callable[[etree._Element], None]:
    return lambda root: root.set(name, value)


def drop_party(code: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for party in parties(root, code):
            parent = party.getparent()
            assert parent is not None
            parent.remove(party)

    return change


def same_number(root: etree._Element) -> None:
    find(root, "Activity/Party").set("SeqNum", "1")


def two_legal_names(root: etree._Element) -> None:
    for name in parties(root, "33")[0].iter(F + "PartyNameTypeCode"):
        name.text = "L"


def unnamed(root: etree._Element) -> None:
    for name in parties(root, "33")[0].iter(F + "RawEntityIndividualLastName"):
        name.text = None


def nameless_filer(root: etree._Element) -> None:
    filer = parties(root, "30")[0]
    filer.remove(find(filer, "PartyName"))


def no_phone(root: etree._Element) -> None:
    contact = parties(root, "8")[0]
    contact.remove(find(contact, "PhoneNumber"))


SUSPICIOUS = "Activity/SuspiciousActivity"
NARRATIVE = "Activity/ActivityNarrativeInformation"
FAULTS = {
    "activity count": (attribute("ActivityCount", "2"), "ActivityCount"),
    "party count": (attribute("PartyCount", "9"), "PartyCount"),
    "total": (attribute("TotalAmount", "1"), "TotalAmount"),
    "attachments": (attribute("AttachmentCount", "1"), "AttachmentCount"),
    "form": (put("FormTypeCode", "CTRX"), "FormTypeCode"),
    "no activity": (drop("Activity"), "no Activity"),
    "same number": (same_number, "SeqNum"),
    "no transmitter": (drop_party("35"), "transmitter"),
    "no subject": (drop_party("33"), "subject"),
    "no location": (drop_party("34"), "where the activity occurred"),
    "no name": (nameless_filer, "no name"),
    "no phone": (no_phone, "no telephone"),
    "two legal names": (two_legal_names, "several legal names"),
    "unnamed": (unnamed, "not marked unknown"),
    "nothing suspicious": (drop(SUSPICIOUS), "no SuspiciousActivity"),
    "no first day": (drop(f"{SUSPICIOUS}/SuspiciousActivityFromDateText"), "first day"),
    "wrong way round": (put(f"{SUSPICIOUS}/SuspiciousActivityToDateText", "20250101"), "before it begins"),
    "after filing": (put("Activity/FilingDateText", "20260101"), "after the filing"),
    "no filing date": (put("Activity/FilingDateText", "soon"), "FilingDateText"),
    "cents": (put(f"{SUSPICIOUS}/TotalSuspiciousAmountText", "1.50"), "whole amount"),
    "zero": (put(f"{SUSPICIOUS}/TotalSuspiciousAmountText", "0"), "whole amount"),
    "no amount": (drop(f"{SUSPICIOUS}/TotalSuspiciousAmountText"), "neither an amount"),
    "no class": (drop(f"{SUSPICIOUS}/SuspiciousActivityClassification"), "words for 'other'"),
    "no narrative": (put(f"{NARRATIVE}/ActivityNarrativeText", " "), "narrative is missing"),
    "long piece": (put(f"{NARRATIVE}/ActivityNarrativeText", "x" * 4001), "over 4,000"),
    "out of order": (put(f"{NARRATIVE}/ActivityNarrativeSequenceNumber", "2"), "out of order"),
}


def no_words(root: etree._Element) -> None:
    for entry in root.iter(F + "OtherSuspiciousActivityTypeText"):
        entry.text = ""


def unclassified(root: etree._Element) -> None:
    for entry in list(root.iter(F + "SuspiciousActivityClassification")):
        find(root, SUSPICIOUS).remove(entry)


FAULTS["no class"] = (unclassified, "no classification")
FAULTS["no words"] = (no_words, "words for 'other'")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(rich_report, fault):
    change, what = FAULTS[fault]
    root = tree(rich_report)
    assert fincen_sar.check(etree.tostring(root), None) == ()
    change(root)
    found = fincen_sar.check(etree.tostring(root), None)
    assert any(what in problem.what for problem in found), found
    assert all(problem.line > 0 and problem.remedy for problem in found)


def test_clean_names_the_field_and_the_character():
    with pytest.raises(BadInput, match=r"a name: holds the character U\+0007"):
        clean("be\x07l", "a name")

"""goAML: what is written where, code lists, and the faults an FIU would find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from lxml import etree

from comity.errors import BadInput
from comity.model import Officer, Party, PartyKind, Report, Subject
from comity.reports import goaml
from comity.reports._goaml_codes import CODES, INDICATORS, MEANING


def tree(report: Report, **options: str) -> etree._Element:
    return etree.fromstring(goaml.render(report, options))


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.iterfind(path)]


@pytest.mark.data
@pytest.mark.parametrize("which", ["rich_report", "minimal_report"])
@pytest.mark.parametrize(
    ("overlay", "schema"),
    [("base", "goAMLSchema_5.0.1.xsd"), ("ae", "goAMLSchema_5.0.2_xerces_patched.xsd")],
)
def test_valid_under_its_own_schema(request, data, which, overlay, schema):
    report = request.getfixturevalue(which)
    rendered = goaml.render(report, {"overlay": overlay, "rentity_id": "42"})
    assert goaml.check(rendered, data / "schemas" / "goaml" / schema) == ()


@pytest.mark.data
def test_the_pristine_schema_takes_the_anchors_of_its_patterns_literally(data, rich_report):
    """The trap: if this schema ever accepts a name, the patched copy is no longer needed."""
    rendered = goaml.render(rich_report, {"overlay": "ae"})
    found = goaml.check(rendered, data / "schemas" / "goaml" / "goAMLSchema_5.0.2.xsd")
    assert any("first_name" in problem.where and "pattern" in problem.what for problem in found)


def test_header(rich_report):
    root = tree(rich_report, rentity_id="42", filer_address="9 Battery Road, Singapore")
    header = {name: root.findtext(name) for name in ("rentity_id", "report_code", "fiu_ref_number")}
    assert header == {"rentity_id": "42", "report_code": "STR", "fiu_ref_number": "STR-2025-77"}
    assert root.findtext("submission_date") == "2026-03-06T12:00:00"
    assert root.findtext("location/city") == "Singapore"
    assert root.findtext("rentity_branch") == "-"
    assert root.findtext("reporting_person/phones/phone/tph_country_prefix") == "+65"


def test_without_the_number_at_the_fiu_it_says_draft(rich_report):
    assert "DRAFT" in (tree(rich_report).findtext("rentity_branch") or "")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "٣", str(2**31)])
def test_a_wrong_number_at_the_fiu_is_refused(rich_report, number):
    with pytest.raises(BadInput, match="rentity_id"):
        goaml.render(rich_report, {"rentity_id": number})


def test_sides_accounts_and_amounts(rich_report):
    root = tree(rich_report)
    first, second, third, fourth, fifth = root.findall("transaction")
    assert first.findtext("amount_local") == "4500.12"
    assert first.findtext("t_from_my_client/from_funds_comment") == "1.5 of eip155:1/slip44:60"
    assert first.findtext("t_from_my_client/from_account/swift") == "MERISGSGXXX"
    assert first.findtext("t_from_my_client/from_account/opened") == "2024-01-02T00:00:00"
    assert first.findtext("t_from_my_client/from_is_suspected") == "true"
    assert first.findtext("t_to/to_account/institution_code") == "SELF-HOSTED"
    assert first.find("t_to/to_is_suspected") is None
    assert second.findtext("t_from/from_account/iban") == "DE89370400440532013000"
    assert second.findtext("t_from/from_foreign_currency/foreign_exchange_rate") == "1.10000000"
    assert second.findtext("t_from/from_account/t_entity/name") == "Örebro Handels GmbH & Co. <KG>"
    assert second.findtext("transaction_description") == "Invoice 4 <&> more"
    assert second.findtext("comments") == "Through: bank-nl"
    assert third.findtext("transactionnumber") == "3"
    assert "t3t3t3" in (third.findtext("comments") or "")
    assert third.findtext("amount_local") == "0.003"
    assert third.findtext("t_from/from_account/account_name") == "梅 Zoë Chan", "the wallet is a subject's"
    assert fourth.findtext("t_from/from_account/institution_code") == "TRANSACTION"
    assert fifth.findtext("amount_local") == "90.00", "an amount in the local currency is its own worth"


def test_who_takes_part_in_no_transfer_is_named_in_the_activity(rich_report):
    root = tree(rich_report)
    assert texts(root, "activity/report_parties/report_party/person/last_name") == ["Ivan"]
    reason = root.findtext("activity/report_parties/report_party/reason")
    assert reason == "The name is that of a listed person."
    assert "Birth date as known: 1971" in (root.findtext(".//report_party/person/comments") or "")


def test_a_client_not_known_well_enough_is_said_to_be_one(rich_report):
    bare = Party("Jo Doe", PartyKind.NATURAL)
    transfer = replace(rich_report.transfers[0], originator_party=bare)
    root = tree(replace(rich_report, transfers=(transfer,)))
    assert root.find("transaction/t_from_my_client") is None
    said = root.findtext("transaction/comments") or ""
    for fact in ("phone", "occupation", "gender", "account_opened", "birth date", "country", "national_id"):
        assert fact in said


def test_emirates(rich_report):
    root = tree(replace(rich_report, jurisdiction="AE"))
    assert texts(root, "report_indicators/indicator") == ["ITLSL", "IUVC6", "TSUCO"]
    assert "unheard_of" in (root.findtext("reason") or "")
    assert root.findtext("transaction/transmode_code") == "DAWLT"
    client = root.find("transaction/t_from_my_client/from_account")
    assert client is not None
    assert client.findtext("account_name") == "Mei Zoe Chan"
    assert "梅 Zoë Chan" in (client.findtext("comments") or "")
    assert client.findtext("signatory/t_person/identification/expiry_date") == "2030-01-01T00:00:00"


def test_options_override_the_code_lists(rich_report):
    root = tree(rich_report, funds_crypto="K", report_code="SAR", indicator="VA1")
    assert root.findtext("transaction/t_from_my_client/from_funds_code") == "-"
    assert root.findtext("transaction/t_to/to_funds_code") == "K"
    assert root.findtext("report_code") == "SAR"
    assert texts(root, "report_indicators/indicator") == ["VA1"]


def test_every_table_has_every_code_and_every_code_its_meaning():
    assert all(set(table) == set(MEANING) for table in CODES.values())
    assert set(INDICATORS) == set(CODES)
    assert set(MEANING) < set(goaml.SPEC.options)


def test_what_does_not_fit_is_told_in_full(rich_report):
    long = "Ab " * 90 + "End"
    party = Party(long, PartyKind.LEGAL, aliases=(long,), addresses=(long,), countries=("DE",))
    root = tree(replace(rich_report, transfers=(), subjects=(Subject(party),)))
    entity = root.find(".//report_party/entity")
    assert entity is not None
    assert len(entity.findtext("name") or "") <= 255
    comments = entity.findtext("comments") or ""
    assert comments.count(long) == 3
    assert "address in full" in comments


def test_facts_that_must_be_there(rich_report):
    unvalued = replace(rich_report.transfers[0], value=None)
    for changes, named in (
        ({"transfers": (unvalued,)}, "amount of transfer t1"),
        ({"transfers": (replace(unvalued, value=Decimal(0)),)}, "amount of transfer t1"),
        ({"transfers": (), "subjects": ()}, "neither transfers nor subjects"),
        ({"officer": Officer("", "Lee")}, "officer.first_name"),
        ({"officer": Officer("Ann", "Lee", email="a b")}, "officer.email"),
        ({"reference": "x" * 256}, "reference"),
    ):
        with pytest.raises(BadInput, match=named):
            goaml.render(replace(rich_report, **changes))


def test_subjects_without_a_reason_of_their_own(minimal_report):
    root = tree(replace(minimal_report, findings=(), indicators=()))
    assert "Subject of this report" in (root.findtext(".//report_party/reason") or "")
    assert texts(root, ".//indicator") == ["-"]


def put(path: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path)
        assert element is not None, path
        element.text = value

    return change


def drop(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        element = root.find(path)
        assert element is not None, path
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def second_from(root: etree._Element) -> None:
    side = root.find("transaction/t_from_my_client")
    assert side is not None
    side.addnext(etree.fromstring(etree.tostring(side)))


def drop_all(*paths: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for path in paths:
            for element in root.findall(path):
                parent = element.getparent()
                assert parent is not None
                parent.remove(element)

    return change


FAULTS = {
    "no reference": (drop("entity_reference"), "/report", "entity_reference"),
    "no entity": (put("rentity_id", "0"), "/report", "rentity_id"),
    "wrong submission": (put("submission_code", "X"), "/report", "submission_code"),
    "no report date": (put("submission_date", "yesterday"), "/report", "submission_date"),
    "no officer": (drop("reporting_person"), "/report", "reporting_person"),
    "no officer's name": (put("reporting_person/last_name", " "), "/report", "last_name"),
    "no narrative": (put("reason", "  \n"), "/report", "narrative"),
    "no currency": (drop("currency_code_local"), "/report", "currency_code_local"),
    "no indicator": (drop("report_indicators/indicator"), "/report", "indicator"),
    "nothing to report": (drop_all("transaction", "activity"), "/report", "neither"),
    "no number": (put("transaction/transactionnumber", ""), "transaction[1]", "transactionnumber"),
    "a number twice": (put("transaction/transactionnumber", "t2"), "transaction[2]", "twice"),
    "in the future": (put("transaction/date_transaction", "2031-01-01T00:00:00"), "transaction[1]", "after"),
    "no date": (put("transaction/date_transaction", "1/2/26"), "transaction[1]", "date_transaction"),
    "negative": (put("transaction/amount_local", "-5"), "transaction[1]", "amount_local"),
    "not a number": (put("transaction/amount_local", "1e5"), "transaction[1]", "amount_local"),
    "one side only": (drop("transaction/t_to"), "transaction[1]", "0 to sides"),
    "two from sides": (second_from, "transaction[1]", "2 from sides"),
    "no country": (drop("transaction/t_to/to_country"), "t_to", "to_country"),
    "no funds": (put("transaction/t_to/to_funds_code", ""), "t_to", "to_funds_code"),
    "nobody": (drop("transaction/t_to/to_account"), "t_to", "nobody"),
    "no account number": (put("transaction/t_to/to_account/account", ""), "to_account", "number"),
    "opened later": (put(".//opened", "2027-01-01T00:00:00"), "from_account", "opened"),
    "rate": (put(".//foreign_exchange_rate", "2"), "from_foreign_currency", "amount_local"),
    "rate below zero": (put(".//foreign_exchange_rate", "-1"), "from_foreign_currency", "rate"),
    "foreign amount": (put(".//foreign_amount", "0"), "from_foreign_currency", "foreign_amount"),
    "not foreign": (put(".//foreign_currency_code", "USD"), "from_foreign_currency", "local currency"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_where_it_is(rich_report, fault):
    change, where, what = FAULTS[fault]
    root = tree(rich_report)
    change(root)
    found = goaml.check(etree.tostring(root), None)
    assert any(where in problem.where and what in problem.what for problem in found), found
    assert all(problem.line > 0 and problem.remedy for problem in found)


def test_involved_parties_need_no_sides(rich_report):
    root = tree(rich_report)
    transaction = root.find("transaction")
    assert transaction is not None
    for name in ("t_from_my_client", "t_to"):
        drop(name)(transaction)
    etree.SubElement(transaction, "involved_parties")
    assert goaml.check(etree.tostring(root), None) == ()


@pytest.mark.data
def test_the_nearest_schema_speaks(data, rich_report):
    """Against a directory the schema with the fewest complaints is quoted, not all of them."""
    root = tree(rich_report)
    put("transaction/transmode_code", "NOPE")(root)
    found = goaml.check(etree.tostring(root), data / "schemas")
    assert len(found) == 1
    assert found[0].where == "/report/transaction[1]/transmode_code"
    assert "NOPE" in found[0].what
    assert "5.0.1" in found[0].remedy

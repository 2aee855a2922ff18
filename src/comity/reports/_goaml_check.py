"""What an FIU's portal sends a goAML report back for, beyond and without the schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path

from lxml import etree

from comity.intake import xml_document
from comity.reports import Problem
from comity.reports._xml import (
    MAX_SHOWN,
    against,
    at,
    child,
    children,
    moment,
    number,
    problem,
    schemas,
    value_of,
    whole,
)

TIME = "%Y-%m-%dT%H:%M:%S"
_TOLERANCE = Decimal("0.01")


def problems(data: bytes, schema: Path | None, pattern: str) -> tuple[Problem, ...]:
    """Own rules first, then the schema's. Raises BadInput when the data is not XML."""
    root = xml_document(data)
    if etree.QName(root).localname != "report":
        return (problem(root, "the root is not <report>", "this is not a goAML report"),)
    found = [*islice(chain(_header(root), _body(root)), MAX_SHOWN)]
    if schema is not None:
        found += against(root, schemas(schema, pattern))
    return tuple(found)


def _header(root: etree._Element) -> Iterator[Problem]:
    mandatory = ("submission_code", "report_code", "entity_reference", "currency_code_local")
    for name in mandatory:
        if not value_of(root, name):
            yield problem(at(root, name), f"{name} is missing", f"fill in {name}")
    if not whole(value_of(root, "rentity_id")):
        yield problem(root, "rentity_id is not a number from 1", "set it to the number the FIU gave you")
    if value_of(root, "submission_code") not in {"E", "M", ""}:
        yield problem(root, "submission_code is neither E nor M", "write E for an electronic report")
    if _reported(root) is None:
        yield problem(root, "submission_date or report_date is missing or not a time", "write the date")
    person = child(root, "reporting_person")
    if person is None and not value_of(root, "reporting_user_code"):
        yield problem(root, "reporting_person is missing", "name the officer who answers for the report")
    for name in ("first_name", "last_name") if person is not None else ():
        if not value_of(person, name):
            yield problem(root, f"reporting_person has no {name}", "name the officer")
    if not value_of(root, "reason"):
        yield problem(root, "reason (the narrative) is missing", "write why this is suspicious")
    box = child(root, "report_indicators")
    if box is None or not any((e.text or "").strip() for e in children(box, "indicator")):
        yield problem(root, "no indicator", "name at least one of the FIU's indicators")


def _reported(root: etree._Element) -> datetime | None:
    given = value_of(root, "submission_date") or value_of(root, "report_date")
    return moment(given, TIME)


def _body(root: etree._Element) -> Iterator[Problem]:
    transactions = children(root, "transaction")
    if not transactions and child(root, "activity") is None:
        yield problem(root, "neither a transaction nor an activity", "report at least one")
    seen: set[str] = set()
    reported = _reported(root)
    for transaction in transactions:
        name = value_of(transaction, "transactionnumber")
        if not name:
            yield problem(transaction, "transactionnumber is missing", "number the transaction")
        elif name in seen:
            yield problem(transaction, f"transactionnumber {name} twice", "number each transaction once")
        seen.add(name)
        yield from _transaction(root, transaction, reported)


def _transaction(
    root: etree._Element, transaction: etree._Element, reported: datetime | None
) -> Iterator[Problem]:
    when = moment(value_of(transaction, "date_transaction"), TIME)
    if when is None:
        yield problem(transaction, "date_transaction is missing or not a time", "write YYYY-MM-DDThh:mm:ss")
    elif reported is not None and when > reported:
        yield problem(transaction, "date_transaction lies after the report", "correct the date of either")
    amount = number(value_of(transaction, "amount_local"))
    if amount is None or amount <= 0:
        yield problem(transaction, "amount_local is not a positive amount", "write what it was worth")
    if child(transaction, "involved_parties") is not None:
        return
    for end in ("from", "to"):
        sides = [*children(transaction, f"t_{end}"), *children(transaction, f"t_{end}_my_client")]
        if len(sides) != 1:
            yield problem(transaction, f"{len(sides)} {end} sides", f"name exactly one {end} side")
        for side in sides:
            yield from _side(root, side, end, when, amount)


def _side(
    root: etree._Element, side: etree._Element, end: str, when: datetime | None, amount: Decimal | None
) -> Iterator[Problem]:
    if not value_of(side, f"{end}_country"):
        yield problem(side, f"{end}_country is missing", "write the country, or - where it is not known")
    if not value_of(side, f"{end}_funds_code"):
        yield problem(side, f"{end}_funds_code is missing", "write the kind of funds")
    account = child(side, f"{end}_account")
    named = [*children(side, f"{end}_person"), *children(side, f"{end}_entity")]
    if account is None and not named:
        yield problem(side, f"nobody on the {end} side", "name an account, a person or an entity")
    if account is not None:
        if not value_of(account, "account"):
            yield problem(account, "the account has no number", "write its number or address")
        opened = moment(value_of(account, "opened"), TIME)
        if opened is not None and when is not None and opened > when:
            yield problem(account, "opened lies after the transaction", "correct the date of either")
    foreign = child(side, f"{end}_foreign_currency")
    if foreign is not None:
        yield from _foreign(root, foreign, amount)


def _foreign(root: etree._Element, foreign: etree._Element, amount: Decimal | None) -> Iterator[Problem]:
    code = value_of(foreign, "foreign_currency_code")
    if code == value_of(root, "currency_code_local"):
        yield problem(foreign, f"{code} is the local currency", "leave out the foreign currency")
    quantity = number(value_of(foreign, "foreign_amount"))
    rate = number(value_of(foreign, "foreign_exchange_rate"))
    if quantity is None or quantity <= 0:
        yield problem(foreign, "foreign_amount is not a positive amount", "write the foreign amount")
    elif rate is not None and rate <= 0:
        yield problem(foreign, "foreign_exchange_rate is not positive", "write the rate")
    elif rate is not None and amount and abs(quantity * rate - amount) > _TOLERANCE * amount + _TOLERANCE:
        yield problem(foreign, "foreign_amount × rate is not amount_local", "correct one of the three")

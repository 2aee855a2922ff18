"""Text to typed answers: threshold, deadline, bool, count, text, list, power or gateway.

``unknown`` is None: nobody has established it. ``none`` is False: the law is known to have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

from comity.errors import SettingsError
from comity.model import Answer, Deadline, Gateway, OnwardUse, Operator, Power, Threshold
from comity.standard.deadlines import zone
from comity.standard.law import Question, Vocabulary
from comity.standard.text import Node

QUANTIFIED = ("hour", "calendar_day", "working_day", "month", "year", "day_of_next_month")
UNQUANTIFIED = ("promptly", "without_delay", "immediately", "as_soon_as_practicable", "as_soon_as_reasonable")
UNKNOWN = "unknown"
NONE = "none"

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,8})?")
_CURRENCY = re.compile(r"[A-Z]{3}(/[A-Z]{3})?")
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def day(node: Node) -> date:
    """A date; a year or a month alone is read as its first day. Raises LawFileError."""
    match = _DAY.fullmatch(node.text())
    try:
        year, month, on = match.groups("1") if match else ("", "", "")
        return date(int(year), int(month), int(on))
    except ValueError:
        node.refuse(f"not a date: {node.text()[:40]!r}", "write YYYY-MM-DD, YYYY-MM or YYYY")


def amount(node: Node) -> Decimal:
    """A non-negative decimal without sign or separators. Raises LawFileError."""
    if not _AMOUNT.fullmatch(node.text()):
        node.refuse(f"not an amount: {node.text()[:40]!r}", "write digits with at most one point")
    return Decimal(node.text())


def currency(node: Node) -> str:
    """An ISO 4217 code, or two of which either will do (USD/EUR). Raises LawFileError."""
    if not _CURRENCY.fullmatch(node.text()):
        node.refuse(f"not a currency: {node.text()[:40]!r}", "write an ISO 4217 code such as EUR")
    return node.text()


def country(node: Node) -> str:
    """An ISO 3166-1 alpha-2 code in upper case. Raises LawFileError."""
    if not re.fullmatch(r"[A-Z]{2}", node.text()):
        node.refuse(f"not a country: {node.text()[:40]!r}", "write two capital letters, such as FR")
    return node.text()


def timezone(node: Node) -> str:
    """An IANA time zone this machine knows. Raises LawFileError."""
    try:
        zone(node.text())
    except SettingsError:
        node.refuse(f"not a time zone: {node.text()[:40]!r}", "write an IANA name, such as Europe/Oslo")
    return node.text()


def choice(node: Node, choices: tuple[str, ...]) -> str:
    """One of ``choices``. Raises LawFileError naming them."""
    if node.text() not in choices:
        node.refuse(f"unknown word {node.text()[:40]!r}", f"write one of: {', '.join(choices)}")
    return node.text()


def texts(node: Node) -> tuple[str, ...]:
    """A list of texts. Raises LawFileError."""
    return tuple(item.text() for item in node.items())


def count(node: Node) -> int:
    """A non-negative whole number. Raises LawFileError."""
    if not re.fullmatch(r"[0-9]{1,6}", node.text()):
        node.refuse(f"not a number: {node.text()[:40]!r}", "write a whole number")
    return int(node.text())


def flag(node: Node) -> bool:
    """``true`` or ``false``. Raises LawFileError."""
    return choice(node, ("true", "false")) == "true"


def threshold(node: Node) -> Threshold:
    """``{at_least: 1000, currency: EUR}`` or ``{over: …}``. Raises LawFileError."""
    fields = node.mapping(frozenset({"at_least", "over", "currency"}))
    given = [name for name in ("at_least", "over") if name in fields]
    if len(given) != 1:
        node.refuse("needs either `at_least` or `over`", "say which: the two differ at the boundary")
    return Threshold(Operator(given[0]), amount(fields[given[0]]), currency(node.need("currency")))


def deadline(node: Node) -> Deadline:
    """``{amount: 3, unit: working_day, event: …}`` or ``{unit: promptly, event: …}``. Raises LawFileError."""
    fields = node.mapping(frozenset({"amount", "unit", "event"}))
    unit = choice(node.need("unit"), QUANTIFIED + UNQUANTIFIED)
    event = fields["event"].text() if "event" in fields else ""
    if (unit in QUANTIFIED) != ("amount" in fields):
        node.refuse(f"the amount does not fit the unit {unit}", "give an amount for counted units only")
    size = count(fields["amount"]) if "amount" in fields else 0
    if unit in QUANTIFIED and not size:
        node.refuse("an amount of 0", "write `immediately`, or the number the law gives")
    return Deadline(size, unit, event)


def power(node: Node) -> Power:
    """``{power: …, by: …, duration: {amount, unit} | unknown, extendable: …}``. Raises LawFileError."""
    fields = node.mapping(frozenset({"power", "by", "duration", "extendable"}))
    limit = fields.get("duration")
    return Power(
        node.need("power").text(),
        node.need("by").text(),
        None if limit is None or limit.value == UNKNOWN else deadline(limit),
        fields["extendable"].text() if "extendable" in fields else "",
    )


def gateway(node: Node, vocabulary: Vocabulary) -> Gateway:
    """``{purposes: […], contents: […], onward: …, limits: …, requires: …}``. Raises LawFileError."""
    fields = node.mapping(frozenset({"purposes", "contents", "onward", "limits", "requires"}))
    return Gateway(
        tuple(choice(item, vocabulary.purposes) for item in node.need("purposes").items()),
        tuple(choice(item, vocabulary.contents) for item in node.need("contents").items()),
        OnwardUse(choice(node.need("onward"), tuple(OnwardUse))),
        fields["limits"].text() if "limits" in fields else "",
        fields["requires"].text() if "requires" in fields else "",
    )


_READERS: Mapping[str, Callable[[Node], Answer]] = {
    "threshold": threshold,
    "deadline": deadline,
    "bool": flag,
    "count": count,
    "text": Node.text,
    "list": texts,
    "power": power,
}
TYPES = (*_READERS, "gateway")
MAY_BE_NONE = ("threshold", "deadline", "power", "gateway")


def answer(node: Node, question: Question, vocabulary: Vocabulary) -> Answer:
    """The answer of this question: of its type, out of its list of words. Raises LawFileError."""
    kind = question.type
    if node.value == UNKNOWN:
        return None
    if node.value == NONE and kind in MAY_BE_NONE:
        return False
    if kind == "gateway":
        return gateway(node, vocabulary)
    if question.of:
        choices = vocabulary.words[question.of]
        return (
            tuple(choice(item, choices) for item in node.items()) if kind == "list" else choice(node, choices)
        )
    return _READERS[kind](node)

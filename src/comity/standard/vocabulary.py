"""Reads vocabulary.yaml: the questions, the facts, and what comparing laws needs."""

from __future__ import annotations

from functools import cache
from importlib.resources import files as resources
from importlib.resources.abc import Traversable

from comity.standard import answers
from comity.standard.law import DutyRule, Question, Vocabulary
from comity.standard.text import Node, parse

STRICTER = ("lower", "higher", "true", "false", "shorter", "longer", "more")
ENDS = ("originator", "beneficiary", "intermediary")

_FILE = frozenset({"facts", "purposes", "contents", "words", "met_by", "needed", "comparison", "questions"})
_QUESTION = frozenset({"ask", "type", "stricter", "duty", "of", "route", "adopt", "instead"})
_DUTY = frozenset({"kind", "what", "on", "given", "gate", "floor", "deadline", "standing"})


@cache
def installed() -> Vocabulary:
    """The vocabulary that ships, read once."""
    return read(resources("comity.standard") / "vocabulary.yaml")


def read(file: Traversable) -> Vocabulary:
    """The vocabulary. Raises LawFileError naming file, line, field and remedy."""
    root = parse(file.read_bytes(), file.name)
    root.mapping(_FILE)
    root.need("facts")
    facts = _lists(root, "facts")
    words = _lists(root, "words")
    questions = {
        name: _question(name, node, facts, tuple(words))
        for name, node in root.need("questions").mapping().items()
    }
    comparison, needed = root.need("comparison"), root.mapping().get("needed")
    comparison.mapping(frozenset({"tolerance", "rates", "note"}))
    rates = {code: answers.amount(node) for code, node in comparison.need("rates").mapping().items()}
    for name, node in root.need("questions").mapping().items():
        _check_links(questions[name].duty, node, questions)
    return Vocabulary(
        questions,
        facts,
        answers.texts(root.need("purposes")),
        answers.texts(root.need("contents")),
        rates,
        answers.amount(comparison.need("tolerance")),
        words,
        _lists(root, "met_by"),
        tuple(answers.choice(node, tuple(questions)) for node in needed.items()) if needed else (),
    )


def _lists(root: Node, name: str) -> dict[str, tuple[str, ...]]:
    found = root.mapping().get(name)
    return {word: answers.texts(node) for word, node in found.mapping().items()} if found else {}


def conditions(node: Node, facts: dict[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """Facts and the values they must have, sorted. Raises LawFileError for a fact nobody states."""
    found = node.mapping(frozenset(facts))
    return tuple(sorted((name, answers.choice(value, facts[name])) for name, value in found.items()))


def _question(name: str, node: Node, facts: dict[str, tuple[str, ...]], words: tuple[str, ...]) -> Question:
    fields = node.mapping(_QUESTION)
    route = fields["route"].items() if "route" in fields else []
    return Question(
        name,
        node.need("ask").text(),
        answers.choice(node.need("type"), answers.TYPES),
        answers.choice(fields["stricter"], STRICTER) if "stricter" in fields else "",
        _duty(fields["duty"], facts) if "duty" in fields else None,
        answers.choice(fields["of"], words) if "of" in fields else "",
        tuple(answers.choice(end, ENDS) for end in route),
        fields["adopt"].text() if "adopt" in fields else "",
        answers.texts(fields["instead"]) if "instead" in fields else (),
    )


def _duty(node: Node, facts: dict[str, tuple[str, ...]]) -> DutyRule:
    fields = node.mapping(_DUTY)

    def link(name: str) -> str:
        return fields[name].text() if name in fields else ""

    return DutyRule(
        node.need("kind").text(),
        node.need("what").text(),
        tuple(answers.choice(end, ENDS) for end in node.need("on").items()),
        _given(fields["given"], facts) if "given" in fields else (),
        link("gate"),
        link("floor"),
        link("deadline"),
        "standing" in fields and answers.flag(fields["standing"]),
    )


def _given(node: Node, facts: dict[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = node.mapping(frozenset(facts))
    return tuple(
        (name, tuple(answers.choice(item, facts[name]) for item in value.items()))
        for name, value in found.items()
    )


def _check_links(duty: DutyRule | None, node: Node, questions: dict[str, Question]) -> None:
    if duty is None:
        return
    for field, name, kind in (
        ("gate", duty.gate, "bool"),
        ("floor", duty.floor, "threshold"),
        ("deadline", duty.deadline, "deadline"),
    ):
        if name and (name not in questions or questions[name].type != kind):
            node.refuse(f"`{field}: {name}` is no question of type {kind}", "name one that is")

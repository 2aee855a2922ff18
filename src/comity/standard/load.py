"""Law files to a `Standard`. A file that could mislead is refused: file, line, field and remedy are named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path

from comity import jurisdictions
from comity.model import Answer, Basis, Confidence, Provision
from comity.standard import answers, checks, vocabulary
from comity.standard.law import BLOC, STANDARD, STATE, Jurisdiction, Standard, Vocabulary, WorkedCase
from comity.standard.resolve import precedence
from comity.standard.text import Node, parse

_FILE = frozenset({"jurisdiction", "name", "kind", "extends", "timezone", "members", "provisions", "cases"})
_PROVISION = frozenset(
    {"from", "until", "when", "value", "source", "basis", "confidence", "reviewed", "departs", "note"}
)
_CASE = frozenset({"name", "on", "transfer", "facts", "required", "recommended", "due"})
_TRANSFER = frozenset({"value", "counterparty", "direction", "asset"})


def load(files: Mapping[str, Traversable] | None = None) -> Standard:
    """Read the vocabulary and every law file (those installed, if none are given).

    Raises LawFileError. Costs some tenths of a second: a caller keeps what it returns.
    """
    words = vocabulary.installed()
    found: dict[str, Jurisdiction] = {}
    law: dict[str, dict[str, tuple[Provision, ...]]] = {}
    roots: dict[str, Node] = {}
    where: dict[Provision, Node] = {}
    for name, file in sorted((jurisdictions.files() if files is None else files).items()):
        root = parse(file.read_bytes(), file.name)
        each = _jurisdiction(root, name, words)
        found[name], roots[name] = each, root
        law[name] = _provisions(root, name, words, where)
    standard = Standard(words, found, law)
    checks.extends(standard, roots)
    checks.ties(standard, where)
    checks.weaker(standard, where)
    return standard


def load_with(file: Path) -> Standard:
    """The law in ``file``, named by its jurisdiction, with only what it extends. Raises LawFileError."""
    installed: dict[str, Traversable] = dict(jurisdictions.files())
    found: dict[str, Traversable] = {file.stem: file}
    name = file.stem
    while name in found:
        root = parse(found[name].read_bytes(), found[name].name)
        parent = root.mapping(_FILE).get("extends")
        name = parent.text() if parent else ""
        if name in found or name not in installed:
            break
        found[name] = installed[name]
    return load(found)


def read_answer(standard: Standard, question: str, text: str) -> Answer:
    """An answer as a law file writes it, such as ``{at_least: 1000, currency: EUR}``.

    Raises NotFound for a question there is none of, LawFileError for an answer that is not of its type.
    """
    asked = standard.vocabulary.question(question)
    node = parse(f"value: {text}".encode(), "the answer").need("value")
    return answers.answer(node, asked, standard.vocabulary)


def _jurisdiction(root: Node, name: str, words: Vocabulary) -> Jurisdiction:
    fields = root.mapping(_FILE)
    if name != name.lower():
        root.need("jurisdiction").refuse(
            "its file's name is not in lower case", f"call it {name.lower()}.yaml"
        )
    if root.need("jurisdiction").text() != name:
        root.need("jurisdiction").refuse("differs from the name of the file", f"write `jurisdiction: {name}`")
    kind = answers.choice(fields["kind"], (STANDARD, BLOC, STATE)) if "kind" in fields else STATE
    cases = fields["cases"].items() if "cases" in fields else []
    return Jurisdiction(
        name,
        fields["name"].text() if "name" in fields else name.upper(),
        kind,
        fields["extends"].text() if "extends" in fields else "",
        answers.timezone(fields["timezone"]) if "timezone" in fields else "UTC",
        root.file,
        tuple(_case(node, words) for node in cases),
        tuple(answers.country(node) for node in fields["members"].items()) if "members" in fields else (),
    )


def _provisions(
    root: Node, name: str, words: Vocabulary, where: dict[Provision, Node]
) -> dict[str, tuple[Provision, ...]]:
    law: dict[str, tuple[Provision, ...]] = {}
    for question, node in root.need("provisions").mapping().items():
        if question not in words.questions:
            node.refuse("is no question of the vocabulary", "correct its name, or add it to vocabulary.yaml")
        provisions = []
        for item in node.items():
            provision = _provision(item, name, question, words)
            if provision in where:
                item.refuse(f"repeats line {where[provision].line}", "remove one of the two")
            where[provision] = item
            provisions.append(provision)
        law[question] = tuple(sorted(provisions, key=precedence))
    return law


def _provision(node: Node, name: str, question: str, words: Vocabulary) -> Provision:
    fields = node.mapping(_PROVISION)

    def text(field: str) -> str:
        return fields[field].text() if field in fields else ""

    def when(field: str) -> date | None:
        return answers.day(fields[field]) if field in fields else None

    confidence = answers.choice(node.need("confidence"), tuple(Confidence))
    provision = Provision(
        jurisdiction=name,
        question=question,
        value=answers.answer(node.need("value"), words.questions[question], words),
        source=node.need("source").text(),
        confidence=Confidence(confidence),
        basis=Basis(answers.choice(fields["basis"], tuple(Basis))) if "basis" in fields else Basis.UNKNOWN,
        from_=when("from"),
        until=when("until"),
        when=vocabulary.conditions(fields["when"], dict(words.facts)) if "when" in fields else (),
        reviewed=answers.day(node.need("reviewed")),
        departs=text("departs"),
        note=text("note"),
    )
    if provision.from_ and provision.until and provision.until <= provision.from_:
        fields["until"].refuse("does not lie after `from`", "correct one of the two dates")
    return provision


def _case(node: Node, words: Vocabulary) -> WorkedCase:
    fields = node.mapping(_CASE)
    transfer = node.need("transfer")
    given = transfer.mapping(_TRANSFER)
    value = transfer.need("value")
    quantity, _, code = value.text().partition(" ")
    facts = dict(vocabulary.conditions(fields["facts"], dict(words.facts)) if "facts" in fields else ())
    for fact in ("counterparty", "asset"):
        if fact in given:
            facts[fact] = answers.choice(given[fact], words.facts[fact])
    kinds = tuple(sorted({each.duty.kind for each in words.questions.values() if each.duty}))

    def duties(field: str) -> tuple[str, ...]:
        return tuple(answers.choice(item, kinds) for item in fields[field].items())

    due = fields["due"].mapping(frozenset(kinds)) if "due" in fields else {}
    node.need("required")
    return WorkedCase(
        node.need("name").text(),
        answers.day(node.need("on")),
        answers.amount(Node(value.file, value.line, value.field, quantity)),
        answers.currency(Node(value.file, value.line, value.field, code)),
        answers.choice(given["direction"], ("out", "in")) if "direction" in given else "out",
        tuple(sorted(facts.items())),
        duties("required"),
        duties("recommended") if "recommended" in fields else None,
        tuple((kind, answers.day(on)) for kind, on in due.items()),
        node.line,
    )

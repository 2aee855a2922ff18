"""The exact text that closes a gap: the model clause for a legislator, the provision for the law file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date

from comity.model import Answer, Basis, Confidence, Deadline, Gateway, Operator, Power, Provision, Threshold
from comity.standard.compare import Gap, binding, placed
from comity.standard.law import Question, Standard, Vocabulary
from comity.standard.resolve import find, precedence
from comity.standard.strictness import Place

_EVENT_FREE = "; the time runs from "
_COUNTED = {"day_of_next_month": "calendar days into the next month"}


@dataclass(frozen=True, slots=True)
class Adoption:
    """What closes a gap. ``clause``: a sentence of law. ``provisions`` and ``yaml``: the same in a law file;
    first the gap's own, then what the standard answers for other facts, or later, where the first would
    fall short of it. ``ends``: answers in the file to end that day, ``drops``: to remove, since their dates
    would overlap; ``besides`` says so in words, '' if nothing."""

    clause: str
    provisions: tuple[Provision, ...]
    yaml: str
    ends: tuple[Provision, ...]
    drops: tuple[Provision, ...]
    besides: str


def adoption(standard: Standard, gap: Gap, on: date) -> Adoption:
    """The text that closes ``gap`` from ``on``: it takes effect where the standard's answer applies."""
    asked = standard.vocabulary.question(gap.question)
    made = [provision(standard, gap, on)]
    for theirs in standard.provisions[standard.root][gap.question]:
        _complete(standard, asked, made, theirs, on)
    said = in_words(standard.vocabulary, asked, made[0].value)
    model = asked.adopt or f"On “{asked.ask.rstrip('?')}” the law shall answer: {{value}}."
    clause = model.replace("{value}", said)
    if made[0].when:
        where = " and ".join(f"the {_plain(name)} is {_plain(value)}" for name, value in made[0].when)
        clause = f"Where {where}: {clause}"
    own = standard.provisions.get(gap.jurisdiction, {}).get(gap.question, ())
    drops = tuple(each for each in own if any((each.when, each.from_) == (m.when, m.from_) for m in made))
    ends = tuple(each for each in own if each not in drops and any(_ends(each, m) for m in made))
    besides = [f"Write `until: {on}` on the answer in force ({each.source})." for each in ends]
    besides += [f"Remove the answer that begins on the same day ({each.source})." for each in drops]
    yaml = f"{gap.question}:\n" + "".join(item(asked, each) for each in made)
    return Adoption(clause, tuple(made), yaml, ends, drops, " ".join(besides))


def _ends(old: Provision, made: Provision) -> bool:
    """Whether an answer would still be in force when the new one, with the same conditions, begins."""
    begins = made.from_ or date.min
    return old.when == made.when and (old.from_ or date.min) < begins < (old.until or date.min)


def _complete(
    standard: Standard, asked: Question, made: list[Provision], theirs: Provision, on: date
) -> None:
    """Add the standard's answer for other facts, or of a later day, where what is made would fall short."""
    begins = max(on, theirs.from_ or on)
    facts = dict(theirs.when)
    if (theirs.until is not None and begins >= theirs.until) or find(
        standard, standard.root, asked.name, begins, facts
    ) != theirs:
        return
    own = dict(standard.provisions[made[0].jurisdiction])
    own[asked.name] = tuple(sorted((*own.get(asked.name, ()), *made), key=precedence))
    law = replace(standard, provisions={**standard.provisions, made[0].jurisdiction: own})
    ours = binding(law, made[0].jurisdiction, asked.name, begins, facts)
    if ours in made and placed(law, asked, ours, theirs) in (Place.WEAKER, Place.UNKNOWN):
        made.append(_ours(standard, made[0].jurisdiction, theirs, theirs.value, begins))


def provision(standard: Standard, gap: Gap, on: date) -> Provision:
    """What the standard answers, as the law of the gap's country; not law yet, so of low confidence.

    Where neither of two lists contains the other, what both hold: the gap closes and nothing is given up.
    """
    value = gap.standards.value
    if gap.ours is not None and gap.place in (Place.WEAKER, Place.UNKNOWN):
        value = _joined(gap.ours.value, value)
    return _ours(standard, gap.jurisdiction, gap.standards, value, on)


def _ours(standard: Standard, jurisdiction: str, theirs: Provision, value: Answer, on: date) -> Provision:
    name = standard.jurisdiction(jurisdiction).name
    return replace(
        theirs,
        jurisdiction=jurisdiction,
        value=value,
        source=f"Act and article of {name}, once made; after {theirs.source}",
        confidence=Confidence.LOW,
        basis=Basis.UNKNOWN,
        from_=on,
        until=None,
        reviewed=on,
        departs="",
        note="",
    )


def _joined(ours: Answer, theirs: Answer) -> Answer:
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return tuple(dict.fromkeys((*theirs, *ours)))
    if isinstance(ours, Gateway) and isinstance(theirs, Gateway):
        purposes = tuple(dict.fromkeys((*theirs.purposes, *ours.purposes)))
        return replace(
            theirs,
            purposes=purposes,
            contents=tuple(dict.fromkeys((*theirs.contents, *ours.contents))),
            requires=ours.requires or theirs.requires,
        )
    return theirs


# In words


def in_words(vocabulary: Vocabulary, asked: Question, value: Answer) -> str:
    """An answer as it stands in a sentence of law."""
    if isinstance(value, Threshold):
        word = "more than" if value.operator is Operator.OVER else "at least"
        return f"{word} {value.amount:,} {value.currency}" if value.amount else "any amount"
    if isinstance(value, Deadline):
        return _deadline(value)
    if isinstance(value, Gateway):
        return _gateway(value)
    if isinstance(value, tuple):
        return _listed([_member(vocabulary, asked, each) for each in value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not established" if value is None else str(value)


def _deadline(value: Deadline) -> str:
    event = f"{_EVENT_FREE}{value.event}" if value.event else ""
    if not value.amount:
        return f"{_plain(value.unit)}{event}"
    units = _COUNTED.get(value.unit, _plain(value.unit) + ("s" if value.amount > 1 else ""))
    return f"within {value.amount} {units}{event}"


def _gateway(value: Gateway) -> str:
    contents = _listed([_plain(each) for each in value.contents])
    purposes = _listed([_plain(each) for each in value.purposes])
    parts = [f"{contents}, for the purposes of {purposes}", f"onward use: {_plain(value.onward.value)}"]
    parts += [
        f"{name}: {text}" for name, text in (("limits", value.limits), ("first", value.requires)) if text
    ]
    return "; ".join(parts)


def _member(vocabulary: Vocabulary, asked: Question, word: str) -> str:
    by = vocabulary.met_by.get(word, ()) if asked.of else ()
    return f"{_plain(word)} ({' or '.join(_plain(each) for each in by)})" if len(by) > 1 else _plain(word)


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def _plain(word: str) -> str:
    return word.replace("_", " ")


# In YAML


def item(asked: Question, made: Provision) -> str:
    """One provision as an item of a law file, a field a line."""
    pairs = [
        ("from", str(made.from_) if made.from_ else ""),
        ("until", str(made.until) if made.until else ""),
        ("when", "{" + ", ".join(f"{name}: {value}" for name, value in made.when) + "}" if made.when else ""),
        ("value", _yaml(asked, made.value)),
        ("source", _quoted(made.source)),
        ("basis", made.basis.value),
        ("confidence", made.confidence.value),
        ("reviewed", str(made.reviewed) if made.reviewed else ""),
        ("departs", _quoted(made.departs) if made.departs else ""),
        ("note", _quoted(made.note) if made.note else ""),
    ]
    lines = [f"{name}: {value}" for name, value in pairs if value]
    return "".join(f"  {'-' if number == 0 else ' '} {line}\n" for number, line in enumerate(lines))


def _yaml(asked: Question, value: Answer) -> str:
    """A value as the vocabulary's type of it is written."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower() if asked.type == "bool" else "none"
    if isinstance(value, Threshold):
        return f"{{{value.operator.value}: {value.amount:f}, currency: {value.currency}}}"
    if isinstance(value, Deadline):
        return _flow(
            [("amount", str(value.amount or "")), ("unit", value.unit), ("event", _maybe(value.event))]
        )
    if isinstance(value, Power):
        limit = _yaml(asked, value.duration) if value.duration else "unknown"
        words = [("power", _quoted(value.power)), ("by", _quoted(value.by)), ("duration", limit)]
        return _flow([*words, ("extendable", _maybe(value.extendable))])
    if isinstance(value, Gateway):
        words = [
            ("purposes", f"[{', '.join(value.purposes)}]"),
            ("contents", f"[{', '.join(value.contents)}]"),
        ]
        words += [("onward", value.onward.value), ("limits", _maybe(value.limits))]
        return _flow([*words, ("requires", _maybe(value.requires))])
    if isinstance(value, tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return str(value) if isinstance(value, int) else _quoted(value)


def _flow(pairs: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}: {text}" for name, text in pairs if text) + "}"


def _maybe(text: str) -> str:
    return _quoted(text) if text else ""


def _quoted(text: str) -> str:
    """A double-quoted scalar: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)

"""JSON Schema of a law file, for editors. What spans lines or files (ties, circles, gaps) `load` refuses."""

from __future__ import annotations

from typing import Any

from comity.model import Basis, Confidence, OnwardUse
from comity.standard.answers import MAY_BE_NONE, NONE, QUANTIFIED, UNKNOWN, UNQUANTIFIED
from comity.standard.law import BLOC, STANDARD, STATE, Question, Vocabulary

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# An editor's YAML reads `true` as a truth value and 1000 as a number, though every scalar is text to us.
_TEXT = {"type": ["string", "number", "boolean"]}
_AMOUNT = {"type": ["number", "string"], "pattern": r"^[0-9]{1,15}(\.[0-9]{1,8})?$", "minimum": 0}
_COUNT = {"type": ["integer", "string"], "pattern": "^[0-9]{1,6}$", "minimum": 0}
_CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}(/[A-Z]{3})?$"}
_COUNTRY = {"type": "string", "pattern": "^[A-Z]{2}$"}
_DAY = {"type": ["string", "integer"], "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"}
_FLAG = {"enum": [True, False, "true", "false"]}


def schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of ``jurisdictions/CC.yaml`` for a vocabulary's questions, facts and words."""
    kinds = sorted({each.duty.kind for each in vocabulary.questions.values() if each.duty})
    facts = _object({name: {"enum": list(values)} for name, values in vocabulary.facts.items()})
    return {
        "$schema": DIALECT,
        "title": "A law file of Comity",
        "description": "The law of one jurisdiction as dated, cited data: docs/guide/add-your-country.md",
        **_object(
            {
                "jurisdiction": {"type": ["string", "boolean"], "description": "The name of the file."},
                "name": {"type": "string"},
                "kind": {"enum": [STANDARD, BLOC, STATE]},
                "extends": {"type": "string", "description": "Whose law applies where this is silent."},
                "timezone": {"type": "string", "description": "IANA name: where the FIU sits."},
                "members": {"type": "array", "items": _COUNTRY},
                "provisions": _object(
                    {
                        name: {
                            "type": "array",
                            "items": {"$ref": f"#/$defs/{_kind(each)}"},
                            "description": each.ask,
                        }
                        for name, each in vocabulary.questions.items()
                    }
                ),
                "cases": {"type": "array", "items": _case(kinds, vocabulary)},
            },
            "jurisdiction",
            "provisions",
        ),
        "$defs": {
            "day": _DAY,
            "facts": facts,
            **{_kind(each): _provision(each, vocabulary) for each in vocabulary.questions.values()},
            "deadline": _object(
                {"amount": _COUNT, "unit": {"enum": [*QUANTIFIED, *UNQUANTIFIED]}, "event": _TEXT}, "unit"
            ),
        },
    }


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": list(required)} if required else {}),
    }


def _kind(question: Question) -> str:
    """The name of what all provisions with this type of answer look like."""
    return f"provision-{question.type}" + (f"-{question.of}" if question.of else "")


def _provision(question: Question, vocabulary: Vocabulary) -> dict[str, Any]:
    day = {"$ref": "#/$defs/day"}
    return _object(
        {
            "from": day | {"description": "The first day on which it applies."},
            "until": day | {"description": "The first day on which it no longer does."},
            "when": {"$ref": "#/$defs/facts"},
            "value": _value(question, vocabulary),
            "source": _TEXT
            | {"description": "Instrument and article; where it was seen: `seen at https://…`"},
            "basis": {"enum": list(Basis)},
            "confidence": {"enum": list(Confidence)},
            "reviewed": day,
            "departs": _TEXT | {"description": "How it is weaker than the standard."},
            "note": _TEXT,
        },
        "value",
        "source",
        "confidence",
        "reviewed",
    )


def _value(question: Question, vocabulary: Vocabulary) -> dict[str, Any]:
    words = [UNKNOWN, NONE] if question.type in MAY_BE_NONE else [UNKNOWN]
    return {"anyOf": [{"enum": words}, *_typed(question, vocabulary)]}


def _typed(question: Question, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    listed = {"enum": list(vocabulary.words[question.of])} if question.of else _TEXT
    deadline = {"$ref": "#/$defs/deadline"}
    types: dict[str, list[dict[str, Any]]] = {
        "threshold": [
            _object({operator: _AMOUNT, "currency": _CURRENCY}, operator, "currency")
            for operator in ("at_least", "over")
        ],
        "deadline": [deadline],
        "bool": [_FLAG],
        "count": [_COUNT],
        "text": [listed],
        "list": [{"type": "array", "items": listed}],
        "power": [
            _object(
                {
                    "power": _TEXT,
                    "by": _TEXT,
                    "duration": {"anyOf": [{"enum": [UNKNOWN]}, deadline]},
                    "extendable": _TEXT,
                },
                "power",
                "by",
            )
        ],
        "gateway": [
            _object(
                {
                    "purposes": {"type": "array", "items": {"enum": list(vocabulary.purposes)}},
                    "contents": {"type": "array", "items": {"enum": list(vocabulary.contents)}},
                    "onward": {"enum": list(OnwardUse)},
                    "limits": _TEXT,
                    "requires": _TEXT,
                },
                "purposes",
                "contents",
                "onward",
            )
        ],
    }
    return types[question.type]


def _case(kinds: list[str], vocabulary: Vocabulary) -> dict[str, Any]:
    duties = {"type": "array", "items": {"enum": kinds}}
    transfer = _object(
        {
            "value": {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,8})? [A-Z]{3}$"},
            "counterparty": {"enum": list(vocabulary.facts.get("counterparty", ()))},
            "direction": {"enum": ["out", "in"]},
            "asset": {"enum": list(vocabulary.facts.get("asset", ()))},
        },
        "value",
    )
    return _object(
        {
            "name": _TEXT,
            "on": {"$ref": "#/$defs/day"},
            "transfer": transfer,
            "facts": {"$ref": "#/$defs/facts"},
            "required": duties,
            "recommended": duties,
            "due": _object({kind: {"$ref": "#/$defs/day"} for kind in kinds}),
        },
        "name",
        "on",
        "transfer",
        "required",
    )

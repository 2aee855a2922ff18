"""The peer of bench/standard.py: the same thresholds in OpenFisca-Core, the way its documentation shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

OPENFISCA = f"OpenFisca-Core {version('openfisca-core')}"
START = "1970-01-01"
# What a law may ask: from how much, whether only of more than that, and whether at all.
Limit = tuple[float, bool, bool]
_NAMES = ("amount", "over", "asked")


@dataclass(frozen=True)
class Given:
    """The inputs: a day, what transfers are worth, the country at each end, and what is asked of which."""

    day: str
    worth: NDArray[np.float32]
    countries: Mapping[str, NDArray[np.int16]]
    applies: Mapping[tuple[str, str], NDArray[np.bool_]]


def system(limits: Mapping[tuple[str, str], Mapping[str, Limit]], states: Sequence[str]) -> TaxBenefitSystem:
    """A tax and benefit system with one parameter node a question, end and country.

    ``limits``: (question, end) → country → limit. Variables: `QUESTION_END`, and gathered by hand rather
    than by indexing a node with an array, `QUESTION_END_by_hand`.
    """
    entity = build_entity("transfer", "transfers", "A transfer", is_person=True)
    found = TaxBenefitSystem([entity])
    tree = {
        f"{question}_{end}": {
            country: {
                name: {"values": {START: {"value": value}}} for name, value in zip(_NAMES, limit, strict=True)
            }
            for country, limit in by_country.items()
        }
        for (question, end), by_country in limits.items()
    }
    found.parameters = ParameterNode("", data=tree)
    places = Enum("Country", {country: country for country in states})
    for end in sorted({end for _, end in limits}):
        found.add_variable(_input(entity, f"{end}_country", Enum, places, states[0]))
    found.add_variable(_input(entity, "worth", float))
    for question, end in limits:
        found.add_variable(_input(entity, f"applies_{question}_{end}", bool))
        found.add_variable(_formula(entity, question, end))
        found.add_variable(_by_hand(entity, question, end, states))
    return found


def run(law: TaxBenefitSystem, given: Given, suffix: str = "") -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Whether each transfer is asked for each question at each end."""
    simulation = SimulationBuilder().build_default_simulation(law, count=len(given.worth))
    simulation.set_input("worth", given.day, given.worth)
    for end, countries in given.countries.items():
        simulation.set_input(f"{end}_country", given.day, countries)
    for (question, end), applies in given.applies.items():
        simulation.set_input(f"applies_{question}_{end}", given.day, applies)
    return {
        (question, end): simulation.calculate(f"{question}_{end}{suffix}", given.day)
        for question, end in given.applies
    }


def _input(entity: Any, name: str, kind: Any, places: Any = None, default: str = "") -> Any:
    fields: dict[str, Any] = {
        "value_type": kind,
        "entity": entity,
        "definition_period": DateUnit.DAY,
        "label": name,
    }
    if places is not None:
        fields |= {"possible_values": places, "default_value": places[default]}
    return type(name, (Variable,), fields)


def _formula(entity: Any, question: str, end: str) -> Any:
    def formula(transfers: Any, period: Any, parameters: Any) -> Any:
        limit = getattr(parameters(period), f"{question}_{end}")[transfers(f"{end}_country", period)]
        worth = transfers("worth", period)
        reached = np.where(limit.over, worth > limit.amount, worth >= limit.amount)
        return transfers(f"applies_{question}_{end}", period) * limit.asked * reached

    return _computed(entity, f"{question}_{end}", formula)


def _by_hand(entity: Any, question: str, end: str, states: Sequence[str]) -> Any:
    def formula(transfers: Any, period: Any, parameters: Any) -> Any:
        node = getattr(parameters(period), f"{question}_{end}")
        code = np.asarray(transfers(f"{end}_country", period))
        amount, over, asked = (
            np.array([getattr(getattr(node, country), name) for country in states])[code] for name in _NAMES
        )
        worth = transfers("worth", period)
        reached = np.where(over, worth > amount, worth >= amount)
        return transfers(f"applies_{question}_{end}", period) & asked & reached

    return _computed(entity, f"{question}_{end}_by_hand", formula)


def _computed(entity: Any, name: str, formula: Any) -> Any:
    return type(
        name,
        (Variable,),
        {
            "value_type": bool,
            "entity": entity,
            "definition_period": DateUnit.DAY,
            "label": name,
            "formula": formula,
        },
    )

"""The peer of bench/standard.py: the same thresholds in OpenFisca-Core, the way its documentation shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import Simulation
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

OPENFISCA = f"OpenFisca-Core {version('openfisca-core')}"
START = "1970-01-01"
# What a law may ask: how much, whether only of more than that, and whether at all.
Limit = tuple[float, bool, bool]


def system(
    limits: Mapping[str, Mapping[str, Limit]], countries: Sequence[str]
) -> tuple[TaxBenefitSystem, Any]:
    """A tax and benefit system with one parameter node a question and country, and the enum of countries.

    ``limits``: question → country → limit. Variables: `QUESTION_END` and, gathered by hand rather than by
    fancy indexing, `QUESTION_END_by_hand`, for the ends `originator` and `beneficiary`.
    """
    entity = build_entity("transfer", "transfers", "A transfer", is_person=True)
    found = TaxBenefitSystem([entity])
    tree = {
        question: {
            country: {
                name: {"values": {START: {"value": value}}}
                for name, value in zip(("amount", "over", "asked"), limit, strict=True)
            }
            for country, limit in by_country.items()
        }
        for question, by_country in limits.items()
    }
    found.parameters = ParameterNode("", data=tree)
    places = Enum("Country", {country: country for country in countries})
    for end in ("originator", "beneficiary"):
        found.add_variable(_input(entity, f"{end}_country", Enum, places, countries[0]))
    found.add_variable(_input(entity, "worth", float))
    for question in limits:
        for end in ("originator", "beneficiary"):
            found.add_variable(_formula(entity, question, end))
            found.add_variable(_by_hand(entity, question, end, countries))
    return found, places


def run(
    law: TaxBenefitSystem,
    worth: NDArray[np.float32],
    ends: Mapping[str, NDArray[np.int16]],
    questions: Sequence[str],
    day: str,
    suffix: str = "",
) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Whether each transfer is asked for each question at each end."""
    from openfisca_core.simulations import SimulationBuilder

    simulation: Simulation = SimulationBuilder().build_default_simulation(law, count=len(worth))
    simulation.set_input("worth", day, worth)
    for end, countries in ends.items():
        simulation.set_input(f"{end}_country", day, countries)
    return {
        (question, end): simulation.calculate(f"{question}_{end}{suffix}", day)
        for question in questions
        for end in ends
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
        limit = getattr(parameters(period), question)[transfers(f"{end}_country", period)]
        worth = transfers("worth", period)
        return limit.asked * np.where(limit.over, worth > limit.amount, worth >= limit.amount)

    return _computed(entity, f"{question}_{end}", formula)


def _by_hand(entity: Any, question: str, end: str, countries: Sequence[str]) -> Any:
    def formula(transfers: Any, period: Any, parameters: Any) -> Any:
        node = getattr(parameters(period), question)
        code = np.asarray(transfers(f"{end}_country", period))
        amount, over, asked = (
            np.array([getattr(getattr(node, country), name) for country in countries])[code]
            for name in ("amount", "over", "asked")
        )
        worth = transfers("worth", period)
        return asked & np.where(over, worth > amount, worth >= amount)

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

"""Add up what several institutions watch about one subject: too weak at each, an alert together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity import plugins
from comity.model import Level
from comity.monitoring.run import settings
from comity.typologies import TypologySpec


def combine(
    rule: str,
    features: Sequence[Mapping[str, float]],
    parameters: Mapping[str, float] | None = None,
) -> tuple[Level | None, dict[str, float], tuple[str, ...]]:
    """What the findings of one ``rule`` about one subject make together.

    ``features`` are those of each institution's finding, money in main units of one currency.
    ``parameters`` replaces defaults of the typology, as for `monitor`. Answers the level (ALERT when
    every joint feature reaches its parameter in sum, WATCH when one institution's part or more is there
    but the sum is too small, None when the rule has nothing to add up or nobody contributes), the sums
    by feature, and the reasons. Raises BadInput for an unknown parameter, UnknownFormat for an unknown
    rule.

    Counts are added as they are: a sender or transfer seen by two institutions counts twice, so the
    reasons say what was added, and a person decides.
    """
    spec: TypologySpec = plugins.load("typologies", rule).SPEC
    limits = settings(spec, parameters or {})
    parts = [part for part in features if all(name in part for name in spec.joint)]
    if not spec.joint or not parts:
        return None, {}, ()
    units = {parameter.name: parameter.unit for parameter in spec.parameters}
    sums = {name: sum(part[name] for part in parts) for name in spec.joint}
    reached = all(sums[name] >= limits[limit] for name, limit in spec.joint.items())
    reasons = tuple(
        f"{len(parts)} finding{'s' if len(parts) != 1 else ''} together: {name.replace('_', ' ')} "
        f"{_figure(sums[name], units[limit])}, where {_figure(limits[limit], units[limit])} "
        f"{'is' if limits[limit] == 1 else 'are'} needed for {spec.title.lower()}."
        for name, limit in spec.joint.items()
    )
    return (Level.ALERT if reached else Level.WATCH), sums, reasons


def _figure(value: float, unit: str) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") if unit == "money" else f"{value:,.0f}"

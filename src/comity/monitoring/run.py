"""Run typologies over a ledger's columns: hits become findings, the same in whatever order input came."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType

from comity import plugins
from comity.codec import canonical
from comity.errors import BadInput
from comity.model import AssetId, Columns, Finding, FindingKind, Level
from comity.typologies import Hits, TypologySpec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000_000
MAX_EVIDENCE = 1000
"""At most this many transfers are listed in one finding; its reasons say how many there are."""
_LIMIT = 2**62
"""No value or time in the columns reaches this; a parameter beyond it means the same as it."""


def specs() -> dict[str, TypologySpec]:
    """The specification of every typology there is, by name."""
    return {name: plugins.load("typologies", name).SPEC for name in plugins.names("typologies")}


def monitor(
    columns: Columns,
    *,
    only: Sequence[str] | None = None,
    parameters: Mapping[str, Mapping[str, float]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Finding, ...]:
    """Findings of every typology (or of those named), alerts first, then by descending score.

    ``parameters`` replaces defaults, by typology and name, in the units of the specification: money in
    main units of the reference asset, hours. ``progress`` is told each typology as it begins, how many
    were done before it, and how many there are. Raises BadInput for an unknown parameter or a value that
    makes no sense, UnknownFormat for an unknown typology.
    """
    names = tuple(dict.fromkeys(only)) if only is not None else plugins.names("typologies")
    modules = {name: plugins.load("typologies", name) for name in names}
    given = parameters or {}
    _check_names(given)
    chosen = {name: settings(module.SPEC, given.get(name, {})) for name, module in modules.items()}
    found: list[Finding] = []
    for done, (name, module) in enumerate(modules.items()):
        if progress:
            progress(name, done, len(modules))
        found += _findings(columns, module, chosen[name])
    found.sort(key=lambda f: (f.level is not Level.ALERT, -f.score, f.rule, f.subject, f.id))
    return tuple(found)


def settings(spec: TypologySpec, given: Mapping[str, float]) -> dict[str, float]:
    """The parameters of one typology with those ``given`` in place of defaults. Raises BadInput."""
    known = {parameter.name: parameter for parameter in spec.parameters}
    for name, value in given.items():
        if name not in known:
            raise BadInput(
                f"{spec.id} has no parameter {name!r}",
                why=f"its parameters are {', '.join(known)}",
                remedy="use one of those names",
            )
        unit = known[name].unit
        right = math.isfinite(value) and value > 0
        right = right and (unit != "count" or float(value).is_integer()) and (unit != "ratio" or value <= 1)
        if not right:
            raise BadInput(
                f"{spec.id}: {name} cannot be {value}",
                why={"count": "a count is a whole number from 1", "ratio": "a ratio lies in (0, 1]"}.get(
                    unit, "it is a number above 0"
                ),
                remedy=f"correct it; the default is {known[name].default:g}",
            )
    return {name: float(given.get(name, parameter.default)) for name, parameter in known.items()}


def _check_names(given: Mapping[str, Mapping[str, float]]) -> None:
    unknown = sorted(set(given) - set(plugins.names("typologies")))
    if unknown:
        raise BadInput(
            f"no typology {unknown[0]!r} to set parameters of",
            why=f"there are {', '.join(plugins.names('typologies'))}",
            remedy="use one of those names",
        )


def _in_columns(spec: TypologySpec, chosen: Mapping[str, float], scale: int) -> dict[str, float]:
    """Money in units of the columns' values, hours in microseconds."""
    factor = {"money": 10.0**scale, "hours": float(_HOUR)}
    return {p.name: min(chosen[p.name] * factor.get(p.unit, 1.0), float(_LIMIT)) for p in spec.parameters}


def _findings(columns: Columns, module: ModuleType, chosen: Mapping[str, float]) -> Iterator[Finding]:
    spec: TypologySpec = module.SPEC
    hits: Hits = module.run(columns, _in_columns(spec, chosen, columns.scale))
    unit, words = 10.0**columns.scale, AssetId(columns.reference).symbol
    for i in range(len(hits.account)):
        rows = hits.evidence[hits.ptr[i] : hits.ptr[i + 1]]
        features = {
            name: float(column[i]) / (unit if name in hits.money else 1.0)
            for name, column in hits.features.items()
        }
        subject = str(columns.accounts[int(hits.account[i])])
        evidence = tuple(str(columns.ids[int(row)]) for row in rows[:MAX_EVIDENCE])
        reasons = tuple(module.explain(features, words))
        if len(rows) > MAX_EVIDENCE:
            reasons += (f"The first {MAX_EVIDENCE:,} of {len(rows):,} transfers are listed as evidence.",)
        yield Finding(
            id=hashlib.sha256(canonical([spec.id, subject, list(evidence)])).hexdigest()[:32],
            kind=FindingKind.TYPOLOGY,
            rule=spec.id,
            subject=subject,
            level=Level.ALERT if hits.alert[i] else Level.WATCH,
            score=float(hits.score[i]),
            reasons=reasons,
            evidence=evidence,
            source=f"{spec.source}, {spec.flag}" if spec.flag else spec.source,
            first=_EPOCH + timedelta(microseconds=int(columns.time[rows[0]])),
            last=_EPOCH + timedelta(microseconds=int(columns.time[rows[-1]])),
            features=tuple(sorted(features.items())),
        )

"""Run typologies over a ledger's columns: hits become findings, the same in whatever order input came."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Protocol

import numpy as np

from comity import plugins
from comity.codec import canonical
from comity.columnar import MAX_SPAN, MAX_TIME
from comity.errors import BadInput
from comity.model import AssetId, Columns, Finding, FindingKind, Knowledge, Level
from comity.monitoring.known import informed
from comity.typologies import Hits, Scope, TypologySpec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000_000
MAX_EVIDENCE = 1000
"""At most this many transfers are listed in one finding; its reasons say how many there are."""


Rules = Mapping[str, Mapping[str, float]]
"""Parameters in the columns' units, by typology."""
Progress = Callable[[str, int, int], None]
"""Is told each piece of work as it begins, how many were done before it, and how many there are."""


class Engine(Protocol):
    """Where kernels run. Whatever the engine, the hits are the same (a conformance test holds it)."""

    def hits(
        self, columns: Columns, rules: Rules, progress: Progress | None
    ) -> Iterator[tuple[str, Hits]]:  # pragma: no cover
        """The hits of each typology over all of the columns."""
        ...


class InProcess:
    """One kernel after the other, over the whole ledger."""

    def hits(
        self, columns: Columns, rules: Rules, progress: Progress | None = None
    ) -> Iterator[tuple[str, Hits]]:
        """See `Engine`."""
        for done, (name, parameters) in enumerate(rules.items()):
            if progress:
                progress(name, done, len(rules))
            yield name, plugins.load("typologies", name).run(columns, parameters, everything(columns))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The search for ``rule`` reached its work budget at these accounts: there may be more findings."""

    rule: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Findings, alerts first, then by descending score; and what was not searched to the end."""

    findings: tuple[Finding, ...]
    unfinished: tuple[Unfinished, ...]


def everything(columns: Columns) -> Scope:
    """The scope of a full run."""
    return Scope(np.arange(columns.n_accounts, dtype=np.int32), -MAX_TIME, MAX_TIME)


def monitor(
    columns: Columns,
    *,
    only: Sequence[str] | None = None,
    parameters: Mapping[str, Mapping[str, float]] | None = None,
    knowledge: Knowledge | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Run every typology (or those named) over all of the columns, with what is known beside them.

    ``parameters`` replaces defaults, by typology and name, in the units of the specification: money in
    main units of the reference asset, hours. ``engine`` is `InProcess` unless another is given. Raises
    BadInput for an unknown parameter or a value that makes no sense, UnknownFormat for an unknown typology.
    """
    rules = chosen(only, parameters or {}, columns.scale)
    if knowledge is not None:
        columns = informed(columns, knowledge)
    found: list[Finding] = []
    short: list[Unfinished] = []
    for name, hits in (engine or InProcess()).hits(columns, rules, progress):
        found += findings(columns, plugins.load("typologies", name), hits)
        if len(hits.unfinished):
            accounts = tuple(columns.accounts[int(number)] for number in hits.unfinished)
            short.append(Unfinished(name, accounts))
    return Outcome(in_order(found), tuple(sorted(short, key=lambda one: one.rule)))


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Alerts first, then by descending score."""
    order = sorted(found, key=lambda f: (f.level is not Level.ALERT, -f.score, f.rule, f.subject, f.id))
    return tuple(order)


def chosen(
    only: Sequence[str] | None, parameters: Mapping[str, Mapping[str, float]], scale: int
) -> dict[str, dict[str, float]]:
    """The typologies to run, with their parameters in the columns' units. Raises BadInput, UnknownFormat."""
    names = tuple(dict.fromkeys(only)) if only is not None else plugins.names("typologies")
    every = {name: plugins.load("typologies", name).SPEC for name in names}
    _check_names(parameters)
    return {
        name: _in_columns(spec, settings(spec, parameters.get(name, {})), scale)
        for name, spec in every.items()
    }


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
    """Money in units of the columns' values, hours in microseconds; beyond what columns can hold, that."""
    factor = {"money": 10.0**scale, "hours": float(_HOUR)}
    most = {"hours": float(MAX_SPAN)}
    return {
        p.name: min(chosen[p.name] * factor.get(p.unit, 1.0), most.get(p.unit, float(MAX_TIME)))
        for p in spec.parameters
    }


def findings(columns: Columns, module: ModuleType, hits: Hits) -> Iterator[Finding]:
    """The hits of one typology in words."""
    spec: TypologySpec = module.SPEC
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
        if hits.cut[i]:
            reasons += ("The search reached its work budget here: there may be more to it.",)
        yield Finding(
            id=hashlib.sha256(canonical([spec.id, subject, list(evidence)])).hexdigest()[:32],
            kind=FindingKind.TYPOLOGY,
            rule=spec.id,
            subject=subject,
            level=Level.ALERT if hits.alert[i] else Level.WATCH,
            score=float(hits.score[i]),
            reasons=reasons,
            evidence=evidence,
            source=f"{spec.source}, {', '.join(spec.flags)}",
            first=_EPOCH + timedelta(microseconds=int(columns.time[rows[0]])),
            last=_EPOCH + timedelta(microseconds=int(columns.time[rows[-1]])),
            features=tuple(sorted(features.items())),
        )

"""One finding made together, looked at closely: its payments as the institutions see them, and what the law
of every country they touch asks for them, side by side. Which scheme it is, if any, is not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from comity import flow
from comity.app.demo.facts import Story
from comity.app.demo.measure import Book, behind
from comity.app.demo.network import COUNTRIES
from comity.app.demo.world import part
from comity.model import AssetId, Duty, Finding, Force, Transfer
from comity.standard.load import load
from comity.training.world import World

_POUND = ("GBP", Decimal("1.27"))


@dataclass(frozen=True, slots=True)
class Example:
    """``parts``: each institution's own findings of it; ``duties``: by kind and country, the gravest."""

    fiu: str
    finding: Finding
    parts: Mapping[str, Sequence[Finding]]
    transfers: tuple[Transfer, ...]
    duties: Mapping[tuple[str, str], Duty]
    countries: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind for kind, _ in sorted(self.duties)))


def choose(world: World, told: Story, now: datetime) -> Example | None:
    """Of what was found together, what most countries and then most institutions have a part in."""
    book = Book(world.customers)
    land = {each.id: each.jurisdictions[0] for each in world.institutions}
    best: tuple[tuple[int, int, float, str], str, Finding, dict[str, list[Finding]]] | None = None
    for fiu, theirs in told.joint.items():
        for finding in theirs:
            parts = behind(finding, told.findings, book)
            rank = (len({land[name] for name in parts}), len(parts), finding.score, finding.id)
            if best is None or rank > best[0]:
                best = (rank, fiu, finding, parts)
    if best is None:
        return None
    _, fiu, finding, parts = best
    wanted = {item for theirs in parts.values() for each in theirs for item in each.evidence}
    rows = [row for row, name in enumerate(world.table.ids) if name in wanted]
    transfers = tuple(part(world, rows).transfers())
    duties = _duties(world, finding, transfers, now)
    return Example(
        fiu, finding, parts, transfers, duties, tuple(c for c in COUNTRIES if any(k[1] == c for k in duties))
    )


def _duties(
    world: World, finding: Finding, transfers: Sequence[Transfer], now: datetime
) -> dict[tuple[str, str], Duty]:
    money = ((AssetId.parse(name).currency, rate) for name, rate in world.rates.items())
    owed = flow.oblige(
        load(),
        transfers,
        (finding,),
        parties={each.id: each for each in world.institutions},
        on=now,
        rates={code: rate for code, rate in money if code} | dict([_POUND]),
    )
    far = datetime.max.replace(tzinfo=now.tzinfo)
    gravest: dict[tuple[str, str], Duty] = {}
    for duty in sorted(owed, key=lambda each: (each.force is not Force.REQUIRED, each.due or far, each.who)):
        gravest.setdefault((duty.kind, duty.jurisdiction), duty)
    return gravest


def when(duty: Duty) -> str:
    """By when, as far as the law says."""
    if duty.due:
        return f"by {duty.due:%d %b %Y}"
    kept = dict(duty.details).get("keep until")
    if kept:
        return f"until {kept}"
    return str(duty.deadline) if duty.deadline else "applies"

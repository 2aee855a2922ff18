"""The report: one page that carries everything with it. No script runs in it, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from comity.app.demo import pictures, table
from comity.app.demo.example import Example, when
from comity.app.demo.facts import Story
from comity.app.demo.measure import Found
from comity.model import AccountId, Amount, AssetId, Confidence, Force, Institution, Role
from comity.standard.resolve import cited
from comity.tracing.draw import flow_svg
from comity.training.scheme import MEANINGS
from comity.training.world import World

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Cell:
    """A duty of one country: ``trust`` is a word below high confidence, '' for high."""

    when: str
    source: str
    required: bool
    trust: str


def write(directory: Path, world: World, told: Story, found: Found, shown: Example | None) -> Path:
    """Write the report; the path of its page."""
    directory.mkdir()
    picture = pictures.found_together(world.institutions, found)
    (directory / "found-together.svg").write_text(picture + "\n", "utf-8")
    style = resources.files("comity.app.demo").joinpath("report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pages = Environment(
        loader=PackageLoader("comity.app.demo", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = pages.get_template("report.html").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'",
        style=Markup(style),  # noqa: S704 (our own file)
        picture=Markup(picture),  # noqa: S704 (every text in it is escaped)
        timeline=Markup(pictures.timeline(told.frozen)) if told.frozen else "",  # noqa: S704
        flow=Markup(_flow(world, shown)) if shown else "",  # noqa: S704
        world=world,
        told=told,
        found=found,
        shown=shown,
        matrix=_matrix(shown) if shown else {},
        kinds=table.by_kind(found),
        meanings={kind.value.replace("_", " "): words for kind, words in MEANINGS.items()},
        flows=table.flows(told, found),
        routes=_routes(world, found),
        powers=table.powers(told),
        names={each.id: each.name for each in world.institutions},
        limits=table.LIMITS,
        innocent=not table.guilty(found, told.frozen.key) if told.frozen else False,
        cited=cited,
        trust=table.trust,
    )
    path = directory / "index.html"
    path.write_text(page, "utf-8")
    return path


def _flow(world: World, shown: Example) -> str:
    """The payments behind the finding, as all institutions together see them; customers by institution."""
    names = {each.id: each.name for each in world.institutions}
    labels = {}
    for transfer in shown.transfers:
        for account, institution in (
            (transfer.originator, transfer.originator_institution),
            (transfer.beneficiary, transfer.beneficiary_institution),
        ):
            if institution in names and account.value != _plain(shown.finding.subject):
                labels[account.value] = f"Customers of {names[institution]}"
    title = f"{len(shown.transfers)} payments, in the eyes of {len(shown.parts)} institutions"
    dollars = AssetId.money("USD")
    worth = [(each, each.value.quantize(CENT)) for each in shown.transfers if each.value is not None]
    drawn = [replace(each, amount=Amount(value, dollars), value=value) for each, value in worth]
    return flow_svg(drawn, title=title, labels=labels)


def _plain(key: str) -> str:
    kind, _, rest = key.partition("|")
    return AccountId(rest).value if kind in ("wallet", "account") else key


def _matrix(shown: Example) -> dict[str, dict[str, Cell]]:
    """The duties by kind, then by country."""
    found: dict[str, dict[str, Cell]] = {}
    for (kind, country), duty in sorted(shown.duties.items()):
        trust = duty.provision.confidence
        found.setdefault(kind.replace("_", " "), {})[country] = Cell(
            when(duty),
            cited(duty.provision.source),
            duty.force is Force.REQUIRED,
            "" if trust is Confidence.HIGH else table.trust(trust),
        )
    return found


def _routes(world: World, found: Found) -> Mapping[str, Mapping[str, tuple[int, int, int]]]:
    """Who told whom about how many subjects: (subjects, of them innocent, messages), by group of senders."""
    land = {each.id: each for each in world.institutions}
    guilty = frozenset().union(*found.subjects.values())
    subjects: dict[str, dict[str, set[str]]] = {}
    count: dict[tuple[str, str], int] = {}
    for each in found.disclosures:
        sender, recipient = _group(land[each.sender]), _group(land[each.recipient])
        subjects.setdefault(sender, {}).setdefault(recipient, set()).update(each.subjects)
        count[sender, recipient] = count.get((sender, recipient), 0) + 1
    order = {_group(each): number for number, each in enumerate(world.institutions)}
    return {
        sender: {to: (len(names), len(names - guilty), count[sender, to]) for to, names in told_to.items()}
        for sender, told_to in sorted(subjects.items(), key=lambda one: ("FIU" in one[0], order[one[0]]))
    }


def _group(who: Institution) -> str:
    country = who.jurisdictions[0]
    return f"FIU of {country}" if who.role is Role.FIU else f"Institutions of {country}"

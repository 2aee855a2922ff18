"""The table and the report of a run that was made up: a small world, findings taken from its truth."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree, html
from rich.console import Console

from comity.app.demo import example, measure, pictures, report, table
from comity.app.demo.facts import Frozen, Moment, Story, Told
from comity.app.demo.freezing import powers
from comity.app.demo.network import COUNTRIES
from comity.app.demo.world import DAYS, START, listed, make, part
from comity.audit.log import Head
from comity.model import AccountId, Case, CaseState, Finding, FindingKind, Level
from comity.training.scheme import Scheme
from comity.training.world import World

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return make(5, 12_000, NOW)


def _finding(scheme: Scheme, house: str, world: World, level: Level) -> Finding:
    """What an institution makes of the transfers of a scheme it sees."""
    rows = {name: row for row, name in enumerate(world.table.ids)}
    ends = world.table.institution
    seen = [
        t
        for t in scheme.transfers
        if house in (ends[int(world.table.src[rows[t]])], ends[int(world.table.dst[rows[t]])])
    ]
    return Finding(
        f"{house}-{scheme.id}",
        FindingKind.TYPOLOGY,
        scheme.kind.value,
        scheme.subjects[0] if ":" in scheme.subjects[0] else scheme.accounts[0],
        level,
        0.6,
        ("Too many <people> pay in.",),
        tuple(seen),
        "FATF",
    )


@pytest.fixture(scope="module")
def told(world: World) -> Story:
    """One scheme found alone, one only together, its subject's account frozen in Germany."""
    schemes = {scheme.id: scheme for scheme in world.schemes}
    both, alone = schemes["fan-in-01"], schemes["structuring-10"]
    story = Story(findings={each.id: () for each in world.obliged})
    for house in both.institutions:
        story.findings[house] += (_finding(both, house, world, Level.WATCH),)
    story.findings[alone.institutions[0]] += (_finding(alone, alone.institutions[0], world, Level.ALERT),)
    key = f"wallet|{both.subjects[0]}"
    joined = Finding(
        "match-1",
        FindingKind.MATCH,
        "fan_in",
        key,
        Level.ALERT,
        0.9,
        ("Several see it.", "In sum: many."),
        (),
        "x",
    )
    story.joint = {f"{country.lower()}-fiu": () for country in COUNTRIES} | {"us-fiu": (joined,)}
    powers(story, COUNTRIES)
    case = Case("c1", "A case", (key,), CaseState.DECIDED, NOW)
    story.cases = [Told("de-bank", case, "goaml", "r.xml", 10, (), filed=True)]
    moments = tuple(
        Moment(NOW + timedelta(seconds=s), who, "acts")
        for s, who in ((0, "us-fiu"), (0.01, "us-fiu"), (0.4, "de-fiu"), (0.6, "de-vasp-1"), (1.2, "us-fiu"))
    )
    way, held = ("us-fiu", "de-fiu", "de-vasp-1"), AccountId("acct:de-vasp-1:1")
    law = ("in_force", "GwG s.40", "med", NOW)
    story.frozen = Frozen(*way, held, key, joined, case, *law, 1.2, moments)
    story.heads = {each.id: Head(3, "ab" * 32) for each in world.institutions}
    story.checked = {each.id: "de-fiu" for each in world.institutions}
    story.receipt, story.seconds = "entry 2 of 3", {"total": 9.0}
    return story


@pytest.fixture(scope="module")
def found(world: World, told: Story) -> measure.Found:
    owner = measure.owners(world.table.ids, world.schemes)
    book = measure.Book(world.customers)
    return measure.found(world.schemes, owner, book, told.findings, told.joint, [])


def test_the_world_is_over_and_has_sanctioned_wallets(world: World) -> None:
    assert world.table.instant(len(world.table) - 1) < START + timedelta(days=DAYS) <= NOW
    assert make(5, 12_000, START).table.instant(0) < START - timedelta(days=DAYS)  # a clock that is behind
    wallets = {str(account) for account, _ in listed()}
    assert len(wallets) > 400
    sanctioned = [scheme for scheme in world.schemes if scheme.kind == "sanctioned"]
    assert sanctioned
    assert all(wallets & {*scheme.accounts} for scheme in sanctioned)


def test_a_part_of_a_world_has_those_transfers(world: World) -> None:
    assert [t.id for t in part(world, [3, 5]).transfers()] == [world.table.ids[3], world.table.ids[5]]


def test_the_table_for_machines(world: World, told: Story, found: measure.Found) -> None:
    out = io.StringIO()
    table.machine(out, world, told, found, Path("x/index.html"), {})
    plain = json.loads(out.getvalue())
    assert (plain["found_alone"], plain["found_together"], plain["gained"]) == (1, 2, 1)
    assert plain["gained_schemes"] == ["fan-in-01"]
    assert plain["freeze"]["subject_is_in_a_scheme"] is True
    assert plain["seconds_alert_to_freeze"] == 1.2
    assert plain["audit_verified"] is True
    missing = replace(told.frozen, key="wallet|nobody") if told.frozen else None
    nobody = table.answer(world, replace(told, frozen=missing), found)
    assert nobody["freeze"]["subject_is_in_a_scheme"] is False  # type: ignore[index]
    unproved = table.answer(world, replace(told, receipt=""), found)
    assert unproved["audit_verified"] is False


def test_the_table_for_people(world: World, told: Story, found: measure.Found) -> None:
    out = Console(file=io.StringIO(), width=160)
    shown = example.choose(world, told, NOW)
    table.people(out, told, found, shown, Path("x/index.html"))
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "1 of 10" in text
    assert "us-fiu → de-fiu → de-vasp-1: in force; GwG s.40 (confidence medium)" in text
    assert "report suspicion" in text
    assert text.rstrip().endswith("x/index.html")
    none = replace(told, frozen=None, unfrozen="nobody holds it", receipt="")
    table.people(out, none, found, None, Path("x/index.html"))
    assert "nobody holds it" in out.file.getvalue()  # type: ignore[attr-defined]


def test_the_example_is_what_was_found_together(world: World, told: Story) -> None:
    shown = example.choose(world, told, NOW)
    assert shown is not None
    scheme = next(scheme for scheme in world.schemes if scheme.id == "fan-in-01")
    assert {transfer.id for transfer in shown.transfers} == {*scheme.transfers}
    assert {*shown.parts} == {*scheme.institutions}
    assert {*shown.countries} == {*scheme.countries}
    assert ("keep_records", scheme.countries[0]) in shown.duties
    assert example.choose(world, replace(told, joint={}), NOW) is None


def test_the_report_escapes_and_runs_nothing(
    tmp_path: Path, world: World, told: Story, found: measure.Found
) -> None:
    page = report.write(tmp_path / "report", world, told, found, example.choose(world, told, NOW))
    tree = html.fromstring(page.read_text("utf-8"))
    assert not tree.xpath("//script | //@style | //people")
    assert "2 of 43 laundering schemes found together, 1 alone" in tree.findtext(".//h1")
    assert len(tree.xpath("//svg[@role='img']")) == 3
    assert len(tree.xpath("//section[@aria-labelledby='s-audit']//tbody/tr")) == 16
    without = replace(told, frozen=None, unfrozen="nobody holds it")
    again = report.write(tmp_path / "other", world, without, found, None)
    assert "No freeze: nobody holds it." in again.read_text("utf-8")


def test_pictures_are_drawn_to_the_numbers(world: World, found: measure.Found, told: Story) -> None:
    drawn = pictures.found_together(world.institutions, found)
    root = etree.fromstring(drawn.encode())
    title = root.findtext("{*}title")
    assert title == "43 laundering schemes: 1 found by an institution alone, 2 with cooperation"
    lines = root.xpath("//*[local-name()='g']/*[local-name()='title']/text()")
    assert len(lines) == 43
    assert sum("found by nobody" in line for line in lines) == 41
    assert drawn == pictures.found_together(world.institutions, found)
    assert told.frozen is not None
    lanes = etree.fromstring(pictures.timeline(told.frozen).encode())
    circles = [float(c.get("cx")) for c in lanes.iter("{*}circle")]
    assert circles == sorted(circles)
    assert len(set(circles)) == 4  # the last step is a square

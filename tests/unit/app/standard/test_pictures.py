"""The pictures: sound SVG, nothing hostile in it, in words what colours say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest
from lxml import etree

from comity.app.standard import timeline, worldmap
from comity.app.standard.export import span
from comity.app.standard.standing import standings
from comity.app.standard.svg import safe, text
from comity.model import Confidence
from comity.standard.changes import changes
from comity.standard.law import Standard
from comity.standard.strictness import Place

SVG = "{http://www.w3.org/2000/svg}"


def names(standard: Standard) -> dict[str, str]:
    return {each.id: each.name for each in standard.jurisdictions.values()}


def sound(picture: str) -> etree._Element:
    """Parses; has title and description; no script, style, handler or link away."""
    root = etree.fromstring(picture.encode())
    assert root.get("role") == "img"
    labels = (root.get("aria-labelledby") or "").split()
    assert [each.get("id") for each in root[:2]] == labels
    assert all((each.text or "").strip() for each in root[:2])
    for each in root.iter():
        assert each.tag.removeprefix(SVG) not in {"script", "style", "foreignObject", "a", "image"}
        assert not [name for name in each.attrib if name == "style" or str(name).startswith("on")]
        assert (each.get("href") or "#").startswith("#")
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    return root


def words(root: etree._Element) -> str:
    return " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}title", f"{SVG}desc", f"{SVG}text"))


def test_text_is_escaped() -> None:
    assert safe("<b>&\"'\u202e\x00") == "&lt;b&gt;&amp;&quot;&#x27;"
    line = text(1, 2, "<x>", text_anchor='"')
    assert line.endswith('text-anchor="&quot;">&lt;x&gt;</text>') and line.startswith('<text class="ink" ')


def test_the_shapes_say_where_they_are_from() -> None:
    raw = (files("comity.app.standard") / "worldmap.json").read_bytes()
    assert len(raw) < 150_000
    found = json.loads(raw)
    assert "Natural Earth" in found["origin"] and "docs/worldmap.py" in found["made"]
    assert {"FR", "NO", "TW", "XK"} <= set(found["shapes"]) and "AQ" not in found["shapes"]
    assert {"SG", "HK", "MT", "LI", "KY", "VG", "SC"} <= set(found["places"])
    for code, path in found["shapes"].items():
        assert re.fullmatch(r"[A-Z]{2}|", code) and re.fullmatch(r"[-Mlz0-9. ]+", path)
        assert path.startswith("M") and path.endswith("z")


@pytest.mark.parametrize("law", ["fiction", "shipped"])
def test_the_map(law: str, request: pytest.FixtureRequest, on: date) -> None:
    standard: Standard = request.getfixturevalue(law)
    found = standings(standard, on)
    root = sound(worldmap.draw(found, f"on {on}"))
    said = words(root)
    labels = {each.text for each in root.iter(f"{SVG}text")}
    for each in found:
        if each.kind == "state":
            mark = "◐" if each.unsure else ""
            assert any((label or "").startswith(f"{each.jurisdiction.upper()} ") for label in labels), each
            assert f"{each.jurisdiction.upper()} {each.kept.kept * 100:.0f}{mark}" in labels
    assert "less than high confidence" in said and "no law file" in said and "hatched" in said
    assert "script>alert" not in worldmap.draw(found, "")
    assert worldmap.unmapped(found) == ()


def test_what_is_hardly_known_is_hatched(fiction: Standard, on: date) -> None:
    found = standings(fiction, on)
    assert "map-hatch)" in worldmap.draw(found, "")
    known = [replace(each, kept=replace(each.kept, known=1.0)) for each in found]
    assert worldmap.draw(known, "").count('fill="url(#map-hatch)"') == 1, "only the legend"


def test_a_member_without_a_file_is_paler_and_said_to_be(fiction: Standard, on: date) -> None:
    picture = worldmap.draw(standings(fiction, on), "")
    assert "IT, a member without a file of its own. Union of Fiction" in picture
    assert "FR, a member without" not in picture
    none = [each for each in standings(fiction, on) if each.jurisdiction != "eu"]
    assert "member" not in worldmap.draw(none, "")
    assert "No law is loaded" in worldmap.draw([], "")


def test_a_country_off_the_map_is_named(fiction: Standard, on: date) -> None:
    (one,) = [each for each in standings(fiction, on) if each.jurisdiction == "bo"]
    assert worldmap.unmapped([replace(one, jurisdiction="zz", name="Zubrowka")]) == ("Zubrowka",)
    sound(worldmap.draw([replace(one, jurisdiction="zz")], ""))


@pytest.mark.parametrize("law", ["fiction", "shipped"])
def test_the_timeline(law: str, request: pytest.FixtureRequest, on: date) -> None:
    standard: Standard = request.getfixturevalue(law)
    since, until = span(on, None, None)
    found = changes(standard, since, until)
    picture = timeline.draw(found, names(standard), since, until, on)
    root = sound(picture)
    groups = root.findall(f"{SVG}g")
    assert len(groups) == len({(each.jurisdiction, each.on, each.place) for each in found})
    assert f"today, {on}" in words(root)
    for year in range(since.year, until.year + 1):
        assert picture.count(f">{year}<") == 2
    assert "script>alert" not in picture


def test_a_mark_has_the_shape_of_its_direction_and_is_hollow_where_unsure(
    fiction: Standard, on: date
) -> None:
    since, until = date(2026, 1, 1), date(2028, 1, 1)
    found = changes(fiction, since, until, "fr")
    picture = timeline.draw(found, names(fiction), since, until, on)
    for each in found:
        hollow = "" if each.confidence is Confidence.HIGH else " hollow"
        assert f'class="m-{each.place.value}{hollow}"' in picture
    assert any(each.confidence is not Confidence.HIGH for each in found)
    shapes = {place: timeline._mark(0, 0, place, True) for place in Place}
    assert (
        len({re.sub(r'class="[^"]*"|stroke="[^"]*"|fill="[^"]*"', "", one) for one in shapes.values()}) == 5
    )


def test_marks_stand_at_their_day_and_none_hides_another(shipped: Standard, on: date) -> None:
    since, until = span(on, None, None)
    for name in shipped.jurisdictions:
        marks = timeline._marks(changes(shipped, since, until, name), since, until)
        for one in marks:
            assert one.x == pytest.approx(timeline._x(one.on, since, until))
        for one in marks:
            for other in marks:
                assert one is other or one.row != other.row or abs(one.x - other.x) >= 16


def test_a_time_without_changes_says_so(fiction: Standard, on: date) -> None:
    picture = timeline.draw((), names(fiction), date(1990, 1, 1), date(1990, 1, 1), on)
    assert "No change is recorded" in words(sound(picture)) and "today" not in picture
    sound(timeline.draw((), names(fiction), date(1900, 1, 1), date(2100, 1, 1), on))

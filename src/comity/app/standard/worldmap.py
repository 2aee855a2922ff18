"""The world by how much of the standard each country's law keeps, as one SVG.

Shapes come from worldmap.json, which docs/worldmap.py wrote. Colour is never alone: each country with a law
file bears its code and figure, what is less than half known is hatched, and a title says the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from comity.app.standard.standing import STEP_WORDS, Standing
from comity.app.standard.svg import opening, safe, text
from comity.standard.law import BLOC, STATE

# From little to all that is known: one hue, ever darker, so that it reads without colour too.
STEPS = ("#f6e3c8", "#c9dfe6", "#92c0d2", "#4f95b5", "#1f648a")
BARE, SHORE = "#e6e9ed", "#ffffff"

_FOOT = 132.0
_NOTES = (
    "The figure: how many in a hundred of the standard's answers a law keeps, of those that are known.",
    "◐: some rest on less than high confidence; the table says how many. Circles: small territories.",
    "Shapes: Natural Earth, public domain; they say nothing about any territory's status. Not legal advice.",
)
# Europe, drawn again larger over the Pacific: its left, top, width and height on the map; and on the page.
_EUROPE = (481.0, 40.0, 104.0, 84.0)
_INSET = (6.0, 214.0, 260.0, 210.0)
_ZOOM = _INSET[2] / _EUROPE[2]
# Where a figure stands beside its country and not on it, with a line between: steps right and down.
_BESIDE: Mapping[str, tuple[float, float]] = {
    "SG": (-34, 20), "HK": (34, 2), "MT": (-26, 10), "LI": (32, 14), "KY": (10, -16), "VG": (38, 4),
    "SC": (34, 6), "PA": (-4, -14), "IL": (-32, 8), "AE": (16, 20), "KR": (-8, 26), "JP": (36, 6),
    "PH": (38, -4), "TH": (-38, 12), "MY": (44, -6), "KE": (6, -14), "NG": (-38, 18), "CH": (-22, 24),
    "FR": (-16, -10), "EE": (40, 2), "LT": (42, 2), "NZ": (-40, 8), "ID": (4, 34),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shapes:
    width: float
    height: float
    places: Mapping[str, tuple[float, float]]
    middles: Mapping[str, tuple[float, float]]
    shapes: Mapping[str, str]


@cache
def _shapes() -> _Shapes:
    found = json.loads((files("comity.app.standard") / "worldmap.json").read_text("utf-8"))
    return _Shapes(*(found[name] for name in ("width", "height", "places", "middles", "shapes")))


def unmapped(standings: Sequence[Standing]) -> tuple[str, ...]:
    """The names of the countries of which the map has neither shape nor place."""
    known = {*_shapes().shapes, *_shapes().places}
    return tuple(
        each.name for each in standings if each.kind == STATE and each.jurisdiction.upper() not in known
    )


def draw(standings: Sequence[Standing], on: str) -> str:
    """The map with its legend, for any number of laws. ``on`` is the day in words; all text is escaped."""
    world = _shapes()
    states = {each.jurisdiction.upper(): each for each in standings if each.kind == STATE}
    members = {
        code: bloc for bloc in standings if bloc.kind == BLOC for code in bloc.members if code not in states
    }
    title = f"How much of the standard each country's law keeps, {on}"
    about = " ".join(_said(each) for each in standings) or "No law is loaded."
    parts = [
        opening("map", world.width, world.height + _FOOT, title, about),
        _patterns(),
        '<g id="map-land">',
        *(_land(code, states.get(code), members.get(code)) for code in world.shapes),
        *(_dot(code, each) for code, each in states.items() if code in world.places),
        "</g>",
        *(_figure(code, each) for code, each in states.items() if not _in_europe(code)),
        _inset(states),
        _legend(world.height + 14, bool(members)),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _said(each: Standing) -> str:
    """One law in a sentence."""
    held = each.kept
    words = (
        f"{each.name}: keeps {held.kept:.0%} of what is known; {held.known:.0%} of the questions are known"
    )
    if each.unsure:
        words += f"; {each.unsure} of {each.answers} answers are of less than high confidence"
    return words + "."


def _patterns() -> str:
    left, top, width, height = _INSET
    return (
        '<defs><pattern id="map-hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="hatch" d="M0 0V5" stroke="#16233a" stroke-width="1.6"/>'
        f'</pattern><clipPath id="map-frame"><rect x="{left}" y="{top}" width="{width}" height="{height}" '
        'rx="4"/></clipPath></defs>'
    )


def _land(code: str, own: Standing | None, bloc: Standing | None) -> str:
    path = _shapes().shapes[code]
    stroke = f'stroke="{SHORE}" stroke-width="0.5" vector-effect="non-scaling-stroke"'
    each = own or bloc
    if each is None:
        return f'<path class="land bare" fill="{BARE}" {stroke} d="{path}"/>'
    faint = "" if own else ' fill-opacity="0.4"'
    words = _said(each) if own else f"{code}, a member without a file of its own. {_said(each)}"
    land = (
        f'<path class="land s{each.step}" fill="{STEPS[each.step]}"{faint} {stroke} d="{path}">'
        f"<title>{safe(words)}</title></path>"
    )
    if own and not own.half_known:
        land += f'<path fill="url(#map-hatch)" d="{path}"><title>{safe(words)}</title></path>'
    return land


def _dot(code: str, each: Standing) -> str:
    """A territory too small for the map."""
    x, y = _shapes().places[code]
    radius = 2.2 if _in_europe(code) else 4.5
    shape = (
        f'cx="{x}" cy="{y}" r="{radius}" stroke="#16233a" stroke-width="1" vector-effect="non-scaling-stroke"'
    )
    hatch = "" if each.half_known else f'<circle fill="url(#map-hatch)" {shape}/>'
    return (
        f'<g class="dot"><title>{safe(_said(each))}</title>'
        f'<circle class="s{each.step}" fill="{STEPS[each.step]}" {shape}/>{hatch}</g>'
    )


def _at(code: str) -> tuple[float, float] | None:
    return _shapes().places.get(code) or _shapes().middles.get(code)


def _in_europe(code: str) -> bool:
    """Whether it is drawn in the enlarged part: then its figure stands there only."""
    at = _at(code)
    left, top, width, height = _EUROPE
    return at is not None and left < at[0] < left + width - 12 and top - 4 < at[1] < top + height


def _figure(code: str, each: Standing, scale: bool = False) -> str:
    """The code and how many in a hundred it keeps; ◐ where some of that is of less than high confidence."""
    at = _at(code)
    if at is None:
        return ""
    x, y = at
    if scale:
        x = _INSET[0] + (x - _EUROPE[0]) * _ZOOM
        y = _INSET[1] + (y - _EUROPE[1]) * _ZOOM
    dx, dy = _BESIDE.get(code, (0, 0))
    line = (
        f'<path class="lead" d="M{x:.1f} {y:.1f}L{x + dx * 0.7:.1f} {y + dy * 0.7:.1f}" stroke="#16233a" '
        'stroke-width="0.8" fill="none"/>'
        if dx
        else ""
    )
    mark = "◐" if each.unsure else ""
    known = f"{each.kept.kept:.0%}".rstrip("%") if each.kept.known else "?"
    return line + _haloed(x + dx, y + dy + 3.5, f"{code} {known}{mark}")


def _haloed(x: float, y: float, words: str) -> str:
    """Text that stays legible on any land."""
    return text(
        x,
        y,
        words,
        10,
        text_anchor="middle",
        font_weight="600",
        paint_order="stroke",
        stroke="#ffffff",
        stroke_width="2.6",
        stroke_linejoin="round",
    )


def _inset(states: Mapping[str, Standing]) -> str:
    """Europe again, larger."""
    left, top, width, height = _INSET
    x, y = left - _EUROPE[0] * _ZOOM, top - _EUROPE[1] * _ZOOM
    box = f'x="{left}" y="{top}" width="{width}" height="{height}" rx="4"'
    figures = "".join(_figure(code, each, scale=True) for code, each in states.items() if _in_europe(code))
    return (
        f'<g clip-path="url(#map-frame)"><rect class="sea" {box} fill="#f4f7fb"/>'
        f'<use href="#map-land" transform="translate({x:.2f} {y:.2f}) scale({_ZOOM:.3f})"/></g>'
        f'<rect class="frame" {box} fill="none" stroke="#51606e"/>'
        + _haloed(left + 48, top + 16, "Europe, enlarged")
        + figures
    )


def _legend(y: float, members: bool) -> str:
    """Every colour and pattern, in words."""
    parts, x = [], 20.0
    for step, words in enumerate(STEP_WORDS):
        parts.append(_swatch(x, y, step) + text(x + 24, y + 11, words))
        x += 196
    box = f'width="18" height="13" y="{y + 24:.1f}" stroke="#51606e" stroke-width="0.8"'
    row = y + 35
    parts.append(
        f'<rect class="s2" x="20" {box} fill="{STEPS[2]}"/><rect x="20" {box} fill="url(#map-hatch)"/>'
    )
    parts.append(text(44, row, "hatched: less than half is known"))
    parts.append(f'<rect class="bare" x="252" {box} fill="{BARE}"/>' + text(276, row, "no law file"))
    if members:
        parts.append(f'<rect class="s3" x="370" {box} fill="{STEPS[3]}" fill-opacity="0.4"/>')
        said = "paler: member of a bloc, without a file of its own; what the bloc's law alone keeps"
        parts.append(text(394, row, said))
    parts += [text(20, y + 64 + 18 * n, line, 11.5, quiet=True) for n, line in enumerate(_NOTES)]
    return "".join(parts)


def _swatch(x: float, y: float, step: int) -> str:
    return (
        f'<rect class="s{step}" x="{x:.1f}" y="{y:.1f}" width="18" height="13" fill="{STEPS[step]}" '
        'stroke="#51606e" stroke-width="0.8"/>'
    )

"""Pictures of a run as self-contained, accessible SVG: no script, no style attribute, no colour alone."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comity.app.demo.facts import Frozen
from comity.app.demo.measure import Found
from comity.app.demo.network import COUNTRIES
from comity.model import Institution, Role
from comity.training.scheme import Scheme

INK, QUIET, PAPER, LINE = "#16233a", "#5b6880", "#ffffff", "#d9dfe8"
ALONE, TOGETHER, NOBODY = "#b4491d", "#1660a0", "#8b96a8"
GROUND = "#f4f7fb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
NAMES = {"SG": "Singapore", "DE": "Germany", "US": "United States", "AE": "Emirates"}

_LEFT, _TOP, _COLUMN, _ROW, _GAP, _BAND = 226.0, 112.0, 18.6, 21.0, 22.0, 10.0
_LETTERS = {"structuring": "S", "fan_in": "F", "pass_through": "P", "cycle": "C", "sanctioned": "W"}


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    note: str
    colour: str
    schemes: tuple[Scheme, ...]


def text(x: float, y: float, words: str, size: float = 13, fill: str = INK, **more: object) -> str:
    """A line of text; ``more`` are attributes, with ``_`` for ``-``."""
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{extra}>{html.escape(words)}</text>'
    )


def _open(width: float, height: float, mark: str, title: str, about: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-labelledby="{mark}-t {mark}-d" font-family="{FONT}">'
        f'<title id="{mark}-t">{html.escape(title)}</title><desc id="{mark}-d">{html.escape(about)}</desc>'
        f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="12" fill="{PAPER}" '
        f'stroke="{LINE}"/>'
    )


def found_together(institutions: Sequence[Institution], found: Found) -> str:
    """Every scheme as a line through the institutions that see a part of it, countries as bands.

    Sections from left to right: found by somebody alone, found only together, found by nobody.
    """
    sections = _sections(found)
    rows, bands = _rows(institutions)
    floor = max(y for y in rows.values()) + _ROW / 2 + _BAND
    width = _LEFT + sum(len(s.schemes) for s in sections) * _COLUMN + len(sections) * _GAP + 14
    value = found.value
    headline = (
        f"{value.planted} laundering schemes: {len(value.alone)} found by an institution alone, "
        f"{len(value.together)} with cooperation"
    )
    about = (
        f"{headline}. {len(value.gained)} were found only together, {len(found.never)} by nobody. "
        "Each scheme is an upright line through the institutions of four countries that see a part of it. "
        + " ".join(_words(scheme, found) for scheme in found.schemes)
    )
    parts = [_open(width, floor + 116, "together", headline, about)]
    parts.append(text(22, 34, headline, 18, font_weight="650"))
    for country, (top, bottom) in bands.items():
        parts.append(
            f'<rect x="12" y="{top:.1f}" width="{width - 24:.1f}" height="{bottom - top:.1f}" rx="8" '
            f'fill="{GROUND}"/>'
        )
        middle = (top + bottom) / 2
        turned = f"rotate(-90 30 {middle:.1f})"
        parts.append(
            text(
                30,
                middle + 4,
                NAMES[country],
                12.5,
                QUIET,
                transform=turned,
                text_anchor="middle",
                font_weight="600",
            )
        )
    for each in institutions:
        weight = "650" if each.role is Role.FIU else "400"
        parts.append(text(46, rows[each.id] + 4.5, _short(each), 13, INK, font_weight=weight))
    x = _LEFT
    for section in sections:
        parts.append(_heading(section, x))
        for scheme in section.schemes:
            x += _COLUMN
            parts.append(_line(scheme, x - _COLUMN / 2, section, rows, found))
            letter = _LETTERS.get(scheme.kind, "?")
            parts.append(text(x - _COLUMN / 2, floor + 8, letter, 11, QUIET, text_anchor="middle"))
        x += _GAP
    parts += [_legend(floor + 46), "</svg>"]
    return "\n".join(parts)


def _sections(found: Found) -> list[_Section]:
    value = found.value

    def of(ids: Sequence[str]) -> tuple[Scheme, ...]:
        return tuple(sorted((s for s in found.schemes if s.id in ids), key=lambda s: (s.kind, s.id)))

    made = [
        _Section("Found alone", "an institution by itself", ALONE, of(value.alone)),
        _Section("Found only together", "too weak at each, an alert in sum", TOGETHER, of(value.gained)),
        _Section("Found by nobody", "not by this version", NOBODY, of(found.never)),
    ]
    return [section for section in made if section.schemes]


def _rows(institutions: Sequence[Institution]) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The height of each institution's row, and each country's band; the FIU is first in its country."""
    rows: dict[str, float] = {}
    bands: dict[str, tuple[float, float]] = {}
    y = _TOP
    for country in COUNTRIES:
        own = [each for each in institutions if each.jurisdictions[0] == country]
        top = y
        for each in sorted(own, key=lambda one: one.role is not Role.FIU):
            rows[each.id] = y + _BAND / 2 + _ROW / 2
            y += _ROW
        bands[country] = (top, y + _BAND)
        y += _BAND + 6
    return rows, bands


def _short(each: Institution) -> str:
    return "FIU" if each.role is Role.FIU else each.name if len(each.name) < 26 else f"{each.name[:24]}…"


def _heading(section: _Section, x: float) -> str:
    width = len(section.schemes) * _COLUMN
    ink = QUIET if section.colour == NOBODY else section.colour
    title = f"{len(section.schemes)} {section.title.lower()}"
    return (
        f'<path d="M{x:.1f} {_TOP - 10:.1f}V{_TOP - 16:.1f}H{x + width:.1f}V{_TOP - 10:.1f}" fill="none" '
        f'stroke="{section.colour}" stroke-width="2"/>'
        + text(x, _TOP - 38, title, 14, ink, font_weight="650")
        + text(x, _TOP - 22, section.note, 11.5, QUIET)
    )


def _line(scheme: Scheme, x: float, section: _Section, rows: Mapping[str, float], found: Found) -> str:
    """A scheme: a line from the first to the last that see it, and what each makes of it."""
    fius = [fiu for fiu, ids in found.joint.items() if scheme.id in ids]
    touched = sorted(rows[name] for name in (*scheme.institutions, *fius))
    dashes = {ALONE: "", TOGETHER: "", NOBODY: ' stroke-dasharray="2 3"'}[section.colour]
    parts = [
        f"<g><title>{html.escape(_words(scheme, found))}</title>",
        (
            f'<path d="M{x:.1f} {touched[0]:.1f}V{touched[-1]:.1f}" stroke="{section.colour}" fill="none" '
            f'stroke-width="{3 if section.colour == TOGETHER else 1.6}" stroke-opacity="0.45"{dashes}/>'
        ),
    ]
    for name in scheme.institutions:
        if scheme.id in found.alone[name]:
            parts.append(_square(x, rows[name]))
        elif scheme.id in found.watched[name]:
            parts.append(_half(x, rows[name]))
        else:
            parts.append(_ring(x, rows[name]))
    parts += [_diamond(x, rows[fiu]) for fiu in fius]
    return "".join(parts) + "</g>"


def _words(scheme: Scheme, found: Found) -> str:
    alone = [name for name, ids in found.alone.items() if scheme.id in ids]
    fius = [fiu for fiu, ids in found.joint.items() if scheme.id in ids]
    said = [f"{scheme.id}, seen in part by {', '.join(scheme.institutions)}"]
    if alone:
        said.append(f"found alone by {', '.join(alone)}")
    if fius:
        said.append(f"found together, at {', '.join(fius)}")
    if not alone and not fius:
        said.append("found by nobody")
    return "; ".join(said) + "."


def _square(x: float, y: float) -> str:
    return f'<rect x="{x - 5.5:.1f}" y="{y - 5.5:.1f}" width="11" height="11" rx="1.5" fill="{ALONE}"/>'


def _ring(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{PAPER}" stroke="{NOBODY}" stroke-width="1.6"/>'


def _half(x: float, y: float) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{PAPER}" stroke="{TOGETHER}" stroke-width="1.8"/>'
        f'<path d="M{x:.1f} {y - 5:.1f}A5 5 0 0 1 {x:.1f} {y + 5:.1f}Z" fill="{TOGETHER}"/>'
    )


def _diamond(x: float, y: float) -> str:
    return f'<path d="M{x:.1f} {y - 7.5:.1f}l7.5 7.5l-7.5 7.5l-7.5-7.5Z" fill="{TOGETHER}"/>'


def _legend(y: float) -> str:
    entries = (
        (_square, "alerts on it alone"),
        (_half, "watches it: too weak alone"),
        (_ring, "sees a part, nothing suspicious"),
        (_diamond, "FIU: an alert from what all told it"),
    )
    parts, x = [], 30.0
    for shape, words in entries:
        parts.append(shape(x, y) + text(x + 14, y + 4.5, words, 12.5, QUIET))
        x += 40 + len(words) * 6.9
    kinds = ", ".join(f"{letter} {kind.replace('_', ' ')}" for kind, letter in _LETTERS.items())
    parts.append(text(22, y + 30, f"One upright line is one scheme: {kinds}.", 12, QUIET))
    said = "The world is made up and the truth planted; the nodes were told nothing of it."
    parts.append(text(22, y + 48, said, 12, QUIET))
    return "".join(parts)


def timeline(frozen: Frozen) -> str:
    """From the joint finding to the freeze: a lane for each node, a numbered step for each act."""
    lanes = dict.fromkeys((frozen.requester, frozen.requested, frozen.holder))
    heights = {name: 92 + number * 62.0 for number, name in enumerate(lanes)}
    begin, left, right = frozen.moments[0].at, 150.0, 930.0
    spans = [(moment.at - begin).total_seconds() for moment in frozen.moments]
    longest = max(spans[-1], 0.001)
    places: list[float] = []
    for span in spans:  # a step never hides the one before it
        at = left + 20 + (right - left - 40) * span / longest
        places.append(max(at, places[-1] + 27) if places else at)
    scale = (right - 20) / max(places[-1], right - 20)
    places = [left + (place - left) * scale for place in places]
    title = f"{frozen.seconds:.1f} seconds from the joint finding to the freeze"
    about = " ".join(
        f"{number}. After {span:.2f} seconds {moment.who} {moment.what}."
        for number, (span, moment) in enumerate(zip(spans, frozen.moments, strict=True), 1)
    )
    bottom = 92 + (len(lanes) - 1) * 62.0
    parts = [_open(960, bottom + 58, "timeline", title, about), text(22, 36, title, 17, font_weight="650")]
    for name, y in heights.items():
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="{LINE}" stroke-width="2"/>')
        parts.append(text(22, y + 4.5, name, 13.5, font_weight="600"))
    points = list(zip(places, (heights[moment.who] for moment in frozen.moments), strict=True))
    parts.append(
        f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in points)}" fill="none" stroke="{TOGETHER}" '
        'stroke-width="2.4" stroke-opacity="0.5"/>'
    )
    for number, ((x, y), moment) in enumerate(zip(points, frozen.moments, strict=True), 1):
        last = number == len(points)
        fill = ALONE if last else TOGETHER
        shape = (
            f'<rect x="{x - 11:.1f}" y="{y - 11:.1f}" width="22" height="22" rx="3" fill="{fill}"/>'
            if last
            else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="{fill}"/>'
        )
        said = f"<title>{html.escape(f'{moment.who} {moment.what}')}</title>"
        figure = text(x, y + 4.5, str(number), 12.5, PAPER, text_anchor="middle", font_weight="700")
        parts.append(f"<g>{said}{shape}{figure}</g>")
    parts.append(text(left, bottom + 40, "0 s", 12, QUIET))
    parts.append(text(right, bottom + 40, f"{spans[-1]:.1f} s", 12, QUIET, text_anchor="end"))
    return "\n".join([*parts, "</svg>"])

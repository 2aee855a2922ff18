"""Changes of law over the years as one SVG: a lane for each law, a mark for each day and direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from comity.app.standard.svg import LINE, PAPER, QUIET, opening, safe, text
from comity.model import Confidence
from comity.standard.changes import Change
from comity.standard.strictness import Place

COLOURS = {
    Place.STRICTER: "#14612f",
    Place.WEAKER: "#9b1c1c",
    Place.EQUAL: "#1b4b7a",
    Place.SILENT: "#7a4b00",
    Place.UNKNOWN: "#51606e",
}
WORDS = {
    Place.STRICTER: "stricter",
    Place.WEAKER: "weaker",
    Place.EQUAL: "as strict, but other words",
    Place.SILENT: "the law stops answering",
    Place.UNKNOWN: "not known, or without an order",
}
_WIDTH, _LEFT, _RIGHT, _TOP = 1000.0, 206.0, 978.0, 108.0
_APART, _ROW, _PAD, _FOOT = 16.0, 17.0, 9.0, 30.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """The changes of one law on one day in one direction, at its day and in a row where it hides no other."""

    on: date
    place: Place
    changes: tuple[Change, ...]
    x: float
    row: int


def draw(changes: Sequence[Change], names: Mapping[str, str], since: date, until: date, today: date) -> str:
    """The picture, for any number of changes. ``names``: each law in words; all text is escaped."""
    lanes = {
        law: _marks([each for each in changes if each.jurisdiction == law], since, until)
        for law in sorted({each.jurisdiction for each in changes}, key=lambda law: names[law])
    }
    heights = {law: _tall(marks) for law, marks in lanes.items()}
    bottom = _TOP + max(sum(heights.values()), 40)
    title = f"Changes of law from {since} to {until}"
    parts = [
        opening("time", _WIDTH, bottom + _FOOT, title, _about(changes, names)),
        *_years(since, until, bottom, dense=until.year - since.year > 25),
        _today(since, until, today, bottom),
    ]
    y = _TOP
    for law, marks in lanes.items():
        middle = y + heights[law] / 2
        parts.append(f'<path class="rule" d="M14 {y:.1f}H{_RIGHT}" stroke="{LINE}"/>')
        parts.append(text(14, middle + 4, _short(names[law]), 12, font_weight="600"))
        parts += [_group(mark, y + _PAD + (mark.row + 0.5) * _ROW) for mark in marks]
        y += heights[law]
    if not lanes:
        parts.append(text(_LEFT, _TOP + 24, "No change is recorded between these days.", 13, quiet=True))
    return "\n".join([*parts, _legend(20), "</svg>"])


def _marks(changes: Sequence[Change], since: date, until: date) -> list[_Mark]:
    """Every mark stands exactly at its day; marks that would touch go to rows of their own."""
    groups: dict[tuple[date, Place], list[Change]] = {}
    for each in changes:
        groups.setdefault((each.on, each.place), []).append(each)
    ends: list[float] = []
    found = []
    for (on, place), group in sorted(groups.items()):
        x = _x(on, since, until)
        wide = x + (_APART + 8 if len(group) > 1 else _APART)
        row = next((number for number, end in enumerate(ends) if end <= x), len(ends))
        ends[row:] = [wide, *ends[row + 1 :]]
        found.append(_Mark(on, place, tuple(group), x, row))
    return found


def _tall(marks: Sequence[_Mark]) -> float:
    return 2 * _PAD + _ROW * (1 + max((mark.row for mark in marks), default=0))


def _about(changes: Sequence[Change], names: Mapping[str, str]) -> str:
    counts: dict[tuple[str, Place], int] = {}
    for each in changes:
        key = (names[each.jurisdiction], each.place)
        counts[key] = counts.get(key, 0) + 1
    said = [f"{name}: {count} {WORDS[place]}." for (name, place), count in sorted(counts.items())]
    return " ".join(said) or "No change is recorded between these days."


def _x(on: date, since: date, until: date) -> float:
    days = (until - since).days or 1
    return _LEFT + (_RIGHT - _LEFT) * (on - since).days / days


def _years(since: date, until: date, bottom: float, dense: bool) -> list[str]:
    parts = []
    for year in range(since.year, until.year + 1):
        if dense and year % 10:
            continue
        on = max(date(year, 1, 1), since)
        x = _x(on, since, until)
        parts.append(f'<path class="rule" d="M{x:.1f} {_TOP - 8}V{bottom:.1f}" stroke="{LINE}"/>')
        if x < _RIGHT - 24:
            parts += [text(x + 3, y, str(year), 11.5, quiet=True) for y in (_TOP - 12, bottom + 16)]
    return parts


def _today(since: date, until: date, today: date, bottom: float) -> str:
    if not since <= today <= until:
        return ""
    x = _x(today, since, until)
    anchor, step = ("end", -4) if x > _RIGHT - 90 else ("start", 4)
    line = f'<path class="today" d="M{x:.1f} {_TOP - 34}V{bottom:.1f}" stroke="{QUIET}" stroke-width="1.5" '
    return (
        f'{line}stroke-dasharray="4 3"/>'
        f"{text(x + step, _TOP - 28, f'today, {today}', 11, text_anchor=anchor)}"
    )


def _group(mark: _Mark, y: float) -> str:
    """One mark, its title, and how many changes it stands for."""
    sure = all(each.confidence is Confidence.HIGH for each in mark.changes)
    count = len(mark.changes)
    said = f"{mark.on}: {count} {WORDS[mark.place]}. " + " ".join(each.why for each in mark.changes[:8])
    said += f" And {count - 8} more." if count > 8 else ""
    said += "" if sure else " Of less than high confidence."
    number = text(mark.x + 8.5, y + 4, str(count), 10, quiet=True) if count > 1 else ""
    return f"<g><title>{safe(said)}</title>{_mark(mark.x, y, mark.place, sure)}{number}</g>"


def _mark(x: float, y: float, place: Place, sure: bool) -> str:
    """A shape for each direction, hollow where it is of less than high confidence."""
    colour = COLOURS[place]
    kind = f"m-{place.value}" if sure else f"m-{place.value} hollow"
    paint = f'class="{kind}" stroke="{colour}" stroke-width="1.8" fill="{colour if sure else PAPER}"'
    if place is Place.STRICTER:
        return f'<path {paint} d="M{x:.1f} {y - 7:.1f}l7 12h-14z"/>'
    if place is Place.WEAKER:
        return f'<path {paint} d="M{x:.1f} {y + 7:.1f}l7-12h-14z"/>'
    if place is Place.EQUAL:
        return f'<circle {paint} cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>'
    if place is Place.SILENT:
        return f'<rect {paint} x="{x - 5.5:.1f}" y="{y - 5.5:.1f}" width="11" height="11"/>'
    return f'<path {paint} d="M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7-7z"/>'


def _legend(y: float) -> str:
    parts, x = [], 24.0
    for place, words in WORDS.items():
        parts.append(_mark(x, y, place, True) + text(x + 14, y + 4, words, 11.5, quiet=True))
        x += 44 + len(words) * 6.2
    parts.append(_mark(24, y + 24, Place.STRICTER, False))
    said = "hollow: of less than high confidence. A number beside a mark counts the changes of that day."
    parts.append(text(38, y + 28, said, 11.5, quiet=True))
    return "".join(parts)


def _short(name: str) -> str:
    return name if len(name) < 29 else f"{name[:27]}…"

"""Draw a flow of value as one self-contained, accessible SVG: no script, no style attribute.

From left to right by hops; a ribbon is as wide as the value it carries; every kind of node has its own
shape and pattern besides its colour. Text stays legible on a telephone, 390 pixels wide.
"""

from __future__ import annotations

import hashlib
import html
import unicodedata
from collections.abc import Iterable, Mapping

from comity.model import AccountId, AssetId, Transfer
from comity.tracing.layout import WIDTH, Layout, Link, Node, layout
from comity.tracing.trace import Direction, Trace

INK, QUIET, PAPER = "#16233a", "#5b6880", "#ffffff"
COLOURS = {
    "start": "#16233a",
    "account": "#3f6fb5",
    "hub": "#7a879c",
    "service": "#0b7a6f",
    "stopped": "#9a6a1f",
    "more": "#7a879c",
}
WORDS = {
    "start": "start",
    "account": "account",
    "hub": "transaction",
    "service": "service, trace ends",
    "stopped": "trace stopped at a limit",
    "more": "several, drawn as one",
}
RETURN = "#b4491d"
TOP, BOTTOM, BAR = 66.0, 40.0, 9.0
TEXT, SMALL = 13.0, 11.5
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def flow_svg(trace_or_transfers: Trace | Iterable[Transfer], *, title: str, labels: Mapping[str, str]) -> str:
    """The diagram of a trace, or of transfers, as an ``<svg>`` element to put into a page.

    ``labels`` names accounts in words; accounts of one label are drawn as one. At most about 40 nodes
    are drawn; the smallest are gathered. Everything given is escaped.
    """
    given = trace_or_transfers if isinstance(trace_or_transfers, Trace) else tuple(trace_or_transfers)
    plan = layout(given, labels)
    unit = _unit(given)
    mark = "flow-" + hashlib.sha256(repr((title, given)).encode()).hexdigest()[:10]
    kinds = [kind for kind in WORDS if any(node.kind == kind for node in plan.nodes)]
    by_value = sorted(plan.links, key=lambda link: -link.value)
    back = [link for link in by_value if link.returns]
    legend, legend_height = _legend(kinds, bool(back), any(link.estimated for link in plan.links), mark)
    floor = TOP + plan.height + 14 + (26 if back else 0)
    height = floor + legend_height + 12
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {WIDTH:g} {height:.0f}" '
            f'width="100%" role="img" aria-labelledby="{mark}-t {mark}-d" font-family="{_FONT}">'
        ),
        f'<title id="{mark}-t">{_safe(title)}</title>',
        f'<desc id="{mark}-d">{_safe(_words(given, plan, unit))}</desc>',
        _patterns(mark),
        (
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{height - 1:.0f}" rx="10" fill="{PAPER}" '
            'stroke="#d9dfe8"/>'
        ),
        _text(24, 28, _cut(title, 62), 16, INK, weight=650),
        _text(24, 47, _summary(given, plan, unit), SMALL, QUIET),
        *(_guide(x, plan) for x in plan.columns),
        *(
            _ribbon(link, unit, mark)
            for link in sorted(plan.links, key=lambda k: -k.value)
            if not link.returns
        ),
        *(_loop(link, unit, floor, mark) for link in back),
        *(_node(node, plan, unit, mark) for node in plan.nodes),
        f'<g transform="translate(24 {floor + 6:.1f})">{legend}</g>',
        "</svg>",
    ]
    return "\n".join(parts)


def _unit(given: Trace | tuple[Transfer, ...]) -> str:
    """What the values are counted in; nothing where transfers are worth different things."""
    if isinstance(given, Trace):
        return AssetId(given.reference).symbol
    plain = all(t.amount is not None and t.value in (None, t.amount.quantity) for t in given)
    units = {t.amount.asset.symbol for t in given if t.amount is not None}
    return units.pop() if plain and len(units) == 1 else ""


def _figure(value: float, unit: str = "") -> str:
    """A value in few characters."""
    if value >= 10_000_000:
        text = f"{value / 1e6:,.3g}M" if value < 1e9 else f"{value / 1e6:,.0f}M"
    elif value >= 100_000:
        text = f"{value / 1e3:,.4g}k"
    elif value >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return f"{text} {unit}".strip()


def _dates(links: Iterable[Link]) -> str:
    times = [time for link in links for time in (link.first, link.last) if time is not None]
    if not times:
        return ""
    first, last = (f"{t.day} {t:%b %Y}" for t in (min(times), max(times)))
    return first if first == last else f"{first} to {last}"


def _summary(given: Trace | tuple[Transfer, ...], plan: Layout, unit: str) -> str:
    count = sum(link.count for link in plan.links)
    parts = [f"{count} transfer{'s' if count != 1 else ''}", _dates(plan.links)]
    if isinstance(given, Trace):
        way = "traced forward" if given.direction is Direction.FORWARD else "traced back"
        parts.insert(0, f"{_figure(float(given.value), unit)} {way}")
    elif unit:
        parts.insert(0, f"values in {unit}")
    return " · ".join(part for part in parts if part)


def _words(given: Trace | tuple[Transfer, ...], plan: Layout, unit: str) -> str:
    """The diagram in words, for who does not see it."""
    largest = sorted(plan.links, key=lambda link: -link.value)[:12]
    sentences = [_summary(given, plan, unit) + ".", *(_ribbon_words(link, unit) for link in largest)]
    if len(plan.links) > 12:
        sentences.append(f"And {len(plan.links) - 12} smaller flows.")
    return " ".join(sentences)


def _ribbon_words(link: Link, unit: str) -> str:
    times = f"{link.count} transfer{'s' if link.count != 1 else ''}, {_dates([link])}"
    guess = ", estimated" if link.estimated else ""
    return f"{_name(link.source)} to {_name(link.target)}: {_figure(link.value, unit)}{guess} ({times})."


def _name(node: Node) -> str:
    return node.label if node.label not in node.ids else AccountId(node.label).address


def _safe(text: str) -> str:
    """Escaped, without control characters and without those that turn the direction of text."""
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    return html.escape(kept, quote=True)


def _cut(text: str, room: int) -> str:
    """Shorten a name at its end, an identifier (no blanks) in its middle."""
    room = max(room, 4)
    if len(text) <= room:
        return text
    if " " in text.strip():
        return text[: room - 1].rstrip() + "…"
    room = min(room, 12)
    tail = (room - 1) // 2
    return f"{text[: room - 1 - tail]}…{text[-tail:]}"


def _text(x: float, y: float, text: str, size: float, fill: str, *, weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" fill="{fill}" '
        f'stroke="{PAPER}" stroke-width="3.5" stroke-linejoin="round" paint-order="stroke">'
        f"{_safe(text)}</text>"
    )


def _patterns(mark: str) -> str:
    """Hatching for what is estimated or gathered, and the arrow head of what returns."""

    def hatch(name: str, ground: str, line: str, turn: int) -> str:
        return (
            f'<pattern id="{mark}-{name}" width="5" height="5" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate({turn})"><rect width="5" height="5" fill="{ground}"/>'
            f'<path d="M0 0V5" stroke="{line}" stroke-width="2.4"/></pattern>'
        )

    return (
        "<defs>"
        + hatch("estimated", "#dbe5f3", "#9db8dd", 45)
        + hatch("stopped", "#f3e6cd", COLOURS["stopped"], 45)
        + hatch("more", "#e4e8ee", COLOURS["more"], -45)
        + f'<marker id="{mark}-arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8Z" fill="{RETURN}"/></marker>'
        "</defs>"
    )


def _guide(x: float, plan: Layout) -> str:
    middle = x + BAR / 2
    return (
        f'<path d="M{middle:.1f} {TOP:g}V{TOP + plan.height:.1f}" stroke="#e6eaf0" stroke-width="1" '
        'stroke-dasharray="2 4"/>'
    )


def _ribbon(link: Link, unit: str, mark: str) -> str:
    """A ribbon, through the bends on its way: along its upper edge, and back along the lower one."""
    pieces = link.pieces or [link]
    half = link.width / 2
    there, back = "", ""
    for piece in pieces:
        x0, x1 = piece.source.x + BAR, piece.target.x
        y0, y1, middle = TOP + piece.y_source, TOP + piece.y_target, (x0 + x1) / 2
        there += f"L{x0:.1f} {y0 - half:.1f}C{middle:.1f} {y0 - half:.1f} {middle:.1f} {y1 - half:.1f} "
        there += f"{x1:.1f} {y1 - half:.1f}"
        back = (
            f"L{x1:.1f} {y1 + half:.1f}C{middle:.1f} {y1 + half:.1f} {middle:.1f} {y0 + half:.1f} "
            f"{x0:.1f} {y0 + half:.1f}"
        ) + back
    fill = f"url(#{mark}-estimated)" if link.estimated else COLOURS[_tone(link)]
    return (
        f'<path class="flow-ribbon" fill="{fill}" fill-opacity="{0.8 if link.estimated else 0.3}" '
        f'd="M{there[1:]}{back}Z"><title>{_safe(_ribbon_words(link, unit))}</title></path>'
    )


def _tone(link: Link) -> str:
    ends = {link.source.kind, link.target.kind}
    return "service" if "service" in ends else "account"


def _loop(link: Link, unit: str, floor: float, mark: str) -> str:
    """What returns to the left goes round below everything else, dashed, with an arrow head."""
    x0, x1 = link.source.x + BAR, link.target.x
    y0 = TOP + link.source.y + max(link.source.height - 3, link.source.height / 2)
    y1 = TOP + link.target.y + max(link.target.height - 3, link.target.height / 2)
    low = floor - 8
    return (
        f'<path class="flow-return" fill="none" stroke="{RETURN}" stroke-dasharray="5 4" '
        f'stroke-width="{min(max(link.width, 1.4), 2.6):.1f}" marker-end="url(#{mark}-arrow)" '
        f'd="M{x0:.1f} {y0:.1f}C{x0 + 26:.1f} {y0:.1f} {x0 + 26:.1f} {low:.1f} {x0 - 8:.1f} {low:.1f}'
        f"H{x1 + 8:.1f}C{x1 - 18:.1f} {low:.1f} {x1 - 20:.1f} {y1:.1f} {x1 - 2:.1f} {y1:.1f}"
        f'"><title>{_safe(_ribbon_words(link, unit))}</title></path>'
    )


def _shape(kind: str, x: float, y: float, height: float, mark: str) -> str:
    """A node's own shape: also told apart without colour."""
    colour = COLOURS[kind]
    if kind == "hub":
        radius = min(max(height / 2, 3.5), BAR / 2 + 1)
        return (
            f'<rect x="{x + BAR / 2 - 1.5:.1f}" y="{y:.1f}" width="3" height="{height:.1f}" fill="{colour}"/>'
            f'<circle cx="{x + BAR / 2:.1f}" cy="{y + height / 2:.1f}" r="{radius:.1f}" fill="{PAPER}" '
            f'stroke="{colour}" stroke-width="2"/>'
        )
    fill = f"url(#{mark}-{kind})" if kind in ("stopped", "more") else colour
    bar = f'<rect x="{x:.1f}" y="{y:.1f}" width="{BAR:g}" height="{height:.1f}" rx="1.5" fill="{fill}"'
    bar += f' stroke="{colour}" stroke-width="1"/>' if kind in ("stopped", "more") else "/>"
    if kind == "service":
        edge = f'x="{x + BAR + 2.5:.1f}" y="{y:.1f}" width="2.5" height="{height:.1f}"'
        bar += f'<rect {edge} rx="1" fill="{colour}"/>'
    if kind == "start":
        middle, tail = y + height / 2, x - 12
        arrow = f"M{tail:.1f} {middle - 6:.1f}L{x - 3:.1f} {middle:.1f}L{tail:.1f} {middle + 6:.1f}Z"
        bar += f'<path d="{arrow}" fill="{colour}"/>'
    return bar


def _node(node: Node, plan: Layout, unit: str, mark: str) -> str:
    y = TOP + node.y
    ahead = [x for x in plan.columns if x > node.x + 1]
    room = (min(ahead) - node.x if ahead else WIDTH - node.x) - 8
    full = [*node.ids[:12], *([f"and {len(node.ids) - 12} more"] if len(node.ids) > 12 else [])]
    about = [node.label, *full] if node.label not in node.ids else full
    notes = f" ({', '.join(dict.fromkeys(node.notes))})" if node.notes else ""
    words = f"{WORDS[node.kind]}: {', '.join(about)}; {_figure(node.value, unit)}{notes}"
    parts = [f'<g class="flow-node flow-{node.kind}"><title>{_safe(words)}</title>']
    parts.append(_shape(node.kind, node.x, y, node.height, mark))
    if node.kind != "hub":
        label = _cut(_name(node), int(room / (TEXT * 0.64)))
        parts.append(_text(node.x, y - 19, label, TEXT, INK, weight=600))
        parts.append(_text(node.x, y - 5.5, _figure(node.value), SMALL, QUIET))
    return "".join(parts) + "</g>"


def _legend(kinds: list[str], returns: bool, estimated: bool, mark: str) -> tuple[str, float]:
    """Every kind of node and line in the picture, in words; and the height it takes."""
    entries = [(_shape(kind, 4, 0, 12, mark), WORDS[kind]) for kind in kinds]
    if estimated:
        entries.append((f'<rect width="16" height="12" fill="url(#{mark}-estimated)"/>', "value estimated"))
    if returns:
        line = f'<path d="M0 6H16" stroke="{RETURN}" stroke-width="2" stroke-dasharray="6 3"/>'
        entries.append((line, "returns"))
    x, y, parts = 8.0, 6.0, []
    for shape, words in entries:
        width = 38 + len(words) * SMALL * 0.54
        if x + width > WIDTH - 40 and x > 8:
            x, y = 8.0, y + 20
        parts.append(
            f'<g transform="translate({x:.1f} {y:.1f})">{shape}{_text(24, 10, words, SMALL, QUIET)}</g>'
        )
        x += width
    return "".join(parts), y + 20

"""The shapes of a flow diagram as SVG: each kind of node told apart by its form, too."""

from __future__ import annotations

from dataclasses import dataclass

from comity.tracing._draw_place import Link
from comity.tracing._draw_words import safe

INK, QUIET, PAPER, RULE = "#16233a", "#5b6880", "#ffffff", "#c3ccd8"
COLOURS = {
    "start": "#16233a",
    "account": "#3f6fb5",
    "hub": "#7a879c",
    "service": "#0b7a6f",
    "stopped": "#9a6a1f",
    "more": "#7a879c",
}
RETURN = "#b4491d"
AXIS, TOP, BAR = 112.0, 114.0, 9.0
"""Where the line of time lies, where the columns begin below it, and how broad a node is."""
TEXT, SMALL = 13.0, 11.5
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def line(
    x: float,
    y: float,
    words: str,
    size: float,
    *,
    quiet: bool = False,
    weight: int = 400,
    middle: bool = False,
) -> str:
    """A line of text, with an edge of paper so that it can be read on a ribbon."""
    tone, fill = ("quiet", QUIET) if quiet else ("ink", INK)
    anchor = ' text-anchor="middle"' if middle else ""
    return (
        f'<text class="{tone}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" '
        f'fill="{fill}" stroke="{PAPER}" stroke-width="3.5" stroke-linejoin="round" paint-order="stroke"'
        f"{anchor}>"
        f"{safe(words)}</text>"
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line of the axis."""

    x0: float
    y0: float
    x1: float
    y1: float
    dashed: bool = False

    def draw(self) -> str:
        dashes = ' stroke-dasharray="2 4"' if self.dashed else ""
        return (
            f'<path class="rule" d="M{self.x0:.1f} {self.y0:.1f}L{self.x1:.1f} {self.y1:.1f}" '
            f'stroke="{RULE}" stroke-width="1"{dashes}/>'
        )


def patterns(mark: str) -> str:
    """Hatching for what is estimated or gathered, and the arrow head of what returns."""

    def hatch(name: str, ground: str, stroke: str, turn: int) -> str:
        return (
            f'<pattern id="{mark}-{name}" width="5" height="5" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate({turn})"><rect class="g-{name}" width="5" height="5" fill="{ground}"/>'
            f'<path class="s-{name}" d="M0 0V5" stroke="{stroke}" stroke-width="2.4"/></pattern>'
        )

    return (
        "<defs>"
        + hatch("estimated", "#dbe5f3", "#9db8dd", 45)
        + hatch("stopped", "#f3e6cd", COLOURS["stopped"], 45)
        + hatch("more", "#e4e8ee", COLOURS["more"], -45)
        + f'<marker id="{mark}-arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="f-return" d="M0 0L8 4L0 8Z" '
        f'fill="{RETURN}"/>'
        "</marker></defs>"
    )


def ribbon(link: Link) -> str:
    """The outline of a ribbon through its bends: along the upper edge, and back along the lower one."""
    half = link.width / 2
    there, back = "", ""
    for piece in link.pieces or [link]:
        x0, x1 = piece.source.x + BAR, piece.target.x
        y0, y1, middle = TOP + piece.y_source, TOP + piece.y_target, (x0 + x1) / 2
        there += f"L{x0:.1f} {y0 - half:.1f}C{middle:.1f} {y0 - half:.1f} {middle:.1f} {y1 - half:.1f} "
        there += f"{x1:.1f} {y1 - half:.1f}"
        back = (
            f"L{x1:.1f} {y1 + half:.1f}C{middle:.1f} {y1 + half:.1f} {middle:.1f} {y0 + half:.1f} "
            f"{x0:.1f} {y0 + half:.1f}"
        ) + back
    return f"M{there[1:]}{back}Z"


def shape(kind: str, x: float, y: float, height: float, mark: str) -> str:
    """A node's own shape: also told apart without colour."""
    colour = COLOURS[kind]
    if kind == "hub":
        radius = min(max(height / 2, 3.5), BAR / 2 + 1)
        return (
            f'<rect class="f-hub" x="{x + BAR / 2 - 1.5:.1f}" y="{y:.1f}" width="3" height="{height:.1f}" '
            f'fill="{colour}"/><circle class="paper s-hub" cx="{x + BAR / 2:.1f}" cy="{y + height / 2:.1f}" '
            f'r="{radius:.1f}" fill="{PAPER}" stroke="{colour}" stroke-width="2"/>'
        )
    place = f'x="{x:.1f}" y="{y:.1f}" width="{BAR:g}" height="{height:.1f}" rx="1.5"'
    if kind in ("stopped", "more"):
        return (
            f'<rect class="s-{kind}" {place} fill="url(#{mark}-{kind})" stroke="{colour}" stroke-width="1"/>'
        )
    bar = f'<rect class="f-{kind}" {place} fill="{colour}"/>'
    if kind == "service":
        edge = f'x="{x + BAR + 2.5:.1f}" y="{y:.1f}" width="2.5" height="{height:.1f}"'
        bar += f'<rect class="f-service" {edge} rx="1" fill="{colour}"/>'
    if kind == "start":
        middle, tail = y + height / 2, x - 12
        arrow = f"M{tail:.1f} {middle - 6:.1f}L{x - 3:.1f} {middle:.1f}L{tail:.1f} {middle + 6:.1f}Z"
        bar += f'<path class="f-start" d="{arrow}" fill="{colour}"/>'
    return bar


def badge(x: float, y: float) -> str:
    """The sign that a node can be opened."""
    return (
        f'<rect class="badge" x="{x:.1f}" y="{y:.1f}" width="13" height="13" rx="3" fill="{PAPER}" '
        f'stroke="{INK}" stroke-width="1.2"/><path class="cross" '
        f'd="M{x + 3:.1f} {y + 6.5:.1f}h7M{x + 6.5:.1f} {y + 3:.1f}v7" stroke="{INK}" stroke-width="1.6"/>'
    )

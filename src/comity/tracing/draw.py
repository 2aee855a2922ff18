"""Draw a flow of value as one self-contained, accessible SVG: no script, no style attribute.

Time runs from left to right; a ribbon is as wide as the value it carries; every kind of node has its own
shape and pattern besides its colour. Colours stand in attributes, so that a file kept by itself is whole; the
class of each thing lets a page's style sheet give it the colours of a dark scheme. Nothing is scaled: text
stays legible on a telephone, where the picture scrolls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import pairwise

from comity.model import AccountId, AssetId, Transfer
from comity.tracing._draw_place import LEFT, Link, Node
from comity.tracing._draw_shapes import (
    AXIS,
    BAR,
    COLOURS,
    FONT,
    PAPER,
    RETURN,
    SMALL,
    TEXT,
    TOP,
    Line,
    badge,
    line,
    patterns,
    ribbon,
    shape,
)
from comity.tracing._draw_words import DAY, cut, dates, figure, gap, safe, tick
from comity.tracing.layout import layout
from comity.tracing.trace import Direction, Trace

WORDS = {
    "start": "start",
    "account": "account",
    "hub": "transaction",
    "service": "service, trace ends",
    "stopped": "trace stopped at a limit",
    "more": "several, drawn as one",
}
Opening = Callable[[Sequence[str]], str]
"""The address at which these keys are open too, "" where no more may be opened."""


def flow_svg(
    trace_or_transfers: Trace | Iterable[Transfer],
    *,
    title: str,
    labels: Mapping[str, str],
    note: str = "",
    opened: Container[str] = frozenset(),
    link: Opening | None = None,
) -> str:
    """The diagram of a trace, or of transfers, as an ``<svg>`` element to put into a page.

    ``labels`` names accounts in words; accounts of one label are drawn as one. At most about 40 nodes
    are drawn; the smallest are gathered. What has its key in ``opened`` is drawn by itself. With ``link``
    a node that can be opened (see `Node`) is a link. ``note`` says more of how the trace was made.
    Everything given is escaped.
    """
    given = trace_or_transfers if isinstance(trace_or_transfers, Trace) else tuple(trace_or_transfers)
    return _Picture(given, title, labels, note, opened, link).svg()


class _Picture:
    def __init__(
        self,
        given: Trace | tuple[Transfer, ...],
        title: str,
        labels: Mapping[str, str],
        note: str,
        opened: Container[str],
        link: Opening | None,
    ) -> None:
        self.given, self.title, self.note, self.opened, self.link = given, title, note, opened, link
        self.plan = layout(given, labels, opened)
        self.unit = _unit(given)
        seed = repr((title, given, [node.key for node in self.plan.nodes]))
        self.mark = "flow-" + hashlib.sha256(seed.encode()).hexdigest()[:10]

    def svg(self) -> str:
        plan, mark = self.plan, self.mark
        by_value = sorted(plan.links, key=lambda link: -link.value)
        back = [link for link in by_value if link.returns]
        nodes = [self._node(node) for node in plan.nodes]
        floor = TOP + plan.height + 14 + (26 if back else 0)
        legend, legend_height = self._legend(bool(back))
        height = floor + legend_height + 12
        # A picture is one thing to who hears it; with links in it, a group of things.
        role = "group" if self.link else "img"
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" viewBox="0 0 {plan.width:g} '
                f'{height:.0f}" width="{plan.width:g}" height="{height:.0f}" role="{role}" '
                f'aria-labelledby="{mark}-t {mark}-d" font-family="{FONT}">'
            ),
            f'<title id="{mark}-t">{safe(self.title)}</title>',
            f'<desc id="{mark}-d">{safe(self._words())}</desc>',
            patterns(mark),
            (
                f'<rect class="paper" x="0.5" y="0.5" width="{plan.width - 1:g}" height="{height - 1:.0f}" '
                f'rx="10" fill="{PAPER}" stroke="#d9dfe8"/>'
            ),
            line(LEFT, 28, cut(self.title, int(plan.width / 9)), 16, weight=650),
            line(LEFT, 47, cut(self._summary(), int(plan.width / 6)), SMALL, quiet=True),
            *self._axis(),
            *(self._ribbon(link) for link in by_value if not link.returns),
            *(self._loop(link, floor) for link in back),
            *nodes,
            f'<g transform="translate({LEFT:g} {floor + 6:.1f})">{legend}</g>',
            "</svg>",
        ]
        return "\n".join(parts)

    def _summary(self) -> str:
        given, count = self.given, sum(link.count for link in self.plan.links)
        parts = [f"{count:,} transfer{'s' if count != 1 else ''}", _dates(self.plan.links)]
        if isinstance(given, Trace):
            way = "traced forward" if given.direction is Direction.FORWARD else "traced back"
            parts.insert(0, f"{figure(float(given.value), self.unit)} {way}")
        elif self.unit:
            parts.insert(0, f"values in {self.unit}")
        return " · ".join(part for part in [*parts, self.note] if part)

    def _words(self) -> str:
        """The diagram in words, for who does not see it."""
        links = self.plan.links
        largest = sorted(links, key=lambda link: -link.value)[:12]
        sentences = [f"{self._summary()}.", *(self._link_words(link) for link in largest)]
        if len(links) > 12:
            sentences.append(f"And {len(links) - 12} smaller flows.")
        return " ".join(sentences)

    def _link_words(self, link: Link) -> str:
        times = f"{link.count:,} transfer{'s' if link.count != 1 else ''}, {_dates([link])}"
        guess = ", estimated" if link.estimated else ""
        value = figure(link.value, self.unit) + guess + _tainted(link)
        return f"{_name(link.source)} to {_name(link.target)}: {value} ({times})."

    def _axis(self) -> list[str]:
        """The dates above the columns, how long passed between them, and a line down each."""
        plan, bottom = self.plan, TOP + self.plan.height
        dated = [(each, each.first, each.last) for each in plan.ticks if each.first and each.last]
        if not dated:
            return []
        whole = max(last for _, _, last in dated) - min(first for _, first, _ in dated)
        back = isinstance(self.given, Trace) and self.given.direction is Direction.BACKWARD
        what = f"When value {'left' if back else 'reached'} the accounts below (UTC)"
        what += (
            ", from left to right in order of time"
            if plan.by_time
            else "; columns by hops, dates may overlap"
        )
        parts = [
            line(LEFT, AXIS - 45, what, SMALL, quiet=True),
            Line(plan.ticks[0].x, AXIS, plan.ticks[-1].x + BAR, AXIS).draw(),
        ]
        for each, first, last in dated:
            middle = each.x + BAR / 2
            parts.append(Line(middle, AXIS - 4, middle, bottom, dashed=True).draw())
            parts.append(Line(middle, AXIS - 4, middle, AXIS + 4).draw())
            upper, lower = tick(first, last, whole < 4 * DAY)
            for y, words in ((AXIS - 20, upper), (AXIS - 8, lower)) if lower else ((AXIS - 9, upper),):
                parts.append(line(each.x, y, words, SMALL, weight=600))
        for (near, _, before), (far, after, _) in pairwise(dated):
            if plan.by_time and after > before and far.x - near.x > 90:
                parts.append(
                    line(
                        (near.x + far.x + BAR) / 2,
                        AXIS + 4,
                        gap(after - before),
                        10.5,
                        quiet=True,
                        middle=True,
                    )
                )
        return parts

    def _ribbon(self, link: Link) -> str:
        estimated = link.estimated
        tone = "service" if "service" in {link.source.kind, link.target.kind} else "account"
        fill = f"url(#{self.mark}-estimated)" if estimated else COLOURS[tone]
        named = "" if estimated else f" f-{tone}"
        return (
            f'<path class="flow-ribbon{named}" fill="{fill}" fill-opacity="{0.8 if estimated else 0.3}" '
            f'd="{ribbon(link)}"{self._role()}><title>{safe(self._link_words(link))}</title></path>'
        )

    def _loop(self, link: Link, floor: float) -> str:
        """What returns to the left goes round below everything else, dashed, with an arrow head."""
        x0, x1 = link.source.x + BAR, link.target.x
        y0 = TOP + link.source.y + max(link.source.height - 3, link.source.height / 2)
        y1 = TOP + link.target.y + max(link.target.height - 3, link.target.height / 2)
        low = floor - 8
        return (
            f'<path class="flow-return s-return" fill="none" stroke="{RETURN}" stroke-dasharray="5 4" '
            f'stroke-width="{min(max(link.width, 1.4), 2.6):.1f}" marker-end="url(#{self.mark}-arrow)" '
            f'd="M{x0:.1f} {y0:.1f}C{x0 + 26:.1f} {y0:.1f} {x0 + 26:.1f} {low:.1f} {x0 - 8:.1f} {low:.1f}'
            f"H{x1 + 8:.1f}C{x1 - 18:.1f} {low:.1f} {x1 - 20:.1f} {y1:.1f} {x1 - 2:.1f} {y1:.1f}"
            f'"{self._role()}><title>{safe(self._link_words(link))}</title></path>'
        )

    def _role(self) -> str:
        """Within a group each thing is a picture of its own, named by its title."""
        return ' role="img"' if self.link else ""

    def _address(self, node: Node) -> str:
        """Where the node is open, "" where it cannot be opened."""
        new = [part for part in node.parts if part not in self.opened]
        return self.link(new) if self.link and new else ""

    def _node(self, node: Node) -> str:
        y, address = TOP + node.y, self._address(node)
        ahead = [each.x for each in self.plan.ticks if each.x > node.x + 1]
        room = (min(ahead) - node.x if ahead else self.plan.width - node.x) - 8
        words = self._node_words(node)
        drawn = shape(node.kind, node.x, y, node.height, self.mark)
        if node.kind != "hub":
            shift = 17.0 if address else 0.0
            label = cut(_name(node), int((room - shift) / (TEXT * 0.64)))
            many = _which(node)
            drawn += line(node.x + shift, y - 19, label, TEXT, weight=600)
            drawn += line(node.x, y - 5.5, figure(node.value) + _tainted(node) + many, SMALL, quiet=True)
        if not address:
            return (
                f'<g class="flow-node flow-{node.kind}"{self._role()}><title>{safe(words)}</title>{drawn}</g>'
            )
        act = "Go on from here" if node.kind == "stopped" else "Show more of these by themselves"
        width, height = min(room, 110.0), node.height + 36
        touch = f'<rect x="{node.x - 2:.1f}" y="{y - 34:.1f}" width="{width:.1f}" height="{height:.1f}"'
        return (
            f'<a class="flow-node flow-{node.kind} flow-open" href="{safe(address)}" '
            f'aria-label="{safe(f"{act}: {words}")}"><title>{safe(f"{act}. {words}")}</title>'
            f'{touch} fill="none" pointer-events="all"/>{drawn}{badge(node.x, y - 30)}</a>'
        )

    def _node_words(self, node: Node) -> str:
        """All that is to be said of a node."""
        full = [*node.ids[:12], *([f"and {len(node.ids) - 12} more"] if len(node.ids) > 12 else [])]
        about = [node.label, *full] if node.label not in node.ids else full
        notes = f" ({', '.join(dict.fromkeys(node.notes))})" if node.notes else ""
        when = dates(node.moments)
        return (
            f"{WORDS[node.kind]}: {', '.join(about)}; {figure(node.value, self.unit)}{_tainted(node)}{notes}"
            + (f"; {when}" if when else "")
        )

    def _legend(self, returns: bool) -> tuple[str, float]:
        """Every kind of node and line in the picture, in words; and the height it takes."""
        nodes, links = self.plan.nodes, self.plan.links
        kinds = [kind for kind in WORDS if any(node.kind == kind for node in nodes)]
        entries = [(shape(kind, 4, 0, 12, self.mark), WORDS[kind]) for kind in kinds]
        if any(link.estimated for link in links):
            jumped = isinstance(self.given, Trace) and self.given.inferred
            words = "value estimated, or way inferred" if jumped else "value estimated"
            entries.append((f'<rect width="16" height="12" fill="url(#{self.mark}-estimated)"/>', words))
        if returns:
            dashes = f'<path class="s-return" d="M0 6H16" stroke="{RETURN}" stroke-width="2" '
            dashes += 'stroke-dasharray="6 3"/>'
            entries.append((dashes, "returns"))
        if any(self._address(node) for node in nodes):
            entries.append((badge(2, 0), "can be opened"))
        x, y, parts = 8.0, 6.0, []
        for drawn, words in entries:
            width = 38 + len(words) * SMALL * 0.54
            if x + width > self.plan.width - 40 and x > 8:
                x, y = 8.0, y + 20
            said = line(24, 10, words, SMALL, quiet=True)
            parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{drawn}{said}</g>')
            x += width
        return "".join(parts), y + 20


def _unit(given: Trace | tuple[Transfer, ...]) -> str:
    """What the values are counted in; nothing where transfers are worth different things."""
    if isinstance(given, Trace):
        return AssetId(given.reference).symbol
    plain = all(t.amount is not None and t.value in (None, t.amount.quantity) for t in given)
    units = {t.amount.asset.symbol for t in given if t.amount is not None}
    return units.pop() if plain and len(units) == 1 else ""


def _dates(links: Iterable[Link]) -> str:
    return dates(time for link in links for time in (link.first, link.last) if time is not None)


def _tainted(of: Node | Link) -> str:
    """By poison, what value was mixed with."""
    return f", tainted {figure(of.tainted)}" if of.tainted > of.value else ""


def _which(node: Node) -> str:
    """What tells a node from others of its name: how many accounts it stands for, or which."""
    if node.kind == "more" or node.label in node.ids:
        return ""
    one = len(node.ids) == 1
    return f" · {cut(AccountId(node.ids[0]).address, 12) if one else f'{len(node.ids):,} accounts'}"


def _name(node: Node) -> str:
    return node.label if node.label not in node.ids else AccountId(node.label).address

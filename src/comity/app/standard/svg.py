"""What the pictures of the standard share: SVG without script or style attribute, every text escaped.

Colours stand in attributes, so that a file kept by itself is whole; the class of each thing lets the pages'
style sheet give it the colours of a dark scheme.
"""

from __future__ import annotations

import html
import unicodedata

INK, QUIET, PAPER, LINE = "#16233a", "#51606e", "#ffffff", "#d9dfe8"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def safe(text: str) -> str:
    """Escaped, without control characters and without those that turn the direction of text."""
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    return html.escape(kept, quote=True)


def opening(mark: str, width: float, height: float, title: str, about: str) -> str:
    """The first tag with a title and a description for who does not see the picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-labelledby="{mark}-t {mark}-d" '
        f'font-family="{FONT}"><title id="{mark}-t">{safe(title)}</title>'
        f'<desc id="{mark}-d">{safe(about)}</desc>'
        f'<rect class="paper" width="{width:g}" height="{height:g}" fill="{PAPER}"/>'
    )


def text(x: float, y: float, words: str, size: float = 12, *, quiet: bool = False, **more: object) -> str:
    """A line of text; ``more`` are attributes, with ``_`` for ``-``."""
    extra = "".join(f' {name.replace("_", "-")}="{safe(str(value))}"' for name, value in more.items())
    tone, fill = ("quiet", QUIET) if quiet else ("ink", INK)
    return (
        f'<text class="{tone}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{extra}>'
        f"{safe(words)}</text>"
    )

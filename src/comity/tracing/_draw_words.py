"""What a flow diagram says: figures, names and dates in few characters, safe to put into markup."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def figure(value: float, unit: str = "") -> str:
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


def dates(times: Iterable[datetime]) -> str:
    """The days from the first to the last, "" for no time."""
    known = list(times)
    if not known:
        return ""
    first, last = (f"{t.day} {t:%b %Y}" for t in (min(known), max(known)))
    return first if first == last else f"{first} to {last}"


def tick(first: datetime, last: datetime, fine: bool) -> tuple[str, str]:
    """The two lines under which a column stands: its day or days, and where ``fine`` the time of day."""
    if first.date() == last.date():
        times = list(dict.fromkeys((f"{first:%H:%M}", f"{last:%H:%M}")))
        return f"{last.day} {last:%b %Y}", "–".join(times) if fine else ""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%b %Y}", ""
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} –", f"{last.day} {last:%b %Y}"


def gap(between: timedelta) -> str:
    """How long nothing happened, in words; "" below a minute."""
    if between >= 2 * DAY:
        return f"+{between.days:,} days"
    if between >= 2 * HOUR:
        return f"+{between // HOUR} h"
    return f"+{between // MINUTE} min" if between >= MINUTE else ""


def safe(text: str) -> str:
    """Escaped, without control characters and without those that turn the direction of text."""
    kept = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co"))
    return html.escape(kept, quote=True)


def cut(text: str, room: int) -> str:
    """Shorten a name at its end, an identifier (no blanks) in its middle."""
    room = max(room, 4)
    if len(text) <= room:
        return text
    if " " in text.strip():
        return text[: room - 1].rstrip() + "…"
    room = min(room, 12)
    tail = (room - 1) // 2
    return f"{text[: room - 1 - tail]}…{text[-tail:]}"

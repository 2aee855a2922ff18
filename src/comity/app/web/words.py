"""How nouns read on a page: Jinja's environment and its filters. Everything is escaped."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from comity.model import Confidence, Gateway, MessageKind, OnwardUse, Provision, Verdict
from comity.standard.resolve import cited, shown

# Control characters that reorder or hide text: a name could read as another one.
_HIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), 127, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd"
)

VERDICTS = {
    Verdict.REPORT: "Report the suspicion to the FIU",
    Verdict.FREEZE: "Freeze the accounts",
    Verdict.REQUEST: "Request information from a partner",
    Verdict.DISMISS: "Dismiss: there are no grounds for suspicion",
}
ONWARD = {
    OnwardUse.NONE: "No onward use",
    OnwardUse.WITH_CONSENT: "Onward use only with the sender's prior consent",
    OnwardUse.FREE: "Onward use allowed",
}
CONFIDENCE = {
    Confidence.HIGH: "● high confidence",
    Confidence.MEDIUM: "◐ medium confidence",
    Confidence.LOW: "▲ low confidence",
    Confidence.UNKNOWN: "? not established",
}


def _visible(value: Any) -> Any:
    return value.translate(_HIDDEN) if isinstance(value, str) and not isinstance(value, Markup) else value


def moment(at: datetime) -> Markup:
    """A time as ``2026-11-23 12:00 UTC``, readable by machines too."""
    return Markup('<time datetime="{}">{} UTC</time>').format(at.isoformat(), at.strftime("%Y-%m-%d %H:%M"))


def distance(at: datetime, now: datetime) -> str:
    """How far away ``at`` is: ``in 5 hours``, ``2 days overdue``."""
    gap = abs(at - now)
    if gap >= timedelta(days=2):
        size = f"{gap.days} days"
    elif gap >= timedelta(hours=2):
        size = f"{gap // timedelta(hours=1)} hours"
    else:
        size = f"{gap // timedelta(minutes=1)} min"
    return f"in {size}" if at >= now else f"{size} overdue"


def words(name: str) -> str:
    """A stable word of the model as people read it: ``freeze_request`` → ``freeze request``."""
    return str(name).replace("_", " ")


def figure(value: float) -> str:
    """A number with thousands separated and no idle decimals."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def short(digest: str) -> str:
    """The beginning of a hash."""
    return f"{digest[:12]}…" if len(digest) > 16 else digest


def part(text: str) -> str:
    """One segment of a URL's path."""
    return quote(text, safe="")


def answer(provision: Provision) -> str:
    """What a provision says; words of a list of words without their underscores."""
    text = shown(provision)
    return words(text) if isinstance(provision.value, (tuple, Gateway)) else text


def environment() -> Environment:
    """Jinja with autoescape on and unknown names refused."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(moment=moment, distance=distance, words=words, figure=figure, short=short, part=part)
    env.filters.update(
        answer=answer, cited=cited, drawing=Markup, sheet=Markup
    )  # our own SVG and CSS: no text of others
    env.globals.update(
        VERDICTS=VERDICTS,
        ONWARD=ONWARD,
        CONFIDENCE=CONFIDENCE,
        Confidence=Confidence,
        MessageKind=MessageKind,
    )
    return env

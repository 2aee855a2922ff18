"""One country's gaps as a document to print: what it has, what the standard asks, the exact text to adopt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from comity.app.standard.adopt import Adoption, adoption
from comity.app.standard.standing import Standing, edition, standing
from comity.app.web.words import environment
from comity.errors import BadInput
from comity.model import Confidence
from comity.standard.changes import Change, changes
from comity.standard.compare import Gap, gaps
from comity.standard.law import STANDARD, Question, Standard
from comity.standard.strictness import Place

AHEAD = 5
"""Years ahead that changes already made are shown."""
_CSS = Path(__file__).parents[1] / "web" / "static" / "report.css"


@dataclass(frozen=True, slots=True)
class Item:
    """One gap, with the question and the text that would close it."""

    gap: Gap
    question: Question
    adoption: Adoption


@dataclass(frozen=True, slots=True)
class Report:
    """All that the report of one country says. ``open``: gaps, the widest first. ``apart``: answers of which
    neither is stricter than the standard's. ``unknown``: what is not established."""

    on: date
    edition: str
    country: Standing
    standard: str
    open: tuple[Item, ...]
    apart: tuple[Item, ...]
    unknown: tuple[Item, ...]
    ahead: tuple[Change, ...]

    @property
    def unsure(self) -> int:
        """How many of the open gaps rest on less than high confidence."""
        return sum(item.gap.confidence is not Confidence.HIGH for item in self.open)

    @property
    def texts(self) -> tuple[Item, ...]:
        """Everything for which there is a text to adopt: what cannot be ordered closes by holding both."""
        return self.open + self.apart


def report(standard: Standard, jurisdiction: str, on: date) -> Report:
    """What one country's law lacks on a day. Raises NotFound; BadInput for the standard itself."""
    law = standard.jurisdiction(jurisdiction)
    if law.kind == STANDARD:
        raise BadInput(f"{law.id} is the standard itself", remedy="choose a country or a bloc")
    items = [
        Item(gap, standard.vocabulary.question(gap.question), adoption(standard, gap, on))
        for gap in gaps(standard, law.id, on)
    ]
    known = [item for item in items if item.gap.ours is None or item.gap.ours.value is not None]
    until = date(min(on.year + AHEAD, date.max.year), 12, 31)
    return Report(
        on,
        edition(standard),
        standing(standard, law.id, on),
        standard.jurisdictions[standard.root].name if standard.root else "",
        tuple(item for item in known if item.gap.place is not Place.UNKNOWN),
        tuple(item for item in known if item.gap.place is Place.UNKNOWN),
        tuple(item for item in items if item not in known),
        changes(standard, on, until, law.id),
    )


def page(found: Report, *, base: str | None = None) -> str:
    """The document. ``base``: where the pages that show it are; None for a file that carries its own style
    sheet and links to nothing."""
    css = _CSS.read_text("utf-8") if base is None else ""
    style = "" if base is None else f"{base}/report.css"
    back = "" if base is None else f"{base}/standard/countries/{found.country.jurisdiction}?on={found.on}"
    return (
        environment()
        .get_template("standard_report.html")
        .render(
            report=found,
            style=style,
            css=css,
            back=back,
            icon=f"{base}/icon.svg",
        )
    )

"""Where each law stands beside the standard on a day, in a few numbers; and the edition."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from comity.model import Confidence
from comity.standard.compare import Kept, answering, confidence, gaps, kept, standards
from comity.standard.law import STANDARD, Standard
from comity.standard.strictness import Place

STEPS = (0.7, 0.8, 0.9, 0.95)
STEP_WORDS = (
    "keeps less than 70 %",
    "keeps 70 to 79 %",
    "keeps 80 to 89 %",
    "keeps 90 to 94 %",
    "keeps 95 % or more",
)
NOT_ADVICE = "Not legal advice."


@dataclass(frozen=True, slots=True)
class Standing:
    """One law in numbers. ``open`` counts where it falls short or is silent, ``unknown`` what is not known,
    ``unsure`` the answers that are known with less than high confidence, of ``answers``. ``members``: the
    countries (ISO 3166-1) of a bloc."""

    jurisdiction: str
    name: str
    kind: str
    kept: Kept
    open: int
    unknown: int
    unsure: int
    answers: int
    members: tuple[str, ...]

    @property
    def step(self) -> int:
        """0 to 4: how much of what is known it keeps, for colours and words."""
        return sum(round(self.kept.kept, 2) >= limit for limit in STEPS)

    @property
    def half_known(self) -> bool:
        """Whether at least half is known: less is no ground to compare on."""
        return self.kept.known >= 0.5


def standing(standard: Standard, jurisdiction: str, on: date) -> Standing:
    """One law. Raises NotFound."""
    law = standard.jurisdiction(jurisdiction)
    found = gaps(standard, law.id, on)
    unknown = sum(gap.place is Place.UNKNOWN for gap in found)
    answers = unsure = 0
    for asked, theirs in standards(standard, on):
        ours = answering(standard, law.id, asked, on, dict(theirs.when))
        if ours is not None and ours.value is not None:
            answers += 1
            unsure += confidence((ours, theirs)) is not Confidence.HIGH
    held = kept(standard, law.id, on)
    return Standing(
        law.id, law.name, law.kind, held, len(found) - unknown, unknown, unsure, answers, law.members
    )


def standings(standard: Standard, on: date) -> tuple[Standing, ...]:
    """Every bloc and state, the one that keeps most first; those of which less than half is known last."""
    found = [
        standing(standard, each.id, on) for each in standard.jurisdictions.values() if each.kind != STANDARD
    ]
    return tuple(
        sorted(found, key=lambda each: (not each.half_known, -each.kept.kept, -each.kept.known, each.name))
    )


def edition(standard: Standard) -> str:
    """The day the newest of its provisions was reviewed, and a fingerprint of them all.

    Two nodes with the same edition compare the same law.
    """
    every = [
        each
        for law in sorted(standard.provisions)
        for question in sorted(standard.provisions[law])
        for each in standard.provisions[law][question]
    ]
    newest = max((each.reviewed for each in every if each.reviewed), default=date.min)
    return f"{newest}-{hashlib.sha256(repr(every).encode()).hexdigest()[:8]}"

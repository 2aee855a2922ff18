"""What cooperation gained, and what it cost: measured where the truth is known (planted schemes)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One thing that left an institution: how many bytes, items (keys, findings, transfers), subjects."""

    sender: str
    recipient: str
    bytes: int
    items: int
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """Schemes found (ids, sorted) and subjects accused in error, alone and together; what was disclosed.

    ``subjects`` counts the different persons or accounts disclosed; ``innocent`` those of them that
    belong to no scheme: the price that others paid.
    """

    planted: int
    alone: tuple[str, ...]
    together: tuple[str, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    false_alone: int
    false_together: int
    messages: int
    bytes: int
    items: int
    subjects: int
    innocent: int

    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        found = f"the institutions find {len(self.alone)} each alone and {len(self.together)} together"
        about = f"about {self.subjects} subjects, {self.innocent} of whom are in no scheme"
        return (
            f"Of {self.planted} schemes, {found}.",
            f"Subjects accused in error: {self.false_alone} alone, {self.false_together} together.",
            f"Disclosed for it: {self.messages} messages, {self.bytes:,} bytes, {self.items} items {about}.",
        )


def measure(
    schemes: Mapping[str, Collection[str]],
    alone: Mapping[str, Collection[str]],
    together: Collection[str],
    disclosures: Sequence[Disclosure],
) -> Value:
    """Compare what was found with what was planted.

    ``schemes``: the subjects of each planted scheme, any of whom found counts as finding it; ``alone``:
    the subjects each institution alerts on by itself; ``together``: those alerted on with cooperation.
    """
    by_themselves = {subject for found in alone.values() for subject in found}
    guilty = {subject for members in schemes.values() for subject in members}

    def caught(found: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(name for name, members in schemes.items() if not set(members).isdisjoint(found)))

    first, second = caught(by_themselves), caught(together)
    named = {subject for disclosure in disclosures for subject in disclosure.subjects}
    return Value(
        planted=len(schemes),
        alone=first,
        together=second,
        gained=tuple(name for name in second if name not in first),
        lost=tuple(name for name in first if name not in second),
        false_alone=len(by_themselves - guilty),
        false_together=len(set(together) - guilty),
        messages=len(disclosures),
        bytes=sum(disclosure.bytes for disclosure in disclosures),
        items=sum(disclosure.items for disclosure in disclosures),
        subjects=len(named),
        innocent=len(named - guilty),
    )

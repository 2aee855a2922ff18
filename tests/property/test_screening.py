"""Names of any kind are screened or refused; a listed name always finds its own entry."""

from __future__ import annotations

import random

from hypothesis import assume, given
from hypothesis import strategies as st

from comity.errors import BadInput
from comity.model import Listing, ListingKind, Party
from comity.screening.names import NameIndex
from comity.screening.words import fold, skeleton, words

FIRST = ["Orsolo", "Mstislav", "Tarek", "Ling", "Ngozi", "Aurélie", "Þór", "Μαρία", "Борис"]
LAST = [
    "Vantermeer",
    "Obraztsov",
    "Alsampli",
    "Xuan",
    "Okeke",
    "Dubois",
    "Jónsdóttir",
    "Δούκα",
    "Лисов",
    "حداد",
]
PEOPLE = [f"{first} {last}" for first in FIRST for last in LAST]
INDEX = NameIndex([Listing("l", name, ListingKind.SANCTION, Party(name)) for name in PEOPLE])


@given(st.text(max_size=120))
def test_any_text_is_screened_or_refused(name: str) -> None:
    try:
        found = INDEX.screen(name)
    except BadInput:
        assert not words(name)
        return
    assert all(0 <= finding.score <= 1 and finding.reasons and finding.evidence for finding in found)


@given(st.sampled_from(PEOPLE), st.randoms(use_true_random=False))
def test_order_and_case_do_not_matter(name: str, chance: random.Random) -> None:
    parts = name.upper().split()
    chance.shuffle(parts)
    assume(parts)
    best = INDEX.screen(" ".join(parts))[0]
    assert best.evidence == (f"l:{name}",)
    assert best.score == 1.0


@given(st.from_regex(r"[a-z0-9]{1,30}", fullmatch=True))
def test_fold_and_skeleton_are_never_longer(text: str) -> None:
    assert fold(text)
    assert len(fold(text)) <= len(text) + text.count("x")
    assert len(skeleton(text)) <= len(text)

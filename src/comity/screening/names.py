"""Name screening: which entries of the lists a name may be, and why we think so.

Each listed name and alias is compared word by word, in any order and script: words found close in spelling or
sound count by how rare they are (a shared "Mohammed" says little, a shared "Vantermeer" much), forms of
organisations, titles and particles hardly at all. The score of a name is 0.6 of the share of the given words
that was found plus 0.4 of the share of the listed words that was given. A birth date that agrees raises it,
one that contradicts lowers it and never leaves an alert, nor does a single word of a person's name; countries
weigh a little. The score ranks; it is not
a probability, and a person decides.

Parameters (engineering defaults, chosen on our own pairs): ``alert`` 0.88, ``watch`` 0.75.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from comity.errors import BadInput, TooLarge
from comity.model import Finding, FindingKind, Level, Listing, ListingKind, PartyKind
from comity.screening.evidence import MOST, check_birth_date, weigh
from comity.screening.near import SHORT, Vocabulary
from comity.screening.words import WEAK, Word, importance, words

ALERT = 0.88
WATCH = 0.75
MAX_NAME = 500
CANDIDATES = 250
SAME_SOUND = 0.97
CLOSE_SOUND = 0.95
SAME_CONSONANTS = 0.92
ONE_CONSONANT = 0.8
JOINED = 0.95
ONE_WORD_ONLY = 0.8


@dataclass(frozen=True, slots=True)
class _Name:
    entry: int
    text: str
    words: tuple[Word, ...]
    folds: tuple[int, ...]
    joined: str


@dataclass(frozen=True, slots=True)
class _Match:
    """How one listed name compares: pairs are (given word, listed word, similarity)."""

    score: float
    name: _Name
    pairs: tuple[tuple[str, str, float], ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    whole: bool
    telling: int


@dataclass(frozen=True, slots=True)
class _Given:
    """The name that is asked for. ``close``: per word, the folds of the lists it may be, and how sure."""

    words: tuple[Word, ...]
    weights: list[float]
    close: list[dict[int, float]]
    joined: str
    telling: int


class NameIndex:
    """The names of any number of listings. Build once per set of editions (80,000 names: seconds)."""

    def __init__(self, listings: Iterable[Listing], *, alert: float = ALERT, watch: float = WATCH) -> None:
        self._alert, self._watch = alert, watch
        self._least = watch - MOST - 0.001  # a name below this is not watched, whatever else is known
        self._listings: list[Listing] = []
        self._names: list[_Name] = []
        vocabulary: dict[tuple[str, bool], int] = {}
        for listing in listings:
            if listing.kind is ListingKind.SANCTION:  # an attribution names a service, not a person
                self._add(replace(listing, wallets=()), vocabulary)
        self._near = Vocabulary([fold for fold, _ in vocabulary])
        self._exact: dict[str, list[int]] = {}
        self._bones: dict[str, list[int]] = {}
        self._abjad_bones: dict[str, list[int]] = {}
        self._index_words(vocabulary)
        self._index_names()

    def __len__(self) -> int:
        """How many names and aliases are indexed."""
        return len(self._names)

    def screen(
        self, name: str, *, birth_date: str = "", countries: Sequence[str] = (), limit: int = 10
    ) -> tuple[Finding, ...]:
        """The entries a name may be, best first, at most ``limit``.

        ``birth_date`` is ISO 8601, a year at least; ``countries`` are ISO 3166-1 alpha-2. Raises BadInput
        when the name has no letters or digits to compare or the date is none, TooLarge past MAX_NAME
        characters.
        """
        if len(name) > MAX_NAME:
            raise TooLarge(f"a name of {len(name):,} characters", remedy=f"give at most {MAX_NAME}")
        given = words(name)
        if not given:
            raise BadInput(
                "no name to screen",
                why="it holds no letters or digits, and an empty answer would look like a clean one",
                remedy="give the name as it is written",
            )
        check_birth_date(birth_date)
        best: dict[int, _Match] = {}
        for match in self._matches(given):
            known = best.get(match.name.entry)
            if match.score < self._least:
                continue
            if known is None or match.score > known.score:
                best[match.name.entry] = match
        found = [self._finding(name, match, birth_date, countries) for match in best.values()]
        kept = [finding for finding in found if finding.score >= self._watch]
        return tuple(sorted(kept, key=lambda finding: (-finding.score, finding.id))[:limit])

    def _add(self, listing: Listing, vocabulary: dict[tuple[str, bool], int]) -> None:
        entry = len(self._listings)
        self._listings.append(listing)
        seen: set[tuple[str, ...]] = set()
        for text in (listing.party.name, *listing.party.aliases):
            found = words(text)
            key = tuple(word.text for word in found)
            if not found or key in seen:
                continue
            seen.add(key)
            folds = tuple(vocabulary.setdefault((word.fold, word.abjad), len(vocabulary)) for word in found)
            self._names.append(_Name(entry, text, found, folds, _joined(found)))

    def _index_words(self, vocabulary: dict[tuple[str, bool], int]) -> None:
        """Where each fold occurs, how rare it is, and the look-ups by fold and by skeleton."""
        for (fold, _), number in vocabulary.items():
            self._exact.setdefault(fold, []).append(number)
        bones: dict[int, str] = {}
        abjad: set[int] = set()
        pairs = []
        for position, name in enumerate(self._names):
            for word, number in zip(name.words, name.folds, strict=True):
                bones[number] = word.skeleton
                pairs.append((number, position))
                if word.abjad:
                    abjad.add(number)
        for number, bone in bones.items():
            if bone:
                self._bones.setdefault(bone, []).append(number)
                if number in abjad:
                    self._abjad_bones.setdefault(bone, []).append(number)
        pairs = sorted(set(pairs))
        numbers = np.array([number for number, _ in pairs], dtype=np.int64)
        self._postings = np.array([position for _, position in pairs], dtype=np.int64)
        self._starts = np.searchsorted(numbers, np.arange(len(vocabulary) + 1))
        spread = Counter(fold for name in self._names for fold in {word.fold for word in name.words})
        total = max(1, len(self._names))
        self._rare = {fold: float(np.log(1 + total / count)) for fold, count in spread.items()}
        self._rarest = float(np.log(1 + total))

    def _index_names(self) -> None:
        """Weights of whole names, and the look-up of names written as one word, whichever word is first."""
        self._each = [self._weigh(name.words) for name in self._names]
        self._weights = np.array([sum(weights) for weights in self._each], dtype=np.float64)
        self._whole: dict[str, list[int]] = {}
        self._whole_bones: dict[str, list[int]] = {}
        for position, name in enumerate(self._names):
            for spelling in _rotations(name):
                self._whole.setdefault(spelling, []).append(position)
            bone = _bones(name.words)
            if len(bone) >= SHORT:
                self._whole_bones.setdefault(bone, []).append(position)

    def _weigh(self, found: tuple[Word, ...]) -> list[float]:
        """How much each word counts: how rare it is on the lists, times what such a word says."""
        shares = importance(found)
        return [
            self._rare.get(word.fold, self._rarest) * share for word, share in zip(found, shares, strict=True)
        ]

    def _matches(self, words_given: tuple[Word, ...]) -> list[_Match]:
        if not self._names:
            return []
        weights = self._weigh(words_given)
        given = _Given(
            words_given,
            weights,
            [self._close(word) for word in words_given],
            _joined(words_given),
            _telling(words_given),
        )
        total = np.zeros(len(self._names))
        for word_close, weight in zip(given.close, weights, strict=True):
            total += weight * self._spread(word_close)
        share = total / (sum(weights) + self._weights - total)
        count = min(CANDIDATES, len(share))
        candidates = set(np.argpartition(-share, count - 1)[:count].tolist())
        as_one = self._as_one(words_given)
        # the most that is found of the given words, and all of the listed ones given
        most = 0.6 * np.minimum(1.0, total / (SAME_SOUND * sum(weights))) + 0.4
        found = []
        for position in sorted(candidates | as_one.keys()):
            name = self._names[position]
            alike = Indel.normalized_similarity(given.joined, name.joined, score_cutoff=JOINED)
            whole = max(as_one.get(position, 0.0), alike * SAME_SOUND if len(name.joined) > SHORT else 0.0)
            if whole or most[position] >= self._least:
                found.append(self._compare(given, position, whole))
        return found

    def _as_one(self, given: tuple[Word, ...]) -> dict[int, float]:
        """The names that are the same when written as one word, with how sure that makes us."""
        found: dict[int, float] = {}
        bone, abjad = _bones(given), any(word.abjad for word in given)
        if len(bone) >= SHORT:
            for position in self._whole_bones.get(bone, ()):
                if abjad or any(word.abjad for word in self._names[position].words):
                    found[position] = SAME_CONSONANTS
        joined = _joined(given)
        if len(joined) > SHORT:
            found.update(dict.fromkeys(self._whole.get(joined, ()), SAME_SOUND))
        return found

    def _close(self, word: Word) -> dict[int, float]:
        """The folds of the lists that this word may be, with how sure that is."""
        found: dict[int, float] = {}
        if word.text not in WEAK:
            for number, alike in self._near.close(word.fold):
                found[number] = alike * CLOSE_SOUND
            bones = self._bones if word.abjad else self._abjad_bones
            for number in bones.get(word.skeleton, ()):
                sure = SAME_CONSONANTS if len(word.skeleton) > 1 else ONE_CONSONANT
                found[number] = max(found.get(number, 0.0), sure)
        for number in self._exact.get(word.fold, ()):
            found[number] = SAME_SOUND
        return found

    def _spread(self, close: dict[int, float]) -> NDArray[np.float64]:
        """Per listed name, the best similarity of any of its words."""
        best = np.zeros(len(self._names))
        for number, sure in sorted(close.items(), key=lambda item: item[1]):
            best[self._postings[self._starts[number] : self._starts[number + 1]]] = sure
        return best

    def _compare(self, given: _Given, position: int, as_one: float) -> _Match:
        """Pair the words of both names one to one, best first, and score what was found."""
        name, listed, weights = self._names[position], self._each[position], given.weights
        options = []
        for i, word in enumerate(given.words):
            for j, number in enumerate(name.folds):
                sure = 1.0 if word.text == name.words[j].text else given.close[i].get(number, 0.0)
                if sure:
                    options.append((sure * weights[i], sure, i, j))
        options.sort(key=lambda option: (-option[0], option[2], option[3]))
        taken: dict[int, tuple[int, float]] = {}
        used: set[int] = set()
        for _, sure, i, j in options:
            if i not in taken and j not in used:
                taken[i] = (j, sure)
                used.add(j)
        found = sum(weights[i] * sure for i, (_, sure) in taken.items()) / sum(weights)
        covered = sum(listed[j] * sure for j, sure in taken.values()) / sum(listed)
        score = 0.6 * found + 0.4 * covered
        telling = sum(given.words[i].text not in WEAK for i in taken)
        if telling < 2 <= min(given.telling, _telling(name.words)):
            score *= ONE_WORD_ONLY
        return _Match(
            score=max(score, as_one),
            name=name,
            pairs=tuple(
                (given.words[i].text, name.words[j].text, sure) for i, (j, sure) in sorted(taken.items())
            ),
            missing=tuple(word.text for i, word in enumerate(given.words) if i not in taken),
            extra=tuple(word.text for j, word in enumerate(name.words) if j not in used),
            whole=as_one > score,
            telling=telling,
        )

    def _finding(self, name: str, match: _Match, birth_date: str, countries: Sequence[str]) -> Finding:
        listing = self._listings[match.name.entry]
        outcome = weigh(match.score, listing.party, birth_date, countries)
        # one word, however well it fits, does not single out a person
        enough = match.telling > 1 or match.whole or listing.party.kind is not PartyKind.NATURAL
        alert = outcome.score >= self._alert and enough and not outcome.contradicted
        entry = f"{listing.list_id}:{listing.entry_id}"
        digest = hashlib.sha256(f"name\x1f{name}\x1f{entry}".encode()).hexdigest()[:20]
        return Finding(
            id=f"screen-{digest}",
            kind=FindingKind.SCREENING,
            rule="listed_name",
            subject=name,
            level=Level.ALERT if alert else Level.WATCH,
            score=round(outcome.score, 4),
            reasons=(*_why(name, match, listing), *outcome.reasons),
            evidence=(entry,),
            source=listing.source or listing.list_id,
            features=(("name_score", round(match.score, 4)),),
        )


def _joined(found: tuple[Word, ...]) -> str:
    """The folds of a name written as one word."""
    return "".join(word.fold for word in found)


def _rotations(name: _Name) -> set[str]:
    """A name of two to four words as one word, begun at each of them; any other as it stands."""
    folds = [word.fold for word in name.words]
    if not 2 <= len(folds) <= 4:
        return {name.joined}
    return {"".join(folds[at:] + folds[:at]) for at in range(len(folds))}


def _bones(found: tuple[Word, ...]) -> str:
    """The skeleton of a name written as one word."""
    joined = "".join(word.skeleton for word in found)
    return "".join(letter for letter, before in zip(joined, " " + joined, strict=False) if letter != before)


def _telling(found: tuple[Word, ...]) -> int:
    return sum(word.text not in WEAK for word in found)


def _why(name: str, match: _Match, listing: Listing) -> list[str]:
    """The reasons of a name match, in whole sentences."""
    listed = listing.party.name
    where = f"entry {listing.entry_id} of {listing.source or listing.list_id}"
    if match.name.text == listed:
        reasons = [f"“{name}” resembles the listed name “{listed}”, {where}."]
    else:
        reasons = [f"“{name}” resembles “{match.name.text}”, an alias of “{listed}”, {where}."]
    same = [given for given, found, _ in match.pairs if given == found]
    like = [f"{given} for {found} ({sure:.2f})" for given, found, sure in match.pairs if given != found]
    if same:
        reasons.append(f"The same words stand in both: {', '.join(same)}.")
    if like:
        reasons.append(f"Words alike in spelling or sound: {', '.join(like)}.")
    if match.whole:
        reasons.append("Written as one word, the two names are nearly the same.")
    elif match.missing:
        reasons.append(f"Given but not in the listed name: {', '.join(match.missing)}.")
    if match.extra and not match.whole:
        reasons.append(f"In the listed name but not given: {', '.join(match.extra)}.")
    if listing.programmes:
        reasons.append(f"The entry is listed under: {', '.join(listing.programmes)}.")
    return reasons

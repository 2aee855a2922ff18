"""Which words of a vocabulary a word resembles in spelling, without comparing it with each of them.

Two words can only be near when they share most of their letters. How many they share at most is read off
counts of letters, for the whole vocabulary at once; only those that remain are compared letter by letter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

NEAR = 0.86
CLOSE = 0.8
SHORT = 3

_BUCKETS = 32
_MOST = 255
# Jaro-Winkler of two words is at most J + 0.4 (1 - J), where J = (m/a + m/b + 1) / 3 at most: m letters in
# common, of lengths a and b. So it can only reach NEAR when m/a + m/b is at least this, less for rounding.
_SHARED = 3 * (NEAR - 0.4) / 0.6 - 1 - 0.01


class Vocabulary:
    """Words in ASCII, each once, by number."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        counts = np.zeros((_BUCKETS, len(words)), dtype=np.uint8)
        for number, word in enumerate(words):
            for letter, count in _counted(word).items():
                counts[letter, number] = min(count, _MOST)
        self._counts = counts
        self._part = np.array([1 / len(word) for word in words], dtype=np.float32)

    def close(self, word: str) -> Iterator[tuple[int, float]]:
        """Numbers of the words that are alike, and how much: at least CLOSE, the same is 1.

        Nothing is close to a word of SHORT letters or fewer.
        """
        if len(word) <= SHORT or not self._words:
            return
        shared = np.zeros(len(self._words), dtype=np.uint16)
        for letter, count in _counted(word).items():
            shared += np.minimum(self._counts[letter], np.uint8(min(count, _MOST)))
        few = np.flatnonzero(shared * (self._part + np.float32(1 / len(word))) >= _SHARED)
        some = [self._words[number] for number in few.tolist()]
        near = process.cdist(
            [word], some, scorer=JaroWinkler.normalized_similarity, score_cutoff=NEAR, dtype=np.float32
        )[0]
        for place in np.flatnonzero(near).tolist():
            # Jaro-Winkler forgives all that follows a common beginning; edit distance does not
            alike = (float(near[place]) + OSA.normalized_similarity(word, some[place])) / 2
            if alike >= CLOSE and len(some[place]) > SHORT:
                yield int(few[place]), alike


def _counted(word: str) -> Counter[int]:
    return Counter(ord(letter) % _BUCKETS for letter in word)

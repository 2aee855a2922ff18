"""Words close in spelling are found among many as they are found one by one."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import OSA, JaroWinkler

from comity.screening.near import CLOSE, NEAR, SHORT, Vocabulary


def one_by_one(words: list[str], word: str) -> dict[int, float]:
    """The definition, without the short cut."""
    found = {}
    for number, other in enumerate(words):
        near = JaroWinkler.normalized_similarity(word, other)
        alike = (near + OSA.normalized_similarity(word, other)) / 2
        if near >= NEAR and alike >= CLOSE and min(len(word), len(other)) > SHORT:
            found[number] = alike
    return found


def made_up(seed: int) -> list[str]:
    """Words of few letters, so that many are alike, and misspellings of them."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abdiklmnrsuz$7", k=rng.randint(1, 14))) for _ in range(400)]
    for word in words[:300]:
        at = rng.randrange(len(word))
        words += [
            word[:at] + rng.choice("aiuC") + word[at + 1 :],
            word[:at] + word[at + 1 :] or "a",
            word + "i",
        ]
    return list(dict.fromkeys(words))


@pytest.mark.parametrize("seed", range(3))
def test_the_same_as_one_by_one(seed: int) -> None:
    words = made_up(seed)
    vocabulary = Vocabulary(words)
    found = 0
    for word in words[::3]:
        close = dict(vocabulary.close(word))
        assert close == pytest.approx(one_by_one(words, word), abs=1e-6)
        found += len(close)
    assert found > 2 * len(words[::3]), "not only each word itself"


def test_letters_repeated_hundreds_of_times_are_counted() -> None:
    long = "ab" * 249
    assert dict(Vocabulary([long + "a", "vantirmir"]).close(long)) == {0: pytest.approx(1.0, abs=0.01)}


def test_a_short_word_is_close_to_none_and_an_empty_vocabulary_holds_none() -> None:
    assert list(Vocabulary(["ali", "alii"]).close("ali")) == []
    assert list(Vocabulary([]).close("vantirmir")) == []

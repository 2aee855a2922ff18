from __future__ import annotations

from comity.cooperation.value import Disclosure, measure


def test_gain_and_cost() -> None:
    value = measure(
        schemes={"one": ["a", "b"], "two": ["c"], "three": ["d"]},
        alone={"vasp-1": ["a", "x"], "vasp-2": ["x"]},
        together=["b", "c", "y", "z"],
        disclosures=[
            Disclosure("vasp-1", "vasp-2", 2048, 3, ("c", "y")),
            Disclosure("vasp-2", "vasp-1", 4096, 1, ("c",)),
        ],
    )
    assert (value.planted, value.alone, value.together) == (3, ("one",), ("one", "two"))
    assert (value.gained, value.lost) == (("two",), ())
    assert (value.false_alone, value.false_together) == (1, 2)
    assert (value.messages, value.bytes, value.items, value.subjects, value.innocent) == (2, 6144, 4, 2, 1)
    assert value.sentences() == (
        "Of 3 schemes, the institutions find 1 each alone and 2 together.",
        "Subjects accused in error: 1 alone, 2 together.",
        "Disclosed for it: 2 messages, 6,144 bytes, 4 items about 2 subjects, 1 of whom are in no scheme.",
    )


def test_cooperation_may_also_lose() -> None:
    value = measure({"one": ["a"]}, {"v": ["a"]}, [], [])
    assert (value.lost, value.gained, value.bytes) == (("one",), (), 0)

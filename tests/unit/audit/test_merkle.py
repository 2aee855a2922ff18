from __future__ import annotations

import pytest

from comity.audit import merkle
from comity.errors import BadInput

LEAVES = [merkle.leaf_hash(bytes([i])) for i in range(5)]


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_no_proof_of_what_is_not_there(index: int) -> None:
    with pytest.raises(BadInput, match=f"no leaf {index} in a log of 5"):
        merkle.inclusion(merkle.from_leaves(LEAVES), index, 5)


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_no_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(BadInput, match="no consistency"):
        merkle.consistency(merkle.from_leaves(LEAVES), old, new)


def test_leaf_and_node_are_told_apart() -> None:
    left, right = LEAVES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)

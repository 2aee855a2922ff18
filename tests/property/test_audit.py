"""The laws of RFC 9162's trees, and the roots that Certificate Transparency's own tests publish."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.audit import merkle
from comity.errors import Unverified

CLASSIC = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CLASSIC_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

sizes = st.integers(1, 70)


def definition(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1.1 writes it: slow and obvious."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + definition(leaves[:k]) + definition(leaves[k:])).digest()


def tree(size: int, salt: bytes = b"") -> list[bytes]:
    return [merkle.leaf_hash(salt + str(i).encode()) for i in range(size)]


@pytest.mark.parametrize("size", range(9))
def test_classic_roots(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in CLASSIC]
    assert merkle.root(merkle.from_leaves(leaves), size).hex() == CLASSIC_ROOTS[size]


@given(st.integers(0, 70))
def test_root_is_the_definition(size: int) -> None:
    leaves = tree(size)
    assert merkle.root(merkle.from_leaves(leaves), size) == definition(leaves)


@given(sizes, st.data())
def test_every_leaf_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = tree(size)
    node = merkle.from_leaves(leaves)
    index = data.draw(st.integers(0, size - 1))
    path, root = merkle.inclusion(node, index, size), merkle.root(node, size)
    merkle.verify_inclusion(leaves[index], index, size, path, root)
    assert len(path) <= (size - 1).bit_length()
    with pytest.raises(Unverified):
        merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, path, root)
    with pytest.raises(Unverified):
        merkle.verify_inclusion(leaves[index], index, size, (*path, root), root)
    if path:
        with pytest.raises(Unverified):
            merkle.verify_inclusion(leaves[index], index, size, path[:-1], root)
        other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        with pytest.raises(Unverified):
            merkle.verify_inclusion(leaves[other], index, size, path, root)
    with pytest.raises(Unverified):
        merkle.verify_inclusion(leaves[index], size, size, path, root)


@given(sizes, st.data())
def test_growth_is_proven_and_rewriting_is_not(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    node = merkle.from_leaves(tree(new))
    path = merkle.consistency(node, old, new)
    old_root, new_root = merkle.root(node, old), merkle.root(node, new)
    merkle.verify_consistency(old, new, old_root, new_root, path)
    forged = merkle.root(merkle.from_leaves(tree(max(old, 1), b"forged")), max(old, 1))
    with pytest.raises(Unverified):
        merkle.verify_consistency(old, new, forged, new_root, path)
    with pytest.raises(Unverified):
        merkle.verify_consistency(old, new, old_root, new_root, (*path, new_root))
    if path:
        with pytest.raises(Unverified):
            merkle.verify_consistency(old, new, old_root, new_root, path[:-1])
        with pytest.raises(Unverified):
            merkle.verify_consistency(old, new, old_root, forged, path)
        with pytest.raises(Unverified):
            merkle.verify_consistency(old, new, old_root, new_root, ())
    if old < new:
        with pytest.raises(Unverified):
            merkle.verify_consistency(new, old, new_root, old_root, path)

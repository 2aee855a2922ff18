"""Merkle trees of RFC 9162, section 2.1: hashes, inclusion and consistency proofs. Pure functions.

Proofs are made from the hashes of *complete* subtrees: ``node(level, index)`` is the hash of the
leaves ``[index << level, (index + 1) << level)``; level 0 are the leaves. They never change once
written, which is why a log may store them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from comity.errors import BadInput, Unverified

Node = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed(index: int, leaf: bytes, node: Node) -> Iterator[tuple[int, int, bytes]]:
    """The subtrees that leaf ``index`` completes, as (level, index, hash), from level 1 up."""
    level, current = 0, leaf
    while index & 1:
        current = node_hash(node(level, index - 1), current)
        level, index = level + 1, index >> 1
        yield level, index, current


def from_leaves(leaves: Sequence[bytes]) -> Node:
    """The complete subtrees over these leaf hashes, in memory."""
    hashes = {(0, index): leaf for index, leaf in enumerate(leaves)}

    def node(level: int, index: int) -> bytes:
        return hashes[level, index]

    for index, leaf in enumerate(leaves):
        hashes.update({(level, at): made for level, at, made in completed(index, leaf, node)})
    return node


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(node: Node, start: int, end: int) -> bytes:
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(_subtree(node, start, middle), _subtree(node, middle, end))


def root(node: Node, size: int) -> bytes:
    """The root hash of the first ``size`` leaves (section 2.1.1)."""
    return _subtree(node, 0, size) if size else EMPTY_ROOT


def inclusion(node: Node, index: int, size: int) -> tuple[bytes, ...]:
    """The inclusion proof of a leaf in the tree of ``size`` leaves (section 2.1.3.1). Raises BadInput."""
    if not 0 <= index < size:
        raise BadInput(f"no leaf {index} in a log of {size} entries", remedy="ask for an entry it holds")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(node, middle, end))
            end = middle
        else:
            path.append(_subtree(node, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency(node: Node, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the tree of ``new`` leaves begins with that of ``old`` (section 2.1.4.1).

    Raises BadInput unless 0 <= old <= new. Empty when ``old`` is 0 or equals ``new``.
    """
    if not 0 <= old <= new:
        raise BadInput(
            f"no consistency proof from size {old} to size {new}",
            remedy="name the older, smaller size first",
        )
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(node, middle, end))
            end = middle
        else:
            path.append(_subtree(node, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_subtree(node, start, end))
    return tuple(reversed(path))


def _unverified(what: str, why: str) -> Unverified:
    return Unverified(what, why=why, remedy="do not rely on it; ask the log's owner and its partners")


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root_hash: bytes) -> None:
    """Check that the tree of ``size`` leaves with this root holds the leaf at ``index`` (2.1.3.2).

    Raises Unverified.
    """
    if not 0 <= index < size:
        raise _unverified("the inclusion proof does not hold", f"no leaf {index} in {size} entries")
    fn, sn, current = index, size - 1, leaf
    for step in path:
        if sn == 0:
            raise _unverified("the inclusion proof does not hold", "it is too long")
        if fn & 1 or fn == sn:
            current = node_hash(step, current)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node_hash(current, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or current != root_hash:
        raise _unverified("the inclusion proof does not hold", "it does not lead to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that a log of ``new`` entries begins with the one of ``old`` entries (2.1.4.2).

    Raises Unverified.
    """
    what = f"the log of {new} entries does not continue the one of {old}"
    if old > new or old < 0:
        raise _unverified(what, "it became shorter")
    if old in (0, new):
        if path or (old_root != new_root if old == new else old_root != EMPTY_ROOT):
            raise _unverified(what, "the roots differ")
        return
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        raise _unverified(what, "the proof is empty")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise _unverified(what, "the proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or first != old_root or second != new_root:
        raise _unverified(what, "the proof does not lead to both roots")

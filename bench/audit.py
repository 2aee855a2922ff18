"""The audit log against having no tree: who checks one entry must then hash the whole log again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import create_engine

from bench import Row
from bench._measure import cpu
from comity.audit import merkle, tables
from comity.audit.log import AuditLog

CLAIM = "One entry of the audit log is checked a thousand times cheaper than by hashing the log again."
GOAL = 1000.0

_ENTRIES, _APPENDS = 100_000, 1_000
_PEER = f"hashlib of Python {platform.python_version()}, the whole tree"
_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _root(leaves: Sequence[bytes]) -> bytes:
    """The root, level by level, and nothing kept. The last of an odd level is lifted as it is (RFC 9162)."""
    level = list(leaves)
    sha = hashlib.sha256
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def _proofs(entries: int) -> list[Row]:
    leaves = [merkle.leaf_hash(f"entry {i}".encode()) for i in range(entries)]
    built = cpu(lambda: merkle.from_leaves(leaves), 1)
    root, at, times = merkle.root(built.answer, entries), entries // 3, 200
    path = merkle.inclusion(built.answer, at, entries)

    def ours() -> None:
        for _ in range(times):
            merkle.verify_inclusion(leaves[at], at, entries, path, root)

    theirs = cpu(lambda: _root(leaves))
    assert theirs.answer == root
    work = f"one entry of {entries:,} is shown to be in the log"
    seconds = cpu(ours).best / times
    return [
        Row(
            f"check: {work}",
            seconds,
            theirs.best,
            _PEER,
            GOAL,
            once=built.best,
            note="once: building the tree",
        ),
        Row(f"bytes: {work}", 32 * len(path), 32 * entries, "every leaf's hash is sent", GOAL, unit="bytes"),
    ]


def _appends(entries: int) -> list[Row]:
    log, engine = AuditLog("bench", lambda: _NOW), create_engine("sqlite://")
    tables.metadata.create_all(engine)
    with engine.begin() as connection:

        def ours() -> str:
            for i in range(entries):
                log.append(connection, "case.opened", {"case": f"C-{i:09}"})
            return log.head(connection).root

        mine = cpu(ours, 1)
        leaves = [bytes.fromhex(entry.leaf_hash) for entry in log.entries(connection, 0, entries)]
        peer = cpu(lambda: [_root(leaves[: i + 1]) for i in range(entries)], 1)
    engine.dispose()
    assert mine.answer == peer.answer[-1].hex()
    return [
        Row(
            work=f"append: the first {entries:,} entries, the root known after each",
            ours=mine.best,
            peer=peer.best,
            peer_version=_PEER,
            note=f"ours into SQLite, {entries / mine.best:,.0f} entries a CPU s at any size; the peer keeps "
            "nothing, and its cost grows with the square",
        )
    ]


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    return [*_proofs(max(1_000, round(_ENTRIES * scale))), *_appends(max(10, round(_APPENDS * scale)))]

"""Rulings on disk before they are told: an append-only file, each line chained to the one before it.

Many rulings are written and synced at once (group commit): the disk is waited for once for all that came
meanwhile. A line is canonical JSON whose ``previous`` is the SHA-256 of the line before it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

from comity.codec import canonical
from comity.errors import StoreError, Unverified

_NONE = "0" * 64
_TAIL = 1 << 20


class Decided:
    """The file of rulings. Safe for threads, and for several processes of one node."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch(mode=0o600)
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        self._waiting: list[tuple[Mapping[str, Any], Future[str]]] = []
        self._stirred = threading.Condition()
        self._closing = False
        self._size, self._head = -1, _NONE
        self._writer = threading.Thread(target=self._write_on, name="rulings", daemon=True)
        self._writer.start()

    def add(self, entry: Mapping[str, Any]) -> Future[str]:
        """Have an entry written; the future gives its hash once it is on disk, or raises StoreError."""
        future: Future[str] = Future()
        future.set_running_or_notify_cancel()  # who waits may go away, and the entry is written all the same
        with self._stirred:
            if self._closing:
                raise StoreError("the file of rulings is closed", remedy="start the node again")
            self._waiting.append((entry, future))
            self._stirred.notify()
        return future

    def close(self) -> None:
        """Write what waits, and end."""
        with self._stirred:
            self._closing = True
            self._stirred.notify()
        self._writer.join()
        os.close(self._file)

    def _write_on(self) -> None:
        while True:
            with self._stirred:
                while not (self._waiting or self._closing):
                    self._stirred.wait()
                batch, self._waiting = self._waiting, []
            if not batch:
                return
            self._settle(batch)

    def _settle(self, batch: list[tuple[Mapping[str, Any], Future[str]]]) -> None:
        """Write a batch and tell each who waits; an entry that cannot be written takes no other with it."""
        try:
            hashes = self._write([entry for entry, _ in batch])
        except Exception as error:  # noqa: BLE001 (a writer that ended would leave all who wait hanging)
            if len(batch) > 1 and not isinstance(error, OSError):
                for one in batch:
                    self._settle([one])
                return
            failed = StoreError(
                "a ruling could not be written",
                why=getattr(error, "strerror", None) or str(error),
                remedy="put that right (free space on the disk); the transfer is not authorised",
            )
            for _, future in batch:
                future.set_exception(failed)
            return
        for (_, future), digest in zip(batch, hashes, strict=True):
            future.set_result(digest)

    def _write(self, entries: list[Mapping[str, Any]]) -> list[str]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            held = os.fstat(self._file)
            if not self._path.exists() or not os.path.samestat(held, self._path.stat()):
                raise OSError(f"{self._path.name} was moved away or replaced: put it back, and start again")
            if held.st_size != self._size:
                self._catch_up()
            lines, hashes, head = [], [], self._head
            for entry in entries:
                line = canonical({**entry, "previous": head}) + b"\n"
                head = hashlib.sha256(line).hexdigest()
                lines.append(line)
                hashes.append(head)
            data = b"".join(lines)
            try:
                while data:
                    data = data[os.write(self._file, data) :]
                os.fdatasync(self._file)
            except OSError:
                os.ftruncate(self._file, self._size)  # no half of a line, and none that was not told
                raise
            self._head, self._size = head, os.fstat(self._file).st_size
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return hashes

    def _catch_up(self) -> None:
        """Find the last whole line; what a crash left of another was never told, and is taken away."""
        size = os.fstat(self._file).st_size
        tail, begin = b"", size
        while begin and tail.count(b"\n") < 2:
            step = min(begin, _TAIL)
            begin -= step
            tail = os.pread(self._file, step, begin) + tail
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            size -= len(tail) - whole
            os.ftruncate(self._file, size)
        last = tail[tail.rfind(b"\n", 0, max(whole - 1, 0)) + 1 : whole]
        self._head = hashlib.sha256(last).hexdigest() if last else _NONE
        self._size = size


def since(path: Path, moment: datetime) -> list[dict[str, Any]]:
    """The entries at or after a moment, the last first, read from the end: what is older is not read.

    Raises Unverified where the chain of those is broken.
    """
    found: list[dict[str, Any]] = []
    next_of = ""
    for line in _backwards(path):
        whole = not next_of or hashlib.sha256(line + b"\n").hexdigest() == next_of
        try:
            entry = json.loads(line)
            at, next_of = datetime.fromisoformat(entry["at"]), str(entry["previous"])
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise _changed(path, f"line {len(found) + 1} from its end")
        if at < moment:
            break
        found.append(entry)
    return found


def _backwards(path: Path) -> Iterator[bytes]:
    """The whole lines of a file, the last first."""
    if not path.exists():
        return
    with path.open("rb") as file:
        begin, rest = file.seek(0, os.SEEK_END), b""
        ended = False  # what stands behind the last end of a line was never told
        while begin:
            step = min(begin, _TAIL)
            begin -= step
            file.seek(begin)
            first, *lines = (file.read(step) + rest).split(b"\n")
            for line in reversed(lines):
                if ended:
                    yield line
                ended = True
            rest = first
        if ended:
            yield rest


def entries(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Every entry with its hash, in order. Raises Unverified where the chain is broken."""
    head = _NONE
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return  # being written, or left by a crash: never told
            try:
                entry = json.loads(line)
                chained = entry["previous"] == head
            except (ValueError, KeyError, TypeError):
                chained = False
            if not chained:
                raise _changed(path, f"line {number}")
            head = hashlib.sha256(line).hexdigest()
            yield entry, head


def _changed(path: Path, where: str) -> Unverified:
    return Unverified(
        f"{path.name} was changed: {where} does not follow the one before it",
        why="each line carries the hash of the one before",
        remedy="restore the file, and find out who wrote to it",
    )

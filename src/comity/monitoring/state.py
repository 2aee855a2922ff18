"""Where the last run of monitoring ended, kept in a file, so that the next one looks at what is new only."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from comity import __version__
from comity.codec import canonical, from_plain, to_json, to_plain
from comity.errors import ComityError, StoreError
from comity.model import Finding, Knowledge
from comity.monitoring.run import Outcome, Rules, Unfinished

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """The ``outcome`` of monitoring a ledger up to its ``version``."""

    version: int
    outcome: Outcome


def digest(rules: Rules, knowledge: Knowledge, ledger: str = "") -> str:
    """What a run rests on: another program, rule, list, law or ledger begins anew."""
    plain = {name: dict(given) for name, given in sorted(rules.items())}
    return hashlib.sha256(canonical([__version__, plain, ledger]) + to_json(knowledge)).hexdigest()


def latest(path: Path) -> Outcome | None:
    """The outcome of the last run, whatever it rests on; None when there was none. Raises StoreError where
    it cannot be read: who rules without its alerts lets pass what they would hold."""
    ended = load(path)
    if ended is None and path.exists():
        raise StoreError(
            f"{path.name}, the outcome of the last monitoring, cannot be read",
            why="it is damaged, or of another version of Comity",
            remedy="run `comity node detect`: it is made again",
        )
    return ended.outcome if ended else None


def load(path: Path, rests_on: str | None = None) -> Ended | None:
    """Where a run that rests on the same ended; None when there is none, or it cannot be read: begin anew."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.readline())
            if head["format"] != _FORMAT or rests_on not in (None, head["rests_on"]):
                return None
            unfinished = tuple(from_plain(Unfinished, one) for one in head["unfinished"])
            found = tuple(from_plain(Finding, json.loads(line)) for line in file)
        if len(found) != head["findings"]:
            return None
        return Ended(int(head["version"]), Outcome(found, unfinished))
    except (OSError, ValueError, KeyError, TypeError, ComityError):
        return None


def save(path: Path, rests_on: str, ended: Ended) -> None:
    """Keep it, in place of the last: the whole file or nothing."""
    head = {
        "format": _FORMAT,
        "rests_on": rests_on,
        "version": ended.version,
        "findings": len(ended.outcome.findings),
        "unfinished": [to_plain(one) for one in ended.outcome.unfinished],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.new-", dir=path.parent)  # its owner's only
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(canonical(head) + b"\n")
            for finding in ended.outcome.findings:
                file.write(to_json(finding) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)

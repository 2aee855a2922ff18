"""Name screening on the OFAC list that ships: one alias of each of many entries is held out, and asked for.

What a screener is worth is how many listed people it finds for how many alerts about others. Others are here
the names of entries that are taken off the list altogether: as alike to those that stay as names can be, and
some are indeed relatives of them. Our alerts are as shipped; the peer is given the threshold at which it
raises no fewer, so that both ask a person the same number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray
from rapidfuzz import fuzz, process, utils

from bench import Row
from bench._ledger import SEED
from bench._measure import cpu
from bench.wallet_screening import listings
from comity.model import Level, Listing
from comity.screening.names import NameIndex

CLAIM = "Of aliases unknown to the list, a tenth more are found at equal alerts than by token_sort_ratio."
GOAL = 1.1

_ALIASES, _OTHERS, _LISTED = 400, 600, 15_000
_PEER = f"rapidfuzz {version('rapidfuzz')}, token_sort_ratio over all names in ASCII"


@dataclass(frozen=True, slots=True)
class _Task:
    """The list as it stays, the aliases held out with the entry each is of, and names of nobody listed."""

    listed: list[Listing]
    aliases: list[tuple[str, str]]
    others: list[str]


def _task(scale: float) -> _Task:
    rng = np.random.default_rng(SEED)
    entries = listings()[: max(400, round(_LISTED * min(1.0, scale)))]
    shuffled = [entries[i] for i in rng.permutation(len(entries))]
    gone, kept = np.split(np.array(shuffled, dtype=object), [min(_OTHERS, len(shuffled) // 4)])
    listed: list[Listing] = []
    aliases: list[tuple[str, str]] = []
    for entry in kept:
        party = entry.party
        if len(aliases) < min(_ALIASES, len(shuffled) // 4) and party.aliases:
            held = party.aliases[int(rng.integers(len(party.aliases)))]
            rest = tuple(alias for alias in party.aliases if alias != held)
            if held != party.name:
                aliases.append((held, entry.entry_id))
                entry = replace(entry, party=replace(party, aliases=rest))
        listed.append(entry)
    return _Task(listed, aliases, [entry.party.name for entry in gone])


def _plain(name: str) -> str:
    """A name as token_sort_ratio compares it: the same figure as plain `ratio` of these."""
    return " ".join(sorted(utils.default_process(anyascii(name)).split()))


def _ours(index: NameIndex, names: Sequence[str]) -> list[tuple[str, bool]]:
    """The best entry of each name, and whether it is an alert."""
    found = []
    for name in names:
        findings = index.screen(name, limit=1)
        best = findings[0] if findings else None
        entry = best.evidence[0].split(":", 1)[1] if best else ""
        found.append((entry, best is not None and best.level is Level.ALERT))
    return found


def _theirs(names: Sequence[str], listed: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best listed name of each name, and its score."""
    places, scores = [], []
    for at in range(0, len(names), 100):
        some = [_plain(name) for name in names[at : at + 100]]
        alike = process.cdist(some, listed, scorer=fuzz.ratio, dtype=np.float32, workers=1)
        places.append(alike.argmax(axis=1))
        scores.append(alike.max(axis=1))
    return np.concatenate(places), np.concatenate(scores)


def run(scale: float) -> list[Row]:
    """See the contract in `bench`."""
    task = _task(scale)
    queries = [alias for alias, _ in task.aliases] + task.others
    built = cpu(lambda: NameIndex(task.listed), 1)
    ours = cpu(lambda: _ours(built.answer, queries), 1)
    spelled = [
        (_plain(name), entry.entry_id)
        for entry in task.listed
        for name in (entry.party.name, *entry.party.aliases)
    ]
    listed = [name for name, _ in spelled]
    theirs = cpu(lambda: _theirs(queries, listed), 1)
    places, scores = theirs.answer

    right = [entry for _, entry in task.aliases]
    alerts = sum(alert for _, alert in ours.answer[len(right) :])
    others = np.sort(scores[len(right) :])[::-1]
    threshold = float(others[min(alerts, len(others) - 1)])  # no fewer alerts about others than ours
    found = sum(alert and entry == wanted for (entry, alert), wanted in zip(ours.answer, right, strict=False))
    theirs_found = sum(
        score >= threshold and spelled[place][1] == wanted
        for place, score, wanted in zip(places, scores, right, strict=False)
    )
    what = f"{len(right)} aliases held out, {len(task.others)} names not listed, {len(listed):,} listed names"
    per_thousand = 1000 * alerts / len(task.others)
    peer_alerts = 1000 * int((others >= threshold).sum()) / len(task.others)
    return [
        Row(
            work=f"recall: {what}",
            ours=found / len(right),
            peer=int(theirs_found) / len(right),
            peer_version=_PEER,
            goal=GOAL,
            unit="share found",
            more=True,
            once=built.best,
            note=f"alerts per 1,000 names not listed: ours {per_thousand:.0f}, peer {peer_alerts:.0f}",
        ),
        Row(
            work="throughput: the same names, each with its score; ours with reasons",
            ours=len(queries) / ours.best,
            peer=len(queries) / theirs.best,
            peer_version=_PEER,
            unit="names a CPU s",
            more=True,
        ),
    ]

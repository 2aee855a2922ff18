"""What transfers state beside who, when and how much, as the numbers of `Facts`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from comity.model import AccountId, Facts, Party, Transfer

_Kind = TypeVar("_Kind", np.int16, np.int32)
PERSONAL = frozenset({"phone", "email", "device", "ip", "national_id", "passport", "tax", "driving_licence"})
"""Kinds of identifier that one person has, so that two names under one of them want an explanation."""


def digits(quantity: Decimal | None) -> int:
    """Significant decimal digits of an amount: 1 of 5,000, 3 of 12.5; 0 where it is not known or nothing."""
    if not quantity:
        return 0
    text = format(abs(quantity), "f")
    figures = text.replace(".", "") if "." in text else text
    return min(len(figures.strip("0")), 255)


class Numbering:
    """Texts numbered in order of the alphabet; the empty text is number 0."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = ("", *sorted(set(texts) - {""}))
        self._number = {text: place for place, text in enumerate(self.texts)}

    def of(self, texts: Iterable[str], kind: type[_Kind]) -> NDArray[_Kind]:
        """The number of each text."""
        return np.array([self._number[text] for text in texts], dtype=kind)


def told(party: Party) -> tuple[int, str, tuple[tuple[str, str, str], ...]]:
    """A party's year of birth (0: not stated), its name without regard to case, and what tells it apart."""
    year = party.birth_date[:4]
    return (
        int(year) if len(year) == 4 and year.isascii() and year.isdigit() else 0,
        party.name.casefold(),
        tuple(
            (one.kind, one.value, one.country)
            for one in party.identifiers
            if one.kind in PERSONAL and one.value
        ),
    )


def holders(
    parties: Mapping[str, Iterable[Party]], accounts: Sequence[str]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int16]]:
    """``identity``, ``sharers`` and ``born`` of `Facts`, of who is said to hold each account."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    shown: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    years: dict[str, int] = {}
    for account, held_by in parties.items():
        for party in held_by:
            year, name, own = told(party)
            if year:
                years[account] = min(years.get(account, 9999), year)
            for key in own:
                names[key].add(name)
                shown[account].add(key)
    keys = sorted(key for key, under in names.items() if len(under) > 1)
    number = {key: place for place, key in enumerate(keys, start=1)}
    identity = np.zeros(len(accounts), dtype=np.int32)
    sharers = np.zeros(len(accounts), dtype=np.int32)
    born = np.zeros(len(accounts), dtype=np.int16)
    for place, account in enumerate(accounts):
        born[place] = years.get(account, 0)
        known = [key for key in shown.get(account, ()) if key in number]
        if known:
            best = min(known, key=lambda key: (-len(names[key]), number[key]))
            identity[place], sharers[place] = number[best], len(names[best]) - 1
    return identity, sharers, born


def stated(given: Sequence[Transfer], accounts: Sequence[str]) -> Facts:
    """The facts of transfers in order of (time, id)."""
    assets = Numbering(one.amount.asset.value for one in given if one.amount)
    memos = Numbering(one.reference for one in given)
    countries = Numbering(c for one in given for c in (one.originator_country, one.beneficiary_country))
    places = Numbering(i for one in given for i in (one.originator_institution, one.beneficiary_institution))
    at = {account: AccountId(account).chain is None for account in accounts}
    parties: dict[str, set[Party]] = defaultdict(set)
    for one in given:
        for end, institution, party in (
            (one.originator.value, one.originator_institution, one.originator_party),
            (one.beneficiary.value, one.beneficiary_institution, one.beneficiary_party),
        ):
            at[end] = at[end] or bool(institution)
            if party:
                parties[end].add(party)
    identity, sharers, born = holders(parties, accounts)
    return Facts(
        asset=assets.of((one.amount.asset.value if one.amount else "" for one in given), np.int32),
        digits=np.array(
            [digits(one.amount.quantity if one.amount else None) for one in given], dtype=np.uint8
        ),
        memo=memos.of((one.reference for one in given), np.int32),
        src_country=countries.of((one.originator_country for one in given), np.int16),
        dst_country=countries.of((one.beneficiary_country for one in given), np.int16),
        src_at=places.of((one.originator_institution for one in given), np.int32),
        dst_at=places.of((one.beneficiary_institution for one in given), np.int32),
        hosted=np.array([at[account] for account in accounts], dtype=np.bool_),
        identity=identity,
        sharers=sharers,
        born=born,
        assets=assets.texts,
        memos=memos.texts,
        countries=countries.texts,
        institutions=places.texts,
    )

"""Knowledge beside the transfers, in the numbers that kernels take."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from comity.model import Attribution, Columns, Knowledge, Known, Mark
from comity.typologies import LIMITS

_DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_NEVER = date(1, 1, 1)
WORDS = {
    "sanction": Mark.SANCTIONED,
    "black_list": Mark.SANCTIONED,
    "terrorism": Mark.TERRORISM,
    "ransomware": Mark.RANSOMWARE,
    "service_hack": Mark.THEFT,
    "hack": Mark.THEFT,
    "theft": Mark.THEFT,
    "perpetrator": Mark.THEFT,
    "scam": Mark.FRAUD,
    "ponzi_scheme": Mark.FRAUD,
    "phishing": Mark.FRAUD,
    "extortion": Mark.FRAUD,
    "sextortion": Mark.FRAUD,
    "market": Mark.DARKNET,
    "darknet": Mark.DARKNET,
    "mixing_service": Mark.MIXER,
    "mixer": Mark.MIXER,
    "coinjoin": Mark.MIXER,
    "gambling": Mark.GAMBLING,
    "exchange": Mark.EXCHANGE,
    "bridge": Mark.BRIDGE,
    "defi_bridge": Mark.BRIDGE,
    "swap": Mark.SWAP,
    "dex": Mark.SWAP,
    "defi_dex": Mark.SWAP,
    "p2p": Mark.P2P,
    "atm": Mark.KIOSK,
    "kiosk": Mark.KIOSK,
    "csam": Mark.ABUSE,
    "weak_kyc": Mark.WEAK_KYC,
    "service": Mark.OTHER_SERVICE,
    "hosted_wallet": Mark.OTHER_SERVICE,
    "wallet_service": Mark.OTHER_SERVICE,
    "miner": Mark.OTHER_SERVICE,
}
"""What the categories of lists and TagPacks (INTERPOL's taxonomy, as GraphSense spells it) mark."""


def mark_of(categories: Iterable[str]) -> Mark:
    """The marks of these categories; one that is not known marks nothing."""
    found = Mark(0)
    for category in categories:
        found |= WORDS.get(category.lower(), Mark(0))
    return found


def informed(columns: Columns, knowledge: Knowledge) -> Columns:
    """The same columns with what is known beside them. Costs in proportion to what is known, not to them."""
    m = columns.n_accounts
    marks, sure = np.zeros(m, dtype=np.uint32), np.zeros(m, dtype=np.uint8)
    actor = np.zeros(m, dtype=np.int32)
    actors = ("", *sorted({one.actor for one in knowledge.attributions.values()} - {""}))
    number = {name: place for place, name in enumerate(actors)}
    for place, one in _placed(columns.accounts, knowledge):
        marks[place] = int(mark_of(one.categories))
        sure[place] = round(100 * one.confidence)
        actor[place] = number[one.actor]
    days = {limit.since for limit in knowledge.limits} | {regime.since for regime in knowledge.regimes}
    epochs = [_NEVER, *sorted(days - {_NEVER})]
    countries = {name: place for place, name in enumerate(columns.facts.countries) if name}
    limits = np.zeros((len(epochs), len(countries) + 1, len(LIMITS)), dtype=np.int64)
    risk = np.zeros((len(epochs), len(countries) + 1), dtype=np.uint8)
    for limit in sorted(knowledge.limits, key=lambda limit: limit.since):
        if limit.country in countries and limit.question in LIMITS:
            at = epochs.index(limit.since)
            worth = _units(limit.value, columns.scale)
            limits[at:, countries[limit.country], LIMITS.index(limit.question)] = worth
    for regime in sorted(knowledge.regimes, key=lambda regime: regime.since):
        if regime.country in countries:
            risk[epochs.index(regime.since) :, countries[regime.country]] = regime.risk
    began = np.array([(day - _EPOCH).days * _DAY for day in epochs], dtype=np.int64)
    return replace(columns, known=Known(marks, sure, actor, began, limits, risk, actors))


def _units(value: Decimal | None, scale: int) -> int:
    if value is None:
        return 0
    return int(value.scaleb(scale).quantize(Decimal(1), ROUND_HALF_EVEN))


def _placed(accounts: Sequence[str], knowledge: Knowledge) -> Iterable[tuple[int, Attribution]]:
    """The attributions whose account is in the ledger, with its number there."""
    for account, one in knowledge.attributions.items():
        place = bisect_left(accounts, account)
        if place < len(accounts) and accounts[place] == account:
            yield place, one

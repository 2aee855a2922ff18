"""Which accounts belong to one owner: the co-spend heuristic, with a guard against CoinJoin.

To spend several inputs in one transaction takes the keys of all of them, so their accounts are taken to
have one owner. A CoinJoin breaks that on purpose: many parties put in, and get out, equal amounts. A
transaction that looks so joins nobody, and the reason is kept. A heuristic, never proof of ownership.
Sources: Meiklejohn et al., A Fistful of Bitcoins (IMC 2013), heuristic 1; for the shapes of CoinJoins
Stütz, Stockinger, Moreno-Sanchez, Haslhofer, Maffei, Adoption and Actual Privacy of Decentralized CoinJoin
Implementations in Bitcoin (AFT 2022), and the structural heuristics of graphsense-lib (pull request 76).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comity.errors import BadInput
from comity.model import Columns
from comity.tracing import _join
from comity.tracing.view import find


@dataclass(frozen=True, slots=True)
class KeptApart:
    """A transaction (the id of its hub) whose inputs were not joined, and why."""

    transaction: str
    reason: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """``owner``: int32[m], per account the smallest account number of its cluster."""

    columns: Columns
    owner: NDArray[np.int32]
    kept_apart: tuple[KeptApart, ...]

    def members(self, account: str) -> tuple[str, ...]:
        """All accounts of the cluster of ``account``, itself among them. Raises NotFound."""
        number = find(self.columns, account)
        same = np.flatnonzero(self.owner == self.owner[number])
        return tuple(self.columns.accounts[int(i)] for i in same)

    def sizes(self) -> dict[str, int]:
        """Clusters of two accounts or more: how many accounts, by the first account's id."""
        counts = np.bincount(self.owner, minlength=1)
        return {self.columns.accounts[int(owner)]: int(counts[owner]) for owner in np.flatnonzero(counts > 1)}


def cluster(columns: Columns, *, equal_outputs: int = 3) -> Clusters:
    """Join the input accounts of each transaction, unless it looks like a CoinJoin: as

    - *Whirlpool*: five inputs of five accounts, and five outputs worth one and the same, a size of its pools
      (0.0005 to 0.5 BTC);
    - *Wasabi 2*: 50 inputs or more, of 20 accounts or more, and at least 20 outputs that each share their
      worth with another, in at least 5 such sizes;
    - any other, *Wasabi 1* and *JoinMarket* among them: at least ``equal_outputs`` outputs, to different
      accounts, have one and the same value, and at least as many different accounts put in (where fewer
      do, somebody pays many alike).

    Raises BadInput when ``equal_outputs`` is below 2. Cost: near-linear in the transfers of transactions.
    """
    if equal_outputs < 2:
        raise BadInput("equal_outputs is below 2", why="one output is always equal to itself", remedy="use 3")
    pools = np.array([] if columns.scale != 8 else _join.POOLS, dtype=np.int64)
    owner, apart = _join.joined(columns, pools, equal_outputs)
    return Clusters(columns, owner, tuple(_kept(columns, *row) for row in apart.tolist()))


def _kept(columns: Columns, hub: int, shape: int, payers: int, count: int, worth: int) -> KeptApart:
    value = f"{worth / 10**columns.scale:g}"
    words = {
        _join.WHIRLPOOL: f"{payers} accounts put in, {count} outputs are worth {value} each, a size of "
        "Whirlpool's pools",
        _join.WASABI2: f"{payers} accounts put in, {count} outputs share their worth with others, as "
        "in Wasabi 2",
        _join.EQUAL: f"{payers} accounts put in, {count} outputs are worth exactly {value} each",
    }
    return KeptApart(columns.accounts[hub], f"It looks like a CoinJoin: {words[shape]}.")

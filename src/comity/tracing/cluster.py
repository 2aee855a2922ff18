"""Which accounts belong to one owner: the co-spend heuristic, with a guard against CoinJoin.

To spend several inputs in one transaction takes the keys of all of them, so their accounts are taken to
have one owner. A CoinJoin breaks that on purpose: many parties put in, and get out, equal amounts. A
transaction that looks so joins nobody, and the reason is kept. A heuristic, never proof of ownership.
Source: Meiklejohn et al., A Fistful of Bitcoins (IMC 2013), heuristic 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comity.errors import BadInput
from comity.model import Columns
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
        owners, counts = np.unique(self.owner, return_counts=True)
        return {
            self.columns.accounts[int(owner)]: int(count)
            for owner, count in zip(owners, counts, strict=True)
            if count > 1
        }


def cluster(columns: Columns, *, equal_outputs: int = 3) -> Clusters:
    """Join the input accounts of each transaction, unless it looks like a CoinJoin.

    It does when at least ``equal_outputs`` different accounts put in, and at least as many outputs have one
    and the same value. Raises BadInput when ``equal_outputs`` is below 2. Cost: near-linear.
    """
    if equal_outputs < 2:
        raise BadInput("equal_outputs is below 2", why="one output is always equal to itself", remedy="use 3")
    parent = np.arange(columns.n_accounts, dtype=np.int32)
    kept: list[KeptApart] = []
    for hub in np.flatnonzero(columns.hub):
        ins = columns.in_idx[columns.in_ptr[hub] : columns.in_ptr[hub + 1]]
        payers = np.unique(columns.src[ins])
        if len(payers) < 2:
            continue
        outs = columns.value[columns.out_idx[columns.out_ptr[hub] : columns.out_ptr[hub + 1]]]
        values, counts = np.unique(outs[outs > 0], return_counts=True)
        if len(payers) >= equal_outputs and len(values) and counts.max() >= equal_outputs:
            worth = int(values[counts.argmax()]) / 10**columns.scale
            kept.append(
                KeptApart(
                    columns.accounts[int(hub)],
                    f"It looks like a CoinJoin: {len(payers)} accounts put in, {counts.max()} outputs are "
                    f"worth exactly {worth:g} each.",
                )
            )
            continue
        first = _root(parent, int(payers[0]))
        for payer in payers[1:]:
            other = _root(parent, int(payer))
            first, other = min(first, other), max(first, other)
            parent[other] = first
    for account in range(columns.n_accounts):  # ascending: a parent is smaller, so already its own root's
        parent[account] = parent[parent[account]]
    return Clusters(columns, parent, tuple(kept))


def _root(parent: NDArray[np.int32], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = int(parent[node])
    return node

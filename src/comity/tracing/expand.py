"""Let a trace go on from single accounts at which a limit ended it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from comity.tracing.layout import LIMITS, ON
from comity.tracing.trace import Bounds, Leaf, Stop, Trace

MORE_NODES = 500
"""How many more accounts and transactions one round of going on may reach."""
Tracer = Callable[[Container[str], Bounds], Trace]
"""Traces with these services and bounds."""


def expand(tracer: Tracer, services: Container[str], bounds: Bounds, opened: Container[str]) -> Trace:
    """Trace, then one hop further from every account of which the key ``on ACCOUNT`` is ``opened`` and at
    which a limit ended the trace; and so on from those that are opened there.

    Each round is one trace of the whole, so that it is still true to its method and to time: the accounts
    at which it ended before, and that are not opened, end it again.
    """
    found = tracer(services, bounds)
    ended: dict[str, Stop] = {}
    while further := {
        leaf.account for leaf in found.leaves if leaf.reason in LIMITS and ON + leaf.account in opened
    }:
        passed = {step.source for step in found.steps} & {step.target for step in found.steps}
        for leaf in found.leaves:
            if leaf.reason in LIMITS and leaf.account not in passed:
                ended.setdefault(leaf.account, leaf.reason)
        for account in further:
            ended.pop(account, None)
        bounds = replace(bounds, hops=bounds.hops + 1, max_nodes=bounds.max_nodes + MORE_NODES)
        again = _ended(tracer(_Either(services, ended), bounds), services, ended)
        if len(again.steps) <= len(found.steps):
            return again  # nothing more is known of where it went
        found = again
    return found


def _ended(found: Trace, services: Container[str], ended: dict[str, Stop]) -> Trace:
    """What was made to end the trace did so for the reason it had before."""
    leaves: dict[tuple[str, Stop], Leaf] = {}
    for leaf in found.leaves:
        reason = leaf.reason
        if reason is Stop.SERVICE and leaf.account in ended and leaf.account not in services:
            reason = ended[leaf.account]
        held = leaves.get((leaf.account, reason))
        if held:
            tainted = None if leaf.tainted is None else leaf.tainted + (held.tainted or 0)
            leaf = replace(leaf, value=leaf.value + held.value, tainted=tainted)
        leaves[leaf.account, reason] = replace(leaf, reason=reason)
    ranked = sorted(leaves.values(), key=lambda leaf: (-leaf.value, leaf.account, leaf.reason))
    return replace(found, leaves=tuple(ranked))


class _Either:
    """Accounts in one collection or the other."""

    def __init__(self, one: Container[str], other: Container[str]) -> None:
        self._one, self._other = one, other

    def __contains__(self, account: object) -> bool:
        return account in self._one or account in self._other

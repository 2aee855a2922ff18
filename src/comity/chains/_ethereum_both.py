"""What an EVM node and an exporter state alike, once their names for it are set aside."""

from __future__ import annotations

from typing import Any

from comity.chains._ethereum_facts import MAX_CALLS, Call, Credit, Facts, Path
from comity.chains._evm import address, array, quantity, shown, small
from comity.errors import BadInput

_GWEI = 10**9


def withdraw(item: dict[str, Any], block: int, facts: Facts) -> None:
    """A credit from the staking chain (EIP-4895). Its amount is in Gwei."""
    number = small(item.get("index"), f"block {block:,}: withdrawal")
    where = f"withdrawal {number:,}"
    gwei = quantity(item.get("amount"), f"{where}: amount", 1 << 64)
    to = address(item.get("address"), f"{where}: address")
    facts.credit(f"withdrawal:{number}", Credit(block, "beacon-chain", to, gwei * _GWEI))


def settle(name: str, status: Any, root: Any, gas_used: Any, where: str, facts: Facts) -> None:
    """Whether a transaction took effect, from its receipt. Before Byzantium that is not stated (EIP-658)."""
    if status is not None:
        facts.outcome(name, quantity(status, f"{where}: status", 2) == 1)
    elif root is not None and gas_used is not None:
        facts.gas_used[name] = quantity(gas_used, f"{where}: gas used")


def reward(block: int, what: Any, author: Any, value: Any, facts: Facts) -> None:
    where = f"a reward of block {block:,}"
    if what not in ("block", "uncle", "emptyStep", "external"):
        raise unknown(what, where)
    facts.keep()
    facts.rewards[block, what, address(author, f"{where}: author"), quantity(value, f"{where}: value")] += 1


def place(value: Any, where: str) -> Path:
    """A call's place in its transaction's tree: the outermost is (), the second call within it (1,)."""
    steps = array([] if value is None else value, f"{where}: its place")
    if len(steps) > MAX_CALLS:
        raise BadInput(
            f"{where}: {len(steps):,} calls deep",
            why="no call goes deeper than 1,024",
            remedy="get the trace again",
        )
    return tuple(quantity(step, f"{where}: its place", 1 << 32) for step in steps)


def transfer(what: Any, call_type: Any, sender: Any, receiver: Any, value: Any, where: str) -> Call | None:
    """What a call moves; None for one that runs another's code on its own account.

    `delegatecall` repeats the value of the call it is in, and `callcode` keeps it where it is.
    """
    if what == "call":
        if call_type not in (None, "", "call"):
            return None
    elif what not in ("create", "create2", "suicide", "selfdestruct"):
        raise unknown(what, where)
    to = address(receiver, f"{where}: to")
    return Call(address(sender, f"{where}: from"), to, quantity(value, f"{where}: value"))


def unknown(what: Any, where: str) -> BadInput:
    return BadInput(
        f"{where}: a kind of trace that is not known: {shown(what)}",
        why="what it moves cannot be told",
        remedy="leave it out of the file if it moves nothing",
    )

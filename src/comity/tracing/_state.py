"""What a trace keeps while it walks: arrays that grow with what is reached, never with the ledger.

Accounts reached have a slot each, found through a hash table; what is due is in a heap by clock; the units
that FIFO and LIFO follow are runs (so many traced, so many not) in linked lists. A kernel asks for room
between events (`grown` gives it), so that nothing is allocated inside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

HAIRCUT, POISON, FIFO, LIFO = range(4)
"""Methods, as numbers."""
DONE, ASK, GROW, SWITCH = range(4)
"""Why a kernel comes back."""
SERVICE, HELD, HOPS, TIME, NODES, DUST, FEE, SEVERAL, NONE = range(9)
"""Why value ends."""
REASONS = 9
UNKNOWN, PLAIN, MIXES, BRIDGE = range(4)
"""What an account is: not asked yet, nothing special, a service, an end of a bridge."""
WHOLE = 10**12
"""``SHARE`` counts in parts of this."""
NO, CLEAN, MARKED = np.int64(-1), np.int64(0), np.int64(1)
"""No node (nor hop); units that are not traced, and that are. Of one type with what is computed, since
numba compiles a function anew for a literal."""
NEVER = 2**62
"""A clock that no transfer reaches."""

NONE_FITS, TOO_MANY, NOT_ASKED = -2, -1, -3
"""In place of a payout."""

# Fields of a slot: one account that was reached.
ACCOUNT, HOP, LEAF_HOP, CLASS, TRACED, TAINT, POS, QUEUED, PASSED = range(9)
OPENED, BALANCE, HELD_FROM, OUT, IN_DONE, INSTANT, CLOCK, HEAD, TAIL = range(9, 18)
ARRIVALS, LAST_ARRIVAL, WAITING = range(18, 21)
FIELDS = 21
# Fields of a step, a run or an arrival, a jump over a bridge.
TRANSFER, VALUE, STEP_HOP, STEP_TAINT, INFERRED = range(5)
LENGTH, KIND, NEXT, BACK, LAST = range(5)
EDGE, FIRST = 0, 1  # of an arrival, in the places of LENGTH and KIND
JUMP_HEAD, JUMP_TAIL = 4, 5
# Counters.
N_SLOTS, N_HEAP, N_STEPS, N_NODES, FREE, N_FREE, N_JUMPS, REACHED = range(8)
SWEEPING, SCAN, NOW, DUST_BELOW, TOTAL, N_ASKED, N_PAYOUTS, N_HELD = range(8, 16)
# Parameters.
METHOD, MOST_HOPS, MOST_NODES, END, START, ALL, BEGIN, CLASSED, PLAN, SHARE, AMOUNT = range(11)
WALK, SWEEP, EITHER = range(3)
"""Plans: along the index, along all transfers in order of time, or whichever costs less."""


class State(NamedTuple):
    """``counts`` and ``given`` are the counters and parameters; ``heap`` rows are (clock, kind and number);
    ``ends`` are by slot the values and the taint by reason; ``asked`` accounts (and, below 0, transfers)
    with their answers; ``payouts`` rows are a transfer into a bridge, that out of it (or why there is none)
    and what both are worth; ``held`` balances before transfers out; ``active`` by account, while sweeping."""

    counts: NDArray[np.int64]
    given: NDArray[np.int64]
    table: NDArray[np.int64]
    slots: NDArray[np.int64]
    ends: NDArray[np.int64]
    heap: NDArray[np.int64]
    steps: NDArray[np.int64]
    nodes: NDArray[np.int64]
    jumps: NDArray[np.int64]
    asked: NDArray[np.int64]
    payouts: NDArray[np.int64]
    held: NDArray[np.int64]
    active: NDArray[np.uint8]


def fresh(given: NDArray[np.int64], slots: int = 256) -> State:
    """An empty state."""
    counts = np.zeros(16, dtype=np.int64)
    counts[FREE], counts[NOW] = -1, -NEVER
    return State(
        counts=counts,
        given=given,
        table=np.zeros(4 * slots, dtype=np.int64),
        slots=np.empty((slots, FIELDS), dtype=np.int64),
        ends=np.empty((slots, 2 * REASONS), dtype=np.int64),
        heap=np.empty((2 * slots, 2), dtype=np.int64),
        steps=np.empty((slots, 5), dtype=np.int64),
        nodes=np.empty((2 * slots, 5), dtype=np.int64),
        jumps=np.empty((slots, 6), dtype=np.int64),
        asked=np.empty((slots, 2), dtype=np.int64),
        payouts=np.empty((slots, 4), dtype=np.int64),
        held=np.empty(4 * slots, dtype=np.int64),
        active=np.empty(0, dtype=np.uint8),
    )


def grown(state: State, need: int, opens: int) -> State:
    """The state with room for ``need`` more of each kind and ``opens`` more balances."""
    counts = state.counts

    def longer(array: NDArray[np.int64], used: int, spare: int = need) -> NDArray[np.int64]:
        wanted = int(used) + spare
        if wanted <= len(array):
            return array
        copy = np.empty((max(wanted, 2 * len(array)), *array.shape[1:]), dtype=np.int64)
        copy[:used] = array[:used]
        return copy

    slots = longer(state.slots, counts[N_SLOTS])
    jumps = longer(state.jumps, counts[N_JUMPS])
    table = state.table
    if len(table) < 2 * len(slots):
        size = 1 << (4 * len(slots) - 1).bit_length()
        table = np.zeros(size, dtype=np.int64)
        hashed(table, slots, counts[N_SLOTS])
    return state._replace(
        table=table,
        slots=slots,
        jumps=jumps,
        ends=_at_least(state.ends, len(slots)),
        heap=_at_least(state.heap, len(slots) + len(jumps)),
        steps=longer(state.steps, counts[N_STEPS]),
        nodes=longer(state.nodes, counts[N_NODES], 4 * need),
        asked=_at_least(state.asked, need),
        payouts=longer(state.payouts, counts[N_PAYOUTS]),
        held=longer(state.held, counts[N_HELD], opens),
    )


def _at_least(array: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    if length <= len(array):
        return array
    copy = np.empty((max(length, 2 * len(array)), array.shape[1]), dtype=np.int64)
    copy[: len(array)] = array
    return copy


@njit(cache=True, nogil=True, forceinline=True)
def place_of(table, number):  # type: ignore[no-untyped-def]
    """Where in the table the search for an account begins."""
    return ((number * -7046029254386353131) >> 20) & (len(table) - 1)


@njit(cache=True, nogil=True)
def hashed(table, slots, used):  # type: ignore[no-untyped-def]
    """Put the first ``used`` slots into an empty table (of a power of two of places)."""
    for slot in range(used):
        at = place_of(table, slots[slot, ACCOUNT])
        while table[at]:
            at = (at + 1) & (len(table) - 1)
        table[at] = slot + 1


@njit(cache=True, nogil=True, forceinline=True)
def slot_of(state, account):  # type: ignore[no-untyped-def]
    """The slot of an account, or -1."""
    at = place_of(state.table, account)
    while state.table[at]:
        slot = state.table[at] - 1
        if state.slots[slot, ACCOUNT] == account:
            return slot
        at = (at + 1) & (len(state.table) - 1)
    return -1


@njit(cache=True, nogil=True)
def touched(state, account):  # type: ignore[no-untyped-def]
    """The slot of an account; a new one where it has none."""
    at = place_of(state.table, account)
    while state.table[at]:
        slot = state.table[at] - 1
        if state.slots[slot, ACCOUNT] == account:
            return slot
        at = (at + 1) & (len(state.table) - 1)
    slot = state.counts[N_SLOTS]
    state.counts[N_SLOTS] += 1
    state.table[at] = slot + 1
    state.slots[slot, :] = 0
    state.ends[slot, :] = 0
    state.slots[slot, ACCOUNT] = account
    for field in (HOP, LEAF_HOP, HEAD, TAIL, ARRIVALS, LAST_ARRIVAL):
        state.slots[slot, field] = -1
    state.slots[slot, CLOCK] = -NEVER
    return slot


@njit(cache=True, nogil=True)
def push(state, clock, sub):  # type: ignore[no-untyped-def]
    """Something is due at ``clock``; within one clock the smaller ``sub`` comes first."""
    heap, at = state.heap, state.counts[N_HEAP]
    state.counts[N_HEAP] += 1
    while at > 0:
        up = (at - 1) >> 1
        if heap[up, 0] < clock or (heap[up, 0] == clock and heap[up, 1] <= sub):
            break
        heap[at, 0], heap[at, 1] = heap[up, 0], heap[up, 1]
        at = up
    heap[at, 0], heap[at, 1] = clock, sub


@njit(cache=True, nogil=True)
def pop(state):  # type: ignore[no-untyped-def]
    """Take away what is due first."""
    heap = state.heap
    state.counts[N_HEAP] -= 1
    n = state.counts[N_HEAP]
    clock, sub, at = heap[n, 0], heap[n, 1], 0
    while True:
        down = 2 * at + 1
        if down >= n:
            break
        right = down + 1
        if right < n and (
            heap[right, 0] < heap[down, 0]
            or (heap[right, 0] == heap[down, 0] and heap[right, 1] < heap[down, 1])
        ):
            down = right
        if heap[down, 0] > clock or (heap[down, 0] == clock and heap[down, 1] >= sub):
            break
        heap[at, 0], heap[at, 1] = heap[down, 0], heap[down, 1]
        at = down
    heap[at, 0], heap[at, 1] = clock, sub


@njit(cache=True, nogil=True)
def share(a, b, c):  # type: ignore[no-untyped-def]
    """``a * b // c`` exactly, for b <= c < 2**62 (0 where c is 0): beyond 63 bits digit by digit."""
    if c == 0:
        return 0
    whole = a // c * b
    a %= c
    if b == 0 or a <= 9223372036854775807 // b:
        return whole + a * b // c
    quotient, rest = 0, 0
    for bit in range(61, -1, -1):
        quotient, rest = 2 * quotient, 2 * rest
        if rest >= c:
            quotient, rest = quotient + 1, rest - c
        if (b >> bit) & 1:
            rest += a
            if rest >= c:
                quotient, rest = quotient + 1, rest - c
    return whole + quotient

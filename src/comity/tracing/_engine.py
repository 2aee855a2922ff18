"""One trace from its first transfer to its last: along the index, or by a sweep over all transfers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from comity.tracing import _state as s
from comity.tracing._holding import advanced, ended, in_lots, opened
from comity.tracing._runs import traced_last
from comity.tracing._walk import KIND_OF, answered, follows, of_account, of_bridge, of_hub, queued
from comity.tracing._worth import clock_at, closing, first_at, is_hub, not_before, place, worth_ahead
from comity.tracing.view import Side

_MOVING = 50
"""A sweep reads a transfer in about a fiftieth of the time that the heap needs for an account: it costs
less once more than one account in so many is on the move."""


@njit(cache=True, nogil=True)
def begin_sweep(side, state):  # type: ignore[no-untyped-def]
    """From here on what accounts owe is found by a sweep; transactions and bridges stay in the heap."""
    counts, heap, slots = state.counts, state.heap, state.slots
    clock = heap[0, 0] if counts[s.N_HEAP] else s.NEVER
    counts[s.SWEEPING], counts[s.SCAN], counts[s.NOW] = 1, first_at(side, clock), -s.NEVER
    for slot in range(counts[s.N_SLOTS]):
        if slots[slot, s.HOP] >= 0:
            state.active[slots[slot, s.ACCOUNT]] = 1
    n, counts[s.N_HEAP] = counts[s.N_HEAP], 0
    for row in range(n):
        due, sub = heap[row, 0], heap[row, 1]
        if sub >= KIND_OF:
            s.push(state, due, sub)  # the heap grows behind the rows that are read
        else:
            slots[s.slot_of(state, sub), s.QUEUED] = 0


@njit(cache=True, nogil=True)
def swept(side, state):  # type: ignore[no-untyped-def]
    """Go on to the next instant at which something is due, and queue it; whether there is one."""
    counts, n = state.counts, len(side.all_time)
    limit = min(state.given[s.END], state.heap[0, 0] if counts[s.N_HEAP] else s.NEVER)
    at, step = counts[s.SCAN], side.sign
    e = at if step > 0 else n - 1 - at
    while at < n and step * side.all_time[e] <= limit and not state.active[side.near[e]]:
        at, e = at + 1, e + step
    if at < n and step * side.all_time[e] <= limit:
        now = step * side.all_time[e]
        while at < n and step * side.all_time[e] == now:
            near = np.int64(side.near[e])
            if state.active[near] and not is_hub(side, near):
                queued(side, state, s.slot_of(state, near), now)
            at, e = at + 1, e + step
        counts[s.NOW] = now
    elif counts[s.N_HEAP]:
        counts[s.NOW] = state.heap[0, 0]
    else:
        return False
    counts[s.SCAN] = at
    return True


@njit(cache=True, nogil=True)
def room_for(side, state, slot):  # type: ignore[no-untyped-def]
    """How much room what is due at an account or transaction may need: whether there is too
    little, how much of each kind, and how many balances."""
    counts, account = state.counts, state.slots[slot, s.ACCOUNT]
    need = 8 + state.slots[slot, s.WAITING]
    if is_hub(side, account):
        need += side.ptr[account + 1] - side.ptr[account]
    opens = 0
    if state.given[s.METHOD] == s.HAIRCUT and not is_hub(side, account) and not state.slots[slot, s.OPENED]:
        opens = side.ptr[account + 1] - side.ptr[account]
    free = len(state.nodes) - counts[s.N_NODES] + counts[s.N_FREE]
    enough = (
        counts[s.N_SLOTS] + need <= len(state.slots)
        and counts[s.N_STEPS] + need <= len(state.steps)
        and counts[s.N_JUMPS] + need <= len(state.jumps)
        and need <= len(state.asked)
        and 4 * need <= free
        and counts[s.N_HELD] + opens <= len(state.held)
    )
    return not enough, need, opens


@njit(cache=True, nogil=True)
def walk(side, state):  # type: ignore[no-untyped-def]
    """Go on until all is done (`DONE`), something must be asked (`ASK`), there is too little room (`GROW`,
    and how much is needed, see `room_for`), or a sweep would cost less (`SWITCH`)."""
    counts = state.counts
    answered(side, state)
    while True:
        if counts[s.SWEEPING]:
            if (counts[s.N_HEAP] == 0 or state.heap[0, 0] > counts[s.NOW]) and not swept(side, state):
                return s.DONE, 0, 0
            if counts[s.N_HEAP] == 0:
                continue
        elif state.given[s.PLAN] != s.WALK and (
            state.given[s.PLAN] == s.SWEEP or counts[s.N_HEAP] * _MOVING > len(side.hub)
        ):
            return s.SWITCH, 0, 0
        elif counts[s.N_HEAP] == 0:
            return s.DONE, 0, 0
        clock, sub = state.heap[0, 0], state.heap[0, 1]
        kind, number = sub // KIND_OF, sub % KIND_OF
        slot = s.slot_of(state, number) if kind < 2 else 0
        short, need, opens = room_for(side, state, slot)
        if short:
            return s.GROW, need, opens
        if kind == 0:
            code = of_account(side, state, slot, clock)
        elif kind == 1:
            code = of_hub(side, state, slot)
        else:
            code = of_bridge(side, state, number)
        if code == s.ASK:
            return s.ASK, 0, 0


@njit(cache=True, nogil=True)
def begun(side, state):  # type: ignore[no-untyped-def]
    """Set out: the start holds what is traced, or all that leaves it is; returns how much that is."""
    counts, given, slots = state.counts, state.given, state.slots
    start, begin, total = given[s.START], given[s.BEGIN], given[s.AMOUNT]
    slot = s.touched(state, start)
    slots[slot, s.HOP], counts[s.REACHED] = 0, 1
    at = not_before(side, start, 0, begin)
    slots[slot, s.POS] = at
    if given[s.ALL]:
        n, total = side.ptr[start + 1] - side.ptr[start], 0
        while at < n and clock_at(side, start, at) <= given[s.END]:
            p = place(side.ptr, start, at, side.sign)
            total += 0 if side.far[p] == start else max(worth_ahead(side, start, p), 0)
            at += 1
    else:
        slots[slot, s.TRACED] = slots[slot, s.TAINT] = total
        if in_lots(state):
            opened(side, state, slot)
            advanced(side, state, slot, at, begin)
            slots[slot, s.HEAD], slots[slot, s.TAIL] = traced_last(
                state, slots[slot, s.HEAD], slots[slot, s.TAIL], total
            )
    counts[s.TOTAL], counts[s.DUST_BELOW] = total, max(1, s.share(total, given[s.SHARE], s.WHOLE))
    queued(side, state, slot, begin)


@njit(cache=True, nogil=True)
def finished(side, state):  # type: ignore[no-untyped-def]
    """What is still held somewhere ends there, for the reason that it went no further."""
    slots, poison = state.slots, state.given[s.METHOD] == s.POISON
    for slot in range(state.counts[s.N_SLOTS]):
        traced, taint, account = slots[slot, s.TRACED], slots[slot, s.TAINT], slots[slot, s.ACCOUNT]
        if traced == 0 and taint == 0:
            continue
        reason = s.HELD
        if not is_hub(side, account) and slots[slot, s.POS] < side.ptr[account + 1] - side.ptr[account]:
            reason = s.TIME if follows(state, slot) else s.DUST
        if poison and not is_hub(side, account):
            taint = max(closing(side, account, state.given[s.END]), traced)
        ended(state, slot, reason, traced, taint if poison else 0, s.NO)


def run(
    side: Side,
    given: dict[int, int],
    kind: Callable[[int], int],
    order: Callable[[int], list[int]],
    payout: Callable[[int], tuple[int, int, int]] | None,
) -> s.State:
    """Trace, and give back all there is to know.

    ``given`` are parameters by name in `_state`; ``kind`` says of an account what it is, ``order`` of a
    transaction in which order its inputs are, and then its outputs, ``payout`` of a transfer into a bridge
    the one out of it (or why there is none), and what both are worth.
    """
    parameters = np.zeros(11, dtype=np.int64)
    for name, value in given.items():
        parameters[name] = value
    state = s.fresh(parameters)
    begun(side, state)
    while True:
        code, need, opens = walk(side, state)
        if code == s.DONE:
            finished(side, state)
            return state
        if code == s.GROW:
            state = s.grown(state, need, opens)
        elif code == s.SWITCH:
            state = state._replace(active=np.zeros(len(side.hub), dtype=np.uint8))
            begin_sweep(side, state)
        else:
            state = _answered(side, state, kind, order, payout)


def _answered(
    side: Side,
    state: s.State,
    kind: Callable[[int], int],
    order: Callable[[int], list[int]],
    payout: Callable[[int], tuple[int, int, int]] | None,
) -> s.State:
    """Answer what the kernel asked."""
    count = int(state.counts[s.N_ASKED])
    state = s.grown(state, count, 0)
    for row in range(count):
        question = int(state.asked[row, 0])
        if question < 0:
            assert payout is not None, "only a bridge is asked for its payout"
            state.payouts[state.counts[s.N_PAYOUTS]] = (-1 - question, *payout(-1 - question))
            state.counts[s.N_PAYOUTS] += 1
        elif side.hub[question]:
            turns = order(question)
            state = s.grown(state, 0, len(turns))
            state.asked[row, 1] = begin = int(state.counts[s.N_HELD])
            state.held[begin : begin + len(turns)] = turns
            state.counts[s.N_HELD] += len(turns)
        else:
            state.asked[row, 1] = kind(question)
    return state

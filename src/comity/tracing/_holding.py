"""What an account holds as a trace comes by: its balance, or for FIFO and LIFO its units in order.

The ledger may begin late: an account is taken to have opened with the least that keeps it from ever being
overdrawn. Its transfers are counted when they are needed, in the order of `next_event`.
"""

from __future__ import annotations

from numba import njit

from comity.tracing import _state as s
from comity.tracing._runs import (
    added,
    drop,
    dropped,
    joined,
    new_node,
    taken,
    taken_of,
    traced_last,
    traced_within,
)
from comity.tracing._worth import balances, clock_at, is_change, is_hub, place, worth_ahead, worth_behind

COUNTED = -2
"""In place of an arrival's units: they are in the account's list already."""


@njit(cache=True, nogil=True)
def ended(state, slot, reason, value, taint, hop):  # type: ignore[no-untyped-def]
    """So much value (and taint) ends at an account for this reason; ``hop`` -1: as far as it is known."""
    if hop >= 0 and state.slots[slot, s.LEAF_HOP] < 0:
        state.slots[slot, s.LEAF_HOP] = hop
    state.ends[slot, reason] += value
    state.ends[slot, s.REASONS + reason] += taint


@njit(cache=True, nogil=True, forceinline=True)
def in_lots(state):  # type: ignore[no-untyped-def]
    """Whether the method follows units in order."""
    return state.given[s.METHOD] >= s.FIFO


@njit(cache=True, nogil=True)
def opened(side, state, slot):  # type: ignore[no-untyped-def]
    """Before an account's first transfer is counted: what it opened with, and for haircut all that it held
    before each transfer out."""
    slots, counts = state.slots, state.counts
    if slots[slot, s.OPENED]:
        return
    slots[slot, s.OPENED] = 1
    account, begin = slots[slot, s.ACCOUNT], counts[s.N_HELD]
    if in_lots(state):
        low = balances(side, account, state.held[:0])
        slots[slot, s.HEAD], slots[slot, s.TAIL] = added(state, s.NO, s.NO, -low, s.CLEAN)
        return
    counts[s.N_HELD] += side.ptr[account + 1] - side.ptr[account]
    slots[slot, s.HELD_FROM] = begin
    slots[slot, s.BALANCE] = -balances(side, account, state.held[begin : counts[s.N_HELD]])


@njit(cache=True, nogil=True)
def arrived(side, state, slot, transfer, head, tail, traced):  # type: ignore[no-untyped-def]
    """A transfer brings its units: they wait until it is counted. Where it has been, within this instant,
    they take the place of what came last."""
    slots, nodes = state.slots, state.nodes
    account, key = slots[slot, s.ACCOUNT], side.sign * transfer
    if slots[slot, s.OPENED] and not is_hub(side, account):
        n = side.bptr[account + 1] - side.bptr[account]
        at = slots[slot, s.IN_DONE]
        counted = at >= n or side.sign * side.bidx[place(side.bptr, account, at, side.sign)] > key
        hub = side.near[transfer]
        if counted and is_hub(side, hub) and side.sign * side.all_time[transfer] == slots[slot, s.CLOCK]:
            counted = not is_change(hub, account, side.bptr, side.bfar)  # for that is counted later
        if counted:
            dropped(state, head)
            slots[slot, s.HEAD], slots[slot, s.TAIL] = traced_last(
                state, slots[slot, s.HEAD], slots[slot, s.TAIL], traced
            )
            return
    before, after = slots[slot, s.LAST_ARRIVAL], -1
    while before >= 0 and side.sign * nodes[before, s.EDGE] >= key:
        if nodes[before, s.EDGE] == transfer:  # a transaction that passes on twice within an instant
            merge_arrival(state, slot, before, head, traced)
            return
        after, before = before, nodes[before, s.BACK]
    node = new_node(state)
    nodes[node, s.EDGE], nodes[node, s.FIRST], nodes[node, s.LAST] = transfer, head, tail
    nodes[node, s.BACK], nodes[node, s.NEXT] = before, after
    if before >= 0:
        nodes[before, s.NEXT] = node
    else:
        slots[slot, s.ARRIVALS] = node
    if after >= 0:
        nodes[after, s.BACK] = node
    else:
        slots[slot, s.LAST_ARRIVAL] = node
    slots[slot, s.WAITING] += 1


@njit(cache=True, nogil=True)
def merge_arrival(state, slot, node, head, traced):  # type: ignore[no-untyped-def]
    """The same transfer brings more traced units: so many of those it brought before are traced too."""
    dropped(state, head)
    nodes = state.nodes
    if nodes[node, s.FIRST] == COUNTED:
        state.slots[slot, s.HEAD], state.slots[slot, s.TAIL] = traced_last(
            state, state.slots[slot, s.HEAD], state.slots[slot, s.TAIL], traced
        )
        return
    nodes[node, s.FIRST], nodes[node, s.LAST] = traced_last(
        state, nodes[node, s.FIRST], nodes[node, s.LAST], traced
    )


@njit(cache=True, nogil=True)
def forgotten(state, slot, node):  # type: ignore[no-untyped-def]
    """An arrival has been counted."""
    nodes = state.nodes
    back, following = nodes[node, s.BACK], nodes[node, s.NEXT]
    if back >= 0:
        nodes[back, s.NEXT] = following
    else:
        state.slots[slot, s.ARRIVALS] = following
    if following >= 0:
        nodes[following, s.BACK] = back
    else:
        state.slots[slot, s.LAST_ARRIVAL] = back
    state.slots[slot, s.WAITING] -= 1
    drop(state, node)


@njit(cache=True, nogil=True)
def waiting(side, state, slot, transfer):  # type: ignore[no-untyped-def]
    """The arrival by this transfer, or -1."""
    node = state.slots[slot, s.ARRIVALS]
    while node >= 0 and side.sign * state.nodes[node, s.EDGE] < side.sign * transfer:
        node = state.nodes[node, s.NEXT]
    return node if node >= 0 and state.nodes[node, s.EDGE] == transfer else -1


@njit(cache=True, nogil=True)
def lots_in(state, slot, node):  # type: ignore[no-untyped-def]
    """Put the units of an arrival at the tail of the account's list, unless they are there."""
    first = state.nodes[node, s.FIRST]
    forgotten(state, slot, node)
    if first != COUNTED:
        state.slots[slot, s.HEAD], state.slots[slot, s.TAIL] = joined(
            state, state.slots[slot, s.HEAD], state.slots[slot, s.TAIL], first
        )


@njit(cache=True, nogil=True)
def unseen_in(side, state, slot, first, last, clock):  # type: ignore[no-untyped-def]
    """Count transfers in from the ``first``-th up to ``last`` (a clock), without change of the instant
    ``clock``: the number of the next one."""
    sign, bptr, btime, bvalue, bfar, bidx = (
        side.sign,
        side.bptr,
        side.btime,
        side.bvalue,
        side.bfar,
        side.bidx,
    )
    account, gap = state.slots[slot, s.ACCOUNT], 0
    n, q = bptr[account + 1] - bptr[account], place(bptr, account, first, sign)
    while first < n and sign * btime[q] <= last:
        change = side.hubs and side.hub[bfar[q]] and sign * btime[q] == clock
        if not (change and is_change(bfar[q], account, bptr, bfar)):
            node = waiting(side, state, slot, bidx[q]) if state.slots[slot, s.WAITING] else -1
            if node >= 0:
                more_untraced(state, slot, gap)
                gap = 0
                lots_in(state, slot, node)
            elif bfar[q] != account:
                gap += bvalue[q] if bvalue[q] >= 0 else max(worth_behind(side, account, q), 0)
        first, q = first + 1, q + sign
    more_untraced(state, slot, gap)
    return first


@njit(cache=True, nogil=True)
def change_in(side, state, slot, first, end):  # type: ignore[no-untyped-def]
    """Count the change among transfers in from the ``first``-th to before the ``end``-th: those left
    out within their instant."""
    account = state.slots[slot, s.ACCOUNT]
    for number in range(first, end):
        q = place(side.bptr, account, number, side.sign)
        hub = side.bfar[q]
        if not is_hub(side, hub) or not is_change(hub, account, side.bptr, side.bfar):
            continue
        node = waiting(side, state, slot, side.bidx[q])
        if node >= 0:
            lots_in(state, slot, node)
        else:
            more_untraced(state, slot, max(worth_behind(side, account, q), 0))


@njit(cache=True, nogil=True)
def more_untraced(state, slot, units):  # type: ignore[no-untyped-def]
    """So many untraced units come."""
    state.slots[slot, s.HEAD], state.slots[slot, s.TAIL] = added(
        state, state.slots[slot, s.HEAD], state.slots[slot, s.TAIL], units, 0
    )


@njit(cache=True, nogil=True)
def lots_out(state, slot, units):  # type: ignore[no-untyped-def]
    """Units leave that nobody follows: what was traced of them was too small a part."""
    slots = state.slots
    some, _, head, tail, found = taken(
        state, slots[slot, s.HEAD], slots[slot, s.TAIL], units, state.given[s.METHOD] == s.LIFO
    )
    slots[slot, s.HEAD], slots[slot, s.TAIL] = head, tail
    dropped(state, some)
    if found:
        slots[slot, s.TRACED] -= found
        ended(state, slot, s.DUST, found, 0, s.NO)


@njit(cache=True, nogil=True)
def advanced(side, state, slot, upto, last):  # type: ignore[no-untyped-def]
    """Count the account's transfers up to its ``upto``-th out, and none in that is after ``last``.

    Within an instant: what comes in, what goes out, change. ``IN_DONE`` transfers in are counted, but for
    change among those from ``INSTANT`` on, which are of the instant ``CLOCK``.
    """
    slots = state.slots
    account, n = slots[slot, s.ACCOUNT], side.ptr[slots[slot, s.ACCOUNT] + 1]
    n -= side.ptr[account]
    first, out, instant, clock = (
        slots[slot, s.IN_DONE],
        slots[slot, s.OUT],
        slots[slot, s.INSTANT],
        slots[slot, s.CLOCK],
    )
    while True:
        left = min(clock_at(side, account, out), last) if out < n else last
        if left > clock:
            if side.hubs:
                change_in(side, state, slot, instant, first)
            first = unseen_in(side, state, slot, first, left - 1, s.NEVER)
            instant, clock = first, left
            first = unseen_in(side, state, slot, first, left, left if out < n else s.NEVER)
        if out >= upto or out >= n:
            break
        p = place(side.ptr, account, out, side.sign)
        if side.far[p] != account:
            lots_out(state, slot, max(worth_ahead(side, account, p), 0))
        out += 1
    slots[slot, s.IN_DONE], slots[slot, s.OUT] = first, out
    slots[slot, s.INSTANT], slots[slot, s.CLOCK] = instant, clock


@njit(cache=True, nogil=True)
def change_first(side, state, slot, clock):  # type: ignore[no-untyped-def]
    """Change that came within this very instant may leave in it, ahead of its turn."""
    node = state.slots[slot, s.ARRIVALS]
    while node >= 0 and side.sign * side.all_time[state.nodes[node, s.EDGE]] <= clock:
        if state.nodes[node, s.FIRST] != COUNTED:
            state.slots[slot, s.HEAD], state.slots[slot, s.TAIL] = joined(
                state, state.slots[slot, s.HEAD], state.slots[slot, s.TAIL], state.nodes[node, s.FIRST]
            )
            state.nodes[node, s.FIRST] = COUNTED
        node = state.nodes[node, s.NEXT]


@njit(cache=True, nogil=True)
def part_leaving(side, state, slot, p, worth):  # type: ignore[no-untyped-def]
    """What of the traced value leaves with the account's next transfer out, at place ``p`` of the index."""
    slots, method = state.slots, state.given[s.METHOD]
    account, number, traced = slots[slot, s.ACCOUNT], slots[slot, s.POS], slots[slot, s.TRACED]
    clock = side.sign * side.time[p]
    if method != s.POISON:
        opened(side, state, slot)
    if method >= s.FIFO:
        advanced(side, state, slot, number, clock)
        traced = slots[slot, s.TRACED]  # less what left unseen
        change_first(side, state, slot, clock)
    if worth < 0:  # nothing can be said of it: an equal part of what may still leave
        return traced // (side.ptr[account + 1] - side.ptr[account] - number)
    if method == s.POISON:
        return min(traced, worth)
    if method == s.HAIRCUT:
        held = slots[slot, s.BALANCE] + state.held[slots[slot, s.HELD_FROM] + number]
        return s.share(traced, worth, max(held, worth, traced))
    return traced_within(state, slots[slot, s.HEAD], slots[slot, s.TAIL], worth, method == s.LIFO)


@njit(cache=True, nogil=True)
def left(state, slot, worth, part):  # type: ignore[no-untyped-def]
    """The next transfer out leaves, with this part of what is traced: the list of its units."""
    slots, method = state.slots, state.given[s.METHOD]
    slots[slot, s.TRACED] -= part
    if method < s.FIFO:
        return -1, -1
    slots[slot, s.OUT] = slots[slot, s.POS] + 1
    head, tail = slots[slot, s.HEAD], slots[slot, s.TAIL]
    if worth < 0:
        some, last = added(state, s.NO, s.NO, part, s.MARKED)
        head, tail = taken_of(state, head, tail, part, method == s.LIFO, s.MARKED)
    else:
        some, last, head, tail, _ = taken(state, head, tail, worth, method == s.LIFO)
    slots[slot, s.HEAD], slots[slot, s.TAIL] = head, tail
    return some, last


@njit(cache=True, nogil=True)
def passed_by(side, state, slot, worth):  # type: ignore[no-untyped-def]
    """The next transfer out takes none of what is traced: it was paid before."""
    slots, method = state.slots, state.given[s.METHOD]
    number = slots[slot, s.POS]
    if method >= s.FIFO:
        opened(side, state, slot)
        advanced(side, state, slot, number, s.NEVER)
        slots[slot, s.HEAD], slots[slot, s.TAIL] = taken_of(
            state, slots[slot, s.HEAD], slots[slot, s.TAIL], max(worth, 0), method == s.LIFO, s.CLEAN
        )
        slots[slot, s.OUT] = number + 1

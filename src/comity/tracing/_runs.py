"""Units in order, as FIFO and LIFO need them: runs of traced and untraced units in linked lists.

An account's units lie in the order they came; a transfer carries its units in the order they left, and
they come in that order at the other end. FIFO takes from the head of an account's list, LIFO from its tail.
"""

from __future__ import annotations

from numba import njit

from comity.tracing._state import BACK, CLEAN, FREE, KIND, LENGTH, MARKED, N_FREE, N_NODES, NEXT


@njit(cache=True, nogil=True)
def new_node(state):  # type: ignore[no-untyped-def]
    """An unused node."""
    node = state.counts[FREE]
    if node >= 0:
        state.counts[FREE] = state.nodes[node, NEXT]
        state.counts[N_FREE] -= 1
    else:
        node = state.counts[N_NODES]
        state.counts[N_NODES] += 1
    state.nodes[node, NEXT] = state.nodes[node, BACK] = -1
    return node


@njit(cache=True, nogil=True)
def drop(state, node):  # type: ignore[no-untyped-def]
    """The node is unused again."""
    state.nodes[node, NEXT] = state.counts[FREE]
    state.counts[FREE] = node
    state.counts[N_FREE] += 1


@njit(cache=True, nogil=True)
def dropped(state, head):  # type: ignore[no-untyped-def]
    """Drop a whole list."""
    while head >= 0:
        following = state.nodes[head, NEXT]
        drop(state, head)
        head = following


@njit(cache=True, nogil=True)
def added(state, head, tail, units, kind):  # type: ignore[no-untyped-def]
    """The list with so many units of one kind at its tail."""
    if units <= 0:
        return head, tail
    if tail >= 0 and state.nodes[tail, KIND] == kind:
        state.nodes[tail, LENGTH] += units
        return head, tail
    node = new_node(state)
    state.nodes[node, LENGTH], state.nodes[node, KIND], state.nodes[node, BACK] = units, kind, tail
    if tail >= 0:
        state.nodes[tail, NEXT] = node
    else:
        head = node
    return head, node


@njit(cache=True, nogil=True)
def joined(state, head, tail, more):  # type: ignore[no-untyped-def]
    """The list with another list at its tail."""
    while more >= 0:
        following = state.nodes[more, NEXT]
        units, kind = state.nodes[more, LENGTH], state.nodes[more, KIND]
        drop(state, more)
        head, tail = added(state, head, tail, units, kind)
        more = following
    return head, tail


@njit(cache=True, nogil=True)
def without(state, head, tail, node):  # type: ignore[no-untyped-def]
    """The list without one node, which is dropped."""
    back, following = state.nodes[node, BACK], state.nodes[node, NEXT]
    if back >= 0:
        state.nodes[back, NEXT] = following
    else:
        head = following
    if following >= 0:
        state.nodes[following, BACK] = back
    else:
        tail = back
    drop(state, node)
    return head, tail


@njit(cache=True, nogil=True)
def traced_within(state, head, tail, units, last_first):  # type: ignore[no-untyped-def]
    """How many of the next ``units`` are traced."""
    node, found = (tail if last_first else head), 0
    while node >= 0 and units > 0:
        some = min(units, state.nodes[node, LENGTH])
        units -= some
        if state.nodes[node, KIND]:
            found += some
        node = state.nodes[node, BACK if last_first else NEXT]
    return found


@njit(cache=True, nogil=True)
def taken(state, head, tail, units, last_first):  # type: ignore[no-untyped-def]
    """Take the next ``units`` away: their list, what is left, and how many of them were traced. Where the
    list is too short the rest is made up of untraced units."""
    some_head, some_tail, found = -1, -1, 0
    while units > 0:
        node = tail if last_first else head
        if node < 0:
            some_head, some_tail = added(state, some_head, some_tail, units, CLEAN)
            break
        some = min(units, state.nodes[node, LENGTH])
        kind = state.nodes[node, KIND]
        if some == state.nodes[node, LENGTH]:
            head, tail = without(state, head, tail, node)
        else:
            state.nodes[node, LENGTH] -= some
        some_head, some_tail = added(state, some_head, some_tail, some, kind)
        units -= some
        found += some * kind
    return some_head, some_tail, head, tail, found


@njit(cache=True, nogil=True)
def taken_of(state, head, tail, units, last_first, kind):  # type: ignore[no-untyped-def]
    """Take the next ``units`` of one kind away, passing over the other: what is left."""
    node = tail if last_first else head
    while node >= 0 and units > 0:
        following = state.nodes[node, BACK if last_first else NEXT]
        if state.nodes[node, KIND] == kind:
            some = min(units, state.nodes[node, LENGTH])
            units -= some
            if some == state.nodes[node, LENGTH]:
                head, tail = without(state, head, tail, node)
            else:
                state.nodes[node, LENGTH] -= some
        node = following
    return head, tail


@njit(cache=True, nogil=True)
def traced_last(state, head, tail, units):  # type: ignore[no-untyped-def]
    """The list with its last ``units`` untraced units traced; where they do not suffice, with the rest put
    at its tail. For value that comes after its own transfer was counted (within one instant)."""
    node = tail
    while node >= 0 and units > 0:
        back = state.nodes[node, BACK]
        if state.nodes[node, KIND] == 0:
            length = state.nodes[node, LENGTH]
            if length > units:  # the earlier ones stay as they are, in a node before this one
                earlier = new_node(state)
                state.nodes[earlier, LENGTH], state.nodes[earlier, KIND] = length - units, 0
                state.nodes[earlier, BACK], state.nodes[earlier, NEXT] = back, node
                if back >= 0:
                    state.nodes[back, NEXT] = earlier
                else:
                    head = earlier
                state.nodes[node, BACK], length = earlier, units
            state.nodes[node, LENGTH], state.nodes[node, KIND] = length, 1
            units -= length
        node = back
    return added(state, head, tail, units, MARKED)

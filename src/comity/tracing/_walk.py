"""The walk itself: what is due, one thing at a time, in order of time; in integers only.

Within one instant accounts come first, in order of their numbers, then transactions, then the far sides of
bridges. The order is the same whether what is due is found along the index or by a sweep over all
transfers, so that both give the same answer; which costs less depends on how much is on the move.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from comity.tracing import _state as s
from comity.tracing._holding import (
    arrived,
    ended,
    forgotten,
    in_lots,
    left,
    part_leaving,
    passed_by,
    waiting,
)
from comity.tracing._runs import added, dropped, joined, taken
from comity.tracing._worth import (
    clock_at,
    is_hub,
    not_before,
    parts,
    pays_back,
    place,
    summed,
    worth_ahead,
    worth_behind,
)

KIND_OF = 2**40
"""What is due is an account (0), a hub (1) or a jump (2) times this, and its number."""


@njit(cache=True, nogil=True, forceinline=True)
def follows(state, slot):  # type: ignore[no-untyped-def]
    """Whether what an account holds is enough to be followed."""
    if state.given[s.ALL] and state.slots[slot, s.ACCOUNT] == state.given[s.START]:
        return True
    if state.given[s.METHOD] == s.POISON:
        return state.slots[slot, s.TAINT] > 0
    return state.slots[slot, s.TRACED] >= state.counts[s.DUST_BELOW]


@njit(cache=True, nogil=True)
def queued(side, state, slot, clock):  # type: ignore[no-untyped-def]
    """See to it that the account passes on what it holds, from ``clock`` on."""
    slots = state.slots
    if slots[slot, s.QUEUED]:
        return
    account = slots[slot, s.ACCOUNT]
    if is_hub(side, account):
        slots[slot, s.QUEUED] = 1
        s.push(state, clock, KIND_OF + account)
        return
    at, n = slots[slot, s.POS], side.ptr[account + 1] - side.ptr[account]
    if at < n and clock_at(side, account, at) < clock:
        at = not_before(side, account, at, clock)
        slots[slot, s.POS] = at
    if at == n or not follows(state, slot):
        return
    due = clock_at(side, account, at)
    if due > state.given[s.END] or (state.counts[s.SWEEPING] and due > clock):
        return  # too late, or found when the sweep comes to it
    slots[slot, s.QUEUED] = 1
    s.push(state, due, account)


@njit(cache=True, nogil=True)
def stepped(state, transfer, value, taint, hop, inferred):  # type: ignore[no-untyped-def]
    """Note a step."""
    n = state.counts[s.N_STEPS]
    steps = state.steps
    steps[n, s.TRANSFER], steps[n, s.VALUE], steps[n, s.STEP_HOP] = transfer, value, hop
    steps[n, s.STEP_TAINT], steps[n, s.INFERRED] = taint, inferred
    state.counts[s.N_STEPS] += 1


@njit(cache=True, nogil=True)
def moved(side, state, transfer, slot, far, value, taint, head, tail, hop):  # type: ignore[no-untyped-def]
    """Carry ``value`` over a transfer, and see what becomes of it at the other end. ``hop`` is given after
    a bridge, else -1."""
    slots, counts, given = state.slots, state.counts, state.given
    if max(value, taint) < counts[s.DUST_BELOW]:
        dropped(state, head)
        ended(state, slot, s.DUST, value, taint, s.NO)
        return
    to = s.touched(state, far)
    hub, inferred = is_hub(side, far), hop >= 0
    if not inferred:
        hop = slots[slot, s.HOP] + (not is_hub(side, slots[slot, s.ACCOUNT]))
    stepped(state, transfer, value, taint, hop, inferred)
    reason = -1
    if given[s.ALL] and far == given[s.START]:
        reason = s.HELD
    elif not hub and slots[to, s.CLASS] == s.MIXES:
        reason = s.SERVICE
    elif slots[to, s.HOP] < 0 and not hub and hop >= given[s.MOST_HOPS]:
        reason = s.HOPS
    elif slots[to, s.HOP] < 0 and counts[s.REACHED] >= given[s.MOST_NODES]:
        reason = s.NODES
    if reason >= 0:
        dropped(state, head)
        ended(state, to, reason, value, taint, hop)
        return
    if slots[to, s.HOP] < 0:
        counts[s.REACHED] += 1
        slots[to, s.HOP] = hop
        if counts[s.SWEEPING]:
            state.active[far] = 1
    slots[to, s.HOP] = min(slots[to, s.HOP], hop)
    if not hub and slots[to, s.CLASS] == s.BRIDGE:
        over_bridge(side, state, transfer, to, value, taint, head, tail, hop)
        return
    slots[to, s.TRACED] += value
    slots[to, s.TAINT] += taint
    if in_lots(state):
        arrived(side, state, to, transfer, head, tail, value)
    queued(side, state, to, side.sign * side.all_time[transfer])


@njit(cache=True, nogil=True)
def payout_of(state, transfer):  # type: ignore[no-untyped-def]
    """The row of ``payouts`` for a transfer into a bridge, or -1."""
    for row in range(state.counts[s.N_PAYOUTS] - 1, -1, -1):
        if state.payouts[row, 0] == transfer:
            return row
    return -1


@njit(cache=True, nogil=True)
def over_bridge(side, state, transfer, slot, value, taint, head, tail, hop):  # type: ignore[no-untyped-def]
    """Value has come to a bridge: it goes on with the payout, when that is made, less what was kept."""
    row = state.payouts[payout_of(state, transfer)]
    payout, came, paid = row[1], row[2], row[3]
    if payout < 0:
        dropped(state, head)
        ended(state, slot, s.SEVERAL if payout == s.TOO_MANY else s.NONE, value, taint, hop)
        return
    over = s.share(value, paid, came) if paid < came else value
    if in_lots(state):  # which of the units went over is nothing that could be known
        dropped(state, head)
        head, tail = added(state, s.NO, s.NO, over, s.MARKED)
        head, tail = added(state, head, tail, paid - over, s.CLEAN)
    kept = min(taint, paid)
    if over < value:
        ended(state, slot, s.FEE, value - over, taint - kept, hop)
    n, jumps = state.counts[s.N_JUMPS], state.jumps
    jumps[n, s.TRANSFER], jumps[n, s.VALUE], jumps[n, s.STEP_HOP] = payout, over, hop + 1
    jumps[n, s.STEP_TAINT], jumps[n, s.JUMP_HEAD], jumps[n, s.JUMP_TAIL] = kept, head, tail
    state.counts[s.N_JUMPS] += 1
    s.push(state, side.sign * side.all_time[payout], 2 * KIND_OF + n)


@njit(cache=True, nogil=True)
def asked(side, state, transfer, far):  # type: ignore[no-untyped-def]
    """Ask what the account at the far end is, or for the payout of a bridge, unless that is known."""
    if not state.given[s.CLASSED] or is_hub(side, far):
        return
    slot, question = s.slot_of(state, far), far
    known = s.UNKNOWN if slot < 0 else state.slots[slot, s.CLASS]
    if known == s.BRIDGE:
        question = -1 - transfer
        if payout_of(state, transfer) >= 0:
            return
    elif known != s.UNKNOWN:
        return
    state.asked[state.counts[s.N_ASKED], 0] = question
    state.counts[s.N_ASKED] += 1


@njit(cache=True, nogil=True)
def answered(side, state):  # type: ignore[no-untyped-def]
    """Take in what was answered of accounts and transactions."""
    for row in range(state.counts[s.N_ASKED]):
        if state.asked[row, 0] < 0:
            continue
        slot = s.touched(state, state.asked[row, 0])
        if is_hub(side, state.asked[row, 0]):
            state.slots[slot, s.OPENED], state.slots[slot, s.HELD_FROM] = 1, state.asked[row, 1]
        else:
            state.slots[slot, s.CLASS] = state.asked[row, 1]
    state.counts[s.N_ASKED] = 0


@njit(cache=True, nogil=True)
def of_account(side, state, slot, clock):  # type: ignore[no-untyped-def]
    """An account's next transfer out."""
    slots, given = state.slots, state.given
    account, number = slots[slot, s.ACCOUNT], slots[slot, s.POS]
    p = place(side.ptr, account, number, side.sign)
    far, worth, transfer = np.int64(side.far[p]), worth_ahead(side, account, p), side.idx[p]
    everything = given[s.ALL] and account == given[s.START]
    part, taint = 0, 0
    into = s.slot_of(state, far) if is_hub(side, far) else -1
    before = into >= 0 and slots[into, s.PASSED] and pays_back(side, far, account)
    skipped = far == account or (before and not everything)
    if not skipped:
        part = max(worth, 0) if everything else part_leaving(side, state, slot, p, worth)
        taint = max(worth, part) if given[s.METHOD] == s.POISON else 0
        if max(part, taint) >= state.counts[s.DUST_BELOW]:
            asked(side, state, transfer, far)
            if state.counts[s.N_ASKED]:
                return s.ASK
    s.pop(state)
    slots[slot, s.QUEUED], head, tail = 0, -1, -1
    if skipped:
        if far != account:
            passed_by(side, state, slot, worth)
        slots[slot, s.POS] = number + 1
    else:
        if not everything:
            head, tail = left(state, slot, worth, part)
        elif in_lots(state):
            head, tail = added(state, s.NO, s.NO, part, s.MARKED)
        slots[slot, s.POS] = number + 1
        moved(side, state, transfer, slot, far, part, taint, head, tail, s.NO)
    queued(side, state, slot, clock)
    return s.DONE


@njit(cache=True, nogil=True, forceinline=True)
def in_turn(state, slot, number):  # type: ignore[no-untyped-def]
    """Which of a transaction's inputs, then outputs, is the ``number``-th, where ids do not sort so."""
    return state.held[state.slots[slot, s.HELD_FROM] + number] if state.slots[slot, s.OPENED] else number


@njit(cache=True, nogil=True)
def hub_units(side, state, slot, opening):  # type: ignore[no-untyped-def]
    """The units in a transaction, in the order of its inputs; what has come waits no longer."""
    hub = state.slots[slot, s.ACCOUNT]
    head, tail = added(state, s.NO, s.NO, opening, s.CLEAN)
    for number in range(side.bptr[hub + 1] - side.bptr[hub]):
        p = place(side.bptr, hub, in_turn(state, slot, number), side.sign)
        node = waiting(side, state, slot, side.bidx[p])
        if node >= 0:
            head, tail = joined(state, head, tail, state.nodes[node, s.FIRST])
            forgotten(state, slot, node)
        else:
            head, tail = added(state, head, tail, max(worth_behind(side, hub, p), 0), s.CLEAN)
    return head, tail


@njit(cache=True, nogil=True)
def flow_of(side, hub):  # type: ignore[no-untyped-def]
    """What goes into a transaction and what comes out, one unknown output's worth, whether all is known."""
    ahead, unknown = summed(side.ptr, side.value, hub)
    behind = summed(side.bptr, side.bvalue, hub)[0]
    one, _, some = parts(side, hub)
    if some:  # what is not known is what is left over, so that nothing is over for a fee
        return ahead + one * unknown, ahead + one * unknown, one, False
    return behind, ahead, 0, True


@njit(cache=True, nogil=True)
def of_hub(side, state, slot):  # type: ignore[no-untyped-def]
    """A transaction passes on all that reached it: in proportion to its outputs, or unit by unit in the
    order of its inputs and outputs. The fee comes last."""
    slots, method = state.slots, state.given[s.METHOD]
    hub, lots = slots[slot, s.ACCOUNT], in_lots(state)
    count = side.ptr[hub + 1] - side.ptr[hub]
    for number in range(count):
        p = place(side.ptr, hub, number, side.sign)
        asked(side, state, side.idx[p], np.int64(side.far[p]))
    behind = side.bptr[hub + 1] - side.bptr[hub]
    if lots and max(count, behind) > 10 and not slots[slot, s.OPENED]:
        state.asked[state.counts[s.N_ASKED], 0] = hub
        state.counts[s.N_ASKED] += 1
    if state.counts[s.N_ASKED]:
        return s.ASK
    s.pop(state)
    slots[slot, s.QUEUED] = 0
    if count == 0:
        return s.DONE
    came, goes, one, known = flow_of(side, hub)
    rest, weight = slots[slot, s.TRACED], max(came, goes)
    tainted = method == s.POISON and not slots[slot, s.PASSED]
    slots[slot, s.TRACED], slots[slot, s.TAINT], slots[slot, s.PASSED] = 0, 0, 1
    head, tail = hub_units(side, state, slot, max(goes - came, 0)) if lots else (-1, -1)
    for number in range(count):
        turn = number
        if lots and slots[slot, s.OPENED]:
            turn = in_turn(state, slot, behind + number)
        p = place(side.ptr, hub, turn, side.sign)
        worth = side.value[p] if side.value[p] >= 0 else one
        some = last = -1
        if number == count - 1 and not known:
            some, last, head, part = head, tail, -1, rest
        elif lots:
            some, last, head, tail, part = taken(state, head, tail, worth, method == s.LIFO)
        else:
            part = s.share(rest, worth, weight)
        rest, weight = rest - part, weight - worth
        taint = max(worth, part) if tainted else 0
        moved(side, state, side.idx[p], slot, np.int64(side.far[p]), part, taint, some, last, s.NO)
    dropped(state, head)
    ended(state, slot, s.FEE, rest, max(came - goes, rest) if tainted else 0, s.NO)
    return s.DONE


@njit(cache=True, nogil=True)
def of_bridge(side, state, row):  # type: ignore[no-untyped-def]
    """The far side of a bridge pays out."""
    jumps = state.jumps
    transfer, head = jumps[row, s.TRANSFER], jumps[row, s.JUMP_HEAD]
    far = np.int64(side.target[transfer])
    asked(side, state, transfer, far)
    if state.counts[s.N_ASKED]:
        return s.ASK
    s.pop(state)
    slot, tail = s.touched(state, np.int64(side.near[transfer])), jumps[row, s.JUMP_TAIL]
    value, taint = jumps[row, s.VALUE], jumps[row, s.STEP_TAINT]
    moved(side, state, transfer, slot, far, value, taint, head, tail, jumps[row, s.STEP_HOP])
    return s.DONE

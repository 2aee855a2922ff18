"""Mule account: a short-lived account passes on what several people pay in, and keeps a small commission.

The whole life of the account in this ledger is weighed. It is short; several different payers pay in; after
each deposit, ``hours`` later at most, all but the commission of what had come in so far has left; and in the
end between ``min_kept`` and ``max_kept`` of it stays. An account that pays out more than had come in had
money of its own and is not found; nor is one with very many payers (a shop that opens: its margin is no
commission), nor one that keeps nothing at all (that is `pass_through`). Watched from half the payers (at
least two) and half the value. FATF describes such holders under money mules and victims of scams; that they
get a commission is said in the results of the European Money Mule Actions (Europol, EBF; EMMA 6, 2020).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit

from comity.model import Columns
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._behaviour import distinct, listed, settle, sides, summed
from comity.typologies._common import FATF, HOUR, account, amount, arrays, frozen, grown, hits, pay, span

SPEC = TypologySpec(
    id="mule_account",
    title="Mule account",
    indicator="A young account collects from several payers and soon passes on all but a small commission.",
    flags=("T4a", "S12"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("life", 1080, "hours", "the account's transfers all lie within this time"),
        Parameter("min_payers", 3, "count", "an alert from this many different payers"),
        Parameter("max_payers", 30, "count", "more payers are the customers of a business"),
        Parameter("min_value", 3000, "money", "an alert when this came in"),
        Parameter("hours", 48, "hours", "what came in leaves within this time"),
        Parameter("min_kept", 0.02, "ratio", "at least this share of what came in stays"),
        Parameter("max_kept", 0.15, "ratio", "at most this share of what came in stays"),
    ),
    joint={"payers": "min_payers"},
)


@njit(cache=True, nogil=True)
def _life(a, both):  # type: ignore[no-untyped-def]
    """From the first to the last transfer of an account that has some both ways."""
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    first = min(out_time[out_ptr[a]], in_time[in_ptr[a]])
    return max(out_time[out_ptr[a + 1] - 1], in_time[in_ptr[a + 1] - 1]) - first


@njit(cache=True, nogil=True)
def _own(a, both, net_out, net_in):  # type: ignore[no-untyped-def]
    """Whether the account ever paid out more than had come in: it had money of its own."""
    (out_ptr, out_idx, _, _, _), (in_ptr, in_idx, _, _, _) = both
    p, came, went = in_ptr[a], 0, 0
    for q in range(out_ptr[a], out_ptr[a + 1]):
        while p < in_ptr[a + 1] and in_idx[p] < out_idx[q]:
            came += max(net_in[p - in_ptr[a]], 0)
            p += 1
        went += max(net_out[q - out_ptr[a]], 0)
        if went > came:
            return True
    return False


@njit(cache=True, nogil=True)
def _prompt(a, both, net_out, net_in, hours, passed):  # type: ignore[no-untyped-def]
    """Whether after each deposit the share ``passed`` of what had come in was gone in time."""
    (out_ptr, _, out_time, _, _), (in_ptr, _, in_time, _, _) = both
    q, came, went = out_ptr[a], 0, 0
    for p in range(in_ptr[a], in_ptr[a + 1]):
        if net_in[p - in_ptr[a]] <= 0:
            continue
        came += net_in[p - in_ptr[a]]
        while q < out_ptr[a + 1] and out_time[q] <= in_time[p] + hours:
            went += max(net_out[q - out_ptr[a]], 0)
            q += 1
        if went < passed * came:
            return False
    return True


@njit(cache=True, nogil=True)
def _kernel(accounts, both, hub, life, payers, hours, least, min_kept, max_kept):  # type: ignore[no-untyped-def]
    """One row per account: account, payers, came in, went out, life, transfers out; and the evidence."""
    rows, k = np.empty(6 * 16, dtype=np.int64), 0
    ptr, evidence, used = np.zeros(16, dtype=np.int64), np.empty(64, dtype=np.int64), 0
    mixed, memory = hub.any(), np.zeros(len(hub), dtype=np.int64)
    net_out, net_in = np.empty(64, np.int64), np.empty(64, np.int64)
    (out_ptr, _, _, _, _), (in_ptr, _, _, in_value, in_src) = both
    fewest, most = payers
    for a in accounts:
        a0, a1, b0, b1 = out_ptr[a], out_ptr[a + 1], in_ptr[a], in_ptr[a + 1]
        if hub[a] or b1 - b0 < fewest or a0 == a1 or _life(a, both) > life:
            continue
        if summed(in_value, b0, b1)[0] < least:
            continue
        net_out, net_in = settle(a, both, hub, mixed, memory, net_out, net_in)
        came, _ = summed(net_in, 0, b1 - b0)
        went, count = summed(net_out, 0, a1 - a0)
        if came < least or not min_kept * came <= came - went <= max_kept * came:
            continue
        if _own(a, both, net_out, net_in) or not _prompt(a, both, net_out, net_in, hours, 1 - max_kept):
            continue
        people = distinct(b0, b1, b0, in_src, net_in, 1, memory)
        if not fewest <= people <= most:
            continue
        rows, ptr, k = grown(rows, 6 * (k + 1)), grown(ptr, k + 2), k + 1
        row = 6 * (k - 1)
        rows[row], rows[row + 1], rows[row + 2], rows[row + 3] = a, people, came, went
        rows[row + 4], rows[row + 5] = _life(a, both), count
        evidence, used = listed(b0, b1, net_in, both[1], a, hub, evidence, used)
        evidence, used = listed(a0, a1, net_out, both[0], a, hub, evidence, used)
        ptr[k] = used
    return rows[: 6 * k].reshape(k, 6), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_value, min_payers = max(1, round(parameters["min_value"])), int(parameters["min_payers"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        sides(columns),
        *arrays(columns, "hub"),
        round(parameters["life"]),
        (max(2, -(-min_payers // 2)), int(parameters["max_payers"])),
        round(parameters["hours"]),
        -(-min_value // 2),
        float(parameters["min_kept"]),
        float(parameters["max_kept"]),
    )
    payers, came, went = rows[:, 1], rows[:, 2], rows[:, 3]
    reached = np.minimum(payers / min_payers, came / min_value)
    return hits(
        rows[:, 0],
        reached >= 1,
        reached / 2,
        ptr,
        evidence,
        {
            "payers": payers,
            "total": came,
            "kept": came - went,
            "share": (came - went) / came,
            "life": rows[:, 4] / HOUR,
            "transfers": rows[:, 5],
        },
        money=("total", "kept"),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    return (
        (
            f"In this ledger the account was used for {span(features['life'])}: "
            f"{int(features['payers'])} different accounts paid in {amount(features['total'], currency)}."
        ),
        (
            f"All but {amount(features['kept'], currency)} ({features['share']:.1%}) left it again, "
            f"each time soon after it had come."
        ),
    )


CASES = (
    Sample(
        "three people pay in 6,000 over ten days; each time nine tenths go on within two days",
        (
            *(pay(2 * i, 80 * i, f"V{i}", "M", "2000") for i in range(3)),
            *(pay(2 * i + 1, 80 * i + 30, "M", f"X{i % 2}", "1800") for i in range(3)),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "at the limits: 3,000 in all, 15 % stays, 48 hours; beyond them nothing",
        (
            *(pay(i, i, f"V{i}", "M", "1000") for i in range(3)),
            *(pay(10 + i, 48 + i, "M", "X", "850") for i in range(3)),
            *(pay(20 + i, i, f"V{i}", "N", "1000") for i in range(3)),
            *(pay(30 + i, 48 + i, "N", "X", "849.99") for i in range(3)),
            *(pay(40 + i, i, f"V{i}", "O", "1000") for i in range(3)),
            *(pay(50 + i, 48.1 + i, "O", "X", "850") for i in range(3)),
        ),
        alerts=(account("M"),),
    ),
    Sample(
        "near miss: two payers are to watch; one, or nothing kept, or money of its own is nothing",
        (
            pay(1, 0, "V0", "M", "2000"),
            pay(2, 20, "V1", "M", "2000"),
            pay(3, 30, "M", "X", "3700"),
            *(pay(10 + i, i, "V0", "N", "2000") for i in range(3)),
            pay(15, 30, "N", "X", "5500"),
            *(pay(20 + i, i, f"V{i}", "O", "2000") for i in range(3)),
            pay(25, 30, "O", "X", "6000"),
            pay(30, 0, "P", "X", "100"),
            *(pay(31 + i, 1 + i, f"V{i}", "P", "2000") for i in range(3)),
            pay(35, 30, "P", "X", "5400"),
        ),
        watches=(account("M"),),
    ),
    Sample(
        "negative: a shop that opens and pays for its goods; an account used for years",
        (
            *(pay(i, i, f"C{i}", "SHOP", "150") for i in range(40)),
            pay(50, 45, "SHOP", "WHOLESALE", "5400"),
            *(pay(60 + i, 1000 * i, f"F{i}", "FRIEND", "2000") for i in range(3)),
            *(pay(70 + i, 1000 * i + 5, "FRIEND", "TRIP", "1800") for i in range(3)),
        ),
    ),
)

"""Shared identifier: the holder of an active account gives an identifier that others give under other names.

A telephone number, an e-mail or network address, a device or a document that holders with several different
names give (as parties to the transfers, with the identifiers of the institutions' records) is one person
behind many accounts, a mule herder's, or a family's. Told apart are names, not persons: transliterations of
one name count as two. Alerts when so many others share it and the account has moved real value; watched
from half as many others.

Not found, on purpose: accounts that hardly moved anything, businesses known to be services, an identifier
under one name however many accounts it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit

from comity.model import Columns, Identifier, Party
from comity.typologies import Hits, Parameter, Sample, Scope, Shape, TypologySpec
from comity.typologies._common import FATF, account, amount, arrays, frozen, grown, hits, pay
from comity.typologies._dealings import SERVICE, both

SPEC = TypologySpec(
    id="shared_identifier",
    title="Shared identifier",
    indicator="The holder gives a telephone number, device or document that holders of other names give too.",
    flags=("S8", "A11", "S1"),
    source=FATF,
    shape=Shape.ACCOUNT,
    parameters=(
        Parameter("min_sharers", 3, "count", "so many other holders, told apart by name, give it too"),
        Parameter("min_value", 1000, "money", "the account has moved at least this value"),
        Parameter("min_count", 2, "count", "in at least this many transfers"),
    ),
    joint={"sharers": "min_sharers"},
    uses=("facts.identity", "facts.sharers", "known.marks"),
)


@njit(cache=True, nogil=True)
def _kernel(  # type: ignore[no-untyped-def]
    accounts, value, src, dst, out_ptr, out_idx, in_ptr, in_idx, hub, marks, sharers, least, count_least,
    sharers_least
):  # fmt: skip
    """One row per account: account, other holders, value moved; and its transfers."""
    rows, ptr, k = np.empty(3 * 16, dtype=np.int64), np.zeros(16, dtype=np.int64), 0
    evidence, used = np.empty(64, dtype=np.int64), 0
    line = np.empty(64, dtype=np.int64)
    for a in accounts:
        if sharers[a] < sharers_least or hub[a] or marks[a] & SERVICE:
            continue
        outs, ins = out_idx[out_ptr[a] : out_ptr[a + 1]], in_idx[in_ptr[a] : in_ptr[a + 1]]
        line = grown(line, len(outs) + len(ins))
        size, total = both(a, src, dst, outs, ins, line), 0
        for i in range(size):
            total += max(value[line[i]], 0)
        if size < count_least or total < least:
            continue
        rows, ptr, evidence = grown(rows, 3 * (k + 1)), grown(ptr, k + 2), grown(evidence, used + size)
        rows[3 * k], rows[3 * k + 1], rows[3 * k + 2] = a, sharers[a], total
        evidence[used : used + size] = line[:size]
        used += size
        k += 1
        ptr[k] = used
    return rows[: 3 * k].reshape(k, 3), ptr[: k + 1], evidence[:used]


def run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits:
    """See the contract in `comity.typologies`."""
    min_sharers = int(parameters["min_sharers"])
    rows, ptr, evidence = _kernel(
        frozen(scope.accounts),
        *arrays(columns, "value src dst out_ptr out_idx in_ptr in_idx hub known.marks facts.sharers"),
        max(1, round(parameters["min_value"])),
        int(parameters["min_count"]),
        -(-min_sharers // 2),
    )
    sharers = rows[:, 1]
    alert = sharers >= min_sharers
    return hits(
        rows[:, 0],
        alert,
        np.where(alert, 1 - 0.5 * min_sharers / np.maximum(sharers, 1), sharers / (2 * min_sharers)),
        ptr,
        evidence,
        {"sharers": sharers, "total": rows[:, 2], "transfers": np.diff(ptr)},
        money=("total",),
    )


def explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]:
    """See the contract in `comity.typologies`."""
    others = int(features["sharers"])
    return (
        (
            "The holder gives an identifier (a telephone number, an address on the network, a device or a "
            f"document) that {others} other holder{'s' if others != 1 else ''} under other names "
            f"give{'s' if others == 1 else ''} too."
        ),
        (
            f"The account moved {amount(features['total'], currency)} in "
            f"{int(features['transfers'])} transfers."
        ),
    )


def _holder(name: str, phone: str) -> Party:
    return Party(name, identifiers=(Identifier("phone", phone),))


def _paid(number: int, name: str, value: str, phone: str) -> Any:
    """A sample transfer by a holder with this telephone number."""
    return pay(number, number, name, f"S{number % 3}", value, originator_party=_holder(name, phone))


CASES = (
    Sample(
        "four names with one telephone number, each active",
        tuple(_paid(10 * i + j, f"A{i}", "700", "+49 1") for i in range(4) for j in range(2)),
        alerts=tuple(account(f"A{i}") for i in range(4)),
    ),
    Sample(
        "near miss: three such names are to watch, two are nothing",
        (
            *(_paid(10 * i + j, f"A{i}", "700", "+49 1") for i in range(3) for j in range(2)),
            *(_paid(50 + 10 * i + j, f"B{i}", "700", "+49 2") for i in range(2) for j in range(2)),
        ),
        watches=tuple(account(f"A{i}") for i in range(3)),
    ),
    Sample(
        "negative: accounts that hardly moved anything; one name with many accounts",
        (
            *(_paid(10 * i + j, f"A{i}", "400", "+49 1") for i in range(5) for j in range(2)),
            *(
                pay(90 + i, i, f"B{i % 5}", "S", "900", originator_party=_holder("Jo", "+49 2"))
                for i in range(10)
            ),
        ),
    ),
)

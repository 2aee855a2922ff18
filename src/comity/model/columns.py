"""A ledger as detection sees it: NumPy columns in time order, with an out- and an in-index (CSR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """``n`` transfers between ``m`` accounts. Arrays may be memory-mapped, and are read-only.

    - ``time``: int64[n], microseconds since 1970-01-01T00:00Z, ascending (ties in order of transfer id)
    - ``src``, ``dst``: int32[n], account numbers in [0, m)
    - ``value``: int64[n], in units of 10**-scale of the reference asset; -1 where it is not known
    - ``out_ptr``: int64[m+1], ``out_idx``: int64[n]: transfers out of account a, in time order, are
      ``out_idx[out_ptr[a]:out_ptr[a+1]]``; ``in_ptr``, ``in_idx`` likewise for transfers into it
    - ``hub``: bool[m], true where the account is a transaction, nobody's account (ADR 0004)
    - ``accounts``: m account ids, sorted; ``ids``: n transfer ids (lazy sequences)
    - ``reference``: the reference asset's id; ``scale``: decimal places of ``value``
    """

    time: NDArray[np.int64]
    src: NDArray[np.int32]
    dst: NDArray[np.int32]
    value: NDArray[np.int64]
    out_ptr: NDArray[np.int64]
    out_idx: NDArray[np.int64]
    in_ptr: NDArray[np.int64]
    in_idx: NDArray[np.int64]
    hub: NDArray[np.bool_]
    accounts: Sequence[str]
    ids: Sequence[str]
    reference: str
    scale: int

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_accounts(self) -> int:
        return len(self.out_ptr) - 1

"""A ledger as detection sees it: NumPy columns in time order, with an out- and an in-index (CSR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Mark(IntFlag):
    """What an account is said to be, by an authority's list or by an analyst's attribution."""

    SANCTIONED = 1
    TERRORISM = 2
    RANSOMWARE = 4
    THEFT = 8
    FRAUD = 16
    DARKNET = 32
    MIXER = 64
    GAMBLING = 128
    EXCHANGE = 256
    BRIDGE = 512
    SWAP = 1024
    P2P = 2048
    KIOSK = 4096
    ABUSE = 8192
    WEAK_KYC = 16384
    OTHER_SERVICE = 32768

    @classmethod
    def crime(cls) -> Mark:
        """The proceeds of crime, or a person whose assets are frozen."""
        return (
            cls.SANCTIONED | cls.TERRORISM | cls.RANSOMWARE | cls.THEFT | cls.FRAUD | cls.DARKNET | cls.ABUSE
        )

    @classmethod
    def service(cls) -> Mark:
        """A business that mixes what many customers own."""
        return (
            cls.EXCHANGE
            | cls.MIXER
            | cls.GAMBLING
            | cls.BRIDGE
            | cls.SWAP
            | cls.P2P
            | cls.KIOSK
            | cls.OTHER_SERVICE
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What the transfers themselves state, beside who, when and how much. Number 0 means: not stated.

    Of each of ``n`` transfers:

    - ``asset``: int32[n], the asset's place in ``assets``
    - ``digits``: uint8[n], significant decimal digits of the amount in its own asset (5,000 has one)
    - ``memo``: int32[n], place in ``memos`` of the text that came with it
    - ``src_country``, ``dst_country``: int16[n], place in ``countries``
    - ``src_at``, ``dst_at``: int32[n], place in ``institutions``: who keeps the account

    Of each of ``m`` accounts:

    - ``hosted``: bool[m], false for an account on a chain that no transfer names an institution of
    - ``identity``: int32[m], number of the identifier (telephone, document …) of its holder that most
      other holders give too; ``sharers``: int32[m], how many other holders, told apart by name, do so
    - ``born``: int16[m], the holder's year of birth

    Each of the sequences of texts begins with the empty text.
    """

    asset: NDArray[np.int32]
    digits: NDArray[np.uint8]
    memo: NDArray[np.int32]
    src_country: NDArray[np.int16]
    dst_country: NDArray[np.int16]
    src_at: NDArray[np.int32]
    dst_at: NDArray[np.int32]
    hosted: NDArray[np.bool_]
    identity: NDArray[np.int32]
    sharers: NDArray[np.int32]
    born: NDArray[np.int16]
    assets: Sequence[str]
    memos: Sequence[str]
    countries: Sequence[str]
    institutions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the transfers: attributions of accounts, and the law of countries.

    - ``marks``: uint32[m], a `Mark` for each account; ``sure``: uint8[m], confidence in it in per cent
    - ``actor``: int32[m], place in ``actors`` of who runs the account (0: not known)
    - ``epochs``: int64[e], ascending; law row i holds from ``epochs[i]`` (microseconds) on
    - ``limits``: int64[e, c, k]: thresholds below which a country asks for less, in units of the columns'
      values; 0 where there is none. ``c`` counts `Facts.countries`
    - ``risk``: uint8[e, c]: 0 nothing known against a country, 1 weak rules for virtual assets, 2 under
      FATF's increased monitoring, 3 called for action against
    """

    marks: NDArray[np.uint32]
    sure: NDArray[np.uint8]
    actor: NDArray[np.int32]
    epochs: NDArray[np.int64]
    limits: NDArray[np.int64]
    risk: NDArray[np.uint8]
    actors: Sequence[str]


@dataclass(frozen=True, slots=True)
class Columns:
    """``n`` transfers between ``m`` accounts. Arrays may be memory-mapped, and are read-only.

    - ``time``: int64[n], microseconds since 1970-01-01T00:00Z, ascending (ties in order of transfer id)
    - ``src``, ``dst``: int32[n], account numbers in [0, m)
    - ``value``: int64[n], in units of 10**-scale of the reference asset; -1 where it is not known
    - ``out_ptr``: int64[m+1], ``out_idx``: int64[n]: transfers out of account a, in time order, are
      ``out_idx[out_ptr[a]:out_ptr[a+1]]``; ``in_ptr``, ``in_idx`` likewise for transfers into it
    - ``out_time``, ``out_value``, ``out_dst`` and ``in_time``, ``in_value``, ``in_src``: the same in the
      order of the index, so that one account's transfers are read in a row
    - ``hub``: bool[m], true where the account is a transaction, nobody's account (ADR 0004)
    - ``accounts``: m account ids, sorted; ``ids``: n transfer ids (lazy sequences)
    - ``reference``: the reference asset's id; ``scale``: decimal places of ``value``
    - ``facts``, ``known``: what else transfers state, and what is known beside them
    """

    time: NDArray[np.int64]
    src: NDArray[np.int32]
    dst: NDArray[np.int32]
    value: NDArray[np.int64]
    out_ptr: NDArray[np.int64]
    out_idx: NDArray[np.int64]
    in_ptr: NDArray[np.int64]
    in_idx: NDArray[np.int64]
    out_time: NDArray[np.int64]
    out_value: NDArray[np.int64]
    out_dst: NDArray[np.int32]
    in_time: NDArray[np.int64]
    in_value: NDArray[np.int64]
    in_src: NDArray[np.int32]
    hub: NDArray[np.bool_]
    accounts: Sequence[str]
    ids: Sequence[str]
    reference: str
    scale: int
    facts: Facts
    known: Known

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_accounts(self) -> int:
        return len(self.out_ptr) - 1

"""One pattern of laundering a file: an indicator, its parameters and one kernel.

A plug-in ``typologies/NAME.py`` has:

- ``SPEC``: a `TypologySpec`
- ``run(columns: Columns, parameters: Mapping[str, float]) -> Hits``: calls its Numba kernel
  (``@njit(cache=True)``, no Python objects); parameters of unit ``money`` arrive in units of the
  columns' ``value``, those of unit ``hours`` in microseconds
- ``explain(features: Mapping[str, float], currency: str) -> tuple[str, ...]``: the reasons, in whole
  sentences; money in ``features`` is in main units of ``currency``
- ``CASES``: `Sample`s: at least one positive, one near miss, one negative
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pkgutil import extend_path
from typing import TYPE_CHECKING

from comity.model import Transfer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__path__ = extend_path(__path__, __name__)


class Shape(StrEnum):
    """What a kernel must see at once: one account's transfers, or all of one time window."""

    ACCOUNT = "account"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Parameter:
    """``unit``: money (of the reference currency), hours, count, or ratio. An engineering default."""

    name: str
    default: float
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TypologySpec:
    """``flag`` is FATF's red flag by our id (docs/reference/red-flags), ``source`` the publication.

    ``joint`` names features that institutions may add up for one subject, and the parameter each sum
    must reach: how a pattern too weak at each of them becomes an alert together.
    """

    id: str
    title: str
    indicator: str
    flag: str
    source: str
    shape: Shape
    parameters: tuple[Parameter, ...]
    joint: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hits:
    """``k`` hits. ``account``: int32[k]; ``alert``: bool[k] (else it is to watch); ``score``: float64[k]
    in [0, 1]; evidence of hit i: transfer numbers ``evidence[ptr[i]:ptr[i+1]]`` (int64, ascending);
    ``features``: float64[k] each, money in units of the columns' ``value``, times in hours.
    """

    account: NDArray[np.int32]
    alert: NDArray[np.bool_]
    score: NDArray[np.float64]
    ptr: NDArray[np.int64]
    evidence: NDArray[np.int64]
    features: Mapping[str, NDArray[np.float64]]
    money: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A worked case: ``alerts`` and ``watches`` are the accounts that must be found, and no others."""

    name: str
    transfers: tuple[Transfer, ...]
    alerts: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()

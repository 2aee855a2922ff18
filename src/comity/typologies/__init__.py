"""One pattern of laundering a file: an indicator, its parameters and one kernel.

A plug-in ``typologies/NAME.py`` has:

- ``SPEC``: a `TypologySpec`
- ``run(columns: Columns, parameters: Mapping[str, float], scope: Scope) -> Hits``: calls its Numba
  kernel ``_kernel`` (``@njit(cache=True)``, no Python objects) and answers exactly the hits that ``scope``
  asks for; parameters of unit ``money`` arrive in units of the columns' ``value``, those of unit
  ``hours`` in microseconds
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

from comity.model import Knowledge, Transfer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__path__ = extend_path(__path__, __name__)

LIMITS = ("travel_rule.threshold", "cdd.occasional", "ctr.threshold")
"""The thresholds of the standard that people stay below, in the order of ``Known.limits``."""


class Shape(StrEnum):
    """What a hit depends on, and so how the work is split (ADR 0013).

    ACCOUNT: on the transfers into and out of one account, the hit's. WINDOW: on the transfers not long
    before and after the hit begins; it begins with the first transfer of its evidence.
    """

    ACCOUNT = "account"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which hits are asked for: account-local ones of ``accounts`` (int32, ascending), window-local ones
    that begin at a time in [begin, end), in microseconds. The columns hold all that those depend on."""

    accounts: NDArray[np.int32]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """``unit``: money (of the reference currency), hours, count, or ratio. An engineering default."""

    name: str
    default: float
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TypologySpec:
    """``flags`` are FATF's red flags by our ids (docs/reference/red-flags), ``source`` the publication.

    ``joint`` names features that institutions may add up for one subject, and the parameter each sum
    must reach: how a pattern too weak at each of them becomes an alert together. Only where the parts lie
    with different institutions by nature (payers, victims, thresholds avoided at each): what is watched
    under a rule with ``joint`` is told to others, and each such rule discloses the innocent too.

    ``before`` and ``after`` name the parameters (hours) whose sum is how long before and after its
    beginning a window-local hit depends on transfers. ``uses`` names what is asked of `Facts` and
    `Known`, as ``facts.asset``, and ``accounts`` where account ids are read: what an engine must bring.
    """

    id: str
    title: str
    indicator: str
    flags: tuple[str, ...]
    source: str
    shape: Shape
    parameters: tuple[Parameter, ...]
    joint: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ("window",)
    after: tuple[str, ...] = ("window",)
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """``k`` hits. ``account``: int32[k]; ``alert``: bool[k] (else it is to watch); ``score``: float64[k]
    in [0, 1]; evidence of hit i: transfer numbers ``evidence[ptr[i]:ptr[i+1]]`` (int64, ascending);
    ``features``: float64[k] each, money in units of the columns' ``value``, times in hours.

    Nothing is left out in silence: ``cut``: bool[k], the search for this hit reached its work budget;
    ``unfinished``: int32, ascending, accounts where a search did, so that there may be more hits.
    """

    account: NDArray[np.int32]
    alert: NDArray[np.bool_]
    score: NDArray[np.float64]
    ptr: NDArray[np.int64]
    evidence: NDArray[np.int64]
    features: Mapping[str, NDArray[np.float64]]
    cut: NDArray[np.bool_]
    unfinished: NDArray[np.int32]
    money: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A worked case: ``alerts`` and ``watches`` are the accounts that must be found, and no others.

    ``knowledge`` is what is known beside the transfers; its money is in euros.
    """

    name: str
    transfers: tuple[Transfer, ...]
    alerts: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)

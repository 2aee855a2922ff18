"""One kind of ledger a file: bytes to `Transfer`s.

A plug-in ``chains/NAME.py`` has:

- ``SPEC``: a `ChainSpec`
- ``sniff(head: bytes) -> bool``: whether a file that begins so is of this format
- ``read(stream: BinaryIO, intake: Intake) -> Iterator[Transfer]``: streaming; raises BadInput
- ``SAMPLE``: bytes of a small file of the format, our own; ``SAMPLE_TRANSFERS``: how many it gives
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pkgutil import extend_path

from comity.model import Transfer

__path__ = extend_path(__path__, __name__)


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """``options`` names each option the reader takes and what it means; ``reference`` is the asset that a
    ledger begun with such a file has its values in."""

    id: str
    title: str
    source: str
    options: Mapping[str, str] = field(default_factory=dict)
    reference: str = "iso4217:USD"


@dataclass(slots=True)
class Intake:
    """What a reader is given (the present time, its options) and what it counts while it reads.

    ``earlier`` gives the transfers of these ids that the ledger already holds: who owned, and how much,
    an output that is spent now.
    """

    now: datetime
    options: Mapping[str, str] = field(default_factory=dict)
    transactions: int = 0
    inputs: int = 0
    outputs: int = 0
    merkle_root_verified: bool | None = None
    notes: list[str] = field(default_factory=list)
    earlier: Callable[[Sequence[str]], Mapping[str, Transfer]] = lambda _ids: {}

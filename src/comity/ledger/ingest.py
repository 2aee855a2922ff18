"""Files to the ledger: the format recognised, read through its plug-in, and added all or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from comity import intake as distrust
from comity import plugins
from comity.chains import Intake
from comity.errors import BadInput
from comity.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What was read. Inputs, outputs and the Merkle root are a blockchain's; None where there is none."""

    transactions: int
    inputs: int
    outputs: int
    transfers: int
    merkle_root_verified: bool | None
    chain: str
    notes: tuple[str, ...]


def ingest(
    path: Path,
    ledger: Ledger,
    *,
    now: datetime,
    chain: str | None = None,
    options: Mapping[str, str] | None = None,
    rates: Mapping[str, Decimal] | None = None,
    wrap: Callable[[BinaryIO], BinaryIO] | None = None,
) -> IngestSummary:
    """Add the transfers of a file, packed or not, to a ledger.

    ``chain`` names the plug-in, else the first bytes do. ``rates`` are as in `Ledger.append`. ``wrap`` may
    put a stream around the one that is read, to show progress. Raises BadInput (UnknownFormat, TooLarge),
    Unverified or Conflict, and then nothing was added.
    """
    with distrust.open_source(path) as stream:
        if chain is not None:
            plugin = plugins.load("chains", chain)
        else:
            plugin = plugins.recognise("chains", distrust.peek(stream))
        asked = dict(options or {})
        known = plugin.SPEC.options
        for name in asked:
            if name not in known and not (name.startswith("map.") and "map.COLUMN" in known):
                raise BadInput(
                    f"{plugin.SPEC.title}: no option {name!r}",
                    why=f"there are: {', '.join(known) or 'none'}",
                    remedy="leave it out, or name the format",
                )
        state = Intake(now, asked, earlier=ledger.find)
        source = wrap(stream) if wrap is not None else stream
        added = ledger.append(plugin.read(source, state), rates=rates, source=path.name)
    return IngestSummary(
        transactions=state.transactions,
        inputs=state.inputs,
        outputs=state.outputs,
        transfers=added,
        merkle_root_verified=state.merkle_root_verified,
        chain=plugin.SPEC.id,
        notes=tuple(state.notes),
    )

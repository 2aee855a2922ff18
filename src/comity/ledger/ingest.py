"""Files to the ledger: the format recognised, read through its plug-in, and added all or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from comity import intake as distrust
from comity import plugins
from comity.chains import Intake
from comity.errors import BadInput, TooLarge
from comity.ledger._rows import MAX_ROWS
from comity.ledger.store import Ledger, Rates


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
    rates: Rates | None = None,
    wrap: Callable[[BinaryIO], BinaryIO] | None = None,
) -> IngestSummary:
    """Add the transfers of a file, packed or not, to a ledger.

    ``chain`` names the plug-in, else the first bytes do. ``rates`` are as in `Ledger.append`. ``wrap`` may
    put a stream around the one that is read, to show progress. Notes of the summary say where no rate was
    recent enough. Raises BadInput (UnknownFormat, TooLarge),
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
        _check_rows(source)
        added = ledger.append(plugin.read(source, state), rates=rates, source=path.name, notes=state.notes)
    return IngestSummary(
        transactions=state.transactions,
        inputs=state.inputs,
        outputs=state.outputs,
        transfers=added,
        merkle_root_verified=state.merkle_root_verified,
        chain=plugin.SPEC.id,
        notes=tuple(state.notes),
    )


def _check_rows(stream: BinaryIO) -> None:
    """Refuse a Parquet file for the number of rows that it says it has, before the first of them is read.

    Equal rows take next to no room in it: its size bounds nothing. Any other format is counted as it is read.
    """
    if not stream.seekable():
        return
    packed = stream.read(4) == b"PAR1"
    stream.seek(0)
    if packed:
        try:
            rows: int = parquet.read_metadata(stream).num_rows
        except (pa.ArrowException, OSError):
            rows = 0  # its reader says what is wrong with it
        stream.seek(0)
        if rows > MAX_ROWS:
            raise TooLarge(
                f"a table of {rows:,} rows",
                why=f"at most {MAX_ROWS:,} are added at once",
                remedy="split the file",
            )

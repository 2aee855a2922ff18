"""One reader under atheris: `python -m fuzz.target SEAM.NAME SEEDS [libFuzzer's options]`."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["comity.chains", "comity.lists", "comity.intake"]):
    from comity import plugins
    from comity.chains import Intake
    from comity.errors import ComityError
    from comity.ledger.columns import build, scale_of, units, worth
    from comity.model import AssetId, Listing, Transfer

    SEAM, _, NAME = sys.argv[1].partition(".")
    PLUGIN = plugins.load(SEAM, NAME)

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def transfers(data: bytes) -> list[Transfer]:
    return list(PLUGIN.read(io.BytesIO(data), Intake(NOW)))


def chain(data: bytes) -> None:
    """What a ledger's reader gives adds up, and is the same again."""
    found = transfers(data)
    assert transfers(data) == found, "read again, it is something else"
    if len({one.id for one in found}) < len(found):
        return  # the file says so, and the ledger refuses it
    for one in found:
        assert one.time.tzinfo is not None
        if one.amount is not None:
            assert one.amount.quantity.is_finite() and one.amount.quantity >= 0
    reference = AssetId(PLUGIN.SPEC.reference)
    stated = [units(worth(one, reference), scale_of(reference)) for one in found]
    columns = build(found, reference)
    assert int(columns.value[columns.value >= 0].sum()) == sum(u for u in stated if u >= 0), (
        "it does not add up"
    )


def listed(data: bytes) -> None:
    """What a list's reader gives is the same again."""
    first, again = PLUGIN.read(io.BytesIO(data)), PLUGIN.read(io.BytesIO(data))
    entries: list[Listing] = list(first.listings)
    assert (first.list_id, first.version, entries) == (again.list_id, again.version, list(again.listings))
    assert all(0 <= one.confidence <= 1 for one in entries)


def one(data: bytes) -> None:
    PLUGIN.sniff(data[:4096])
    try:
        (chain if SEAM == "chains" else listed)(data)
    except ComityError:
        return


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()

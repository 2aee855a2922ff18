"""The demo's world: a seed, the sanctioned wallets that ship, and small cuts of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from comity import intake
from comity.lists import extract
from comity.model import AccountId, AssetId
from comity.screening.store import shipped
from comity.training.world import World, generate

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 60


def make(seed: int, transfers: int, now: datetime) -> World:
    """Sixty days that are over: from 1 September 2026, or from earlier where the clock says so."""
    start = min(START, now.replace(hour=0) - timedelta(days=DAYS + 1))
    return generate(seed, transfers=transfers, days=DAYS, start=start, listed=listed())


def listed() -> list[tuple[AccountId, str]]:
    """The wallets of the sanctions list that ships, each with its entry."""
    found = []
    for path in shipped():
        with intake.open_source(path) as stream:
            for listing in extract.listings(stream, extract.read_header(stream)):
                found += [(wallet, f"{listing.list_id}:{listing.entry_id}") for wallet in listing.wallets]
    return found


def part(world: World, rows: list[int]) -> World:
    """The world with these of its transfers only."""
    whole = world.table
    columns = {name: getattr(whole, name)[rows] for name in ("time", "src", "dst", "amount", "asset", "text")}
    return replace(world, table=replace(whole, ids=tuple(whole.ids[row] for row in rows), **columns))


def warm(world: World) -> None:
    """Compile the detection kernels once, so that the nodes' processes find them in the cache."""
    from comity.ledger.columns import build
    from comity.monitoring.run import monitor

    few = world.table.view(world.obliged[0].id)[:500]
    monitor(build(part(world, few.tolist()).transfers(), AssetId.money("USD")))

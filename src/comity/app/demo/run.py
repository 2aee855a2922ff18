"""``comity demo``, from an empty directory to a table and a report."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from comity.app.demo import freezing, measure, network, place, proof, story, table
from comity.app.demo.example import choose
from comity.app.demo.facts import Story
from comity.app.demo.fleet import Fleet
from comity.app.demo.place import Place
from comity.app.demo.progress import Steps
from comity.app.demo.report import write as write_report
from comity.app.demo.world import make, warm
from comity.training.world import World


def run(to: Path, *, seed: int, transfers: int, keep: bool, as_json: bool) -> None:
    """Run the demo into ``to`` and print its table, or JSON.

    ``keep`` leaves nodes and pages running until Ctrl-C. Only processes started here are ended. Raises
    Conflict when ``to`` holds something else, PeerError when a node fails, Unverified when a
    log does not hold.
    """
    out, err = (Console(stderr=way, highlight=False, emoji=False) for way in (False, True))
    where = place.fresh(to)
    steps = Steps(err, quiet=as_json)
    with _orderly_end(), _world_and_fleet(where, seed, transfers, steps) as (world, fleet):
        told = Story()
        net = story.Network(fleet, world.institutions)
        freezing.powers(told, network.COUNTRIES)
        story.alone(net, world, where, told, steps)
        story.together(net, told, steps)
        freezing.freeze(net, told, steps)
        story.report(net, told, steps)
        proof.verify(net, fleet.homes, where.root, told, steps)
        story.gather(net, told)
        with steps.step("measure", "What was found is held against the truth") as say:
            found = _measure(world, told)
            told.seconds = {**steps.seconds, "total": steps.total}
            shown = choose(world, told, datetime.now(UTC))
            page = write_report(where.report, world, told, found, shown)
            say("What was found is held against the truth; the report is written")
        told.seconds = {**steps.seconds, "total": steps.total}
        if as_json:
            table.machine(sys.stdout, world, told, found, page, fleet.urls if keep else {})
        else:
            table.people(out, told, found, shown, page)
        if keep:
            _stay(out if not as_json else err, fleet)


@contextmanager
def _orderly_end() -> Iterator[None]:
    """A request to end, by Ctrl-C or otherwise, ends the nodes too; also where a shell had Ctrl-C ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _world_and_fleet(where: Place, seed: int, transfers: int, steps: Steps) -> Iterator[tuple[World, Fleet]]:
    """The world on disk without its truth, and the nodes answering."""
    with steps.step("world", "Making a world") as say:
        world = make(seed, transfers, datetime.now(UTC))
        say(f"A world of {len(world.table):,} transfers over {world.days} days, seed {seed}")
    with ExitStack() as until_up, ExitStack() as to_the_end:
        with steps.step("network", "Making sixteen nodes") as say:
            ports = until_up.enter_context(network.reserved(2 * len(world.institutions)))
            homes = network.create(where, world, ports)
            signed = f"{network.THRESHOLD} of {len(network.COUNTRIES)} countries"
            say(f"{len(homes)} nodes; the commons, signed by {signed}, verified by all")
        with steps.step("start", "Starting them, each a process; meanwhile the world is written") as say:
            fleet = to_the_end.enter_context(Fleet(homes, where.logs))
            fleet.start()
            world.write(where.world)
            (where.world / "truth.json").replace(where.truth)
            warm(world)
            fleet.wait()
            until_up.close()
            say(f"{len(homes)} processes answer on loopback; none is told what was planted")
        yield world, fleet


def _measure(world: World, told: Story) -> measure.Found:
    book = measure.Book(world.customers)
    disclosures = measure.disclosed(
        told.messages,
        book,
        common=told.common,
        filed={each.filename: each.case.subjects for each in told.cases},
    )
    owner = measure.owners(world.table.ids, world.schemes)
    return measure.found(world.schemes, owner, book, told.findings, told.joint, disclosures)


def _stay(out: Console, fleet: Fleet) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    table.addresses(out, fleet)
    try:
        while True:
            fleet.check()
            time.sleep(1)
    except KeyboardInterrupt:
        out.print("Stopping the nodes.")

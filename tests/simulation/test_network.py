"""Fifty worlds. A failing one says its seed; ``COMITY_SEED=n`` runs that one alone, the same way."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from comity.errors import Unverified
from comity.exchange import envelope
from comity.exchange.mailbox import Mailbox, State

_SPEC = importlib.util.spec_from_file_location("simulation_world", Path(__file__).with_name("world.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
world = importlib.util.module_from_spec(_SPEC)
sys.modules["simulation_world"] = world
_SPEC.loader.exec_module(world)

CHOSEN = os.environ.get("COMITY_SEED")
SEEDS = [int(CHOSEN)] if CHOSEN else list(range(50))
STEPS = 60


def run(seed: int, folder: Path, steps: int = STEPS):
    made = world.World(seed, folder, nodes=4 + seed % 2)
    for step in range(steps):
        try:
            made.step()
        except Exception as error:
            raise AssertionError(
                f"seed {seed} fails at step {step}: {error!r}; replay: COMITY_SEED={seed}"
            ) from error
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_happens_twice(seed: int, tmp_path: Path) -> None:
    made = run(seed, tmp_path)
    made.heal()
    truth = made.truth
    for _, sender, message_id in truth.sent:
        node = made.nodes[sender]
        with node.engine.connect() as conn:
            state = node.mailbox.outgoing(conn, message_id).state
        acted = [name for name in made.nodes if (name, sender, message_id) in truth.done]
        assert len(acted) == 1 or (not acted and state is State.EXPIRED), (
            f"seed {seed}: {message_id} is {state}"
        )


def test_a_seed_replays(tmp_path: Path) -> None:
    traces = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        made = run(7, folder)
        traces.append(
            (made.now, made.killed, made.truth, sorted(node.head.size for node in made.nodes.values()))
        )
    assert traces[0] == traces[1]


def test_the_worlds_are_bad_enough(tmp_path: Path) -> None:
    """The invariants are worth something only where things go wrong."""
    killed = refused = accepted = 0
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made = run(seed, folder)
        killed, refused = killed + made.killed, refused + made.refused
        accepted += len(made.truth.accepted)
    assert killed > 10
    assert refused >= 5
    assert accepted > 20


def broken_mark(self, conn, sender, message_id, now):
    """Forgets that it was done."""
    return True


def early_commit(self, conn, message, sealed_digest, now):
    """Commits before its event is written."""
    first = GOOD_ACCEPT(self, conn, message, sealed_digest, now)
    conn.connection.commit()
    return first


def no_memory(self, conn, message, sealed_digest, now):
    """Takes every repetition for news."""
    GOOD_ACCEPT(self, conn, message, sealed_digest, now)
    return True


GOOD_ACCEPT = Mailbox.accept


@pytest.mark.parametrize(
    ("method", "broken"), [("mark_processed", broken_mark), ("accept", early_commit), ("accept", no_memory)]
)
def test_the_invariants_notice_a_broken_mailbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, broken: object
) -> None:
    monkeypatch.setattr(Mailbox, method, broken)
    with pytest.raises(AssertionError, match="replay: COMITY_SEED="):
        for seed in range(10):
            folder = tmp_path / str(seed)
            folder.mkdir()
            run(seed, folder)


def test_the_invariants_notice_plaintext(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = envelope.seal
    monkeypatch.setattr(
        envelope, "seal", lambda message, *given: good(message, *given) + str(message.body).encode()
    )
    with pytest.raises(AssertionError, match="on the wire"):
        run(1, tmp_path)


def test_the_invariants_notice_a_rewritten_log(tmp_path: Path) -> None:
    made = run(2, tmp_path)
    node = max(made.nodes.values(), key=lambda node: node.head.size)
    with node.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE audit_leaf SET body = '{}' WHERE idx = 1")
    with pytest.raises(Unverified, match="entry 1"):
        node.touched = True
        made.check(node)

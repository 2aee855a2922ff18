"""SIGKILL at any moment: nothing is lost, nothing is doubled. Real processes, real kills.

The moments are drawn from a seed; ``COMITY_SEED=n`` draws others.
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from comity.exchange.mailbox import State
from comity.exchange.receipts import verify as verify_receipt
from comity.lists import Edition
from comity.model import (
    AccountId,
    Finding,
    FindingKind,
    Level,
    Listing,
    ListingKind,
    MeasureState,
    MessageKind,
    Party,
)
from comity.node import hops
from comity.node.node import Node
from comity.screening.extract import write_extract
from comity.screening.store import ListStore

pytestmark = pytest.mark.processes

SEED = int(os.environ.get("COMITY_SEED", "20261123"))
TURNS = 12
FREEZES = 40
ASKS = 12
PATIENCE = 90.0


def _support(name: str) -> ModuleType:
    known = f"comity_support_{name}"
    if known not in sys.modules:
        path = Path(__file__).parents[1] / "support" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(known, path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


processes, small = _support("processes"), _support("small")


@dataclass
class Operators:
    """Two people who never give up: what they ask for goes on until the node has said yes."""

    fiu: Any
    vasp: Any
    case_id: str
    accounts: list[str]
    accepted: set[str] = field(default_factory=set)
    unsure: int = 0
    may: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    finished: threading.Event = field(default_factory=threading.Event)

    def orders(self) -> None:
        """Freezes and requests from the FIU, some in every turn, as fast as it takes them."""
        work: list[tuple[str, dict[str, Any]]] = [
            (
                "/freezes",
                {
                    "recipient": "de-vasp-1",
                    "accounts": [account],
                    "case_id": self.case_id,
                    "by": "Bea Beamtin",
                    "grounds": f"The proceeds in {account} are about to leave.",
                },
            )
            for account in self.accounts
        ]
        step = len(work) // ASKS
        for at in range(ASKS):
            work.insert(at * (step + 1), ("/watch/ask", {"peer": "de-vasp-1"}))
        for path, body in work:
            self.may.acquire()
            while not self._post(self.fiu, path, body):
                time.sleep(0.05)
        self.finished.set()

    def answers(self) -> None:
        """Answers from the exchange to whatever request the FIU has sent it."""
        answered: set[str] = set()
        while not self.finished.is_set() or self._requests(self.fiu, "sent") != answered:
            for message in self._requests(self.vasp, "received") - answered:
                if self._post(self.vasp, f"/messages/{message}/reply", {"by": "Ada Officer"}):
                    answered.add(message)
            time.sleep(0.1)

    def _requests(self, node: Any, way: str) -> set[str]:
        try:
            found = node.api.get("/messages", params={"limit": 1000})
        except httpx.HTTPError:
            return set()
        return {message["id"] for message in found.json()[way] if message["kind"] == "request"}

    def _post(self, node: Any, path: str, body: dict[str, Any]) -> bool:
        """Whether the node has said yes. One that dies before it answers may have done it: ask again."""
        try:
            answer = node.api.post(path, json=body)
        except httpx.ConnectError:
            return False
        except httpx.HTTPError:
            self.unsure += 1
            return False
        if answer.status_code == 409 and "answered already" in answer.text:
            return True
        assert answer.status_code == 202, (path, answer.status_code, answer.text)
        self.accepted.add(answer.json()["message"])
        return True


@pytest.fixture
def net(tmp_path: Path) -> Iterator[dict[str, Any]]:
    made = processes.create(tmp_path / "nodes", ["de-fiu", "de-vasp-1"])
    yield made
    for one in made.values():
        one.close()


def prepare(net: dict[str, Any], folder: Path) -> tuple[str, list[str]]:
    """Customers to freeze at the exchange, something it watches, and a case at the FIU decided so."""
    accounts = [f"acct:de-vasp-1:{number:04d}" for number in range(FREEZES)]
    vasp: Node = net["de-vasp-1"].node()
    hops.load_customers(vasp, small.customers(folder / "c.jsonl", dict.fromkeys(accounts, small.MULE)))
    hops.ingest(vasp, small.fan_in(folder / "in.csv", "de-vasp-1", "0000", 6))
    hops.detect(vasp, only=["fan_in"])
    vasp.close()
    fiu: Node = net["de-fiu"].node()
    found = [
        Finding(
            f"f-{account}", FindingKind.MATCH, "fan_in", account, Level.ALERT, 0.9, ("It collects.",), (), "x"
        )
        for account in accounts
    ]
    with fiu.act() as conn:
        fiu.cases.save_findings(conn, found)
    from comity.model import Verdict

    case = hops.open_case(fiu, [one.id for one in found])
    hops.decide(fiu, case.id, Verdict.FREEZE, "Bea Beamtin", "It collects.")
    fiu.close()
    return case.id, accounts


def note(served: Any) -> str:
    """A signed checkpoint of the node's log now, as a partner would keep it."""
    node: Node = served.node()
    with node.act() as conn:
        found: str = node.audit.checkpoint(conn, node.keys.signing)
    node.close()
    return found


def at_rest(net: dict[str, Any]) -> bool:
    states = [one.get("/status") for one in net.values()]
    return all(state["queued"] == state["unprocessed"] == 0 for state in states)


def test_nothing_is_lost_and_nothing_is_doubled(net: dict[str, Any], tmp_path: Path) -> None:
    chance = random.Random(SEED)
    case_id, accounts = prepare(net, tmp_path)
    operators = Operators(net["de-fiu"], net["de-vasp-1"], case_id, accounts)
    notes: dict[str, list[str]] = {name: [] for name in net}
    for one in net.values():
        one.start(wait=False)
    for one in net.values():
        one.wait()
    threads = [threading.Thread(target=work, daemon=True) for work in (operators.orders, operators.answers)]
    for thread in threads:
        thread.start()
    killed: Counter[str] = Counter()
    for turn in range(1, TURNS + 1):
        operators.may.release(-(-(FREEZES + ASKS) // TURNS))
        time.sleep(chance.uniform(0.02, 0.8))
        one_of_them = chance.choice(list(net))
        victims = list(net) if turn % 4 == 0 else [one_of_them]
        for name in victims:
            net[name].kill()
            killed[name] += 1
            notes[name].append(note(net[name]))
        for name in victims:
            net[name].start(wait=False)
        for name in victims:
            net[name].wait()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the operators are done"
    processes.until("all is delivered and done", lambda: at_rest(net) and at_rest(net), PATIENCE)
    assert sum(killed.values()) >= 12 and min(killed.values()) >= 3, killed
    for one in net.values():
        assert "a fault in the node" not in one.log()
        one.kill()
    nodes = {name: one.node() for name, one in net.items()}
    try:
        check_mail(nodes, operators)
        check_effects(nodes, operators.unsure)
        for name, node in nodes.items():
            check_log(node, notes[name])
    finally:
        for node in nodes.values():
            node.close()


def log(node: Node) -> list[Any]:
    with node.act() as conn:
        return list(node.audit.entries(conn, 0, 100_000))


def check_mail(nodes: dict[str, Node], operators: Operators) -> None:
    """Every message that was accepted was received once, and both sides hold the proof."""
    pairs = (("de-fiu", "de-vasp-1"), ("de-vasp-1", "de-fiu"))
    all_sent: set[str] = set()
    for sender, recipient in pairs:
        with nodes[sender].act() as conn:
            sent = nodes[sender].mailbox.sent(conn, 10_000)
        with nodes[recipient].act() as conn:
            received = nodes[recipient].mailbox.received(conn, 10_000)
        assert {item.state for item in sent} == {State.DELIVERED}
        assert Counter(i.message.id for i in sent) == Counter(i.message.id for i in received)
        here = {item.message.id: item for item in received}
        member = nodes[sender].directory.member(recipient)
        for item in sent:
            came = here[item.message.id]
            assert came.message == item.message
            assert came.processed is not None
            said = verify_receipt(item.receipt, member)
            assert (said.message_id, said.sender, said.digest) == (item.message.id, sender, item.digest)
            assert said.digest == came.digest
        all_sent |= set(here)
        for kind, node in (
            ("message.sent", sender),
            ("message.delivered", sender),
            ("message.received", recipient),
        ):
            counted = Counter(e.body["message"] for e in log(nodes[node]) if e.kind == kind)
            assert counted == dict.fromkeys(here, 1), kind
    assert operators.accepted <= all_sent, "what a node has said yes to is not lost"
    for node in nodes.values():
        assert not {"message.set_aside", "message.refused", "message.expired"} & {e.kind for e in log(node)}


def check_effects(nodes: dict[str, Node], unsure: int) -> None:
    """Every freeze was ordered, carried out, answered and noted once; every answer is kept once."""
    fiu, vasp = nodes["de-fiu"], nodes["de-vasp-1"]
    with fiu.act() as conn:
        orders = {
            i.message.id
            for i in fiu.mailbox.sent(conn, 10_000)
            if i.message.kind is MessageKind.FREEZE_REQUEST
        }
        asked = [i.message for i in fiu.mailbox.sent(conn, 10_000) if i.message.kind is MessageKind.REQUEST]
        measures = fiu.freezes.list_measures(conn)
        came = [i.message for i in fiu.mailbox.received(conn, 10_000)]
    assert FREEZES <= len(orders) <= FREEZES + unsure
    assert ASKS <= len(asked) <= ASKS + unsure
    assert {m.id for m in measures} == orders
    assert {m.state for m in measures} == {MeasureState.IN_FORCE}
    with vasp.act() as conn:
        assert {m.id for m in vasp.freezes.list_measures(conn)} == orders
        for number in range(FREEZES):
            assert vasp.freezes.is_frozen(conn, AccountId(f"acct:de-vasp-1:{number:04d}"))
        for order in orders:
            steps = [step.state.value for step in vasp.freezes.history(conn, order)]
            assert steps == ["requested", "served", "in_force"]
    for node, kind in ((vasp, "freeze.in_force"), (fiu, "freeze.answered")):
        assert Counter(e.body["measure"] for e in log(node) if e.kind == kind) == dict.fromkeys(orders, 1)
    answers = Counter(m.in_reply_to for m in came)
    assert answers == dict.fromkeys(orders | {m.id for m in asked}, 1), "one answer to each"
    done = Counter(e.body["message"] for e in log(vasp) if e.kind == "request.answered")
    assert done == dict.fromkeys((m.id for m in asked), 1)


def check_log(node: Node, notes: list[str]) -> None:
    """The log verifies, and continues every checkpoint that was taken on the way."""
    key = node.keys.signing.public_key()
    with node.act() as conn:
        for kept in notes:
            node.audit.verify(conn, key=key, checkpoint=kept)
    assert node.verify().size == len(log(node))


def killed_while(command: list[Any], ready: Callable[[], bool], delay: float) -> int | None:
    """Start a command, SIGKILL it so long after ``ready``; its exit code if it was done before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and not ready():
            time.sleep(0.002)
        time.sleep(delay)
        return process.poll()
    finally:
        process.kill()
        process.wait()


def test_a_ledger_is_as_before_or_complete(net: dict[str, Any], tmp_path: Path) -> None:
    """Killed while it reads, sorts and publishes; in the end all of it is there, and the log says so."""
    chance = random.Random(SEED)
    rows = 60_000
    path = small.quiet(tmp_path / "big.csv", "de-vasp-1", rows)
    node: Node = net["de-vasp-1"].node()
    hops.ingest(node, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "0000", 6))
    ledger = node.paths.ledger
    command = [sys.executable, "-m", "comity", "ledger", "ingest", path, "--into", ledger, "--json"]
    staged, part = ledger / "staged.parquet", ledger / "part-00000002.parquet"
    whole, cut = 0, 0
    for ready, longest in ((staged, 0.5), (part, 0.05), (staged, 1.0), (part, 0.2), (staged, 0.2)):
        killed_while(command, ready.exists, chance.uniform(0, longest))
        size = len(node.ledger())
        assert size in (6, 6 + rows)
        assert len(node.ledger().columns().time) == size
        whole, cut = whole + (size > 6), cut + (size == 6)
        if whole:
            break
    assert cut, "at least one of them was cut off"
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == (4 if whole else 0), done.stderr
    assert len(node.ledger()) == 6 + rows
    assert not staged.exists()
    net["de-vasp-1"].start()
    entries = [(e.kind, e.body["transfers"]) for e in log(node) if e.kind.startswith("ledger.")]
    assert entries == [("ledger.ingested", 6), ("ledger.found", rows)]
    node.verify()
    node.close()


def listing(number: int, version: str) -> Listing:
    party = Party(f"Person Number {number} of {version}")
    return Listing("test_list", f"{version}-{number}", ListingKind.SANCTION, party)


def test_a_list_is_the_old_or_the_new_edition(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    store = ListStore(tmp_path / "home" / "lists")
    sizes = {"2026-01-01": 1_000, "2026-02-01": 30_000}
    files = {}
    for version, size in sizes.items():
        files[version] = tmp_path / f"{version}.jsonl.gz"
        write_extract(
            Edition("test_list", version, (listing(number, version) for number in range(size))),
            files[version],
        )
    old, new = files
    store.load(files[old], now=datetime.now(UTC))
    command = [sys.executable, "-m", "comity", "lists", "load", files[new], "--home", tmp_path / "home"]

    def writing() -> bool:
        return len(list((tmp_path / "home" / "lists").iterdir())) > 1

    cut = 0
    for longest in (0.1, 0.3, 0.6, 0.9):
        killed_while(command, writing, chance.uniform(0, longest))
        (header,) = store.editions()
        found = list(store.listings())
        assert len(found) == header.entries == sizes[header.version]
        assert {one.entry_id.rpartition("-")[0] for one in found} == {header.version}
        cut += header.version == old
    assert cut, "at least one of them was cut off"
    subprocess.run(command, check=True, capture_output=True)
    assert [header.version for header in store.editions()] == [new]
    assert len(list(store.listings())) == sizes[new]

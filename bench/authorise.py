"""One transfer decided before it is sent: in process, with the ruling on disk, and through HTTP."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import Row
from bench._ledger import SEED, ledger
from bench._measure import spent
from comity import codec
from comity.model import AccountId, Amount, AssetId, Attribution, Institution, Party, Role, Transfer
from comity.monitoring.authorise import Authoriser
from comity.node.decided import Decided
from comity.standard.judge import Judge
from comity.standard.load import load

CLAIM = (
    "A transfer is ruled on within 50 microseconds (p99) in process, 5 ms with the ruling on disk, and at "
    "1,000 a second a core through HTTP, at a million listed wallets and ten million transfers of state."
)
GOAL = 1.0
_BOUNDS = {"in process": 50e-6, "on disk": 5e-3}
_A_SECOND = 1_000
_COUNTRIES = ("US", "DE", "SG", "GB", "JP", "CH", "BR", "KR")
_ANN, _BOB = Party("Ann"), Party("Bob")


def run(scale: float) -> list[Row]:
    """See the contract in `bench`. Rows without a peer: the bound is in the note."""
    count, wallets = round(10_000_000 * scale), round(1_000_000 * scale)
    columns, _, _ = ledger(count)
    standard = load()
    rates = {**standard.vocabulary.rates, "USD": Decimal(1)}
    parties = {f"{c.lower()}-vasp": Institution(f"{c.lower()}-vasp", c, Role.VASP, (c,)) for c in _COUNTRIES}
    judge = Judge(standard, parties=parties, rates=rates)
    begin = spent()
    authoriser = Authoriser(
        columns,
        attributions=_listed(wallets),
        alerts={},
        duties=lambda one, at, facts: judge.duties(one, on=at, facts=facts),
    )
    made = spent() - begin
    now = datetime.fromtimestamp(int(columns.time[-1]) / 1e6, UTC) + timedelta(seconds=1)
    given = _transfers(columns.accounts, now, max(500, round(20_000 * min(scale, 1))))
    for one in given[: len(given) // 10]:  # the first of each situation reads the law
        authoriser.decide(one, now)
    state = f"{wallets:,} listed wallets, {len(columns):,} transfers"
    alone = [_clocked(lambda one=one: authoriser.decide(one, now), time.thread_time) for one in given]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rulings.jsonl"
        decided = Decided(path)

        def durable(one: Transfer) -> None:
            ruling = authoriser.decide(one, now)
            decided.add({"transfer": one.id, "ruling": ruling.ruling.value}).result()

        on_disk = [_clocked(lambda one=one: durable(one)) for one in given[:2000]]
        decided.close()
    rows = [
        _row("in process", alone, state, once=made),
        _row("on disk", on_disk, state),
    ]
    return [*rows, *_http(given[: max(200, round(4_000 * min(scale, 1)))])]


def _listed(count: int) -> dict[str, Attribution]:
    return {
        account: Attribution(account, "Listed", "", ("sanction",), 1.0, "a list")
        for account in (f"eip155:1:0x{number:040x}" for number in range(1, count + 1))
    }


def _transfers(accounts: Sequence[str], at: datetime, count: int) -> list[Transfer]:
    """Between accounts of the ledger, or to wallets of which one in fifty is listed, over eight countries."""
    rng = np.random.default_rng(SEED)
    usd = AssetId("iso4217:USD")
    found = []
    for number in range(count):
        a, b = rng.integers(0, len(accounts), 2)
        one, two = rng.integers(0, len(_COUNTRIES), 2)
        worth = Decimal(int(rng.integers(1, 20_000)))
        wallet = number % 2 == 1
        target = f"eip155:1:0x{int(rng.integers(1, 50_000_000)):040x}" if wallet else accounts[int(b)]
        found.append(
            Transfer(
                f"t{number}",
                at,
                AccountId(accounts[int(a)]),
                AccountId(target),
                Amount(worth, usd),
                worth,
                f"{_COUNTRIES[one].lower()}-vasp",
                "" if wallet else f"{_COUNTRIES[two].lower()}-vasp",
                originator_party=_ANN,
                beneficiary_party=_BOB,
            )
        )
    return found


def _clocked(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    begin = clock()
    work()
    return clock() - begin


def _row(what: str, seconds: list[float], state: str, *, once: float = 0.0) -> Row:
    p50, p99 = np.percentile(seconds, [50, 99])
    bound = _BOUNDS[what]
    return Row(
        work=f"one ruling {what}, p99; {state}",
        ours=float(p99) * 1e6,
        peer=bound * 1e6,
        peer_version="the bound",
        goal=1.0,
        unit="µs",
        once=once,
        note=f"p50 {p50 * 1e6:,.1f} µs, of {len(seconds):,}",
    )


_CLIENT = """
import http.client, json, sys, threading, time
port, token, workers, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
bodies = open(path, 'rb').read().splitlines()
headers = {'Authorization': 'Bearer ' + token, 'Content-Type': 'application/json'}
done = []
def work(mine):
    connection = http.client.HTTPConnection('127.0.0.1', port)
    for body in mine:
        connection.request('POST', '/api/authorise', body, headers)
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data[:300]
        done.append(1)
threads = [threading.Thread(target=work, args=(bodies[i::workers],)) for i in range(workers)]
begin = time.perf_counter()
for one in threads: one.start()
for one in threads: one.join()
assert len(done) == len(bodies)
print(time.perf_counter() - begin)
"""


def _http(given: list[Transfer]) -> list[Row]:
    """A node's own server, asked from another process: one transfer a call by 16 at once, fifty by one."""
    import uvicorn

    from comity.app.api.operator import operator_app
    from comity.node.node import Node
    from comity.node.settings import Settings

    with TemporaryDirectory() as folder:
        home = Path(folder) / "node"
        node = Node.create(Settings(home, "us-vasp", "US", "vasp", ("US",)))
        node.gate.rule(given[:50])
        config = uvicorn.Config(
            operator_app(node), port=0, log_level="error", access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        rows = []
        plain = [codec.to_plain(one) for one in given]
        fifty = [plain[i : i + 50] for i in range(0, len(plain), 50)]
        for what, bodies, workers in (("one a call, 16 at once", plain, 16), ("fifty a call", fifty, 1)):
            path = Path(folder) / "bodies"
            path.write_bytes(b"\n".join(codec.canonical(body) for body in bodies))
            before = spent()
            command = [
                sys.executable,
                "-c",
                _CLIENT,
                str(port),
                node.operator_token(),
                str(workers),
                str(path),
            ]
            took = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
            cores = (spent() - before) / took
            rows.append(
                Row(
                    work=f"rulings a second through HTTP, on disk, {what}",
                    ours=len(given) / took,
                    peer=_A_SECOND,
                    peer_version="the bound",
                    goal=1.0,
                    unit="a second",
                    more=True,
                    note=f"server and caller together used {cores:.2f} cores; by the clock",
                )
            )
        server.should_exit = True
        thread.join()
        written = node.paths.authorisations.read_bytes().count(b"\n")
        assert written == 2 * len(given) + 50, (written, len(given))
        node.close()
    return rows

"""The demo as somebody runs it: sixteen real processes, a small world, the same claims."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree, html

from comity.app.demo import network
from comity.app.demo.fleet import Fleet
from comity.app.demo.place import fresh
from comity.app.demo.world import make
from comity.errors import PeerError

pytestmark = pytest.mark.processes

PATIENCE = 400
KEYS = {
    "planted",
    "found_alone",
    "found_together",
    "false_alarms",
    "seconds_alert_to_freeze",
    "audit_verified",
}


@dataclass
class Ran:
    """A run that was kept until its pages were seen, then stopped with Ctrl-C."""

    to: Path
    answer: dict[str, Any]
    page: httpx.Response
    kept: dict[str, bool]
    status: int
    left: list[str]


def processes(word: str) -> list[str]:
    """The command lines of running processes that name ``word``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line and "comity node serve" in line:
            found.append(line)
    return found


def _wait(process: subprocess.Popen[str], errors: Path, word: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while word not in errors.read_text("utf-8"):
        assert process.poll() is None, errors.read_text("utf-8")
        assert time.monotonic() < deadline, errors.read_text("utf-8")
        time.sleep(0.2)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("demo")
    to, answers, errors = folder / "run", folder / "answer.json", folder / "errors.txt"
    command = [sys.executable, "-m", "comity", "demo", "--json", "--keep", "--to", str(to)]
    with answers.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen([*command, "--transfers", "20000"], stdout=out, stderr=err, text=True)
    try:
        _wait(process, errors, "Running until Ctrl-C")
        answer = json.loads(answers.read_text("utf-8"))
        kept = {name: any(f"nodes/{name}" in line for line in processes(str(to))) for name in answer["audit"]}
        page = httpx.get(answer["pages"]["de-fiu"], follow_redirects=True, trust_env=False)
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
        left = processes(str(to))
        yield Ran(to, answer, page, kept, status, left)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def test_found_together_what_none_found_alone(ran: Ran) -> None:
    found = ran.answer
    assert found.keys() >= KEYS
    assert found["gained"] >= 1
    assert found["found_together"] == found["found_alone"] + found["gained"] - found["lost"]
    assert found["planted"] == found["found_together"] + len(found["never_found"])
    assert found["false_alarms"] >= found["false_alarms_alone"] > 0
    assert len(found["found_by"]) == 12
    assert {scheme for ids in found["found_by"].values() for scheme in ids}.isdisjoint(
        found["gained_schemes"]
    )


def test_a_freeze_abroad_and_every_log_verified(ran: Ran) -> None:
    frozen = ran.answer["freeze"]
    assert frozen["state"] == "in_force"
    assert 0 < ran.answer["seconds_alert_to_freeze"] < PATIENCE
    assert frozen["requester"][:2] != frozen["requested"][:2] == frozen["holder"][:2]
    assert frozen["legal_basis"]
    assert ran.answer["audit_verified"] is True
    assert len(ran.answer["audit"]) == 16
    assert any(report["filed"] for report in ran.answer["reports"])


def test_kept_until_stopped_and_nothing_left_behind(ran: Ran) -> None:
    assert all(ran.kept.values())
    assert ran.page.status_code == 200
    assert "Zentralstelle" in ran.page.text
    assert ran.status == 0
    assert ran.left == []


def test_no_node_was_told_the_truth(ran: Ran) -> None:
    truth = json.loads((ran.to / "truth.json").read_text("utf-8"))
    telling = [scheme[key].encode() for scheme in truth["schemes"] for key in ("id", "story")]
    assert len(telling) > 60
    seen = 0
    for path in sorted([*(ran.to / "nodes").rglob("*"), *(ran.to / "world").rglob("*")]):
        if path.is_file():
            data, seen = path.read_bytes(), seen + 1
            assert path.name != "truth.json"
            assert not [word for word in telling if word in data], path
    assert seen > 100


def test_the_report_carries_everything_and_runs_nothing(ran: Ran) -> None:
    page = Path(ran.answer["report"])
    tree = html.fromstring(page.read_text("utf-8"))
    assert not tree.xpath(
        "//script | //iframe | //link | //img | //object | //@style | //@onclick | //@onload"
    )
    assert not [url for url in tree.xpath("//@href | //@src") if not url.startswith("#")]
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert str(ran.to) not in page.read_text("utf-8")
    assert len(tree.xpath("//svg[@role='img']")) == 3
    picture = etree.parse(page.parent / "found-together.svg").getroot()
    assert not picture.xpath("//@style | //*[local-name()='script']")
    assert picture.findtext("{*}title")


def test_a_node_that_cannot_start_ends_the_run_and_all_others(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = fresh(tmp_path / "demo")
        world = make(5, 12_000, datetime.now(UTC))
        with network.reserved(2 * len(world.institutions)) as ports:
            ports[1] = taken.getsockname()[1]
            homes = network.create(place, world, ports)
            two = {name: homes[name] for name in ("sg-fiu", "de-fiu")}
            with Fleet(two, place.logs) as fleet, pytest.raises(PeerError, match="sg-fiu failed") as failed:
                fleet.start()
                assert set(fleet.pids) == {"sg-fiu", "de-fiu"}
                fleet.wait()
    assert "cannot listen" in failed.value.why
    assert processes(str(tmp_path)) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_in_a_browser(ran: Ran, browser: Callable[[], Any], width: int) -> None:
    window = browser()
    window.viewport(width)
    window.driver.get(Path(ran.answer["report"]).as_uri())
    assert window.problems() == []
    assert window.overflow() == 0
    sheet = window.driver.execute_script(
        "return getComputedStyle(document.querySelector('section')).borderRadius"
    )
    assert sheet in {"14px", "12px"}  # the style was let in by its digest


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        [sys.executable, "-m", "comity", "demo", "--to", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 4
    assert "is not a former demo" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

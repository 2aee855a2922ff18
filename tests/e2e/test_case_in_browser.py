"""One case from alert to filed report, on a real node's own pages, in a real Chromium."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lxml import etree
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

from comity.node import hops

pytestmark = [pytest.mark.browser, pytest.mark.processes]

WIDTHS = (1280, 390)
GROUNDS = "Twelve payers within two hours, one account, and no business reason."
HOPS = ["Transfer", "Finding", "Duty", "Decision", "Act"]


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


@pytest.fixture
def net(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """An exchange with one customer's collecting account in its ledger, and its FIU."""
    made = processes.create(tmp_path / "nodes", ["de-fiu", "de-vasp-1"])
    node = made["de-vasp-1"].node()
    hops.ingest(node, small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12))
    hops.load_customers(node, small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:77": small.MULE}))
    hops.detect(node)
    node.close()
    try:
        for one in made.values():
            one.start(wait=False)
        for one in made.values():
            one.wait()
        yield made
    finally:
        for one in made.values():
            one.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    folder.mkdir()
    return folder


class Desk:
    """An operator before the pages of one node."""

    def __init__(self, window: Any, served: Any, shots: Path, width: int) -> None:
        self.window, self.driver, self.served, self.shots = window, window.driver, served, shots
        self.url = served.settings.operator_url
        self.width = width
        window.viewport(width)

    def until(self, true: Callable[[], object], what: str) -> None:
        WebDriverWait(self.driver, 20).until(lambda _: true(), what)

    def see(self, name: str) -> str:
        """The page's text; it fits, breaks no rule, and is kept as a picture."""
        self.window.shoot(self.shots / f"{name}-{self.width}.png")
        assert self.window.overflow() <= 0, name
        assert self.window.problems() == [], name
        return str(self.driver.find_element(By.TAG_NAME, "main").text)

    def press(self, text: str) -> None:
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{text}']").click()

    def done(self) -> str:
        return str(self.driver.find_element(By.CSS_SELECTOR, "[role=status]").text)


@pytest.mark.parametrize("width", WIDTHS)
def test_from_alert_to_filed_report(
    net: dict[str, Any], browser: Callable[[], Any], shots: Path, width: int
) -> None:
    desk = Desk(browser(), net["de-vasp-1"], shots, width)
    driver = desk.driver
    driver.get(f"{desk.url}/alerts")
    driver.find_element(By.ID, "token").send_keys("not the token", Keys.ENTER)
    desk.until(lambda: driver.find_elements(By.CSS_SELECTOR, "[role=alert]"), "a wrong token is refused")
    desk.window.problems()  # the refusal itself is noted on the console
    driver.find_element(By.ID, "token").send_keys(desk.served.token, Keys.ENTER)
    desk.until(lambda: driver.current_url == f"{desk.url}/alerts", "the right one leads to the alerts")
    assert "acct:de-vasp-1:77" in desk.see("alerts")

    driver.find_element(By.LINK_TEXT, "acct:de-vasp-1:77").click()
    text = desk.see("alert")
    assert "12" in text and "de77-000" not in text
    assert len(driver.find_elements(By.CSS_SELECTOR, "main table tbody tr")) >= 12, "its evidence"
    title = driver.find_element(By.NAME, "title")
    title.clear()
    title.send_keys("Collecting account 77", Keys.ENTER)
    desk.until(lambda: "done=opened" in driver.current_url, "the case is open")
    read_the_case(desk)
    decide(desk)
    report_id = draft(desk)
    file(desk, net["de-fiu"], report_id)
    assert "Collecting account 77" in follow(desk, "/cases?state=decided")
    follow(desk, "/")
    follow(desk, "/outbox")
    follow(desk, "/audit")
    desk.press("Verify the log")
    desk.until(lambda: "Verified" in desk.done(), "the log verifies")
    follow(desk, "/enforcement")
    follow(desk, "/standard")


def follow(desk: Desk, path: str) -> str:
    desk.driver.get(desk.url + path)
    return desk.see(path.strip("/").partition("?")[0] or "overview")


def read_the_case(desk: Desk) -> None:
    driver = desk.driver
    text = desk.see("case-open")
    heads = [h.text for h in driver.find_elements(By.CSS_SELECTOR, ".hops > li > h3")]
    assert heads == HOPS
    reached = [li.get_attribute("class") for li in driver.find_elements(By.CSS_SELECTOR, ".hops > li")]
    assert reached == ["reached", "reached", "reached", "ahead", "ahead"]
    events = [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".hops .event")]
    assert events[0].startswith("12 transfers, 2026-11-02 to 2026-11-02")
    assert "duties in DE" in events[2]
    assert all("Receipt: entry" in event for event in events), "each hop has its proof"
    assert "Report the suspicion to the financial intelligence unit." in text
    duties = driver.find_elements(By.CSS_SELECTOR, ".duty")
    assert len(duties) >= 3
    assert any("GwG" in duty.text for duty in duties), "each duty cites its law"
    assert driver.find_element(By.CSS_SELECTOR, "svg.flow").size["width"] >= 560, "the flow of value is drawn"
    assert "Draft the report" not in text, "not before somebody has decided"


def decide(desk: Desk) -> None:
    driver = desk.driver
    driver.find_element(By.ID, "verdict-report").click()
    driver.find_element(By.ID, "grounds").send_keys(GROUNDS)
    driver.find_element(By.ID, "by").send_keys("Ada Officer")
    desk.press("Record the decision")
    desk.until(lambda: "done=decided" in driver.current_url, "the decision is recorded")
    text = desk.see("case-decided")
    assert GROUNDS in text and "Ada Officer decided: report." in text
    reached = [li.get_attribute("class") for li in driver.find_elements(By.CSS_SELECTOR, ".hops > li")]
    assert reached == ["reached"] * 4 + ["ahead"]


def draft(desk: Desk) -> str:
    """Draft as goAML, download it, and hold it against what the node keeps; the report's id."""
    driver = desk.driver
    Select(driver.find_element(By.ID, "format")).select_by_value("goaml")
    desk.press("Draft the report")
    desk.until(lambda: "done=drafted" in driver.current_url, "the report is drafted")
    assert "no problems found" in desk.see("case-drafted")
    link = driver.find_element(By.PARTIAL_LINK_TEXT, "Download Suspicious transaction report (goAML)")
    report_id = str(link.get_attribute("href")).rpartition("/")[2]
    link.click()
    desk.until(lambda: list(desk.window.downloads.glob("*.xml")), "the file arrives")
    (path,) = desk.window.downloads.glob("*.xml")
    node = desk.served.node()
    with node.act() as conn:
        held = node.cases.report(conn, report_id)
    node.close()
    assert (path.name, path.read_bytes()) == (held.filename, held.data)
    tree = etree.fromstring(held.data)
    assert tree.findtext("currency_code_local") == "EUR"
    assert len(tree.findall("transaction")) == 12
    assert "Mustermann" in held.data.decode()
    return report_id


def file(desk: Desk, fiu: Any, report_id: str) -> None:
    driver = desk.driver
    desk.press("File it with de-fiu")
    desk.until(lambda: "done=filed" in driver.current_url, "the report is on its way")
    processes.until("the FIU has it", lambda: fiu.get("/messages")["received"])
    (came,) = fiu.get("/messages")["received"]
    assert came["kind"] == "report"
    driver.refresh()
    text = desk.see("case-filed")
    assert "File it with" not in text
    reached = [li.get_attribute("class") for li in driver.find_elements(By.CSS_SELECTOR, ".hops > li")]
    assert reached == ["reached"] * 5
    assert "Report sent to The de-fiu" in text
    driver.find_element(By.XPATH, "//section[@aria-labelledby='messages']//a[text()='report']").click()
    text = desk.see("message")
    assert "Do not tell the customer" in text and "characters of base64" in text
    theirs = Desk(desk.window, fiu, desk.shots, desk.width)
    driver.get(f"{theirs.url}/messages/{came['id']}")
    driver.find_element(By.ID, "token").send_keys(fiu.token, Keys.ENTER)
    theirs.until(lambda: driver.find_elements(By.LINK_TEXT, "Download the report"), "the FIU reads it")
    theirs.see("message-at-the-fiu")
    (drafted,) = desk.window.downloads.glob("*.xml")
    kept = drafted.rename(drafted.with_suffix(".drafted"))
    driver.find_element(By.LINK_TEXT, "Download the report").click()
    theirs.until(lambda: list(desk.window.downloads.glob("*.xml")), "the file arrives")
    (path,) = desk.window.downloads.glob("*.xml")
    assert (path.name, path.read_bytes()) == (drafted.name, kept.read_bytes()), "the very bytes"

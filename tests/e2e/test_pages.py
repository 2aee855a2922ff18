"""The operator pages in a real Chromium, wide and narrow."""

from __future__ import annotations

import base64
import importlib.util
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from lxml import etree
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from comity.app.web.router import build
from comity.standard.load import load

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
STANDARD = [
    "/standard/map",
    "/standard/changes",
    "/standard/changes?country=fr",
    "/standard/corridors",
    "/standard/corridors?by=score&origin=bo",
    "/standard/countries",
    "/standard/countries/bo",
    "/standard/countries/sg?on=2025-07-01",
    "/standard/countries/fatf",
]
TRACE = "/trace?account=acct:syldavia-bank:0001&hops=4"
REAL = ["/standard", *STANDARD[:2], "/standard/corridors", "/standard/countries", "/standard/countries/us"]
PAGES = [
    "/",
    "/alerts",
    "/alerts?level=any&rule=ofac_sdn&sort=score&down=true",
    "/alerts/f-0001",
    "/alerts/f-0002",
    "/cases?state=all",
    "/cases/case-1",
    "/cases/case-2",
    "/cases/case-3",
    "/standard",
    "/standard?topic=all",
    *STANDARD,
    "/trace",
    TRACE,
    "/inbox",
    "/outbox",
    "/messages/m-in-003",
    "/enforcement",
    "/audit",
]


def _fake() -> Any:
    path = Path(__file__).parents[1] / "unit" / "app" / "web" / "fake.py"
    spec = importlib.util.spec_from_file_location("comity_fake_view", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["comity_fake_view"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Site:
    """The pages of a fake node, served on loopback."""

    url: str
    view: Any
    fake: Any


@pytest.fixture
def site() -> Iterator[Site]:
    fake = _fake()
    view = fake.FakeView()
    app = build(view, token=fake.TOKEN, clock=lambda: fake.NOW, random=secrets.token_bytes, secure=False)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", view, fake)
    server.should_exit = True
    thread.join(20)
    listener.close()


@pytest.fixture(scope="module")
def window(browser: Callable[[], Any]) -> Any:
    return browser()


@pytest.fixture
def desk(window: Any, site: Site) -> Any:
    """A window whose operator has signed in."""
    driver = window.driver
    window.viewport(WIDTHS[0])
    driver.get(f"{site.url}/audit")
    driver.find_element(By.ID, "token").send_keys(site.fake.TOKEN, Keys.ENTER)
    _until(
        driver, lambda: driver.current_url == f"{site.url}/audit", "signing in leads on to the page asked for"
    )
    assert window.problems() == []
    return window


def _until(driver: Any, true: Callable[[], object], what: str) -> None:
    WebDriverWait(driver, 20).until(lambda _: true(), what)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_breaks_no_rule(desk: Any, site: Site, width: int) -> None:
    desk.viewport(width)
    for path in PAGES:
        desk.driver.get(site.url + path)
        assert desk.driver.find_element(By.TAG_NAME, "h1").text
        assert desk.overflow() <= 0, path
        assert desk.problems() == [], path
        styled = desk.driver.execute_script(
            "return getComputedStyle(document.querySelector('.menu ul')).display"
        )
        assert styled == "flex"


def test_strangers_see_a_sign_in_page_at_both_widths(window: Any, site: Site) -> None:
    for width in WIDTHS:
        window.viewport(width)
        window.driver.delete_all_cookies()
        window.driver.get(f"{site.url}/cases/case-1")
        assert window.driver.current_url == f"{site.url}/login?goto=/cases/case-1"
        assert "case-1" not in window.driver.find_element(By.TAG_NAME, "body").text
        assert window.overflow() <= 0
        assert window.problems() == []


def test_hostile_names_run_nothing(desk: Any, site: Site) -> None:
    for path in ("/alerts", "/alerts/f-0003", "/cases/case-2", "/messages/m-in-003"):
        desk.driver.get(site.url + path)
        assert "<script>alert('owned')</script>" in desk.driver.find_element(By.TAG_NAME, "main").text
        assert desk.driver.find_elements(By.TAG_NAME, "script") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_drawing_is_shown(desk: Any, site: Site, width: int) -> None:
    desk.viewport(width)
    desk.driver.get(f"{site.url}/cases/case-1")
    drawing = desk.driver.find_element(By.CSS_SELECTOR, "svg.flow")
    assert drawing.size["width"] >= 560, "no smaller than it is drawn: it scrolls within its own region"
    assert desk.overflow() <= 0
    assert desk.problems() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_decision_is_made_with_the_keyboard_alone(desk: Any, site: Site, width: int) -> None:
    driver = desk.driver
    desk.viewport(width)
    driver.get(f"{site.url}/cases/case-1")

    def press(*keys: str) -> dict[str, str]:
        driver.switch_to.active_element.send_keys(*keys)
        found: dict[str, str] = driver.execute_script(
            "const e = document.activeElement; return {name: e.name || '', tag: e.tagName, text: e.innerText}"
        )
        return found

    assert press(Keys.TAB)["text"] == "Skip to the content"
    press(Keys.ENTER)
    steps = 0
    while press(Keys.TAB)["name"] != "verdict":
        outline = driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", "focus can be seen"
        steps += 1
        assert steps < 12, "the decision is near the top"
    press(Keys.SPACE)
    assert press(Keys.TAB)["name"] == "grounds"
    press("The customer could not say where the funds came from.")
    assert press(Keys.TAB)["name"] == "by"
    press("I. Desk")
    assert press(Keys.TAB)["tag"] == "BUTTON"
    press(Keys.ENTER)
    _until(driver, lambda: "done=decided" in driver.current_url, "the decision is recorded")
    assert driver.find_element(By.CSS_SELECTOR, "[role=status]").text == "The decision is recorded."
    (decision,) = site.view.case("case-1").decisions
    assert (decision.verdict.value, decision.by) == ("report", "I. Desk")
    assert desk.problems() == []


def test_a_case_is_opened_from_alerts(desk: Any, site: Site) -> None:
    driver = desk.driver
    driver.get(f"{site.url}/alerts?rule=cycle")
    boxes = driver.find_elements(By.NAME, "finding")
    for box in boxes[1:3]:
        box.click()
    driver.find_element(By.ID, "title").send_keys("Round trips", Keys.ENTER)
    _until(driver, lambda: "done=opened" in driver.current_url, "the case is open")
    assert driver.find_element(By.TAG_NAME, "h1").text.startswith("Round trips")
    assert len(site.view.case("case-4").findings) == 2


def test_a_report_is_downloaded(desk: Any, site: Site) -> None:
    desk.driver.get(f"{site.url}/cases/case-1")
    desk.driver.find_element(By.PARTIAL_LINK_TEXT, "goAML").click()
    _until(desk.driver, lambda: list(desk.downloads.glob("*.xml")), "the file arrives")
    (path,) = desk.downloads.glob("*.xml")
    assert path.name == "BO-2026-001 «STR».xml"
    assert etree.fromstring(path.read_bytes()).findtext("reference") == "BO-2026-001"
    assert desk.problems() == []


def test_the_matrix_keeps_its_heads_in_sight(desk: Any, site: Site) -> None:
    driver = desk.driver
    desk.viewport(390)
    driver.get(f"{site.url}/standard?topic=all")
    region = driver.find_element(By.CSS_SELECTOR, ".scroll")
    driver.execute_script("arguments[0].scrollTo(400, 600)", region)
    place = "const r = e => e.getBoundingClientRect(); return r(arguments[1]).{0} - r(arguments[0]).{0}"
    row, head = (driver.find_element(By.CSS_SELECTOR, f".matrix {part} th") for part in ("tbody", "thead"))
    assert 0 <= driver.execute_script(place.format("left"), region, row) <= 2
    assert 0 <= driver.execute_script(place.format("top"), region, head) <= 2


def _focus(desk: Any, wanted: str, most: int) -> Any:
    """Press Tab until what has this selector has the focus."""
    for _ in range(most):
        desk.driver.switch_to.active_element.send_keys(Keys.TAB)
        found = desk.driver.switch_to.active_element
        if found.get_attribute("class") == wanted:
            return found
    raise AssertionError(f"the keyboard does not reach {wanted} with {most} keys")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_keyboard_reaches_and_scrolls_the_matrix(desk: Any, site: Site, width: int) -> None:
    driver = desk.driver
    desk.viewport(width)
    driver.get(f"{site.url}/standard?topic=all")
    region = _focus(desk, "scroll panel", 40)
    assert driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", region) != "none"
    region.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    _until(driver, lambda: region.get_property("scrollLeft") > 0, "it scrolls sideways")
    assert desk.overflow() <= 0


@pytest.mark.parametrize("width", (1440, 390))
def test_the_law_of_all_countries_fits(desk: Any, site: Site, width: int) -> None:
    site.view.standard = load()
    desk.viewport(width)
    for path in REAL:
        desk.driver.get(site.url + path)
        assert desk.driver.find_element(By.CSS_SELECTOR, ".tabs [aria-current]").text
        assert desk.overflow() <= 0, path
        assert desk.problems() == [], path


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_pictures_follow_the_scheme_and_their_labels_keep_apart(desk: Any, site: Site, scheme: str) -> None:
    site.view.standard = load()
    driver = desk.driver
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    driver.get(f"{site.url}/standard/map")
    picture, page = (
        driver.execute_script(f"return getComputedStyle(document.querySelector('{where}')).{what}")
        for where, what in ((".chart .paper", "fill"), (".picture", "backgroundColor"))
    )
    assert picture == page
    boxes = driver.execute_script(
        "return [...document.querySelectorAll('.chart .ink[stroke]')].map(t => {"
        " const r = t.getBoundingClientRect(); return [t.textContent, r.left, r.top, r.right, r.bottom] })"
    )
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(boxes) > 30
    for n, (one, left, top, right, bottom) in enumerate(boxes):
        for other, x0, y0, x1, y1 in boxes[n + 1 :]:
            apart = right <= x0 + 3 or x1 <= left + 3 or bottom <= y0 + 4 or y1 <= top + 4
            assert apart, f"{one} and {other} stand on each other"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_is_one_page_to_print(desk: Any, site: Site, width: int) -> None:
    driver = desk.driver
    desk.viewport(width)
    driver.get(f"{site.url}/standard/countries/bo/report")
    assert driver.find_element(By.TAG_NAME, "h1").text == "Borduria"
    assert desk.overflow() <= 0
    assert desk.problems() == []
    pdf = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    data = base64.b64decode(pdf["data"])
    assert data.startswith(b"%PDF") and b"/MediaBox [0 0 594" in data, "A4, upright"
    driver.find_element(By.CSS_SELECTOR, ".back a").click()
    _until(driver, lambda: "/standard/countries/bo?on=" in driver.current_url, "the way back")


def test_an_export_is_downloaded(desk: Any, site: Site) -> None:
    desk.driver.get(f"{site.url}/standard/countries/bo")
    desk.driver.find_element(By.LINK_TEXT, "gaps (CSV)").click()
    _until(desk.driver, lambda: list(desk.downloads.glob("*.csv")), "the file arrives")
    (path,) = desk.downloads.glob("*.csv")
    assert path.name == "comity-gaps-bo-2026-11-23.csv"
    assert "AML Act of Borduria, s. 11" in path.read_text("utf-8-sig")
    assert desk.problems() == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_trace_is_opened_with_the_keyboard_and_taken_away(desk: Any, site: Site, width: int) -> None:
    driver = desk.driver
    desk.viewport(width)
    driver.get(f"{site.url}/trace")
    driver.find_element(By.ID, "account").send_keys("acct:syldavia-bank:0001", Keys.ENTER)
    _until(driver, lambda: driver.find_elements(By.CSS_SELECTOR, "svg.flow"), "the trace is drawn")
    assert driver.find_element(By.CSS_SELECTOR, "svg.flow").size["width"] >= 560
    service = driver.find_element(By.CSS_SELECTOR, "a.flow-service")
    assert "Kestrel Exchange" in service.get_attribute("aria-label")
    for _ in range(40):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        if driver.switch_to.active_element == service:
            break
    outline = driver.execute_script("return getComputedStyle(arguments[0]).outlineStyle", service)
    assert driver.switch_to.active_element == service and outline != "none", (
        "focus reaches it and can be seen"
    )
    service.send_keys(Keys.ENTER)
    _until(driver, lambda: "expand=" in driver.current_url, "it opens")
    names = [each.text for each in driver.find_elements(By.CSS_SELECTOR, "svg.flow text.ink")]
    assert names.count("Kestrel Exchange") == 3
    assert desk.overflow() <= 0 and desk.problems() == []
    driver.find_element(By.CSS_SELECTOR, ".chips li:last-child a").click()
    _until(driver, lambda: "expand=" not in driver.current_url, "all is closed again")
    driver.find_element(By.LINK_TEXT, "the graph (GraphML)").click()
    _until(driver, lambda: list(desk.downloads.glob("*.graphml")), "the file arrives")
    (path,) = desk.downloads.glob("*.graphml")
    assert path.name == "comity-trace-0001-forward-haircut.graphml"
    graph = etree.fromstring(path.read_bytes())
    assert "Kestrel Exchange" in "".join(graph.itertext())
    path.unlink()
    assert desk.problems() == []


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_a_flow_follows_the_scheme(desk: Any, site: Site, scheme: str) -> None:
    driver = desk.driver
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    for path in (TRACE, "/cases/case-1"):
        driver.get(site.url + path)
        picture, page = (
            driver.execute_script(f"return getComputedStyle(document.querySelector('{where}')).{what}")
            for where, what in ((".flow .paper", "fill"), (".panel", "backgroundColor"))
        )
        assert picture == page
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_log_is_verified_and_the_operator_leaves(desk: Any, site: Site) -> None:
    driver = desk.driver
    driver.find_element(By.XPATH, "//button[text()='Verify the log']").click()
    _until(driver, lambda: driver.current_url.endswith("/audit/verify"), "the log is checked")
    assert "Verified" in driver.find_element(By.CSS_SELECTOR, "[role=status]").text
    driver.find_element(By.XPATH, "//button[text()='Sign out']").click()
    _until(driver, lambda: driver.current_url == f"{site.url}/login", "signed out")
    driver.get(f"{site.url}/cases")
    assert "/login" in driver.current_url
    assert desk.problems() == []

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

from comity.app.api.operator import STATUS, operator_app
from comity.errors import ComityError, Conflict, NoGateway, SettingsError, StoreError, TooLarge, Unverified
from comity.model import Finding, FindingKind, Level, MeasureState
from comity.node.node import Node

KEY = "document|passport|DE|C01X00T47"
Apis = Callable[[str], Any]


@pytest.fixture
def vasp(api: Apis) -> Any:
    return api("de-vasp-1")


@pytest.fixture
def stocked(vasp: Any, small: ModuleType, tmp_path: Path) -> str:
    """A ledger with an alert about a known customer; the finding's id."""
    file = small.fan_in(tmp_path / "in.csv", "de-vasp-1", "77", 12)
    assert vasp.post("/ledger", path=str(file))["transfers"] == 12
    who = small.customers(tmp_path / "c.jsonl", {"acct:de-vasp-1:77": small.MULE})
    assert vasp.post("/customers", path=str(who)) == {"accounts": 1}
    (alert,) = vasp.post("/detect")["alerts"]
    return str(alert["id"])


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", "bearer TOKEN", "TOKEN", "Bearer TOKENx", "Basic TOKEN"]
)
def test_without_the_token_nothing(vasp: Any, given: str) -> None:
    headers = {"Authorization": given.replace("TOKEN", vasp.token)}
    response = vasp("GET", "/status", headers=headers)
    assert response.status_code == 403
    assert response.json()["what"] == "not an operator of this node"
    assert vasp.token not in response.text
    assert vasp("GET", "/status", headers={}, params={"token": vasp.token}).status_code == 403


def test_a_node_without_a_token_serves_nobody(nodes: dict[str, Node]) -> None:
    nodes["de-fiu"].paths.token.unlink()
    with pytest.raises(SettingsError):
        operator_app(nodes["de-fiu"])


def test_from_file_to_filed_report(vasp: Any, stocked: str, nodes: dict[str, Node], net: ModuleType) -> None:
    (found,) = vasp.get("/findings", level="alert", rule="fan_in")
    assert found["id"] == stocked
    assert vasp.get("/findings", level="watch", rule="fan_in") == []
    case = vasp.post("/cases", findings=[stocked], title="Collecting account")
    assert {duty["jurisdiction"].lower() for duty in case["duties"]} == {"de"}
    assert vasp.get("/cases", state="open")[0]["id"] == case["id"]
    decided = vasp.post(
        f"/cases/{case['id']}/decisions", verdict="report", by="Ada Officer", grounds="It collects."
    )
    assert decided["state"] == "decided" and vasp.get(f"/cases/{case['id']}") == decided
    drafted = vasp.post(f"/cases/{case['id']}/reports", format="goaml")
    assert drafted["problems"] == []
    data = vasp("GET", f"/reports/{drafted['id']}")
    assert data.headers["content-type"] == "application/xml"
    assert len(etree.fromstring(data.content).findall("transaction")) == 12
    filed = vasp.post(f"/reports/{drafted['id']}/file")["message"]
    assert vasp("POST", f"/reports/{drafted['id']}/file").status_code == 409
    net.settle(nodes)
    (sent,) = vasp.get("/messages")["sent"]
    assert (sent["id"], sent["state"]) == (filed, "delivered")
    status = vasp.get("/status")
    assert (status["transfers"], status["alerts"], status["cases"]) == (12, 1, 1)
    assert vasp.get("/audit/verify")["size"] == status["audit_size"]


def test_lists(vasp: Any, tmp_path: Path) -> None:
    response = vasp("POST", "/lists")
    assert response.status_code == 200 and len(response.json()) > 0
    missing = vasp("POST", "/lists", json={"path": str(tmp_path / "none.xml")})
    assert missing.status_code == 400, missing.text


def test_freezes(api: Apis, nodes: dict[str, Node], net: ModuleType, stocked: str) -> None:
    fiu, partner = api("de-fiu"), api("ae-fiu")
    accounts, grounds = ["acct:de-vasp-1:77"], "The proceeds are about to leave."
    why = ("Both see it.",)
    found = Finding("f-1", FindingKind.MATCH, "fan_in", accounts[0], Level.ALERT, 0.9, why, (), "x")
    with nodes["ae-fiu"].act() as conn:
        nodes["ae-fiu"].cases.save_findings(conn, [found])
    case = partner.post("/cases", findings=["f-1"])
    order = {
        "recipient": "de-fiu",
        "accounts": accounts,
        "case_id": case["id"],
        "by": "Ada",
        "grounds": grounds,
    }
    assert partner("POST", "/freezes", json=order).status_code == 409, "nobody has decided it"
    partner.post(f"/cases/{case['id']}/decisions", verdict="freeze", by="Ada Officer", grounds=grounds)
    asked = partner.post("/freezes", **order)["message"]
    assert partner("POST", "/freezes", json={**order, "accounts": ["no account"]}).status_code == 400
    net.settle(nodes)
    assert len(fiu.post(f"/messages/{asked}/freeze", by="Bea Beamtin")["messages"]) == 1
    net.settle(nodes)
    for one in (partner, fiu, api("de-vasp-1")):
        assert [m["state"] for m in one.get("/freezes")] == [MeasureState.IN_FORCE.value]


def test_finding_together(api: Apis, nodes: dict[str, Node], net: ModuleType, stocked: str) -> None:
    fiu, partner, vasp = api("de-fiu"), api("ae-fiu"), api("de-vasp-1")
    asked = fiu.post("/watch/ask", peer="de-vasp-1")["message"]
    net.settle(nodes)
    vasp.post(f"/messages/{asked}/reply", by="Ada Officer")
    net.settle(nodes)
    assert fiu.get("/subjects/accounts", key=KEY) == {"acct:de-vasp-1:77": "de-vasp-1"}
    assert partner.post("/match", peer="de-fiu")["conversations"] == [], "it watches nothing"
    assert len(fiu.post("/match", peer="ae-fiu")["conversations"]) == 2
    assert [one["keys"] for one in fiu.get("/match")] == [None, None]
    net.settle(nodes)
    assert [one["keys"] for one in fiu.get("/match")] == [[], []]
    assert fiu("POST", "/match/request", json={"peer": "ae-fiu"}).status_code == 409
    assert fiu.post("/join") == []


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/cases/none", {}, 404),
        ("GET", "/reports/none", {}, 404),
        ("POST", "/cases", {"json": {"findings": []}}, 422),
        ("POST", "/cases", {"json": {"findings": ["f"], "colour": "red"}}, 422),
        ("POST", "/cases", {"json": {"findings": ["none"]}}, 404),
        ("POST", "/cases/none/decisions", {"json": {"verdict": "arrest", "by": "A", "grounds": "b"}}, 422),
        ("GET", "/findings", {"params": {"limit": 0}}, 422),
        ("GET", "/findings", {"params": {"offset": -1}}, 422),
        ("GET", "/messages", {"params": {"limit": 10**9}}, 422),
        ("GET", "/findings", {"params": {"level": "loud"}}, 422),
        ("POST", "/watch/ask", {"json": {"peer": "ae-fiu"}}, 404),
        ("POST", "/ledger", {"json": {"path": "/no/such/file"}}, 400),
        ("POST", "/cases", {"content": b"{" * 5000}, 422),
        ("POST", "/cases", {"content": b"x" * 300_000}, 413),
        ("GET", "/nowhere", {}, 404),
    ],
)
def test_what_is_refused(vasp: Any, method: str, path: str, more: Any, status: int) -> None:
    response = vasp(method, path, **more)
    assert response.status_code == status, response.text
    if "what" in response.text:
        assert set(response.json()) == {"error", "what", "why", "remedy"}
        assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TooLarge("x"), 413),
        (Conflict("x"), 409),
        (Unverified("x"), 403),
        (NoGateway("x"), 403),
        (SettingsError("x"), 409),
        (StoreError("x"), 500),
    ],
)
def test_each_kind_of_error_has_its_status(
    api: Apis, nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch, error: ComityError, status: int
) -> None:
    def fail() -> None:
        raise error

    vasp = api("de-vasp-1")
    monkeypatch.setattr(nodes["de-vasp-1"], "verify", fail)
    response = vasp("GET", "/audit/verify")
    assert response.status_code == status
    assert response.json()["error"] == type(error).__name__
    assert len({kind for kind, _ in STATUS}) == len(STATUS)


def test_a_transfer_is_ruled_on_before_it_is_sent_alone_or_in_order(vasp: Any) -> None:
    worth = {"quantity": "100", "asset": "iso4217:USD"}
    one = {
        "id": "t1",
        "time": "2026-03-02T09:00:00Z",
        "originator": "acct:de-vasp-1:5",
        "beneficiary": "acct:de-vasp-1:6",
        "amount": worth,
        "value": "100",
        "originator_party": {"name": "Ann"},
        "beneficiary_party": {"name": "Bob"},
    }
    assert vasp("POST", "/authorise", json=one).json()["ruling"] == "allow"
    many = vasp("POST", "/authorise", json=[one] * 30).json()
    assert [ruling["ruling"] for ruling in many] == ["allow"] * 18 + ["hold"] * 12
    nameless = {**one, "originator_party": None}
    (ruling,) = vasp("POST", "/authorise", json=[nameless]).json()
    assert any("name of the originator is missing" in ground["text"] for ground in ruling["grounds"])
    assert vasp("POST", "/authorise", json={"id": "x"}).status_code == 400
    assert vasp("POST", "/authorise", json=[one] * 1001).status_code == 413
    assert vasp("POST", "/authorise", json=one, headers={}).status_code == 403

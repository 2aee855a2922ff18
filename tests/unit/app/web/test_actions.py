from __future__ import annotations

from typing import Any

import pytest

from comity.model import CaseState, Verdict

GROUNDS = "The customer could not say where the funds came from."


def test_a_case_is_opened_from_chosen_alerts(operator: Any, view: Any) -> None:
    response = operator.post("/cases", finding=["f-0010", "f-0011", "f-0010"], title=" Ring of mules ")
    assert response.status_code == 303
    path = response.headers["location"]
    case = view.case("case-4")
    assert path == "/cases/case-4?done=opened"
    assert (case.title, [f.id for f in case.findings]) == ("Ring of mules", ["f-0010", "f-0011"])
    assert "The case is open." in operator.get(path).text
    assert "in case" in operator.get("/alerts/f-0010").text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"title": "No alert"}, 400, "no alert is chosen"),
        ({"finding": ["f-0010"], "title": "  "}, 400, "title: missing"),
        ({"finding": ["f-0010"], "title": "x" * 201}, 400, "title: too long"),
        ({"finding": ["f-0000"], "title": "Again"}, 409, "in case case-1 already"),
        ({"finding": ["f-9999"], "title": "None"}, 404, "no finding"),
    ],
)
def test_a_case_is_not_opened(
    operator: Any, view: Any, fields: dict[str, Any], status: int, words: str
) -> None:
    response = operator.post("/cases", **fields)
    assert response.status_code == status
    assert words in response.text
    assert view.cases(state=None, limit=9, offset=0).total == 3


def test_a_decision_is_recorded_once_with_name_and_grounds(operator: Any, view: Any) -> None:
    response = operator.post("/cases/case-1/decide", verdict="report", by=" I. Desk ", grounds=GROUNDS)
    assert response.status_code == 303
    assert response.headers["location"] == "/cases/case-1?done=decided"
    (decision,) = view.case("case-1").decisions
    assert (decision.verdict, decision.by, decision.grounds) == (Verdict.REPORT, "I. Desk", GROUNDS)
    assert view.case("case-1").state is CaseState.DECIDED
    text = operator.get(response.headers["location"]).text
    assert "The decision is recorded." in text and GROUNDS in text
    assert text.count('class="reached"') == 5


@pytest.mark.parametrize(
    ("case_id", "fields", "status", "words"),
    [
        ("case-1", {"by": "I. Desk", "grounds": GROUNDS}, 400, "no verdict is chosen"),
        ("case-1", {"verdict": "arrest", "by": "I. Desk", "grounds": GROUNDS}, 400, "no verdict is chosen"),
        ("case-1", {"verdict": "report", "by": "", "grounds": GROUNDS}, 400, "name: missing"),
        ("case-1", {"verdict": "report", "by": "I. Desk", "grounds": " "}, 400, "grounds: missing"),
        ("case-1", {"verdict": "freeze", "by": "I. Desk", "grounds": GROUNDS}, 403, "may not freeze"),
        ("case-3", {"verdict": "report", "by": "I. Desk", "grounds": GROUNDS}, 409, "the case is closed"),
        ("case-9", {"verdict": "report", "by": "I. Desk", "grounds": GROUNDS}, 404, "no case"),
    ],
)
def test_what_is_refused_leaves_no_trace_and_loses_no_words(
    operator: Any, view: Any, case_id: str, fields: dict[str, str], status: int, words: str
) -> None:
    response = operator.post(f"/cases/{case_id}/decide", **fields)
    assert response.status_code == status
    assert words in response.text
    assert view.case("case-1").decisions == ()
    if case_id == "case-1":
        assert fields["grounds"].strip() in response.text
        assert fields["by"] in response.text


def test_the_log_is_verified(operator: Any, view: Any) -> None:
    response = operator.post("/audit/verify")
    assert response.status_code == 200
    assert "✓ Verified" in response.text and "240 entries" in response.text
    view.broken = True
    response = operator.post("/audit/verify")
    assert response.status_code == 422
    assert "entry 17 does not hash" in response.text and "✓" not in response.text


def test_a_report_is_drafted_once_the_case_is_decided(operator: Any, view: Any) -> None:
    assert "Draft the report" not in operator.get("/cases/case-1").text
    response = operator.post("/cases/case-1/reports", format="goaml")
    assert response.status_code == 403
    assert "no decision to report" in response.text and "have a person decide" in response.text
    operator.post("/cases/case-1/decide", verdict="report", by="I. Desk", grounds=GROUNDS)
    text = operator.get("/cases/case-1").text
    assert "Draft the report" in text and '<option value="goaml">goAML 5.0.2</option>' in text
    assert "<script>alert" not in text, "titles of formats are escaped"
    response = operator.post("/cases/case-1/reports", format="goaml")
    assert response.headers["location"] == "/cases/case-1?done=drafted"
    assert "The report is drafted." in operator.get(response.headers["location"]).text
    assert view.drafts == [("case-1", "goaml")]
    response = operator.post("/cases/case-1/reports", format="fax")
    assert response.status_code == 400
    assert "among the reports" in response.text
    assert view.drafts == [("case-1", "goaml")]


def test_a_report_is_filed_once(operator: Any, view: Any) -> None:
    text = operator.get("/cases/case-1").text
    assert text.count("File it with borduria-fiu") == 1
    assert "not while it has problems" in text
    response = operator.post("/reports/r-1/file")
    assert response.headers["location"] == "/cases/case-1?done=filed"
    text = operator.get(response.headers["location"]).text
    assert "on its way to the FIU" in text and "File it with" not in text
    response = operator.post("/reports/r-2/file")
    assert response.status_code == 400
    assert "has 1 problems" in response.text


@pytest.mark.parametrize("path", ["/cases/case-1/reports", "/reports/r-1/file"])
def test_reports_need_a_form_of_ones_own(operator: Any, visitor: Any, view: Any, path: str) -> None:
    response = operator.call("POST", path, data={"csrf": "0" * 64, "format": "goaml"})
    assert response.status_code == 403
    assert (view.drafts, view.sent) == ([], False)

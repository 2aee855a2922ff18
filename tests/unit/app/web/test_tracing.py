"""The page of a trace: what it shows, what it opens, what it lets one take away."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from lxml import etree

PAGE = "/trace?account=acct:syldavia-bank:0001&hops=4"
OPEN = re.compile(r'<a class="flow-node[^"]*flow-open" href="([^"]+)" aria-label="([^"]+)"')


def opened(text: str) -> dict[str, str]:
    """The links of the diagram by what they are called."""
    return {unescape(name): unescape(to) for to, name in OPEN.findall(text)}


def the(links: dict[str, str], begin: str, end: str = "") -> str:
    (found,) = [to for name, to in links.items() if name.startswith(begin) and end in name]
    return found.partition("#")[0]


def test_without_an_account_it_asks_for_one(operator: Any) -> None:
    text = operator.get("/trace").text
    assert 'name="account"' in text and "<svg" not in text
    assert '<option value="haircut" selected>' in text
    assert {"first in, first out", "last in, first out"} <= set(
        re.findall(r"(?:first|last) in, first out", text)
    )


def test_a_trace_is_drawn_listed_and_compared(operator: Any) -> None:
    response = operator.get(PAGE)
    assert response.status_code == 200
    text = unescape(response.text)
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="flow"' in response.text
    assert "Where value went from Aurelia Vantermeer (0001)" in text
    assert "15,000 EUR traced; haircut, up to 4 hops, parts from 0.1 %." in text
    for reason in ("service", "no further movement", "hop limit"):
        assert f'<td data-label="Why">{reason}</td>' in text
    for method in ("Haircut", "Poison", "Fifo", "Lifo"):
        assert f">{method}</th>" in text
    assert "exchange, SG;" in text and "confidence 0.50" in text
    assert "also said: " in text and "Merlin Mixer" in text, "what disagrees is shown"


def test_hostile_labels_are_text(operator: Any) -> None:
    text = operator.get(PAGE).text
    assert "<script" not in text and "\u202e" not in text
    assert "&lt;script&gt;alert(" in text


def test_it_needs_an_operator(visitor: Any) -> None:
    for path in (PAGE, PAGE.replace("/trace?", "/trace.csv?"), "/trace"):
        response = visitor.get(path)
        assert response.status_code == 303
        assert response.headers["location"].startswith("/login?goto=/trace")


def test_a_collapsed_service_opens(operator: Any) -> None:
    links = opened(operator.get(PAGE).text)
    text = operator.get(the(links, "Show more of these by themselves: service")).text
    for n in ("0041", "0042", "0043"):
        assert f"Kestrel Exchange ({n})" in text, "what is open stands in the list"
    assert not [name for name in opened(text) if "Kestrel" in name]
    close = unescape(
        re.search(r'href="([^"]+)#diagram" aria-label="Close Kestrel Exchange \(0042\)"', text)[1]
    )
    assert "0042" not in close.partition("expand")[2]
    assert (
        "2 accounts" not in operator.get(close).text and "Kestrel Exchange (0043)" in operator.get(close).text
    )


def test_a_trace_goes_on_from_a_leaf(operator: Any) -> None:
    text = operator.get(PAGE).text
    assert "acct:syldavia-bank:0050" not in text
    further = operator.get(the(opened(text), "Go on from here", "0030")).text
    assert "acct:syldavia-bank:0050" in further and "on from acct:syldavia-bank:0030" in further
    assert "15,000 EUR traced" in further


def test_what_is_drawn_as_one_opens(operator: Any) -> None:
    links = opened(operator.get(PAGE).text)
    more = [to for name, to in links.items() if "several, drawn as one" in name]
    assert len(more) == 2
    after = opened(operator.get(more[0].partition("#")[0]).text)
    assert len([name for name in after if "several, drawn as one" in name]) == 1


def test_not_more_is_opened_than_an_address_holds(operator: Any) -> None:
    many = "".join(f"&expand=acct:x:{n}" for n in range(60))
    text = operator.get(PAGE + many).text
    assert opened(text) == {}
    assert operator.get(f"{PAGE}{many}&expand=acct:x:60").status_code == 400


def test_backward_and_by_another_method(operator: Any) -> None:
    text = operator.get("/trace?account=acct:syldavia-bank:0004&direction=backward&method=poison&until=").text
    assert "Where the value in 0004 came from" in text and "poison, up to 6 hops" in text
    assert '<option value="poison" selected>' in text and "When value left the accounts" in text


@pytest.mark.parametrize(
    ("query", "status", "what"),
    [
        ("account=acct:syldavia-bank:9999", 404, "no account"),
        ("account=nonsense", 400, "not a wallet address"),
        ("account=a&hops=0", 400, "hops"),
        ("account=a&method=magic", 400, "method"),
        ("account=a&min_share=0", 400, "min_share"),
        ("account=acct:syldavia-bank:0001&until=soon", 400, "not a date"),
        (f"account={'a' * 201}", 400, "account"),
    ],
)
def test_what_cannot_be_traced(operator: Any, query: str, status: int, what: str) -> None:
    response = operator.get(f"/trace?{query}")
    assert response.status_code == status
    assert what in unescape(response.text)


def test_a_slip_is_shown_again_with_the_form(operator: Any) -> None:
    text = operator.get(f"/trace?account={quote('<b>0x12')}").text
    assert 'value="&lt;b&gt;0x12"' in text and 'role="alert"' in text


def test_without_a_ledger_it_says_so(operator: Any, view: Any) -> None:
    view.broken = True
    response = operator.get(PAGE)
    assert response.status_code == 404 and "this node has no ledger" in response.text


def test_an_account_that_moved_nothing(operator: Any) -> None:
    text = operator.get("/trace?account=acct:syldavia-bank:0050").text
    assert "nothing left this account" in text and "<svg" not in text


def test_files_are_those_of_the_page(operator: Any) -> None:
    text = operator.get(PAGE + "&expand=on+acct:syldavia-bank:0030").text
    links = dict(re.findall(r'<a href="([^"]+)" download>the (\w+)', text))
    kinds = {name: operator.get(unescape(to)) for to, name in links.items()}
    assert set(kinds) == {"diagram", "graph", "steps"}
    for response in kinds.values():
        assert response.status_code == 200
        assert "attachment" in response.headers["content-disposition"]
        assert "comity-trace-0001-forward-haircut." in response.headers["content-disposition"]
    drawing = etree.fromstring(kinds["diagram"].content)
    assert drawing.get("role") == "img" and not list(drawing.iter("{http://www.w3.org/2000/svg}a"))
    graph = etree.fromstring(kinds["graph"].content)
    assert "acct:syldavia-bank:0050" in "".join(graph.itertext()), "also what was gone on with"
    rows = list(csv.DictReader(io.StringIO(kinds["steps"].content.decode("utf-8-sig"))))
    assert rows[0]["source_label"] == "Aurelia Vantermeer" and rows[-1]["target"].endswith("0050")
    assert operator.get(PAGE.replace("/trace?", "/trace.exe?")).status_code == 404


def test_an_alert_leads_to_the_trace_of_its_subject(operator: Any) -> None:
    text = operator.get("/alerts/f-0001").text
    links = [unescape(to) for to in re.findall(r'href="(/trace\?account=[^"]+)"', text)]
    assert [link.partition("&")[2] for link in links] == ["", "direction=backward"]
    for link in links:
        assert operator.get(link).status_code == 200
    assert "/trace?account" not in operator.get("/alerts/f-0003").text, "a person is no account"

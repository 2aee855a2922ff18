"""Files of a trace: whole, typed, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from lxml import etree

from comity.ledger.columns import build
from comity.model import AssetId, Transfer
from comity.tracing.export import COLUMNS, tame, to_csv, to_graphml
from comity.tracing.trace import Bounds, Direction, Method, Trace, trace

EURO = AssetId("iso4217:EUR")
G = "{http://graphml.graphdrawing.org/xmlns}"
Pay = Callable[..., Transfer]
LABELS = {"acct:X:EX": '=HYPERLINK("http://x")&<Kestrel>\x00\ufffe'}
# What the GraphML 1.0 schema (structure and attributes layers) asks of the elements that are written here.
SCHEMA = etree.XMLSchema(
    etree.fromstring(b"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="http://graphml.graphdrawing.org/xmlns"
  xmlns:g="http://graphml.graphdrawing.org/xmlns" targetNamespace="http://graphml.graphdrawing.org/xmlns"
  elementFormDefault="qualified">
  <xs:element name="graphml">
    <xs:complexType><xs:sequence>
      <xs:element ref="key" minOccurs="0" maxOccurs="unbounded"/>
      <xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element ref="graph"/><xs:element ref="data"/>
      </xs:choice>
    </xs:sequence></xs:complexType>
    <xs:key name="keys"><xs:selector xpath=".//g:key"/><xs:field xpath="@id"/></xs:key>
    <xs:keyref name="used" refer="keys"><xs:selector xpath=".//g:data"/><xs:field xpath="@key"/></xs:keyref>
  </xs:element>
  <xs:element name="key"><xs:complexType>
    <xs:attribute name="id" type="xs:NMTOKEN" use="required"/>
    <xs:attribute name="for"><xs:simpleType><xs:restriction base="xs:NMTOKEN"><xs:enumeration value="graph"/>
      <xs:enumeration value="node"/><xs:enumeration value="edge"/></xs:restriction></xs:simpleType>
    </xs:attribute>
    <xs:attribute name="attr.name" type="xs:NMTOKEN"/>
    <xs:attribute name="attr.type"><xs:simpleType><xs:restriction base="xs:NMTOKEN">
      <xs:enumeration value="boolean"/><xs:enumeration value="int"/><xs:enumeration value="long"/>
      <xs:enumeration value="float"/><xs:enumeration value="double"/><xs:enumeration value="string"/>
    </xs:restriction></xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
  <xs:element name="data"><xs:complexType mixed="true">
    <xs:attribute name="key" type="xs:NMTOKEN" use="required"/></xs:complexType></xs:element>
  <xs:element name="graph">
    <xs:complexType><xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element ref="data"/><xs:element ref="node"/><xs:element ref="edge"/></xs:choice>
      <xs:attribute name="id" type="xs:NMTOKEN"/>
      <xs:attribute name="edgedefault" use="required"><xs:simpleType><xs:restriction base="xs:NMTOKEN">
        <xs:enumeration value="directed"/></xs:restriction></xs:simpleType></xs:attribute>
    </xs:complexType>
    <xs:unique name="about"><xs:selector xpath="./g:data"/><xs:field xpath="@key"/></xs:unique>
    <xs:key name="nodes"><xs:selector xpath=".//g:node"/><xs:field xpath="@id"/></xs:key>
    <xs:unique name="edges"><xs:selector xpath=".//g:edge"/><xs:field xpath="@id"/></xs:unique>
    <xs:keyref name="of" refer="nodes"><xs:selector xpath=".//g:edge"/><xs:field xpath="@source"/></xs:keyref>
    <xs:keyref name="to" refer="nodes"><xs:selector xpath=".//g:edge"/><xs:field xpath="@target"/></xs:keyref>
  </xs:element>
  <xs:element name="node"><xs:complexType>
    <xs:sequence><xs:element ref="data" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="id" type="xs:NMTOKEN" use="required"/></xs:complexType>
    <xs:unique name="of_node"><xs:selector xpath="./g:data"/><xs:field xpath="@key"/></xs:unique></xs:element>
  <xs:element name="edge"><xs:complexType>
    <xs:sequence><xs:element ref="data" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="id" type="xs:NMTOKEN"/><xs:attribute name="source" type="xs:NMTOKEN" use="required"/>
    <xs:attribute name="target" type="xs:NMTOKEN" use="required"/></xs:complexType>
    <xs:unique name="of_edge"><xs:selector xpath="./g:data"/><xs:field xpath="@key"/></xs:unique></xs:element>
</xs:schema>""")
)
TYPES = {"boolean": str, "int": int, "double": float, "string": str}


@pytest.fixture
def found(pay: Pay) -> Trace:
    moves = [
        pay(0, "A", "B", "100.5"),
        pay(1, "A", "B", "50"),
        pay(2, "B", "EX", "120"),
        pay(3, "B", "A", "20"),
    ]
    return trace(build(moves, EURO), "acct:X:A", services=LABELS, bounds=Bounds(min_share=0))


def read(data: bytes) -> tuple[etree._Element, dict[str, tuple[str, str, str]]]:
    root = etree.fromstring(data)
    SCHEMA.assertValid(root)
    keys = {k.get("id"): (k.get("for"), k.get("attr.name"), k.get("attr.type")) for k in root.iter(f"{G}key")}
    return root, keys


def values(element: etree._Element, keys: dict[str, tuple[str, str, str]]) -> dict[str, object]:
    said: dict[str, object] = {}
    for data in element.findall(f"{G}data"):
        of, name, kind = keys[data.get("key")]
        assert element.tag == f"{G}{of}"
        said[name] = TYPES[kind](data.text)
    return said


def test_a_graph_has_every_account_and_step(found: Trace) -> None:
    root, keys = read(to_graphml(found, LABELS, "Case 1"))
    graph = root.find(f"{G}graph")
    assert graph.get("edgedefault") == "directed"
    about = values(graph, keys)
    assert about["title"] == "Case 1" and about["method"] == "haircut" and about["value"] == "150.5000"
    nodes = {node.get("id"): values(node, keys) for node in graph.iter(f"{G}node")}
    by_account = {said["account"]: said for said in nodes.values()}
    assert set(by_account) == {"acct:X:A", "acct:X:B", "acct:X:EX"}
    assert by_account["acct:X:A"]["kind"] == "start" and by_account["acct:X:A"]["hop"] == 0
    assert by_account["acct:X:EX"] == {
        "account": "acct:X:EX",
        "label": '=HYPERLINK("http://x")&<Kestrel>',
        "kind": "account",
        "hop": 2,
        "received": 120.0,
        "sent": 0.0,
        "ends": 120.0,
        "reasons": "service",
    }
    edges = list(graph.iter(f"{G}edge"))
    assert [values(edge, keys)["transfer"] for edge in edges] == [step.transfer for step in found.steps]
    first = values(edges[0], keys)
    assert nodes[edges[0].get("source")]["account"] == "acct:X:A"
    assert (first["value"], first["exact"], first["estimated"]) == (100.5, "100.5000", "false")
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids)), "two transfers between the same accounts are two edges"


def test_poison_says_what_is_tainted(found: Trace, pay: Pay) -> None:
    moves = [pay(0, "A", "B", "100"), pay(1, "C", "B", "900"), pay(2, "B", "D", "1000")]
    poisoned = trace(build(moves, EURO), "acct:X:A", method=Method.POISON, bounds=Bounds(min_share=0))
    root, keys = read(to_graphml(poisoned, {}))
    said = [values(edge, keys) for edge in root.iter(f"{G}edge")]
    assert (said[-1]["value"], said[-1]["tainted"]) == (100.0, 1000.0)
    assert "tainted" not in {
        name for edge in read(to_graphml(found, {}))[0].iter(f"{G}edge") for name in values(edge, keys)
    }
    rows = list(csv.DictReader(io.StringIO(to_csv(poisoned, {}).decode("utf-8-sig"))))
    assert (rows[-1]["method"], rows[-1]["tainted"]) == ("poison", "1000.0000")


def test_rows_are_the_steps(found: Trace) -> None:
    data = to_csv(found, LABELS)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["transfer"] for row in rows] == [step.transfer for step in found.steps]
    assert sum(Decimal(row["value"]) for row in rows if row["source"] == "acct:X:A") == found.value
    (service,) = [row for row in rows if row["target"] == "acct:X:EX"]
    assert (service["unit"], service["hop"], service["ends_there"]) == ("EUR", "2", "service")
    assert service["time"] == "2026-03-02T11:00:00+00:00"


def test_backward_the_far_end_is_the_source(pay: Pay) -> None:
    moves = [pay(0, "A", "B", "100"), pay(1, "B", "C", "100")]
    back = trace(build(moves, EURO), "acct:X:C", Direction.BACKWARD)
    rows = list(csv.DictReader(io.StringIO(to_csv(back, {}).decode("utf-8-sig"))))
    assert [row["ends_there"] for row in rows] == ["no further movement", ""]
    root, keys = read(to_graphml(back, {}))
    hops = {said["account"]: said["hop"] for node in root.iter(f"{G}node") for said in [values(node, keys)]}
    assert hops == {"acct:X:C": 0, "acct:X:B": 1, "acct:X:A": 2}


@pytest.mark.parametrize("bad", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\n-2"])
def test_no_cell_is_a_formula(found: Trace, bad: str) -> None:
    assert tame(bad) == f"'{bad}"
    hostile = replace(found, steps=tuple(replace(step, transfer=bad) for step in found.steps))
    rows = list(
        csv.DictReader(io.StringIO(to_csv(hostile, {"acct:X:A": bad}).decode("utf-8-sig"), newline=""))
    )
    for row in rows:
        for cell in row.values():
            assert cell.lstrip()[:1] not in {"=", "+", "-", "@", "＝"}, cell
    assert tame("Kestrel") == "Kestrel" and tame("") == ""


def test_a_trace_of_nothing_is_a_file_too(pay: Pay) -> None:
    nothing = trace(build([pay(0, "A", "B", "1")], EURO), "acct:X:B")
    root, _ = read(to_graphml(nothing, {}))
    assert len(list(root.iter(f"{G}node"))) == 1
    assert to_csv(nothing, {}).decode("utf-8-sig").strip() == ",".join(COLUMNS)
